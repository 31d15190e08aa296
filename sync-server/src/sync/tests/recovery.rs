use gridwalk_model::{AccessClass, Kind, RecordId, StreamId, Timestamp, Value};
use gridwalk_replica::admission::Verdict;
use gridwalk_replica::wire::{Compare, Held, Push};

use crate::storage::Storage;
use crate::storage::sqlite::{SqliteOptions, SqliteStorage};
use crate::testing::{BIRTH, Phone, World};

fn base(area: RecordId) -> StreamId {
    StreamId::Area { area, class: AccessClass::Base }
}

/// What the phone holds of a stream, for a comparison.
fn compare(phone: &Phone, stream: &StreamId) -> Compare {
    let index = phone.streams.iter().position(|held| held.id == *stream).unwrap();
    let held = phone.streams[index]
        .members
        .keys()
        .map(|id| {
            let print = gridwalk_replica::digest::Fingerprint::of(*id, &phone.heads(*id));
            Held { record: (*id.as_bytes()).into(), fingerprint: print.0.into() }
        })
        .collect();
    Compare { stream: u32::try_from(index).unwrap(), after: None, through: None, held }
}

fn history(phone: &Phone, id: RecordId) -> Push {
    let (kind, document) = &phone.records[&id];
    Push {
        record: (*id.as_bytes()).into(),
        kind: kind.tag().to_owned(),
        hint: phone.home(),
        changes: document.changes_since(&[]).into_iter().map(|change| change.raw.into()).collect(),
        history: true,
    }
}

/// A world on a file, and where a copy of it goes.
fn world_in(folder: &std::path::Path) -> (World, std::path::PathBuf) {
    let live = SqliteStorage::open(&folder.join("live.db"), &SqliteOptions::default(), &BIRTH).unwrap();
    (World::on(live), folder.join("copy.db"))
}

/// Puts a copy in place of the store, silently.
fn put_back(world: &mut World, copy: &std::path::Path) {
    let copy = SqliteStorage::open(copy, &SqliteOptions::default(), &BIRTH).unwrap();
    world.storage = std::sync::Arc::new(copy);
}

#[test]
fn a_store_that_went_back_in_time_is_found_out_and_healed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut world, copy) = world_in(folder.path());
    let g1 = world.area("g1");
    let (mut a, mut b) = (world.worker("甲", &[g1]), world.worker("乙", &[g1]));
    a.sync(&world);
    b.sync(&world);
    let old = a.create(&world, Kind::Dwelling, &[("area", g1.into())]);
    a.sync(&world);
    assert_eq!(
        world.storage.back_up(&copy).unwrap(),
        world.store().view(|tx| tx.server()).unwrap().commit_no
    );
    let young = b.create(&world, Kind::Dwelling, &[("area", g1.into())]);
    b.sync(&world);
    a.sync(&world);
    a.edit(&world, old, &[("room", "丢了".into())]);
    a.sync(&world);
    let kept = [old, young].map(|id| a.records[&id].clone());

    // The machine is rolled back to the copy, silently.
    put_back(&mut world, &copy);
    let before = world.store().view(|tx| tx.server()).unwrap().epoch;
    let response = a.once(&world);
    assert_ne!(*response.epoch, before);
    assert!(response.verdicts.is_empty() && response.streams.is_empty());
    let alarm = &world.store().view(|tx| tx.alarms(1)).unwrap()[0];
    assert_eq!((alarm.action.as_str(), alarm.alarm), ("server.rolled_back", true));
    a.once(&world);

    // The other phone, still of the old epoch, begins again as well; nothing of its request is read.
    b.edit(&world, young, &[("floor", Value::Int(2))]);
    let response = b.once(&world);
    assert!(response.verdicts.is_empty());
    assert_eq!(b.outbox.len(), 1);

    // A's own lost edit comes back from its history; B's record only from B while recovery is closed.
    let stream = base(g1);
    let index = a.streams.iter().position(|held| held.id == stream).unwrap();
    for (id, document) in [old, young].into_iter().zip(kept) {
        // A real phone drops nothing on a new epoch; this one is simpler.
        a.records.insert(id, document);
        let print = gridwalk_replica::digest::Fingerprint::of(id, &a.heads(id));
        a.streams[index].members.insert(id, print);
    }
    let mut request = a.build(None);
    request.compare = Some(compare(&a, &stream));
    let response = world.request(a.device, request).unwrap();
    let wants: Vec<RecordId> = response.wants.iter().map(|id| RecordId::from_bytes(**id)).collect();
    assert_eq!(wants.len(), 2);
    assert!(wants.contains(&old) && wants.contains(&young));
    let mut request = a.build(None);
    request.pushes = vec![history(&a, old), history(&a, young)];
    let response = world.request(a.device, request).unwrap();
    assert_eq!(response.verdicts[0], [Verdict::Duplicate, Verdict::Accepted]);
    assert_eq!(response.verdicts[1], [Verdict::Forbidden]);
    assert_eq!(world.store().view(|tx| tx.quarantine_open()).unwrap(), 0, "not A's work");

    recovery_brings_back_what_others_made(&world, &mut a, &mut b, (old, young));
}

/// Once an operator opens recovery, A's copy of B's record is taken, and marked.
fn recovery_brings_back_what_others_made(
    world: &World,
    a: &mut Phone,
    b: &mut Phone,
    (old, young): (RecordId, RecordId),
) {
    world.storage.write(&mut |tx| tx.set_recovery(Timestamp::from_millis(i64::MAX))).unwrap();
    let mut request = a.build(None);
    request.pushes = vec![history(a, young)];
    let response = world.request(a.device, request).unwrap();
    assert_eq!(response.verdicts[0], [Verdict::Accepted]);
    let rows = world.store().view(|tx| tx.audit(0, 1_000)).unwrap();
    assert!(rows.iter().any(|row| row.action == "recovery.accepted" && row.target == young.to_string()));
    b.sync(world);
    assert_eq!(b.get(old, "room"), Some(Value::from("丢了")));
    let area = a.streams.iter().find_map(|held| match held.id {
        StreamId::Area { area, class: AccessClass::Base } => Some(area),
        _ => None,
    });
    world.digest(&base(area.unwrap()));
}

#[test]
fn a_rollback_is_found_out_after_its_numbers_were_overtaken() {
    let folder = tempfile::tempdir().unwrap();
    let (mut world, path) = world_in(folder.path());
    let g1 = world.area("g1");
    let (mut a, mut b) = (world.worker("甲", &[g1]), world.worker("乙", &[g1]));
    a.sync(&world);
    b.sync(&world);
    world.storage.back_up(&path).unwrap();
    a.create(&world, Kind::Dwelling, &[("area", g1.into())]);
    a.sync(&world);
    put_back(&mut world, &path);
    for _ in 0..4 {
        b.create(&world, Kind::Dwelling, &[("area", g1.into())]);
        b.sync(&world);
    }
    let server = world.store().view(|tx| tx.server()).unwrap();
    assert!(server.commit_no > a.seen.unwrap().commit, "the numbers say nothing any more");
    assert_eq!(world.store().view(|tx| tx.alarms(1)).unwrap().len(), 0);
    let response = a.once(&world);
    assert_ne!(*response.epoch, server.epoch);
    assert_eq!(world.store().view(|tx| tx.alarms(1)).unwrap()[0].action, "server.rolled_back");
}

#[test]
fn two_phones_that_find_the_rollback_start_one_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let (mut world, path) = world_in(folder.path());
    let g1 = world.area("g1");
    let mut a = world.worker("甲", &[g1]);
    a.sync(&world);
    world.storage.back_up(&path).unwrap();
    a.create(&world, Kind::Dwelling, &[("area", g1.into())]);
    a.sync(&world);
    put_back(&mut world, &path);
    let principal = world.principal(a.device).unwrap();
    let prepare = || {
        let request = a.build(None);
        let prepared = world.store().view(|tx| crate::sync::prepare(tx, &principal, request, world.now()));
        match prepared.unwrap() {
            crate::sync::Prepared::Pending(pending) => pending,
            crate::sync::Prepared::Answered(_) => panic!("rollback was not seen"),
        }
    };
    let (mut first, mut second) = (prepare(), prepare());
    let context = crate::sync::Context { now: world.now(), entropy: &*world.entropy };
    let mut epochs = Vec::new();
    for pending in [&mut first, &mut second] {
        let done = world.store().update(|tx| crate::sync::commit(tx, pending, context)).unwrap();
        let answer = world.store().view(|tx| crate::sync::answer(tx, pending, Some(&done), world.now()));
        epochs.push(*answer.unwrap().epoch);
    }
    assert_eq!(epochs[0], epochs[1]);
    assert_eq!(world.store().view(|tx| tx.alarms(10)).unwrap().len(), 1);
}

#[test]
fn a_difference_that_does_not_heal_raises_one_alarm() {
    let world = World::new();
    let g1 = world.area("g1");
    let mut a = world.worker("甲", &[g1]);
    a.sync(&world);
    let door = a.create(&world, Kind::Dwelling, &[("area", g1.into())]);
    a.sync(&world);
    let mut bad = compare(&a, &base(g1));
    bad.held[0].fingerprint = [9; 16].into();
    for round in 1..=4 {
        let mut request = a.build(None);
        request.compare = Some(bad.clone());
        let response = world.request(a.device, request).unwrap();
        assert_eq!(response.wants.len(), 1);
        assert_eq!(*response.pulls[0].record, *door.as_bytes());
        let alarms = world.store().view(|tx| tx.alarms(10)).unwrap().len();
        assert_eq!(alarms, usize::from(round >= 3), "round {round}");
    }
    let mut request = a.build(None);
    request.compare = Some(compare(&a, &base(g1)));
    let response = world.request(a.device, request).unwrap();
    assert!(response.wants.is_empty() && response.pulls.is_empty());
    let no = world.store().view(|tx| tx.stream(&base(g1))).unwrap().unwrap().no;
    let device = world.principal(a.device).unwrap().device_no;
    assert_eq!(world.store().view(|tx| tx.divergence(device, no, None)).unwrap(), None);
}

#[test]
fn a_comparison_tells_what_left_and_what_is_lacking() {
    let world = World::new();
    let (g1, g2) = (world.area("g1"), world.area("g2"));
    let mut a = world.worker("甲", &[g1, g2]);
    a.sync(&world);
    let stays = a.create(&world, Kind::Dwelling, &[("area", g1.into())]);
    let goes = a.create(&world, Kind::Dwelling, &[("area", g1.into())]);
    a.sync(&world);
    let mut full = compare(&a, &base(g1));
    a.edit(&world, goes, &[("area", g2.into())]);
    a.sync(&world);
    full.held.retain(|held| *held.record != *stays.as_bytes());
    let mut request = a.build(None);
    request.compare = Some(full);
    let response = world.request(a.device, request).unwrap();
    assert_eq!(response.pulls.len(), 1);
    assert_eq!(*response.pulls[0].record, *stays.as_bytes());
    assert_eq!(response.removals.len(), 1);
    assert_eq!(*response.removals[0].record, *goes.as_bytes());
    assert!(response.wants.is_empty());
}
