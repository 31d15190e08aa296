//! For tests: stores in memory, a made-up worker, and a script of what a server answers, made with the replica's own
//! functions.

#![cfg(test)]

mod server;

use gridwalk_model::records::{Dwelling, Resident};
use gridwalk_model::{AccessClass, DeviceId, Fields, Record, RecordId, StreamId, Timestamp, Value};

use crate::clock::SeededEntropy;
use crate::store::{Faults, Store, StoreConfig};

pub(crate) use server::{Script, answer};

pub(crate) const GRID: RecordId = RecordId::from_bytes([7; 16]);
pub(crate) const USER: RecordId = RecordId::from_bytes([8; 16]);

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + millis)
}

pub(crate) fn stream() -> StreamId {
    StreamId::Area { area: GRID, class: AccessClass::Base }
}

pub(crate) fn device(n: u8) -> DeviceId {
    DeviceId::from_bytes([n; 12])
}

/// An enrolled store in memory without streams.
pub(crate) fn store(n: u8) -> Store {
    store_with(n, Faults::none())
}

pub(crate) fn store_with(n: u8, faults: Faults) -> Store {
    store_of(n, USER, faults)
}

/// The store of another person.
pub(crate) fn store_of(n: u8, user: RecordId, faults: Faults) -> Store {
    let config = StoreConfig { faults, ..StoreConfig::memory() };
    let mut store = Store::open(config, Box::new(SeededEntropy::new(u64::from(n)))).unwrap();
    store.enrol(device(n), user, "测试员（虚构）", "虚构区").unwrap();
    store
}

/// The same device with other randomness: after a reinstall.
pub(crate) fn store_seeded(n: u8, seed: u64) -> Store {
    let mut store = Store::open(StoreConfig::memory(), Box::new(SeededEntropy::new(seed))).unwrap();
    store.enrol(device(n), USER, "测试员（虚构）", "虚构区").unwrap();
    store
}

pub(crate) fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect()
}

/// A made-up dwelling of the test grid.
pub(crate) fn dwelling(building: &str, room: &str) -> Dwelling {
    let mut all = fields(&[("estate", "阳光里"), ("building", building), ("room", room)]);
    all.insert("area".into(), Value::from(GRID));
    Dwelling::from_fields(&all).unwrap()
}

/// A made-up resident.
pub(crate) fn resident(name: &str, phone: &str) -> Resident {
    Resident::from_fields(&fields(&[("name", name), ("phone", phone)])).unwrap()
}

/// The digests that are kept are those of the records.
pub(crate) fn check_digests(store: &Store) {
    for stream in store.view().streams().unwrap() {
        assert_eq!(stream.digest, store.view().digest_from_records(stream.key).unwrap(), "{:?}", stream.id);
    }
}

/// A made-up reference to a photo, encoded.
pub(crate) fn photo_reference() -> Value {
    use gridwalk_model::ContentHash;
    use gridwalk_model::photo::{PhotoRef, PhotoRole, PhotoSource};
    let photo = PhotoRef {
        hash: ContentHash::from_bytes([1; 32]),
        preview_hash: None,
        original_hash: None,
        bytes: 1,
        taken_at: None,
        position: None,
        role: PhotoRole::Scene,
        source: PhotoSource::Camera,
        width: 1,
        height: 1,
        perceptual: None,
        mock_location: None,
        signature: None,
        pair: None,
        link: None,
        reuse: None,
        blurred: None,
    };
    Value::Bytes(photo.to_bytes())
}

/// A made-up picture as a camera's file.
pub(crate) fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            pixels.extend([(x % 256) as u8, (y % 256) as u8, ((x / 8 + y / 8) % 256) as u8]);
        }
    }
    let mut out = Vec::new();
    jpeg_encoder::Encoder::new(&mut out, 85)
        .encode(&pixels, width, height, jpeg_encoder::ColorType::Rgb)
        .unwrap();
    out
}
