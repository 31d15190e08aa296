//! The wrapped data key beside the store. It is durable before the database is made: a database without its key is
//! lost.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::clock::Entropy;
use crate::error::DeviceError;
use crate::keys::{DataKey, KeyStore};

const NAME: &str = "store.key";
/// Bytes of the check value in front of the wrapped key: a wrong key is told from a damaged database.
const CHECK_BYTES: usize = 8;

/// Reads the data key, or makes one.
pub(super) fn load_or_create(
    folder: &Path,
    key_store: &dyn KeyStore,
    entropy: &mut dyn Entropy,
) -> Result<DataKey, DeviceError> {
    match load(folder, key_store) {
        Err(DeviceError::File { kind: std::io::ErrorKind::NotFound }) => {
            fs::create_dir_all(folder)?;
            let key = DataKey::generate(entropy)?;
            store(folder, &key, key_store)?;
            Ok(key)
        }
        other => other,
    }
}

/// Reads the data key.
pub(super) fn load(folder: &Path, key_store: &dyn KeyStore) -> Result<DataKey, DeviceError> {
    let bytes = fs::read(folder.join(NAME))?;
    let (check, wrapped) = bytes.split_at_checked(CHECK_BYTES).ok_or(DeviceError::KeyMismatch)?;
    let key = key_store.unwrap(wrapped)?;
    if check_of(&key) == check { Ok(key) } else { Err(DeviceError::KeyMismatch) }
}

/// Wraps the key and replaces the file, durably. Also how a key is wrapped anew.
pub(super) fn store(folder: &Path, key: &DataKey, key_store: &dyn KeyStore) -> Result<(), DeviceError> {
    let mut bytes = check_of(key);
    bytes.extend(key_store.wrap(key)?);
    let draft = folder.join(format!("{NAME}.new"));
    let mut file = create_private(&draft)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&draft, folder.join(NAME))?;
    File::open(folder)?.sync_all()?;
    Ok(())
}

fn check_of(key: &DataKey) -> Vec<u8> {
    let mut hasher = Sha256::new();
    hasher.update(b"gridwalk data key check\0");
    hasher.update(key.as_bytes());
    hasher.finalize().iter().take(CHECK_BYTES).copied().collect()
}

#[cfg(unix)]
fn create_private(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> std::io::Result<File> {
    File::create(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededEntropy;
    use crate::keys::UnprotectedKeyStore;

    #[test]
    fn the_key_is_made_once_and_a_wrong_one_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let mut entropy = SeededEntropy::new(1);
        let first = load_or_create(folder.path(), &UnprotectedKeyStore, &mut entropy).unwrap();
        let again = load_or_create(folder.path(), &UnprotectedKeyStore, &mut entropy).unwrap();
        assert_eq!(first.as_bytes(), again.as_bytes());
        let mut bytes = fs::read(folder.path().join(NAME)).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(folder.path().join(NAME), bytes).unwrap();
        let wrong = load_or_create(folder.path(), &UnprotectedKeyStore, &mut entropy);
        assert!(matches!(wrong, Err(DeviceError::KeyMismatch)));
    }

    /// Another keystore: the bytes turned over.
    struct Turned;

    impl KeyStore for Turned {
        fn wrap(&self, key: &DataKey) -> Result<Vec<u8>, DeviceError> {
            Ok(key.as_bytes().iter().map(|byte| !byte).collect())
        }

        fn unwrap(&self, wrapped: &[u8]) -> Result<DataKey, DeviceError> {
            let bytes: Vec<u8> = wrapped.iter().map(|byte| !byte).collect();
            UnprotectedKeyStore.unwrap(&bytes)
        }
    }

    #[test]
    fn a_key_that_was_wrapped_anew_is_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let key = load_or_create(folder.path(), &UnprotectedKeyStore, &mut SeededEntropy::new(1)).unwrap();
        crate::Device::rewrap_key(folder.path(), &UnprotectedKeyStore, &Turned).unwrap();
        assert_eq!(load(folder.path(), &Turned).unwrap().as_bytes(), key.as_bytes());
        let old = load(folder.path(), &UnprotectedKeyStore);
        assert!(matches!(old, Err(DeviceError::KeyMismatch)));
    }
}
