//! The tray: what is in it, what it says, and that its acts settle it on every phone.

use gridwalk_model::records::{Dwelling, Event};
use gridwalk_model::{Fields, Record, Value};
use gridwalk_replica::admission::Reason;

use super::*;
use crate::store::{Commit, RefusedReason};
use crate::sync::tests::Phone;
use crate::testkit::{GRID, Script, at, dwelling, fields, store};

pub(super) fn two() -> (Script, Phone, Phone, RecordId) {
    let mut server = Script::new();
    let (mut a, mut b) = (Phone::joined(1, &mut server), Phone::joined(2, &mut server));
    let home = a.store.create(&dwelling("3号楼", "501"), at(1)).unwrap();
    a.sync(&mut server, at(2));
    b.sync(&mut server, at(3));
    (server, a, b, home)
}

pub(super) fn only(store: &Store) -> TrayItem {
    let mut tray = store.tray(at(999)).unwrap();
    tray.retain(|item| !matches!(item.key, TrayKey::Unsent { .. }));
    assert_eq!(tray.len(), 1, "{tray:?}");
    tray.remove(0)
}

pub(super) fn speaks(item: &TrayItem) {
    for words in [&item.what, &item.explanation] {
        assert!(!words.zh.is_empty() && !words.en.is_empty(), "{item:?}");
        assert!(words.en.is_ascii(), "{}", words.en);
    }
    assert!(!item.acts.is_empty());
}

pub(super) fn refuse(
    store: &mut Store,
    record: RecordId,
    kind: &str,
    all: &[(&str, Value)],
    reason: RefusedReason,
) {
    store
        .write(Commit::Apply, |tx| {
            all.iter().try_for_each(|(key, value)| tx.list_refused(record, kind, key, value, reason, at(5)))
        })
        .unwrap();
}

#[test]
fn what_is_sensitive_is_covered_until_it_is_asked_for_with_a_purpose() {
    let (mut server, mut a, mut b, home) = two();
    let by = a.store.identity().unwrap().user;
    let mut all = fields(&[("request", "买药（虚构）"), ("service", "代购")]);
    all.extend([("target".into(), Value::from(home)), ("by".into(), Value::from(by))]);
    all.insert("at".into(), Value::Time(at(5)));
    let service = a.store.edits(at(5), |edits| edits.create_fields(Kind::ServiceRecord, &all)).unwrap();
    a.sync(&mut server, at(6));
    b.sync(&mut server, at(7));
    a.store.edit(service, &fields(&[("outcome", "已送到（虚构）")]), at(10)).unwrap();
    b.store.edit(service, &fields(&[("outcome", "不再需要（虚构）")]), at(11)).unwrap();
    a.sync(&mut server, at(20));
    b.sync(&mut server, at(21));
    a.sync(&mut server, at(22));
    let item = only(&a.store);
    assert!(item.sensitive && item.values.iter().all(|value| value.hidden && value.value == Value::Null));
    assert!(item.values.iter().all(|value| !value.text.zh.contains("虚构")), "{item:?}");
    let listed = a.store.conflicts().unwrap().remove(0);
    assert!(listed.candidates.iter().all(|candidate| candidate.value == Value::Null));
    let limits = KeepingLimits::default();
    assert!(matches!(a.store.reveal(&item.key, " ", &limits, at(23)), Err(DeviceError::NoPurpose)));
    assert_eq!(a.store.sensitive_reads(0, 9).unwrap(), [], "nobody has seen it");
    let values = a.store.reveal(&item.key, "核对代购", &limits, at(24)).unwrap();
    let reads = a.store.sensitive_reads(0, 9).unwrap();
    assert_eq!(
        reads.iter().map(|read| (read.record, read.kind.as_str())).collect::<Vec<_>>(),
        [(service, "service_record")]
    );
    let mine = values.iter().find(|value| value.value == Value::from("已送到（虚构）")).unwrap();
    a.store.settle(&item.key, Settlement::Choose(mine.value.clone()), at(25)).unwrap();
    assert_eq!(a.store.conflicts().unwrap(), []);
    let gone = a.store.reveal(&item.key, "核对代购", &limits, at(26));
    assert!(matches!(gone, Err(DeviceError::NotInTray)));

    let reason = RefusedReason::Invalid(Reason::NotKept);
    refuse(&mut a.store, service, "service_record", &[("outcome", Value::from("虚构的结果"))], reason);
    assert_eq!(a.store.refused_edits().unwrap()[0].value, Value::Null);
    let item = only(&a.store);
    assert!(item.values[0].hidden && !item.values[0].text.zh.contains("虚构"));
    let told = a.store.reveal(&item.key, "改写", &limits, at(30)).unwrap();
    assert_eq!(told[0].text.zh, "虚构的结果");
    assert_eq!(a.store.sensitive_reads(0, 9).unwrap().len(), 2);
}

#[test]
fn what_is_not_sensitive_is_shown_and_not_journaled() {
    let mut store = store(1);
    let home = store.create(&dwelling("3号楼", "501"), at(1)).unwrap();
    let reason = RefusedReason::Invalid(Reason::NotKept);
    refuse(&mut store, home, "dwelling", &[("remarks", Value::from("虚构"))], reason);
    let mut tray = store.tray(at(9)).unwrap();
    tray.retain(|item| matches!(item.key, TrayKey::Refused { .. }));
    assert!(!tray[0].sensitive && !tray[0].values[0].hidden && tray[0].values[0].text.zh == "虚构");
    let revealed = store.reveal(&tray[0].key, "", &KeepingLimits::default(), at(9)).unwrap();
    assert_eq!(revealed, tray[0].values);
    assert_eq!(store.sensitive_reads(0, 9).unwrap(), []);
}

#[test]
fn a_conflict_shows_both_values_and_a_choice_settles_it_everywhere() {
    let (mut server, mut a, mut b, home) = two();
    a.store.edit(home, &fields(&[("occupancy", "vacant")]), at(10)).unwrap();
    b.store.edit(home, &fields(&[("occupancy", "occupied")]), at(11)).unwrap();
    a.sync(&mut server, at(20));
    b.sync(&mut server, at(21));
    a.sync(&mut server, at(22));
    let item = only(&a.store);
    speaks(&item);
    assert_eq!((item.title.zh.as_str(), item.kind.zh.as_str()), ("阳光里3号楼501", "实有房屋"));
    assert!(item.explanation.zh.starts_with("「居住状态」"));
    let texts: Vec<&str> = item.values.iter().map(|value| value.text.zh.as_str()).collect();
    assert!(texts.contains(&"空置") && texts.contains(&"有人居住"));
    assert_eq!(item.values.iter().filter(|value| value.shown).count(), 1);
    let foreign = Settlement::Choose(Value::from("burnt"));
    assert!(matches!(a.store.settle(&item.key, foreign, at(30)), Err(DeviceError::NotInTray)));
    let wanted = item.values.iter().find(|value| !value.shown).unwrap().value.clone();
    a.store.settle(&item.key, Settlement::Choose(wanted.clone()), at(31)).unwrap();
    a.sync(&mut server, at(32));
    b.sync(&mut server, at(33));
    for phone in [&a, &b] {
        assert_eq!(phone.store.tray(at(40)).unwrap(), []);
        let (_, fields) = phone.store.fields(home).unwrap().unwrap();
        assert_eq!(fields.get("occupancy"), Some(&wanted));
    }
    let again = a.store.settle(&item.key, Settlement::Choose(wanted), at(41));
    assert!(matches!(again, Err(DeviceError::NotInTray)));
}

#[test]
fn a_removed_record_that_was_edited_is_kept_or_removed() {
    for remove in [false, true] {
        let (mut server, mut a, mut b, home) = two();
        a.store.remove(home, at(10)).unwrap();
        b.store.edit(home, &fields(&[("remarks", "有人住")]), at(11)).unwrap();
        a.sync(&mut server, at(20));
        b.sync(&mut server, at(21));
        a.sync(&mut server, at(22));
        let item = only(&a.store);
        speaks(&item);
        assert_eq!(item.acts, [TrayAct::Keep, TrayAct::Remove]);
        let how = if remove { Settlement::Remove } else { Settlement::Keep };
        a.store.settle(&item.key, how, at(30)).unwrap();
        a.sync(&mut server, at(31));
        b.sync(&mut server, at(32));
        for phone in [&a, &b] {
            assert_eq!(phone.store.tray(at(40)).unwrap(), [], "remove {remove}");
            let shown = phone.store.list::<Dwelling>(None, 9).unwrap().entries.len();
            assert_eq!(shown, usize::from(!remove));
        }
    }
}

#[test]
fn a_refused_edit_is_written_again_or_given_up_and_taken_back() {
    let mut store = store(1);
    let home = store.create(&dwelling("1号楼", "1"), at(1)).unwrap();
    let wrote = [("remarks", Value::from("甲"))];
    refuse(&mut store, home, "dwelling", &wrote, RefusedReason::ChangedMeanwhile);
    let item = only(&store);
    speaks(&item);
    assert_eq!((item.values[0].name.zh.as_str(), item.values[0].text.zh.as_str()), ("备注", "甲"));
    let undo = store.settle(&item.key, Settlement::GiveUp, at(6)).unwrap();
    assert_eq!(store.refused_edits().unwrap(), []);
    store.undo_settlement(undo, at(6)).unwrap();
    let item = only(&store);
    // What cannot be written leaves the item where it is.
    let long = Settlement::WriteAgain(Some(Value::from("长".repeat(900))));
    assert!(matches!(store.settle(&item.key, long, at(7)), Err(DeviceError::Invalid { .. })));
    assert_eq!(only(&store).key, item.key);
    store.settle(&item.key, Settlement::WriteAgain(Some(Value::from("乙"))), at(8)).unwrap();
    assert_eq!(store.refused_edits().unwrap(), []);
    assert_eq!(store.get::<Dwelling>(home).unwrap().unwrap().record.remarks.as_deref(), Some("乙"));
    let gone = store.settle(&item.key, Settlement::GiveUp, at(9));
    assert!(matches!(gone, Err(DeviceError::NotInTray)));
}

#[test]
fn a_new_record_that_was_refused_is_one_item_and_can_be_sent_again() {
    for (reason, same) in
        [(RefusedReason::Forbidden, true), (RefusedReason::Invalid(Reason::SecondRoot), false)]
    {
        let mut store = store(1);
        let id = RecordId::from_bytes([0x33; 16]);
        let all = [
            ("area", Value::from(GRID)),
            ("category", Value::from("litter")),
            ("address", Value::from("东门")),
            ("number", Value::from("K1-20260303-001")),
        ];
        refuse(&mut store, id, "event", &all, reason);
        let item = only(&store);
        speaks(&item);
        assert_eq!((item.values.len(), item.kind.zh.as_str()), (4, "事件"));
        assert_eq!(item.title.en, "K1-20260303-001", "whichever of its fields came first");
        let changes = fields(&[("address", "西门")]);
        store.settle(&item.key, Settlement::SendAgain(changes), at(9)).unwrap();
        assert_eq!(store.refused_edits().unwrap(), []);
        let event = store.list::<Event>(None, 9).unwrap().entries.remove(0);
        assert_eq!(event.record.address.as_deref(), Some("西门"));
        assert_eq!(event.id == id, same);
        let waiting = store.tray(at(10)).unwrap();
        assert!(matches!(waiting[0].key, TrayKey::Unsent { .. }), "it waits for the network");
        speaks(&waiting[0]);
    }
}

#[test]
fn what_the_server_holds_back_needs_patience_only_and_says_so() {
    let mut store = store(1);
    let home = store.create(&dwelling("1号楼", "1"), at(1)).unwrap();
    for state in [OutboxState::Held, OutboxState::Stranded] {
        store.write(Commit::Apply, |tx| tx.defer(home, state, at(9_999))).unwrap();
        let item = only(&store);
        speaks(&item);
        assert_eq!((item.since, item.acts.as_slice()), (at(1), &[TrayAct::KeepWaiting][..]));
        let nonsense = store.settle(&item.key, Settlement::GiveUp, at(2));
        assert!(matches!(nonsense, Err(DeviceError::NotInTray)), "unsent work is never thrown away");
        store.settle(&item.key, Settlement::KeepWaiting, at(3)).unwrap();
        assert!(only(&store).seen);
    }
    assert_eq!(store.totals().unwrap().changes.count, 1);
}

#[test]
fn an_act_that_came_too_late_is_told_until_it_is_noted() {
    use gridwalk_model::event::{Action, LogEntry};
    let mut store = store(1);
    let user = crate::testkit::USER;
    let id = |n: u8| RecordId::from_bytes([n; 16]);
    let report = LogEntry::new(id(1), None, at(1), user, Action::Report);
    let twice = LogEntry::new(id(2), Some(id(1)), at(2), user, Action::Report);
    let mut all = fields(&[("category", "litter"), ("address", "东门")]);
    all.insert("area".into(), Value::from(GRID));
    all.insert("reporter".into(), Value::from(user));
    all.extend([&report, &twice].map(|entry| (entry.key(), entry.to_value())));
    assert!(Event::from_fields(&all).is_ok());
    store.edits(at(3), |edits| edits.create_fields(Kind::Event, &all)).unwrap();
    let item = only(&store);
    speaks(&item);
    assert!(matches!(item.key, TrayKey::Late { entry, .. } if entry == id(2)));
    store.settle(&item.key, Settlement::Noted, at(4)).unwrap();
    assert!(store.tray(at(5)).unwrap().iter().all(|item| matches!(item.key, TrayKey::Unsent { .. })));
    assert!(store.settle(&item.key, Settlement::SendAgain(Fields::new()), at(6)).is_err());
}
