//! The PIN of the app's lock. It is part of the data key's wrapping, so that a phone without it holds noise, and it is
//! wrapped by the platform's keystore once more, so that it cannot be guessed away from the phone.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, Version};
use gridwalk_model::Timestamp;
use zeroize::Zeroizing;

use crate::clock::Entropy;
use crate::error::DeviceError;
use crate::keys::{DataKey, KeyStore};
use crate::store::Store;

const SALT_BYTES: usize = 16;
/// Memory in KiB and passes of Argon2id: the first recommendation of OWASP, some 0.1 s on the reference phone.
const COST: (u32, u32) = (19 * 1024, 2);
const TRIES: &str = "pin.tries";

/// A keystore that asks for a PIN beside what the platform's asks for. For one data key: the key is blinded with a pad
/// that follows from PIN and salt, and the result is wrapped by the platform's keystore. A wrong PIN gives another key,
/// which the key file's check value tells ([`DeviceError::KeyMismatch`]). A PIN is changed by
/// [`crate::Device::change_pin`]; it is set or given up by [`crate::Device::rewrap_key`] to or from one of these.
pub struct PinKeyStore {
    inner: Arc<dyn KeyStore>,
    pin: Zeroizing<String>,
    salt: [u8; SALT_BYTES],
}

impl PinKeyStore {
    /// A keystore for this PIN over that of the platform; a new salt is drawn for what it wraps.
    ///
    /// # Errors
    /// [`DeviceError::Entropy`].
    pub fn new(
        inner: Arc<dyn KeyStore>,
        pin: Zeroizing<String>,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, DeviceError> {
        let mut salt = [0; SALT_BYTES];
        entropy.fill(&mut salt)?;
        Ok(Self { inner, pin, salt })
    }

    /// A keystore that only reads what another wrapped.
    pub(crate) const fn reading(inner: Arc<dyn KeyStore>, pin: Zeroizing<String>) -> Self {
        Self { inner, pin, salt: [0; SALT_BYTES] }
    }

    fn blind(&self, key: &DataKey, salt: &[u8]) -> Result<DataKey, DeviceError> {
        let failed = |error: argon2::Error| DeviceError::KeyStore { reason: error.to_string() };
        let params = Params::new(COST.0, COST.1, 1, Some(32)).map_err(failed)?;
        let mut pad = Zeroizing::new([0u8; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(self.pin.as_bytes(), salt, pad.as_mut_slice())
            .map_err(failed)?;
        pad.iter_mut().zip(key.as_bytes()).for_each(|(pad, byte)| *pad ^= byte);
        DataKey::from_slice(pad.as_slice()).ok_or(DeviceError::Bug("a pad of another length"))
    }
}

impl KeyStore for PinKeyStore {
    fn wrap(&self, key: &DataKey) -> Result<Vec<u8>, DeviceError> {
        let mut out = self.salt.to_vec();
        out.extend(self.inner.wrap(&self.blind(key, &self.salt)?)?);
        Ok(out)
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<DataKey, DeviceError> {
        let (salt, rest) = wrapped.split_at_checked(SALT_BYTES).ok_or(DeviceError::KeyMismatch)?;
        self.blind(&self.inner.unwrap(rest)?, salt)
    }

    fn delete(&self) -> Result<(), DeviceError> {
        self.inner.delete()
    }
}

impl Store {
    /// A keystore for a new PIN, with salt from the store's source.
    pub(crate) fn pin_key_store(
        &mut self,
        inner: Arc<dyn KeyStore>,
        pin: Zeroizing<String>,
    ) -> Result<PinKeyStore, DeviceError> {
        Ok(PinKeyStore { inner, pin, salt: self.random()? })
    }
}

/// How often a wrong PIN may be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinRules {
    /// Wrong PINs in a row before the first wait.
    pub free: u32,
    /// How long one waits after each further one, in milliseconds; the last holds from then on.
    pub waits_ms: Vec<i64>,
}

impl Default for PinRules {
    fn default() -> Self {
        const MINUTE: i64 = 60_000;
        Self { free: 5, waits_ms: vec![MINUTE, 5 * MINUTE, 15 * MINUTE, 60 * MINUTE] }
    }
}

/// The count of wrong PINs, in a file beside the store, since the store cannot be opened yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PinTries {
    /// Tries since the last that succeeded.
    pub wrong: u32,
    /// When the last was made.
    pub at: Timestamp,
}

impl PinTries {
    /// The count as it stands. A file that cannot be read counts as no tries: whoever can change it has the phone's
    /// own protection behind them already, and the PIN's cost before them.
    ///
    /// # Errors
    /// Failures of the file system.
    pub fn read(folder: &Path) -> Result<Self, DeviceError> {
        let bytes = match fs::read(folder.join(TRIES)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            other => other?,
        };
        let read = minicbor::decode::<(u32, i64)>(&bytes);
        Ok(read
            .map_or_else(|_| Self::default(), |(wrong, at)| Self { wrong, at: Timestamp::from_millis(at) }))
    }

    /// Counts a try, durably, before it is made: killing the app does not give one back. A clock that was set back
    /// begins the wait anew.
    ///
    /// # Errors
    /// [`DeviceError::TooManyTries`], failures of the file system.
    pub fn begin(folder: &Path, rules: &PinRules, now: Timestamp) -> Result<(), DeviceError> {
        let tries = Self::read(folder)?;
        if let Some(beyond) = tries.wrong.checked_sub(rules.free) {
            let wait = rules.waits_ms.get(beyond as usize).or(rules.waits_ms.last()).copied().unwrap_or(0);
            if now < tries.at {
                Self { at: now, ..tries }.write(folder)?;
                return Err(DeviceError::TooManyTries { until: now.plus_millis(wait) });
            }
            let until = tries.at.plus_millis(wait);
            if now < until {
                return Err(DeviceError::TooManyTries { until });
            }
        }
        Self { wrong: tries.wrong.saturating_add(1), at: now }.write(folder)
    }

    /// The PIN was right.
    ///
    /// # Errors
    /// Failures of the file system.
    pub fn succeeded(folder: &Path) -> Result<(), DeviceError> {
        match fs::remove_file(folder.join(TRIES)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn write(self, folder: &Path) -> Result<(), DeviceError> {
        let bytes = minicbor::to_vec((self.wrong, self.at.millis()))
            .map_err(|_| DeviceError::Bug("a count does not encode"))?;
        fs::create_dir_all(folder)?;
        let draft = folder.join(format!("{TRIES}.new"));
        let mut file = File::create(&draft)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&draft, folder.join(TRIES))?;
        File::open(folder)?.sync_all()?;
        Ok(())
    }
}
