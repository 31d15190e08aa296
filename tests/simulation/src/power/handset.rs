//! A phone on a disk that forgets.

use std::collections::BTreeMap;

use gridwalk_device::keys::DataKey;
use gridwalk_device::store::{Encryption, Identity, Side};
use gridwalk_device::{
    DeviceError, Effect, Engine, EngineConfig, Entropy, Event, Faults, Store, StoreConfig,
};
use gridwalk_model::{DeviceId, Fields, RecordId, StreamId, Timestamp};
use gridwalk_replica::digest::Fingerprint;
use gridwalk_replica::wire::SyncRequest;

use super::{PowerPlant, failed, lacks};
use crate::seeded::Seeded;
use crate::vfs::{PowerDisk, Unsynced};

struct HandsetEntropy(Seeded);

impl Entropy for HandsetEntropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), DeviceError> {
        self.0.fill(bytes);
        Ok(())
    }
}

/// One phone.
pub(super) struct Handset {
    // Before the disk, so that it is closed while the disk is there.
    store: Option<Store>,
    disk: PowerDisk,
    config: StoreConfig,
    faults: Faults,
    /// A planted fault has killed the process.
    dead: bool,
    engine: Engine,
    random: Seeded,
    plant: Option<PowerPlant>,
    pub(super) device: DeviceId,
    /// What its worker was told is saved, in order.
    pub(super) saved: BTreeMap<RecordId, Vec<Fields>>,
}

impl Handset {
    /// A phone, enrolled. Every second one is encrypted.
    pub(super) fn new(
        (person, device): (RecordId, DeviceId),
        n: usize,
        disk: PowerDisk,
        plant: Option<PowerPlant>,
        mut random: Seeded,
    ) -> Result<Self, String> {
        let mut key = [0; 32];
        random.fill(&mut key);
        let encryption = match DataKey::from_slice(&key).filter(|_| n % 2 == 1) {
            Some(key) => Encryption::Key(key),
            None => Encryption::None,
        };
        let faults = Faults::scripted();
        let config =
            StoreConfig { faults: faults.clone(), ..StoreConfig::folder(disk.folder("phone"), encryption) };
        let engine = Engine::new(EngineConfig::default());
        let mut phone = Self {
            store: None,
            disk,
            config,
            faults,
            dead: false,
            engine,
            random,
            plant,
            device,
            saved: BTreeMap::new(),
        };
        phone.open()?;
        let store = phone.store.as_mut().ok_or("no store")?;
        let _: Identity =
            store.enrol(device, person, "网格员（虚构）", "虚构区").map_err(failed("enrolment"))?;
        Ok(phone)
    }

    fn open(&mut self) -> Result<(), String> {
        let entropy = Box::new(HandsetEntropy(Seeded::new(self.random.bits())));
        let store = Store::open(self.config.clone(), entropy).map_err(failed("opening a phone's store"))?;
        if store.salvaged().is_some() {
            return Err("a phone's store was damaged by a power cut".to_owned());
        }
        match self.plant {
            Some(PowerPlant::PhonesDoNotSync) => store.plant_synchronous_off().map_err(failed("planting"))?,
            Some(PowerPlant::DisksLie) => self.disk.lie_about_syncs(),
            _ => {}
        }
        self.store = Some(store);
        Ok(())
    }

    pub(super) fn fail_after(&self, operations: u64) {
        self.disk.fail_after(operations);
    }

    /// Makes the process die at its next commit.
    pub(super) fn die_at_commit(&self, side: Side) {
        self.faults.fail(None, side, 0);
    }

    /// Whether it must be started again.
    pub(super) fn is_dead(&self) -> bool {
        self.dead || self.disk.is_off()
    }

    fn noticed<T>(&mut self, result: Result<T, DeviceError>) -> Result<T, DeviceError> {
        self.dead |= matches!(result, Err(DeviceError::Injected));
        result
    }

    /// Cuts the power if it has not failed by itself, restores it, and starts the phone again. Sometimes the power
    /// fails a second time while it starts.
    pub(super) fn restore(&mut self, random: &mut Seeded) -> Result<(), String> {
        self.cut(random);
        if random.chance(0.3) {
            self.disk.fail_after(random.below(10) as u64);
            let opened = self.open();
            if opened.is_err() && !self.disk.is_off() {
                return opened;
            }
            self.cut(random);
        }
        self.open()
    }

    fn cut(&mut self, random: &mut Seeded) {
        if random.chance(0.5) {
            self.disk.cut(Unsynced::Lost);
        } else {
            self.disk.cut(Unsynced::Partly(random));
        }
        // What is in the memory of the old process is gone, and it writes nothing more.
        self.dead = false;
        self.faults.clear();
        self.store = None;
        self.engine = Engine::new(EngineConfig::default());
    }

    /// Writes into the store.
    pub(super) fn write(
        &mut self,
        work: impl FnOnce(&mut Store) -> Result<bool, DeviceError>,
    ) -> Result<bool, DeviceError> {
        let result = self.store.as_mut().map_or(Ok(false), work);
        self.noticed(result)
    }

    /// Tells the engine, and returns the request that it wants sent. A store that fails is a phone whose power failed.
    pub(super) fn tell(&mut self, event: Event, now: Timestamp) -> Option<(u64, SyncRequest)> {
        let result = self.engine.next(event, self.store.as_mut()?, now);
        let effects = self.noticed(result).ok()?;
        effects.into_iter().find_map(|effect| match effect {
            Effect::Send { n, request } => Some((n, *request)),
            _ => None,
        })
    }

    pub(super) fn drain(&self) -> bool {
        self.store.as_ref().is_some_and(|store| store.drain().is_ok())
    }

    fn store(&self) -> Result<&Store, String> {
        self.store.as_ref().ok_or_else(|| "a phone's store is not open".to_owned())
    }

    /// Something that the worker was told is saved and that is not there.
    pub(super) fn missing(&self) -> Result<Option<String>, String> {
        let store = self.store()?;
        if store.identity().is_none() {
            return Ok(Some("its enrolment".to_owned()));
        }
        for (record, saved) in &self.saved {
            let document = store.document(*record).map_err(failed("reading a record"))?;
            let lacking = document.map_or(Some("everything".to_owned()), |document| lacks(&document, saved));
            if let Some(lacking) = lacking {
                return Ok(Some(format!("{record} ({lacking})")));
            }
        }
        Ok(None)
    }

    pub(super) fn waiting(&self) -> Result<u64, String> {
        Ok(self.store()?.totals().map_err(failed("totals"))?.changes.count)
    }

    pub(super) fn members(&self, stream: &StreamId) -> Result<BTreeMap<RecordId, Fingerprint>, String> {
        Ok(self.store()?.fingerprints(stream).map_err(failed("fingerprints"))?.into_iter().collect())
    }
}
