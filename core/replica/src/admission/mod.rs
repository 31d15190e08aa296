//! Whether changes may enter a record: one code for two origins, the server that takes changes from devices and
//! the phone that takes them from its server.
//!
//! Four steps, each on what the one before has proved:
//!
//! 1. Each chunk is read by [`FlatChange::read`], whose work is bounded by the bytes received.
//! 2. The batch is put in causal order. A change whose dependency was refused is `BlockedBy` it; one whose
//!    dependency nobody has is `MissingDeps`.
//! 3. Each change must be exactly what an honest editor would have written on top of its dependencies: the actor's
//!    next number, the next operation counter, and for every key precisely the writes that were standing there
//!    ([`structure`]). Then the field policies and the sender's role are asked ([`gridwalk_model::policy`]).
//! 4. The changes are applied, the document is saved, loaded again and its heads compared. What comes out *is* the
//!    new snapshot. Automerge runs under `catch_unwind`: after a panic the working copy is dropped. If the document
//!    does not survive, the changes to blame are found and refused, and the rest is decided anew from the last good
//!    bytes.
//!
//! Step 3 leaves Automerge nothing to trust, so a panic is not expected; the guard stays because the cost of being
//! wrong is everybody's work. There is no deadline, as no step does work that the received bytes do not pay for:
//! each change is looked at once; what makes Automerge go through the document again and again has an allowance
//! (`working`); what cannot be stored is searched for a bounded number of times (`blame`).

mod blame;
mod structure;
mod verdict;
mod working;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use gridwalk_model::policy::Sender;
use gridwalk_model::{DeviceId, Kind, RecordId};

use crate::change::{self, ChangeHash, FlatChange};
use crate::document::{ChangeFacts, Document};
use crate::limits;
use blame::Blame;
use structure::{Known, Refused};
use working::{Stop, Working};

pub use verdict::{Reason, Verdict};

/// How often a batch is decided anew without the changes that could not be stored. Honest work needs one round, and
/// a second where a record becomes too large.
const MAX_ROUNDS: usize = 3;
/// How many operations one device's batch may make Automerge go through beyond the necessary: about a second's work.
const ALLOWANCE: usize = 1_500_000;

/// Where changes come from.
#[derive(Clone, Copy, Debug)]
pub enum Origin<'a> {
    /// An enrolled device offers what its worker did: everything is checked.
    Device {
        /// The device that the session proved to be.
        device: DeviceId,
        /// Its worker.
        sender: Sender<'a>,
    },
    /// A device offers a whole history because the server lost it: other people's changes are in it, so authorship
    /// and roles cannot be asked again. Opened by an operator, audited, and the result is marked.
    Recovery,
    /// The server sends what it has admitted. The phone checks the structure all the same.
    Server,
}

/// A record with newly admitted changes.
#[derive(Debug)]
pub struct Admitted {
    /// The record as it is now.
    pub document: Document,
    /// Its saved bytes: the new snapshot.
    pub snapshot: Vec<u8>,
    /// Its heads, in ascending order.
    pub heads: Vec<ChangeHash>,
    /// Which of the offered changes were accepted, in the order in which they apply.
    pub accepted: Vec<usize>,
}

/// The result of an admission.
#[derive(Debug)]
pub struct Admission {
    /// A verdict for each offered change.
    pub verdicts: Vec<Verdict>,
    /// The new state; absent where nothing was accepted.
    pub admitted: Option<Admitted>,
}

/// A rule that needs to know more than the record: asked of every change of a device that is sound and allowed so far,
/// and not known already. It says why the change is not taken, or nothing.
pub type Rule<'a> = &'a dyn Fn(&FlatChange) -> Option<Reason>;

/// Admits raw changes to a record. `current` is its last good snapshot, if there is one.
///
/// An unreadable `current` refuses everything: it is the caller's store that is damaged, not the changes.
pub fn admit(
    record: RecordId,
    kind_tag: &str,
    current: Option<&[u8]>,
    raws: &[&[u8]],
    origin: &Origin<'_>,
) -> Admission {
    admit_by(record, kind_tag, current, raws, origin, &|_| None)
}

/// The same by one more rule, which counts for what devices offer.
pub fn admit_by(
    record: RecordId,
    kind_tag: &str,
    current: Option<&[u8]>,
    raws: &[&[u8]],
    origin: &Origin<'_>,
    rule: Rule<'_>,
) -> Admission {
    let Some(kind) = Kind::parse(kind_tag) else {
        return refuse_all(raws.len(), Verdict::Held);
    };
    let Ok(document) = guarded(|| current.map(Document::load).transpose()) else {
        return refuse_all(raws.len(), Verdict::Invalid(Reason::StoredDocumentDamaged));
    };
    let mut document = Some(document);
    let mut bad = BTreeMap::new();
    let mut allowance = if matches!(origin, Origin::Device { .. }) { ALLOWANCE } else { usize::MAX };
    for _ in 0..MAX_ROUNDS {
        // Loaded anew only where a round has failed, which honest work does not bring about.
        let base = document.take().map_or_else(|| guarded(|| current.map(Document::load).transpose()), Ok);
        let Ok(base) = base else { break };
        let working = Working::new(base, current.map_or(0, <[u8]>::len), allowance);
        let mut batch = Batch::new(record, kind, working, current, raws, origin, &bad);
        batch.rule = rule;
        batch.run();
        allowance = batch.working.allowance();
        match batch.finish() {
            Ok(admission) => return admission,
            Err(culprits) => bad.extend(culprits),
        }
    }
    // Nothing is taken, so that nothing is taken by halves.
    refuse_all(raws.len(), Verdict::Invalid(Reason::Unloadable))
}

/// Takes a snapshot from the server and merges it with what the phone has, unsent changes included.
pub fn admit_snapshot(
    record: RecordId,
    kind_tag: &str,
    current: Option<&[u8]>,
    snapshot: &[u8],
) -> Result<Admitted, Reason> {
    // A snapshot of the largest document, and room for the phone's own changes on top.
    if snapshot.len() > 2 * limits::DOCUMENT_MAX_BYTES {
        return Err(Reason::DocumentFull);
    }
    guarded(|| {
        let mut theirs = Document::load(snapshot)?;
        let fresh = current.is_none();
        let document = match current {
            None => theirs,
            Some(bytes) => {
                let mut ours = Document::load(bytes)?;
                ours.merge(&mut theirs)?;
                ours
            }
        };
        let (id, kind) = document.identity()?;
        if id != record || kind != kind_tag {
            return Err(crate::DocumentError::Identity);
        }
        if fresh {
            // These very bytes have just been loaded: saving and loading them once more proves nothing.
            let heads = document.heads();
            return Ok(Some(Admitted { document, snapshot: snapshot.to_vec(), heads, accepted: Vec::new() }));
        }
        Ok(sealed(document, Vec::new()))
    })
    .map_err(|_| Reason::Unloadable)?
    .ok_or(Reason::Unloadable)
}

/// Reads a snapshot without taking it; `None` if it cannot be read. Automerge runs under the same guard.
pub fn read_snapshot(snapshot: &[u8]) -> Option<Document> {
    if snapshot.len() > 2 * limits::DOCUMENT_MAX_BYTES {
        return None;
    }
    guarded(|| Document::load(snapshot)).ok()
}

fn refuse_all(count: usize, verdict: Verdict) -> Admission {
    Admission { verdicts: vec![verdict; count], admitted: None }
}

/// Runs Automerge so that neither an error nor a panic of it leaves this call.
fn guarded<T>(work: impl FnOnce() -> Result<T, crate::DocumentError>) -> Result<T, ()> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| ())?.map_err(|_| ())
}

/// Saves, loads again, and compares: only a document that survives this is good.
fn sealed(document: Document, accepted: Vec<usize>) -> Option<Admitted> {
    let snapshot = document.save();
    let heads = document.heads();
    let document = Document::load(&snapshot).ok()?;
    (document.heads() == heads).then_some(Admitted { document, snapshot, heads, accepted })
}

/// One record's changes on their way in.
struct Batch<'a> {
    record: RecordId,
    kind: Kind,
    origin: &'a Origin<'a>,
    current: Option<&'a [u8]>,
    raws: &'a [&'a [u8]],
    read: Vec<Option<FlatChange>>,
    verdicts: Vec<Option<Verdict>>,
    working: Working<'a>,
    known: Known,
    accepted: Vec<usize>,
    failed: bool,
    rule: Rule<'a>,
}

impl<'a> Batch<'a> {
    fn new(
        record: RecordId,
        kind: Kind,
        working: Working<'a>,
        current: Option<&'a [u8]>,
        raws: &'a [&'a [u8]],
        origin: &'a Origin<'a>,
        bad: &BTreeMap<usize, Verdict>,
    ) -> Self {
        let mut verdicts = Vec::with_capacity(raws.len());
        let mut read = Vec::with_capacity(raws.len());
        for (index, raw) in raws.iter().enumerate() {
            match FlatChange::read(raw) {
                Ok(change) => {
                    read.push(Some(change));
                    verdicts.push(bad.get(&index).copied());
                }
                Err(malformed) => {
                    read.push(None);
                    verdicts.push(Some(Verdict::Invalid(malformed.into())));
                }
            }
        }
        let known = Known::new(working.history());
        let (accepted, failed) = (Vec::new(), false);
        Self {
            record,
            kind,
            origin,
            current,
            raws,
            read,
            verdicts,
            working,
            known,
            accepted,
            failed,
            rule: &|_| None,
        }
    }

    /// Decides every change: those whose dependencies are known, the earliest first; then those that waited for
    /// them. Each is looked at once, in whatever order they come.
    fn run(&mut self) {
        let mut waiting: BTreeMap<ChangeHash, Vec<usize>> = BTreeMap::new();
        let mut open: Vec<usize> = vec![0; self.raws.len()];
        let mut ready = BTreeSet::new();
        let mut decided = Vec::new();
        // Looked at last: damaged copies of changes that are there in good order have the same names.
        let mut unreadable = Vec::new();
        for (index, (change, count)) in self.read.iter().zip(&mut open).enumerate() {
            if self.verdicts.get(index).is_some_and(Option::is_some) {
                unreadable.push(index);
            }
            for dep in change.iter().flat_map(|change| &change.deps).filter(|dep| !self.known.has(dep)) {
                waiting.entry(*dep).or_default().push(index);
                *count += 1;
            }
            if *count == 0 {
                ready.insert(index);
            }
        }
        loop {
            if let Some(index) = decided.pop() {
                self.release(index, &mut waiting, &mut open, &mut ready, &mut decided);
            } else if let Some(index) = ready.pop_first() {
                if self.verdicts.get(index).is_some_and(Option::is_none) {
                    self.decide(index);
                    decided.push(index);
                }
            } else if let Some(index) = unreadable.pop() {
                decided.push(index);
            } else {
                break;
            }
        }
        for verdict in &mut self.verdicts {
            verdict.get_or_insert(Verdict::MissingDeps);
        }
    }

    /// Passes on what was decided of a change to those that wait for it. What waits for a held change is held as
    /// well: its author's work is sound, only this build is too old for it.
    fn release(
        &mut self,
        index: usize,
        waiting: &mut BTreeMap<ChangeHash, Vec<usize>>,
        open: &mut [usize],
        ready: &mut BTreeSet<usize>,
        decided: &mut Vec<usize>,
    ) {
        let Some(hash) = self.raws.get(index).and_then(|raw| change::hash_of(raw)) else { return };
        let verdict = if self.known.has(&hash) { Some(Verdict::Accepted) } else { self.verdict(index) };
        let passed_on = match verdict {
            Some(Verdict::Held) => Some(Verdict::Held),
            Some(verdict) if verdict.is_refusal() => Some(Verdict::BlockedBy(hash)),
            _ => None,
        };
        for dependant in waiting.remove(&hash).unwrap_or_default() {
            match (passed_on, self.verdicts.get_mut(dependant), open.get_mut(dependant)) {
                (Some(verdict), Some(slot @ None), _) => {
                    *slot = Some(verdict);
                    decided.push(dependant);
                }
                (None, _, Some(count)) => {
                    *count -= 1;
                    if *count == 0 {
                        ready.insert(dependant);
                    }
                }
                _ => {}
            }
        }
    }

    fn verdict(&self, index: usize) -> Option<Verdict> {
        self.verdicts.get(index).copied().flatten()
    }

    fn decide(&mut self, index: usize) {
        // Taken out for the time of the decision, so that it need not be copied.
        let Some(change) = self.read.get_mut(index).and_then(Option::take) else { return };
        let verdict =
            if self.known.has(&change.hash) { Verdict::Duplicate } else { self.try_one(index, &change) };
        if let (Some(slot), Some(read)) = (self.verdicts.get_mut(index), self.read.get_mut(index)) {
            *slot = Some(verdict);
            *read = Some(change);
        }
    }

    fn try_one(&mut self, index: usize, change: &FlatChange) -> Verdict {
        let Some(raw) = self.raws.get(index) else { return Verdict::Invalid(Reason::Unloadable) };
        let check = structure::check(self.record, self.kind, &mut self.working, &mut self.known, change)
            .and_then(|()| structure::check_rights(self.kind, &self.working, self.origin, change))
            .and_then(|()| match (self.origin, (self.rule)(change)) {
                (Origin::Device { .. }, Some(reason)) => Err(Verdict::Invalid(reason).into()),
                _ => Ok(()),
            });
        match check {
            Ok(()) => {
                self.working.push(change, raw);
                self.known.insert(facts_of(change));
                self.accepted.push(index);
                Verdict::Accepted
            }
            Err(Refused::Verdict(verdict)) => verdict,
            // The sender keeps it and offers it again, when what is accepted now is out of the way.
            Err(Refused::Stopped(Stop::Allowance)) => Verdict::Held,
            Err(Refused::Stopped(Stop::Failed)) => {
                self.failed = true;
                Verdict::Invalid(Reason::Unloadable)
            }
        }
    }

    /// The result; or, where the new state cannot be stored, the changes that are to blame.
    fn finish(self) -> Result<Admission, BTreeMap<usize, Verdict>> {
        let Self { current, raws, read, verdicts, working, accepted, failed, .. } = self;
        let admission = |admitted| Admission { verdicts: verdicts.into_iter().flatten().collect(), admitted };
        if accepted.is_empty() {
            return Ok(admission(None));
        }
        let document = if failed { Err(Stop::Failed) } else { working.finish() };
        match document.ok().flatten().map(|document| stored(document, &accepted)) {
            Some(Ok(admitted)) => Ok(admission(Some(admitted))),
            _ => Err(Blame { current, raws, read: &read, accepted: &accepted }.culprits()),
        }
    }
}

/// Seals a document and holds it against its limit.
fn stored(document: Document, accepted: &[usize]) -> Result<Admitted, Reason> {
    match guarded(|| Ok(sealed(document, accepted.to_vec()))) {
        Ok(Some(admitted)) if admitted.snapshot.len() <= limits::DOCUMENT_MAX_BYTES => Ok(admitted),
        Ok(Some(_)) => Err(Reason::DocumentFull),
        _ => Err(Reason::Unloadable),
    }
}

fn facts_of(change: &FlatChange) -> ChangeFacts {
    ChangeFacts {
        hash: change.hash,
        actor: change.actor,
        seq: change.seq,
        max_op: change.max_op(),
        at: change.at,
        deps: change.deps.clone(),
    }
}

#[cfg(test)]
mod batch_tests;
#[cfg(test)]
mod tests;
