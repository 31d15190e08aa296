//! Refused changes: the worker's valid edits are made again, the rest is listed.

use gridwalk_model::policy::{Role, Sender};
use gridwalk_model::records::Dwelling;
use gridwalk_model::{Kind, RecordId, Value};
use gridwalk_replica::admission::{Reason, Verdict};
use gridwalk_replica::wire::{SyncRequest, SyncResponse};

use super::Phone;
use crate::store::RefusedReason;
use crate::sync::{Effect, Event};
use crate::testkit::{Script, answer, at, check_digests, dwelling, fields, stream};

/// One round in which the server's answer is bent by `bend`.
fn bent(
    phone: &mut Phone,
    server: &mut Script,
    millis: i64,
    mut bend: impl FnMut(&SyncRequest, &mut SyncResponse),
) {
    let device = phone.store.identity().unwrap().device;
    let effects = phone.engine.next(Event::Sync, &mut phone.store, at(millis)).unwrap();
    for effect in effects {
        if let Effect::Send { n, request } = effect {
            let mut response = server.answer(&request, device);
            bend(&request, &mut response);
            let event = Event::Response { n, result: Ok(Box::new(response)) };
            let _ = phone.engine.next(event, &mut phone.store, at(millis)).unwrap();
        }
    }
    // The bent round only: what the engine sends after it is dropped by the network.
    let mut n = 0;
    while !phone.engine.is_idle() && n < 10_000 {
        let lost = Event::Response { n, result: Err(crate::NetError::Offline) };
        phone.engine.next(lost, &mut phone.store, at(millis)).unwrap();
        n += 1;
    }
    check_digests(&phone.store);
}

/// Plants a change that the server refuses, by the back door: the phone's own rules would not let it be made.
fn write_unchecked(phone: &mut Phone, id: RecordId, patch: &[(&str, &str)], millis: i64) {
    let patch = fields(patch);
    phone
        .store
        .write(crate::store::Commit::Edit, |tx| {
            let loaded = tx.record(id)?.unwrap();
            let mut document = gridwalk_replica::Document::load(&loaded.bytes)?;
            let change = document.edit(&patch, tx.identity()?.actor(), at(millis))?.unwrap();
            let body = crate::store::Body::Change(&change.raw);
            tx.put_record(id, &loaded.kind, Some(&loaded), &document, body)?;
            tx.enqueue(id, &loaded.kind, &change, at(millis), None, 0)
        })
        .unwrap();
}

fn event(phone: &mut Phone, millis: i64) -> RecordId {
    let mut event = fields(&[("category", "fire_safety"), ("address", "东门")]);
    event.insert("area".into(), Value::from(crate::testkit::GRID));
    phone.store.edits(at(millis), |edits| edits.create_fields(Kind::Event, &event)).unwrap()
}

#[test]
fn a_refused_change_with_ten_dependants() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    let id = event(&mut phone, 1);
    phone.sync(&mut server, at(2));
    let before = phone.store.identity().unwrap().incarnation;
    // `external_number` belongs to the server; `address` in the same change is fine.
    write_unchecked(&mut phone, id, &[("external_number", "12345"), ("address", "西门")], 10);
    for n in 0..10 {
        phone.store.edit(id, &fields(&[("description", &format!("第{n}次"))]), at(20 + n)).unwrap();
    }
    assert_eq!(phone.waiting(), 11);
    phone.sync(&mut server, at(40));
    assert_eq!(phone.waiting(), 0, "the outbox is empty");
    assert_ne!(phone.store.identity().unwrap().incarnation, before);
    let refused = phone.store.refused_edits().unwrap();
    assert_eq!(refused.len(), 1);
    assert_eq!((refused[0].field.as_str(), &refused[0].value), ("external_number", &Value::from("12345")));
    assert_eq!(refused[0].reason, RefusedReason::Invalid(Reason::FieldPolicy));
    assert_eq!(refused[0].at, at(10), "when the worker wrote it");
    let (_, held) = phone.store.fields(id).unwrap().unwrap();
    assert_eq!(held.get("address"), Some(&Value::from("西门")));
    assert_eq!(held.get("description"), Some(&Value::from("第9次")));
    assert_eq!(held.get("external_number"), None);
    assert_eq!(phone.store.quarantined().unwrap().len(), 11, "byte for byte");
    let theirs = server.document(id);
    assert_eq!(theirs.fields(), held);
    assert_eq!(theirs.change_count(), 12, "made again one for one");
    assert_eq!(phone.store.document(id).unwrap().unwrap().heads(), theirs.heads());
    assert_eq!(phone.sync(&mut server, at(50)), 1, "the digests agree");
    let n = refused[0].n;
    phone.store.settle_refused(n).unwrap();
    assert_eq!(phone.store.totals().unwrap().refused, 0);
}

#[test]
fn a_record_that_may_not_be_made_is_listed_field_by_field_and_goes() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    let home = phone.store.create(&dwelling("9", "9"), at(1)).unwrap();
    phone.store.edit(home, &fields(&[("remarks", "后来写的")]), at(2)).unwrap();
    let other = phone.store.create(&dwelling("1", "1"), at(3)).unwrap();
    bent(&mut phone, &mut server, 10, |request, response| {
        let mine = request.pushes.iter().position(|push| *push.record == *home.as_bytes());
        let Some(index) = mine else { return };
        let hash = gridwalk_replica::change::hash_of(&request.pushes[index].changes[0]).unwrap();
        response.verdicts[index] = vec![Verdict::Forbidden, Verdict::BlockedBy(hash)];
        response.pulls.retain(|pull| *pull.record != *home.as_bytes());
        response.streams[0].digest = None;
    });
    assert_eq!(phone.waiting(), 0);
    assert!(phone.store.get::<Dwelling>(home).unwrap().is_none());
    assert!(phone.store.get::<Dwelling>(other).unwrap().is_some(), "another record is not held up");
    let refused = phone.store.refused_edits().unwrap();
    let reason = |field: &str| refused.iter().find(|edit| edit.field == field).map(|edit| edit.reason);
    assert_eq!(reason("room"), Some(RefusedReason::Forbidden));
    assert_eq!(reason("remarks"), Some(RefusedReason::NoRecord));
    assert_eq!(reason("id"), None);
}

#[test]
fn a_fork_is_made_again_as_it_was() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    let home = phone.store.create(&dwelling("1", "1"), at(1)).unwrap();
    phone.sync(&mut server, at(2));
    phone.store.edit(home, &fields(&[("remarks", "一")]), at(3)).unwrap();
    let snapshot = server.clone();
    bent(&mut phone, &mut server, 10, |_, response| {
        response.verdicts = vec![vec![Verdict::ActorForked]];
        response.pulls.clear();
        response.streams[0].digest = None;
    });
    server = Script { requests: Vec::new(), ..snapshot };
    assert_eq!(phone.waiting(), 1);
    assert_eq!(phone.store.refused_edits().unwrap(), []);
    phone.sync(&mut server, at(20_000));
    assert_eq!(phone.waiting(), 0);
    assert_eq!(server.document(home).get("remarks"), Some(Value::from("一")));
}

#[test]
fn what_somebody_else_changed_meanwhile_is_not_overwritten() {
    let mut server = Script::new();
    let (mut a, mut b) = (Phone::joined(1, &mut server), Phone::joined(2, &mut server));
    let id = event(&mut a, 1);
    a.sync(&mut server, at(2));
    b.sync(&mut server, at(3));
    // A's refused change, and its valid edit of the address on top.
    write_unchecked(&mut a, id, &[("external_number", "1")], 10);
    a.store.edit(id, &fields(&[("address", "甲写的"), ("description", "甲")]), at(11)).unwrap();
    b.store.edit(id, &fields(&[("address", "乙写的")]), at(12)).unwrap();
    b.sync(&mut server, at(13));
    // B's edit reaches A before the verdict on A's own.
    a.store
        .write(crate::store::Commit::Request, |tx| tx.defer(id, crate::store::OutboxState::Held, at(15)))
        .unwrap();
    let pulled = server.clone().sync_pull_only(&mut a);
    assert!(pulled);
    assert!(a.store.get::<gridwalk_model::records::Event>(id).unwrap().unwrap().state.conflict);
    a.sync(&mut server, at(1_000_000));
    assert_eq!(a.waiting(), 0);
    let (_, fields) = a.store.fields(id).unwrap().unwrap();
    assert_eq!(fields.get("address"), Some(&Value::from("乙写的")));
    assert_eq!(fields.get("description"), Some(&Value::from("甲")));
    let refused = a.store.refused_edits().unwrap();
    let told: Vec<_> = refused.iter().map(|edit| (edit.field.as_str(), edit.reason)).collect();
    assert!(told.contains(&("address", RefusedReason::ChangedMeanwhile)), "{told:?}");
    assert_eq!(told.len(), 2);
}

#[test]
fn a_held_change_stays_and_what_builds_on_it_too() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    let home = phone.store.create(&dwelling("1", "1"), at(1)).unwrap();
    phone.store.edit(home, &fields(&[("remarks", "一")]), at(2)).unwrap();
    let other = phone.store.create(&dwelling("1", "2"), at(3)).unwrap();
    let mut refusing = Script::new();
    bent(&mut phone, &mut refusing, 10, |request, response| {
        *response = answer(request);
        let index = request.pushes.iter().position(|push| *push.record == *home.as_bytes()).unwrap();
        let hash = gridwalk_replica::change::hash_of(&request.pushes[index].changes[0]).unwrap();
        response.verdicts[index] = vec![Verdict::Held, Verdict::BlockedBy(hash)];
    });
    assert_eq!(phone.waiting(), 2);
    assert_eq!(phone.store.totals().unwrap().held, 2);
    assert_eq!(phone.store.quarantined().unwrap(), []);
    server.requests.clear();
    phone.sync(&mut server, at(20));
    let pushed = server.requests.iter().flat_map(|r| &r.pushes).any(|push| *push.record == *home.as_bytes());
    assert!(!pushed, "not offered again at once");
    phone.sync(&mut server, at(20 * 60 * 1000));
    assert_eq!(phone.waiting(), 0, "offered again later");
    let _ = other;
}

#[test]
fn missing_dependencies_are_answered_with_the_whole_history() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    let home = phone.store.create(&dwelling("1", "1"), at(1)).unwrap();
    phone.sync(&mut server, at(2));
    phone.store.edit(home, &fields(&[("remarks", "一")]), at(3)).unwrap();
    // The server loses the record without noticing.
    server.records.remove(&home);
    server.requests.clear();
    phone.sync(&mut server, at(10));
    assert_eq!(phone.waiting(), 0);
    assert!(server.requests.iter().any(|r| r.pushes.iter().any(|push| push.history)));
    assert_eq!(server.document(home).get("remarks"), Some(Value::from("一")));
    assert_eq!(phone.store.fingerprints(&stream()).unwrap().len(), 1);
}

#[test]
fn an_edit_on_top_of_what_others_lost_waits_for_them() {
    let mut server = Script::new();
    let (mut a, mut b) = (Phone::joined(1, &mut server), Phone::joined(2, &mut server));
    let home = a.store.create(&dwelling("1", "1"), at(1)).unwrap();
    a.sync(&mut server, at(2));
    b.sync(&mut server, at(3));
    let lost = server.records.remove(&home).unwrap();
    b.store.edit(home, &fields(&[("remarks", "乙")]), at(4)).unwrap();
    b.sync(&mut server, at(5));
    assert_eq!(b.waiting(), 1, "A's creation is not B's to give back");
    assert_eq!(b.store.quarantined().unwrap(), []);
    assert!(b.store.get::<Dwelling>(home).unwrap().is_some());
    // A gives it back.
    server.records.insert(home, lost);
    server.seq += 1;
    let seq = server.seq;
    server.records.get_mut(&home).unwrap().seq = seq;
    b.sync(&mut server, at(6));
    assert_eq!(b.waiting(), 0, "released as soon as the record came back");
    assert_eq!(server.document(home).get("remarks"), Some(Value::from("乙")));
}

#[test]
fn two_builds_that_disagree_do_not_go_on_for_ever() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    let home = phone.store.create(&dwelling("1", "1"), at(1)).unwrap();
    phone.sync(&mut server, at(2));
    phone.store.edit(home, &fields(&[("remarks", "一")]), at(3)).unwrap();
    let mut rounds = 0;
    while phone.waiting() > 0 {
        rounds += 1;
        assert!(rounds < 10);
        let mut other = server.clone();
        bent(&mut phone, &mut other, 10 + rounds * 1_000_000, |_, response| {
            response.verdicts = vec![vec![Verdict::Invalid(Reason::Predecessors)]];
            response.pulls.clear();
            response.streams[0].digest = None;
            response.mark = None;
        });
    }
    let refused = phone.store.refused_edits().unwrap();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].reason, RefusedReason::Invalid(Reason::Predecessors));
    let _ = Sender::Person { user: home, roles: &[Role::Gridworker] };
}
