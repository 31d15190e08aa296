//! Photos that are attached, named by acts, taken off and put back on two phones at random.

use std::collections::{BTreeMap, BTreeSet};

use gridwalk_evidence::Limits;
use gridwalk_model::event::{Action, LogEntry, Verdict, fold, read_log, without_proof};
use gridwalk_model::photo::PhotoRef;
use gridwalk_model::records::elements;
use gridwalk_model::{ContentHash, Fields, Kind, RecordId, Value};
use proptest::prelude::*;

use super::RemovedPhoto;
use crate::error::DeviceError;
use crate::photo::{CaptureFacts, prepare_photo};
use crate::store::{Lane, Store};
use crate::sync::tests::Phone;
use crate::testkit::{GRID, Script, USER, at, fields, jpeg, stream};

/// Numbers are taken round by round from what there is.
#[derive(Clone, Debug)]
enum Step {
    Attach,
    /// One's own n-th picture once more, to the byte.
    AttachAgain(usize),
    /// An act that names photos, after-photos if so said.
    Act {
        photos: Vec<usize>,
        after: bool,
    },
    Remove(usize),
    /// Puts back what was taken off, in any order.
    Restore(usize),
    Sync,
}

fn step() -> impl Strategy<Value = (usize, Step)> {
    let what = prop_oneof![
        4 => Just(Step::Attach),
        2 => (0usize..8).prop_map(Step::AttachAgain),
        2 => (prop::collection::vec(0usize..8, 1..3), any::<bool>())
            .prop_map(|(photos, after)| Step::Act { photos, after }),
        6 => (0usize..8).prop_map(Step::Remove),
        3 => (0usize..4).prop_map(Step::Restore),
        3 => Just(Step::Sync),
    ];
    (0usize..2, what)
}

struct World {
    server: Script,
    phones: [Phone; 2],
    event: RecordId,
    /// What each phone took off and did not put back.
    removed: [Vec<RemovedPhoto>; 2],
    /// Which phone attached a photo, and its bytes.
    attached: BTreeMap<RecordId, (usize, ContentHash)>,
    /// Which phone took a picture, how wide, and when.
    taken: Vec<(usize, u16, i64)>,
}

fn held(store: &Store, event: RecordId) -> Fields {
    store.fields(event).unwrap().unwrap().1
}

fn shown(store: &Store, event: RecordId) -> BTreeSet<RecordId> {
    elements(&held(store, event), "photos").map(|(element, _)| element.parse().unwrap()).collect()
}

/// Acts that count and have a photo to rest on, by the photos that they name. A report without its own rests on any.
fn proven(store: &Store, event: RecordId) -> BTreeSet<(RecordId, bool)> {
    let (entries, _) = read_log(&held(store, event));
    let folded = fold(&entries, store.event_rules());
    let shown = shown(store, event);
    let counts = |id| folded.entries.iter().any(|one| one.id == id && one.verdict == Verdict::Applied);
    let mut out = BTreeSet::new();
    for entry in entries.iter().filter(|entry| counts(entry.id)) {
        let report = entry.action == Action::Report;
        for (after, named) in [(false, &entry.photos), (true, &entry.after_photos)] {
            let own = named.iter().any(|photo| shown.contains(photo));
            if own || report && !named.is_empty() && !shown.is_empty() {
                out.insert((entry.id, after));
            }
        }
    }
    out
}

/// Acts that have lost all photos on which they rest.
fn bare(store: &Store, event: RecordId) -> Vec<RecordId> {
    let fields = held(store, event);
    let (entries, _) = read_log(&fields);
    without_proof(&fields, &entries, &fold(&entries, store.event_rules()))
}

/// Without flags that say nothing: what putting back restores.
fn plain(mut fields: Fields) -> Fields {
    fields.retain(|key, value| !(key.ends_with("/removed") && *value == Value::Flag(false)));
    fields
}

fn waiting(store: &Store) -> BTreeSet<ContentHash> {
    let waiting = store.view().uploads_waiting(Lane::Full, at(1_000_000), 999).unwrap();
    waiting.into_iter().map(|upload| upload.hash).collect()
}

fn world() -> World {
    let mut server = Script::new();
    let mut phones = [Phone::joined(1, &mut server), Phone::joined(2, &mut server)];
    let mut all = fields(&[("category", "litter"), ("address", "东门（虚构）")]);
    all.insert("area".into(), Value::from(GRID));
    let event = phones[0].store.edits(at(1), |edits| edits.create_fields(Kind::Event, &all)).unwrap();
    let (removed, attached) = ([Vec::new(), Vec::new()], BTreeMap::new());
    let mut world = World { server, phones, event, removed, attached, taken: Vec::new() };
    world.perform(0, &Step::Attach, 2);
    world.perform(0, &Step::Act { photos: vec![0], after: false }, 3);
    for phone in [0, 1] {
        world.perform(phone, &Step::Sync, 4);
    }
    world
}

impl World {
    /// The n-th photo on a phone; of those that it attached itself, if so said.
    fn photo(&self, phone: usize, n: usize, own: bool) -> Option<RecordId> {
        let mut all: Vec<RecordId> = shown(&self.phones[phone].store, self.event).into_iter().collect();
        all.retain(|photo| !own || self.attached[photo].0 == phone);
        all.get(n % all.len().max(1)).copied()
    }

    fn take(&mut self, phone: usize, now: i64) {
        // Each picture is another one.
        self.taken.push((phone, 64 + 8 * (self.taken.len() as u16), now));
        self.attach(phone, self.taken.len() - 1, now);
    }

    fn attach(&mut self, phone: usize, picture: usize, now: i64) {
        let (_, width, taken) = self.taken[picture];
        let facts = CaptureFacts::camera(at(taken), "W01".into());
        let file = jpeg(width, 72);
        let photo = prepare_photo(&file, &facts, None, &Limits::default()).unwrap();
        let store = &mut self.phones[phone].store;
        let element = store.attach_photo(self.event, &photo, &facts, at(now)).unwrap();
        let fields = held(store, self.event);
        let Value::Bytes(bytes) = &fields[&format!("photos/{}", element.to_hex())] else {
            panic!("no photo")
        };
        self.attached.insert(element, (phone, PhotoRef::from_bytes(bytes).unwrap().hash));
    }

    fn act(&mut self, phone: usize, photos: &[usize], after: bool, now: i64) {
        let named: Vec<RecordId> = photos.iter().filter_map(|n| self.photo(phone, *n, false)).collect();
        let store = &mut self.phones[phone].store;
        let (entries, _) = read_log(&held(store, self.event));
        let parent = fold(&entries, store.event_rules()).entries.last().map(|last| last.id);
        let action = if parent.is_none() { Action::Report } else { Action::Note };
        let id = RecordId::from_parts(at(now), [phone as u8; 10]);
        let mut entry = LogEntry::new(id, parent, at(now), USER, action);
        entry.internal_note = Some("虚构".into());
        if after { &mut entry.after_photos } else { &mut entry.photos }.extend(named);
        store.edits(at(now), |edits| edits.add(self.event, "log", &id.to_hex(), entry.to_value())).unwrap();
    }

    fn remove(&mut self, phone: usize, n: usize, now: i64) {
        // Mostly one's own; now and then that of the other phone.
        let Some(photo) = self.photo(phone, n, n < 7) else { return };
        let store = &mut self.phones[phone].store;
        let before = (plain(held(store, self.event)), proven(store, self.event), waiting(store));
        let lacking = bare(store, self.event).len();
        match store.remove_photo(self.event, photo, at(now)) {
            Ok(removed) => {
                assert_eq!(self.attached[&photo].0, phone, "one's own only");
                assert!(!shown(store, self.event).contains(&photo));
                let lost: Vec<_> = before.1.difference(&proven(store, self.event)).copied().collect();
                assert_eq!(lost, [], "an act rested on it");
                assert!(bare(store, self.event).len() <= lacking, "an act was content with it");
                // Putting it back at once is as if nothing had happened.
                store.restore_photo(removed, at(now)).unwrap();
                let back = (plain(held(store, self.event)), proven(store, self.event), waiting(store));
                assert_eq!(back, before);
                let removed = store.remove_photo(self.event, photo, at(now)).unwrap();
                self.removed[phone].push(removed);
            }
            Err(DeviceError::NotAllowed { .. }) => assert_ne!(self.attached[&photo].0, phone),
            Err(DeviceError::ActRefused { .. }) => {
                let named =
                    |entry: &LogEntry| entry.photos.contains(&photo) || entry.after_photos.contains(&photo);
                let (entries, _) = read_log(&held(store, self.event));
                let report = |entry: &LogEntry| entry.action == Action::Report;
                let alone = shown(store, self.event).len() == 1;
                let shown = shown(store, self.event);
                let off = |entry: &LogEntry| {
                    let named: Vec<_> = entry.photos.iter().chain(&entry.after_photos).collect();
                    !named.is_empty() && named.iter().all(|photo| !shown.contains(photo))
                };
                assert!(
                    entries.iter().any(|entry| named(entry) || alone && report(entry) || off(entry)),
                    "nothing rests on it"
                );
                let now = (plain(held(store, self.event)), proven(store, self.event), waiting(store));
                assert_eq!(now, before, "what is refused writes nothing");
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    fn perform(&mut self, phone: usize, step: &Step, now: i64) {
        match step {
            Step::Attach => self.take(phone, now),
            Step::AttachAgain(n) => {
                let own: Vec<usize> = (0..self.taken.len()).filter(|at| self.taken[*at].0 == phone).collect();
                if let Some(picture) = own.get(n % own.len().max(1)) {
                    self.attach(phone, *picture, now);
                }
            }
            Step::Act { photos, after } => self.act(phone, photos, *after, now),
            Step::Remove(n) => self.remove(phone, *n, now),
            Step::Restore(n) => {
                let count = self.removed[phone].len();
                if count > 0 {
                    let removed = self.removed[phone].remove(n % count);
                    let (photo, store) = (removed.element, &mut self.phones[phone].store);
                    store.restore_photo(removed, at(now)).unwrap();
                    assert!(shown(store, self.event).contains(&photo));
                }
            }
            Step::Sync => drop(self.phones[phone].sync(&mut self.server, at(now))),
        }
    }

    /// A phone waits to send its own photos that are shown, and shows those of its own that it did not take off.
    fn check(&self, phone: usize) {
        let store = &self.phones[phone].store;
        let off: BTreeSet<RecordId> = self.removed[phone].iter().map(|removed| removed.element).collect();
        let own = self.attached.iter().filter(|(photo, (by, _))| *by == phone && !off.contains(photo));
        let (own, hashes): (BTreeSet<RecordId>, BTreeSet<ContentHash>) =
            own.map(|(photo, (_, hash))| (*photo, *hash)).unzip();
        let mut shown = shown(store, self.event);
        shown.retain(|photo| self.attached[photo].0 == phone);
        assert_eq!(shown, own);
        assert_eq!(waiting(store), hashes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever is attached, named, taken off and put back, whenever the phones synchronise: no act loses the photo that
    /// it rests on to the phone that takes one off, what is put back is as it was, and both phones agree.
    #[test]
    fn no_act_loses_its_proof_and_what_is_put_back_is_as_it_was(steps in prop::collection::vec(step(), 1..30)) {
        let mut world = world();
        let mut now = 10;
        for (phone, step) in &steps {
            now += 1;
            world.perform(*phone, step, now);
            world.check(0);
            world.check(1);
        }
        for phone in [0usize, 1, 0] {
            now += 1;
            world.perform(phone, &Step::Sync, now);
        }
        let [a, b] = &world.phones;
        prop_assert_eq!((a.waiting(), b.waiting()), (0, 0), "the server takes all of it");
        prop_assert_eq!(a.store.fingerprints(&stream()).unwrap(), b.store.fingerprints(&stream()).unwrap());
        prop_assert_eq!(held(&a.store, world.event), held(&b.store, world.event));
        prop_assert_eq!(proven(&a.store, world.event), proven(&b.store, world.event));
        prop_assert_eq!(bare(&a.store, world.event), bare(&b.store, world.event));
        // Everything that was taken off comes back everywhere.
        for phone in [0usize, 1] {
            while !world.removed[phone].is_empty() {
                now += 1;
                world.perform(phone, &Step::Restore(0), now);
            }
        }
        for phone in [0usize, 1, 0] {
            now += 1;
            world.perform(phone, &Step::Sync, now);
        }
        let all: BTreeSet<RecordId> = world.attached.keys().copied().collect();
        for phone in [0usize, 1] {
            prop_assert_eq!(&shown(&world.phones[phone].store, world.event), &all);
            prop_assert_eq!(bare(&world.phones[phone].store, world.event), []);
            world.check(phone);
        }
    }
}
