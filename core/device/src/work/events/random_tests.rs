//! Random work on reports: acts on an event, and photos on their way from the camera into it.

use std::collections::BTreeMap;

use gridwalk_evidence::Limits;
use gridwalk_model::event::{Action, Flag};
use gridwalk_model::photo::{PhotoRef, PhotoRole};
use gridwalk_model::policy::Role;
use gridwalk_model::records::Event;
use gridwalk_model::{RecordId, Timestamp};
use proptest::prelude::*;

use super::tests::{
    DAY, FIXER, attach_all, elsewhere, employed, facts, here, in_grid, put_right, rectify, report,
};
use super::*;
use crate::error::DeviceError;
use crate::photo::{CaptureFacts, prepare_photo};
use crate::store::Store;
use crate::testkit::{GRID, at, jpeg, store};

/// What one of the steps below does: an act of the worker with its outcome, or `None` for what others do.
fn act(
    store: &mut Store,
    event: RecordId,
    (which, near): (u8, bool),
    now: Timestamp,
) -> Option<(Action, Result<RecordId, DeviceError>)> {
    let reason = || "需要支援（虚构）".to_owned();
    let claim = SiteClaim { position: here(if near { 2.0 } else { 900.0 }), ..SiteClaim::default() };
    let seen = |wrong: Option<&str>| SiteVerification {
        claim: claim.clone(),
        still_wrong: wrong.map(str::to_owned),
        note: None,
        photos: Vec::new(),
    };
    let (action, act) = match which {
        0 => (Action::StartCheck, WorkerAct::StartCheck),
        1 => (Action::FinishCheck, WorkerAct::FinishCheck { note: None }),
        2 => (Action::RequestEscalation, WorkerAct::RequestEscalation { reason: reason() }),
        3 => (Action::RequestJointCall, WorkerAct::RequestJointCall { reason: reason() }),
        4 => return Some((Action::Verify, store.verify_on_site(event, seen(None), now))),
        5 => return Some((Action::FailVerification, store.verify_on_site(event, seen(Some("未清理")), now))),
        6 => (Action::Withdraw, WorkerAct::Withdraw { reason: near.then(reason) }),
        7 | 8 => (Action::SignFor, WorkerAct::SignFor),
        9 | 10 => {
            let shot = CaptureFacts { role: PhotoRole::After, ..facts(now, here(2.0)) };
            let photo = |store: &mut Store| store.snap_for_event(event, &jpeg(96, 72), &shot, None, now);
            let after = if near { vec![photo(store).unwrap().element] } else { Vec::new() };
            (Action::Rectify, rectify("已清理", after, None))
        }
        11 => (Action::Note, WorkerAct::Note { text: reason() }),
        12 => {
            put_right(store, event, now);
            return None;
        }
        13..=15 => {
            for action in [Action::Accept, Action::Dispatch] {
                elsewhere(store, event, action, now, Some(FIXER));
            }
            return None;
        }
        _ => {
            elsewhere(store, event, Action::Close, now, Some(FIXER));
            return None;
        }
    };
    Some((action, store.act_on_event(event, act, now)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever acts are tried in whatever order, none that is written fails to count, what is offered is never refused
    /// for the state, and what is refused writes nothing.
    #[test]
    fn what_is_written_counts(acts in prop::collection::vec((0u8..17, any::<bool>()), 1..18)) {
        let mut store = store(1);
        employed(&mut store, &[Role::Gridworker, Role::Handler]);
        let event = report(&mut store, "litter", 0.0, at(0)).event;
        for (n, (which, near)) in acts.into_iter().enumerate() {
            let now = at(100 * (n as i64 + 1));
            let offered = store.event_acts(event).unwrap();
            let before = store.event_story(event).unwrap().lines.len();
            let Some((action, outcome)) = act(&mut store, event, (which, near), now) else { continue };
            let written = store.event_story(event).unwrap().lines.len() - before;
            prop_assert_eq!(written, usize::from(outcome.is_ok()), "{:?}", action);
            match outcome {
                Ok(_) => prop_assert!(offered.contains(&action), "{action:?} was not offered"),
                Err(DeviceError::NotOnSite { .. }) => prop_assert!(!near),
                Err(DeviceError::ActRefused { flag: Flag::NotInThisState }) => {
                    prop_assert!(!offered.contains(&action), "{action:?} was offered");
                }
                Err(DeviceError::ActRefused { flag: Flag::NeedsAfterPhoto }) => {
                    prop_assert!(action == Action::Rectify && !near, "{action:?} has its photo");
                }
                Err(DeviceError::ActRefused { .. }) => {}
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
            }
        }
        attach_all(&mut store, at(9_000));
        prop_assert!(store.my_reports(at(9_999), 1).unwrap()[0].late.is_empty());
    }
}

/// Where a photo is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Where {
    Loose,
    Draft(i64),
    /// It belongs to an event and is still to be attached.
    Pending(RecordId),
    Attached(RecordId),
}

/// Numbers are taken round by round from what there is.
#[derive(Clone, Debug)]
enum Step {
    Journal,
    Begin,
    Snap(Option<usize>),
    SnapForEvent(usize),
    Adopt(usize, Option<usize>),
    Release(usize),
    /// Attached to an event without the detour of a draft.
    AttachOne(usize, usize),
    Discard(usize),
    DiscardLoose(usize),
    Restore(usize),
    Send(usize),
    Attach,
    Sweep,
    Wait,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let n = || 0usize..8;
    let draft = || prop::option::of(0usize..4);
    prop_oneof![
        2 => Just(Step::Journal),
        1 => Just(Step::Begin),
        6 => draft().prop_map(Step::Snap),
        1 => n().prop_map(Step::SnapForEvent),
        3 => (n(), draft()).prop_map(|(photo, draft)| Step::Adopt(photo, draft)),
        3 => n().prop_map(Step::Release),
        2 => (n(), n()).prop_map(|(photo, event)| Step::AttachOne(photo, event)),
        3 => n().prop_map(Step::Discard),
        2 => n().prop_map(Step::DiscardLoose),
        2 => n().prop_map(Step::Restore),
        3 => n().prop_map(Step::Send),
        2 => Just(Step::Attach),
        2 => Just(Step::Sweep),
        1 => Just(Step::Wait),
        1 => Just(Step::Restart),
    ]
}

/// A phone, and where every photo has to be that was not thrown away for good. A photo is told by its time.
struct Desk {
    store: Store,
    photos: BTreeMap<Timestamp, Where>,
    /// Drafts, with the time at which they were thrown away.
    drafts: BTreeMap<i64, Option<Timestamp>>,
    events: Vec<RecordId>,
    file: Vec<u8>,
    now: Timestamp,
}

fn nth<T: Copy>(all: &[T], n: usize) -> Option<T> {
    all.get(n % all.len().max(1)).copied()
}

impl Desk {
    fn new() -> Self {
        let (photos, drafts) = (BTreeMap::new(), BTreeMap::new());
        Self { store: store(1), photos, drafts, events: Vec::new(), file: jpeg(96, 72), now: at(0) }
    }

    fn draft(&self, n: Option<usize>) -> Option<i64> {
        let all: Vec<i64> = self.drafts.keys().copied().collect();
        n.and_then(|n| nth(&all, n))
    }

    /// A draft that was thrown away, or one that was not.
    fn draft_that_is(&self, discarded: bool, n: usize) -> Option<i64> {
        let such = self.drafts.iter().filter(|(_, at)| at.is_some() == discarded);
        nth(&such.map(|(n, _)| *n).collect::<Vec<_>>(), n)
    }

    /// An original of the journal, and which photo it is.
    fn capture(&self, n: usize) -> Option<(i64, CaptureFacts)> {
        let capture = nth(&self.store.captures().unwrap(), n)?;
        Some((capture, self.store.journaled_facts(capture).unwrap().unwrap()))
    }

    fn placed(&mut self, photo: Timestamp, snapped: Snapped) {
        self.photos.insert(photo, Where::Draft(snapped.draft));
        // One that was thrown away is taken back by it.
        self.drafts.insert(snapped.draft, None);
    }

    /// Takes a photo, or begins a report without one.
    fn begin(&mut self, step: &Step) {
        let shot = facts(self.now, here(0.0));
        let (now, file) = (self.now, self.file.clone());
        match step {
            Step::Journal => {
                self.store.journal_photo(&file, &shot, now).unwrap();
                self.photos.insert(now, Where::Loose);
            }
            Step::Snap(draft) => {
                let draft = self.draft(*draft);
                let snapped = self.store.snap(&file, &shot, &in_grid(), draft, now).unwrap();
                self.placed(now, snapped);
            }
            Step::SnapForEvent(n) => {
                let Some(event) = nth(&self.events, *n) else { return };
                self.store.snap_for_event(event, &file, &shot, None, now).unwrap();
                self.photos.insert(now, Where::Pending(event));
            }
            _ => {
                let known = ReportDraft { area: Some(GRID), position: here(0.0), ..ReportDraft::default() };
                let draft = self.store.begin_report(&known, now).unwrap();
                self.drafts.insert(draft, None);
            }
        }
    }

    /// Sorts an original of the journal: what cannot be done is refused.
    fn sort(&mut self, step: &Step) {
        let (Step::Adopt(n, _) | Step::Release(n) | Step::DiscardLoose(n) | Step::AttachOne(n, _)) = step
        else {
            return;
        };
        let Some((capture, taken)) = self.capture(*n) else { return };
        let stood = self.photos[&taken.at];
        match step {
            Step::Adopt(_, draft) => {
                let draft = self.draft(*draft);
                let adopted = self.store.adopt_capture(capture, &in_grid(), draft, self.now);
                assert_eq!(adopted.is_ok(), stood == Where::Loose, "{adopted:?}");
                if let Ok(snapped) = adopted {
                    self.placed(taken.at, snapped);
                }
            }
            Step::Release(_) => {
                let released = self.store.release_capture(capture);
                assert_eq!(released.is_ok(), matches!(stood, Where::Draft(_)), "{released:?}");
                if released.is_ok() {
                    self.photos.insert(taken.at, Where::Loose);
                }
            }
            Step::DiscardLoose(_) => {
                let discarded = self.store.discard_capture(capture, self.now);
                assert_eq!(discarded.is_ok(), stood == Where::Loose, "{discarded:?}");
                if let Ok(draft) = discarded {
                    self.photos.insert(taken.at, Where::Draft(draft));
                    self.drafts.insert(draft, Some(self.now));
                }
            }
            Step::AttachOne(_, event) if !matches!(stood, Where::Pending(_)) => {
                let Some(event) = nth(&self.events, *event) else { return };
                let photo = prepare_photo(&self.file, &taken, None, &Limits::default()).unwrap();
                self.store.attach_photo(event, &photo, &taken, self.now).unwrap();
                self.store.remove_capture(capture).unwrap();
                self.photos.insert(taken.at, Where::Attached(event));
            }
            _ => {}
        }
    }

    fn send(&mut self, draft: i64) {
        // An original that was thrown away and taken back has a draft that knows no grid.
        let known = ReportDraft { area: Some(GRID), ..self.store.draft(draft).unwrap().report };
        self.store.save_draft(draft, &known).unwrap();
        self.store.choose_category(draft, "litter", self.now).unwrap();
        let discarded = self.drafts[&draft].is_some();
        let bare = !self.photos.values().any(|place| *place == Where::Draft(draft));
        if discarded || bare {
            match self.store.send_report(draft, self.now) {
                Err(DeviceError::DraftDiscarded) if discarded => return,
                Err(DeviceError::Unfinished { what: "photos" }) if !discarded => {}
                other => panic!("{other:?}"),
            }
            let explained = ReportDraft { no_photo_reason: Some("虚构".into()), ..known };
            let explained = ReportDraft { category: Some("litter".into()), ..explained };
            self.store.save_draft(draft, &explained).unwrap();
        }
        let event = self.store.send_report(draft, self.now).unwrap().event;
        self.drafts.remove(&draft);
        self.events.push(event);
        let of_draft = self.photos.values_mut().filter(|place| **place == Where::Draft(draft));
        of_draft.for_each(|place| *place = Where::Pending(event));
    }

    fn sweep(&mut self) {
        let old = self.now.plus_millis(-DAY);
        let swept: Vec<i64> =
            self.drafts.iter().filter(|(_, at)| at.is_some_and(|at| at <= old)).map(|(n, _)| *n).collect();
        assert_eq!(self.store.sweep_drafts(self.now).unwrap(), swept.len());
        self.drafts.retain(|n, _| !swept.contains(n));
        self.photos.retain(|_, place| !matches!(place, Where::Draft(n) if swept.contains(n)));
        assert_eq!(self.store.sweep_captures().unwrap(), 0, "nothing was left over");
    }

    fn perform(&mut self, step: &Step) {
        match step {
            Step::Journal | Step::Snap(_) | Step::SnapForEvent(_) | Step::Begin => self.begin(step),
            Step::Adopt(..) | Step::Release(_) | Step::DiscardLoose(_) | Step::AttachOne(..) => {
                self.sort(step)
            }
            Step::Discard(n) => {
                let Some(draft) = self.draft_that_is(false, *n) else { return };
                self.store.discard_draft(draft, self.now).unwrap();
                self.drafts.insert(draft, Some(self.now));
            }
            Step::Restore(n) => {
                let Some(draft) = self.draft_that_is(true, *n) else { return };
                self.store.restore_draft(draft).unwrap();
                self.drafts.insert(draft, None);
            }
            Step::Send(n) => self.draft(Some(*n)).into_iter().for_each(|draft| self.send(draft)),
            Step::Attach => {
                attach_all(&mut self.store, self.now);
                let pending = self.photos.values_mut();
                pending.for_each(|place| {
                    if let Where::Pending(event) = *place {
                        *place = Where::Attached(event);
                    }
                });
            }
            Step::Sweep => self.sweep(),
            Step::Wait => self.now = self.now.plus_millis(2 * DAY),
            Step::Restart => {}
        }
    }

    /// Every place in which the phone shows a photo, a photo that it shows twice twice.
    fn found(&mut self) -> Vec<(Timestamp, Where)> {
        let mut out = Vec::new();
        let tray = self.store.draft_tray().unwrap();
        for draft in tray.drafts.iter().chain(&tray.discarded) {
            assert_eq!(draft.discarded_at, self.drafts[&draft.n]);
            out.extend(draft.photos.iter().map(|photo| (photo.at, Where::Draft(draft.n))));
        }
        assert_eq!(tray.drafts.len() + tray.discarded.len(), self.drafts.len());
        for capture in tray.loose {
            out.push((self.store.journaled_facts(capture).unwrap().unwrap().at, Where::Loose));
        }
        let pending = self.store.photos_to_attach().unwrap();
        out.extend(pending.iter().map(|photo| (photo.facts.at, Where::Pending(photo.record))));
        for event in &self.events {
            let photos = self.store.get::<Event>(*event).unwrap().unwrap().record.photos;
            let taken = photos.values().map(|bytes| PhotoRef::from_bytes(bytes).unwrap().taken_at.unwrap());
            out.extend(taken.map(|at| (at, Where::Attached(*event))));
        }
        out.sort_unstable();
        out
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is taken, sorted, thrown away, taken back and sent: at every moment each photo is in exactly one place,
    /// and only sweeping what was thrown away long ago loses any.
    #[test]
    fn every_photo_is_in_exactly_one_place(steps in prop::collection::vec(step(), 1..40)) {
        let mut desk = Desk::new();
        for step in &steps {
            desk.now = desk.now.plus_millis(1_000);
            desk.perform(step);
            if matches!(step, Step::Restart) {
                desk.store = desk.store.reopened().unwrap();
            }
            let expected: Vec<_> = desk.photos.iter().map(|(photo, place)| (*photo, *place)).collect();
            prop_assert_eq!(desk.found(), expected, "after {:?}", step);
        }
    }
}
