//! Records, streams and the links between records, as the store keeps them.

use std::collections::BTreeSet;

use gridwalk_model::{ContentHash, RecordId, StreamId, Timestamp};
use gridwalk_replica::digest::{Fingerprint, StreamDigest};

use super::Stored;

/// The store's own short number of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordNo(pub i64);

/// The store's own short number of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamNo(pub i64);

/// Who this server is and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerRow {
    /// Name of the deployment.
    pub name: String,
    /// Prefix of the server's own actors.
    pub device: [u8; 12],
    /// Changes whenever the past of the store is no longer certain.
    pub epoch: [u8; 16],
    /// Suffix of the server's actor in this epoch.
    pub incarnation: [u8; 4],
    /// Key of the check in commit marks.
    pub mark_key: [u8; 32],
    /// Number of the last durable write transaction.
    pub commit_no: u64,
    /// Last sequence number given out.
    pub seq: u64,
    /// `commit_no` of the last backup.
    pub backed_up_through: u64,
    /// Until when whole histories are taken from devices.
    pub recovery_until: Timestamp,
}

/// What is known of a record without its document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordHead {
    /// Number in the store.
    pub no: RecordNo,
    /// Identifier.
    pub id: RecordId,
    /// The word for its kind.
    pub kind: String,
    /// How often it was written.
    pub rev: u64,
    /// Sequence number of its last change.
    pub seq: u64,
    /// Raw changes later than this are all kept.
    pub tail_after: u64,
    /// How many batches of raw changes are kept.
    pub tail_count: u32,
    /// Fingerprint of its heads.
    pub fingerprint: Fingerprint,
    /// When the server took its first change.
    pub created_at: Timestamp,
    /// When the server took its last change.
    pub changed_at: Timestamp,
}

/// What a write puts in place of a record's head and document.
#[derive(Clone, Copy, Debug)]
pub struct RecordWrite<'a> {
    /// How often it was written, this time included.
    pub rev: u64,
    /// Sequence number of this change.
    pub seq: u64,
    /// Raw changes later than this are all kept.
    pub tail_after: u64,
    /// How many batches of raw changes are kept.
    pub tail_count: u32,
    /// Fingerprint of its heads.
    pub fingerprint: Fingerprint,
    /// When the server took this change.
    pub changed_at: Timestamp,
    /// The document.
    pub snapshot: &'a [u8],
}

/// A stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamRow {
    /// Number in the store.
    pub no: StreamNo,
    /// Which stream.
    pub id: StreamId,
    /// Sequence number of the last thing that happened in it.
    pub seq: u64,
    /// Digest of its current records.
    pub digest: StreamDigest,
}

/// A record in a stream, now or once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Number of the stream.
    pub stream_no: StreamNo,
    /// Which stream.
    pub stream: StreamId,
    /// The last thing that happened to the record in this stream.
    pub seq: u64,
    /// When it entered, or entered again.
    pub entered: u64,
    /// Whether it has left.
    pub removed: bool,
}

/// A row of a stream's page: a record and what happened to it last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRow {
    /// The record.
    pub record: RecordHead,
    /// The last thing that happened to it in this stream.
    pub seq: u64,
    /// When it entered, or entered again.
    pub entered: u64,
    /// Whether it has left.
    pub removed: bool,
}

/// One batch of raw changes of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TailRow {
    /// Sequence number under which they were taken.
    pub seq: u64,
    /// Raw changes, each after those it depends on.
    pub changes: Vec<Vec<u8>>,
}

/// A link that placement follows, as its source has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The record that is named.
    pub target: RecordId,
    /// The field that names it.
    pub field: String,
    /// Whether it places anything now.
    pub active: bool,
    /// The day (`YYYY-MM-DD`) on which `active` is to be worked out again.
    pub recheck: Option<String>,
}

/// A record that links to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referrer {
    /// Number of the linking record.
    pub no: RecordNo,
    /// Its identifier.
    pub id: RecordId,
    /// The word for its kind.
    pub kind: String,
    /// Its field that holds the link.
    pub field: String,
    /// Whether the link places anything now.
    pub active: bool,
}

/// Reading records.
pub trait RecordReads {
    /// Who this server is.
    fn server(&self) -> Stored<ServerRow>;
    /// The random mark that a commit was given when it was made; `None` if this store never made it.
    fn mark(&self, commit_no: u64) -> Stored<Option<u32>>;
    /// A record's head.
    fn record(&self, id: RecordId) -> Stored<Option<RecordHead>>;
    /// A record's head, by number.
    fn record_by_no(&self, no: RecordNo) -> Stored<Option<RecordHead>>;
    /// A record's document. Empty if there is no such record.
    fn snapshot(&self, no: RecordNo) -> Stored<Vec<u8>>;
    /// The raw changes of a record that were taken after `after`, in order.
    fn tail(&self, no: RecordNo, after: u64) -> Stored<Vec<TailRow>>;
    /// Records of a kind, the latest first, before `before`: at most `limit`.
    fn records_of_kind(&self, kind: &str, before: Option<RecordNo>, limit: u32) -> Stored<Vec<RecordHead>>;
    /// How many records there are.
    fn record_count(&self) -> Stored<u64>;

    /// A stream.
    fn stream(&self, id: &StreamId) -> Stored<Option<StreamRow>>;
    /// A stream, by number.
    fn stream_by_no(&self, no: StreamNo) -> Stored<Option<StreamRow>>;
    /// The streams that a record is in, or was.
    fn memberships(&self, no: RecordNo) -> Stored<Vec<Membership>>;
    /// What happened in a stream after `after`, in order: at most `limit` rows.
    fn page(&self, stream: StreamNo, after: u64, limit: u32) -> Stored<Vec<PageRow>>;
    /// The current records of a stream in ascending order of their identifiers, within `(after, through]`.
    fn current(
        &self,
        stream: StreamNo,
        after: Option<RecordId>,
        through: Option<RecordId>,
    ) -> Stored<Vec<(RecordId, Fingerprint)>>;

    /// The links that a record has.
    fn links_of(&self, source: RecordNo) -> Stored<Vec<Link>>;
    /// The records that link to `target`.
    fn referrers(&self, target: RecordId) -> Stored<Vec<Referrer>>;
    /// The records with a link whose `recheck` is `day` or earlier: at most `limit`.
    fn links_due(&self, day: &str, limit: u32) -> Stored<Vec<RecordId>>;
    /// The records that point at a medium.
    fn media_records(&self, hash: &ContentHash) -> Stored<Vec<RecordNo>>;
}

/// Writing records.
pub trait RecordWrites {
    /// Adds a record.
    fn insert_record(&mut self, id: RecordId, kind: &str, write: &RecordWrite<'_>) -> Stored<RecordNo>;
    /// Writes a record again.
    fn update_record(&mut self, no: RecordNo, write: &RecordWrite<'_>) -> Stored<()>;
    /// Keeps a batch of raw changes.
    fn add_tail(&mut self, no: RecordNo, seq: u64, changes: &[&[u8]]) -> Stored<()>;
    /// Lets all but the latest `keep` batches go. Returns the sequence number of the last one that went.
    fn cut_tail(&mut self, no: RecordNo, keep: u32) -> Stored<Option<u64>>;

    /// A stream, made if it is not there.
    fn ensure_stream(&mut self, id: &StreamId) -> Stored<StreamRow>;
    /// Writes where a stream stands.
    fn update_stream(&mut self, no: StreamNo, seq: u64, digest: StreamDigest) -> Stored<()>;
    /// Writes a record's place in a stream.
    fn put_membership(&mut self, record: RecordNo, membership: &Membership) -> Stored<()>;
    /// Replaces the links of a record.
    fn put_links(&mut self, source: RecordNo, links: &BTreeSet<Link>) -> Stored<()>;
    /// Notes that a record points at a medium.
    fn add_media_ref(&mut self, hash: &ContentHash, record: RecordNo) -> Stored<()>;

    /// Begins a new epoch.
    fn set_epoch(&mut self, epoch: [u8; 16], incarnation: [u8; 4], mark_key: [u8; 32]) -> Stored<()>;
    /// Notes a backup.
    fn set_backed_up(&mut self, commit_no: u64) -> Stored<()>;
    /// Opens recovery until then; in the past: closes it.
    fn set_recovery(&mut self, until: Timestamp) -> Stored<()>;
    /// Names the deployment.
    fn set_server_name(&mut self, name: &str) -> Stored<()>;
}
