use gridwalk_model::{AccessClass, Kind, RecordId, StreamId, Value};
use gridwalk_replica::admission::Verdict;

use crate::sync::{Context, REVOCATION_GRACE_MS, replace_due};
use crate::testing::{Phone, World};

fn base(area: RecordId) -> StreamId {
    StreamId::Area { area, class: AccessClass::Base }
}

fn sensitive(area: RecordId) -> StreamId {
    StreamId::Area { area, class: AccessClass::Sensitive }
}

fn door(phone: &mut Phone, world: &World, area: RecordId) -> RecordId {
    phone.create(world, Kind::Dwelling, &[("area", area.into())])
}

fn resident(phone: &mut Phone, world: &World, name: &str) -> RecordId {
    phone.create(world, Kind::Resident, &[("name", name.into())])
}

fn lives(phone: &mut Phone, world: &World, who: RecordId, at: RecordId) -> RecordId {
    phone.create(world, Kind::Residency, &[("resident", who.into()), ("dwelling", at.into())])
}

#[test]
fn a_phone_gets_nothing_of_a_foreign_area() {
    let world = World::new();
    let (g1, g2) = (world.area("g1"), world.area("g2"));
    let (mut a, mut b) = (world.worker("甲", &[g1]), world.worker("乙", &[g2]));
    a.sync(&world);
    b.sync(&world);
    let mine = door(&mut a, &world, g1);
    a.sync(&world);
    b.sync(&world);
    assert!(!b.records.contains_key(&mine));
    // Claimed cursors of a foreign stream bring nothing.
    let mut request = b.build(None);
    request.cursors[0].stream = base(g1).to_bytes().into();
    request.cursors[0].seq = 0;
    request.cursors[0].generation = 1;
    let response = world.request(b.device, request).unwrap();
    assert!(response.pulls.is_empty());
    assert_eq!(response.streams[0].digest, None);
}

#[test]
fn writing_into_a_foreign_area_is_forbidden_and_quarantined() {
    let world = World::new();
    let (g1, g2) = (world.area("g1"), world.area("g2"));
    let mut a = world.worker("甲", &[g1]);
    a.sync(&world);
    door(&mut a, &world, g2);
    let response = a.once(&world);
    assert_eq!(response.verdicts, [[Verdict::Forbidden]]);
    assert_eq!(world.store().view(|tx| tx.quarantine_open()).unwrap(), 1);
    assert!(world.store().view(|tx| tx.stream(&base(g2))).unwrap().is_none());
}

#[test]
fn the_common_stream_is_written_by_the_server_only() {
    let world = World::new();
    let g1 = world.area("g1");
    let mut a = world.worker("甲", &[g1]);
    a.sync(&world);
    let org = a.streams.iter().position(|held| held.id == StreamId::Org).unwrap();
    resident(&mut a, &world, "无处可去");
    let request = a.build(u32::try_from(org).ok());
    let response = world.request(a.device, request).unwrap();
    assert_eq!(response.verdicts, [[Verdict::Forbidden]]);
}

#[test]
fn an_unknown_record_and_a_foreign_one_answer_alike() {
    let world = World::new();
    let (g1, g2) = (world.area("g1"), world.area("g2"));
    let (mut a, mut b) = (world.worker("甲", &[g1]), world.worker("乙", &[g2]));
    a.sync(&world);
    b.sync(&world);
    let theirs = door(&mut a, &world, g1);
    let nobodys = world.id();
    for id in [theirs, nobodys] {
        b.create_as(&world, id, Kind::Dwelling, &[("area", g2.into())]);
        b.edit(&world, id, &[("room", "1".into())]);
    }
    // The first change of each is held back.
    b.outbox.remove(2);
    b.outbox.remove(0);
    a.sync(&world);
    let response = b.once(&world);
    assert_eq!(response.verdicts[0], response.verdicts[1]);
    assert_eq!(response.verdicts[0], [Verdict::MissingDeps]);
}

#[test]
fn a_resident_in_two_grids_is_on_both_phones_and_follows_the_dwelling() {
    let world = World::new();
    let (g1, g2, g3) = (world.area("g1"), world.area("g2"), world.area("g3"));
    let mut a = world.worker("甲", &[g1, g2]);
    let mut b = world.worker("乙", &[g2]);
    let mut c = world.worker("丙", &[g3]);
    a.sync(&world);
    let (first, second) = (door(&mut a, &world, g1), door(&mut a, &world, g2));
    let who = resident(&mut a, &world, "张三");
    let number = a.create(
        &world,
        Kind::ResidentId,
        &[("resident", who.into()), ("number", "990000193512237224".into())],
    );
    let one = lives(&mut a, &world, who, first);
    lives(&mut a, &world, who, second);
    a.sync(&world);
    assert!(a.holds(&base(g1), who) && a.holds(&base(g2), who));
    assert!(a.holds(&sensitive(g1), number) && a.holds(&sensitive(g2), number));
    b.sync(&world);
    assert!(b.holds(&base(g2), who) && b.holds(&sensitive(g2), number));
    // Out of the first grid: still on the second one's phone.
    a.edit(&world, one, &[("removed", Value::Flag(true))]);
    a.sync(&world);
    assert!(!a.holds(&base(g1), who) && a.holds(&base(g2), who));
    assert!(!a.holds(&sensitive(g1), number) && a.holds(&sensitive(g2), number));
    // The dwelling is re-assigned: everything behind its door follows.
    b.sync(&world);
    b.edit(&world, second, &[("area", g3.into())]);
    b.sync(&world);
    assert!(!b.holds(&base(g2), who) && !b.records.contains_key(&who));
    c.sync(&world);
    assert!(c.holds(&base(g3), who) && c.holds(&sensitive(g3), number));
    for stream in [base(g1), base(g2), base(g3), sensitive(g1), sensitive(g2), sensitive(g3)] {
        world.digest(&stream);
    }
}

#[test]
fn a_residency_cannot_draw_a_foreign_resident_in() {
    let world = World::new();
    let (g1, g2) = (world.area("g1"), world.area("g2"));
    let (mut a, mut b) = (world.worker("甲", &[g1]), world.worker("乙", &[g2]));
    a.sync(&world);
    b.sync(&world);
    let home = door(&mut a, &world, g1);
    let who = resident(&mut a, &world, "张三");
    lives(&mut a, &world, who, home);
    a.sync(&world);
    let trap = door(&mut b, &world, g2);
    lives(&mut b, &world, who, trap);
    let response = b.once(&world);
    assert_eq!(response.verdicts, [[Verdict::Accepted], [Verdict::Forbidden]]);
    b.sync(&world);
    assert!(!b.records.contains_key(&who));
}

#[test]
fn reassigning_a_worker_who_holds_unsent_work_loses_nothing() {
    let world = World::new();
    let (g1, g2) = (world.area("g1"), world.area("g2"));
    let mut a = world.worker("甲", &[g1]);
    let mut b = world.worker("乙", &[g1]);
    a.sync(&world);
    let home = door(&mut a, &world, g1);
    a.sync(&world);
    b.sync(&world);
    a.edit(&world, home, &[("room", "离线改的".into())]);
    let newcomer = door(&mut a, &world, g1);
    world.revoke(a.user, g1, AccessClass::Base);
    world.revoke(a.user, g1, AccessClass::Sensitive);
    world.grant(a.user, g2, AccessClass::Base);
    b.edit(&world, home, &[("floor", Value::Int(3))]);
    b.sync(&world);
    let response = a.once(&world);
    assert_eq!(response.verdicts, [[Verdict::Accepted], [Verdict::Accepted]]);
    assert!(response.pulls.iter().all(|pull| *pull.record != *home.as_bytes()), "nothing is pulled from it");
    a.sync(&world);
    assert!(a.records.is_empty() || !a.records.contains_key(&home));
    assert!(a.streams.iter().any(|held| held.id == base(g2)));
    b.sync(&world);
    assert_eq!(b.get(home, "room"), Some(Value::from("离线改的")));
    assert!(b.holds(&base(g1), newcomer));
    // The grant was given up for good: later pushes are refused.
    let before = world.store().view(|tx| tx.server()).unwrap().commit_no;
    a.once(&world);
    assert_eq!(world.store().view(|tx| tx.server()).unwrap().commit_no, before);
}

#[test]
fn thirty_days_after_a_revocation_unsent_work_goes_to_quarantine() {
    let world = World::new();
    let g1 = world.area("g1");
    let mut a = world.worker("甲", &[g1]);
    a.sync(&world);
    let home = door(&mut a, &world, g1);
    a.sync(&world);
    a.edit(&world, home, &[("room", "很久以后".into())]);
    world.revoke(a.user, g1, AccessClass::Base);
    world.revoke(a.user, g1, AccessClass::Sensitive);
    world.clock.advance(REVOCATION_GRACE_MS + 1);
    // The edit cannot be told from one of an unknown record; with its history it is refused and kept.
    assert_eq!(a.once(&world).verdicts, [[Verdict::MissingDeps]]);
    let mut request = a.build(None);
    let history = a.records[&home].1.changes_since(&[]);
    request.pushes[0].history = true;
    request.pushes[0].changes = history.into_iter().map(|change| change.raw.into()).collect();
    let response = world.request(a.device, request).unwrap();
    assert!(response.verdicts[0].iter().all(|verdict| *verdict == Verdict::Forbidden));
    assert_eq!(world.store().view(|tx| tx.quarantine_open()).unwrap(), 2);
}

#[test]
fn granting_again_begins_again_from_zero() {
    let world = World::new();
    let g1 = world.area("g1");
    let (mut a, mut b) = (world.worker("甲", &[g1]), world.worker("乙", &[g1]));
    b.sync(&world);
    let home = door(&mut b, &world, g1);
    b.sync(&world);
    a.sync(&world);
    assert!(a.holds(&base(g1), home));
    world.revoke(a.user, g1, AccessClass::Base);
    a.sync(&world);
    assert!(!a.records.contains_key(&home));
    world.grant(a.user, g1, AccessClass::Base);
    a.sync(&world);
    assert_eq!(a.stream(&base(g1)).generation, 2);
    assert!(a.holds(&base(g1), home));
}

#[test]
fn an_edit_of_a_record_that_has_just_left_is_still_taken() {
    let world = World::new();
    let (g1, g2) = (world.area("g1"), world.area("g2"));
    let (mut a, mut b) = (world.worker("甲", &[g1]), world.worker("乙", &[g1, g2]));
    a.sync(&world);
    let home = door(&mut a, &world, g1);
    a.sync(&world);
    b.sync(&world);
    b.edit(&world, home, &[("area", g2.into())]);
    b.sync(&world);
    a.edit(&world, home, &[("room", "离线改的".into())]);
    assert_eq!(a.once(&world).verdicts, [[Verdict::Accepted]]);
    a.sync(&world);
    assert!(!a.records.contains_key(&home));
    b.sync(&world);
    assert_eq!(b.get(home, "room"), Some(Value::from("离线改的")));
    world.digest(&base(g2));
}

#[test]
fn a_residency_that_ends_on_a_day_moves_the_resident_on_that_day() {
    let world = World::new();
    let (g1, g2) = (world.area("g1"), world.area("g2"));
    let mut a = world.worker("甲", &[g1, g2]);
    a.sync(&world);
    let (first, second) = (door(&mut a, &world, g1), door(&mut a, &world, g2));
    let who = resident(&mut a, &world, "张三");
    a.create(
        &world,
        Kind::Residency,
        &[("resident", who.into()), ("dwelling", first.into()), ("to", "2026-03-03".into())],
    );
    a.create(
        &world,
        Kind::Residency,
        &[("resident", who.into()), ("dwelling", second.into()), ("from", "2026-03-03".into())],
    );
    a.sync(&world);
    assert!(a.holds(&base(g1), who) && !a.holds(&base(g2), who));
    let run = || {
        let context = Context { now: world.now(), entropy: &*world.entropy };
        world.store().update(|tx| replace_due(tx, context)).unwrap()
    };
    assert_eq!(run(), 0);
    world.clock.advance(24 * 3_600_000);
    assert_eq!(run(), 2);
    assert_eq!(run(), 0);
    a.sync(&world);
    assert!(!a.holds(&base(g1), who) && a.holds(&base(g2), who));
}

#[test]
fn links_that_go_round_in_a_circle_do_not_keep_the_writer_busy() {
    let world = World::new();
    let (g1, g2) = (world.area("g1"), world.area("g2"));
    let mut a = world.worker("甲", &[g1, g2]);
    a.sync(&world);
    let ids: Vec<RecordId> = (0..5).map(|_| world.id()).collect();
    for (index, id) in ids.iter().enumerate() {
        let target = ids[(index + 1) % ids.len()];
        let by = a.user;
        let at = Value::Time(world.now());
        let fields =
            [("target", target.into()), ("by", by.into()), ("at", at), ("result", Value::from("met"))];
        a.create_as(&world, *id, Kind::Visit, &fields);
    }
    a.once(&world);
    a.sync(&world);
    world.digest(&base(g1));
}

#[test]
fn a_locked_device_hands_in_its_work_and_nothing_else() {
    use gridwalk_replica::protocol::ProtocolError;
    let world = World::new();
    let g1 = world.area("g1");
    let mut a = world.worker("甲", &[g1]);
    a.sync(&world);
    let home = door(&mut a, &world, g1);
    crate::storage::Storage::write(&*world.storage, &mut |tx| {
        let no = tx.device(a.device)?.unwrap().no;
        tx.revoke_device(no, world.now(), false)
    })
    .unwrap();
    let response = a.once(&world);
    assert_eq!(response.verdicts, [[Verdict::Accepted]]);
    assert!(response.pulls.is_empty());
    assert!(response.grants.unwrap().iter().all(|grant| grant.revoking));
    assert!(world.store().view(|tx| tx.record(home)).unwrap().is_some());
    a.streams.clear();
    let refused = world.request(a.device, a.build(None)).map_err(ProtocolError::from);
    assert_eq!(refused.err(), Some(ProtocolError::Revoked { wipe: false }));
    crate::storage::Storage::write(&*world.storage, &mut |tx| {
        let no = tx.device(a.device)?.unwrap().no;
        tx.revoke_device(no, world.now(), true)
    })
    .unwrap();
    door(&mut a, &world, g1);
    let refused = world.request(a.device, a.build(None)).map_err(ProtocolError::from);
    assert_eq!(refused.err(), Some(ProtocolError::Revoked { wipe: true }));
}

#[test]
fn what_is_sensitive_is_kept_out_of_base_streams_whatever_the_hint_says() {
    let world = World::new();
    let g1 = world.area("g1");
    let person = world.person("甲", &[gridwalk_model::policy::Role::Gridworker]);
    world.grant(person, g1, AccessClass::Base);
    let mut a = world.phone(person);
    a.sync(&world);
    let nobody = world.id();
    let fields = [("resident", nobody.into()), ("number", Value::from("990000193512237224"))];
    a.create(&world, Kind::ResidentId, &fields);
    assert_eq!(a.once(&world).verdicts, [[Verdict::Forbidden]], "no grant of the sensitive class");
    let mut b = world.worker("乙", &[g1]);
    b.sync(&world);
    let number = b.create(&world, Kind::ResidentId, &fields);
    b.sync(&world);
    assert!(b.holds(&sensitive(g1), number) && !b.holds(&base(g1), number));
}

#[test]
fn a_person_who_was_shut_out_still_hands_in_what_was_done_before() {
    use crate::access::staff::close_person;
    let world = World::new();
    let g1 = world.area("g1");
    let mut a = world.worker("甲", &[g1]);
    a.sync(&world);
    world.clock.advance(2 * REVOCATION_GRACE_MS);
    let home = door(&mut a, &world, g1);
    let close = |open| {
        world.store().update(|tx| close_person(tx, "test", a.user, open, world.now())).unwrap();
    };
    close(false);
    let response = world.request(a.device, a.build(a.home())).unwrap();
    assert_eq!(response.verdicts, [[Verdict::Accepted]]);
    assert!(response.pulls.is_empty());
    close(true);
    a.sync(&world);
    assert!(a.holds(&base(g1), home));
}
