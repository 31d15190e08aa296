//! Locked, unlocked, and with another PIN.

use std::sync::Arc;

use gridwalk_model::geo::{Fix, LatLon, TrackPoint};
use gridwalk_model::records::Dwelling;
use gridwalk_model::walk::PatrolRules;
use zeroize::Zeroizing;

use super::*;
use crate::keeping::{PinRules, PinTries};
use crate::photo::CaptureFacts;
use crate::testkit::{GRID, USER, at, device, dwelling, jpeg};

fn pin(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

fn key_store() -> Arc<dyn KeyStore> {
    Arc::new(UnprotectedKeyStore)
}

async fn with_pin(folder: &std::path::Path, text: &str) -> Result<Device, DeviceError> {
    Device::open_with_pin(DeviceOptions::host(folder), pin(text), &PinRules::default()).await
}

async fn enrol(phone: &Device) {
    phone.with_store(|store, _| store.enrol(device(1), USER, "测试员（虚构）", "虚构区")).await.unwrap();
}

#[tokio::test]
async fn a_locked_app_shows_nothing_and_goes_on_behind_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let phone = with_pin(folder.path(), "2468").await.unwrap();
    enrol(&phone).await;
    let home = phone.create(dwelling("3号楼", "501")).await.unwrap();
    let patrol = phone.start_patrol(GRID).await.unwrap();
    let clone = phone.clone();
    phone.lock().await.unwrap();
    assert!(clone.is_locked().await.unwrap());
    assert!(matches!(clone.get::<Dwelling>(home).await, Err(DeviceError::Locked)));
    assert!(matches!(clone.create(dwelling("1", "1")).await, Err(DeviceError::Locked)));
    assert!(matches!(clone.tray().await, Err(DeviceError::Locked)));
    let fix = Fix { at: patrol.started_at.plus_millis(1), point: LatLon { lat: 36.1, lon: 120.47 } };
    phone.journal_points(vec![TrackPoint::bare(fix)], false, PatrolRules::default()).await.unwrap();
    let facts = CaptureFacts::camera(at(0), "W01".into());
    phone.journal_photo(jpeg(96, 72), facts).await.unwrap();
    assert_eq!(phone.sync().await.unwrap().totals.captures, 1);
    phone.pause().await.unwrap();
    phone.resume().await.unwrap();
    let rules = PinRules::default();
    let wrong = phone.unlock_with_pin(key_store(), pin("1357"), &rules).await;
    assert!(matches!(wrong, Err(DeviceError::KeyMismatch)));
    assert!(phone.unlock(key_store()).await.is_err(), "the PIN is part of the wrapping");
    assert!(phone.is_locked().await.unwrap());
    assert_eq!(PinTries::read(folder.path()).unwrap().wrong, 1);
    phone.unlock_with_pin(key_store(), pin("2468"), &rules).await.unwrap();
    assert_eq!(PinTries::read(folder.path()).unwrap().wrong, 0);
    assert!(clone.get::<Dwelling>(home).await.unwrap().is_some());
    phone.close().await.unwrap();
}

#[tokio::test]
async fn too_many_wrong_pins_close_the_lock_for_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let phone = with_pin(folder.path(), "2468").await.unwrap();
    phone.lock().await.unwrap();
    let rules = PinRules { free: 1, waits_ms: vec![60_000] };
    let wrong = phone.unlock_with_pin(key_store(), pin("0000"), &rules).await;
    assert!(matches!(wrong, Err(DeviceError::KeyMismatch)));
    let right = phone.unlock_with_pin(key_store(), pin("2468"), &rules).await;
    assert!(matches!(right, Err(DeviceError::TooManyTries { .. })));
    assert!(phone.is_locked().await.unwrap());
}

#[tokio::test]
async fn another_pin_opens_the_same_store() {
    let folder = tempfile::tempdir().unwrap();
    let phone = with_pin(folder.path(), "2468").await.unwrap();
    enrol(&phone).await;
    let home = phone.create(dwelling("3号楼", "501")).await.unwrap();
    let rules = PinRules::default();
    let wrong = phone.change_pin(key_store(), pin("1111"), pin("9999"), &rules).await;
    assert!(matches!(wrong, Err(DeviceError::KeyMismatch)));
    phone.lock().await.unwrap();
    phone.change_pin(key_store(), pin("2468"), pin("9999"), &rules).await.unwrap();
    assert!(phone.is_locked().await.unwrap(), "changing is not unlocking");
    let old = phone.unlock_with_pin(key_store(), pin("2468"), &rules).await;
    assert!(matches!(old, Err(DeviceError::KeyMismatch)));
    phone.unlock_with_pin(key_store(), pin("9999"), &rules).await.unwrap();
    phone.close().await.unwrap();
    assert!(matches!(with_pin(folder.path(), "2468").await, Err(DeviceError::KeyMismatch)));
    let again = with_pin(folder.path(), "9999").await.unwrap();
    assert!(again.get::<Dwelling>(home).await.unwrap().is_some());
    again.close().await.unwrap();
}

#[tokio::test]
async fn without_a_pin_the_keystore_unlocks() {
    let folder = tempfile::tempdir().unwrap();
    let phone = Device::open(DeviceOptions::host(folder.path())).await.unwrap();
    phone.lock().await.unwrap();
    phone.unlock(key_store()).await.unwrap();
    assert!(!phone.is_locked().await.unwrap());
}
