//! Whole floors at once.

use gridwalk_model::doors::TooFast;
use gridwalk_model::geo::{Position, PositionSource};
use gridwalk_model::records::FieldValue;
use gridwalk_model::records::base_verification::VerificationMethod;

use super::*;
use crate::store::Store;
use crate::testkit::{dwelling, store};
use crate::work::doors::{FloorConfirmed, LeftOut};

const MINUTE: i64 = 60_000;

fn confirm(store: &mut Store, doors: &[RecordId], now: i64) -> Result<FloorConfirmed, DeviceError> {
    store.confirm_floor(doors, &VerificationMethod::InPerson, None, at(now))
}

fn stands(store: &mut Store, door: RecordId, lat: f64) {
    let position = Position::wgs84(lat, 118.3, None, PositionSource::Imported).unwrap();
    store.edit(door, &Fields::from([("position".to_owned(), position.to_value())]), at(0)).unwrap();
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
    stands(&mut store, here, 36.80);
    stands(&mut store, there, 36.81);
    confirm(&mut store, &[here], 0).unwrap();
    assert!(matches!(problem(confirm(&mut store, &[there], MINUTE)), DoorProblem::TooFast(_)));
    confirm(&mut store, &[there], 5 * MINUTE).unwrap();
}

#[test]
fn the_first_tap_of_a_day_stands_for_doors_that_lie_together() {
    let mut store = store(1);
    let (here, there) = (home(&mut store, "101"), home(&mut store, "102"));
    stands(&mut store, here, 36.80);
    stands(&mut store, there, 36.81);
    let before = snapshot(&store);
    let apart = problem(confirm(&mut store, &[here, there], 0));
    assert!(matches!(apart, DoorProblem::TooFast(TooFast::Apart { metres: 1_100..1_120 })), "{apart:?}");
    assert!(apart.zh().contains("相距") && apart.en().contains("m apart"), "{} {}", apart.zh(), apart.en());
    assert_eq!(snapshot(&store), before);
    let by_phone = store.confirm_floor(&[here, there], &VerificationMethod::Phone, None, at(0)).unwrap();
    assert_eq!(by_phone.confirmed, [here, there], "calls are not walked");
}

/// Two houses of a lane, 20 m from each other.
fn store_of_lane() -> (Store, RecordId, RecordId) {
    let mut store = store(2);
    let houses = ["5号院", "6号院"].map(|house| store.create(&dwelling(house, "1"), at(0)).unwrap());
    stands(&mut store, houses[0], 36.80);
    stands(&mut store, houses[1], 36.8002);
    (store, houses[0], houses[1])
}

#[test]
fn doors_of_two_buildings_are_no_floor() {
    let mut store = store(1);
    let here = home(&mut store, "101");
    let next = store.create(&dwelling("4号楼", "101"), at(0)).unwrap();
    for method in [VerificationMethod::InPerson, VerificationMethod::Records] {
        let both = store.confirm_floor(&[here, next], &method, None, at(1));
        assert_eq!(problem(both), DoorProblem::NotOneBuilding);
    }
    let unnamed = |address: &str| {
        let mut all = crate::testkit::fields(&[("address", address)]);
        all.insert("area".into(), Value::from(crate::testkit::GRID));
        <Dwelling as gridwalk_model::Record>::from_fields(&all).unwrap()
    };
    let houses =
        ["虚构村 1 号", "虚构村 99 号"].map(|address| store.create(&unnamed(address), at(0)).unwrap());
    assert_eq!(
        problem(confirm(&mut store, &houses, 1)),
        DoorProblem::NotOneBuilding,
        "nothing tells that they are near"
    );
    let mut lane = store_of_lane();
    let houses = [lane.1, lane.2];
    assert_eq!(
        confirm(&mut lane.0, &houses, 1).unwrap().confirmed,
        houses,
        "the map tells that they are near"
    );
    confirm(&mut store, &[here], 2).unwrap();
    let rest = confirm(&mut store, &[here, next], 3).unwrap();
    assert_eq!(rest.confirmed, [next], "what is left out counts for nothing");
}
