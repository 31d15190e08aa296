//! The first step: reading the request against a snapshot, and admitting what it brings.

use std::collections::BTreeMap;

use gridwalk_model::RecordId;
use gridwalk_replica::protocol::ProtocolError;
use gridwalk_replica::wire::{self, SyncRequest, SyncResponse};

use super::admit::{Item, Outcome, admit_item};
use super::answer::answer;
use super::mark;
use super::reads;
use super::repair::{self, Comparison};
use super::scope::{Principal, Scope};
use super::{MAX_CHANGES, MAX_PUSHES, MAX_WAITING_BYTES, SyncError};
use crate::storage::ReadTx;
use crate::storage::records::ServerRow;
use gridwalk_model::Timestamp;

/// A request that was read.
#[derive(Debug)]
pub enum Prepared {
    /// There was nothing to write; this is the answer.
    Answered(Box<SyncResponse>),
    /// It has to go through [`super::commit()`].
    Pending(Box<Pending>),
}

/// A request on its way to the writer.
#[derive(Debug)]
pub struct Pending {
    pub(super) principal: Principal,
    /// The request without its pushes.
    pub(super) request: SyncRequest,
    pub(super) server: ServerRow,
    pub(super) scope: Scope,
    pub(super) items: Vec<Item>,
    pub(super) outcomes: Vec<Outcome>,
    /// Bytes of the documents in them.
    pub(super) waiting: usize,
    /// How many changes each push had.
    pub(super) shape: Vec<usize>,
    pub(super) comparison: Option<Comparison>,
    /// What was sent belongs to another epoch: nothing of it is read, the device begins again.
    pub(super) other_epoch: bool,
    /// The device has seen a commit that this store never made.
    pub(super) rolled_back: bool,
}

impl Pending {
    /// How many bytes of documents are waiting in it.
    pub fn bytes(&self) -> usize {
        self.waiting
    }
}

/// Reads a request. The frame has been decoded and the session checked.
///
/// # Errors
/// See [`SyncError`]; nothing has been written.
pub fn prepare(
    tx: &dyn ReadTx,
    principal: &Principal,
    request: SyncRequest,
    now: Timestamp,
) -> Result<Prepared, SyncError> {
    let (min, max) = wire::PROTOCOL;
    if request.protocol_min > max || request.protocol_max < min {
        return Err(ProtocolError::Version { min, max }.into());
    }
    let changes: usize = request.pushes.iter().map(|push| push.changes.len()).sum();
    if request.pushes.len() > MAX_PUSHES || changes > MAX_CHANGES || request.cursors.len() > MAX_PUSHES {
        return Err(ProtocolError::TooLarge.into());
    }
    reads::check(&request)?;
    // A locked device hands in what it has. One that reads notes is told so in the answer; an older one is told when it
    // has nothing left.
    if principal.revoked_at.is_some()
        && request.notes.is_none()
        && request.pushes.is_empty()
        && request.cursors.is_empty()
    {
        return Err(ProtocolError::Revoked { wipe: false }.into());
    }
    let server = tx.server()?;
    let mut pending = open(tx, principal, request, server, now)?;
    if pending.other_epoch {
        return Ok(Prepared::Answered(Box::new(answer(tx, &pending, None, now)?)));
    }
    if !pending.rolled_back {
        for item in &pending.items {
            let outcome = admit_item(tx, principal, &pending.scope, &pending.server, item, now)?;
            pending.waiting += outcome.ready.as_ref().map_or(0, |ready| ready.snapshot.len());
            pending.outcomes.push(outcome);
            if pending.bytes() > MAX_WAITING_BYTES {
                return Err(ProtocolError::TooLarge.into());
            }
        }
    }
    let writes = !pending.items.is_empty()
        || !reads::of(&pending.request).is_empty()
        || !pending.scope.given_up.is_empty()
        || pending.rolled_back
        || pending.comparison.as_ref().is_some_and(|comparison| comparison.writes);
    if writes {
        return Ok(Prepared::Pending(Box::new(pending)));
    }
    Ok(Prepared::Answered(Box::new(answer(tx, &pending, None, now)?)))
}

fn open(
    tx: &dyn ReadTx,
    principal: &Principal,
    mut request: SyncRequest,
    server: ServerRow,
    now: Timestamp,
) -> Result<Pending, SyncError> {
    let other_epoch = request.epoch.is_some_and(|epoch| *epoch != server.epoch);
    let rolled_back = match &request.seen {
        Some(seen) if !other_epoch => mark::is_missing(tx, &server, seen)?,
        _ => false,
    };
    // Cursors into another past say nothing.
    if other_epoch || rolled_back {
        request.cursors.clear();
    }
    let scope = Scope::read(tx, principal, &request, now)?;
    let pushes = std::mem::take(&mut request.pushes);
    let shape = pushes.iter().map(|push| push.changes.len()).collect();
    let items = if other_epoch || rolled_back { Vec::new() } else { gather(pushes, &scope) };
    // Digests are compared by a device that has nothing left to send; together with pushes they mean nothing.
    let comparison = match &request.compare {
        Some(compare) if items.is_empty() && !other_epoch && !rolled_back => {
            repair::compare(tx, principal, &scope, compare)?
        }
        _ => None,
    };
    Ok(Pending {
        principal: principal.clone(),
        request,
        server,
        scope,
        items,
        outcomes: Vec::new(),
        waiting: 0,
        shape,
        comparison,
        other_epoch,
        rolled_back,
    })
}

/// Gathers pushes by record, in the order in which each record comes first.
fn gather(pushes: Vec<wire::Push>, scope: &Scope) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::with_capacity(pushes.len());
    let mut by_record: BTreeMap<(RecordId, String), usize> = BTreeMap::new();
    for (at, push) in pushes.into_iter().enumerate() {
        let record = RecordId::from_bytes(*push.record);
        let index = *by_record.entry((record, push.kind.clone())).or_insert(items.len());
        if index == items.len() {
            items.push(Item {
                record,
                kind: push.kind,
                hint: scope.hint(push.hint),
                history: false,
                places: Vec::new(),
                raws: Vec::new(),
            });
        }
        if let Some(item) = items.get_mut(index) {
            item.history |= push.history;
            item.places.extend((0..push.changes.len()).map(|change| (at, change)));
            item.raws.extend(push.changes);
        }
    }
    items
}
