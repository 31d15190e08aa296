//! Streams that are granted, granted again, and taken away.

use gridwalk_model::records::Dwelling;

use super::Phone;
use crate::testkit::{Script, at, dwelling, fields, stream};

#[test]
fn revoking_pushes_what_waits_first_and_then_drops_everything() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    let home = phone.store.create(&dwelling("1", "1"), at(1)).unwrap();
    phone.sync(&mut server, at(2));
    phone.store.edit(home, &fields(&[("remarks", "未提交的工作")]), at(3)).unwrap();
    let fresh = phone.store.create(&dwelling("1", "2"), at(4)).unwrap();
    server.revoking = true;
    server.requests.clear();
    phone.sync(&mut server, at(5));
    assert_eq!(phone.waiting(), 0);
    assert_eq!(server.document(home).get("remarks"), Some("未提交的工作".into()));
    assert!(server.records.contains_key(&fresh));
    assert_eq!(phone.store.streams().unwrap(), []);
    assert_eq!(phone.store.totals().unwrap().records, 0);
    assert!(phone.store.get::<Dwelling>(home).unwrap().is_none());
    let last = server.requests.last().unwrap();
    assert!(last.cursors.is_empty(), "leaving the stream out is how the server learns of it");
    assert!(phone.store.search("1", &[], None, 10).unwrap().hits.is_empty());
}

#[test]
fn a_change_that_cannot_be_sent_yet_holds_the_stream() {
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
    server.revoking = true;
    phone.sync(&mut server, at(4));
    assert_eq!(phone.store.streams().unwrap().len(), 1);
    assert!(phone.store.get::<Dwelling>(home).unwrap().is_some());
    phone.sync(&mut server, at(1_000_001));
    assert_eq!(phone.store.streams().unwrap(), []);
}

#[test]
fn a_new_generation_begins_anew_and_forgets_what_is_not_named_again() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    let gone = phone.store.create(&dwelling("1", "1"), at(1)).unwrap();
    let kept = phone.store.create(&dwelling("1", "2"), at(1)).unwrap();
    phone.sync(&mut server, at(2));
    // While the grant was away a record left, and nobody says so.
    server.records.remove(&gone);
    server.generation = 2;
    server.page = 1;
    phone.sync(&mut server, at(3));
    assert!(phone.store.get::<Dwelling>(gone).unwrap().is_none());
    assert!(phone.store.get::<Dwelling>(kept).unwrap().is_some());
    assert_eq!(phone.store.fingerprints(&stream()).unwrap().len(), 1);
    assert_eq!(phone.store.totals().unwrap().alarms, 0);
    assert_eq!(phone.sync(&mut server, at(4)), 1);
}
