//! Records: documents as bytes, and what is kept beside them.

use gridwalk_model::event::EventRules;
use gridwalk_model::schema::REMOVED_KEY;
use gridwalk_model::{Fields, Kind, RecordId, Timestamp, Value};
use gridwalk_replica::digest::Fingerprint;
use gridwalk_replica::{Document, conflict};
use rusqlite::{OptionalExtension, Row};

use super::fields::{decode_fields, encode_fields};
use super::projection::{self, Projection};
use super::{Store, Tx, View, sql};
use crate::error::DeviceError;

/// Bits of `record.flags`.
pub(crate) mod flag {
    /// The record cannot be read by this build: shown as "needs update".
    pub(crate) const UNREADABLE: i64 = 1;
    /// A field has values that differ.
    pub(crate) const CONFLICT: i64 = 2;
    /// Removed by one, edited by another who had not seen it: shown, flagged.
    pub(crate) const EDITED_WHILE_REMOVED: i64 = 4;
    /// Has left a stream; dropped when no other holds it and nothing of it waits.
    pub(crate) const LEAVING: i64 = 8;
    /// The server lacks changes of it: its whole history is offered.
    pub(crate) const WANTED: i64 = 16;
}

/// Changes behind the snapshot from which it is made anew. At 200 edits a compacted document is a twentieth of the
/// size and loads in half the time; between 10 and 20 the two costs balance.
const COMPACT_AT: i64 = 16;

/// A record as stored.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) key: i64,
    pub(crate) kind: String,
    pub(crate) flags: i64,
    pub(crate) hidden: bool,
    pub(crate) fingerprint: Fingerprint,
    tail_count: i64,
    fields: Vec<u8>,
    /// Snapshot and tail: what [`Document::load`] reads.
    pub(crate) bytes: Vec<u8>,
    snapshot_len: usize,
}

impl Loaded {
    #[cfg(test)]
    pub(crate) fn tail_len(&self) -> i64 {
        self.tail_count
    }

    /// The bytes to build on; `None` while the record cannot be read.
    pub(crate) fn readable(&self) -> Option<&[u8]> {
        if self.bytes.is_empty() { None } else { Some(&self.bytes) }
    }
}

/// How a document is stored: as a new snapshot, or as the last one with one more change.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Body<'a> {
    Snapshot(&'a [u8]),
    Change(&'a [u8]),
}

/// What is to be known of a record beside its fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordState {
    /// A change of it waits to be sent.
    pub waiting: bool,
    /// A field has values that differ; see the list of conflicts.
    pub conflict: bool,
    /// Removed by one, edited by another who had not seen the removal.
    pub edited_while_removed: bool,
    /// A newer build is needed to read all of it.
    pub needs_update: bool,
}

impl RecordState {
    pub(crate) const fn of(flags: i64, waiting: bool) -> Self {
        Self {
            waiting,
            conflict: flags & flag::CONFLICT != 0,
            edited_while_removed: flags & flag::EDITED_WHILE_REMOVED != 0,
            needs_update: flags & flag::UNREADABLE != 0,
        }
    }
}

/// A record as lists read it.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) key: i64,
    pub(crate) id: RecordId,
    pub(crate) kind: String,
    pub(crate) sort: String,
    pub(crate) fields: Fields,
    pub(crate) state: RecordState,
}

/// The columns of [`Listed`], for a query over `record AS r`.
const LISTED: &str = "r.key, r.id, r.kind, r.sort, r.flags, r.fields,
     EXISTS (SELECT 1 FROM outbox o WHERE o.record = r.id)";

fn listed(row: &Row<'_>) -> Result<Listed, DeviceError> {
    let flags = row.get(4)?;
    Ok(Listed {
        key: row.get(0)?,
        id: sql::record_id(row, 1)?,
        kind: row.get(2)?,
        sort: row.get(3)?,
        fields: decode_fields(row.get_ref(5)?.as_blob().map_err(|_| DeviceError::Damaged)?)?,
        state: RecordState::of(flags, row.get(6)?),
    })
}

impl View<'_> {
    pub(crate) fn record(&self, id: RecordId) -> Result<Option<Loaded>, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT key, kind, flags, hidden, fingerprint, tail_count, fields, snapshot, tail
             FROM record WHERE id = ?1",
        )?;
        let loaded = statement.query_row([id.as_bytes()], |row| {
            let mut bytes: Vec<u8> = row.get(7)?;
            let snapshot_len = bytes.len();
            bytes.extend_from_slice(row.get_ref(8)?.as_blob()?);
            Ok(Loaded {
                key: row.get(0)?,
                kind: row.get(1)?,
                flags: row.get(2)?,
                hidden: row.get(3)?,
                fingerprint: Fingerprint(sql::bytes16(row, 4)?),
                tail_count: row.get(5)?,
                fields: row.get(6)?,
                bytes,
                snapshot_len,
            })
        });
        Ok(loaded.optional()?)
    }

    /// The record's key and flags.
    pub(crate) fn record_key(&self, id: RecordId) -> Result<Option<(i64, i64)>, DeviceError> {
        let mut statement = self.connection.prepare_cached("SELECT key, flags FROM record WHERE id = ?1")?;
        Ok(statement.query_row([id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
    }

    pub(crate) fn listed(&self, id: RecordId) -> Result<Option<Listed>, DeviceError> {
        self.list(&format!("SELECT {LISTED} FROM record r WHERE r.id = ?1"), [id.as_bytes()])
            .map(|rows| rows.into_iter().next())
    }

    pub(crate) fn listed_by_key(&self, key: i64) -> Result<Option<Listed>, DeviceError> {
        self.list(&format!("SELECT {LISTED} FROM record r WHERE r.key = ?1"), [key])
            .map(|rows| rows.into_iter().next())
    }

    /// The record, unless it was removed.
    pub(crate) fn shown(&self, id: RecordId) -> Result<Option<Listed>, DeviceError> {
        self.list(&format!("SELECT {LISTED} FROM record r WHERE r.id = ?1 AND r.hidden = 0"), [id.as_bytes()])
            .map(|rows| rows.into_iter().next())
    }

    /// Records of a kind in their order, after `after` (its place and key).
    pub(crate) fn list_kind(
        &self,
        kind: &str,
        after: Option<(&str, i64)>,
        limit: usize,
    ) -> Result<Vec<Listed>, DeviceError> {
        let (sort, key) = after.unwrap_or(("", -1));
        self.list(
            &format!(
                "SELECT {LISTED} FROM record r
                 WHERE r.kind = ?1 AND r.hidden = 0 AND (r.sort, r.key) > (?2, ?3)
                 ORDER BY r.sort, r.key LIMIT ?4"
            ),
            (kind, sort, key, i64::try_from(limit).unwrap_or(i64::MAX)),
        )
    }

    /// Records of a kind whose place in the list begins with `prefix`.
    pub(crate) fn list_prefix(&self, kind: &str, prefix: &str) -> Result<Vec<Listed>, DeviceError> {
        self.list(
            &format!(
                "SELECT {LISTED} FROM record r
                 WHERE r.kind = ?1 AND r.hidden = 0 AND r.sort >= ?2 AND r.sort < ?2 || char(1114111)
                 ORDER BY r.sort, r.key"
            ),
            (kind, prefix),
        )
    }

    /// Records of a kind that name `target` in `field`, in their order. The links come first (`CROSS JOIN` keeps the
    /// order of the tables): for the sake of the sorting SQLite would rather walk through all records of the kind.
    pub(crate) fn list_linked(
        &self,
        kind: &str,
        field: &str,
        target: RecordId,
    ) -> Result<Vec<Listed>, DeviceError> {
        self.list(
            &format!(
                "SELECT {LISTED} FROM link l CROSS JOIN record r ON r.key = l.source
                 WHERE l.target = ?1 AND l.field = ?2 AND r.kind = ?3 AND r.hidden = 0
                 ORDER BY r.sort, r.key"
            ),
            (target.as_bytes(), field, kind),
        )
    }

    fn list(&self, query: &str, args: impl rusqlite::Params) -> Result<Vec<Listed>, DeviceError> {
        let mut statement = self.connection.prepare_cached(query)?;
        let mut rows = statement.query(args)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(listed(row)?);
        }
        Ok(out)
    }

    /// Records with any of these flags, in order of their keys.
    pub(crate) fn flagged(&self, flags: i64) -> Result<Vec<(i64, RecordId, String)>, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT key, id, kind FROM record WHERE flags <> 0 AND flags & ?1 <> 0 ORDER BY key",
        )?;
        let rows =
            statement.query_map([flags], |row| Ok((row.get(0)?, sql::record_id(row, 1)?, row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Tx<'_> {
    /// Stores a document with everything that follows from it. `old` is the record as stored now.
    pub(crate) fn put_record(
        &mut self,
        id: RecordId,
        kind: &str,
        old: Option<&Loaded>,
        document: &Document,
        body: Body<'_>,
    ) -> Result<i64, DeviceError> {
        let fields = document.fields();
        let fingerprint = Fingerprint::of(id, &document.heads());
        let mut flags = old.map_or(0, |old| old.flags & !(flag::UNREADABLE | flag::CONFLICT));
        flags &= !flag::EDITED_WHILE_REMOVED;
        if !conflict::conflicts(document).is_empty() {
            flags |= flag::CONFLICT;
        }
        let removed = fields.get(REMOVED_KEY) == Some(&Value::Flag(true));
        let revived = removed && conflict::edited_while_removed(document);
        if revived {
            flags |= flag::EDITED_WHILE_REMOVED;
        }
        let hidden = removed && !revived;
        let encoded = encode_fields(&fields);
        let projection = projection::project(kind, &fields, self.view.event_rules);
        let stored = Stored { fingerprint, flags, hidden, fields: &encoded, projection: &projection };
        let key = match old {
            None => {
                let snapshot = match body {
                    Body::Snapshot(bytes) | Body::Change(bytes) => bytes,
                };
                self.insert_record(id, kind, &stored, snapshot)?
            }
            Some(old) => {
                self.update_record(id, old, document, &stored, body)?;
                if old.fingerprint != fingerprint {
                    self.shift_digests(old.key, old.fingerprint, fingerprint)?;
                }
                old.key
            }
        };
        self.note_previews(key, &fields)?;
        Ok(key)
    }

    fn insert_record(
        &mut self,
        id: RecordId,
        kind: &str,
        new: &Stored<'_>,
        snapshot: &[u8],
    ) -> Result<i64, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO record (id, kind, hidden, flags, sort, fingerprint, fields, snapshot)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?;
        let key = statement.insert((
            id.as_bytes(),
            kind,
            new.hidden,
            new.flags,
            &new.projection.sort,
            new.fingerprint.0,
            new.fields,
            snapshot,
        ))?;
        self.index(key, &Projection::default(), &visible(new.projection, new.hidden))?;
        self.touch_visits(id, kind, [new.projection]);
        Ok(key)
    }

    fn update_record(
        &mut self,
        id: RecordId,
        old: &Loaded,
        document: &Document,
        new: &Stored<'_>,
        body: Body<'_>,
    ) -> Result<(), DeviceError> {
        let (base, mut tail) = old.bytes.split_at_checked(old.snapshot_len).unwrap_or_default();
        let joined;
        let compacted;
        let (snapshot, count) = match body {
            Body::Snapshot(bytes) => {
                tail = &[];
                (bytes, 0)
            }
            Body::Change(raw) if old.tail_count + 1 < COMPACT_AT => {
                joined = [tail, raw].concat();
                tail = &joined;
                (base, old.tail_count + 1)
            }
            Body::Change(_) => {
                compacted = document.save();
                if Document::load(&compacted)?.heads() != document.heads() {
                    return Err(DeviceError::Bug("a compacted document differs"));
                }
                tail = &[];
                (compacted.as_slice(), 0)
            }
        };
        let mut statement = self.connection.prepare_cached(
            "UPDATE record SET hidden = ?2, flags = ?3, sort = ?4, fingerprint = ?5, tail_count = ?6, fields = ?7,
             tail = ?8, snapshot = ?9 WHERE key = ?1",
        )?;
        statement.execute((
            old.key,
            new.hidden,
            new.flags,
            &new.projection.sort,
            new.fingerprint.0,
            count,
            new.fields,
            tail,
            snapshot,
        ))?;
        if old.fields != new.fields || old.hidden != new.hidden {
            let before = self.drawn(&old.kind, &old.fields)?;
            self.index(old.key, &visible(&before, old.hidden), &visible(new.projection, new.hidden))?;
            self.touch_visits(id, &old.kind, [&before, new.projection]);
        }
        Ok(())
    }

    /// The projection of a record as it is stored.
    fn drawn(&self, kind: &str, fields: &[u8]) -> Result<Projection, DeviceError> {
        Ok(projection::project(kind, &decode_fields(fields)?, self.view.event_rules))
    }

    /// Draws all events anew by other rules: their names in search, what is urgent, what is verified.
    pub(super) fn redraw_by_rules(&mut self, old: &EventRules, new: &EventRules) -> Result<(), DeviceError> {
        let sql = "SELECT key, hidden, fields FROM record WHERE kind = ?1 ORDER BY key";
        let mut statement = self.view.connection.prepare(sql)?;
        // The deadlines of orders end with a local day.
        for kind in [Kind::Event, Kind::RectificationOrder] {
            let mut rows = statement.query([kind.tag()])?;
            while let Some(row) = rows.next()? {
                let (key, hidden, fields): (i64, bool, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
                let fields = decode_fields(&fields)?;
                let [before, after] = [old, new].map(|rules| projection::project(kind.tag(), &fields, rules));
                self.index(key, &visible(&before, hidden), &visible(&after, hidden))?;
            }
        }
        Ok(())
    }

    /// Brings links and search from `old` to `new`.
    fn index(&mut self, key: i64, old: &Projection, new: &Projection) -> Result<(), DeviceError> {
        for (field, target) in old.links.difference(&new.links) {
            self.connection
                .prepare_cached("DELETE FROM link WHERE source = ?1 AND field = ?2 AND target = ?3")?
                .execute((key, field, target.as_bytes()))?;
        }
        for (field, target) in new.links.difference(&old.links) {
            self.connection
                .prepare_cached("INSERT OR IGNORE INTO link (source, field, target) VALUES (?1, ?2, ?3)")?
                .execute((key, field, target.as_bytes()))?;
        }
        self.index_due(key, &old.due, &new.due)?;
        if old.tokens != new.tokens {
            if !old.tokens.is_empty() {
                self.connection.prepare_cached("DELETE FROM search WHERE rowid = ?1")?.execute([key])?;
            }
            if !new.tokens.is_empty() {
                self.connection
                    .prepare_cached("INSERT INTO search (rowid, text) VALUES (?1, ?2)")?
                    .execute((key, &new.tokens))?;
            }
        }
        Ok(())
    }

    pub(crate) fn set_flag(&mut self, key: i64, flag: i64, on: bool) -> Result<(), DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "UPDATE record SET flags = CASE WHEN ?3 THEN flags | ?2 ELSE flags & ~?2 END
             WHERE key = ?1 AND (flags & ?2 <> 0) <> ?3",
        )?;
        statement.execute((key, flag, on))?;
        Ok(())
    }

    /// Takes a record off the phone: nothing of it remains but what waits or was refused.
    pub(crate) fn drop_record(&mut self, id: RecordId) -> Result<(), DeviceError> {
        let Some(loaded) = self.record(id)? else { return Ok(()) };
        for stream in self.streams_of(loaded.key)? {
            self.leave(stream, loaded.key)?;
        }
        let before = self.drawn(&loaded.kind, &loaded.fields)?;
        self.index(loaded.key, &visible(&before, loaded.hidden), &Projection::default())?;
        self.touch_visits(id, &loaded.kind, [&before]);
        self.connection.prepare_cached("DELETE FROM unread WHERE record = ?1")?.execute([loaded.key])?;
        self.connection.prepare_cached("DELETE FROM preview WHERE record = ?1")?.execute([loaded.key])?;
        self.connection.prepare_cached("DELETE FROM record WHERE key = ?1")?.execute([loaded.key])?;
        Ok(())
    }

    /// Keeps a body that cannot be applied. Without a document the record counts with the claimed fingerprint.
    pub(crate) fn put_unread(
        &mut self,
        id: RecordId,
        kind: &str,
        form: UnreadForm,
        bodies: &[&[u8]],
        claimed: Fingerprint,
        at: Timestamp,
    ) -> Result<i64, DeviceError> {
        let key = match self.record(id)? {
            Some(old) => {
                if old.readable().is_none() && old.fingerprint != claimed {
                    self.connection
                        .prepare_cached("UPDATE record SET fingerprint = ?2 WHERE key = ?1")?
                        .execute((old.key, claimed.0))?;
                    self.shift_digests(old.key, old.fingerprint, claimed)?;
                }
                old.key
            }
            None => self
                .connection
                .prepare_cached(
                    "INSERT INTO record (id, kind, hidden, fingerprint, fields, snapshot)
                     VALUES (?1, ?2, 1, ?3, ?4, x'')",
                )?
                .insert((id.as_bytes(), kind, claimed.0, encode_fields(&Fields::new())))?,
        };
        if form == UnreadForm::Snapshot {
            // A snapshot holds what came before it.
            self.connection.prepare_cached("DELETE FROM unread WHERE record = ?1")?.execute([key])?;
        }
        for body in bodies {
            self.connection
                .prepare_cached("INSERT INTO unread (record, form, body, at) VALUES (?1, ?2, ?3, ?4)")?
                .execute((key, form as i64, body, at.millis()))?;
        }
        self.set_flag(key, flag::UNREADABLE, true)?;
        Ok(key)
    }

    /// Takes out what [`Self::put_unread`] kept, in order.
    pub(crate) fn take_unread(&mut self, key: i64) -> Result<Vec<(UnreadForm, Vec<u8>)>, DeviceError> {
        let mut statement =
            self.connection.prepare_cached("SELECT form, body FROM unread WHERE record = ?1 ORDER BY n")?;
        let rows = statement.query_map([key], |row| {
            let form = if row.get::<_, i64>(0)? == 1 { UnreadForm::Snapshot } else { UnreadForm::Change };
            Ok((form, row.get(1)?))
        })?;
        let out = rows.collect::<Result<_, _>>()?;
        self.connection.prepare_cached("DELETE FROM unread WHERE record = ?1")?.execute([key])?;
        Ok(out)
    }
}

/// What a kept body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnreadForm {
    Snapshot = 1,
    Change = 2,
}

struct Stored<'a> {
    fingerprint: Fingerprint,
    flags: i64,
    hidden: bool,
    fields: &'a [u8],
    projection: &'a Projection,
}

/// A hidden record is not found, but its links still count.
fn visible(projection: &Projection, hidden: bool) -> Projection {
    if hidden {
        Projection { links: projection.links.clone(), ..Projection::default() }
    } else {
        projection.clone()
    }
}

impl Store {
    /// After an upgrade that draws projections differently, all are drawn anew; documents stay as they are.
    pub(super) fn bring_projections_up_to_date(&mut self) -> Result<(), DeviceError> {
        use super::{Commit, Setting};
        if self.view().get_number(Setting::Projections)? == Some(projection::VERSION) {
            return Ok(());
        }
        self.write(Commit::Migrate, |tx| {
            tx.connection.execute_batch("DELETE FROM link; DELETE FROM search; DELETE FROM due;")?;
            tx.touch_all_visits();
            let mut statement =
                tx.view.connection.prepare("SELECT key, kind, hidden, fields FROM record ORDER BY key")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let (key, kind, hidden): (i64, String, bool) = (row.get(0)?, row.get(1)?, row.get(2)?);
                let fields = decode_fields(&row.get::<_, Vec<u8>>(3)?)?;
                let new = projection::project(&kind, &fields, tx.view.event_rules);
                tx.connection
                    .prepare_cached("UPDATE record SET sort = ?2 WHERE key = ?1 AND sort <> ?2")?
                    .execute((key, &new.sort))?;
                tx.index(key, &Projection::default(), &visible(&new, hidden))?;
            }
            tx.put_number(Setting::Projections, projection::VERSION)
        })
    }
}

#[cfg(test)]
impl Store {
    /// The store as an older build with other projections left it.
    pub(crate) fn forget_projections_for_test(&self) {
        self.connection
            .execute_batch(
                "DELETE FROM setting WHERE name = 'projections';
                 DELETE FROM link; DELETE FROM search; DELETE FROM due; DELETE FROM visit_due;",
            )
            .unwrap();
    }

    /// A page in the middle of the outbox.
    pub(crate) fn outbox_page_for_test(&self) -> i64 {
        self.connection
            .query_row(
                "SELECT pageno FROM dbstat WHERE name = 'outbox' AND pagetype = 'leaf' ORDER BY path LIMIT 1 OFFSET 3",
                [],
                |row| row.get(0),
            )
            .unwrap()
    }
}
