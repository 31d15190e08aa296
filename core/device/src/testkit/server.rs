//! A server of one stream, in a few lines: admits what is pushed and answers with what it holds. Answers can be bent.

use std::collections::BTreeMap;

use gridwalk_model::policy::{Role, Sender};
use gridwalk_model::{DeviceId, RecordId, Timestamp};
use gridwalk_replica::Document;
use gridwalk_replica::admission::{self, Origin, Verdict};
use gridwalk_replica::digest::{Fingerprint, StreamDigest};
use gridwalk_replica::wire::{
    Bytes16, GrantState, Pull, PullBody, Removal, StreamState, SyncRequest, SyncResponse,
};
use minicbor::bytes::{ByteArray, ByteVec};

use super::{USER, at, stream};
use crate::store::Store;
use crate::sync::{Effect, Engine, Event};

/// An answer that says nothing, shaped for a request.
pub(crate) fn answer(request: &SyncRequest) -> SyncResponse {
    SyncResponse {
        protocol: 1,
        epoch: ByteArray::from([1; 16]),
        received_at: at(0).millis(),
        commit: 1,
        backed_up_through: 0,
        verdicts: request.pushes.iter().map(|p| vec![Verdict::Accepted; p.changes.len()]).collect(),
        grants: None,
        pulls: Vec::new(),
        removals: Vec::new(),
        streams: request.cursors.iter().map(|c| StreamState { seq: c.seq, digest: None }).collect(),
        more: false,
        wants: Vec::new(),
        mark: None,
        notes: None,
    }
}

/// A server with one stream that every device is granted.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) records: BTreeMap<RecordId, Held>,
    pub(crate) removed: BTreeMap<RecordId, u64>,
    pub(crate) seq: u64,
    pub(crate) commit: u64,
    /// What each commit was given; here its content says it.
    pub(crate) marks: Vec<u64>,
    pub(crate) backed_up_through: u64,
    pub(crate) epoch: [u8; 16],
    pub(crate) generation: u32,
    pub(crate) revoking: bool,
    pub(crate) recovery: bool,
    /// Records of a response, at most.
    pub(crate) page: usize,
    /// Requests so far.
    pub(crate) requests: Vec<SyncRequest>,
}

#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) kind: String,
    pub(crate) snapshot: Vec<u8>,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) seq: u64,
}

impl Script {
    pub(crate) fn new() -> Self {
        Self {
            records: BTreeMap::new(),
            removed: BTreeMap::new(),
            seq: 0,
            commit: 0,
            marks: Vec::new(),
            backed_up_through: 0,
            epoch: [1; 16],
            generation: 1,
            revoking: false,
            recovery: false,
            page: usize::MAX,
            requests: Vec::new(),
        }
    }

    /// Puts a record there, as if somebody else had pushed it.
    pub(crate) fn put(&mut self, id: RecordId, kind: &str, document: &Document) {
        self.put_bytes(id, kind, document.save(), Fingerprint::of(id, &document.heads()));
    }

    pub(crate) fn put_bytes(
        &mut self,
        id: RecordId,
        kind: &str,
        snapshot: Vec<u8>,
        fingerprint: Fingerprint,
    ) {
        self.seq += 1;
        self.commit += 1;
        let content = u64::from_be_bytes(*fingerprint.0.first_chunk().unwrap());
        self.marks.push(content);
        let held = Held { kind: kind.to_owned(), snapshot, fingerprint, seq: self.seq };
        self.records.insert(id, held);
        self.removed.remove(&id);
    }

    /// Takes a record out of the stream.
    pub(crate) fn take_out(&mut self, id: RecordId) {
        self.seq += 1;
        self.records.remove(&id);
        self.removed.insert(id, self.seq);
    }

    pub(crate) fn document(&self, id: RecordId) -> Document {
        Document::load(&self.records[&id].snapshot).unwrap()
    }

    fn digest(&self) -> StreamDigest {
        self.records.values().fold(StreamDigest::default(), |sum, held| sum.with(held.fingerprint))
    }

    fn push(&mut self, request: &SyncRequest, device: DeviceId) -> Vec<Vec<Verdict>> {
        let mut out = Vec::new();
        for push in &request.pushes {
            let id = RecordId::from_bytes(*push.record);
            let raws: Vec<&[u8]> = push.changes.iter().map(|raw| raw.as_slice()).collect();
            let current = self.records.get(&id).map(|held| held.snapshot.clone());
            let sender = Sender::Person { user: USER, roles: &[Role::Gridworker] };
            let origin = if push.history && self.recovery {
                Origin::Recovery
            } else {
                Origin::Device { device, sender }
            };
            let admission = admission::admit(id, &push.kind, current.as_deref(), &raws, &origin);
            if let Some(admitted) = admission.admitted {
                let fingerprint = Fingerprint::of(id, &admitted.heads);
                self.put_bytes(id, &push.kind, admitted.snapshot, fingerprint);
            }
            out.push(admission.verdicts);
        }
        out
    }

    /// Answers as the server does.
    pub(crate) fn answer(&mut self, request: &SyncRequest, device: DeviceId) -> SyncResponse {
        self.requests.push(request.clone());
        let mut response = answer(request);
        response.epoch = Bytes16::from(self.epoch);
        response.commit = self.commit;
        response.backed_up_through = self.backed_up_through;
        response.mark = self.marks.last().copied();
        let seen = request.seen.filter(|_| request.epoch.is_some_and(|epoch| *epoch == self.epoch));
        if seen.is_some_and(|seen| self.marks.get(seen.commit as usize - 1) != Some(&seen.mark)) {
            self.epoch[15] += 1;
            response.epoch = Bytes16::from(self.epoch);
        }
        if request.epoch.is_some_and(|epoch| *epoch != self.epoch) {
            // Nothing of the request is taken: the phone begins again from zero.
            response.verdicts = Vec::new();
            response.streams = Vec::new();
            return response;
        }
        response.verdicts = self.push(request, device);
        response.commit = self.commit;
        response.mark = self.marks.last().copied();
        let known = request.cursors.first();
        let same = known.is_some_and(|c| c.generation == self.generation && !self.revoking);
        if !(same || self.revoking && known.is_none()) {
            response.grants = Some(vec![GrantState {
                stream: ByteVec::from(stream().to_bytes()),
                generation: self.generation,
                revoking: self.revoking,
            }]);
        }
        if same {
            self.pull(request, &mut response);
            self.compare(request, &mut response);
        }
        response
    }

    fn pull(&self, request: &SyncRequest, response: &mut SyncResponse) {
        let cursor = request.cursors[0].seq;
        let mut changed: Vec<(u64, RecordId, bool)> = self
            .records
            .iter()
            .map(|(id, held)| (held.seq, *id, false))
            .chain(self.removed.iter().map(|(id, seq)| (*seq, *id, true)))
            .filter(|(seq, _, _)| *seq > cursor)
            .collect();
        changed.sort_unstable();
        response.more = changed.len() > self.page;
        changed.truncate(self.page);
        let mut seq = if response.more { cursor } else { self.seq };
        for (at, id, removed) in changed {
            seq = seq.max(at);
            if removed {
                response.removals.push(Removal { record: Bytes16::from(*id.as_bytes()), stream: 0 });
            } else {
                response.pulls.push(self.snapshot(id));
            }
        }
        let digest = (!response.more).then(|| Bytes16::from(self.digest().to_bytes()));
        response.streams = vec![StreamState { seq, digest }];
    }

    fn snapshot(&self, id: RecordId) -> Pull {
        let held = &self.records[&id];
        Pull {
            record: Bytes16::from(*id.as_bytes()),
            kind: held.kind.clone(),
            stream: 0,
            fingerprint: Bytes16::from(held.fingerprint.0),
            body: PullBody::Snapshot(ByteVec::from(held.snapshot.clone())),
        }
    }

    fn compare(&self, request: &SyncRequest, response: &mut SyncResponse) {
        let Some(compare) = &request.compare else { return };
        let theirs: BTreeMap<RecordId, [u8; 16]> =
            compare.held.iter().map(|held| (RecordId::from_bytes(*held.record), *held.fingerprint)).collect();
        for (id, held) in &self.records {
            if theirs.get(id) != Some(&held.fingerprint.0) {
                response.pulls.push(self.snapshot(*id));
            }
        }
        for (id, fingerprint) in theirs {
            if self.records.get(&id).is_none_or(|held| held.fingerprint.0 != fingerprint) {
                response.wants.push(Bytes16::from(*id.as_bytes()));
            }
        }
    }

    /// Lets an engine talk until it has nothing to say. Returns how many requests that took.
    pub(crate) fn sync(&mut self, engine: &mut Engine, store: &mut Store, now: Timestamp) -> usize {
        let device = store.identity().unwrap().device;
        let mut waiting = engine.next(Event::Sync, store, now).unwrap();
        let mut requests = 0;
        while let Some(effect) = waiting.pop() {
            if let Effect::Send { n, request } = effect {
                requests += 1;
                assert!(requests < 50, "the engine does not come to rest");
                let response = self.answer(&request, device);
                let event = Event::Response { n, result: Ok(Box::new(response)) };
                waiting.extend(engine.next(event, store, now).unwrap());
            }
        }
        requests
    }

    /// One exchange without a push. Says whether something was pulled.
    pub(crate) fn sync_pull_only(mut self, phone: &mut crate::sync::tests::Phone) -> bool {
        let device = phone.store.identity().unwrap().device;
        let effects = phone.engine.next(Event::Sync, &mut phone.store, at(14)).unwrap();
        let mut pulled = false;
        for effect in effects {
            if let Effect::Send { n, request } = effect {
                assert!(request.pushes.is_empty());
                let response = self.answer(&request, device);
                pulled |= !response.pulls.is_empty();
                let event = Event::Response { n, result: Ok(Box::new(response)) };
                phone.engine.next(event, &mut phone.store, at(14)).unwrap();
            }
        }
        let mut n = 0;
        while !phone.engine.is_idle() && n < 10_000 {
            let lost = Event::Response { n, result: Err(crate::NetError::Offline) };
            phone.engine.next(lost, &mut phone.store, at(14)).unwrap();
            n += 1;
        }
        pulled
    }
}
