//! Sealed work of locked devices in SQLite.

use gridwalk_model::{RecordId, Timestamp};
use gridwalk_replica::sealed::SealingKeys;
use rusqlite::Row;

use super::super::Stored;
use super::super::access::DeviceNo;
use super::super::sealed::{PackageRow, SealedReads, SealedWrites, Settled};
use super::values::{array, bytes, flag, maybe_record_id, maybe_time, number, small, time};
use super::{Tx, failed};

macro_rules! package_columns {
    () => {
        "no, device_no, name, parts, bytes, begun_at, whole_at, accepted, settled_at, settled_by"
    };
}

fn package(row: &Row<'_>) -> Stored<PackageRow> {
    let by: Option<RecordId> = maybe_record_id(row, 9, "sealed_package.settled_by")?;
    let settled = match (maybe_time(row, 8)?, by) {
        (Some(at), Some(by)) => Some(Settled { accepted: flag(row, 7)?, at, by }),
        _ => None,
    };
    Ok(PackageRow {
        no: row.get(0).map_err(failed)?,
        device: DeviceNo(row.get(1).map_err(failed)?),
        name: array(row, 2, "sealed_package.name")?,
        of: small(row, 3, "sealed_package.parts")?,
        bytes: number(row, 4)?,
        begun_at: time(row, 5)?,
        whole_at: maybe_time(row, 6)?,
        settled,
    })
}

impl SealedReads for Tx<'_> {
    fn sealing_keys(&self) -> Stored<Option<SealingKeys>> {
        self.one("SELECT secret, public FROM sealing_key", [], |row| {
            Ok(SealingKeys {
                secret: array(row, 0, "sealing_key.secret")?,
                public: array(row, 1, "sealing_key.public")?,
            })
        })
    }

    fn package(&self, no: i64) -> Stored<Option<PackageRow>> {
        let sql = concat!("SELECT ", package_columns!(), " FROM sealed_package WHERE no = ?1");
        self.one(sql, [no], package)
    }

    fn package_named(&self, device: DeviceNo, name: &[u8; 16]) -> Stored<Option<PackageRow>> {
        let sql =
            concat!("SELECT ", package_columns!(), " FROM sealed_package WHERE device_no = ?1 AND name = ?2");
        self.one(sql, (device.0, &name[..]), package)
    }

    fn packages(&self) -> Stored<Vec<PackageRow>> {
        let sql = concat!("SELECT ", package_columns!(), " FROM sealed_package ORDER BY no DESC");
        self.all(sql, [], package)
    }

    fn part(&self, package: i64, part: u32) -> Stored<Option<Vec<u8>>> {
        let sql = "SELECT body FROM sealed_part WHERE package_no = ?1 AND n = ?2";
        self.one(sql, (package, part), |row| bytes(row, 0))
    }

    fn missing_part(&self, package: i64) -> Stored<u32> {
        // The first number without a successor; zero where even that is missing.
        let sql = "SELECT CASE WHEN EXISTS (SELECT 1 FROM sealed_part WHERE package_no = ?1 AND n = 0)
             THEN (SELECT min(n) + 1 FROM sealed_part AS own WHERE package_no = ?1 AND NOT EXISTS (
                 SELECT 1 FROM sealed_part WHERE package_no = ?1 AND n = own.n + 1))
             ELSE 0 END";
        Ok(self.one(sql, [package], |row| small(row, 0, "sealed_part.n"))?.unwrap_or(0))
    }
}

impl SealedWrites for Tx<'_> {
    fn insert_sealing_keys(&mut self, keys: &SealingKeys, at: Timestamp) -> Stored<()> {
        self.execute(
            "INSERT INTO sealing_key (one, secret, public, made_at) VALUES (1, ?1, ?2, ?3) ON CONFLICT DO NOTHING",
            (&keys.secret[..], &keys.public[..], at.millis()),
        )?;
        Ok(())
    }

    fn insert_package(&mut self, device: DeviceNo, name: &[u8; 16], of: u32, at: Timestamp) -> Stored<i64> {
        self.insert(
            "INSERT INTO sealed_package (device_no, name, parts, begun_at) VALUES (?1, ?2, ?3, ?4)",
            (device.0, &name[..], of, at.millis()),
        )
    }

    fn put_part(&mut self, package: i64, part: u32, body: &[u8]) -> Stored<()> {
        self.execute(
            "INSERT INTO sealed_part (package_no, n, body) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET body = excluded.body",
            (package, part, body),
        )?;
        self.execute(
            "UPDATE sealed_package SET bytes =
                 (SELECT coalesce(sum(length(body)), 0) FROM sealed_part WHERE package_no = ?1)
             WHERE no = ?1",
            [package],
        )?;
        Ok(())
    }

    fn close_package(&mut self, package: i64, at: Timestamp) -> Stored<()> {
        self.execute("UPDATE sealed_package SET whole_at = ?2 WHERE no = ?1", (package, at.millis()))?;
        Ok(())
    }

    fn settle_package(&mut self, package: i64, settled: &Settled) -> Stored<()> {
        self.execute(
            "UPDATE sealed_package SET accepted = ?2, settled_at = ?3, settled_by = ?4 WHERE no = ?1",
            (package, settled.accepted, settled.at.millis(), &settled.by.as_bytes()[..]),
        )?;
        Ok(())
    }

    fn drop_parts(&mut self, package: i64) -> Stored<()> {
        self.execute("DELETE FROM sealed_part WHERE package_no = ?1", [package])?;
        Ok(())
    }
}
