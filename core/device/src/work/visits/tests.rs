//! Visits: due by the cadence, recorded whole, taken back whole; declining triggers nothing.

use std::collections::BTreeSet;

use gridwalk_model::checklist::{Outcome, file};
use gridwalk_model::field_rules::FieldRules;
use gridwalk_model::records::care_tag::Need;
use gridwalk_model::records::service_record::ServiceState;
use gridwalk_model::records::task::TaskState;
use gridwalk_model::records::visit::{VisitPurpose, VisitResult};
use gridwalk_model::records::{CareTag, Residency, ServiceRecord, Task, Visit, parse_date};
use gridwalk_model::time::DAY_MS;
use gridwalk_model::visits::{DueState, VisitFault, VisitForm, Why};
use gridwalk_model::{Fields, Kind, Record, RecordId, Timestamp, Value};
use gridwalk_replica::{Actor, Document};
use jiff::civil::Date;
use proptest::prelude::*;

use super::*;
use crate::edit::Entry;
use crate::keeping::KeepingLimits;
use crate::store::{Body, Commit, Faults, Side, Store};
use crate::testkit::{GRID, device, dwelling, resident, store, store_with};

/// Noon in China of a day.
fn noon(day: &str) -> Timestamp {
    let at: jiff::Timestamp = format!("{day}T12:00:00+08:00").parse().unwrap();
    Timestamp::from_millis(at.as_millisecond())
}

fn day(text: &str) -> Date {
    parse_date(text).unwrap()
}

struct Home {
    door: RecordId,
    person: RecordId,
    residency: RecordId,
}

/// Somebody who has lived behind a door since long ago, known since `known`.
fn home(store: &mut Store, room: &str, from: &str, known: &str) -> Home {
    let now = noon(known);
    let door = store.create(&dwelling("1", room), now).unwrap();
    let person = store.create(&resident("虚构甲", "19900000001"), now).unwrap();
    let mut all = Fields::new();
    all.insert("resident".into(), Value::from(person));
    all.insert("dwelling".into(), Value::from(door));
    all.insert("from".into(), Value::from(from));
    let residency = store.create(&Residency::from_fields(&all).unwrap(), now).unwrap();
    Home { door, person, residency }
}

fn tag(resident: RecordId) -> CareTagInput {
    CareTagInput {
        resident,
        need: Need::LivingAlone,
        service: "每月上门（虚构）".into(),
        purpose: "居家安全（虚构）".into(),
        approver: RecordId::from_bytes([9; 16]),
        from: day("2026-05-01"),
        until: day("2027-05-01"),
    }
}

fn met(target: RecordId) -> VisitInput {
    let form = VisitForm::starters().remove(0);
    let answer = |outcome| gridwalk_model::checklist::Answer { outcome: Some(outcome), ..Default::default() };
    VisitInput {
        answers: form.items.iter().map(|item| (item.id.clone(), answer(Outcome::Pass))).collect(),
        ..VisitInput::plain(target, VisitResult::Met, VisitPurpose::Care)
    }
}

fn count<T: Record>(store: &Store) -> usize {
    store.list_any::<T>(None, usize::MAX).unwrap().entries.len()
}

fn faulted<T: std::fmt::Debug>(outcome: Result<T, DeviceError>) -> VisitFault {
    match outcome {
        Err(DeviceError::Visit { fault, .. }) => fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_tag_makes_a_person_due_and_a_visit_moves_the_day() {
    let mut store = store(1);
    let home = home(&mut store, "101", "2010-01-01", "2026-01-15");
    store.add_care_tag(&tag(home.person), noon("2026-05-01")).unwrap();
    let now = noon("2026-05-28");
    let due = store.visits_due(now).unwrap();
    assert_eq!(due.len(), 2);
    assert_eq!(
        (due[0].target, due[0].due.day, due[0].state),
        (home.person, day("2026-06-01"), DueState::Soon)
    );
    assert_eq!((&due[0].purpose, &due[0].why), (&VisitPurpose::Care, &vec![]), "a list names no need");
    assert_eq!(store.sensitive_reads(0, 9).unwrap(), []);
    let limits = KeepingLimits::default();
    assert!(matches!(store.visit_sheet(home.person, " ", &limits, now), Err(DeviceError::NoPurpose)));
    let sheet = store.visit_sheet(home.person, "上门关爱", &limits, now).unwrap();
    assert_eq!(sheet.due.unwrap().why, [Why::Need(Need::LivingAlone)]);
    let reads = store.sensitive_reads(0, 9).unwrap();
    assert_eq!(reads.iter().map(|read| read.kind.as_str()).collect::<Vec<_>>(), ["care_tag"]);
    store.visit_sheet(home.door, "上门", &limits, now).unwrap();
    assert_eq!(store.sensitive_reads(0, 9).unwrap().len(), 1, "a door has no needs");
    assert_eq!(due[0].door, Some(home.door));
    // Known since January: twice a year from then on, not since 2010.
    assert_eq!(
        (due[1].target, due[1].due.day, due[1].state),
        (home.door, day("2026-07-15"), DueState::Later)
    );
    let recorded = store.record_visit(&met(home.person), now).unwrap();
    assert_eq!(recorded.next.unwrap().due.day, day("2026-06-28"));
    let due = store.visits_due(now).unwrap();
    assert_eq!(
        due[1].due.day,
        day("2026-11-28"),
        "who was seen for care need not be asked again for the door"
    );
    let visit = store.get::<Visit>(recorded.visit).unwrap().unwrap().record;
    assert_eq!((visit.form.as_deref(), visit.answers.len()), (Some("care_visit@1"), 10));
    // Once the tag has ended it asks for nothing.
    assert!(store.visits_due(noon("2027-05-02")).unwrap().iter().all(|due| due.target == home.door));
}

#[test]
fn newcomers_are_welcomed_once() {
    let mut store = store(1);
    let home = home(&mut store, "101", "2026-05-20", "2026-05-22");
    let due = store.visits_due(noon("2026-05-25")).unwrap().remove(0);
    assert_eq!((due.purpose, due.due.day), (VisitPurpose::Welcome, day("2026-06-03")));
    let input = VisitInput::plain(home.door, VisitResult::Refused, VisitPurpose::Welcome);
    let next = store.record_visit(&input, noon("2026-05-26")).unwrap().next.unwrap();
    assert_eq!((next.purpose, next.due.day), (VisitPurpose::Routine, day("2026-11-26")));
}

#[test]
fn declining_is_complete_and_nothing_but_the_visit_is_written() {
    let mut store = store(1);
    let home = home(&mut store, "101", "2010-01-01", "2026-01-15");
    store.add_care_tag(&tag(home.person), noon("2026-05-01")).unwrap();
    let now = noon("2026-05-28");
    let before = store.totals().unwrap();
    let refused = VisitInput::plain(home.person, VisitResult::Refused, VisitPurpose::Care);
    let recorded = store.record_visit(&refused, now).unwrap();
    let after = store.totals().unwrap();
    assert_eq!((after.changes.count, after.records), (before.changes.count + 1, before.records + 1));
    assert_eq!(recorded.next.unwrap().due.day, day("2026-06-28"), "as after any complete visit");
    let services = vec![ServiceAsked { request: "r".into(), service: "s".into() }];
    let more = VisitInput { services, ..refused.clone() };
    assert_eq!(faulted(store.record_visit(&more, now)), VisitFault::RefusalTriggersNothing);
    let sooner = VisitInput { next_due: Some(day("2026-05-29")), ..refused };
    assert_eq!(faulted(store.record_visit(&sooner, now)), VisitFault::RefusalTriggersNothing);
    assert_eq!(store.totals().unwrap(), after, "what is refused leaves no trace");
}

#[test]
fn what_was_needed_is_followed_up_at_the_next_visit() {
    let mut store = store(1);
    let home = home(&mut store, "101", "2010-01-01", "2026-01-15");
    let mut first = met(home.person);
    let medicine = first.answers.get_mut("medicine").unwrap();
    (medicine.outcome, medicine.text) = (Some(Outcome::Fail), Some("缺药（虚构）".into()));
    first.services = vec![ServiceAsked {
        request: "缺降压药（虚构）".into(),
        service: "联系社区医生（虚构）".into(),
    }];
    let recorded = store.record_visit(&first, noon("2026-05-01")).unwrap();
    let sheet =
        store.visit_sheet(home.person, "走访", &KeepingLimits::default(), noon("2026-05-20")).unwrap();
    assert_eq!(sheet.last.unwrap().attention, [("medicine".to_owned(), Some("缺药（虚构）".to_owned()))]);
    let service = sheet.open_services[0].id;
    assert_eq!([service], recorded.services[..]);
    let follow = |state, outcome: Option<&str>| {
        let outcome = outcome.map(str::to_owned);
        VisitInput { follow_ups: vec![FollowUp { service, state, outcome }], ..met(home.person) }
    };
    let now = noon("2026-05-20");
    let empty = store.record_visit(&follow(ServiceState::Open, None), now);
    assert_eq!(faulted(empty), VisitFault::NoFollowUp);
    let second = store.record_visit(&follow(ServiceState::Done, Some("已送药（虚构）")), now).unwrap();
    let settled = store.get_any::<ServiceRecord>(service).unwrap().unwrap().record;
    assert_eq!((settled.state, settled.followed_up), (Some(ServiceState::Done), Some(second.visit)));
    assert!(store.open_services(home.person).unwrap().is_empty());
    let again = store.record_visit(&follow(ServiceState::Done, None), now);
    assert_eq!(faulted(again), VisitFault::ServiceNotOpen);
    // Taken back, the service is open again; the first visit taken back, it is gone.
    assert!(store.undo_visit(second.visit, now).unwrap());
    assert_eq!(store.open_services(home.person).unwrap()[0].record.outcome, None);
    assert!(store.undo_visit(recorded.visit, now).unwrap());
    assert!(store.open_services(home.person).unwrap().is_empty());
    assert_eq!(count::<Visit>(&store), 0);
}

fn task(store: &mut Store, target: RecordId) -> RecordId {
    let mut all = Fields::new();
    all.insert("area".into(), Value::from(GRID));
    all.insert("task_kind".into(), Value::from("visit"));
    all.insert("target".into(), Value::from(target));
    store.edits(noon("2026-05-01"), |edits| edits.create_fields(Kind::Task, &all)).unwrap()
}

#[test]
fn a_task_is_settled_by_a_complete_visit_and_opened_again() {
    let mut store = store(1);
    let home = home(&mut store, "101", "2010-01-01", "2026-01-15");
    let task = task(&mut store, home.door);
    let state = |store: &Store| store.get::<Task>(task).unwrap().unwrap().record.state;
    let visit = |result| VisitInput {
        task: Some(task),
        ..VisitInput::plain(home.door, result, VisitPurpose::Routine)
    };
    let now = noon("2026-05-02");
    store.record_visit(&visit(VisitResult::NotHome), now).unwrap();
    assert_eq!(state(&store), None, "nobody opened: it stays");
    let done = store.record_visit(&visit(VisitResult::Refused), now).unwrap();
    assert_eq!(state(&store), Some(TaskState::Done));
    assert_eq!(faulted(store.record_visit(&visit(VisitResult::Moved), now)), VisitFault::TaskNotOpen);
    store.undo_visit(done.visit, now).unwrap();
    assert_eq!(state(&store), Some(TaskState::Open));
}

#[test]
fn a_draft_survives_and_goes_with_the_visit() {
    let faults = Faults::scripted();
    let mut store = store_with(1, faults.clone());
    let home = home(&mut store, "101", "2010-01-01", "2026-01-15");
    let services = vec![ServiceAsked { request: "r".into(), service: "s".into() }];
    let draft = VisitInput { next_due: Some(day("2026-06-10")), services, form: None, ..met(home.person) };
    let now = noon("2026-05-02");
    store.save_visit_draft(&draft, now).unwrap();
    faults.fail(Some(Commit::Edit), Side::Before, 0);
    assert!(store.record_visit(&draft, now).is_err());
    let mut store = store.reopened().unwrap();
    assert_eq!(
        store.visit_sheet(home.person, "走访", &KeepingLimits::default(), now).unwrap().draft,
        Some(draft.clone())
    );
    assert_eq!(store.visit_drafts().unwrap(), [(home.person, now)]);
    assert_eq!((count::<Visit>(&store), count::<ServiceRecord>(&store)), (0, 0), "whole or not at all");
    store.record_visit(&draft, now).unwrap();
    assert_eq!(store.visit_draft(home.person).unwrap(), None);
    assert_eq!((count::<Visit>(&store), count::<ServiceRecord>(&store)), (1, 1));
}

#[test]
fn a_draft_that_was_thrown_away_comes_back_and_no_later_one_is_lost() {
    let mut store = store(1);
    let home = home(&mut store, "101", "2010-01-01", "2026-01-15");
    let now = noon("2026-05-02");
    let said = |note: &str| VisitInput { note: Some(note.into()), ..met(home.person) };
    let note = |store: &Store| store.visit_draft(home.person).unwrap().and_then(|draft| draft.note);
    store.discard_visit_draft(home.person, now).unwrap();
    assert!(store.discarded_visit_drafts().unwrap().is_empty(), "there was none");
    store.save_visit_draft(&said("甲"), now).unwrap();
    store.discard_visit_draft(home.person, now.plus_millis(1)).unwrap();
    assert_eq!((note(&store), store.visit_drafts().unwrap()), (None, vec![]));
    store.save_visit_draft(&said("乙"), now.plus_millis(2)).unwrap();
    store.save_visit_draft(&said("丙"), now.plus_millis(3)).unwrap();
    assert_eq!(note(&store).as_deref(), Some("丙"), "one a target");
    let first = store.discarded_visit_drafts().unwrap()[0];
    assert_eq!((first.target, first.at, first.discarded_at), (home.person, now, now.plus_millis(1)));
    for _ in 0..2 {
        store.restore_visit_draft(first.n, now.plus_millis(4)).unwrap();
        assert_eq!(note(&store).as_deref(), Some("甲"));
        assert_eq!(store.discarded_visit_drafts().unwrap().len(), 1, "the later one in its place");
    }
    let later = store.discarded_visit_drafts().unwrap()[0];
    assert_eq!(later.discarded_at, now.plus_millis(4));
    let mut store = store.reopened().unwrap();
    store.record_visit(&said("甲"), now.plus_millis(5)).unwrap();
    assert_eq!(note(&store), None);
    assert_eq!(store.sweep_drafts(now.plus_millis(3 + DAY_MS)).unwrap(), 0, "not old enough");
    store.restore_visit_draft(later.n, now.plus_millis(6)).unwrap();
    assert_eq!(note(&store).as_deref(), Some("丙"));
    assert_eq!(store.sweep_drafts(now.plus_days(9)).unwrap(), 0, "what was taken back stays");
    store.discard_visit_draft(home.person, now.plus_millis(7)).unwrap();
    assert_eq!(store.sweep_drafts(now.plus_millis(7 + DAY_MS)).unwrap(), 1);
    let swept = store.restore_visit_draft(later.n, now.plus_millis(8 + DAY_MS));
    assert!(matches!(swept, Err(DeviceError::NoDraft)), "{swept:?}");
}

#[test]
fn the_phone_refuses_what_the_server_refuses() {
    let mut store = store(1);
    let home = home(&mut store, "101", "2010-01-01", "2026-01-15");
    let good = tag(home.person);
    let now = noon("2026-05-01");
    let bad = [
        CareTagInput { service: " ".into(), ..good.clone() },
        CareTagInput { purpose: String::new(), ..good.clone() },
        CareTagInput { until: day("2027-05-02"), ..good.clone() },
        CareTagInput { until: day("2026-04-30"), ..good.clone() },
        CareTagInput { need: Need::Other("conduct".into()), ..good.clone() },
    ];
    for input in bad {
        assert!(matches!(store.add_care_tag(&input, now), Err(DeviceError::Invalid { .. })), "{input:?}");
    }
    assert_eq!(count::<CareTag>(&store), 0);
    store.add_care_tag(&good, now).unwrap();
    assert!(!store.care_tags(home.person, "核对", &KeepingLimits::default(), now).unwrap()[0].ends_soon);
    assert!(
        store.care_tags(home.person, "核对", &KeepingLimits::default(), noon("2027-04-20")).unwrap()[0]
            .ends_soon
    );
    let later = FieldRules { tag_ends_days: 5, ..store.field_rules().unwrap() };
    store.write(Commit::Setting, |tx| tx.put_field_rules(&later)).unwrap();
    assert!(
        !store.care_tags(home.person, "核对", &KeepingLimits::default(), noon("2027-04-20")).unwrap()[0]
            .ends_soon,
        "the deployment says what soon is"
    );
    assert!(
        store
            .care_tags(home.person, "核对", &KeepingLimits::default(), noon("2027-05-02"))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn who_died_moved_away_or_was_merged_is_not_waited_for() {
    let mut store = store(1);
    let home = home(&mut store, "101", "2010-01-01", "2026-01-15");
    store.add_care_tag(&tag(home.person), noon("2026-05-01")).unwrap();
    let now = noon("2026-06-20");
    assert_eq!(store.visits_due(now).unwrap().len(), 2);
    let moved = VisitInput::plain(home.person, VisitResult::Moved, VisitPurpose::Care);
    let visit = store.record_visit(&moved, now).unwrap();
    assert_eq!(visit.next, None);
    let due = store.visits_due(now).unwrap();
    assert_eq!(
        due.iter().map(|due| due.target).collect::<Vec<_>>(),
        [home.door],
        "the door has others, perhaps"
    );
    store.undo_visit(visit.visit, now).unwrap();
    assert_eq!(store.visits_due(now).unwrap().len(), 2);
    let to = Fields::from([("to".to_owned(), Value::from("2026-06-01"))]);
    store.edit(home.residency, &to, now).unwrap();
    assert!(
        store.visits_due(now).unwrap().iter().all(|due| due.target == home.person),
        "nobody is behind it"
    );
    let died = Fields::from([("died_on".to_owned(), Value::from("2026-06-02"))]);
    store.edit(home.person, &died, now).unwrap();
    assert!(store.visits_due(now).unwrap().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    /// Whatever is recorded and taken back, the answer for one door or person is that of the whole list, and after
    /// taking everything back all is as before.
    #[test]
    fn one_door_alone_agrees_with_the_whole_list_and_undo_restores(
        steps in proptest::collection::vec((0usize..4, 0usize..4, any::<bool>()), 1..10),
    ) {
        let mut store = store(1);
        let homes = [
            home(&mut store, "101", "2010-01-01", "2026-01-15"),
            home(&mut store, "102", "2026-04-25", "2026-05-01"),
        ];
        store.add_care_tag(&tag(homes[0].person), noon("2026-05-01")).unwrap();
        let targets = [homes[0].person, homes[0].door, homes[1].person, homes[1].door];
        let results = [VisitResult::Met, VisitResult::NotHome, VisitResult::Refused, VisitResult::Moved];
        let start = store.visits_due(noon("2026-06-20")).unwrap();
        let mut made = Vec::new();
        for (n, (target, result, undo)) in steps.into_iter().enumerate() {
            let now = noon("2026-05-03").plus_days(n as i64 * 5);
            let (target, result) = (targets[target], results[result].clone());
            let input = if result == VisitResult::Met {
                met(target)
            } else {
                VisitInput::plain(target, result, VisitPurpose::Care)
            };
            let recorded = store.record_visit(&input, now).unwrap();
            if undo { store.undo_visit(recorded.visit, now).unwrap(); } else { made.push(recorded.visit); }
            let all = store.visits_due(now).unwrap();
            for target in targets {
                let of_one = store.visits_due_of(target, now).unwrap();
                let of_all: Vec<VisitDue> = all.iter().filter(|due| due.target == target).cloned().collect();
                prop_assert_eq!(of_one, of_all);
            }
        }
        for visit in made {
            store.undo_visit(visit, noon("2026-06-20")).unwrap();
        }
        prop_assert_eq!(store.visits_due(noon("2026-06-20")).unwrap(), start);
        let tags: Vec<Entry<CareTag>> = store.list_any(None, 9).unwrap().entries;
        prop_assert_eq!(tags.len(), 1);
    }
}

#[test]
fn who_moves_in_after_others_moved_away_begins_anew() {
    let mut store = store(1);
    let home = home(&mut store, "101", "2010-01-01", "2026-01-15");
    let moved = VisitInput::plain(home.door, VisitResult::Moved, VisitPurpose::Routine);
    assert_eq!(store.record_visit(&moved, noon("2026-03-01")).unwrap().next, None);
    let now = noon("2026-06-01");
    let next = store.create(&resident("虚构丙", "19900000003"), now).unwrap();
    let mut all = Fields::new();
    all.insert("resident".into(), Value::from(next));
    all.insert("dwelling".into(), Value::from(home.door));
    store.create(&Residency::from_fields(&all).unwrap(), now).unwrap();
    let due = store.visits_due(now).unwrap();
    assert_eq!((due[0].target, due[0].due.day), (home.door, day("2026-12-01")));
    assert_eq!(store.visits_due_of(home.door, now).unwrap(), due);
}

fn lives(store: &mut Store, person: RecordId, door: RecordId, from: &str, secondary: bool) -> RecordId {
    let mut all = Fields::from([("from".to_owned(), Value::from(from))]);
    all.insert("resident".into(), Value::from(person));
    all.insert("dwelling".into(), Value::from(door));
    if secondary {
        all.insert("secondary".into(), Value::Flag(true));
    }
    store.create(&Residency::from_fields(&all).unwrap(), noon("2026-01-15")).unwrap()
}

#[test]
fn whoever_lives_behind_a_door_by_the_doors_rule_is_visited_there() {
    let mut store = store(1);
    let first = home(&mut store, "101", "2010-01-01", "2026-01-15");
    let second = home(&mut store, "102", "2012-01-01", "2026-01-15");
    let now = noon("2026-06-20");
    let doors = |store: &Store| -> BTreeSet<RecordId> {
        let due = store.visits_due(now).unwrap();
        due.into_iter().filter(|due| due.kind == Kind::Dwelling).map(|due| due.target).collect()
    };
    assert_eq!(doors(&store), BTreeSet::from([first.door, second.door]));
    // Moved to the second door, by a phone that did not end the first residency: the board shows nobody there.
    lives(&mut store, first.person, second.door, "2026-02-01", false);
    assert_eq!(doors(&store), BTreeSet::from([second.door]));
    assert_eq!(store.visits_due_of(first.door, now).unwrap(), []);
    // Entered twice: one person, whichever record a tag or a visit names.
    let twin = store.create(&resident("虚构甲", "19900000001"), now).unwrap();
    lives(&mut store, twin, second.door, "2026-02-01", false);
    store.merge_people(twin, first.person, now).unwrap();
    store.add_care_tag(&tag(twin), now).unwrap();
    let care = store.visits_due_of(twin, now).unwrap();
    assert_eq!((care[0].target, care[0].door), (first.person, Some(second.door)));
    assert_eq!(store.visits_due_of(first.person, now).unwrap(), care);
    assert!(store.visits_due(now).unwrap().contains(&care[0]));
    let next = store.record_visit(&met(twin), now).unwrap().next.unwrap();
    assert_eq!((next.target, next.due.day), (first.person, day("2026-07-20")));
    // Who died is not waited for, though nobody ended the residency.
    for person in [first.person, second.person] {
        let died = Fields::from([("died_on".to_owned(), Value::from("2026-06-01"))]);
        store.edit(person, &died, now).unwrap();
    }
    assert_eq!(store.visits_due(now).unwrap(), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Whatever is recorded: a door is visited exactly if the board shows people behind it.
    #[test]
    fn visits_and_the_board_agree_on_who_lives_where(
        stays in proptest::collection::vec((0usize..5, 0usize..4, 1i8..20, any::<bool>()), 1..12),
        merges in proptest::collection::vec((0usize..5, 0usize..5), 0..4),
        dead in proptest::collection::vec(0usize..5, 0..2),
        removed in proptest::option::of(0usize..5),
    ) {
        let mut store = store(1);
        let (then, now) = (noon("2026-01-15"), noon("2026-06-20"));
        let doors: Vec<RecordId> = (101..105)
            .map(|room| store.create(&dwelling("1", &room.to_string()), then).unwrap())
            .collect();
        let people: Vec<RecordId> = (0..5)
            .map(|n| store.create(&resident(&format!("虚构{n}"), "19900000001"), then).unwrap())
            .collect();
        for (person, door, from, secondary) in stays {
            lives(&mut store, people[person], doors[door], &format!("2026-02-{from:02}"), secondary);
        }
        for (from, to) in merges {
            let into = Fields::from([("merged_into".to_owned(), Value::from(people[to]))]);
            store.edit(people[from], &into, then).unwrap();
        }
        for person in dead {
            let died = Fields::from([("died_on".to_owned(), Value::from("2026-03-01"))]);
            store.edit(people[person], &died, then).unwrap();
        }
        if let Some(person) = removed {
            store.remove(people[person], then).unwrap();
        }
        let due = store.visits_due(now).unwrap();
        for door in doors {
            let of_one = store.visits_due_of(door, now).unwrap();
            let of_all: Vec<VisitDue> = due.iter().filter(|due| due.target == door).cloned().collect();
            prop_assert_eq!(&of_one, &of_all);
            prop_assert_eq!(of_one.len(), usize::from(store.door(door, now).unwrap().door.people > 0));
        }
    }
}

#[test]
fn a_form_that_asks_more_than_a_visit_can_is_not_shown_by_half() {
    let mut store = store(1);
    let target = RecordId::from_bytes([0x71; 16]);
    let mut publish = |n: u8, version: i64, kind: &str| {
        let json = format!(
            r#"{{"code": "household_visit", "version": {version}, "name": {{"zh": "虚构走访表"}}, "remedy_days": 7,
                "items": [{{"id": "stove", "text": {{"zh": "灶具"}}, "kind": "{kind}", "severity": "low"}}]}}"#
        );
        let fields = file::read(&json).unwrap().to_record().to_fields();
        let (id, actor) = (RecordId::from_bytes([n; 16]), Actor::new(device(200), [n; 4]));
        let (document, change) =
            Document::create(id, Kind::Checklist, &fields, actor, noon("2026-01-01")).unwrap();
        store
            .write(Commit::Apply, |tx| {
                tx.put_record(id, Kind::Checklist.tag(), None, &document, Body::Snapshot(&change.raw))
            })
            .unwrap();
        store.visit_form(target, &VisitPurpose::Routine).unwrap().name()
    };
    assert_eq!(publish(1, 2, "text"), "household_visit@1", "the starter still");
    assert_eq!(publish(2, 3, "pass_fail"), "household_visit@3");
    assert_eq!(publish(3, 4, "number"), "household_visit@3");
}
