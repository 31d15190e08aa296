//! What an event's evidence is by now, told with the acts that rest on it.

use super::*;
use crate::event::{Judged, with_evidence_of_now};
use crate::id::ContentHash;
use crate::photo::{PhotoRef, PhotoRole, PhotoSource};
use crate::value::{Fields, Value};
use crate::voice::{VoiceFormat, VoiceRef};

fn photo() -> Value {
    let photo = PhotoRef {
        hash: ContentHash::from_bytes([1; 32]),
        preview_hash: None,
        original_hash: None,
        bytes: 1_000,
        taken_at: None,
        position: None,
        role: PhotoRole::Scene,
        source: PhotoSource::Camera,
        width: 320,
        height: 240,
        perceptual: None,
        mock_location: None,
        signature: None,
        pair: None,
        link: None,
        blurred: None,
        reuse: None,
    };
    Value::Bytes(photo.to_bytes())
}

fn voice() -> Value {
    let voice = VoiceRef {
        hash: ContentHash::from_bytes([2; 32]),
        bytes: 1_000,
        millis: 1_000,
        format: VoiceFormat::Opus,
        recorded_at: at(0),
        transcript: None,
        signature: None,
        link: None,
    };
    Value::Bytes(voice.to_bytes())
}

fn element(set: &str, n: u8) -> String {
    format!("{set}/{}", RecordId::from_bytes([n; 16]).to_hex())
}

fn flags(log: &Log, fields: &Fields, entry: RecordId) -> Vec<Flag> {
    let told = with_evidence_of_now(fields, &log.entries, &log.fold());
    told.into_iter().find(|judged: &Judged| judged.id == entry).unwrap().flags
}

#[test]
fn that_a_report_came_without_evidence_is_told_until_there_is_some() {
    let mut log = Log::default();
    let report = log.add(WORKER, Action::Report, |entry| entry.category = Some("waste_pile".into()));
    let mut fields = Fields::new();
    assert_eq!(flags(&log, &fields, report), [Flag::NoEvidence]);
    for (set, value) in [("photos", photo()), ("voices", voice())] {
        fields.insert(element(set, 7), value);
        assert_eq!(flags(&log, &fields, report), [], "{set}");
        fields.insert(format!("{}/removed", element(set, 7)), Value::Flag(true));
        assert_eq!(flags(&log, &fields, report), [Flag::NoEvidence], "{set}");
    }
    fields.insert(element("photos", 8), Value::Bytes(vec![0]));
    assert_eq!(flags(&log, &fields, report), [Flag::NoEvidence], "what cannot be read shows nothing");
}

#[test]
fn that_the_photos_of_an_act_are_off_is_told_until_another_stands_in() {
    let mut log = Log::default();
    log.report("waste_pile");
    let report = log.entries[0].id;
    let own = format!("photos/{}", PHOTO.to_hex());
    let mut fields = Fields::from([(own.clone(), photo())]);
    assert_eq!(flags(&log, &fields, report), []);
    fields.insert(format!("{own}/removed"), Value::Flag(true));
    assert_eq!(flags(&log, &fields, report), [Flag::ProofTakenOff]);
    fields.insert(element("photos", 7), photo());
    assert_eq!(flags(&log, &fields, report), []);
}
