//! Test vectors of the wire format: `schemas/vectors/sync.json` holds bodies as hexadecimal CBOR beside what they
//! mean, for implementers in other languages, and so that no refactoring changes the format unnoticed.
//!
//! `UPDATE_SCHEMAS=1 cargo test -p gridwalk-replica --test vectors` writes the file anew.

#![allow(clippy::unwrap_used, reason = "a test that fails says so by panicking")]

use std::fmt::Write as _;
use std::path::PathBuf;

use gridwalk_model::{AccessClass, DeviceId, Fields, Kind, RecordId, StreamId, Timestamp, Value};
use gridwalk_replica::admission::{Reason, Verdict};
use gridwalk_replica::digest::{Fingerprint, StreamDigest};
use gridwalk_replica::wire::{
    CommitMark, Compare, Cursor, GrantState, Held, PhoneNotes, Pull, PullBody, Push, Removal, RuleFiles,
    SensitiveRead, ServerNotes, StreamState, SyncRequest, SyncResponse,
};
use gridwalk_replica::{Actor, Document, frame};
use minicbor::bytes::ByteVec;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

struct Vectors {
    record: RecordId,
    change: Vec<u8>,
    fingerprint: Fingerprint,
    request: SyncRequest,
    response: SyncResponse,
}

fn vectors() -> Vectors {
    let record = RecordId::from_parts(Timestamp::from_millis(1_700_000_000_000), [1; 10]);
    let area = RecordId::from_parts(Timestamp::from_millis(1_600_000_000_000), [2; 10]);
    let actor = Actor::new(DeviceId::from_bytes([3; 12]), [0, 0, 0, 1]);
    let fields = Fields::from([
        ("area".to_owned(), Value::from(area)),
        ("estate".to_owned(), Value::from("样例小区")),
        ("rented".to_owned(), Value::from(false)),
    ]);
    let at = Timestamp::from_millis(1_700_000_000_123);
    let (document, change) = Document::create(record, Kind::Dwelling, &fields, actor, at).unwrap();
    let fingerprint = Fingerprint::of(record, &document.heads());
    let stream = StreamId::Area { area, class: AccessClass::Base }.to_bytes();
    let request = SyncRequest {
        protocol_min: 1,
        protocol_max: 1,
        schema: 1,
        epoch: Some([5; 16].into()),
        cursors: vec![
            Cursor { stream: StreamId::Org.to_bytes().into(), generation: 1, seq: 7 },
            Cursor { stream: stream.clone().into(), generation: 2, seq: 300 },
        ],
        max_bytes: 262_144,
        pushes: vec![Push {
            record: (*record.as_bytes()).into(),
            kind: "dwelling".to_owned(),
            hint: Some(1),
            changes: vec![ByteVec::from(change.raw.clone())],
            history: false,
        }],
        compare: Some(Compare {
            stream: 1,
            after: None,
            through: Some((*record.as_bytes()).into()),
            held: vec![Held { record: (*record.as_bytes()).into(), fingerprint: fingerprint.0.into() }],
        }),
        seen: Some(CommitMark { commit: 41, mark: 0x1234_5678_9abc_def0 }),
        notes: Some(PhoneNotes {
            wants_key: Some(true),
            reads: Some(vec![SensitiveRead {
                n: 3,
                at: 1_700_000_000_500,
                record: [9; 16].into(),
                kind: "resident_id".to_owned(),
            }]),
            rules: Some(vec![1; 8].into()),
        }),
    };
    let pull = |body| Pull {
        record: (*record.as_bytes()).into(),
        kind: "dwelling".to_owned(),
        stream: 1,
        fingerprint: fingerprint.0.into(),
        body,
    };
    let response = SyncResponse {
        protocol: 1,
        epoch: [5; 16].into(),
        received_at: 1_700_000_001_000,
        commit: 42,
        backed_up_through: 40,
        verdicts: vec![vec![Verdict::Accepted, Verdict::Invalid(Reason::FieldPolicy)]],
        grants: Some(vec![GrantState { stream: stream.into(), generation: 2, revoking: false }]),
        pulls: vec![
            pull(PullBody::Known),
            pull(PullBody::Snapshot(ByteVec::from(document.save()))),
            pull(PullBody::Changes(vec![ByteVec::from(change.raw.clone())])),
        ],
        removals: vec![Removal { record: [9; 16].into(), stream: 1 }],
        streams: vec![
            StreamState { seq: 7, digest: None },
            StreamState {
                seq: 301,
                digest: Some(StreamDigest::default().with(fingerprint).to_bytes().into()),
            },
        ],
        more: false,
        wants: vec![[8; 16].into()],
        mark: Some(0x0fed_cba9_8765_4321),
        notes: Some(ServerNotes {
            locked: Some(true),
            sealing_key: Some(vec![4; 32].into()),
            reads_through: Some(3),
            rules: Some(RuleFiles {
                mark: vec![2; 8].into(),
                doors: Some("{}".to_owned()),
                field: None,
                events: None,
            }),
        }),
    };
    Vectors { record, change: change.raw, fingerprint, request, response }
}

#[test]
fn committed_vectors_are_what_this_build_writes_and_reads() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../schemas/vectors/sync.json");
    let Vectors { record, change, fingerprint, request, response } = vectors();
    let text = serde_json::to_string_pretty(&serde_json::json!({
        "about": "Bodies of POST /v1/sync as hexadecimal CBOR, before zstd. Content is made up.",
        "record": record.to_string(),
        "change": hex(&change),
        "fingerprint": hex(&fingerprint.0),
        "request": hex(&minicbor::to_vec(&request).unwrap()),
        "response": hex(&minicbor::to_vec(&response).unwrap()),
    }))
    .unwrap()
        + "\n";
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert_eq!(committed, text, "the wire format changed; if that is meant, run with UPDATE_SCHEMAS=1");
    let json: serde_json::Value = serde_json::from_str(&committed).unwrap();
    let body = |name: &str| unhex(json[name].as_str().unwrap());
    assert_eq!(minicbor::decode::<SyncRequest>(&body("request")).unwrap(), request);
    assert_eq!(minicbor::decode::<SyncResponse>(&body("response")).unwrap(), response);
}

#[test]
fn a_newer_peers_tail_is_ignored() {
    let Vectors { request, .. } = vectors();
    let mut bytes = minicbor::to_vec(&request).unwrap();
    assert_eq!(bytes[0], 0x8a);
    bytes[0] = 0x8b;
    bytes.extend([0x82, 0x01, 0x63, b'n', b'e', b'w']);
    assert_eq!(minicbor::decode::<SyncRequest>(&bytes).unwrap(), request);
}

#[test]
fn framed_bodies_read_back_with_everything_in_them() {
    let Vectors { request, response, .. } = vectors();
    assert_eq!(frame::decode(&frame::encode(&request).unwrap()), Ok(request));
    assert_eq!(frame::decode(&frame::encode(&response).unwrap()), Ok(response));
}

#[test]
fn an_idle_exchange_of_four_streams_fits_two_hundred_bytes_each_way() {
    let Vectors { mut request, mut response, .. } = vectors();
    request.pushes.clear();
    request.compare = None;
    request.notes = Some(PhoneNotes::default());
    response.notes = Some(ServerNotes::default());
    // Streams, epochs and digests are random in life, which does not compress.
    let noise =
        |seed: u8| -> Vec<u8> { (0..16u8).map(|i| i.wrapping_mul(151) ^ seed.wrapping_mul(91)).collect() };
    request.epoch = Some(<[u8; 16]>::try_from(noise(9)).unwrap().into());
    request.cursors = (0..4u8)
        .map(|n| Cursor {
            stream: [&[b'a'][..], &noise(n), &[0]].concat().into(),
            generation: 1,
            seq: 70_000,
        })
        .collect();
    response = SyncResponse {
        verdicts: Vec::new(),
        grants: None,
        pulls: Vec::new(),
        removals: Vec::new(),
        wants: Vec::new(),
        streams: (0..4u8)
            .map(|n| StreamState {
                seq: 70_000,
                digest: Some(<[u8; 16]>::try_from(noise(n + 20)).unwrap().into()),
            })
            .collect(),
        commit: 1_000_000,
        backed_up_through: 1_000_000,
        ..response
    };
    let (up, down) = (frame::encode(&request).unwrap().len(), frame::encode(&response).unwrap().len());
    println!("idle sync: {up} B up, {down} B down");
    assert!(up <= 200 && down <= 200, "{up} B up, {down} B down");
}
