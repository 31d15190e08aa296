//! What needs the worker's decision or patience.

use super::Device;
use crate::error::DeviceError;
use crate::keeping::KeepingLimits;
use crate::work::tray::{Settlement, TrayItem, TrayKey, TrayValue, Undo};

impl Device {
    /// What needs a decision or patience: see [`crate::Store::tray`].
    ///
    /// # Errors
    /// As there.
    pub async fn tray(&self) -> Result<Vec<TrayItem>, DeviceError> {
        self.with_store(|store, now| store.tray(now)).await
    }

    /// The values of an item in full, for a purpose: see [`crate::Store::reveal`].
    ///
    /// # Errors
    /// As there.
    pub async fn reveal(
        &self,
        key: TrayKey,
        purpose: &str,
        limits: KeepingLimits,
    ) -> Result<Vec<TrayValue>, DeviceError> {
        let purpose = purpose.to_owned();
        self.with_store(move |store, now| store.reveal(&key, &purpose, &limits, now)).await
    }

    /// Settles an item of the tray: see [`crate::Store::settle`].
    ///
    /// # Errors
    /// As there.
    pub async fn settle(&self, key: TrayKey, how: Settlement) -> Result<Undo, DeviceError> {
        self.at_work(move |store, now| store.settle(&key, how, now)).await
    }

    /// Takes a settlement back: see [`crate::Store::undo_settlement`].
    ///
    /// # Errors
    /// As there.
    pub async fn undo_settlement(&self, undo: Undo) -> Result<(), DeviceError> {
        self.at_work(move |store, now| store.undo_settlement(undo, now)).await
    }
}
