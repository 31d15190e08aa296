//! A damaged database is set aside, never deleted; what had not been sent is saved out of it.

use std::path::{Path, PathBuf};

use gridwalk_model::{RecordId, Timestamp};
use gridwalk_replica::admission::{self, Origin};
use rusqlite::types::Value as Cell;
use rusqlite::{Connection, OpenFlags};

use super::open::{self, Database, Encryption, StoreLocation};
use super::{Body, Commit, Faults, Store, Tx};
use crate::error::DeviceError;

/// What was saved out of a damaged store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Salvaged {
    /// Where the damaged file is now.
    pub set_aside: PathBuf,
    /// Whether the enrolment could be read; otherwise the device has to be enrolled again.
    pub identity: bool,
    /// Unsent changes that could be read.
    pub changes: usize,
    /// Whether every row of the outbox could be read.
    pub complete: bool,
}

/// Lies beside a store that was found damaged while it was open: the next opening sets it aside.
const MARK: &str = "damaged";

/// Tables whose rows are saved, in this order.
const SAVED: [&str; 14] = [
    "setting",
    "outbox",
    "sent",
    "quarantine",
    "refused_edit",
    "upload",
    "draft",
    "draft_photo",
    "voice_note",
    "patrol",
    "patrol_point",
    "visit_draft",
    "sensitive_read",
    "photo_print",
];

/// Opens a database; one that is damaged is moved away and a new one made. Returns where the damaged one is.
pub(super) fn open_or_set_aside(
    database: Database,
    location: &StoreLocation,
    encryption: &Encryption,
    faults: &Faults,
) -> Result<(Connection, Option<PathBuf>), DeviceError> {
    let StoreLocation::Folder(folder) = location else {
        return Ok((open::open(database, location, encryption, faults)?, None));
    };
    let mark = folder.join(format!("{}.{MARK}", database.file_name()));
    if !mark.exists() {
        match open::open(database, location, encryption, faults) {
            Err(DeviceError::Damaged) => {}
            other => return Ok((other?, None)),
        }
    }
    let aside = set_aside(database, folder)?;
    let fresh = open::open(database, location, encryption, faults)?;
    match std::fs::remove_file(&mark) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    Ok((fresh, Some(aside)))
}

/// Moves the database with its log to a name that is not taken.
fn set_aside(database: Database, folder: &Path) -> Result<PathBuf, DeviceError> {
    let name = database.file_name();
    let target = (1u32..)
        .map(|n| folder.join(format!("{name}.damaged-{n}")))
        .find(|path| !path.exists())
        .ok_or(DeviceError::Damaged)?;
    // The log first: without it the file alone is an older state, and never mistaken for the whole.
    for suffix in ["-wal", "-journal"] {
        let log = folder.join(format!("{name}{suffix}"));
        if log.exists() {
            let mut moved = target.clone().into_os_string();
            moved.push(suffix);
            std::fs::rename(log, moved)?;
        }
    }
    std::fs::rename(database.path_in(folder), &target)?;
    Ok(target)
}

impl Store {
    /// Remembers that the store is damaged, so that the next opening sets it aside. Called after
    /// [`DeviceError::Damaged`].
    ///
    /// # Errors
    /// Failures of the file system.
    pub fn mark_damaged(&self) -> Result<(), DeviceError> {
        if let Some(folder) = &self.folder {
            std::fs::write(folder.join(format!("{}.{MARK}", Database::Records.file_name())), b"")?;
        }
        Ok(())
    }

    /// Reads what can be read of a damaged file into this fresh store.
    pub(super) fn salvage(
        &mut self,
        damaged: &Path,
        encryption: &Encryption,
    ) -> Result<Salvaged, DeviceError> {
        let mut report =
            Salvaged { set_aside: damaged.to_owned(), identity: false, changes: 0, complete: false };
        if open_damaged(damaged, encryption).is_err() {
            return Ok(report);
        }
        report.complete = true;
        let mut rows = Vec::new();
        for table in SAVED {
            let (found, complete) = readable_rows(|| open_damaged(damaged, encryption).ok(), table);
            if table == "outbox" {
                report.changes = found.len();
                report.complete = complete;
            }
            rows.push((table, found));
        }
        report.identity = self.write(Commit::Migrate, |tx| {
            for (table, found) in &rows {
                for row in found {
                    tx.insert_row(table, row)?;
                }
            }
            tx.forget_voices_without_draft()?;
            // What the lost store knew of the streams is gone, and so may be changes of the present incarnation.
            tx.connection.execute("DELETE FROM setting WHERE name IN ('projections')", [])?;
            tx.identity = tx.view.identity()?;
            if tx.identity.is_some() {
                tx.reincarnate()?;
            }
            tx.rebuild_from_outbox()?;
            Ok(tx.identity.is_some())
        })?;
        Ok(report)
    }
}

impl Tx<'_> {
    /// Applies what waits for a record that has just come from the server, after the phone's own copy was lost.
    pub(crate) fn apply_waiting(&mut self, id: RecordId, kind: &str) -> Result<(), DeviceError> {
        let Some(old) = self.record(id)? else { return Ok(()) };
        let rows = self.outbox_of(id)?;
        let raws: Vec<&[u8]> = rows.iter().map(|row| row.raw.as_slice()).collect();
        let admission = admission::admit(id, kind, old.readable(), &raws, &Origin::Server);
        if let Some(admitted) = admission.admitted {
            self.put_record(id, kind, Some(&old), &admitted.document, Body::Snapshot(&admitted.snapshot))?;
        }
        Ok(())
    }

    /// Records that were made on this phone and not sent stand in the outbox as a whole.
    fn rebuild_from_outbox(&mut self) -> Result<(), DeviceError> {
        for (id, _) in self.outbox_records(Timestamp::from_millis(i64::MAX), usize::MAX)? {
            let rows = self.outbox_of(id)?;
            let Some(kind) = rows.first().map(|row| row.kind.clone()) else { continue };
            let raws: Vec<&[u8]> = rows.iter().map(|row| row.raw.as_slice()).collect();
            let admission = admission::admit(id, &kind, None, &raws, &Origin::Server);
            if let Some(admitted) = admission.admitted {
                self.put_record(id, &kind, None, &admitted.document, Body::Snapshot(&admitted.snapshot))?;
            }
        }
        Ok(())
    }
}

type SavedRow = Vec<(String, Cell)>;

impl Tx<'_> {
    fn insert_row(&mut self, table: &str, row: &SavedRow) -> Result<(), DeviceError> {
        let names: Vec<&str> = row.iter().map(|(name, _)| name.as_str()).collect();
        let marks = vec!["?"; names.len()].join(", ");
        let sql = format!("INSERT OR IGNORE INTO {table} ({}) VALUES ({marks})", names.join(", "));
        // A row of a damaged page may break a constraint: it is as lost as one that cannot be read.
        let values = rusqlite::params_from_iter(row.iter().map(|(_, cell)| cell));
        match self.connection.prepare_cached(&sql)?.execute(values) {
            Err(error) if DeviceError::from_constraint(&error) => Ok(()),
            other => Ok(other.map(|_| ())?),
        }
    }
}

impl DeviceError {
    fn from_constraint(error: &rusqlite::Error) -> bool {
        error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation)
    }
}

fn open_damaged(path: &Path, encryption: &Encryption) -> Result<Connection, DeviceError> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    open::prepare(&connection, encryption, Database::Records)?;
    Ok(connection)
}

/// Gaps in numbers that are tried one by one before the rest of a table is given up.
const GAP_MAX: i64 = 4_096;

/// Row by row, so that one damaged page costs its own rows only. Says whether all could be read. SQLCipher answers
/// nothing more on a connection that has met a damaged page, so each try has its own.
fn readable_rows(old: impl Fn() -> Option<Connection>, table: &str) -> (Vec<SavedRow>, bool) {
    let mut out = Vec::new();
    let read =
        |query: &str, out: &mut Vec<SavedRow>| old().is_some_and(|old| read_until_damage(&old, query, out));
    if read(&format!("SELECT * FROM {table} ORDER BY 1"), &mut out) {
        return (out, true);
    }
    let number = |row: &SavedRow| match row.first() {
        Some((name, Cell::Integer(n))) if name == "n" => Some(*n),
        _ => None,
    };
    // Behind the damage: numbered rows are asked for from each number on, until a page answers again.
    let mut from = match out.last() {
        Some(row) => number(row).map(|n| n + 1),
        None => Some(1),
    };
    let mut gap = 0;
    while let Some(n) = from.filter(|_| gap < GAP_MAX) {
        let before = out.len();
        let done = read(&format!("SELECT * FROM {table} WHERE n >= {n} ORDER BY n"), &mut out);
        if done {
            break;
        }
        (from, gap) = if out.len() > before {
            (out.last().and_then(number).map(|n| n + 1), 0)
        } else {
            (Some(n + 1), gap + 1)
        };
    }
    (out, false)
}

/// Reads rows until the first that cannot be read. Says whether there was none.
fn read_until_damage(old: &Connection, query: &str, out: &mut Vec<SavedRow>) -> bool {
    let Ok(mut statement) = old.prepare(query) else { return false };
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let Ok(mut rows) = statement.query([]) else { return false };
    loop {
        match rows.next() {
            Ok(Some(row)) => {
                let cells =
                    names.iter().enumerate().map(|(at, name)| Some((name.clone(), row.get(at).ok()?)));
                match cells.collect::<Option<SavedRow>>() {
                    Some(row) => out.push(row),
                    None => return false,
                }
            }
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}
