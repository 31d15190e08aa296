//! A whole day of a gridworker, killed fifty times, ends with the records of a day on which nothing happened; and the
//! phone stays small (issue 3: peak memory ≤ 120 MB, store ≤ 60 MB without full photos). All data is made up.
//!
//! Real processes with a real, encrypted store. The phone says each act and waits; it is told to go on and killed a
//! seeded amount of work later, somewhere within the next act.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::fs;
use std::path::Path;
use std::process::Command;

use gridwalk_device::Device;
use gridwalk_e2e::Town;
use gridwalk_e2e::day::life::{Life, sizes};
use gridwalk_e2e::day::{self, records, world};
use gridwalk_e2e::measure::Stopwatch;
use gridwalk_e2e::sound::assert_phone_sound;
use gridwalk_harness::phone::Phone;
use gridwalk_harness::seeded::Seeded;
use gridwalk_model::photo::{PhotoRef, PhotoRole};
use gridwalk_model::records::{BaseVerification, Event, Inspection, Visit};
use gridwalk_model::{Kind, RecordId};
use sha2::{Digest as _, Sha256};

const KILLS: usize = 50;
const MEMORY_MB: f64 = 120.0;
const STORE_MB: f64 = 60.0;

fn begin(phone: &Path, camera: &Path, area: RecordId) -> Life {
    Life::begin(Command::new(env!("CARGO_BIN_EXE_gridwalk-e2e-day")), phone, camera, area)
}

/// Some work without meaning: where in its next act the phone is by then nobody knows, but that it varies is sure.
fn dawdle(seeded: &mut Seeded) {
    let mut hash = [0; 32];
    for _ in 0..seeded.below(12_000) {
        hash = Sha256::digest(hash).into();
    }
    assert_ne!(hash, [1; 32]);
}

/// What the day had to come to, whatever happened in it.
async fn assert_whole(device: &Device) {
    let (inspections, events, verifications, visits) = device
        .with_store(|store, _| {
            let numbered = |event: &Event| event.number.is_some();
            let events = store.list::<Event>(None, usize::MAX)?.entries.into_iter().map(|entry| entry.record);
            let inspections = store.list::<Inspection>(None, usize::MAX)?.entries;
            Ok((
                inspections.into_iter().map(|entry| entry.record).collect::<Vec<_>>(),
                events.filter(numbered).collect::<Vec<_>>(),
                store.list::<BaseVerification>(None, usize::MAX)?.entries.len(),
                store.list::<Visit>(None, usize::MAX)?.entries.len(),
            ))
        })
        .await
        .unwrap();
    assert_eq!((verifications, visits), (day::DOORS, day::VISITS));
    assert_eq!((inspections.len(), events.len()), (day::INSPECTIONS, day::EVENTS));
    assert!(inspections.iter().all(|inspection| inspection.ended_at.is_some()));
    let photos = inspections.iter().flat_map(|one| one.photos.values());
    let photos = photos.chain(events.iter().flat_map(|one| one.photos.values()));
    let drawn = |bytes: &&Vec<u8>| PhotoRef::from_bytes(bytes).unwrap().role == PhotoRole::Signature;
    assert_eq!(photos.filter(|bytes| !drawn(bytes)).count(), day::PHOTOS);
    let tray = device.draft_tray().await.unwrap();
    assert_eq!(tray.drafts, Vec::new(), "reports left over");
}

async fn look(folder: &Path) -> (Vec<String>, f64) {
    assert_phone_sound(folder);
    let phone = Phone::open("day", folder).await.unwrap();
    let device = phone.device();
    assert!(device.with_store(|store, _| Ok(store.salvaged().is_none())).await.unwrap());
    assert_whole(device).await;
    let records = records::of(device).await.unwrap();
    let (all, full) = sizes(folder, device).await;
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    println!(
        "{} records; {:.1} MB of files, {:.1} MB of them full photos",
        records.len(),
        megabytes(all),
        megabytes(full)
    );
    phone.close().await.unwrap();
    (records, megabytes(all - full))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_is_killed_fifty_times_ends_with_the_same_records() {
    let watch = Stopwatch::start();
    let mut town = Town::start();
    town.office().publish(Kind::Checklist, &world::checklist()).unwrap();
    let area = town.grid(0);
    let camera = town.path("camera");
    world::take_photos(&camera);
    println!("made-up photos: {:?}", watch.elapsed());
    // The same phone twice. The server is gone from here on: what it adds would tell the two days apart.
    town.phone("calm", &[0]).await.close().await.unwrap();
    town.stop();
    let [calm, killed] = ["calm", "killed"].map(|name| town.phone_folder(name));
    fs::create_dir(&killed).unwrap();
    for file in fs::read_dir(&calm).unwrap().map(Result::unwrap) {
        fs::copy(file.path(), killed.join(file.file_name())).unwrap();
    }

    let watch = Stopwatch::start();
    let (acts, mut peak_kib) = begin(&calm, &camera, area).finish();
    println!("{acts} acts on a calm day, {:?}", watch.elapsed());
    let (expected, store_mb) = look(&calm).await;

    let watch = Stopwatch::start();
    let mut seeded = Seeded::for_subject(3, "a day killed fifty times");
    // Three quarters of the day on average, so that all kills fall into it; the last life does the rest.
    let longest = acts * 3 / 2 / KILLS;
    for _ in 0..KILLS {
        let mut life = begin(&killed, &camera, area);
        for _ in 0..=seeded.below(longest) {
            assert_ne!(life.listen(), "evening", "the day was over before the last kill");
            life.go_on();
        }
        dawdle(&mut seeded);
        peak_kib = peak_kib.max(life.kill());
    }
    let (rest, peak) = begin(&killed, &camera, area).finish();
    peak_kib = peak_kib.max(peak);
    println!("{KILLS} kills, {rest} acts after the last, {:?}", watch.elapsed());
    let (records, killed_mb) = look(&killed).await;
    for (ours, theirs) in records.iter().zip(&expected) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(records.len(), expected.len());

    let (peak_mb, store_mb) = (peak_kib as f64 * 1024.0 / 1e6, store_mb.max(killed_mb));
    println!("peak memory {peak_mb:.1} MB, store without full photos {store_mb:.1} MB");
    assert!(peak_mb <= MEMORY_MB, "{peak_mb} MB of memory");
    assert!(store_mb <= STORE_MB, "{store_mb} MB of store");
}
