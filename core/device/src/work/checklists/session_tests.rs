//! What a session asks of a place in its district's words.

use gridwalk_model::checklist::Answer;

use super::tests::{CHECKLIST, OTHER, World, publish, world_of};
use crate::store::Faults;
use crate::testkit::at;

const PRODUCTION: &str = include_str!("../../../../../schemas/checklists/production.json");

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
