//! My week, from records that were made on the phone.

use gridwalk_model::event::{Action, LogEntry};
use gridwalk_model::indicators::{Exclusion, FigureName};
use gridwalk_model::records::visit::{VisitPurpose, VisitResult};
use gridwalk_model::walk::PatrolRules;
use gridwalk_model::{Fields, Kind, Value};

use super::*;
use crate::testkit::{GRID, USER, dwelling, resident, store};
use crate::work::visits::VisitInput;

fn at(text: &str) -> Timestamp {
    let at: jiff::Timestamp = format!("{text}:00+08:00").parse().unwrap();
    Timestamp::from_millis(at.as_millisecond())
}

fn create(store: &mut Store, kind: Kind, now: Timestamp, pairs: &[(&str, Value)]) -> RecordId {
    let fields: Fields = pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    store.edits(now, |edits| edits.create_fields(kind, &fields)).unwrap()
}

fn live_in(store: &mut Store, door: RecordId, now: Timestamp) -> RecordId {
    let person = store.create(&resident("虚构乙", "19900000002"), now).unwrap();
    create(store, Kind::Residency, now, &[("resident", person.into()), ("dwelling", door.into())]);
    person
}

fn verify(store: &mut Store, door: RecordId, outcome: &str, now: Timestamp) -> RecordId {
    let pairs =
        [("target", door.into()), ("outcome", outcome.into()), ("by", USER.into()), ("at", Value::Time(now))];
    create(store, Kind::BaseVerification, now, &pairs)
}

fn event(store: &mut Store, source: &str, reported: bool, now: Timestamp) -> RecordId {
    let entry = LogEntry::new(RecordId::from_bytes([77; 16]), None, now, USER, Action::Report);
    let mut pairs = vec![
        ("area", GRID.into()),
        ("category", "litter".into()),
        ("address", "东门（虚构）".into()),
        ("source", source.into()),
        ("reporter", USER.into()),
        ("occurred_at", Value::Time(now)),
    ];
    let key = format!("log/{}", entry.id.to_hex());
    if reported {
        pairs.push((&key, Value::Bytes(entry.to_bytes())));
    }
    create(store, Kind::Event, now, &pairs)
}

fn figure(week: &MyWeek, name: FigureName) -> (Figure, Figure) {
    week.figures.iter().find(|(figure, _)| figure.name == name).unwrap().clone()
}

#[test]
fn every_figure_opens_the_records_that_it_counts() {
    let mut store = store(1);
    let long_ago = at("2025-11-20T09:00");
    let doors: Vec<RecordId> =
        (1..=4).map(|n| store.create(&dwelling("1", &format!("10{n}")), long_ago).unwrap()).collect();
    let people: Vec<RecordId> = doors[..3].iter().map(|door| live_in(&mut store, *door, long_ago)).collect();
    let vacant = Fields::from([("occupancy".to_owned(), Value::from("vacant"))]);
    store.edit(doors[3], &vacant, long_ago).unwrap();
    // Known since November: due on 20 May, a Wednesday.
    let checked = verify(&mut store, doors[0], "no_change", at("2026-05-18T09:00"));
    verify(&mut store, doors[1], "nobody_home", at("2026-05-18T09:05"));
    verify(&mut store, doors[2], "no_change", at("2026-05-12T09:00"));
    let declined = VisitInput::plain(people[1], VisitResult::Refused, VisitPurpose::Routine);
    let declined = store.record_visit(&declined, at("2026-05-19T10:00")).unwrap().visit;
    let moved = VisitInput::plain(doors[2], VisitResult::Moved, VisitPurpose::Routine);
    store.record_visit(&moved, at("2026-05-19T11:00")).unwrap();
    let reported = event(&mut store, "gridworker", true, at("2026-05-20T08:00"));
    let draft = event(&mut store, "gridworker", false, at("2026-05-20T08:10"));
    event(&mut store, "resident", true, at("2026-05-20T08:20"));
    // By telephone: the data is fresh, and nobody stood before the door.
    let by_phone = [
        ("target", doors[2].into()),
        ("outcome", "no_change".into()),
        ("method", "phone".into()),
        ("by", USER.into()),
        ("at", Value::Time(at("2026-05-19T12:00"))),
    ];
    let by_phone = create(&mut store, Kind::BaseVerification, at("2026-05-19T12:00"), &by_phone);
    store.start_patrol(GRID, at("2026-05-20T08:00")).unwrap();
    let patrol = store.end_patrol(None, &PatrolRules::default(), at("2026-05-20T09:00")).unwrap().id;

    let week = store.my_week(GRID, at("2026-05-20T18:00")).unwrap();
    let (reached, before) = figure(&week, FigureName::DoorsReached);
    let mut found: Vec<_> = reached.numerator.iter().map(|one| (one.what, one.by.clone())).collect();
    found.sort();
    let mut wanted = vec![(doors[0], vec![checked]), (doors[1], vec![declined])];
    wanted.sort();
    assert_eq!(found, wanted, "nobody home is not reached, declining is");
    assert_eq!((reached.out_of(), reached.percent()), (Some(3), Some(66)));
    assert_eq!(reached.excluded, [(doors[3], Exclusion::Vacant)]);
    assert_eq!((before.count(), before.out_of()), (1, Some(3)), "the week before, beside it");

    let (visits, _) = figure(&week, FigureName::VisitsDone);
    assert_eq!((visits.count(), visits.out_of()), (1, Some(2)));
    assert_eq!(visits.numerator[0].by, [declined], "whoever declined was visited");
    assert_eq!(visits.excluded, [(doors[2], Exclusion::Moved)]);

    let (fresh, _) = figure(&week, FigureName::BaseFresh);
    assert_eq!((fresh.count(), fresh.out_of()), (2, Some(4)));
    assert!(fresh.numerator.iter().any(|one| one.by.contains(&by_phone)));
    let (events, _) = figure(&week, FigureName::EventsReported);
    assert!(events.numerator.iter().any(|one| one.what == reported));
    assert_eq!(events.excluded, [(draft, Exclusion::Draft)]);
    assert_eq!(figure(&week, FigureName::SelfFound).0.percent(), Some(50));
    assert_eq!(figure(&week, FigureName::Patrols).0.numerator[0].by, [patrol]);
    // Another grid has nothing of it.
    let other = store.my_week(RecordId::from_bytes([70; 16]), at("2026-05-20T18:00"));
    assert!(other.unwrap().figures.iter().all(|(figure, _)| figure.count() == 0));
}

#[test]
fn doors_are_vacant_by_the_rule_of_the_board_and_reached_where_somebody_lived_that_day() {
    let mut store = store(1);
    let long_ago = at("2025-11-20T09:00");
    let doors: Vec<RecordId> =
        (1..=2).map(|n| store.create(&dwelling("1", &format!("10{n}")), long_ago).unwrap()).collect();
    let person = store.create(&resident("虚构丙", "19900000003"), long_ago).unwrap();
    let lives = |store: &mut Store, door: RecordId, from: &str, to: Option<&str>| {
        let mut pairs = vec![("resident", person.into()), ("dwelling", door.into()), ("from", from.into())];
        pairs.extend(to.map(|to| ("to", to.into())));
        create(store, Kind::Residency, long_ago, &pairs);
    };
    lives(&mut store, doors[0], "2025-01-01", Some("2026-05-19"));
    lives(&mut store, doors[1], "2026-05-19", None);
    // Somebody calls the new home empty without having seen that it was moved into.
    let vacant = Fields::from([("occupancy".to_owned(), Value::from("vacant"))]);
    store.edit(doors[1], &vacant, long_ago).unwrap();
    let duplicate = store.create(&resident("虚构丙", "19900000003"), long_ago).unwrap();
    let merged = Fields::from([("merged_into".to_owned(), Value::from(person))]);
    store.edit(duplicate, &merged, long_ago).unwrap();
    let declined = VisitInput::plain(duplicate, VisitResult::Refused, VisitPurpose::Routine);
    let declined = store.record_visit(&declined, at("2026-05-20T10:00")).unwrap().visit;

    let week = store.my_week(GRID, at("2026-05-20T18:00")).unwrap();
    let (reached, _) = figure(&week, FigureName::DoorsReached);
    assert_eq!((reached.excluded.len(), reached.out_of()), (0, Some(2)), "disputed is not vacant");
    let found: Vec<_> = reached.numerator.iter().map(|one| (one.what, one.by.clone())).collect();
    assert_eq!(found, [(doors[1], vec![declined])], "not the home that they had left the day before");
}
