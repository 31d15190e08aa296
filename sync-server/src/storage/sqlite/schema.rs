//! The store's schema and how an older one becomes it.

use rusqlite::{Connection, TransactionBehavior};

use super::super::{StorageError, Stored};
use super::{Birth, failed};

/// Every step from an empty file on. A store's version is how many of them it has taken, so that a number cannot
/// be mistyped. A step that has been released is never altered.
pub const MIGRATIONS: &[&str] = &[include_str!("migrations/0001_foundation.sql")];

/// Takes the missing steps in one transaction.
pub(super) fn migrate(connection: &mut Connection, birth: &Birth) -> Stored<()> {
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let found: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
    if found > known {
        return Err(StorageError::NewerSchema { found, known });
    }
    for step in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(usize::MAX)) {
        transaction.execute_batch(step).map_err(failed)?;
    }
    if found < known {
        transaction.pragma_update(None, "user_version", known).map_err(failed)?;
    }
    transaction
        .execute(
            "INSERT INTO server (one, name, device, epoch, incarnation, mark_key, commit_no, seq, backed_up_through)
             SELECT 1, 'Gridwalk', ?1, ?2, ?3, ?4, 0, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM server)",
            (&birth.device[..], &birth.epoch[..], &birth.incarnation[..], &birth.mark_key[..]),
        )
        .map_err(failed)?;
    transaction.commit().map_err(failed)
}

/// The whole schema as text, comments included: what a fresh store is made of.
pub fn dump(connection: &Connection) -> Stored<String> {
    let mut statement = connection
        .prepare(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'
             ORDER BY CASE type WHEN 'table' THEN 0 WHEN 'index' THEN 1 ELSE 2 END, rowid",
        )
        .map_err(failed)?;
    let parts = statement.query_map([], |row| row.get::<_, String>(0)).map_err(failed)?;
    let mut out = String::new();
    for part in parts {
        out.push_str(&part.map_err(failed)?);
        out.push_str(";\n\n");
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Storage;
    use crate::storage::sqlite::{SqliteOptions, SqliteStorage};

    const BIRTH: Birth = Birth { device: [1; 12], epoch: [2; 16], incarnation: [3; 4], mark_key: [4; 32] };

    fn schema_of(path: &std::path::Path) -> String {
        dump(&Connection::open(path).unwrap()).unwrap()
    }

    #[test]
    fn a_store_migrated_step_by_step_equals_a_fresh_one() {
        let folder = tempfile::tempdir().unwrap();
        let fresh = folder.path().join("fresh.db");
        drop(SqliteStorage::open(&fresh, &SqliteOptions::default(), &BIRTH).unwrap());
        for steps in 1..MIGRATIONS.len() {
            let old = folder.path().join(format!("from-{steps}.db"));
            let connection = Connection::open(&old).unwrap();
            for step in &MIGRATIONS[..steps] {
                connection.execute_batch(step).unwrap();
            }
            connection.pragma_update(None, "user_version", steps as u32).unwrap();
            drop(connection);
            drop(SqliteStorage::open(&old, &SqliteOptions::default(), &BIRTH).unwrap());
            assert_eq!(schema_of(&old), schema_of(&fresh));
        }
        let reopened = SqliteStorage::open(&fresh, &SqliteOptions::default(), &BIRTH).unwrap();
        reopened.read(&mut |tx| tx.server().map(|server| assert_eq!(server.epoch, [2; 16]))).unwrap();
    }

    #[test]
    fn a_newer_store_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("newer.db");
        drop(SqliteStorage::open(&path, &SqliteOptions::default(), &BIRTH).unwrap());
        let newer = MIGRATIONS.len() as u32 + 1;
        Connection::open(&path).unwrap().pragma_update(None, "user_version", newer).unwrap();
        let refused = SqliteStorage::open(&path, &SqliteOptions::default(), &BIRTH).err();
        assert!(matches!(refused, Some(StorageError::NewerSchema { found, .. }) if found == newer));
        let still: u32 =
            Connection::open(&path).unwrap().query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        assert_eq!(still, newer);
    }

    #[test]
    fn the_committed_dump_is_what_a_store_is_made_of() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dump.db");
        drop(SqliteStorage::open(&path, &SqliteOptions::default(), &BIRTH).unwrap());
        let heading = "-- The server's store as SQLite has it. Generated: UPDATE_SCHEMAS=1 cargo test -p gridwalk-server\n\n";
        let dump = format!("{heading}{}", schema_of(&path));
        let committed = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/server.sql");
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(&committed, &dump).unwrap();
        }
        let stands = std::fs::read_to_string(&committed).unwrap_or_default();
        assert_eq!(stands, dump, "run with UPDATE_SCHEMAS=1 and commit schemas/server.sql");
    }
}
