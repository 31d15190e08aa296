//! House-keeping in the databases: sizes, what may go, the journal of sensitive reads.

use gridwalk_model::{ContentHash, RecordId, Timestamp};

use super::{Commit, MediaForm, Store, Tx, View, sql};
use crate::error::DeviceError;
use crate::keeping::{Evict, KeepingLimits, SensitiveRead};

/// How long a preview that had to go is not fetched by itself, in milliseconds.
const PREVIEW_AGAIN_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// Size of a page: the default of SQLite and of SQLCipher. Not asked for: SQLCipher answers `PRAGMA page_size` itself,
/// with a text.
const PAGE_BYTES: u64 = 4_096;

impl View<'_> {
    /// Records with a medium that waits or has a receipt.
    pub(crate) fn records_with_uploads(&self) -> Result<Vec<RecordId>, DeviceError> {
        let mut statement =
            self.connection.prepare_cached("SELECT DISTINCT record FROM upload WHERE form = 1")?;
        let rows = statement.query_map([], |row| sql::record_id(row, 0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether a record was read for this purpose since `since`. Entries from a clock that was ahead do not count.
    pub(crate) fn was_read(
        &self,
        record: RecordId,
        purpose: &str,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<bool, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM sensitive_read
             WHERE record = ?1 AND purpose = ?2 AND at BETWEEN ?3 AND ?4)",
        )?;
        let key = (record.as_bytes(), purpose, since.millis(), now.millis());
        Ok(statement.query_row(key, |row| row.get(0))?)
    }

    pub(crate) fn reads(&self, after: i64, limit: usize) -> Result<Vec<SensitiveRead>, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT n, at, record, kind, purpose FROM sensitive_read WHERE n > ?1 ORDER BY n LIMIT ?2",
        )?;
        let rows = statement.query_map((after, i64::try_from(limit).unwrap_or(i64::MAX)), |row| {
            Ok(SensitiveRead {
                n: row.get(0)?,
                at: sql::time(row, 1)?,
                record: sql::record_id(row, 2)?,
                kind: row.get(3)?,
                purpose: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Tx<'_> {
    pub(crate) fn put_read(
        &mut self,
        record: RecordId,
        kind: &str,
        purpose: &str,
        at: Timestamp,
    ) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached("INSERT INTO sensitive_read (at, record, kind, purpose) VALUES (?1, ?2, ?3, ?4)")?
            .execute((at.millis(), record.as_bytes(), kind, purpose))?;
        Ok(())
    }

    pub(crate) fn drop_reads(&mut self, through: i64) -> Result<(), DeviceError> {
        self.connection.prepare_cached("DELETE FROM sensitive_read WHERE n <= ?1")?.execute([through])?;
        Ok(())
    }

    /// Notes from before `before` on records that are not here. Of operations at doors the row stays, since numbers are
    /// never given twice, but not what it says.
    pub(crate) fn drop_notes_on_departed(&mut self, before: Timestamp) -> Result<usize, DeviceError> {
        let mut gone = 0;
        for query in [
            "DELETE FROM visit_draft WHERE at < ?1 AND target NOT IN (SELECT id FROM record)",
            "UPDATE door_operation SET steps = x'', undone = 1
             WHERE at < ?1 AND length(steps) > 0 AND target NOT IN (SELECT id FROM record)",
        ] {
            gone += self.connection.prepare_cached(query)?.execute([before.millis()])?;
        }
        self.forget_voices_without_draft()?;
        Ok(gone)
    }
}

/// What media may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MediaRoom {
    /// Bytes that new media may take, as the shell said last; `None` if it has not. What is written counts against it
    /// until it is said anew.
    pub(crate) free: Option<u64>,
    /// Bytes that both databases may take.
    pub(crate) budget: u64,
}

impl Default for MediaRoom {
    fn default() -> Self {
        Self { free: None, budget: KeepingLimits::default().budget_bytes }
    }
}

impl Store {
    /// Says what media may take from now on.
    pub(crate) const fn set_room(&mut self, room: MediaRoom) {
        self.room = room;
    }

    /// Makes room for new media. Beyond the budget, what can be fetched again goes; what only this phone has never
    /// does, so a phone that has not been online for long may be above it.
    ///
    /// # Errors
    /// [`DeviceError::StorageFull`] before anything is written: the rest of the storage is for text.
    pub(crate) fn take_room(&mut self, bytes: usize, now: Timestamp) -> Result<(), DeviceError> {
        let bytes = bytes as u64;
        let left = self.room.free.map(|free| free.checked_sub(bytes).ok_or(DeviceError::StorageFull));
        self.room.free = left.transpose()?;
        self.evict_beyond(self.room.budget.saturating_sub(bytes), now).map(drop)
    }

    /// Bytes of both databases that are in use; pages that were given up do not count.
    pub(crate) fn used_bytes(&self) -> Result<u64, DeviceError> {
        let mut bytes = 0;
        for connection in [&self.connection, &self.media] {
            let number = |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
            let pages = number("PRAGMA page_count")? - number("PRAGMA freelist_count")?;
            bytes += pages.unsigned_abs().saturating_mul(PAGE_BYTES);
        }
        Ok(bytes)
    }

    /// Gives the pages that are not in use back to the file system, as far as the file allows it.
    pub(crate) fn give_space_back(&self) -> Result<(), DeviceError> {
        self.media.execute_batch("PRAGMA incremental_vacuum;")?;
        self.drain()
    }

    /// Media that may go before their time, with their bytes, the oldest first.
    pub(crate) fn evictable(
        &self,
        what: Evict,
        now: Timestamp,
    ) -> Result<Vec<(ContentHash, u64)>, DeviceError> {
        let form = if what == Evict::Previews { MediaForm::Preview } else { MediaForm::Full };
        let mut statement =
            self.media.prepare_cached("SELECT hash, bytes FROM media WHERE form = ?1 ORDER BY at, hash")?;
        let rows = statement.query_map([form.code()], |row| {
            Ok((sql::content_hash(row, 0)?, row.get::<_, i64>(1)?.unsigned_abs()))
        })?;
        let mut all: Vec<(ContentHash, u64)> = rows.collect::<Result<_, _>>()?;
        if what == Evict::BackedUp {
            let done = self.view().uploads_done(now.plus_millis(1))?;
            all.retain(|(hash, _)| done.contains(hash));
            return Ok(all);
        }
        let mut kept = Vec::new();
        for (hash, bytes) in all {
            if self.view().upload(&hash)?.is_none() {
                kept.push((hash, bytes));
            }
        }
        Ok(kept)
    }

    /// Removes media; what is known of them first, so that a crash in between leaves leftovers and no holes.
    pub(crate) fn forget_media(
        &mut self,
        what: Evict,
        hashes: &[ContentHash],
        now: Timestamp,
    ) -> Result<(), DeviceError> {
        self.write(Commit::Sweep, |tx| match what {
            Evict::Fetched => Ok(()),
            Evict::BackedUp => tx.forget_uploads(hashes),
            Evict::Previews => {
                for hash in hashes {
                    tx.connection
                        .prepare_cached("UPDATE preview SET here = 0, retry_at = ?2 WHERE hash = ?1")?
                        .execute((hash.as_bytes(), now.plus_millis(PREVIEW_AGAIN_MS).millis()))?;
                }
                Ok(())
            }
        })?;
        self.remove_media(hashes)
    }
}
