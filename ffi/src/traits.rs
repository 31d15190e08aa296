//! What the shell provides: implemented in Kotlin or Swift, called by the core. An exception that is thrown out of
//! one of them becomes an error of the call that needed it, never a crash.

use std::sync::Arc;

use gridwalk_device::{DataKey, DeviceError};
use gridwalk_model::Timestamp;
use tokio::runtime::Handle;
use zeroize::Zeroizing;

use crate::error::GridwalkError;

/// What an implementation may throw. Any other exception counts as `Failed`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum PlatformError {
    /// It did not work.
    #[error("failed: {reason}")]
    Failed {
        /// For developers; no personal data.
        reason: String,
    },
    /// The worker took it back, such as by dismissing the fingerprint prompt.
    #[error("cancelled")]
    Cancelled,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for PlatformError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed { reason: error.reason }
    }
}

impl PlatformError {
    fn into_core(self) -> DeviceError {
        match self {
            Self::Failed { reason } => DeviceError::KeyStore { reason },
            Self::Cancelled => DeviceError::Cancelled,
        }
    }

    /// The error of the call that needed it.
    pub(crate) fn told(self, what: &str) -> GridwalkError {
        match self {
            Self::Failed { reason } => GridwalkError::platform(what, reason),
            Self::Cancelled => DeviceError::Cancelled.into(),
        }
    }
}

/// Wraps the 32 bytes that encrypt the store, with the platform's keystore. Asked for once at each opening, so an
/// implementation may show a fingerprint prompt. Called from a background thread; may take as long as it needs.
#[uniffi::export(foreign)]
#[async_trait::async_trait]
pub trait KeyStore: Send + Sync {
    /// Encrypts the key so that only this phone can read it again. Called when the store is made.
    async fn wrap(&self, key: Vec<u8>) -> Result<Vec<u8>, PlatformError>;

    /// Reads what `wrap` returned: the same 32 bytes.
    async fn unwrap(&self, wrapped: Vec<u8>) -> Result<Vec<u8>, PlatformError>;

    /// Deletes the key by which `wrap` encrypts, for good: the deployment has the phone wiped. Called without anybody
    /// having asked on this phone, so it must not show a prompt; again, where there is no such key any more, it does
    /// nothing.
    async fn delete(&self) -> Result<(), PlatformError>;
}

/// The phone's P-256 key, in secure hardware where there is some. Called from background threads.
#[uniffi::export(foreign)]
pub trait DeviceKey: Send + Sync {
    /// The public key in SEC1's uncompressed form: 65 bytes, the first is 4.
    fn public_key(&self) -> Result<Vec<u8>, PlatformError>;

    /// ECDSA with SHA-256 over `message`: 64 bytes, `r` and `s` of 32 bytes each, most significant first (not DER).
    fn sign(&self, message: Vec<u8>) -> Result<Vec<u8>, PlatformError>;
}

/// Tells the time; without one the system's clock does. An exception falls back to that one. Called from the store's
/// thread at every call: must not wait.
#[uniffi::export(foreign)]
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    fn now(&self) -> Result<Timestamp, PlatformError>;
}

/// What the shell provides for a device. On a phone `key_store` and `device_key` must be given.
#[derive(Clone, Default, uniffi::Record)]
pub struct Platform {
    /// Protects the store's key. Without it the key lies readable beside the store: for tests only.
    #[uniffi(default = None)]
    pub key_store: Option<Arc<dyn KeyStore>>,
    /// Signs for the phone. Without it a key in software is kept inside the encrypted store.
    #[uniffi(default = None)]
    pub device_key: Option<Arc<dyn DeviceKey>>,
    /// The clock; without it the system's.
    #[uniffi(default = None)]
    pub clock: Option<Arc<dyn Clock>>,
}

/// The core's keystore over the shell's. The core asks from a thread where waiting is allowed.
pub(crate) struct KeyStoreAdapter {
    pub(crate) shell: Arc<dyn KeyStore>,
    pub(crate) runtime: Handle,
}

impl gridwalk_device::KeyStore for KeyStoreAdapter {
    fn wrap(&self, key: &DataKey) -> Result<Vec<u8>, DeviceError> {
        let asked = self.shell.wrap(key.as_bytes().to_vec());
        self.runtime.block_on(asked).map_err(PlatformError::into_core)
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<DataKey, DeviceError> {
        let asked = self.shell.unwrap(wrapped.to_vec());
        let bytes = Zeroizing::new(self.runtime.block_on(asked).map_err(PlatformError::into_core)?);
        DataKey::from_slice(&bytes)
            .ok_or_else(|| DeviceError::KeyStore { reason: "a key of another length".into() })
    }

    fn delete(&self) -> Result<(), DeviceError> {
        self.runtime.block_on(self.shell.delete()).map_err(PlatformError::into_core)
    }
}

/// The core's device key over the shell's.
pub(crate) struct DeviceKeyAdapter(pub(crate) Arc<dyn DeviceKey>);

impl gridwalk_device::DeviceKey for DeviceKeyAdapter {
    fn public_key(&self) -> Result<[u8; 65], DeviceError> {
        let bytes = self.0.public_key().map_err(PlatformError::into_core)?;
        bytes
            .try_into()
            .map_err(|_| DeviceError::KeyStore { reason: "a public key of another length".into() })
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], DeviceError> {
        let bytes = self.0.sign(message.to_vec()).map_err(PlatformError::into_core)?;
        bytes.try_into().map_err(|_| DeviceError::KeyStore { reason: "a signature of another length".into() })
    }
}

/// The core's clock over the shell's.
pub(crate) struct ClockAdapter(pub(crate) Arc<dyn Clock>);

impl gridwalk_device::Clock for ClockAdapter {
    fn now(&self) -> Timestamp {
        self.0.now().unwrap_or_else(|_| {
            tracing::warn!("the shell's clock failed; the system's is taken");
            gridwalk_device::SystemClock.now()
        })
    }
}
