use std::collections::BTreeSet;

use gridwalk_evidence::{Limits, Photo};
use gridwalk_model::checklist::{Answer, Grade, ItemKind, Lack, Outcome, SignatureRole, file};
use gridwalk_model::event::number::EventNumber;
use gridwalk_model::event::{EventRules, State, fold, read_log};
use gridwalk_model::records::task::{TaskKind, TaskState};
use gridwalk_model::records::{Event, Inspection, Place, RectificationOrder, Task};
pub(super) use gridwalk_model::time::DAY_MS;
use gridwalk_model::{DeviceId, Kind, Record, RecordId, Timestamp, Value};
use gridwalk_replica::{Actor, Document};
use jiff::ToSpan;
use jiff::civil::Date;
use proptest::prelude::*;

use super::*;
use crate::error::DeviceError;
use crate::photo::{CaptureFacts, prepare_photo};
use crate::store::{Commit, Faults, Side, Store};
use crate::sync::tests::Phone;
use crate::testkit::{GRID, Script, USER, at, jpeg};

pub(super) const CHECKLIST: RecordId = RecordId::from_bytes([41; 16]);
pub(super) const OTHER: RecordId = RecordId::from_bytes([42; 16]);

pub(super) fn publish(server: &mut Script, id: RecordId, json: &str, version: i64, retired: bool) {
    let mut template = file::read(json).unwrap();
    template.version = version;
    template.retired_at = retired.then(|| at(0));
    let actor = Actor::new(DeviceId::from_bytes([99; 12]), [9; 4]);
    let fields = template.to_record().to_fields();
    let (document, _) = Document::create(id, Kind::Checklist, &fields, actor, at(0)).unwrap();
    server.put(id, "checklist", &document);
}

const VENUES: &str = include_str!("../../../../../schemas/checklists/small_venues.json");
const ROOMS: &str = include_str!("../../../../../schemas/checklists/rented_rooms.json");

pub(super) struct World {
    pub(super) server: Script,
    pub(super) phone: Phone,
    pub(super) place: RecordId,
}

/// A phone with a made-up restaurant, and the starter checklist from the office.
pub(super) fn world(faults: Faults) -> World {
    world_of("restaurant", faults)
}

/// The same with a place of another category.
pub(super) fn world_of(category: &str, faults: Faults) -> World {
    let mut server = Script::new();
    publish(&mut server, CHECKLIST, VENUES, 2, false);
    let mut phone = Phone::with(1, faults);
    phone.sync(&mut server, at(0));
    phone.sync(&mut server, at(1));
    let mut place =
        crate::testkit::fields(&[("name", "虚构小吃店"), ("category", category), ("address", "虚构路 1 号")]);
    place.insert("area".into(), Value::from(GRID));
    let place = phone.store.create(&Place::from_fields(&place).unwrap(), at(2)).unwrap();
    World { server, phone, place }
}

pub(super) fn photo() -> Photo {
    prepare_photo(&jpeg(640, 480), &facts(), None, &Limits::default()).unwrap()
}

pub(super) fn facts() -> CaptureFacts {
    CaptureFacts::camera(at(0), "W-01".into())
}

/// What the made-up restaurant's answers are: an exit is locked (major), the log is not kept, the hose is too long.
fn answer_to(session: &Session, item: &str) -> Answer {
    let number = |number| Answer { number: Some(number), ..Answer::default() };
    let text = |text: &str| Some(text.to_owned());
    match (item, &session.template.items[item].kind) {
        ("gas", _) => Answer { choice: text("bottled"), ..Answer::default() },
        ("area_m2", _) => number(80.0),
        ("floors", _) => number(1.0),
        ("hose_m", _) => number(3.0),
        ("exits_free", _) => {
            Answer { outcome: Some(Outcome::Fail), text: text("后门上锁"), ..Answer::default() }
        }
        ("daily_log", _) => Answer { outcome: Some(Outcome::Fail), ..Answer::default() },
        (_, ItemKind::PassFail) => Answer { outcome: Some(Outcome::Pass), ..Answer::default() },
        (_, ItemKind::Text) => Answer { text: text("已当场告知"), ..Answer::default() },
        _ => number(2.0),
    }
}

/// Goes on with the inspection from wherever it is to its end. What a worker does: answers, photographs, both sign.
pub(super) fn go_on(
    store: &mut Store,
    place: RecordId,
    photo: &Photo,
    now: Timestamp,
) -> Result<Session, DeviceError> {
    let done = store.every::<Inspection>()?.into_iter().find(|entry| entry.record.ended_at.is_some());
    if let Some(done) = done {
        return store.inspection_session(done.id);
    }
    let mut session = store.begin_inspection(place, CHECKLIST, None, now)?;
    while let Some(item) = session.next.clone() {
        session = if session.review.lacking.get(&item) == Some(&Lack::Photo) {
            store.attach_answer_photo(session.id, &item, photo, &facts(), now)?;
            store.inspection_session(session.id)?
        } else {
            let answer = answer_to(&session, &item);
            store.answer_item(session.id, &item, answer, now)?.session
        };
    }
    for role in [SignatureRole::Worker, SignatureRole::Manager] {
        if !session.signed.contains(&role) {
            session = store.sign_inspection(session.id, role, None, &photo.stored.bytes, now)?;
        }
    }
    store.finish_inspection(session.id, &FinishPlan::default(), now)?;
    store.inspection_session(session.id)
}

pub(super) fn state_of(store: &Store, event: RecordId) -> State {
    let (_, fields) = store.fields(event).unwrap().unwrap();
    fold(&read_log(&fields).0, &EventRules::for_routing()).state
}

#[test]
fn an_inspection_from_the_first_item_to_its_consequences() {
    let World { mut server, mut phone, place } = world(Faults::none());
    let store = &mut phone.store;
    let offered = store.checklists_for(place).unwrap();
    assert_eq!(offered.iter().map(|one| one.code.as_str()).collect::<Vec<_>>(), ["small_venues"]);
    let mut task = crate::testkit::fields(&[("task_kind", "inspection")]);
    task.extend([("area".into(), Value::from(GRID)), ("target".into(), Value::from(place))]);
    let task = store.create(&Task::from_fields(&task).unwrap(), at(3)).unwrap();

    let session = store.begin_inspection(place, CHECKLIST, None, at(10)).unwrap();
    assert_eq!((session.next.as_deref(), session.inspection.task), (Some("area_m2"), Some(task)));
    assert!(!session.review.asked.contains(&"lpg_kg".to_owned()), "asked only of who uses bottles");
    let unfinished = store.finish_inspection(session.id, &FinishPlan::default(), at(11));
    let Err(DeviceError::Checklist(ChecklistError::Incomplete { lacking })) = unfinished else {
        panic!("{unfinished:?}")
    };
    assert_eq!(lacking.get("signatures/manager"), Some(&Lack::Signature));

    let session = go_on(store, place, &photo(), at(20)).unwrap();
    assert!(session.is_finished() && session.loose_photos.is_empty());
    assert_eq!(session.review.failed.keys().collect::<Vec<_>>(), ["daily_log", "exits_free", "hose_m"]);
    assert_eq!(session.review.grade, Some(Grade::Major));
    assert_eq!(session.inspection.score, session.review.score.map(i64::from));
    assert_eq!(orders::findings_of(&session.inspection).len(), 3);

    let order = store.open_orders(at(21)).unwrap().remove(0);
    assert_eq!((order.place, order.overdue, order.outstanding.len()), (Some(place), false, 3));
    assert_eq!(order.outstanding["exits_free"], "疏散通道、安全出口未堵塞、未锁闭：后门上锁");
    let today = store.view().local_day(at(20)).unwrap();
    assert_eq!(order.order.deadline, today.tomorrow().unwrap(), "the most pressing item's days");
    let recheck = store.get::<Task>(order.order.recheck_task.unwrap()).unwrap().unwrap().record;
    assert_eq!((recheck.task_kind, recheck.target), (TaskKind::Recheck, Some(place)));
    assert_eq!(recheck.assignee, None, "it is of whoever has the grid by then");
    assert_eq!(recheck.due, Some(store.field_rules().unwrap().local().end_of(order.order.deadline).unwrap()));
    let done = store.get::<Task>(task).unwrap().unwrap().record;
    assert_eq!((done.state, done.result), (Some(TaskState::Done), Some(session.id)));

    let events = store.list::<Event>(None, 10).unwrap().entries;
    assert_eq!(events.len(), 1, "only the major finding is an event");
    let event = &events[0].record;
    assert_eq!((event.category.as_str(), event.inspection), ("fire_exit_blocked", Some(session.id)));
    assert_eq!((event.reporter, event.photos.len(), event.area), (Some(USER), 1, GRID));
    assert_eq!(state_of(store, events[0].id), State::Reported);
    let number: EventNumber = event.number.as_deref().unwrap().parse().unwrap();
    assert_eq!((number.day(), number.sequence()), (today, 1));
    let next = store.write(Commit::Edit, |tx| tx.issue_event_number(at(21))).unwrap();
    assert_eq!(next.sequence(), 2, "one sequence for all events of this phone");

    let again = store.answer_item(session.id, "gas", Answer::default(), at(22));
    assert!(matches!(again, Err(DeviceError::Checklist(ChecklistError::Finished { .. }))));
    phone.sync(&mut server, at(30));
    assert_eq!(phone.waiting(), 0, "the server's admission takes all of it");
    assert!(phone.store.refused_edits().unwrap().is_empty());
    let mut other = Phone::joined(2, &mut server);
    other.sync(&mut server, at(40));
    assert_eq!(other.store.inspection_session(session.id).unwrap().review, session.review);
}

#[test]
fn answers_are_undone_and_photos_stay_with_them() {
    let World { phone, place, .. } = world(Faults::none());
    let mut store = phone.store;
    let id = store.begin_inspection(place, CHECKLIST, None, at(10)).unwrap().id;
    let fail = Answer { outcome: Some(Outcome::Fail), ..Answer::default() };
    let first = store.answer_item(id, "daily_log", fail, at(11)).unwrap();
    assert_eq!(first.previous, None);
    let element = store.attach_answer_photo(id, "daily_log", &photo(), &facts(), at(12)).unwrap();
    let pass = Answer { outcome: Some(Outcome::Pass), ..Answer::default() };
    let second = store.answer_item(id, "daily_log", pass, at(13)).unwrap();
    assert_eq!(second.previous.as_ref().unwrap().photos, [element]);
    assert_eq!(second.session.answers["daily_log"].photos, [element], "an answer changed keeps its photo");
    let undone = store.answer_item(id, "daily_log", second.previous.unwrap(), at(14)).unwrap();
    assert_eq!(undone.session.answers["daily_log"].outcome, Some(Outcome::Fail));
    let cleared = store.clear_answer(id, "daily_log", at(15)).unwrap();
    assert!(cleared.session.answers.is_empty());
    assert_eq!(cleared.session.loose_photos, [element], "its photo is not lost");
    let back = store.answer_item(id, "daily_log", cleared.previous.unwrap(), at(16)).unwrap();
    assert_eq!((back.session.answers.len(), back.session.loose_photos.len()), (1, 0));
    let none = store.answer_item(id, "lpg_kg", Answer::default(), at(17));
    assert!(matches!(none, Err(DeviceError::Checklist(ChecklistError::NotAsked { .. }))));
    let odd = Answer { number: Some(f64::NAN), ..Answer::default() };
    let odd = store.answer_item(id, "area_m2", odd, at(17));
    assert!(matches!(odd, Err(DeviceError::Checklist(ChecklistError::BadAnswer { .. }))));
    store.discard_inspection(id, at(18)).unwrap();
    assert!(store.open_inspections().unwrap().is_empty());
    let restored = store.restore_inspection(id, at(19)).unwrap();
    assert_eq!(restored.answers, back.session.answers);
    assert_eq!(store.open_inspections().unwrap().len(), 1);
    let other = store.restore_inspection(place, at(20));
    assert!(matches!(other, Err(DeviceError::WrongKind { .. })), "{other:?}");
}

#[test]
fn a_wrong_photo_leaves_its_answer_and_comes_back_to_it() {
    let World { phone, place, .. } = world(Faults::none());
    let mut store = phone.store;
    let id = store.begin_inspection(place, CHECKLIST, None, at(10)).unwrap().id;
    let fail = Answer { outcome: Some(Outcome::Fail), ..Answer::default() };
    store.answer_item(id, "daily_log", fail, at(11)).unwrap();
    let element = store.attach_answer_photo(id, "daily_log", &photo(), &facts(), at(12)).unwrap();
    let image = photo();
    store.sign_inspection(id, SignatureRole::Worker, None, &image.stored.bytes, at(13)).unwrap();
    let before = store.inspection_session(id).unwrap();
    let removed = store.remove_photo(id, element, at(14)).unwrap();
    let without = store.inspection_session(id).unwrap();
    assert!(without.answers["daily_log"].photos.is_empty() && without.loose_photos.is_empty());
    assert_eq!(without.answers["daily_log"].outcome, Some(Outcome::Fail));
    assert!(without.signed.is_empty(), "it was signed with the photo");
    store.restore_photo(removed, at(15)).unwrap();
    let back = store.inspection_session(id).unwrap();
    assert_eq!(back.answers, before.answers);
    assert_eq!(back.signed.len(), 1);
    let drawn = *evidence::signature_photos(&back.inspection).first().unwrap();
    assert!(matches!(store.remove_photo(id, drawn, at(16)), Err(DeviceError::NotAllowed { .. })));
    let done = go_on(&mut store, place, &image, at(17)).unwrap();
    let late = store.remove_photo(done.id, element, at(18));
    assert!(matches!(late, Err(DeviceError::Checklist(ChecklistError::Finished { .. }))));
}

#[test]
fn drafts_are_finished_on_their_version_and_retired_ones_are_not_offered() {
    let World { mut server, mut phone, place } = world(Faults::none());
    let id = phone.store.begin_inspection(place, CHECKLIST, None, at(10)).unwrap().id;
    publish(&mut server, OTHER, VENUES, 3, false);
    publish(&mut server, RecordId::from_bytes([43; 16]), ROOMS, 1, false);
    phone.sync(&mut server, at(11));
    let offered = phone.store.checklists_for(place).unwrap();
    assert_eq!(offered.iter().map(|one| one.id).collect::<Vec<_>>(), [OTHER]);
    let mine = phone.store.inspection_session(id).unwrap();
    assert_eq!((mine.template.version, mine.inspection.checklist), (2, CHECKLIST));
    let retired = RecordId::from_bytes([44; 16]);
    publish(&mut server, retired, VENUES, 4, true);
    phone.sync(&mut server, at(12));
    let begun = phone.store.begin_inspection(place, retired, None, at(13));
    assert!(matches!(begun, Err(DeviceError::Checklist(ChecklistError::Retired { .. }))));
}

#[test]
fn two_phones_that_answer_one_inspection_converge() {
    let World { mut server, mut phone, place } = world(Faults::none());
    let id = phone.store.begin_inspection(place, CHECKLIST, None, at(10)).unwrap().id;
    phone.sync(&mut server, at(11));
    let mut other = Phone::joined(2, &mut server);
    other.sync(&mut server, at(12));
    let outcome = |outcome| Answer { outcome: Some(outcome), ..Answer::default() };
    phone.store.answer_item(id, "staff_know", outcome(Outcome::Pass), at(13)).unwrap();
    phone.store.answer_item(id, "daily_log", outcome(Outcome::Pass), at(14)).unwrap();
    other.store.answer_item(id, "daily_log", outcome(Outcome::Fail), at(15)).unwrap();
    other.store.clear_answer(id, "no_ebikes_inside", at(16)).unwrap();
    for now in 20..24 {
        phone.sync(&mut server, at(now));
        other.sync(&mut server, at(now));
    }
    let (mine, theirs) =
        (phone.store.inspection_session(id).unwrap(), other.store.inspection_session(id).unwrap());
    assert_eq!((mine.answers.len(), &mine.answers), (2, &theirs.answers));
    let conflicts = phone.store.conflicts_of(id).unwrap();
    assert_eq!(conflicts.iter().map(|one| one.field.as_str()).collect::<Vec<_>>(), ["answers/daily_log"]);
    phone.store.answer_item(id, "daily_log", outcome(Outcome::Fail), at(30)).unwrap();
    assert!(phone.store.conflicts_of(id).unwrap().is_empty(), "answering again settles it");
}

pub(super) fn recheck(store: &mut Store, order: RecordId, failing: &[&str], now: Timestamp) -> Finished {
    let session = store.begin_recheck(order, now).unwrap();
    assert_eq!(store.begin_recheck(order, now).unwrap().id, session.id, "begun once");
    for item in session.review.asked.clone() {
        let good = match session.template.items[&item].kind {
            ItemKind::Number => Answer { number: Some(1.5), ..Answer::default() },
            _ => Answer { outcome: Some(Outcome::Pass), ..Answer::default() },
        };
        let bad = Answer { outcome: Some(Outcome::Fail), ..Answer::default() };
        let fails = failing.contains(&item.as_str());
        store.answer_item(session.id, &item, if fails { bad } else { good }, now).unwrap();
        if fails {
            store.attach_answer_photo(session.id, &item, &photo(), &facts(), now).unwrap();
        }
    }
    let plan = FinishPlan { unsigned_reason: Some("负责人外出".into()), ..FinishPlan::default() };
    store.finish_inspection(session.id, &plan, now).unwrap()
}

#[test]
fn a_recheck_settles_its_order_or_goes_on_and_overdue_findings_become_events() {
    let World { mut server, mut phone, place } = world(Faults::none());
    let store = &mut phone.store;
    let first = go_on(store, place, &photo(), at(20)).unwrap();
    let order = store.open_orders(at(21)).unwrap()[0].id;
    assert_eq!(store.report_overdue(order, at(22)).unwrap().len(), 0, "not before the deadline");

    let late = |days: i64| at(days * DAY_MS);
    let second = recheck(store, order, &["hose_m"], late(1));
    assert_eq!(second.review.asked.len(), 3);
    assert_eq!((second.order, second.events.len()), (Some(order), 0), "still in time");
    let open = store.open_orders(late(1)).unwrap().remove(0);
    assert_eq!(open.outstanding.keys().collect::<Vec<_>>(), ["hose_m"]);
    assert_eq!(open.order.recheck_task, second.recheck_task);
    let deadline = store.view().local_day(late(1)).unwrap().saturating_add(3_i64.days());
    assert_eq!(open.order.deadline, deadline);

    assert!(store.open_orders(late(5)).unwrap()[0].overdue);
    let reported = store.report_overdue(order, late(5)).unwrap();
    assert_eq!(reported.keys().collect::<Vec<_>>(), ["hose_m"]);
    assert_eq!(store.report_overdue(order, late(5)).unwrap().len(), 0, "once each");

    let third = recheck(store, order, &["hose_m"], late(6));
    assert_eq!((third.review.asked.len(), third.events.len()), (1, 0), "the event is there already");
    let fourth = recheck(store, order, &[], late(7));
    assert_eq!((fourth.order, fourth.recheck_task), (Some(order), None));
    let settled = store.get::<RectificationOrder>(order).unwrap().unwrap().record;
    assert!(settled.settled_by.is_some() && store.open_orders(late(8)).unwrap().is_empty());
    let begun = store.begin_recheck(order, late(8));
    assert!(matches!(begun, Err(DeviceError::Checklist(ChecklistError::Settled { .. }))));
    let events = store.list::<Event>(None, 10).unwrap().entries;
    let numbers: BTreeSet<EventNumber> =
        events.iter().map(|event| event.record.number.as_deref().unwrap().parse().unwrap()).collect();
    assert_eq!((events.len(), numbers.len()), (2, 2), "a number of its own each");
    let undone = store.reopen_inspection(first.id, late(9));
    assert!(matches!(undone, Err(DeviceError::Checklist(ChecklistError::HadConsequences { .. }))));

    let day = |at| store.view().local_day(at).unwrap();
    let earlier: BTreeSet<Date> = settled.earlier.values().copied().collect();
    assert_eq!(earlier, BTreeSet::from([day(late(1)), deadline]), "no deadline that was missed is hidden");
    let last = settled.settled_by.unwrap();
    store.reopen_inspection(last, late(9)).unwrap();
    let open = store.open_orders(late(9)).unwrap();
    assert_eq!(open[0].outstanding.keys().collect::<Vec<_>>(), ["hose_m"]);
    store.discard_inspection(last, late(9)).unwrap();
    let third = settled.earlier.iter().find(|(_, day)| **day == deadline).unwrap().0.parse().unwrap();
    store.reopen_inspection(third, late(9)).unwrap();
    let order_now = store.get::<RectificationOrder>(order).unwrap().unwrap().record;
    assert_eq!((order_now.deadline, order_now.earlier.len()), (deadline, 1), "taken back with the recheck");
    phone.sync(&mut server, late(10));
    assert_eq!(phone.waiting(), 0);
    assert!(phone.store.refused_edits().unwrap().is_empty());
}

#[test]
fn a_deadline_that_has_passed_is_refused() {
    let World { phone, place, .. } = world(Faults::none());
    let mut store = phone.store;
    let session = store.begin_inspection(place, CHECKLIST, None, at(10)).unwrap();
    for item in ["gas", "area_m2"] {
        store.answer_item(session.id, item, answer_to(&session, item), at(11)).unwrap();
    }
    let image = photo();
    let mut session = store.inspection_session(session.id).unwrap();
    while let Some(item) = session.next.clone() {
        session = if session.review.lacking.get(&item) == Some(&Lack::Photo) {
            store.attach_answer_photo(session.id, &item, &image, &facts(), at(12)).unwrap();
            store.inspection_session(session.id).unwrap()
        } else {
            store.answer_item(session.id, &item, answer_to(&session, &item), at(12)).unwrap().session
        };
    }
    let plan = FinishPlan {
        deadline: Some(Date::constant(2020, 1, 1)),
        unsigned_reason: Some("负责人外出".into()),
        ..FinishPlan::default()
    };
    let outcome = store.finish_inspection(session.id, &plan, at(13));
    assert!(matches!(outcome, Err(DeviceError::Invalid { .. })));
    assert!(
        store.open_orders(at(14)).unwrap().is_empty()
            && store.list::<Event>(None, 9).unwrap().entries.is_empty()
    );
}

/// What a phone holds in the end, without identifiers.
fn summary(store: &Store) -> Vec<String> {
    let mut out = Vec::new();
    for entry in store.every::<Inspection>().unwrap() {
        let session = store.inspection_session(entry.id).unwrap();
        let answers = session.answers.iter().map(|(item, answer)| {
            format!("{item} {:?} {:?} {}", answer.outcome, answer.number, answer.photos.len())
        });
        out.extend(answers);
        out.push(format!("{:?} {:?}", session.review, session.inspection.ended_at.is_some()));
        out.push(format!("{:?}", orders::findings_of(&entry.record).keys()));
    }
    for order in store.every::<RectificationOrder>().unwrap() {
        out.push(format!("{:?} {}", order.record.items, order.record.deadline));
    }
    for event in store.list::<Event>(None, 99).unwrap().entries {
        out.push(format!(
            "{} {:?} {}",
            event.record.category,
            event.record.description,
            event.record.photos.len()
        ));
    }
    for task in store.list::<Task>(None, 99).unwrap().entries {
        out.push(format!("{:?} {:?} {:?}", task.record.task_kind, task.record.state, task.record.due));
    }
    out
}

/// The process dies at any commit, before or after it becomes durable: what was answered is there, and going on leads
/// to the same records.
#[test]
fn a_session_survives_a_kill_at_every_commit() {
    let image = photo();
    let World { mut phone, place, .. } = world(Faults::none());
    go_on(&mut phone.store, place, &image, at(20)).unwrap();
    let undisturbed = summary(&phone.store);
    let mut kills = 0;
    for (commit, side, skips) in [
        (Commit::Edit, Side::Before, 40),
        (Commit::Edit, Side::After, 40),
        (Commit::Media, Side::Before, 6),
        (Commit::Media, Side::After, 6),
    ] {
        for skip in 0..skips {
            let faults = Faults::scripted();
            let World { phone, place, .. } = world(faults.clone());
            faults.fail(Some(commit), side, skip);
            let mut store = phone.store;
            let killed = match go_on(&mut store, place, &image, at(20)) {
                Ok(_) => false,
                Err(DeviceError::Injected) => true,
                Err(error) => panic!("{error}"),
            };
            kills += i32::from(killed);
            let before = store.open_inspections().unwrap().first().map(|entry| entry.record.answers.len());
            store = store.reopened().unwrap();
            let after = store.open_inspections().unwrap().first().map(|entry| entry.record.answers.len());
            assert_eq!(before, after);
            go_on(&mut store, place, &image, at(20)).unwrap();
            assert_eq!(summary(&store), undisturbed, "{commit:?} {side:?} {skip}");
        }
    }
    assert!(kills >= 60, "{kills}");
}

#[derive(Clone, Debug)]
enum Act {
    Answer(prop::sample::Index, u8),
    Clear(prop::sample::Index),
    FinishAndUndo,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (any::<prop::sample::Index>(), 0u8..4).prop_map(|(item, word)| Act::Answer(item, word)),
        2 => any::<prop::sample::Index>().prop_map(Act::Clear),
        1 => Just(Act::FinishAndUndo),
    ]
}

fn any_answer(kind: &ItemKind, word: u8) -> Answer {
    let outcomes = [Outcome::Pass, Outcome::Fail, Outcome::NotApplicable, Outcome::Pass];
    match kind {
        ItemKind::Number => Answer { number: Some(f64::from(word)), ..Answer::default() },
        ItemKind::Choice => {
            let words = ["none", "piped", "bottled", "none"];
            Answer { choice: Some(words[usize::from(word)].into()), ..Answer::default() }
        }
        ItemKind::Text => Answer { text: Some("虚构".into()), ..Answer::default() },
        _ => Answer { outcome: Some(outcomes[usize::from(word)].clone()), ..Answer::default() },
    }
}

/// Answers whatever is lacking, so that the inspection can be finished.
pub(super) fn complete(store: &mut Store, id: RecordId, image: &Photo, now: Timestamp) -> Session {
    let mut session = store.inspection_session(id).unwrap();
    while let Some(item) = session.next.clone() {
        session = if session.review.lacking.get(&item) == Some(&Lack::Photo) {
            store.attach_answer_photo(id, &item, image, &facts(), now).unwrap();
            store.inspection_session(id).unwrap()
        } else {
            store
                .answer_item(id, &item, any_answer(&session.template.items[&item].kind, 0), now)
                .unwrap()
                .session
        };
    }
    session
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whatever is answered in whatever order, finishing leaves findings, order, task and events that agree, and taking
    /// it back leaves none of them.
    #[test]
    fn finishing_is_all_or_nothing_and_taken_back_whole(acts in prop::collection::vec(act(), 1..25)) {
        let image = photo();
        let World { phone, place, .. } = world(Faults::none());
        let mut store = phone.store;
        let id = store.begin_inspection(place, CHECKLIST, None, at(10)).unwrap().id;
        let plan = FinishPlan { unsigned_reason: Some("虚构".into()), ..FinishPlan::default() };
        for (n, act) in acts.into_iter().enumerate() {
            let now = at(100 + n as i64);
            let session = store.inspection_session(id).unwrap();
            match act {
                Act::Answer(item, word) => {
                    let item = item.get(&session.review.asked).clone();
                    let answer = any_answer(&session.template.items[&item].kind, word);
                    store.answer_item(id, &item, answer, now).unwrap();
                }
                Act::Clear(item) => {
                    let item = item.get(&session.review.asked).clone();
                    store.clear_answer(id, &item, now).unwrap();
                }
                Act::FinishAndUndo => {
                    let before = complete(&mut store, id, &image, now);
                    let finished = store.finish_inspection(id, &plan, now).unwrap();
                    let after = store.inspection_session(id).unwrap();
                    let found: Vec<_> = orders::findings_of(&after.inspection).into_keys().collect();
                    let failed: Vec<_> = before.review.failed.keys().cloned().collect();
                    prop_assert_eq!(&found, &failed);
                    prop_assert_eq!(finished.order.is_some(), !failed.is_empty());
                    prop_assert_eq!(finished.recheck_task.is_some(), !failed.is_empty());
                    for event in finished.events.values() {
                        prop_assert_eq!(state_of(&store, *event), State::Reported);
                    }
                    let back = store.reopen_inspection(id, now).unwrap();
                    prop_assert_eq!((&back.answers, &back.review), (&before.answers, &before.review));
                    prop_assert!(back.inspection.findings.is_empty() && back.inspection.ended_at.is_none());
                    prop_assert!(store.open_orders(now).unwrap().is_empty());
                    let tasks = store.list::<Task>(None, 9).unwrap().entries;
                    prop_assert!(tasks.is_empty());
                    for event in finished.events.values() {
                        prop_assert_eq!(state_of(&store, *event), State::Withdrawn);
                    }
                }
            }
        }
    }
}
