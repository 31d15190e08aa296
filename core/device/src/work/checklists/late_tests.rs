//! A form as an older build reads it, and as a newer one does. Which kinds a build knows is in its code, so the older
//! build is played by a form in which the kind has another word.

use gridwalk_model::checklist::{Answer, ItemKind};
use gridwalk_model::records::{Dwelling, Task, task::TaskState};
use gridwalk_model::{Fields, Record, RecordId, Value};

use super::submission_tests::{FORM, choice, item, publish_with, world};
use super::*;
use crate::error::DeviceError;
use crate::store::Faults;
use crate::sync::tests::Phone;
use crate::testkit::{GRID, Script, at, fields};
use crate::work::tray::TrayKey;

fn text(words: &str) -> Option<Answer> {
    Some(Answer { text: Some(words.into()), ..Answer::default() })
}

/// Sent by an older build; returns the server, the submission, the home and the task.
fn sent_by_an_older_build() -> (Script, RecordId, RecordId, RecordId) {
    let (mut server, mut old, home) = world(Faults::none());
    let mut task: Fields = fields(&[("task_kind", "submission")]);
    task.extend([("area".into(), Value::from(GRID)), ("target".into(), Value::from(home))]);
    let task = old.store.create(&Task::from_fields(&task).unwrap(), at(3)).unwrap();
    let id = old.store.begin_submission(FORM, home, Some(task), at(10)).unwrap().id;
    for (item, answer) in [("rented", choice("no")), ("appliance", choice("fan"))] {
        old.store.answer_form(id, item, answer, at(11)).unwrap();
    }
    let early = old.store.answer_form(id, "newer", text("x"), at(12));
    assert!(early.is_ok(), "kept, not understood");
    old.store.answer_form(id, "newer", None, at(12)).unwrap();
    assert!(old.store.submit(id, at(13)).unwrap().needs_update.contains("newer"));
    assert_eq!(old.store.asked_later(at(14)).unwrap(), [], "this build cannot ask it");
    let refused = old.store.answer_form(id, "newer", text("x"), at(14));
    assert!(matches!(refused, Err(DeviceError::Checklist(ChecklistError::Finished { .. }))));
    old.sync(&mut server, at(15));
    assert_eq!(old.waiting(), 0);
    (server, id, home, task)
}

/// The same worker's phone after the update.
fn newer_build(server: &mut Script) -> Phone {
    server.records.remove(&FORM);
    publish_with(server, FORM, None, item(5, ItemKind::Text, Some("remarks"), None));
    let mut new = Phone::joined(2, server);
    new.sync(server, at(20));
    new
}

#[test]
fn what_only_a_newer_build_can_ask_is_asked_after_the_update() {
    let (mut server, id, home, task) = sent_by_an_older_build();
    let mut new = newer_build(&mut server);
    let asked = new.store.asked_later(at(21)).unwrap();
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].submission, asked[0].target), (id, home));
    assert!(asked[0].items.iter().eq(["newer"]));
    let tray = new.store.tray(at(21)).unwrap();
    assert_eq!(tray.len(), 1, "{tray:?}");
    assert_eq!((&tray[0].key, tray[0].record), (&TrayKey::AskedLater { record: id }, id));
    assert!(!tray[0].title.is_empty() && tray[0].what.en.is_ascii() && !tray[0].explanation.zh.is_empty());
    for (item, answer) in [("rented", choice("yes")), ("floor", choice("x"))] {
        let refused = new.store.answer_form(id, item, answer, at(22));
        assert!(matches!(refused, Err(DeviceError::Checklist(ChecklistError::Finished { .. }))), "{item}");
    }
    new.store.answer_form(id, "newer", text("虚构备注"), at(23)).unwrap();
    assert_eq!((new.store.asked_later(at(24)).unwrap(), new.waiting()), (vec![], 2));
    let read = |new: &Phone| new.store.get::<Dwelling>(home).unwrap().unwrap().record;
    assert_eq!((read(&new).remarks.as_deref(), read(&new).rented), (Some("虚构备注"), Some(false)));
    let filling = new.store.answer_form(id, "newer", text("更正"), at(25)).unwrap();
    assert_eq!(read(&new).remarks.as_deref(), Some("更正"));
    assert_eq!(filling.submission.submitted_at, Some(at(13)));
    new.store.answer_form(id, "newer", None, at(26)).unwrap();
    assert_eq!((read(&new).remarks, new.store.asked_later(at(27)).unwrap().len()), (None, 1));
    new.store.answer_form(id, "newer", text("虚构备注"), at(28)).unwrap();
    let state = new.store.get::<Task>(task).unwrap().unwrap().record.state;
    assert_eq!(state, Some(TaskState::Done), "the task stays done");
    new.sync(&mut server, at(29));
    assert_eq!((new.waiting(), new.store.refused_edits().unwrap()), (0, vec![]));
    let back = new.store.reopen_submission(id, at(30)).unwrap();
    assert_eq!((read(&new).remarks, read(&new).rented), (None, None));
    assert!(back.submission.before.is_empty() && back.late.is_empty());
}
