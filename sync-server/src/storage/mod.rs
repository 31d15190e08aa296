//! Where the server keeps what it was given, behind one trait.
//!
//! # The trait
//!
//! [`Storage`] runs closures: any number of readers, each in one consistent snapshot, and one writer at a time.
//! What a transaction can do is cut by subject into small traits ([`records`], [`access`], [`ledger`], [`sealed`]); none of
//! them speaks SQL. Everything that can fail does so with a [`StorageError`]; a full disk is one of them from the
//! first day.
//!
//! # What a second implementation must keep
//!
//! PostgreSQL could stand behind these traits. It must keep three promises. A read closure sees one snapshot
//! (`REPEATABLE READ`). Write closures run one after another, which the writer thread ([`crate::writer`]) sees to
//! within a process; several processes would take one advisory lock for it. And [`WriteTx::next_seq`] gives
//! numbers in commit order, which follows from the second. Numbers come from one counter for all streams rather
//! than from one each: a stream then has holes, which the protocol allows, and a change needs no row per stream to
//! say which raw changes a phone lacks; "later than the cursor" says it. Design text 3 proposed a lock per stream;
//! since group commit serialises writers anyway, that would buy nothing.
//!
//! # SQLite
//!
//! See [`sqlite`].

pub mod access;
pub mod ledger;
pub mod records;
pub mod sealed;
pub mod sqlite;

#[cfg(test)]
mod contract;

use std::path::Path;

use access::{AccessReads, AccessWrites};
use ledger::{LedgerReads, LedgerWrites};
use records::{RecordReads, RecordWrites};
use sealed::{SealedReads, SealedWrites};

/// What went wrong in the store.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// No space is left. Nothing of the transaction was taken; work goes on after space returns.
    #[error("storage is full")]
    Full,
    /// Another process holds the store for longer than we wait.
    #[error("storage is locked by another process")]
    Busy,
    /// The store was written by a newer build.
    #[error("storage has schema {found}, this build knows up to {known}")]
    NewerSchema {
        /// Version of the store.
        found: u32,
        /// Highest version that this build knows.
        known: u32,
    },
    /// A stored value that cannot be what it should be.
    #[error("stored {what} is damaged")]
    Damaged {
        /// Table and column.
        what: &'static str,
    },
    /// The store failed otherwise.
    #[error("storage failed: {0}")]
    Failed(String),
}

/// Result of a storage operation.
pub type Stored<T> = Result<T, StorageError>;

/// A reading transaction: one consistent snapshot.
pub trait ReadTx: RecordReads + AccessReads + LedgerReads + SealedReads {}

impl<T: RecordReads + AccessReads + LedgerReads + SealedReads> ReadTx for T {}

/// The writing transaction. It sees its own writes.
pub trait WriteTx: ReadTx + RecordWrites + AccessWrites + LedgerWrites + SealedWrites {
    /// Number of the durable commit that this transaction will be.
    fn commit_no(&self) -> u64;

    /// The next sequence number. Numbers of a part that is rolled back are not given out again.
    fn next_seq(&mut self) -> u64;

    /// Begins a part that can be undone by itself. Parts do not nest.
    fn begin_part(&mut self) -> Stored<()>;

    /// Keeps the part.
    fn keep_part(&mut self) -> Stored<()>;

    /// Undoes the part.
    fn undo_part(&mut self) -> Stored<()>;
}

/// Work on a snapshot.
pub type ReadWork<'w> = dyn FnMut(&dyn ReadTx) -> Stored<()> + 'w;
/// Work in the writing transaction.
pub type WriteWork<'w> = dyn FnMut(&mut dyn WriteTx) -> Stored<()> + 'w;

/// A store. Calls block; see [`crate::writer`] for how the server keeps them off its async threads.
pub trait Storage: Send + Sync {
    /// Runs `work` on one snapshot.
    ///
    /// # Errors
    /// What `work` returns, or a failure of the store.
    fn read(&self, work: &mut ReadWork<'_>) -> Stored<()>;

    /// Runs `work` in a transaction of its own and makes it durable before returning. If `work` fails, nothing of
    /// it stays. Waits for another writer.
    ///
    /// # Errors
    /// What `work` returns, or a failure of the store.
    fn write(&self, work: &mut WriteWork<'_>) -> Stored<()>;

    /// Copies the store as it is now into a new file, while work goes on, and verifies the copy.
    ///
    /// Returns the number of the last commit that the copy holds.
    ///
    /// # Errors
    /// If the copy cannot be written or does not verify.
    fn back_up(&self, target: &Path) -> Stored<u64>;

    /// Moves what is in the write-ahead log into the main file, as far as readers allow.
    ///
    /// # Errors
    /// A failure of the store.
    fn checkpoint(&self) -> Stored<()>;
}

impl dyn Storage + '_ {
    /// [`Storage::read`] with a result.
    ///
    /// # Errors
    /// What `work` returns, or a failure of the store.
    pub fn view<T, E: From<StorageError>>(
        &self,
        work: impl FnOnce(&dyn ReadTx) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut work = Some(work);
        let mut out: Option<Result<T, E>> = None;
        self.read(&mut |tx| {
            if let Some(work) = work.take() {
                out = Some(work(tx));
            }
            Ok(())
        })?;
        out.unwrap_or_else(|| Err(StorageError::Failed("work did not run".to_owned()).into()))
    }

    /// [`Storage::write`] with a result. An error of `work` undoes everything.
    ///
    /// # Errors
    /// What `work` returns, or a failure of the store.
    pub fn update<T, E: From<StorageError>>(
        &self,
        work: impl FnOnce(&mut dyn WriteTx) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut work = Some(work);
        let mut out: Option<Result<T, E>> = None;
        let written = self.write(&mut |tx| {
            let Some(work) = work.take() else { return Err(undone()) };
            out = Some(work(tx));
            if matches!(out, Some(Ok(_))) { Ok(()) } else { Err(undone()) }
        });
        match (out, written) {
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (_, Err(error)) => Err(error.into()),
            (None, Ok(())) => Err(undone().into()),
        }
    }
}

fn undone() -> StorageError {
    StorageError::Failed("work was undone".to_owned())
}
