//! The decoder against Automerge itself, and against bytes that nobody honest writes.

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, AutoCommit, ObjType, ROOT, ScalarValue};
use gridwalk_model::{DeviceId, Fields};
use proptest::prelude::*;

use super::*;
use crate::document::Document;

fn actor(n: u8) -> Actor {
    Actor::new(DeviceId::from_bytes([n; 12]), [0, 0, 0, 1])
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Flag),
        any::<i64>().prop_map(Value::Int),
        (-1e9..1e9f64).prop_map(Value::Real),
        "[a-z网格员\u{1F600}]{0,12}".prop_map(Value::Text),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
        (-1i64 << 50..1i64 << 50).prop_map(|ms| Value::Time(Timestamp::from_millis(ms))),
    ]
}

fn any_fields() -> impl Strategy<Value = Fields> {
    proptest::collection::btree_map("[a-f]{1,2}(/[0-9]{1,2})?", any_value(), 1..8)
}

/// What Automerge says is in the change, in our terms.
fn as_automerge_reads(raw: &[u8]) -> FlatChange {
    let change = automerge::Change::from_bytes(raw.to_vec()).unwrap();
    let to_actor = |id: &ActorId| Actor::from_slice(id.to_bytes()).unwrap();
    let writes = change
        .decode()
        .operations
        .iter()
        .map(|op| KeyWrite {
            key: match &op.key {
                automerge::legacy::Key::Map(key) => key.to_string(),
                automerge::legacy::Key::Seq(_) => panic!("sequence key"),
            },
            value: op.primitive_value().map(|value| match value {
                ScalarValue::Null => Value::Null,
                ScalarValue::Boolean(flag) => Value::Flag(flag),
                ScalarValue::Int(number) => Value::Int(number),
                ScalarValue::F64(number) => Value::Real(number),
                ScalarValue::Str(text) => Value::Text(text.to_string()),
                ScalarValue::Bytes(bytes) => Value::Bytes(bytes),
                ScalarValue::Timestamp(ms) => Value::Time(Timestamp::from_millis(ms)),
                other => panic!("{other:?}"),
            }),
            replaces: op
                .pred
                .iter()
                .map(|id| OpId { counter: id.counter(), actor: to_actor(id.actor()) })
                .collect(),
        })
        .collect();
    FlatChange {
        hash: change.hash().into(),
        deps: change.deps().iter().copied().map(Into::into).collect(),
        actor: to_actor(change.actor_id()),
        seq: change.seq(),
        start_op: change.start_op().get(),
        at: Timestamp::from_millis(change.timestamp()),
        writes,
    }
}

proptest! {
    /// Three authors edit and merge at random: every change reads exactly as Automerge reads it.
    #[test]
    fn every_honest_change_reads_as_automerge_reads_it(
        first in any_fields(),
        steps in proptest::collection::vec((0u8..3, 0usize..3, any_fields()), 0..12),
    ) {
        let id = gridwalk_model::RecordId::from_bytes([7; 16]);
        let at = Timestamp::from_millis(1_700_000_000_000);
        let (document, root) = Document::create(id, gridwalk_model::Kind::Household, &first, actor(0), at).unwrap();
        prop_assert_eq!(FlatChange::read(&root.raw).unwrap(), as_automerge_reads(&root.raw));
        let mut copies = [document.clone(), document.clone(), document];
        for (who, other, fields) in steps {
            let mut source = copies[other].clone();
            let copy = &mut copies[usize::from(who)];
            copy.merge(&mut source).unwrap();
            if let Some(change) = copy.edit(&fields, actor(who), at).unwrap() {
                prop_assert_eq!(FlatChange::read(&change.raw).unwrap(), as_automerge_reads(&change.raw));
                prop_assert_eq!(hash_of(&change.raw), Some(change.hash));
                prop_assert_eq!(seal(body_of(&change.raw).unwrap()), change.raw);
            }
        }
    }

    /// Any bytes at all, sealed with the right checksum: an answer, never a panic.
    #[test]
    fn arbitrary_bodies_are_answered(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = FlatChange::read(&seal(&body));
        let _ = FlatChange::read(&body);
    }
}

fn one_change(write: impl FnOnce(&mut AutoCommit)) -> Vec<u8> {
    let mut document = AutoCommit::new().with_actor(ActorId::from(&[1u8; 16][..]));
    write(&mut document);
    document.commit_with(CommitOptions::default().with_time(1));
    document.get_last_local_change().unwrap().raw_bytes().to_vec()
}

#[test]
fn a_change_from_no_time_at_all_is_refused() {
    let written_at = |time: i64| {
        let mut document = AutoCommit::new().with_actor(ActorId::from(&[1u8; 16][..]));
        document.put(ROOT, "a", 1).unwrap();
        document.commit_with(CommitOptions::default().with_time(time));
        FlatChange::read(document.get_last_local_change().unwrap().raw_bytes())
    };
    let last = i64::try_from(crate::limits::MAX_TIME_MS).unwrap();
    for fine in [0, -1, last, -last] {
        assert!(written_at(fine).is_ok(), "{fine}");
    }
    for bad in [last + 1, -last - 1, i64::MAX, i64::MIN] {
        assert_eq!(written_at(bad), Err(Malformed::Number), "{bad}");
    }
}

#[test]
fn operations_other_than_a_put_on_the_root_are_refused() {
    let nested = one_change(|d| {
        let map = d.put_object(ROOT, "photos", ObjType::Map).unwrap();
        d.put(map, "a", 1).unwrap();
    });
    assert!(FlatChange::read(&nested).is_err());
    let list = one_change(|d| {
        let list = d.put_object(ROOT, "l", ObjType::List).unwrap();
        d.insert(list, 0, 1).unwrap();
    });
    assert!(FlatChange::read(&list).is_err());
    let counter = one_change(|d| d.put(ROOT, "c", ScalarValue::counter(1)).unwrap());
    assert_eq!(FlatChange::read(&counter), Err(Malformed::Value));
    let twice = one_change(|d| {
        d.put(ROOT, "a", 1).unwrap();
        d.put(ROOT, "a", 2).unwrap();
    });
    assert_eq!(FlatChange::read(&twice), Err(Malformed::DuplicateKey));
}

#[test]
fn damage_and_bombs_are_refused_before_they_cost_anything() {
    let honest = one_change(|d| d.put(ROOT, "name", "王").unwrap());
    assert!(FlatChange::read(&honest).is_ok());
    for len in 0..honest.len() {
        assert!(FlatChange::read(&honest[..len]).is_err(), "cut at {len}");
    }
    let mut wrong_checksum = honest.clone();
    wrong_checksum[5] ^= 1;
    assert_eq!(FlatChange::read(&wrong_checksum), Err(Malformed::Checksum));
    let mut tail = body_of(&honest).unwrap().to_vec();
    tail.extend([0; 60_000]);
    assert_eq!(FlatChange::read(&seal(&tail)), Err(Malformed::Length), "extra bytes");
    assert_eq!(FlatChange::read(&vec![0; 70_000]), Err(Malformed::TooLarge));

    // No dependencies, actor, seq 1, start 1, time 0, no message, no other actors, one column: the action column
    // claims a million puts in five bytes.
    let mut bomb = vec![0, 16];
    bomb.extend([1; 16]);
    bomb.extend([1, 1, 0, 0, 0, 1, 0x42, 4, 0xc0, 0x84, 0x3d, 1]);
    assert_eq!(FlatChange::read(&seal(&bomb)), Err(Malformed::OpCount));
}
