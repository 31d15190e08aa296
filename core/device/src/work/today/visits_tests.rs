//! Visits on the list are those of the cadence: one rule, whatever was written in whichever order.

use gridwalk_model::Value;
use gridwalk_model::records::care_tag::Need;
use gridwalk_model::records::visit::VisitResult;
use gridwalk_model::records::{CareTag, Household, Place, Residency};
use gridwalk_model::visits::DueState;
use gridwalk_model::{Fields, Kind, RecordId};
use gridwalk_replica::{Actor, Document};
use jiff::civil::Date;
use proptest::prelude::*;

use super::tests::{date, day, home, made, visit};
use super::*;
use crate::store::{Body, Commit, Tx};
use crate::testkit::{GRID, USER, device, resident, store};
use crate::work::doors::{AtDoor, DoorAct, NewPerson};

/// Targets of the visits on the list, with their part of it.
fn listed(store: &Store, at: i64) -> Vec<(RecordId, DueGroup)> {
    let today = store.today(day(at), None, 999).unwrap();
    let visits = today.items.iter().filter(|item| item.source == DueSource::Cadence);
    let mut out: Vec<_> = visits.map(|item| (item.target, item.group)).collect();
    out.sort_unstable();
    out
}

/// What the cadence says of the same day.
fn told(store: &Store, at: i64) -> Vec<(RecordId, DueGroup)> {
    let today = date(at);
    let due = store.visits_due(day(at)).unwrap().into_iter();
    let due = due.filter(|due| matches!(due.state, DueState::Overdue | DueState::Soon));
    let group = |due: Date| match due {
        due if due < today => DueGroup::Overdue,
        due if due == today => DueGroup::Today,
        _ => DueGroup::Soon,
    };
    let mut out: Vec<_> = due.map(|due| (due.target, group(due.due.day))).collect();
    out.sort_unstable();
    out
}

fn lives(person: RecordId, door: RecordId, from: Option<i64>) -> Residency {
    let mut pairs = vec![("resident", Value::from(person)), ("dwelling", Value::from(door))];
    pairs.extend(from.map(|from| ("from", Value::from(date(from).to_string()))));
    made(pairs)
}

fn tag(person: RecordId, from: i64, until: i64) -> CareTag {
    made(vec![
        ("resident", Value::from(person)),
        ("need", Value::from(Need::LivingAlone.word())),
        ("service", Value::from("每月走访（虚构）")),
        ("purpose", Value::from("独居关爱（虚构）")),
        ("approver", Value::from(USER)),
        ("from", Value::from(date(from).to_string())),
        ("until", Value::from(date(until).to_string())),
    ])
}

fn set(store: &mut Store, record: RecordId, field: &str, value: Value, at: i64) {
    store.edit(record, &Fields::from([(field.to_owned(), value)]), day(at)).unwrap();
}

/// A cadence that the deployment distributes.
fn distribute(store: &mut Store, rules: &str, at: i64) -> RecordId {
    let id = RecordId::from_parts(day(at), [9; 10]);
    let fields = Fields::from([("rules".to_owned(), Value::from(rules))]);
    let actor = Actor::new(device(200), [1; 4]);
    let (document, change) = Document::create(id, Kind::VisitCadence, &fields, actor, day(at)).unwrap();
    let put = |tx: &mut Tx<'_>| {
        let old = tx.record(id)?;
        tx.put_record(id, Kind::VisitCadence.tag(), old.as_ref(), &document, Body::Snapshot(&change.raw))
    };
    store.write(Commit::Apply, put).unwrap();
    id
}

/// Somebody on the care list who has lived behind a door for long.
fn cared_for(store: &mut Store) -> (RecordId, RecordId) {
    let person = store.create(&resident("张三（虚构）", "1"), day(-60)).unwrap();
    let door = store.create(&home("3号楼", "501", 0.0), day(-60)).unwrap();
    store.create(&lives(person, door, Some(-900)), day(-60)).unwrap();
    store.create(&tag(person, -40, 300), day(-40)).unwrap();
    (person, door)
}

#[test]
fn who_is_visited_monthly_comes_back_every_month_and_the_door_every_half_year() {
    let mut store = store(1);
    let (person, door) = cared_for(&mut store);
    assert_eq!(listed(&store, 0), [(person, DueGroup::Overdue)]);
    let item = store.today(day(0), None, 9).unwrap().items.remove(0);
    assert_eq!(item.title.zh, "张三（虚构） · 阳光里3号楼501");
    assert!(item.point.is_some() && item.reasons[0].zh.starts_with("关爱走访，已逾期"));
    store.create(&visit(person, day(0), VisitResult::Met, None), day(0)).unwrap();
    assert_eq!(listed(&store, 1), []);
    // 2026-04-03 is a month after 2026-03-03.
    assert_eq!(listed(&store, 25), [(person, DueGroup::Soon)]);
    assert_eq!(listed(&store, 31), [(person, DueGroup::Today)]);
    assert_eq!(listed(&store, 32), [(person, DueGroup::Overdue)]);
    store.create(&visit(person, day(31), VisitResult::Refused, None), day(31)).unwrap();
    assert_eq!(listed(&store, 32), [], "declining is complete");
    assert_eq!(listed(&store, 62), [(person, DueGroup::Overdue)]);
    // Half a year after the last time that somebody there was met.
    assert!(listed(&store, 230).contains(&(door, DueGroup::Overdue)));
    assert_eq!(listed(&store, 310).len(), 1, "the tag has ended, the door remains");
}

#[test]
fn somebody_with_two_homes_is_looked_for_at_the_main_one() {
    let mut store = store(1);
    let (person, main) = cared_for(&mut store);
    let second = store.create(&home("9号楼", "101", 900.0), day(-60)).unwrap();
    let mut lodging = lives(person, second, Some(-30));
    lodging.secondary = Some(true);
    store.create(&lodging, day(-30)).unwrap();
    let title = |store: &Store| {
        let items = store.today(day(0), None, 9).unwrap().items;
        items.into_iter().find(|item| item.target == person).unwrap().title.zh
    };
    assert_eq!(title(&store), "张三（虚构） · 阳光里3号楼501");
    let moved = store.list_linked::<Residency>("dwelling", main).unwrap().remove(0).id;
    set(&mut store, moved, "to", Value::from(date(-5).to_string()), 0);
    assert_eq!(title(&store), "张三（虚构） · 阳光里9号楼101", "they left the other");
}

#[test]
fn rows_follow_the_local_time_of_the_deployment() {
    let mut store = store(1);
    let (person, _) = cared_for(&mut store);
    // 10:00 in China is the day before in the middle of the Pacific.
    store.create(&visit(person, day(0), VisitResult::Met, None), day(0)).unwrap();
    let rows = store.visit_rows_for_test();
    let limits = store.field_rules().unwrap();
    let far = FieldRules { utc_offset_minutes: -660, ..limits };
    store.write(Commit::Setting, |tx| tx.put_field_rules(&far)).unwrap();
    let moved = store.visit_rows_for_test();
    assert_ne!(moved, rows);
    store.forget_projections_for_test();
    assert_eq!(store.reopened().unwrap().visit_rows_for_test(), moved);
}

#[test]
fn an_agreed_day_goes_first_and_a_closed_door_settles_nothing() {
    let mut store = store(1);
    let (person, _) = cared_for(&mut store);
    store.create(&visit(person, day(-30), VisitResult::Met, Some(date(-1))), day(-30)).unwrap();
    let agreed = |store: &Store| store.today(day(0), None, 9).unwrap().items[0].reasons[0].zh.clone();
    assert_eq!(agreed(&store), "上次走访约定的时间，已逾期 1 天");
    let shut = store.create(&visit(person, day(0), VisitResult::NotHome, None), day(0)).unwrap();
    assert_eq!(listed(&store, 1), [], "it rests");
    assert_eq!(listed(&store, 3), listed(&store, 4));
    assert!(listed(&store, 3).contains(&(person, DueGroup::Overdue)));
    store.remove(shut, day(0)).unwrap();
    store.create(&visit(person, day(0), VisitResult::NotHome, Some(date(2))), day(0)).unwrap();
    assert!(listed(&store, 0).contains(&(person, DueGroup::Soon)), "another day was set");
    let refused = store.create(&visit(person, day(1), VisitResult::Refused, None), day(1)).unwrap();
    assert_eq!(listed(&store, 2), []);
    store.remove(refused, day(1)).unwrap();
    assert!(listed(&store, 2).contains(&(person, DueGroup::Today)), "undone");
}

#[test]
fn a_day_agreed_with_a_place_is_kept() {
    let mut store = store(1);
    let shop: Place = made(vec![
        ("area", Value::from(GRID)),
        ("name", Value::from("样例小吃店")),
        ("category", Value::from("restaurant")),
    ]);
    let shop = store.create(&shop, day(-9)).unwrap();
    store.create(&visit(shop, day(-9), VisitResult::Met, Some(date(1))), day(-9)).unwrap();
    assert_eq!(listed(&store, 0), [(shop, DueGroup::Soon)]);
    store.create(&visit(shop, day(0), VisitResult::Met, None), day(0)).unwrap();
    assert_eq!(listed(&store, 0), []);
}

#[test]
fn who_died_or_was_merged_is_not_on_the_list() {
    for merged in [false, true] {
        let mut store = store(1);
        let (person, _) = cared_for(&mut store);
        assert_eq!(listed(&store, 0), [(person, DueGroup::Overdue)]);
        let other = store.create(&resident("样例另一份", "19900000009"), day(-9)).unwrap();
        let (field, value, left) = if merged {
            ("merged_into", Value::from(other), vec![(other, DueGroup::Overdue)])
        } else {
            ("died_on", Value::from(date(-1).to_string()), Vec::new())
        };
        set(&mut store, person, field, value, 0);
        assert_eq!(listed(&store, 0), left, "{field}: who stands for both is told");
        set(&mut store, person, field, Value::Null, 0);
        assert_eq!(listed(&store, 0), [(person, DueGroup::Overdue)], "{field} taken back");
        store.remove(person, day(0)).unwrap();
        assert_eq!(listed(&store, 0), [], "removed");
    }
}

#[test]
fn newcomers_are_welcomed_once_a_door() {
    let mut store = store(1);
    let door = store.create(&home("1号楼", "1", 0.0), day(-10)).unwrap();
    for name in ["李四（虚构）", "王五（虚构）"] {
        let person = store.create(&resident(name, "2"), day(-10)).unwrap();
        store.create(&lives(person, door, Some(-10)), day(-10)).unwrap();
    }
    assert_eq!(listed(&store, 0), [(door, DueGroup::Soon)], "one line for both");
    assert_eq!(
        store.today(day(0), None, 9).unwrap().items[0].reasons[0].en,
        "Newly moved in and not visited yet"
    );
    let welcome = store.create(&visit(door, day(0), VisitResult::Met, None), day(0)).unwrap();
    assert_eq!(listed(&store, 20), []);
    store.remove(welcome, day(0)).unwrap();
    let one = store.list_linked::<Residency>("dwelling", door).unwrap().remove(0).record.resident;
    store.create(&visit(one, day(1), VisitResult::Met, None), day(1)).unwrap();
    assert_eq!(listed(&store, 20), [], "whoever opens is welcomed for all");
    // Whoever has lived there for long is no newcomer.
    let other = store.create(&home("1号楼", "2", 0.0), day(0)).unwrap();
    let person = store.create(&resident("赵六（虚构）", "3"), day(0)).unwrap();
    store.create(&lives(person, other, Some(-200)), day(0)).unwrap();
    assert_eq!(listed(&store, 20), []);
}

#[test]
fn a_newborn_has_not_moved_in() {
    let mut store = store(1);
    let (_, door) = cared_for(&mut store);
    let child = NewPerson { birth_date: Some(date(-2)), ..NewPerson::named("虚构新生儿") };
    let before = listed(&store, 9);
    store.at_door(&AtDoor::in_person(door), &DoorAct::Birth { child, household: None }, day(0)).unwrap();
    assert_eq!(listed(&store, 9), before);
    assert!(!before.iter().any(|(target, _)| *target == door));
}

#[test]
fn the_cadence_alone_says_how_soon() {
    let mut store = store(1);
    let (person, door) = cared_for(&mut store);
    let rules =
        "living_alone every 2 months\nnewcomer within 3 days\nnewcomer known 9 days\nsoon within 40 days";
    let first = distribute(&mut store, rules, 0);
    assert_eq!(listed(&store, 0), [(person, DueGroup::Soon)]);
    let second = distribute(&mut store, "household every 1 months", 1);
    assert_eq!(listed(&store, 0), [(door, DueGroup::Overdue)]);
    for own in [first, second] {
        store.write(Commit::Apply, |tx| tx.drop_record(own)).unwrap();
    }
    assert_eq!(listed(&store, 0), [(person, DueGroup::Overdue)]);
}

/// What happens to the records of a random story.
struct Story {
    store: Store,
    doors: Vec<RecordId>,
    people: Vec<RecordId>,
    /// Whatever may be visited.
    targets: Vec<RecordId>,
    /// Everything, to be taken away and brought back.
    all: Vec<RecordId>,
}

impl Story {
    fn begin() -> Self {
        let mut store = store(1);
        let doors: Vec<_> = ["1", "2"]
            .iter()
            .map(|room| store.create(&home("1号楼", room, 0.0), day(-300)).unwrap())
            .collect();
        let people: Vec<_> = ["1", "2", "3"]
            .iter()
            .map(|name| store.create(&resident(name, name), day(-300)).unwrap())
            .collect();
        let household: Household = made(vec![("dwelling", Value::from(doors[0]))]);
        let household = store.create(&household, day(-300)).unwrap();
        let all: Vec<_> = doors.iter().chain(&people).chain([&household]).copied().collect();
        Self { store, doors, people, targets: all.clone(), all }
    }

    fn act(&mut self, what: u8, one: usize, other: usize, from: i64, span: i64) {
        let door = self.doors[one % self.doors.len()];
        let person = self.people[other % self.people.len()];
        let target = self.targets[(one + other * 3) % self.targets.len()];
        let any = self.all[(one * 5 + other) % self.all.len()];
        let span_days = (span % 2 == 0).then(|| date(from + span.abs()));
        let made = match what {
            0 => self.store.create(&lives(person, door, (span % 3 > 0).then_some(from)), day(from.max(-9))),
            1 => self.store.create(&tag(person, from, from + span.abs()), day(0)),
            2 | 3 => {
                let results =
                    [VisitResult::Met, VisitResult::Refused, VisitResult::NotHome, VisitResult::Moved];
                let visit = visit(target, day(from), results[one % 4].clone(), span_days);
                self.store.create(&visit, day(0))
            }
            4 => return drop(self.store.remove(any, day(0))),
            5 => return drop(self.store.edits(day(0), |edits| edits.restore(any))),
            6 => return self.store.write(Commit::Apply, |tx| tx.drop_record(any)).unwrap(),
            7 => {
                let residency = self.store.list::<Residency>(None, 99).unwrap().entries;
                if let Some(entry) = residency.get(one % residency.len().max(1)) {
                    let to = span_days.map_or(Value::Null, |day| Value::from(day.to_string()));
                    drop(self.store.edit(entry.id, &Fields::from([("to".to_owned(), to)]), day(0)));
                }
                return;
            }
            8 => {
                let fields = [
                    ("died_on", Value::from(date(from).to_string())),
                    ("died_on", Value::Null),
                    ("merged_into", Value::from(self.people[one % self.people.len()])),
                    ("merged_into", Value::Null),
                    ("birth_date", Value::from(date(from - 5).to_string())),
                ];
                let (field, value) = fields[one % fields.len()].clone();
                return drop(self.store.edit(person, &Fields::from([(field.to_owned(), value)]), day(0)));
            }
            _ => {
                let rules =
                    ["living_alone every 2 months\nsoon within 30 days", "not_home again 1 days", "bad"];
                Ok(distribute(&mut self.store, rules[one % 3], other as i64))
            }
        };
        self.all.extend(made.ok());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// What is overdue or soon by the cadence is on the list, on every day, and nothing else; and the rows are those
    /// of a table drawn anew.
    #[test]
    fn the_list_and_the_cadence_agree(
        acts in prop::collection::vec((0u8..10, 0usize..9, 0usize..9, -200i64..60, -90i64..200), 1..25),
    ) {
        let mut story = Story::begin();
        for (what, one, other, from, span) in acts {
            story.act(what, one, other, from, span);
            for at in [0, 31, 183] {
                prop_assert_eq!(listed(&story.store, at), told(&story.store, at), "day {}", at);
            }
        }
        for at in (-250..260).step_by(13) {
            prop_assert_eq!(listed(&story.store, at), told(&story.store, at), "day {}", at);
        }
        let rows = story.store.visit_rows_for_test();
        story.store.forget_projections_for_test();
        prop_assert_eq!(story.store.reopened().unwrap().visit_rows_for_test(), rows);
    }
}
