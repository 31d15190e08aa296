//! Opening a database file: key, pragmas, lock, schema.

use std::path::{Path, PathBuf};
use std::sync::Once;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use zeroize::Zeroizing;

use super::faults::{Commit, Faults, Side};
use crate::error::DeviceError;
use crate::keys::DataKey;

/// Where a store lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreLocation {
    /// In memory, gone when closed: simulations.
    Memory,
    /// In this folder, which is made if it is not there.
    Folder(PathBuf),
}

/// Whether a store is encrypted. Phones always encrypt; the plain form serves simulations and the benchmark of what
/// encryption costs.
#[derive(Clone, Debug)]
pub enum Encryption {
    /// Plain SQLite.
    None,
    /// SQLCipher with this key.
    Key(DataKey),
}

/// One of the two databases of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Database {
    /// Records and everything small.
    Records,
    /// Photos.
    Media,
}

/// The SQL that brings a database from version *index* to version *index* + 1.
const RECORDS: [&str; 1] = [include_str!("migrations/01_start.sql")];
const MEDIA: [&str; 1] = [include_str!("migrations/media_01_start.sql")];

impl Database {
    pub(super) const fn file_name(self) -> &'static str {
        match self {
            Self::Records => "store.db",
            Self::Media => "media.db",
        }
    }

    pub(super) const fn migrations(self) -> &'static [&'static str] {
        match self {
            Self::Records => &RECORDS,
            Self::Media => &MEDIA,
        }
    }

    pub(super) fn path_in(self, folder: &Path) -> PathBuf {
        folder.join(self.file_name())
    }
}

/// Has the library set itself up, once a process. It lets a second thread in before SQLCipher is ready, whose key is
/// then refused: seen where several stores of a new process are opened at the same moment.
fn set_up_library() {
    static SET_UP: Once = Once::new();
    SET_UP.call_once(|| drop(Connection::open_in_memory()));
}

/// Opens a database and brings it up to date.
pub(super) fn open(
    database: Database,
    location: &StoreLocation,
    encryption: &Encryption,
    faults: &Faults,
) -> Result<Connection, DeviceError> {
    set_up_library();
    let mut connection = match location {
        StoreLocation::Memory => Connection::open_in_memory()?,
        StoreLocation::Folder(folder) => {
            std::fs::create_dir_all(folder)?;
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
                | OpenFlags::SQLITE_OPEN_CREATE
                | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            Connection::open_with_flags(database.path_in(folder), flags)?
        }
    };
    prepare(&connection, encryption, database)?;
    migrate(&mut connection, database.migrations(), faults)?;
    Ok(connection)
}

/// Sets the key and how the connection works. `synchronous = FULL` makes a commit durable before it returns; with
/// the exclusive mode there is one process and no shared-memory file, and a second opening fails at once.
pub(super) fn prepare(
    connection: &Connection,
    encryption: &Encryption,
    database: Database,
) -> Result<(), DeviceError> {
    if let Encryption::Key(key) = encryption {
        // SQLCipher writes to the standard error of its own accord; what fails here is returned.
        connection.execute_batch("PRAGMA cipher_log_level = NONE;")?;
        let hex = Zeroizing::new(data_encoding::HEXLOWER.encode(key.as_bytes()));
        let pragma = Zeroizing::new(format!("PRAGMA key = \"x'{}'\";", hex.as_str()));
        connection.execute_batch(&pragma)?;
    }
    if database == Database::Media {
        // Holds for a new file only. Without it, what photos leave behind is never given back to the phone.
        connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL;")?;
    }
    connection.set_prepared_statement_cache_capacity(160);
    connection.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -8192;
         PRAGMA journal_size_limit = 8388608;
         PRAGMA trusted_schema = OFF;",
    )?;
    if cfg!(target_vendor = "apple") {
        connection.execute_batch("PRAGMA fullfsync = 1; PRAGMA checkpoint_fullfsync = 1;")?;
    }
    connection.execute_batch("BEGIN EXCLUSIVE; COMMIT;")?;
    Ok(())
}

/// Brings the schema up to date in one transaction. A newer one is refused.
pub(super) fn migrate(
    connection: &mut Connection,
    migrations: &[&str],
    faults: &Faults,
) -> Result<(), DeviceError> {
    let known = u32::try_from(migrations.len()).unwrap_or(u32::MAX);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > known {
        return Err(DeviceError::NewerStore { found, known });
    }
    if found == known {
        return Ok(());
    }
    for step in migrations.iter().skip(found as usize) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    faults.check(Commit::Migrate, Side::Before)?;
    transaction.commit()?;
    faults.check(Commit::Migrate, Side::After)
}
