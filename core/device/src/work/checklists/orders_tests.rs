//! An order that is checked again, taken back, and reported when it is overdue, in random order.

use std::collections::{BTreeMap, BTreeSet};

use gridwalk_model::event::State;
use gridwalk_model::records::task::{TaskKind, TaskState};
use gridwalk_model::records::{Inspection, Task};
use gridwalk_model::{RecordId, Timestamp};
use proptest::prelude::*;

use super::tests::{DAY_MS, World, go_on, photo, recheck, state_of, world};
use super::*;
use crate::error::DeviceError;
use crate::store::{Faults, Store};
use crate::sync::tests::Phone;
use crate::testkit::at;

#[derive(Clone, Debug)]
enum Step {
    /// Checks again to the end; what the numbers name of what is outstanding is still wrong.
    Recheck(BTreeSet<usize>),
    /// Begins to check again and leaves it at that.
    Begin,
    /// Throws away what was begun.
    Discard,
    ReportOverdue,
    /// Takes back the check that was finished last.
    Reopen,
    Wait(u8),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => prop::collection::btree_set(0usize..3, 0..3).prop_map(Step::Recheck),
        1 => Just(Step::Begin),
        1 => Just(Step::Discard),
        3 => Just(Step::ReportOverdue),
        4 => Just(Step::Reopen),
        3 => (1u8..5).prop_map(Step::Wait),
        1 => Just(Step::Restart),
    ]
}

/// What stands of an order; what taking a check back restores.
#[derive(Clone, Debug, PartialEq)]
struct Stand {
    outstanding: BTreeSet<String>,
    deadline: jiff::civil::Date,
    recheck_task: Option<RecordId>,
    settled: bool,
    /// Events of findings, by item.
    reported: BTreeMap<String, RecordId>,
}

struct Case {
    store: Store,
    order: RecordId,
    stand: Stand,
    /// Finished checks with what stood before each.
    done: Vec<(RecordId, Stand)>,
    now: i64,
}

fn wrong<T: std::fmt::Debug>(outcome: Result<T, DeviceError>) -> ChecklistError {
    match outcome {
        Err(DeviceError::Checklist(error)) => error,
        other => panic!("{other:?}"),
    }
}

impl Case {
    fn at(&self) -> Timestamp {
        at(self.now)
    }

    fn overdue(&self) -> bool {
        self.stand.deadline < self.store.view().local_day(self.at()).unwrap()
    }

    /// The check that was begun and not finished.
    fn begun(&self) -> Option<RecordId> {
        self.store.open_inspections().unwrap().first().map(|entry| entry.id)
    }

    /// The outstanding items for which there is a category and no event yet.
    fn unreported(&self) -> BTreeSet<String> {
        let order = self.store.every::<gridwalk_model::records::RectificationOrder>().unwrap().remove(0);
        let template = self.store.inspection_session(order.record.inspection).unwrap().template;
        let open = |item: &&String| {
            !self.stand.reported.contains_key(*item) && template.event_category(item).is_some()
        };
        self.stand.outstanding.iter().filter(open).cloned().collect()
    }

    fn reported(&mut self, events: BTreeMap<String, RecordId>, expected: &BTreeSet<String>) {
        assert_eq!(
            &events.keys().cloned().collect::<BTreeSet<_>>(),
            expected,
            "each once, when it is overdue"
        );
        self.stand.reported.extend(events);
    }

    fn recheck(&mut self, failing: &BTreeSet<usize>) {
        if self.stand.settled {
            let settled = wrong(self.store.begin_recheck(self.order, self.at()));
            return assert!(matches!(settled, ChecklistError::Settled { .. }));
        }
        let (before, late) = (self.stand.clone(), self.overdue());
        let all: Vec<&String> = before.outstanding.iter().collect();
        let failing: Vec<&str> =
            failing.iter().filter_map(|n| all.get(*n)).map(|item| item.as_str()).collect();
        let inspection = self.store.begin_recheck(self.order, self.at()).unwrap();
        let asked: BTreeSet<String> = inspection.review.asked.iter().cloned().collect();
        assert_eq!(asked, before.outstanding, "only what was not right is asked");
        let now = self.at();
        let finished = recheck(&mut self.store, self.order, &failing, now);
        assert_eq!(finished.order, Some(self.order));
        self.stand.outstanding = failing.iter().map(|item| (*item).to_owned()).collect();
        self.stand.settled = failing.is_empty();
        self.done.push((inspection.id, before));
        let expected = if late { self.unreported() } else { BTreeSet::new() };
        self.reported(finished.events, &expected);
        if !self.stand.settled {
            assert!(finished.recheck_task.is_some());
            self.stand.recheck_task = finished.recheck_task;
            self.stand.deadline = self.store.open_orders(self.at()).unwrap()[0].order.deadline;
            assert!(!self.overdue(), "there is time again");
        }
    }

    fn reopen(&mut self) {
        let Some((inspection, before)) = self.done.last().cloned() else { return };
        if self.begun().is_some() {
            let gone_on = wrong(self.store.reopen_inspection(inspection, self.at()));
            return assert!(matches!(gone_on, ChecklistError::HadConsequences { .. }));
        }
        let own: BTreeMap<_, _> = self.stand.reported.clone();
        self.store.reopen_inspection(inspection, self.at()).unwrap();
        for (item, event) in own {
            let stays = before.reported.get(&item) == Some(&event);
            let state = if stays { State::Reported } else { State::Withdrawn };
            assert_eq!(state_of(&self.store, event), state, "{item}");
        }
        self.done.pop();
        self.stand = before;
    }

    fn perform(&mut self, step: &Step) {
        match step {
            Step::Recheck(failing) => self.recheck(failing),
            Step::Begin if !self.stand.settled => {
                drop(self.store.begin_recheck(self.order, self.at()).unwrap())
            }
            Step::Discard => {
                if let Some(begun) = self.begun() {
                    self.store.discard_inspection(begun, self.at()).unwrap();
                }
            }
            Step::ReportOverdue => {
                let events = self.store.report_overdue(self.order, self.at());
                if self.stand.settled {
                    return assert!(matches!(wrong(events), ChecklistError::Settled { .. }));
                }
                let expected = if self.overdue() { self.unreported() } else { BTreeSet::new() };
                self.reported(events.unwrap(), &expected);
            }
            Step::Reopen => self.reopen(),
            Step::Wait(days) => self.now += i64::from(*days) * DAY_MS,
            Step::Begin | Step::Restart => {}
        }
    }

    fn check(&self) {
        let open = self.store.open_orders(self.at()).unwrap();
        assert_eq!(open.is_empty(), self.stand.settled);
        for one in open {
            assert_eq!(one.outstanding.into_keys().collect::<BTreeSet<_>>(), self.stand.outstanding);
            assert_eq!(
                (one.order.deadline, one.order.recheck_task, one.overdue),
                (self.stand.deadline, self.stand.recheck_task, self.overdue())
            );
        }
        let tasks = self.store.every::<Task>().unwrap();
        let open = |task: &Task| task.task_kind == TaskKind::Recheck && task.state != Some(TaskState::Done);
        let open: Vec<RecordId> =
            tasks.iter().filter(|entry| open(&entry.record)).map(|entry| entry.id).collect();
        let expected: Vec<RecordId> = self.stand.recheck_task.into_iter().collect();
        assert_eq!(
            open,
            if self.stand.settled { Vec::new() } else { expected },
            "one task, while it is open"
        );
        for event in self.stand.reported.values() {
            assert_eq!(state_of(&self.store, *event), State::Reported);
        }
        let finished = self.store.every::<Inspection>().unwrap();
        let finished = finished.iter().filter(|entry| entry.record.ended_at.is_some()).count();
        assert_eq!(finished, self.done.len() + 1, "nothing that was finished is lost");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// However often it is checked again, taken back, and reported: an order asks for what was not right last, has one
    /// task while it is open, makes one event of each finding, and taking a check back restores what stood before it.
    #[test]
    fn an_order_stands_by_its_last_check(steps in prop::collection::vec(step(), 1..16)) {
        let World { mut server, phone, place } = world(Faults::none());
        let Phone { mut store, engine } = phone;
        let first = go_on(&mut store, place, &photo(), at(20)).unwrap();
        let open = store.open_orders(at(21)).unwrap().remove(0);
        let findings = orders::findings_of(&first.inspection).into_iter();
        let stand = Stand {
            outstanding: open.outstanding.into_keys().collect(),
            deadline: open.order.deadline,
            recheck_task: open.order.recheck_task,
            settled: false,
            reported: findings.filter_map(|(item, finding)| Some((item, finding.event?))).collect(),
        };
        let mut case = Case { store, order: open.id, stand, done: Vec::new(), now: 1_000 };
        case.check();
        for step in &steps {
            case.now += 1_000;
            case.perform(step);
            if matches!(step, Step::Restart) {
                case.store = case.store.reopened().unwrap();
            }
            case.check();
        }
        let (now, order, stand) = (case.now, case.order, case.stand.clone());
        let mut phone = Phone { store: case.store, engine };
        phone.sync(&mut server, at(now + 1));
        prop_assert_eq!(phone.waiting(), 0);
        prop_assert!(phone.store.refused_edits().unwrap().is_empty());
        let mut other = Phone::joined(2, &mut server);
        other.sync(&mut server, at(now + 2));
        let shown = other.store.open_orders(at(now + 2)).unwrap();
        prop_assert_eq!(&shown, &phone.store.open_orders(at(now + 2)).unwrap());
        prop_assert_eq!(shown.iter().map(|one| one.id).collect::<Vec<_>>(), if stand.settled { vec![] } else { vec![order] });
    }
}
