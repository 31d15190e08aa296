//! How a device proves that it holds its key: it signs a nonce and gets a token for 15 minutes.
//!
//! Nonces and tokens are not stored. Both carry when they end and a MAC under a key that the process draws at its
//! start and keeps in memory: a stranger who asks for a million nonces costs no memory, there is no table of
//! secrets to leak or clean up, and a restart simply makes devices sign once more. Locking a device takes effect
//! at once all the same, because every request reads the device's row anyway. What has to be remembered is which
//! nonces were spent; only a valid signature adds one, and it is forgotten after a minute.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use data_encoding::BASE64URL_NOPAD;
use gridwalk_model::{DeviceId, Timestamp};
use gridwalk_replica::protocol::{Nonce, NonceRequest, ProtocolError, Token, TokenRequest, token_message};
use hmac::{Hmac, KeyInit, Mac};
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use sha2::Sha256;

use crate::clock::{Entropy, EntropyError};
use crate::storage::{ReadTx, StorageError};
use crate::sync::{Principal, SyncError};

/// How long a token holds.
pub const TOKEN_SECONDS: u32 = 15 * 60;
/// How long a nonce may be signed.
const NONCE_MS: i64 = 60 * 1_000;
/// Most nonces that are remembered as spent; beyond it, devices are asked to come again.
const SPENT_MAX: usize = 100_000;

/// Issues and checks nonces and tokens.
pub struct Tokens {
    key: [u8; 32],
    spent: Mutex<BTreeMap<[u8; 32], Timestamp>>,
}

impl Tokens {
    /// Draws a key.
    ///
    /// # Errors
    /// If the machine has no randomness.
    pub fn new(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        Ok(Self { key: entropy.array()?, spent: Mutex::new(BTreeMap::new()) })
    }

    /// Gives a nonce, to anybody.
    ///
    /// # Errors
    /// If the machine has no randomness.
    pub fn nonce(
        &self,
        request: &NonceRequest,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Nonce, EntropyError> {
        let random = entropy.array::<8>()?;
        let ends = now.plus_millis(NONCE_MS).millis().to_be_bytes();
        let check = self.mac(b"nonce", &[&random, &ends, request.device.as_slice()]);
        let nonce = [&random[..], &ends[..], check.get(..16).unwrap_or_default()].concat();
        Ok(Nonce { nonce: nonce.into() })
    }

    /// Exchanges a signed nonce for a token.
    ///
    /// # Errors
    /// [`ProtocolError::Unauthorized`] whatever is wrong; [`ProtocolError::Revoked`] for a device that is to wipe
    /// itself; a failure of the store.
    pub fn token(&self, tx: &dyn ReadTx, request: &TokenRequest, now: Timestamp) -> Result<Token, SyncError> {
        let nonce: [u8; 32] = request.nonce.as_slice().try_into().map_err(|_| ProtocolError::Unauthorized)?;
        let device = DeviceId::from_slice(&request.device).ok_or(ProtocolError::Unauthorized)?;
        self.check_nonce(&nonce, device, now)?;
        let row = tx.device(device)?.ok_or(ProtocolError::Unauthorized)?;
        let key = VerifyingKey::from_sec1_bytes(&row.public_key)
            .map_err(|_| StorageError::Damaged { what: "device.public_key" })?;
        let signature = Signature::from_slice(&request.signature).map_err(|_| ProtocolError::Unauthorized)?;
        let message = token_message(device.as_bytes(), &nonce);
        key.verify(&message, &signature).map_err(|_| ProtocolError::Unauthorized)?;
        self.spend(nonce, now)?;
        Principal::of(tx, device)?;
        Ok(Token { token: self.issue(device, now), seconds: TOKEN_SECONDS })
    }

    fn check_nonce(&self, nonce: &[u8; 32], device: DeviceId, now: Timestamp) -> Result<(), ProtocolError> {
        let (random, rest) = nonce.split_at(8);
        let (ends, check) = rest.split_at(8);
        let expected = self.mac(b"nonce", &[random, ends, device.as_bytes()]);
        let ends = ends.try_into().map(i64::from_be_bytes).unwrap_or(i64::MIN);
        let good = equal(check, expected.get(..16).unwrap_or_default());
        if good && ends > now.millis() { Ok(()) } else { Err(ProtocolError::Unauthorized) }
    }

    fn spend(&self, nonce: [u8; 32], now: Timestamp) -> Result<(), ProtocolError> {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.len() >= SPENT_MAX {
            spent.retain(|_, ends| *ends > now);
        }
        if spent.len() >= SPENT_MAX {
            return Err(ProtocolError::Busy { retry_after_s: 60 });
        }
        match spent.insert(nonce, now.plus_millis(NONCE_MS)) {
            None => Ok(()),
            Some(_) => Err(ProtocolError::Unauthorized),
        }
    }

    /// A token for a device that has proved itself.
    pub fn issue(&self, device: DeviceId, now: Timestamp) -> String {
        let ends = now.plus_millis(i64::from(TOKEN_SECONDS) * 1_000).millis().to_be_bytes();
        let check = self.mac(b"token", &[device.as_bytes(), &ends]);
        BASE64URL_NOPAD.encode(&[device.as_bytes(), &ends[..], &check[..]].concat())
    }

    /// The device that a token was given to.
    ///
    /// # Errors
    /// [`ProtocolError::Unauthorized`] whatever is wrong with it.
    pub fn check(&self, token: &str, now: Timestamp) -> Result<DeviceId, ProtocolError> {
        if token.len() > 100 {
            return Err(ProtocolError::Unauthorized);
        }
        let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).map_err(|_| ProtocolError::Unauthorized)?;
        let bytes: [u8; 52] = bytes.try_into().map_err(|_| ProtocolError::Unauthorized)?;
        let (device, rest) = bytes.split_at(12);
        let (ends, check) = rest.split_at(8);
        let expected = self.mac(b"token", &[device, ends]);
        let until = ends.try_into().map(i64::from_be_bytes).unwrap_or(i64::MIN);
        if !equal(check, &expected) || until <= now.millis() {
            return Err(ProtocolError::Unauthorized);
        }
        DeviceId::from_slice(device).ok_or(ProtocolError::Unauthorized)
    }

    fn mac(&self, heading: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        // A key of any length is good for HMAC.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return [0; 32] };
        mac.update(heading);
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

/// Compares without telling by its duration where two values differ.
fn equal(a: &[u8], b: &[u8]) -> bool {
    subtle::ConstantTimeEq::ct_eq(a, b).into()
}
