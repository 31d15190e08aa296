//! The audit log: append-only, each row's hash over the row before it, so that a gap or an alteration shows.

use gridwalk_model::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::storage::ledger::AuditRow;
use crate::storage::{ReadTx, StorageError, WriteTx};

/// What is to be written down. Ids only; no names, no numbers of people.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Who: an id, `server` or `operator`.
    pub actor: &'a str,
    /// What they did.
    pub action: &'a str,
    /// What they did it to.
    pub target: &'a str,
    /// Facts.
    pub detail: &'a str,
    /// Whether somebody has to look at it.
    pub alarm: bool,
}

/// Appends a row.
///
/// # Errors
/// A failure of the store.
pub fn append(tx: &mut dyn WriteTx, at: Timestamp, entry: &Entry<'_>) -> Result<(), StorageError> {
    let (no, previous) = tx.last_audit()?.map_or((1, [0; 32]), |last| (last.no + 1, last.hash));
    let mut row = AuditRow {
        no,
        at,
        actor: entry.actor.to_owned(),
        action: entry.action.to_owned(),
        target: entry.target.to_owned(),
        detail: entry.detail.to_owned(),
        alarm: entry.alarm,
        previous,
        hash: [0; 32],
    };
    row.hash = hash(&row);
    if entry.alarm {
        tracing::error!(action = entry.action, no, "alarm");
    }
    tx.insert_audit(&row)
}

/// Where a chain is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The first row that does not fit.
    pub no: u64,
}

/// Walks the whole log. Returns how many rows it has, or the first that does not fit.
///
/// # Errors
/// A failure of the store.
pub fn verify(tx: &dyn ReadTx) -> Result<Result<u64, Broken>, StorageError> {
    let mut last = (0u64, [0u8; 32]);
    loop {
        let rows = tx.audit(last.0, 1_000)?;
        if rows.is_empty() {
            return Ok(Ok(last.0));
        }
        for row in rows {
            if row.no != last.0 + 1 || row.previous != last.1 || row.hash != hash(&row) {
                return Ok(Err(Broken { no: row.no }));
            }
            last = (row.no, row.hash);
        }
    }
}

fn hash(row: &AuditRow) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(row.previous);
    hasher.update(row.no.to_be_bytes());
    hasher.update(row.at.millis().to_be_bytes());
    hasher.update([u8::from(row.alarm)]);
    for part in [&row.actor, &row.action, &row.target, &row.detail] {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().into()
}
