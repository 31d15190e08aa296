//! A full disk on either side (Must hold 10): an error that names itself, and work that goes on after space returns.
//!
//! The server's disk is a small file system in memory, in a mount namespace of its own that ends with the test; that
//! takes root, or user namespaces.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test")]

use std::env;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use gridwalk_device::DeviceError;
use gridwalk_device::keeping::{KeepingLimits, PhoneState};
use gridwalk_device::photo::CaptureFacts;
use gridwalk_e2e::Town;
use gridwalk_e2e::sound::{assert_phone_sound, assert_server_sound};
use gridwalk_e2e::town::{dwelling, event, field, fields, has, set, settle, settle_all};
use gridwalk_harness::phone::Phone;
use gridwalk_harness::photos;
use gridwalk_harness::scene::Hazard;
use gridwalk_harness::seeded::Seeded;
use gridwalk_model::{Kind, RecordId};

/// Says that this process is the one in the namespace.
const INSIDE: &str = "GRIDWALK_E2E_SMALL_DISK";

async fn spare(phone: &Phone, pages: Option<u32>) {
    phone.device().with_store(move |store, _| store.limit_pages(pages)).await.unwrap();
}

async fn try_to_write(phone: &Phone, area: RecordId, number: u32) -> Result<RecordId, DeviceError> {
    let remarks = format!("{number}{}", "满".repeat(400));
    let fields =
        fields(&[("area", area.into()), ("room", number.to_string().into()), ("remarks", remarks.into())]);
    phone.device().create_fields(Kind::Dwelling, fields).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_phone_says_so_and_goes_on_after_space_returns() {
    let town = Town::start();
    let (phone, other) = (town.phone("满机", &[0]).await, town.phone("同事", &[0]).await);
    let first = dwelling(&phone, town.grid(0), "1").await;
    settle_all(&[&phone, &other]).await;
    spare(&phone, Some(2)).await;
    let mut kept = vec![first];
    let refused = loop {
        match try_to_write(&phone, town.grid(0), kept.len() as u32).await {
            Ok(record) => kept.push(record),
            Err(error) => break error,
        }
        assert!(kept.len() < 500, "it never fills");
    };
    assert!(matches!(refused, DeviceError::StorageFull), "{refused:?}");
    assert!(refused.zh().contains("已满") && refused.en().contains("full"), "{}", refused.zh());
    // Reading goes on, and what was acknowledged is there.
    for record in &kept {
        assert!(has(&phone, *record).await);
    }
    // What others wrote does not fit either; the status says why, and nothing is half taken.
    for number in 0..60 {
        try_to_write(&other, town.grid(0), 1_000 + number).await.unwrap();
    }
    settle(&other).await;
    let outcome = phone.device().sync().await;
    let status = phone.device().status().await.unwrap();
    let said = status.last_error.clone().map(|error| error.en);
    assert!(said.as_ref().is_some_and(|said| said.contains("full")), "{outcome:?} {status:?}");
    spare(&phone, None).await;
    settle_all(&[&phone, &other]).await;
    kept.push(try_to_write(&phone, town.grid(0), 9_999).await.unwrap());
    settle_all(&[&phone, &other]).await;
    for record in &kept {
        assert!(has(&other, *record).await);
    }
    for phone in [&phone, &other] {
        town.assert_agrees(phone).await;
    }
    phone.close().await.unwrap();
    assert_phone_sound(phone.folder());
}

/// Runs a test of this file again in a mount namespace of its own; whether this process is outside of it.
fn outside(test: &str) -> bool {
    if env::var_os(INSIDE).is_some() {
        return false;
    }
    let root = fs::metadata("/proc/self").map(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0).unwrap();
    let flags: &[&str] = if root { &["--mount"] } else { &["--mount", "--user", "--map-root-user"] };
    let status = Command::new("unshare")
        .args(flags)
        .arg(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .status()
        .expect("unshare of util-linux");
    assert!(status.success(), "failed in its namespace; this test needs root or user namespaces");
    true
}

fn mount(size: &str, at: &Path) {
    fs::create_dir_all(at).unwrap();
    let options = format!("size={size},mode=700");
    let status =
        Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(at).status().unwrap();
    assert!(status.success(), "cannot mount a small file system");
}

/// Free bytes of a file system.
fn free(folder: &Path) -> u64 {
    let out =
        Command::new("df").args(["--output=avail", "-B1"]).arg(folder).output().expect("df of coreutils");
    String::from_utf8_lossy(&out.stdout).lines().nth(1).and_then(|line| line.trim().parse().ok()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_twenty_megabytes_left_text_is_saved_and_photos_are_refused() {
    if outside("with_twenty_megabytes_left_text_is_saved_and_photos_are_refused") {
        return;
    }
    let town = Town::start();
    mount("48m", &town.phone_folder("小盘"));
    let phone = town.phone("小盘", &[0]).await;
    let event = event(&phone, town.grid(0), "虚构：小盘").await;
    settle(&phone).await;
    let limits = KeepingLimits::default();
    let excess = free(phone.folder()).checked_sub(limits.text_free_bytes).unwrap();
    fs::write(phone.folder().join("ballast"), vec![1; usize::try_from(excess).unwrap()]).unwrap();
    let left = free(phone.folder());
    assert!(left <= limits.text_free_bytes, "{left}");
    let state = PhoneState { free_bytes: Some(left), ..PhoneState::default() };
    assert!(phone.device().set_phone_state(state, &limits).await.unwrap().storage);
    let original = photos::jpeg(&mut Seeded::new(8), (640, 480), Hazard::Rubbish, None).unwrap();
    let facts = CaptureFacts::camera(phone.device().now(), "W1".into());
    let refused = phone.device().add_photo(event, original, facts, None).await;
    assert!(matches!(refused, Err(DeviceError::StorageFull)), "{refused:?}");
    let mut kept = Vec::new();
    for number in 0..1_000 {
        kept.push(try_to_write(&phone, town.grid(0), number).await.unwrap());
    }
    settle(&phone).await;
    town.assert_agrees(&phone).await;
    for record in &kept {
        assert!(has(&phone, *record).await);
    }
    phone.close().await.unwrap();
    assert_phone_sound(phone.folder());
}

/// Fills a file system to its last byte.
fn fill(ballast: &Path) {
    let mut file = File::create(ballast).unwrap();
    for size in [64 * 1024, 4096, 1] {
        while file.write_all(&vec![1; size]).is_ok() {}
    }
}

async fn add_photo(phone: &Phone, record: RecordId) {
    let original = photos::jpeg(&mut Seeded::new(8), (1_600, 1_200), Hazard::Rubbish, None).unwrap();
    let facts = CaptureFacts::camera(phone.device().now(), "W1".into());
    phone.device().add_photo(record, original, facts, None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_server_says_so_and_goes_on_after_space_returns() {
    if outside("a_full_server_says_so_and_goes_on_after_space_returns") {
        return;
    }
    let mut town = Town::start_with(|data| mount("48m", data));
    let phone = town.phone("网格员", &[0]).await;
    let other = town.phone("同事", &[0]).await;
    let first = dwelling(&phone, town.grid(0), "1").await;
    let event = event(&phone, town.grid(0), "虚构：满盘").await;
    settle_all(&[&phone, &other]).await;
    let ballast = town.data().join("ballast");
    for round in 0..3 {
        fill(&ballast);
        add_photo(&phone, event).await;
        for number in 0..200 {
            try_to_write(&phone, town.grid(0), round * 1_000 + number).await.unwrap();
        }
        set(&phone, first, "remarks", format!("第{round}轮")).await;
        let status = phone.device().sync().await.unwrap();
        let error = status.last_error.clone().unwrap_or_else(|| panic!("nobody noticed: {status:?}"));
        assert!(error.en.to_lowercase().contains("full") && error.zh.contains("满"), "{error:?}");
        assert!(status.totals.changes.count > 0);
        // Reading goes on.
        assert!(other.device().sync().await.unwrap().last_error.is_none());
        if round == 1 {
            town.kill();
        }
        fs::remove_file(&ballast).unwrap();
        if round == 1 {
            town.restart();
        }
        settle_all(&[&phone, &other]).await;
        assert_eq!(field(&other, first, "remarks").await, Some(format!("第{round}轮").into()));
        for phone in [&phone, &other] {
            town.assert_agrees(phone).await;
        }
    }
    town.stop();
    assert_server_sound(&town.data());
}
