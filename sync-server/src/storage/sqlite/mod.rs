//! The store on SQLite.
//!
//! One connection writes; a few read, each with `query_only` set. The log is a WAL with `synchronous=FULL`: a
//! commit that returned is on the disk. What queued up during one commit's sync shares the next (see
//! [`crate::writer`]).
//!
//! Every connection has a fixed page cache, and nothing is cached per record, so memory does not grow with the
//! store. Statements are prepared once per connection.
//!
//! An in-memory store has one connection for everything; it serves the simulation and tests.
//!
//! # Measured
//!
//! On two shared cores with an fdatasync of 0.13–4 ms, batches of 100 rows reach 12,000–32,000 rows/s with
//! `synchronous=FULL`; the sync, not the number of statements, is what batches share.

mod access;
mod ledger;
mod records;
pub mod schema;
mod sealed;
mod values;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::clock::{Entropy, SystemEntropy};

use super::{ReadWork, Storage, StorageError, Stored, WriteTx, WriteWork};
use values::{int, uint};

/// How long to wait for another process that writes, in milliseconds.
const BUSY_MS: u64 = 5_000;
/// Statements kept prepared on each connection.
const STATEMENTS: usize = 128;

/// How a store is opened.
#[derive(Clone)]
pub struct SqliteOptions {
    /// Connections that read.
    pub readers: usize,
    /// Page cache of the writing connection, in KiB.
    pub writer_cache_kib: u32,
    /// Page cache of each reading connection, in KiB.
    pub reader_cache_kib: u32,
    /// Pages in the write-ahead log after which a commit moves them into the main file.
    pub checkpoint_pages: u32,
    /// Largest size of the store in pages of 4 KiB; `None`: as much as the disk holds.
    pub max_pages: Option<u32>,
    /// Whether a commit waits for the disk. `false` loses acknowledged work in a power cut: it exists for the
    /// test that must catch it, and for nothing else.
    pub durable: bool,
    /// Where the marks of commits come from.
    pub entropy: Arc<dyn Entropy>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            readers: 4,
            writer_cache_kib: 16 * 1024,
            reader_cache_kib: 2 * 1024,
            checkpoint_pages: 4_000,
            max_pages: None,
            durable: true,
            entropy: Arc::new(SystemEntropy),
        }
    }
}

/// What a new store is given when it is made. Random, so the caller brings it.
#[derive(Clone, Copy, Debug)]
pub struct Birth {
    /// Prefix of the server's own actors.
    pub device: [u8; 12],
    /// First epoch.
    pub epoch: [u8; 16],
    /// Suffix of the server's actor in it.
    pub incarnation: [u8; 4],
    /// Key of the check in commit marks.
    pub mark_key: [u8; 32],
}

/// A store in a file, or in memory.
pub struct SqliteStorage {
    path: Option<PathBuf>,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
    returned: Condvar,
    entropy: Arc<dyn Entropy>,
}

impl SqliteStorage {
    /// Opens the store in a file, makes it if it is not there, and brings it up to this build's schema.
    ///
    /// # Errors
    /// If the file cannot be opened, is damaged, or is of a newer schema.
    pub fn open(path: &Path, options: &SqliteOptions, birth: &Birth) -> Stored<Self> {
        let mut writer = Connection::open(path).map_err(failed)?;
        configure(&writer, options, options.writer_cache_kib)?;
        schema::migrate(&mut writer, birth)?;
        let mut readers = Vec::new();
        for _ in 0..options.readers.max(1) {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let reader = Connection::open_with_flags(path, flags).map_err(failed)?;
            configure(&reader, options, options.reader_cache_kib)?;
            reader.pragma_update(None, "query_only", true).map_err(failed)?;
            readers.push(reader);
        }
        Ok(Self {
            path: Some(path.to_owned()),
            writer: Mutex::new(writer),
            readers: Mutex::new(readers),
            returned: Condvar::new(),
            entropy: Arc::clone(&options.entropy),
        })
    }

    /// Makes an empty store in memory.
    ///
    /// # Errors
    /// If SQLite fails.
    pub fn in_memory(options: &SqliteOptions, birth: &Birth) -> Stored<Self> {
        let mut writer = Connection::open_in_memory().map_err(failed)?;
        configure(&writer, options, options.writer_cache_kib)?;
        schema::migrate(&mut writer, birth)?;
        Ok(Self {
            path: None,
            writer: Mutex::new(writer),
            readers: Mutex::new(Vec::new()),
            returned: Condvar::new(),
            entropy: Arc::clone(&options.entropy),
        })
    }

    /// A copy in memory of a store in memory, identity included: what a backup that was put back without a word is.
    ///
    /// # Errors
    /// If SQLite fails.
    pub fn copied_in_memory(&self, options: &SqliteOptions) -> Stored<Self> {
        let mut copy = Connection::open_in_memory().map_err(failed)?;
        {
            let source = self.lock_writer();
            let backup = Backup::new(&source, &mut copy).map_err(failed)?;
            backup.step(-1).map_err(failed)?;
        }
        configure(&copy, options, options.writer_cache_kib)?;
        Ok(Self {
            path: None,
            writer: Mutex::new(copy),
            readers: Mutex::new(Vec::new()),
            returned: Condvar::new(),
            entropy: Arc::clone(&options.entropy),
        })
    }

    /// Limits the store to so many pages of 4 KiB, or lifts the limit: how tests fill a disk.
    ///
    /// # Errors
    /// If SQLite fails.
    pub fn set_max_pages(&self, pages: Option<u32>) -> Stored<()> {
        let pages = pages.unwrap_or(u32::MAX - 1);
        self.lock_writer().pragma_update(None, "max_page_count", pages).map_err(failed)
    }

    fn lock_writer(&self) -> MutexGuard<'_, Connection> {
        // A panic inside a transaction was rolled back when the guard was dropped: the connection is sound.
        let guard = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if !guard.is_autocommit() {
            let _ = guard.execute_batch("ROLLBACK");
        }
        guard
    }

    fn read_on(connection: &Connection, work: &mut ReadWork<'_>) -> Stored<()> {
        let transaction = Ended { connection };
        run(connection, "BEGIN DEFERRED")?;
        let tx = Tx::new(connection);
        let result = work(&tx);
        drop(transaction);
        result
    }

    fn take_reader(&self) -> Lent<'_> {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(connection) = readers.pop() {
                return Lent { connection: Some(connection), home: self };
            }
            readers = self.returned.wait(readers).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A reading connection that goes back when dropped, after a panic as well.
struct Lent<'s> {
    connection: Option<Connection>,
    home: &'s SqliteStorage,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.home.readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            self.home.returned.notify_one();
        }
    }
}

/// Ends a transaction however the work in it ended.
struct Ended<'c> {
    connection: &'c Connection,
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        if !self.connection.is_autocommit() {
            let _ = run(self.connection, "ROLLBACK");
        }
    }
}

impl Storage for SqliteStorage {
    fn read(&self, work: &mut ReadWork<'_>) -> Stored<()> {
        if self.path.is_none() {
            return Self::read_on(&self.lock_writer(), work);
        }
        let lent = self.take_reader();
        match &lent.connection {
            Some(connection) => Self::read_on(connection, work),
            None => Err(StorageError::Failed("no reading connection".to_owned())),
        }
    }

    fn write(&self, work: &mut WriteWork<'_>) -> Stored<()> {
        let guard = self.lock_writer();
        let connection: &Connection = &guard;
        let transaction = Ended { connection };
        run(connection, "BEGIN IMMEDIATE")?;
        let mut tx = Tx::begin_write(connection)?;
        work(&mut tx)?;
        let mark = self.entropy.array().map_err(|error| StorageError::Failed(error.to_string()))?;
        tx.end_write(u32::from_be_bytes(mark))?;
        run(connection, "COMMIT")?;
        drop(transaction);
        Ok(())
    }

    fn back_up(&self, target: &Path) -> Stored<u64> {
        let Some(path) = &self.path else {
            return Err(StorageError::Failed("a store in memory is not backed up".to_owned()));
        };
        if target.exists() {
            return Err(StorageError::Failed("backup target exists".to_owned()));
        }
        let source = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
        source.busy_timeout(std::time::Duration::from_millis(BUSY_MS)).map_err(failed)?;
        let mut copy = Connection::open(target).map_err(failed)?;
        {
            // One step takes all pages within one snapshot; writers go on, readers of the WAL never block them.
            let backup = Backup::new(&source, &mut copy).map_err(failed)?;
            match backup.step(-1).map_err(failed)? {
                StepResult::Done => {}
                _ => return Err(StorageError::Busy),
            }
        }
        verify_copy(&copy)
    }

    fn checkpoint(&self) -> Stored<()> {
        if self.path.is_none() {
            return Ok(());
        }
        let guard = self.lock_writer();
        guard.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(failed)
    }
}

/// Checks a copy as a whole, leaves it as one file without a log, and reads how far it goes.
fn verify_copy(copy: &Connection) -> Stored<u64> {
    copy.query_row("PRAGMA journal_mode=DELETE", [], |_| Ok(())).map_err(failed)?;
    let verdict: String = copy.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(failed)?;
    if verdict != "ok" {
        return Err(StorageError::Damaged { what: "backup" });
    }
    let commit: i64 = copy.query_row("SELECT commit_no FROM server", [], |row| row.get(0)).map_err(failed)?;
    Ok(uint(commit))
}

fn configure(connection: &Connection, options: &SqliteOptions, cache_kib: u32) -> Stored<()> {
    connection.busy_timeout(std::time::Duration::from_millis(BUSY_MS)).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    let set = |name: &str, value: &dyn rusqlite::ToSql| {
        connection.pragma_update_and_check(None, name, value, |_| Ok(())).or_else(no_row).map_err(failed)
    };
    set("journal_mode", &"WAL")?;
    set("synchronous", if options.durable { &"FULL" } else { &"OFF" })?;
    set("foreign_keys", &"ON")?;
    set("temp_store", &"MEMORY")?;
    set("cache_size", &(-i64::from(cache_kib)))?;
    set("wal_autocheckpoint", &options.checkpoint_pages)?;
    // After a truncating checkpoint or a long reader, the log file shrinks again.
    set("journal_size_limit", &(i64::from(options.checkpoint_pages) * 4_096))?;
    set("trusted_schema", &"OFF")?;
    if let Some(pages) = options.max_pages {
        set("max_page_count", &pages)?;
    }
    Ok(())
}

/// Some pragmas answer with the new value, some do not.
fn no_row(error: rusqlite::Error) -> Result<(), rusqlite::Error> {
    if matches!(error, rusqlite::Error::QueryReturnedNoRows) { Ok(()) } else { Err(error) }
}

fn run(connection: &Connection, sql: &str) -> Stored<()> {
    connection.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map_err(failed)?;
    Ok(())
}

/// A transaction, reading or writing.
pub(crate) struct Tx<'c> {
    connection: &'c Connection,
    commit_no: u64,
    seq: u64,
}

impl<'c> Tx<'c> {
    fn new(connection: &'c Connection) -> Self {
        Self { connection, commit_no: 0, seq: 0 }
    }

    fn begin_write(connection: &'c Connection) -> Stored<Self> {
        let mut statement = connection.prepare_cached("SELECT commit_no, seq FROM server").map_err(failed)?;
        let (commit_no, seq): (i64, i64) =
            statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(failed)?;
        Ok(Self { connection, commit_no: uint(commit_no) + 1, seq: uint(seq) })
    }

    /// A full disk may make SQLite end the whole transaction by itself. Going on would begin another one unseen, in
    /// which numbers were given out that nobody wrote down.
    fn still_open(&self) -> Stored<()> {
        if self.connection.is_autocommit() { Err(StorageError::Full) } else { Ok(()) }
    }

    fn end_write(&self, mark: u32) -> Stored<()> {
        self.still_open()?;
        let commit = int(self.commit_no);
        self.execute("INSERT INTO commit_mark (commit_no, mark) VALUES (?1, ?2)", (commit, mark))?;
        self.execute("UPDATE server SET commit_no = ?1, seq = ?2", (commit, int(self.seq)))?;
        Ok(())
    }

    fn execute(&self, sql: &str, params: impl rusqlite::Params) -> Stored<usize> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(params))
            .map_err(failed)
    }

    fn insert(&self, sql: &str, params: impl rusqlite::Params) -> Stored<i64> {
        self.execute(sql, params)?;
        Ok(self.connection.last_insert_rowid())
    }

    fn one<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        read: impl FnOnce(&rusqlite::Row<'_>) -> Stored<T>,
    ) -> Stored<Option<T>> {
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let mut rows = statement.query(params).map_err(failed)?;
        rows.next().map_err(failed)?.map(read).transpose()
    }

    fn all<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        mut read: impl FnMut(&rusqlite::Row<'_>) -> Stored<T>,
    ) -> Stored<Vec<T>> {
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let mut rows = statement.query(params).map_err(failed)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            out.push(read(row)?);
        }
        Ok(out)
    }
}

impl WriteTx for Tx<'_> {
    fn commit_no(&self) -> u64 {
        self.commit_no
    }

    fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    fn begin_part(&mut self) -> Stored<()> {
        self.still_open()?;
        run(self.connection, "SAVEPOINT part")
    }

    fn keep_part(&mut self) -> Stored<()> {
        self.still_open()?;
        run(self.connection, "RELEASE part")
    }

    fn undo_part(&mut self) -> Stored<()> {
        self.still_open()?;
        run(self.connection, "ROLLBACK TO part")?;
        run(self.connection, "RELEASE part")
    }
}

/// Maps an error of SQLite.
pub(crate) fn failed(error: rusqlite::Error) -> StorageError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StorageError::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StorageError::Busy,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StorageError::Damaged { what: "database file" }
        }
        // The message of SQLite names tables and constraints, never values.
        _ => StorageError::Failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::BIRTH;

    #[test]
    fn a_transaction_that_ended_by_itself_is_not_gone_on_with() {
        let storage = SqliteStorage::in_memory(&SqliteOptions::default(), &BIRTH).unwrap();
        let connection = storage.lock_writer();
        run(&connection, "BEGIN IMMEDIATE").unwrap();
        let mut tx = Tx::begin_write(&connection).unwrap();
        tx.begin_part().unwrap();
        tx.next_seq();
        // What SQLite may do when the disk is full.
        run(&connection, "ROLLBACK").unwrap();
        assert!(matches!(tx.undo_part(), Err(StorageError::Full)));
        assert!(matches!(tx.begin_part(), Err(StorageError::Full)));
        assert!(matches!(tx.keep_part(), Err(StorageError::Full)));
        assert!(matches!(tx.end_write(7), Err(StorageError::Full)));
        assert!(connection.is_autocommit());
        drop(connection);
        let storage: &dyn Storage = &storage;
        assert_eq!(storage.view(|tx| super::super::records::RecordReads::server(tx)).unwrap().seq, 0);
    }
}
