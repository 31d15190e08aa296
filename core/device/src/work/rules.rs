//! The deployment's rules as the server gives them: used from the next operation on, or refused as a whole.

use gridwalk_model::doors::DoorRules;
use gridwalk_model::event::EventRules;
use gridwalk_model::field_rules::FieldRules;
use gridwalk_replica::wire::RuleFiles;

use crate::error::DeviceError;
use crate::store::{Commit, Setting, Store, View};
use crate::work::doors::DoorProblem;

/// Why the rules that were given last are not used. The ones before them are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesRefused {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// Grows whenever a build can use more of the files than the one before: what that one passed over or refused is asked
/// for again after an update.
const READER: u8 = 2;

impl View<'_> {
    /// The mark of the rules that this build was given last.
    pub(crate) fn rules_mark(&self) -> Result<Option<Vec<u8>>, DeviceError> {
        let stored = self.get(Setting::RulesMark)?;
        Ok(stored.and_then(|stored| match stored.split_first() {
            Some((reader, mark)) if *reader == READER => Some(mark.to_vec()),
            _ => None,
        }))
    }
}

impl Store {
    /// Takes the deployment's rules. Rules with anything wrong are refused as a whole, and the old ones stay. Returns
    /// whether they are used.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn take_rules(&mut self, files: &RuleFiles) -> Result<bool, DeviceError> {
        let read = read(files);
        self.write(Commit::Setting, |tx| {
            tx.put(Setting::RulesMark, &[&[READER], files.mark.as_slice()].concat())?;
            match &read {
                Ok((doors, field, events)) => {
                    if let Some(doors) = doors {
                        tx.put(Setting::DoorRules, doors.to_json().as_bytes())?;
                    }
                    if let Some(field) = field {
                        tx.put_field_rules(field)?;
                    }
                    if let Some(events) = events {
                        tx.put_event_rules(events)?;
                    }
                    tx.clear(Setting::RulesRefused)?;
                }
                Err(why) => {
                    tx.put(Setting::RulesRefused, format!("{}\n{}", why.zh, why.en).as_bytes())?;
                }
            }
            Ok(())
        })?;
        Ok(read.is_ok())
    }

    /// Why the rules that the server gave last are not used; `None` if they are, or none were given.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn rules_refused(&self) -> Result<Option<RulesRefused>, DeviceError> {
        let text = self.view().get_text(Setting::RulesRefused)?;
        Ok(text.map(|text| {
            let (zh, en) = text.split_once('\n').unwrap_or((&text, &text));
            RulesRefused { zh: zh.to_owned(), en: en.to_owned() }
        }))
    }
}

type Rules = (Option<DoorRules>, Option<FieldRules>, Option<EventRules>);

fn read(files: &RuleFiles) -> Result<Rules, RulesRefused> {
    let doors = files.doors.as_deref().map(DoorRules::parse).transpose().map_err(|error| {
        let problem = DoorProblem::from(error.clone());
        RulesRefused { zh: problem.zh(), en: error.to_string() }
    })?;
    let field = files.field.as_deref().map(FieldRules::parse).transpose();
    let field = field.map_err(|error| RulesRefused { zh: error.zh(), en: error.to_string() })?;
    let events = files.events.as_deref().map(EventRules::parse).transpose();
    let events = events.map_err(|error| RulesRefused { zh: error.zh(), en: error.to_string() })?;
    Ok((doors, field, events))
}

#[cfg(test)]
mod tests {
    use gridwalk_model::calendar::Span;
    use gridwalk_model::event::{Action, LogEntry, SlaClass};
    use gridwalk_model::{Kind, RecordId};
    use gridwalk_replica::wire::ServerNotes;

    use super::*;
    use crate::sync::{Effect, Engine, EngineConfig, Event};
    use crate::testkit::{at, store};

    fn files(mark: u8, site_metres: u32) -> RuleFiles {
        let field = FieldRules { site_metres, ..FieldRules::default() };
        RuleFiles { mark: vec![mark; 8].into(), doors: None, field: Some(field.to_json()), events: None }
    }

    #[test]
    fn good_rules_are_used_and_bad_ones_leave_the_old_with_a_reason() {
        let mut store = store(1);
        let doors = DoorRules { undo_days: 3, ..DoorRules::default() };
        let both = RuleFiles { doors: Some(doors.to_json()), ..files(1, 40) };
        assert!(store.take_rules(&both).unwrap());
        assert_eq!(store.door_rules().unwrap(), doors);
        assert_eq!(store.field_rules().unwrap().site_metres, 40);
        let bad = RuleFiles { doors: Some("{}".into()), ..files(2, 60) };
        assert!(!store.take_rules(&bad).unwrap());
        let why = store.rules_refused().unwrap().unwrap();
        assert!(why.en.contains("limits") && !why.zh.is_empty(), "{why:?}");
        assert_eq!(store.field_rules().unwrap().site_metres, 40, "nothing of them is used");
        let bad = RuleFiles { field: Some("[]".into()), ..files(3, 60) };
        assert!(!store.take_rules(&bad).unwrap());
        assert!(store.take_rules(&files(4, 80)).unwrap());
        assert_eq!(store.rules_refused().unwrap(), None);
        assert_eq!(store.field_rules().unwrap().site_metres, 80);
        assert_eq!(store.view().rules_mark().unwrap(), Some(vec![4; 8]));
        let older = |tx: &mut crate::store::Tx<'_>| {
            tx.put(Setting::RulesMark, &[&[READER - 1][..], &[4; 8][..]].concat())
        };
        store.write(Commit::Setting, older).unwrap();
        assert_eq!(
            store.view().rules_mark().unwrap(),
            None,
            "what an older build was given is asked for anew"
        );
        assert_eq!(store.door_rules().unwrap(), doors, "what is not said stays");
    }

    /// The starter rules with one category more, urgent, and another deadline for ordinary cases.
    fn own_events(name: &str) -> EventRules {
        let mut rules = EventRules::default();
        let mut plants = rules.categories[1].clone();
        (plants.code, plants.zh, plants.sla) = ("balcony_plants".into(), name.into(), SlaClass::Urgent);
        rules.categories.push(plants);
        let ordinary = rules.sla.get_mut(&SlaClass::Ordinary).unwrap();
        ordinary.respond = Span::Minutes(47);
        rules
    }

    #[test]
    fn an_event_of_an_unknown_category_is_shown_by_its_code_and_named_once_the_rules_know_it() {
        let mut store = store(1);
        let user = store.identity().unwrap().user;
        assert_eq!(*store.event_rules(), EventRules::default(), "before the first sync");
        let mut event = crate::testkit::fields(&[("category", "balcony_plants"), ("address", "东门")]);
        event.insert("area".into(), gridwalk_model::Value::from(crate::testkit::GRID));
        event.insert("reporter".into(), gridwalk_model::Value::from(user));
        let mut entry = LogEntry::new(RecordId::from_bytes([7; 16]), None, at(1), user, Action::Report);
        entry.category = Some("balcony_plants".into());
        event.insert(entry.key(), entry.to_value());
        let event = store.edits(at(1), |edits| edits.create_fields(Kind::Event, &event)).unwrap();
        let shown = |store: &Store| store.my_reports(at(2), 9).unwrap()[0].category.zh.clone();
        let found = |store: &Store, text: &str| {
            store.search(text, &[], None, 9).unwrap().hits.iter().map(|hit| hit.id).collect::<Vec<_>>()
        };
        assert_eq!(shown(&store), "balcony_plants");
        assert_eq!(found(&store, "balcony_plants"), [event]);
        assert!(!store.not_sent().unwrap()[0].urgent, "ordinary until somebody says otherwise");

        let given =
            |mark: u8, events: &EventRules| RuleFiles { events: Some(events.to_json()), ..files(mark, 40) };
        assert!(store.take_rules(&given(1, &own_events("阳台花盆"))).unwrap());
        assert_eq!(store.event_rules().verify_distance_m, 40, "with the limits of the other file");
        assert_eq!(shown(&store), "阳台花盆");
        assert_eq!(found(&store, "阳台花盆"), [event], "drawn anew with the rules");
        assert!(found(&store, "balcony_plants").is_empty());
        assert!(store.not_sent().unwrap()[0].urgent);
        // Another name, then an app that is started again, then an edit: nothing of the old name stays.
        assert!(store.take_rules(&given(2, &own_events("高空花盆"))).unwrap());
        let mut store = store.reopened().unwrap();
        assert_eq!(store.event_rules().sla[&SlaClass::Ordinary].respond, Span::Minutes(47));
        assert_eq!(found(&store, "高空花盆"), [event]);
        let moved = crate::testkit::fields(&[("address", "西门")]);
        store.edits(at(3), |edits| edits.edit(event, &moved)).unwrap();
        assert_eq!((found(&store, "阳台花盆"), found(&store, "高空花盆")), (vec![], vec![event]));
        let bad = RuleFiles { events: Some("{}".into()), ..files(3, 40) };
        assert!(!store.take_rules(&bad).unwrap());
        let why = store.rules_refused().unwrap().unwrap();
        assert!(why.zh.contains("事件规则") && why.en.contains("categories"), "{why:?}");
        assert_eq!(shown(&store), "高空花盆");
    }

    #[test]
    fn rules_come_with_the_sync_and_the_next_request_says_which_are_here() {
        let mut store = store(1);
        let mut engine = Engine::new(EngineConfig::default());
        let mut marks = Vec::new();
        for mark in 1..4u8 {
            let effects = engine.next(Event::Sync, &mut store, at(i64::from(mark))).unwrap();
            let Some(Effect::Send { n, request }) = effects.into_iter().next() else { panic!("nothing") };
            marks.push(request.notes.clone().unwrap().rules.map(|mark| mark.to_vec()));
            let mut response = crate::testkit::answer(&request);
            // The third is of a newer server and means nothing here.
            let rules = if mark == 2 {
                RuleFiles { field: Some("{}".into()), ..files(mark, 70) }
            } else {
                files(mark, 70)
            };
            response.notes = Some(ServerNotes { rules: Some(rules), ..ServerNotes::default() });
            let answer = Event::Response { n, result: Ok(Box::new(response)) };
            engine.next(answer, &mut store, at(i64::from(mark))).unwrap();
            assert_eq!(store.rules_refused().unwrap().is_some(), mark == 2);
        }
        assert_eq!(
            marks,
            [None, Some(vec![1; 8]), Some(vec![2; 8])],
            "refused rules are not asked for again"
        );
        assert_eq!(store.field_rules().unwrap().site_metres, 70);
    }
}
