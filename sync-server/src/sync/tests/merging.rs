use gridwalk_model::{AccessClass, Kind, StreamId, Value};
use gridwalk_replica::admission::Verdict;
use gridwalk_replica::conflict::conflicts;
use gridwalk_replica::wire::PullBody;

use crate::testing::World;

fn base(area: gridwalk_model::RecordId) -> StreamId {
    StreamId::Area { area, class: AccessClass::Base }
}

#[test]
fn a_new_record_reaches_the_other_phone_and_comes_back_as_known() {
    let world = World::new();
    let area = world.area("g1");
    let mut a = world.worker("甲", &[area]);
    let mut b = world.worker("乙", &[area]);
    a.sync(&world);
    b.sync(&world);
    let door = a.create(&world, Kind::Dwelling, &[("area", area.into()), ("room", "101".into())]);
    let response = a.once(&world);
    assert_eq!(response.verdicts, [[Verdict::Accepted]]);
    assert_eq!(response.pulls.len(), 1);
    assert_eq!(response.pulls[0].body, PullBody::Known);
    b.sync(&world);
    assert_eq!(b.get(door, "room"), Some(Value::from("101")));
    world.digest(&base(area));
}

#[test]
fn an_edit_travels_as_a_raw_change_and_a_stranger_gets_the_snapshot() {
    let world = World::new();
    let area = world.area("g1");
    let mut a = world.worker("甲", &[area]);
    let mut b = world.worker("乙", &[area]);
    a.sync(&world);
    let door = a.create(&world, Kind::Dwelling, &[("area", area.into()), ("room", "101".into())]);
    a.sync(&world);
    b.sync(&world);
    a.edit(&world, door, &[("room", "102".into())]);
    let sent = a.outbox[0].2.clone();
    a.sync(&world);
    let response = b.once(&world);
    assert_eq!(response.pulls[0].body, PullBody::Changes(vec![sent.into()]));
    assert_eq!(b.get(door, "room"), Some(Value::from("102")));
    let mut late = world.worker("丙", &[area]);
    late.once(&world);
    let response = late.once(&world);
    let pull = response.pulls.iter().find(|pull| *pull.record == *door.as_bytes()).unwrap();
    assert!(matches!(pull.body, PullBody::Snapshot(_)));
}

#[test]
fn different_fields_merge_and_the_same_field_keeps_both() {
    let world = World::new();
    let area = world.area("g1");
    let mut a = world.worker("甲", &[area]);
    let mut b = world.worker("乙", &[area]);
    a.sync(&world);
    let door = a.create(&world, Kind::Dwelling, &[("area", area.into()), ("room", "101".into())]);
    a.sync(&world);
    b.sync(&world);
    a.edit(&world, door, &[("remarks", "甲说".into()), ("floor", Value::Int(1))]);
    b.edit(&world, door, &[("remarks", "乙说".into()), ("unit", "2单元".into())]);
    a.sync(&world);
    b.sync(&world);
    a.sync(&world);
    for phone in [&a, &b] {
        assert_eq!(phone.get(door, "floor"), Some(Value::Int(1)));
        assert_eq!(phone.get(door, "unit"), Some(Value::from("2单元")));
        assert_eq!(conflicts(&phone.records[&door].1).len(), 1);
    }
    assert_eq!(a.heads(door), b.heads(door));
    a.edit(&world, door, &[("remarks", "甲说".into())]);
    a.sync(&world);
    b.sync(&world);
    assert!(conflicts(&b.records[&door].1).is_empty());
}

#[test]
fn a_lost_answer_is_harmless() {
    let world = World::new();
    let area = world.area("g1");
    let mut a = world.worker("甲", &[area]);
    a.sync(&world);
    let door = a.create(&world, Kind::Dwelling, &[("area", area.into())]);
    let request = a.build(a.home());
    let lost = world.request(a.device, request).unwrap();
    assert_eq!(lost.verdicts, [[Verdict::Accepted]]);
    let again = a.once(&world);
    assert_eq!(again.verdicts, [[Verdict::Duplicate]]);
    assert!(a.holds(&base(area), door));
    a.sync(&world);
}

#[test]
fn an_idle_sync_writes_nothing() {
    let world = World::new();
    let area = world.area("g1");
    let mut a = world.worker("甲", &[area]);
    a.create(&world, Kind::Dwelling, &[("area", area.into())]);
    a.sync(&world);
    let before = world.store().view(|tx| tx.server()).unwrap();
    let response = a.once(&world);
    assert_eq!((response.pulls.len(), response.more, response.grants), (0, false, None));
    assert!(response.streams.iter().all(|state| state.digest.is_some()));
    assert_eq!(world.store().view(|tx| tx.server()).unwrap(), before);
    let idle = gridwalk_replica::frame::encode(&a.build(None)).unwrap();
    assert!(idle.len() <= 200, "request has {} bytes", idle.len());
    let answer = gridwalk_replica::frame::encode(&a.once(&world)).unwrap();
    assert!(answer.len() <= 200, "answer has {} bytes", answer.len());
    assert_eq!(a.streams.len(), 4);
}

#[test]
fn pages_are_cut_at_the_budget_and_resume() {
    let world = World::new();
    let area = world.area("g1");
    let mut a = world.worker("甲", &[area]);
    a.sync(&world);
    for room in 0..120 {
        let remarks = format!("{room}").repeat(150);
        a.create(&world, Kind::Dwelling, &[("area", area.into()), ("remarks", remarks.into())]);
    }
    a.sync(&world);
    let mut b = world.worker("乙", &[area]);
    b.max_bytes = 16 * 1024;
    let mut rounds = 0;
    while b.once(&world).more || rounds < 2 {
        rounds += 1;
    }
    assert!(rounds > 3, "{rounds}");
    assert_eq!(b.stream(&base(area)).members.len(), 120);
}

#[test]
fn a_long_tail_is_cut_and_late_phones_get_the_snapshot() {
    let world = World::new();
    let area = world.area("g1");
    let mut a = world.worker("甲", &[area]);
    let mut b = world.worker("乙", &[area]);
    a.sync(&world);
    let door = a.create(&world, Kind::Dwelling, &[("area", area.into())]);
    a.sync(&world);
    b.sync(&world);
    for round in 0..40 {
        a.edit(&world, door, &[("floor", Value::Int(round))]);
        a.sync(&world);
    }
    let head = world.store().view(|tx| tx.record(door)).unwrap().unwrap();
    let tail = world.store().view(|tx| tx.tail(head.no, 0)).unwrap();
    assert!(tail.len() <= 24, "{}", tail.len());
    assert_eq!(tail.len(), head.tail_count as usize);
    let response = b.once(&world);
    assert!(matches!(response.pulls[0].body, PullBody::Snapshot(_)));
    assert_eq!(b.get(door, "floor"), Some(Value::Int(39)));
}

#[test]
fn the_server_adds_receipts_to_an_events_log() {
    use gridwalk_model::event::{Action, LogEntry, read_log};
    let world = World::new();
    let area = world.area("g1");
    let mut a = world.worker("甲", &[area]);
    a.sync(&world);
    let seen = world.now().plus_millis(-3_600_000);
    let entry = LogEntry::new(world.id(), None, seen, a.user, Action::Report);
    let fields = [
        ("area", area.into()),
        ("category", Value::from("fire")),
        ("address", Value::from("某处")),
        (&*entry.key(), entry.to_value()),
    ];
    let event = a.create(&world, Kind::Event, &fields);
    let response = a.once(&world);
    assert_eq!(response.verdicts, [[Verdict::Accepted]]);
    assert!(matches!(response.pulls[0].body, PullBody::Changes(ref changes) if changes.len() == 1));
    let (log, _) = read_log(&a.records[&event].1.fields());
    let receipt = log.iter().find(|e| matches!(e.action, Action::Received)).unwrap();
    assert_eq!((receipt.entry, receipt.received_at), (Some(entry.id), Some(world.now())));
    // Pushed again, nothing is added again.
    let mut again = world.worker("乙", &[area]);
    again.sync(&world);
    assert_eq!(read_log(&again.records[&event].1.fields()).0.len(), 2);
}
