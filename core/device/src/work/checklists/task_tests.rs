//! Tasks that inspections fulfil and make.

use gridwalk_model::due::{DueKind, DueSource};
use gridwalk_model::field_rules::FieldRules;
use gridwalk_model::records::Task;
use gridwalk_model::records::base_verification::VerificationMethod;
use gridwalk_model::records::task::TaskState;
use gridwalk_model::time::HOUR_MS;
use gridwalk_model::{Record, RecordId, Value};

use super::tests::{CHECKLIST, DAY_MS, World, go_on, photo, recheck, world};
use super::*;
use crate::error::DeviceError;
use crate::store::{Commit, Faults, Store};
use crate::sync::tests::Phone;
use crate::sync::{Engine, EngineConfig};
use crate::testkit::{GRID, at};
use crate::work::doors::{AtDoor, DoorAct};
use crate::work::today::DueGroup;

#[test]
fn a_substitute_finds_the_recheck_on_their_list() {
    let World { mut server, mut phone, place } = world(Faults::none());
    let order = go_on(&mut phone.store, place, &photo(), at(20)).unwrap();
    phone.sync(&mut server, at(21));
    let substitute = RecordId::from_bytes([81; 16]);
    let store = crate::testkit::store_of(2, substitute, Faults::none());
    let mut other = Phone { store, engine: Engine::new(EngineConfig::default()) };
    other.sync(&mut server, at(22));
    other.sync(&mut server, at(23));
    let today = other.store.today(at(3 * DAY_MS), None, 9).unwrap();
    let shown: Vec<_> = today.items.iter().map(|item| (item.kind, item.target, item.group)).collect();
    assert!(shown.contains(&(DueKind::Recheck, place, DueGroup::Overdue)), "{shown:?}");
    let open = other.store.open_orders(at(24)).unwrap().remove(0);
    assert_eq!(open.order.inspection, order.id);
    recheck(&mut other.store, open.id, &[], at(3 * DAY_MS));
    let left = other.store.today(at(3 * DAY_MS), None, 9).unwrap();
    assert!(left.items.iter().all(|item| item.kind != DueKind::Recheck), "settled by the substitute");
}

#[test]
fn an_order_whose_recheck_was_called_off_stands_on_the_list_itself_and_follows_the_local_day() {
    let World { phone, place, .. } = world(Faults::none());
    let mut store = phone.store;
    let inspection = go_on(&mut store, place, &photo(), at(20)).unwrap().id;
    let open = store.open_orders(at(20)).unwrap().remove(0);
    let rechecks = |store: &Store| {
        let items = store.today(at(9 * DAY_MS), None, 9).unwrap().items.into_iter();
        let rechecks = items.filter(|item| item.kind == DueKind::Recheck);
        rechecks.map(|item| (item.source, item.target, item.due)).collect::<Vec<_>>()
    };
    let [(DueSource::Task, target, _)] = rechecks(&store)[..] else { panic!("{:?}", rechecks(&store)) };
    assert_eq!(target, place);
    let task = open.order.recheck_task.unwrap();
    store.edit(task, &crate::testkit::fields(&[("state", "cancelled")]), at(21)).unwrap();
    let [(DueSource::Order, told, Some(due))] = rechecks(&store)[..] else {
        panic!("{:?}", rechecks(&store))
    };
    assert_eq!(told, inspection);
    let rules = store.field_rules().unwrap();
    assert_eq!(Some(due), rules.local().end_of(open.order.deadline));
    let west = FieldRules { utc_offset_minutes: rules.utc_offset_minutes - 60, ..rules };
    store.write(Commit::Setting, |tx| tx.put_field_rules(&west)).unwrap();
    let later = due.plus_millis(HOUR_MS);
    assert_eq!(rechecks(&store), [(DueSource::Order, inspection, Some(later))], "the day ends an hour later");
    recheck(&mut store, open.id, &[], at(30));
    assert_eq!(rechecks(&store), []);
}

#[test]
fn a_task_is_fulfilled_by_what_it_asks_for_and_once() {
    let World { phone, place, .. } = world(Faults::none());
    let mut store = phone.store;
    let task = |store: &mut Store, kind: &str, target: RecordId| {
        let mut all = crate::testkit::fields(&[("task_kind", kind)]);
        all.extend([("area".into(), Value::from(GRID)), ("target".into(), Value::from(target))]);
        store.create(&Task::from_fields(&all).unwrap(), at(3)).unwrap()
    };
    let visit = task(&mut store, "visit", place);
    let elsewhere = task(&mut store, "inspection", RecordId::from_bytes([82; 16]));
    for wrong in [visit, elsewhere] {
        let begun = store.begin_inspection(place, CHECKLIST, Some(wrong), at(10));
        assert!(matches!(begun, Err(DeviceError::Checklist(ChecklistError::WrongTask { .. }))), "{begun:?}");
    }
    let right = task(&mut store, "inspection", place);
    store.begin_inspection(place, CHECKLIST, Some(right), at(10)).unwrap();
    // Meanwhile somebody in the office calls it off.
    store.edit(right, &crate::testkit::fields(&[("state", "cancelled")]), at(11)).unwrap();
    let done = go_on(&mut store, place, &photo(), at(20)).unwrap();
    let state = |store: &Store| store.get::<Task>(right).unwrap().unwrap().record;
    assert_eq!((state(&store).state, state(&store).result), (Some(TaskState::Cancelled), None));
    store.reopen_inspection(done.id, at(21)).unwrap();
    assert_eq!(state(&store).state, Some(TaskState::Cancelled), "taking back opens only what it had settled");
}

#[test]
fn a_verification_at_the_door_and_an_act_fulfil_their_tasks_and_undo_opens_them() {
    let mut store = crate::testkit::store(1);
    let door = store.create(&crate::testkit::dwelling("1", "101"), at(1)).unwrap();
    let next = store.create(&crate::testkit::dwelling("1", "102"), at(1)).unwrap();
    let task = |store: &mut Store, kind: &str, target: RecordId| {
        let mut all = crate::testkit::fields(&[("task_kind", kind)]);
        all.extend([("area".into(), Value::from(GRID)), ("target".into(), Value::from(target))]);
        store.create(&Task::from_fields(&all).unwrap(), at(2)).unwrap()
    };
    let state = |store: &Store, task: RecordId| {
        let task = store.get::<Task>(task).unwrap().unwrap().record;
        (task.state.unwrap_or(TaskState::Open), task.result)
    };
    let (asked, beside) = (task(&mut store, "verification", door), task(&mut store, "verification", next));
    store.at_door(&AtDoor::in_person(door), &DoorAct::NobodyHome, at(3)).unwrap();
    assert_eq!(state(&store, asked), (TaskState::Open, None), "nobody opened");
    let done = store.confirm_floor(&[door], &VerificationMethod::InPerson, None, at(4)).unwrap();
    assert_eq!(state(&store, asked).0, TaskState::Done);
    assert_eq!(state(&store, beside).0, TaskState::Open);
    store.undo_door(done.operation.unwrap(), at(5)).unwrap();
    assert_eq!(state(&store, asked), (TaskState::Open, None));

    let (meeting, visit) = (task(&mut store, "attendance", door), task(&mut store, "visit", door));
    store.finish_task(meeting, at(6)).unwrap();
    assert_eq!(state(&store, meeting), (TaskState::Done, None));
    assert!(matches!(store.finish_task(meeting, at(7)), Err(DeviceError::Checklist(_))), "once");
    assert!(matches!(store.finish_task(visit, at(7)), Err(DeviceError::Checklist(_))), "by visiting");
    store.reopen_task(meeting, at(8)).unwrap();
    assert_eq!(state(&store, meeting), (TaskState::Open, None));
}
