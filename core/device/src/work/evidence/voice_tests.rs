//! Mistaken voice notes are taken off and put back; those of drafts survive until their record has them. Everything is
//! made up.

use std::sync::Arc;

use gridwalk_evidence::VoiceError;
use gridwalk_model::photo_chain::ChainLink;
use gridwalk_model::policy::Violation;
use gridwalk_model::records::visit::{VisitPurpose, VisitResult};
use gridwalk_model::records::{Event, Visit};
use gridwalk_model::time::DAY_MS as DAY;
use gridwalk_model::voice::VoiceRef;
use gridwalk_model::{Kind, RecordId, Timestamp, Value};

use super::VoiceFacts;
use crate::clock::SeededEntropy;
use crate::device::{Device, DeviceOptions};
use crate::error::DeviceError;
use crate::keeping::{KeepingLimits, PhoneState};
use crate::keys::SoftwareKey;
use crate::store::{Commit, Faults, Lane, MediaRoom, Side, Store};
use crate::sync::tests::Phone;
use crate::testkit::{GRID, Script, USER, at, device, dwelling, fields, store, store_with};
use crate::work::events::ReportDraft;
use crate::work::visits::VisitInput;

fn event(store: &mut Store) -> RecordId {
    let mut all = fields(&[("category", "litter"), ("address", "东门")]);
    all.insert("area".into(), Value::from(GRID));
    store.edits(at(1), |edits| edits.create_fields(Kind::Event, &all)).unwrap()
}

/// A made-up note of AAC frames of 64 ms.
fn sound(frames: usize) -> Vec<u8> {
    let mut frame = vec![0xff, 0xf1, 0x60, 0, 13, 0x60, 0xfc];
    frame.resize(107, 7);
    frame.repeat(frames)
}

fn said(text: &str, now: Timestamp) -> VoiceFacts {
    VoiceFacts { recorded_at: now, transcript: Some(text.into()) }
}

fn attach(store: &mut Store, record: RecordId, frames: usize, now: Timestamp) -> RecordId {
    store.attach_voice(record, &sound(frames), &said("井盖松动（虚构）", now), now).unwrap()
}

fn notes(store: &Store, record: RecordId) -> usize {
    let shown = store.voices(record).unwrap().len();
    assert_eq!(store.get::<Event>(record).unwrap().unwrap().record.voices.len(), shown);
    shown
}

fn waiting(store: &Store) -> u64 {
    store.totals().unwrap().voice_notes.count
}

fn report(store: &mut Store, now: Timestamp) -> i64 {
    let report = ReportDraft {
        category: Some("litter".into()),
        area: Some(GRID),
        address: Some("东门".into()),
        ..ReportDraft::default()
    };
    store.begin_report(&report, now).unwrap()
}

fn asleep(target: RecordId) -> VisitInput {
    VisitInput::plain(target, VisitResult::NotHome, VisitPurpose::Routine)
}

#[test]
fn a_mistaken_voice_note_goes_and_comes_back_on_every_phone() {
    let mut server = Script::new();
    let (mut a, mut b) = (Phone::joined(1, &mut server), Phone::joined(2, &mut server));
    let event = event(&mut a.store);
    let wrong = attach(&mut a.store, event, 20, at(2));
    attach(&mut a.store, event, 30, at(3));
    a.sync(&mut server, at(4));
    b.sync(&mut server, at(5));
    assert_eq!((notes(&b.store, event), waiting(&a.store)), (2, 2));
    let foreign = b.store.remove_voice(event, wrong, at(6));
    assert!(
        matches!(foreign, Err(DeviceError::NotAllowed { violation: Violation::Author, .. })),
        "{foreign:?}"
    );
    let removed = a.store.remove_voice(event, wrong, at(6)).unwrap();
    assert_eq!((notes(&a.store, event), waiting(&a.store)), (1, 1), "it is not sent any more");
    let again = a.store.remove_voice(event, wrong, at(7));
    assert!(matches!(again, Err(DeviceError::NoVoice { .. })), "{again:?}");
    a.sync(&mut server, at(8));
    b.sync(&mut server, at(9));
    assert_eq!((notes(&b.store, event), a.waiting()), (1, 0), "the server takes it");
    a.store.restore_voice(&removed, at(10)).unwrap();
    a.sync(&mut server, at(11));
    b.sync(&mut server, at(12));
    assert_eq!((notes(&a.store, event), notes(&b.store, event), waiting(&a.store)), (2, 2, 2));
    assert!(a.store.refused_edits().unwrap().is_empty());
}

#[test]
fn what_was_said_in_a_note_that_was_taken_off_finds_nothing() {
    let mut store = store(1);
    let event = event(&mut store);
    let wrong = attach(&mut store, event, 20, at(2));
    let found = |store: &Store| store.search("井盖松动", &[], None, 9).unwrap().hits.len();
    assert_eq!(found(&store), 1);
    let removed = store.remove_voice(event, wrong, at(3)).unwrap();
    assert_eq!(found(&store), 0);
    store.restore_voice(&removed, at(4)).unwrap();
    assert_eq!(found(&store), 1);
}

#[test]
fn sound_that_was_taken_off_goes_after_a_week_and_what_was_sent_stays() {
    let mut store = store(1);
    let event = event(&mut store);
    let [unsent, sent] = [20, 30].map(|frames| attach(&mut store, event, frames, at(2)));
    let hash = |store: &Store, element: RecordId| {
        let all = store.voices(event).unwrap();
        all.into_iter().find(|(name, _)| *name == element).unwrap().1.hash
    };
    let hashes = [unsent, sent].map(|element| hash(&store, element));
    store.receipts(&[hashes[1]], at(4)).unwrap();
    let [gone, kept] = [unsent, sent].map(|element| store.remove_voice(event, element, at(5)).unwrap());
    store.sweep_media(at(6 * DAY), 30 * DAY).unwrap();
    assert!(store.media_len(&hashes[0]).unwrap().is_some());
    store.sweep_media(at(8 * DAY), 30 * DAY).unwrap();
    assert!(store.media_len(&hashes[0]).unwrap().is_none());
    let late = store.restore_voice(&gone, at(8 * DAY));
    assert!(matches!(late, Err(DeviceError::NoVoice { .. })), "{late:?}");
    store.restore_voice(&kept, at(8 * DAY)).unwrap();
    assert_eq!((notes(&store, event), waiting(&store)), (1, 0));
}

#[test]
fn a_sound_that_another_note_has_as_well_is_sent_until_both_are_taken_off() {
    let mut store = store(1);
    let (one, other) = (event(&mut store), event(&mut store));
    let [first, second] = [one, other].map(|event| attach(&mut store, event, 20, at(2)));
    assert_eq!(waiting(&store), 1);
    let removed = store.remove_voice(one, first, at(3)).unwrap();
    assert_eq!(waiting(&store), 1, "the other one needs it");
    store.remove_voice(other, second, at(4)).unwrap();
    assert_eq!(waiting(&store), 0);
    store.restore_voice(&removed, at(5)).unwrap();
    assert_eq!((notes(&store, one), notes(&store, other), waiting(&store)), (1, 0, 1));
}

#[test]
fn a_note_of_a_report_survives_a_kill_and_is_sent_with_it() {
    let mut store = store(1);
    let key = Arc::new(SoftwareKey::generate(&mut SeededEntropy::new(3)).unwrap());
    let draft = report(&mut store, at(1));
    let element = store.add_draft_voice(draft, &sound(20), &said("东门堆物（虚构）", at(2)), at(2)).unwrap();
    let wrong = store.add_draft_voice(draft, &sound(30), &said("录错了（虚构）", at(3)), at(3)).unwrap();
    store.remove_draft_voice(wrong, at(4)).unwrap();
    let mut store = store.reopened().unwrap();
    store.sign_evidence_with(key);
    // Days later nothing has taken its sound, and the budget does not touch it.
    let limits = KeepingLimits { budget_bytes: 1, ..KeepingLimits::default() };
    store.keep_house(&limits, &PhoneState::default(), at(9 * DAY)).unwrap();
    let voices = store.draft(draft).unwrap().voices;
    assert_eq!(voices.iter().map(|note| note.element).collect::<Vec<_>>(), [element], "the other was swept");
    assert_eq!(store.draft_sound(element).unwrap().unwrap(), sound(20));
    assert_eq!(waiting(&store), 0, "nothing of a draft is sent");

    let sent = store.send_report(draft, at(9 * DAY)).unwrap();
    let held = store.voices(sent.event).unwrap();
    let [(name, voice)] = held.as_slice() else { panic!("{held:?}") };
    assert_eq!((*name, voice.transcript.as_deref()), (element, Some("东门堆物（虚构）")));
    assert_eq!((voice.link, voice.signature.is_some()), (Some(ChainLink::after(None)), true));
    let uploads = store.view().uploads_waiting(Lane::Preview, at(9 * DAY), 9).unwrap();
    assert!(uploads.iter().any(|upload| upload.hash == voice.hash && upload.record == sent.event));
    let late = store.remove_draft_voice(element, at(9 * DAY));
    assert!(matches!(late, Err(DeviceError::NoVoice { .. })), "it is the event's now: {late:?}");
    store.remove_voice(sent.event, element, at(9 * DAY)).unwrap();
    assert_eq!(waiting(&store), 0);
}

#[test]
fn killed_around_any_commit_a_note_is_with_the_draft_or_with_the_event() {
    for side in [Side::Before, Side::After] {
        let faults = Faults::scripted();
        let mut store = store_with(1, faults.clone());
        let draft = report(&mut store, at(1));
        let element = store.add_draft_voice(draft, &sound(20), &said("虚构", at(2)), at(2)).unwrap();
        faults.fail(Some(Commit::Edit), side, 0);
        assert!(store.send_report(draft, at(3)).is_err());
        faults.clear();
        let mut store = store.reopened().unwrap();
        let events = store.list::<Event>(None, 9).unwrap().entries;
        let event = match (side, events.as_slice()) {
            (Side::Before, []) => store.send_report(draft, at(4)).unwrap().event,
            (Side::After, [event]) => event.id,
            _ => panic!("{events:?}"),
        };
        let held: Vec<RecordId> = store.voices(event).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!((held, waiting(&store)), (vec![element], 1));
        assert!(store.draft_tray().unwrap().drafts.is_empty());
    }
}

#[test]
fn a_draft_that_is_thrown_away_keeps_its_notes_until_it_is_swept() {
    let mut store = store(1);
    let draft = report(&mut store, at(1));
    let other = report(&mut store, at(1));
    let note = |store: &mut Store, draft, frames| {
        store.add_draft_voice(draft, &sound(frames), &said("虚构", at(2)), at(2)).unwrap()
    };
    note(&mut store, draft, 20);
    note(&mut store, draft, 30);
    let twin = note(&mut store, other, 30);
    let hashes: Vec<_> = store.draft(draft).unwrap().voices.iter().map(|note| note.voice.hash).collect();
    store.discard_draft(draft, at(3)).unwrap();
    store.sweep_drafts(at(DAY)).unwrap();
    store.restore_draft(draft).unwrap();
    assert_eq!(store.draft(draft).unwrap().voices.len(), 2);
    store.discard_draft(draft, at(DAY)).unwrap();
    note(&mut store, draft, 40);
    assert_eq!(store.draft(draft).unwrap().discarded_at, None, "who speaks into it wants it");
    store.discard_draft(draft, at(DAY)).unwrap();
    assert_eq!(store.sweep_drafts(at(3 * DAY)).unwrap(), 1);
    assert!(store.media_len(&hashes[0]).unwrap().is_none(), "swept with the draft");
    assert_eq!(store.draft_sound(twin).unwrap().unwrap(), sound(30), "another draft has the same");
    assert_eq!(store.view().voices_of_drafts().unwrap().len(), 1);
}

#[test]
fn a_note_of_a_visit_under_way_survives_a_kill_and_is_recorded_with_it() {
    let mut store = store(1);
    let [door, next] = ["101", "102"].map(|room| store.create(&dwelling("1", room), at(1)).unwrap());
    let visit = VisitInput { note: Some("敲门无人（虚构）".into()), ..asleep(door) };
    let element =
        store.add_visit_voice(&visit, &sound(20), &said("邻居说外出（虚构）", at(2)), at(2)).unwrap();
    let lost = store.add_visit_voice(&asleep(next), &sound(30), &said("虚构", at(3)), at(3)).unwrap();
    let mut store = store.reopened().unwrap();
    store.sweep_media(at(3 * DAY), 30 * DAY).unwrap();
    let draft = store.visit_draft(door).unwrap().unwrap();
    assert_eq!(draft, visit, "what was typed is kept with it");
    assert_eq!(store.visit_voices(door).unwrap()[0].element, element);
    let recorded = store.record_visit(&draft, at(3 * DAY)).unwrap();
    let held: Vec<(RecordId, VoiceRef)> = store.voices(recorded.visit).unwrap();
    assert_eq!((held.len(), held[0].0, waiting(&store)), (1, element, 1));
    assert_eq!(store.media(&held[0].1.hash).unwrap().unwrap(), sound(20));
    assert_eq!(store.visit_voices(door).unwrap(), []);

    assert_eq!(store.draft_sound(lost).unwrap().unwrap(), sound(30));
}

#[test]
fn a_visit_that_is_thrown_away_keeps_its_notes_apart_from_those_of_the_next() {
    let mut store = store(1);
    let door = store.create(&dwelling("1", "101"), at(1)).unwrap();
    let note = |store: &mut Store, frames, now| {
        store.add_visit_voice(&asleep(door), &sound(frames), &said("虚构", now), now).unwrap()
    };
    let names = |store: &Store| -> Vec<RecordId> {
        store.visit_voices(door).unwrap().into_iter().map(|note| note.element).collect()
    };
    let first = [note(&mut store, 20, at(2)), note(&mut store, 25, at(2))];
    store.discard_visit_draft(door, at(3)).unwrap();
    assert_eq!(names(&store), []);
    let second = note(&mut store, 30, at(4));
    assert_eq!(names(&store), [second]);
    let discarded = store.discarded_visit_drafts().unwrap()[0].n;
    let mut store = store.reopened().unwrap();
    store.sweep_media(at(2 * DAY), 30 * DAY).unwrap();
    // The first in place of the second, and the other way round.
    store.restore_visit_draft(discarded, at(2 * DAY)).unwrap();
    assert_eq!(names(&store), first);
    store.remove_draft_voice(first[1], at(2 * DAY)).unwrap();
    let [later] = store.discarded_visit_drafts().unwrap()[..] else { panic!("one") };
    store.restore_visit_draft(later.n, at(2 * DAY)).unwrap();
    let recorded = store.record_visit(&asleep(door), at(2 * DAY)).unwrap();
    let held = store.voices(recorded.visit).unwrap();
    assert_eq!((held.len(), held[0].0, waiting(&store)), (1, second, 1), "its own, and no other");
    assert_eq!(names(&store), []);

    // The other draft is as it was, and the note that was taken off comes back with it.
    store.restore_visit_draft(discarded, at(2 * DAY + 1)).unwrap();
    store.restore_draft_voice(first[1]).unwrap();
    store.remove_draft_voice(first[0], at(2 * DAY + 1)).unwrap();
    let recorded = store.record_visit(&asleep(door), at(2 * DAY + 2)).unwrap();
    let held: Vec<RecordId> =
        store.voices(recorded.visit).unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!((held, waiting(&store)), (vec![first[1]], 2));
}

#[test]
fn a_visit_that_is_swept_takes_its_notes_and_the_next_of_its_number_has_none() {
    let mut store = store(1);
    let [door, next] = ["101", "102"].map(|room| store.create(&dwelling("1", room), at(1)).unwrap());
    let note = |store: &mut Store, target, frames| {
        store.add_visit_voice(&asleep(target), &sound(frames), &said("虚构", at(2)), at(2)).unwrap()
    };
    let kept = note(&mut store, next, 20);
    let swept = [note(&mut store, door, 20), note(&mut store, door, 30)];
    let hashes: Vec<_> = store.visit_voices(door).unwrap().iter().map(|note| note.voice.hash).collect();
    store.discard_visit_draft(door, at(DAY)).unwrap();
    let n = store.discarded_visit_drafts().unwrap()[0].n;
    assert_eq!(store.sweep_drafts(at(DAY + 1)).unwrap(), 0);
    assert_eq!(store.sweep_drafts(at(3 * DAY)).unwrap(), 1);
    let gone = hashes.iter().map(|hash| store.media_len(hash).unwrap().is_none()).collect::<Vec<_>>();
    assert_eq!(gone, [false, true], "another draft has the first of them");
    assert_eq!(store.draft_sound(kept).unwrap().unwrap(), sound(20));
    for element in swept {
        let lost = store.restore_draft_voice(element);
        assert!(matches!(lost, Err(DeviceError::NoVoice { .. })), "{lost:?}");
    }
    store.save_visit_draft(&asleep(door), at(3 * DAY)).unwrap();
    assert_eq!(store.view().visit_draft_number(door).unwrap(), Some(n), "the number is given again");
    assert_eq!(store.visit_voices(door).unwrap(), []);
}

#[test]
fn killed_around_any_commit_a_note_of_a_visit_is_with_the_draft_or_with_the_visit() {
    for side in [Side::Before, Side::After] {
        let faults = Faults::scripted();
        let mut store = store_with(1, faults.clone());
        let door = store.create(&dwelling("1", "101"), at(1)).unwrap();
        let element = store.add_visit_voice(&asleep(door), &sound(20), &said("虚构", at(2)), at(2)).unwrap();
        faults.fail(Some(Commit::Edit), side, 0);
        assert!(store.record_visit(&asleep(door), at(3)).is_err());
        faults.clear();
        let mut store = store.reopened().unwrap();
        let visits = store.list::<Visit>(None, 9).unwrap().entries;
        let visit = match (side, visits.as_slice()) {
            (Side::Before, []) => store.record_visit(&asleep(door), at(4)).unwrap().visit,
            (Side::After, [visit]) => visit.id,
            _ => panic!("{visits:?}"),
        };
        let held: Vec<RecordId> = store.voices(visit).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!((held, waiting(&store)), (vec![element], 1));
        assert!(
            store.visit_drafts().unwrap().is_empty() && store.view().voices_of_drafts().unwrap().is_empty()
        );
    }
}

#[test]
fn a_note_of_a_draft_counts_against_the_room_and_has_to_be_one() {
    let mut store = store(1);
    let draft = report(&mut store, at(1));
    let facts = said("虚构", at(2));
    let refused = store.add_draft_voice(draft, b"RIFF", &facts, at(2));
    assert!(matches!(refused, Err(DeviceError::Voice(VoiceError::Unreadable))), "{refused:?}");
    let nowhere = store.add_draft_voice(draft + 1, &sound(20), &facts, at(2));
    assert!(matches!(nowhere, Err(DeviceError::NoDraft)), "{nowhere:?}");
    store.set_room(MediaRoom { free: Some(3_000), ..MediaRoom::default() });
    store.add_draft_voice(draft, &sound(20), &facts, at(2)).unwrap();
    let full = store.add_draft_voice(draft, &sound(21), &facts, at(3));
    assert!(matches!(full, Err(DeviceError::StorageFull)), "{full:?}");
    assert_eq!(store.draft(draft).unwrap().voices.len(), 1);
}

#[tokio::test]
async fn screens_have_their_calls_for_voice_notes() {
    let folder = tempfile::tempdir().unwrap();
    let open = || async {
        let phone = Device::open(DeviceOptions::host(folder.path())).await.unwrap();
        phone.with_store(|store, _| store.enrol(device(1), USER, "测试员（虚构）", "虚构区")).await.unwrap();
        phone
    };
    let phone = open().await;
    let draft = phone.with_store(|store, now| Ok(report(store, now))).await.unwrap();
    let facts = said("虚构", at(2));
    let element = phone.add_draft_voice(draft, sound(20), facts.clone()).await.unwrap();
    phone.remove_draft_voice(element).await.unwrap();
    phone.close().await.unwrap();
    let phone = open().await;
    phone.restore_draft_voice(element).await.unwrap();
    assert_eq!(phone.draft_sound(element).await.unwrap().unwrap(), sound(20));
    let sent = phone.send_report(draft).await.unwrap();
    let removed = phone.remove_voice(sent.event, element).await.unwrap();
    assert_eq!(phone.voices(sent.event).await.unwrap(), []);
    phone.restore_voice(removed).await.unwrap();
    assert_eq!(phone.voices(sent.event).await.unwrap().len(), 1);
    let door = phone.create(dwelling("1", "101")).await.unwrap();
    let spoken = phone.add_visit_voice(asleep(door), sound(30), facts).await.unwrap();
    assert_eq!(phone.visit_voices(door).await.unwrap()[0].element, spoken);
    phone.close().await.unwrap();
}
