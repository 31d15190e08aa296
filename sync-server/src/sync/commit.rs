//! The second step: writing what was admitted, in the writing transaction.

use std::collections::{BTreeMap, BTreeSet};

use gridwalk_model::schema::FieldType;
use gridwalk_model::{
    ContentHash, Fields, Kind, RecordId, StreamId, Value, photo::PhotoRef, voice::VoiceRef,
};
use gridwalk_replica::FlatChange;
use gridwalk_replica::admission::Verdict;
use sha2::{Digest as _, Sha256};

use super::admit::{Ground, Item, Outcome, Ready, admit_item};
use super::landing::{Landed, Landing, Written};
use super::prepare::Pending;
use super::rules::{Rules, look_elsewhere};
use super::{Context, QUARANTINE_MAX_BYTES, SyncError, evidence, placing, reads, repair};
use crate::audit::{self, Entry};
use crate::storage::ledger::NewQuarantine;
use crate::storage::records::{Membership, RecordHead, RecordNo};
use crate::storage::{ReadTx, Stored, WriteTx};

/// What was written, as far as the answer needs it. Valid once the transaction is durable.
#[derive(Debug)]
pub struct Committed {
    /// For each push, a verdict for each change.
    pub(super) verdicts: Vec<Vec<Verdict>>,
    /// What this request wrote to each record.
    pub(super) own: BTreeMap<RecordId, Own>,
    /// The reads of sensitive records up to this number are in the audit log.
    pub(super) reads_through: Option<i64>,
}

impl Committed {
    /// The verdicts, for counting.
    pub fn verdicts(&self) -> impl Iterator<Item = &Verdict> {
        self.verdicts.iter().flatten()
    }
}

/// What a request wrote to a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Own {
    /// Sequence number under which its changes were taken.
    pub(super) seq: u64,
    /// Sequence number of the record's last change before; 0 if the request created it.
    pub(super) before: u64,
}

/// Writes a request. The transaction is committed by the caller; until then the result is not to be sent.
///
/// # Errors
/// See [`SyncError`]; the caller undoes what was written.
pub fn commit(
    tx: &mut dyn WriteTx,
    pending: &mut Pending,
    context: Context<'_>,
) -> Result<Committed, SyncError> {
    let mut committed = Committed { verdicts: Vec::new(), own: BTreeMap::new(), reads_through: None };
    let server = tx.server()?;
    if server.epoch != pending.server.epoch {
        // Somebody else began a new epoch in between; the device learns of it from the answer.
        pending.other_epoch = true;
        return Ok(committed);
    }
    pending.server = server;
    if pending.rolled_back {
        begin_epoch(tx, pending, context)?;
        return Ok(committed);
    }
    let mut landing = Landing::new(context.now);
    let mut refused = Refused::default();
    committed.verdicts = pending.shape.iter().map(|len| vec![Verdict::Held; *len]).collect();
    let items = std::mem::take(&mut pending.items);
    let outcomes = std::mem::take(&mut pending.outcomes);
    let mut judged: Vec<(Item, Outcome)> = items.into_iter().zip(outcomes).collect();
    // After what they are judged by, in whichever order a device sent them.
    judged.sort_by_key(|(item, _)| look_elsewhere(&item.kind));
    for (item, mut outcome) in judged {
        let written = write_item(tx, pending, &mut landing, &item, &mut outcome, context)?;
        if let Some(Written { seq, before, .. }) = written {
            committed.own.insert(item.record, Own { seq, before });
        }
        quarantine(tx, pending, &item, &mut outcome, context, &mut refused)?;
        for ((push, change), verdict) in item.places.iter().zip(&outcome.verdicts) {
            if let Some(slot) = committed.verdicts.get_mut(*push).and_then(|push| push.get_mut(*change)) {
                *slot = *verdict;
            }
        }
    }
    landing.finish(tx)?;
    refused.write_down(tx, pending, context)?;
    for grant in &pending.scope.given_up {
        tx.put_grant_ack(pending.principal.device_no, grant.stream_no, grant.generation)?;
    }
    if let Some(comparison) = &pending.comparison {
        repair::write_down(tx, &pending.principal, comparison, context)?;
    }
    let told = reads::of(&pending.request);
    committed.reads_through = reads::write_down(tx, &pending.principal, told, context.now)?;
    let pushed = if committed.own.is_empty() { gridwalk_model::Timestamp::default() } else { context.now };
    tx.touch_device(pending.principal.device_no, context.now, pushed)?;
    Ok(committed)
}

/// A device has proved that the store went back in time: what this epoch promised is void.
fn begin_epoch(tx: &mut dyn WriteTx, pending: &Pending, context: Context<'_>) -> Result<(), SyncError> {
    let random = |_| crate::storage::StorageError::Failed("no randomness".to_owned());
    let epoch = context.entropy.array::<16>().map_err(random)?;
    let incarnation = context.entropy.array::<4>().map_err(random)?;
    let key = context.entropy.array::<32>().map_err(random)?;
    tx.set_epoch(epoch, incarnation, key)?;
    let entry = Entry {
        actor: &pending.principal.device.to_string(),
        action: "server.rolled_back",
        target: "server",
        detail: "a device has seen a commit that this store never made; a new epoch begins",
        alarm: true,
    };
    audit::append(tx, context.now, &entry)?;
    Ok(())
}

/// Whether what admission said of an item still holds: the record is as it was, and so is what other records say. A visit
/// or a form that came with this request, or a moment before it, counts as well.
fn stands(
    tx: &dyn ReadTx,
    pending: &Pending,
    item: &Item,
    outcome: &Outcome,
    head: Option<&RecordHead>,
    members: &[Membership],
) -> Stored<bool> {
    if Ground::of(head, members, &pending.scope) != outcome.ground {
        return Ok(false);
    }
    if !look_elsewhere(&item.kind) {
        return Ok(true);
    }
    let snapshot = head.map(|head| tx.snapshot(head.no)).transpose()?;
    Ok(Rules::of(tx, item, snapshot.as_deref())? == outcome.rules)
}

/// Writes one record. Returns what was written of it.
fn write_item(
    tx: &mut dyn WriteTx,
    pending: &Pending,
    landing: &mut Landing,
    item: &Item,
    outcome: &mut Outcome,
    context: Context<'_>,
) -> Result<Option<Written>, SyncError> {
    let mut head = tx.record(item.record)?;
    let mut members = members_of(tx, head.as_ref().map(|head| head.no))?;
    if !stands(&*tx, pending, item, outcome, head.as_ref(), &members)? {
        *outcome = admit_item(&*tx, &pending.principal, &pending.scope, &pending.server, item, context.now)?;
        head = tx.record(item.record)?;
        members = members_of(tx, head.as_ref().map(|head| head.no))?;
    }
    let Some(ready) = outcome.ready.take() else { return Ok(None) };
    let device: Vec<&[u8]> =
        ready.accepted.iter().filter_map(|index| item.raws.get(*index)).map(|raw| raw.as_slice()).collect();
    let mut batches = vec![device];
    if !ready.added.is_empty() {
        batches.push(ready.added.iter().map(Vec::as_slice).collect());
    }
    let record = Landed {
        id: item.record,
        kind: ready.kind,
        head: head.as_ref(),
        fields: &ready.state.fields,
        shown: ready.state.shown,
        snapshot: &ready.snapshot,
        fingerprint: ready.fingerprint,
        batches: &batches,
        hint: item.hint,
    };
    let streams = Landing::destination(tx, &record, &members)?;
    let recovery = item.history && pending.server.recovery_until > context.now;
    if let Some(told) = not_taken(&*tx, pending, &ready, &streams, outcome, recovery)? {
        let would_be = outcome.verdicts.iter_mut().filter(|verdict| **verdict == Verdict::Accepted);
        would_be.for_each(|verdict| *verdict = told);
        return Ok(None);
    }
    if recovery {
        note_recovered(tx, pending, item, context)?;
    }
    let written = landing.land(tx, &record, &members, &streams)?;
    for hash in media_of(ready.kind, &ready.state.fields) {
        tx.add_media_ref(&hash, written.no)?;
        if ready.kind == Kind::Patrol {
            tx.add_track(&hash, item.record.made_at().min(context.now))?;
        }
    }
    let accepted = ready.accepted.iter().filter_map(|index| item.raws.get(*index));
    evidence::note_links(tx, item.record, ready.kind, accepted.map(|raw| raw.as_slice()))?;
    Ok(Some(written))
}

/// What the device is told of changes that would be taken, if they are not: a new record out of its scope, then one that
/// waits for another.
fn not_taken(
    tx: &dyn WriteTx,
    pending: &Pending,
    ready: &Ready,
    streams: &BTreeSet<StreamId>,
    outcome: &Outcome,
    recovery: bool,
) -> Stored<Option<Verdict>> {
    let scope = &pending.scope;
    if outcome.ground == Ground::Absent {
        let in_scope = if recovery { scope.covers_in_recovery(streams) } else { scope.covers(streams) };
        if !in_scope || (!recovery && pulls_in(tx, pending, ready)?) {
            return Ok(Some(Verdict::Forbidden));
        }
    }
    Ok(outcome.rules.waits(recovery || pending.principal.last).then_some(Verdict::Held))
}

fn members_of(tx: &dyn WriteTx, no: Option<RecordNo>) -> Stored<Vec<Membership>> {
    no.map_or_else(|| Ok(Vec::new()), |no| tx.memberships(no))
}

/// Whether a new record would draw another one into the sender's streams that the sender does not hold: a
/// residency that names somebody else's resident.
fn pulls_in(tx: &dyn WriteTx, pending: &Pending, ready: &Ready) -> Stored<bool> {
    for field in placing::referring_fields(ready.kind) {
        let Some(target) = ready.state.fields.get(field).and_then(|value| value.as_link()) else { continue };
        if let Some(head) = tx.record(target)?
            && !pending.scope.holds(&tx.memberships(head.no)?)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn note_recovered(tx: &mut dyn WriteTx, pending: &Pending, item: &Item, context: Context<'_>) -> Stored<()> {
    let entry = Entry {
        actor: &pending.principal.device.to_string(),
        action: "recovery.accepted",
        target: &item.record.to_string(),
        detail: "recovered via device",
        alarm: false,
    };
    audit::append(tx, context.now, &entry)
}

/// What was refused in one request, for the audit log.
#[derive(Default)]
struct Refused {
    changes: u64,
    foreign_history: u64,
    /// Whether the device's room in quarantine was just used up.
    full: bool,
}

impl Refused {
    fn write_down(&self, tx: &mut dyn WriteTx, pending: &Pending, context: Context<'_>) -> Stored<()> {
        let device = pending.principal.device.to_string();
        let rows = [("sync.refused", self.changes), ("recovery.refused", self.foreign_history)];
        for (action, count) in rows.iter().filter(|(_, count)| *count > 0) {
            let detail = format!("{count} changes");
            let entry = Entry { actor: &device, action, target: &device, detail: &detail, alarm: false };
            audit::append(tx, context.now, &entry)?;
        }
        if self.full {
            let detail = "no room left for refused changes of this device; they stay with it";
            let entry =
                Entry { actor: &device, action: "quarantine.full", target: &device, detail, alarm: true };
            audit::append(tx, context.now, &entry)?;
        }
        Ok(())
    }
}

/// Keeps refused changes byte for byte. Other people's changes, offered as history while recovery is closed, are
/// not the sender's work and are only counted.
fn quarantine(
    tx: &mut dyn WriteTx,
    pending: &Pending,
    item: &Item,
    outcome: &mut Outcome,
    context: Context<'_>,
    refused: &mut Refused,
) -> Stored<()> {
    if outcome.verdicts.iter().all(|verdict| !verdict.is_refusal()) {
        return Ok(());
    }
    let device = pending.principal.device_no;
    let mut stored = tx.quarantine_bytes(device)?;
    for (raw, verdict) in item.raws.iter().zip(&mut outcome.verdicts) {
        if !verdict.is_refusal() {
            continue;
        }
        if item.history && author_is_other(raw, pending) {
            refused.foreign_history += 1;
            continue;
        }
        if stored >= QUARANTINE_MAX_BYTES {
            *verdict = Verdict::Held;
            continue;
        }
        let encoded = minicbor::to_vec(*verdict).unwrap_or_default();
        let row = NewQuarantine {
            device,
            record: item.record,
            kind: &item.kind,
            hash: Sha256::digest(raw.as_slice()).into(),
            change: raw,
            verdict: &encoded,
            received_at: context.now,
        };
        if tx.insert_quarantine(&row)? {
            refused.changes += 1;
            stored = stored.saturating_add(raw.len() as u64);
            refused.full |= stored >= QUARANTINE_MAX_BYTES;
        }
    }
    Ok(())
}

fn author_is_other(raw: &[u8], pending: &Pending) -> bool {
    FlatChange::read(raw).is_ok_and(|change| change.actor.device() != pending.principal.device)
}

/// The media that a record points at.
pub(super) fn media_of(kind: Kind, fields: &Fields) -> BTreeSet<ContentHash> {
    let schema = kind.schema();
    let mut out = BTreeSet::new();
    let entries = schema.fields.iter().filter(|field| field.ty == FieldType::Entry);
    for field in entries {
        if field.set && field.name == "voices" {
            let voices = gridwalk_model::records::elements(fields, field.name);
            out.extend(voices.filter_map(|(_, value)| match value {
                Value::Bytes(bytes) => VoiceRef::from_bytes(bytes).ok().map(|voice| voice.hash),
                _ => None,
            }));
        } else if field.set && field.name == "photos" {
            for (_, value) in gridwalk_model::records::elements(fields, field.name) {
                if let Value::Bytes(bytes) = value
                    && let Ok(photo) = PhotoRef::from_bytes(bytes)
                {
                    out.extend(
                        [Some(photo.hash), photo.preview_hash, photo.original_hash].into_iter().flatten(),
                    );
                }
            }
        } else if kind == Kind::Patrol
            && let Some(Value::Bytes(bytes)) = fields.get(field.name)
        {
            out.extend(ContentHash::from_slice(bytes));
        }
    }
    out
}
