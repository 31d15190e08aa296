//! Building a request from what the store holds.

use gridwalk_model::{RecordId, StreamId, Timestamp};
use gridwalk_replica::wire::{
    self, Bytes16, CommitMark, Compare, Cursor, Held, PhoneNotes, Push, READS_MAX, SensitiveRead, SyncRequest,
};
use gridwalk_replica::{ChangeHash, Document};
use minicbor::bytes::{ByteArray, ByteVec};

use crate::error::DeviceError;
use crate::store::{Commit, Setting, Store, StreamRow, Tx, View, flag};

/// How much one request offers. Made smaller while a server refuses whole requests, so that one bad change is found
/// and set aside without holding up the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PushLimits {
    /// Bytes of changes, before compression.
    pub bytes: usize,
    /// Records.
    pub records: usize,
}

impl Default for PushLimits {
    /// A quarter of a mebibyte: half a minute on a bad network, some two thousand edits on a good one.
    fn default() -> Self {
        Self { bytes: 256 * 1024, records: 2_000 }
    }
}

/// Records whose fingerprints one request compares: 36 bytes each.
const COMPARE_MAX: usize = 8_000;

/// What was sent, to understand the answer by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestContext {
    pub(crate) sent_at: Timestamp,
    /// Key and generation of the stream behind each cursor.
    pub(crate) streams: Vec<(i64, u32)>,
    pub(crate) pushes: Vec<PushContext>,
    pub(crate) compare: Option<CompareContext>,
    /// The last read of a sensitive record that it told of.
    pub(crate) last_read: Option<i64>,
}

impl RequestContext {
    /// Whether the request offered nothing and followed no stream.
    pub(crate) const fn says_nothing(&self) -> bool {
        self.streams.is_empty() && self.pushes.is_empty()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PushContext {
    pub(crate) record: RecordId,
    pub(crate) kind: String,
    pub(crate) hashes: Vec<ChangeHash>,
    pub(crate) history: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CompareContext {
    pub(crate) stream: i64,
    pub(crate) through: Option<RecordId>,
}

impl RequestContext {
    /// The records that the request offers changes of.
    pub fn records(&self) -> impl Iterator<Item = RecordId> {
        self.pushes.iter().map(|push| push.record)
    }
}

/// A request and what is needed to understand its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// To be sent.
    pub request: SyncRequest,
    /// To be kept until the answer arrives.
    pub context: RequestContext,
}

/// Builds the next request. Streams that were revoked and of which nothing waits are given up first: leaving them
/// out of the request is how the server learns of it.
pub(crate) fn prepare(
    store: &mut Store,
    limits: PushLimits,
    max_bytes: u32,
    now: Timestamp,
) -> Result<Prepared, DeviceError> {
    let mut streams = store.view().streams()?;
    let view = store.view();
    let ripe = |stream: &StreamRow| Ok(stream.revoking && !view.stream_has_waiting(stream)?);
    if streams.iter().map(ripe).collect::<Result<Vec<_>, DeviceError>>()?.contains(&true) {
        store.write(Commit::Request, give_up_revoked)?;
        streams = store.view().streams()?;
    }
    let view = store.view();
    let cursors = streams
        .iter()
        .map(|s| Cursor { stream: ByteVec::from(s.id.to_bytes()), generation: s.generation, seq: s.seq })
        .collect();
    let mut batch =
        Batch { view, streams: &streams, limits, used: 0, pushes: Vec::new(), context: Vec::new() };
    batch.offer_histories()?;
    batch.offer_waiting(now)?;
    let Batch { pushes, context: push_contexts, .. } = batch;
    let (compare, compare_context) =
        if pushes.is_empty() { compare(view, &streams)?.unzip() } else { (None, None) };
    let request = SyncRequest {
        protocol_min: wire::PROTOCOL.0,
        protocol_max: wire::PROTOCOL.1,
        schema: u32::try_from(gridwalk_model::schema::SCHEMA_VERSION).unwrap_or(u32::MAX),
        epoch: view.epoch()?,
        cursors,
        max_bytes,
        pushes,
        compare,
        seen: view.seen()?,
        notes: Some(notes(view)?),
    };
    let last_read = request.notes.iter().flat_map(|notes| notes.reads.iter().flatten()).next_back();
    let context = RequestContext {
        sent_at: now,
        last_read: last_read.map(|read| read.n),
        streams: streams.iter().map(|stream| (stream.key, stream.generation)).collect(),
        pushes: push_contexts,
        compare: compare_context,
    };
    Ok(Prepared { request, context })
}

/// What is said beside the request.
fn notes(view: View<'_>) -> Result<PhoneNotes, DeviceError> {
    let reads: Vec<_> = view
        .reads(i64::MIN, READS_MAX)?
        .into_iter()
        .map(|read| SensitiveRead {
            n: read.n,
            at: read.at.millis(),
            record: (*read.record.as_bytes()).into(),
            kind: read.kind,
        })
        .collect();
    Ok(PhoneNotes {
        wants_key: view.get(Setting::SealingKey)?.is_none().then_some(true),
        reads: (!reads.is_empty()).then_some(reads),
        rules: view.rules_mark()?.map(ByteVec::from),
    })
}

/// Whether a request now would say anything beyond asking for news.
pub(crate) fn has_something_to_say(store: &Store, now: Timestamp) -> Result<bool, DeviceError> {
    let view = store.view();
    Ok(!view.outbox_records(now, 1)?.is_empty()
        || !view.flagged(flag::WANTED)?.is_empty()
        || view.streams()?.iter().any(|stream| stream.comparing && !stream.revoking))
}

impl View<'_> {
    pub(crate) fn epoch(&self) -> Result<Option<Bytes16>, DeviceError> {
        let Some(bytes) = self.get(Setting::Epoch)? else { return Ok(None) };
        let bytes: [u8; 16] = bytes.try_into().map_err(|_| DeviceError::Damaged)?;
        Ok(Some(ByteArray::from(bytes)))
    }

    /// The last commit of this epoch that was seen.
    fn seen(&self) -> Result<Option<CommitMark>, DeviceError> {
        let Some(bytes) = self.get(Setting::Seen)? else { return Ok(None) };
        let (Some(commit), Some(mark)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) else {
            return Err(DeviceError::Damaged);
        };
        Ok(Some(CommitMark { commit: u64::from_be_bytes(*commit), mark: u64::from_be_bytes(*mark) }))
    }
}

/// Gives up the streams that are being taken away and of which nothing waits. Their records are dropped when all has
/// been told, those that were made here and never named among them.
pub(super) fn give_up_revoked(tx: &mut Tx<'_>) -> Result<(), DeviceError> {
    for stream in tx.streams()? {
        if stream.revoking && !tx.stream_has_waiting(&stream)? {
            tx.remove_stream(stream.key)?;
        }
    }
    Ok(())
}

struct Batch<'s> {
    view: View<'s>,
    streams: &'s [StreamRow],
    limits: PushLimits,
    used: usize,
    pushes: Vec<Push>,
    context: Vec<PushContext>,
}

impl Batch<'_> {
    fn has_room(&self) -> bool {
        self.used < self.limits.bytes && self.pushes.len() < self.limits.records
    }

    /// Whole histories of records that the server lacks changes of.
    fn offer_histories(&mut self) -> Result<(), DeviceError> {
        for (key, id, kind) in self.view.flagged(flag::WANTED)? {
            if !self.has_room() {
                break;
            }
            let Some(loaded) = self.view.record(id)? else { continue };
            let Some(bytes) = loaded.readable() else { continue };
            let mut hashes = Vec::new();
            let mut changes = Vec::new();
            for change in Document::load(bytes)?.changes_since(&[]) {
                self.used += change.raw.len();
                hashes.push(change.hash);
                changes.push(ByteVec::from(change.raw));
            }
            // A server that lost the record may have lost what placed it as well.
            let held = self.view.streams_of(key)?;
            let place = |stream: &StreamRow| {
                held.contains(&stream.key) && !stream.revoking && matches!(stream.id, StreamId::Area { .. })
            };
            let hint = self.streams.iter().position(place).and_then(|index| u32::try_from(index).ok());
            self.push(id, kind, hint, changes, hashes, true);
        }
        Ok(())
    }

    /// What waits, in the order in which it was made, the changes of one record together.
    fn offer_waiting(&mut self, now: Timestamp) -> Result<(), DeviceError> {
        for (id, bytes) in self.view.outbox_records(now, self.limits.records)? {
            // A record's changes go together; only one that is too large by itself goes in parts.
            let fits = self.pushes.is_empty() || self.used + bytes <= self.limits.bytes;
            if !self.has_room() || !fits {
                break;
            }
            if self.context.iter().any(|push| push.record == id) {
                continue;
            }
            let mut hashes = Vec::new();
            let mut changes = Vec::new();
            let mut kind = String::new();
            let mut hint = None;
            for row in self.view.outbox_of(id)? {
                if !changes.is_empty() && self.used + row.raw.len() > self.limits.bytes {
                    break;
                }
                self.used += row.raw.len();
                hint = hint.or(row.hint);
                kind = row.kind;
                hashes.push(row.hash);
                changes.push(ByteVec::from(row.raw));
            }
            let hint = hint.and_then(|hint| self.streams.iter().position(|stream| stream.id == hint));
            let hint = hint.and_then(|index| u32::try_from(index).ok());
            self.push(id, kind, hint, changes, hashes, false);
        }
        Ok(())
    }

    fn push(
        &mut self,
        record: RecordId,
        kind: String,
        hint: Option<u32>,
        changes: Vec<ByteVec>,
        hashes: Vec<ChangeHash>,
        history: bool,
    ) {
        self.pushes.push(Push {
            record: ByteArray::from(*record.as_bytes()),
            kind: kind.clone(),
            hint,
            changes,
            history,
        });
        self.context.push(PushContext { record, kind, hashes, history });
    }
}

/// The next part of a comparison that is under way.
fn compare(view: View<'_>, streams: &[StreamRow]) -> Result<Option<(Compare, CompareContext)>, DeviceError> {
    let Some((index, stream)) =
        streams.iter().enumerate().find(|(_, stream)| stream.comparing && !stream.revoking)
    else {
        return Ok(None);
    };
    let members = view.members(stream.key, stream.compare_after, COMPARE_MAX)?;
    let full = members.len() == COMPARE_MAX;
    let through = if full { members.last().map(|(id, _)| *id) } else { None };
    let bytes = |id: RecordId| ByteArray::from(*id.as_bytes());
    let deferred = view.deferred(stream.key)?.unwrap_or_default();
    let held = members
        .into_iter()
        .filter_map(|(id, here)| match deferred.get(&id) {
            Some(deferred) => deferred.there.map(|there| (id, there)),
            None => Some((id, here)),
        })
        .map(|(id, fingerprint)| Held { record: bytes(id), fingerprint: ByteArray::from(fingerprint.0) })
        .collect();
    let compare = Compare {
        stream: u32::try_from(index).unwrap_or(u32::MAX),
        after: stream.compare_after.map(bytes),
        through: through.map(bytes),
        held,
    };
    Ok(Some((compare, CompareContext { stream: stream.key, through })))
}
