//! Writing records: the record itself, its raw changes, its places in streams, and all that follows from them.
//! Everything that enters the store goes through here: pushes, officers' edits, imports.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use gridwalk_model::schema::PlacementRule;
use gridwalk_model::{AccessClass, Fields, Kind, RecordId, StreamId, Timestamp};
use gridwalk_replica::digest::Fingerprint;

use super::placing;
use crate::storage::records::{Membership, RecordHead, RecordNo, RecordWrite, StreamRow};
use crate::storage::{StorageError, Stored, WriteTx};

/// How many batches of raw changes a record may gather, and how many are left when it is cut. A phone that lacks
/// more than these is better served with the snapshot.
const TAIL_MAX: u32 = 24;
const TAIL_KEEP: u32 = 8;
/// How often one record may be placed again within one transaction. Honest links settle in one or two; links that
/// go round in a circle must not keep the writer busy.
const REPLACED_MAX: u32 = 4;

/// A record on its way into the store.
#[derive(Clone, Copy, Debug)]
pub struct Landed<'a> {
    /// Identifier.
    pub id: RecordId,
    /// Kind.
    pub kind: Kind,
    /// What the store has of it.
    pub head: Option<&'a RecordHead>,
    /// Its content now.
    pub fields: &'a Fields,
    /// Whether it is not removed.
    pub shown: bool,
    /// Its document.
    pub snapshot: &'a [u8],
    /// Fingerprint of its heads.
    pub fingerprint: Fingerprint,
    /// The new raw changes, in batches that get a sequence number each.
    pub batches: &'a [Vec<&'a [u8]>],
    /// Where it is kept while its content places it nowhere.
    pub hint: Option<StreamId>,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The record's number in the store.
    pub no: RecordNo,
    /// Sequence number of the first batch.
    pub seq: u64,
    /// Sequence number of the record's last change before; 0 for a new record.
    pub before: u64,
}

/// Work that follows from a change of place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Follow {
    /// Records that inherit their place from this one.
    Dependents(RecordId),
    /// This record itself.
    Place(RecordId),
}

/// One transaction's writes. Call [`Self::finish`] before the transaction ends.
pub struct Landing {
    now: Timestamp,
    streams: BTreeMap<StreamId, (StreamRow, bool)>,
    queue: VecDeque<Follow>,
    queued: BTreeSet<Follow>,
    replaced: BTreeMap<RecordId, u32>,
}

impl Landing {
    /// Begins.
    pub fn new(now: Timestamp) -> Self {
        Self {
            now,
            streams: BTreeMap::new(),
            queue: VecDeque::new(),
            queued: BTreeSet::new(),
            replaced: BTreeMap::new(),
        }
    }

    /// The streams that a record will be in: where its content and links place it, else where it is, else the
    /// hint.
    ///
    /// # Errors
    /// A failure of the store.
    pub fn destination(
        tx: &dyn WriteTx,
        record: &Landed<'_>,
        members: &[Membership],
    ) -> Stored<BTreeSet<StreamId>> {
        let placed = placing::target(tx, record.kind.schema(), record.id, record.fields)?;
        if !placed.is_empty() {
            return Ok(placed);
        }
        let current: BTreeSet<StreamId> = live(members).map(|member| member.stream).collect();
        let hint = record.hint.and_then(|hint| of_class(hint, record.kind.schema().class));
        Ok(if current.is_empty() { hint.into_iter().collect() } else { current })
    }

    /// Writes a record into its streams.
    ///
    /// # Errors
    /// A failure of the store.
    pub fn land(
        &mut self,
        tx: &mut dyn WriteTx,
        record: &Landed<'_>,
        members: &[Membership],
        streams: &BTreeSet<StreamId>,
    ) -> Stored<Written> {
        let first = tx.next_seq();
        let mut last = first;
        for _ in record.batches.iter().skip(1) {
            last = tx.next_seq();
        }
        let no = match record.head {
            None => self.insert(tx, record, first, last)?,
            Some(head) => self.update(tx, record, head, first, last)?,
        };
        self.write_links(tx, record, no)?;
        let before = record.head.map_or(record.fingerprint, |head| head.fingerprint);
        self.place(tx, record.id, no, members, streams, (before, record.fingerprint), Some(last))?;
        Ok(Written { no, seq: first, before: record.head.map_or(0, |head| head.seq) })
    }

    fn insert(&self, tx: &mut dyn WriteTx, record: &Landed<'_>, first: u64, last: u64) -> Stored<RecordNo> {
        // The first batch need not be kept: whoever lacks it lacks the record, and gets the snapshot.
        let later = record.batches.len().saturating_sub(1);
        let write = RecordWrite {
            rev: 1,
            seq: last,
            tail_after: first,
            tail_count: u32::try_from(later).unwrap_or(0),
            fingerprint: record.fingerprint,
            changed_at: self.now,
            snapshot: record.snapshot,
        };
        let no = tx.insert_record(record.id, record.kind.tag(), &write)?;
        for (batch, seq) in record.batches.iter().skip(1).zip(first + 1..) {
            tx.add_tail(no, seq, batch)?;
        }
        Ok(no)
    }

    fn update(
        &self,
        tx: &mut dyn WriteTx,
        record: &Landed<'_>,
        head: &RecordHead,
        first: u64,
        last: u64,
    ) -> Stored<RecordNo> {
        let added = u32::try_from(record.batches.len()).unwrap_or(u32::MAX);
        let (mut tail_after, mut tail_count) = (head.tail_after, head.tail_count.saturating_add(added));
        for (batch, seq) in record.batches.iter().zip(first..) {
            tx.add_tail(head.no, seq, batch)?;
        }
        if tail_count > TAIL_MAX
            && let Some(cut) = tx.cut_tail(head.no, TAIL_KEEP)?
        {
            (tail_after, tail_count) = (cut, TAIL_KEEP);
        }
        let write = RecordWrite {
            rev: head.rev + 1,
            seq: last,
            tail_after,
            tail_count,
            fingerprint: record.fingerprint,
            changed_at: self.now,
            snapshot: record.snapshot,
        };
        tx.update_record(head.no, &write)?;
        Ok(head.no)
    }

    /// Writes the links where they differ, and asks for what they place to be placed again.
    fn write_links(&mut self, tx: &mut dyn WriteTx, record: &Landed<'_>, no: RecordNo) -> Stored<()> {
        let schema = record.kind.schema();
        let links = placing::links(schema, record.fields, record.shown, placing::day_of(self.now));
        let has_links = matches!(schema.placement, PlacementRule::Inherit(_))
            || placing::referring_fields(record.kind).next().is_some();
        if !has_links {
            return Ok(());
        }
        let before: BTreeSet<_> =
            if record.head.is_some() { tx.links_of(no)?.into_iter().collect() } else { BTreeSet::new() };
        if before == links {
            return Ok(());
        }
        tx.put_links(no, &links)?;
        for field in placing::referring_fields(record.kind) {
            for link in before.union(&links).filter(|link| link.field == field) {
                self.follow(Follow::Place(link.target));
            }
        }
        Ok(())
    }

    /// Brings a record's places up to date. `content` is the last sequence number of a change to the record
    /// itself; without one, only entries and departures are written.
    #[allow(clippy::too_many_arguments, reason = "one step of land and of replace, cut out of both")]
    fn place(
        &mut self,
        tx: &mut dyn WriteTx,
        id: RecordId,
        no: RecordNo,
        members: &[Membership],
        streams: &BTreeSet<StreamId>,
        (before, after): (Fingerprint, Fingerprint),
        content: Option<u64>,
    ) -> Stored<()> {
        let mut moved = None;
        for member in live(members) {
            if streams.contains(&member.stream) {
                let Some(seq) = content else { continue };
                self.stream(tx, &member.stream, seq, |digest| digest.without(before).with(after))?;
                tx.put_membership(no, &Membership { seq, ..*member })?;
            } else {
                let seq = seq_or_next(tx, content, &mut moved);
                self.stream(tx, &member.stream, seq, |digest| digest.without(before))?;
                tx.put_membership(no, &Membership { seq, removed: true, ..*member })?;
            }
        }
        for stream in streams.iter().filter(|stream| live(members).all(|member| member.stream != **stream)) {
            let seq = seq_or_next(tx, content, &mut moved);
            let stream_no = self.stream(tx, stream, seq, |digest| digest.with(after))?;
            let member = Membership { stream_no, stream: *stream, seq, entered: seq, removed: false };
            tx.put_membership(no, &member)?;
        }
        let was = placing::areas_in(live(members).map(|member| &member.stream));
        if was != placing::areas_in(streams.iter()) {
            self.follow(Follow::Dependents(id));
        }
        Ok(())
    }

    fn stream(
        &mut self,
        tx: &mut dyn WriteTx,
        stream: &StreamId,
        seq: u64,
        change: impl FnOnce(gridwalk_replica::digest::StreamDigest) -> gridwalk_replica::digest::StreamDigest,
    ) -> Stored<crate::storage::records::StreamNo> {
        if !self.streams.contains_key(stream) {
            let row = tx.ensure_stream(stream)?;
            self.streams.insert(*stream, (row, false));
        }
        let Some((row, dirty)) = self.streams.get_mut(stream) else {
            return Err(StorageError::Failed("stream went missing".to_owned()));
        };
        row.seq = row.seq.max(seq);
        row.digest = change(row.digest);
        *dirty = true;
        Ok(row.no)
    }

    fn follow(&mut self, follow: Follow) {
        if self.queued.insert(follow) {
            self.queue.push_back(follow);
        }
    }

    /// Works out a record's links again on a new day.
    pub(super) fn relink(&mut self, tx: &mut dyn WriteTx, id: RecordId) -> Stored<()> {
        let Some(head) = tx.record(id)? else { return Ok(()) };
        let Some(kind) = Kind::parse(&head.kind) else { return Ok(()) };
        let snapshot = tx.snapshot(head.no)?;
        let state = super::admit::State::load(&snapshot)?;
        let record = Landed {
            id,
            kind,
            head: Some(&head),
            fields: &state.fields,
            shown: state.shown,
            snapshot: &snapshot,
            fingerprint: head.fingerprint,
            batches: &[],
            hint: None,
        };
        self.write_links(tx, &record, head.no)
    }

    /// Places again what follows from what landed, and writes where the streams stand.
    ///
    /// # Errors
    /// A failure of the store.
    pub fn finish(mut self, tx: &mut dyn WriteTx) -> Stored<()> {
        while let Some(follow) = self.queue.pop_front() {
            self.queued.remove(&follow);
            match follow {
                Follow::Dependents(id) => self.follow_dependents(tx, id)?,
                Follow::Place(id) => self.replace(tx, id)?,
            }
        }
        for (row, dirty) in self.streams.values() {
            if *dirty {
                tx.update_stream(row.no, row.seq, row.digest)?;
            }
        }
        Ok(())
    }

    /// Everything whose place follows from that of `id`: records that inherit it, and records that it places.
    fn follow_dependents(&mut self, tx: &mut dyn WriteTx, id: RecordId) -> Stored<()> {
        for referrer in tx.referrers(id)? {
            let Some(kind) = Kind::parse(&referrer.kind) else { continue };
            if kind.schema().placement == PlacementRule::Inherit(inherited(kind))
                && referrer.field == inherited(kind)
            {
                self.follow(Follow::Place(referrer.id));
            }
        }
        let Some(head) = tx.record(id)? else { return Ok(()) };
        let Some(kind) = Kind::parse(&head.kind) else { return Ok(()) };
        let fields: BTreeSet<&str> = placing::referring_fields(kind).collect();
        if !fields.is_empty() {
            for link in tx.links_of(head.no)?.iter().filter(|link| fields.contains(link.field.as_str())) {
                self.follow(Follow::Place(link.target));
            }
        }
        Ok(())
    }

    fn replace(&mut self, tx: &mut dyn WriteTx, id: RecordId) -> Stored<()> {
        let times = self.replaced.entry(id).or_default();
        *times += 1;
        if *times > REPLACED_MAX {
            return Ok(());
        }
        let Some(head) = tx.record(id)? else { return Ok(()) };
        let Some(kind) = Kind::parse(&head.kind) else { return Ok(()) };
        let fields = placing::placing_fields(&*tx, kind.schema(), head.no)?;
        let streams = placing::target(&*tx, kind.schema(), id, &fields)?;
        // Nothing places it any more: it stays where it is, so that nobody loses it.
        if streams.is_empty() {
            return Ok(());
        }
        let members = tx.memberships(head.no)?;
        let same = (head.fingerprint, head.fingerprint);
        self.place(tx, id, head.no, &members, &streams, same, None)
    }
}

/// The field from which a kind inherits its place; empty for kinds that do not.
fn inherited(kind: Kind) -> &'static str {
    if let PlacementRule::Inherit(field) = kind.schema().placement { field } else { "" }
}

/// A hint names an area, or somebody's own stream; how sensitive a record is, its kind says. What is sensitive never
/// lies in the inbox of a unit.
fn of_class(hint: StreamId, class: AccessClass) -> Option<StreamId> {
    match hint {
        StreamId::Area { area, .. } => Some(StreamId::Area { area, class }),
        StreamId::Unit(_) if class == AccessClass::Sensitive => None,
        other => Some(other),
    }
}

fn live(members: &[Membership]) -> impl Iterator<Item = &Membership> {
    members.iter().filter(|member| !member.removed)
}

/// A record that only moves takes one number for all of its moves.
fn seq_or_next(tx: &mut dyn WriteTx, content: Option<u64>, moved: &mut Option<u64>) -> u64 {
    content.unwrap_or_else(|| *moved.get_or_insert_with(|| tx.next_seq()))
}
