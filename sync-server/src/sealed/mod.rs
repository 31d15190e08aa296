//! The unsent work of locked devices: taken sealed, kept aside, and offered to the records when an administrator says
//! so.
//!
//! | question | module |
//! | --- | --- |
//! | may this part come in, and is the package whole | [`intake`] |
//! | what is in a package | [`content`] |
//! | what becomes of it | [`settle`] |
//!
//! The receipt says that every part is durable and opens: with it the phone deletes what it has.

pub mod content;
pub mod intake;
pub mod settle;
#[cfg(test)]
mod tests;

use gridwalk_model::Timestamp;
use gridwalk_replica::protocol::ProtocolError;
use gridwalk_replica::sealed::SealingKeys;

use crate::clock::{Entropy, EntropyError};
use crate::media::MediaError;
use crate::state::StartError;
use crate::storage::{Storage, StorageError};
use crate::sync::SyncError;

/// Most bytes of sealed work of one device that are kept at a time: twice what a phone's store may hold.
pub const DEVICE_MAX_BYTES: u64 = 512 * 1024 * 1024;
/// Most packages of one device. A device makes one each time that it is locked.
pub const DEVICE_MAX_PACKAGES: usize = 20;

/// Why sealed work was not taken, read or settled.
#[derive(Debug, thiserror::Error)]
pub enum SealedError {
    /// There is no such package, or it is not whole.
    #[error("no such package")]
    NotFound,
    /// It was settled already.
    #[error("package was settled already")]
    Settled,
    /// The request cannot be served; the device is told so.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// A medium could not be stored.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<SyncError> for SealedError {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::Protocol(error) => Self::Protocol(error),
            SyncError::Storage(error) => Self::Storage(error),
        }
    }
}

impl From<SealedError> for ProtocolError {
    fn from(error: SealedError) -> Self {
        match error {
            SealedError::Protocol(error) => error,
            SealedError::Storage(error) => SyncError::from(error).into(),
            _ => Self::Internal,
        }
    }
}

/// Makes the server's keys if it has none yet.
///
/// # Errors
/// No randomness; a failure of the store.
pub fn make_keys(storage: &dyn Storage, now: Timestamp, entropy: &dyn Entropy) -> Result<(), StartError> {
    if storage.view(|tx| tx.sealing_keys())?.is_some() {
        return Ok(());
    }
    let keys = SealingKeys::from_random(&entropy.array()?);
    Ok(storage.update(|tx| tx.insert_sealing_keys(&keys, now))?)
}
