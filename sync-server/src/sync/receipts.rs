//! What the server adds to what it takes: for each new entry of an event's log, when it came in.
//!
//! Rules count from `min(at, received_at)`, and an entry that was made offline takes its place behind everything
//! that the server had decided before it arrived.

use gridwalk_model::event::{Action, LogEntry};
use gridwalk_model::{Fields, Kind, RecordId, Timestamp, Value};
use gridwalk_replica::{Actor, Document, FlatChange};
use sha2::{Digest as _, Sha256};

use crate::storage::{StorageError, Stored};

/// Adds the receipts for the log entries in `raws`, which `document` holds by now. Returns the new changes.
pub(super) fn add<'r>(
    document: &mut Document,
    kind: Kind,
    raws: impl Iterator<Item = &'r [u8]>,
    actor: Actor,
    now: Timestamp,
) -> Stored<Vec<Vec<u8>>> {
    if kind != Kind::Event {
        return Ok(Vec::new());
    }
    let new = new_entries(raws);
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let mut parent = last_of_server(document, actor);
    let mut writes = Fields::new();
    for entry in new {
        let id = derived_id("receipt", entry, now);
        let receipt = LogEntry::receipt(id, parent, entry, now);
        writes.insert(receipt.key(), receipt.to_value());
        parent = Some(id);
    }
    match document.edit(&writes, actor, now) {
        Ok(change) => Ok(change.into_iter().map(|change| change.raw).collect()),
        // A full record takes no more receipts; its entries stand without.
        Err(gridwalk_replica::DocumentError::Full { .. } | gridwalk_replica::DocumentError::Exhausted) => {
            Ok(Vec::new())
        }
        Err(_) => Err(StorageError::Failed("receipt could not be written".to_owned())),
    }
}

/// The log entries that these changes bring, in order, receipts left out.
fn new_entries<'r>(raws: impl Iterator<Item = &'r [u8]>) -> Vec<RecordId> {
    let mut out = Vec::new();
    for change in raws.filter_map(|raw| FlatChange::read(raw).ok()) {
        for write in change.writes.iter().filter(|write| write.key.starts_with("log/")) {
            if let Some(Value::Bytes(bytes)) = &write.value
                && let Ok(entry) = LogEntry::from_bytes(bytes)
                && !matches!(entry.action, Action::Received)
                && entry.key() == write.key
            {
                out.push(entry.id);
            }
        }
    }
    out
}

/// The latest entry that the server itself wrote into the log.
fn last_of_server(document: &Document, actor: Actor) -> Option<RecordId> {
    let own = actor.device();
    let fields = document.fields();
    let keys = fields.iter().filter(|(key, _)| key.starts_with("log/") && !key.ends_with("/removed"));
    keys.filter_map(|(key, value)| {
        let op = document.authored(key).last()?.op;
        let Value::Bytes(bytes) = value else { return None };
        let entry = LogEntry::from_bytes(bytes).ok()?;
        (op.actor.device() == own).then_some((op.counter, entry.id))
    })
    .max_by_key(|(counter, _)| *counter)
    .map(|(_, id)| id)
}

/// The identifier of an entry of the server's follows from the one that called for it, so that admitting twice writes
/// the same.
pub(super) fn derived_id(word: &str, entry: RecordId, now: Timestamp) -> RecordId {
    let full: [u8; 32] = Sha256::new().chain_update(word).chain_update(entry.as_bytes()).finalize().into();
    let mut random = [0u8; 10];
    random.iter_mut().zip(full).for_each(|(to, from)| *to = from);
    RecordId::from_parts(now, random)
}
