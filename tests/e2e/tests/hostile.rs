//! Hostile input on every public route (Must hold 6): a clear refusal, bounded memory, others unaffected.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::thread;
use std::time::Duration;

use automerge::ScalarValue;
use data_encoding::BASE64;
use gridwalk_e2e::measure::{Stopwatch, peak_rss_kib};
use gridwalk_e2e::siege::{Honest, Ledger, MEMORY_KIB};
use gridwalk_e2e::stranger::{NOON, fresh_id, push};
use gridwalk_e2e::town::{fields, settle};
use gridwalk_e2e::{Stranger, Town, forge, raw};
use gridwalk_harness::photos::{self, Damage};
use gridwalk_harness::seeded::Seeded;
use gridwalk_model::event::{Action, LogEntry};
use gridwalk_model::{Fields, Kind, RecordId, Value};
use gridwalk_replica::admission::{Reason, Verdict};
use gridwalk_replica::protocol::{ProtocolError, path};
use gridwalk_replica::wire::{CommitMark, Compare, Held, Push};
use gridwalk_replica::{Actor, Document, limits};
use sha2::{Digest as _, Sha256};

/// Bodies that no route may take, with the statuses that they may get.
fn bad_bodies() -> Vec<(&'static str, Vec<u8>, &'static [u16])> {
    let mut many = vec![0x9a, 0, 0x70, 0, 0];
    many.extend(std::iter::repeat_n(0x40, 0x70_0000));
    let huge = zstd::stream::encode_all(std::io::repeat(0).take(512 << 20), 3).unwrap();
    let mut wide = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
    wide.window_log(27).unwrap();
    wide.write_all(&vec![7; 4 << 20]).unwrap();
    let mut two = forge::framed(&[0x80]);
    two.extend(forge::framed(&[0x80]));
    let whole = forge::framed(&[0x84, 0x01, 0x02, 0x03, 0x04]);
    vec![
        ("nothing", Vec::new(), &[400]),
        ("no frame", b"hello".to_vec(), &[400]),
        ("a cut frame", whole[..whole.len() - 2].to_vec(), &[400]),
        ("two frames", two, &[400]),
        ("a frame of zeros, 9 MiB inflated", forge::zip_bomb(9 << 20), &[413]),
        ("a frame of zeros, 512 MiB inflated", huge, &[413]),
        ("a frame that asks for a window of 128 MiB", wide.finish().unwrap(), &[400, 413]),
        ("seven million empty items", forge::framed(&many), &[413]),
        ("an array that claims 2^32 items", forge::framed(&[0x9b, 0, 0, 0, 1, 0, 0, 0, 0]), &[400]),
        ("bytes that claim 2^60", forge::framed(&[0x81, 0x5b, 16, 0, 0, 0, 0, 0, 0, 0]), &[400]),
        ("an array of no known length", forge::framed(&[0x9f, 1, 0xff]), &[400]),
        ("a map", forge::framed(&[0xa0]), &[400]),
        ("a tag", forge::framed(&[0xc0, 0x80]), &[400]),
        ("four thousand arrays in each other", forge::framed(&[0x81; 4_000]), &[400]),
        ("the wrong types", forge::framed(&[0x84, 0x61, 0x61, 0x61, 0x62, 0xf5, 0xf6]), &[400]),
        ("something behind the end", forge::framed(&[0x80, 0x00]), &[400]),
        ("1 MiB of noise", noise(1 << 20), &[400, 413]),
    ]
}

fn noise(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    Seeded::new(6).fill(&mut bytes);
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn framed_routes_refuse_bombs_and_nonsense() {
    let town = Town::start();
    let honest = Honest::start(&town).await;
    let stranger = town.stranger("恶意人", &[1]);
    let bearer = format!("Bearer {}", stranger.token);
    let mut ledger = Ledger::default();
    let routes = [path::ENROL, path::NONCE, path::TOKEN, path::SYNC, path::MISSING];
    for route in routes {
        let headers = [("authorization", bearer.as_str()), ("content-type", raw::FRAMED)];
        for (name, body, wanted) in bad_bodies() {
            let bytes = raw::request("POST", route, &headers, &body);
            ledger.refused(&town, &format!("{route}: {name}"), &bytes, wanted, true);
        }
        let claimed = [headers[0], ("content-length", "2000000")];
        let bytes = raw::request("POST", route, &claimed, &[0; 1000]);
        ledger.refused(&town, &format!("{route}: 2 MB announced"), &bytes, &[413], true);
        let mut chunked = raw::request("POST", route, &[headers[0], ("transfer-encoding", "chunked")], &[]);
        chunked = String::from_utf8(chunked).unwrap().replace("content-length: 0\r\n", "").into_bytes();
        for _ in 0..40 {
            chunked.extend(b"10000\r\n");
            chunked.extend([0; 0x1_0000]);
            chunked.extend(b"\r\n");
        }
        ledger.refused(&town, &format!("{route}: 2.6 MB in chunks, unannounced"), &chunked, &[413], true);
        let bytes = raw::request("GET", route, &[], &[]);
        ledger.refused(&town, &format!("{route}: GET"), &bytes, &[401, 405], false);
        ledger.note(format!("{route}: cut in its body"), 503, cut_body(&town, route, &bearer));
    }
    for route in [path::SYNC, path::MISSING, path::UPLOADS] {
        for token in ["", "Bearer ", "Bearer x", "Basic eHg6eHg=", &format!("{bearer}x")] {
            let headers = [("authorization", token), ("tus-resumable", "1.0.0")];
            let bytes = raw::request("POST", route, &headers, &[]);
            ledger.refused(&town, &format!("{route}: token `{token:.12}`"), &bytes, &[401], true);
        }
    }
    ledger.report("framed routes", &town);
    flood(&town, &bearer);
    honest.finish(&town).await;
}

/// Forty who send bombs at once: each is refused, or asked to come again, and memory stays within its bound. How long
/// it takes says how many cores there are, and is only printed.
fn flood(town: &Town, bearer: &str) {
    let bombs: Vec<_> = bad_bodies()
        .into_iter()
        .filter(|(name, ..)| name.contains("MiB") || name.contains("million"))
        .collect();
    let (bombs, address) = (&bombs, town.address());
    let took = thread::scope(|scope| {
        let send = |number: usize| {
            let route = if number.is_multiple_of(4) { path::NONCE } else { path::SYNC };
            let headers = [("authorization", bearer), ("content-type", raw::FRAMED)];
            let requests = bombs.iter().cycle().skip(number).take(5);
            let exchange = |(name, body, _): &(&str, Vec<u8>, &[u16])| {
                let watch = Stopwatch::start();
                let answer = raw::exchange(address, &raw::request("POST", route, &headers, body)).unwrap();
                let error = answer.error().unwrap_or_else(|| panic!("{name}: {}", answer.status));
                assert!(matches!(answer.status, 400 | 413 | 429 | 503), "{name}: {error}");
                watch.elapsed()
            };
            requests.map(exchange).collect::<Vec<_>>()
        };
        let senders: Vec<_> = (0..40).map(|number| scope.spawn(move || send(number))).collect();
        senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect::<Vec<_>>()
    });
    let peak = peak_rss_kib(town.server().id());
    println!(
        "flood: {} answers, slowest {:?}, peak memory of the server {peak} KiB",
        took.len(),
        took.iter().max()
    );
    assert!(peak < MEMORY_KIB, "{peak} KiB");
}

/// A body that ends before its announced length; how long the refusal took.
fn cut_body(town: &Town, route: &str, bearer: &str) -> Duration {
    let headers = [("authorization", bearer), ("content-length", "500")];
    let watch = Stopwatch::start();
    let mut socket = raw::connect(town.address()).unwrap();
    socket.write_all(&raw::request("POST", route, &headers, &[7; 100])).unwrap();
    socket.shutdown(Shutdown::Write).unwrap();
    // There may be nobody left to answer to; what counts is that the connection ends at once.
    if let Ok(answer) = raw::read_answer(&mut socket, false) {
        // The network's fault, as far as anybody can tell: to be sent again, not to be taken apart.
        assert!(matches!(answer.error(), Some(ProtocolError::Busy { .. })), "{}", answer.status);
    }
    watch.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_break_the_contract_are_refused_as_a_whole() {
    let town = Town::start();
    let honest = Honest::start(&town).await;
    let stranger = town.stranger("恶意人", &[1]);
    let mut ledger = Ledger::default();
    let mut refused = |name: &str, request, wanted: &dyn Fn(&ProtocolError) -> bool| {
        let watch = Stopwatch::start();
        let (status, error) = stranger.sync(&request).expect_err(name);
        ledger.note(name, status, watch.elapsed());
        let error = error.unwrap_or_else(|| panic!("{name}: no readable error"));
        assert!(wanted(&error) && error.status() == status, "{name}: {status} {error:?}");
    };
    let malformed = |error: &ProtocolError| matches!(error, ProtocolError::Malformed { .. });
    let too_large = |error: &ProtocolError| *error == ProtocolError::TooLarge;
    let id = |number| fresh_id(number);
    let mut version = stranger.request(vec![]);
    (version.protocol_min, version.protocol_max) = (7, 9);
    refused("no common version", version, &|error| matches!(error, ProtocolError::Version { .. }));
    refused("too many records", stranger.request(vec![push(id(1), "dwelling", &[]); 6_000]), &too_large);
    let changes = vec![vec![0]; 60_000];
    refused("too many changes", stranger.request(vec![push(id(1), "dwelling", &changes)]), &too_large);
    let mut cursor = stranger.request(vec![]);
    cursor.cursors[0].seq = 1 << 40;
    refused("a cursor that was never given out", cursor, &malformed);
    let mut mark = stranger.request(vec![]);
    mark.seen = Some(CommitMark { commit: 1 << 40, mark: 1 });
    refused("a commit mark that was never given out", mark, &malformed);
    let mut compare = stranger.request(vec![]);
    let held = |number| Held { record: (*id(number).as_bytes()).into(), fingerprint: [0; 16].into() };
    let held = vec![held(2), held(1)];
    let readable = stranger.place_of(&gridwalk_e2e::town::stream_of(town.grid(1))).unwrap();
    compare.compare = Some(Compare { stream: readable, after: None, through: None, held });
    refused("a comparison out of order", compare, &malformed);
    ledger.report("requests", &town);
    honest.finish(&town).await;
}

/// One hostile push with the verdicts that it may get.
struct Poison {
    name: &'static str,
    push: Push,
    wanted: fn(&[Verdict]) -> bool,
}

/// Everything refused.
fn all_refused(verdicts: &[Verdict]) -> bool {
    verdicts.iter().all(|verdict| verdict.is_refusal())
}

fn all_invalid(verdicts: &[Verdict]) -> bool {
    verdicts.iter().all(|verdict| matches!(verdict, Verdict::Invalid(_)))
}

fn all_forbidden(verdicts: &[Verdict]) -> bool {
    verdicts.iter().all(|verdict| *verdict == Verdict::Forbidden)
}

fn one(verdicts: &[Verdict], wanted: Reason) -> bool {
    verdicts == [Verdict::Invalid(wanted)]
}

fn poisons(town: &Town, stranger: &Stranger, known: RecordId, foreign: RecordId) -> Vec<Poison> {
    let grid = |index| fields(&[("area", town.grid(index).into()), ("room", "1".into())]);
    let id = fresh_id(100);
    let (document, first) = stranger.create(id, Kind::Dwelling, &grid(1));
    let good = first.raw;
    let edited = |pairs: &[(&str, Value)], actor: Actor| {
        let mut document = document.clone();
        document.edit(&fields(pairs), actor, NOON).unwrap().unwrap().raw
    };
    let other = Actor::new(gridwalk_model::DeviceId::from_bytes([9; 12]), [1; 4]);
    let by_other = Document::create(fresh_id(101), Kind::Dwelling, &grid(1), other, NOON);
    let forged = |number: u8, fields: Vec<(String, ScalarValue)>| {
        let raw = forge::first_change(stranger.actor, fresh_id(number), "dwelling", &fields);
        push(fresh_id(number), "dwelling", &[raw])
    };
    let long = vec![("remarks".to_owned(), ScalarValue::Str("x".repeat(limits::VALUE_MAX_BYTES + 1).into()))];
    let many: Vec<_> = (0..3_000).map(|n| (format!("k{n}"), ScalarValue::Int(n))).collect();
    let foreign_types = vec![("remarks".to_owned(), ScalarValue::counter(7))];
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let make = |number, fields: &Fields| stranger.create(fresh_id(number), Kind::Dwelling, fields).1.raw;
    let mut respelled = Vec::new();
    for number in 0..2_000 {
        respelled
            .push(forge::with_run_of(&edited(&[("room", format!("R{number}").into())], stranger.actor), 1));
    }
    let offer = |number: u8, raws: &[Vec<u8>]| push(fresh_id(number), "dwelling", raws);
    let poison = |name, push, wanted: fn(&[Verdict]) -> bool| Poison { name, push, wanted };
    let mut gap = document.clone();
    gap.edit(&fields(&[("room", "2".into())]), stranger.actor, NOON).unwrap();
    let after_gap = gap.edit(&fields(&[("room", "3".into())]), stranger.actor, NOON).unwrap().unwrap().raw;
    let mut of_known = Document::create(known, Kind::Dwelling, &grid(1), stranger.actor, NOON).unwrap().1.raw;
    of_known.shrink_to_fit();
    let stolen = Document::create(foreign, Kind::Dwelling, &grid(1), stranger.actor, NOON).unwrap().1.raw;
    let event = fields(&[("area", town.grid(1).into()), ("category", "fire".into())]);
    let event_with = |number: u8, key: String, value: Value| {
        let mut fields = event.clone();
        fields.insert(key, value);
        let raw = stranger.create(fresh_id(number), Kind::Event, &fields).1.raw;
        push(fresh_id(number), "event", &[raw])
    };
    let by_somebody = LogEntry::new(fresh_id(200), None, NOON, fresh_id(201), Action::Report);
    vec![
        poison("no change at all", offer(1, &[b"not a change".to_vec()]), all_invalid),
        poison("an empty change", offer(2, &[Vec::new()]), all_invalid),
        poison("a cut change", offer(3, &[good[..good.len() / 2].to_vec()]), all_invalid),
        poison("a flipped bit", offer(4, &[flipped]), all_invalid),
        poison("extra bytes", offer(100, &[forge::with_extra_bytes(&good, 1)]), all_invalid),
        poison("60 KB of extra bytes", offer(100, &[forge::with_extra_bytes(&good, 60_000)]), all_invalid),
        poison("a run of 2^40 operations", offer(100, &[forge::with_run_of(&good, 1 << 40)]), all_invalid),
        poison("a run of 2^62 operations", offer(100, &[forge::with_run_of(&good, 1 << 62)]), all_invalid),
        poison(
            "a run of a million operations",
            offer(100, &[forge::with_run_of(&good, 1_000_000)]),
            all_invalid,
        ),
        poison("a change of 500 KB of noise", offer(5, &[noise(500_000)]), |v| one(v, Reason::TooLarge)),
        poison("a value of 16 KiB and one", forged(6, long), all_invalid),
        poison("three thousand writes", forged(7, many), all_invalid),
        poison("a counter", forged(13, foreign_types), all_invalid),
        poison("somebody else's name", offer(101, &[by_other.unwrap().1.raw]), all_forbidden),
        poison("a grid that is not granted", offer(8, &[make(8, &grid(2))]), all_forbidden),
        poison("a record that is not granted", push_of(foreign, &stolen), all_refused),
        poison("a second root", push_of(known, &of_known), all_refused),
        poison("another record's root", offer(9, std::slice::from_ref(&good)), |v| one(v, Reason::Identity)),
        poison("a missing number", offer(100, &[good.clone(), after_gap]), |v| {
            v == [Verdict::Accepted, Verdict::MissingDeps]
        }),
        poison("two thousand spelled otherwise", offer(100, &respelled), all_refused),
        poison("the server's field", event_with(10, "external_number".into(), "1".into()), |v| {
            one(v, Reason::FieldPolicy)
        }),
        poison(
            "an entry by somebody else",
            event_with(11, by_somebody.key(), Value::Bytes(by_somebody.to_bytes())),
            |v| one(v, Reason::Entry),
        ),
        poison(
            "an entry of noise",
            event_with(12, format!("log/{}", fresh_id(202)), Value::Bytes(noise(99))),
            |v| one(v, Reason::Entry),
        ),
    ]
}

fn push_of(record: RecordId, raw: &[u8]) -> Push {
    push(record, "dwelling", &[raw.to_vec()])
}

#[tokio::test(flavor = "multi_thread")]
async fn poisoned_changes_are_refused_one_by_one() {
    let town = Town::start();
    let honest = Honest::start(&town).await;
    let stranger = town.stranger("恶意人", &[1]);
    let neighbour = town.stranger("同网格", &[1]);
    let known = fresh_id(50);
    let in_grid = fields(&[("area", town.grid(1).into()), ("room", "9".into())]);
    let made = neighbour.create(known, Kind::Dwelling, &in_grid).1.raw;
    assert_eq!(neighbour.push(known, "dwelling", &[made]), Ok(vec![Verdict::Accepted]));
    let mut ledger = Ledger::default();
    for Poison { name, push, wanted } in poisons(&town, &stranger, known, honest.home) {
        let request = stranger.request(vec![push]);
        let watch = Stopwatch::start();
        let response = stranger.sync(&request).unwrap_or_else(|refused| panic!("{name}: {refused:?}"));
        ledger.note(name, 200, watch.elapsed());
        let verdicts = response.verdicts.concat();
        assert!(!verdicts.is_empty() && wanted(&verdicts), "{name}: {:?}", verdicts.first());
    }
    // A foreign record and one that nobody has answer alike, whatever is asked of them.
    let edit_of = |id: RecordId| {
        let (mut document, _) = stranger.create(id, Kind::Dwelling, &in_grid);
        let edit = fields(&[("room", "10".into())]);
        document.edit(&edit, stranger.actor, NOON).unwrap().unwrap().raw
    };
    let absent = fresh_id(77);
    let answers = [honest.home, absent].map(|id| stranger.push(id, "dwelling", &[edit_of(id)]).unwrap());
    assert_eq!(answers[0], answers[1]);
    // A cursor on a stream that is not granted brings nothing.
    let mut curious = stranger.request(vec![]);
    curious.cursors.push(gridwalk_replica::wire::Cursor {
        stream: gridwalk_e2e::town::stream_of(town.grid(0)).to_bytes().into(),
        generation: 1,
        seq: 0,
    });
    let place = u32::try_from(curious.cursors.len() - 1).unwrap();
    curious.compare = Some(Compare { stream: place, after: None, through: None, held: vec![] });
    let response = stranger.sync(&curious).unwrap();
    assert!(response.pulls.iter().all(|pull| pull.stream != place));
    assert!(response.removals.is_empty() && response.wants.is_empty());
    assert_eq!(response.streams[place as usize].digest, None);
    ledger.report("poisoned changes", &town);
    honest.finish(&town).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_refuse_what_is_no_photo_or_not_announced() {
    let town = Town::start();
    let honest = Honest::start(&town).await;
    let stranger = town.stranger("恶意人", &[1]);
    let bearer = format!("Bearer {}", stranger.token);
    let tus = [("authorization", bearer.as_str()), ("tus-resumable", "1.0.0")];
    let mut ledger = Ledger::default();
    let metadata = |bytes: &[u8]| format!("sha256 {}", BASE64.encode(&Sha256::digest(bytes)));
    let small = metadata(b"small");
    for (name, more, wanted) in [
        ("no length", vec![("upload-metadata", small.as_str())], 400),
        ("a length of 0", vec![("upload-metadata", &small), ("upload-length", "0")], 400),
        ("a negative length", vec![("upload-metadata", &small), ("upload-length", "-5")], 400),
        (
            "a length of 10^18",
            vec![("upload-metadata", &small), ("upload-length", "1000000000000000000")],
            413,
        ),
        (
            "two lengths",
            vec![("upload-metadata", &small), ("upload-length", "5"), ("upload-length", "6")],
            400,
        ),
        ("no hash", vec![("upload-length", "5")], 400),
        ("a short hash", vec![("upload-length", "5"), ("upload-metadata", "sha256 AAAA")], 400),
        ("a deferred length", vec![("upload-defer-length", "1"), ("upload-metadata", &small)], 400),
    ] {
        let headers = [&tus[..], &more].concat();
        let bytes = raw::request("POST", path::UPLOADS, &headers, &[]);
        ledger.refused(&town, &format!("creation: {name}"), &bytes, &[wanted], false);
    }
    let bytes = raw::request("POST", path::UPLOADS, &[tus[0], ("upload-length", "5")], &[]);
    ledger.refused(&town, "creation: no version", &bytes, &[412], false);
    let mut seeded = Seeded::new(4);
    let files =
        Damage::ALL.map(|damage| (format!("{damage:?}"), photos::damaged(&mut seeded, damage).unwrap()));
    for (name, file) in files.into_iter().filter(|(_, file)| !file.is_empty()) {
        let url = create(&town, &tus, &file, file.len());
        let patch = patch(&tus, &url, "0", &file);
        ledger.refused(&town, &format!("content: {name}"), &patch, &[422], false);
        let head = raw::request("HEAD", &url, &tus, &[]);
        ledger.refused(&town, &format!("content: {name}, afterwards"), &head, &[404], false);
    }
    let url = create(&town, &tus, b"announced", 9);
    for (name, bytes, wanted) in [
        ("more than announced", patch(&tus, &url, "0", b"announced and more"), 413),
        ("another place", patch(&tus, &url, "5", b"nced"), 409),
        ("a place of no number", patch(&tus, &url, "five", b"nced"), 400),
        (
            "another type",
            raw::request("PATCH", &url, &[&tus[..], &[("upload-offset", "0")]].concat(), b"x"),
            415,
        ),
        ("other bytes than announced", patch(&tus, &url, "0", b"otherwise"), 460),
        ("an upload that ended", patch(&tus, &url, "0", b"announced"), 404),
    ] {
        ledger.refused(&town, &format!("bytes: {name}"), &bytes, &[wanted], false);
    }
    let url = create(&town, &tus, b"announced", 9);
    let other = town.stranger("旁人", &[1]);
    let theirs = format!("Bearer {}", other.token);
    for method in ["HEAD", "DELETE"] {
        let bytes = raw::request(method, &url, &[("authorization", theirs.as_str()), tus[1]], &[]);
        ledger.refused(&town, &format!("{method} by another device"), &bytes, &[404], false);
    }
    for (name, target) in [
        ("a name of nonsense", "/v1/media/uploads/..%2f..%2fgridwalk.db"),
        ("a long name", &format!("/v1/media/uploads/{}", "a".repeat(5_000))),
        ("a medium of nobody", &format!("/v1/media/{}/{}", fresh_id(1), "0".repeat(64))),
        ("a medium out of the folder", "/v1/media/..%2f..%2f/gridwalk.db"),
    ] {
        let method = if target.contains("uploads") { "HEAD" } else { "GET" };
        let bytes = raw::request(method, target, &tus, &[]);
        ledger.refused(&town, name, &bytes, &[404], false);
    }
    ledger.report("uploads", &town);
    honest.finish(&town).await;
}

fn create(town: &Town, tus: &[(&str, &str)], bytes: &[u8], len: usize) -> String {
    let metadata = format!("sha256 {}", BASE64.encode(&Sha256::digest(bytes)));
    let len = len.to_string();
    let headers = [tus, &[("upload-metadata", metadata.as_str()), ("upload-length", &len)]].concat();
    let answer = raw::exchange(town.address(), &raw::request("POST", path::UPLOADS, &headers, &[])).unwrap();
    assert_eq!(answer.status, 201);
    answer.header("location").unwrap().to_owned()
}

fn patch(tus: &[(&str, &str)], url: &str, offset: &str, bytes: &[u8]) -> Vec<u8> {
    let more = [("upload-offset", offset), ("content-type", "application/offset+octet-stream")];
    raw::request("PATCH", url, &[tus, &more].concat(), bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_and_the_heads_of_requests_are_guarded() {
    let town = Town::start();
    let honest = Honest::start(&town).await;
    let mut ledger = Ledger::default();
    let long = "x".repeat(1 << 20);
    let get = |target: &str, headers: &[(&str, &str)]| raw::request("GET", target, headers, &[]);
    for (name, bytes, wanted) in [
        ("a header of 1 MiB", get("/healthz", &[("x-long", &long)]), &[431][..]),
        ("an address of 1 MiB", get(&format!("/{long}"), &[]), &[414, 431]),
        ("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n".to_vec(), &[400]),
        (
            "two lengths",
            b"POST /v1/nonce HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"
                .to_vec(),
            &[400],
        ),
        ("no such path", get("/v2/sync", &[]), &[404]),
        ("a path upwards", get("/assets/../../gridwalk.db", &[]), &[404]),
        ("a wrong method", raw::request("DELETE", "/healthz", &[], &[]), &[405]),
        ("events without a session", get("/events", &[]), &[303, 401, 403]),
        ("refusals without a session", get("/refused", &[]), &[303, 401, 403]),
        (
            "phones with a made-up cookie",
            get("/phones", &[("cookie", "gridwalk=x; session=y")]),
            &[303, 401, 403],
        ),
        (
            "a photo without a session",
            get(&format!("/events/{}/photos/{}", fresh_id(1), fresh_id(2)), &[]),
            &[303, 401, 403],
        ),
        ("an act without a session", form("/refused/1/settle", b"csrf=x"), &[303, 400, 401, 403]),
        ("a form of 1 MiB", form("/signin", long.as_bytes()), &[413]),
        ("a form of noise", form("/signin", &noise(1_000)), &[400, 403, 415, 422]),
        (
            "a sign-in link that is none",
            get(&format!("/signin/{}", "z".repeat(40)), &[]),
            &[200, 303, 400, 403, 404, 410],
        ),
    ] {
        ledger.refused(&town, name, &bytes, wanted, false);
    }
    // Many who begin a request and never end it.
    let mut slow: Vec<_> = (0..200).map(|_| raw::connect(town.address()).unwrap()).collect();
    for socket in &mut slow {
        socket.write_all(b"POST /v1/sync HTTP/1.1\r\nhost: x\r\nx-slow: ").unwrap();
    }
    let bytes = get("/healthz", &[]);
    for _ in 0..20 {
        ledger.refused(&town, "health beside 200 open heads", &bytes, &[200], false);
    }
    ledger.report("console and heads", &town);
    honest.finish(&town).await;
}

/// Many who begin a body and never end it, without a session, with one, and as uploads: nobody else is shut out.
#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_never_end_shut_nobody_out() {
    let town = Town::start();
    let honest = Honest::start(&town).await;
    let stranger = town.stranger("慢人", &[1]);
    let bearer = format!("Bearer {}", stranger.token);
    let own = [("authorization", bearer.as_str()), ("content-length", "1000")];
    let mut open = Vec::new();
    for (route, headers) in [(path::NONCE, &own[1..]), (path::SYNC, &own[..])] {
        for _ in 0..100 {
            let mut socket = raw::connect(town.address()).unwrap();
            socket.write_all(&raw::request("POST", route, headers, b"x")).unwrap();
            open.push(socket);
        }
    }
    let tus = [own[0], ("tus-resumable", "1.0.0")];
    for number in 0..20u8 {
        let url = create(&town, &tus, &[number; 900], 900);
        let more = [("upload-offset", "0"), ("content-type", "application/offset+octet-stream"), own[1]];
        let mut socket = raw::connect(town.address()).unwrap();
        socket.write_all(&raw::request("PATCH", &url, &[&tus[..], &more].concat(), b"x")).unwrap();
        open.push(socket);
    }
    // Somebody who has no token yet gets one and works.
    let late = town.phone("后来的人", &[0]).await;
    honest.finish(&town).await;
    settle(&late).await;
    town.assert_agrees(&late).await;
    drop(open);
}

fn form(target: &str, body: &[u8]) -> Vec<u8> {
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
    raw::request("POST", target, &headers, body)
}
