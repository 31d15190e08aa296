//! A worker's own week: pure functions of facts that phone and console gather from their records.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{ToSpan, civil::Date};

use super::figure::{Counted, Exclusion, Figure, FigureName};
use crate::field_rules::FieldRules;
use crate::id::RecordId;
use crate::local_time::LocalTime;
use crate::time::{DAY_MS, Timestamp};

const WEEK_MS: i64 = 7 * DAY_MS;

/// Monday to Sunday, local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Week {
    /// Its Monday.
    pub monday: Date,
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
}

impl Week {
    /// The local week of a moment; `None` beyond the years that a calendar has.
    pub fn of(at: Timestamp, local: LocalTime) -> Option<Self> {
        let day = local.day_of(at)?;
        let back = i64::from(day.weekday().to_monday_zero_offset());
        let monday = day.checked_sub(back.days()).ok()?;
        let from = local.start_of(monday)?;
        Some(Self { monday, from, to: from.plus_millis(WEEK_MS) })
    }

    /// The week before.
    pub fn before(&self) -> Option<Self> {
        let monday = self.monday.checked_sub(7.days()).ok()?;
        Some(Self { monday, from: self.from.plus_millis(-WEEK_MS), to: self.from })
    }

    /// Its Sunday.
    pub fn sunday(&self) -> Date {
        self.monday.saturating_add(6.days())
    }

    fn has(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }
}

/// A door of the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoorFact {
    /// The dwelling.
    pub id: RecordId,
    /// Whether nobody lives there.
    pub vacant: bool,
}

/// A verification or visit at a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touch {
    /// The record.
    pub record: RecordId,
    /// The door.
    pub door: RecordId,
    /// Who.
    pub by: RecordId,
    /// When.
    pub at: Timestamp,
    /// Whether somebody was reached; not where nobody opened.
    pub reached: bool,
    /// Whether the base data was confirmed by it.
    pub confirms: bool,
}

/// A visit that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VisitMade {
    /// The record.
    pub record: RecordId,
    /// To whom, as [`WeekFacts::due`] names them.
    pub target: RecordId,
    /// When.
    pub at: Timestamp,
    /// Whether it is complete: met, or declined.
    pub complete: bool,
    /// Whether the word was that they moved.
    pub moved: bool,
}

/// An event of the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventFact {
    /// The event.
    pub id: RecordId,
    /// When it was seen.
    pub at: Timestamp,
    /// Who reported it.
    pub reporter: Option<RecordId>,
    /// Whether a worker found it: on patrol or by an inspection.
    pub found: bool,
    /// Why it does not count, if it does not.
    pub excluded: Option<Exclusion>,
}

/// An inspection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InspectionFact {
    /// The inspection.
    pub id: RecordId,
    /// Who.
    pub by: RecordId,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended, if it has.
    pub ended_at: Option<Timestamp>,
}

/// A rectification order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderFact {
    /// The order.
    pub id: RecordId,
    /// Its last day, and those that it had before a recheck gave it another.
    pub deadlines: BTreeSet<Date>,
    /// The inspection that found it put right.
    pub settled_by: Option<RecordId>,
}

/// A patrol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PatrolFact {
    /// The patrol.
    pub id: RecordId,
    /// Who walked.
    pub by: RecordId,
    /// When it ended, if it has.
    pub ended_at: Option<Timestamp>,
    /// When it began.
    pub started_at: Timestamp,
    /// Metres.
    pub metres: i64,
}

/// What a week's figures are made of: the facts of one grid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WeekFacts {
    /// Doors.
    pub doors: Vec<DoorFact>,
    /// Verifications and visits at doors, those of earlier weeks included.
    pub touches: Vec<Touch>,
    /// To whom a visit was due by the week's end, as things stood at its beginning.
    pub due: Vec<RecordId>,
    /// Visits.
    pub visits: Vec<VisitMade>,
    /// Events.
    pub events: Vec<EventFact>,
    /// Inspections.
    pub inspections: Vec<InspectionFact>,
    /// Rectification orders.
    pub orders: Vec<OrderFact>,
    /// Patrols.
    pub patrols: Vec<PatrolFact>,
}

/// The figures of a worker's week in one grid, in the order in which a screen shows them.
pub fn my_week(facts: &WeekFacts, week: &Week, me: RecordId, rules: &FieldRules) -> Vec<Figure> {
    vec![
        doors_reached(facts, week, me),
        visits_done(facts, week),
        base_fresh(facts, week, rules),
        events_reported(facts, week, me),
        self_found(facts, week),
        inspections(facts, week, me),
        rectified(facts, week),
        patrols(facts, week, me),
    ]
}

fn share(
    name: FigureName,
    all: BTreeSet<RecordId>,
    hits: BTreeMap<RecordId, BTreeSet<RecordId>>,
    excluded: BTreeMap<RecordId, Exclusion>,
) -> Figure {
    // What was left out counts on neither side.
    let denominator: Vec<RecordId> = all.into_iter().filter(|id| !excluded.contains_key(id)).collect();
    let counts = |id: &RecordId| denominator.binary_search(id).is_ok();
    let hits = hits.into_iter().filter(|(id, _)| counts(id));
    let numerator = hits.map(|(what, by)| Counted { what, by: by.into_iter().collect() }).collect();
    Figure {
        name,
        numerator,
        denominator: Some(denominator),
        excluded: excluded.into_iter().collect(),
        sum: None,
    }
}

fn count(
    name: FigureName,
    counted: impl Iterator<Item = RecordId>,
    excluded: BTreeMap<RecordId, Exclusion>,
) -> Figure {
    let counted: BTreeSet<RecordId> = counted.collect();
    let numerator = counted.into_iter().map(|id| Counted { what: id, by: vec![id] }).collect();
    Figure { name, numerator, denominator: None, excluded: excluded.into_iter().collect(), sum: None }
}

/// The evidence by what it is of.
fn gather(pairs: impl Iterator<Item = (RecordId, RecordId)>) -> BTreeMap<RecordId, BTreeSet<RecordId>> {
    let mut out: BTreeMap<RecordId, BTreeSet<RecordId>> = BTreeMap::new();
    for (what, by) in pairs {
        out.entry(what).or_default().insert(by);
    }
    out
}

fn vacant(facts: &WeekFacts) -> BTreeMap<RecordId, Exclusion> {
    facts.doors.iter().filter(|door| door.vacant).map(|door| (door.id, Exclusion::Vacant)).collect()
}

fn doors_reached(facts: &WeekFacts, week: &Week, me: RecordId) -> Figure {
    let mine = facts.touches.iter().filter(|touch| touch.reached && touch.by == me && week.has(touch.at));
    let hits = gather(mine.map(|touch| (touch.door, touch.record)));
    let all = facts.doors.iter().map(|door| door.id).collect();
    share(FigureName::DoorsReached, all, hits, vacant(facts))
}

/// Whoever declined was visited; whoever moved is not due any more.
fn visits_done(facts: &WeekFacts, week: &Week) -> Figure {
    let all: BTreeSet<RecordId> = facts.due.iter().copied().collect();
    let in_week = || facts.visits.iter().filter(|visit| week.has(visit.at) && all.contains(&visit.target));
    let hits = gather(in_week().filter(|visit| visit.complete).map(|visit| (visit.target, visit.record)));
    let moved = in_week().filter(|visit| visit.moved && !hits.contains_key(&visit.target));
    let excluded = moved.map(|visit| (visit.target, Exclusion::Moved)).collect();
    share(FigureName::VisitsDone, all, hits, excluded)
}

fn base_fresh(facts: &WeekFacts, week: &Week, rules: &FieldRules) -> Figure {
    let since = week.to.plus_days(-i64::from(rules.fresh_days));
    let fresh =
        facts.touches.iter().filter(|touch| touch.confirms && touch.at >= since && touch.at < week.to);
    let hits = gather(fresh.map(|touch| (touch.door, touch.record)));
    let all = facts.doors.iter().map(|door| door.id).collect();
    share(FigureName::BaseFresh, all, hits, BTreeMap::new())
}

fn excluded_events<'f>(events: impl Iterator<Item = &'f EventFact>) -> BTreeMap<RecordId, Exclusion> {
    events.filter_map(|event| Some((event.id, event.excluded?))).collect()
}

fn events_reported(facts: &WeekFacts, week: &Week, me: RecordId) -> Figure {
    let mine = || facts.events.iter().filter(|event| week.has(event.at) && event.reporter == Some(me));
    let counted = mine().filter(|event| event.excluded.is_none()).map(|event| event.id);
    count(FigureName::EventsReported, counted, excluded_events(mine()))
}

fn self_found(facts: &WeekFacts, week: &Week) -> Figure {
    let in_week = || facts.events.iter().filter(|event| week.has(event.at));
    let all = in_week().map(|event| event.id).collect();
    let hits = gather(in_week().filter(|event| event.found).map(|event| (event.id, event.id)));
    share(FigureName::SelfFound, all, hits, excluded_events(in_week()))
}

fn inspections(facts: &WeekFacts, week: &Week, me: RecordId) -> Figure {
    let mine = || facts.inspections.iter().filter(|one| one.by == me);
    let ended = mine().filter(|one| one.ended_at.is_some_and(|at| week.has(at))).map(|one| one.id);
    let open = mine().filter(|one| one.ended_at.is_none() && week.has(one.started_at));
    count(FigureName::Inspections, ended, open.map(|one| (one.id, Exclusion::NotEnded)).collect())
}

fn rectified(facts: &WeekFacts, week: &Week) -> Figure {
    let days = week.monday..=week.sunday();
    let due = || facts.orders.iter().filter(|order| order.deadlines.iter().any(|day| days.contains(day)));
    let hits = gather(due().filter_map(|order| Some((order.id, order.settled_by?))));
    share(FigureName::Rectified, due().map(|order| order.id).collect(), hits, BTreeMap::new())
}

fn patrols(facts: &WeekFacts, week: &Week, me: RecordId) -> Figure {
    let mine = || facts.patrols.iter().filter(|patrol| patrol.by == me && week.has(patrol.started_at));
    let ended = || mine().filter(|patrol| patrol.ended_at.is_some());
    let open = mine().filter(|patrol| patrol.ended_at.is_none());
    let excluded = open.map(|patrol| (patrol.id, Exclusion::NotEnded)).collect();
    let figure = count(FigureName::Patrols, ended().map(|patrol| patrol.id), excluded);
    Figure { sum: Some(ended().map(|patrol| patrol.metres).fold(0, i64::saturating_add)), ..figure }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::records::parse_date;

    fn id(n: u8) -> RecordId {
        RecordId::from_bytes([n; 16])
    }

    fn week_of(text: &str) -> Option<Week> {
        Week::of(local(text), FieldRules::default().local())
    }

    fn local(text: &str) -> Timestamp {
        let at: jiff::Timestamp = format!("{text}:00+08:00").parse().unwrap();
        Timestamp::from_millis(at.as_millisecond())
    }

    #[test]
    fn a_week_runs_from_monday_to_sunday_in_local_time() {
        let week = week_of("2026-05-20T09:00").unwrap();
        assert_eq!(week.monday, parse_date("2026-05-18").unwrap());
        assert_eq!((week.from, week.to), (local("2026-05-18T00:00"), local("2026-05-25T00:00")));
        assert_eq!(week_of("2026-05-18T00:00"), Some(week));
        assert_eq!(week_of("2026-05-24T23:59"), Some(week));
        assert_eq!(week.before(), week_of("2026-05-17T12:00"));
    }

    fn touch(n: u8, door: u8, at: &str, reached: bool) -> Touch {
        Touch { record: id(n), door: id(door), by: id(200), at: local(at), reached, confirms: reached }
    }

    fn figure(facts: &WeekFacts, name: FigureName) -> Figure {
        let week = week_of("2026-05-20T09:00").unwrap();
        let figures = my_week(facts, &week, id(200), &FieldRules::default());
        figures.into_iter().find(|figure| figure.name == name).unwrap()
    }

    #[test]
    fn doors_count_once_with_all_their_evidence_and_vacant_ones_on_neither_side() {
        let door = |n, vacant| DoorFact { id: id(n), vacant };
        let facts = WeekFacts {
            doors: vec![door(1, false), door(2, false), door(3, true), door(4, false)],
            touches: vec![
                touch(101, 1, "2026-05-18T09:00", true),
                touch(102, 1, "2026-05-19T09:00", true),
                touch(103, 2, "2026-05-19T09:10", false),
                touch(104, 3, "2026-05-19T09:20", true),
                touch(105, 4, "2026-05-17T09:00", true),
                Touch { by: id(201), ..touch(106, 2, "2026-05-19T10:00", true) },
            ],
            ..WeekFacts::default()
        };
        let reached = figure(&facts, FigureName::DoorsReached);
        assert_eq!(reached.numerator, [Counted { what: id(1), by: vec![id(101), id(102)] }]);
        assert_eq!(reached.denominator, Some(vec![id(1), id(2), id(4)]));
        assert_eq!((reached.percent(), &reached.excluded[..]), (Some(33), &[(id(3), Exclusion::Vacant)][..]));
        assert_eq!(reached.en(), "Doors reached: 1/3 (33 %), left out 1");
        assert_eq!(figure(&facts, FigureName::BaseFresh).percent(), Some(100), "by whomever, within 90 days");
    }

    #[test]
    fn declined_counts_as_visited_and_moved_is_left_out() {
        let visit = |n, target, complete, moved| VisitMade {
            record: id(n),
            target: id(target),
            at: local("2026-05-20T10:00"),
            complete,
            moved,
        };
        let facts = WeekFacts {
            due: (1..=4).map(id).collect(),
            visits: vec![
                visit(101, 1, true, false),
                visit(102, 2, false, false),
                visit(103, 3, false, true),
                visit(104, 9, true, false),
            ],
            ..WeekFacts::default()
        };
        let done = figure(&facts, FigureName::VisitsDone);
        assert_eq!((done.count(), done.out_of(), done.percent()), (1, Some(3), Some(33)));
        assert_eq!(done.excluded, [(id(3), Exclusion::Moved)]);
    }

    #[test]
    fn nothing_due_is_not_everything_done() {
        let none = figure(&WeekFacts::default(), FigureName::VisitsDone);
        assert_eq!((none.percent(), none.zh().as_str()), (None, "走访完成率：无"));
        assert_eq!(figure(&WeekFacts::default(), FigureName::Patrols).en(), "Patrols: 0, 0 m");
    }

    #[test]
    fn how_long_data_is_fresh_is_a_limit_of_the_deployment() {
        let week = week_of("2026-05-20T09:00").unwrap();
        let at = local("2026-05-10T09:00");
        let touch = Touch { record: id(3), door: id(1), by: id(200), at, reached: true, confirms: true };
        let doors = vec![DoorFact { id: id(1), vacant: false }];
        let facts = WeekFacts { doors, touches: vec![touch], ..WeekFacts::default() };
        for (fresh_days, expected) in [(14, 0), (15, 1)] {
            let rules = FieldRules { fresh_days, ..FieldRules::default() };
            let figures = my_week(&facts, &week, id(200), &rules);
            let fresh = figures.iter().find(|figure| figure.name == FigureName::BaseFresh).unwrap();
            assert_eq!(fresh.count(), expected, "{fresh_days} days");
        }
    }

    #[test]
    fn events_inspections_orders_and_patrols_are_counted_with_their_records() {
        let at = local("2026-05-20T10:00");
        let event = |n, reporter, found, excluded| EventFact {
            id: id(n),
            at,
            reporter: Some(id(reporter)),
            found,
            excluded,
        };
        let order = |n, deadlines: &str, settled: Option<u8>| OrderFact {
            id: id(n),
            deadlines: deadlines.split(' ').map(|day| parse_date(day).unwrap()).collect(),
            settled_by: settled.map(id),
        };
        let facts = WeekFacts {
            events: vec![
                event(1, 200, true, None),
                event(2, 201, false, None),
                event(3, 200, true, Some(Exclusion::Merged)),
            ],
            inspections: vec![
                InspectionFact { id: id(4), by: id(200), started_at: at, ended_at: Some(at) },
                InspectionFact { id: id(5), by: id(200), started_at: at, ended_at: None },
            ],
            orders: vec![
                order(6, "2026-05-24", Some(4)),
                // It was given another deadline by a recheck: this one was missed all the same.
                order(7, "2026-05-18 2026-05-28", None),
                order(8, "2026-05-25", None),
            ],
            patrols: vec![
                PatrolFact { id: id(9), by: id(200), started_at: at, ended_at: Some(at), metres: 1_200 },
                PatrolFact { id: id(10), by: id(200), started_at: at, ended_at: Some(at), metres: 800 },
            ],
            ..WeekFacts::default()
        };
        let reported = figure(&facts, FigureName::EventsReported);
        assert_eq!((reported.count(), reported.excluded.len()), (1, 1));
        assert_eq!(figure(&facts, FigureName::SelfFound).percent(), Some(50));
        let inspections = figure(&facts, FigureName::Inspections);
        assert_eq!((inspections.count(), inspections.excluded[0].1), (1, Exclusion::NotEnded));
        let rectified = figure(&facts, FigureName::Rectified);
        assert_eq!(rectified.numerator, [Counted { what: id(6), by: vec![id(4)] }]);
        assert_eq!(rectified.percent(), Some(50));
        assert_eq!(
            (figure(&facts, FigureName::Patrols).count(), figure(&facts, FigureName::Patrols).sum),
            (2, Some(2_000))
        );
    }

    proptest! {
        /// What counts is part of what it is counted out of, has evidence, and was not left out.
        #[test]
        fn every_figure_is_consistent(
            doors in proptest::collection::vec((1u8..20, any::<bool>()), 0..12),
            touches in proptest::collection::vec((1u8..25, 0i64..14, any::<bool>(), 199u8..202), 0..20),
            visits in proptest::collection::vec((1u8..25, 0i64..14, any::<bool>(), any::<bool>()), 0..20),
            due in proptest::collection::vec(1u8..25, 0..12),
        ) {
            let start = local("2026-05-11T09:00");
            let facts = WeekFacts {
                doors: doors.iter().map(|(n, vacant)| DoorFact { id: id(*n), vacant: *vacant }).collect(),
                touches: touches.iter().zip(100u8..).map(|((door, day, reached, by), n)| Touch {
                    record: id(n), door: id(*door), by: id(*by), at: start.plus_days(*day),
                    reached: *reached, confirms: *reached,
                }).collect(),
                visits: visits.iter().zip(150u8..).map(|((target, day, complete, moved), n)| VisitMade {
                    record: id(n), target: id(*target), at: start.plus_days(*day),
                    complete: *complete, moved: *moved,
                }).collect(),
                due: due.iter().map(|n| id(*n)).collect(),
                ..WeekFacts::default()
            };
            let week = week_of("2026-05-20T09:00").unwrap();
            for figure in my_week(&facts, &week, id(200), &FieldRules::default()) {
                for counted in &figure.numerator {
                    prop_assert!(!counted.by.is_empty());
                    prop_assert!(figure.denominator.as_ref().is_none_or(|all| all.contains(&counted.what)));
                    prop_assert!(figure.excluded.iter().all(|(left, _)| *left != counted.what));
                }
                prop_assert!(figure.percent().is_none_or(|percent| percent <= 100));
            }
        }
    }
}
