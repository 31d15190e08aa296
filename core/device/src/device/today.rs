//! What is due, as the first screen calls it.

use gridwalk_model::RecordId;
use gridwalk_model::geo::LatLon;

use super::Device;
use crate::error::DeviceError;
use crate::work::today::{Today, TodayItem};

impl Device {
    /// What is due, in the order in which it is to be done: see [`crate::Store::today`].
    ///
    /// # Errors
    /// As there.
    pub async fn today(&self, here: Option<LatLon>, limit: usize) -> Result<Today, DeviceError> {
        self.with_store(move |store, now| store.today(now, here, limit)).await
    }

    /// Says that a task is done which no other work fulfils: see [`crate::Store::finish_task`].
    ///
    /// # Errors
    /// As there.
    pub async fn finish_task(&self, task: RecordId) -> Result<(), DeviceError> {
        self.at_work(move |store, now| store.finish_task(task, now)).await
    }

    /// Opens it again: see [`crate::Store::reopen_task`].
    ///
    /// # Errors
    /// As there.
    pub async fn reopen_task(&self, task: RecordId) -> Result<(), DeviceError> {
        self.at_work(move |store, now| store.reopen_task(task, now)).await
    }

    /// Takes something off the list that only had to be seen: see [`crate::Store::dismiss_due`].
    ///
    /// # Errors
    /// As there.
    pub async fn dismiss_due(&self, item: TodayItem) -> Result<(), DeviceError> {
        self.with_store(move |store, _| store.dismiss_due(&item)).await
    }

    /// Puts it back: see [`crate::Store::restore_due`].
    ///
    /// # Errors
    /// As there.
    pub async fn restore_due(&self, item: TodayItem) -> Result<(), DeviceError> {
        self.with_store(move |store, _| store.restore_due(&item)).await
    }
}
