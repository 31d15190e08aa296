//! Tests of doors. All people are made up.

mod acts;
mod board;
mod facade;
mod floors;
mod people;
mod random;
mod two_phones;
mod undoing;

use gridwalk_model::records::dwelling::Occupancy;
use gridwalk_model::records::{Dwelling, Residency, Resident};
use gridwalk_model::schema::REMOVED_KEY;
use gridwalk_model::{Fields, Kind, RecordId, Timestamp, Value};
use jiff::civil::Date;

use super::{AtDoor, DoorAct, DoorDone, DoorProblem, InHousehold, NewPerson, Newcomer};
use crate::DeviceError;
use crate::store::Store;
use crate::testkit::{at, dwelling};

/// The local day of [`at`].
fn today() -> Date {
    gridwalk_model::field_rules::FieldRules::default().local().day_of(at(0)).unwrap()
}

fn home(store: &mut Store, room: &str) -> RecordId {
    store.create(&dwelling("3号楼", room), at(0)).unwrap()
}

fn act(store: &mut Store, door: RecordId, act: DoorAct, now: i64) -> Result<DoorDone, DeviceError> {
    store.at_door(&AtDoor::in_person(door), &act, at(now))
}

fn done(store: &mut Store, door: RecordId, what: DoorAct, now: i64) -> DoorDone {
    act(store, door, what, now).unwrap()
}

fn problem<T: std::fmt::Debug>(outcome: Result<T, DeviceError>) -> DoorProblem {
    match outcome {
        Err(DeviceError::Door(problem)) => problem,
        other => panic!("{other:?}"),
    }
}

fn move_in(people: Vec<Newcomer>) -> DoorAct {
    DoorAct::MoveIn { people, household: InHousehold::None, from: None }
}

fn newcomer(name: &str) -> DoorAct {
    move_in(vec![Newcomer::unknown(NewPerson::named(name))])
}

fn moves_in(person: RecordId) -> DoorAct {
    move_in(vec![Newcomer::known(person)])
}

fn move_out(person: RecordId) -> DoorAct {
    DoorAct::MoveOut { people: vec![person], on: None }
}

fn settle(store: &mut Store, door: RecordId, name: &str, now: i64) -> RecordId {
    done(store, door, newcomer(name), now).people[0]
}

fn names(store: &Store, door: RecordId, now: Timestamp) -> Vec<String> {
    store.door(door, now).unwrap().people.into_iter().map(|one| one.name.unwrap()).collect()
}

/// Every record that is shown, without what is empty: what undoing restores.
fn snapshot(store: &Store) -> Vec<(RecordId, Fields)> {
    let mut out = Vec::new();
    for kind in Kind::ALL {
        for row in store.view().list_kind(kind.tag(), None, usize::MAX).unwrap() {
            let mut fields = row.fields;
            fields.retain(|key, value| {
                !(value.is_null() || key == REMOVED_KEY && *value == Value::Flag(false))
            });
            out.push((row.id, fields));
        }
    }
    out.sort_by_key(|(id, _)| *id);
    out
}

fn all<T: gridwalk_model::Record>(store: &Store) -> Vec<(RecordId, T)> {
    let page = store.list::<T>(None, usize::MAX).unwrap();
    let mut out: Vec<_> = page.entries.into_iter().map(|entry| (entry.id, entry.record)).collect();
    out.sort_by_key(|(id, _)| *id);
    out
}

/// What holds of the records themselves wherever no other phone interferes: nobody has two main homes, the dead have
/// none, nobody is left in an empty dwelling.
fn check_stored(store: &Store) {
    let day = today();
    let residencies = all::<Residency>(store);
    let current: Vec<&Residency> =
        residencies.iter().map(|(_, record)| record).filter(|record| record.is_current(day)).collect();
    let persons: Vec<RecordId> = all::<Resident>(store)
        .into_iter()
        .map(|(id, _)| store.person(id, at(0)).unwrap().unwrap().id)
        .collect();
    for person in &persons {
        let found = store.person(*person, at(0)).unwrap().unwrap();
        let of_person =
            |record: &&&Residency| record.resident == found.id || found.merged.contains(&record.resident);
        let mut homes: Vec<RecordId> = current
            .iter()
            .filter(of_person)
            .filter(|record| record.secondary != Some(true))
            .map(|record| record.dwelling)
            .collect();
        homes.sort_unstable();
        homes.dedup();
        assert!(homes.len() <= 1, "{person} has {} main homes", homes.len());
        assert!(found.resident.died_on.is_none_or(|died| died > day) || homes.is_empty(), "{person} is dead");
    }
    for record in &current {
        assert!(all::<Resident>(store).iter().any(|(id, _)| *id == record.resident), "a ghost");
    }
    for (id, dwelling) in all::<Dwelling>(store) {
        let ghosts = current.iter().filter(|record| record.dwelling == id).count();
        assert!(dwelling.occupancy != Some(Occupancy::Vacant) || ghosts == 0, "{ghosts} ghosts in {id}");
    }
}

/// What is shown holds on every phone at any time, whatever others did.
fn check_shown(store: &Store, now: Timestamp) {
    use gridwalk_model::doors::{DoorState, Standing};
    for (id, _) in all::<Resident>(store) {
        let person = store.person(id, now).unwrap().unwrap();
        let main = person.homes.iter().filter(|home| home.standing == Standing::Main).count();
        assert!(main <= 1, "{id} has {main} main homes");
        assert!(person.resident.died_on.is_none_or(|died| died > today()) || main == 0, "{id} is dead");
    }
    for (id, _) in all::<Dwelling>(store) {
        let sheet = store.door(id, now).unwrap();
        assert_eq!(sheet.door.people, sheet.people.len());
        let empty = matches!(sheet.door.state, DoorState::Vacant | DoorState::Unrecorded);
        assert_eq!(empty, sheet.people.is_empty(), "a ghost in {id}");
        let mut people: Vec<RecordId> = sheet.people.iter().map(|one| one.person).collect();
        people.sort_unstable();
        people.dedup();
        assert_eq!(people.len(), sheet.people.len(), "somebody is listed twice in {id}");
        for one in &sheet.people {
            let person = store.person(one.person, now).unwrap().expect("a ghost");
            let here = person.homes.iter().find(|home| home.residency == one.residency).unwrap();
            assert!(matches!(here.standing, Standing::Main | Standing::Secondary));
        }
    }
}
