//! Sync: what becomes of one request of a device, without HTTP and without async.
//!
//! # Three steps
//!
//! 1. [`prepare()`] works on a read snapshot: it reads the device's grants, checks its cursors, and admits every
//!    pushed change ([`gridwalk_replica::admission`]). This is nearly all of the work, and any number of requests
//!    do it at once.
//! 2. [`commit()`] works in the writing transaction: it looks whether the records are still as the admission saw
//!    them (`rev`) and admits again those that moved, decides where new records belong, writes, and counts.
//! 3. [`answer()`] works on a read snapshot after the commit is durable: it collects what the device lacks.
//!
//! A request that brings nothing ends after the first step with an answer from its snapshot: an idle sync never
//! meets the writer and writes nothing.
//!
//! [`run`] does all three on one thread; that is what the simulation uses. Under HTTP, steps one and three run on
//! the blocking pool and the second on the writer thread ([`crate::writer`]), where requests that queued during
//! one commit's disk sync share the next one.
//!
//! # Rejected
//!
//! Admission on the writer thread would need no `rev`, but then one core does everything. Holding the write lock
//! while answering would save the second snapshot, but large pulls would stop everybody's pushes.

mod admit;
mod answer;
mod commit;
pub(crate) mod evidence;
pub(crate) mod follow_up;
mod landing;
mod mark;
mod placing;
mod prepare;
pub(crate) mod reads;
mod receipts;
mod repair;
mod rules;
mod scope;

#[cfg(test)]
mod tests;

pub use admit::State;
pub(crate) use admit::server_actor;
pub use commit::{Committed, commit};
pub use evidence::chain_state;
pub use landing::{Landed, Landing, Written};
pub use placing::{day_of, replace_due};
pub use prepare::{Pending, Prepared, prepare};
pub use scope::{Principal, readable_streams};

pub use answer::answer;

use gridwalk_model::Timestamp;
use gridwalk_replica::protocol::ProtocolError;
use gridwalk_replica::wire::{SyncRequest, SyncResponse};

use crate::clock::Entropy;
use crate::storage::{Storage, StorageError};

/// For how long after a revocation the unsent work of a device is still taken, in milliseconds.
pub const REVOCATION_GRACE_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// Most records that one request may push to.
pub const MAX_PUSHES: usize = 2_000;
/// Most changes in one request.
pub const MAX_CHANGES: usize = 4_000;
/// Most bytes of documents that one request may have waiting for the writer.
pub const MAX_WAITING_BYTES: usize = 24 * 1024 * 1024;
/// Most bytes of changes of one device that are kept in quarantine; beyond it, refused changes stay with it.
pub const QUARANTINE_MAX_BYTES: u64 = 64 * 1024 * 1024;

/// What a step needs beside its transaction.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// When the server took the request.
    pub now: Timestamp,
    /// Randomness, for a new epoch.
    pub entropy: &'a dyn Entropy,
}

/// Why a request came to nothing. Nothing of it was taken.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The request cannot be served; the device is told so.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<SyncError> for ProtocolError {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::Protocol(error) => error,
            SyncError::Storage(StorageError::Full) => Self::StorageFull,
            SyncError::Storage(StorageError::Busy) => Self::Busy { retry_after_s: 1 },
            SyncError::Storage(_) => Self::Internal,
        }
    }
}

/// Serves one request from beginning to end on this thread.
///
/// # Errors
/// See [`SyncError`].
pub fn run(
    storage: &dyn Storage,
    principal: &Principal,
    request: SyncRequest,
    context: Context<'_>,
) -> Result<SyncResponse, SyncError> {
    let mut pending = match storage.view(|tx| prepare(tx, principal, request, context.now))? {
        Prepared::Answered(response) => return Ok(*response),
        Prepared::Pending(pending) => pending,
    };
    let committed = storage.update(|tx| commit(tx, &mut pending, context))?;
    storage.view(|tx| answer(tx, &pending, Some(&committed), context.now))
}
