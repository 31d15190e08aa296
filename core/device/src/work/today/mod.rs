//! What is due: one ordered list, what is overdue on top, each part in walking order.
//!
//! The facts stand in tables that follow each record as it is written; reading the list costs what it shows, not what
//! the phone holds. Visits come from the cadence alone (`visits.rs`), everything else from [`gridwalk_model::due`].

mod spot;
#[cfg(test)]
mod tests;
mod visits;
#[cfg(test)]
mod visits_tests;

use std::collections::BTreeMap;

use gridwalk_model::describe::Words;
use gridwalk_model::due::{DueKind, DueSource, Stop, walking_order};
use gridwalk_model::field_rules::FieldRules;
use gridwalk_model::geo::LatLon;
use gridwalk_model::time::DAY_MS;
use gridwalk_model::{RecordId, Timestamp};

use self::spot::Spot;
pub(crate) use self::spot::own_title;
use crate::error::DeviceError;
use crate::store::{Bases, Commit, DueQuery, DueRow, Store, day_in};

/// Which part of the list something is in, in the order of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DueGroup {
    /// Its time has passed, or it came back.
    Overdue,
    /// By the end of the day.
    Today,
    /// In the next days.
    Soon,
    /// No day was set.
    Undated,
}

impl DueGroup {
    /// For a heading, in both languages.
    pub fn words(self) -> Words {
        match self {
            Self::Overdue => Words::new("已逾期", "Overdue"),
            Self::Today => Words::new("今天", "Today"),
            Self::Soon => Words::new("近日", "Next days"),
            Self::Undated => Words::new("未定日期", "No date"),
        }
    }
}

/// One line of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct TodayItem {
    /// The record that makes it due: what a tap opens beside the target.
    pub record: RecordId,
    /// From which sort of record.
    pub source: DueSource,
    /// What is to be done.
    pub kind: DueKind,
    /// Where or with whom.
    pub target: RecordId,
    /// Which part of the list it is in.
    pub group: DueGroup,
    /// When it is due.
    pub due: Option<Timestamp>,
    /// Whether minutes count.
    pub urgent: bool,
    /// Why it is on the list; several where more than one record asks for the same.
    pub reasons: Vec<Words>,
    /// Name and door of the target, or the title of the task.
    pub title: Words,
    /// Where it is, if that is known.
    pub point: Option<LatLon>,
}

/// The list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Today {
    /// The lines, in the order in which they are to be done.
    pub items: Vec<TodayItem>,
    /// Whether more is due than was asked for.
    pub more: bool,
}

/// A line before its title and place are known.
struct Line {
    row: DueRow,
    due: Option<Timestamp>,
    group: DueGroup,
    reasons: Vec<Words>,
}

/// The days by which the list is divided.
struct Days {
    now: Timestamp,
    day_end: Timestamp,
    horizon: Timestamp,
}

impl Days {
    fn group(&self, due: Option<Timestamp>) -> Option<DueGroup> {
        match due {
            None => Some(DueGroup::Undated),
            Some(due) if due < self.now => Some(DueGroup::Overdue),
            Some(due) if due <= self.day_end => Some(DueGroup::Today),
            Some(due) if due <= self.horizon => Some(DueGroup::Soon),
            Some(_) => None,
        }
    }
}

impl Store {
    /// What is due, at most `limit` lines: the overdue first, then today's, then the next days', then what has no date;
    /// urgent ones first in each, the rest in walking order from `here`.
    ///
    /// # Errors
    /// [`DeviceError::NotEnrolled`].
    pub fn today(&self, now: Timestamp, here: Option<LatLon>, limit: usize) -> Result<Today, DeviceError> {
        let rules = self.field_rules()?;
        let day_end = rules.local().day_end(now);
        let today = day_in(rules.local(), now)?;
        let horizon = day_end.plus_days(i64::from(rules.ahead_days));
        let days = Days { now, day_end, horizon };
        let mut lines = self.due_lines(&days, &rules, limit.saturating_add(1))?;
        lines.extend(self.visit_lines(now, &rules, limit.saturating_add(1))?);
        lines.extend(self.refused_lines(&days)?);
        let mut lines = merged(lines);
        lines.sort_by_key(|line| {
            (line.group, !line.row.fact.urgent, line.due, line.row.record, line.row.fact.source)
        });
        let more = lines.len() > limit;
        lines.truncate(limit);
        let mut items = Vec::with_capacity(lines.len());
        let mut rest = lines.into_iter().peekable();
        let mut from = here;
        while let Some(group) = rest.peek().map(|line| line.group) {
            let mut part = Vec::new();
            while let Some(line) = rest.next_if(|line| line.group == group) {
                let fact = &line.row.fact;
                let of_task = fact.source == DueSource::Task;
                let spot = self.view().spot_of(fact.target, line.row.record, of_task, today)?;
                part.push((line, spot));
            }
            walk(part, &mut from, &mut items);
        }
        Ok(Today { items, more })
    }

    /// Takes something off the list that only had to be seen: a report that was not taken on. It comes again if it
    /// happens again, or with [`Self::restore_due`].
    ///
    /// # Errors
    /// [`DeviceError::NotInTray`] for what has to be done.
    pub fn dismiss_due(&mut self, item: &TodayItem) -> Result<(), DeviceError> {
        match (item.source, item.due) {
            (DueSource::Rejected, Some(base)) => self.note_seen(item.record, item.source.word(), base),
            _ => Err(DeviceError::NotInTray),
        }
    }

    /// Puts something back on the list that was taken off with [`Self::dismiss_due`].
    ///
    /// # Errors
    /// [`DeviceError::NotInTray`] for what was not taken off, or has happened again since.
    pub fn restore_due(&mut self, item: &TodayItem) -> Result<(), DeviceError> {
        let (DueSource::Rejected, Some(base)) = (item.source, item.due) else {
            return Err(DeviceError::NotInTray);
        };
        if !self.view().is_seen(item.record, item.source.word(), base)? {
            return Err(DeviceError::NotInTray);
        }
        self.write(Commit::Setting, |tx| tx.forget_seen(item.record, item.source.word()))
    }

    fn due_lines(&self, days: &Days, rules: &FieldRules, limit: usize) -> Result<Vec<Line>, DeviceError> {
        let view = self.view();
        let person = self.identity().ok_or(DeviceError::NotEnrolled)?.user;
        let unit = view.unit_of(person)?;
        let mut out = Vec::new();
        for source in DueSource::ALL.iter().copied() {
            let gone = source.gone_after_days(rules);
            let from = gone.map(|gone| days.now.plus_days(-i64::from(gone)));
            let from = from.unwrap_or(Timestamp::from_millis(i64::MIN));
            let bases = Bases::Between(from, days.horizon.plus_days(-i64::from(source.days(rules))));
            let query = DueQuery { source, bases, person, unit, limit };
            let missing = DueQuery { bases: Bases::Missing, ..query };
            let asked = match source {
                // The first settles, the others are told elsewhere.
                DueSource::Inspected | DueSource::Refused | DueSource::Cadence => [None, None],
                DueSource::Interval | DueSource::Task => [Some(query), Some(missing)],
                _ => [Some(query), None],
            };
            for query in asked.into_iter().flatten() {
                out.extend(view.due(&query)?.into_iter().filter_map(|row| line(row, days, rules)));
            }
        }
        Ok(out)
    }

    /// Edits that were not accepted: one line a record.
    fn refused_lines(&self, days: &Days) -> Result<Vec<Line>, DeviceError> {
        let mut by_record: BTreeMap<RecordId, (Timestamp, usize)> = BTreeMap::new();
        for edit in self.refused_edits_any()? {
            let entry = by_record.entry(edit.record).or_insert((edit.at, 0));
            *entry = (entry.0.min(edit.at), entry.1 + 1);
        }
        let lines = by_record.into_iter().map(|(record, (at, count))| {
            let fact = gridwalk_model::due::DueFact {
                base: Some(at),
                ..gridwalk_model::due::DueFact::new(DueSource::Refused, DueKind::Returned, record)
            };
            let words = Words::new(
                format!("{}（{count} 项）", DueSource::Refused.zh()),
                format!("{} ({count})", DueSource::Refused.en()),
            );
            let group = days.group(Some(at.min(days.now.plus_millis(-1)))).unwrap_or(DueGroup::Overdue);
            Line { row: DueRow { record, fact }, due: Some(at), group, reasons: vec![words] }
        });
        Ok(lines.collect())
    }
}

fn line(row: DueRow, days: &Days, rules: &FieldRules) -> Option<Line> {
    let due = row.fact.due(rules);
    let never = row.fact.source == DueSource::Interval && due.is_none();
    let group = if never { DueGroup::Today } else { days.group(due)? };
    let reason = if never {
        Words::new("尚未检查过", "Never inspected")
    } else {
        reason(row.fact.source, due, days.now)
    };
    Some(Line { row, due, group, reasons: vec![reason] })
}

fn reason(source: DueSource, due: Option<Timestamp>, now: Timestamp) -> Words {
    let late = due.map_or(0, |due| now.millis().saturating_sub(due.millis()).div_euclid(DAY_MS));
    let counts = !matches!(source, DueSource::Rejected | DueSource::Refused);
    with_delay(source.zh(), source.en(), if counts { late } else { 0 })
}

/// A reason, with the days by which it is late.
fn with_delay(zh: &str, en: &str, late: i64) -> Words {
    if late > 0 {
        Words::new(format!("{zh}，已逾期 {late} 天"), format!("{en}, {late} days overdue"))
    } else {
        Words::new(zh, en)
    }
}

/// What several records ask for is one line, due at the earliest.
fn merged(mut lines: Vec<Line>) -> Vec<Line> {
    lines.sort_by_key(|line| (line.group, line.due, line.row.record, line.row.fact.source));
    let mut places: BTreeMap<(DueKind, RecordId), usize> = BTreeMap::new();
    let mut out: Vec<Line> = Vec::with_capacity(lines.len());
    for line in lines {
        let at = *places.entry((line.row.fact.kind, line.row.fact.target)).or_insert(out.len());
        let Some(first) = out.get_mut(at) else {
            out.push(line);
            continue;
        };
        first.row.fact.urgent |= line.row.fact.urgent;
        for reason in line.reasons {
            if !first.reasons.contains(&reason) {
                first.reasons.push(reason);
            }
        }
    }
    out
}

/// Puts one part of the list in order: the urgent as they are due, the rest as it is walked.
fn walk(part: Vec<(Line, Spot)>, from: &mut Option<LatLon>, items: &mut Vec<TodayItem>) {
    let (urgent, rest): (Vec<_>, Vec<_>) = part.into_iter().partition(|(line, _)| line.row.fact.urgent);
    let stops: Vec<Stop<'_>> =
        rest.iter().map(|(_, spot)| Stop { point: spot.point, order: &spot.order }).collect();
    let start = urgent.iter().rev().find_map(|(_, spot)| spot.point).or(*from);
    let order = walking_order(&stops, start);
    let mut rest: Vec<Option<(Line, Spot)>> = rest.into_iter().map(Some).collect();
    let walked = order.into_iter().filter_map(|at| rest.get_mut(at)?.take());
    for (line, spot) in urgent.into_iter().chain(walked.collect::<Vec<_>>()) {
        *from = spot.point.or(*from);
        items.push(TodayItem {
            record: line.row.record,
            source: line.row.fact.source,
            kind: line.row.fact.kind,
            target: line.row.fact.target,
            group: line.group,
            due: line.due,
            urgent: line.row.fact.urgent,
            reasons: line.reasons,
            title: spot.title,
            point: spot.point,
        });
    }
}
