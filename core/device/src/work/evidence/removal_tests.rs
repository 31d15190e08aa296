//! Wrong photos are taken off and put back.

use gridwalk_evidence::Limits;
use gridwalk_model::event::{Action, Flag, LogEntry};
use gridwalk_model::photo::{BlurRegion, PhotoRole};
use gridwalk_model::policy::Violation;
use gridwalk_model::records::Event;
use gridwalk_model::time::DAY_MS as DAY;
use gridwalk_model::{ContentHash, Kind, RecordId, Timestamp, Value};

use super::removal::flag;
use crate::error::DeviceError;
use crate::photo::{CaptureFacts, prepare_photo};
use crate::store::Store;
use crate::sync::tests::Phone;
use crate::testkit::{GRID, Script, at, fields, jpeg};
use crate::work::tray::{Settlement, TrayAct, TrayKey};

fn event(store: &mut Store) -> RecordId {
    let mut all = fields(&[("category", "litter"), ("address", "东门")]);
    all.insert("area".into(), Value::from(GRID));
    store.edits(at(1), |edits| edits.create_fields(Kind::Event, &all)).unwrap()
}

fn attach(store: &mut Store, record: RecordId, width: u16, now: Timestamp) -> RecordId {
    let facts = CaptureFacts::camera(now, "W01".into());
    let photo = prepare_photo(&jpeg(width, 72), &facts, None, &Limits::default()).unwrap();
    store.attach_photo(record, &photo, &facts, now).unwrap()
}

fn photos(phone: &Phone, event: RecordId) -> usize {
    phone.store.get::<Event>(event).unwrap().unwrap().record.photos.len()
}

fn unsent(store: &Store) -> (u64, u64) {
    let totals = store.totals().unwrap();
    (totals.photos.count, totals.previews.count)
}

#[test]
fn a_wrong_photo_goes_and_comes_back_on_every_phone() {
    let mut server = Script::new();
    let (mut a, mut b) = (Phone::joined(1, &mut server), Phone::joined(2, &mut server));
    let event = event(&mut a.store);
    let wrong = attach(&mut a.store, event, 96, at(2));
    attach(&mut a.store, event, 120, at(3));
    a.sync(&mut server, at(4));
    b.sync(&mut server, at(5));
    assert_eq!((photos(&b, event), unsent(&a.store)), (2, (2, 2)));
    let foreign = b.store.remove_photo(event, wrong, at(6));
    assert!(matches!(foreign, Err(DeviceError::NotAllowed { violation: Violation::Author, .. })));
    let removed = a.store.remove_photo(event, wrong, at(6)).unwrap();
    assert_eq!((photos(&a, event), unsent(&a.store)), (1, (1, 1)), "it is not sent any more");
    let again = a.store.remove_photo(event, wrong, at(7));
    assert!(matches!(again, Err(DeviceError::NoPhoto { .. })));
    a.sync(&mut server, at(8));
    b.sync(&mut server, at(9));
    assert_eq!((photos(&b, event), a.waiting()), (1, 0), "the server takes it");
    a.store.restore_photo(removed, at(10)).unwrap();
    a.sync(&mut server, at(11));
    b.sync(&mut server, at(12));
    assert_eq!((photos(&a, event), photos(&b, event), unsent(&a.store)), (2, 2, (2, 2)));
    assert!(a.store.refused_edits().unwrap().is_empty());
}

#[test]
fn bytes_that_were_taken_off_go_after_a_week_and_what_was_sent_stays() {
    let mut phone = Phone::new(1);
    let event = event(&mut phone.store);
    let (unsent_one, sent) =
        (attach(&mut phone.store, event, 96, at(2)), attach(&mut phone.store, event, 120, at(3)));
    let hash = |store: &Store, element: RecordId| {
        let (_, all) = store.fields(event).unwrap().unwrap();
        let Value::Bytes(bytes) = &all[&format!("photos/{}", element.to_hex())] else { panic!("no photo") };
        gridwalk_model::photo::PhotoRef::from_bytes(bytes).unwrap().hash
    };
    let hashes: [ContentHash; 2] = [unsent_one, sent].map(|element| hash(&phone.store, element));
    phone.store.receipts(&[hashes[1]], at(4)).unwrap();
    let removed = [unsent_one, sent].map(|element| phone.store.remove_photo(event, element, at(5)).unwrap());
    phone.store.sweep_media(at(6 * DAY), 30 * DAY).unwrap();
    assert!(phone.store.media_len(&hashes[0]).unwrap().is_some());
    phone.store.sweep_media(at(8 * DAY), 30 * DAY).unwrap();
    assert!(phone.store.media_len(&hashes[0]).unwrap().is_none());
    let [gone, kept] = removed;
    let late = phone.store.restore_photo(gone, at(8 * DAY));
    assert!(matches!(late, Err(DeviceError::NoPhoto { .. })));
    phone.store.restore_photo(kept, at(8 * DAY)).unwrap();
    assert_eq!(photos(&phone, event), 1);
    let twin = attach(&mut phone.store, event, 96, at(9 * DAY));
    assert_eq!(unsent(&phone.store).0, 1, "taken again, it is sent");
    assert_ne!(twin, unsent_one);
}

#[test]
fn a_picture_that_is_attached_twice_is_sent_until_both_are_taken_off() {
    let mut phone = Phone::new(1);
    let store = &mut phone.store;
    let (one, other) = (event(store), event(store));
    // The same file in two events, and twice in one of them.
    let facts = CaptureFacts::camera(at(2), "W01".into());
    let photo = prepare_photo(&jpeg(96, 72), &facts, None, &Limits::default()).unwrap();
    let places = [one, other, other];
    let elements = places.map(|event| store.attach_photo(event, &photo, &facts, at(2)).unwrap());
    assert_eq!(unsent(store), (1, 1));
    let mut removed = Vec::new();
    for (event, element) in places.into_iter().zip(elements) {
        assert_eq!(unsent(store), (1, 1), "another shows it");
        removed.push(store.remove_photo(event, element, at(3)).unwrap());
    }
    assert_eq!(unsent(store), (0, 0), "nothing shows it");
    // Any of them brings it back, whichever it was that let it go.
    store.restore_photo(removed.remove(0), at(4)).unwrap();
    assert_eq!(unsent(store), (1, 1));
    store.restore_photo(removed.remove(0), at(5)).unwrap();
    store.remove_photo(one, elements[0], at(6)).unwrap();
    assert_eq!(unsent(store), (1, 1));
    // Of the same shot, but another file: it is sent alone.
    let face = BlurRegion { left: 0, top: 0, width: 5_000, height: 5_000 };
    let blurred = CaptureFacts { blur: vec![face], ..facts };
    let photo = prepare_photo(&jpeg(96, 72), &blurred, None, &Limits::default()).unwrap();
    let third = store.attach_photo(one, &photo, &blurred, at(9)).unwrap();
    assert_eq!(unsent(store).0, 2);
    store.remove_photo(one, third, at(10)).unwrap();
    assert_eq!(unsent(store), (1, 1), "though the shot is in use");
}

#[test]
fn the_only_proof_of_an_act_stays() {
    let mut phone = Phone::new(1);
    let user = crate::testkit::USER;
    let event = event(&mut phone.store);
    let after = attach(&mut phone.store, event, 96, at(2));
    let id = |n: u8| RecordId::from_bytes([n; 16]);
    let report = LogEntry::new(id(1), None, at(1), user, Action::Report);
    let mut note = LogEntry::new(id(2), Some(id(1)), at(2), user, Action::Note);
    note.internal_note = Some("虚构".into());
    note.after_photos = vec![after];
    for entry in [&report, &note] {
        phone
            .store
            .edits(at(3), |edits| edits.add(event, "log", &entry.id.to_hex(), entry.to_value()))
            .unwrap();
    }
    let refused = phone.store.remove_photo(event, after, at(4));
    assert!(matches!(refused, Err(DeviceError::ActRefused { flag: Flag::NeedsAfterPhoto })), "{refused:?}");
    // What a check on site or a look-back names as what it saw is used as well.
    let [seen, other] = [120, 144].map(|width| attach(&mut phone.store, event, width, at(5)));
    let mut look = LogEntry::new(id(3), Some(id(2)), at(5), user, Action::Note);
    look.internal_note = Some("虚构".into());
    look.photos = vec![seen, other];
    phone.store.edits(at(6), |edits| edits.add(event, "log", &look.id.to_hex(), look.to_value())).unwrap();
    let removed = phone.store.remove_photo(event, other, at(7)).unwrap();
    let refused = phone.store.remove_photo(event, seen, at(8));
    assert!(matches!(refused, Err(DeviceError::ActRefused { flag: Flag::NoEvidence })), "{refused:?}");
    phone.store.restore_photo(removed, at(9)).unwrap();
    phone.store.remove_photo(event, seen, at(10)).unwrap();
}

#[test]
fn a_photo_that_stands_in_for_another_is_the_reports_proof() {
    use gridwalk_model::event::{Action, LogEntry};
    let mut phone = Phone::new(1);
    let event = event(&mut phone.store);
    let [first, second] = [96, 120].map(|width| attach(&mut phone.store, event, width, at(2)));
    let id = RecordId::from_bytes([1; 16]);
    let mut report = LogEntry::new(id, None, at(2), crate::testkit::USER, Action::Report);
    report.photos = vec![first];
    phone.store.edits(at(3), |edits| edits.add(event, "log", &id.to_hex(), report.to_value())).unwrap();
    let removed = phone.store.remove_photo(event, first, at(4)).unwrap();
    let refused = phone.store.remove_photo(event, second, at(5));
    assert!(matches!(refused, Err(DeviceError::ActRefused { flag: Flag::NoEvidence })), "{refused:?}");
    phone.store.restore_photo(removed, at(6)).unwrap();
    phone.store.remove_photo(event, second, at(7)).unwrap();
    let refused = phone.store.remove_photo(event, first, at(8));
    assert!(matches!(refused, Err(DeviceError::ActRefused { flag: Flag::NoEvidence })), "{refused:?}");
}

/// What the tray of a phone says of acts without their photos.
fn unproven(phone: &Phone, now: Timestamp) -> Vec<RecordId> {
    let tray = phone.store.tray(now).unwrap().into_iter();
    tray.filter_map(|item| match item.key {
        TrayKey::Unproven { entry, .. } => Some(entry),
        _ => None,
    })
    .collect()
}

#[test]
fn two_phones_that_each_take_one_of_the_last_two_leave_an_act_that_says_so() {
    let mut server = Script::new();
    let (mut a, mut b) = (Phone::joined(1, &mut server), Phone::joined(2, &mut server));
    let user = crate::testkit::USER;
    let event = event(&mut a.store);
    a.sync(&mut server, at(2));
    b.sync(&mut server, at(2));
    let [one, other] = [(&mut a, 96), (&mut b, 120)].map(|(phone, width)| {
        let element = attach(&mut phone.store, event, width, at(3));
        phone.sync(&mut server, at(3));
        element
    });
    a.sync(&mut server, at(4));
    let id = |n: u8| RecordId::from_bytes([n; 16]);
    let report = LogEntry::new(id(1), None, at(4), user, Action::Report);
    let mut note = LogEntry::new(id(2), Some(id(1)), at(4), user, Action::Note);
    note.internal_note = Some("虚构".into());
    note.after_photos = vec![one, other];
    for entry in [&report, &note] {
        a.store.edits(at(4), |edits| edits.add(event, "log", &entry.id.to_hex(), entry.to_value())).unwrap();
    }
    a.sync(&mut server, at(5));
    b.sync(&mut server, at(5));
    // Neither knows of the other: each leaves one.
    let removed = a.store.remove_photo(event, one, at(6)).unwrap();
    b.store.remove_photo(event, other, at(6)).unwrap();
    assert_eq!((unproven(&a, at(6)), unproven(&b, at(6))), (vec![], vec![]));
    for phone in [&mut a, &mut b] {
        phone.sync(&mut server, at(7));
    }
    a.sync(&mut server, at(8));
    assert_eq!((photos(&a, event), photos(&b, event)), (0, 0), "nothing comes back by itself");
    assert_eq!((unproven(&a, at(8)), unproven(&b, at(8))), (vec![id(2)], vec![id(2)]));
    let story = a.store.event_story(event).unwrap();
    let line = story.lines.iter().find(|line| line.entry == id(2)).unwrap();
    assert_eq!((line.counts, line.flags.as_slice()), (true, &[Flag::ProofTakenOff][..]));

    // Another of the result stands in for them, and is then what the act rests on.
    let after = CaptureFacts { role: PhotoRole::After, ..CaptureFacts::camera(at(9), "W01".into()) };
    let photo = prepare_photo(&jpeg(144, 72), &after, None, &Limits::default()).unwrap();
    let again = b.store.attach_photo(event, &photo, &after, at(9)).unwrap();
    b.sync(&mut server, at(9));
    a.sync(&mut server, at(9));
    assert_eq!((unproven(&a, at(9)), unproven(&b, at(9))), (vec![], vec![]));
    let refused = b.store.remove_photo(event, again, at(10));
    assert!(matches!(refused, Err(DeviceError::ActRefused { .. })), "{refused:?}");
    a.store.restore_photo(removed, at(11)).unwrap();
    a.sync(&mut server, at(11));
    b.sync(&mut server, at(11));
    let taken = b.store.remove_photo(event, again, at(12)).unwrap();
    assert_eq!((unproven(&b, at(12)), photos(&b, event)), (vec![], 1));
    b.store.restore_photo(taken, at(13)).unwrap();
    assert_eq!(a.store.fields(event).unwrap().unwrap().0, "event");
}

#[test]
fn that_an_act_lacks_its_photo_is_told_until_it_is_noted() {
    let mut phone = Phone::new(1);
    let event = event(&mut phone.store);
    let photo = attach(&mut phone.store, event, 96, at(2));
    let id = RecordId::from_bytes([1; 16]);
    let mut report = LogEntry::new(id, None, at(2), crate::testkit::USER, Action::Report);
    report.photos = vec![photo];
    let merged = [(report.key(), report.to_value()), (flag(photo), Value::Flag(true))];
    phone.store.edits(at(3), |edits| edits.edit(event, &merged.into_iter().collect())).unwrap();
    let key = TrayKey::Unproven { record: event, entry: id };
    let item = phone.store.tray(at(4)).unwrap().into_iter().find(|item| item.key == key).unwrap();
    assert!(item.explanation.zh.contains("补拍") && item.explanation.en.contains("Take another"));
    assert_eq!(item.acts, [TrayAct::Noted]);
    let undo = phone.store.settle(&key, Settlement::Noted, at(5)).unwrap();
    assert_eq!(unproven(&phone, at(6)), []);
    phone.store.undo_settlement(undo, at(7)).unwrap();
    assert_eq!(unproven(&phone, at(8)), [id]);
    // A report is content with any photo.
    attach(&mut phone.store, event, 120, at(9));
    assert_eq!(unproven(&phone, at(9)), []);
}
