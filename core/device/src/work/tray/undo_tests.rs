//! Settlements are taken back, or say why not.

use gridwalk_model::Value;
use gridwalk_model::records::{Dwelling, Event};

use super::tests::{only, refuse, speaks, two};
use super::*;
use crate::store::RefusedReason;
use crate::testkit::{GRID, at, dwelling, fields, store};

fn changed<T: std::fmt::Debug>(outcome: Result<T, DeviceError>) {
    assert!(matches!(outcome, Err(DeviceError::CannotUndo { why: NotUndone::ChangedSince })), "{outcome:?}");
}

#[test]
fn a_choice_is_taken_back_unless_somebody_wrote_since() {
    for meanwhile in [false, true] {
        let (mut server, mut a, mut b, home) = two();
        a.store.edit(home, &fields(&[("occupancy", "vacant")]), at(10)).unwrap();
        b.store.edit(home, &fields(&[("occupancy", "occupied")]), at(11)).unwrap();
        for (n, phone) in [&mut a, &mut b].into_iter().enumerate() {
            phone.sync(&mut server, at(20 + n as i64));
        }
        a.sync(&mut server, at(22));
        let item = only(&a.store);
        let shown = item.values.iter().find(|value| value.shown).unwrap().value.clone();
        let other = item.values.iter().find(|value| !value.shown).unwrap().value.clone();
        let undo = a.store.settle(&item.key, Settlement::Choose(other.clone()), at(30)).unwrap();
        assert!(!undo.is_final());
        let says = |phone: &crate::sync::tests::Phone| {
            phone.store.fields(home).unwrap().unwrap().1["occupancy"].clone()
        };
        assert_eq!(says(&a), other);
        if meanwhile {
            a.store.edit(home, &fields(&[("occupancy", "unknown")]), at(31)).unwrap();
            changed(a.store.undo_settlement(undo, at(32)));
            assert_eq!(says(&a), Value::from("unknown"));
            continue;
        }
        a.store.undo_settlement(undo, at(32)).unwrap();
        a.sync(&mut server, at(33));
        b.sync(&mut server, at(34));
        assert_eq!((says(&a), says(&b)), (shown.clone(), shown));
    }
}

#[test]
fn a_refused_edit_that_was_written_again_is_refused_once_more() {
    let mut store = store(1);
    let home = store.create(&dwelling("1号楼", "1"), at(1)).unwrap();
    store.edit(home, &fields(&[("remarks", "先前")]), at(2)).unwrap();
    for (field, value) in [("remarks", "甲"), ("address", "东门")] {
        let wrote = [(field, Value::from(value))];
        refuse(&mut store, home, "dwelling", &wrote, RefusedReason::ChangedMeanwhile);
        let before = store.fields(home).unwrap().unwrap().1.get(field).cloned().unwrap_or(Value::Null);
        let item = only(&store);
        let undo = store.settle(&item.key, Settlement::WriteAgain(None), at(6)).unwrap();
        assert_eq!(store.fields(home).unwrap().unwrap().1[field], Value::from(value));
        store.undo_settlement(undo, at(7)).unwrap();
        let after = store.fields(home).unwrap().unwrap().1.get(field).cloned().unwrap_or(Value::Null);
        assert_eq!(after, before);
        let again = only(&store);
        assert_eq!(again.values, item.values);
        store.settle(&again.key, Settlement::GiveUp, at(8)).unwrap();
    }
}

#[test]
fn an_entry_that_was_added_again_stays_and_says_so() {
    let mut store = store(1);
    let mut event = fields(&[("category", "litter"), ("address", "东门")]);
    event.insert("area".into(), Value::from(GRID));
    let event = store.edits(at(1), |edits| edits.create_fields(Kind::Event, &event)).unwrap();
    let key = format!("photos/{}", RecordId::from_bytes([5; 16]).to_hex());
    let wrote = [(key.as_str(), crate::testkit::photo_reference())];
    refuse(&mut store, event, "event", &wrote, RefusedReason::ChangedMeanwhile);
    let item = only(&store);
    let undo = store.settle(&item.key, Settlement::WriteAgain(None), at(2)).unwrap();
    assert!(undo.is_final());
    let outcome = store.undo_settlement(undo, at(3));
    assert!(matches!(outcome, Err(DeviceError::CannotUndo { why: NotUndone::Final })));
    assert_eq!(store.get::<Event>(event).unwrap().unwrap().record.photos.len(), 1);
}

#[test]
fn a_record_that_was_sent_again_is_in_the_tray_once_more() {
    let all =
        [("area", Value::from(GRID)), ("category", Value::from("litter")), ("address", Value::from("东门"))];
    let mut store = store(1);
    let id = RecordId::from_bytes([0x33; 16]);
    refuse(&mut store, id, "event", &all, RefusedReason::Forbidden);
    let item = only(&store);
    let how = Settlement::SendAgain(fields(&[("address", "西门")]));
    let undo = store.settle(&item.key, how.clone(), at(9)).unwrap();
    store.undo_settlement(undo, at(10)).unwrap();
    assert!(store.list::<Event>(None, 9).unwrap().entries.is_empty());
    let again = only(&store);
    speaks(&again);
    assert_ne!(again.key, item.key);
    assert_eq!(again.values, item.values);
    let undo = store.settle(&again.key, how, at(11)).unwrap();
    let made = store.list::<Event>(None, 9).unwrap().entries.remove(0);
    store.edit(made.id, &fields(&[("description", "补充")]), at(12)).unwrap();
    changed(store.undo_settlement(undo, at(13)));
    assert_eq!(store.list::<Event>(None, 9).unwrap().entries.len(), 1);
}

#[test]
fn what_was_kept_or_removed_is_decided_again() {
    for remove in [false, true] {
        let (mut server, mut a, mut b, home) = two();
        a.store.remove(home, at(10)).unwrap();
        b.store.edit(home, &fields(&[("remarks", "有人住")]), at(11)).unwrap();
        a.sync(&mut server, at(20));
        b.sync(&mut server, at(21));
        a.sync(&mut server, at(22));
        let item = only(&a.store);
        let how = if remove { Settlement::Remove } else { Settlement::Keep };
        let undo = a.store.settle(&item.key, how, at(30)).unwrap();
        assert_eq!(a.store.tray(at(30)).unwrap().iter().filter(|item| item.acts.len() > 1).count(), 0);
        a.store.undo_settlement(undo, at(31)).unwrap();
        let shown =
            |phone: &crate::sync::tests::Phone| phone.store.list::<Dwelling>(None, 9).unwrap().entries.len();
        assert_eq!((only(&a.store).key, shown(&a)), (item.key.clone(), 1));
        let undo = a.store.settle(&item.key, Settlement::Remove, at(32)).unwrap();
        a.sync(&mut server, at(33));
        b.sync(&mut server, at(34));
        assert_eq!((shown(&a), shown(&b)), (0, 0));
        b.store.edits(at(35), |edits| edits.restore(home)).unwrap();
        b.sync(&mut server, at(36));
        a.sync(&mut server, at(37));
        changed(a.store.undo_settlement(undo, at(38)));
    }
}

#[test]
fn what_was_noted_is_told_again() {
    let mut store = store(1);
    let home = store.create(&dwelling("1号楼", "1"), at(1)).unwrap();
    store.write(crate::store::Commit::Apply, |tx| tx.defer(home, OutboxState::Held, at(9_999))).unwrap();
    let key = only(&store).key;
    let undo = store.settle(&key, Settlement::KeepWaiting, at(3)).unwrap();
    assert!(only(&store).seen);
    store.undo_settlement(undo, at(4)).unwrap();
    assert!(!only(&store).seen);
}
