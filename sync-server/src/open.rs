//! Opening a data folder: one server at a time, and what a new store is given.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gridwalk_replica::wire::RuleFiles;

use crate::clock::{Clock, Entropy, SystemClock, SystemEntropy};
use crate::config::Config;
use crate::rules;
use crate::state::{AppState, StartError};
use crate::storage::Storage;
use crate::storage::sqlite::{Birth, SqliteOptions, SqliteStorage};

/// The store's file in a data folder.
pub fn store_path(data: &Path) -> PathBuf {
    data.join("gridwalk.db")
}

/// A new store's identity.
///
/// # Errors
/// If the machine has no randomness.
pub fn birth(entropy: &dyn Entropy) -> Result<Birth, StartError> {
    Ok(Birth {
        device: entropy.array()?,
        epoch: entropy.array()?,
        incarnation: entropy.array()?,
        mark_key: entropy.array()?,
    })
}

/// Opens the store of a data folder; makes both if they are not there.
///
/// # Errors
/// See [`StartError`].
pub fn storage(data: &Path, options: &SqliteOptions) -> Result<Arc<SqliteStorage>, StartError> {
    fs::create_dir_all(data)?;
    storage_at(&store_path(data), options)
}

/// Opens the store in a file; makes it if it is not there.
///
/// # Errors
/// See [`StartError`].
pub fn storage_at(path: &Path, options: &SqliteOptions) -> Result<Arc<SqliteStorage>, StartError> {
    Ok(Arc::new(SqliteStorage::open(path, options, &birth(&SystemEntropy)?)?))
}

/// The lock that a serving process holds on its data folder, until it is dropped or the process ends.
#[derive(Debug)]
pub struct FolderLock(#[allow(dead_code, reason = "held, not read")] File);

/// Locks a data folder.
///
/// # Errors
/// [`StartError::Io`] of kind `WouldBlock` if another server holds it.
pub fn lock(data: &Path) -> Result<FolderLock, StartError> {
    fs::create_dir_all(data)?;
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).open(data.join("gridwalk.lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(FolderLock(file)),
        Err(TryLockError::WouldBlock) => {
            Err(std::io::Error::new(std::io::ErrorKind::WouldBlock, "another server uses this data folder")
                .into())
        }
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Everything that handlers share, on the machine's clock and randomness. Rules that are given count from here on.
///
/// # Errors
/// See [`StartError`].
pub fn state(
    config: Config,
    options: &SqliteOptions,
    rules: Option<&RuleFiles>,
) -> Result<AppState, StartError> {
    let storage: Arc<dyn Storage> = storage(&config.data, options)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    if let Some(rules) = rules {
        rules::set(&*storage, rules, clock.now())?;
    }
    AppState::new(config, storage, clock, entropy)
}
