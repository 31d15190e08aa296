//! What the server itself does once an event's log calls for it: a case that was verified on the spot, and whose
//! appellant waits for an answer, now waits for their rating.

use gridwalk_model::event::{Action, LogEntry, State, fold, read_log};
use gridwalk_model::{Fields, Kind, Timestamp};
use gridwalk_replica::{Actor, Document, DocumentError};

use super::receipts::derived_id;
use crate::rules;
use crate::storage::{ReadTx, StorageError, Stored};

/// Adds the entry that is due now, if one is. Returns the new change.
pub(crate) fn add(
    tx: &dyn ReadTx,
    document: &mut Document,
    kind: Kind,
    actor: Actor,
    now: Timestamp,
) -> Stored<Option<Vec<u8>>> {
    if kind != Kind::Event {
        return Ok(None);
    }
    let Some(entry) = due(tx, &document.fields(), now)? else { return Ok(None) };
    match document.edit(&Fields::from([(entry.key(), entry.to_value())]), actor, now) {
        Ok(change) => Ok(change.map(|change| change.raw)),
        // A full record takes no more entries.
        Err(DocumentError::Full { .. } | DocumentError::Exhausted) => Ok(None),
        Err(_) => Err(StorageError::Failed("entry could not be written".to_owned())),
    }
}

fn due(tx: &dyn ReadTx, fields: &Fields, now: Timestamp) -> Stored<Option<LogEntry>> {
    let (entries, _) = read_log(fields);
    // Most cases are not that far, and need no rules to say so.
    if !entries.iter().any(|entry| entry.action == Action::Verify) {
        return Ok(None);
    }
    let folded = fold(&entries, &rules::events(tx)?);
    if folded.state != State::Verified || !folded.has_appellant {
        return Ok(None);
    }
    let Some(parent) = folded.entries.last().map(|last| last.id) else { return Ok(None) };
    let id = derived_id("await_rating", parent, now);
    Ok(Some(LogEntry { by: None, ..LogEntry::new(id, Some(parent), now, id, Action::AwaitRating) }))
}
