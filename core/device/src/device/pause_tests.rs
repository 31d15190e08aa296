//! A pause: no thread touches the store from its return until the device goes on.

use std::collections::BTreeMap;
use std::path::Path;

use gridwalk_model::ContentHash;

use super::*;
use crate::NetError;
use crate::photo::CaptureFacts;
use crate::store::Lane;
use crate::testkit::{GRID, USER, at, device, dwelling, fields, jpeg};

/// What every file of the store says, those of the write-ahead logs included.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).unwrap()))
        .collect()
}

async fn with_photo(folder: &Path) -> (Device, ContentHash) {
    let phone = Device::open(DeviceOptions::host(folder)).await.unwrap();
    phone.with_store(|store, _| store.enrol(device(1), USER, "测试员（虚构）", "虚构区")).await.unwrap();
    let mut event = fields(&[("category", "fire_safety"), ("address", "东门")]);
    event.insert("area".into(), Value::from(GRID));
    let id = phone.create_fields(Kind::Event, event).await.unwrap();
    let facts = CaptureFacts::camera(at(0), "W01".into());
    phone.add_photo(id, jpeg(320, 240), facts, None).await.unwrap();
    let first = |store: &mut Store, now| store.view().uploads_waiting(Lane::Full, now, 1);
    let hash = phone.with_store(first).await.unwrap()[0].hash;
    (phone, hash)
}

#[tokio::test]
async fn what_comes_of_cancelled_work_waits_until_the_device_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (phone, hash) = with_photo(folder.path()).await;
    phone.pause().await.unwrap();
    let before = files(folder.path());
    assert!(before.iter().filter(|(name, _)| name.ends_with("-wal")).all(|(_, log)| log.is_empty()));
    let core = &phone.shared.core;
    // What tasks of the driver tell when their request is cancelled a moment too late, and what they read.
    core.event(Event::Uploading { hash, url: "/v1/files/late".into(), offset: 7 }).await.unwrap();
    core.post(Event::Uploaded { n: 1, hash, result: Err(NetError::Cancelled) }).unwrap();
    core.post(Event::Tick).unwrap();
    core.post(Event::Edited).unwrap();
    phone.set_network(true, true).unwrap();
    let piece = core.call_behind_lock(move |store, _| store.media_piece(&hash, 0)).await;
    assert!(matches!(piece, Err(DeviceError::Paused)));
    assert!(matches!(phone.create(dwelling("3号楼", "501")).await, Err(DeviceError::Paused)));
    assert!(matches!(phone.status().await, Err(DeviceError::Paused)));
    assert!(matches!(phone.sync().await, Err(DeviceError::Paused)));
    phone.pause().await.unwrap();
    assert!(!phone.is_locked().await.unwrap(), "answered after all of these");
    assert_eq!(files(folder.path()), before);

    phone.resume().await.unwrap();
    let first = |store: &mut Store, now| store.view().uploads_waiting(Lane::Full, now, 1);
    let upload = phone.with_store(first).await.unwrap().remove(0);
    assert_eq!((upload.url.as_deref(), upload.offset), (Some("/v1/files/late"), 7), "nothing was lost");
    phone.create(dwelling("3号楼", "501")).await.unwrap();
    phone.close().await.unwrap();
}

#[tokio::test]
async fn a_paused_device_can_be_closed_and_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let (phone, _) = with_photo(folder.path()).await;
    phone.pause().await.unwrap();
    phone.close().await.unwrap();
    let again = Device::open(DeviceOptions::host(folder.path())).await.unwrap();
    assert_eq!(again.status().await.unwrap().totals.photos.count, 1);
    again.close().await.unwrap();
}
