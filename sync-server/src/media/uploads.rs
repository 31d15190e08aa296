// Superseded by `lifecycle.rs` (media helper, see NOTE.txt): to be removed when `crate::http` takes `crate::media::router`.
//! Uploads: how one begins, goes on after a cut, and ends. What HTTP and tus call them is in [`crate::http`].

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use data_encoding::HEXLOWER;
use gridwalk_model::ContentHash;

use super::receipts;
use crate::clock::EntropyError;
use crate::state::AppState;
use crate::storage::StorageError;
use crate::storage::ledger::{MediaRow, UploadRow};
use crate::sync::Principal;

/// Why an upload does not go on.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// No such upload of this device, or not any more: begin again.
    #[error("no such upload")]
    NotFound,
    /// The bytes do not follow on what is there.
    #[error("upload is at {at}")]
    WrongOffset {
        /// How many bytes there are.
        at: u64,
    },
    /// Longer than announced, or than is taken.
    #[error("too large")]
    TooLarge,
    /// The device has too much open already.
    #[error("too many open uploads")]
    TooMany,
    /// Somebody is writing to it now.
    #[error("upload is being written")]
    Locked,
    /// A chunk's checksum does not fit; the chunk was dropped.
    #[error("checksum of the chunk does not fit")]
    WrongChecksum,
    /// The whole does not have the hash that was announced; the upload was dropped.
    #[error("hash of the whole does not fit")]
    WrongHash,
    /// The disk is full.
    #[error("storage is full")]
    Full,
    /// A file.
    #[error("file failed: {0}")]
    Io(io::Error),
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The store.
    #[error(transparent)]
    Storage(StorageError),
}

impl From<io::Error> for UploadError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io(error),
        }
    }
}

impl From<StorageError> for UploadError {
    fn from(error: StorageError) -> Self {
        if matches!(error, StorageError::Full) { Self::Full } else { Self::Storage(error) }
    }
}

/// Uploads that somebody is writing to.
#[derive(Clone, Debug, Default)]
pub struct UploadLocks(Arc<Mutex<BTreeSet<String>>>);

/// The right to write to an upload, until dropped.
#[derive(Debug)]
pub struct UploadLock {
    id: String,
    locks: UploadLocks,
}

impl UploadLocks {
    /// Takes the right to write to an upload.
    ///
    /// # Errors
    /// [`UploadError::Locked`] if somebody has it.
    pub fn take(&self, id: &str) -> Result<UploadLock, UploadError> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.insert(id.to_owned()) {
            Ok(UploadLock { id: id.to_owned(), locks: self.clone() })
        } else {
            Err(UploadError::Locked)
        }
    }
}

impl Drop for UploadLock {
    fn drop(&mut self) {
        self.locks.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

/// An upload as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// What was announced.
    pub row: UploadRow,
    /// How many bytes are durable.
    pub offset: u64,
}

/// Begins an upload. Of a medium that the device may know to be stored, nothing has to be sent.
///
/// # Errors
/// See [`UploadError`].
pub async fn create(
    state: &AppState,
    principal: &Principal,
    hash: ContentHash,
    bytes: u64,
) -> Result<Status, UploadError> {
    let limits = state.config.limits;
    if bytes == 0 || bytes > state.config.media_max_bytes {
        return Err(UploadError::TooLarge);
    }
    let now = state.now();
    let days = i64::from(state.config.upload_days.max(30));
    let mut row = UploadRow {
        id: HEXLOWER.encode(&state.entropy.array::<16>()?),
        device: principal.device_no,
        hash,
        bytes,
        created_at: now,
        expires_at: now.plus_millis(days * 86_400_000),
        done: false,
    };
    let asked = principal.clone();
    let (known, (open, open_bytes)) = state
        .read(move |tx| {
            let stored = tx.media(&hash)?.filter(|row| row.bytes == bytes);
            let known = stored.is_some() && receipts::may_know(tx, &asked, &hash)?;
            Ok::<_, StorageError>((known, tx.open_uploads(asked.device_no)?))
        })
        .await?;
    if known {
        row.done = true;
    } else if open >= limits.open_uploads || open_bytes.saturating_add(bytes) > limits.open_upload_bytes {
        return Err(UploadError::TooMany);
    } else {
        let (files, id) = (state.media.clone(), row.id.clone());
        state.blocking(move || files.create(&id).map_err(UploadError::from)).await?;
    }
    let written = row.clone();
    state.write(move |tx| tx.insert_upload(&written)).await?;
    let offset = if known { bytes } else { 0 };
    Ok(Status { row, offset })
}

/// How far an upload is. What a crash left between two steps of its end is finished here.
///
/// # Errors
/// See [`UploadError`].
pub async fn status(state: &AppState, principal: &Principal, id: &str) -> Result<Status, UploadError> {
    let (key, device, now) = (id.to_owned(), principal.device_no, state.now());
    let row = state.read(move |tx| tx.upload(&key)).await?;
    let row = row.filter(|row| row.device == device && row.expires_at > now).ok_or(UploadError::NotFound)?;
    if row.done {
        let offset = row.bytes;
        return Ok(Status { row, offset });
    }
    let (files, found) = (state.media.clone(), row.clone());
    let durable = state
        .blocking(move || {
            let durable = files.durable(&found.id)?;
            Ok::<_, UploadError>(durable.or_else(|| {
                // Renamed, but the row was not written: the name is proof that the hash was checked.
                files.has_blob(&found.hash, found.bytes).then_some(found.bytes)
            }))
        })
        .await?;
    let offset = durable.ok_or(UploadError::NotFound)?;
    Ok(Status { row, offset })
}

/// Ends an upload of which all bytes are there: checks the hash, publishes, writes the row. `lock` is held on it.
///
/// # Errors
/// [`UploadError::WrongHash`] drops the upload.
pub async fn finish(state: &AppState, _lock: &UploadLock, row: &UploadRow) -> Result<(), UploadError> {
    let (files, found) = (state.media.clone(), row.clone());
    let right = state
        .blocking(move || {
            match files.durable(&found.id)? {
                Some(_) if files.hash(&found.id)? != found.hash => {
                    files.discard(&found.id);
                    return Ok(false);
                }
                Some(_) => files.publish(&found.id, &found.hash)?,
                None => {}
            }
            Ok::<_, UploadError>(true)
        })
        .await?;
    let (now, found) = (state.now(), row.clone());
    state
        .write(move |tx| {
            if !right {
                return tx.delete_upload(&found.id);
            }
            tx.insert_media(&found.hash, &MediaRow { bytes: found.bytes, stored_at: now })?;
            tx.add_media_holder(&found.hash, found.device)?;
            tx.finish_upload(&found.id)
        })
        .await?;
    if right { Ok(()) } else { Err(UploadError::WrongHash) }
}

/// Gives up uploads whose time is over.
///
/// # Errors
/// A failure of the store.
pub async fn expire(state: &AppState) -> Result<(), StorageError> {
    let now = state.now();
    let rows = state.read(move |tx| tx.expired_uploads(now, 200)).await?;
    if rows.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    state.write(move |tx| ids.iter().try_for_each(|id| tx.delete_upload(id))).await?;
    // The row first: a file without a row is garbage, a row without a file would be a promise.
    let files = state.media.clone();
    state.blocking(move || {
        rows.iter().for_each(|row| files.discard(&row.id));
        Ok(())
    })
    .await
}
