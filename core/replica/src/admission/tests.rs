//! Honest histories pass in any order; each thing a hostile or broken device could send gets its verdict.

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, AutoCommit, ROOT};
use gridwalk_model::policy::Role;
pub(super) use gridwalk_model::{Fields, Timestamp, Value};
use proptest::prelude::*;

use super::*;
use crate::actor::Actor;
use crate::change::{body_of, seal};

const USER: RecordId = RecordId::from_bytes([0xaa; 16]);
pub(super) const RECORD: RecordId = RecordId::from_bytes([7; 16]);

pub(super) fn device(n: u8) -> DeviceId {
    DeviceId::from_bytes([n; 12])
}

pub(super) fn actor(n: u8) -> Actor {
    Actor::new(device(n), [0, 0, 0, 1])
}

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + seconds * 1_000)
}

pub(super) fn origin(n: u8) -> Origin<'static> {
    Origin::Device { device: device(n), sender: Sender::Person { user: USER, roles: &[Role::Gridworker] } }
}

pub(super) fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect()
}

pub(super) fn household() -> (Document, Vec<u8>) {
    let mut content = fields(&[("note", "made-up")]);
    content.insert("dwelling".to_owned(), Value::from(RecordId::from_bytes([8; 16])));
    let (document, change) = Document::create(RECORD, Kind::Household, &content, actor(1), at(0)).unwrap();
    (document, change.raw)
}

pub(super) fn admit_from(n: u8, current: Option<&[u8]>, raws: &[&[u8]]) -> Admission {
    admit(RECORD, "household", current, raws, &origin(n))
}

pub(super) fn edit(document: &mut Document, n: u8, key: &str, value: &str) -> Vec<u8> {
    document.edit(&fields(&[(key, value)]), actor(n), at(1)).unwrap().unwrap().raw
}

#[test]
fn a_new_record_and_its_edits_are_accepted_in_any_order_of_arrival() {
    let (mut document, root) = household();
    let raws: Vec<Vec<u8>> = std::iter::once(root)
        .chain((0..4).map(|i| edit(&mut document, 1, "note", &format!("n{i}"))))
        .collect();
    for order in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3]] {
        let shuffled: Vec<&[u8]> = order.iter().map(|i| raws[*i].as_slice()).collect();
        let admission = admit_from(1, None, &shuffled);
        assert_eq!(admission.verdicts, [Verdict::Accepted; 5]);
        let admitted = admission.admitted.unwrap();
        assert_eq!(admitted.heads, document.heads());
        assert_eq!(admitted.document.fields(), document.fields());
        let again = admit_from(1, Some(&admitted.snapshot), &shuffled);
        assert_eq!(again.verdicts, [Verdict::Duplicate; 5]);
        assert!(again.admitted.is_none());
    }
}

#[test]
fn one_bad_change_blocks_what_depends_on_it_and_nothing_else() {
    let (document, root) = household();
    let base = document.save();
    let mut branch = document.clone();
    let id_edit = branch
        .edit(&Fields::from([("kind".to_owned(), Value::from("other"))]), actor(1), at(1))
        .unwrap()
        .unwrap();
    let dependants: Vec<Vec<u8>> = (0..10).map(|i| edit(&mut branch, 1, "note", &format!("n{i}"))).collect();
    let mut other = document.clone();
    let theirs = edit(&mut other, 2, "note", "theirs");

    let mut raws: Vec<&[u8]> = vec![&root, &id_edit.raw];
    raws.extend(dependants.iter().map(Vec::as_slice));
    let admission = admit_from(1, Some(&base), &raws);
    assert_eq!(admission.verdicts[0], Verdict::Duplicate);
    assert_eq!(admission.verdicts[1], Verdict::Invalid(Reason::FieldPolicy));
    assert_eq!(admission.verdicts[2], Verdict::BlockedBy(id_edit.hash));
    assert!(admission.verdicts[3..].iter().all(|v| matches!(v, Verdict::BlockedBy(_))));
    assert_eq!(admit_from(2, Some(&base), &[&theirs]).verdicts, [Verdict::Accepted]);
    let orphan = admit_from(1, Some(&base), &[&dependants[3]]);
    assert_eq!(orphan.verdicts, [Verdict::MissingDeps]);
}

#[test]
fn foreign_authors_forks_and_second_roots() {
    let (mut document, root) = household();
    let base = document.save();
    assert_eq!(admit_from(2, None, &[&root]).verdicts, [Verdict::Forbidden], "someone else's device");

    let mut clone = document.clone();
    let first = edit(&mut document, 1, "note", "here");
    let twin = edit(&mut clone, 1, "note", "there");
    let admission = admit_from(1, Some(&base), &[&first, &twin]);
    assert_eq!(admission.verdicts, [Verdict::Accepted, Verdict::ActorForked]);

    let (_, second) =
        Document::create(RECORD, Kind::Household, &fields(&[("note", "again")]), actor(2), at(9)).unwrap();
    assert_eq!(admit_from(2, Some(&base), &[&second.raw]).verdicts, [Verdict::Invalid(Reason::SecondRoot)]);
    let stranger = RecordId::from_bytes([9; 16]);
    let misnamed = admit(stranger, "household", None, &[&root], &origin(1));
    assert_eq!(misnamed.verdicts, [Verdict::Invalid(Reason::Identity)]);
    let miskind = admit(RECORD, "dwelling", None, &[&root], &origin(1));
    assert_eq!(miskind.verdicts, [Verdict::Invalid(Reason::Identity)]);
    assert_eq!(admit(RECORD, "spaceship", None, &[&root], &origin(1)).verdicts, [Verdict::Held]);
}

/// Alters one byte of the body after the 32-byte dependency and the actor, and seals it again.
fn with_body_byte(raw: &[u8], index: usize, byte: u8) -> Vec<u8> {
    let mut body = body_of(raw).unwrap().to_vec();
    body[index] = byte;
    seal(&body)
}

#[test]
fn numbers_that_make_automerge_panic_are_refused_here() {
    let (mut document, _) = household();
    let base = document.save();
    let honest = edit(&mut document, 1, "note", "x");
    // count of deps, 32 bytes, length of actor, 16 bytes; then seq and start_op
    let (seq_at, start_at) = (1 + 32 + 1 + 16, 1 + 32 + 1 + 16 + 1);
    assert_eq!(body_of(&honest).unwrap()[seq_at], 2);
    let gap = with_body_byte(&honest, seq_at, 3);
    assert_eq!(admit_from(1, Some(&base), &[&gap]).verdicts, [Verdict::Invalid(Reason::SeqGap)]);
    for start in [1u8, 0x7f] {
        let counter = with_body_byte(&honest, start_at, start);
        assert_eq!(admit_from(1, Some(&base), &[&counter]).verdicts, [Verdict::Invalid(Reason::Counter)]);
    }
    let mut body = body_of(&honest).unwrap().to_vec();
    body.splice(start_at..=start_at, [0xff, 0xff, 0xff, 0xff, 0x0f]);
    let huge = seal(&body);
    assert_eq!(admit_from(1, Some(&base), &[&huge]).verdicts, [Verdict::Invalid(Reason::Malformed)]);
}

#[test]
fn predecessors_must_be_what_the_author_saw() {
    let (document, root) = household();
    let base = document.save();
    // The same edit written by someone who hides that there was a value: no predecessor named.
    let mut blind = AutoCommit::new().with_actor(ActorId::from(&actor(1).as_bytes()[..]));
    blind.load_incremental(&root).unwrap();
    blind.put(ROOT, "remarks", "x").unwrap();
    blind.commit_with(CommitOptions::default().with_time(5));
    let honest = blind.get_last_local_change().unwrap().raw_bytes().to_vec();
    assert_eq!(admit_from(1, Some(&base), &[&honest]).verdicts, [Verdict::Accepted]);
    // Renaming the key in place: `remarks` has no standing value, `note___` neither, but `note` has one.
    let body = body_of(&honest).unwrap();
    let position = body.windows(7).position(|window| window == b"remarks").unwrap();
    let mut renamed = body.to_vec();
    renamed.splice(position - 1..position + 7, [4, b'n', b'o', b't', b'e', 0, 0, 0].into_iter().take(5));
    let sealed = seal(&renamed);
    let verdict = admit_from(1, Some(&base), &[&sealed]).verdicts[0];
    assert!(verdict.is_refusal(), "{verdict:?}");
}

#[test]
fn settling_for_the_winner_passes_and_a_plain_delete_does_not() {
    let (document, _) = household();
    let (mut mine, mut theirs) = (document.clone(), document);
    edit(&mut mine, 1, "note", "mine");
    edit(&mut theirs, 2, "note", "theirs");
    mine.merge(&mut theirs).unwrap();
    let base = mine.save();
    let winner = mine.get("note").unwrap();
    let choice = Fields::from([("note".to_owned(), winner.clone())]);
    let settled = mine.edit(&choice, actor(1), at(3)).unwrap().unwrap();
    assert_eq!(FlatChange::read(&settled.raw).unwrap().writes[0].value, None);
    let admission = admit_from(1, Some(&base), &[&settled.raw]);
    assert_eq!(admission.verdicts, [Verdict::Accepted]);
    let after = admission.admitted.unwrap().document;
    assert_eq!(after.get("note"), Some(winner));
    assert!(crate::conflict::conflicts(&after).is_empty());

    let mut eraser =
        AutoCommit::load(&after.save()).unwrap().with_actor(ActorId::from(&actor(2).as_bytes()[..]));
    eraser.delete(ROOT, "note").unwrap();
    eraser.commit_with(CommitOptions::default().with_time(9));
    let delete = eraser.get_last_local_change().unwrap().raw_bytes().to_vec();
    let verdicts = admit_from(2, Some(&after.save()), &[&delete]).verdicts;
    assert_eq!(verdicts, [Verdict::Invalid(Reason::Predecessors)]);
}

#[test]
fn a_record_that_would_outgrow_its_limit_is_refused_and_stays_as_it_was() {
    let (mut document, _) = household();
    let base = document.save();
    let big: Fields =
        (0..20).map(|i| (format!("extra{i}"), Value::Text("x".repeat(limits::VALUE_MAX_BYTES)))).collect();
    assert!(matches!(document.clone().edit(&big, actor(1), at(1)), Err(crate::DocumentError::Full { .. })));
    // Several changes of the allowed size that together are too much: those that fit stay.
    let mut raws = Vec::new();
    for i in 0..8 {
        let part: Fields = (0..3)
            .map(|j| {
                (format!("part{i}-{j}"), Value::Text(format!("{i}{j}").repeat(limits::VALUE_MAX_BYTES / 4)))
            })
            .collect();
        if let Ok(Some(change)) = document.edit(&part, actor(1), at(2)) {
            raws.push(change.raw);
        }
    }
    let refs: Vec<&[u8]> = raws.iter().map(Vec::as_slice).collect();
    let admission = admit_from(1, Some(&base), &refs);
    let admitted = admission.admitted.unwrap();
    assert!(admitted.snapshot.len() <= limits::DOCUMENT_MAX_BYTES);
}

#[test]
fn a_damaged_copy_of_our_own_is_named_as_such() {
    let (mut document, _) = household();
    let mut base = document.save();
    let last = base.len() - 1;
    base[last] ^= 0xff;
    let change = edit(&mut document, 1, "note", "x");
    let admission = admit_from(1, Some(&base), &[&change]);
    assert_eq!(admission.verdicts, [Verdict::Invalid(Reason::StoredDocumentDamaged)]);
}

#[test]
fn a_snapshot_merges_with_unsent_changes() {
    let (document, _) = household();
    let (mut mine, mut theirs) = (document.clone(), document);
    edit(&mut mine, 1, "note", "mine");
    edit(&mut theirs, 2, "remarks", "theirs");
    let merged = admit_snapshot(RECORD, "household", Some(&mine.save()), &theirs.save()).unwrap();
    assert_eq!(merged.document.get("note"), Some(Value::from("mine")));
    assert_eq!(merged.document.get("remarks"), Some(Value::from("theirs")));
    assert_eq!(merged.heads.len(), 2);
    let cut = theirs.save();
    assert_eq!(
        admit_snapshot(RECORD, "household", None, &cut[..cut.len() - 3]).unwrap_err(),
        Reason::Unloadable
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Three phones edit and meet at random; the server gets their changes phone by phone, in arbitrary batches.
    /// It accepts all of them and ends with what Automerge's own merge gives.
    #[test]
    fn honest_histories_are_accepted_and_converge(
        steps in proptest::collection::vec((1u8..4, 1u8..4, 0usize..3, any::<bool>()), 1..24),
    ) {
        let (document, root) = household();
        let mut server = document.save();
        let mut phones = [document.clone(), document.clone(), document];
        let mut outboxes: Vec<Vec<Vec<u8>>> = vec![vec![root], Vec::new(), Vec::new()];
        for (n, (who, other, key, meet)) in steps.into_iter().enumerate() {
            let me = usize::from(who - 1);
            if meet {
                // Phones never meet directly: each pushes, then takes what the server has.
                let raws: Vec<&[u8]> = outboxes[me].iter().map(Vec::as_slice).collect();
                let admission = admit_from(who, Some(&server), &raws);
                prop_assert!(admission.verdicts.iter().all(|v| matches!(v, Verdict::Accepted | Verdict::Duplicate)));
                if let Some(admitted) = admission.admitted {
                    server = admitted.snapshot;
                }
                outboxes[me].clear();
                let merged = admit_snapshot(RECORD, "household", Some(&phones[me].save()), &server).unwrap();
                phones[me] = merged.document;
            } else {
                let key = ["note", "remarks", "members/x"][key];
                let value = format!("{other}-{n}");
                let edit = phones[me].edit(&fields(&[(key, &value)]), actor(who), at(n as i64)).unwrap();
                outboxes[me].extend(edit.map(|change| change.raw));
            }
        }
        let mut oracle = phones[0].clone();
        for who in 0..3u8 {
            let me = usize::from(who);
            let raws: Vec<&[u8]> = outboxes[me].iter().map(Vec::as_slice).collect();
            let admission = admit_from(who + 1, Some(&server), &raws);
            prop_assert!(admission.verdicts.iter().all(|v| matches!(v, Verdict::Accepted | Verdict::Duplicate)));
            server = admission.admitted.map(|admitted| admitted.snapshot).unwrap_or(server);
            let mut phone = phones[me].clone();
            oracle.merge(&mut phone).unwrap();
        }
        let end = Document::load(&server).unwrap();
        prop_assert_eq!(end.heads(), oracle.heads());
        prop_assert_eq!(end.fields(), oracle.fields());
    }
}

/// Design text 1: the server refuses a care tag without its service, purpose, approver or end. The phone refuses the
/// same by the same rule before it makes one.
#[test]
fn a_care_tag_is_refused_unless_it_is_whole_and_ends_within_a_year() {
    use gridwalk_model::validate::validate;
    let mut whole = fields(&[
        ("need", "living_alone"),
        ("service", "made-up service"),
        ("purpose", "made-up purpose"),
        ("from", "2026-02-14"),
        ("until", "2027-02-14"),
    ]);
    whole.insert("resident".into(), Value::from(RecordId::from_bytes([8; 16])));
    whole.insert("approver".into(), Value::from(RecordId::from_bytes([9; 16])));
    let verdict = |content: &Fields| {
        let (_, change) = Document::create(RECORD, Kind::CareTag, content, actor(1), at(0)).unwrap();
        admit(RECORD, "care_tag", None, &[change.raw.as_slice()], &origin(1)).verdicts[0]
    };
    assert_eq!(verdict(&whole), Verdict::Accepted);
    let refused = Verdict::Invalid(Reason::Incomplete);
    for field in ["service", "purpose", "approver", "until", "need", "resident", "from"] {
        let mut lacking = whole.clone();
        lacking.remove(field);
        assert_eq!(verdict(&lacking), refused, "without {field}");
        assert!(!validate(Kind::CareTag, &lacking).is_empty(), "the phone says so too");
    }
    for (field, value) in
        [("until", "2027-02-15"), ("until", "2026-02-13"), ("service", " "), ("from", "soon")]
    {
        let mut bad = whole.clone();
        bad.insert(field.into(), Value::from(value));
        assert_eq!(verdict(&bad), refused, "{field} {value}");
    }
    let mut conduct = whole.clone();
    conduct.insert("need".into(), Value::from("conduct"));
    assert_eq!(verdict(&conduct), Verdict::Invalid(Reason::Entry), "a closed list");
}
