//! Taking back.

use super::*;
use crate::store::{Commit, Faults, Side};
use crate::testkit::{fields, store, store_with};
use gridwalk_model::time::DAY_MS;

#[test]
fn a_move_is_taken_back_as_a_whole() {
    let mut store = store(1);
    let (old, new) = (home(&mut store, "101"), home(&mut store, "102"));
    let person = settle(&mut store, old, "张三", 1);
    let before = snapshot(&store);
    let moved = done(&mut store, new, moves_in(person), 2);
    let listed = store.door_operations(Some(new), 9, at(3)).unwrap();
    assert_eq!((listed.len(), listed[0].n, listed[0].act.as_str()), (1, moved.operation, "move_in"));
    store.undo_door(moved.operation, at(3)).unwrap();
    assert_eq!(snapshot(&store), before);
    assert_eq!(
        problem(store.undo_door(moved.operation, at(4))),
        DoorProblem::NoOperation { n: moved.operation }
    );
    assert_eq!(store.door_operations(Some(new), 9, at(4)).unwrap(), []);
}

#[test]
fn what_was_built_upon_is_not_taken_back() {
    let mut store = store(1);
    let (old, new) = (home(&mut store, "101"), home(&mut store, "102"));
    let came = done(&mut store, old, newcomer("张三"), 1);
    let person = came.people[0];
    let moved = done(&mut store, new, moves_in(person), 2);
    assert!(matches!(problem(store.undo_door(came.operation, at(3))), DoorProblem::ChangedSince { .. }));
    let gone = done(&mut store, old, DoorAct::Vacant { on: None }, 4);
    assert_eq!(problem(store.undo_door(moved.operation, at(5))), DoorProblem::LaterOperation);
    store.undo_door(gone.operation, at(6)).unwrap();
    store.undo_door(moved.operation, at(7)).unwrap();
    let tag = fields(&[
        ("need", "aged_80"),
        ("service", "送餐"),
        ("purpose", "照顾"),
        ("from", "2023-11-15"),
        ("until", "2024-01-01"),
    ]);
    let mut tag = tag;
    tag.insert("resident".into(), Value::from(person));
    tag.insert("approver".into(), Value::from(crate::testkit::USER));
    let tag = store.edits(at(8), |edits| edits.create_fields(Kind::CareTag, &tag)).unwrap();
    assert_eq!(
        problem(store.undo_door(came.operation, at(9))),
        DoorProblem::UsedSince { record: person, by: tag }
    );
    store.remove(tag, at(10)).unwrap();
    store.edit(person, &fields(&[("phone", "19900007832")]), at(11)).unwrap();
    assert!(matches!(problem(store.undo_door(came.operation, at(12))), DoorProblem::ChangedSince { .. }));
    assert_eq!(names(&store, old, at(13)), ["张三"]);
}

#[test]
fn settling_can_be_taken_back_too() {
    let mut store = store(1);
    let door = home(&mut store, "101");
    settle(&mut store, door, "张三", 1);
    store.edit(door, &fields(&[("occupancy", "vacant")]), at(2)).unwrap();
    assert_eq!(
        problem(act(&mut store, door, DoorAct::NoChange, 3)),
        DoorProblem::Disputed { dwelling: door }
    );
    let before = snapshot(&store);
    let settled = done(&mut store, door, DoorAct::Occupied, 4);
    done(&mut store, door, DoorAct::NoChange, 5);
    store.undo_door(settled.operation + 1, at(6)).unwrap();
    store.undo_door(settled.operation, at(7)).unwrap();
    assert_eq!(snapshot(&store), before);
}

#[test]
fn the_time_for_it_ends() {
    let mut store = store(1);
    let door = home(&mut store, "101");
    let n = done(&mut store, door, DoorAct::NoChange, 0).operation;
    let week = 7 * DAY_MS;
    assert_eq!(store.door_operations(None, 9, at(week)).unwrap().len(), 1);
    assert_eq!(store.door_operations(None, 9, at(week + 1)).unwrap().len(), 0);
    assert_eq!(problem(store.undo_door(n, at(week + 1))), DoorProblem::NoOperation { n });
    done(&mut store, door, DoorAct::NoChange, week + 1);
    assert_eq!(problem(store.undo_door(n, at(0))), DoorProblem::NoOperation { n }, "and it is forgotten");
}

/// Whatever moment the phone dies at: all of an operation is there, or nothing, and with it the way back.
#[test]
fn a_kill_leaves_all_or_nothing() {
    for side in [Side::Before, Side::After] {
        let faults = Faults::scripted();
        let mut store = store_with(1, faults.clone());
        let (old, new) = (home(&mut store, "101"), home(&mut store, "102"));
        let person = settle(&mut store, old, "张三", 1);
        let before = snapshot(&store);
        faults.fail(Some(Commit::Edit), side, 0);
        assert!(matches!(act(&mut store, new, moves_in(person), 2), Err(DeviceError::Injected)));
        let mut store = store.reopened().unwrap();
        let operations = store.door_operations(Some(new), 9, at(3)).unwrap();
        assert_eq!(operations.len(), usize::from(side == Side::After));
        assert_eq!(snapshot(&store) == before, side == Side::Before);
        if let Some(operation) = operations.first() {
            store.undo_door(operation.n, at(4)).unwrap();
        }
        assert_eq!(snapshot(&store), before);
    }
}
