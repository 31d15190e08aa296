//! Random operations: what they are, and what holds on a phone that nobody interferes with.

use proptest::prelude::*;

use super::*;
use crate::testkit::store;
use gridwalk_model::records::base_verification::VerificationMethod;
use jiff::ToSpan;

/// An operation with numbers for doors and people, which are taken round by round.
#[derive(Clone, Debug)]
pub(super) enum Random {
    Come(usize),
    Move {
        door: usize,
        person: usize,
        secondary: bool,
        days_ago: u8,
    },
    Leave {
        door: usize,
        person: usize,
        days_ago: u8,
    },
    Birth(usize),
    Death {
        door: usize,
        person: usize,
    },
    Split {
        door: usize,
        person: usize,
    },
    Vacant(usize),
    Confirm(usize),
    NobodyHome(usize),
    Occupied(usize),
    LivesHere {
        door: usize,
        person: usize,
    },
    Floor,
    Merge {
        one: usize,
        other: usize,
    },
    Unmerge(usize),
    /// Takes back the operation of that many before.
    Undo(usize),
}

pub(super) fn random(merges: bool) -> impl Strategy<Value = Random> {
    let door = || 0usize..4;
    let person = || 0usize..12;
    // Where there is to be no merging, nobody opens.
    let merging = move |what: Random| if merges { what } else { Random::NobodyHome(0) };
    prop_oneof![
        3 => door().prop_map(Random::Come),
        6 => (door(), person(), prop::bool::weighted(0.2), 0u8..4).prop_map(
            |(door, person, secondary, days_ago)| Random::Move { door, person, secondary, days_ago }
        ),
        4 => (door(), person(), 0u8..4)
            .prop_map(|(door, person, days_ago)| Random::Leave { door, person, days_ago }),
        1 => door().prop_map(Random::Birth),
        2 => (door(), person()).prop_map(|(door, person)| Random::Death { door, person }),
        2 => (door(), person()).prop_map(|(door, person)| Random::Split { door, person }),
        3 => door().prop_map(Random::Vacant),
        1 => door().prop_map(Random::Confirm),
        1 => door().prop_map(Random::NobodyHome),
        1 => door().prop_map(Random::Occupied),
        2 => (door(), person()).prop_map(|(door, person)| Random::LivesHere { door, person }),
        1 => Just(Random::Floor),
        2 => (person(), person()).prop_map(move |(one, other)| merging(Random::Merge { one, other })),
        1 => person().prop_map(move |n| merging(Random::Unmerge(n))),
        5 => (0usize..4).prop_map(Random::Undo),
    ]
}

/// Does it. What is refused with a reason is no failure; anything else is.
pub(super) fn perform(store: &mut Store, doors: &[RecordId], what: &Random, now: i64) -> Option<i64> {
    let people: Vec<RecordId> = all::<Resident>(store).into_iter().map(|(id, _)| id).collect();
    let person = |n: usize| people.get(n % people.len().max(1)).copied().unwrap_or(doors[0]);
    let ago = |days: u8| today().checked_sub(i64::from(days).days()).ok();
    let inhabitant = |store: &Store, door: usize, n: usize| {
        let inside = store.door(doors[door], at(now)).unwrap();
        let mut inside: Vec<RecordId> = inside
            .people
            .iter()
            .map(|one| one.person)
            .chain(inside.doubtful.iter().map(|one| one.person))
            .collect();
        inside.dedup();
        inside.get(n % inside.len().max(1)).copied().unwrap_or_else(|| person(n))
    };
    let (door, what) = match what.clone() {
        Random::Come(door) => (door, newcomer(&format!("虚构{}", people.len()))),
        Random::Move { door, person: n, secondary, days_ago } => {
            let people = vec![Newcomer { secondary, ..Newcomer::known(person(n)) }];
            (door, DoorAct::MoveIn { people, household: InHousehold::None, from: ago(days_ago) })
        }
        Random::Leave { door, person, days_ago } => {
            let people = vec![inhabitant(store, door, person)];
            (door, DoorAct::MoveOut { people, on: ago(days_ago) })
        }
        Random::Birth(door) => {
            let child = NewPerson { birth_date: Some(today()), ..NewPerson::named("虚构新生儿") };
            (door, DoorAct::Birth { child, household: None })
        }
        Random::Death { door, person } => {
            (door, DoorAct::Death { person: inhabitant(store, door, person), on: None })
        }
        Random::Split { door, person } => {
            let member = inhabitant(store, door, person);
            (door, DoorAct::Split { household: None, members: vec![member], head: Some(member) })
        }
        Random::Vacant(door) => (door, DoorAct::Vacant { on: None }),
        Random::Confirm(door) => (door, DoorAct::NoChange),
        Random::NobodyHome(door) => (door, DoorAct::NobodyHome),
        Random::Occupied(door) => (door, DoorAct::Occupied),
        Random::LivesHere { door, person } => {
            (door, DoorAct::LivesHere { person: inhabitant(store, door, person) })
        }
        Random::Floor => {
            let done = store.confirm_floor(doors, &VerificationMethod::Records, None, at(now)).unwrap();
            return done.operation;
        }
        Random::Merge { one, other } => {
            return tried(store.merge_people(person(one), person(other), at(now)));
        }
        Random::Unmerge(n) => return tried(store.unmerge_person(person(n), at(now))),
        Random::Undo(back) => {
            let operations = store.door_operations(None, back + 1, at(now)).unwrap();
            if let Some(operation) = operations.get(back) {
                tried(store.undo_door(operation.n, at(now)));
            }
            return None;
        }
    };
    tried(act(store, doors[door], what, now)).map(|done| done.operation)
}

fn tried<T>(outcome: Result<T, DeviceError>) -> Option<T> {
    match outcome {
        Ok(value) => Some(value),
        // Somebody who is no resident, or a death before the birth.
        Err(DeviceError::Door(_) | DeviceError::Invalid { .. } | DeviceError::UnknownRecord { .. }) => None,
        Err(DeviceError::WrongKind { .. }) => None,
        Err(other) => panic!("{other:?}"),
    }
}

pub(super) fn doors_of(store: &mut Store) -> Vec<RecordId> {
    ["101", "102", "201", "202"].iter().map(|room| home(store, room)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// The records themselves stay in order, taking back in any order included, and each operation leaves its
    /// verification.
    #[test]
    fn nobody_is_in_two_homes_and_no_ghost_stays(steps in prop::collection::vec(random(false), 1..40)) {
        let mut store = store(1);
        let doors = doors_of(&mut store);
        for (n, step) in steps.iter().enumerate() {
            let now = n as i64 + 1;
            let verified = all::<gridwalk_model::records::BaseVerification>(&store).len();
            let done = perform(&mut store, &doors, step, now);
            check_stored(&store);
            check_shown(&store, at(now));
            let after = all::<gridwalk_model::records::BaseVerification>(&store).len();
            prop_assert!(done.is_none() || after > verified, "{step:?} left no verification");
        }
    }

    /// Whoever takes back what they did last, step by step, comes back to every state before: merges included.
    #[test]
    fn undoing_restores(steps in prop::collection::vec(random(true), 1..25), keep in 0usize..5) {
        let mut store = store(1);
        let doors = doors_of(&mut store);
        let mut before = Vec::new();
        for (n, step) in steps.iter().enumerate().filter(|(_, step)| !matches!(step, Random::Undo(_))) {
            let stood = snapshot(&store);
            match perform(&mut store, &doors, step, n as i64 + 1) {
                Some(operation) => before.push((operation, stood)),
                None => prop_assert_eq!(snapshot(&store), stood, "what is refused writes nothing"),
            }
            check_shown(&store, at(n as i64 + 1));
        }
        while before.len() > keep {
            let (operation, stood) = before.pop().unwrap();
            store.undo_door(operation, at(1_000)).unwrap();
            prop_assert_eq!(snapshot(&store), stood);
        }
        check_shown(&store, at(1_000));
    }
}
