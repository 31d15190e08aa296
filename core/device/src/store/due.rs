//! The table of what is due: rows follow each record as it is written, so that the list costs what it shows.

use std::collections::BTreeSet;

use gridwalk_model::due::{DueFact, DueKind, DueSource};
use gridwalk_model::time::DAY_MS;
use gridwalk_model::{RecordId, Timestamp};
use rusqlite::types::Value as Cell;
use rusqlite::{Row, params};

#[cfg(test)]
use super::Store;
use super::{Tx, View, sql};
use crate::error::DeviceError;

/// Stands in a fact for the record itself, whose identifier the projection does not know.
pub(super) const ITSELF: RecordId = RecordId::from_bytes([0; 16]);

/// One fact, with the record that tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DueRow {
    pub(crate) record: RecordId,
    pub(crate) fact: DueFact,
}

/// Which bases are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bases {
    /// From and to, both included.
    Between(Timestamp, Timestamp),
    /// Facts without a base: tasks without a date, places that were never inspected.
    Missing,
}

/// Which facts are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DueQuery {
    pub(crate) source: DueSource,
    pub(crate) bases: Bases,
    pub(crate) person: RecordId,
    pub(crate) unit: Option<RecordId>,
    pub(crate) limit: usize,
}

const COLUMNS: &str =
    "r.id, d.source, d.kind, coalesce(d.target, r.id), d.base, d.since, d.days, d.person, d.unit, d.urgent";

/// Whose it is: mine, my unit's, or anybody's. Not what I have taken note of.
const MINE: &str = "((d.person IS NULL AND d.unit IS NULL) OR d.person = ?1 OR d.unit = ?2)
     AND NOT EXISTS (SELECT 1 FROM due_seen n WHERE n.record = r.id AND n.source = d.source AND n.base = d.base)";

/// An order is told by its recheck as long as that is an open task here: such a task has a row of its own.
const NO_RECHECK: &str = "AND NOT EXISTS (
       SELECT 1 FROM link l JOIN record t ON t.id = l.target JOIN due o ON o.record = t.key
       WHERE l.source = r.key AND l.field = 'recheck_task' AND o.source = 'task')";

fn opt_id(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<RecordId>> {
    Ok(row.get::<_, Option<Vec<u8>>>(column)?.as_deref().and_then(RecordId::from_slice))
}

fn due_row(row: &Row<'_>) -> Result<DueRow, DeviceError> {
    let word = |column: usize| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
    Ok(DueRow {
        record: sql::record_id(row, 0)?,
        fact: DueFact {
            source: DueSource::from_word(word(1)?).ok_or(DeviceError::Damaged)?,
            kind: DueKind::from_word(word(2)?).ok_or(DeviceError::Damaged)?,
            target: sql::record_id(row, 3)?,
            base: sql::time_opt(row, 4)?,
            since: sql::time_opt(row, 5)?,
            days: row.get(6)?,
            person: opt_id(row, 7)?,
            unit: opt_id(row, 8)?,
            urgent: row.get(9)?,
        },
    })
}

fn cell(id: Option<RecordId>) -> Cell {
    id.map_or(Cell::Null, |id| Cell::Blob(id.as_bytes().to_vec()))
}

impl View<'_> {
    /// Facts of a source, the earliest first.
    pub(crate) fn due(&self, query: &DueQuery) -> Result<Vec<DueRow>, DeviceError> {
        let (bases, from, through) = match query.bases {
            Bases::Between(from, through) => ("d.base BETWEEN ?4 AND ?5", from.millis(), through.millis()),
            Bases::Missing => ("d.base IS NULL AND ?4 = ?5", 0, 0),
        };
        let told_here = if query.source == DueSource::Order { NO_RECHECK } else { "" };
        let text = format!(
            "SELECT {COLUMNS} FROM due d CROSS JOIN record r ON r.key = d.record
             WHERE d.source = ?3 AND {bases} AND {MINE} {told_here} ORDER BY d.base, d.record LIMIT ?6"
        );
        let mut statement = self.connection.prepare_cached(&text)?;
        let mut rows = statement.query(params![
            query.person.as_bytes(),
            cell(query.unit),
            query.source.word(),
            from,
            through,
            i64::try_from(query.limit).unwrap_or(i64::MAX),
        ])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(due_row(row)?);
        }
        Ok(out)
    }
}

impl Tx<'_> {
    /// Brings the rows of a record from `old` to `new`.
    pub(super) fn index_due(
        &mut self,
        key: i64,
        old: &BTreeSet<DueFact>,
        new: &BTreeSet<DueFact>,
    ) -> Result<(), DeviceError> {
        for fact in old.difference(new) {
            self.connection
                .prepare_cached("DELETE FROM due WHERE record = ?1 AND source = ?2")?
                .execute((key, fact.source.word()))?;
            self.count_interval(key, fact)?;
        }
        for fact in new.difference(old) {
            let target = Some(fact.target).filter(|target| *target != ITSELF);
            self.connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO due
                     (record, source, kind, target, base, since, days, person, unit, urgent)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                )?
                .execute(params![
                    key,
                    fact.source.word(),
                    fact.kind.word(),
                    cell(target),
                    fact.base.map(Timestamp::millis),
                    fact.since.map(Timestamp::millis),
                    fact.days,
                    cell(fact.person),
                    cell(fact.unit),
                    fact.urgent,
                ])?;
            self.count_interval(key, fact)?;
        }
        Ok(())
    }

    /// A place's interval counts from its last inspection: either of the two brings the place's row up to date.
    fn count_interval(&self, key: i64, fact: &DueFact) -> Result<(), DeviceError> {
        let places = match fact.source {
            DueSource::Interval => "record = ?1",
            DueSource::Inspected => "record = (SELECT key FROM record WHERE id = ?2) AND ?1 = ?1",
            _ => return Ok(()),
        };
        let text = format!(
            "UPDATE due SET base = (
               SELECT max(s.since) FROM due s
               WHERE s.target = (SELECT id FROM record WHERE key = due.record) AND s.source = ?3) + days * ?4
             WHERE {places} AND source = ?5 AND ?2 = ?2"
        );
        self.connection.prepare_cached(&text)?.execute(params![
            key,
            fact.target.as_bytes(),
            DueSource::Inspected.word(),
            DAY_MS,
            DueSource::Interval.word(),
        ])?;
        Ok(())
    }
}

#[cfg(test)]
impl Store {
    /// Every row of the table, to compare with a table drawn anew.
    pub(crate) fn due_rows_for_test(&self) -> Vec<String> {
        let mut statement = self
            .connection
            .prepare("SELECT quote(record) || quote(source) || quote(target) || quote(base) || quote(since) FROM due ORDER BY 1")
            .unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }
}
