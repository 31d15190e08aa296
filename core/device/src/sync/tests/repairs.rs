//! Digests that differ: heal, or alarm.

use gridwalk_model::records::Dwelling;
use gridwalk_replica::digest::Fingerprint;

use super::Phone;
use crate::testkit::{Script, at, dwelling, fields, stream};

const HOUR: i64 = 60 * 60 * 1000;

#[test]
fn a_record_that_the_phone_lost_comes_back() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    let home = phone.store.create(&dwelling("1", "1"), at(1)).unwrap();
    phone.sync(&mut server, at(2));
    phone.store.write(crate::store::Commit::Apply, |tx| tx.drop_record(home)).unwrap();
    phone.sync(&mut server, at(3));
    assert!(phone.store.get::<Dwelling>(home).unwrap().is_some());
    assert_eq!(phone.store.totals().unwrap().alarms, 0);
    assert_eq!(phone.sync(&mut server, at(4)), 1);
}

#[test]
fn own_work_that_the_server_lost_goes_there_again() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    let home = phone.store.create(&dwelling("1", "1"), at(1)).unwrap();
    phone.sync(&mut server, at(2));
    server.backed_up_through = server.commit;
    phone.sync(&mut server, at(3));
    assert_eq!(phone.store.totals().unwrap().kept, 0);
    server.records.remove(&home);
    phone.sync(&mut server, at(4));
    assert!(server.records.contains_key(&home));
    assert_eq!(phone.store.totals().unwrap().alarms, 0);
    assert!(server.requests.iter().any(|request| request.compare.is_some()));
}

#[test]
fn others_work_that_the_server_lost_raises_the_alarm_after_two_rounds_and_heals_by_recovery() {
    let mut server = Script::new();
    let (mut a, mut b) = (Phone::joined(1, &mut server), Phone::joined(2, &mut server));
    let home = a.store.create(&dwelling("1", "1"), at(1)).unwrap();
    a.sync(&mut server, at(2));
    b.sync(&mut server, at(3));
    server.records.remove(&home);
    server.requests.clear();
    b.sync(&mut server, at(4));
    assert_eq!(b.store.totals().unwrap().alarms, 1);
    assert!(b.store.get::<Dwelling>(home).unwrap().is_some(), "nothing is overwritten");
    assert_eq!(b.store.quarantined().unwrap(), []);
    let compared = server.requests.iter().filter(|request| request.compare.is_some()).count();
    assert_eq!(compared, 3, "the third tells the server");
    server.requests.clear();
    b.sync(&mut server, at(5));
    assert!(server.requests.iter().all(|request| request.compare.is_none()), "not again at once");
    server.recovery = true;
    b.sync(&mut server, at(5 + 2 * HOUR));
    assert!(server.records.contains_key(&home));
    assert_eq!(b.store.totals().unwrap().alarms, 0);
}

#[test]
fn unsent_work_is_no_divergence() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    let home = phone.store.create(&dwelling("1", "1"), at(1)).unwrap();
    phone.sync(&mut server, at(2));
    phone.store.edit(home, &fields(&[("remarks", "一")]), at(3)).unwrap();
    phone
        .store
        .write(crate::store::Commit::Request, |tx| {
            tx.defer(home, crate::store::OutboxState::Held, at(1_000_000))
        })
        .unwrap();
    server.requests.clear();
    phone.sync(&mut server, at(4));
    assert!(server.requests.iter().all(|request| request.compare.is_none()));
}

#[test]
fn a_held_change_does_not_keep_the_rest_of_its_stream_from_being_repaired() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    let home = phone.store.create(&dwelling("1", "1"), at(1)).unwrap();
    let lost = phone.store.create(&dwelling("1", "2"), at(1)).unwrap();
    phone.sync(&mut server, at(2));
    phone.store.edit(home, &fields(&[("remarks", "一")]), at(3)).unwrap();
    phone
        .store
        .write(crate::store::Commit::Request, |tx| {
            tx.defer(home, crate::store::OutboxState::Held, at(1_000_000_000))
        })
        .unwrap();
    server.records.remove(&lost);
    for n in 0..4 {
        phone.sync(&mut server, at(4 + n * HOUR));
    }
    assert!(server.records.contains_key(&lost));
    assert_eq!(phone.waiting(), 1, "the held change still waits");
    assert_eq!(phone.store.totals().unwrap().alarms, 0, "what is held is no divergence");
}

#[test]
fn a_large_stream_is_compared_in_ranges() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    let ids: Vec<_> =
        (0..9).map(|n| phone.store.create(&dwelling("1", &n.to_string()), at(n)).unwrap()).collect();
    phone.sync(&mut server, at(20));
    let members = phone.store.view().members(1, Some(ids[3]), 3).unwrap();
    assert_eq!(members.iter().map(|(id, _)| *id).collect::<Vec<_>>(), &ids[4..7]);
    let all = phone.store.fingerprints(&stream()).unwrap();
    assert!(all.iter().all(|(id, fingerprint)| {
        *fingerprint == Fingerprint::of(*id, &phone.store.document(*id).unwrap().unwrap().heads())
    }));
}

#[test]
fn changes_to_a_record_that_is_not_here_bring_the_whole_record() {
    use gridwalk_replica::wire::PullBody;
    use minicbor::bytes::ByteVec;

    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    let mut writer = Phone::joined(2, &mut server);
    let home = writer.store.create(&dwelling("1", "1"), at(1)).unwrap();
    writer.sync(&mut server, at(2));
    let before = server.document(home).heads();
    writer.store.edit(home, &fields(&[("remarks", "一")]), at(3)).unwrap();
    writer.sync(&mut server, at(4));
    let tail = server.document(home).changes_since(&before);
    let device = phone.store.identity().unwrap().device;
    let effects = phone.engine.next(crate::Event::Sync, &mut phone.store, at(5)).unwrap();
    let mut waiting = effects;
    let mut bent = false;
    while let Some(effect) = waiting.pop() {
        if let crate::Effect::Send { n, request } = effect {
            let mut response = server.answer(&request, device);
            if !bent {
                bent = true;
                for pull in &mut response.pulls {
                    pull.body =
                        PullBody::Changes(tail.iter().map(|c| ByteVec::from(c.raw.clone())).collect());
                }
            }
            let event = crate::Event::Response { n, result: Ok(Box::new(response)) };
            waiting.extend(phone.engine.next(event, &mut phone.store, at(6)).unwrap());
        }
    }
    crate::testkit::check_digests(&phone.store);
    let record = phone.store.get::<Dwelling>(home).unwrap().unwrap();
    assert_eq!(record.record.remarks.as_deref(), Some("一"));
    assert!(!record.state.needs_update);
    assert_eq!(phone.store.totals().unwrap().alarms, 0);
}
