//! Own changes on their way: what waits, and what the server has taken but not backed up yet.

use gridwalk_model::{RecordId, StreamId, Timestamp};
use gridwalk_replica::ChangeHash;
use gridwalk_replica::document::NewChange;
use rusqlite::{OptionalExtension, Row};

use super::{Setting, Tx, View, sql};
use crate::error::DeviceError;

/// Where a waiting change stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboxState {
    /// To be sent next.
    Waiting,
    /// The server is older than this app and cannot read it yet.
    Held,
    /// It builds on something that the server has lost.
    Stranded,
}

impl OutboxState {
    const fn code(self) -> i64 {
        match self {
            Self::Waiting => 0,
            Self::Held => 1,
            Self::Stranded => 2,
        }
    }

    pub(super) const fn of(code: i64) -> Self {
        match code {
            1 => Self::Held,
            2 => Self::Stranded,
            _ => Self::Waiting,
        }
    }
}

/// A waiting change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OutboxRow {
    pub(crate) n: i64,
    pub(crate) record: RecordId,
    pub(crate) kind: String,
    pub(crate) hash: ChangeHash,
    pub(crate) raw: Vec<u8>,
    pub(crate) at: Timestamp,
    pub(crate) hint: Option<StreamId>,
    pub(crate) state: OutboxState,
    pub(crate) retry_at: Timestamp,
    pub(crate) replays: u32,
}

const COLUMNS: &str = "n, record, kind, hash, raw, at, hint, state, retry_at, replays";

fn row(row: &Row<'_>) -> rusqlite::Result<OutboxRow> {
    let hint: Option<Vec<u8>> = row.get(6)?;
    Ok(OutboxRow {
        n: row.get(0)?,
        record: sql::record_id(row, 1)?,
        kind: row.get(2)?,
        hash: sql::change_hash(row, 3)?,
        raw: row.get(4)?,
        at: sql::time(row, 5)?,
        hint: hint.as_deref().and_then(StreamId::from_bytes),
        state: OutboxState::of(row.get(7)?),
        retry_at: sql::time(row, 8)?,
        replays: row.get(9)?,
    })
}

impl View<'_> {
    /// Waiting changes of one record, in order.
    pub(crate) fn outbox_of(&self, record: RecordId) -> Result<Vec<OutboxRow>, DeviceError> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM outbox WHERE record = ?1 ORDER BY n"))?;
        let rows = statement.query_map([record.as_bytes()], row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The records that have something to send now, in the order in which their first change was made, and how many
    /// bytes each. A record with one change that is to wait waits as a whole.
    pub(crate) fn outbox_records(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(RecordId, usize)>, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT record, sum(length(raw)) FROM outbox GROUP BY record HAVING max(retry_at) <= ?1
             ORDER BY min(n) LIMIT ?2",
        )?;
        let rows = statement.query_map((now.millis(), i64::try_from(limit).unwrap_or(i64::MAX)), |row| {
            Ok((sql::record_id(row, 0)?, row.get::<_, i64>(1)?.unsigned_abs() as usize))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub(crate) fn outbox_row(&self, hash: &ChangeHash) -> Result<Option<OutboxRow>, DeviceError> {
        let mut statement =
            self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM outbox WHERE hash = ?1"))?;
        Ok(statement.query_row([hash.0], row).optional()?)
    }

    pub(crate) fn has_waiting(&self, record: RecordId) -> Result<bool, DeviceError> {
        let mut statement =
            self.connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM outbox WHERE record = ?1)")?;
        Ok(statement.query_row([record.as_bytes()], |row| row.get(0))?)
    }

    /// Whether a change is one that this store made: waiting, sent, or refused.
    pub(crate) fn made_here(&self, hash: &ChangeHash) -> Result<bool, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM outbox WHERE hash = ?1) OR EXISTS (SELECT 1 FROM sent WHERE hash = ?1)
             OR EXISTS (SELECT 1 FROM quarantine WHERE hash = ?1)",
        )?;
        Ok(statement.query_row([hash.0], |row| row.get(0))?)
    }

    /// When the next change that is to wait may be sent again.
    pub(crate) fn next_retry(&self, now: Timestamp) -> Result<Option<Timestamp>, DeviceError> {
        let mut statement =
            self.connection.prepare_cached("SELECT min(retry_at) FROM outbox WHERE retry_at > ?1")?;
        Ok(statement.query_row([now.millis()], |row| sql::time_opt(row, 0))?)
    }
}

impl Tx<'_> {
    /// Puts a new change at the end.
    pub(crate) fn enqueue(
        &mut self,
        record: RecordId,
        kind: &str,
        change: &NewChange,
        at: Timestamp,
        hint: Option<&StreamId>,
        replays: u32,
    ) -> Result<(), DeviceError> {
        let n = self.get_number(Setting::OutboxNumber)?.unwrap_or(0) + 1;
        self.put_number(Setting::OutboxNumber, n)?;
        self.connection
            .prepare_cached(
                "INSERT INTO outbox (n, record, kind, hash, raw, at, hint, replays)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute((
                n,
                record.as_bytes(),
                kind,
                change.hash.0,
                &change.raw,
                at.millis(),
                hint.map(StreamId::to_bytes),
                replays,
            ))?;
        Ok(())
    }

    pub(crate) fn dequeue(&mut self, n: i64) -> Result<(), DeviceError> {
        self.connection.prepare_cached("DELETE FROM outbox WHERE n = ?1")?.execute([n])?;
        Ok(())
    }

    /// The server has a change: it is kept until a backup holds it.
    pub(crate) fn mark_sent(&mut self, row: &OutboxRow, in_commit: u64) -> Result<(), DeviceError> {
        self.dequeue(row.n)?;
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO sent (n, record, kind, hash, raw, at, hint, in_commit)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute((
                row.n,
                row.record.as_bytes(),
                &row.kind,
                row.hash.0,
                &row.raw,
                row.at.millis(),
                row.hint.as_ref().map(StreamId::to_bytes),
                i64::try_from(in_commit).unwrap_or(i64::MAX),
            ))?;
        Ok(())
    }

    /// Lets every waiting change of a record wait until `retry_at`.
    pub(crate) fn defer(
        &mut self,
        record: RecordId,
        state: OutboxState,
        retry_at: Timestamp,
    ) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached("UPDATE outbox SET state = ?2, retry_at = ?3 WHERE record = ?1")?
            .execute((record.as_bytes(), state.code(), retry_at.millis()))?;
        Ok(())
    }

    /// Lets everything that waits for a later time be offered at once.
    pub(crate) fn release_all(&mut self) -> Result<(), DeviceError> {
        self.connection.execute("UPDATE outbox SET state = 0, retry_at = 0 WHERE retry_at <> 0", [])?;
        Ok(())
    }

    /// Forgets what the server has backed up.
    pub(crate) fn forget_backed_up(&mut self, through: u64) -> Result<(), DeviceError> {
        let through = i64::try_from(through).unwrap_or(i64::MAX);
        self.connection.prepare_cached("DELETE FROM sent WHERE in_commit <= ?1")?.execute([through])?;
        self.put_number(Setting::BackedUpThrough, through)
    }

    /// What the server may have lost waits again, where it was in the order.
    pub(crate) fn resend_all(&mut self) -> Result<usize, DeviceError> {
        let count = self.connection.execute(
            "INSERT OR IGNORE INTO outbox (n, record, kind, hash, raw, at, hint)
             SELECT n, record, kind, hash, raw, at, hint FROM sent ORDER BY n",
            [],
        )?;
        self.connection.execute("DELETE FROM sent", [])?;
        Ok(count)
    }
}
