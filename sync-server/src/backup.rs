//! Backup while the server runs, and restore while it does not.
//!
//! A backup is a folder: `gridwalk.db`, one whole file, and `media/blobs/…`. The store is copied first and the media
//! after it, so that every medium of which the copy knows is there; media never change and are never removed. A
//! second backup into the same folder replaces the store's copy at once and adds what media are new.
//!
//! Only when all of it is on the disk does the live store note how far the backup goes: from then on phones may let
//! go of what they kept in case the server loses its store.
//!
//! A restored store begins a new epoch: phones void their cursors, send again what they kept, and compare.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gridwalk_model::Timestamp;

use crate::audit::{self, Entry};
use crate::clock::{Clock, Entropy, EntropyError};
use crate::media::{Media, MediaError, MediaLimits};
use crate::open::{self, store_path};
use crate::state::StartError;
use crate::storage::sqlite::SqliteOptions;
use crate::storage::{Storage, StorageError};

/// Why a backup or a restore came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file or folder.
    #[error("backup failed: {0}")]
    Io(#[from] io::Error),
    /// There is a store already in the folder that is to be restored into.
    #[error("{0} exists already; move it away first")]
    Exists(PathBuf),
    /// There is no backup in the folder.
    #[error("no backup in {0}")]
    NoBackup(PathBuf),
    /// No randomness for a new epoch.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The media.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Opening the store.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// What a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackedUp {
    /// Number of the last commit in it.
    pub commit_no: u64,
    /// Media that were added.
    pub media: u64,
}

/// Backs a server up into a folder, while it runs. Blocks.
///
/// # Errors
/// See [`BackupError`]; an earlier backup in the folder is then still whole.
pub fn back_up(
    storage: &dyn Storage,
    media: &Media,
    target: &Path,
    now: Timestamp,
) -> Result<BackedUp, BackupError> {
    fs::create_dir_all(target)?;
    let half = target.join("gridwalk.db.half");
    if half.exists() {
        fs::remove_file(&half)?;
    }
    let commit_no = storage.back_up(&half)?;
    File::open(&half)?.sync_all()?;
    let copied = media.back_up(&target.join("media"))?;
    fs::rename(&half, store_path(target))?;
    File::open(target)?.sync_all()?;
    storage.update(|tx| {
        tx.set_backed_up(commit_no)?;
        let detail = format!("through commit {commit_no}, {copied} media added");
        let entry = Entry {
            actor: "operator",
            action: "backup.made",
            target: "server",
            detail: &detail,
            alarm: false,
        };
        audit::append(tx, now, &entry)
    })?;
    Ok(BackedUp { commit_no, media: copied })
}

/// Restores a backup into a data folder that has no store, and begins a new epoch. The folder's lock must be held.
/// Returns the number of the last commit that is there.
///
/// # Errors
/// See [`BackupError`].
pub fn restore(
    backup: &Path,
    data: &Path,
    clock: &Arc<dyn Clock>,
    entropy: &dyn Entropy,
) -> Result<u64, BackupError> {
    let source = store_path(backup);
    if !source.is_file() {
        return Err(BackupError::NoBackup(backup.to_owned()));
    }
    let target = store_path(data);
    if target.exists() {
        return Err(BackupError::Exists(target));
    }
    fs::create_dir_all(data)?;
    let half = data.join("gridwalk.db.half");
    fs::copy(&source, &half)?;
    File::open(&half)?.sync_all()?;
    let storage: Arc<dyn Storage> = open::storage_at(&half, &SqliteOptions::default())?;
    let media =
        Media::open(&backup.join("media"), Arc::clone(&storage), Arc::clone(clock), MediaLimits::default())?;
    media.back_up(&data.join("media"))?;
    let commit_no = begin_epoch(&*storage, clock.now(), entropy)?;
    storage.checkpoint()?;
    drop((media, storage));
    // Only a store that is complete, and says so, gets the name under which a server opens it.
    remove_log(&half);
    fs::rename(&half, &target)?;
    File::open(data)?.sync_all()?;
    Ok(commit_no)
}

fn begin_epoch(storage: &dyn Storage, now: Timestamp, entropy: &dyn Entropy) -> Result<u64, BackupError> {
    let (epoch, incarnation, key) = (entropy.array()?, entropy.array()?, entropy.array()?);
    storage.update(|tx| {
        let commit_no = tx.server()?.commit_no;
        tx.set_epoch(epoch, incarnation, key)?;
        // All of it is in the backup that it came from.
        tx.set_backed_up(commit_no)?;
        let detail = format!("from a backup through commit {commit_no}; a new epoch begins");
        let entry = Entry {
            actor: "operator",
            action: "server.restored",
            target: "server",
            detail: &detail,
            alarm: true,
        };
        audit::append(tx, now, &entry)?;
        Ok(commit_no)
    })
}

/// The log files of a store that was closed after a truncating checkpoint hold nothing.
fn remove_log(store: &Path) {
    for end in ["-wal", "-shm"] {
        let mut name = store.as_os_str().to_owned();
        name.push(end);
        let _ = fs::remove_file(PathBuf::from(name));
    }
}

/// Opens or closes the taking of whole histories from devices. Audited.
///
/// # Errors
/// A failure of the store.
pub fn set_recovery(storage: &dyn Storage, until: Timestamp, now: Timestamp) -> Result<(), StorageError> {
    storage.update(|tx| {
        tx.set_recovery(until)?;
        let open = until > now;
        let detail = if open { format!("until {until}") } else { String::new() };
        let action = if open { "recovery.opened" } else { "recovery.closed" };
        let entry = Entry { actor: "operator", action, target: "server", detail: &detail, alarm: open };
        audit::append(tx, now, &entry)
    })
}
