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
//!    new snapshot. Automerge runs under `catch_unwind`: after a panic the working copy is dropped, and the changes
//!    are tried one by one from the last good bytes.
//!
//! Step 3 leaves Automerge nothing to trust, so a panic is not expected; the guard stays because the cost of being
//! wrong is everybody's work. There is no deadline, as no step does work that the received bytes do not pay for.

mod structure;
mod verdict;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use gridwalk_model::policy::Sender;
use gridwalk_model::{DeviceId, Kind, RecordId};

use crate::change::{ChangeHash, FlatChange};
use crate::document::{ChangeFacts, Document};
use crate::limits;

pub use verdict::{Reason, Verdict};

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
    let Some(kind) = Kind::parse(kind_tag) else {
        return refuse_all(raws.len(), Verdict::Held);
    };
    let Ok(document) = guarded(|| current.map(Document::load).transpose()) else {
        return refuse_all(raws.len(), Verdict::Invalid(Reason::StoredDocumentDamaged));
    };
    let mut batch = Batch::new(record, kind, current, document, raws, origin);
    batch.run();
    batch.finish()
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
        Ok(sealed(document, Vec::new()))
    })
    .map_err(|_| Reason::Unloadable)?
    .ok_or(Reason::Unloadable)
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
    document: Option<Document>,
    known: BTreeMap<ChangeHash, ChangeFacts>,
    accepted: Vec<usize>,
}

impl<'a> Batch<'a> {
    fn new(
        record: RecordId,
        kind: Kind,
        current: Option<&'a [u8]>,
        document: Option<Document>,
        raws: &'a [&'a [u8]],
        origin: &'a Origin<'a>,
    ) -> Self {
        let mut verdicts = Vec::with_capacity(raws.len());
        let mut read = Vec::with_capacity(raws.len());
        for raw in raws {
            match FlatChange::read(raw) {
                Ok(change) => {
                    read.push(Some(change));
                    verdicts.push(None);
                }
                Err(malformed) => {
                    read.push(None);
                    verdicts.push(Some(Verdict::Invalid(malformed.into())));
                }
            }
        }
        let history = document.as_ref().map(Document::history).unwrap_or_default();
        let known = history.into_iter().map(|facts| (facts.hash, facts)).collect();
        Self { record, kind, origin, current, raws, read, verdicts, document, known, accepted: Vec::new() }
    }

    /// Decides every change, in passes: each pass takes those whose dependencies are all known by now.
    fn run(&mut self) {
        loop {
            let mut progressed = false;
            for index in 0..self.read.len() {
                let Some(change) = self.undecided(index) else { continue };
                if self.known.contains_key(&change.hash) {
                    self.decide(index, Verdict::Duplicate);
                    progressed = true;
                } else if change.deps.iter().all(|dep| self.known.contains_key(dep)) {
                    let verdict = self.try_one(index, &change);
                    self.decide(index, verdict);
                    progressed = true;
                }
            }
            if !progressed {
                break;
            }
        }
        self.explain_the_rest();
    }

    fn undecided(&self, index: usize) -> Option<FlatChange> {
        let open = self.verdicts.get(index).is_some_and(Option::is_none);
        if open { self.read.get(index).cloned().flatten() } else { None }
    }

    fn decide(&mut self, index: usize, verdict: Verdict) {
        if let Some(slot) = self.verdicts.get_mut(index) {
            *slot = Some(verdict);
        }
    }

    fn try_one(&mut self, index: usize, change: &FlatChange) -> Verdict {
        let check = structure::check(self.record, self.kind, self.document.as_ref(), &self.known, change)
            .and_then(|()| structure::check_rights(self.kind, self.document.as_ref(), self.origin, change));
        if let Err(verdict) = check {
            return verdict;
        }
        let Some(raw) = self.raws.get(index) else { return Verdict::Invalid(Reason::Unloadable) };
        // The working copy moves into the guard: after a panic it must not be seen again.
        let base = self.document.take();
        let applied = guarded(|| {
            let mut document = base.unwrap_or_else(Document::empty);
            document.apply(&[raw])?;
            Ok(document)
        });
        match applied {
            Ok(document) if document.has(&change.hash) => {
                self.document = Some(document);
                self.known.insert(change.hash, facts_of(change));
                self.accepted.push(index);
                Verdict::Accepted
            }
            _ => {
                self.document = self.rebuilt();
                Verdict::Invalid(Reason::Unloadable)
            }
        }
    }

    /// The working copy again, from what has been accepted so far.
    fn rebuilt(&self) -> Option<Document> {
        let raws: Vec<&[u8]> = self.accepted.iter().filter_map(|i| self.raws.get(*i).copied()).collect();
        if raws.is_empty() && self.current.is_none() {
            return None;
        }
        guarded(|| {
            let mut document = self.current.map_or_else(|| Ok(Document::empty()), Document::load)?;
            document.apply(&raws)?;
            Ok(document)
        })
        .ok()
    }

    /// What is still undecided waits for something that was refused here, or that nobody has.
    fn explain_the_rest(&mut self) {
        loop {
            let refused: BTreeMap<ChangeHash, ()> = self
                .read
                .iter()
                .zip(&self.verdicts)
                .filter_map(|(change, verdict)| match verdict {
                    Some(Verdict::Accepted | Verdict::Duplicate | Verdict::MissingDeps) | None => None,
                    Some(_) => change.as_ref().map(|change| (change.hash, ())),
                })
                .collect();
            let next = (0..self.read.len()).find_map(|index| {
                let change = self.undecided(index)?;
                let blocker = change.deps.iter().find(|dep| refused.contains_key(dep))?;
                Some((index, *blocker))
            });
            let Some((index, blocker)) = next else { break };
            self.decide(index, Verdict::BlockedBy(blocker));
        }
        for verdict in &mut self.verdicts {
            verdict.get_or_insert(Verdict::MissingDeps);
        }
    }

    fn finish(self) -> Admission {
        let Self { record, kind, origin, current, raws, verdicts, document, accepted, .. } = self;
        let mut verdicts: Vec<Verdict> = verdicts.into_iter().flatten().collect();
        let Some(document) = document.filter(|_| !accepted.is_empty()) else {
            return Admission { verdicts, admitted: None };
        };
        let result = guarded(|| Ok(sealed(document, accepted.clone())));
        let reason = match result {
            Ok(Some(admitted)) if admitted.snapshot.len() <= limits::DOCUMENT_MAX_BYTES => {
                return Admission { verdicts, admitted: Some(admitted) };
            }
            Ok(Some(_)) => Reason::DocumentFull,
            _ => Reason::Unloadable,
        };
        if let [only] = accepted.as_slice() {
            if let Some(verdict) = verdicts.get_mut(*only) {
                *verdict = Verdict::Invalid(reason);
            }
            return Admission { verdicts, admitted: None };
        }
        one_by_one(record, kind, current, raws, &accepted, origin, verdicts)
    }
}

/// The batch did not survive as a whole: each change again by itself, from the last good bytes.
fn one_by_one(
    record: RecordId,
    kind: Kind,
    current: Option<&[u8]>,
    raws: &[&[u8]],
    order: &[usize],
    origin: &Origin<'_>,
    mut verdicts: Vec<Verdict>,
) -> Admission {
    let mut good: Option<Admitted> = None;
    let mut accepted = Vec::new();
    for index in order {
        let Some(raw) = raws.get(*index) else { continue };
        let base = good.as_ref().map(|admitted| admitted.snapshot.as_slice()).or(current);
        let single = admit(record, kind.tag(), base, &[raw], origin);
        if let (Some(slot), Some(verdict)) = (verdicts.get_mut(*index), single.verdicts.first()) {
            *slot = *verdict;
        }
        if let Some(admitted) = single.admitted {
            good = Some(admitted);
            accepted.push(*index);
        }
    }
    let admitted = good.map(|good| Admitted { accepted, ..good });
    Admission { verdicts, admitted }
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
mod tests;
