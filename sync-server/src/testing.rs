//! What this crate's tests share: a server in memory, repeatable time and randomness, and a phone in few words.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use gridwalk_model::policy::Role;
use gridwalk_model::{AccessClass, DeviceId, Fields, Kind, RecordId, StreamId, Timestamp, Value};
use gridwalk_replica::admission::{Origin, Verdict, admit, admit_snapshot};
use gridwalk_replica::digest::{Fingerprint, StreamDigest};
use gridwalk_replica::wire::{self, CommitMark, Cursor, PullBody, Push, SyncRequest, SyncResponse};
use gridwalk_replica::{Actor, ChangeHash, Document, FlatChange};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::access::staff::{NewWorker, add_person, grant, revoke};
use crate::clock::{Clock, Entropy, EntropyError};
use crate::edit::Edits;
use crate::storage::access::NewDevice;
use crate::storage::sqlite::{Birth, SqliteOptions, SqliteStorage};
use crate::storage::{Storage, StorageError};
use crate::sync::{self, Context, Principal, SyncError};

pub(crate) const BIRTH: Birth =
    Birth { device: [0xee; 12], epoch: [2; 16], incarnation: [3; 4], mark_key: [4; 32] };

/// Randomness that is the same in every run.
pub(crate) struct TestEntropy(Mutex<ChaCha8Rng>);

impl TestEntropy {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(ChaCha8Rng::seed_from_u64(seed)))
    }
}

impl Entropy for TestEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError> {
        self.0.lock().unwrap().fill_bytes(out);
        Ok(())
    }
}

/// Time that stands still until it is moved.
#[derive(Default)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn at(millis: i64) -> Self {
        Self(AtomicI64::new(millis))
    }

    pub(crate) fn advance(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    fn ticks_us(&self) -> u64 {
        u64::try_from(self.0.load(Ordering::SeqCst)).unwrap() * 1_000
    }
}

/// 2026-03-02 08:00 in China.
pub(crate) const MORNING: i64 = 1_772_409_600_000;

/// A server in memory.
pub(crate) struct World {
    pub(crate) storage: Arc<SqliteStorage>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) entropy: Arc<TestEntropy>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::on(SqliteStorage::in_memory(&SqliteOptions::default(), &BIRTH).unwrap())
    }

    pub(crate) fn on(storage: SqliteStorage) -> Self {
        Self {
            storage: Arc::new(storage),
            clock: Arc::new(TestClock::at(MORNING)),
            entropy: Arc::new(TestEntropy::new(7)),
        }
    }

    pub(crate) fn store(&self) -> &dyn Storage {
        &*self.storage
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn id(&self) -> RecordId {
        let entropy: &dyn Entropy = &*self.entropy;
        RecordId::from_parts(self.now(), entropy.array().unwrap())
    }

    pub(crate) fn area(&self, name: &str) -> RecordId {
        let id = self.id();
        let fields = Fields::from([
            ("code".to_owned(), Value::from(name)),
            ("name".to_owned(), Value::from(name)),
            ("level".to_owned(), Value::from("grid")),
        ]);
        self.store()
            .update(|tx| {
                let mut edits = Edits::begin(tx, self.now())?;
                edits.create(id, Kind::Area, &fields).unwrap();
                edits.finish()
            })
            .unwrap();
        id
    }

    pub(crate) fn person(&self, name: &str, roles: &[Role]) -> RecordId {
        let worker = NewWorker { name, roles, unit: None };
        self.store().update(|tx| add_person(tx, "test", &worker, self.now(), &*self.entropy)).unwrap()
    }

    pub(crate) fn grant(&self, person: RecordId, area: RecordId, class: AccessClass) {
        let stream = StreamId::Area { area, class };
        self.store().update(|tx| grant(tx, "test", person, stream, self.now())).unwrap();
    }

    pub(crate) fn revoke(&self, person: RecordId, area: RecordId, class: AccessClass) {
        let stream = StreamId::Area { area, class };
        self.store().update(|tx| revoke(tx, "test", person, stream, self.now())).unwrap();
    }

    /// A gridworker with both classes of an area, and their phone.
    pub(crate) fn worker(&self, name: &str, areas: &[RecordId]) -> Phone {
        let person = self.person(name, &[Role::Gridworker]);
        for area in areas {
            self.grant(person, *area, AccessClass::Base);
            self.grant(person, *area, AccessClass::Sensitive);
        }
        self.phone(person)
    }

    pub(crate) fn phone(&self, person: RecordId) -> Phone {
        let entropy: &dyn Entropy = &*self.entropy;
        let device = DeviceId::from_bytes(entropy.array().unwrap());
        let incarnation = entropy.array().unwrap();
        let now = self.now();
        self.store()
            .update(|tx| {
                let person = tx.person(person)?.unwrap().no;
                let new =
                    NewDevice { id: device, person, public_key: &[4; 65], label: "phone", enrolled_at: now };
                tx.insert_device(&new)
            })
            .unwrap();
        Phone {
            device,
            user: person,
            actor: Actor::new(device, incarnation),
            epoch: None,
            seen: None,
            streams: Vec::new(),
            records: BTreeMap::new(),
            outbox: Vec::new(),
            refused: Vec::new(),
            verdicts: Vec::new(),
            max_bytes: 512 * 1024,
        }
    }

    pub(crate) fn principal(&self, device: DeviceId) -> Result<Principal, SyncError> {
        self.store().view(|tx| Principal::of(tx, device))
    }

    pub(crate) fn request(&self, device: DeviceId, request: SyncRequest) -> Result<SyncResponse, SyncError> {
        let principal = self.principal(device)?;
        let context = Context { now: self.now(), entropy: &*self.entropy };
        sync::run(self.store(), &principal, request, context)
    }

    /// The digest that the server keeps of a stream, checked against its records.
    pub(crate) fn digest(&self, stream: &StreamId) -> StreamDigest {
        self.store()
            .view(|tx| {
                let row = tx.stream(stream)?.unwrap();
                let current = tx.current(row.no, None, None)?;
                let sum = current.iter().fold(StreamDigest::default(), |sum, (_, print)| sum.with(*print));
                assert_eq!(sum, row.digest, "digest of {stream:?} is not the sum of its records");
                Ok::<_, StorageError>(sum)
            })
            .unwrap()
    }
}

/// One stream on a phone.
#[derive(Clone, Debug)]
pub(crate) struct HeldStream {
    pub(crate) id: StreamId,
    pub(crate) generation: u32,
    pub(crate) seq: u64,
    pub(crate) revoking: bool,
    pub(crate) members: BTreeMap<RecordId, Fingerprint>,
}

/// A phone in few words: it does what the protocol asks, and checks every digest.
pub(crate) struct Phone {
    pub(crate) device: DeviceId,
    pub(crate) user: RecordId,
    pub(crate) actor: Actor,
    pub(crate) epoch: Option<[u8; 16]>,
    pub(crate) seen: Option<CommitMark>,
    pub(crate) streams: Vec<HeldStream>,
    pub(crate) records: BTreeMap<RecordId, (Kind, Document)>,
    pub(crate) outbox: Vec<(RecordId, Kind, Vec<u8>)>,
    pub(crate) refused: Vec<(RecordId, Verdict)>,
    /// Verdicts of the last request.
    pub(crate) verdicts: Vec<Vec<Verdict>>,
    pub(crate) max_bytes: u32,
}

impl Phone {
    pub(crate) fn create(&mut self, world: &World, kind: Kind, fields: &[(&str, Value)]) -> RecordId {
        let id = world.id();
        self.create_as(world, id, kind, fields);
        id
    }

    pub(crate) fn create_as(&mut self, world: &World, id: RecordId, kind: Kind, fields: &[(&str, Value)]) {
        let fields = to_fields(fields);
        let (document, change) = Document::create(id, kind, &fields, self.actor, world.now()).unwrap();
        self.records.insert(id, (kind, document));
        self.outbox.push((id, kind, change.raw));
    }

    pub(crate) fn edit(&mut self, world: &World, id: RecordId, fields: &[(&str, Value)]) {
        let (kind, document) = self.records.get_mut(&id).unwrap();
        let change = document.edit(&to_fields(fields), self.actor, world.now()).unwrap().unwrap();
        self.outbox.push((id, *kind, change.raw));
    }

    pub(crate) fn get(&self, id: RecordId, key: &str) -> Option<Value> {
        self.records.get(&id).and_then(|(_, document)| document.get(key))
    }

    pub(crate) fn stream(&self, id: &StreamId) -> &HeldStream {
        self.streams.iter().find(|held| held.id == *id).unwrap()
    }

    pub(crate) fn holds(&self, stream: &StreamId, record: RecordId) -> bool {
        self.streams.iter().any(|held| held.id == *stream && held.members.contains_key(&record))
    }

    pub(crate) fn build(&self, hint: Option<u32>) -> SyncRequest {
        let pushes = self
            .outbox
            .iter()
            .map(|(id, kind, raw)| Push {
                record: (*id.as_bytes()).into(),
                kind: kind.tag().to_owned(),
                hint,
                changes: vec![raw.clone().into()],
                history: false,
            })
            .collect();
        SyncRequest {
            protocol_min: 1,
            protocol_max: 1,
            schema: 1,
            epoch: self.epoch.map(Into::into),
            cursors: self
                .streams
                .iter()
                .map(|held| Cursor {
                    stream: held.id.to_bytes().into(),
                    generation: held.generation,
                    seq: held.seq,
                })
                .collect(),
            max_bytes: self.max_bytes,
            pushes,
            compare: None,
            seen: self.seen,
            notes: None,
        }
    }

    /// The cursor's index of the first area that this phone holds: where new records belong.
    pub(crate) fn home(&self) -> Option<u32> {
        let base = |held: &HeldStream| {
            matches!(held.id, StreamId::Area { class: AccessClass::Base, .. }) && !held.revoking
        };
        self.streams.iter().position(base).and_then(|index| u32::try_from(index).ok())
    }

    /// One round trip.
    pub(crate) fn once(&mut self, world: &World) -> SyncResponse {
        self.give_up();
        let request = self.build(self.home());
        let response = world.request(self.device, request).unwrap();
        self.apply(&response);
        response
    }

    /// Rounds until nothing waits and nothing more comes.
    pub(crate) fn sync(&mut self, world: &World) {
        for _ in 0..50 {
            let response = self.once(world);
            let revoking = self.streams.iter().any(|held| held.revoking);
            if self.outbox.is_empty() && !response.more && response.grants.is_none() && !revoking {
                return;
            }
        }
        panic!("sync does not come to an end");
    }

    fn give_up(&mut self) {
        if self.outbox.is_empty() {
            self.streams.retain(|held| !held.revoking);
            self.drop_unheld();
        }
    }

    fn drop_unheld(&mut self) {
        let held: BTreeSet<RecordId> =
            self.streams.iter().flat_map(|stream| stream.members.keys().copied()).collect();
        let waiting: BTreeSet<RecordId> = self.outbox.iter().map(|(id, ..)| *id).collect();
        self.records.retain(|id, _| held.contains(id) || waiting.contains(id));
    }

    pub(crate) fn apply(&mut self, response: &SyncResponse) {
        self.seen = response.mark.map(|mark| CommitMark { commit: response.commit, mark });
        if self.epoch.is_some_and(|epoch| epoch != *response.epoch) {
            self.streams.iter_mut().for_each(|held| {
                held.seq = 0;
                held.members.clear();
            });
            self.epoch = Some(*response.epoch);
            return;
        }
        self.epoch = Some(*response.epoch);
        self.verdicts.clone_from(&response.verdicts);
        let outbox = std::mem::take(&mut self.outbox);
        for (row, verdicts) in outbox.into_iter().zip(&response.verdicts) {
            let verdict = verdicts[0];
            if verdict.is_refusal() {
                self.refused.push((row.0, verdict));
            }
            if !verdict.ends_outbox() {
                self.outbox.push(row);
            }
        }
        for pull in &response.pulls {
            self.pull(pull);
        }
        for removal in &response.removals {
            let id = RecordId::from_bytes(*removal.record);
            self.streams[removal.stream as usize].members.remove(&id);
        }
        for (held, state) in self.streams.iter_mut().zip(&response.streams) {
            held.seq = state.seq;
            if let Some(digest) = state.digest {
                let sum = held.members.values().fold(StreamDigest::default(), |sum, print| sum.with(*print));
                assert_eq!(sum.to_bytes(), *digest, "digest of {:?}", held.id);
            }
        }
        if let Some(grants) = &response.grants {
            self.take_grants(grants);
        }
        if !response.more {
            self.drop_unheld();
        }
    }

    fn pull(&mut self, pull: &wire::Pull) {
        let id = RecordId::from_bytes(*pull.record);
        let print = Fingerprint(*pull.fingerprint);
        let kind = Kind::parse(&pull.kind).unwrap();
        let current = self.records.get(&id).map(|(_, document)| document.save());
        let document = match &pull.body {
            PullBody::Known => None,
            PullBody::Snapshot(bytes) => {
                Some(admit_snapshot(id, &pull.kind, current.as_deref(), bytes).unwrap().document)
            }
            PullBody::Changes(changes) => {
                let raws: Vec<&[u8]> = changes.iter().map(|raw| raw.as_slice()).collect();
                let admission = admit(id, &pull.kind, current.as_deref(), &raws, &Origin::Server);
                let fine = |v: &Verdict| matches!(v, Verdict::Accepted | Verdict::Duplicate);
                assert!(admission.verdicts.iter().all(fine), "{:?}", admission.verdicts);
                admission.admitted.map(|admitted| admitted.document)
            }
        };
        if let Some(document) = document {
            self.records.insert(id, (kind, document));
        }
        let mine = &self.records.get(&id).expect("pulled a record that was never sent").1;
        if !self.outbox.iter().any(|(other, ..)| *other == id) && !self.refused.iter().any(|(r, _)| *r == id)
        {
            assert_eq!(Fingerprint::of(id, &mine.heads()), print, "record differs after the pull");
        }
        self.streams[pull.stream as usize].members.insert(id, print);
    }

    fn take_grants(&mut self, grants: &[wire::GrantState]) {
        let mut next = Vec::new();
        for grant in grants {
            let id = StreamId::from_bytes(&grant.stream).unwrap();
            let same = |held: &&HeldStream| held.id == id && held.generation == grant.generation;
            let held = self.streams.iter().find(same).cloned();
            next.push(HeldStream {
                revoking: grant.revoking,
                ..held.unwrap_or(HeldStream {
                    id,
                    generation: grant.generation,
                    seq: 0,
                    revoking: false,
                    members: BTreeMap::new(),
                })
            });
        }
        self.streams = next;
    }

    /// Head hashes of a record.
    pub(crate) fn heads(&self, id: RecordId) -> Vec<ChangeHash> {
        self.records[&id].1.heads()
    }
}

pub(crate) fn to_fields(fields: &[(&str, Value)]) -> Fields {
    fields.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

/// The hash of a raw change.
pub(crate) fn hash_of(raw: &[u8]) -> ChangeHash {
    FlatChange::read(raw).unwrap().hash
}
