//! What a session asks of a place in its district's words, and for which answers a signature stands.

use std::collections::BTreeSet;

use gridwalk_model::RecordId;
use gridwalk_model::checklist::{Answer, Outcome, SignatureRole};

use super::tests::{CHECKLIST, OTHER, World, complete, facts, photo, publish, world, world_of};
use super::*;
use crate::error::DeviceError;
use crate::store::{Faults, Store};
use crate::testkit::at;

const PRODUCTION: &str = include_str!("../../../../../schemas/checklists/production.json");

fn outcome(outcome: Outcome) -> Answer {
    Answer { outcome: Some(outcome), ..Answer::default() }
}

fn choice(word: &str) -> Answer {
    Answer { choice: Some(word.into()), ..Answer::default() }
}

#[test]
fn conditions_know_a_place_by_any_word_of_its_category() {
    for (word, asked) in
        [("restaurant", true), ("饭店", true), ("小餐饮", true), ("超市", false), ("天文台", false)]
    {
        let World { phone, place, .. } = world_of(word, Faults::none());
        let mut store = phone.store;
        let id = store.begin_inspection(place, CHECKLIST, None, at(10)).unwrap().id;
        let session = store.answer_item(id, "gas", choice("none"), at(11)).unwrap().session;
        assert_eq!(session.review.asked.contains(&"flue_cleaned".to_owned()), asked, "{word}");
    }
    for (word, required) in
        [("filling_station", true), ("加油站", true), ("加油加气站", true), ("仓库", false)]
    {
        let World { mut server, mut phone, place } = world_of(word, Faults::none());
        publish(&mut server, OTHER, PRODUCTION, 1, false);
        phone.sync(&mut server, at(5));
        let mut store = phone.store;
        assert_eq!(store.checklists_for(place).unwrap()[0].code, "production", "{word}");
        let id = store.begin_inspection(place, OTHER, None, at(10)).unwrap().id;
        let session = store.answer_item(id, "hazardous", choice("no"), at(11)).unwrap().session;
        assert_eq!(session.review.lacking.contains_key("explosion_proof"), required, "{word}");
    }
}

fn signs(store: &mut Store, id: RecordId, role: SignatureRole, now: i64) -> Session {
    let image = photo().stored.bytes;
    store.sign_inspection(id, role, None, &image, at(now)).unwrap()
}

#[test]
fn a_signature_is_for_exactly_the_answers_that_were_there() {
    let World { phone, place, .. } = world(Faults::none());
    let mut store = phone.store;
    let id = store.begin_inspection(place, CHECKLIST, None, at(10)).unwrap().id;
    let text = |text: &str| Answer { text: Some(text.into()), ..Answer::default() };
    store.answer_item(id, "windows_not_barred", outcome(Outcome::Pass), at(11)).unwrap();
    store.answer_item(id, "remarks", text("后门有杂物（虚构）"), at(12)).unwrap();
    let session = signs(&mut store, id, SignatureRole::Worker, 13);
    let worker = BTreeSet::from([SignatureRole::Worker]);
    assert_eq!(session.signed, worker);
    let more = store.answer_item(id, "staff_know", outcome(Outcome::Pass), at(14)).unwrap().session;
    assert!(more.signed.is_empty(), "one more");
    assert_eq!(store.clear_answer(id, "staff_know", at(15)).unwrap().session.signed, worker, "undone");
    let cleared = store.clear_answer(id, "remarks", at(16)).unwrap();
    assert!(cleared.session.signed.is_empty(), "one less, and none later than the signature");
    let refused = store.finish_inspection(id, &FinishPlan::default(), at(17));
    let Err(DeviceError::Checklist(ChecklistError::Incomplete { lacking })) = refused else {
        panic!("{refused:?}")
    };
    assert!(lacking.contains_key("signatures/worker"));
    let back = store.answer_item(id, "remarks", cleared.previous.unwrap(), at(18)).unwrap().session;
    assert_eq!(back.signed, worker, "what was signed is there again");
    let other = store.answer_item(id, "remarks", text("没有（虚构）"), at(19)).unwrap().session;
    assert!(other.signed.is_empty());
    store.attach_answer_photo(id, "remarks", &photo(), &facts(), at(20)).unwrap();
    assert_eq!(signs(&mut store, id, SignatureRole::Manager, 21).signed, [SignatureRole::Manager].into());
    let bad = store.sign_inspection(id, SignatureRole::Manager, None, b"no picture", at(22));
    assert!(matches!(bad, Err(DeviceError::Photo(_))));
}

#[test]
fn a_signature_in_the_wrong_place_is_taken_off_and_comes_back() {
    let World { mut server, mut phone, place } = world(Faults::none());
    let store = &mut phone.store;
    let id = store.begin_inspection(place, CHECKLIST, None, at(10)).unwrap().id;
    assert_eq!(store.unsign_inspection(id, &SignatureRole::Manager, at(11)).unwrap(), []);
    signs(store, id, SignatureRole::Worker, 12);
    let both = signs(store, id, SignatureRole::Manager, 13).signed;
    assert_eq!(both.len(), 2);
    let waiting = store.totals().unwrap().photos.count;
    let off = store.unsign_inspection(id, &SignatureRole::Manager, at(14)).unwrap();
    assert_eq!(off.len(), 1);
    let session = store.inspection_session(id).unwrap();
    assert_eq!(session.signed, [SignatureRole::Worker].into());
    assert!(session.loose_photos.is_empty());
    assert_eq!(store.unsign_inspection(id, &SignatureRole::Manager, at(15)).unwrap(), [], "it is off");
    for drawing in off {
        store.restore_photo(drawing, at(16)).unwrap();
    }
    assert_eq!(store.inspection_session(id).unwrap().signed, both);
    assert_eq!(store.totals().unwrap().photos.count, waiting, "and is sent");
    store.unsign_inspection(id, &SignatureRole::Manager, at(17)).unwrap();
    phone.sync(&mut server, at(20));
    assert_eq!(phone.waiting(), 0, "the server's admission takes it");
    let mut other = crate::sync::tests::Phone::joined(2, &mut server);
    other.sync(&mut server, at(21));
    assert_eq!(other.store.inspection_session(id).unwrap().signed, [SignatureRole::Worker].into());
    let plan =
        FinishPlan { unsigned_reason: Some("负责人外出（虚构）".into()), ..FinishPlan::default() };
    let store = &mut phone.store;
    complete(store, id, &photo(), at(30));
    store.finish_inspection(id, &plan, at(31)).unwrap();
    let late = store.unsign_inspection(id, &SignatureRole::Worker, at(32));
    assert!(matches!(late, Err(DeviceError::Checklist(ChecklistError::Finished { .. }))), "{late:?}");
}
