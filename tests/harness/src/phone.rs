//! A phone: the real device crate with an encrypted store of its own in a folder.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use gridwalk_device::device::{Device, DeviceOptions};
use gridwalk_device::{DeviceError, Status};
use gridwalk_model::{DeviceId, RecordId, StreamId};
use gridwalk_replica::digest::{Fingerprint, StreamDigest};
use tokio::runtime::Handle;

use crate::error::HarnessError;

/// An open phone. The last clone that goes closes its store and waits for that.
#[derive(Clone)]
pub struct Phone {
    name: String,
    folder: PathBuf,
    device: Arc<Closing>,
}

/// A device that is closed when it goes. A test may forget it right before its process ends, and a process that ends
/// while a store is being closed crashes.
pub struct Closing {
    device: Device,
    runtime: Handle,
}

impl Closing {
    /// Takes a device over. Needs a tokio runtime.
    pub fn new(device: Device) -> Self {
        Self { device, runtime: Handle::current() }
    }
}

impl Deref for Closing {
    type Target = Device;

    fn deref(&self) -> &Device {
        &self.device
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        let (device, runtime) = (self.device.clone(), self.runtime.clone());
        // The runtime's own threads may not wait for it.
        let closing = thread::spawn(move || runtime.block_on(device.close()));
        // It may be closed already, or by a failed test not be fit to be.
        let _ = closing.join();
    }
}

/// A stream as a phone holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct PhoneStream {
    /// Sum of its records' fingerprints.
    pub digest: StreamDigest,
    /// Its records with their fingerprints.
    pub records: Vec<(RecordId, Fingerprint)>,
}

impl Phone {
    /// Opens the phone in a folder, which is made if need be. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`HarnessError::Phone`].
    pub async fn open(name: &str, folder: &Path) -> Result<Self, HarnessError> {
        Self::open_with(name, folder, |_| {}).await
    }

    /// The same, with other settings.
    ///
    /// # Errors
    /// [`HarnessError::Phone`].
    pub async fn open_with(
        name: &str,
        folder: &Path,
        change: impl FnOnce(&mut DeviceOptions),
    ) -> Result<Self, HarnessError> {
        let mut options = DeviceOptions::host(folder);
        change(&mut options);
        let device = Device::open(options).await.map_err(failed(name))?;
        Ok(Self { name: name.to_owned(), folder: folder.to_owned(), device: Arc::new(Closing::new(device)) })
    }

    /// Opens a phone and enrols it with a one-time code.
    ///
    /// # Errors
    /// [`HarnessError::Phone`].
    pub async fn enrol(name: &str, folder: &Path, url: &str, code: &str) -> Result<Self, HarnessError> {
        let phone = Self::open(name, folder).await?;
        phone.join(url, code).await?;
        Ok(phone)
    }

    /// Enrols an open phone with a one-time code.
    ///
    /// # Errors
    /// [`HarnessError::Phone`].
    pub async fn join(&self, url: &str, code: &str) -> Result<(), HarnessError> {
        self.device.enrol(url, code, &self.name).await.map_err(self.failed())?;
        Ok(())
    }

    /// What it is called in the test.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its store is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The device itself.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Turns an error of the device into one that names this phone.
    pub fn failed(&self) -> impl FnOnce(DeviceError) -> HarnessError + use<> {
        failed(&self.name)
    }

    /// The device's identifier, and the person's.
    ///
    /// # Errors
    /// [`HarnessError::Phone`] if it is not enrolled.
    pub async fn identity(&self) -> Result<(DeviceId, RecordId), HarnessError> {
        let identity = self
            .device
            .with_store(|store, _| store.identity().ok_or(DeviceError::NotEnrolled))
            .await
            .map_err(self.failed())?;
        Ok((identity.device, identity.user))
    }

    /// Takes the network away, or gives it back.
    ///
    /// # Errors
    /// [`HarnessError::Phone`].
    pub fn set_online(&self, online: bool) -> Result<(), HarnessError> {
        self.device.set_network(online, online).map_err(self.failed())
    }

    /// Synchronises until all is sent or `tries` are used up.
    ///
    /// # Errors
    /// [`HarnessError::Phone`]; a failing network is no error but stands in the status.
    pub async fn settle(&self, tries: u32) -> Result<Settled, HarnessError> {
        let mut failures = 0;
        let mut status = self.device.sync().await.map_err(self.failed())?;
        for _ in 1..tries {
            if status.is_settled() && status.last_error.is_none() {
                break;
            }
            failures += u32::from(status.last_error.is_some());
            status = self.device.sync().await.map_err(self.failed())?;
        }
        Ok(Settled { status, failures })
    }

    /// Every stream that the phone holds, added up from its records.
    ///
    /// # Errors
    /// [`HarnessError::Phone`].
    pub async fn streams(&self) -> Result<BTreeMap<StreamId, PhoneStream>, HarnessError> {
        self.device
            .with_store(|store, _| {
                let mut streams = BTreeMap::new();
                for (stream, _) in store.streams()? {
                    let records = store.fingerprints(&stream)?;
                    let digest = records.iter().fold(StreamDigest::default(), |sum, (_, one)| sum.with(*one));
                    streams.insert(stream, PhoneStream { digest, records });
                }
                Ok(streams)
            })
            .await
            .map_err(self.failed())
    }

    /// Closes the store, so that it can be opened again, by this process or another one.
    ///
    /// # Errors
    /// [`HarnessError::Phone`].
    pub async fn close(&self) -> Result<(), HarnessError> {
        self.device.close().await.map_err(self.failed())
    }
}

/// What came of [`Phone::settle`].
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// How things stand now.
    pub status: Status,
    /// Tries that ended with an error.
    pub failures: u32,
}

/// For `map_err` on the device's functions.
pub fn failed(name: &str) -> impl FnOnce(DeviceError) -> HarnessError + use<> {
    let phone = name.to_owned();
    move |error| HarnessError::Phone { phone, reason: error.to_string() }
}
