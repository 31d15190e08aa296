use axum::body::Body;
use axum::http::Method;
use data_encoding::BASE64;
use gridwalk_model::{ContentHash, RecordId};
use gridwalk_replica::protocol::path;
use sha1::Sha1;
use sha2::Digest as _;

use super::test_support::{Disk, FullDisk, broken, hash_of, metadata, photo, sha256_of};
use super::{MediaLimits, http::blob_response};
use gridwalk_model::time::DAY_MS;
use std::sync::Arc;

/// Method, path, headers, and the status to be answered.
type Hostile<'a> = (Method, &'a str, &'a [(&'a str, &'a str)], u16);

const TUS: (&str, &str) = ("tus-resumable", "1.0.0");

fn one_phone() -> (Disk, super::test_support::Server, gridwalk_model::DeviceId) {
    let disk = Disk::new();
    let device = disk.enrol(1);
    (disk.clone(), disk.start(), device)
}

#[tokio::test]
async fn options_say_what_is_spoken_without_a_session() {
    let (_disk, server, _) = one_phone();
    let answer = server.send(None, Method::OPTIONS, path::UPLOADS, &[], Body::empty()).await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("tus-version"), Some("1.0.0"));
    let extensions = answer.header("tus-extension").unwrap();
    for extension in ["creation", "creation-with-upload", "checksum", "expiration"] {
        assert!(extensions.split(',').any(|known| known == extension), "{extension}");
    }
    assert_eq!(answer.header("tus-checksum-algorithm"), Some("sha1,sha256"));
    assert_eq!(answer.header("tus-max-size"), Some("4194304"));
}

#[tokio::test]
async fn a_photo_goes_up_and_is_read_through_its_record() {
    let (disk, server, device) = one_phone();
    let (bytes, hash) = (photo(3), hash_of(&photo(3)));
    let url = server.create(device, &bytes).await;
    let head = server.head(device, &url).await;
    assert_eq!(
        (head.status, head.offset(), head.header("upload-length")),
        (200, Some(0), Some(&*bytes.len().to_string()))
    );
    assert_eq!(head.header("cache-control"), Some("no-store"));
    assert_eq!(head.header("upload-expires"), Some("Mon, 13 Apr 2026 01:26:53 GMT"));
    assert_eq!(server.missing(device, &[hash]), [hash]);
    let done = server.patch(device, &url, 0, Some(&sha256_of(&bytes)), Body::from(bytes.clone())).await;
    assert_eq!((done.status, done.offset()), (204, Some(bytes.len() as u64)));
    let head = server.head(device, &url).await;
    assert_eq!((head.status, head.offset()), (200, Some(bytes.len() as u64)), "complete for good");
    assert_eq!(server.missing(device, &[hash]), []);
    assert_eq!(disk.files("parts"), Vec::<String>::new());
    assert_eq!(disk.files("blobs"), [hash.to_string()]);

    let record = disk.refer(9, &hash, 1, false);
    let read = server
        .send(Some(device), Method::GET, &format!("/v1/media/{record}/{hash}"), &[], Body::empty())
        .await;
    assert_eq!((read.status, read.header("content-type"), &read.body), (200, Some("image/jpeg"), &bytes));
    assert_eq!(read.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test]
async fn a_track_goes_up_like_a_photo_and_is_read_through_its_patrol() {
    use gridwalk_model::geo::{Fix, LatLon, Path};
    let (disk, server, device) = one_phone();
    let fix = |n: i64| Fix {
        at: gridwalk_model::Timestamp::from_millis(1_760_000_000_000 + n * 10_000),
        point: LatLon { lat: 36.1 + n as f64 * 1e-4, lon: 120.47 },
    };
    let bytes = Path::new(&(0..200).map(fix).collect::<Vec<_>>(), 120_000).to_bytes();
    let hash = hash_of(&bytes);
    assert_eq!(server.missing(device, &[hash]), [hash]);
    assert_eq!(server.upload(device, &bytes).await.status, 204);
    assert_eq!(server.missing(device, &[hash]), []);
    let record = disk.refer(9, &hash, 1, false);
    let url = format!("/v1/media/{record}/{hash}");
    let read = server.send(Some(device), Method::GET, &url, &[], Body::empty()).await;
    assert_eq!((read.status, &read.body), (200, &bytes));
    assert_eq!(read.header("content-type"), Some("application/octet-stream"));
}

#[tokio::test]
async fn an_upload_cut_at_any_byte_goes_on_from_there() {
    let (disk, server, device) = one_phone();
    let bytes = photo(5);
    for cut in 0..bytes.len() {
        let url = server.create(device, &bytes).await;
        let answer = server.patch(device, &url, 0, None, broken(&bytes[..cut])).await;
        assert_eq!(answer.status, 408);
        let offset = server.head(device, &url).await.offset().unwrap();
        assert_eq!(offset, cut as u64, "without checksums every byte is kept");
        let rest = Body::from(bytes[cut..].to_vec());
        assert_eq!(server.patch(device, &url, offset, None, rest).await.status, 204, "cut at {cut}");
    }
    assert_eq!(disk.files("blobs").len(), 1);
}

#[tokio::test]
async fn a_checked_upload_cut_at_any_byte_sends_at_most_one_chunk_again() {
    const CHUNK: usize = 100;
    let (_disk, server, device) = one_phone();
    let bytes = photo(7);
    for cut in 0..bytes.len() {
        let url = server.create(device, &bytes).await;
        let mut at = 0;
        let (mut sent, mut was_cut) = (0, false);
        while at < bytes.len() {
            let piece = &bytes[at..bytes.len().min(at + CHUNK)];
            let check = sha256_of(piece);
            let cuts_here = !was_cut && cut < at + piece.len();
            sent += if cuts_here { cut - at } else { piece.len() };
            was_cut |= cuts_here;
            let body = if cuts_here { broken(&piece[..cut - at]) } else { Body::from(piece.to_vec()) };
            let answer = server.patch(device, &url, at as u64, Some(&check), body).await;
            assert_eq!(answer.status, if cuts_here { 408 } else { 204 }, "cut at {cut}");
            let offset = usize::try_from(server.head(device, &url).await.offset().unwrap()).unwrap();
            assert_eq!(offset, if cuts_here { at } else { at + piece.len() });
            at = offset;
        }
        assert!(sent <= bytes.len() + CHUNK);
    }
}

#[tokio::test]
async fn large_chunks_wait_in_a_file_until_they_prove_right() {
    let (disk, server, device) = one_phone();
    // Not a photo: only chunks matter here.
    let bytes: Vec<u8> = (0..1_000_000u32).map(|i| (i % 251) as u8).collect();
    let url = server.create(device, &bytes).await;
    let half = &bytes[..500_000];
    let wrong = server.patch(device, &url, 0, Some(&sha256_of(b"other")), Body::from(half.to_vec())).await;
    assert_eq!((wrong.status, server.head(device, &url).await.offset()), (460, Some(0)));
    let cut = server.patch(device, &url, 0, Some(&sha256_of(half)), broken(&half[..400_000])).await;
    assert_eq!((cut.status, server.head(device, &url).await.offset()), (408, Some(0)));
    assert_eq!(disk.files("parts").len(), 1, "nothing waits any more");
    let right = server.patch(device, &url, 0, Some(&sha256_of(half)), Body::from(half.to_vec())).await;
    assert_eq!((right.status, right.offset()), (204, Some(500_000)));
    let part = disk.folder.path().join("parts").join(&disk.files("parts")[0]);
    assert_eq!(std::fs::read(part).unwrap(), half);
}

#[tokio::test]
async fn a_damaged_chunk_leaves_nothing() {
    let (_disk, server, device) = one_phone();
    let bytes = photo(2);
    let url = server.create(device, &bytes).await;
    let sha1 = |bytes: &[u8]| format!("sha1 {}", BASE64.encode(&Sha1::digest(bytes)));
    for check in [sha256_of(b"x"), sha1(b"x")] {
        let answer = server.patch(device, &url, 0, Some(&check), Body::from(bytes.clone())).await;
        assert_eq!(answer.status, 460);
        assert_eq!(server.head(device, &url).await.offset(), Some(0));
    }
    let done = server.patch(device, &url, 0, Some(&sha1(&bytes)), Body::from(bytes.clone())).await;
    assert_eq!(done.status, 204);
}

#[tokio::test]
async fn a_wrong_whole_or_a_foreign_file_is_refused_audited_and_kept_nowhere() {
    let (disk, server, device) = one_phone();
    let (right, pdf) = (photo(2), b"%PDF-1.7 made up".to_vec());
    let mut other = right.clone();
    other[200] ^= 1;
    for (announced, sent, status) in [(&right, &other, 460), (&pdf, &pdf, 422)] {
        let url = server.create(device, announced).await;
        let answer = server.patch(device, &url, 0, None, Body::from(sent.clone())).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(!answer.body.is_empty(), "a reason");
        assert_eq!(server.head(device, &url).await.status, 404);
        assert_eq!(server.missing(device, &[hash_of(announced)]), [hash_of(announced)]);
    }
    assert_eq!((disk.files("parts"), disk.files("blobs")), (vec![], vec![]));
    let audit = disk.dyn_storage().view(|tx| tx.audit(0, 10)).unwrap();
    let told: Vec<_> = audit.iter().map(|row| (row.action.as_str(), row.detail.as_str())).collect();
    assert_eq!(told, [("upload-refused", "wrong-hash"), ("upload-refused", "unknown")]);
    assert_eq!(audit[0].actor, device.to_string());
}

#[tokio::test]
async fn uploads_of_another_device_are_not_there() {
    let (disk, server, device) = one_phone();
    let stranger = disk.enrol(2);
    let bytes = photo(3);
    let url = server.create(device, &bytes).await;
    for finished in [false, true] {
        assert_eq!(server.head(stranger, &url).await.status, 404);
        assert_eq!(server.patch(stranger, &url, 0, None, Body::from(bytes.clone())).await.status, 404);
        assert_eq!(
            server.send(Some(stranger), Method::DELETE, &url, &[TUS], Body::empty()).await.status,
            404
        );
        if !finished {
            assert_eq!(server.patch(device, &url, 0, None, Body::from(bytes.clone())).await.status, 204);
        }
    }
    assert_eq!(server.send(None, Method::HEAD, &url, &[TUS], Body::empty()).await.status, 401);
}

#[tokio::test]
async fn two_devices_send_the_same_and_neither_learns_of_the_other() {
    let (disk, server, first) = one_phone();
    let second = disk.enrol(2);
    let (bytes, hash) = (photo(3), hash_of(&photo(3)));
    assert_eq!(server.upload(first, &bytes).await.status, 204);
    assert_eq!(server.missing(first, &[hash]), []);
    assert_eq!(server.missing(second, &[hash]), [hash]);
    let url = server.create(second, &bytes).await;
    assert_eq!(server.head(second, &url).await.offset(), Some(0), "every byte has to come again");
    let part = server.patch(second, &url, 0, None, Body::from(bytes[..10].to_vec())).await;
    assert_eq!((part.status, server.missing(second, &[hash])), (204, vec![hash]));
    assert_eq!(server.patch(second, &url, 10, None, Body::from(bytes[10..].to_vec())).await.status, 204);
    assert_eq!(server.missing(second, &[hash]), []);
    assert_eq!(disk.files("blobs"), [hash.to_string()], "stored once");
    assert_eq!(disk.dyn_storage().view(|tx| tx.media_totals()).unwrap(), (1, bytes.len() as u64));
}

#[tokio::test]
async fn an_upload_ends_after_thirty_days() {
    let (disk, server, device) = one_phone();
    let bytes = photo(3);
    let url = server.create(device, &bytes).await;
    disk.pass(30 * DAY_MS - 1);
    assert_eq!(server.media.expire().unwrap(), 0);
    assert_eq!(server.patch(device, &url, 0, None, Body::from(bytes[..9].to_vec())).await.status, 204);
    disk.pass(1);
    assert_eq!(server.head(device, &url).await.status, 410);
    assert_eq!(server.patch(device, &url, 9, None, Body::from(bytes[9..].to_vec())).await.status, 410);
    assert_eq!(server.media.expire().unwrap(), 1);
    assert_eq!(disk.files("parts"), Vec::<String>::new());
    assert_eq!(server.head(device, &url).await.status, 404);
    assert_eq!(server.upload(device, &bytes).await.status, 204, "begun again");
}

#[tokio::test]
async fn only_records_in_scope_open_a_medium() {
    let (disk, server, device) = one_phone();
    let other = disk.enrol(2);
    let (bytes, hash) = (photo(3), hash_of(&photo(3)));
    let (theirs, gone) = (disk.refer(7, &hash, 2, false), disk.refer(8, &hash, 1, true));
    let nothing = RecordId::from_bytes([99; 16]);
    assert_eq!(server.missing(other, &[hash]), [hash], "referred to and not there yet");
    assert_eq!(server.upload(device, &bytes).await.status, 204);
    assert_eq!(server.missing(other, &[hash]), [], "a record in scope refers to it");
    let read = async |device, record: RecordId, hash: ContentHash| {
        let url = format!("/v1/media/{record}/{hash}");
        server.send(Some(device), Method::GET, &url, &[], Body::empty()).await.status
    };
    assert_eq!(read(other, theirs, hash).await, 200);
    for (device, record, hash) in [
        (device, theirs, hash),
        (device, gone, hash),
        (device, nothing, hash),
        (other, gone, hash),
        (other, theirs, hash_of(b"other")),
    ] {
        assert_eq!(read(device, record, hash).await, 404);
    }
    for url in ["/v1/media/x/y", "/v1/media/..%2f..%2f/etc", &format!("/v1/media/{theirs}/..%2fparts")] {
        assert_eq!(server.send(Some(other), Method::GET, url, &[], Body::empty()).await.status, 404);
    }
}

#[tokio::test]
async fn a_locked_device_hands_in_for_thirty_days_and_reads_nothing() {
    let (disk, server, device) = one_phone();
    let (bytes, hash) = (photo(3), hash_of(&photo(3)));
    let record = disk.refer(7, &hash, 1, false);
    let uploader = disk.enrol(2);
    assert_eq!(server.upload(uploader, &bytes).await.status, 204);
    let principal = disk.principal(device);
    let now = gridwalk_model::Timestamp::from_millis(super::test_support::START_MS);
    disk.dyn_storage().update(|tx| tx.revoke_device(principal.device_no, now, false)).unwrap();
    assert_eq!(server.missing(device, &[hash]), [hash]);
    let url = format!("/v1/media/{record}/{hash}");
    assert_eq!(server.send(Some(device), Method::GET, &url, &[], Body::empty()).await.status, 404);
    disk.pass(30 * DAY_MS);
    assert_eq!(server.upload(device, &bytes).await.status, 204);
    disk.pass(1);
    assert_eq!(server.try_create(device, &hash, bytes.len()).await.status, 403);
}

#[tokio::test]
async fn hostile_requests_are_refused() {
    let (disk, server, device) = one_phone();
    let bytes = photo(3);
    let url = server.create(device, &bytes).await;
    let octets = ("content-type", "application/offset+octet-stream");
    let at = ("upload-offset", "0");
    let body = || Body::from(vec![0; 64]);
    let cases: [Hostile<'_>; 12] = [
        (Method::PATCH, &url, &[octets, at], 412),
        (Method::PATCH, &url, &[("tus-resumable", "0.2.2"), octets, at], 412),
        (Method::PATCH, &url, &[TUS, at], 415),
        (Method::PATCH, &url, &[TUS, octets], 400),
        (Method::PATCH, &url, &[TUS, octets, at, at], 400),
        (Method::PATCH, &url, &[TUS, octets, ("upload-offset", "1")], 409),
        (Method::PATCH, &url, &[TUS, octets, at, ("content-length", "9999999")], 413),
        (Method::PATCH, "/v1/media/uploads/..%2f..%2fetc", &[TUS, octets, at], 404),
        (Method::PATCH, "/v1/media/uploads/%00", &[TUS, octets, at], 404),
        (Method::POST, path::UPLOADS, &[TUS], 400),
        (Method::POST, path::UPLOADS, &[TUS, ("upload-length", "9999999")], 413),
        (Method::GET, path::UPLOADS, &[TUS], 405),
    ];
    for (method, path, headers, status) in cases {
        let answer = server.send(Some(device), method.clone(), path, headers, body()).await;
        assert_eq!(answer.status, status, "{method} {path} {headers:?}");
    }
    assert_eq!(server.head(device, &url).await.offset(), Some(0), "nothing of it was kept");
    let endless =
        Body::from_stream(futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![0u8; 4_096])));
    assert_eq!(server.patch(device, &url, 0, None, endless).await.status, 413);
    assert!(disk.files("parts").len() <= 1);
}

#[tokio::test]
async fn limits_bound_what_a_device_has_under_way() {
    let disk = Disk::new();
    let (device, other) = (disk.enrol(1), disk.enrol(2));
    let limits = MediaLimits { open_uploads: 3, open_bytes: 100_000, ..MediaLimits::default() };
    let server = disk.start_with(limits, Arc::new(super::store::NoProbe));
    assert_eq!(server.try_create(device, &hash_of(b"1"), 60_000).await.status, 201);
    let refused = server.try_create(device, &hash_of(b"2"), 60_000).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("60")));
    for _ in 0..5 {
        assert_eq!(server.try_create(device, &hash_of(b"1"), 70_000).await.status, 201, "the same anew");
    }
    for (n, status) in [(b"2", 201), (b"3", 201), (b"4", 429)] {
        assert_eq!(server.try_create(device, &hash_of(n), 10).await.status, status);
    }
    assert_eq!(server.try_create(other, &hash_of(b"5"), 60_000).await.status, 201, "others are not affected");
    let url = format!("{}/{}-{device}", path::UPLOADS, hash_of(b"3"));
    assert_eq!(server.send(Some(device), Method::DELETE, &url, &[TUS], Body::empty()).await.status, 204);
    assert_eq!(server.try_create(device, &hash_of(b"4"), 10).await.status, 201);
}

#[tokio::test]
async fn a_creation_may_bring_its_bytes_and_a_post_may_stand_for_a_patch() {
    let (_disk, server, device) = one_phone();
    let bytes = photo(6);
    let (about, length) = (metadata(&hash_of(&bytes)), bytes.len().to_string());
    let octets = ("content-type", "application/offset+octet-stream");
    let headers = [TUS, octets, ("upload-length", &*length), ("upload-metadata", &*about)];
    for sent in [bytes.len(), 100] {
        let body = Body::from(bytes[..sent].to_vec());
        let answer = server.send(Some(device), Method::POST, path::UPLOADS, &headers, body).await;
        assert_eq!((answer.status, answer.offset()), (201, Some(sent as u64)));
    }
    let url = format!("{}/{}-{device}", path::UPLOADS, hash_of(&bytes));
    let instead = [TUS, octets, ("upload-offset", "100"), ("x-http-method-override", "PATCH")];
    let body = Body::from(bytes[100..].to_vec());
    let answer = server.send(Some(device), Method::POST, &url, &instead, body).await;
    assert_eq!((answer.status, answer.offset()), (204, Some(bytes.len() as u64)));
}

#[tokio::test]
async fn a_full_disk_names_itself_and_the_upload_goes_on_after() {
    let disk = Disk::new();
    let device = disk.enrol(1);
    let full = FullDisk::default();
    let server = disk.start_with(MediaLimits::default(), Arc::new(full.clone()));
    let bytes = photo(3);
    let url = server.create(device, &bytes).await;
    assert_eq!(server.patch(device, &url, 0, None, Body::from(bytes[..50].to_vec())).await.status, 204);
    full.set(true);
    for check in [None, Some(sha256_of(&bytes[50..]))] {
        let rest = Body::from(bytes[50..].to_vec());
        assert_eq!(server.patch(device, &url, 50, check.as_deref(), rest).await.status, 507);
        assert_eq!(server.head(device, &url).await.offset(), Some(50));
    }
    assert_eq!(server.try_create(device, &hash_of(b"other"), 10).await.status, 507);
    full.set(false);
    assert_eq!(server.patch(device, &url, 50, None, Body::from(bytes[50..].to_vec())).await.status, 204);
}

#[tokio::test]
async fn a_connection_that_stands_still_is_taken_over() {
    use futures_util::StreamExt as _;
    let (_disk, server, device) = one_phone();
    let bytes = photo(3);
    let url = server.create(device, &bytes).await;
    let (arrived, seen) = tokio::sync::oneshot::channel();
    let first = futures_util::stream::iter([Ok::<_, std::io::Error>(bytes[..40].to_vec())]);
    let still = futures_util::stream::once(async move {
        arrived.send(()).unwrap();
        std::future::pending().await
    });
    let (stuck, path) = (server.clone(), url.clone());
    let body = Body::from_stream(first.chain(still));
    let old = tokio::spawn(async move { stuck.patch(device, &path, 0, None, body).await.status });
    seen.await.unwrap();
    assert_eq!(server.head(device, &url).await.offset(), Some(40));
    assert_eq!(old.await.unwrap(), 423);
    assert_eq!(server.patch(device, &url, 40, None, Body::from(bytes[40..].to_vec())).await.status, 204);
}

#[tokio::test]
async fn a_lost_blob_is_asked_for_again_and_a_backup_holds_it() {
    let (disk, server, device) = one_phone();
    let (bytes, hash) = (photo(3), hash_of(&photo(3)));
    assert_eq!(server.upload(device, &bytes).await.status, 204);
    let backup = tempfile::tempdir().unwrap();
    assert_eq!(server.media.back_up(backup.path()).unwrap(), 1);
    assert_eq!(server.media.back_up(backup.path()).unwrap(), 0, "only what is new");
    let name = hash.to_string();
    let blob = disk.folder.path().join("blobs").join(&name[..2]).join(&name);
    std::fs::remove_file(&blob).unwrap();
    assert_eq!(server.missing(device, &[hash]), [hash]);
    assert!(server.media.open_blob(&hash).unwrap().is_none());
    assert_eq!(server.upload(device, &bytes).await.status, 204);
    assert_eq!(server.missing(device, &[hash]), []);
    let copy = backup.path().join("blobs").join(&name[..2]).join(&name);
    assert_eq!(std::fs::read(copy).unwrap(), bytes);
    let response = blob_response(server.media.open_blob(&hash).unwrap().unwrap());
    assert_eq!(axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap(), bytes);
}
