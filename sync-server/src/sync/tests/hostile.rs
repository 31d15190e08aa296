use gridwalk_model::{Kind, Value};
use gridwalk_replica::admission::{Reason, Verdict};
use gridwalk_replica::protocol::ProtocolError;
use gridwalk_replica::wire::{CommitMark, Push};

use crate::sync::{MAX_CHANGES, MAX_PUSHES};
use crate::testing::World;

#[test]
fn a_change_of_another_device_is_forbidden() {
    let world = World::new();
    let g1 = world.area("g1");
    let (mut a, mut b) = (world.worker("甲", &[g1]), world.worker("乙", &[g1]));
    a.sync(&world);
    b.sync(&world);
    a.create(&world, Kind::Dwelling, &[("area", g1.into())]);
    b.outbox = std::mem::take(&mut a.outbox);
    assert_eq!(b.once(&world).verdicts, [[Verdict::Forbidden]]);
}

#[test]
fn a_bad_change_does_not_hold_up_the_others() {
    let world = World::new();
    let g1 = world.area("g1");
    let mut a = world.worker("甲", &[g1]);
    a.sync(&world);
    a.create(&world, Kind::Dwelling, &[("area", g1.into())]);
    a.outbox.push((world.id(), Kind::Dwelling, b"not a change".to_vec()));
    let door = a.create(&world, Kind::Dwelling, &[("area", g1.into())]);
    let response = a.once(&world);
    let flat: Vec<Verdict> = response.verdicts.concat();
    assert_eq!(flat[0], Verdict::Accepted);
    assert!(matches!(flat[1], Verdict::Invalid(_)));
    assert_eq!(flat[2], Verdict::Accepted);
    assert!(world.store().view(|tx| tx.record(door)).unwrap().is_some());
}

#[test]
fn a_second_root_and_another_kind_are_refused() {
    let world = World::new();
    let g1 = world.area("g1");
    let mut a = world.worker("甲", &[g1]);
    a.sync(&world);
    let door = a.create(&world, Kind::Dwelling, &[("area", g1.into())]);
    a.sync(&world);
    a.create_as(&world, door, Kind::Dwelling, &[("area", g1.into()), ("room", "2".into())]);
    let response = a.once(&world);
    assert!(matches!(response.verdicts[0][0], Verdict::Invalid(Reason::SecondRoot) | Verdict::ActorForked));
    let mut b = world.worker("乙", &[g1]);
    b.sync(&world);
    b.create_as(&world, door, Kind::Place, &[("area", g1.into())]);
    assert_eq!(b.once(&world).verdicts, [[Verdict::Invalid(Reason::Identity)]]);
}

#[test]
fn the_same_refused_bytes_are_kept_once() {
    let world = World::new();
    let g1 = world.area("g1");
    let mut a = world.worker("甲", &[g1]);
    a.sync(&world);
    for _ in 0..3 {
        a.outbox.push((g1, Kind::Dwelling, vec![1, 2, 3]));
        a.once(&world);
    }
    assert_eq!(world.store().view(|tx| tx.quarantine_open()).unwrap(), 1);
}

#[test]
fn too_many_pushes_and_changes_are_too_large() {
    let world = World::new();
    let g1 = world.area("g1");
    let a = world.worker("甲", &[g1]);
    let push = |changes: usize| Push {
        record: (*world.id().as_bytes()).into(),
        kind: "dwelling".to_owned(),
        hint: None,
        changes: vec![vec![0].into(); changes],
        history: false,
    };
    for pushes in [vec![push(1); MAX_PUSHES + 1], vec![push(MAX_CHANGES + 1)]] {
        let mut request = a.build(None);
        request.pushes = pushes;
        let refused = world.request(a.device, request).map_err(ProtocolError::from);
        assert_eq!(refused.err(), Some(ProtocolError::TooLarge));
    }
}

#[test]
fn cursors_and_marks_that_were_never_given_out_are_malformed_and_start_no_epoch() {
    let world = World::new();
    let g1 = world.area("g1");
    let mut a = world.worker("甲", &[g1]);
    a.sync(&world);
    let epoch = a.epoch;
    let mut cursor = a.build(None);
    cursor.cursors[0].seq += 1 << 20;
    let seen = a.seen.unwrap();
    let mut later = a.build(None);
    later.seen = Some(CommitMark { commit: seen.commit + 1, ..seen });
    let mut other = a.build(None);
    other.seen = Some(CommitMark { mark: seen.mark ^ (1 << 40), ..seen });
    for request in [cursor, later, other] {
        let refused = world.request(a.device, request).map_err(ProtocolError::from);
        assert!(matches!(refused.err(), Some(ProtocolError::Malformed { .. })));
    }
    assert_eq!(world.store().view(|tx| tx.server()).unwrap().epoch, epoch.unwrap());
}

#[test]
fn no_common_protocol_version_is_said() {
    let world = World::new();
    let g1 = world.area("g1");
    let a = world.worker("甲", &[g1]);
    let mut request = a.build(None);
    (request.protocol_min, request.protocol_max) = (2, 3);
    let refused = world.request(a.device, request).map_err(ProtocolError::from);
    assert_eq!(refused.err(), Some(ProtocolError::Version { min: 1, max: 1 }));
}

#[test]
fn a_kind_of_a_newer_schema_stays_with_its_sender() {
    let world = World::new();
    let g1 = world.area("g1");
    let mut a = world.worker("甲", &[g1]);
    a.sync(&world);
    a.create(&world, Kind::Dwelling, &[("area", g1.into())]);
    let mut request = a.build(a.home());
    request.pushes[0].kind = "drone_flight".to_owned();
    let response = world.request(a.device, request).unwrap();
    assert_eq!(response.verdicts, [[Verdict::Held]]);
    assert_eq!(world.store().view(|tx| tx.quarantine_open()).unwrap(), 0);
}

#[test]
fn a_field_of_the_server_is_refused_and_what_depends_on_it_is_blocked() {
    let world = World::new();
    let g1 = world.area("g1");
    let mut a = world.worker("甲", &[g1]);
    a.sync(&world);
    let event = a.create(
        &world,
        Kind::Event,
        &[("area", g1.into()), ("category", "fire".into()), ("address", "某处".into())],
    );
    a.sync(&world);
    a.edit(&world, event, &[("external_number", Value::from("12345"))]);
    a.edit(&world, event, &[("description", "后来写的".into())]);
    let refused = crate::testing::hash_of(&a.outbox[0].2);
    let response = a.once(&world);
    assert_eq!(
        response.verdicts.concat(),
        [Verdict::Invalid(Reason::FieldPolicy), Verdict::BlockedBy(refused)]
    );
    assert_eq!(world.store().view(|tx| tx.quarantine_open()).unwrap(), 2);
    assert_eq!(world.store().view(|tx| tx.audit(0, 100)).unwrap().last().unwrap().action, "sync.refused");
}
