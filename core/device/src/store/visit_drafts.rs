//! Drafts of visits under way, and those that were thrown away.

use gridwalk_model::{RecordId, Timestamp};
use rusqlite::{OptionalExtension, Row};

use super::{Tx, View, sql};
use crate::error::DeviceError;

/// A draft of a visit that was thrown away and can still be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiscardedVisit {
    /// Its number on this phone.
    pub n: i64,
    /// Whom it is about.
    pub target: RecordId,
    /// When it was written last.
    pub at: Timestamp,
    /// When it was thrown away.
    pub discarded_at: Timestamp,
}

fn discarded(row: &Row<'_>) -> rusqlite::Result<DiscardedVisit> {
    Ok(DiscardedVisit {
        n: row.get(0)?,
        target: sql::record_id(row, 1)?,
        at: sql::time(row, 2)?,
        discarded_at: sql::time(row, 3)?,
    })
}

impl View<'_> {
    /// Targets with a draft, the oldest first.
    pub(crate) fn visit_drafts(&self) -> Result<Vec<(RecordId, Timestamp)>, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT target, at FROM visit_draft WHERE discarded_at IS NULL ORDER BY at, target",
        )?;
        let rows = statement.query_map([], |row| Ok((sql::record_id(row, 0)?, sql::time(row, 1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub(crate) fn visit_draft(&self, target: RecordId) -> Result<Option<Vec<u8>>, DeviceError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT body FROM visit_draft WHERE target = ?1 AND discarded_at IS NULL")?;
        Ok(statement.query_row([target.as_bytes()], |row| row.get(0)).optional()?)
    }

    /// The number of the draft of a target that was not thrown away.
    pub(crate) fn visit_draft_number(&self, target: RecordId) -> Result<Option<i64>, DeviceError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT n FROM visit_draft WHERE target = ?1 AND discarded_at IS NULL")?;
        Ok(statement.query_row([target.as_bytes()], |row| row.get(0)).optional()?)
    }

    /// Drafts that were thrown away, the last one first.
    pub(crate) fn discarded_visits(&self) -> Result<Vec<DiscardedVisit>, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT n, target, at, discarded_at FROM visit_draft
             WHERE discarded_at IS NOT NULL ORDER BY discarded_at DESC, n DESC",
        )?;
        let rows = statement.query_map([], discarded)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whom a draft is about, whether it was thrown away or not.
    pub(crate) fn visit_draft_target(&self, n: i64) -> Result<Option<RecordId>, DeviceError> {
        let mut statement = self.connection.prepare_cached("SELECT target FROM visit_draft WHERE n = ?1")?;
        Ok(statement.query_row([n], |row| sql::record_id(row, 0)).optional()?)
    }
}

impl Tx<'_> {
    /// The visit is recorded: its draft is done with, and the voice notes of it that it did not take. Those that were thrown
    /// away before stay until they are swept.
    pub(crate) fn remove_visit_draft(&mut self, target: RecordId) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached("DELETE FROM visit_draft WHERE target = ?1 AND discarded_at IS NULL")?
            .execute([target.as_bytes()])?;
        self.forget_voices_without_draft()
    }

    /// Marks the draft of a target, if there is one, as thrown away.
    pub(crate) fn discard_visit_draft(&mut self, target: RecordId, at: Timestamp) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached(
                "UPDATE visit_draft SET discarded_at = ?2 WHERE target = ?1 AND discarded_at IS NULL",
            )?
            .execute((target.as_bytes(), at.millis()))?;
        Ok(())
    }

    /// Takes a draft back. Its target must have no other.
    pub(crate) fn restore_visit_draft(&mut self, n: i64) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached("UPDATE visit_draft SET discarded_at = NULL WHERE n = ?1")?
            .execute([n])?;
        Ok(())
    }

    /// Forgets a draft that was thrown away, and its voice notes; the files are the caller's.
    pub(crate) fn delete_visit_draft(&mut self, n: i64) -> Result<(), DeviceError> {
        self.connection.prepare_cached("DELETE FROM visit_draft WHERE n = ?1")?.execute([n])?;
        self.forget_voices_without_draft()
    }

    /// Keeps a draft in place of the one before. Returns its number.
    pub(crate) fn put_visit_draft(
        &mut self,
        target: RecordId,
        body: &[u8],
        at: Timestamp,
    ) -> Result<i64, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO visit_draft (target, body, at) VALUES (?1, ?2, ?3)
             ON CONFLICT (target) WHERE discarded_at IS NULL
             DO UPDATE SET body = excluded.body, at = excluded.at
             RETURNING n",
        )?;
        Ok(statement.query_row((target.as_bytes(), body, at.millis()), |row| row.get(0))?)
    }
}
