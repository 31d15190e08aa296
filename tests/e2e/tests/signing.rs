//! Evidence signed by a key that the core never sees (issue: a foreign `DeviceKey`), and judged by the real server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use gridwalk_device::keys::{DeviceKey, SoftwareKey};
use gridwalk_device::photo::CaptureFacts;
use gridwalk_device::work::evidence::VoiceFacts;
use gridwalk_device::{DeviceError, SystemEntropy};
use gridwalk_e2e::Town;
use gridwalk_e2e::town::{event, settle};
use gridwalk_harness::phone::Phone;
use gridwalk_harness::photos;
use gridwalk_harness::scene::Hazard;
use gridwalk_harness::seeded::Seeded;
use gridwalk_model::RecordId;
use gridwalk_model::photo_chain::ChainState;

/// Stands for a key in a phone's hardware: it signs, fails when it is told to, and gives nothing else away.
struct HardwareKey {
    key: SoftwareKey,
    signed: AtomicU32,
    /// Signatures after which the hardware is out of order.
    works_for: u32,
}

impl DeviceKey for HardwareKey {
    fn public_key(&self) -> Result<[u8; 65], DeviceError> {
        self.key.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], DeviceError> {
        if self.signed.fetch_add(1, Ordering::SeqCst) >= self.works_for {
            return Err(DeviceError::KeyStore { reason: "out of order, for a test".into() });
        }
        self.key.sign(message)
    }
}

async fn add_photo(phone: &Phone, record: RecordId, seed: u64) {
    let original = photos::jpeg(&mut Seeded::new(seed), (640, 480), Hazard::Rubbish, None).unwrap();
    let facts = CaptureFacts::camera(phone.device().now(), "W1".into());
    phone.device().add_photo(record, original, facts, None).await.unwrap();
}

/// A made-up note of AAC frames of 64 ms.
async fn add_voice(phone: &Phone, record: RecordId) {
    let mut frame = vec![0xff, 0xf1, 0x60, 0, 13, 0x60, 0xfc];
    frame.resize(107, 7);
    let facts = VoiceFacts { recorded_at: phone.device().now(), transcript: Some("虚构".into()) };
    phone.device().add_voice(record, frame.repeat(20), facts).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_knows_what_a_foreign_key_signed() {
    let town = Town::start();
    let person = town.gridworker("网格员（虚构）", &[0]);
    let code = town.office().enrolment_code(person).unwrap();
    let key = Arc::new(HardwareKey {
        key: SoftwareKey::generate(&mut SystemEntropy).unwrap(),
        signed: AtomicU32::new(0),
        works_for: u32::MAX,
    });
    let foreign = Arc::clone(&key);
    let folder = town.phone_folder("foreign");
    let phone =
        Phone::open_with("foreign", &folder, |options| options.device_key = Some(foreign)).await.unwrap();
    phone.device().enrol(&town.url(), &code, "虚构").await.unwrap();
    settle(&phone).await;
    let record = event(&phone, town.grid(0), "虚构：签名").await;
    let before = key.signed.load(Ordering::SeqCst);
    for seed in 1..=3 {
        add_photo(&phone, record, seed).await;
        if seed == 2 {
            add_voice(&phone, record).await;
        }
    }
    let signed = key.signed.load(Ordering::SeqCst) - before;
    assert_eq!(signed, 4, "one signature a photo or voice note, and no other key");
    settle(&phone).await;
    assert_eq!(town.office().evidence_chain(record).unwrap(), [ChainState::Whole; 4]);
    phone.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_evidence_is_lost_when_the_foreign_key_fails() {
    let town = Town::start();
    let person = town.gridworker("网格员（虚构）", &[0]);
    let code = town.office().enrolment_code(person).unwrap();
    let software = SoftwareKey::generate(&mut SystemEntropy).unwrap();
    // One signature for the token that enrolment asks for; photo and voice note come too late.
    let key = Arc::new(HardwareKey { key: software, signed: AtomicU32::new(0), works_for: 1 });
    let foreign = Arc::clone(&key);
    let folder = town.phone_folder("foreign");
    let phone =
        Phone::open_with("foreign", &folder, |options| options.device_key = Some(foreign)).await.unwrap();
    phone.device().enrol(&town.url(), &code, "虚构").await.unwrap();
    settle(&phone).await;
    let record = event(&phone, town.grid(0), "虚构：签名").await;
    add_photo(&phone, record, 1).await;
    add_voice(&phone, record).await;
    settle(&phone).await;
    assert_eq!(town.office().evidence_chain(record).unwrap(), [ChainState::Unsigned; 2]);
    phone.close().await.unwrap();
}
