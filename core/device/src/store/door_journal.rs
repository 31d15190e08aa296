//! The journal of operations at doors, from which they are undone, and two reads that only they need.

use gridwalk_model::{RecordId, Timestamp};
use rusqlite::{OptionalExtension, Row};

use super::{Tx, View, sql};
use crate::error::DeviceError;

/// An operation as journaled.
#[derive(Clone, Debug)]
pub(crate) struct DoorRow {
    pub(crate) n: i64,
    pub(crate) at: Timestamp,
    pub(crate) target: RecordId,
    pub(crate) act: String,
    pub(crate) steps: Vec<u8>,
}

fn door_row(row: &Row<'_>) -> rusqlite::Result<DoorRow> {
    Ok(DoorRow {
        n: row.get(0)?,
        at: sql::time(row, 1)?,
        target: sql::record_id(row, 2)?,
        act: row.get(3)?,
        steps: row.get(4)?,
    })
}

impl View<'_> {
    /// One operation that was not taken back.
    pub(crate) fn door_operation(&self, n: i64) -> Result<Option<DoorRow>, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT n, at, target, act, steps FROM door_operation WHERE n = ?1 AND undone = 0",
        )?;
        Ok(statement.query_row([n], door_row).optional()?)
    }

    /// The latest operations that were not taken back, the last first; of one target, if one is named.
    pub(crate) fn door_operations(
        &self,
        target: Option<RecordId>,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<DoorRow>, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT n, at, target, act, steps FROM door_operation
             WHERE undone = 0 AND at >= ?2 AND (?1 IS NULL OR target = ?1) ORDER BY n DESC LIMIT ?3",
        )?;
        let target = target.map(|target| target.as_bytes().to_vec());
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query_map((target, since.millis(), limit), door_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A record that is shown and names `target` in any field.
    pub(crate) fn referrer(&self, target: RecordId) -> Result<Option<RecordId>, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT r.id FROM link l CROSS JOIN record r ON r.key = l.source
             WHERE l.target = ?1 AND r.hidden = 0 ORDER BY r.key LIMIT 1",
        )?;
        Ok(statement.query_row([target.as_bytes()], |row| sql::record_id(row, 0)).optional()?)
    }
}

impl Tx<'_> {
    /// Journals an operation; returns its number. Those older than `keep_since` go.
    pub(crate) fn journal_door(
        &mut self,
        at: Timestamp,
        target: RecordId,
        act: &str,
        steps: &[u8],
        keep_since: Timestamp,
    ) -> Result<i64, DeviceError> {
        let n = self
            .connection
            .prepare_cached("INSERT INTO door_operation (at, target, act, steps) VALUES (?1, ?2, ?3, ?4)")?
            .insert((at.millis(), target.as_bytes(), act, steps))?;
        self.connection
            .prepare_cached("DELETE FROM door_operation WHERE at < ?1 AND n < ?2")?
            .execute((keep_since.millis(), n))?;
        Ok(n)
    }

    /// Notes that an operation was taken back.
    pub(crate) fn door_undone(&mut self, n: i64) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached("UPDATE door_operation SET undone = 1, steps = x'' WHERE n = ?1")?
            .execute([n])?;
        Ok(())
    }
}
