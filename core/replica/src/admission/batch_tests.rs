//! Large batches, bad changes among good ones, and what the mutation fuzzer has found.

use gridwalk_model::event::{Action, LogEntry};

use super::tests::*;
use super::*;
use crate::actor::Actor;
use crate::change::{body_of, seal};

/// The same change spelled as our editor's encoder would not: it passes every check, but not saving and loading.
fn respelled(raw: &[u8]) -> Vec<u8> {
    let honest = FlatChange::read(raw).unwrap();
    let body = body_of(raw).unwrap();
    (0..body.len() - 1)
        .filter(|at| body[*at..*at + 2] == [0x7f, 1])
        .map(|at| {
            let mut other = body.to_vec();
            other[at] = 1;
            seal(&other)
        })
        .find(|other| FlatChange::read(other).is_ok_and(|change| change.writes == honest.writes))
        .unwrap()
}

#[test]
fn a_change_that_does_not_survive_saving_is_refused_and_the_rest_is_decided_without_it() {
    let (mut document, _) = household();
    let base = document.save();
    let honest: Vec<Vec<u8>> = (0..5).map(|i| edit(&mut document, 1, "note", &format!("n{i}"))).collect();
    let twin = respelled(&honest[1]);
    // The twin stands before the original and is refused; the original and what follows are not its victims.
    let raws: Vec<&[u8]> = [&honest[0], &twin, &honest[1], &honest[2]].map(Vec::as_slice).to_vec();
    let admission = admit_from(1, Some(&base), &raws);
    let unloadable = Verdict::Invalid(Reason::Unloadable);
    assert_eq!(admission.verdicts, [Verdict::Accepted, unloadable, Verdict::Accepted, Verdict::Accepted]);
    assert_eq!(admission.admitted.unwrap().accepted, [0, 2, 3]);
    // What depends on it is blocked.
    let alone = admit_from(1, Some(&base), &[&honest[0], &respelled(&honest[1]), &honest[2]]);
    assert_eq!(alone.verdicts[..2], [Verdict::Accepted, unloadable]);
    assert_eq!(alone.verdicts[2], Verdict::MissingDeps, "it depends on the original, which nobody showed");
}

#[test]
fn a_damaged_copy_of_a_change_does_not_block_its_dependants() {
    let (mut document, _) = household();
    let base = document.save();
    let honest: Vec<Vec<u8>> = (0..2).map(|i| edit(&mut document, 1, "note", &format!("n{i}"))).collect();
    let mut copy = honest[0].clone();
    copy[0] ^= 1;
    for order in [[&copy, &honest[0], &honest[1]], [&honest[1], &copy, &honest[0]]] {
        let raws: Vec<&[u8]> = order.iter().map(|raw| raw.as_slice()).collect();
        let admission = admit_from(1, Some(&base), &raws);
        assert_eq!(admission.admitted.unwrap().accepted.len(), 2);
    }
    // Without the original the dependant is blocked by name, so that its sender can let go of both.
    let admission = admit_from(1, Some(&base), &[&copy, &honest[1]]);
    assert_eq!(admission.verdicts[1], Verdict::BlockedBy(change::hash_of(&honest[0]).unwrap()));
}

#[test]
fn what_depends_on_a_held_change_is_held_too() {
    let user = RecordId::from_bytes([0xaa; 16]);
    let area = Value::from(RecordId::from_bytes([8; 16]));
    let event = Fields::from([("area".to_owned(), area), ("category".to_owned(), Value::from("made-up"))]);
    let (mut document, root) = Document::create(RECORD, Kind::Event, &event, actor(1), at(0)).unwrap();
    let base = document.save();
    let entry = LogEntry::new(RECORD, None, at(1), user, Action::Other("of the future".to_owned()));
    let newer = Fields::from([(entry.key(), entry.to_value())]);
    let held = document.edit(&newer, actor(1), at(1)).unwrap().unwrap();
    let next = edit(&mut document, 1, "description", "after");
    let admission = admit(RECORD, "event", Some(&base), &[&root.raw, &held.raw, &next], &origin(1));
    assert_eq!(admission.verdicts, [Verdict::Duplicate, Verdict::Held, Verdict::Held]);
}

#[test]
fn an_actor_that_is_named_and_not_used_is_refused_before_automerge_looks_for_it() {
    let (mut document, _) = household();
    let base = document.save();
    let honest = edit(&mut document, 1, "note", "x");
    let body = body_of(&honest).unwrap();
    let found = (40..body.len()).find_map(|at| {
        let mut other = body.to_vec();
        other.splice(at..=at, [1, 16].into_iter().chain([9; 16]));
        // Where the number of other actors stands, the rest still reads.
        (body[at] == 0 && FlatChange::read(&seal(&other)) == Err(change::Malformed::Actor))
            .then(|| seal(&other))
    });
    let verdicts = admit_from(1, Some(&base), &[&found.unwrap()]).verdicts;
    assert_eq!(verdicts, [Verdict::Invalid(Reason::Malformed)]);
}

#[test]
fn a_long_row_is_taken_in_any_order() {
    let (mut document, _) = household();
    let base = document.save();
    let mut raws: Vec<Vec<u8>> =
        (0..300).map(|i| edit(&mut document, 1, ["note", "remarks"][i % 2], &format!("n{i}"))).collect();
    raws.reverse();
    let refs: Vec<&[u8]> = raws.iter().map(Vec::as_slice).collect();
    let admitted = admit_from(1, Some(&base), &refs).admitted.unwrap();
    assert_eq!(admitted.heads, document.heads());
}

/// Two authors edit without seeing each other, meet, and go on: rows aside, rows on top, and merges.
#[test]
fn rows_beside_and_on_top_of_other_work_lead_to_what_automerge_makes_of_them() {
    let (document, _) = household();
    let (mut mine, mut theirs) = (document.clone(), document.clone());
    let mut base = document.save();
    let mut own = Vec::new();
    for round in 0..4 {
        own.extend((0..3).map(|i| edit(&mut mine, 1, "note", &format!("m{round}{i}"))));
        let other: Vec<Vec<u8>> =
            (0..2).map(|i| edit(&mut theirs, 2, "note", &format!("t{round}{i}"))).collect();
        let refs: Vec<&[u8]> = other.iter().map(Vec::as_slice).collect();
        base = admit_from(2, Some(&base), &refs).admitted.unwrap().snapshot;
        if round % 2 == 1 {
            mine = admit_snapshot(RECORD, "household", Some(&mine.save()), &base).unwrap().document;
        }
    }
    let refs: Vec<&[u8]> = own.iter().map(Vec::as_slice).collect();
    let admission = admit_from(1, Some(&base), &refs);
    assert!(
        admission.verdicts.iter().all(|verdict| *verdict == Verdict::Accepted),
        "{:?}",
        admission.verdicts
    );
    let mut oracle = theirs;
    oracle.merge(&mut mine).unwrap();
    let admitted = admission.admitted.unwrap();
    assert_eq!(admitted.heads, oracle.heads());
    assert_eq!(admitted.document.fields(), oracle.fields());
}

#[test]
fn what_would_cost_too_much_stays_with_its_sender_and_gets_in_later() {
    let (document, _) = household();
    let mut base = document.save();
    let mut open: Vec<Vec<u8>> = (0..1_300u32)
        .map(|n| {
            let fresh = Actor::new(device(1), (n + 5).to_be_bytes());
            let fields = fields(&[("note", &n.to_string())]);
            document.clone().edit(&fields, fresh, at(1)).unwrap().unwrap().raw
        })
        .collect();
    let total = open.len();
    let mut rounds = 0;
    while !open.is_empty() {
        let refs: Vec<&[u8]> = open.iter().map(Vec::as_slice).collect();
        let admission = admit_from(1, Some(&base), &refs);
        assert!(admission.verdicts.iter().all(|v| matches!(v, Verdict::Accepted | Verdict::Held)));
        let admitted = admission.admitted.unwrap();
        base = admitted.snapshot;
        let accepted: BTreeSet<usize> = admitted.accepted.into_iter().collect();
        let mut index = 0..;
        open.retain(|_| !accepted.contains(&index.next().unwrap()));
        rounds += 1;
    }
    assert!(rounds > 1, "an allowance that is never used up is none");
    assert_eq!(Document::load(&base).unwrap().change_count(), total + 1);
}
