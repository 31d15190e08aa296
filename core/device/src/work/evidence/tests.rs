//! Evidence as a worker makes it.

use std::sync::Arc;

use gridwalk_evidence::{Likeness, Limits, Photo, VoiceError, sha256};
use gridwalk_model::photo::{BlurRegion, PhotoRef, PhotoRole, PhotoSource, Reuse};
use gridwalk_model::photo_chain::{ChainLink, Chained as _};
use gridwalk_model::voice::VoiceFormat;
use gridwalk_model::{ContentHash, Kind, RecordId, Value};
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};

use super::VoiceFacts;
use crate::clock::SeededEntropy;
use crate::error::DeviceError;
use crate::keys::{DeviceKey, SoftwareKey};
use crate::photo::{CaptureFacts, prepare_photo};
use crate::store::{Commit, Faults, Side, Store};
use crate::testkit::{GRID, at, dwelling, fields, jpeg, store, store_with};

fn event(store: &mut Store) -> RecordId {
    let mut event = fields(&[("category", "fire_safety"), ("address", "东门")]);
    event.insert("area".into(), Value::from(GRID));
    store.edits(at(1), |edits| edits.create_fields(Kind::Event, &event)).unwrap()
}

fn facts() -> CaptureFacts {
    CaptureFacts::camera(at(5), "W01".into())
}

/// A made-up picture; pictures of another number look different.
fn photo(number: u32) -> Photo {
    prepare_photo(&file(number, 90), &facts(), None, &Limits::default()).unwrap()
}

fn file(number: u32, quality: u8) -> Vec<u8> {
    let mut pixels = Vec::new();
    for y in 0..240u32 {
        for x in 0..320u32 {
            let cell = x / 40 * 7 + y / 30 * 13 + number * 31;
            let bump = (cell.wrapping_mul(2_654_435_761) >> 24) % 97;
            pixels.extend([(60 + bump) as u8, (90 + bump / 2) as u8, (40 + bump) as u8]);
        }
    }
    let mut out = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut out, quality);
    encoder.encode(&pixels, 320, 240, jpeg_encoder::ColorType::Rgb).unwrap();
    out
}

fn reference(store: &Store, record: RecordId, element: RecordId) -> PhotoRef {
    let (_, held) = store.fields(record).unwrap().unwrap();
    let Value::Bytes(bytes) = &held[&format!("photos/{}", element.to_hex())] else { panic!("no reference") };
    PhotoRef::from_bytes(bytes).unwrap()
}

fn key() -> Arc<SoftwareKey> {
    Arc::new(SoftwareKey::generate(&mut SeededEntropy::new(3)).unwrap())
}

#[test]
fn a_photo_used_before_is_flagged_and_taken_all_the_same() {
    let mut store = store(1);
    let (one, other) = (event(&mut store), event(&mut store));
    let first = photo(1);
    assert_eq!(store.photo_used_before(&first).unwrap(), None);
    let element = store.attach_photo(one, &first, &facts(), at(6)).unwrap();
    assert_eq!(reference(&store, one, element).reuse, None);

    let found = store.photo_used_before(&first).unwrap().unwrap();
    assert_eq!(
        (found.likeness, found.record, found.element, found.at),
        (Likeness::Same, one, element, at(6))
    );
    let again = store.attach_photo(other, &first, &facts(), at(7)).unwrap();
    assert_eq!(reference(&store, other, again).reuse, Some(Reuse::Same));

    let sent_on = prepare_photo(&file(1, 60), &facts(), None, &Limits::default()).unwrap();
    let near = store.attach_photo(other, &sent_on, &facts(), at(8)).unwrap();
    assert_eq!(reference(&store, other, near).reuse, Some(Reuse::Near));

    let fresh = store.attach_photo(other, &photo(2), &facts(), at(9)).unwrap();
    assert_eq!(reference(&store, other, fresh).reuse, None);
}

#[test]
fn a_signature_drawn_twice_is_no_reuse_and_old_photos_are_forgotten() {
    let mut store = store(1);
    let id = event(&mut store);
    let drawn = CaptureFacts { role: PhotoRole::Signature, source: PhotoSource::Drawn, ..facts() };
    for time in [6, 7] {
        let element = store.attach_photo(id, &photo(1), &drawn, at(time)).unwrap();
        assert_eq!(reference(&store, id, element).reuse, None);
    }
    store.attach_photo(id, &photo(3), &facts(), at(8)).unwrap();
    let later = at(9 + super::reuse::REMEMBERED_MS);
    store.attach_photo(id, &photo(4), &facts(), later).unwrap();
    assert_eq!(store.photo_used_before(&photo(3)).unwrap(), None);
    assert!(store.photo_used_before(&photo(4)).unwrap().is_some());
}

#[test]
fn each_photo_is_signed_with_the_hash_of_the_one_before() {
    let mut store = store(1);
    let id = event(&mut store);
    let unsigned = store.attach_photo(id, &photo(1), &facts(), at(5)).unwrap();
    assert_eq!(reference(&store, id, unsigned).signature, None, "no key yet");
    let key = key();
    store.sign_evidence_with(key.clone());
    let public = VerifyingKey::from_sec1_bytes(&key.public_key().unwrap()).unwrap();
    let mut last = None;
    for number in 1..=3 {
        let element = store.attach_photo(id, &photo(number), &facts(), at(6)).unwrap();
        let held = reference(&store, id, element);
        assert_eq!(held.link, Some(ChainLink::after(last)));
        let message = held.signed_message(id, element);
        let signature = Signature::from_slice(held.signature.as_deref().unwrap()).unwrap();
        public.verify(&message, &signature).unwrap();
        let moved = held.signed_message(element, id);
        assert!(public.verify(&moved, &signature).is_err());
        last = Some((u64::from(number), ContentHash::from_bytes(sha256(&message))));
    }
    // A restart goes on where it was.
    let mut store = store.reopened().unwrap();
    store.sign_evidence_with(key);
    let element = store.attach_photo(id, &photo(4), &facts(), at(7)).unwrap();
    assert_eq!(reference(&store, id, element).link, Some(ChainLink::after(last)));
}

#[test]
fn a_voice_note_stands_between_photos_in_the_same_chain() {
    let mut store = store(1);
    let id = event(&mut store);
    let key = key();
    store.sign_evidence_with(key.clone());
    let public = VerifyingKey::from_sec1_bytes(&key.public_key().unwrap()).unwrap();
    let first = store.attach_photo(id, &photo(1), &facts(), at(5)).unwrap();
    let spoken = VoiceFacts { recorded_at: at(6), transcript: Some("虚构".into()) };
    let voice = store.attach_voice(id, &sound(20), &spoken, at(6)).unwrap();
    let last = store.attach_photo(id, &photo(2), &facts(), at(7)).unwrap();
    let hash = |message: &[u8]| ContentHash::from_bytes(sha256(message));
    let first = hash(&reference(&store, id, first).signed_message(id, first));
    let held = store.voices(id).unwrap().remove(0).1;
    assert_eq!(held.link, Some(ChainLink::after(Some((1, first)))));
    let message = held.signed_message(id, voice);
    let signature = Signature::from_slice(held.signature.as_deref().unwrap()).unwrap();
    public.verify(&message, &signature).unwrap();
    assert_eq!(reference(&store, id, last).link, Some(ChainLink::after(Some((2, hash(&message))))));
    store.sign_evidence_with(Arc::new(Broken));
    store.attach_voice(id, &sound(20), &spoken, at(8)).unwrap();
    let lost = store.voices(id).unwrap().into_iter().filter(|(_, voice)| voice.signature.is_none());
    assert_eq!(lost.count(), 1, "a voice note is not lost to a keystore that fails");
}

#[test]
fn a_failed_commit_leaves_no_gap_in_the_chain() {
    let faults = Faults::scripted();
    let mut store = store_with(1, faults.clone());
    let id = event(&mut store);
    store.sign_evidence_with(key());
    faults.fail(Some(Commit::Edit), Side::Before, 0);
    assert!(store.attach_photo(id, &photo(1), &facts(), at(6)).is_err());
    let element = store.attach_photo(id, &photo(1), &facts(), at(7)).unwrap();
    let held = reference(&store, id, element);
    assert_eq!(
        (held.link, held.reuse),
        (Some(ChainLink::after(None)), None),
        "nothing of the failed one is kept"
    );
}

/// A keystore that does not answer, as after a change of the phone's lock.
struct Broken;

impl DeviceKey for Broken {
    fn public_key(&self) -> Result<[u8; 65], DeviceError> {
        Err(DeviceError::KeyStore { reason: "locked".into() })
    }

    fn sign(&self, _: &[u8]) -> Result<[u8; 64], DeviceError> {
        Err(DeviceError::KeyStore { reason: "locked".into() })
    }
}

#[test]
fn a_photo_is_not_lost_to_a_keystore_that_fails() {
    let mut store = store(1);
    let id = event(&mut store);
    store.sign_evidence_with(Arc::new(Broken));
    let element = store.attach_photo(id, &photo(1), &facts(), at(6)).unwrap();
    let held = reference(&store, id, element);
    assert_eq!((held.link, held.signature), (None, None));
}

#[test]
fn marked_regions_are_gone_from_photo_and_preview_and_the_record_says_so() {
    let mut store = store(1);
    let id = event(&mut store);
    let original = jpeg(320, 240);
    let n = store.journal_photo(&original, &facts(), at(5)).unwrap();
    let face = BlurRegion { left: 1_000, top: 1_000, width: 8_000, height: 4_000 };
    store.blur_journaled(n, &[face]).unwrap();
    let (_, told) = store.journaled_photo(n).unwrap().unwrap();
    assert_eq!(told, CaptureFacts { blur: vec![face], ..facts() });
    let blurred = prepare_photo(&original, &told, None, &Limits::default()).unwrap();
    let plain = prepare_photo(&original, &facts(), None, &Limits::default()).unwrap();
    assert_ne!(blurred.stored.sha256, plain.stored.sha256);
    assert_ne!(blurred.preview.sha256, plain.preview.sha256);
    let element = store.attach_photo(id, &blurred, &told, at(6)).unwrap();
    let held = reference(&store, id, element);
    assert_eq!((held.blurred, held.reuse), (Some(1), None));
    // The same file without the regions is the same photo.
    let again = store.attach_photo(id, &plain, &facts(), at(7)).unwrap();
    assert_eq!(reference(&store, id, again).reuse, Some(Reuse::Same));

    assert!(matches!(store.blur_journaled(n, &[face; 33]), Err(DeviceError::TooManyRegions { limit: 32 })));
    store.remove_capture(n).unwrap();
    assert!(matches!(store.blur_journaled(n, &[face]), Err(DeviceError::NoCapture)));
}

/// A made-up note of AAC frames of 64 ms.
fn sound(frames: usize) -> Vec<u8> {
    let mut frame = vec![0xff, 0xf1, 0x60, 0, 13, 0x60, 0xfc];
    frame.resize(107, 7);
    frame.repeat(frames)
}

#[test]
fn a_voice_note_is_checked_stored_and_waits_among_what_is_small() {
    let mut store = store(1);
    let id = event(&mut store);
    let facts = VoiceFacts { recorded_at: at(5), transcript: Some("字".repeat(2_000)) };
    let element = store.attach_voice(id, &sound(100), &facts, at(6)).unwrap();
    let held = store.voices(id).unwrap();
    let [(name, voice)] = held.as_slice() else { panic!("{held:?}") };
    assert_eq!((*name, voice.millis, &voice.format), (element, 6_400, &VoiceFormat::Aac));
    assert_eq!(voice.transcript.as_ref().map(|text| text.chars().count()), Some(1_000));
    assert_eq!(store.media(&voice.hash).unwrap().unwrap(), sound(100));
    let waiting = store.view().uploads_waiting(crate::store::Lane::Preview, at(7), 10).unwrap();
    assert!(waiting.iter().any(|upload| upload.hash == voice.hash && upload.record == id));

    let before = store.totals().unwrap();
    let short = VoiceFacts { recorded_at: at(7), transcript: None };
    let refused = |store: &mut Store, bytes: &[u8]| store.attach_voice(id, bytes, &short, at(8)).unwrap_err();
    assert!(matches!(refused(&mut store, &sound(1_000)), DeviceError::Voice(VoiceError::TooLong { .. })));
    assert!(matches!(
        refused(&mut store, &sound(2_000)),
        DeviceError::Voice(VoiceError::TooManyBytes { .. })
    ));
    assert!(matches!(refused(&mut store, b"RIFF"), DeviceError::Voice(VoiceError::Unreadable)));
    let home = store.edits(at(9), |edits| edits.create(&dwelling("1", "101"))).unwrap();
    let nowhere = store.attach_voice(home, &sound(10), &short, at(9));
    assert!(matches!(nowhere, Err(DeviceError::WrongKind { .. })), "dwellings have no voice notes");
    assert_eq!(store.totals().unwrap().previews.count, before.previews.count);
}
