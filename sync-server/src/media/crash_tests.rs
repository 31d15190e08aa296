//! Crashes between any two steps, and random histories of one upload.

use axum::body::Body;
use axum::http::Method;
use proptest::prelude::*;

use super::lifecycle::Recovered;
use super::test_support::{Disk, Fuse, Server, broken, hash_of, photo, sha256_of};
use gridwalk_model::DeviceId;
use gridwalk_model::time::DAY_MS;

const CHUNK: usize = 150;

/// Uploads as a phone does, by its rules after a cut; returns the last offset that it was told. `sent` counts bytes.
async fn phone(
    server: &Server,
    device: DeviceId,
    bytes: &[u8],
    url: &mut Option<String>,
    sent: &mut usize,
) -> u64 {
    loop {
        let known = match &*url {
            Some(url) => server.head(device, url).await,
            None => server.try_create(device, &hash_of(bytes), bytes.len()).await,
        };
        let mut at = match known.status {
            200 => known.offset().unwrap(),
            201 => {
                *url = Some(known.header("location").unwrap().to_owned());
                0
            }
            404 | 410 => {
                *url = None;
                continue;
            }
            _ => return 0,
        };
        while at < bytes.len() as u64 {
            let from = usize::try_from(at).unwrap();
            let piece = &bytes[from..bytes.len().min(from + CHUNK)];
            *sent += piece.len();
            let path = url.clone().unwrap();
            let answer =
                server.patch(device, &path, at, Some(&sha256_of(piece)), Body::from(piece.to_vec())).await;
            if answer.status != 204 {
                return at;
            }
            at = answer.offset().unwrap();
        }
        return at;
    }
}

#[tokio::test]
async fn a_crash_between_any_two_steps_loses_nothing() {
    let bytes = photo(9);
    let hash = hash_of(&bytes);
    let whole = bytes.len() as u64;
    let mut published_at_start = 0;
    for steps in 0.. {
        let disk = Disk::new();
        let device = disk.enrol(1);
        drop(disk.start());
        let fuse = Fuse::after(steps);
        let (mut url, mut sent, mut told) = (None, 0, 0);
        if let Some(server) = disk.start_mortal(&fuse) {
            told = phone(&server, device, &bytes, &mut url, &mut sent).await;
        }
        if !fuse.burnt() {
            assert_eq!(told, whole);
            assert!(published_at_start > 0, "some crash fell between the bytes and the row");
            return;
        }
        let server = disk.start();
        published_at_start += usize::from(disk.files("blobs").len() == 1 && told < whole);
        if let Some(url) = &url {
            let stands = server.head(device, url).await;
            assert!(stands.offset().unwrap_or(0) >= told, "acknowledged bytes are there: {steps}");
        }
        if told == whole {
            assert_eq!(server.missing(device, &[hash]), [], "an acknowledged photo has its receipt: {steps}");
        }
        assert_eq!(phone(&server, device, &bytes, &mut url, &mut sent).await, whole, "{steps}");
        assert!(sent <= bytes.len() + CHUNK, "at most one chunk was sent again: {steps}");
        assert_eq!(server.missing(device, &[hash]), []);
        assert_eq!(disk.files("blobs"), [hash.to_string()]);
        drop(server);
        disk.start();
        assert_eq!(disk.files("parts"), Vec::<String>::new(), "{steps}");
    }
}

#[tokio::test]
async fn a_start_publishes_what_was_whole_and_removes_what_nobody_owns() {
    let disk = Disk::new();
    let device = disk.enrol(1);
    let server = disk.start();
    let (whole, half) = (photo(3), photo(4));
    let whole_url = server.create(device, &whole).await;
    let half_url = server.create(device, &half).await;
    server.patch(device, &half_url, 0, None, Body::from(half[..70].to_vec())).await;
    let parts = disk.folder.path().join("parts");
    let name = |url: &str| parts.join(url.rsplit('/').next().unwrap());
    // By hand: all bytes are there, nobody was told, nothing is published.
    std::fs::write(name(&whole_url), &whole).unwrap();
    std::fs::write(name(&half_url).with_extension("chunk"), b"unproven").unwrap();
    std::fs::hard_link(name(&whole_url), name(&whole_url).with_extension("link")).unwrap();
    let orphan = format!("{}-{}", hash_of(b"orphan"), device);
    std::fs::write(parts.join(orphan), b"orphan").unwrap();
    std::fs::write(parts.join("stray"), b"").unwrap();
    assert_eq!(server.media.recover().unwrap(), Recovered { open: 1, published: 1, removed: 4 });
    assert_eq!(disk.files("blobs"), [hash_of(&whole).to_string()]);
    assert_eq!(disk.files("parts").len(), 1);
    assert_eq!(server.head(device, &whole_url).await.offset(), Some(whole.len() as u64));
    assert_eq!(server.head(device, &half_url).await.offset(), Some(70));
    assert_eq!(server.missing(device, &[hash_of(&whole), hash_of(&half)]), [hash_of(&half)]);
}

#[tokio::test]
async fn another_devices_blob_never_finishes_an_upload_whose_part_was_lost() {
    let disk = Disk::new();
    let (first, second) = (disk.enrol(1), disk.enrol(2));
    let server = disk.start();
    let bytes = photo(3);
    let url = server.create(second, &bytes).await;
    assert_eq!(server.upload(first, &bytes).await.status, 204);
    let part = disk.folder.path().join("parts").join(url.rsplit('/').next().unwrap());
    std::fs::remove_file(part).unwrap();
    assert_eq!(server.head(second, &url).await.offset(), Some(0));
    assert_eq!(server.missing(second, &[hash_of(&bytes)]), [hash_of(&bytes)]);
}

#[derive(Clone, Debug)]
enum Act {
    Create,
    Head,
    Delete,
    Patch { wrong_offset: bool, len: usize, check: Check, cut: Option<usize> },
    Restart,
    Month,
}

#[derive(Clone, Copy, Debug)]
enum Check {
    None,
    Right,
    Wrong,
}

fn act() -> impl Strategy<Value = Act> {
    let check = prop_oneof![Just(Check::None), Just(Check::Right), Just(Check::Wrong)];
    let cut = proptest::option::weighted(0.3, 0usize..200);
    let patch = (proptest::bool::weighted(0.1), 0usize..250, check, cut)
        .prop_map(|(wrong_offset, len, check, cut)| Act::Patch { wrong_offset, len, check, cut });
    prop_oneof![
        2 => Just(Act::Create),
        2 => Just(Act::Head),
        1 => Just(Act::Delete),
        20 => patch,
        1 => Just(Act::Restart),
        1 => Just(Act::Month),
    ]
}

/// What an upload must be.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Model {
    Nothing,
    At(usize),
    Expired,
    Done,
}

async fn play(acts: Vec<Act>) {
    let bytes = photo(11);
    let disk = Disk::new();
    let device = disk.enrol(1);
    let mut server = disk.start();
    let url = format!("{}/{}-{device}", gridwalk_replica::protocol::path::UPLOADS, hash_of(&bytes));
    let (mut model, mut published) = (Model::Nothing, false);
    for act in acts {
        let without_row = if published { Model::Done } else { Model::Nothing };
        match act {
            Act::Create => {
                assert_eq!(server.create(device, &bytes).await, url);
                model = Model::At(0);
            }
            Act::Delete => {
                let tus = [("tus-resumable", "1.0.0")];
                let answer = server.send(Some(device), Method::DELETE, &url, &tus, Body::empty()).await;
                let there = matches!(model, Model::At(_) | Model::Expired);
                assert_eq!(answer.status, if there { 204 } else { 404 });
                model = without_row;
            }
            Act::Restart => {
                drop(server);
                server = disk.start();
            }
            Act::Month => {
                disk.pass(31 * DAY_MS);
                if matches!(model, Model::At(_)) {
                    model = Model::Expired;
                }
                if model == Model::Expired && published {
                    server.media.expire().unwrap();
                    model = without_row;
                }
            }
            Act::Head => {}
            Act::Patch { wrong_offset, len, check, cut } => {
                model = patched(&server, device, &url, &bytes, model, (wrong_offset, len, check, cut)).await;
                published |= model == Model::Done;
            }
        }
        let answer = server.head(device, &url).await;
        let expected = match model {
            Model::Nothing => (404, None),
            Model::Expired => (410, None),
            Model::At(at) => (200, Some(at as u64)),
            Model::Done => (200, Some(bytes.len() as u64)),
        };
        assert_eq!((answer.status, answer.offset()), expected, "{model:?}");
        assert_eq!(server.missing(device, &[hash_of(&bytes)]).is_empty(), published);
        assert_eq!(disk.files("blobs").len(), usize::from(published));
    }
}

async fn patched(
    server: &Server,
    device: DeviceId,
    url: &str,
    bytes: &[u8],
    model: Model,
    (wrong_offset, len, check, cut): (bool, usize, Check, Option<usize>),
) -> Model {
    let at = match model {
        Model::At(at) => at,
        Model::Done => bytes.len(),
        Model::Nothing | Model::Expired => 0,
    };
    let piece = &bytes[at..bytes.len().min(at + len)];
    let cut = cut.filter(|cut| *cut < piece.len());
    let sum = match check {
        Check::None => None,
        Check::Right => Some(sha256_of(piece)),
        Check::Wrong => Some(sha256_of(b"wrong")),
    };
    let body = cut.map_or_else(|| Body::from(piece.to_vec()), |cut| broken(&piece[..cut]));
    let offset = at as u64 + u64::from(wrong_offset);
    let status = server.patch(device, url, offset, sum.as_deref(), body).await.status;
    let moved = |to: usize| if to == bytes.len() { Model::Done } else { Model::At(to) };
    let (expected, after) = match (model, check, cut) {
        (Model::Nothing, ..) => (404, model),
        (Model::Expired, ..) => (410, model),
        _ if wrong_offset => (409, model),
        (Model::Done, ..) => (204, model),
        (_, Check::None, Some(cut)) => (408, Model::At(at + cut)),
        (_, _, Some(_)) => (408, model),
        (_, Check::Wrong, None) => (460, model),
        (_, _, None) => (204, moved(at + piece.len())),
    };
    assert_eq!(status, expected, "{model:?} {check:?} {cut:?}");
    after
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_history_of_an_upload_is_as_its_model(acts in proptest::collection::vec(act(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(play(acts));
    }
}
