//! Media on their way to the server.

use gridwalk_model::{ContentHash, RecordId, Timestamp};
use rusqlite::{OptionalExtension, Row};

use super::{Commit, MediaForm, Setting, Store, Tx, View, sql};
use crate::error::DeviceError;

/// In which lane a medium travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// What is small, right after the records' receipts: previews first, then tracks and voice notes.
    Preview,
    /// Full photos, last; on Wi-Fi only if so set.
    Full,
}

impl Lane {
    pub(super) const fn code(self) -> i64 {
        match self {
            Self::Preview => 0,
            Self::Full => 1,
        }
    }
}

/// A medium that the server is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// SHA-256 of the content.
    pub hash: ContentHash,
    /// The record that refers to it.
    pub record: RecordId,
    /// Its lane.
    pub lane: Lane,
    /// Its length.
    pub bytes: u64,
    /// The tus upload under way.
    pub url: Option<String>,
    /// Bytes that the server is known to have.
    pub offset: u64,
}

const COLUMNS: &str = "hash, record, lane, bytes, url, offset";

fn upload(row: &Row<'_>) -> rusqlite::Result<Upload> {
    Ok(Upload {
        hash: sql::content_hash(row, 0)?,
        record: sql::record_id(row, 1)?,
        lane: if row.get::<_, i64>(2)? == 0 { Lane::Preview } else { Lane::Full },
        bytes: row.get::<_, i64>(3)?.unsigned_abs(),
        url: row.get(4)?,
        offset: row.get::<_, i64>(5)?.unsigned_abs(),
    })
}

impl View<'_> {
    /// The next media of a lane, oldest first.
    pub(crate) fn uploads_waiting(
        &self,
        lane: Lane,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Upload>, DeviceError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM upload WHERE stored_at IS NULL AND lost = 0 AND lane = ?1 AND retry_at <= ?2
             ORDER BY form, at, hash LIMIT ?3"
        ))?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query_map((lane.code(), now.millis(), limit), upload)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub(crate) fn upload(&self, hash: &ContentHash) -> Result<Option<Upload>, DeviceError> {
        let mut statement =
            self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM upload WHERE hash = ?1"))?;
        Ok(statement.query_row([hash.as_bytes()], upload).optional()?)
    }

    /// When the next medium that is to wait may be tried again.
    pub(crate) fn next_upload_retry(&self, now: Timestamp) -> Result<Option<Timestamp>, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT min(retry_at) FROM upload WHERE stored_at IS NULL AND lost = 0 AND retry_at > ?1",
        )?;
        Ok(statement.query_row([now.millis()], |row| sql::time_opt(row, 0))?)
    }

    pub(crate) fn has_undated_receipts(&self, sent_at: Timestamp) -> Result<bool, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM upload WHERE in_commit IS NULL AND stored_at < ?1)",
        )?;
        Ok(statement.query_row([sent_at.millis()], |row| row.get(0))?)
    }

    /// Full photos and voice notes with a receipt from before `before`, whose commit a backup holds.
    pub(crate) fn uploads_done(&self, before: Timestamp) -> Result<Vec<ContentHash>, DeviceError> {
        let through = self.get_number(Setting::BackedUpThrough)?.unwrap_or(0);
        let mut statement = self.connection.prepare_cached(
            "SELECT hash FROM upload WHERE form IN (1, 4) AND stored_at < ?1 AND in_commit <= ?2 ORDER BY hash",
        )?;
        let rows = statement.query_map((before.millis(), through), |row| sql::content_hash(row, 0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Tx<'_> {
    /// Says that the server is to have a medium. One that it has, or that is on its way, stays as
    /// it is; one that was lost or taken off is to be sent again.
    pub(crate) fn add_upload(
        &mut self,
        hash: &ContentHash,
        record: RecordId,
        form: MediaForm,
        bytes: u64,
        at: Timestamp,
    ) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached(
                "INSERT INTO upload (hash, record, lane, form, bytes, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (hash) DO UPDATE SET record = excluded.record, lost = 0, dropped_at = NULL, retry_at = 0
                 WHERE lost <> 0 AND stored_at IS NULL",
            )?
            .execute((
                hash.as_bytes(),
                record.as_bytes(),
                form.lane().code(),
                form.code(),
                i64::try_from(bytes).unwrap_or(i64::MAX),
                at.millis(),
            ))?;
        Ok(())
    }

    pub(crate) fn forget_uploads(&mut self, hashes: &[ContentHash]) -> Result<(), DeviceError> {
        for hash in hashes {
            self.connection
                .prepare_cached("DELETE FROM upload WHERE hash = ?1")?
                .execute([hash.as_bytes()])?;
        }
        Ok(())
    }

    /// A receipt names no commit. The first answer to a request made after it does: the medium was durable before, so
    /// a backup of that commit holds it.
    pub(crate) fn date_receipts(&mut self, sent_at: Timestamp, commit: u64) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached("UPDATE upload SET in_commit = ?2 WHERE in_commit IS NULL AND stored_at < ?1")?
            .execute((sent_at.millis(), i64::try_from(commit).unwrap_or(i64::MAX)))?;
        Ok(())
    }

    /// Everything that the server said it has is asked for again: a backup may not hold it.
    pub(crate) fn doubt_receipts(&mut self) -> Result<(), DeviceError> {
        self.connection.execute(
            "UPDATE upload SET stored_at = NULL, in_commit = NULL, url = NULL, offset = 0, retry_at = 0",
            [],
        )?;
        Ok(())
    }
}

impl Store {
    pub(crate) fn set_upload_progress(
        &mut self,
        hash: &ContentHash,
        url: Option<&str>,
        offset: u64,
    ) -> Result<(), DeviceError> {
        self.write(Commit::Upload, |tx| {
            tx.connection
                .prepare_cached("UPDATE upload SET url = ?2, offset = ?3 WHERE hash = ?1")?
                .execute((hash.as_bytes(), url, i64::try_from(offset).unwrap_or(i64::MAX)))?;
            Ok(())
        })
    }

    /// The server does not take a medium: it waits, so that others of its lane go on, and is told in the tray.
    pub(crate) fn refuse_upload(
        &mut self,
        hash: &ContentHash,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), DeviceError> {
        self.write(Commit::Upload, |tx| {
            tx.connection
                .prepare_cached(
                    "UPDATE upload SET retry_at = ?2, refused_at = coalesce(refused_at, ?3) WHERE hash = ?1",
                )?
                .execute((hash.as_bytes(), until.millis(), now.millis()))?;
            Ok(())
        })
    }

    /// The bytes of a medium are gone before the server had them: it waits no longer, and is told as lost.
    pub(crate) fn lose_upload(&mut self, hash: &ContentHash) -> Result<(), DeviceError> {
        self.write(Commit::Upload, |tx| {
            tx.connection
                .prepare_cached("UPDATE upload SET lost = 1 WHERE hash = ?1")?
                .execute([hash.as_bytes()])?;
            Ok(())
        })
    }

    /// The server's receipts: these media are durable there.
    pub(crate) fn receipts(&mut self, hashes: &[ContentHash], now: Timestamp) -> Result<(), DeviceError> {
        self.write(Commit::Upload, |tx| {
            for hash in hashes {
                tx.connection
                    .prepare_cached(
                        "UPDATE upload SET stored_at = ?2, url = NULL, lost = 0, dropped_at = NULL WHERE hash = ?1 AND stored_at IS NULL",
                    )?
                    .execute((hash.as_bytes(), now.millis()))?;
            }
            Ok(())
        })
    }
}
