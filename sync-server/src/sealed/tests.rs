//! Sealed work of locked devices. Everything is made up.

use gridwalk_model::{ContentHash, Kind, RecordId, Value};
use gridwalk_replica::protocol::{HandIn, HandedIn, ProtocolError};
use gridwalk_replica::sealed::{
    PART_MAX_BYTES, Place, SealedChange, SealedDraft, SealedItem, SealedPiece, seal,
};
use sha2::{Digest as _, Sha256};

use super::{SealedError, content, intake, make_keys, settle};
use crate::access::staff::{reinstate_device, revoke_device};
use crate::storage::sealed::PackageRow;
use crate::testing::{Phone, World};

const NAME: [u8; 16] = [6; 16];

fn world() -> World {
    let world = World::new();
    make_keys(world.store(), world.now(), &*world.entropy).unwrap();
    world
}

fn lock(world: &World, phone: &Phone) {
    world.store().update(|tx| revoke_device(tx, "test", phone.device, false, world.now())).unwrap();
}

fn door(phone: &mut Phone, world: &World, area: RecordId, room: &str) -> RecordId {
    phone.create(world, Kind::Dwelling, &[("area", area.into()), ("room", Value::from(room))])
}

/// The phone's outbox as items, with its first area as the hint.
fn changes(phone: &Phone) -> Vec<SealedItem> {
    let hint = phone.home().and_then(|index| phone.streams.get(index as usize));
    let item = |(id, kind, raw): &(RecordId, Kind, Vec<u8>)| {
        SealedItem::Change(SealedChange {
            record: (*id.as_bytes()).into(),
            kind: kind.tag().into(),
            raw: raw.clone().into(),
            hint: hint.map(|held| held.id.to_bytes().into()),
        })
    };
    phone.outbox.iter().map(item).collect()
}

fn draft() -> SealedItem {
    SealedItem::Draft(SealedDraft {
        what: "report".into(),
        n: 1,
        at: 1,
        target: None,
        text: "路灯不亮（虚构）".into(),
        body: Vec::new().into(),
    })
}

/// A file as two pieces.
fn pieces(name: &[u8], body: &[u8], medium: bool) -> [SealedItem; 2] {
    let (one, two) = body.split_at(body.len() / 2);
    [(0, one), (one.len(), two)].map(|(offset, piece)| {
        let piece = SealedPiece {
            name: name.to_vec().into(),
            bytes: body.len() as u64,
            offset: offset as u64,
            body: piece.to_vec().into(),
            at: 5,
            draft: None,
            visit: None,
        };
        if medium { SealedItem::Medium(piece) } else { SealedItem::Original(piece) }
    })
}

fn sealed(world: &World, phone: &Phone, part: u32, of: u32, items: &[SealedItem]) -> HandIn {
    let keys = world.store().view(|tx| tx.sealing_keys()).unwrap().unwrap();
    let place = Place { device: phone.device, package: NAME, part, of };
    let body = seal(&keys.public, &place, items, [part as u8; 32]).unwrap();
    HandIn { package: NAME.into(), part, of, body: body.into() }
}

fn hand_in(world: &World, phone: &Phone, request: &HandIn) -> Result<HandedIn, SealedError> {
    let principal = world.principal(phone.device)?;
    if let Some(answer) = world.store().view(|tx| intake::check(tx, &principal, request))? {
        return Ok(answer);
    }
    world.store().update(|tx| intake::keep(tx, &principal, request, world.now()))
}

fn package(world: &World) -> PackageRow {
    world.store().view(|tx| tx.packages()).unwrap().remove(0)
}

fn actions(world: &World) -> Vec<String> {
    let rows = world.store().view(|tx| tx.audit(0, 1_000)).unwrap();
    rows.into_iter().map(|row| row.action).filter(|action| action.starts_with("sealed.")).collect()
}

fn accept(world: &World) -> Result<settle::Accepted, SealedError> {
    let by = world.id();
    let no = package(world).no;
    settle::accept(world.store(), &|_, _, _| Ok(()), no, by, world.now(), &*world.entropy)
}

#[test]
fn parts_come_in_any_order_and_again_and_the_receipt_comes_with_the_last() {
    let world = world();
    let g1 = world.area("g1");
    let phone = world.worker("甲", &[g1]);
    lock(&world, &phone);
    let part = |n| sealed(&world, &phone, n, 3, &[draft()]);
    let next = |request: &HandIn| hand_in(&world, &phone, request).unwrap();
    assert_eq!(next(&part(1)), HandedIn { locked: true, next: Some(0) });
    assert_eq!(next(&part(1)), HandedIn { locked: true, next: Some(0) }, "a lost answer");
    assert_eq!(next(&part(0)), HandedIn { locked: true, next: Some(2) });
    assert_eq!(package(&world).whole_at, None);
    assert!(matches!(accept(&world), Err(SealedError::NotFound)), "it is not whole");
    assert_eq!(next(&part(2)), HandedIn { locked: true, next: None });
    assert_eq!(next(&part(0)), HandedIn { locked: true, next: None }, "the receipt again");
    assert_eq!(package(&world).whole_at, Some(world.now()));
    assert_eq!(actions(&world), ["sealed.received"]);
}

#[test]
fn what_does_not_open_or_fit_is_refused_and_nothing_is_taken_of_a_device_that_is_not_locked() {
    let world = world();
    let g1 = world.area("g1");
    let (phone, other) = (world.worker("甲", &[g1]), world.worker("乙", &[g1]));
    let good = sealed(&world, &phone, 0, 2, &[draft()]);
    assert_eq!(hand_in(&world, &phone, &good).unwrap(), HandedIn { locked: false, next: None });
    assert!(world.store().view(|tx| tx.packages()).unwrap().is_empty());
    lock(&world, &phone);
    lock(&world, &other);
    let bad = [
        HandIn { part: 1, ..good.clone() },
        HandIn { part: 2, ..good.clone() },
        HandIn { of: 3, ..good.clone() },
        HandIn { package: [7; 16].into(), ..good.clone() },
        HandIn { body: good.body[1..].to_vec().into(), ..good.clone() },
        HandIn { body: Vec::new().into(), ..good.clone() },
    ];
    for request in &bad {
        let refused = hand_in(&world, &phone, request);
        let expected = matches!(refused, Err(SealedError::Protocol(ProtocolError::Malformed { .. })));
        assert!(expected, "{refused:?}");
    }
    let foreign = hand_in(&world, &other, &good);
    assert!(matches!(foreign, Err(SealedError::Protocol(ProtocolError::Malformed { .. }))), "{foreign:?}");
    let huge = HandIn { body: vec![0; PART_MAX_BYTES + 1].into(), ..good.clone() };
    let refused = hand_in(&world, &phone, &huge);
    assert!(matches!(refused, Err(SealedError::Protocol(ProtocolError::TooLarge))), "{refused:?}");
    assert_eq!(hand_in(&world, &phone, &good).unwrap().next, Some(1));
}

#[test]
fn accepted_changes_go_through_admission_and_what_is_refused_is_quarantined_with_its_reason() {
    let world = world();
    let (g1, g2) = (world.area("g1"), world.area("g2"));
    let mut phone = world.worker("甲", &[g1]);
    phone.sync(&world);
    let home = door(&mut phone, &world, g1, "101");
    phone.edit(&world, home, &[("room", Value::from("102"))]);
    let foreign = door(&mut phone, &world, g2, "1");
    lock(&world, &phone);
    let photo = b"no photo".repeat(9);
    let hash = ContentHash::from_bytes(Sha256::digest(&photo).into());
    let mut items = changes(&phone);
    items.push(draft());
    hand_in(&world, &phone, &sealed(&world, &phone, 0, 3, &items)).unwrap();
    for (part, piece) in (1..).zip(pieces(hash.as_bytes(), &photo, true)) {
        hand_in(&world, &phone, &sealed(&world, &phone, part, 3, &[piece])).unwrap();
    }
    // An administrator vouches for it, however long ago the phone was locked.
    world.clock.advance(100 * 24 * 60 * 60 * 1_000);
    let accepted = accept(&world).unwrap();
    assert_eq!((accepted.taken, accepted.refused, accepted.waiting), (2, 1, 0));
    assert_eq!((accepted.media, accepted.media_refused), (1, 0));
    let read = |id| world.store().view(|tx| crate::edit::read(tx, id)).unwrap();
    assert_eq!(read(home).unwrap().1.get("room"), Some(Value::from("102")));
    assert!(read(foreign).is_none());
    let refused = world.store().view(|tx| tx.quarantine(None, 10)).unwrap();
    assert_eq!(refused.iter().map(|row| row.record).collect::<Vec<_>>(), [foreign]);
    assert!(matches!(accept(&world), Err(SealedError::Settled)));
    assert_eq!(actions(&world), ["sealed.received", "sealed.accepted"]);
    let row = package(&world);
    let opened = world.store().view(|tx| content::open(tx, &row)).unwrap();
    assert_eq!(opened.drafts.len(), 1, "drafts stay to be read");
}

#[test]
fn a_service_in_a_package_waits_for_a_visit_of_the_package_and_for_no_other() {
    let world = world();
    let g1 = world.area("g1");
    let mut phone = world.worker("甲", &[g1]);
    phone.sync(&world);
    let home = door(&mut phone, &world, g1, "101");
    phone.sync(&world);
    let (by, at) = (Value::from(phone.user), Value::Time(world.now()));
    let about = [("target", home.into()), ("by", by), ("at", at)];
    let visits = ["met", "refused"].map(|result| {
        phone.create(&world, Kind::Visit, &[&about[..], &[("result", result.into())]].concat())
    });
    let made = phone.outbox.split_off(0);
    let [of_met, of_refused, of_none] = [visits[0], visits[1], world.id()].map(|visit| {
        let asked = [("request", "虚构".into()), ("service", "代办".into()), ("visit", visit.into())];
        let service = phone.create(&world, Kind::ServiceRecord, &[&about[..], &asked].concat());
        phone.edit(&world, service, &[("outcome", Value::from("虚构"))]);
        service
    });
    // So many changes lie between the services and the visits that they are offered apart.
    let target = phone.outbox[0].0;
    for n in 0..500 {
        phone.edit(&world, target, &[("outcome", Value::from(format!("虚构{n}").as_str()))]);
    }
    phone.outbox.extend(made);
    lock(&world, &phone);
    hand_in(&world, &phone, &sealed(&world, &phone, 0, 1, &changes(&phone))).unwrap();
    let accepted = accept(&world).unwrap();
    assert_eq!((accepted.taken, accepted.refused, accepted.waiting), (506, 2, 0));
    let read = |id| world.store().view(|tx| crate::edit::read(tx, id)).unwrap();
    assert_eq!(read(of_met).unwrap().1.get("outcome"), Some(Value::from("虚构499")));
    assert!(read(of_none).is_some(), "its visit will never come");
    assert!(read(of_refused).is_none(), "nothing follows from a declined visit");
}

#[test]
fn a_package_that_is_thrown_away_leaves_a_trace_and_no_content() {
    let world = world();
    let g1 = world.area("g1");
    let mut phone = world.worker("甲", &[g1]);
    phone.sync(&world);
    let home = door(&mut phone, &world, g1, "101");
    lock(&world, &phone);
    hand_in(&world, &phone, &sealed(&world, &phone, 0, 1, &changes(&phone))).unwrap();
    let no = package(&world).no;
    settle::discard(world.store(), no, world.id(), world.now()).unwrap();
    assert!(!package(&world).settled.unwrap().accepted);
    assert!(world.store().view(|tx| tx.part(no, 0)).unwrap().is_none());
    assert!(world.store().view(|tx| tx.record(home)).unwrap().is_none());
    assert!(matches!(accept(&world), Err(SealedError::Settled)));
    assert_eq!(actions(&world), ["sealed.received", "sealed.discarded"]);
}

#[test]
fn files_are_put_together_from_their_pieces() {
    let world = world();
    let g1 = world.area("g1");
    let phone = world.worker("甲", &[g1]);
    lock(&world, &phone);
    let body = b"\xff\xd8\xff made up".repeat(7);
    let [one, two] = pieces(&3i64.to_be_bytes(), &body, false);
    hand_in(&world, &phone, &sealed(&world, &phone, 0, 2, &[one])).unwrap();
    hand_in(&world, &phone, &sealed(&world, &phone, 1, 2, &[two])).unwrap();
    let row = package(&world);
    world
        .store()
        .view(|tx| {
            let opened = content::open(tx, &row)?;
            assert_eq!((opened.originals[0].name, opened.originals[0].bytes), (3, body.len() as u64));
            assert_eq!(content::whole(tx, &row, &opened.originals[0])?, Some(body.clone()));
            Ok::<_, SealedError>(())
        })
        .unwrap();
}

#[test]
fn a_phone_that_reads_notes_is_told_of_lock_key_and_reinstatement() {
    use gridwalk_replica::wire::{PhoneNotes, ServerNotes};
    let world = world();
    let g1 = world.area("g1");
    let mut phone = world.worker("甲", &[g1]);
    phone.sync(&world);
    let ask = |notes: Option<PhoneNotes>| {
        let request = gridwalk_replica::wire::SyncRequest { notes, ..phone.build(None) };
        world.request(phone.device, request).unwrap().notes
    };
    let key = world.store().view(|tx| tx.sealing_keys()).unwrap().unwrap().public.to_vec();
    assert_eq!(ask(None), None, "an older phone");
    assert_eq!(ask(Some(PhoneNotes::default())), Some(ServerNotes::default()));
    let wants = PhoneNotes { wants_key: Some(true), ..PhoneNotes::default() };
    let told = ServerNotes { sealing_key: Some(key.into()), ..ServerNotes::default() };
    assert_eq!(ask(Some(wants)), Some(told));
    lock(&world, &phone);
    let locked = ServerNotes { locked: Some(true), ..ServerNotes::default() };
    assert_eq!(ask(Some(PhoneNotes::default())), Some(locked));
    world.store().update(|tx| reinstate_device(tx, "test", phone.device, world.now())).unwrap();
    assert_eq!(ask(Some(PhoneNotes::default())), Some(ServerNotes::default()));
}
