//! Locked by the deployment: killed between any two steps, nothing that was not sent is lost. Everything is made up.

use std::collections::{BTreeMap, BTreeSet};

use gridwalk_model::geo::{Fix, LatLon, TrackPoint};
use gridwalk_model::walk::PatrolRules;
use gridwalk_model::{ContentHash, RecordId};
use gridwalk_replica::admission::Verdict;
use gridwalk_replica::protocol::{HandIn, HandedIn, ProtocolError};
use gridwalk_replica::sealed::{Place, SealedItem, SealingKeys};
use gridwalk_replica::wire::{GrantState, ServerNotes};

use crate::device::{Device, DeviceOptions};
use crate::error::DeviceError;
use crate::photo::CaptureFacts;
use crate::store::{Commit, Faults, MediaForm, Setting, Side};
use crate::sync::tests::Phone;
use crate::sync::{Effect, Engine, EngineConfig, Event};
use crate::testkit::{GRID, Script, at, device, dwelling, jpeg};
use crate::work::events::{ReportDraft, SnapContext};
use crate::work::visits::VisitInput;
use gridwalk_model::records::visit::{VisitPurpose, VisitResult};

const POLL_MS: i64 = 20 * 60 * 1000;

/// The server's side of sealed work.
struct Office {
    keys: SealingKeys,
    locked: bool,
    /// Whether it says more than an older server would.
    notes: bool,
    of: u32,
    parts: BTreeMap<u32, Vec<SealedItem>>,
    handed_in: usize,
}

impl Office {
    fn new() -> Self {
        let keys = SealingKeys::from_random(&[3; 32]);
        Self { keys, locked: true, notes: true, of: 0, parts: BTreeMap::new(), handed_in: 0 }
    }

    fn take(&mut self, part: &HandIn) -> HandedIn {
        self.handed_in += 1;
        if !self.locked {
            return HandedIn { locked: false, next: None };
        }
        let place = Place { device: device(1), package: *part.package, part: part.part, of: part.of };
        let items = self.keys.open(&place, &part.body).unwrap();
        assert!(self.of == 0 || self.of == part.of, "the package stays as it is");
        self.of = part.of;
        self.parts.insert(part.part, items);
        HandedIn { locked: true, next: (0..part.of).find(|n| !self.parts.contains_key(n)) }
    }

    /// What the package holds: changes, drafts, and the bytes of files by their name.
    fn content(&self) -> (usize, BTreeSet<String>, BTreeMap<Vec<u8>, u64>) {
        let (mut changes, mut drafts, mut files) = (0, BTreeSet::new(), BTreeMap::new());
        for item in self.parts.values().flatten() {
            match item {
                SealedItem::Change(_) => changes += 1,
                SealedItem::Draft(draft) => {
                    drafts.insert(format!("{}: {}", draft.what, draft.text));
                }
                SealedItem::Medium(piece) | SealedItem::Original(piece) | SealedItem::Sound(piece) => {
                    *files.entry(piece.name.to_vec()).or_insert(0) += piece.body.len() as u64;
                }
            }
        }
        (changes, drafts, files)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Ended {
    Rested,
    Wiped,
    Killed,
}

/// When the process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kill {
    Never,
    /// Before the server gets the message of this number.
    Before(usize),
    /// After it got it, before the answer is here.
    After(usize),
}

/// Goes on until the phone rests, is wiped or dies. The server holds every change back, so that all of them are sealed.
fn go(phone: &mut Phone, office: &mut Office, first: Event, now: i64, kill: Kill) -> Ended {
    let mut events = vec![first];
    let mut count = 0;
    while let Some(event) = events.pop() {
        let Ok(effects) = phone.engine.next(event, &mut phone.store, at(now)) else { return Ended::Killed };
        for effect in effects {
            if effect == Effect::Wipe {
                return Ended::Wiped;
            }
            if matches!(effect, Effect::Send { .. } | Effect::HandIn { .. }) {
                if kill == Kill::Before(count) {
                    return Ended::Killed;
                }
                count += 1;
            }
            match effect {
                Effect::Send { n, request } => {
                    let mut response = crate::testkit::answer(&request);
                    for verdict in response.verdicts.iter_mut().flatten() {
                        *verdict = Verdict::Held;
                    }
                    response.notes = office.notes.then(|| ServerNotes {
                        locked: office.locked.then_some(true),
                        sealing_key: Some(office.keys.public.to_vec().into()),
                        ..ServerNotes::default()
                    });
                    if !office.notes && !office.locked {
                        let stream = crate::testkit::stream().to_bytes().into();
                        response.grants = Some(vec![GrantState { stream, generation: 1, revoking: false }]);
                    }
                    let refused = office.locked && !office.notes && request.cursors.is_empty();
                    let result = if refused {
                        Err(ProtocolError::Revoked { wipe: false }.into())
                    } else {
                        Ok(Box::new(response))
                    };
                    events.push(Event::Response { n, result });
                }
                Effect::HandIn { n, part } => {
                    events.push(Event::HandedIn { n, result: Ok(office.take(&part)) });
                }
                _ => {}
            }
            if kill != Kill::Never && kill == Kill::After(count.wrapping_sub(1)) && count > 0 {
                return Ended::Killed;
            }
        }
    }
    Ended::Rested
}

/// A phone with a change, a report with a photo, a visit under way, a large photo, and an original on its own.
fn busy_phone(faults: Faults) -> Phone {
    let mut phone = Phone::with(1, faults);
    phone.store.create(&dwelling("1", "101"), at(1)).unwrap();
    phone.store.create(&dwelling("1", "102"), at(2)).unwrap();
    let facts = CaptureFacts::camera(at(3), "W1".into());
    let snapped = phone.store.snap(&jpeg(64, 48), &facts, &SnapContext::default(), None, at(3)).unwrap();
    let report =
        ReportDraft { description: Some("路灯不亮（虚构）".into()), ..ReportDraft::default() };
    phone.store.save_draft(snapped.draft, &report).unwrap();
    let mut visit = VisitInput::plain(RecordId::from_bytes([4; 16]), VisitResult::Met, VisitPurpose::Routine);
    visit.note = Some("身体还好（虚构）".into());
    phone.store.save_visit_draft(&visit, at(4)).unwrap();
    // What was thrown away is not handed in.
    let other = VisitInput { target: RecordId::from_bytes([5; 16]), ..visit };
    phone.store.save_visit_draft(&other, at(4)).unwrap();
    phone.store.discard_visit_draft(other.target, at(4)).unwrap();
    phone.store.start_patrol(GRID, at(4)).unwrap();
    let fix = Fix { at: at(4), point: LatLon { lat: 36.1, lon: 120.47 } };
    let rules = PatrolRules::default();
    phone.store.journal_points(&[TrackPoint::bare(fix)], false, &rules).unwrap();
    phone.store.discard_patrol(at(4)).unwrap();
    let photo = ContentHash::from_bytes([9; 32]);
    phone.store.put_media(&[(photo, MediaForm::Full, &vec![9; 600_000])], at(5)).unwrap();
    phone
        .store
        .write(Commit::Edit, |tx| {
            tx.add_upload(&photo, RecordId::from_bytes([1; 16]), MediaForm::Full, 600_000, at(5))
        })
        .unwrap();
    phone.store.journal_photo(&jpeg(80, 60), &facts, at(6)).unwrap();
    phone
}

fn restarted(phone: Phone) -> Phone {
    Phone { store: phone.store.reopened().unwrap(), engine: Engine::new(EngineConfig::default()) }
}

/// What a package of [`busy_phone`] holds.
fn expected() -> (usize, BTreeSet<String>, BTreeMap<Vec<u8>, u64>) {
    let mut office = Office::new();
    assert_eq!(go(&mut busy_phone(Faults::none()), &mut office, Event::Sync, 10, Kill::Never), Ended::Wiped);
    office.content()
}

#[test]
fn everything_unsent_is_handed_in_and_only_then_the_phone_is_wiped() {
    let (changes, drafts, files) = expected();
    assert_eq!(changes, 2);
    let wanted = ["report: 路灯不亮（虚构）", "visit: 身体还好（虚构）"].map(str::to_owned);
    assert_eq!(drafts, BTreeSet::from(wanted));
    assert_eq!(files.len(), 3, "a photo and two originals");
    assert_eq!(files.get([9; 32].as_slice()), Some(&600_000));
}

#[test]
fn voice_notes_of_drafts_are_handed_in_with_what_was_said() {
    use crate::work::evidence::VoiceFacts;
    let mut phone = busy_phone(Faults::none());
    let sound = |frames: usize| {
        let mut frame = vec![0xff, 0xf1, 0x60, 0, 13, 0x60, 0xfc];
        frame.resize(107, 7);
        frame.repeat(frames)
    };
    let said = |text: &str| VoiceFacts { recorded_at: at(7), transcript: Some(text.into()) };
    let store = &mut phone.store;
    let draft = store.draft_tray().unwrap().drafts.remove(0).n;
    let lamps = store.add_draft_voice(draft, &sound(20), &said("三盏都不亮（虚构）"), at(7)).unwrap();
    let wrong = store.add_draft_voice(draft, &sound(30), &said("录错了（虚构）"), at(7)).unwrap();
    store.remove_draft_voice(wrong, at(8)).unwrap();
    let visit = store.visit_draft(RecordId::from_bytes([4; 16])).unwrap().unwrap();
    let again = store.add_visit_voice(&visit, &sound(40), &said("下周再来（虚构）"), at(9)).unwrap();
    // What belongs to a visit that was thrown away stays behind with it.
    let other = VisitInput { target: RecordId::from_bytes([6; 16]), ..visit };
    let thrown = store.add_visit_voice(&other, &sound(40), &said("虚构"), at(9)).unwrap();
    store.discard_visit_draft(other.target, at(9)).unwrap();
    let mut office = Office::new();
    assert_eq!(go(&mut phone, &mut office, Event::Sync, 10, Kill::Never), Ended::Wiped);
    let (_, drafts, files) = office.content();
    let wanted =
        ["report: 路灯不亮（虚构）\n三盏都不亮（虚构）", "visit: 身体还好（虚构）\n下周再来（虚构）"];
    assert_eq!(drafts, BTreeSet::from(wanted.map(str::to_owned)));
    let bytes =
        [lamps, wrong, again, thrown].map(|element| files.get(element.as_bytes().as_slice()).copied());
    assert_eq!(
        bytes,
        [Some(2_140), None, Some(4_280), None],
        "what was taken off or thrown away stays behind"
    );
    let owner = |element: RecordId| {
        office.parts.values().flatten().find_map(|item| match item {
            SealedItem::Sound(piece) if piece.name.as_slice() == element.as_bytes() => {
                Some((piece.draft, piece.visit))
            }
            _ => None,
        })
    };
    let visit = office.parts.values().flatten().find_map(|item| match item {
        SealedItem::Draft(draft) if draft.what == "visit" => Some(draft.n),
        _ => None,
    });
    assert_eq!((owner(lamps), owner(again)), (Some((Some(draft), None)), Some((None, visit))));
}

#[test]
fn killed_around_any_message_the_next_start_goes_on_and_nothing_is_lost() {
    let whole = expected();
    let mut killed = 0;
    for n in 0..100 {
        for kill in [Kill::Before(n), Kill::After(n)] {
            let mut office = Office::new();
            let mut phone = busy_phone(Faults::none());
            if go(&mut phone, &mut office, Event::Sync, 10, kill) != Ended::Killed {
                assert!(killed >= 8, "{killed}");
                return;
            }
            killed += 1;
            let mut phone = restarted(phone);
            let ended = go(&mut phone, &mut office, Event::Sync, 20, Kill::Never);
            assert_eq!((ended, office.content()), (Ended::Wiped, whole.clone()), "{kill:?}");
        }
    }
    panic!("it never ends");
}

#[test]
fn killed_around_any_commit_the_next_start_goes_on_and_nothing_is_lost() {
    let whole = expected();
    let mut killed = 0;
    for commit in [Commit::Setting, Commit::Seal, Commit::Apply, Commit::Request] {
        for (skip, side) in (0..4).flat_map(|skip| [(skip, Side::Before), (skip, Side::After)]) {
            let faults = Faults::scripted();
            let mut office = Office::new();
            let mut phone = busy_phone(faults.clone());
            faults.fail(Some(commit), side, skip);
            let ended = go(&mut phone, &mut office, Event::Sync, 10, Kill::Never);
            faults.clear();
            if ended == Ended::Killed {
                killed += 1;
                let marked = phone.store.view().get_number(Setting::Locked).unwrap();
                // The power fails between the receipt and the end: what starts next wipes.
                if marked != Some(super::WIPE) {
                    let mut phone = restarted(phone);
                    let ended = go(&mut phone, &mut office, Event::Sync, 20, Kill::Never);
                    assert_eq!(ended, Ended::Wiped, "{commit:?} {side:?} {skip}");
                }
            }
            assert_eq!(office.content(), whole, "{commit:?} {side:?} {skip}");
        }
    }
    assert!(killed >= 6, "{killed}");
}

#[test]
fn a_device_that_is_reinstated_before_the_receipt_goes_on_where_it_stood() {
    let mut office = Office::new();
    let mut phone = busy_phone(Faults::none());
    assert_eq!(go(&mut phone, &mut office, Event::Sync, 10, Kill::After(3)), Ended::Killed);
    assert!(!office.parts.is_empty());
    let mut phone = restarted(phone);
    office.locked = false;
    assert_eq!(go(&mut phone, &mut office, Event::Sync, 20, Kill::Never), Ended::Rested);
    let status = phone.engine.status(&phone.store, at(30)).unwrap();
    assert!(!status.locked);
    assert_eq!(phone.store.view().get_number(Setting::Locked).unwrap(), None);
    assert_eq!(phone.store.draft_tray().unwrap().drafts.len(), 1);
    assert_eq!(status.totals.changes.count, 2);
    // Locked once more, it makes another package.
    office.locked = true;
    (office.of, office.parts) = (0, BTreeMap::new());
    assert_eq!(go(&mut phone, &mut office, Event::Sync, 40, Kill::Never), Ended::Wiped);
    assert_eq!(office.content(), expected());
}

#[test]
fn an_older_server_locks_and_reinstates_as_it_always_did() {
    let mut office = Office { notes: false, ..Office::new() };
    let mut phone = busy_phone(Faults::none());
    assert_eq!(go(&mut phone, &mut office, Event::Sync, 10, Kill::Never), Ended::Rested);
    assert!(phone.engine.status(&phone.store, at(11)).unwrap().locked);
    assert_eq!((office.handed_in, phone.waiting()), (0, 2), "it takes no package; nothing is lost");
    let mut phone = restarted(phone);
    assert!(phone.engine.status(&phone.store, at(12)).unwrap().locked);
    office.locked = false;
    assert_eq!(go(&mut phone, &mut office, Event::Sync, POLL_MS, Kill::Never), Ended::Rested);
    assert!(!phone.engine.status(&phone.store, at(POLL_MS)).unwrap().locked);
    assert_eq!(phone.waiting(), 2);
}

#[test]
fn a_locked_phone_asks_now_and_then_whether_it_was_reinstated() {
    let mut office = Office::new();
    let mut phone = Phone::joined(1, &mut Script::new());
    // The package cannot be taken at present.
    let kill = Kill::Before(1);
    assert_eq!(go(&mut phone, &mut office, Event::Sync, 10, kill), Ended::Killed);
    let busy = Event::HandedIn { n: 99, result: Err(ProtocolError::Internal.into()) };
    phone.engine.next(busy, &mut phone.store, at(11)).unwrap();
    let mut phone = restarted(phone);
    office.locked = false;
    assert_eq!(go(&mut phone, &mut office, Event::Tick, 12, Kill::Never), Ended::Rested);
    assert!(!phone.engine.status(&phone.store, at(13)).unwrap().locked);
    assert_eq!(office.handed_in, 0);
}

#[tokio::test]
async fn a_locked_device_shows_nothing_and_takes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Device::open(DeviceOptions::host(folder.path()));
    let phone = open().await.unwrap();
    phone
        .with_store(|store, _| {
            store.enrol(device(1), crate::testkit::USER, "测试员（虚构）", "虚构区")?;
            store.create(&dwelling("1", "101"), at(1))?;
            store.write(Commit::Setting, |tx| tx.put_number(Setting::Locked, super::LOCKED))
        })
        .await
        .unwrap();
    phone.close().await.unwrap();
    let phone = open().await.unwrap();
    assert!(phone.status().await.unwrap().locked);
    let read = phone.search("阳光", &[], None, 10).await.map(drop);
    assert!(matches!(read, Err(DeviceError::Revoked)), "{read:?}");
    let written = phone.create(dwelling("1", "102")).await.map(drop);
    assert!(matches!(written, Err(DeviceError::Revoked)), "{written:?}");
    phone.close().await.unwrap();
}
