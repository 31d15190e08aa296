//! A phone: the real store and the real engine, and what its worker was told is saved.

use std::collections::BTreeMap;

use gridwalk_device::store::Identity;
use gridwalk_device::{
    DeviceError, Effect, Engine, EngineConfig, Entropy, Event, Faults, Store, StoreConfig,
};
use gridwalk_model::{RecordId, Timestamp, Value};
use gridwalk_replica::wire::SyncRequest;

use super::Office;
use crate::seeded::Seeded;

/// Randomness of one phone.
#[derive(Clone, Debug)]
pub(crate) struct PhoneEntropy(pub(crate) Seeded);

impl Entropy for PhoneEntropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), DeviceError> {
        self.0.fill(bytes);
        Ok(())
    }
}

/// What a worker was told is saved: for each field the last value that this phone wrote.
pub(crate) type Acknowledged = BTreeMap<(RecordId, String), Value>;

/// One phone.
pub struct Phone {
    /// `None` only while it is being opened again.
    store: Option<Store>,
    pub(crate) engine: Engine,
    pub(crate) faults: Faults,
    pub(crate) identity: Identity,
    /// How far its clock is off, in milliseconds.
    pub(crate) skew_ms: i64,
    pub(crate) acknowledged: Acknowledged,
    pub(crate) wake: Option<Timestamp>,
    /// Edits acknowledged.
    pub(crate) edits: usize,
    /// Whether this is a copy of another phone, or was copied.
    pub(crate) cloned: bool,
    /// How often its process was started again.
    pub(crate) life: u32,
}

impl Phone {
    pub(crate) fn new(office: &Office, n: usize, random: &mut Seeded) -> Self {
        let faults = Faults::scripted();
        let config = StoreConfig { faults: faults.clone(), ..StoreConfig::memory() };
        let entropy = PhoneEntropy(Seeded::new(random.bits()));
        let mut store = Store::open(config, Box::new(entropy)).expect("a store in memory");
        let (person, device) = office.people[n];
        let identity = store.enrol(device, person, "网格员（虚构）", "虚构区").expect("enrolment");
        let skew_ms = if random.chance(0.2) { random.between(-4e6, 4e6) as i64 } else { 0 };
        Self {
            store: Some(store),
            engine: Engine::new(EngineConfig::default()),
            faults,
            identity,
            skew_ms,
            acknowledged: Acknowledged::new(),
            wake: None,
            edits: 0,
            cloned: false,
            life: 0,
        }
    }

    /// The store.
    pub(crate) fn store(&self) -> &Store {
        self.store.as_ref().expect("open")
    }

    /// The store, to write.
    pub(crate) fn store_mut(&mut self) -> &mut Store {
        self.store.as_mut().expect("open")
    }

    /// What time the phone thinks it is.
    pub(crate) fn clock(&self, now: Timestamp) -> Timestamp {
        now.plus_millis(self.skew_ms)
    }

    /// The process dies and is started again: everything that was only in memory is gone.
    pub(crate) fn restart(&mut self) {
        self.faults.clear();
        self.life += 1;
        let store = self.store.take().expect("open").reopened().expect("opens again");
        self.store = Some(store);
        self.engine = Engine::new(EngineConfig::default());
        self.wake = None;
    }

    /// A second phone with the same memory, as a restored backup of the phone is.
    pub(crate) fn copied(&mut self, seed: u64) -> Self {
        self.cloned = true;
        let store = self.store().cloned(Box::new(PhoneEntropy(Seeded::new(seed)))).expect("a copy");
        Self {
            store: Some(store),
            engine: Engine::new(EngineConfig::default()),
            faults: Faults::none(),
            identity: self.identity,
            skew_ms: self.skew_ms,
            acknowledged: Acknowledged::new(),
            wake: None,
            edits: 0,
            cloned: true,
            life: 0,
        }
    }

    /// Puts the store back to an earlier copy: the planted bug of a lost update.
    pub(crate) fn forget(&mut self, earlier: Store) {
        self.store = Some(earlier);
    }

    /// Tells the engine, and returns the request that it wants sent.
    ///
    /// A store that fails is a phone that died: it is started again.
    pub(crate) fn tell(&mut self, event: Event, now: Timestamp) -> Option<(u64, SyncRequest)> {
        let clock = self.clock(now);
        let store = self.store.as_mut().expect("open");
        let Ok(effects) = self.engine.next(event, store, clock) else {
            self.restart();
            return None;
        };
        let mut out = None;
        for effect in effects {
            match effect {
                Effect::Send { n, request } => out = Some((n, *request)),
                Effect::WakeAt(at) => self.wake = Some(at),
                Effect::AskMissing { .. }
                | Effect::HandIn { .. }
                | Effect::Upload { .. }
                | Effect::CancelAll
                | Effect::Changed
                | Effect::Wipe => {}
            }
        }
        out
    }

    /// Remembers what the worker was told is saved.
    pub(crate) fn acknowledge(&mut self, record: RecordId, fields: &gridwalk_model::Fields) {
        self.edits += 1;
        for (key, value) in fields {
            self.acknowledged.insert((record, key.clone()), value.clone());
        }
    }
}
