//! Reports, drafts, acts, as one phone does them and as two phones and a server see them.

use gridwalk_evidence::Limits;
use gridwalk_model::event::near::Near;
use gridwalk_model::event::{Action, Flag, LogEntry, State, fold, read_log};
use gridwalk_model::geo::{AreaShape, Datum, LatLon, Position, PositionSource};
use gridwalk_model::photo::PhotoRole;
use gridwalk_model::policy::Role;
use gridwalk_model::records::Event;
pub(super) use gridwalk_model::time::DAY_MS as DAY;
use gridwalk_model::{AccessClass, Fields, Kind, Record, RecordId, StreamId, Timestamp};
use gridwalk_replica::{Actor, Document};

use super::*;
use crate::error::DeviceError;
use crate::photo::{CaptureFacts, prepare_photo};
use crate::store::{Body, Commit, Faults, Side, Store};
use crate::testkit::{GRID, USER, at, device, dwelling, jpeg, store, store_with};

const UNIT: RecordId = RecordId::from_bytes([0x51; 16]);
pub(super) const FIXER: RecordId = RecordId::from_bytes([0x52; 16]);

pub(super) fn here(north_m: f64) -> Option<Position> {
    Position::wgs84(36.1 + north_m / 111_000.0, 120.47, Some(6.0), PositionSource::Gps).ok()
}

pub(super) fn facts(now: Timestamp, position: Option<Position>) -> CaptureFacts {
    CaptureFacts { position, ..CaptureFacts::camera(now, "W01".into()) }
}

pub(super) fn in_grid() -> SnapContext {
    SnapContext { area: Some(GRID), ..SnapContext::default() }
}

/// A report in three calls, with a photo of 96 × 72 pixels.
pub(super) fn report(store: &mut Store, category: &str, north_m: f64, now: Timestamp) -> SentReport {
    let snapped = store.snap(&jpeg(96, 72), &facts(now, here(north_m)), &in_grid(), None, now).unwrap();
    store.choose_category(snapped.draft, category, now).unwrap();
    store.send_report(snapped.draft, now).unwrap()
}

pub(super) fn attach_all(store: &mut Store, now: Timestamp) -> usize {
    let pending = store.photos_to_attach().unwrap();
    for photo in &pending {
        let (original, _) = store.journaled_photo(photo.capture).unwrap().unwrap();
        let prepared = prepare_photo(&original, &photo.facts, None, &Limits::default()).unwrap();
        store.attach_pending(photo, &prepared, now).unwrap();
    }
    pending.len()
}

/// What the server or another phone writes into an event.
pub(super) fn elsewhere(
    store: &mut Store,
    event: RecordId,
    action: Action,
    now: Timestamp,
    by: Option<RecordId>,
) {
    let mut document = store.document(event).unwrap().unwrap();
    let (entries, _) = read_log(&document.fields());
    let rules = store.event_rules();
    let parent = fold(&entries, rules).entries.last().map(|last| last.id);
    let id = RecordId::from_parts(now, [entries.len() as u8; 10]);
    let mut entry = LogEntry::new(id, parent, now, FIXER, action);
    entry.by = by;
    entry.unit = Some(UNIT);
    entry.to_unit = Some(UNIT);
    entry.reason = Some("原因".into());
    entry.public_reply = Some("已清理".into());
    entry.category = (entry.action == Action::Classify).then(|| "litter".into());
    entry.until = (entry.action == Action::JointCall).then(|| now.plus_millis(DAY));
    let fields = Fields::from([(entry.key(), entry.to_value())]);
    let change = document.edit(&fields, Actor::new(device(200), [1; 4]), now).unwrap().unwrap();
    store
        .write(Commit::Apply, |tx| {
            let old = tx.record(event)?;
            let merged = Document::load(&document.save())?;
            tx.put_record(event, "event", old.as_ref(), &merged, Body::Change(&change.raw))?;
            Ok(())
        })
        .unwrap();
}

pub(super) fn put_right(store: &mut Store, event: RecordId, now: Timestamp) {
    for (n, action) in
        [Action::Accept, Action::Dispatch, Action::SignFor, Action::Rectify].into_iter().enumerate()
    {
        elsewhere(store, event, action, now.plus_millis(n as i64), Some(FIXER));
    }
}

/// What the directory of staff says of this phone's worker.
pub(super) fn employed(store: &mut Store, roles: &[Role]) {
    let mut fields = Fields::from([("name".into(), "测试员（虚构）".into()), ("unit".into(), UNIT.into())]);
    fields.extend(roles.iter().map(|role| (format!("roles/{}", role.word()), true.into())));
    let actor = Actor::new(device(200), [2; 4]);
    let (document, change) = Document::create(USER, Kind::Worker, &fields, actor, at(0)).unwrap();
    store
        .write(Commit::Apply, |tx| {
            tx.put_record(USER, "worker", None, &document, Body::Snapshot(&change.raw))?;
            Ok(())
        })
        .unwrap();
}

pub(super) fn rectify(result: &str, after_photos: Vec<RecordId>, reason: Option<&str>) -> WorkerAct {
    let no_photo_reason = reason.map(str::to_owned);
    WorkerAct::Rectify { result: result.into(), after_photos, no_photo_reason }
}

#[test]
fn a_handler_signs_for_a_case_asks_for_time_and_puts_it_right_with_a_photo() {
    let mut store = store(1);
    employed(&mut store, &[Role::Gridworker, Role::Handler]);
    // Of a category that its finder may put right.
    let event = report(&mut store, "litter", 0.0, at(0)).event;
    attach_all(&mut store, at(1));
    elsewhere(&mut store, event, Action::Accept, at(2), Some(FIXER));
    let early = store.act_on_event(event, WorkerAct::SignFor, at(3));
    assert!(matches!(early, Err(DeviceError::ActRefused { flag: Flag::NotInThisState })), "{early:?}");
    elsewhere(&mut store, event, Action::Dispatch, at(4), Some(FIXER));
    let acts = store.event_acts(event).unwrap();
    assert!(acts.contains(&Action::SignFor) && acts.contains(&Action::RequestExtension), "{acts:?}");
    assert!(
        !acts.contains(&Action::Return)
            && !acts.contains(&Action::Rectify)
            && !acts.contains(&Action::Attend)
    );
    store.act_on_event(event, WorkerAct::SignFor, at(5)).unwrap();
    let extension =
        |reason: &str| WorkerAct::RequestExtension { reason: reason.into(), until: Some(at(9 * DAY)) };
    let mute = store.act_on_event(event, extension(" "), at(6));
    assert!(matches!(mute, Err(DeviceError::ActRefused { flag: Flag::NeedsReason })), "{mute:?}");
    store.act_on_event(event, extension("待配件（虚构）"), at(6)).unwrap();
    let bare = store.act_on_event(event, rectify("已清理", Vec::new(), None), at(7));
    assert!(matches!(bare, Err(DeviceError::ActRefused { flag: Flag::NeedsAfterPhoto })), "{bare:?}");
    let first = store.get::<Event>(event).unwrap().unwrap().record.photos;
    let first: RecordId = first.keys().next().unwrap().parse().unwrap();
    let shot = CaptureFacts { role: PhotoRole::After, ..facts(at(8), here(2.0)) };
    let after = store.snap_for_event(event, &jpeg(120, 90), &shot, Some(first), at(8)).unwrap();
    store.act_on_event(event, rectify("已清理", vec![after.element], None), at(9)).unwrap();
    attach_all(&mut store, at(10));
    let mine = &store.my_reports(at(11), 1).unwrap()[0];
    assert_eq!((mine.state, mine.reply.as_deref()), (State::Rectified, Some("已清理")));
    assert_eq!(mine.late, []);
    let pairs = store.event_story(event).unwrap().pairs;
    assert_eq!((pairs[0].before, pairs[0].after), (Some(first), Some(after.element)));
}

#[test]
fn a_called_unit_attends_or_objects_and_a_finder_is_not_the_fixer() {
    let mut store = store(1);
    employed(&mut store, &[Role::GridLeader]);
    let event = report(&mut store, "road_damage", 0.0, at(0)).event;
    elsewhere(&mut store, event, Action::Accept, at(2), Some(FIXER));
    assert!(!store.event_acts(event).unwrap().contains(&Action::Attend), "nobody was called");
    elsewhere(&mut store, event, Action::JointCall, at(3), Some(FIXER));
    let acts = store.event_acts(event).unwrap();
    assert!(acts.contains(&Action::Attend) && acts.contains(&Action::Object), "{acts:?}");
    store.act_on_event(event, WorkerAct::Object { reason: "不属本单位（虚构）".into() }, at(4)).unwrap();
    store.act_on_event(event, WorkerAct::Attend { note: Some("已到场（虚构）".into()) }, at(5)).unwrap();
    elsewhere(&mut store, event, Action::Dispatch, at(6), Some(FIXER));
    store.act_on_event(event, WorkerAct::SignFor, at(7)).unwrap();
    let own = store.act_on_event(event, rectify("已修补", Vec::new(), Some("夜间（虚构）")), at(8));
    assert!(matches!(own, Err(DeviceError::ActRefused { flag: Flag::FinderIsFixer })), "{own:?}");
}

#[test]
fn acts_of_a_unit_are_open_to_its_own_people_with_the_role() {
    let mut store = store(1);
    let event = report(&mut store, "litter", 0.0, at(0)).event;
    elsewhere(&mut store, event, Action::Accept, at(2), Some(FIXER));
    elsewhere(&mut store, event, Action::Dispatch, at(3), Some(FIXER));
    assert!(!store.event_acts(event).unwrap().contains(&Action::SignFor), "of no unit");
    let stranger = store.act_on_event(event, WorkerAct::SignFor, at(4));
    assert!(matches!(stranger, Err(DeviceError::ActRefused { flag: Flag::NotTheHandler })), "{stranger:?}");
    employed(&mut store, &[Role::Gridworker]);
    assert!(!store.event_acts(event).unwrap().contains(&Action::SignFor), "no handler");
    let other = store.act_on_event(event, WorkerAct::SignFor, at(5));
    let refused = |error: &DeviceError| {
        matches!(error, DeviceError::NotAllowed { violation: gridwalk_model::policy::Violation::Action, .. })
    };
    assert!(other.as_ref().is_err_and(refused), "{other:?}");
    assert_eq!(store.event_story(event).unwrap().lines.len(), 3, "nothing was written");
}

#[test]
fn a_report_takes_three_calls_and_its_photo_follows() {
    let mut store = store(1);
    let now = at(0);
    let snapped = store.snap(&jpeg(96, 72), &facts(now, here(0.0)), &in_grid(), None, now).unwrap();
    let sorted = store.choose_category(snapped.draft, "litter", now).unwrap();
    assert!(sorted.near.is_empty() && sorted.on_spot && !sorted.urgent);
    let sent = store.send_report(snapped.draft, now).unwrap();
    assert_eq!(sent.call, None);
    let event = store.get::<Event>(sent.event).unwrap().unwrap();
    assert_eq!(event.record.reporter, Some(USER));
    assert_eq!(event.record.number.as_deref(), Some(sent.number.as_str()));
    let (entries, _) = read_log(&event.record.to_fields());
    assert_eq!(entries[0].photos, [snapped.element], "the log speaks of the photo before it is there");
    assert!(event.record.photos.is_empty());
    assert_eq!(attach_all(&mut store, now), 1);
    let event = store.get::<Event>(sent.event).unwrap().unwrap().record;
    assert!(event.photos.contains_key(&snapped.element.to_hex()));
    assert_eq!(store.captures().unwrap(), Vec::<i64>::new());
    assert_eq!(store.photos_to_attach().unwrap(), []);
    assert_eq!(store.totals().unwrap().photos.count, 1);
    assert!(matches!(store.send_report(snapped.draft, now), Err(DeviceError::NoDraft)));
}

#[test]
fn the_opened_door_says_where_it_is_and_the_fix_only_suggests() {
    let mut store = store(1);
    let mut home = dwelling("3号楼", "501");
    home.position = here(500.0);
    let door = store.create(&home, at(0)).unwrap();
    let context = SnapContext { dwelling: Some(door), ..SnapContext::default() };
    let snapped = store.snap(&jpeg(96, 72), &facts(at(1), here(0.0)), &context, None, at(1)).unwrap();
    store.choose_category(snapped.draft, "gas_leak", at(1)).unwrap();
    let sent = store.send_report(snapped.draft, at(1)).unwrap();
    let event = store.get::<Event>(sent.event).unwrap().unwrap().record;
    assert_eq!((event.area, event.position, event.dwelling), (GRID, here(500.0), Some(door)));
    let call = sent.call.unwrap();
    assert_eq!(call.number, "119");
    assert!(call.sms_zh.contains("阳光里3号楼") && !call.sms_zh.contains("501"), "{}", call.sms_zh);
}

#[test]
fn what_a_report_lacks_is_told_and_nothing_is_written() {
    let mut store = store(1);
    let n = store.begin_report(&ReportDraft::default(), at(0)).unwrap();
    assert!(matches!(store.send_report(n, at(0)), Err(DeviceError::Unfinished { what: "area" })));
    let mut draft = store.draft(n).unwrap().report;
    draft.area = Some(GRID);
    store.save_draft(n, &draft).unwrap();
    assert!(matches!(store.send_report(n, at(0)), Err(DeviceError::Unfinished { what: "category" })));
    store.choose_category(n, "litter", at(0)).unwrap();
    for reason in [None, Some(" ".to_owned())] {
        let silent = ReportDraft { no_photo_reason: reason, ..store.draft(n).unwrap().report };
        store.save_draft(n, &silent).unwrap();
        let bare = store.send_report(n, at(0)).unwrap_err();
        assert!(matches!(bare, DeviceError::Unfinished { what: "photos" }), "{bare:?}");
        assert!(bare.zh().contains("照片") && bare.en().contains("photo"), "{} {}", bare.zh(), bare.en());
    }
    let explained =
        ReportDraft { no_photo_reason: Some("夜间（虚构）".into()), ..store.draft(n).unwrap().report };
    store.save_draft(n, &explained).unwrap();
    assert!(matches!(store.send_report(n, at(0)), Err(DeviceError::Invalid { .. })), "nowhere");
    assert_eq!(store.totals().unwrap().records, 0);
    assert_eq!(store.draft_tray().unwrap().drafts.len(), 1);
}

#[test]
fn numbers_rise_within_a_day_and_never_come_twice() {
    let mut store = store(1);
    store.set_device_code("K7Q2").unwrap();
    assert!(store.set_device_code("k7-q2").is_err());
    let numbers: Vec<String> = [0, 1, DAY, 2]
        .into_iter()
        .map(|millis| report(&mut store, "litter", 0.0, at(millis)).number)
        .collect();
    // 2023-11-15 06:13 in China; the clock that was put back goes on with the later day.
    let expected = ["K7Q2-20231115-001", "K7Q2-20231115-002", "K7Q2-20231116-001", "K7Q2-20231116-002"];
    assert_eq!(numbers, expected);
    let store = store.reopened().unwrap();
    assert_eq!(store.my_reports(at(3), 9).unwrap().len(), 4);
    let other = report(&mut crate::testkit::store(2), "litter", 0.0, at(0)).number;
    let mut third = crate::testkit::store(3);
    assert_ne!(other, report(&mut third, "litter", 0.0, at(0)).number, "each device has a code of its own");
}

#[test]
fn near_reports_of_the_same_category_are_hinted_at() {
    let mut store = store(1);
    let old = report(&mut store, "litter", 300.0, at(-15 * DAY));
    let near = report(&mut store, "litter", 30.0, at(-2 * DAY));
    let taken_back = report(&mut store, "litter", 5.0, at(-DAY));
    store.act_on_event(taken_back.event, WorkerAct::Withdraw { reason: None }, at(-DAY)).unwrap();
    report(&mut store, "noise", 0.0, at(-DAY));
    report(&mut store, "litter", 200.0, at(-DAY));
    let snapped = store.snap(&jpeg(96, 72), &facts(at(0), here(0.0)), &in_grid(), None, at(0)).unwrap();
    let hints = store.choose_category(snapped.draft, "litter", at(0)).unwrap().near;
    assert_eq!(hints.len(), 1, "{hints:?}");
    assert_eq!((hints[0].event, hints[0].near), (near.event, Near { metres: 30, days: 2 }));
    assert!(hints[0].mine && hints[0].state == State::Reported);
    let mut rules = store.field_rules().unwrap();
    (rules.near_metres, rules.near_days) = (400, 20);
    store.set_field_rules(&rules).unwrap();
    let wide = store.choose_category(snapped.draft, "litter", at(0)).unwrap().near;
    assert_eq!(wide.len(), 3);
    assert!(wide.iter().any(|hint| hint.event == old.event));
}

#[test]
fn settling_on_the_spot_needs_the_category_and_an_after_photo() {
    let mut store = store(1);
    let run = |store: &mut Store, category: &str, after: bool| {
        let first = store.snap(&jpeg(96, 72), &facts(at(0), here(0.0)), &in_grid(), None, at(0)).unwrap();
        if after {
            let facts = CaptureFacts { role: PhotoRole::After, ..facts(at(1), here(0.0)) };
            store.snap(&jpeg(112, 72), &facts, &in_grid(), Some(first.draft), at(1)).unwrap();
        }
        store.choose_category(first.draft, category, at(2)).unwrap();
        let mut draft = store.draft(first.draft).unwrap().report;
        draft.on_spot = true;
        store.save_draft(first.draft, &draft).unwrap();
        let sent = store.send_report(first.draft, at(2)).unwrap();
        let reports = store.my_reports(at(3), 9).unwrap();
        let state = reports.iter().find(|report| report.event == sent.event).unwrap().state;
        (sent.on_spot, state, sent.event)
    };
    let (on_spot, state, event) = run(&mut store, "litter", true);
    assert_eq!((on_spot, state), (true, State::ResolvedOnSpot));
    attach_all(&mut store, at(4));
    let pairs = store.event_story(event).unwrap().pairs;
    assert_eq!(pairs.len(), 1);
    assert!(pairs[0].before.is_some() && pairs[0].after.is_some() && !pairs[0].same_picture);
    let (on_spot, state, _) = run(&mut store, "litter", false);
    assert_eq!((on_spot, state), (false, State::Reported), "a report is never lost");
    let (on_spot, state, _) = run(&mut store, "gas_leak", true);
    assert_eq!((on_spot, state), (false, State::Reported));
}

#[test]
fn drafts_come_back_at_the_end_of_the_shift_and_can_be_thrown_away_and_taken_back() {
    let mut store = store(1);
    let one = store.snap(&jpeg(96, 72), &facts(at(0), None), &in_grid(), None, at(0)).unwrap();
    store.snap(&jpeg(64, 40), &facts(at(1), None), &in_grid(), Some(one.draft), at(1)).unwrap();
    let loose = store.journal_photo(&jpeg(64, 32), &facts(at(2), None), at(2)).unwrap();
    let tray = store.draft_tray().unwrap();
    assert_eq!((tray.drafts.len(), tray.drafts[0].photos.len(), tray.loose.as_slice()), (1, 2, &[loose][..]));
    let two = store.adopt_capture(loose, &in_grid(), None, at(3)).unwrap();
    assert!(matches!(store.adopt_capture(loose, &in_grid(), None, at(3)), Err(DeviceError::NoCapture)));
    store.discard_draft(two.draft, at(4)).unwrap();
    assert_eq!(store.draft_tray().unwrap().discarded.len(), 1);
    store.restore_draft(two.draft).unwrap();
    store.discard_draft(one.draft, at(5)).unwrap();
    assert_eq!(store.sweep_drafts(at(6)).unwrap(), 0, "not old enough");
    assert_eq!(store.sweep_drafts(at(6 + DAY)).unwrap(), 1);
    let tray = store.draft_tray().unwrap();
    assert_eq!((tray.drafts.len(), tray.discarded.len(), store.captures().unwrap().len()), (1, 0, 1));
    assert!(matches!(store.discard_draft(99, at(7)), Err(DeviceError::NoDraft)));
}

#[test]
fn a_draft_that_was_thrown_away_is_not_sent_and_what_is_added_to_it_takes_it_back() {
    let mut store = store(1);
    let shot = |at| facts(at, here(0.0));
    let one = store.snap(&jpeg(96, 72), &shot(at(0)), &in_grid(), None, at(0)).unwrap().draft;
    store.choose_category(one, "litter", at(1)).unwrap();
    store.discard_draft(one, at(2)).unwrap();
    let refused = store.send_report(one, at(3)).unwrap_err();
    assert!(matches!(refused, DeviceError::DraftDiscarded));
    assert!(refused.zh().contains("恢复") && refused.en().contains("take it back"));
    assert!(store.list::<Event>(None, 9).unwrap().entries.is_empty());
    // The camera was open when another screen threw the draft away.
    let late = store.snap(&jpeg(64, 40), &shot(at(4)), &in_grid(), Some(one), at(4)).unwrap();
    assert_eq!((late.draft, store.draft(one).unwrap().discarded_at), (one, None));
    store.discard_draft(one, at(5)).unwrap();
    let loose = store.journal_photo(&jpeg(64, 32), &shot(at(6)), at(6)).unwrap();
    store.adopt_capture(loose, &in_grid(), Some(one), at(6)).unwrap();
    assert_eq!(store.sweep_drafts(at(9 * DAY)).unwrap(), 0);
    assert_eq!((store.draft(one).unwrap().photos.len(), store.captures().unwrap().len()), (3, 3));
    store.send_report(one, at(9 * DAY)).unwrap();
}

/// The journal gives the number of an original that is gone to the next one.
#[test]
fn a_draft_has_nothing_to_do_with_a_later_original_of_the_same_number() {
    let mut store = store(1);
    let old = store.snap(&jpeg(96, 72), &facts(at(0), None), &in_grid(), None, at(0)).unwrap();
    store.discard_draft(old.draft, at(1)).unwrap();
    // As after a sweep that was killed, or a photo that went straight to a record.
    store.remove_capture(old.capture).unwrap();
    let new = store.journal_photo(&jpeg(64, 40), &facts(at(2), None), at(2)).unwrap();
    assert_eq!(new, old.capture);
    let tray = store.draft_tray().unwrap();
    assert_eq!((tray.discarded[0].photos.as_slice(), tray.loose.as_slice()), (&[][..], &[new][..]));
    assert_eq!(store.sweep_drafts(at(2 * DAY)).unwrap(), 1);
    assert_eq!(store.captures().unwrap(), [new], "a photo that nobody threw away");
}

/// Wherever the process dies, a report is a whole draft or a whole event, and its photo is attached once.
#[test]
fn a_kill_at_any_commit_leaves_a_draft_or_an_event() {
    for commit in [Commit::Media, Commit::Setting, Commit::Edit] {
        for side in [Side::Before, Side::After] {
            for skip in 0..5 {
                let faults = Faults::scripted();
                let mut phone = store_with(1, faults.clone());
                faults.fail(Some(commit), side, skip);
                let run = |phone: &mut Store| -> Result<(), DeviceError> {
                    let shot = jpeg(96, 72);
                    let snapped = phone.snap(&shot, &facts(at(0), here(0.0)), &in_grid(), None, at(0))?;
                    phone.choose_category(snapped.draft, "litter", at(1))?;
                    phone.send_report(snapped.draft, at(2))?;
                    for photo in phone.photos_to_attach()? {
                        let (original, _) =
                            phone.journaled_photo(photo.capture)?.ok_or(DeviceError::NoCapture)?;
                        let prepared = prepare_photo(&original, &photo.facts, None, &Limits::default())?;
                        phone.attach_pending(&photo, &prepared, at(3))?;
                    }
                    Ok(())
                };
                let _ = run(&mut phone);
                faults.clear();
                let mut phone = phone.reopened().unwrap();
                // The worker goes on where they were.
                let tray = phone.draft_tray().unwrap();
                for capture in tray.loose {
                    phone.adopt_capture(capture, &in_grid(), None, at(4)).unwrap();
                }
                for draft in phone.draft_tray().unwrap().drafts {
                    phone.choose_category(draft.n, "litter", at(5)).unwrap();
                    phone.send_report(draft.n, at(6)).unwrap();
                }
                attach_all(&mut phone, at(7));
                phone.photos_to_attach().unwrap();
                let reports = phone.my_reports(at(8), 9).unwrap();
                let snapped = usize::from(!(commit == Commit::Media && side == Side::Before && skip == 0));
                assert_eq!(reports.len(), snapped, "{commit:?} {side:?} {skip}");
                assert_eq!(phone.captures().unwrap().len(), 0, "{commit:?} {side:?} {skip}");
                for report in reports {
                    let event = phone.get::<Event>(report.event).unwrap().unwrap().record;
                    assert_eq!((event.log.len(), event.photos.len()), (1, 1), "{commit:?} {side:?} {skip}");
                }
            }
        }
    }
}

#[test]
fn acts_are_judged_before_they_are_written() {
    let mut store = store(1);
    let sent = report(&mut store, "litter", 0.0, at(0));
    let acts = store.event_acts(sent.event).unwrap();
    assert!(acts.contains(&Action::Withdraw) && acts.contains(&Action::StartCheck));
    assert!(!acts.contains(&Action::Accept) && !acts.contains(&Action::Verify));
    let early = store.act_on_event(sent.event, WorkerAct::FinishCheck { note: None }, at(1));
    assert!(matches!(early, Err(DeviceError::ActRefused { flag: Flag::NotInThisState })), "{early:?}");
    let mute = store.act_on_event(sent.event, WorkerAct::RequestEscalation { reason: " ".into() }, at(1));
    assert!(matches!(mute, Err(DeviceError::ActRefused { flag: Flag::NeedsReason })), "{mute:?}");
    assert_eq!(store.event_story(sent.event).unwrap().lines.len(), 1);
    store.act_on_event(sent.event, WorkerAct::StartCheck, at(2)).unwrap();
    store.act_on_event(sent.event, WorkerAct::FinishCheck { note: Some("属实".into()) }, at(3)).unwrap();
    store.act_on_event(sent.event, WorkerAct::Note { text: "已设围挡".into() }, at(4)).unwrap();
    store.act_on_event(sent.event, WorkerAct::Withdraw { reason: Some("重复".into()) }, at(5)).unwrap();
    assert_eq!(store.my_reports(at(6), 1).unwrap()[0].state, State::Withdrawn);
    let story = store.event_story(sent.event).unwrap().lines;
    assert!(story.iter().all(|line| line.counts && line.by.as_deref() == Some("测试员（虚构）")));
    assert_eq!(story[2].text.as_deref(), Some("属实"));
}

#[test]
fn an_urgent_report_says_not_sent_until_the_server_has_it() {
    let mut server = crate::testkit::Script::new();
    let mut phone = crate::sync::tests::Phone::joined(1, &mut server);
    let ordinary = report(&mut phone.store, "litter", 0.0, at(10));
    let snapped =
        phone.store.snap(&jpeg(96, 72), &facts(at(11), here(0.0)), &in_grid(), None, at(11)).unwrap();
    let sorted = phone.store.choose_category(snapped.draft, "gas_leak", at(11)).unwrap();
    assert!(sorted.urgent);
    let list = phone.store.not_sent().unwrap();
    assert_eq!((list[0].draft, list[0].urgent), (Some(snapped.draft), true), "even a draft");
    let sent = phone.store.send_report(snapped.draft, at(12)).unwrap();
    let list = phone.store.not_sent().unwrap();
    assert_eq!(
        list.iter().map(|item| item.event).collect::<Vec<_>>(),
        [Some(sent.event), Some(ordinary.event)]
    );
    assert_eq!(list[0].call, sent.call);
    assert!(list[0].call.is_some() && list[1].call.is_none());
    assert_eq!(phone.store.sending(sent.event).unwrap(), Sending::NotSent);
    assert_eq!(Sending::NotSent.words().en, "NOT SENT");
    phone.sync(&mut server, at(20));
    assert_eq!(phone.store.sending(sent.event).unwrap(), Sending::Sent);
    assert_eq!(phone.store.not_sent().unwrap(), []);
    // A later note that waits does not make the report unsent again.
    phone.store.act_on_event(sent.event, WorkerAct::Note { text: "已关阀".into() }, at(21)).unwrap();
    assert_eq!(phone.store.sending(sent.event).unwrap(), Sending::Sent);
    assert_eq!(phone.store.not_sent().unwrap(), []);
}

#[test]
fn an_urgent_report_that_was_refused_is_not_sent_either() {
    let mut store = store(1);
    let reason = crate::store::RefusedReason::Forbidden;
    let fields = [("category", "gas_leak"), ("number", "K1-20260303-001"), ("description", "三楼老王家")];
    store
        .write(Commit::Apply, |tx| {
            fields.iter().try_for_each(|(key, value)| {
                let record = RecordId::from_bytes([0x33; 16]);
                tx.list_refused(record, "event", key, &gridwalk_model::Value::from(*value), reason, at(5))
            })
        })
        .unwrap();
    let list = store.not_sent().unwrap();
    assert_eq!((list.len(), list[0].urgent), (1, true));
    let call = list[0].call.clone().unwrap();
    assert!(call.sms_zh.contains("K1-20260303-001") && !call.sms_zh.contains("老王"));
}

/// Writes a grid from so many metres north of the origin to so many.
fn put_grid(store: &mut Store, grid: RecordId, south: f64, north: f64, own: bool) {
    let corner = |metres: f64, lon: f64| LatLon { lat: 36.1 + metres / 111_000.0, lon };
    let (west, east) = (120.46, 120.48);
    let ring = vec![
        corner(south, west),
        corner(south, east),
        corner(north, east),
        corner(north, west),
        corner(south, west),
    ];
    let shape = AreaShape::new(&[vec![ring]], Datum::Wgs84).unwrap();
    let all = Fields::from([
        ("code".to_owned(), "371311".into()),
        ("name".to_owned(), format!("虚构网格 {south}").as_str().into()),
        ("level".to_owned(), "grid".into()),
        ("grid_kind".to_owned(), "basic".into()),
        ("boundary".to_owned(), gridwalk_model::Value::Bytes(shape.to_bytes())),
    ]);
    let (document, change) =
        Document::create(grid, Kind::Area, &all, Actor::new(device(200), [1; 4]), at(0)).unwrap();
    store
        .write(Commit::Apply, |tx| {
            if own {
                tx.add_stream(&StreamId::Area { area: grid, class: AccessClass::Base }, 1)?;
            }
            tx.put_record(grid, Kind::Area.tag(), None, &document, Body::Snapshot(&change.raw))
        })
        .unwrap();
}

#[test]
fn a_report_belongs_to_the_grid_in_which_it_was_seen() {
    let mut store = store(1);
    let grids = [RecordId::from_bytes([0x61; 16]), RecordId::from_bytes([0x62; 16])];
    // Side by side: to 100 m north of the origin, and from there on.
    for (grid, south, north) in [(grids[0], -100.0, 100.0), (grids[1], 100.0, 300.0)] {
        put_grid(&mut store, grid, south, north, true);
    }
    for (north_m, grid) in [(0.0, grids[0]), (150.0, grids[1]), (900.0, grids[1])] {
        let now = at(10 + north_m as i64);
        let snapped = store
            .snap(&jpeg(96, 72), &facts(now, here(north_m)), &SnapContext::default(), None, now)
            .unwrap();
        store.choose_category(snapped.draft, "litter", now).unwrap();
        let sent = store.send_report(snapped.draft, now).unwrap();
        assert_eq!(store.get::<Event>(sent.event).unwrap().unwrap().record.area, grid, "{north_m} m north");
    }
}

#[test]
fn a_position_outside_says_how_far_and_whose_grid_it_is_in() {
    let mut store = store(1);
    let [own, beside] = [RecordId::from_bytes([0x61; 16]), RecordId::from_bytes([0x62; 16])];
    let point = |north_m: f64| LatLon { lat: 36.1 + north_m / 111_000.0, lon: 120.47 };
    assert_eq!(store.grid_at(point(0.0), at(1)).unwrap(), GridAt::default(), "the phone has no grid yet");
    put_grid(&mut store, own, -100.0, 100.0, true);
    put_grid(&mut store, beside, 100.0, 300.0, false);
    let inside = GridAt { own: Some(own), ..GridAt::default() };
    assert_eq!(store.grid_at(point(0.0), at(1)).unwrap(), inside);
    let outside = |north_m: f64| {
        let found = store.grid_at(point(north_m), at(1)).unwrap();
        assert_eq!(found.own, Some(own));
        (found.outside_m.unwrap().round() as i64, found.neighbour.map(|found| found.grid))
    };
    assert_eq!(outside(150.0), (50, Some(beside)));
    assert_eq!(outside(1000.0), (900, None));
    // A second grid whose boundary is not here: the point may be in that one.
    let unknown = RecordId::from_bytes([0x60; 16]);
    let stream = StreamId::Area { area: unknown, class: AccessClass::Base };
    store.write(Commit::Apply, |tx| tx.add_stream(&stream, 1)).unwrap();
    let first = GridAt { own: Some(unknown), ..GridAt::default() };
    assert_eq!(store.grid_at(point(150.0), at(1)).unwrap(), first);
    assert_eq!(store.grid_at(point(0.0), at(1)).unwrap(), inside);
}
