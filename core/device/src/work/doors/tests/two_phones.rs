//! Two workers at the same doors, who see each other's work only when they synchronise.

use gridwalk_model::doors::{DoorState, Doubt};
use proptest::prelude::*;

use super::random::{Random, doors_of, perform, random};
use super::*;
use crate::sync::tests::Phone;
use crate::testkit::{Script, stream};

fn two() -> (Script, Phone, Phone, Vec<RecordId>) {
    let mut server = Script::new();
    let (mut a, mut b) = (Phone::joined(1, &mut server), Phone::joined(2, &mut server));
    let doors = doors_of(&mut a.store);
    a.sync(&mut server, at(1));
    b.sync(&mut server, at(2));
    (server, a, b, doors)
}

fn meet(server: &mut Script, a: &mut Phone, b: &mut Phone, now: i64) {
    a.sync(server, at(now));
    b.sync(server, at(now));
    a.sync(server, at(now));
}

/// Both phones hold and show the same.
fn check_same(a: &Phone, b: &Phone, doors: &[RecordId], now: i64) {
    assert_eq!((a.waiting(), b.waiting()), (0, 0));
    assert_eq!(a.store.fingerprints(&stream()).unwrap(), b.store.fingerprints(&stream()).unwrap());
    assert_eq!(snapshot(&a.store), snapshot(&b.store));
    for door in doors {
        assert_eq!(a.store.door(*door, at(now)).unwrap(), b.store.door(*door, at(now)).unwrap());
    }
    let board = |phone: &Phone| phone.store.board("阳光里", "3号楼", at(now)).unwrap();
    assert_eq!(board(a), board(b));
    for (id, _) in all::<Resident>(&a.store) {
        assert_eq!(a.store.person(id, at(now)).unwrap(), b.store.person(id, at(now)).unwrap());
        assert_eq!(a.store.kept_apart(id, at(now)).unwrap(), b.store.kept_apart(id, at(now)).unwrap());
    }
    assert_eq!(a.store.duplicate_pairs(at(now)).unwrap(), b.store.duplicate_pairs(at(now)).unwrap());
    let newcomers = |phone: &Phone| phone.store.provisional_newcomers(at(now)).unwrap();
    assert_eq!(newcomers(a), newcomers(b));
}

/// A worker settles everything that does not go together. Returns how many acts that took.
fn settle_all(store: &mut Store, doors: &[RecordId], mut now: i64) -> usize {
    for acts in 0..100 {
        now += 1;
        let sheets: Vec<_> = doors.iter().map(|door| store.door(*door, at(now)).unwrap()).collect();
        let doubtful =
            sheets.iter().find_map(|sheet| Some((sheet.door.dwelling, sheet.doubtful.first()?.person)));
        let disputed = sheets.iter().find(|sheet| sheet.door.state == DoorState::Disputed);
        match (doubtful, disputed) {
            (Some((door, person)), _) => drop(done(store, door, move_out(person), now)),
            (None, Some(sheet)) if acts % 2 == 0 => {
                drop(done(store, sheet.door.dwelling, DoorAct::Occupied, now));
            }
            (None, Some(sheet)) => {
                drop(done(store, sheet.door.dwelling, DoorAct::Vacant { on: None }, now));
            }
            (None, None) => return acts,
        }
        check_shown(store, at(now));
    }
    panic!("settling does not end");
}

#[test]
fn one_person_moved_to_two_homes_at_once_lives_in_one() {
    let (mut server, mut a, mut b, doors) = two();
    let person = settle(&mut a.store, doors[0], "张三", 3);
    meet(&mut server, &mut a, &mut b, 4);
    done(&mut a.store, doors[1], moves_in(person), 5);
    done(&mut b.store, doors[2], moves_in(person), 6);
    meet(&mut server, &mut a, &mut b, 7);
    check_same(&a, &b, &doors, 8);
    assert_eq!(names(&b.store, doors[1], at(8)), [""; 0]);
    assert_eq!(names(&a.store, doors[2], at(8)), ["张三"], "the later move counts until somebody settles it");
    let doubtful = &a.store.door(doors[1], at(8)).unwrap().doubtful;
    assert_eq!((doubtful[0].doubt, doubtful[0].elsewhere), (Doubt::Elsewhere, Some(doors[2])));
    done(&mut a.store, doors[1], DoorAct::LivesHere { person }, 9);
    meet(&mut server, &mut a, &mut b, 10);
    check_same(&a, &b, &doors, 11);
    assert_eq!(names(&b.store, doors[1], at(11)), ["张三"]);
    check_stored(&b.store);
}

#[test]
fn somebody_who_moved_into_a_home_that_was_called_empty_is_no_ghost() {
    let (mut server, mut a, mut b, doors) = two();
    settle(&mut a.store, doors[0], "张三", 3);
    meet(&mut server, &mut a, &mut b, 4);
    done(&mut a.store, doors[0], DoorAct::Vacant { on: None }, 5);
    settle(&mut b.store, doors[0], "李四", 6);
    meet(&mut server, &mut a, &mut b, 7);
    check_same(&a, &b, &doors, 8);
    for phone in [&a, &b] {
        assert_eq!(names(&phone.store, doors[0], at(8)), ["李四"]);
        assert_ne!(phone.store.door(doors[0], at(8)).unwrap().door.state, DoorState::Vacant);
    }
    settle_all(&mut b.store, &doors, 9);
    meet(&mut server, &mut a, &mut b, 20);
    check_same(&a, &b, &doors, 21);
    check_stored(&a.store);
}

#[test]
fn somebody_taken_back_while_another_moved_them_is_shown_and_can_be_kept() {
    let (mut server, mut a, mut b, doors) = two();
    let came = done(&mut a.store, doors[0], newcomer("张三"), 3);
    meet(&mut server, &mut a, &mut b, 4);
    done(&mut b.store, doors[1], moves_in(came.people[0]), 5);
    a.store.undo_door(came.operation, at(6)).unwrap();
    meet(&mut server, &mut a, &mut b, 7);
    check_same(&a, &b, &doors, 8);
    let sheet = b.store.door(doors[1], at(8)).unwrap();
    assert_eq!((sheet.people.len(), sheet.doubtful[0].doubt), (0, Doubt::Removed));
    assert_eq!(sheet.doubtful[0].name.as_deref(), Some("张三"));
    done(&mut b.store, doors[1], DoorAct::LivesHere { person: came.people[0] }, 9);
    meet(&mut server, &mut a, &mut b, 10);
    assert_eq!(names(&a.store, doors[1], at(11)), ["张三"]);
    check_stored(&a.store);
}

#[test]
fn merges_in_opposite_directions_are_one_person_on_both_phones() {
    let (mut server, mut a, mut b, doors) = two();
    let one = settle(&mut a.store, doors[0], "张三", 3);
    let two = settle(&mut a.store, doors[0], "张三", 4);
    meet(&mut server, &mut a, &mut b, 5);
    a.store.merge_people(one, two, at(6)).unwrap();
    b.store.merge_people(two, one, at(7)).unwrap();
    meet(&mut server, &mut a, &mut b, 8);
    check_same(&a, &b, &doors, 9);
    for phone in [&a, &b] {
        let person = phone.store.person(two, at(9)).unwrap().unwrap();
        assert_eq!((person.id, person.merged.as_slice()), (one, &[two][..]));
        assert_eq!(names(&phone.store, doors[0], at(9)), ["张三"]);
    }
}

#[test]
fn what_another_phone_changed_is_not_taken_back() {
    let (mut server, mut a, mut b, doors) = two();
    let person = settle(&mut a.store, doors[0], "张三", 3);
    let moved = done(&mut a.store, doors[1], moves_in(person), 4);
    meet(&mut server, &mut a, &mut b, 5);
    done(&mut b.store, doors[2], moves_in(person), 6);
    meet(&mut server, &mut a, &mut b, 7);
    let stood = snapshot(&a.store);
    assert!(matches!(
        problem(a.store.undo_door(moved.operation, at(8))),
        DoorProblem::ChangedSince { .. } | DoorProblem::UsedSince { .. }
    ));
    assert_eq!(snapshot(&a.store), stood);
    assert_eq!(names(&a.store, doors[2], at(9)), ["张三"]);
}

#[derive(Clone, Debug)]
enum Step {
    Do(bool, Random),
    Sync(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (any::<bool>(), random(true)).prop_map(|(phone, what)| Step::Do(phone, what)),
        1 => any::<bool>().prop_map(Step::Sync),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever two phones do at the same doors, whenever they synchronise: at every moment each shows nobody in two
    /// main homes and no ghost in an empty dwelling; in the end both hold and show the same; and what does not go
    /// together can be settled, after which the records themselves are in order everywhere.
    #[test]
    fn two_phones_keep_the_invariants_and_converge(steps in prop::collection::vec(step(), 1..60)) {
        let (mut server, mut a, mut b, doors) = two();
        let mut now = 10;
        for step in &steps {
            now += 1;
            match step {
                Step::Do(first, what) => {
                    let phone = if *first { &mut a } else { &mut b };
                    perform(&mut phone.store, &doors, what, now);
                    check_shown(&phone.store, at(now));
                }
                Step::Sync(first) => {
                    let phone = if *first { &mut a } else { &mut b };
                    phone.sync(&mut server, at(now));
                    check_shown(&phone.store, at(now));
                }
            }
        }
        meet(&mut server, &mut a, &mut b, now + 1);
        check_same(&a, &b, &doors, now + 2);
        check_shown(&a.store, at(now + 2));
        settle_all(&mut b.store, &doors, now + 3);
        meet(&mut server, &mut a, &mut b, now + 200);
        check_same(&a, &b, &doors, now + 201);
        check_stored(&a.store);
        check_stored(&b.store);
    }
}
