//! Tests of engine and store together, with a scripted server: plain loops, no threads, no network.

#![cfg(test)]

mod basics;
mod clones;
mod conflicts;
mod engine;
mod epochs;
mod faults;
mod grants;
mod refusals;
mod repairs;
mod versions;

use gridwalk_model::Timestamp;

use crate::store::{Faults, Store};
use crate::sync::{Engine, EngineConfig};
use crate::testkit::{Script, store_with};

/// A phone: a store with its engine.
pub(crate) struct Phone {
    pub(crate) store: Store,
    pub(crate) engine: Engine,
}

impl Phone {
    pub(crate) fn new(n: u8) -> Self {
        Self::with(n, Faults::none())
    }

    pub(crate) fn with(n: u8, faults: Faults) -> Self {
        Self { store: store_with(n, faults), engine: Engine::new(EngineConfig::default()) }
    }

    /// One that has its grants already.
    pub(crate) fn joined(n: u8, server: &mut Script) -> Self {
        let mut phone = Self::new(n);
        phone.sync(server, crate::testkit::at(0));
        phone
    }

    pub(crate) fn sync(&mut self, server: &mut Script, now: Timestamp) -> usize {
        let requests = server.sync(&mut self.engine, &mut self.store, now);
        crate::testkit::check_digests(&self.store);
        requests
    }

    pub(crate) fn waiting(&self) -> u64 {
        self.store.totals().unwrap().changes.count
    }
}
