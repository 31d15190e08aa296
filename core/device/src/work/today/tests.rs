//! What is due, how it is settled, and that the table follows every write.

use gridwalk_model::event::{Action, LogEntry};
use gridwalk_model::geo::{Position, PositionSource};
use gridwalk_model::records::task::{Task, TaskKind, TaskState};
use gridwalk_model::records::visit::{Visit, VisitResult};
use gridwalk_model::records::{Inspection, Place, Record, RectificationOrder};
use gridwalk_model::{Fields, Kind, Value};
use gridwalk_replica::{Actor, Document};
use jiff::civil::Date;
use proptest::prelude::*;

use super::*;
use crate::testkit::{GRID, USER, device, dwelling, fields, store};

const DAY: i64 = DAY_MS;

/// 2026-03-03 10:00 in China, and so many days later.
pub(super) fn day(n: i64) -> Timestamp {
    Timestamp::from_millis(1_772_503_200_000 + n * DAY)
}

pub(super) fn date(n: i64) -> Date {
    FieldRules::default().local().day_of(day(n)).unwrap()
}

pub(super) fn made<T: Record>(pairs: Vec<(&str, Value)>) -> T {
    let all: Fields = pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    T::from_fields(&all).unwrap()
}

fn task(kind: TaskKind, target: Option<RecordId>, due: Option<Timestamp>) -> Task {
    let mut pairs = vec![
        ("area", Value::from(GRID)),
        ("task_kind", Value::from(kind.word())),
        ("title", Value::from("样例任务")),
    ];
    pairs.extend(target.map(|target| ("target", Value::from(target))));
    pairs.extend(due.map(|due| ("due", Value::Time(due))));
    made(pairs)
}

pub(super) fn visit(target: RecordId, at: Timestamp, result: VisitResult, next: Option<Date>) -> Visit {
    let mut pairs = vec![
        ("target", Value::from(target)),
        ("by", Value::from(USER)),
        ("at", Value::Time(at)),
        ("result", Value::from(result.word())),
    ];
    pairs.extend(next.map(|next| ("next_due", Value::from(next.to_string()))));
    made(pairs)
}

pub(super) fn home(building: &str, room: &str, north_m: f64) -> gridwalk_model::records::Dwelling {
    let mut home = dwelling(building, room);
    home.position = Position::wgs84(36.1 + north_m / 111_200.0, 120.47, Some(5.0), PositionSource::Gps).ok();
    home
}

fn kinds(today: &Today) -> Vec<(DueKind, DueGroup)> {
    today.items.iter().map(|item| (item.kind, item.group)).collect()
}

#[test]
fn overdue_is_on_top_then_today_then_the_next_days_and_later_is_not_shown() {
    let mut store = store(1);
    for due in [Some(day(2)), None, Some(day(0).plus_millis(3_600_000)), Some(day(-2)), Some(day(9))] {
        store.create(&task(TaskKind::Visit, None, due), day(-3)).unwrap();
    }
    let today = store.today(day(0), None, 50).unwrap();
    let groups: Vec<_> = today.items.iter().map(|item| item.group).collect();
    assert_eq!(groups, [DueGroup::Overdue, DueGroup::Today, DueGroup::Soon, DueGroup::Undated]);
    assert_eq!(today.items[0].reasons[0].zh, "下达的任务，已逾期 2 天");
    assert_eq!(today.items[0].title.zh, "样例任务");
    assert!(!today.more);
    let short = store.today(day(0), None, 2).unwrap();
    assert!(short.more && short.items.len() == 2 && short.items[0].group == DueGroup::Overdue);
}

#[test]
fn each_part_is_in_walking_order_from_here() {
    let mut store = store(1);
    let mut doors = Vec::new();
    for (building, room, north) in
        [("9号楼", "101", 400.0), ("2号楼", "301", 3.0), ("2号楼", "101", 1.0), ("4号楼", "101", 90.0)]
    {
        doors.push(store.create(&home(building, room, north), day(-9)).unwrap());
    }
    for door in &doors {
        store
            .create(&task(TaskKind::Verification, Some(*door), Some(day(0).plus_millis(60_000))), day(-1))
            .unwrap();
    }
    let here = Some(LatLon { lat: 36.1, lon: 120.47 });
    let walked: Vec<_> = store.today(day(0), here, 9).unwrap().items.iter().map(|item| item.target).collect();
    assert_eq!(walked, [doors[2], doors[1], doors[3], doors[0]]);
    let far = Some(LatLon { lat: 36.1 + 410.0 / 111_200.0, lon: 120.47 });
    let walked: Vec<_> = store.today(day(0), far, 9).unwrap().items.iter().map(|item| item.target).collect();
    assert_eq!(walked, [doors[0], doors[3], doors[2], doors[1]]);
}

#[test]
fn places_are_inspected_at_intervals_and_orders_are_rechecked() {
    let mut store = store(1);
    let place: Place = made(vec![
        ("area", Value::from(GRID)),
        ("name", Value::from("样例小吃店")),
        ("category", Value::from("restaurant")),
        ("inspection_interval_days", Value::Int(30)),
    ]);
    let place = store.create(&place, day(-90)).unwrap();
    let today = store.today(day(0), None, 9).unwrap();
    assert_eq!(kinds(&today), [(DueKind::Inspection, DueGroup::Today)]);
    assert_eq!(today.items[0].reasons[0].en, "Never inspected");
    let inspection = |ended: i64| -> Inspection {
        made(vec![
            ("place", Value::from(place)),
            ("checklist", Value::from(RecordId::from_bytes([3; 16]))),
            ("inspector", Value::from(USER)),
            ("started_at", Value::Time(day(ended))),
            ("ended_at", Value::Time(day(ended))),
        ])
    };
    let id = store.create(&inspection(-40), day(-40)).unwrap();
    let today = store.today(day(0), None, 9).unwrap();
    assert_eq!(today.items[0].reasons[0].zh, "检查周期已到，已逾期 10 天");
    let later = store.create(&inspection(-20), day(-20)).unwrap();
    assert_eq!(store.today(day(0), None, 9).unwrap().items, []);
    store.remove(later, day(0)).unwrap();
    assert_eq!(store.today(day(0), None, 9).unwrap().items[0].due, Some(day(-10)), "as before");
    let longer = Fields::from([("inspection_interval_days".to_owned(), Value::Int(41))]);
    store.edit(place, &longer, day(0)).unwrap();
    assert_eq!(store.today(day(0), None, 9).unwrap().items[0].due, Some(day(1)));
    store.edits(day(0), |edits| edits.restore(later)).unwrap();
    assert_eq!(store.today(day(0), None, 9).unwrap().items, []);
    let order: RectificationOrder = made(vec![
        ("inspection", Value::from(id)),
        ("deadline", Value::from(date(-1).to_string())),
        ("issued_by", Value::from(USER)),
        ("issued_at", Value::Time(day(-9))),
    ]);
    let order = store.create(&order, day(-9)).unwrap();
    let today = store.today(day(0), None, 9).unwrap();
    assert_eq!(kinds(&today), [(DueKind::Recheck, DueGroup::Overdue)]);
    assert_eq!(today.items[0].title.zh, "样例小吃店");
    let settled = Fields::from([("settled_by".to_owned(), Value::from(id))]);
    store.edit(order, &settled, day(0)).unwrap();
    assert_eq!(store.today(day(0), None, 9).unwrap().items, []);
}

#[test]
fn other_peoples_tasks_are_not_mine_and_done_ones_are_gone() {
    let mut store = store(1);
    let mut other = task(TaskKind::Visit, None, Some(day(0)));
    other.assignee = Some(RecordId::from_bytes([9; 16]));
    store.create(&other, day(-1)).unwrap();
    let mut mine = task(TaskKind::Inspection, None, Some(day(0)));
    mine.assignee = Some(USER);
    let id = store.create(&mine, day(-1)).unwrap();
    assert_eq!(store.today(day(0), None, 9).unwrap().items.len(), 1);
    mine.state = Some(TaskState::Done);
    store.edits(day(0), |edits| edits.save(id, &mine)).unwrap();
    assert_eq!(store.today(day(0), None, 9).unwrap().items, []);
    mine.state = Some(TaskState::Open);
    store.edits(day(0), |edits| edits.save(id, &mine)).unwrap();
    store.remove(id, day(0)).unwrap();
    assert_eq!(store.today(day(0), None, 9).unwrap().items, []);
}

#[test]
fn what_was_not_accepted_is_on_top_until_it_is_settled() {
    let mut store = store(1);
    let door = store.create(&home("1号楼", "1", 0.0), day(-2)).unwrap();
    store.create(&task(TaskKind::Visit, None, Some(day(-1))), day(-2)).unwrap();
    let reason = crate::store::RefusedReason::ChangedMeanwhile;
    store
        .write(Commit::Apply, |tx| {
            tx.list_refused(door, "dwelling", "remarks", &Value::from("甲"), reason, day(-2))
        })
        .unwrap();
    let today = store.today(day(0), None, 9).unwrap();
    assert_eq!((today.items[0].kind, today.items[0].group), (DueKind::Returned, DueGroup::Overdue));
    assert!(matches!(store.dismiss_due(&today.items[0].clone()), Err(DeviceError::NotInTray)));
    let n = store.refused_edits().unwrap()[0].n;
    store.settle_refused(n).unwrap();
    assert_eq!(store.today(day(0), None, 9).unwrap().items.len(), 1);
}

/// An event that this worker reported and that was not taken on, as it comes from the server.
fn rejected(store: &mut Store, now: Timestamp) -> RecordId {
    let id = RecordId::from_parts(now, [7; 10]);
    let report = LogEntry {
        category: Some("litter".into()),
        ..LogEntry::new(RecordId::from_parts(now, [8; 10]), None, now, USER, Action::Report)
    };
    let reject = LogEntry {
        reason: Some("不属本级（虚构）".into()),
        unit: Some(RecordId::from_bytes([0x51; 16])),
        ..LogEntry::new(RecordId::from_parts(now, [9; 10]), Some(report.id), now, USER, Action::Reject)
    };
    let mut fields = Fields::from([
        ("area".to_owned(), Value::from(GRID)),
        ("category".to_owned(), Value::from("litter")),
        ("address".to_owned(), Value::from("东门（虚构）")),
        ("reporter".to_owned(), Value::from(USER)),
    ]);
    fields.extend([&report, &reject].map(|entry| (entry.key(), entry.to_value())));
    let actor = Actor::new(device(200), [2; 4]);
    let (document, change) = Document::create(id, Kind::Event, &fields, actor, now).unwrap();
    let put = |tx: &mut crate::store::Tx<'_>| {
        tx.put_record(id, "event", None, &document, crate::store::Body::Snapshot(&change.raw)).map(drop)
    };
    store.write(Commit::Apply, put).unwrap();
    id
}

#[test]
fn a_report_that_was_not_taken_on_is_taken_off_the_list_and_put_back() {
    let mut store = store(1);
    let event = rejected(&mut store, day(-1));
    let today = store.today(day(0), None, 9).unwrap();
    let item = today.items[0].clone();
    assert_eq!((item.record, item.source, item.kind), (event, DueSource::Rejected, DueKind::Returned));
    let early = store.restore_due(&item);
    assert!(matches!(early, Err(DeviceError::NotInTray)), "{early:?}");
    store.dismiss_due(&item).unwrap();
    assert_eq!(store.today(day(0), None, 9).unwrap().items, []);
    store.restore_due(&item).unwrap();
    assert_eq!(store.today(day(0), None, 9).unwrap(), today);
    store.dismiss_due(&item).unwrap();
    let mut store = store.reopened().unwrap();
    assert_eq!(store.today(day(0), None, 9).unwrap().items, [], "it was seen");
    let again = TodayItem { due: Some(day(0)), ..item.clone() };
    assert!(matches!(store.restore_due(&again), Err(DeviceError::NotInTray)), "that has not happened");
    let task = TodayItem { source: DueSource::Task, ..item };
    assert!(matches!(store.restore_due(&task), Err(DeviceError::NotInTray)), "that has to be done");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// However records come, change, go and come back, the table is what it would be if it were drawn anew.
    #[test]
    fn the_table_follows_every_write(acts in prop::collection::vec((0u8..6, 0usize..6, -5i64..8), 1..30)) {
        let mut store = store(1);
        let mut all: Vec<RecordId> = vec![store.create(&home("1号楼", "1", 0.0), day(-9)).unwrap()];
        for (what, which, n) in acts {
            let target = all[which % all.len()];
            let kind = store.fields(target).unwrap().unwrap().0;
            let door = all[0];
            match what {
                0 => all.push(store.create(&task(TaskKind::Visit, Some(door), Some(day(n))), day(0)).unwrap()),
                1 => all.push(store.create(&visit(door, day(n), VisitResult::Met, Some(date(n + 1))), day(0)).unwrap()),
                2 if target != door => { store.remove(target, day(0)).unwrap(); }
                3 => { store.edits(day(0), |edits| edits.restore(target)).unwrap(); }
                4 if kind == Kind::Task.tag() => {
                    let state = if n % 2 == 0 { "done" } else { "open" };
                    store.edit(target, &fields(&[("state", state)]), day(0)).unwrap();
                }
                5 if kind == Kind::Task.tag() => {
                    let due = Fields::from([("due".to_owned(), Value::Time(day(n)))]);
                    store.edit(target, &due, day(0)).unwrap();
                }
                _ => {}
            }
        }
        let (rows, list) = (store.due_rows_for_test(), store.today(day(0), None, 99).unwrap());
        store.forget_projections_for_test();
        prop_assert!(store.due_rows_for_test().is_empty());
        let store = store.reopened().unwrap();
        prop_assert_eq!(store.due_rows_for_test(), rows);
        prop_assert_eq!(store.today(day(0), None, 99).unwrap(), list);
    }
}
