//! Media in the tray.

use gridwalk_evidence::Limits;
use gridwalk_model::field_rules::FieldRules;
use gridwalk_model::time::DAY_MS as DAY;
use gridwalk_model::{RecordId, Value};

use super::tests::speaks;
use super::*;
use crate::photo::{CaptureFacts, prepare_photo};
use crate::store::{Commit, MediaForm};
use crate::testkit::{GRID, at, fields, jpeg, store};

fn event(store: &mut Store) -> RecordId {
    let mut all = fields(&[("category", "litter"), ("address", "东门")]);
    all.insert("area".into(), Value::from(GRID));
    store.edits(at(1), |edits| edits.create_fields(Kind::Event, &all)).unwrap()
}

fn photo(store: &mut Store, record: RecordId) {
    let facts = CaptureFacts::camera(at(2), "W01".into());
    let photo = prepare_photo(&jpeg(96, 72), &facts, None, &Limits::default()).unwrap();
    store.attach_photo(record, &photo, &facts, at(2)).unwrap();
}

fn media(store: &Store, now: i64) -> Vec<TrayItem> {
    let mut tray = store.tray(at(now)).unwrap();
    tray.retain(|item| matches!(item.key, TrayKey::Media { .. }));
    tray.iter().for_each(speaks);
    tray
}

fn hash_of(item: &TrayItem) -> ContentHash {
    match item.key {
        TrayKey::Media { media: TrayMedia::Upload(hash) } => hash,
        _ => panic!("{item:?}"),
    }
}

#[test]
fn a_photo_that_waits_for_long_is_told_noted_and_thrown_away() {
    let mut store = store(1);
    let event = event(&mut store);
    photo(&mut store, event);
    assert_eq!(media(&store, DAY), []);
    let late = media(&store, 3 * DAY).remove(0);
    assert_eq!((late.record, late.acts.first()), (event, Some(&TrayAct::Retry)));
    let undo = store.settle(&late.key, Settlement::Noted, at(3 * DAY)).unwrap();
    assert_eq!(media(&store, 3 * DAY), []);
    store.undo_settlement(undo, at(3 * DAY)).unwrap();
    let undo = store.settle(&late.key, Settlement::ThrowAway, at(3 * DAY)).unwrap();
    assert_eq!((media(&store, 9 * DAY), store.totals().unwrap().photos.count), (vec![], 0));
    assert_eq!(store.get::<gridwalk_model::records::Event>(event).unwrap().unwrap().record.photos.len(), 0);
    store.undo_settlement(undo, at(3 * DAY + 1)).unwrap();
    assert_eq!(media(&store, 3 * DAY + 1).len(), 1);
    assert_eq!(store.get::<gridwalk_model::records::Event>(event).unwrap().unwrap().record.photos.len(), 1);
}

#[test]
fn the_deployment_says_how_long_a_photo_may_wait() {
    let mut store = store(1);
    let event = event(&mut store);
    photo(&mut store, event);
    let rules = FieldRules { media_late_days: 5, ..store.field_rules().unwrap() };
    store.set_field_rules(&rules).unwrap();
    assert_eq!(media(&store, 3 * DAY), []);
    let late = media(&store, 6 * DAY).remove(0);
    assert!(late.explanation.zh.contains("超过 5 天") && late.explanation.en.contains("more than 5 days"));
    store.settle(&late.key, Settlement::Noted, at(6 * DAY)).unwrap();
}

#[test]
fn a_refused_medium_is_tried_again_and_a_lost_one_is_only_told() {
    let mut store = store(1);
    let event = event(&mut store);
    photo(&mut store, event);
    let hash = hash_of(&media(&store, 3 * DAY)[0]);
    store.refuse_upload(&hash, at(99 * DAY), at(10)).unwrap();
    store.refuse_upload(&hash, at(99 * DAY), at(20)).unwrap();
    let item = media(&store, 21).remove(0);
    assert_eq!(item.since, at(10));
    assert!(store.view().uploads_waiting(crate::store::Lane::Full, at(30), 9).unwrap().is_empty());
    store.settle(&item.key, Settlement::Retry, at(30)).unwrap();
    assert_eq!(store.view().uploads_waiting(crate::store::Lane::Full, at(30), 9).unwrap().len(), 1);
    assert_eq!(media(&store, 31), []);
    store.remove_media(&[hash]).unwrap();
    store.lose_upload(&hash).unwrap();
    let item = media(&store, 40).remove(0);
    assert!(!item.acts.contains(&TrayAct::Retry));
    assert!(matches!(store.settle(&item.key, Settlement::Retry, at(40)), Err(DeviceError::NotInTray)));
    assert!(matches!(store.settle(&item.key, Settlement::GiveUp, at(40)), Err(DeviceError::NotInTray)));
    store.settle(&item.key, Settlement::Noted, at(41)).unwrap();
    assert_eq!(media(&store, 42), []);
}

#[test]
fn a_track_that_waits_is_dropped_and_taken_up_again() {
    let mut store = store(1);
    let hash = ContentHash::from_bytes([9; 32]);
    let record = RecordId::from_bytes([1; 16]);
    store.put_media(&[(hash, MediaForm::Track, &[1, 2, 3])], at(0)).unwrap();
    store.write(Commit::Edit, |tx| tx.add_upload(&hash, record, MediaForm::Track, 3, at(0))).unwrap();
    let item = media(&store, 3 * DAY).remove(0);
    assert!(item.what.zh.contains("轨迹"));
    let undo = store.settle(&item.key, Settlement::ThrowAway, at(3 * DAY)).unwrap();
    assert_eq!((media(&store, 3 * DAY), store.totals().unwrap().tracks.count), (vec![], 0));
    store.undo_settlement(undo, at(3 * DAY)).unwrap();
    assert_eq!((media(&store, 3 * DAY).len(), store.totals().unwrap().tracks.count), (1, 1));
}

#[test]
fn a_file_that_cannot_be_prepared_is_told_tried_again_and_thrown_away() {
    let mut store = store(1);
    let event = event(&mut store);
    let facts = CaptureFacts::camera(at(2), "W01".into());
    store.snap_for_event(event, b"not a photo", &facts, None, at(2)).unwrap();
    let pending = store.photos_to_attach().unwrap().remove(0);
    let fault = prepare_photo(b"not a photo", &facts, None, &Limits::default()).unwrap_err();
    store.note_unprepared(&pending, &fault, at(3)).unwrap();
    assert_eq!(store.photos_to_attach().unwrap(), [], "not tried at every start");
    let mut store = store.reopened().unwrap();
    let item = media(&store, 4).remove(0);
    assert!(item.explanation.zh.contains(&fault.zh()) && item.record == event);
    store.settle(&item.key, Settlement::Retry, at(5)).unwrap();
    assert_eq!((media(&store, 6), store.photos_to_attach().unwrap().len()), (vec![], 1));
    store.note_unprepared(&pending, &fault, at(7)).unwrap();
    let undo = store.settle(&item.key, Settlement::ThrowAway, at(8)).unwrap();
    assert!(undo.is_final());
    assert_eq!((media(&store, 9), store.captures().unwrap()), (vec![], vec![]));
}

#[test]
fn an_act_on_a_colleagues_event_that_does_not_count_is_told() {
    use gridwalk_model::event::{Action, LogEntry};
    let mut server = crate::testkit::Script::new();
    let mut phone = crate::sync::tests::Phone::joined(1, &mut server);
    let id = |n: u8| RecordId::from_bytes([n; 16]);
    let (colleague, user) = (id(0x66), crate::testkit::USER);
    let report = LogEntry::new(id(1), None, at(1), colleague, Action::Report);
    let twice = LogEntry::new(id(2), Some(id(1)), at(2), user, Action::Report);
    let mut all = fields(&[("category", "litter"), ("address", "东门")]);
    all.insert("area".into(), Value::from(GRID));
    all.insert("reporter".into(), Value::from(colleague));
    all.extend([&report, &twice].map(|entry| (entry.key(), entry.to_value())));
    let actor = gridwalk_replica::Actor::new(crate::testkit::device(9), [1; 4]);
    let (document, _) = gridwalk_replica::Document::create(id(7), Kind::Event, &all, actor, at(3)).unwrap();
    server.put(id(7), "event", &document);
    phone.sync(&mut server, at(4));
    assert!(phone.store.my_reports(at(5), 9).unwrap().is_empty());
    let late = phone.store.tray(at(5)).unwrap().remove(0);
    assert_eq!(late.key, TrayKey::Late { record: id(7), entry: id(2) });
    speaks(&late);
    phone.store.settle(&late.key, Settlement::Noted, at(6)).unwrap();
    assert_eq!(phone.store.tray(at(7)).unwrap(), []);
}
