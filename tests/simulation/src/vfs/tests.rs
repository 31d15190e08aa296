//! The disk catches what it is there to catch, and keeps what it must keep.

use rusqlite::Connection;

use super::*;

/// Opens a database, in a write-ahead log, as the product's stores do. `None` if the power failed meanwhile.
fn open(disk: &PowerDisk, synchronous: &str, exclusive: bool) -> Option<Connection> {
    let connection = Connection::open(disk.folder("store.db")).ok()?;
    let mode = if exclusive { "EXCLUSIVE" } else { "NORMAL" };
    let pragmas = format!(
        "PRAGMA locking_mode={mode}; PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous};
         PRAGMA wal_autocheckpoint=8; CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, filler BLOB);"
    );
    connection.execute_batch(&pragmas).ok()?;
    Some(connection)
}

fn rows(connection: &Connection) -> Vec<i64> {
    let mut statement = connection.prepare("SELECT n FROM t ORDER BY n").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// Commits rows, with the power failing again and again at any operation. Returns how many acknowledged ones are gone.
fn lost(seed: u64, synchronous: &str, exclusive: bool) -> usize {
    let mut random = Seeded::new(seed);
    let disk = PowerDisk::new().unwrap();
    let mut acknowledged = Vec::new();
    let mut n = 0;
    for _ in 0..6 {
        let after = random.below(60) as u64;
        disk.fail_after(after);
        if let Some(connection) = open(&disk, synchronous, exclusive) {
            for _ in 0..20 {
                n += 1;
                let filler = vec![n as u8; random.below(6_000)];
                if connection.execute("INSERT INTO t VALUES (?1, ?2)", (n, filler)).is_ok() {
                    acknowledged.push(n);
                }
            }
        }
        if random.chance(0.5) { disk.cut(Unsynced::Lost) } else { disk.cut(Unsynced::Partly(&mut random)) }
    }
    // A database that does not open again is lost as a whole.
    let Some(connection) = open(&disk, synchronous, exclusive) else { return acknowledged.len() };
    let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    if verdict != "ok" {
        return acknowledged.len();
    }
    let there = rows(&connection);
    acknowledged.iter().filter(|n| !there.contains(n)).count()
}

#[test]
fn what_was_committed_with_full_sync_survives_every_power_cut() {
    for seed in 0..60 {
        assert_eq!(lost(seed, "FULL", true), 0, "seed {seed}, exclusive");
        assert_eq!(lost(seed, "FULL", false), 0, "seed {seed}, shared memory");
    }
}

#[test]
fn committing_without_waiting_for_the_disk_is_caught() {
    for synchronous in ["OFF", "NORMAL"] {
        let caught = (0..10).filter(|seed| lost(*seed, synchronous, true) > 0).count();
        assert!(caught >= 8, "{synchronous}: caught with {caught} of 10 seeds");
    }
}

#[test]
fn a_disk_that_lies_is_caught_too() {
    let disk = PowerDisk::new().unwrap();
    let connection = open(&disk, "FULL", true).unwrap();
    disk.lie_about_syncs();
    connection.execute("INSERT INTO t VALUES (1, NULL)", []).unwrap();
    disk.cut(Unsynced::Lost);
    assert!(connection.execute("INSERT INTO t VALUES (2, NULL)", []).is_err(), "the power was cut");
    drop(connection);
    assert!(rows(&open(&disk, "FULL", true).unwrap()).is_empty());
}

#[test]
fn several_connections_share_one_log_and_exclude_each_other() {
    let disk = PowerDisk::new().unwrap();
    let writer = open(&disk, "FULL", false).unwrap();
    let reader = open(&disk, "FULL", false).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    assert!(rows(&reader).is_empty());
    writer.execute("INSERT INTO t VALUES (1, NULL)", []).unwrap();
    assert!(rows(&reader).is_empty(), "a reader keeps its snapshot");
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(rows(&reader), [1]);
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    reader.busy_timeout(std::time::Duration::ZERO).unwrap();
    assert!(reader.execute("INSERT INTO t VALUES (2, NULL)", []).is_err(), "one writer at a time");
    drop(writer);
    reader.execute("INSERT INTO t VALUES (2, NULL)", []).unwrap();
    drop(reader);

    let alone = open(&disk, "FULL", true).unwrap();
    alone.execute("INSERT INTO t VALUES (3, NULL)", []).unwrap();
    let second = Connection::open(disk.folder("store.db")).unwrap();
    second.busy_timeout(std::time::Duration::ZERO).unwrap();
    assert!(second.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)).is_err());
}

#[test]
fn other_folders_are_the_systems_own() {
    let _disk = PowerDisk::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("real.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (n)").unwrap();
    assert!(std::fs::metadata(&path).unwrap().len() > 0);
}
