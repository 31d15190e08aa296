//! A refused change: the worker's valid edits are made again, the rest is listed.
//!
//! All in one transaction: the refused changes and everything of this record that builds on them go into quarantine
//! byte for byte; the document is rebuilt without them, which is the state that the server knows; a new incarnation
//! begins, since the numbers of the old one are spent; and each refused change is made again, one for one and in
//! order, with those of its writes that are still valid:
//!
//! - A change that was refused for its form (a fork, a gap, a blocked predecessor) says nothing against its content.
//! - Where the refusal is about content, the rules that this phone knows name the writes at fault; if they name none,
//!   the whole change is listed.
//! - A write to a field that somebody else has changed in the meantime, unseen by the worker, is listed: made again it
//!   would silently overwrite the other's.
//! - What was made again [`REPLAYS_MAX`] times is listed, so that two builds that disagree cannot go on for ever.

use std::collections::{BTreeMap, BTreeSet};

use gridwalk_model::policy::{self, Role, Sender, Write};
use gridwalk_model::schema::IDENTITY_KEYS;
use gridwalk_model::{Fields, Kind, RecordId, Timestamp, Value};
use gridwalk_replica::admission::{self, Origin, Reason, Verdict};
use gridwalk_replica::change::OpId;
use gridwalk_replica::document::NewChange;
use gridwalk_replica::{ChangeHash, Document, FlatChange};

use crate::error::DeviceError;
use crate::store::{Body, Identity, RefusedReason, Tx};

/// How often the same edit is made again at most.
const REPLAYS_MAX: u32 = 3;

/// A change that the server refused, or that must be made again for another reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) hash: ChangeHash,
    pub(super) verdict: Verdict,
}

/// A change that has to leave the document.
struct Dropped {
    /// Whether it is the one that created the record.
    creates: bool,
    at: Timestamp,
    /// What it wrote, identity keys aside.
    writes: Vec<Written>,
    verdict: Verdict,
    /// How often it was made again; `None` for a change of somebody else.
    replays: Option<u32>,
}

struct Written {
    key: String,
    value: Value,
    /// The writes that its author had seen.
    seen: Vec<OpId>,
    overwrites: bool,
}

impl Dropped {
    fn new(change: &FlatChange, from: Option<&Document>, verdict: Verdict, replays: Option<u32>) -> Self {
        let writes = change
            .writes
            .iter()
            .filter(|write| !IDENTITY_KEYS.contains(&write.key.as_str()))
            .filter_map(|write| {
                let mut seen = write.replaces.clone();
                let value = match &write.value {
                    Some(value) => value.clone(),
                    // A dispute that was settled in favour of the value that wins already.
                    None => {
                        let winner = from?.authored_at(&write.key, &[change.hash]).pop()?;
                        seen.push(winner.op);
                        winner.value
                    }
                };
                let overwrites = !seen.is_empty();
                Some(Written { key: write.key.clone(), value, seen, overwrites })
            })
            .collect();
        Self { creates: change.deps.is_empty(), at: change.at, writes, verdict, replays }
    }
}

/// Does all of the above for one record.
pub(super) fn replay(
    tx: &mut Tx<'_>,
    id: RecordId,
    kind_tag: &str,
    refused: &[Refused],
    now: Timestamp,
) -> Result<(), DeviceError> {
    let old = tx.record(id)?;
    let before = old.as_ref().and_then(|old| old.readable()).map(Document::load).transpose()?;
    let history = match &before {
        Some(document) => document.changes_since(&[]),
        // The document is not here (the store was salvaged): what waits is all there is.
        None => tx.outbox_of(id)?.into_iter().map(|row| NewChange { raw: row.raw, hash: row.hash }).collect(),
    };
    let (kept, dropped) = split(tx, id, kind_tag, before.as_ref(), history, refused, now)?;
    let identity = tx.reincarnate()?;
    let roles = tx.roles_of(identity.user)?;
    let raws: Vec<&[u8]> = kept.iter().map(|change| change.raw.as_slice()).collect();
    let rebuilt = admission::admit(id, kind_tag, None, &raws, &Origin::Server);
    let mut scribe = Scribe {
        id,
        kind_tag,
        identity,
        roles,
        document: rebuilt.admitted.map(|admitted| admitted.document),
        seen: seen_by(&dropped),
    };
    for item in &dropped {
        scribe.make_again(tx, item)?;
    }
    match scribe.document {
        Some(document) => {
            let snapshot = document.save();
            tx.put_record(id, kind_tag, old.as_ref(), &document, Body::Snapshot(&snapshot))?;
            Ok(())
        }
        None => tx.drop_record(id),
    }
}

/// Parts a history into what stays and what has to go; the latter goes into quarantine.
fn split(
    tx: &mut Tx<'_>,
    id: RecordId,
    kind: &str,
    before: Option<&Document>,
    history: Vec<NewChange>,
    refused: &[Refused],
    now: Timestamp,
) -> Result<(Vec<NewChange>, Vec<Dropped>), DeviceError> {
    let verdicts: BTreeMap<ChangeHash, Verdict> = refused.iter().map(|r| (r.hash, r.verdict)).collect();
    let mut gone: BTreeSet<ChangeHash> = BTreeSet::new();
    let mut kept = Vec::new();
    let mut dropped = Vec::new();
    for change in history {
        let read = FlatChange::read(&change.raw);
        let parent =
            read.as_ref().ok().and_then(|read| read.deps.iter().find(|dep| gone.contains(dep)).copied());
        let verdict = verdicts.get(&change.hash).copied().or(parent.map(Verdict::BlockedBy));
        let Some(verdict) = verdict else {
            kept.push(change);
            continue;
        };
        gone.insert(change.hash);
        let row = tx.outbox_row(&change.hash)?;
        match &row {
            Some(row) => tx.quarantine(row, verdict, now)?,
            None => tx.quarantine_bytes(id, kind, change.hash, &change.raw, verdict, now)?,
        }
        if let Ok(change) = read {
            // One of this device that was taken once, and lost by a restore, is made again like one that waits.
            let own = change.actor.device() == tx.identity()?.device;
            let replays = row.map(|row| row.replays).or(own.then_some(0));
            dropped.push(Dropped::new(&change, before, verdict, replays));
        }
    }
    // A refused change that is not in the document (the store was salvaged in part) still leaves the outbox.
    for refused in refused {
        if let Some(row) = tx.outbox_row(&refused.hash)? {
            tx.quarantine(&row, refused.verdict, now)?;
            if let Ok(change) = FlatChange::read(&row.raw) {
                dropped.push(Dropped::new(&change, before, refused.verdict, Some(row.replays)));
            }
        }
    }
    Ok((kept, dropped))
}

/// For each field, the writes that the worker had seen when they wrote it, their own included.
fn seen_by(dropped: &[Dropped]) -> BTreeMap<String, BTreeSet<OpId>> {
    let mut seen: BTreeMap<String, BTreeSet<OpId>> = BTreeMap::new();
    for write in dropped.iter().flat_map(|item| &item.writes) {
        seen.entry(write.key.clone()).or_default().extend(&write.seen);
    }
    seen
}

/// Writes the valid part of dropped changes again.
struct Scribe<'a> {
    id: RecordId,
    kind_tag: &'a str,
    identity: Identity,
    roles: Vec<Role>,
    document: Option<Document>,
    seen: BTreeMap<String, BTreeSet<OpId>>,
}

impl Scribe<'_> {
    fn make_again(&mut self, tx: &mut Tx<'_>, item: &Dropped) -> Result<(), DeviceError> {
        // Somebody else's change on top of a refused one: its author will be told.
        let Some(replays) = item.replays else { return Ok(()) };
        let mut fields = Fields::new();
        let mut bad: Vec<(&Written, RefusedReason)> = Vec::new();
        let whole = self.refused_as_a_whole(item, replays);
        for write in &item.writes {
            match whole.or_else(|| self.refused_alone(write, item.creates)) {
                Some(reason) => bad.push((write, reason)),
                None => {
                    fields.insert(write.key.clone(), write.value.clone());
                }
            }
        }
        match self.write(&fields, item.creates, item.at) {
            Ok(Some(change)) => {
                let hint = if item.creates { tx.hint_for(self.kind_tag, self.id, &fields)? } else { None };
                tx.enqueue(self.id, self.kind_tag, &change, item.at, hint.as_ref(), replays + 1)?;
            }
            Ok(None) => {}
            Err(reason) => {
                for (key, value) in &fields {
                    tx.list_refused(self.id, self.kind_tag, key, value, reason, item.at)?;
                }
            }
        }
        for (write, reason) in bad {
            tx.list_refused(self.id, self.kind_tag, &write.key, &write.value, reason, item.at)?;
        }
        Ok(())
    }

    /// Why nothing of a change can be made again.
    fn refused_as_a_whole(&self, item: &Dropped, replays: u32) -> Option<RefusedReason> {
        if !item.creates && self.document.is_none() {
            return Some(RefusedReason::NoRecord);
        }
        let reason = match item.verdict {
            Verdict::Forbidden => RefusedReason::Forbidden,
            Verdict::Invalid(reason) => RefusedReason::Invalid(reason),
            _ => RefusedReason::Invalid(Reason::Other),
        };
        let by_form = match item.verdict {
            Verdict::Forbidden => false,
            Verdict::Invalid(reason) => {
                matches!(reason, Reason::Malformed | Reason::SeqGap | Reason::Counter | Reason::Predecessors)
            }
            _ => true,
        };
        if replays >= REPLAYS_MAX {
            return Some(reason);
        }
        if by_form {
            return None;
        }
        // The rules that this phone knows name the writes at fault; if they name none, the server knows better.
        let named = item.writes.iter().any(|write| self.breaks_a_rule(write, item.creates).is_some());
        if named { None } else { Some(reason) }
    }

    fn refused_alone(&self, write: &Written, creates: bool) -> Option<RefusedReason> {
        if let Some(reason) = self.breaks_a_rule(write, creates) {
            return Some(reason);
        }
        let standing =
            self.document.as_ref().map(|document| document.authored(&write.key)).unwrap_or_default();
        let seen = self.seen.get(&write.key);
        let actor = self.identity.actor();
        let unseen = standing.iter().any(|authored| {
            authored.op.actor != actor && seen.is_none_or(|seen| !seen.contains(&authored.op))
        });
        let differs = standing.last().is_some_and(|authored| authored.value != write.value);
        (unseen && differs).then_some(RefusedReason::ChangedMeanwhile)
    }

    fn breaks_a_rule(&self, write: &Written, creates: bool) -> Option<RefusedReason> {
        let kind = Kind::parse(self.kind_tag)?;
        let sender = Sender::Person { user: self.identity.user, roles: &self.roles };
        let attempt = Write {
            schema: kind.schema(),
            key: &write.key,
            value: &write.value,
            creates,
            overwrites: write.overwrites,
        };
        match policy::check_write(&sender, &attempt) {
            Ok(()) => None,
            Err(policy::Violation::Role | policy::Violation::Action) => Some(RefusedReason::Forbidden),
            Err(policy::Violation::Author | policy::Violation::Entry) => {
                Some(RefusedReason::Invalid(Reason::Entry))
            }
            Err(policy::Violation::Forbidden { .. }) => Some(RefusedReason::Invalid(Reason::NotKept)),
            Err(_) => Some(RefusedReason::Invalid(Reason::FieldPolicy)),
        }
    }

    fn write(
        &mut self,
        fields: &Fields,
        creates: bool,
        at: Timestamp,
    ) -> Result<Option<NewChange>, RefusedReason> {
        let actor = self.identity.actor();
        let refused = |error: gridwalk_replica::DocumentError| match error {
            gridwalk_replica::DocumentError::Full { .. } => RefusedReason::Invalid(Reason::DocumentFull),
            _ => RefusedReason::Invalid(Reason::Unloadable),
        };
        match (&mut self.document, creates) {
            (Some(document), _) => {
                // After an error the document holds what it refused, so the edit is tried on a copy.
                let mut copy = document.clone();
                let change = copy.edit(fields, actor, at).map_err(refused)?;
                *document = copy;
                Ok(change)
            }
            (None, true) if !fields.is_empty() => {
                let kind = Kind::parse(self.kind_tag).ok_or(RefusedReason::NoRecord)?;
                let (document, change) =
                    Document::create(self.id, kind, fields, actor, at).map_err(refused)?;
                self.document = Some(document);
                Ok(Some(change))
            }
            (None, _) => Ok(None),
        }
    }
}
