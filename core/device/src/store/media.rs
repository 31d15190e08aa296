//! Media at rest: pieces of 256 KiB in a SQLCipher database of their own.
//!
//! Chosen over files with an authenticated cipher of our own, because the pages are encrypted and authenticated by
//! the same reviewed code and key as the records, a commit is atomic and durable without renames, and a piece is
//! exactly what one tus request carries. The cost is one copy through the page cache.

use gridwalk_model::{ContentHash, Timestamp};
use rusqlite::OptionalExtension;

use super::{Lane, Store, sql};
use crate::error::DeviceError;

/// Size of a piece and of a tus request, in bytes.
const PIECE_BYTES: usize = 256 * 1024;

/// What a stored blob is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaForm {
    /// A preview.
    Preview,
    /// The stamped photo.
    Full,
    /// The encoded track of a patrol.
    Track,
    /// A voice note.
    Voice,
}

impl MediaForm {
    pub(super) const fn code(self) -> i64 {
        match self {
            Self::Preview => 0,
            Self::Full => 1,
            Self::Track => 3,
            Self::Voice => 4,
        }
    }

    /// The lane in which it travels: what is small goes right after the records, full photos come last.
    pub const fn lane(self) -> Lane {
        match self {
            Self::Preview | Self::Track | Self::Voice => Lane::Preview,
            Self::Full => Lane::Full,
        }
    }
}

/// An original that waits to be processed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Capture {
    pub(crate) body: Vec<u8>,
    pub(crate) facts: Vec<u8>,
}

impl Store {
    /// Stores blobs in one transaction. One that is here already stays as it is.
    pub(crate) fn put_media(
        &mut self,
        blobs: &[(ContentHash, MediaForm, &[u8])],
        at: Timestamp,
    ) -> Result<(), DeviceError> {
        self.take_room(blobs.iter().map(|(_, _, bytes)| bytes.len()).sum(), at)?;
        self.write_media(|connection| {
            for (hash, form, bytes) in blobs {
                let added = connection
                    .prepare_cached(
                        "INSERT OR IGNORE INTO media (hash, form, bytes, at) VALUES (?1, ?2, ?3, ?4)",
                    )?
                    .execute((
                        hash.as_bytes(),
                        form.code(),
                        i64::try_from(bytes.len()).unwrap_or(i64::MAX),
                        at.millis(),
                    ))?;
                if added == 0 {
                    continue;
                }
                let mut statement =
                    connection.prepare_cached("INSERT INTO piece (hash, n, body) VALUES (?1, ?2, ?3)")?;
                for (n, piece) in bytes.chunks(PIECE_BYTES).enumerate() {
                    statement.execute((hash.as_bytes(), n as i64, piece))?;
                }
            }
            Ok(())
        })
    }

    /// The bytes of a blob; `None` if it is not on this phone.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn media(&self, hash: &ContentHash) -> Result<Option<Vec<u8>>, DeviceError> {
        let Some(length) = self.media_len(hash)? else { return Ok(None) };
        let mut out = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        let mut statement = self.media.prepare_cached("SELECT body FROM piece WHERE hash = ?1 ORDER BY n")?;
        let mut rows = statement.query([hash.as_bytes()])?;
        while let Some(row) = rows.next()? {
            out.extend_from_slice(row.get_ref(0)?.as_blob().map_err(|_| DeviceError::Damaged)?);
        }
        Ok(Some(out))
    }

    /// Length of a blob in bytes; `None` if it is not on this phone.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn media_len(&self, hash: &ContentHash) -> Result<Option<u64>, DeviceError> {
        let mut statement = self.media.prepare_cached("SELECT bytes FROM media WHERE hash = ?1")?;
        let length: Option<i64> = statement.query_row([hash.as_bytes()], |row| row.get(0)).optional()?;
        Ok(length.map(i64::unsigned_abs))
    }

    /// The bytes from `offset` to the end of the piece that holds it: what one request carries.
    pub(crate) fn media_piece(
        &self,
        hash: &ContentHash,
        offset: u64,
    ) -> Result<Option<Vec<u8>>, DeviceError> {
        let piece = PIECE_BYTES as u64;
        let mut statement = self.media.prepare_cached("SELECT body FROM piece WHERE hash = ?1 AND n = ?2")?;
        let body: Option<Vec<u8>> = statement
            .query_row((hash.as_bytes(), i64::try_from(offset / piece).unwrap_or(i64::MAX)), |row| row.get(0))
            .optional()?;
        let skip = usize::try_from(offset % piece).unwrap_or(0);
        Ok(body.and_then(|mut body| {
            if skip >= body.len() {
                return None;
            }
            body.drain(..skip);
            Some(body)
        }))
    }

    /// Removes blobs. The reason to remove them is durable elsewhere already, so a crash in between is harmless.
    pub(crate) fn remove_media(&mut self, hashes: &[ContentHash]) -> Result<(), DeviceError> {
        self.write_media(|connection| {
            for hash in hashes {
                connection.prepare_cached("DELETE FROM piece WHERE hash = ?1")?.execute([hash.as_bytes()])?;
                connection.prepare_cached("DELETE FROM media WHERE hash = ?1")?.execute([hash.as_bytes()])?;
            }
            Ok(())
        })
    }

    /// Whether a blob is a preview that a record on this phone refers to.
    pub(crate) fn is_preview(&self, hash: &ContentHash) -> Result<bool, DeviceError> {
        self.view().is_preview_of_a_record(hash)
    }

    /// Every blob with the time at which it came, in the order of their hashes.
    pub(crate) fn all_media(&self) -> Result<Vec<(ContentHash, Timestamp)>, DeviceError> {
        let mut statement = self.media.prepare_cached("SELECT hash, at FROM media ORDER BY hash")?;
        let rows = statement.query_map([], |row| Ok((sql::content_hash(row, 0)?, sql::time(row, 1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Blobs of a form that were stored before `before`.
    pub(crate) fn media_older_than(
        &self,
        form: MediaForm,
        before: Timestamp,
    ) -> Result<Vec<ContentHash>, DeviceError> {
        let mut statement =
            self.media.prepare_cached("SELECT hash FROM media WHERE form = ?1 AND at < ?2")?;
        let rows = statement.query_map((form.code(), before.millis()), |row| sql::content_hash(row, 0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Journals an original. Durable when this returns: the camera is free again.
    pub(crate) fn put_capture(
        &mut self,
        body: &[u8],
        facts: &[u8],
        at: Timestamp,
    ) -> Result<i64, DeviceError> {
        self.take_room(body.len(), at)?;
        self.write_media(|connection| {
            let mut statement =
                connection.prepare_cached("INSERT INTO capture (body, facts, at) VALUES (?1, ?2, ?3)")?;
            Ok(statement.insert((body, facts, at.millis()))?)
        })
    }

    /// One journaled original.
    pub(crate) fn capture(&self, n: i64) -> Result<Option<Capture>, DeviceError> {
        let mut statement = self.media.prepare_cached("SELECT body, facts FROM capture WHERE n = ?1")?;
        let capture = statement.query_row([n], |row| Ok(Capture { body: row.get(0)?, facts: row.get(1)? }));
        Ok(capture.optional()?)
    }

    /// What was said of a journaled original.
    pub(crate) fn capture_facts(&self, n: i64) -> Result<Option<Vec<u8>>, DeviceError> {
        let mut statement = self.media.prepare_cached("SELECT facts FROM capture WHERE n = ?1")?;
        Ok(statement.query_row([n], |row| row.get(0)).optional()?)
    }

    /// Says something else of a journaled original. Returns whether it is there.
    pub(crate) fn set_capture_facts(&mut self, n: i64, facts: &[u8]) -> Result<bool, DeviceError> {
        self.write_media(|connection| {
            let mut statement = connection.prepare_cached("UPDATE capture SET facts = ?2 WHERE n = ?1")?;
            Ok(statement.execute((n, facts))? == 1)
        })
    }

    /// Numbers of the originals that wait, in the order of their capture.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn captures(&self) -> Result<Vec<i64>, DeviceError> {
        let mut statement = self.media.prepare_cached("SELECT n FROM capture ORDER BY n")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Removes a journaled original: it was processed, or the worker threw it away.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn remove_capture(&mut self, n: i64) -> Result<(), DeviceError> {
        self.write_media(|connection| {
            connection.prepare_cached("DELETE FROM capture WHERE n = ?1")?.execute([n])?;
            Ok(())
        })
    }
}
