//! Photos at rest, receipts, and what is swept away.

use gridwalk_model::{ContentHash, Kind, RecordId, Value};

use crate::photo::{CaptureFacts, prepare_photo};
use crate::store::{Commit, Faults, MediaForm, Side, Store};
use crate::testkit::{GRID, at, fields, jpeg, store, store_with};

const DAY: i64 = 24 * 60 * 60 * 1000;

fn event(store: &mut Store) -> RecordId {
    let mut event = fields(&[("category", "fire_safety"), ("address", "东门")]);
    event.insert("area".into(), Value::from(GRID));
    store.edits(at(1), |edits| edits.create_fields(Kind::Event, &event)).unwrap()
}

fn hash(n: u8) -> ContentHash {
    ContentHash::from_bytes([n; 32])
}

#[test]
fn a_blob_comes_back_whole_and_in_pieces() {
    let mut store = store(1);
    let bytes: Vec<u8> = (0..700_000u32).map(|n| (n % 251) as u8).collect();
    store.put_media(&[(hash(1), MediaForm::Full, &bytes)], at(1)).unwrap();
    store.put_media(&[(hash(1), MediaForm::Full, b"other bytes")], at(2)).unwrap();
    assert_eq!(store.media(&hash(1)).unwrap().unwrap(), bytes, "the same name is stored once");
    assert_eq!(store.media_len(&hash(1)).unwrap(), Some(700_000));
    let mut sent = Vec::new();
    while let Some(piece) = store.media_piece(&hash(1), sent.len() as u64).unwrap() {
        assert!(piece.len() <= 256 * 1024);
        sent.extend(piece);
    }
    assert_eq!(sent, bytes);
    assert_eq!(store.media_piece(&hash(1), 300_000).unwrap().unwrap(), bytes[300_000..524_288]);
    assert_eq!(store.media(&hash(2)).unwrap(), None);
}

#[test]
fn a_photo_goes_from_the_camera_into_the_record_and_the_queue() {
    let mut store = store(1);
    let id = event(&mut store);
    let original = jpeg(320, 240);
    let facts =
        CaptureFacts { grid_name: Some("虚构网格".into()), ..CaptureFacts::camera(at(5), "W01".into()) };
    let n = store.journal_photo(&original, &facts, at(5)).unwrap();
    assert_eq!(store.captures().unwrap(), [n]);
    let (journaled, told) = store.journaled_photo(n).unwrap().unwrap();
    assert_eq!((journaled, told), (original.clone(), facts.clone()));
    let photo = prepare_photo(&original, &facts, None, &Default::default()).unwrap();
    let element = store.attach_photo(id, &photo, &facts, at(6)).unwrap();
    store.remove_capture(n).unwrap();
    assert_eq!(store.captures().unwrap(), [0i64; 0]);
    let (_, held) = store.fields(id).unwrap().unwrap();
    let Value::Bytes(bytes) = &held[&format!("photos/{}", element.to_hex())] else { panic!("no reference") };
    let reference = gridwalk_model::photo::PhotoRef::from_bytes(bytes).unwrap();
    assert_eq!(store.media(&reference.hash).unwrap().unwrap(), photo.stored.bytes);
    assert_eq!(store.media(&reference.preview_hash.unwrap()).unwrap().unwrap(), photo.preview.bytes);
    let totals = store.totals().unwrap();
    assert_eq!((totals.previews.count, totals.photos.count), (1, 1));
    assert_eq!(totals.photos.bytes, photo.stored.bytes.len() as u64);
    // The same photo again is stored and sent once.
    store.attach_photo(id, &photo, &facts, at(7)).unwrap();
    assert_eq!(store.totals().unwrap().photos.count, 1);
}

#[test]
fn a_crash_between_bytes_and_reference_leaves_no_reference_without_bytes() {
    let faults = Faults::scripted();
    let mut store = store_with(1, faults.clone());
    let id = event(&mut store);
    let original = jpeg(160, 120);
    let facts = CaptureFacts::camera(at(5), "W01".into());
    let photo = prepare_photo(&original, &facts, None, &Default::default()).unwrap();
    faults.fail(Some(Commit::Edit), Side::Before, 0);
    assert!(store.attach_photo(id, &photo, &facts, at(6)).is_err());
    let hash = ContentHash::from_bytes(photo.stored.sha256);
    assert!(store.media(&hash).unwrap().is_some());
    assert_eq!(store.totals().unwrap().photos.count, 0);
    assert_eq!(store.sweep_media(at(7), DAY).unwrap(), 0, "not at once");
    store.sweep_media(at(7 + 2 * DAY), DAY).unwrap();
    assert!(store.media(&hash).unwrap().is_none());
    // And after a crash behind the reference everything is there.
    faults.fail(Some(Commit::Edit), Side::After, 0);
    assert!(store.attach_photo(id, &photo, &facts, at(8)).is_err());
    assert!(store.media(&hash).unwrap().is_some());
    assert_eq!(store.totals().unwrap().photos.count, 1);
}

#[test]
fn a_photo_stays_until_receipt_backup_and_retention() {
    let mut store = store(1);
    store.put_media(&[(hash(1), MediaForm::Full, b"photo")], at(0)).unwrap();
    let record = RecordId::from_bytes([1; 16]);
    store.write(Commit::Edit, |tx| tx.add_upload(&hash(1), record, MediaForm::Full, 5, at(0))).unwrap();
    let is_here = |store: &Store| store.media(&hash(1)).unwrap().is_some();
    store.sweep_media(at(10 * DAY), DAY).unwrap();
    assert!(is_here(&store), "no receipt");
    store.receipts(&[hash(1)], at(10 * DAY)).unwrap();
    assert_eq!(store.totals().unwrap().photos.count, 0);
    store.sweep_media(at(20 * DAY), DAY).unwrap();
    assert!(is_here(&store), "no backup is known to hold it");
    store
        .write(Commit::Apply, |tx| {
            tx.date_receipts(at(10 * DAY + 1), 40)?;
            tx.forget_backed_up(39)
        })
        .unwrap();
    store.sweep_media(at(20 * DAY), DAY).unwrap();
    assert!(is_here(&store), "the backup is older");
    store.write(Commit::Apply, |tx| tx.forget_backed_up(40)).unwrap();
    store.sweep_media(at(10 * DAY + 5), DAY).unwrap();
    assert!(is_here(&store), "too fresh to be let go");
    store.sweep_media(at(20 * DAY), DAY).unwrap();
    assert!(!is_here(&store));
}

#[test]
fn a_restored_server_is_asked_for_its_receipts_again() {
    let mut store = store(1);
    store.put_media(&[(hash(1), MediaForm::Full, b"photo")], at(0)).unwrap();
    let record = RecordId::from_bytes([1; 16]);
    store.write(Commit::Edit, |tx| tx.add_upload(&hash(1), record, MediaForm::Full, 5, at(0))).unwrap();
    store.receipts(&[hash(1)], at(1)).unwrap();
    store.write(Commit::Apply, |tx| tx.doubt_receipts()).unwrap();
    assert_eq!(store.totals().unwrap().photos.count, 1);
}

#[test]
fn a_damaged_file_is_no_photo() {
    let mut bytes = jpeg(160, 120);
    bytes.truncate(60);
    let facts = CaptureFacts::camera(at(5), "W01".into());
    assert!(prepare_photo(&bytes, &facts, None, &Default::default()).is_err());
}

#[test]
fn previews_of_others_are_wanted_until_they_are_here_and_go_with_their_record() {
    use crate::sync::tests::Phone;
    use crate::testkit::Script;

    let mut server = Script::new();
    let (mut a, mut b) = (Phone::joined(1, &mut server), Phone::joined(2, &mut server));
    let id = event(&mut a.store);
    let facts = CaptureFacts::camera(at(5), "W01".into());
    let photo = prepare_photo(&jpeg(160, 120), &facts, None, &Default::default()).unwrap();
    a.store.attach_photo(id, &photo, &facts, at(6)).unwrap();
    assert!(a.store.previews_wanted(at(7), 9).unwrap().is_empty(), "one's own is here");
    a.sync(&mut server, at(8));
    b.sync(&mut server, at(9));
    let preview = ContentHash::from_bytes(photo.preview.sha256);
    assert_eq!(b.store.previews_wanted(at(10), 9).unwrap(), [(id, preview)]);
    b.store.defer_preview(&preview, at(1_000)).unwrap();
    assert!(b.store.previews_wanted(at(10), 9).unwrap().is_empty());
    b.store.keep_fetched(&preview, &photo.preview.bytes, at(1_001)).unwrap();
    assert!(b.store.previews_wanted(at(2_000), 9).unwrap().is_empty());
    b.store.sweep_media(at(9 * DAY), DAY).unwrap();
    assert_eq!(b.store.media(&preview).unwrap().unwrap(), photo.preview.bytes, "kept with its record");
    // A full photo that was only looked at is let go.
    let full = ContentHash::from_bytes(photo.stored.sha256);
    b.store.keep_fetched(&full, &photo.stored.bytes, at(0)).unwrap();
    b.store.sweep_media(at(9 * DAY), DAY).unwrap();
    assert!(b.store.media(&full).unwrap().is_none());
    server.take_out(id);
    b.sync(&mut server, at(10 * DAY));
    b.store.sweep_media(at(11 * DAY), DAY).unwrap();
    assert!(b.store.media(&preview).unwrap().is_none());
}
