//! Previews of photos that records refer to: fetched in the background, so that a list of events shows them offline.

use gridwalk_model::photo::shown_photos;
use gridwalk_model::{ContentHash, Fields, RecordId, Timestamp};
use rusqlite::OptionalExtension;

use super::{Commit, MediaForm, Store, Tx, View, sql};
use crate::error::DeviceError;

impl View<'_> {
    /// Whether a record on this phone refers to the preview.
    pub(super) fn is_preview_of_a_record(&self, hash: &ContentHash) -> Result<bool, DeviceError> {
        let mut statement = self.connection.prepare_cached("SELECT 1 FROM preview WHERE hash = ?1")?;
        Ok(statement.query_row([hash.as_bytes()], |_| Ok(())).optional()?.is_some())
    }
}

impl Tx<'_> {
    /// Notes the previews that a record refers to.
    pub(super) fn note_previews(&mut self, record: i64, fields: &Fields) -> Result<(), DeviceError> {
        for hash in shown_photos(fields).filter_map(|(_, photo)| photo.preview_hash) {
            self.connection
                .prepare_cached("INSERT OR IGNORE INTO preview (hash, record) VALUES (?1, ?2)")?
                .execute((hash.as_bytes(), record))?;
        }
        Ok(())
    }

    pub(crate) fn preview_is_here(&mut self, hash: &ContentHash) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached("UPDATE preview SET here = 1 WHERE hash = ?1 AND here = 0")?
            .execute([hash.as_bytes()])?;
        Ok(())
    }
}

impl Store {
    /// Previews that are not here yet, with the record through which each may be read.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn previews_wanted(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(RecordId, ContentHash)>, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT r.id, p.hash FROM preview p JOIN record r ON r.key = p.record
             WHERE p.here = 0 AND p.retry_at <= ?1 ORDER BY p.retry_at, p.hash LIMIT ?2",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query_map((now.millis(), limit), |row| {
            Ok((sql::record_id(row, 0)?, sql::content_hash(row, 1)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keeps bytes that came from the server. A preview stays as long as a record refers to it, anything else for a
    /// day.
    ///
    /// # Errors
    /// [`DeviceError::StorageFull`].
    pub fn keep_fetched(
        &mut self,
        hash: &ContentHash,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<(), DeviceError> {
        let preview = self.view().is_preview_of_a_record(hash)?;
        let form = if preview { MediaForm::Preview } else { MediaForm::Full };
        self.put_media(&[(*hash, form, bytes)], now)?;
        if preview {
            self.write(Commit::Upload, |tx| tx.preview_is_here(hash))?;
        }
        Ok(())
    }

    /// Notes a preview whose bytes are here already: its record was made here, left, and came back. Returns whether.
    pub(crate) fn preview_was_kept(&mut self, hash: &ContentHash) -> Result<bool, DeviceError> {
        let kept = self.media_len(hash)?.is_some();
        if kept {
            self.write(Commit::Upload, |tx| tx.preview_is_here(hash))?;
        }
        Ok(kept)
    }

    /// A preview that the server does not have yet is asked for again later.
    pub(crate) fn defer_preview(&mut self, hash: &ContentHash, until: Timestamp) -> Result<(), DeviceError> {
        self.write(Commit::Upload, |tx| {
            tx.connection
                .prepare_cached("UPDATE preview SET retry_at = ?2 WHERE hash = ?1")?
                .execute((hash.as_bytes(), until.millis()))?;
            Ok(())
        })
    }
}
