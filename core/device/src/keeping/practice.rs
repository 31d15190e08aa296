//! Practice: a store for training. It works like any other and can never reach a server: it cannot be enrolled, it has
//! no address, and the engine asks for nothing.
//!
//! A store is for practice from its first moment or never. Rejected: a switch in the real store that holds changes
//! back. One forgotten switch would mix the two.

use gridwalk_model::{DeviceId, RecordId};

use crate::error::DeviceError;
use crate::store::{Commit, Setting, Store, View};

impl View<'_> {
    pub(crate) fn is_practice(&self) -> Result<bool, DeviceError> {
        Ok(self.get_number(Setting::Practice)? == Some(1))
    }
}

impl Store {
    /// Makes an empty store one for practice, with a made-up person. On one that is for practice already it does
    /// nothing.
    ///
    /// # Errors
    /// [`DeviceError::AlreadyEnrolled`] for a store with real work in it.
    pub fn begin_practice(&mut self) -> Result<(), DeviceError> {
        if self.is_practice()? {
            return Ok(());
        }
        if self.identity().is_some() || self.totals()?.records > 0 {
            return Err(DeviceError::AlreadyEnrolled);
        }
        let device = DeviceId::from_bytes(self.random()?);
        let user = RecordId::from_bytes(self.random()?);
        // The mark goes first: a crash in between leaves a store that can only be made one for practice.
        self.write(Commit::Setting, |tx| tx.put_number(Setting::Practice, 1))?;
        self.bind(device, user, "练习", "练习")?;
        Ok(())
    }

    /// Whether this store is for practice.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn is_practice(&self) -> Result<bool, DeviceError> {
        Ok(self.view().is_practice()? && self.identity().is_some())
    }
}
