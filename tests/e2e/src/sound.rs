//! Whether database files are sound, read by SQLite itself and not by our own code.

use std::fs;
use std::path::Path;

use data_encoding::HEXLOWER;
use rusqlite::Connection;

/// Bytes of the check value before the data key in a host's key file.
const CHECK_BYTES: usize = 8;

/// Fails unless the server's store passes `PRAGMA integrity_check` and has no dangling references.
pub fn assert_server_sound(data: &Path) {
    let connection = Connection::open(data.join("gridwalk.db")).expect("the server's store opens");
    assert_intact(&connection, "the server's store");
}

/// The actions in a server's audit log that somebody has to look at, in their order.
pub fn alarms(data: &Path) -> Vec<String> {
    let connection = Connection::open(data.join("gridwalk.db")).expect("the server's store opens");
    let mut rows =
        connection.prepare("SELECT action FROM audit WHERE alarm = 1 ORDER BY no").expect("an audit log");
    let actions = rows.query_map([], |row| row.get(0)).expect("an audit log");
    actions.collect::<Result<_, _>>().expect("an audit log")
}

/// Fails unless both databases of a phone that is closed pass `PRAGMA integrity_check` and SQLCipher's own check of
/// every page.
pub fn assert_phone_sound(folder: &Path) {
    let key = fs::read(folder.join("store.key")).expect("a host's key file");
    let key = HEXLOWER.encode(&key[CHECK_BYTES..]);
    for name in ["store.db", "media.db"] {
        let connection = Connection::open(folder.join(name)).expect("the phone's database opens");
        connection.execute_batch(&format!("PRAGMA key = \"x'{key}'\";")).expect("the key is taken");
        assert_intact(&connection, name);
        let mut pages = connection.prepare("PRAGMA cipher_integrity_check").expect("SQLCipher");
        let mut bad = pages.query([]).expect("a check");
        assert!(bad.next().expect("a check").is_none(), "{name} has pages that are not authentic");
    }
}

fn assert_intact(connection: &Connection, name: &str) {
    let said: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("an integrity check");
    assert_eq!(said, "ok", "{name}");
    let mut check = connection.prepare("PRAGMA foreign_key_check").expect("a check");
    let mut dangling = check.query([]).expect("a check");
    assert!(dangling.next().expect("a check").is_none(), "{name} has dangling references");
}
