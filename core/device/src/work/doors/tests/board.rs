//! The board of a building.

use gridwalk_model::doors::DoorState;
use gridwalk_model::time::DAY_MS;

use super::*;
use crate::testkit::store;

#[test]
fn a_building_is_shown_by_floors_from_the_top() {
    let mut store = store(1);
    let doors: Vec<RecordId> =
        ["101", "102", "201", "1001", "门卫"].iter().map(|room| home(&mut store, room)).collect();
    store.create(&dwelling("12号楼", "101"), at(0)).unwrap();
    settle(&mut store, doors[0], "张三", 1);
    done(&mut store, doors[2], DoorAct::Vacant { on: None }, 2);
    let buildings = store.buildings().unwrap();
    let told: Vec<_> = buildings.iter().map(|b| (b.building.as_str(), b.doors)).collect();
    assert_eq!(told, [("3号楼", 5), ("12号楼", 1)]);
    let board = store.board("阳光里", "3号楼", at(3)).unwrap();
    let floors: Vec<_> = board.floors.iter().map(|floor| (floor.floor, floor.doors.len())).collect();
    assert_eq!(floors, [(Some(10), 1), (Some(2), 1), (Some(1), 2), (None, 1)]);
    let first = &board.floors[2].doors;
    assert_eq!((first[0].room.as_deref(), first[1].room.as_deref()), (Some("101"), Some("102")));
    assert_eq!((first[0].state, first[0].people, first[0].due), (DoorState::LivedIn, 1, false));
    assert!(first[0].waiting && first[1].due && first[1].confirmed_at.is_none());
    assert_eq!(board.states[&DoorState::Vacant], 1);
    assert_eq!(board.states[&DoorState::Unrecorded], 3);
    assert_eq!(board.due, 3);
    let half_a_year = 181 * DAY_MS;
    assert_eq!(store.board("阳光里", "3号楼", at(half_a_year)).unwrap().due, 5);
    assert_eq!(store.board("阳光里", "4号楼", at(3)).unwrap().floors, []);
}

#[test]
fn rules_are_data() {
    let mut store = store(1);
    let rules = gridwalk_model::doors::DoorRules { verify_days: 1, ..Default::default() };
    store.set_door_rules(&rules.to_json()).unwrap();
    assert_eq!(store.door_rules().unwrap(), rules);
    assert!(matches!(problem(store.set_door_rules("{}")), DoorProblem::Rules(_)));
    let door = home(&mut store, "101");
    done(&mut store, door, DoorAct::NoChange, 0);
    assert!(!store.door(door, at(1)).unwrap().door.due);
    assert!(store.door(door, at(86_400_001)).unwrap().door.due);
}
