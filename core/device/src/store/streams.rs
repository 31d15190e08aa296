//! Streams that the device holds, and which records belong to them.

use gridwalk_model::{RecordId, StreamId, Timestamp};
use gridwalk_replica::digest::{Fingerprint, StreamDigest};
use rusqlite::{OptionalExtension, Row};

use super::records::flag;
use super::{Tx, View, sql};
use crate::error::DeviceError;

/// A stream as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StreamRow {
    pub(crate) key: i64,
    pub(crate) id: StreamId,
    pub(crate) generation: u32,
    pub(crate) seq: u64,
    pub(crate) digest: StreamDigest,
    pub(crate) revoking: bool,
    pub(crate) restarted: bool,
    pub(crate) rounds: u32,
    pub(crate) comparing: bool,
    pub(crate) compare_after: Option<RecordId>,
    pub(crate) alarm_at: Option<Timestamp>,
}

const COLUMNS: &str =
    "key, id, generation, seq, digest, revoking, rounds, comparing, compare_after, alarm_at, restarted";

fn stream(row: &Row<'_>) -> Result<StreamRow, DeviceError> {
    let id = StreamId::from_bytes(row.get_ref(1)?.as_blob().map_err(|_| DeviceError::Damaged)?);
    let after: Option<Vec<u8>> = row.get(8)?;
    Ok(StreamRow {
        key: row.get(0)?,
        id: id.ok_or(DeviceError::Damaged)?,
        generation: row.get(2)?,
        seq: row.get::<_, i64>(3)?.cast_unsigned(),
        digest: StreamDigest::from_bytes(sql::bytes16(row, 4)?),
        revoking: row.get(5)?,
        rounds: row.get(6)?,
        comparing: row.get(7)?,
        compare_after: after.as_deref().and_then(RecordId::from_slice),
        alarm_at: sql::time_opt(row, 9)?,
        restarted: row.get(10)?,
    })
}

impl View<'_> {
    /// All streams, in the order of their identifiers.
    pub(crate) fn streams(&self) -> Result<Vec<StreamRow>, DeviceError> {
        let mut statement =
            self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM stream ORDER BY id"))?;
        let mut rows = statement.query([])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(stream(row)?);
        }
        Ok(out)
    }

    pub(crate) fn stream(&self, id: &StreamId) -> Result<Option<StreamRow>, DeviceError> {
        let mut statement =
            self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM stream WHERE id = ?1"))?;
        let mut rows = statement.query([id.to_bytes()])?;
        rows.next()?.map(stream).transpose()
    }

    pub(crate) fn has_stream(&self, key: i64) -> Result<bool, DeviceError> {
        let mut statement =
            self.connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM stream WHERE key = ?1)")?;
        Ok(statement.query_row([key], |row| row.get(0))?)
    }

    /// The streams that a record belongs to, by key.
    pub(crate) fn streams_of(&self, record: i64) -> Result<Vec<i64>, DeviceError> {
        let mut statement =
            self.connection.prepare_cached("SELECT stream FROM member WHERE record = ?1 ORDER BY stream")?;
        let rows = statement.query_map([record], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Identifiers of the streams that a record belongs to.
    pub(crate) fn stream_ids_of(&self, record: RecordId) -> Result<Vec<StreamId>, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT s.id FROM record r JOIN member m ON m.record = r.key JOIN stream s ON s.key = m.stream
             WHERE r.id = ?1 ORDER BY s.id",
        )?;
        let rows = statement.query_map([record.as_bytes()], |row| row.get::<_, Vec<u8>>(0))?;
        let mut out = Vec::new();
        for row in rows {
            out.push(StreamId::from_bytes(&row?).ok_or(DeviceError::Damaged)?);
        }
        Ok(out)
    }

    /// Records of a stream after `after` with their fingerprints, in the order of their identifiers.
    pub(crate) fn members(
        &self,
        stream: i64,
        after: Option<RecordId>,
        limit: usize,
    ) -> Result<Vec<(RecordId, Fingerprint)>, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT r.id, r.fingerprint FROM record r
             WHERE r.id > ?2 AND EXISTS (SELECT 1 FROM member m WHERE m.stream = ?1 AND m.record = r.key)
             ORDER BY r.id LIMIT ?3",
        )?;
        let after: &[u8] = after.as_ref().map_or(&[], |id| id.as_bytes());
        let rows = statement.query_map((stream, after, i64::try_from(limit).unwrap_or(i64::MAX)), |row| {
            Ok((sql::record_id(row, 0)?, Fingerprint(sql::bytes16(row, 1)?)))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether a change waits that belongs to the stream: of one of its records, or of a new one meant for it.
    pub(crate) fn stream_has_waiting(&self, stream: &StreamRow) -> Result<bool, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT EXISTS (
                 SELECT 1 FROM outbox o JOIN record r ON r.id = o.record JOIN member m ON m.record = r.key
                 WHERE m.stream = ?1)
             OR EXISTS (SELECT 1 FROM outbox WHERE hint = ?2)",
        )?;
        Ok(statement.query_row((stream.key, stream.id.to_bytes()), |row| row.get(0))?)
    }

    fn stored_digest(&self, stream: i64) -> Result<Option<StreamDigest>, DeviceError> {
        let mut statement = self.connection.prepare_cached("SELECT digest FROM stream WHERE key = ?1")?;
        let digest = statement.query_row([stream], |row| sql::bytes16(row, 0)).optional()?;
        Ok(digest.map(StreamDigest::from_bytes))
    }

    /// The digest of a stream, added up from its records. Only to check the one that is kept.
    #[cfg(test)]
    pub(crate) fn digest_from_records(&self, stream: i64) -> Result<StreamDigest, DeviceError> {
        let members = self.members(stream, None, usize::MAX)?;
        Ok(members.into_iter().fold(StreamDigest::default(), |sum, (_, fingerprint)| sum.with(fingerprint)))
    }
}

impl Tx<'_> {
    pub(crate) fn add_stream(&mut self, id: &StreamId, generation: u32) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached("INSERT INTO stream (id, generation, digest) VALUES (?1, ?2, ?3)")?
            .execute((id.to_bytes(), generation, StreamDigest::default().to_bytes()))?;
        Ok(())
    }

    /// A stream that was granted again begins anew; members that are not named again leave it at its end.
    pub(crate) fn restart_stream(&mut self, key: i64, generation: u32) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached(
                "UPDATE stream SET generation = ?2, seq = 0, revoking = 0, restarted = 1, rounds = 0,
                 comparing = 0, compare_after = NULL, alarm_at = NULL WHERE key = ?1",
            )?
            .execute((key, generation))?;
        Ok(())
    }

    /// On a new epoch the numbers of the old one mean nothing.
    pub(crate) fn void_cursors(&mut self) -> Result<(), DeviceError> {
        self.connection.execute(
            "UPDATE stream SET seq = 0, rounds = 0, comparing = 0, compare_after = NULL, alarm_at = NULL",
            [],
        )?;
        Ok(())
    }

    pub(crate) fn set_cursor(&mut self, key: i64, seq: u64) -> Result<(), DeviceError> {
        // The number is the server's own business: all 64 bits are kept.
        let seq = seq.cast_signed();
        self.connection
            .prepare_cached("UPDATE stream SET seq = ?2 WHERE key = ?1 AND seq <> ?2")?
            .execute((key, seq))?;
        Ok(())
    }

    pub(crate) fn set_revoking(&mut self, key: i64, revoking: bool) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached("UPDATE stream SET revoking = ?2 WHERE key = ?1 AND revoking <> ?2")?
            .execute((key, revoking))?;
        Ok(())
    }

    pub(crate) fn set_repair(&mut self, row: &StreamRow) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached(
                "UPDATE stream SET rounds = ?2, comparing = ?3, compare_after = ?4, alarm_at = ?5 WHERE key = ?1",
            )?
            .execute((
                row.key,
                row.rounds,
                row.comparing,
                row.compare_after.as_ref().map(RecordId::as_bytes),
                row.alarm_at.map(Timestamp::millis),
            ))?;
        Ok(())
    }

    /// Says that a record belongs to a stream.
    pub(crate) fn join(&mut self, stream: i64, generation: u32, record: i64) -> Result<(), DeviceError> {
        let added = self
            .connection
            .prepare_cached("INSERT OR IGNORE INTO member (stream, record, generation) VALUES (?1, ?2, ?3)")?
            .execute((stream, record, generation))?;
        if added == 0 {
            self.connection
                .prepare_cached(
                    "UPDATE member SET generation = ?3 WHERE stream = ?1 AND record = ?2 AND generation <> ?3",
                )?
                .execute((stream, record, generation))?;
            return Ok(());
        }
        let fingerprint = self
            .connection
            .prepare_cached("SELECT fingerprint FROM record WHERE key = ?1")?
            .query_row([record], |row| sql::bytes16(row, 0))?;
        let digest = self.digest(stream)?.with(Fingerprint(fingerprint));
        self.digests.insert(stream, digest);
        Ok(())
    }

    /// Says that a record no longer belongs to a stream, and marks it for dropping.
    pub(crate) fn leave(&mut self, stream: i64, record: i64) -> Result<(), DeviceError> {
        let gone = self
            .connection
            .prepare_cached("DELETE FROM member WHERE stream = ?1 AND record = ?2")?
            .execute((stream, record))?;
        if gone == 0 {
            return Ok(());
        }
        let fingerprint = self
            .connection
            .prepare_cached("SELECT fingerprint FROM record WHERE key = ?1")?
            .query_row([record], |row| sql::bytes16(row, 0))
            .optional()?;
        if let Some(fingerprint) = fingerprint {
            let digest = self.digest(stream)?.without(Fingerprint(fingerprint));
            self.digests.insert(stream, digest);
        }
        self.set_flag(record, flag::LEAVING, true)
    }

    /// Members that the present generation of the grant has not named.
    pub(crate) fn leave_older(&mut self, stream: &StreamRow) -> Result<(), DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT record FROM member WHERE stream = ?1 AND generation <> ?2 ORDER BY record",
        )?;
        let rows = statement.query_map((stream.key, stream.generation), |row| row.get(0))?;
        let older: Vec<i64> = rows.collect::<Result<_, _>>()?;
        older.into_iter().try_for_each(|record| self.leave(stream.key, record))?;
        self.connection
            .prepare_cached("UPDATE stream SET restarted = 0 WHERE key = ?1")?
            .execute([stream.key])?;
        Ok(())
    }

    /// Gives a stream up. Its records leave it.
    pub(crate) fn remove_stream(&mut self, key: i64) -> Result<(), DeviceError> {
        let mut statement =
            self.connection.prepare_cached("SELECT record FROM member WHERE stream = ?1 ORDER BY record")?;
        let rows = statement.query_map([key], |row| row.get(0))?;
        let members: Vec<i64> = rows.collect::<Result<_, _>>()?;
        members.into_iter().try_for_each(|record| self.leave(key, record))?;
        self.digests.remove(&key);
        self.connection.prepare_cached("DELETE FROM stream WHERE key = ?1")?.execute([key])?;
        self.connection
            .prepare_cached(
                "UPDATE record SET flags = flags | ?1
                 WHERE NOT EXISTS (SELECT 1 FROM member m WHERE m.record = record.key)",
            )?
            .execute([flag::LEAVING])?;
        Ok(())
    }

    /// Drops every record that has left its last stream and of which nothing waits.
    pub(crate) fn drop_left(&mut self) -> Result<usize, DeviceError> {
        let mut dropped = 0;
        for (key, id, _) in self.flagged(flag::LEAVING)? {
            if !self.streams_of(key)?.is_empty() {
                self.set_flag(key, flag::LEAVING, false)?;
            } else if !self.has_waiting(id)? {
                self.drop_record(id)?;
                dropped += 1;
            }
        }
        Ok(dropped)
    }

    /// The digest of a stream as this transaction sees it.
    pub(crate) fn digest(&mut self, stream: i64) -> Result<StreamDigest, DeviceError> {
        if let Some(digest) = self.digests.get(&stream) {
            return Ok(*digest);
        }
        let digest = self.stored_digest(stream)?.ok_or(DeviceError::Bug("digest of an unknown stream"))?;
        self.digests.insert(stream, digest);
        Ok(digest)
    }

    /// A record's fingerprint changed: so do the digests of its streams.
    pub(super) fn shift_digests(
        &mut self,
        record: i64,
        old: Fingerprint,
        new: Fingerprint,
    ) -> Result<(), DeviceError> {
        for stream in self.streams_of(record)? {
            let digest = self.digest(stream)?.without(old).with(new);
            self.digests.insert(stream, digest);
        }
        Ok(())
    }

    pub(super) fn flush_digests(&mut self) -> Result<(), DeviceError> {
        for (stream, digest) in std::mem::take(&mut self.digests) {
            self.connection
                .prepare_cached("UPDATE stream SET digest = ?2 WHERE key = ?1 AND digest <> ?2")?
                .execute((stream, digest.to_bytes()))?;
        }
        Ok(())
    }
}
