//! Random operations: what they are, and what holds on a phone that nobody interferes with.

use proptest::prelude::*;

use super::*;
use crate::testkit::{fields, store};
use gridwalk_model::records::Household;
use gridwalk_model::records::base_verification::VerificationMethod;
use gridwalk_model::records::household::HouseholdKind;
use gridwalk_model::records::residency::Relation;
use jiff::ToSpan;

/// With whom those who move in live: a household is taken round by round from those on the phone.
#[derive(Clone, Debug)]
pub(super) enum Housing {
    Unsaid,
    Existing(usize),
    New,
}

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
    /// Several at once, known ones and new ones.
    MoveTogether {
        door: usize,
        people: Vec<usize>,
        news: usize,
        housing: Housing,
    },
    Leave {
        door: usize,
        person: usize,
        days_ago: u8,
    },
    LeaveTogether {
        door: usize,
        people: Vec<usize>,
    },
    Birth {
        door: usize,
        household: Option<usize>,
    },
    Death {
        door: usize,
        person: usize,
    },
    Split {
        door: usize,
        person: usize,
    },
    /// Some of a household that is there.
    SplitHousehold {
        household: usize,
        members: Vec<usize>,
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
    Apart {
        one: usize,
        other: usize,
    },
    Together {
        one: usize,
        other: usize,
    },
    ConfirmNewcomer(usize),
    /// Says something of a person.
    Edit {
        person: usize,
        what: usize,
    },
    /// Takes back the operation of that many before.
    Undo(usize),
}

impl Random {
    /// Whether it is done at a door, and so leaves a verification.
    fn is_at_door(&self) -> bool {
        let of_people = matches!(self, Self::Merge { .. } | Self::Unmerge(_) | Self::ConfirmNewcomer(_));
        !of_people && !matches!(self, Self::Apart { .. } | Self::Together { .. } | Self::Edit { .. })
    }

    /// Whether it is an operation that can be taken back.
    fn is_operation(&self) -> bool {
        !matches!(self, Self::Undo(_))
    }
}

fn housing() -> impl Strategy<Value = Housing> {
    prop_oneof![
        1 => Just(Housing::Unsaid),
        2 => (0usize..6).prop_map(Housing::Existing),
        2 => Just(Housing::New),
    ]
}

pub(super) fn random(merges: bool) -> impl Strategy<Value = Random> {
    let door = || 0usize..4;
    let person = || 0usize..12;
    let several = || prop::collection::vec(0usize..12, 1..4);
    // Where there is to be no merging, nobody opens.
    let merging = move |what: Random| if merges { what } else { Random::NobodyHome(0) };
    prop_oneof![
        3 => door().prop_map(Random::Come),
        6 => (door(), person(), prop::bool::weighted(0.2), 0u8..4).prop_map(
            |(door, person, secondary, days_ago)| Random::Move { door, person, secondary, days_ago }
        ),
        4 => (door(), person(), 0u8..4)
            .prop_map(|(door, person, days_ago)| Random::Leave { door, person, days_ago }),
        4 => (door(), prop::collection::vec(person(), 0..3), 0usize..3, housing()).prop_map(
            |(door, people, news, housing)| Random::MoveTogether { door, people, news, housing }
        ),
        2 => (door(), several()).prop_map(|(door, people)| Random::LeaveTogether { door, people }),
        2 => (door(), prop::option::of(0usize..6))
            .prop_map(|(door, household)| Random::Birth { door, household }),
        2 => (door(), person()).prop_map(|(door, person)| Random::Death { door, person }),
        2 => (door(), person()).prop_map(|(door, person)| Random::Split { door, person }),
        3 => (0usize..6, several())
            .prop_map(|(household, members)| Random::SplitHousehold { household, members }),
        2 => (person(), person()).prop_map(|(one, other)| Random::Apart { one, other }),
        1 => (person(), person()).prop_map(|(one, other)| Random::Together { one, other }),
        1 => person().prop_map(Random::ConfirmNewcomer),
        2 => (person(), 0usize..4).prop_map(|(person, what)| Random::Edit { person, what }),
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

/// What the numbers mean on a phone as it is now.
struct Named<'s> {
    store: &'s Store,
    doors: &'s [RecordId],
    now: i64,
    people: Vec<RecordId>,
    households: Vec<(RecordId, Household)>,
}

impl<'s> Named<'s> {
    fn on(store: &'s Store, doors: &'s [RecordId], now: i64) -> Self {
        let people = all::<Resident>(store).into_iter().map(|(id, _)| id).collect();
        Self { store, doors, now, people, households: all(store) }
    }

    fn person(&self, n: usize) -> RecordId {
        self.people.get(n % self.people.len().max(1)).copied().unwrap_or(self.doors[0])
    }

    fn inside(&self, door: RecordId) -> Vec<RecordId> {
        let sheet = self.store.door(door, at(self.now)).unwrap();
        let doubtful = sheet.doubtful.iter().map(|one| one.person);
        let mut inside: Vec<RecordId> = sheet.people.iter().map(|one| one.person).chain(doubtful).collect();
        inside.dedup();
        inside
    }

    fn inhabitant(&self, door: usize, n: usize) -> RecordId {
        let inside = self.inside(self.doors[door]);
        inside.get(n % inside.len().max(1)).copied().unwrap_or_else(|| self.person(n))
    }

    fn household(&self, n: usize) -> Option<&(RecordId, Household)> {
        self.households.get(n % self.households.len().max(1))
    }

    /// One behind this door where there is any; otherwise one that is refused.
    fn household_at(&self, door: usize, n: usize) -> Option<RecordId> {
        let here = |(_, household): &&(RecordId, Household)| household.dwelling == self.doors[door];
        let here: Vec<_> = self.households.iter().filter(here).collect();
        here.get(n % here.len().max(1)).copied().or_else(|| self.household(n)).map(|(id, _)| *id)
    }

    fn move_together(&self, door: usize, people: &[usize], news: usize, housing: &Housing) -> DoorAct {
        let name = |n: usize| NewPerson::named(&format!("虚构{}之{n}", self.people.len()));
        let known = people.iter().map(|n| Newcomer::known(self.person(*n)));
        let mut people: Vec<Newcomer> = known.chain((0..news).map(|n| Newcomer::unknown(name(n)))).collect();
        let household = match housing {
            Housing::Unsaid => InHousehold::None,
            Housing::Existing(n) => {
                self.household_at(door, *n).map_or(InHousehold::None, InHousehold::Existing)
            }
            Housing::New => {
                people.iter_mut().take(1).for_each(|first| first.relation = Some(Relation::Head));
                InHousehold::New(HouseholdKind::Family)
            }
        };
        DoorAct::MoveIn { people, household, from: None }
    }

    /// Members of a household leave it: where it is, and the act.
    fn split(&self, n: usize, members: &[usize]) -> Option<(RecordId, DoorAct)> {
        let (id, household) = self.household(n)?;
        let sheet = self.store.door(household.dwelling, at(self.now)).unwrap();
        let of_it = sheet.people.iter().filter(|one| one.household == Some(*id));
        let of_it: Vec<RecordId> = of_it.map(|one| one.person).collect();
        let member = |n: &usize| of_it.get(n % of_it.len().max(1)).copied().unwrap_or(self.person(*n));
        let members: Vec<RecordId> = members.iter().map(member).collect();
        let head = members.first().copied();
        Some((household.dwelling, DoorAct::Split { household: Some(*id), members, head }))
    }

    /// What is done at which door; `None` for what is done elsewhere, or not at all.
    fn at_door(&self, what: &Random) -> Option<(RecordId, DoorAct)> {
        let ago = |days: u8| today().checked_sub(i64::from(days).days()).ok();
        let (door, act) = match what.clone() {
            Random::Come(door) => (door, newcomer(&format!("虚构{}", self.people.len()))),
            Random::Move { door, person, secondary, days_ago } => {
                let people = vec![Newcomer { secondary, ..Newcomer::known(self.person(person)) }];
                (door, DoorAct::MoveIn { people, household: InHousehold::None, from: ago(days_ago) })
            }
            Random::MoveTogether { door, people, news, housing } => {
                (door, self.move_together(door, &people, news, &housing))
            }
            Random::Leave { door, person, days_ago } => {
                (door, DoorAct::MoveOut { people: vec![self.inhabitant(door, person)], on: ago(days_ago) })
            }
            Random::LeaveTogether { door, people } => {
                let people = people.into_iter().map(|n| self.inhabitant(door, n)).collect();
                (door, DoorAct::MoveOut { people, on: None })
            }
            Random::Birth { door, household } => {
                let child = NewPerson { birth_date: Some(today()), ..NewPerson::named("虚构新生儿") };
                let household = household.and_then(|n| self.household_at(door, n));
                (door, DoorAct::Birth { child, household })
            }
            Random::Death { door, person } => {
                (door, DoorAct::Death { person: self.inhabitant(door, person), on: None })
            }
            Random::Split { door, person } => {
                let member = self.inhabitant(door, person);
                (door, DoorAct::Split { household: None, members: vec![member], head: Some(member) })
            }
            Random::SplitHousehold { household, members } => return self.split(household, &members),
            Random::Vacant(door) => (door, DoorAct::Vacant { on: None }),
            Random::Confirm(door) => (door, DoorAct::NoChange),
            Random::NobodyHome(door) => (door, DoorAct::NobodyHome),
            Random::Occupied(door) => (door, DoorAct::Occupied),
            Random::LivesHere { door, person } => {
                (door, DoorAct::LivesHere { person: self.inhabitant(door, person) })
            }
            _ => return None,
        };
        Some((self.doors[door], act))
    }
}

/// Does it; the operation's number, if it made one. What is refused with a reason is no failure; anything else is.
pub(super) fn perform(store: &mut Store, doors: &[RecordId], what: &Random, now: i64) -> Option<i64> {
    let named = Named::on(store, doors, now);
    if let Some((door, what)) = named.at_door(what) {
        return tried(act(store, door, what, now)).map(|done| done.operation);
    }
    match *what {
        Random::Floor => {
            let done = store.confirm_floor(doors, &VerificationMethod::Records, None, at(now)).unwrap();
            done.operation
        }
        Random::Merge { one, other } => {
            let (one, other) = (named.person(one), named.person(other));
            tried(store.merge_people(one, other, at(now)))
        }
        Random::Unmerge(n) => {
            let person = named.person(n);
            tried(store.unmerge_person(person, at(now)))
        }
        Random::Apart { one, other } => {
            let (one, other) = (named.person(one), named.person(other));
            tried(store.keep_apart(one, other, at(now)))
        }
        Random::Together { one, other } => {
            let (one, other) = (named.person(one), named.person(other));
            tried(store.forget_apart(one, other, at(now)))
        }
        Random::ConfirmNewcomer(n) => {
            let person = named.person(n);
            tried(store.confirm_newcomer(person, at(now)))
        }
        Random::Edit { person, what } if !named.people.is_empty() => {
            let person = named.person(person);
            let said = [
                ("name", "虚构改名"),
                ("phone", "19900000001"),
                ("workplace", "虚构面馆"),
                ("remarks", "虚构"),
            ];
            tried(store.edit_person(person, &fields(&[said[what]]), at(now)))?.operation
        }
        Random::Undo(back) => {
            let operations = store.door_operations(None, back + 1, at(now)).unwrap();
            if let Some(operation) = operations.get(back) {
                tried(store.undo_door(operation.n, at(now)));
            }
            None
        }
        // A household's split where there is no household.
        _ => None,
    }
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

/// What holds of households where nobody is merged: a head lives in their household, behind its door.
fn check_households(store: &Store) {
    let day = today();
    let residencies = all::<Residency>(store);
    for (id, household) in all::<Household>(store) {
        let Some(head) = household.head else { continue };
        let lives = |record: &Residency| {
            record.resident == head
                && record.household == Some(id)
                && record.dwelling == household.dwelling
                && record.to.is_none_or(|to| day < to)
        };
        assert!(
            residencies.iter().any(|(_, record)| lives(record)),
            "{head} is the head of {id} from elsewhere"
        );
    }
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
            check_households(&store);
            let after = all::<gridwalk_model::records::BaseVerification>(&store).len();
            prop_assert!(done.is_none() || !step.is_at_door() || after > verified, "{step:?} left no verification");
        }
    }

    /// Whoever takes back what they did last, step by step, comes back to every state before: merges included.
    #[test]
    fn undoing_restores(steps in prop::collection::vec(random(true), 1..25), keep in 0usize..5) {
        let mut store = store(1);
        let doors = doors_of(&mut store);
        let mut before = Vec::new();
        for (n, step) in steps.iter().enumerate().filter(|(_, step)| step.is_operation()) {
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
