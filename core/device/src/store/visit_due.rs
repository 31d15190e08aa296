//! The table of visits that are due: rows follow whatever decides over them, so that the list costs what it shows.

use std::collections::BTreeSet;

use gridwalk_model::records::visit::VisitPurpose;
use gridwalk_model::{Kind, RecordId};
use jiff::Span;
use jiff::civil::Date;
use rusqlite::{Row, params};

#[cfg(test)]
use super::Store;
use super::projection::Projection;
use super::{Tx, View, sql};
use crate::error::DeviceError;
use crate::work::visits::{DueSpan, redrawn};

/// Whose visits a transaction may have changed.
#[derive(Debug, Default)]
pub(super) struct TouchedVisits {
    targets: BTreeSet<RecordId>,
    /// The cadence itself, or how rows are drawn.
    all: bool,
}

/// A visit that is due to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VisitRow {
    pub(crate) target: RecordId,
    pub(crate) purpose: VisitPurpose,
    /// The last day on which it is in time.
    pub(crate) day: Date,
    /// Whether that day was agreed or set at a visit.
    pub(crate) agreed: bool,
}

const EPOCH: Date = Date::constant(1970, 1, 1);

/// Days since [`EPOCH`].
fn number(day: Date) -> Result<i64, DeviceError> {
    let span = EPOCH.until(day).map_err(|_| DeviceError::Bug("a day without a number"))?;
    Ok(i64::from(span.get_days()))
}

fn number_opt(day: Option<Date>) -> Result<Option<i64>, DeviceError> {
    day.map(number).transpose()
}

fn day_of(number: i64) -> Result<Date, DeviceError> {
    let span = Span::new().try_days(number).map_err(|_| DeviceError::Damaged)?;
    EPOCH.checked_add(span).map_err(|_| DeviceError::Damaged)
}

fn day_at(row: &Row<'_>, column: usize) -> Result<Date, DeviceError> {
    day_of(row.get(column)?)
}

fn day_opt(row: &Row<'_>, column: usize) -> Result<Option<Date>, DeviceError> {
    row.get::<_, Option<i64>>(column)?.map(day_of).transpose()
}

fn purpose_at(row: &Row<'_>, column: usize) -> Result<VisitPurpose, DeviceError> {
    let word = row.get_ref(column)?.as_str().map_err(|_| DeviceError::Damaged)?;
    Ok(VisitPurpose::from_word(word))
}

impl View<'_> {
    /// Visits that are due by `through` and not resting on `today`, the earliest first.
    pub(crate) fn visits_by(
        &self,
        today: Date,
        through: Date,
        limit: usize,
    ) -> Result<Vec<VisitRow>, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT target, purpose, day, agreed FROM visit_due
             WHERE day <= ?2 AND since <= ?1 AND (until IS NULL OR until > ?1)
             AND (not_before IS NULL OR not_before <= ?1)
             ORDER BY day, target LIMIT ?3",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![number(today)?, number(through)?, limit])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(VisitRow {
                target: sql::record_id(row, 0)?,
                purpose: purpose_at(row, 1)?,
                day: day_at(row, 2)?,
                agreed: row.get(3)?,
            });
        }
        Ok(out)
    }

    fn visit_spans(&self, target: RecordId) -> Result<Vec<DueSpan>, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT since, until, purpose, day, agreed, not_before FROM visit_due WHERE target = ?1 ORDER BY since",
        )?;
        let mut rows = statement.query([target.as_bytes()])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(DueSpan {
                since: day_at(row, 0)?,
                until: day_opt(row, 1)?,
                purpose: purpose_at(row, 2)?,
                day: day_at(row, 3)?,
                agreed: row.get(4)?,
                not_before: day_opt(row, 5)?,
            });
        }
        Ok(out)
    }

    /// Whoever may be due a visit: who has a care tag, was visited, or lives somewhere.
    fn visit_targets(&self) -> Result<BTreeSet<RecordId>, DeviceError> {
        let mut out = BTreeSet::new();
        let mut statement = self.connection.prepare(
            "SELECT DISTINCT l.target FROM record r JOIN link l ON l.source = r.key AND l.field = ?2
             WHERE r.kind = ?1 AND r.hidden = 0
             UNION SELECT target FROM visit_due",
        )?;
        for (kind, field) in
            [(Kind::CareTag, "resident"), (Kind::Visit, "target"), (Kind::Residency, "dwelling")]
        {
            let rows = statement.query_map((kind.tag(), field), |row| sql::record_id(row, 0))?;
            for target in rows {
                out.insert(target?);
            }
        }
        Ok(out)
    }
}

impl Tx<'_> {
    /// Notes whose visits a change of a record may change. `drawn` is the record before and after.
    pub(super) fn touch_visits<const N: usize>(
        &mut self,
        id: RecordId,
        kind_tag: &str,
        drawn: [&Projection; N],
    ) {
        let links: &[&str] = match Kind::parse(kind_tag) {
            Some(Kind::VisitCadence) => {
                self.touched.all = true;
                return;
            }
            Some(Kind::Resident | Kind::Dwelling | Kind::Place | Kind::Organization) => {
                self.touched.targets.insert(id);
                // A merge that is taken back changes the record that it was merged into.
                &["merged_into"]
            }
            Some(Kind::Visit) => &["target"],
            Some(Kind::CareTag) => &["resident"],
            Some(Kind::Residency) => &["resident", "dwelling"],
            Some(Kind::Household) => &["dwelling"],
            _ => return,
        };
        let named = drawn.iter().flat_map(|projection| &projection.links);
        let named = named.filter(|(field, _)| links.contains(&field.as_str()));
        self.touched.targets.extend(named.map(|(_, target)| *target));
    }

    /// Notes that all rows are to be drawn anew.
    pub(super) const fn touch_all_visits(&mut self) {
        self.touched.all = true;
    }

    /// Brings the rows up to date with what was written in this transaction.
    pub(super) fn redraw_visits(&mut self) -> Result<(), DeviceError> {
        let TouchedVisits { mut targets, all } = std::mem::take(&mut self.touched);
        if all {
            targets.extend(self.visit_targets()?);
        }
        if targets.is_empty() {
            return Ok(());
        }
        redrawn(self.view, targets, |target, spans| self.put_visit_spans(target, &spans))
    }

    fn put_visit_spans(&self, target: RecordId, spans: &[DueSpan]) -> Result<(), DeviceError> {
        if self.visit_spans(target)? == spans {
            return Ok(());
        }
        self.connection
            .prepare_cached("DELETE FROM visit_due WHERE target = ?1")?
            .execute([target.as_bytes()])?;
        for span in spans {
            self.connection
                .prepare_cached(
                    "INSERT INTO visit_due (target, since, until, purpose, day, agreed, not_before)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )?
                .execute(params![
                    target.as_bytes(),
                    number(span.since)?,
                    number_opt(span.until)?,
                    span.purpose.word(),
                    number(span.day)?,
                    span.agreed,
                    number_opt(span.not_before)?,
                ])?;
        }
        Ok(())
    }
}

#[cfg(test)]
impl Store {
    /// Every row of the table, to compare with a table drawn anew.
    pub(crate) fn visit_rows_for_test(&self) -> Vec<String> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT quote(target) || since || '/' || quote(until) || purpose || day || agreed || quote(not_before)
                 FROM visit_due ORDER BY target, since",
            )
            .unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }
}
