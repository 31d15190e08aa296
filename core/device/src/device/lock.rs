//! The app's lock. A locked app shows nothing and takes no edit; what the worker started goes on behind the lock: a
//! patrol's points and the camera's files are journaled, what waits is sent, the house is kept.
//!
//! The store stays open for that, so the data key stays in memory; whoever wants it gone closes the device. Unlocking
//! asks the platform's keystore, with the PIN where one is set, to unwrap the data key once more: it is the same proof
//! as opening the store. Rejected: a flag that the shell sets and clears by itself, which one forgotten screen would
//! pass by.

use std::sync::Arc;

use gridwalk_model::Timestamp;
use zeroize::Zeroizing;

use super::{Device, key_file};
use crate::error::DeviceError;
use crate::keeping::{PinKeyStore, PinRules, PinTries};
use crate::keys::{DataKey, KeyStore};
use crate::store::Store;

impl Device {
    /// Runs work that goes on while the app is locked.
    pub(super) async fn behind_lock<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store, Timestamp) -> Result<T, DeviceError> + Send + 'static,
    ) -> Result<T, DeviceError> {
        self.shared.core.call_behind_lock(work).await
    }

    /// Locks the app, on every clone: calls that read or edit fail with [`DeviceError::Locked`] until it is unlocked.
    /// Calls that were made before are answered.
    ///
    /// # Errors
    /// [`DeviceError::Closed`].
    pub async fn lock(&self) -> Result<(), DeviceError> {
        self.shared.core.set_locked(true).await
    }

    /// Whether the app is locked.
    ///
    /// # Errors
    /// [`DeviceError::Closed`].
    pub async fn is_locked(&self) -> Result<bool, DeviceError> {
        self.shared.core.is_locked().await
    }

    /// Unlocks the app without a PIN: the keystore, which may ask for a finger or a face, unwraps the data key. A store
    /// without encryption has no key to ask for.
    ///
    /// # Errors
    /// [`DeviceError::KeyMismatch`], [`DeviceError::KeyStore`]; the app stays locked.
    pub async fn unlock(&self, key_store: Arc<dyn KeyStore>) -> Result<(), DeviceError> {
        if self.shared.encrypted {
            self.unwrapped(key_store).await?;
        }
        self.shared.core.set_locked(false).await
    }

    /// Unlocks the app with its PIN; `key_store` is that of the platform. The try is counted before it is made.
    ///
    /// # Errors
    /// [`DeviceError::TooManyTries`], [`DeviceError::KeyMismatch`] for a wrong PIN; the app stays locked.
    pub async fn unlock_with_pin(
        &self,
        key_store: Arc<dyn KeyStore>,
        pin: Zeroizing<String>,
        rules: &PinRules,
    ) -> Result<(), DeviceError> {
        self.by_pin(key_store, pin, rules).await?;
        self.shared.core.set_locked(false).await
    }

    /// Changes the PIN: the data key is wrapped anew, durably, and the store stays as it is. The old PIN is asked for, and
    /// counted, as for unlocking; a locked app stays locked. A crash leaves the one PIN or the other.
    ///
    /// # Errors
    /// As [`Self::unlock_with_pin`], [`DeviceError::Entropy`], failures of the file system; the old PIN holds then.
    pub async fn change_pin(
        &self,
        key_store: Arc<dyn KeyStore>,
        old: Zeroizing<String>,
        new: Zeroizing<String>,
        rules: &PinRules,
    ) -> Result<(), DeviceError> {
        let key = self.by_pin(Arc::clone(&key_store), old, rules).await?;
        let wrapping = self.behind_lock(move |store, _| store.pin_key_store(key_store, new)).await?;
        let folder = self.shared.folder.clone();
        let storing = tokio::task::spawn_blocking(move || key_file::store(&folder, &key, &wrapping));
        storing.await.map_err(|_| DeviceError::Closed)?
    }

    async fn by_pin(
        &self,
        key_store: Arc<dyn KeyStore>,
        pin: Zeroizing<String>,
        rules: &PinRules,
    ) -> Result<DataKey, DeviceError> {
        let folder = &self.shared.folder;
        PinTries::begin(folder, rules, self.now())?;
        let key = self.unwrapped(Arc::new(PinKeyStore::reading(key_store, pin))).await?;
        PinTries::succeeded(folder)?;
        Ok(key)
    }

    /// The data key, if this keystore unwraps it; off the threads that wait, since a PIN takes its time.
    async fn unwrapped(&self, key_store: Arc<dyn KeyStore>) -> Result<DataKey, DeviceError> {
        let folder = self.shared.folder.clone();
        let loading = tokio::task::spawn_blocking(move || key_file::load(&folder, key_store.as_ref()));
        loading.await.map_err(|_| DeviceError::Closed)?
    }
}
