//! Keys: the data key that encrypts the store, and the device key that signs.

use std::fmt;

use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use zeroize::Zeroizing;

use crate::clock::Entropy;
use crate::error::DeviceError;

/// The 32 random bytes that encrypt everything on the phone. Wiped from memory when dropped; never printed.
#[derive(Clone)]
pub struct DataKey(Zeroizing<[u8; 32]>);

impl DataKey {
    /// A new key.
    ///
    /// # Errors
    /// [`DeviceError::Entropy`].
    pub fn generate(entropy: &mut dyn Entropy) -> Result<Self, DeviceError> {
        let mut bytes = Zeroizing::new([0u8; 32]);
        entropy.fill(bytes.as_mut_slice())?;
        Ok(Self(bytes))
    }

    /// Takes 32 bytes as they are; `None` for another length.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey")
    }
}

/// Wraps the data key: the platform's keystore on a phone. Called from the thread that opens the device.
pub trait KeyStore: Send + Sync {
    /// Encrypts the data key so that only this device can read it again.
    ///
    /// # Errors
    /// [`DeviceError::KeyStore`].
    fn wrap(&self, key: &DataKey) -> Result<Vec<u8>, DeviceError>;

    /// Reads what [`Self::wrap`] wrote.
    ///
    /// # Errors
    /// [`DeviceError::KeyStore`].
    fn unwrap(&self, wrapped: &[u8]) -> Result<DataKey, DeviceError>;

    /// Deletes the key by which [`Self::wrap`] encrypts, for good: the phone is wiped. The same again is no error. A
    /// keystore that holds no key of its own has nothing to delete.
    ///
    /// # Errors
    /// [`DeviceError::KeyStore`].
    fn delete(&self) -> Result<(), DeviceError> {
        Ok(())
    }
}

/// For hosts without a keystore (tests, demo): the key stands in its file as it is, readable by the owner only.
/// Protects against nothing but a stranger's look at the database file alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct UnprotectedKeyStore;

impl KeyStore for UnprotectedKeyStore {
    fn wrap(&self, key: &DataKey) -> Result<Vec<u8>, DeviceError> {
        Ok(key.as_bytes().to_vec())
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<DataKey, DeviceError> {
        DataKey::from_slice(wrapped)
            .ok_or_else(|| DeviceError::KeyStore { reason: "key file has the wrong length".into() })
    }
}

/// The device's P-256 key, in hardware where the platform has it. Called from the network's thread.
pub trait DeviceKey: Send + Sync {
    /// SEC1 uncompressed public key.
    ///
    /// # Errors
    /// [`DeviceError::KeyStore`].
    fn public_key(&self) -> Result<[u8; 65], DeviceError>;

    /// ECDSA with SHA-256, `r ‖ s`.
    ///
    /// # Errors
    /// [`DeviceError::KeyStore`].
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], DeviceError>;
}

/// A device key in software, for hosts and for phones without secure hardware.
pub struct SoftwareKey(SigningKey);

impl SoftwareKey {
    /// A new key.
    ///
    /// # Errors
    /// [`DeviceError::Entropy`].
    pub fn generate(entropy: &mut dyn Entropy) -> Result<Self, DeviceError> {
        // A random number is no valid scalar once in 2^32 tries; eight such in a row mean a broken source.
        for _ in 0..8 {
            let mut bytes = Zeroizing::new([0u8; 32]);
            entropy.fill(bytes.as_mut_slice())?;
            if let Some(key) = Self::from_slice(bytes.as_slice()) {
                return Ok(key);
            }
        }
        Err(DeviceError::Entropy)
    }

    /// Reads [`Self::to_bytes`]; `None` if the bytes are no key.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        SigningKey::from_slice(bytes).ok().map(Self)
    }

    /// The secret scalar.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes().into())
    }
}

impl fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SoftwareKey")
    }
}

impl DeviceKey for SoftwareKey {
    fn public_key(&self) -> Result<[u8; 65], DeviceError> {
        let point = self.0.verifying_key().to_sec1_point(false);
        point.as_bytes().try_into().map_err(|_| DeviceError::Bug("public key of another length"))
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], DeviceError> {
        let signature: Signature = self.0.sign(message);
        Ok(signature.to_bytes().into())
    }
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::signature::Verifier;

    use super::*;
    use crate::clock::SeededEntropy;

    #[test]
    fn a_software_key_survives_storage_and_its_signature_verifies() {
        let key = SoftwareKey::generate(&mut SeededEntropy::new(7)).unwrap();
        let again = SoftwareKey::from_slice(key.to_bytes().as_slice()).unwrap();
        assert_eq!(key.public_key().unwrap(), again.public_key().unwrap());
        let signature = Signature::from_slice(&again.sign(b"made-up message").unwrap()).unwrap();
        let public = p256::ecdsa::VerifyingKey::from_sec1_bytes(&key.public_key().unwrap()).unwrap();
        assert!(public.verify(b"made-up message", &signature).is_ok());
        assert!(public.verify(b"another message", &signature).is_err());
    }

    #[test]
    fn keys_are_not_printed() {
        let key = DataKey::from_slice(&[0xab; 32]).unwrap();
        assert_eq!(format!("{key:?}"), "DataKey");
        assert!(DataKey::from_slice(&[1; 31]).is_none());
    }
}
