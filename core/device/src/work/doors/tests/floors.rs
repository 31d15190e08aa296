//! Whole floors at once.

use gridwalk_model::geo::{Position, PositionSource};
use gridwalk_model::records::FieldValue;
use gridwalk_model::records::base_verification::VerificationMethod;

use super::*;
use crate::testkit::store;
use crate::work::doors::{FloorConfirmed, LeftOut};

const MINUTE: i64 = 60_000;

fn confirm(store: &mut Store, doors: &[RecordId], now: i64) -> Result<FloorConfirmed, DeviceError> {
    store.confirm_floor(doors, &VerificationMethod::InPerson, None, at(now))
}

#[test]
fn a_floor_is_confirmed_at_once_and_undone_at_once() {
    let mut store = store(1);
    let doors: Vec<RecordId> = (1..=12).map(|n| home(&mut store, &format!("5{n:02}"))).collect();
    let before = snapshot(&store);
    let mut asked = doors.clone();
    asked.extend([doors[0], RecordId::from_bytes([9; 16])]);
    let floor = confirm(&mut store, &asked, 1).unwrap();
    assert_eq!(floor.confirmed, doors);
    assert_eq!(floor.left_out, [(RecordId::from_bytes([9; 16]), LeftOut::NotHere)]);
    assert!(doors.iter().all(|door| store.door(*door, at(2)).unwrap().door.confirmed_at == Some(at(1))));
    let again = confirm(&mut store, &doors[..2], 2).unwrap();
    assert_eq!((again.operation, again.confirmed.len()), (None, 0));
    assert!(again.left_out.iter().all(|(_, reason)| *reason == LeftOut::ConfirmedToday));
    store.undo_door(floor.operation.unwrap(), at(3)).unwrap();
    assert_eq!(snapshot(&store), before);
}

#[test]
fn nobody_walks_a_tower_in_a_minute() {
    let mut store = store(1);
    let doors: Vec<RecordId> =
        (0..60).map(|n| home(&mut store, &format!("{}{:02}", n / 10 + 1, n % 10))).collect();
    assert!(matches!(problem(confirm(&mut store, &doors, 0)), DoorProblem::TooFast(_)));
    confirm(&mut store, &doors[..20], 0).unwrap();
    let before = snapshot(&store);
    let DoorProblem::TooFast(too_fast) = problem(confirm(&mut store, &doors[20..40], MINUTE)) else {
        panic!()
    };
    assert_eq!(too_fast.wait_seconds(), Some(60));
    assert_eq!(snapshot(&store), before, "nothing of it is kept");
    let by_phone = store.confirm_floor(&doors[20..40], &VerificationMethod::Phone, None, at(MINUTE));
    assert_eq!(by_phone.unwrap().confirmed.len(), 20, "calls are not walked");
    confirm(&mut store, &doors[40..], 2 * MINUTE).unwrap();
    let slower =
        gridwalk_model::doors::DoorRules::default().to_json().replace("\"doors\": 60", "\"doors\": 40");
    store.set_door_rules(&slower).unwrap();
    let one_more = home(&mut store, "701");
    assert!(matches!(problem(confirm(&mut store, &[one_more], 20 * MINUTE)), DoorProblem::TooFast(_)));
    done(&mut store, one_more, DoorAct::NoChange, 20 * MINUTE);
}

#[test]
fn nobody_is_at_two_ends_of_the_grid_at_once() {
    let mut store = store(1);
    let (here, there) = (home(&mut store, "101"), home(&mut store, "102"));
    for (door, lat) in [(here, 36.80), (there, 36.81)] {
        let position = Position::wgs84(lat, 118.3, None, PositionSource::Imported).unwrap();
        store.edit(door, &Fields::from([("position".to_owned(), position.to_value())]), at(0)).unwrap();
    }
    confirm(&mut store, &[here], 0).unwrap();
    assert!(matches!(problem(confirm(&mut store, &[there], MINUTE)), DoorProblem::TooFast(_)));
    confirm(&mut store, &[there], 5 * MINUTE).unwrap();
}
