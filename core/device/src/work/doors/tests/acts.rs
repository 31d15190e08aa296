//! Each operation, one by one.

use gridwalk_model::doors::DoorState;
use gridwalk_model::records::base_verification::DoorOutcome;
use gridwalk_model::records::household::HouseholdKind;
use gridwalk_model::records::residency::Relation;
use gridwalk_model::records::resident::{ResidentKind, Sex};
use gridwalk_model::records::{BaseVerification, Household, ResidentId};
use jiff::ToSpan;

use super::*;
use crate::testkit::{USER, store};
use crate::work::doors::Who;

#[test]
fn a_family_moves_in_with_papers_and_a_household() {
    let mut store = store(1);
    let door = home(&mut store, "501");
    let father = NewPerson {
        number: Some("11010519491231002x".into()),
        kind: Some(ResidentKind::Floating),
        ..NewPerson::named(" 张三 ")
    };
    let people = vec![
        Newcomer { relation: Some(Relation::Head), ..Newcomer::unknown(father) },
        Newcomer { relation: Some(Relation::Spouse), ..Newcomer::unknown(NewPerson::named("李四")) },
        Newcomer { relation: Some(Relation::Child), ..Newcomer::unknown(NewPerson::named("张三")) },
    ];
    let household = InHousehold::New(HouseholdKind::Family);
    let came = done(&mut store, door, DoorAct::MoveIn { people, household, from: None }, 1);
    let sheet = store.door(door, at(2)).unwrap();
    assert_eq!((sheet.door.state, sheet.door.people, sheet.door.provisional), (DoorState::LivedIn, 3, 3));
    let head = sheet.people.iter().find(|one| one.person == came.people[0]).unwrap();
    assert!(head.same_name && head.birth_year == Some(1949) && head.household == came.household);
    assert!(!sheet.people.iter().find(|one| one.name.as_deref() == Some("李四")).unwrap().same_name);
    let made = store.get::<Household>(came.household.unwrap()).unwrap().unwrap().record;
    assert_eq!((made.head, made.dwelling), (Some(came.people[0]), door));
    let resident = store.get::<Resident>(came.people[0]).unwrap().unwrap().record;
    assert_eq!((resident.sex, resident.provisional), (Some(Sex::Female), Some(true)));
    let papers = store.list_linked_any::<ResidentId>("resident", came.people[0]).unwrap();
    assert_eq!(papers[0].record.number, "11010519491231002X");
    let verified = store.get::<BaseVerification>(came.verification).unwrap().unwrap().record;
    assert_eq!((verified.target, verified.outcome, verified.by), (door, DoorOutcome::MoveIn, USER));
    assert_eq!(sheet.door.confirmed_at, Some(at(1)));
    check_stored(&store);
}

#[test]
fn a_bad_number_stops_the_whole_move() {
    let mut store = store(1);
    let door = home(&mut store, "501");
    let before = snapshot(&store);
    let bad = NewPerson { number: Some("110105194912310021".into()), ..NewPerson::named("张三") };
    let people = vec![Newcomer::unknown(NewPerson::named("李四")), Newcomer::unknown(bad)];
    let outcome = act(&mut store, door, move_in(people), 1);
    assert!(matches!(outcome, Err(DeviceError::Invalid { .. })));
    assert_eq!(snapshot(&store), before);
    assert_eq!(store.door_operations(None, 9, at(2)).unwrap(), []);
}

#[test]
fn who_moves_leaves_the_home_before_but_not_a_second_one() {
    let mut store = store(1);
    let (old, new, third) = (home(&mut store, "101"), home(&mut store, "102"), home(&mut store, "103"));
    let person = settle(&mut store, old, "张三", 1);
    done(&mut store, new, moves_in(person), 2);
    assert_eq!(names(&store, old, at(3)), [""; 0]);
    assert_eq!(names(&store, new, at(3)), ["张三"]);
    assert_eq!(store.door(old, at(3)).unwrap().door.state, DoorState::Unrecorded, "who knows");
    let second = Newcomer { secondary: true, ..Newcomer::known(person) };
    done(&mut store, third, move_in(vec![second]), 4);
    assert_eq!(names(&store, new, at(5)), ["张三"]);
    assert!(store.door(third, at(5)).unwrap().people[0].secondary);
    assert!(matches!(
        problem(act(&mut store, new, moves_in(person), 6)),
        DoorProblem::LivesHereAlready { .. }
    ));
    let twice = move_in(vec![Newcomer::known(person), Newcomer::known(person)]);
    assert!(matches!(problem(act(&mut store, old, twice, 6)), DoorProblem::LivesHereAlready { .. }));
    check_stored(&store);
}

#[test]
fn the_last_one_out_leaves_an_empty_dwelling() {
    let mut store = store(1);
    let door = home(&mut store, "101");
    let (one, two) = (settle(&mut store, door, "张三", 1), settle(&mut store, door, "李四", 2));
    done(&mut store, door, move_out(one), 3);
    assert_eq!(store.door(door, at(4)).unwrap().door.state, DoorState::LivedIn);
    assert!(matches!(problem(act(&mut store, door, move_out(one), 4)), DoorProblem::NotHere { .. }));
    done(&mut store, door, move_out(two), 5);
    assert_eq!(store.door(door, at(6)).unwrap().door.state, DoorState::Vacant);
    check_stored(&store);
}

#[test]
fn a_child_is_born_and_a_head_dies() {
    let mut store = store(1);
    let (door, second) = (home(&mut store, "101"), home(&mut store, "102"));
    let head = Newcomer { relation: Some(Relation::Head), ..Newcomer::unknown(NewPerson::named("张三")) };
    let household = InHousehold::New(HouseholdKind::Family);
    let came = done(&mut store, door, DoorAct::MoveIn { people: vec![head], household, from: None }, 1);
    let nameless = DoorAct::Birth { child: NewPerson::named("张小"), household: came.household };
    assert_eq!(problem(act(&mut store, door, nameless, 2)), DoorProblem::NoBirthDate);
    let child = |day| NewPerson { birth_date: Some(day), ..NewPerson::named("张小") };
    let tomorrow = today().checked_add(1.days()).unwrap();
    let unborn = DoorAct::Birth { child: child(tomorrow), household: None };
    assert_eq!(problem(act(&mut store, door, unborn, 2)), DoorProblem::FutureDay);
    let born = done(&mut store, door, DoorAct::Birth { child: child(today()), household: came.household }, 2);
    let resident = store.get::<Resident>(born.people[0]).unwrap().unwrap().record;
    assert_eq!((resident.provisional, resident.resident_kind), (None, Some(ResidentKind::Unregistered)));
    let second_home = Newcomer { secondary: true, ..Newcomer::known(came.people[0]) };
    done(&mut store, second, move_in(vec![second_home]), 3);
    done(&mut store, door, DoorAct::Death { person: came.people[0], on: None }, 4);
    assert_eq!(names(&store, door, at(5)), ["张小"]);
    assert_eq!(names(&store, second, at(5)), [""; 0]);
    let household = store.get::<Household>(came.household.unwrap()).unwrap().unwrap().record;
    assert_eq!(household.head, None);
    assert!(matches!(
        problem(act(&mut store, second, moves_in(came.people[0]), 6)),
        DoorProblem::Gone { .. }
    ));
    check_stored(&store);
}

#[test]
fn a_household_splits_behind_one_door() {
    let mut store = store(1);
    let (door, other) = (home(&mut store, "101"), home(&mut store, "102"));
    let person = |name: &str, relation| Newcomer {
        relation: Some(relation),
        ..Newcomer::unknown(NewPerson::named(name))
    };
    let people = vec![
        person("张父", Relation::Head),
        person("张子", Relation::Child),
        person("王媳", Relation::Child),
    ];
    let household = InHousehold::New(HouseholdKind::Family);
    let came = done(&mut store, door, DoorAct::MoveIn { people, household, from: None }, 1);
    let split = |members: &[RecordId], head| DoorAct::Split {
        household: came.household,
        members: members.to_vec(),
        head,
    };
    let [father, son, wife] = came.people[..] else { panic!() };
    assert_eq!(
        problem(act(&mut store, door, split(&[father, son, wife], None), 2)),
        DoorProblem::NobodyStays
    );
    assert!(matches!(
        problem(act(&mut store, door, split(&[son], Some(wife)), 2)),
        DoorProblem::NotHere { .. }
    ));
    assert!(matches!(
        problem(act(&mut store, other, split(&[son], None), 2)),
        DoorProblem::OtherHousehold { .. }
    ));
    let after = done(&mut store, door, split(&[son, wife], Some(son)), 3);
    let made = store.get::<Household>(after.household.unwrap()).unwrap().unwrap().record;
    assert_eq!((made.head, made.split_from), (Some(son), came.household));
    let sheet = store.door(door, at(4)).unwrap();
    assert_eq!((sheet.people.len(), sheet.households.len()), (3, 2));
    let son_there = sheet.people.iter().find(|one| one.person == son).unwrap();
    assert_eq!((son_there.household, son_there.relation.clone()), (after.household, Some(Relation::Head)));
    store.undo_door(after.operation, at(5)).unwrap();
    assert_eq!(store.door(door, at(6)).unwrap().households.len(), 1);
}

#[test]
fn nobody_home_is_noted_and_confirms_nothing() {
    let mut store = store(1);
    let door = home(&mut store, "101");
    settle(&mut store, door, "张三", 1);
    done(&mut store, door, DoorAct::NobodyHome, 2);
    let sheet = store.door(door, at(3)).unwrap();
    assert_eq!(sheet.door.last.unwrap().outcome, DoorOutcome::NobodyHome);
    assert_eq!(sheet.door.confirmed_at, Some(at(1)));
    assert_eq!(sheet.history.len(), 2);
    done(&mut store, door, DoorAct::NoChange, 4);
    assert_eq!(store.door(door, at(5)).unwrap().door.confirmed_at, Some(at(4)));
}

#[test]
fn a_vacant_dwelling_has_nobody() {
    let mut store = store(1);
    let door = home(&mut store, "101");
    for name in ["张三", "李四"] {
        settle(&mut store, door, name, 1);
    }
    let left = done(&mut store, door, DoorAct::Vacant { on: None }, 2);
    assert_eq!(left.people.len(), 2);
    assert_eq!(store.door(door, at(3)).unwrap().door.state, DoorState::Vacant);
    assert_eq!(problem(act(&mut store, door, DoorAct::Occupied, 3)), DoorProblem::Nobody);
    settle(&mut store, door, "王五", 4);
    assert_eq!(store.door(door, at(5)).unwrap().door.state, DoorState::LivedIn);
    check_stored(&store);
}

#[test]
fn what_is_not_there_is_refused() {
    let mut store = store(1);
    let door = home(&mut store, "101");
    let person = settle(&mut store, door, "张三", 1);
    let nowhere = RecordId::from_bytes([9; 16]);
    assert!(matches!(act(&mut store, nowhere, DoorAct::NoChange, 2), Err(DeviceError::UnknownRecord { .. })));
    assert!(matches!(act(&mut store, person, DoorAct::NoChange, 2), Err(DeviceError::WrongKind { .. })));
    assert!(matches!(problem(act(&mut store, door, moves_in(nowhere), 2)), DoorProblem::Gone { .. }));
    assert_eq!(problem(act(&mut store, door, move_in(Vec::new()), 2)), DoorProblem::Nobody);
    let late = DoorAct::Vacant { on: today().checked_add(1.days()).ok() };
    assert_eq!(problem(act(&mut store, door, late, 2)), DoorProblem::FutureDay);
    for problem in [DoorProblem::Nobody, DoorProblem::LaterOperation] {
        assert!(!problem.zh().is_empty() && !problem.en().is_empty());
    }
    assert!(matches!(Newcomer::known(person).who, Who::Known(id) if id == person));
}
