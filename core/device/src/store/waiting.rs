//! Records of which something waits, as the tray shows them, and what the worker has taken note of.

use gridwalk_model::{RecordId, Timestamp};
use rusqlite::OptionalExtension;

use super::{Commit, OutboxState, Store, Tx, View, sql};
use crate::error::DeviceError;

/// A record of which something waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WaitingRow {
    pub(crate) record: RecordId,
    pub(crate) kind: String,
    pub(crate) state: OutboxState,
    /// When the oldest of its changes was made.
    pub(crate) since: Timestamp,
    /// How many changes wait.
    pub(crate) changes: u64,
}

impl View<'_> {
    /// The records of which something waits, the oldest first. One with a change that the server cannot take yet is
    /// told as such.
    pub(crate) fn waiting_records(&self) -> Result<Vec<WaitingRow>, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT record, kind, max(state), min(at), count(*) FROM outbox GROUP BY record ORDER BY min(n)",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(WaitingRow {
                record: sql::record_id(row, 0)?,
                kind: row.get(1)?,
                state: OutboxState::of(row.get(2)?),
                since: sql::time(row, 3)?,
                changes: row.get::<_, i64>(4)?.unsigned_abs(),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether the worker has taken note of something that happened at `base`.
    pub(crate) fn is_seen(&self, of: RecordId, what: &str, base: Timestamp) -> Result<bool, DeviceError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT 1 FROM due_seen WHERE record = ?1 AND source = ?2 AND base = ?3")?;
        let found = statement.query_row((of.as_bytes(), what, base.millis()), |_| Ok(()));
        Ok(found.optional()?.is_some())
    }

    /// What the worker has taken note of in this way, in the order of the identifiers.
    pub(crate) fn noted(&self, what: &str) -> Result<Vec<RecordId>, DeviceError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT record FROM due_seen WHERE source = ?1 ORDER BY record")?;
        let rows = statement.query_map([what], |row| sql::record_id(row, 0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Tx<'_> {
    /// Takes an edit off the list of those that were not accepted.
    pub(crate) fn drop_refused(&mut self, n: i64) -> Result<(), DeviceError> {
        self.connection.prepare_cached("DELETE FROM refused_edit WHERE n = ?1")?.execute([n])?;
        Ok(())
    }

    /// As [`Store::note_seen`], together with other writes.
    pub(crate) fn note_seen_at(
        &mut self,
        of: RecordId,
        what: &str,
        base: Timestamp,
    ) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO due_seen (record, source, base) VALUES (?1, ?2, ?3)")?
            .execute((of.as_bytes(), what, base.millis()))?;
        Ok(())
    }

    /// Forgets that the worker has taken note of something: it is told again.
    pub(crate) fn forget_seen(&mut self, of: RecordId, what: &str) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached("DELETE FROM due_seen WHERE record = ?1 AND source = ?2")?
            .execute((of.as_bytes(), what))?;
        Ok(())
    }
}

impl Store {
    /// Remembers that the worker has taken note of something that happened at `base`. It is told again when it happens
    /// again.
    pub(crate) fn note_seen(&mut self, of: RecordId, what: &str, base: Timestamp) -> Result<(), DeviceError> {
        self.write(Commit::Setting, |tx| tx.note_seen_at(of, what, base))
    }
}
