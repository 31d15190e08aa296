//! The table of what is due: rows follow each record as it is written, so that the list costs what it shows.

use std::collections::BTreeSet;

use gridwalk_model::due::{DueFact, DueKind, DueSource};
use gridwalk_model::{RecordId, Timestamp};
use rusqlite::types::Value as Cell;
use rusqlite::{Row, params};

#[cfg(test)]
use super::Store;
use super::{Tx, View, sql};
use crate::error::DeviceError;

/// Stands in a fact for the record itself, whose identifier the projection does not know.
pub(super) const ITSELF: RecordId = RecordId::from_bytes([0; 16]);

/// One fact, with what decides whether and when it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DueRow {
    /// The record that tells it.
    pub(crate) record: RecordId,
    pub(crate) fact: DueFact,
    /// The latest time of the facts that settle an interval.
    pub(crate) settled: Option<Timestamp>,
}

/// Which facts are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DueQuery {
    pub(crate) source: DueSource,
    /// Bases from and to, both included.
    pub(crate) from: Timestamp,
    pub(crate) through: Timestamp,
    pub(crate) now: Timestamp,
    pub(crate) person: RecordId,
    pub(crate) unit: Option<RecordId>,
    pub(crate) limit: usize,
}

const COLUMNS: &str = "r.id, d.source, d.kind, coalesce(d.target, r.id), d.base, d.since, d.days, d.ends, d.person, d.unit, d.urgent";

/// Whose it is: mine, my unit's, or anybody's. Not what I have taken note of.
const MINE: &str = "((d.person IS NULL AND d.unit IS NULL) OR d.person = ?1 OR d.unit = ?2)
     AND (d.ends IS NULL OR d.ends >= ?3)
     AND NOT EXISTS (SELECT 1 FROM due_seen n WHERE n.record = r.id AND n.source = d.source AND n.base = d.base)";

fn opt_id(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<RecordId>> {
    Ok(row.get::<_, Option<Vec<u8>>>(column)?.as_deref().and_then(RecordId::from_slice))
}

fn due_row(row: &Row<'_>, settled: Option<Timestamp>) -> Result<DueRow, DeviceError> {
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
            ends: sql::time_opt(row, 7)?,
            person: opt_id(row, 8)?,
            unit: opt_id(row, 9)?,
            urgent: row.get(10)?,
        },
        settled,
    })
}

fn cell(id: Option<RecordId>) -> Cell {
    id.map_or(Cell::Null, |id| Cell::Blob(id.as_bytes().to_vec()))
}

impl View<'_> {
    /// Facts of a source whose base lies in a span and that nothing later has settled, the earliest first.
    pub(crate) fn due(&self, query: &DueQuery) -> Result<Vec<DueRow>, DeviceError> {
        let settled = match query.source.settled_by() {
            None => "",
            // Of two visits at the same moment neither settles the other.
            Some(by) if by == query.source => {
                "AND NOT EXISTS (SELECT 1 FROM due s WHERE s.target = d.target AND s.source = ?8 AND s.since > d.since)"
            }
            Some(_) => {
                "AND NOT EXISTS (SELECT 1 FROM due s WHERE s.target = d.target AND s.source = ?8 AND s.since >= d.since)"
            }
        };
        let text = format!(
            "SELECT {COLUMNS} FROM due d CROSS JOIN record r ON r.key = d.record
             WHERE d.source = ?4 AND d.base BETWEEN ?5 AND ?6 AND {MINE} {settled}
             AND ?8 IS ?8 ORDER BY d.base, d.record LIMIT ?7"
        );
        let mut statement = self.connection.prepare_cached(&text)?;
        let mut rows = statement.query(params![
            query.person.as_bytes(),
            cell(query.unit),
            query.now.millis(),
            query.source.word(),
            query.from.millis(),
            query.through.millis(),
            i64::try_from(query.limit).unwrap_or(i64::MAX),
            query.source.settled_by().map(DueSource::word),
        ])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(due_row(row, None)?);
        }
        Ok(out)
    }

    /// Facts of a source without a base: tasks without a date, places with an interval. For the latter the last
    /// inspection is told.
    pub(crate) fn due_without_base(&self, query: &DueQuery) -> Result<Vec<DueRow>, DeviceError> {
        let text = format!(
            "SELECT {COLUMNS}, (SELECT max(s.since) FROM due s
               WHERE s.target = coalesce(d.target, r.id) AND s.source = ?6)
             FROM due d CROSS JOIN record r ON r.key = d.record
             WHERE d.source = ?4 AND d.base IS NULL AND {MINE} ORDER BY d.record LIMIT ?5"
        );
        let mut statement = self.connection.prepare_cached(&text)?;
        let mut rows = statement.query(params![
            query.person.as_bytes(),
            cell(query.unit),
            query.now.millis(),
            query.source.word(),
            i64::try_from(query.limit).unwrap_or(i64::MAX),
            query.source.settled_by().map(DueSource::word),
        ])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(due_row(row, sql::time_opt(row, 11)?)?);
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
        }
        for fact in new.difference(old) {
            let target = Some(fact.target).filter(|target| *target != ITSELF);
            self.connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO due
                     (record, source, kind, target, base, since, days, ends, person, unit, urgent)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                )?
                .execute(params![
                    key,
                    fact.source.word(),
                    fact.kind.word(),
                    cell(target),
                    fact.base.map(Timestamp::millis),
                    fact.since.map(Timestamp::millis),
                    fact.days,
                    fact.ends.map(Timestamp::millis),
                    cell(fact.person),
                    cell(fact.unit),
                    fact.urgent,
                ])?;
        }
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
