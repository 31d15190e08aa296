//! What becomes of an upload: creation, where it stands, publication, end. Everything here blocks, and expects the
//! upload's turn to be held.
//!
//! Order of the steps, so that a crash between any two loses nothing: the part's file before its row; bytes on
//! the disk before anybody hears of them; the blob before its row; rows gone before files.

use gridwalk_model::{ContentHash, Timestamp};
use gridwalk_replica::protocol::ProtocolError;

use super::Media;
use super::content::{self, ContentError};
use super::error::{MediaError, Refusal};
use super::store::Leftover;
use super::tus::Creation;
use super::upload_id::UploadId;
use crate::audit;
use crate::storage::ledger::{MediaRow, UploadRow};
use crate::sync::{Principal, REVOCATION_GRACE_MS};

/// Expired uploads that are ended in one transaction.
const EXPIRE_BATCH: u32 = 100;

/// Where an upload stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Bytes are missing.
    Open {
        /// How many are here, durably.
        offset: u64,
        /// How many the whole has.
        bytes: u64,
        /// When it is given up.
        expires_at: Timestamp,
    },
    /// Published.
    Done {
        /// How many the whole has.
        bytes: u64,
    },
}

impl Place {
    /// How many bytes are here, durably.
    pub const fn offset(&self) -> u64 {
        match self {
            Self::Open { offset, .. } => *offset,
            Self::Done { bytes } => *bytes,
        }
    }

    /// How many the whole has.
    pub const fn bytes(&self) -> u64 {
        match self {
            Self::Open { bytes, .. } | Self::Done { bytes } => *bytes,
        }
    }

    /// When it is given up.
    pub const fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::Open { expires_at, .. } => Some(*expires_at),
            Self::Done { .. } => None,
        }
    }
}

/// What a start found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Uploads that go on.
    pub open: u64,
    /// Uploads that were whole and are published now.
    pub published: u64,
    /// Files that nobody needs, removed.
    pub removed: u64,
}

impl Media {
    /// Begins an upload. One that the device has under way for the same hash begins anew.
    ///
    /// # Errors
    /// If the device may not upload, or has too much under way; failures of store and disk.
    pub fn create(
        &self,
        principal: &Principal,
        creation: &Creation,
    ) -> Result<(UploadId, Place), MediaError> {
        let now = self.clock.now();
        may_upload(principal, now)?;
        let id = UploadId { hash: creation.hash, device: principal.device };
        let name = id.to_string();
        let (open, bytes) = self.storage.view(|tx| {
            let (mut open, mut bytes) = tx.open_uploads(principal.device_no)?;
            if let Some(old) = tx.upload(&name)? {
                (open, bytes) = (open.saturating_sub(1), bytes.saturating_sub(old.bytes));
            }
            Ok::<_, MediaError>((open + 1, bytes.saturating_add(creation.bytes)))
        })?;
        if open > self.limits.open_uploads || bytes > self.limits.open_bytes {
            return Err(Refusal::TooManyOpen.into());
        }
        let expires_at = now.plus_days(i64::from(self.limits.upload_days.max(30)));
        let row = UploadRow {
            id: name,
            device: principal.device_no,
            hash: creation.hash,
            bytes: creation.bytes,
            created_at: now,
            expires_at,
        };
        self.files.create_part(&id)?;
        self.storage.update(|tx| {
            tx.delete_upload(&row.id)?;
            Ok::<_, MediaError>(tx.insert_upload(&row)?)
        })?;
        Ok((id, Place::Open { offset: 0, bytes: row.bytes, expires_at }))
    }

    /// Where an upload stands. Publishes it if it is whole.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] for what is not this device's; [`Refusal::Gone`]; [`Refusal::Content`] if it is whole
    /// and cannot be published; failures of store and disk.
    pub fn place(&self, principal: &Principal, id: &UploadId) -> Result<Place, MediaError> {
        let now = self.clock.now();
        may_upload(principal, now)?;
        if id.device != principal.device {
            return Err(Refusal::NotFound.into());
        }
        match self.storage.view(|tx| Ok::<_, MediaError>(tx.upload(&id.to_string())?))? {
            None => self.published(principal, id),
            Some(row) if row.expires_at <= now => Err(Refusal::Gone.into()),
            Some(row) => self.settle(id, &row),
        }
    }

    /// An upload without a row is done if the device is known to have uploaded this hash.
    fn published(&self, principal: &Principal, id: &UploadId) -> Result<Place, MediaError> {
        let row = self.storage.view(|tx| {
            let held = tx.holds_media(&id.hash, principal.device_no)?;
            Ok::<_, MediaError>(if held { tx.media(&id.hash)? } else { None })
        })?;
        match row {
            Some(row) if self.files.blob_len(&id.hash)? == Some(row.bytes) => {
                Ok(Place::Done { bytes: row.bytes })
            }
            _ => Err(Refusal::NotFound.into()),
        }
    }

    fn settle(&self, id: &UploadId, row: &UploadRow) -> Result<Place, MediaError> {
        let offset = match self.files.durable_len(id)? {
            Some(len) if len <= row.bytes => len,
            // A part that somebody took away or lengthened from outside.
            _ => {
                self.files.create_part(id)?;
                0
            }
        };
        if offset == row.bytes {
            self.finish(id, row)?;
            return Ok(Place::Done { bytes: row.bytes });
        }
        Ok(Place::Open { offset, bytes: row.bytes, expires_at: row.expires_at })
    }

    /// Checks a whole and durable part and publishes it.
    fn finish(&self, id: &UploadId, row: &UploadRow) -> Result<(), MediaError> {
        let bytes = self.files.read_part(id, row.bytes)?;
        let checked = content::check(&bytes, &id.hash, &self.limits.photo);
        drop(bytes);
        if let Err(error) = checked {
            self.discard(id, &error)?;
            return Err(Refusal::Content(error).into());
        }
        self.files.publish(id, &id.hash)?;
        let stored = MediaRow { bytes: row.bytes, stored_at: self.clock.now() };
        self.storage.update(|tx| {
            tx.insert_media(&id.hash, &stored)?;
            tx.add_media_holder(&id.hash, row.device)?;
            Ok::<_, MediaError>(tx.delete_upload(&row.id)?)
        })?;
        Ok(self.files.remove_part(id)?)
    }

    fn discard(&self, id: &UploadId, error: &ContentError) -> Result<(), MediaError> {
        let now = self.clock.now();
        self.storage.update(|tx| {
            tx.delete_upload(&id.to_string())?;
            let entry = audit::Entry {
                actor: &id.device.to_string(),
                action: "upload-refused",
                target: &id.hash.to_string(),
                detail: error.word(),
                alarm: false,
            };
            Ok::<_, MediaError>(audit::append(tx, now, &entry)?)
        })?;
        Ok(self.files.remove_part(id)?)
    }

    /// Stores a whole medium that came in another way than by tus, in the name of a device. One that is stored already
    /// is left alone.
    ///
    /// # Errors
    /// [`Refusal::Content`] for bytes that are not what the hash says, or no medium; failures of store and disk.
    pub fn take_whole(
        &self,
        principal: &Principal,
        hash: ContentHash,
        bytes: &[u8],
    ) -> Result<(), MediaError> {
        let id = UploadId { hash, device: principal.device };
        if matches!(self.place(principal, &id), Ok(Place::Done { .. })) {
            return Ok(());
        }
        let creation = Creation { hash, bytes: bytes.len() as u64, chunk: None };
        let (id, _) = self.create(principal, &creation)?;
        let mut part = self.files.open_part(&id)?;
        self.files.append(&mut part, bytes)?;
        drop(part);
        match self.place(principal, &id)? {
            Place::Done { .. } => Ok(()),
            Place::Open { offset, .. } => Err(Refusal::Offset { offset }.into()),
        }
    }

    /// Ends an upload at the device's wish.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] for what is not under way; failures of store and disk.
    pub fn terminate(&self, principal: &Principal, id: &UploadId) -> Result<(), MediaError> {
        may_upload(principal, self.clock.now())?;
        let name = id.to_string();
        let own = id.device == principal.device;
        let found = own && self.storage.view(|tx| Ok::<_, MediaError>(tx.upload(&name)?.is_some()))?;
        if !found {
            return Err(Refusal::NotFound.into());
        }
        self.storage.update(|tx| Ok::<_, MediaError>(tx.delete_upload(&name)?))?;
        Ok(self.files.remove_part(id)?)
    }

    /// Ends the uploads whose time is over. Returns how many. Needs no turns: a request at work on such an upload
    /// ends as if it had been terminated.
    ///
    /// # Errors
    /// Failures of store and disk.
    pub fn expire(&self) -> Result<u64, MediaError> {
        let now = self.clock.now();
        let mut ended = 0;
        loop {
            let rows = self.storage.view(|tx| Ok::<_, MediaError>(tx.expired_uploads(now, EXPIRE_BATCH)?))?;
            if rows.is_empty() {
                return Ok(ended);
            }
            self.storage.update(|tx| {
                rows.iter().try_for_each(|row| tx.delete_upload(&row.id)).map_err(MediaError::from)
            })?;
            for row in &rows {
                if let Ok(id) = row.id.parse() {
                    self.files.remove_part(&id)?;
                }
                ended += 1;
            }
        }
    }

    /// Puts in order what a crash left. To be called before the first request.
    ///
    /// # Errors
    /// Failures of store and disk.
    pub fn recover(&self) -> Result<Recovered, MediaError> {
        let mut found = Recovered::default();
        for leftover in self.files.leftovers()? {
            let id = match leftover {
                Leftover::Part(id) => id,
                Leftover::Scrap(path) => {
                    self.files.remove_scrap(&path)?;
                    found.removed += 1;
                    continue;
                }
            };
            let row = self.storage.view(|tx| Ok::<_, MediaError>(tx.upload(&id.to_string())?))?;
            let settled = row.map(|row| self.settle(&id, &row)).transpose();
            match settled {
                Ok(Some(Place::Open { .. })) => found.open += 1,
                Ok(Some(Place::Done { .. })) => found.published += 1,
                Ok(None) => {
                    self.files.remove_part(&id)?;
                    found.removed += 1;
                }
                Err(MediaError::Refused(_)) => found.removed += 1,
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Copies all published media that `target` lacks, by a second name where the file system can. To be called
    /// after the store was copied: every medium of which the copy knows is then among them.
    ///
    /// # Errors
    /// If the target cannot be written.
    pub fn back_up(&self, target: &std::path::Path) -> Result<u64, MediaError> {
        Ok(self.files.back_up(target)?)
    }
}

/// A locked device may still hand in what it had not sent.
fn may_upload(principal: &Principal, now: Timestamp) -> Result<(), ProtocolError> {
    let over = |at: Timestamp| now.millis() - at.millis() > REVOCATION_GRACE_MS;
    if principal.revoked_at.is_some_and(over) { Err(ProtocolError::Revoked { wipe: false }) } else { Ok(()) }
}
