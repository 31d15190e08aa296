//! Quarantine, divergence, audit, media and imports in SQLite.

use gridwalk_model::photo_chain::{ChainLink, KeptLink};
use gridwalk_model::{ContentHash, RecordId, Timestamp};
use gridwalk_replica::wire::RuleFiles;
use rusqlite::Row;

use super::super::Stored;
use super::super::access::DeviceNo;
use super::super::ledger::{
    AuditRow, DivergenceRow, LedgerReads, LedgerWrites, MediaRow, NewQuarantine, QuarantineRow, UploadRow,
};
use super::super::records::StreamNo;
use super::values::{
    array, bytes, content_hash, flag, int, maybe_record_id, maybe_time, number, record_id, small, text, time,
};
use super::{Tx, failed};

fn quarantined(row: &Row<'_>) -> Stored<QuarantineRow> {
    let settled_at = maybe_time(row, 7)?;
    let settled_by = maybe_record_id(row, 8, "quarantine.settled_by")?;
    Ok(QuarantineRow {
        no: row.get(0).map_err(failed)?,
        device: DeviceNo(row.get(1).map_err(failed)?),
        record: record_id(row, 2, "quarantine.record")?,
        kind: text(row, 3)?,
        change: bytes(row, 4)?,
        verdict: bytes(row, 5)?,
        received_at: time(row, 6)?,
        settled: settled_at.zip(settled_by),
    })
}

macro_rules! audit_columns {
    () => {
        "no, at, actor, action, target, detail, alarm, previous, hash"
    };
}

fn audited(row: &Row<'_>) -> Stored<AuditRow> {
    Ok(AuditRow {
        no: number(row, 0)?,
        at: time(row, 1)?,
        actor: text(row, 2)?,
        action: text(row, 3)?,
        target: text(row, 4)?,
        detail: text(row, 5)?,
        alarm: flag(row, 6)?,
        previous: array(row, 7, "audit.previous")?,
        hash: array(row, 8, "audit.hash")?,
    })
}

fn upload(row: &Row<'_>) -> Stored<UploadRow> {
    Ok(UploadRow {
        id: text(row, 0)?,
        device: DeviceNo(row.get(1).map_err(failed)?),
        hash: content_hash(row, 2, "upload.hash")?,
        bytes: number(row, 3)?,
        created_at: time(row, 4)?,
        expires_at: time(row, 5)?,
    })
}

/// How the beginning of a compared range is stored.
fn range(after: Option<RecordId>) -> Vec<u8> {
    after.map_or_else(Vec::new, |id| id.as_bytes().to_vec())
}

fn kept_link(row: &Row<'_>) -> Stored<KeptLink> {
    let previous: Option<Vec<u8>> = row.get(3).map_err(failed)?;
    Ok(KeptLink {
        link: ChainLink {
            version: row.get(1).map_err(failed)?,
            number: number(row, 0)?,
            previous: previous.as_deref().and_then(ContentHash::from_slice),
        },
        hash: content_hash(row, 2, "photo_link.hash")?,
        fits: flag(row, 4)?,
    })
}

impl LedgerReads for Tx<'_> {
    fn quarantine(&self, before: Option<i64>, limit: u32) -> Stored<Vec<QuarantineRow>> {
        self.all(
            "SELECT no, device_no, record, kind, change, verdict, received_at, settled_at, settled_by
             FROM quarantine WHERE no < ?1 ORDER BY no DESC LIMIT ?2",
            (before.unwrap_or(i64::MAX), limit),
            quarantined,
        )
    }

    fn quarantine_open(&self) -> Stored<u64> {
        let sql = "SELECT count(*) FROM quarantine WHERE settled_at IS NULL";
        Ok(self.one(sql, [], |row| number(row, 0))?.unwrap_or(0))
    }

    fn quarantine_bytes(&self, device: DeviceNo) -> Stored<u64> {
        let sql = "SELECT coalesce(sum(length(change)), 0) FROM quarantine WHERE device_no = ?1";
        Ok(self.one(sql, [device.0], |row| number(row, 0))?.unwrap_or(0))
    }

    fn divergence(
        &self,
        device: DeviceNo,
        stream: StreamNo,
        after: Option<RecordId>,
    ) -> Stored<Option<DivergenceRow>> {
        self.one(
            "SELECT rounds, difference, seen_at FROM divergence
             WHERE device_no = ?1 AND stream_no = ?2 AND range = ?3",
            (device.0, stream.0, range(after)),
            |row| {
                Ok(DivergenceRow {
                    rounds: small(row, 0, "divergence.rounds")?,
                    difference: array(row, 1, "divergence.difference")?,
                    seen_at: time(row, 2)?,
                })
            },
        )
    }

    fn last_audit(&self) -> Stored<Option<AuditRow>> {
        let sql = concat!("SELECT ", audit_columns!(), " FROM audit ORDER BY no DESC LIMIT 1");
        self.one(sql, [], audited)
    }

    fn audit(&self, after: u64, limit: u32) -> Stored<Vec<AuditRow>> {
        let sql = concat!("SELECT ", audit_columns!(), " FROM audit WHERE no > ?1 ORDER BY no LIMIT ?2");
        self.all(sql, (int(after), limit), audited)
    }

    fn alarms(&self, limit: u32) -> Stored<Vec<AuditRow>> {
        let sql =
            concat!("SELECT ", audit_columns!(), " FROM audit WHERE alarm = 1 ORDER BY no DESC LIMIT ?1");
        self.all(sql, [limit], audited)
    }

    fn alarms_open(&self) -> Stored<u64> {
        let sql = "SELECT count(*) FROM audit WHERE alarm = 1 AND no NOT IN (SELECT no FROM alarm_seen)";
        Ok(self.one(sql, [], |row| number(row, 0))?.unwrap_or(0))
    }

    fn alarm_seen(&self, no: u64) -> Stored<Option<(Timestamp, RecordId)>> {
        self.one("SELECT at, by FROM alarm_seen WHERE no = ?1", [int(no)], |row| {
            Ok((time(row, 0)?, record_id(row, 1, "alarm_seen.by")?))
        })
    }

    fn media(&self, hash: &ContentHash) -> Stored<Option<MediaRow>> {
        self.one("SELECT bytes, stored_at FROM media WHERE hash = ?1", [&hash.as_bytes()[..]], |row| {
            Ok(MediaRow { bytes: number(row, 0)?, stored_at: time(row, 1)? })
        })
    }

    fn holds_media(&self, hash: &ContentHash, device: DeviceNo) -> Stored<bool> {
        let found = self.one(
            "SELECT 1 FROM media_holder WHERE hash = ?1 AND device_no = ?2",
            (&hash.as_bytes()[..], device.0),
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    fn photo_link(&self, record: RecordId, element: RecordId) -> Stored<Option<(DeviceNo, KeptLink)>> {
        self.one(
            "SELECT number, version, hash, previous, fits, device_no FROM photo_link
             WHERE record = ?1 AND element = ?2",
            (&record.as_bytes()[..], &element.as_bytes()[..]),
            |row| Ok((DeviceNo(row.get(5).map_err(failed)?), kept_link(row)?)),
        )
    }

    fn photo_links(&self, device: DeviceNo, number: u64) -> Stored<Vec<KeptLink>> {
        self.all(
            "SELECT number, version, hash, previous, fits FROM photo_link
             WHERE device_no = ?1 AND number = ?2 ORDER BY hash",
            (device.0, int(number)),
            kept_link,
        )
    }

    fn tracks_before(&self, before: Timestamp, limit: u32) -> Stored<Vec<ContentHash>> {
        self.all(
            "SELECT hash FROM track WHERE removed = 0 AND started_at < ?1 ORDER BY started_at LIMIT ?2",
            (before.millis(), limit),
            |row| content_hash(row, 0, "track.hash"),
        )
    }

    fn rule_files(&self) -> Stored<Option<RuleFiles>> {
        self.one("SELECT mark, doors, field, events FROM rule_files", [], |row| {
            Ok(RuleFiles {
                mark: bytes(row, 0)?.into(),
                doors: row.get(1).map_err(failed)?,
                field: row.get(2).map_err(failed)?,
                events: row.get(3).map_err(failed)?,
            })
        })
    }

    fn media_totals(&self) -> Stored<(u64, u64)> {
        let sql = "SELECT count(*), coalesce(sum(bytes), 0) FROM media";
        Ok(self.one(sql, [], |row| Ok((number(row, 0)?, number(row, 1)?)))?.unwrap_or_default())
    }

    fn upload(&self, id: &str) -> Stored<Option<UploadRow>> {
        self.one(
            "SELECT id, device_no, hash, bytes, created_at, expires_at FROM upload WHERE id = ?1",
            [id],
            upload,
        )
    }

    fn open_uploads(&self, device: DeviceNo) -> Stored<(u64, u64)> {
        let sql = "SELECT count(*), coalesce(sum(bytes), 0) FROM upload WHERE device_no = ?1";
        Ok(self.one(sql, [device.0], |row| Ok((number(row, 0)?, number(row, 1)?)))?.unwrap_or_default())
    }

    fn expired_uploads(&self, now: Timestamp, limit: u32) -> Stored<Vec<UploadRow>> {
        self.all(
            "SELECT id, device_no, hash, bytes, created_at, expires_at FROM upload
             WHERE expires_at <= ?1 ORDER BY expires_at, id LIMIT ?2",
            (now.millis(), limit),
            upload,
        )
    }

    fn source_key(&self, source: &str, key: &str) -> Stored<Option<RecordId>> {
        self.one("SELECT record FROM source_key WHERE source = ?1 AND key = ?2", [source, key], |row| {
            record_id(row, 0, "source_key.record")
        })
    }

    fn imported(&self, record: RecordId) -> Stored<Vec<(String, Vec<u8>)>> {
        self.all(
            "SELECT field, value FROM imported WHERE record = ?1 ORDER BY field",
            [&record.as_bytes()[..]],
            |row| Ok((text(row, 0)?, bytes(row, 1)?)),
        )
    }
}

impl LedgerWrites for Tx<'_> {
    fn insert_quarantine(&mut self, row: &NewQuarantine<'_>) -> Stored<bool> {
        let inserted = self.execute(
            "INSERT INTO quarantine (device_no, record, kind, hash, change, verdict, received_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
            (
                row.device.0,
                &row.record.as_bytes()[..],
                row.kind,
                &row.hash[..],
                row.change,
                row.verdict,
                row.received_at.millis(),
            ),
        )?;
        Ok(inserted > 0)
    }

    fn settle_quarantine(&mut self, no: i64, at: Timestamp, by: RecordId) -> Stored<()> {
        self.execute(
            "UPDATE quarantine SET settled_at = ?2, settled_by = ?3 WHERE no = ?1 AND settled_at IS NULL",
            (no, at.millis(), &by.as_bytes()[..]),
        )?;
        Ok(())
    }

    fn put_divergence(
        &mut self,
        device: DeviceNo,
        stream: StreamNo,
        after: Option<RecordId>,
        row: Option<&DivergenceRow>,
    ) -> Stored<()> {
        let range = range(after);
        match row {
            Some(row) => self.execute(
                "INSERT INTO divergence (device_no, stream_no, range, rounds, difference, seen_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO UPDATE SET rounds = ?4, difference = ?5, seen_at = ?6",
                (device.0, stream.0, range, row.rounds, &row.difference[..], row.seen_at.millis()),
            )?,
            None => self.execute(
                "DELETE FROM divergence WHERE device_no = ?1 AND stream_no = ?2 AND range = ?3",
                (device.0, stream.0, range),
            )?,
        };
        Ok(())
    }

    fn note_read(&mut self, device: DeviceNo, at: Timestamp, record: RecordId) -> Stored<bool> {
        let added = self.execute(
            "INSERT INTO sensitive_read (device_no, at, record) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            (device.0, at.millis(), &record.as_bytes()[..]),
        )?;
        Ok(added > 0)
    }

    fn put_rule_files(&mut self, rules: &RuleFiles, at: Timestamp) -> Stored<()> {
        self.execute(
            "INSERT INTO rule_files (one, mark, doors, field, events, set_at) VALUES (1, ?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET mark = ?1, doors = ?2, field = ?3, events = ?4, set_at = ?5",
            (rules.mark.as_slice(), &rules.doors, &rules.field, &rules.events, at.millis()),
        )?;
        Ok(())
    }

    fn insert_audit(&mut self, row: &AuditRow) -> Stored<()> {
        self.execute(
            "INSERT INTO audit (no, at, actor, action, target, detail, alarm, previous, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            (
                int(row.no),
                row.at.millis(),
                &row.actor,
                &row.action,
                &row.target,
                &row.detail,
                row.alarm,
                &row.previous[..],
                &row.hash[..],
            ),
        )?;
        Ok(())
    }

    fn acknowledge_alarm(&mut self, no: u64, at: Timestamp, by: RecordId) -> Stored<()> {
        self.execute(
            "INSERT INTO alarm_seen (no, at, by) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            (int(no), at.millis(), &by.as_bytes()[..]),
        )?;
        Ok(())
    }

    fn insert_media(&mut self, hash: &ContentHash, row: &MediaRow) -> Stored<()> {
        self.execute(
            "INSERT INTO media (hash, bytes, stored_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            (&hash.as_bytes()[..], int(row.bytes), row.stored_at.millis()),
        )?;
        self.execute("UPDATE track SET removed = 0 WHERE hash = ?1", [&hash.as_bytes()[..]])?;
        Ok(())
    }

    fn delete_media(&mut self, hash: &ContentHash) -> Stored<()> {
        self.execute("DELETE FROM media_holder WHERE hash = ?1", [&hash.as_bytes()[..]])?;
        self.execute("DELETE FROM media WHERE hash = ?1", [&hash.as_bytes()[..]])?;
        Ok(())
    }

    fn add_track(&mut self, hash: &ContentHash, started_at: Timestamp) -> Stored<()> {
        self.execute(
            "INSERT INTO track (hash, started_at) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET started_at = min(started_at, excluded.started_at)",
            (&hash.as_bytes()[..], started_at.millis()),
        )?;
        Ok(())
    }

    fn track_is_removed(&mut self, hash: &ContentHash) -> Stored<()> {
        self.execute("UPDATE track SET removed = 1 WHERE hash = ?1", [&hash.as_bytes()[..]])?;
        Ok(())
    }

    fn add_media_holder(&mut self, hash: &ContentHash, device: DeviceNo) -> Stored<()> {
        self.execute(
            "INSERT INTO media_holder (hash, device_no) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            (&hash.as_bytes()[..], device.0),
        )?;
        Ok(())
    }

    fn insert_photo_link(
        &mut self,
        record: RecordId,
        element: RecordId,
        device: DeviceNo,
        kept: &KeptLink,
    ) -> Stored<()> {
        self.execute(
            "INSERT INTO photo_link (record, element, device_no, number, version, hash, previous, fits)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
            (
                &record.as_bytes()[..],
                &element.as_bytes()[..],
                device.0,
                int(kept.link.number),
                kept.link.version,
                &kept.hash.as_bytes()[..],
                kept.link.previous.as_ref().map(|hash| &hash.as_bytes()[..]),
                kept.fits,
            ),
        )?;
        Ok(())
    }

    fn insert_upload(&mut self, row: &UploadRow) -> Stored<()> {
        self.execute(
            "INSERT INTO upload (id, device_no, hash, bytes, created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            (
                &row.id,
                row.device.0,
                &row.hash.as_bytes()[..],
                int(row.bytes),
                row.created_at.millis(),
                row.expires_at.millis(),
            ),
        )?;
        Ok(())
    }

    fn delete_upload(&mut self, id: &str) -> Stored<()> {
        self.execute("DELETE FROM upload WHERE id = ?1", [id])?;
        Ok(())
    }

    fn put_source_key(&mut self, source: &str, key: &str, record: RecordId) -> Stored<()> {
        self.execute(
            "INSERT INTO source_key (source, key, record) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET record = ?3",
            (source, key, &record.as_bytes()[..]),
        )?;
        Ok(())
    }

    fn put_imported(&mut self, record: RecordId, field: &str, value: &[u8]) -> Stored<()> {
        self.execute(
            "INSERT INTO imported (record, field, value) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET value = ?3",
            (&record.as_bytes()[..], field, value),
        )?;
        Ok(())
    }
}
