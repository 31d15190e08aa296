//! The facts of each kind of record.

use jiff::civil;

use super::{DueFact, DueKind, DueSource};
use crate::event::{Action, EventRules, Folded, LogEntry, SlaClass, State, Verdict, fold, read_log};
use crate::id::RecordId;
use crate::records::task::{TaskKind, TaskState};
use crate::records::{FieldValue, Kind};
use crate::time::Timestamp;
use crate::value::Fields;

/// What a record makes due or settles. `id` is the record's own. Calendar days count to their last moment, local time.
/// Records with missing fields tell nothing.
pub fn facts(kind: Kind, id: RecordId, fields: &Fields, events: &EventRules) -> Vec<DueFact> {
    let read = Reader { id, fields, events };
    match kind {
        Kind::Task => read.task().into_iter().collect(),
        Kind::Place => read.place().into_iter().collect(),
        Kind::Inspection => read.inspection().into_iter().collect(),
        Kind::RectificationOrder => read.order().into_iter().collect(),
        Kind::Event => read.event(),
        _ => Vec::new(),
    }
}

struct Reader<'f> {
    id: RecordId,
    fields: &'f Fields,
    events: &'f EventRules,
}

impl Reader<'_> {
    fn get<T: FieldValue>(&self, name: &str) -> Option<T> {
        self.fields.get(name).and_then(|value| T::from_value(value).ok())
    }

    fn end(&self, name: &str) -> Option<Timestamp> {
        self.events.local().end_of(self.get::<civil::Date>(name)?)
    }

    fn task(&self) -> Option<DueFact> {
        if matches!(self.get::<TaskState>("state"), Some(TaskState::Done | TaskState::Cancelled)) {
            return None;
        }
        let kind = match self.get::<TaskKind>("task_kind")? {
            TaskKind::Visit => DueKind::Visit,
            TaskKind::Inspection => DueKind::Inspection,
            TaskKind::Recheck => DueKind::Recheck,
            TaskKind::Verification => DueKind::BaseCheck,
            TaskKind::EventCheck => DueKind::SiteCheck,
            TaskKind::Attendance => DueKind::Attendance,
            TaskKind::LookBack => DueKind::LookBack,
            TaskKind::Submission => DueKind::Form,
            TaskKind::Other(_) => DueKind::OtherTask,
        };
        let person = self.get("assignee");
        Some(DueFact {
            base: self.get("due"),
            person,
            unit: if person.is_none() { self.get("unit") } else { None },
            ..DueFact::new(DueSource::Task, kind, self.get("target").unwrap_or(self.id))
        })
    }

    fn place(&self) -> Option<DueFact> {
        let days: i64 = self.get("inspection_interval_days")?;
        if self.get("closed") == Some(true) {
            return None;
        }
        Some(DueFact {
            days: Some(u32::try_from(days).ok()?),
            ..DueFact::new(DueSource::Interval, DueKind::Inspection, self.id)
        })
    }

    fn inspection(&self) -> Option<DueFact> {
        Some(DueFact {
            since: Some(self.get("ended_at")?),
            ..DueFact::new(DueSource::Inspected, DueKind::Inspection, self.get("place")?)
        })
    }

    fn order(&self) -> Option<DueFact> {
        if self.get::<RecordId>("settled_by").is_some() {
            return None;
        }
        Some(DueFact {
            base: self.end("deadline"),
            ..DueFact::new(DueSource::Order, DueKind::Recheck, self.get("inspection")?)
        })
    }

    fn event(&self) -> Vec<DueFact> {
        let (entries, _) = read_log(self.fields);
        let folded = fold(&entries, self.events);
        if folded.state == State::Closed {
            return self.looks_back(&entries, &folded);
        }
        self.of_open_event(&entries, &folded).into_iter().collect()
    }

    fn of_event(
        &self,
        folded: &Folded,
        source: DueSource,
        kind: DueKind,
        base: Option<Timestamp>,
    ) -> DueFact {
        let rules = self.events;
        let class = folded.urgency.clone().unwrap_or_else(|| rules.class(folded.category.as_deref()));
        DueFact {
            base,
            urgent: class == SlaClass::Urgent,
            person: folded.reporter,
            unit: folded.reporter_unit,
            ..DueFact::new(source, kind, self.id)
        }
    }

    /// A note by somebody who shows that they were there is a look back: once after some days, and once when the season
    /// of the category comes round. One look in the days before the season settles both.
    fn looks_back(&self, entries: &[LogEntry], folded: &Folded) -> Vec<DueFact> {
        let Some(closed_at) = folded.closed_at else { return Vec::new() };
        let seen_after = |from: Timestamp| {
            let looked = |entry: &LogEntry| entry.action == Action::Note && entry.presence.is_some();
            entries.iter().any(|entry| looked(entry) && entry.at > from)
        };
        let mut out = Vec::new();
        if !seen_after(closed_at) {
            out.push(self.of_event(folded, DueSource::Closed, DueKind::LookBack, Some(closed_at)));
        }
        let local = self.events.local();
        let season = folded.category.as_ref().and_then(|category| self.events.seasons.get(category));
        let day = season.and_then(|season| season.first_after(local.day_of(closed_at)?));
        let season_begins = day.and_then(|day| local.start_of(day));
        let early = -i64::from(self.events.ahead_days);
        if let Some(base) = season_begins.filter(|base| !seen_after(closed_at.max(base.plus_days(early)))) {
            out.push(self.of_event(folded, DueSource::Season, DueKind::LookBack, Some(base)));
        }
        out
    }

    fn of_open_event(&self, entries: &[LogEntry], folded: &Folded) -> Option<DueFact> {
        let fact = |source, kind, base| self.of_event(folded, source, kind, base);
        match folded.state {
            State::Rectified => {
                let fixed_it = folded.reporter.is_some_and(|reporter| folded.handled_by.contains(&reporter));
                let verify = fact(DueSource::Rectified, DueKind::SiteVerification, folded.rectified_at);
                Some(DueFact { person: verify.person.filter(|_| !fixed_it), ..verify })
                    .filter(|fact| !fixed_it || fact.unit.is_some())
            }
            State::Checking => {
                let begun = last(folded, &Action::StartCheck)?;
                let by = entries.iter().find(|entry| entry.id == begun.0).and_then(|entry| entry.by);
                let check = fact(DueSource::Checking, DueKind::SiteCheck, Some(begun.1));
                Some(DueFact { person: by, unit: None, ..check })
            }
            State::Rejected => {
                let at = last(folded, &Action::Reject)?.1;
                Some(fact(DueSource::Rejected, DueKind::Returned, Some(at)))
                    .filter(|fact| fact.person.is_some())
                    .map(|fact| DueFact { unit: None, ..fact })
            }
            _ => None,
        }
    }
}

/// The last entry of an action that counts.
fn last(folded: &Folded, action: &Action) -> Option<(RecordId, Timestamp)> {
    let counts =
        |judged: &&crate::event::Judged| judged.verdict == Verdict::Applied && judged.action == *action;
    folded.entries.iter().rev().find(counts).map(|judged| (judged.id, judged.at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field_rules::FieldRules;
    use crate::value::Value;

    const ID: RecordId = RecordId::from_bytes([1; 16]);
    const WORKER: RecordId = RecordId::from_bytes([2; 16]);
    const FIXER: RecordId = RecordId::from_bytes([3; 16]);
    const UNIT: RecordId = RecordId::from_bytes([4; 16]);

    fn one(kind: Kind, pairs: Vec<(&str, Value)>) -> Option<DueFact> {
        let fields = pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let found = facts(kind, ID, &fields, &EventRules::default());
        assert!(found.len() <= 1);
        found.into_iter().next()
    }

    fn time(millis: i64) -> Value {
        Value::Time(Timestamp::from_millis(millis))
    }

    #[test]
    fn an_open_task_is_due_and_a_done_one_is_not() {
        let task = |state: &str| {
            vec![
                ("task_kind", Value::from("recheck")),
                ("due", time(5)),
                ("assignee", Value::from(WORKER)),
                ("unit", Value::from(UNIT)),
                ("state", Value::from(state)),
            ]
        };
        let fact = one(Kind::Task, task("open")).unwrap();
        assert_eq!((fact.kind, fact.target), (DueKind::Recheck, ID));
        assert_eq!((fact.person, fact.unit), (Some(WORKER), None));
        assert_eq!(fact.due(&FieldRules::default()), Some(Timestamp::from_millis(5)));
        assert_eq!(one(Kind::Task, task("done")), None);
        assert_eq!(one(Kind::Task, task("cancelled")), None);
    }

    #[test]
    fn days_count_to_their_end_and_intervals_from_the_last_inspection() {
        let order = vec![("inspection", Value::from(WORKER)), ("deadline", Value::from("2026-03-03"))];
        let fact = one(Kind::RectificationOrder, order).unwrap();
        // 2026-03-03 23:59:59.999 in China.
        assert_eq!(fact.base, Some(Timestamp::from_millis(1_772_553_599_999)));
        let place = one(Kind::Place, vec![("inspection_interval_days", Value::Int(10))]).unwrap();
        assert_eq!((place.base, place.days), (None, Some(10)), "whoever keeps it knows the last inspection");
        let shut = vec![("inspection_interval_days", Value::Int(10)), ("closed", Value::Flag(true))];
        assert_eq!(one(Kind::Place, shut), None);
    }

    fn log(actions: &[(Action, RecordId, i64)]) -> Vec<LogEntry> {
        let mut out: Vec<LogEntry> = Vec::new();
        for (n, (action, by, at)) in actions.iter().enumerate() {
            let parent = out.last().map(|entry| entry.id);
            let id = RecordId::from_bytes([100 + n as u8; 16]);
            let at = Timestamp::from_millis(*at);
            let mut entry = LogEntry::new(id, parent, at, *by, action.clone());
            entry.unit = Some(UNIT);
            entry.to_unit = Some(UNIT);
            entry.reason = Some("原因".into());
            entry.public_reply = Some("已处理".into());
            entry.category = Some("gas_leak".into());
            out.push(entry);
        }
        out
    }

    fn event(entries: &[LogEntry]) -> Option<DueFact> {
        let fields = entries.iter().map(|entry| (entry.key(), entry.to_value())).collect();
        facts(Kind::Event, ID, &fields, &EventRules::default()).into_iter().next()
    }

    #[test]
    fn an_event_is_verified_then_looked_at_again_then_left_alone() {
        use Action::{Accept, Close, Dispatch, Note, Rectify, Report, SignFor, Verify};
        let mut story =
            vec![(Report, WORKER, 1), (Accept, FIXER, 2), (Dispatch, FIXER, 3), (SignFor, FIXER, 4)];
        assert_eq!(event(&log(&story)), None);
        story.push((Rectify, FIXER, 5));
        let fact = event(&log(&story)).unwrap();
        assert_eq!((fact.source, fact.person, fact.urgent), (DueSource::Rectified, Some(WORKER), true));
        story.push((Verify, WORKER, 6));
        let mut entries = log(&story);
        let shown = |entry: &mut LogEntry| entry.presence = Some(crate::event::Presence::Explained);
        entries.last_mut().map(shown);
        assert_eq!(event(&entries), None);
        story.push((Close, FIXER, 7));
        entries = log(&story);
        entries.get_mut(5).map(shown);
        let fact = event(&entries).unwrap();
        assert_eq!((fact.kind, fact.base), (DueKind::LookBack, Some(Timestamp::from_millis(7))));
        story.push((Note, WORKER, 8));
        entries = log(&story);
        entries.get_mut(5).map(shown);
        assert!(event(&entries).is_some(), "a remark from afar is no look-back");
        entries.last_mut().map(shown);
        assert_eq!(event(&entries), None);
    }

    #[test]
    fn a_closed_flooding_is_looked_at_again_when_the_rains_come() {
        use Action::{Accept, Close, Dispatch, Note, Rectify, Report, SignFor, Verify};
        let rules = FieldRules::default();
        let day =
            |month, day| rules.local().start_of(civil::Date::constant(2026, month, day)).unwrap().millis();
        let mut story: Vec<_> = [Report, Accept, Dispatch, SignFor, Rectify, Verify, Close]
            .into_iter()
            .zip(0..)
            .map(|(action, n)| (action, if n == 0 || n == 5 { WORKER } else { FIXER }, day(3, 2) + n))
            .collect();
        let told = |story: &[(Action, RecordId, i64)]| {
            let mut entries = log(story);
            for entry in &mut entries {
                entry.category = Some("flooding".into());
                entry.presence = Some(crate::event::Presence::Explained);
            }
            let fields = entries.iter().map(|entry| (entry.key(), entry.to_value())).collect();
            let found = facts(Kind::Event, ID, &fields, &EventRules::default());
            found
                .into_iter()
                .map(|fact| (fact.source, fact.due(&rules).unwrap().millis()))
                .collect::<Vec<_>>()
        };
        let season = (DueSource::Season, day(6, 1));
        assert_eq!(told(&story), [(DueSource::Closed, day(3, 2) + 6 + 30 * crate::time::DAY_MS), season]);
        story.push((Note, WORKER, day(4, 2)));
        assert_eq!(told(&story), [season], "spring is not the season");
        story.push((Note, WORKER, day(5, 30)));
        assert_eq!(told(&story), []);
    }

    #[test]
    fn what_came_back_is_told_to_its_reporter_and_a_check_to_whoever_began_it() {
        let fact = event(&log(&[(Action::Report, WORKER, 1), (Action::Reject, FIXER, 2)])).unwrap();
        assert_eq!((fact.kind, fact.person, fact.unit), (DueKind::Returned, Some(WORKER), None));
        let fact = event(&log(&[(Action::Report, WORKER, 1), (Action::StartCheck, FIXER, 2)])).unwrap();
        assert_eq!((fact.kind, fact.person), (DueKind::SiteCheck, Some(FIXER)));
    }
}
