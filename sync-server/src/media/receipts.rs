//! Which media a device still has to upload, and which it may read.
//!
//! A device learns that a medium is stored only if it uploaded it itself or a record in its scope points at it;
//! otherwise the answer is "upload it", and the second copy takes the place of the first. So nobody can ask whether
//! some picture exists. Reads go through a record in scope, never by hash alone.
//!
//! A receipt is given only for bytes that are there: if a blob was lost, phones that still have it send it again.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;

use gridwalk_model::{ContentHash, RecordId};
use gridwalk_replica::protocol::{Missing, MissingRequest, ProtocolError};

use super::Media;
use super::content::Form;
use super::error::MediaError;
use crate::storage::records::{RecordNo, StreamNo};
use crate::storage::{ReadTx, Stored};
use crate::sync::{Principal, SyncError, readable_streams};

/// Most hashes in one question.
pub const MISSING_MAX: usize = 500;

/// A published medium, open.
#[derive(Debug)]
pub struct Blob {
    /// Its bytes.
    pub file: File,
    /// How many.
    pub bytes: u64,
    /// What it is.
    pub form: Form,
}

/// Answers which media the store lacks, as far as the device may know. Says nothing about files: use
/// [`Media::missing`] for receipts.
///
/// # Errors
/// [`ProtocolError::TooLarge`] for too many hashes; [`ProtocolError::Malformed`] for one that is none.
pub fn missing(
    tx: &dyn ReadTx,
    principal: &Principal,
    request: &MissingRequest,
) -> Result<Missing, SyncError> {
    if request.hashes.len() > MISSING_MAX {
        return Err(ProtocolError::TooLarge.into());
    }
    let streams = streams_of(tx, principal)?;
    let mut out = Missing { missing: Vec::new(), stored: Vec::new() };
    for bytes in &request.hashes {
        let hash = ContentHash::from_slice(bytes)
            .ok_or_else(|| ProtocolError::Malformed { reason: "not a hash".to_owned() })?;
        let stored = tx.media(&hash)?.is_some()
            && (tx.holds_media(&hash, principal.device_no)? || referred_to(tx, &streams, &hash)?);
        if stored { &mut out.stored } else { &mut out.missing }.push(bytes.clone());
    }
    Ok(out)
}

/// Whether the device may know that a medium is stored.
///
/// # Errors
/// A failure of the store.
pub fn may_know(tx: &dyn ReadTx, principal: &Principal, hash: &ContentHash) -> Stored<bool> {
    if tx.holds_media(hash, principal.device_no)? {
        return Ok(true);
    }
    referred_to(tx, &streams_of(tx, principal)?, hash)
}

/// Whether a person may read a medium through this record: the record is in their scope and points at it.
///
/// # Errors
/// A failure of the store.
pub fn may_read(
    tx: &dyn ReadTx,
    principal: &Principal,
    record: RecordId,
    hash: &ContentHash,
) -> Stored<bool> {
    let Some(head) = tx.record(record)? else { return Ok(false) };
    let streams = streams_of(tx, principal)?;
    Ok(in_scope(tx, &streams, head.no)? && tx.media_records(hash)?.contains(&head.no))
}

/// The streams that the device may read; none for a locked one.
fn streams_of(tx: &dyn ReadTx, principal: &Principal) -> Stored<BTreeSet<StreamNo>> {
    if principal.revoked_at.is_some() {
        Ok(BTreeSet::new())
    } else {
        readable_streams(tx, principal.person_no)
    }
}

fn referred_to(tx: &dyn ReadTx, streams: &BTreeSet<StreamNo>, hash: &ContentHash) -> Stored<bool> {
    if streams.is_empty() {
        return Ok(false);
    }
    for record in tx.media_records(hash)? {
        if in_scope(tx, streams, record)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn in_scope(tx: &dyn ReadTx, streams: &BTreeSet<StreamNo>, record: RecordNo) -> Stored<bool> {
    let members = tx.memberships(record)?;
    Ok(members.iter().any(|member| !member.removed && streams.contains(&member.stream_no)))
}

impl Media {
    /// Answers which media a device is to upload, and gives receipts for those that are durably here.
    ///
    /// # Errors
    /// As for [`missing`]; failures of store and disk.
    pub fn missing(&self, principal: &Principal, request: &MissingRequest) -> Result<Missing, MediaError> {
        let mut out = self.storage.view(|tx| missing(tx, principal, request))?;
        let mut stored = Vec::with_capacity(out.stored.len());
        for bytes in out.stored {
            let there = match ContentHash::from_slice(&bytes) {
                Some(hash) => self.files.blob_len(&hash)?.is_some_and(|len| len > 0),
                None => false,
            };
            if there { &mut stored } else { &mut out.missing }.push(bytes);
        }
        Ok(Missing { missing: out.missing, stored })
    }

    /// Opens a medium for a device, through a record. `None` if the record or the medium is not for it, or not here:
    /// these are not told apart.
    ///
    /// # Errors
    /// Failures of store and disk.
    pub fn read(
        &self,
        principal: &Principal,
        record: RecordId,
        hash: &ContentHash,
    ) -> Result<Option<Blob>, MediaError> {
        let may = self.storage.view(|tx| Ok::<_, MediaError>(may_read(tx, principal, record, hash)?))?;
        if may { self.open_blob(hash) } else { Ok(None) }
    }

    /// Opens a medium. The caller has seen to it that it may be read: see [`may_read`].
    ///
    /// # Errors
    /// Failures of store and disk.
    pub fn open_blob(&self, hash: &ContentHash) -> Result<Option<Blob>, MediaError> {
        let stored = self.storage.view(|tx| Ok::<_, MediaError>(tx.media(hash)?.is_some()))?;
        let Some(file) = (if stored { self.files.open_blob(hash)? } else { None }) else { return Ok(None) };
        let bytes = file.metadata()?.len();
        let mut first = [0; 4];
        let read = std::os::unix::fs::FileExt::read_at(&file, &mut first, 0)?;
        let form = Form::of_published(first.get(..read).unwrap_or_default());
        Ok(Some(Blob { file, bytes, form }))
    }
}

/// The next bytes of a medium, at most 64 KiB; `None` at its end.
///
/// # Errors
/// If the disk fails.
pub fn next_piece(file: &mut File) -> std::io::Result<Option<Vec<u8>>> {
    let mut piece = Vec::new();
    let read = file.take(64 * 1024).read_to_end(&mut piece)?;
    Ok((read > 0).then_some(piece))
}
