//! Who may do what: people, their devices, what they hold, and how a device proves what it is.
//!
//! | question | module |
//! | --- | --- |
//! | adding people, granting streams, locking devices | [`staff`] |
//! | how a device becomes one of ours | [`enrolment`] |
//! | how it proves that from then on | [`token`] |
//! | how people sign in to the console | [`account`] |

pub mod account;
pub mod enrolment;
pub mod staff;
pub mod token;

#[cfg(test)]
mod tests;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256};

use crate::clock::{Entropy, EntropyError};
use crate::edit::EditError;
use crate::storage::StorageError;

/// Why an act on people or devices was not done.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// There is no such person, device, code or link, or not any more.
    #[error("not found or no longer valid")]
    NotFound,
    /// The code was redeemed with another key.
    #[error("code was redeemed with another key")]
    OtherKey,
    /// The public key is not one.
    #[error("public key is not a P-256 point")]
    BadKey,
    /// The name to sign in with is taken, or the password is too short.
    #[error("account not acceptable: {0}")]
    BadAccount(&'static str),
    /// Too many failed attempts; wait.
    #[error("locked for {seconds} s")]
    Locked {
        /// Seconds to wait.
        seconds: u32,
    },
    /// Nobody else could let people in, or change what they may do.
    #[error("the last administrator")]
    LastAdministrator,
    /// The machine gave no randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// A record could not be written.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A secret that people carry: 160 random bits as text. Only its hash is stored.
pub(crate) fn new_secret(entropy: &dyn Entropy) -> Result<String, EntropyError> {
    Ok(BASE64URL_NOPAD.encode(&entropy.array::<20>()?))
}

/// The stored form of such a secret. It has enough bits of its own, so a plain hash is enough.
pub(crate) fn hash_secret(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}
