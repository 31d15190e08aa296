//! Photo uploads that are cut (Must hold 5), by our phone and by a tus client written from the specification.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use data_encoding::BASE64;
use gridwalk_device::photo::{CaptureFacts, prepare_photo};
use gridwalk_e2e::stranger::NOON;
use gridwalk_e2e::tap::Exchange;
use gridwalk_e2e::town::{event, settle};
use gridwalk_e2e::{Fate, Passing, Tap, Town, raw};
use gridwalk_harness::phone::Phone;
use gridwalk_harness::photos;
use gridwalk_harness::scene::Hazard;
use gridwalk_harness::seeded::Seeded;
use gridwalk_model::photo::{PhotoRef, shown_photos};
use gridwalk_model::{ContentHash, RecordId};
use gridwalk_replica::protocol::path;
use sha2::{Digest as _, Sha256};

/// What the phone sends at once.
const CHUNK: usize = 256 * 1024;

fn original(seed: u64, size: (u16, u16)) -> Vec<u8> {
    photos::jpeg(&mut Seeded::new(seed), size, Hazard::Rubbish, None).unwrap()
}

async fn add_photo(phone: &Phone, record: RecordId, original: Vec<u8>) -> PhotoRef {
    let facts = CaptureFacts::camera(phone.device().now(), "W1".into());
    let element = phone.device().add_photo(record, original, facts, None).await.unwrap();
    let (_, fields) = phone.device().with_store(move |s, _| s.fields(record)).await.unwrap().unwrap();
    shown_photos(&fields).find(|(name, _)| *name == element).unwrap().1
}

fn is_patch(exchange: &Exchange) -> bool {
    exchange.request.target().0 == "PATCH"
}

fn stored(town: &Town, hash: &ContentHash) -> Vec<u8> {
    assert!(town.office().has_media(hash).unwrap());
    let path = find(&town.data().join("media").join("blobs"), &hash.to_string());
    std::fs::read(path).unwrap()
}

fn find(folder: &std::path::Path, name: &str) -> std::path::PathBuf {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.join(name).exists() {
            return path.join(name);
        }
        if path.file_name().is_some_and(|found| found == name) {
            return path;
        }
    }
    panic!("no {name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_cut_at_any_byte_resumes_with_at_most_one_chunk_sent_again() {
    let town = Town::start();
    let tap = Tap::start(town.address());
    let phone = town.phone_through(&tap.url(), "摄影", &[0]).await;
    let event = event(&phone, town.grid(0), "虚构：楼道堆物").await;
    settle(&phone).await;
    let mut seeded = Seeded::new(5);
    for round in 0..24u64 {
        phone.set_online(false).unwrap();
        let size = if round % 4 == 0 { (2_400, 1_800) } else { (480, 360) };
        let photo = add_photo(&phone, event, original(round, size)).await;
        let preview = photo.preview_hash.unwrap();
        let total = photo.bytes as usize;
        // Sampled over the whole of it, its head and its ends among them.
        let place = match round % 6 {
            0 => seeded.below(400),
            1 => total + 399,
            _ => seeded.below(total.min(CHUNK) + 300),
        };
        let nth = if total > CHUNK { seeded.below(total.div_ceil(CHUNK)) } else { 0 };
        tap.take_log();
        let mut patches = 0;
        let mut cut = false;
        tap.set_rule(move |passing| {
            let Passing::Request(request) = passing else { return Fate::Pass };
            let of_photo =
                request.target().0 == "PATCH" && request.target().1.contains(&photo.hash.to_string());
            patches += usize::from(of_photo);
            if of_photo && !cut && patches > nth {
                cut = true;
                return Fate::CutAfter(place);
            }
            Fate::Pass
        });
        phone.set_online(true).unwrap();
        settle(&phone).await;
        let log = tap.take_log();
        let sent = |hash: &ContentHash| -> usize {
            let of = |e: &&Exchange| is_patch(e) && e.request.target().1.contains(&hash.to_string());
            log.iter().filter(of).map(|exchange| exchange.passed).sum()
        };
        assert!(sent(&photo.hash) >= total, "round {round}");
        assert!(sent(&photo.hash) <= total + CHUNK, "round {round}: {} of {total}", sent(&photo.hash));
        assert_eq!(stored(&town, &photo.hash).len(), total);
        assert!(town.office().has_media(&preview).unwrap());
    }
    tap.clear_rule();
    let lost = town.data().join("media").join("parts");
    assert_eq!(std::fs::read_dir(lost).unwrap().count(), 0, "nothing is left over");
    town.assert_agrees(&phone).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_lost_cost_no_second_upload() {
    let town = Town::start();
    let tap = Tap::start(town.address());
    let phone = town.phone_through(&tap.url(), "摄影", &[0]).await;
    let event = event(&phone, town.grid(0), "虚构：飞线充电").await;
    settle(&phone).await;
    phone.set_online(false).unwrap();
    let photo = add_photo(&phone, event, original(77, (1_200, 900))).await;
    tap.take_log();
    let mut left = BTreeMap::from([("POST", 1), ("PATCH", 2), ("HEAD", 1)]);
    tap.set_rule(move |passing| {
        let Passing::Answer(request, _) = passing else { return Fate::Pass };
        let (method, target) = request.target();
        match left.get_mut(method) {
            Some(count) if *count > 0 && target.starts_with(path::UPLOADS) => {
                *count -= 1;
                Fate::CutAfter(0)
            }
            _ => Fate::Pass,
        }
    });
    phone.set_online(true).unwrap();
    settle(&phone).await;
    let log = tap.take_log();
    let of = |e: &&Exchange| is_patch(e) && e.request.target().1.contains(&photo.hash.to_string());
    let sent: usize = log.iter().filter(of).map(|exchange| exchange.passed).sum();
    assert!(sent <= photo.bytes as usize + CHUNK, "{sent}");
    assert_eq!(stored(&town, &photo.hash).len(), photo.bytes as usize);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_receipt_and_clean_up_loses_nothing() {
    let mut town = Town::start();
    let tap = Tap::start(town.address());
    let phone = town.phone_through(&tap.url(), "摄影", &[0]).await;
    let event = event(&phone, town.grid(0), "虚构：消防栓").await;
    settle(&phone).await;
    // The server dies when it has published and answered: before the phone hears of the upload's end, and before
    // it hears of the receipt.
    for (round, target) in [(1u64, path::UPLOADS), (2, path::MISSING), (3, path::UPLOADS), (4, path::MISSING)]
    {
        phone.set_online(false).unwrap();
        let photo = add_photo(&phone, event, original(round, (900, 700))).await;
        let server = Arc::new(Mutex::new(Some(town.take_server())));
        let asked = Arc::new(AtomicU64::new(0));
        let (killer, count) = (Arc::clone(&server), Arc::clone(&asked));
        let hash = photo.hash;
        tap.set_rule(move |passing| {
            let Passing::Answer(request, answer) = passing else { return Fate::Pass };
            let (method, path) = request.target();
            let ended = match (method, target) {
                ("PATCH", path::UPLOADS) => {
                    path.contains(&hash.to_string())
                        && answer.header("upload-offset").and_then(|at| at.parse().ok()) == Some(photo.bytes)
                }
                // Of four questions (two lanes, before and after), the last two bring receipts.
                ("POST", path::MISSING) => path == target && count.fetch_add(1, Ordering::Relaxed) % 2 == 1,
                _ => false,
            };
            match killer.lock().unwrap().take_if(|_| ended) {
                Some(server) => {
                    server.kill().unwrap();
                    Fate::CutAfter(0)
                }
                None => Fate::Pass,
            }
        });
        phone.set_online(true).unwrap();
        let settled = phone.settle(2).await.unwrap();
        assert!(server.lock().unwrap().is_none(), "round {round}: the server was killed");
        assert!(settled.failures > 0 || settled.status.last_error.is_some(), "round {round}");
        tap.clear_rule();
        town.restart();
        settle(&phone).await;
        assert_eq!(stored(&town, &photo.hash).len(), photo.bytes as usize, "round {round}");
        assert!(town.office().has_media(&photo.preview_hash.unwrap()).unwrap());
    }
    let parts = town.data().join("media").join("parts");
    assert_eq!(std::fs::read_dir(parts).unwrap().count(), 0, "nothing is left over");
    town.assert_agrees(&phone).await;
}

/// A tus 1.0 client as the specification has it, with no code of ours: creation, HEAD, PATCH without checksums.
struct TusClient<'t> {
    town: &'t Town,
    bearer: String,
}

impl TusClient<'_> {
    fn send(
        &self,
        method: &str,
        target: &str,
        more: &[(&str, &str)],
        body: &[u8],
    ) -> std::io::Result<raw::Answer> {
        let own = [("authorization", self.bearer.as_str()), ("tus-resumable", "1.0.0")];
        raw::exchange(self.town.address(), &raw::request(method, target, &[&own[..], more].concat(), body))
    }

    fn create(&self, bytes: &[u8], hash: &[u8]) -> String {
        let metadata = format!("filename {},sha256 {}", BASE64.encode(b"a.jpg"), BASE64.encode(hash));
        let len = bytes.len().to_string();
        let more = [("upload-length", len.as_str()), ("upload-metadata", metadata.as_str())];
        let answer = self.send("POST", path::UPLOADS, &more, &[]).unwrap();
        assert_eq!((answer.status, answer.header("tus-resumable")), (201, Some("1.0.0")));
        answer.header("location").unwrap().to_owned()
    }

    fn offset(&self, url: &str) -> usize {
        let answer = self.send("HEAD", url, &[], &[]).unwrap();
        assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")));
        answer.header("upload-offset").unwrap().parse().unwrap()
    }

    fn patch(&self, url: &str, offset: usize, bytes: &[u8]) -> raw::Answer {
        let offset = offset.to_string();
        let more = [("upload-offset", offset.as_str()), ("content-type", "application/offset+octet-stream")];
        self.send("PATCH", url, &more, bytes).unwrap()
    }

    /// Announces everything, sends some of it, and goes away.
    fn patch_and_go(&self, url: &str, offset: usize, rest: &[u8], sent: usize) {
        use std::io::{Read as _, Write as _};
        let at = offset.to_string();
        let own = [
            ("authorization", self.bearer.as_str()),
            ("tus-resumable", "1.0.0"),
            ("upload-offset", at.as_str()),
            ("content-type", "application/offset+octet-stream"),
        ];
        let whole = raw::request("PATCH", url, &own, rest);
        let mut socket = raw::connect(self.town.address()).unwrap();
        socket.write_all(&whole[..whole.len() - rest.len() + sent]).unwrap();
        socket.shutdown(std::net::Shutdown::Write).unwrap();
        // The server has dealt with it when it ends the connection.
        let _ = socket.read_to_end(&mut Vec::new());
    }
}

/// A photo as a phone would store it.
fn photo(seed: u64) -> Vec<u8> {
    let facts = CaptureFacts::camera(NOON, "W9".into());
    prepare_photo(&original(seed, (640, 480)), &facts, None, &Default::default()).unwrap().stored.bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn an_independent_tus_client_resumes_from_where_it_was_cut() {
    let town = Town::start();
    let stranger = town.stranger("别家终端", &[0]);
    let client = TusClient { town: &town, bearer: format!("Bearer {}", stranger.token) };
    let options = raw::exchange(town.address(), &raw::request("OPTIONS", path::UPLOADS, &[], &[])).unwrap();
    assert_eq!(options.header("tus-version"), Some("1.0.0"));
    let mut seeded = Seeded::new(9);
    for round in 0..30u64 {
        let bytes = photo(round);
        let url = client.create(&bytes, &Sha256::digest(&bytes));
        let (mut offset, mut sent) = (0, 0);
        for _ in 0..3 {
            let part = seeded.below(bytes.len() - offset);
            client.patch_and_go(&url, offset, &bytes[offset..], part);
            sent += part;
            offset = client.offset(&url);
            assert!(offset <= sent, "round {round}: never more than was sent");
        }
        assert_eq!(offset, sent, "round {round}: what arrived was kept");
        let done = client.patch(&url, offset, &bytes[offset..]);
        let total = bytes.len().to_string();
        assert_eq!((done.status, done.header("upload-offset")), (204, Some(total.as_str())));
        assert_eq!(client.offset(&url), bytes.len(), "complete for good");
        let hash = ContentHash::from_slice(&Sha256::digest(&bytes)).unwrap();
        assert_eq!(stored(&town, &hash), bytes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_hash_is_refused_and_the_right_one_still_goes() {
    let town = Town::start();
    let stranger = town.stranger("别家终端", &[0]);
    let client = TusClient { town: &town, bearer: format!("Bearer {}", stranger.token) };
    let (bytes, other) = (photo(1), photo(2));
    let hash = ContentHash::from_slice(&Sha256::digest(&bytes)).unwrap();
    let url = client.create(&bytes, hash.as_bytes());
    let mut wrong = other.clone();
    wrong.resize(bytes.len(), 0);
    let refused = client.patch(&url, 0, &wrong);
    assert_eq!(refused.status, 460, "{}", String::from_utf8_lossy(&refused.body));
    assert!(!town.office().has_media(&hash).unwrap());
    let url = client.create(&bytes, hash.as_bytes());
    assert_eq!(client.patch(&url, 0, &bytes).status, 204);
    assert_eq!(stored(&town, &hash), bytes);
}
