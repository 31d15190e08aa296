//! The ordinary day: push, pull, receipts, pages, removals.

use gridwalk_model::records::{Dwelling, Resident};
use gridwalk_model::{Kind, RecordId};
use gridwalk_replica::wire::PullBody;

use super::Phone;
use crate::sync::{Effect, Event};
use crate::testkit::{Script, at, dwelling, fields, resident, stream};

#[test]
fn what_one_phone_writes_the_other_reads() {
    let mut server = Script::new();
    let (mut a, mut b) = (Phone::joined(1, &mut server), Phone::joined(2, &mut server));
    let home = a.store.create(&dwelling("3号楼", "501"), at(10)).unwrap();
    let person = a.store.create(&resident("张三丰", "13800001234"), at(11)).unwrap();
    assert_eq!(a.waiting(), 2);
    assert!(a.store.get::<Dwelling>(home).unwrap().unwrap().state.waiting);
    a.sync(&mut server, at(20));
    assert_eq!(a.waiting(), 0);
    assert_eq!(a.store.totals().unwrap().kept, 2, "kept until a backup holds them");
    b.sync(&mut server, at(30));
    assert_eq!(b.store.get::<Dwelling>(home).unwrap().unwrap().record.room.as_deref(), Some("501"));
    assert_eq!(b.store.get::<Resident>(person).unwrap().unwrap().record.name, "张三丰");
    b.store.edit(home, &fields(&[("remarks", "门口有灭火器")]), at(40)).unwrap();
    b.sync(&mut server, at(41));
    a.sync(&mut server, at(50));
    let read = a.store.get::<Dwelling>(home).unwrap().unwrap();
    assert_eq!(read.record.remarks.as_deref(), Some("门口有灭火器"));
    assert!(!read.state.waiting && !read.state.conflict);
    assert_eq!(a.store.fingerprints(&stream()).unwrap(), b.store.fingerprints(&stream()).unwrap());
    server.backed_up_through = server.commit;
    a.sync(&mut server, at(60));
    assert_eq!(a.store.totals().unwrap().kept, 0);
}

#[test]
fn an_idle_synchronisation_is_one_request_and_writes_nothing() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    phone.store.create(&dwelling("1", "1"), at(1)).unwrap();
    phone.sync(&mut server, at(2));
    phone.sync(&mut server, at(3));
    // A full disk fails every write: an idle round must not notice.
    phone.store.limit_pages(Some(0)).unwrap();
    let before = phone.store.view().get_number(crate::store::Setting::LastContact).unwrap();
    assert_eq!(phone.sync(&mut server, at(600_000)), 1);
    assert_eq!(phone.store.view().get_number(crate::store::Setting::LastContact).unwrap(), before);
    assert_eq!(phone.engine.status(&phone.store, at(600_001)).unwrap().last_contact, Some(at(600_000)));
}

#[test]
fn a_full_pull_comes_in_pages_and_resumes_at_any_of_them() {
    let mut server = Script::new();
    let mut writer = Phone::joined(1, &mut server);
    for room in 0..25 {
        writer.store.create(&dwelling("1号楼", &format!("{room}")), at(room)).unwrap();
    }
    writer.sync(&mut server, at(100));
    server.page = 4;
    let reader = Phone::joined(2, &mut server);
    assert_eq!(reader.store.totals().unwrap().records, 25);
    let rooms: Vec<_> = reader
        .store
        .list::<Dwelling>(None, 100)
        .unwrap()
        .entries
        .into_iter()
        .map(|entry| entry.record.room.unwrap())
        .collect();
    assert_eq!(rooms, (0..25).map(|n| n.to_string()).collect::<Vec<_>>(), "in the order of their numbers");
    assert_eq!(reader.store.fingerprints(&stream()).unwrap(), writer.store.fingerprints(&stream()).unwrap());
}

#[test]
fn changes_are_pushed_in_the_order_in_which_records_were_touched_and_within_a_body() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    let remarks = "字".repeat(450);
    let mut ids: Vec<RecordId> = Vec::new();
    for room in 0..400 {
        let id = phone.store.create(&dwelling("1", &room.to_string()), at(room)).unwrap();
        phone.store.edit(id, &fields(&[("remarks", &remarks)]), at(room)).unwrap();
        ids.push(id);
    }
    server.requests.clear();
    phone.sync(&mut server, at(1_000));
    assert_eq!(phone.waiting(), 0);
    let pushed: Vec<RecordId> = server
        .requests
        .iter()
        .flat_map(|request| request.pushes.iter().map(|push| RecordId::from_bytes(*push.record)))
        .collect();
    assert_eq!(pushed, ids);
    for request in &server.requests {
        assert!(gridwalk_replica::frame::encode(request).unwrap().len() < 1024 * 1024);
        assert!(request.pushes.iter().all(|push| push.hint == Some(0)), "the grid's stream is the hint");
    }
    assert!(server.requests.len() > 2, "600 KB of changes do not go in one body");
}

#[test]
fn late_and_doubled_answers_are_passed_over() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    phone.store.create(&dwelling("1", "1"), at(1)).unwrap();
    let device = phone.store.identity().unwrap().device;
    let effects = phone.engine.next(Event::Sync, &mut phone.store, at(2)).unwrap();
    let Some(Effect::Send { n, request }) = effects.into_iter().find(|e| matches!(e, Effect::Send { .. }))
    else {
        panic!("nothing was sent");
    };
    let response = Box::new(server.answer(&request, device));
    let answer = |n| Event::Response { n, result: Ok(response.clone()) };
    phone.engine.next(answer(n + 7), &mut phone.store, at(3)).unwrap();
    assert_eq!(phone.waiting(), 1, "an answer to nothing");
    phone.engine.next(answer(n), &mut phone.store, at(3)).unwrap();
    assert_eq!(phone.waiting(), 0);
    phone.engine.next(answer(n), &mut phone.store, at(4)).unwrap();
    phone.sync(&mut server, at(5));
    assert_eq!(phone.store.totals().unwrap().records, 1);
}

#[test]
fn an_answer_that_does_not_fit_the_question_changes_nothing() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    phone.store.create(&dwelling("1", "1"), at(1)).unwrap();
    let device = phone.store.identity().unwrap().device;
    let effects = phone.engine.next(Event::Sync, &mut phone.store, at(2)).unwrap();
    let Some(Effect::Send { n, request }) = effects.into_iter().find(|e| matches!(e, Effect::Send { .. }))
    else {
        panic!("nothing was sent");
    };
    let mut response = server.clone().answer(&request, device);
    response.verdicts[0].pop();
    phone
        .engine
        .next(Event::Response { n, result: Ok(Box::new(response)) }, &mut phone.store, at(3))
        .unwrap();
    assert_eq!(phone.waiting(), 1);
    let status = phone.engine.status(&phone.store, at(4)).unwrap();
    assert!(status.last_error.is_some() && status.next_attempt.is_some());
    phone.sync(&mut server, at(5));
    assert_eq!(phone.waiting(), 0);
}

#[test]
fn a_record_that_left_the_stream_goes_once_nothing_of_it_waits() {
    let mut server = Script::new();
    let (mut a, mut b) = (Phone::joined(1, &mut server), Phone::joined(2, &mut server));
    let home = a.store.create(&dwelling("1", "1"), at(1)).unwrap();
    let other = a.store.create(&dwelling("1", "2"), at(1)).unwrap();
    a.sync(&mut server, at(2));
    b.sync(&mut server, at(3));
    b.store.edit(home, &fields(&[("remarks", "尚未提交")]), at(4)).unwrap();
    server.take_out(home);
    server.take_out(other);
    // Pull only: the answer to the push is that it is forbidden now, but first the removal arrives.
    b.store
        .write(crate::store::Commit::Request, |tx| {
            tx.defer(home, crate::store::OutboxState::Held, at(1_000_000))
        })
        .unwrap();
    b.sync(&mut server, at(5));
    assert!(b.store.get::<Dwelling>(home).unwrap().is_some(), "its edit waits");
    assert!(b.store.get::<Dwelling>(other).unwrap().is_none());
    assert!(b.store.search("1", &[Kind::Dwelling], None, 10).unwrap().hits.iter().all(|hit| hit.id == home));
}

#[test]
fn a_record_is_known_where_the_phone_pushed_it_itself() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    let home = phone.store.create(&dwelling("1", "1"), at(1)).unwrap();
    let device = phone.store.identity().unwrap().device;
    let mut waiting = phone.engine.next(Event::Sync, &mut phone.store, at(2)).unwrap();
    while let Some(effect) = waiting.pop() {
        if let Effect::Send { n, request } = effect {
            let mut response = server.answer(&request, device);
            for pull in &mut response.pulls {
                pull.body = PullBody::Known;
            }
            let event = Event::Response { n, result: Ok(Box::new(response)) };
            waiting.extend(phone.engine.next(event, &mut phone.store, at(3)).unwrap());
        }
    }
    crate::testkit::check_digests(&phone.store);
    assert_eq!(phone.store.fingerprints(&stream()).unwrap().len(), 1);
    assert_eq!(phone.store.fingerprints(&stream()).unwrap()[0].0, home);
}
