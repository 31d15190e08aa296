//! Namesakes, duplicates, newcomers, merging.

use gridwalk_model::Kind;
use gridwalk_model::doors::{Doubt, Likeness, Standing};
use gridwalk_model::records::ResidentId;
use jiff::civil::date;

use super::*;
use crate::sync::tests::Phone;
use crate::testkit::{Script, fields, store};

fn person(name: &str, phone: Option<&str>, born: Option<Date>) -> NewPerson {
    NewPerson { phone: phone.map(str::to_owned), birth_date: born, ..NewPerson::named(name) }
}

fn comes(store: &mut Store, door: RecordId, who: NewPerson, now: i64) -> DoorDone {
    done(store, door, move_in(vec![Newcomer::unknown(who)]), now)
}

#[test]
fn namesakes_are_told_apart_and_never_hinted_at_by_name() {
    let mut store = store(1);
    let (one, two) = (home(&mut store, "101"), home(&mut store, "102"));
    comes(&mut store, one, person("张伟", None, Some(date(1950, 1, 2))), 1);
    let second = comes(&mut store, two, person("张　伟", None, None), 2);
    assert_eq!(second.hints, []);
    let same = store.namesakes("张伟", at(3)).unwrap();
    let told: Vec<_> = same.iter().map(|one| (one.birth_year, one.door.as_str())).collect();
    assert_eq!(told, [(Some(1950), "阳光里 3号楼 101"), (None, "阳光里 3号楼 102")]);
    assert_eq!(store.duplicate_pairs(at(3)).unwrap(), []);
    assert_eq!(store.namesakes("", at(3)).unwrap(), []);
}

#[test]
fn a_newcomer_who_is_known_is_hinted_at_before_and_after() {
    let mut store = store(1);
    let (one, two) = (home(&mut store, "101"), home(&mut store, "102"));
    let known = comes(&mut store, one, person("张伟", Some("199 0000 7832"), None), 1).people[0];
    store.confirm_newcomer(known, at(2)).unwrap();
    assert_eq!(store.provisional_newcomers(at(2)).unwrap(), []);
    let typed = person("张伟", Some("19900007832"), Some(date(1980, 5, 6)));
    let asked = store.duplicates_of_new(&typed, at(3)).unwrap();
    assert_eq!((asked.len(), asked[0].likeness, asked[0].other.person), (1, Likeness::NameAndPhone, known));
    let came = comes(&mut store, two, typed, 4);
    assert_eq!(came.hints.len(), 1);
    assert_eq!(came.hints[0].1.other.dwelling, Some(one));
    let waiting = store.provisional_newcomers(at(5)).unwrap();
    assert_eq!((waiting.len(), waiting[0].person.person), (1, came.people[0]));
    assert_eq!(waiting[0].hints[0].other.person, known);
    assert_eq!(store.duplicate_pairs(at(5)).unwrap().len(), 1);
    store.merge_people(came.people[0], known, at(6)).unwrap();
    assert_eq!(store.duplicate_pairs(at(7)).unwrap(), []);
    assert_eq!(store.provisional_newcomers(at(7)).unwrap(), []);
}

/// Two people on one telephone, whose records look like one person's.
fn twins(store: &mut Store) -> (RecordId, RecordId) {
    let (one, two) = (home(store, "101"), home(store, "102"));
    let first = comes(store, one, person("张伟", Some("19900007832"), None), 1).people[0];
    (first, comes(store, two, person("张伟", Some("19900007832"), None), 2).people[0])
}

#[test]
fn who_was_told_apart_is_not_hinted_at_again() {
    let mut store = store(1);
    let (one, two) = twins(&mut store);
    let hints = |store: &Store| {
        let newcomers = store.provisional_newcomers(at(9)).unwrap();
        let of_newcomers: usize = newcomers.iter().map(|newcomer| newcomer.hints.len()).sum();
        let of_each =
            store.duplicates_of(one, at(9)).unwrap().len() + store.duplicates_of(two, at(9)).unwrap().len();
        (store.duplicate_pairs(at(9)).unwrap().len(), of_newcomers, of_each)
    };
    assert_eq!(hints(&store), (1, 2, 2));
    let n = store.keep_apart(two, one, at(3)).unwrap();
    assert_eq!(hints(&store), (0, 0, 0));
    let apart = |store: &Store, of| -> Vec<RecordId> {
        store.kept_apart(of, at(9)).unwrap().into_iter().map(|other| other.person).collect()
    };
    assert_eq!((apart(&store, one), apart(&store, two)), (vec![two], vec![one]));
    // Taken back at once, or later on any phone.
    store.undo_door(n, at(4)).unwrap();
    assert_eq!((hints(&store), apart(&store, one)), ((1, 2, 2), vec![]));
    assert_eq!(problem(store.forget_apart(one, two, at(5))), DoorProblem::NotApart);
    store.keep_apart(one, two, at(5)).unwrap();
    store.forget_apart(two, one, at(6)).unwrap();
    assert_eq!(hints(&store), (1, 2, 2));
    // A third record of the same telephone is hinted at beside both; told apart from one, it is compared with the other.
    let door = home(&mut store, "103");
    let third = comes(&mut store, door, person("张伟", Some("19900007832"), None), 7).people[0];
    store.keep_apart(third, one, at(8)).unwrap();
    assert_eq!(store.duplicates_of(third, at(9)).unwrap().len(), 1);
    // Whoever is merged stays told apart from whom the other was told apart.
    store.merge_people(two, third, at(9)).unwrap();
    assert_eq!((store.duplicate_pairs(at(9)).unwrap().len(), apart(&store, two)), (0, vec![one]));
    assert_eq!(problem(store.keep_apart(two, third, at(9))), DoorProblem::SamePerson);
}

#[test]
fn merging_forgets_that_they_were_told_apart_and_undo_remembers() {
    let mut store = store(1);
    let (one, two) = twins(&mut store);
    store.keep_apart(one, two, at(3)).unwrap();
    let n = store.merge_people(one, two, at(4)).unwrap();
    assert_eq!(store.kept_apart(two, at(5)).unwrap(), []);
    assert_eq!(store.person(two, at(5)).unwrap().unwrap().differences, []);
    store.undo_door(n, at(6)).unwrap();
    assert_eq!(
        (store.duplicate_pairs(at(7)).unwrap(), store.kept_apart(one, at(7)).unwrap().len()),
        (vec![], 1)
    );
    store.merge_people(one, two, at(8)).unwrap();
    store.unmerge_person(one, at(9)).unwrap();
    assert_eq!(store.duplicate_pairs(at(9)).unwrap().len(), 1);
}

#[test]
fn other_phones_learn_who_was_told_apart() {
    let mut server = Script::new();
    let (mut a, mut b) = (Phone::joined(1, &mut server), Phone::joined(2, &mut server));
    let (one, two) = twins(&mut a.store);
    a.sync(&mut server, at(10));
    b.sync(&mut server, at(11));
    assert_eq!(b.store.duplicate_pairs(at(12)).unwrap().len(), 1);
    // Both say so before they hear of each other: no conflict comes of it.
    a.store.keep_apart(one, two, at(13)).unwrap();
    b.store.keep_apart(two, one, at(14)).unwrap();
    for (phone, now) in [(&mut a, 15), (&mut b, 16)] {
        phone.sync(&mut server, at(now));
    }
    a.sync(&mut server, at(17));
    for store in [&a.store, &b.store] {
        assert_eq!(store.duplicate_pairs(at(18)).unwrap(), []);
        assert_eq!(store.conflicts().unwrap(), []);
    }
    b.store.forget_apart(one, two, at(19)).unwrap();
    b.sync(&mut server, at(20));
    a.sync(&mut server, at(21));
    assert_eq!(a.store.duplicate_pairs(at(22)).unwrap().len(), 1);
}

#[test]
fn the_same_number_is_found_and_different_ones_forbid_merging() {
    let mut store = store(1);
    let (one, two) = (home(&mut store, "101"), home(&mut store, "102"));
    let with = |name: &str, number: &str| NewPerson { number: Some(number.into()), ..NewPerson::named(name) };
    let first = comes(&mut store, one, with("张伟", "11010519491231002X"), 1).people[0];
    let again = comes(&mut store, two, with("张维", "１１０１０５１９４９１２３１００２ｘ"), 2);
    assert_eq!(again.hints[0].1.likeness, Likeness::SameNumber);
    let other = comes(&mut store, two, with("张伟", "990000193512237224"), 3).people[0];
    assert_eq!(problem(store.merge_people(other, first, at(4))), DoorProblem::DifferentNumbers);
    assert_eq!(store.list_any::<ResidentId>(None, 9).unwrap().entries.len(), 3);
}

#[test]
fn an_edit_of_a_person_is_taken_back() {
    let mut store = store(1);
    let door = home(&mut store, "101");
    let person = comes(&mut store, door, person("张伟", Some("19900007832"), None), 1).people[0];
    let before = snapshot(&store);
    let patch = fields(&[("phone", "19900000001"), ("workplace", "面馆（虚构）")]);
    let edited = store.edit_person(person, &patch, at(2)).unwrap();
    let again = store.edit_person(person, &patch, at(3)).unwrap();
    assert_eq!((edited.person, again.operation), (person, None), "they were said to be so already");
    let listed = &store.door_operations(Some(person), 9, at(4)).unwrap()[0];
    assert_eq!((Some(listed.n), listed.act.as_str()), (edited.operation, "edit"));
    let later = store.edit_person(person, &fields(&[("phone", "19900000002")]), at(5)).unwrap();
    let under = store.undo_door(edited.operation.unwrap(), at(6));
    assert!(matches!(problem(under), DoorProblem::ChangedSince { .. }));
    store.undo_door(later.operation.unwrap(), at(7)).unwrap();
    store.undo_door(edited.operation.unwrap(), at(8)).unwrap();
    assert_eq!(snapshot(&store), before);
}

#[test]
fn a_merge_is_one_link_and_is_undone_anywhere() {
    let mut store = store(1);
    let (one, two) = (home(&mut store, "101"), home(&mut store, "102"));
    let loser = comes(&mut store, one, person("张伟", Some("19900007832"), None), 1).people[0];
    let kept = comes(&mut store, two, person("章伟", None, Some(date(1980, 5, 6))), 2).people[0];
    let before = snapshot(&store);
    let n = store.merge_people(loser, kept, at(3)).unwrap();
    assert_eq!(problem(store.merge_people(kept, loser, at(3))), DoorProblem::SamePerson);
    let merged = store.person(loser, at(4)).unwrap().unwrap();
    assert_eq!((merged.id, merged.merged.as_slice()), (kept, &[loser][..]));
    assert_eq!(merged.resident.phone.as_deref(), Some("19900007832"), "gaps are filled");
    assert_eq!(merged.resident.name, "章伟");
    assert_eq!((merged.differences.len(), merged.differences[0].field.as_str()), (1, "name"));
    // The later move counts; the other home is doubtful until somebody says so.
    let standings: Vec<_> = merged.homes.iter().map(|home| (home.dwelling, home.standing)).collect();
    assert_eq!(standings, [(one, Standing::Doubtful(Doubt::Elsewhere)), (two, Standing::Main)]);
    let sheet = store.door(one, at(4)).unwrap();
    assert_eq!((sheet.people.len(), sheet.doubtful[0].elsewhere), (0, Some(two)));
    assert!(matches!(problem(act(&mut store, one, DoorAct::NoChange, 4)), DoorProblem::Disputed { .. }));
    // Edits to the loser follow.
    let edited = store.edit_person(loser, &fields(&[("workplace", "面馆")]), at(5)).unwrap();
    assert_eq!(edited.person, kept);
    store.edit(kept, &Fields::from([("workplace".to_owned(), Value::Null)]), at(6)).unwrap();
    store.undo_door(n, at(7)).unwrap();
    assert_eq!(snapshot(&store), before);
    let again = store.merge_people(loser, kept, at(8)).unwrap();
    let settled = done(&mut store, one, DoorAct::LivesHere { person: loser }, 9);
    assert_eq!(settled.people, [kept]);
    assert_eq!(names(&store, two, at(10)), [""; 0]);
    store.undo_door(settled.operation, at(11)).unwrap();
    store.unmerge_person(loser, at(12)).unwrap();
    assert_eq!(snapshot(&store), before);
    assert_eq!(problem(store.unmerge_person(loser, at(13))), DoorProblem::NotMerged { person: loser });
    assert!(matches!(problem(store.undo_door(again, at(14))), DoorProblem::ChangedSince { .. }));
}

#[test]
fn two_records_of_one_person_behind_one_door_are_one_line() {
    let mut store = store(1);
    let door = home(&mut store, "101");
    let (one, two) = (settle(&mut store, door, "张伟", 1), settle(&mut store, door, "张伟", 2));
    assert!(store.door(door, at(3)).unwrap().people.iter().all(|one| one.same_name));
    store.merge_people(one, two, at(3)).unwrap();
    assert_eq!(names(&store, door, at(4)), ["张伟"]);
    assert!(store.door(door, at(4)).unwrap().doubtful.is_empty());
    done(&mut store, door, move_out(one), 5);
    assert_eq!(names(&store, door, at(6)), [""; 0]);
    let _ = Kind::Resident;
    check_stored(&store);
}
