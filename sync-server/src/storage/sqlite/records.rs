//! Records, streams and links in SQLite.

use std::collections::BTreeSet;

use gridwalk_model::{ContentHash, RecordId, StreamId, Timestamp};
use gridwalk_replica::digest::StreamDigest;
use rusqlite::Row;

use super::super::Stored;
use super::super::records::{
    Link, Membership, PageRow, RecordHead, RecordNo, RecordReads, RecordWrite, RecordWrites, Referrer,
    ServerRow, StreamNo, StreamRow, TailRow,
};
use super::Tx;
use super::failed;
use super::values::{
    array, bytes, damaged, digest, fingerprint, flag, int, number, record_id, small, stream_id, text, time,
};

/// The columns of a head, in the order of [`head`]; `r` is `record`.
macro_rules! head_columns {
    () => {
        "r.no, r.id, r.kind, r.rev, r.seq, r.tail_after, r.tail_count, r.fingerprint, r.created_at, r.changed_at"
    };
}

/// How many columns a head has.
const HEAD: usize = 10;

fn head(row: &Row<'_>) -> Stored<RecordHead> {
    Ok(RecordHead {
        no: RecordNo(row.get(0).map_err(failed)?),
        id: record_id(row, 1, "record.id")?,
        kind: text(row, 2)?,
        rev: number(row, 3)?,
        seq: number(row, 4)?,
        tail_after: number(row, 5)?,
        tail_count: small(row, 6, "record.tail_count")?,
        fingerprint: fingerprint(row, 7, "record.fingerprint")?,
        created_at: time(row, 8)?,
        changed_at: time(row, 9)?,
    })
}

fn stream_row(row: &Row<'_>) -> Stored<StreamRow> {
    Ok(StreamRow {
        no: StreamNo(row.get(0).map_err(failed)?),
        id: stream_id(row, 1, "stream.id")?,
        seq: number(row, 2)?,
        digest: digest(row, 3, "stream.digest")?,
    })
}

impl RecordReads for Tx<'_> {
    fn server(&self) -> Stored<ServerRow> {
        let row = self.one(
            "SELECT name, device, epoch, incarnation, mark_key, commit_no, seq, backed_up_through, recovery_until
             FROM server",
            [],
            |row| {
                Ok(ServerRow {
                    name: text(row, 0)?,
                    device: array(row, 1, "server.device")?,
                    epoch: array(row, 2, "server.epoch")?,
                    incarnation: array(row, 3, "server.incarnation")?,
                    mark_key: array(row, 4, "server.mark_key")?,
                    commit_no: number(row, 5)?,
                    seq: number(row, 6)?,
                    backed_up_through: number(row, 7)?,
                    recovery_until: time(row, 8)?,
                })
            },
        )?;
        row.map_or_else(|| damaged("server"), Ok)
    }

    fn mark(&self, commit_no: u64) -> Stored<Option<u32>> {
        self.one("SELECT mark FROM commit_mark WHERE commit_no = ?1", [int(commit_no)], |row| {
            row.get(0).map_err(failed)
        })
    }

    fn record(&self, id: RecordId) -> Stored<Option<RecordHead>> {
        let sql = concat!("SELECT ", head_columns!(), " FROM record r WHERE r.id = ?1");
        self.one(sql, [&id.as_bytes()[..]], head)
    }

    fn record_by_no(&self, no: RecordNo) -> Stored<Option<RecordHead>> {
        let sql = concat!("SELECT ", head_columns!(), " FROM record r WHERE r.no = ?1");
        self.one(sql, [no.0], head)
    }

    fn snapshot(&self, no: RecordNo) -> Stored<Vec<u8>> {
        let found = self.one("SELECT snapshot FROM record WHERE no = ?1", [no.0], |row| bytes(row, 0))?;
        Ok(found.unwrap_or_default())
    }

    fn tail(&self, no: RecordNo, after: u64) -> Stored<Vec<TailRow>> {
        self.all(
            "SELECT seq, changes FROM tail WHERE record_no = ?1 AND seq > ?2 ORDER BY seq",
            (no.0, int(after)),
            |row| Ok(TailRow { seq: number(row, 0)?, changes: split(&bytes(row, 1)?)? }),
        )
    }

    fn records_of_kind(&self, kind: &str, before: Option<RecordNo>, limit: u32) -> Stored<Vec<RecordHead>> {
        let before = before.map_or(i64::MAX, |no| no.0);
        // Spelled out, so that the partial index is used.
        let sql = if kind == "event" {
            concat!(
                "SELECT ",
                head_columns!(),
                " FROM record r WHERE r.kind = 'event' AND r.kind = ?1 AND r.no < ?2 ORDER BY r.no DESC LIMIT ?3"
            )
        } else {
            concat!(
                "SELECT ",
                head_columns!(),
                " FROM record r WHERE r.kind = ?1 AND r.no < ?2 ORDER BY r.no DESC LIMIT ?3"
            )
        };
        self.all(sql, (kind, before, limit), head)
    }

    fn record_count(&self) -> Stored<u64> {
        Ok(self.one("SELECT count(*) FROM record", [], |row| number(row, 0))?.unwrap_or(0))
    }

    fn stream(&self, id: &StreamId) -> Stored<Option<StreamRow>> {
        self.one("SELECT no, id, seq, digest FROM stream WHERE id = ?1", [id.to_bytes()], stream_row)
    }

    fn stream_by_no(&self, no: StreamNo) -> Stored<Option<StreamRow>> {
        self.one("SELECT no, id, seq, digest FROM stream WHERE no = ?1", [no.0], stream_row)
    }

    fn memberships(&self, no: RecordNo) -> Stored<Vec<Membership>> {
        self.all(
            "SELECT m.stream_no, s.id, m.seq, m.entered, m.removed
             FROM record_stream m JOIN stream s ON s.no = m.stream_no
             WHERE m.record_no = ?1 ORDER BY m.stream_no",
            [no.0],
            |row| {
                Ok(Membership {
                    stream_no: StreamNo(row.get(0).map_err(failed)?),
                    stream: stream_id(row, 1, "stream.id")?,
                    seq: number(row, 2)?,
                    entered: number(row, 3)?,
                    removed: flag(row, 4)?,
                })
            },
        )
    }

    fn page(&self, stream: StreamNo, after: u64, limit: u32) -> Stored<Vec<PageRow>> {
        let sql = concat!(
            "SELECT ",
            head_columns!(),
            ", m.seq, m.entered, m.removed FROM record_stream m JOIN record r ON r.no = m.record_no
             WHERE m.stream_no = ?1 AND m.seq > ?2 ORDER BY m.seq LIMIT ?3"
        );
        self.all(sql, (stream.0, int(after), limit), |row| {
            Ok(PageRow {
                record: head(row)?,
                seq: number(row, HEAD)?,
                entered: number(row, HEAD + 1)?,
                removed: flag(row, HEAD + 2)?,
            })
        })
    }

    fn current(
        &self,
        stream: StreamNo,
        after: Option<RecordId>,
        through: Option<RecordId>,
    ) -> Stored<Vec<(RecordId, gridwalk_replica::digest::Fingerprint)>> {
        let after = after.map_or_else(Vec::new, |id| id.as_bytes().to_vec());
        let through = through.map_or_else(|| vec![0xff; 17], |id| id.as_bytes().to_vec());
        self.all(
            "SELECT r.id, r.fingerprint FROM record_stream m JOIN record r ON r.no = m.record_no
             WHERE m.stream_no = ?1 AND m.removed = 0 AND r.id > ?2 AND r.id <= ?3 ORDER BY r.id",
            (stream.0, after, through),
            |row| Ok((record_id(row, 0, "record.id")?, fingerprint(row, 1, "record.fingerprint")?)),
        )
    }

    fn links_of(&self, source: RecordNo) -> Stored<Vec<Link>> {
        self.all(
            "SELECT target, field, active, recheck FROM link WHERE source_no = ?1 ORDER BY target, field",
            [source.0],
            |row| {
                Ok(Link {
                    target: record_id(row, 0, "link.target")?,
                    field: text(row, 1)?,
                    active: flag(row, 2)?,
                    recheck: row.get(3).map_err(failed)?,
                })
            },
        )
    }

    fn referrers(&self, target: RecordId) -> Stored<Vec<Referrer>> {
        self.all(
            "SELECT r.no, r.id, r.kind, l.field, l.active FROM link l JOIN record r ON r.no = l.source_no
             WHERE l.target = ?1 ORDER BY l.field, l.source_no",
            [&target.as_bytes()[..]],
            |row| {
                Ok(Referrer {
                    no: RecordNo(row.get(0).map_err(failed)?),
                    id: record_id(row, 1, "record.id")?,
                    kind: text(row, 2)?,
                    field: text(row, 3)?,
                    active: flag(row, 4)?,
                })
            },
        )
    }

    fn links_due(&self, day: &str, limit: u32) -> Stored<Vec<RecordId>> {
        self.all(
            "SELECT r.id FROM link l JOIN record r ON r.no = l.source_no
             WHERE l.recheck IS NOT NULL AND l.recheck <= ?1 ORDER BY l.recheck, l.source_no LIMIT ?2",
            (day, limit),
            |row| record_id(row, 0, "record.id"),
        )
    }

    fn media_records(&self, hash: &ContentHash) -> Stored<Vec<RecordNo>> {
        self.all(
            "SELECT record_no FROM media_ref WHERE hash = ?1 ORDER BY record_no",
            [&hash.as_bytes()[..]],
            |row| Ok(RecordNo(row.get(0).map_err(failed)?)),
        )
    }
}

impl RecordWrites for Tx<'_> {
    fn insert_record(&mut self, id: RecordId, kind: &str, write: &RecordWrite<'_>) -> Stored<RecordNo> {
        let no = self.insert(
            "INSERT INTO record
             (id, kind, rev, seq, tail_after, tail_count, fingerprint, created_at, changed_at, snapshot)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9)",
            (
                &id.as_bytes()[..],
                kind,
                int(write.rev),
                int(write.seq),
                int(write.tail_after),
                write.tail_count,
                &write.fingerprint.0[..],
                write.changed_at.millis(),
                write.snapshot,
            ),
        )?;
        Ok(RecordNo(no))
    }

    fn update_record(&mut self, no: RecordNo, write: &RecordWrite<'_>) -> Stored<()> {
        self.execute(
            "UPDATE record SET rev = ?2, seq = ?3, tail_after = ?4, tail_count = ?5, fingerprint = ?6,
             changed_at = ?7, snapshot = ?8 WHERE no = ?1",
            (
                no.0,
                int(write.rev),
                int(write.seq),
                int(write.tail_after),
                write.tail_count,
                &write.fingerprint.0[..],
                write.changed_at.millis(),
                write.snapshot,
            ),
        )?;
        Ok(())
    }

    fn add_tail(&mut self, no: RecordNo, seq: u64, changes: &[&[u8]]) -> Stored<()> {
        self.execute(
            "INSERT INTO tail (record_no, seq, changes) VALUES (?1, ?2, ?3)",
            (no.0, int(seq), joined(changes)),
        )?;
        Ok(())
    }

    fn cut_tail(&mut self, no: RecordNo, keep: u32) -> Stored<Option<u64>> {
        let last = self.one(
            "SELECT seq FROM tail WHERE record_no = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2",
            (no.0, keep),
            |row| number(row, 0),
        )?;
        if let Some(last) = last {
            self.execute("DELETE FROM tail WHERE record_no = ?1 AND seq <= ?2", (no.0, int(last)))?;
        }
        Ok(last)
    }

    fn ensure_stream(&mut self, id: &StreamId) -> Stored<StreamRow> {
        if let Some(row) = self.stream(id)? {
            return Ok(row);
        }
        let no = self.insert("INSERT INTO stream (id) VALUES (?1)", [id.to_bytes()])?;
        Ok(StreamRow { no: StreamNo(no), id: *id, seq: 0, digest: StreamDigest::default() })
    }

    fn update_stream(&mut self, no: StreamNo, seq: u64, digest: StreamDigest) -> Stored<()> {
        self.execute(
            "UPDATE stream SET seq = ?2, digest = ?3 WHERE no = ?1",
            (no.0, int(seq), &digest.to_bytes()[..]),
        )?;
        Ok(())
    }

    fn put_membership(&mut self, record: RecordNo, membership: &Membership) -> Stored<()> {
        self.execute(
            "INSERT INTO record_stream (record_no, stream_no, seq, entered, removed) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET seq = ?3, entered = ?4, removed = ?5",
            (
                record.0,
                membership.stream_no.0,
                int(membership.seq),
                int(membership.entered),
                membership.removed,
            ),
        )?;
        Ok(())
    }

    fn put_links(&mut self, source: RecordNo, links: &BTreeSet<Link>) -> Stored<()> {
        self.execute("DELETE FROM link WHERE source_no = ?1", [source.0])?;
        for link in links {
            self.execute(
                "INSERT INTO link (target, field, source_no, active, recheck) VALUES (?1, ?2, ?3, ?4, ?5)",
                (&link.target.as_bytes()[..], &link.field, source.0, link.active, &link.recheck),
            )?;
        }
        Ok(())
    }

    fn add_media_ref(&mut self, hash: &ContentHash, record: RecordNo) -> Stored<()> {
        self.execute(
            "INSERT INTO media_ref (hash, record_no) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            (&hash.as_bytes()[..], record.0),
        )?;
        Ok(())
    }

    fn set_epoch(&mut self, epoch: [u8; 16], incarnation: [u8; 4], mark_key: [u8; 32]) -> Stored<()> {
        self.execute(
            "UPDATE server SET epoch = ?1, incarnation = ?2, mark_key = ?3",
            (&epoch[..], &incarnation[..], &mark_key[..]),
        )?;
        Ok(())
    }

    fn set_backed_up(&mut self, commit_no: u64) -> Stored<()> {
        self.execute("UPDATE server SET backed_up_through = ?1", [int(commit_no)])?;
        Ok(())
    }

    fn set_recovery(&mut self, until: Timestamp) -> Stored<()> {
        self.execute("UPDATE server SET recovery_until = ?1", [until.millis()])?;
        Ok(())
    }

    fn set_server_name(&mut self, name: &str) -> Stored<()> {
        self.execute("UPDATE server SET name = ?1", [name])?;
        Ok(())
    }
}

/// Raw changes in one column: each with its length before it.
fn joined(changes: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(changes.iter().map(|change| change.len() + 4).sum());
    for change in changes {
        // A change has at most 64 KiB.
        out.extend(u32::try_from(change.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(change);
    }
    out
}

fn split(mut column: &[u8]) -> Stored<Vec<Vec<u8>>> {
    let mut out = Vec::new();
    while let Some((len, rest)) = column.split_first_chunk::<4>() {
        let len = usize::try_from(u32::from_be_bytes(*len)).unwrap_or(usize::MAX);
        let Some((change, rest)) = rest.split_at_checked(len) else { return damaged("tail.changes") };
        out.push(change.to_vec());
        column = rest;
    }
    if column.is_empty() { Ok(out) } else { damaged("tail.changes") }
}
