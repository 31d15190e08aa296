//! Tests of the schema: a migrated database equals a fresh one, and the committed dump is what the code makes.

#![cfg(test)]

use rusqlite::Connection;

use super::open::{self, Database, Encryption};
use super::{Faults, StoreLocation};
use crate::error::DeviceError;

const DUMP: &str = "../../schemas/device.sql";

/// Every object of a database but the shadow tables of the search index.
fn schema(connection: &Connection) -> Vec<String> {
    let mut statement = connection
        .prepare(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'search\\_%' ESCAPE '\\'
             ORDER BY rowid",
        )
        .unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn fresh(database: Database) -> Vec<String> {
    schema(&open::open(database, &StoreLocation::Memory, &Encryption::None, &Faults::none()).unwrap())
}

#[test]
fn a_migrated_file_equals_a_fresh_one() {
    for database in [Database::Records, Database::Media] {
        for first in 0..database.migrations().len() {
            let folder = tempfile::tempdir().unwrap();
            let location = StoreLocation::Folder(folder.path().to_owned());
            let path = database.path_in(folder.path());
            let mut old = Connection::open(&path).unwrap();
            open::migrate(&mut old, &database.migrations()[..first], &Faults::none()).unwrap();
            drop(old);
            let migrated = open::open(database, &location, &Encryption::None, &Faults::none()).unwrap();
            assert_eq!(schema(&migrated), fresh(database));
            drop(migrated);
            // On a real file opened again.
            let again = open::open(database, &location, &Encryption::None, &Faults::none()).unwrap();
            assert_eq!(schema(&again), fresh(database));
        }
    }
}

#[test]
fn a_newer_file_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let location = StoreLocation::Folder(folder.path().to_owned());
    let open = || open::open(Database::Records, &location, &Encryption::None, &Faults::none());
    open().unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(open(), Err(DeviceError::NewerStore { found: 99, known: 1 })));
    let left = Connection::open(folder.path().join("store.db")).unwrap();
    assert_eq!(left.query_row("PRAGMA user_version", [], |row| row.get::<_, u32>(0)).unwrap(), 99);
}

#[test]
fn the_committed_dump_is_what_the_code_makes() {
    let mut dump = String::from(
        "-- The phone's databases as they are now. Written by the test `the_committed_dump_is_what_the_code_makes`\n\
         -- of gridwalk-device (UPDATE_SCHEMAS=1); the reasons stand in core/device/src/store/migrations.\n",
    );
    for database in [Database::Records, Database::Media] {
        dump.push_str(&format!("\n-- {}\n", database.file_name()));
        for statement in fresh(database) {
            dump.push_str(&format!("\n{statement};\n"));
        }
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(DUMP);
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(&path, &dump).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(committed, dump, "run with UPDATE_SCHEMAS=1 to write the dump anew");
}
