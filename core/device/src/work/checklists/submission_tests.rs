use gridwalk_model::categories::Severity;
use gridwalk_model::checklist::{Answer, ChecklistItem, Choice, EvidenceRule, ItemKind};
use gridwalk_model::records::{Dwelling, Form, Resident, Task, task::TaskState};
use gridwalk_model::{DeviceId, Kind, Record, RecordId, Timestamp, Value, codec, forms};
use gridwalk_replica::{Actor, Document};
use proptest::prelude::*;

use super::*;
use crate::error::DeviceError;
use crate::store::{Commit, Faults, Side, Store};
use crate::sync::tests::Phone;
use crate::testkit::{GRID, Script, at, dwelling, fields};
use crate::work::doors::{AtDoor, DoorAct, InHousehold, NewPerson, Newcomer};

pub(super) const FORM: RecordId = RecordId::from_bytes([51; 16]);

pub(super) fn item(
    order: u32,
    kind: ItemKind,
    field: Option<&str>,
    shown_when: Option<&str>,
) -> ChecklistItem {
    let choice = |word: &str| Choice { word: word.into(), zh: "虚构选项".into(), en: None };
    let choices = if kind == ItemKind::Choice { vec![choice("fan"), choice("heater")] } else { Vec::new() };
    ChecklistItem {
        order,
        zh: "虚构填报项".into(),
        en: None,
        kind,
        unit: None,
        min: None,
        max: None,
        choices,
        required_when: None,
        shown_when: shown_when.map(str::to_owned),
        severity: Severity::Low,
        evidence: EvidenceRule::None,
        basis: None,
        basis_en: None,
        passes_when: None,
        points: None,
        days: None,
        event_category: None,
        section_zh: None,
        section_en: None,
        unit_en: None,
        field: field.map(str::to_owned),
    }
}

pub(super) fn publish(server: &mut Script, id: RecordId, retired_at: Option<Timestamp>) {
    publish_with(server, id, retired_at, item(5, ItemKind::Other("map".into()), None, None));
}

/// The form with this as its last item.
pub(super) fn publish_with(
    server: &mut Script,
    id: RecordId,
    retired_at: Option<Timestamp>,
    last: ChecklistItem,
) {
    let items = [
        ("rented", item(1, ItemKind::YesNo, Some("rented"), None)),
        ("floor", item(2, ItemKind::Number, Some("floor"), None)),
        ("remarks", item(3, ItemKind::Text, Some("remarks"), Some("rented == 'yes'"))),
        ("appliance", item(4, ItemKind::Choice, None, None)),
        ("newer", last),
    ];
    let form = Form {
        code: "made_up".into(),
        version: 1,
        name: "虚构专项填报".into(),
        name_en: None,
        target_kind: "dwelling".into(),
        items: items.iter().map(|(id, item)| ((*id).into(), codec::to_bytes(item))).collect(),
        previous: None,
        retired_at,
    };
    let actor = Actor::new(DeviceId::from_bytes([99; 12]), [9; 4]);
    let (document, _) = Document::create(id, Kind::Form, &form.to_fields(), actor, at(0)).unwrap();
    server.put(id, "form", &document);
}

/// A phone with the form and a made-up home on the third floor.
pub(super) fn world(faults: Faults) -> (Script, Phone, RecordId) {
    let mut server = Script::new();
    publish(&mut server, FORM, None);
    let mut phone = Phone::with(1, faults);
    phone.sync(&mut server, at(0));
    phone.sync(&mut server, at(1));
    let mut home = dwelling("1号楼", "301");
    home.floor = Some(3);
    let home = phone.store.create(&home, at(2)).unwrap();
    (server, phone, home)
}

pub(super) fn choice(word: &str) -> Option<Answer> {
    Some(Answer { choice: Some(word.into()), ..Answer::default() })
}

pub(super) fn number(number: f64) -> Option<Answer> {
    Some(Answer { number: Some(number), ..Answer::default() })
}

#[test]
fn a_form_about_somebody_who_turns_out_to_be_a_duplicate_goes_into_the_record_that_stands_for_them() {
    let (mut server, mut phone, home) = world(Faults::none());
    let asked = item(1, ItemKind::Text, Some("workplace"), None);
    let form = Form {
        code: "made_up_people".into(),
        version: 1,
        name: "虚构人员填报".into(),
        name_en: None,
        target_kind: "resident".into(),
        items: [("workplace".to_owned(), codec::to_bytes(&asked))].into(),
        previous: None,
        retired_at: None,
    };
    let form_id = RecordId::from_bytes([52; 16]);
    let actor = Actor::new(DeviceId::from_bytes([99; 12]), [9; 4]);
    let (document, _) = Document::create(form_id, Kind::Form, &form.to_fields(), actor, at(0)).unwrap();
    server.put(form_id, "form", &document);
    phone.sync(&mut server, at(3));
    phone.sync(&mut server, at(4));
    let store = &mut phone.store;
    let named = |name| Newcomer::unknown(NewPerson::named(name));
    let both = vec![named("虚构甲"), named("虚构乙")];
    let come = DoorAct::MoveIn { people: both, household: InHousehold::None, from: None };
    let came = store.at_door(&AtDoor::in_person(home), &come, at(5)).unwrap().people;
    let (one, other) = (came[0], came[1]);

    let id = store.begin_submission(form_id, one, None, at(10)).unwrap().id;
    let works = Answer { text: Some("虚构工厂".into()), ..Answer::default() };
    store.answer_form(id, "workplace", Some(works), at(11)).unwrap();
    store.merge_people(one, other, at(12)).unwrap();
    assert_eq!(store.submission(id).unwrap().subject, other);
    assert_eq!(store.begin_submission(form_id, other, None, at(13)).unwrap().id, id, "it is the same draft");
    store.submit(id, at(14)).unwrap();
    let workplace = |store: &Store, id| store.get::<Resident>(id).unwrap().unwrap().record.workplace;
    assert_eq!(workplace(store, other).as_deref(), Some("虚构工厂"));
    assert_eq!(workplace(store, one), None);
    store.reopen_submission(id, at(15)).unwrap();
    assert_eq!(workplace(store, other), None);
}

#[test]
fn only_what_changed_is_asked_and_written_back() {
    let (mut server, mut phone, home) = world(Faults::none());
    let store = &mut phone.store;
    let mut task = fields(&[("task_kind", "submission")]);
    task.extend([("area".into(), Value::from(GRID)), ("target".into(), Value::from(home))]);
    let task = store.create(&Task::from_fields(&task).unwrap(), at(3)).unwrap();
    let filling = store.begin_submission(FORM, home, Some(task), at(10)).unwrap();
    assert_eq!(filling.prefilled.keys().collect::<Vec<_>>(), ["floor"], "known already");
    assert_eq!(filling.review.lacking.keys().collect::<Vec<_>>(), ["appliance", "rented"]);
    assert!(filling.review.needs_update.contains("newer"), "an unknown item holds up nothing");
    let id = filling.id;
    assert_eq!(store.begin_submission(FORM, home, None, at(11)).unwrap().id, id, "one draft");
    let early = store.submit(id, at(12));
    assert!(matches!(early, Err(DeviceError::Checklist(ChecklistError::Incomplete { .. }))));
    let half = store.answer_form(id, "floor", number(3.5), at(12));
    assert!(matches!(half, Err(DeviceError::Checklist(ChecklistError::BadAnswer { .. }))));
    let hidden = store.answer_form(id, "remarks", choice("x"), at(12));
    assert!(matches!(hidden, Err(DeviceError::Checklist(ChecklistError::NotAsked { .. }))));
    store.answer_form(id, "rented", choice("yes"), at(13)).unwrap();
    let text = Some(Answer { text: Some("租客两人".into()), ..Answer::default() });
    store.answer_form(id, "remarks", text, at(14)).unwrap();
    store.answer_form(id, "appliance", choice("fan"), at(15)).unwrap();
    let done = store.submit(id, at(16)).unwrap();
    assert_eq!(done.changed.iter().collect::<Vec<_>>(), ["remarks", "rented"], "the floor is left alone");
    assert_eq!(done.needs_update.len(), 1);
    let read = store.get::<Dwelling>(home).unwrap().unwrap().record;
    assert_eq!((read.rented, read.floor, read.remarks.as_deref()), (Some(true), Some(3), Some("租客两人")));
    let sent = store.submission(id).unwrap();
    assert_eq!(sent.answers["floor"].number, Some(3.0), "kept as it was filled in");
    assert_eq!(store.get::<Task>(task).unwrap().unwrap().record.state, Some(TaskState::Done));
    phone.sync(&mut server, at(20));
    assert_eq!(phone.waiting(), 0);
    assert!(phone.store.refused_edits().unwrap().is_empty());
}

#[test]
fn a_submission_is_taken_back_without_undoing_others() {
    let (_, mut phone, home) = world(Faults::none());
    let store = &mut phone.store;
    let id = store.begin_submission(FORM, home, None, at(10)).unwrap().id;
    store.answer_form(id, "rented", choice("no"), at(11)).unwrap();
    store.answer_form(id, "floor", number(4.0), at(12)).unwrap();
    store.answer_form(id, "appliance", choice("heater"), at(13)).unwrap();
    store.submit(id, at(14)).unwrap();
    let mut patch = fields(&[]);
    patch.insert("floor".into(), Value::Int(5));
    store.edit(home, &patch, at(15)).unwrap();
    let back = store.reopen_submission(id, at(16)).unwrap();
    let read = store.get::<Dwelling>(home).unwrap().unwrap().record;
    assert_eq!((read.rented, read.floor), (None, Some(5)), "what somebody changed since stays");
    assert!(back.submission.submitted_at.is_none() && back.submission.before.is_empty());
    assert_eq!(back.answers.len(), 3);
    let cleared = store.answer_form(id, "floor", None, at(17)).unwrap();
    assert_eq!(cleared.prefilled["floor"].number, Some(5.0));
    store.submit(id, at(18)).unwrap();
    assert_eq!(store.get::<Dwelling>(home).unwrap().unwrap().record.floor, Some(5));
}

#[test]
fn drafts_on_a_retired_version_are_taken_for_a_while() {
    let (mut server, mut phone, home) = world(Faults::none());
    let id = phone.store.begin_submission(FORM, home, None, at(10)).unwrap().id;
    for (item, answer) in [("rented", choice("no")), ("appliance", choice("fan"))] {
        phone.store.answer_form(id, item, answer, at(11)).unwrap();
    }
    let old = RecordId::from_bytes([52; 16]);
    publish(&mut server, old, Some(at(12)));
    phone.sync(&mut server, at(13));
    let begun = phone.store.begin_submission(old, home, None, at(14));
    assert!(matches!(begun, Err(DeviceError::Checklist(ChecklistError::Retired { .. }))));
    let mut form = phone.store.get::<Form>(old).unwrap().unwrap().record;
    form.retired_at = Some(at(12));
    assert!(forms::is_taken(form.retired_at, at(12 + forms::GRACE_MS)));
    assert!(!forms::is_taken(form.retired_at, at(13 + forms::GRACE_MS)));
    phone.store.submit(id, at(20)).unwrap();
    let other = phone.store.begin_submission(FORM, FORM, None, at(21));
    assert!(matches!(other, Err(DeviceError::Checklist(ChecklistError::WrongTarget { .. }))));
}

#[test]
fn sending_is_all_or_nothing() {
    for side in [Side::Before, Side::After] {
        let faults = Faults::scripted();
        let (_, phone, home) = world(faults.clone());
        let mut store = phone.store;
        let id = store.begin_submission(FORM, home, None, at(10)).unwrap().id;
        for (item, answer) in [("rented", choice("yes")), ("appliance", choice("fan"))] {
            store.answer_form(id, item, answer, at(11)).unwrap();
        }
        let text = Some(Answer { text: Some("虚构".into()), ..Answer::default() });
        store.answer_form(id, "remarks", text, at(12)).unwrap();
        faults.fail(Some(Commit::Edit), side, 0);
        assert!(matches!(store.submit(id, at(13)), Err(DeviceError::Injected)));
        store = store.reopened().unwrap();
        let sent = store.submission(id).unwrap().submission.submitted_at.is_some();
        let written = store.get::<Dwelling>(home).unwrap().unwrap().record.rented.is_some();
        assert_eq!((sent, written), (side == Side::After, side == Side::After));
        if !sent {
            store.submit(id, at(14)).unwrap();
        }
        assert_eq!(store.get::<Dwelling>(home).unwrap().unwrap().record.rented, Some(true));
    }
}

#[test]
fn a_draft_is_thrown_away_and_taken_back_and_what_was_sent_stays() {
    let (_, mut phone, home) = world(Faults::none());
    let store = &mut phone.store;
    let id = store.begin_submission(FORM, home, None, at(10)).unwrap().id;
    store.answer_form(id, "rented", choice("no"), at(11)).unwrap();
    store.discard_submission(id, at(12)).unwrap();
    assert!(store.open_submissions().unwrap().is_empty());
    store.restore_submission(id, at(13)).unwrap();
    let again = store.begin_submission(FORM, home, None, at(14)).unwrap();
    assert_eq!((again.id, again.answers.len()), (id, 1));
    store.answer_form(id, "appliance", choice("fan"), at(15)).unwrap();
    store.submit(id, at(16)).unwrap();
    let sent = store.discard_submission(id, at(17));
    assert!(matches!(sent, Err(DeviceError::Checklist(ChecklistError::Finished { .. }))));
}

/// What may be filled in at random: the item and its answer, or none.
fn any_answer() -> impl Strategy<Value = (&'static str, Option<Answer>)> {
    let text = |words: &str| Some(Answer { text: Some(words.into()), ..Answer::default() });
    prop_oneof![
        prop_oneof![Just("yes"), Just("no")].prop_map(|word| ("rented", choice(word))),
        (-2i64..30).prop_map(|floor| ("floor", number(floor as f64))),
        prop_oneof![Just("虚构甲"), Just("虚构乙")].prop_map(move |words| ("remarks", text(words))),
        prop_oneof![Just("fan"), Just("heater")].prop_map(|word| ("appliance", choice(word))),
        prop_oneof![Just("rented"), Just("floor"), Just("remarks"), Just("appliance")]
            .prop_map(|item| (item, None)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Sending and taking back, as often as one likes, leaves record and draft as they were; what another writes in
    /// between stays, whoever comes last; a second phone sees the same.
    #[test]
    fn taking_a_submission_back_restores(
        rounds in prop::collection::vec(
            (prop::collection::vec(any_answer(), 0..6), prop::option::of(-5i64..40)), 1..5),
    ) {
        let (mut server, mut phone, home) = world(Faults::none());
        let id = phone.store.begin_submission(FORM, home, None, at(10)).unwrap().id;
        let mut now = 10;
        for (item, answer) in [("rented", choice("no")), ("appliance", choice("fan"))] {
            phone.store.answer_form(id, item, answer, at(11)).unwrap();
        }
        for (answers, between) in rounds {
            for (item, answer) in answers {
                now += 10;
                match phone.store.answer_form(id, item, answer, at(now)) {
                    Ok(_) | Err(DeviceError::Checklist(ChecklistError::NotAsked { .. })) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
            let draft = phone.store.submission(id).unwrap();
            let before = phone.store.get::<Dwelling>(home).unwrap().unwrap().record;
            let sent = phone.store.submit(id, at(now + 1));
            prop_assert_eq!(sent.is_ok(), draft.review.is_complete());
            let Ok(sent) = sent else {
                prop_assert_eq!(phone.store.get::<Dwelling>(home).unwrap().unwrap().record, before);
                continue;
            };
            prop_assert!(phone.store.submission(id).unwrap().late.is_empty());
            let mut expected = before;
            if let Some(floor) = between.filter(|floor| phone.store.get::<Dwelling>(home).unwrap().unwrap().record.floor != Some(*floor)) {
                let patch = [("floor".to_owned(), Value::Int(floor))].into();
                phone.store.edit(home, &patch, at(now + 2)).unwrap();
                expected.floor = Some(floor);
            }
            let back = phone.store.reopen_submission(id, at(now + 3)).unwrap();
            prop_assert_eq!(phone.store.get::<Dwelling>(home).unwrap().unwrap().record, expected, "{:?}", sent);
            prop_assert!(back.submission.submitted_at.is_none() && back.submission.before.is_empty());
            prop_assert_eq!(back.answers, draft.answers);
        }
        phone.sync(&mut server, at(now + 100));
        let mut other = Phone::new(2);
        other.sync(&mut server, at(now + 101));
        other.sync(&mut server, at(now + 102));
        prop_assert_eq!(phone.waiting(), 0);
        let read = |phone: &Phone| {
            (phone.store.fields(home).unwrap(), phone.store.fields(id).unwrap())
        };
        prop_assert_eq!(read(&phone), read(&other));
    }
}
