//! What is said on the wire: one request, one response. The contract is `schemas/sync.cddl`.
//!
//! Everything is a CBOR array of fixed positions: a newer peer appends, an older one ignores the tail. Encoded
//! bodies travel in a zstd frame (see [`crate::frame`]).

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::admission::Verdict;

/// Versions of the protocol that this build speaks, lowest and highest.
pub const PROTOCOL: (u32, u32) = (1, 1);

/// 16 bytes as one CBOR byte string: record ids, epochs, fingerprints, digests.
pub type Bytes16 = minicbor::bytes::ByteArray<16>;

/// What a phone asks and offers in one round trip.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct SyncRequest {
    /// Lowest protocol version that the phone speaks.
    #[n(0)]
    pub protocol_min: u32,
    /// Highest protocol version that the phone speaks.
    #[n(1)]
    pub protocol_max: u32,
    /// Highest record schema that the phone reads.
    #[n(2)]
    pub schema: u32,
    /// The server's `store_epoch` that the phone saw last; absent at first.
    #[n(3)]
    pub epoch: Option<Bytes16>,
    /// How far the phone has pulled each of its streams. A stream that the phone was granted and leaves out here
    /// has been given up: this is how it acknowledges a revocation.
    #[n(4)]
    pub cursors: Vec<Cursor>,
    /// How many bytes of pulled changes the phone takes in the response.
    #[n(5)]
    pub max_bytes: u32,
    /// Changes that the phone made, in the order in which it made them.
    #[n(6)]
    pub pushes: Vec<Push>,
    /// Fingerprints of what the phone holds, where digests did not agree.
    #[n(7)]
    pub compare: Option<Compare>,
    /// The last commit that the phone has seen in this epoch. A server that never made it was put back to an earlier
    /// state without being told.
    #[n(8)]
    pub seen: Option<CommitMark>,
    /// What came to the protocol later; absent from older phones.
    #[n(9)]
    pub notes: Option<PhoneNotes>,
}

/// What a phone says beside its request. An entry that is null or not there says nothing; later ones are passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct PhoneNotes {
    /// Whether the phone lacks the server's sealing key.
    #[n(0)]
    pub wants_key: Option<bool>,
    /// Reads of sensitive records that the audit log lacks, the oldest first: at most [`READS_MAX`].
    #[n(1)]
    pub reads: Option<Vec<SensitiveRead>>,
    /// Mark of the rules that the phone was given last.
    #[n(2)]
    pub rules: Option<ByteVec>,
}

/// The deployment's rules, as its files state them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RuleFiles {
    /// Their mark: 8 bytes that are others for other rules.
    #[n(0)]
    pub mark: ByteVec,
    /// The rules for doors, in the form of `schemas/rules/doors.json`; absent: those that the phone has.
    #[n(1)]
    pub doors: Option<String>,
    /// The limits for a worker's day, in the form of `schemas/rules/field.json`; absent: those that the phone has.
    #[n(2)]
    pub field: Option<String>,
    /// The rules for events, in the form of `schemas/rules/events.json`; absent: those that the phone has.
    #[n(3)]
    pub events: Option<String>,
}

/// Most reads of sensitive records in one request.
pub const READS_MAX: usize = 100;

/// That somebody looked at a sensitive record. Nothing of what they saw, and no words of theirs.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SensitiveRead {
    /// Its number on the phone.
    #[n(0)]
    pub n: i64,
    /// When, by the phone's clock, in milliseconds since 1970.
    #[n(1)]
    pub at: i64,
    /// The record.
    #[n(2)]
    pub record: Bytes16,
    /// The word for its kind.
    #[n(3)]
    pub kind: String,
}

/// A commit of one server's history. Numbers begin again where a store was put back; marks are random, so a later
/// commit of the same number has another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct CommitMark {
    /// Number of the commit.
    #[n(0)]
    pub commit: u64,
    /// Its mark, as the server gave it.
    #[n(1)]
    pub mark: u64,
}

/// How far a stream has been pulled.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Cursor {
    /// The stream, in the form of `StreamId::to_bytes`.
    #[n(0)]
    pub stream: ByteVec,
    /// Generation of the grant: granting again begins at 0 again.
    #[n(1)]
    pub generation: u32,
    /// The last sequence number that the phone has stored.
    #[n(2)]
    pub seq: u64,
}

/// Changes to one record.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct Push {
    /// The record.
    #[n(0)]
    pub record: Bytes16,
    /// The word for its kind.
    #[n(1)]
    pub kind: String,
    /// Where a new record belongs, as an index into the cursors: a hint, used until its content places it.
    #[n(2)]
    pub hint: Option<u32>,
    /// Raw change chunks, each after those it depends on.
    #[n(3)]
    pub changes: Vec<ByteVec>,
    /// Whether these are the record's whole history, offered because the server asked for it (see
    /// [`SyncResponse::wants`]), other people's changes included.
    #[n(4)]
    pub history: bool,
}

/// Fingerprints of a range of a stream's records.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct Compare {
    /// Index into the cursors.
    #[n(0)]
    pub stream: u32,
    /// The range begins after this record; absent: at the first.
    #[n(1)]
    pub after: Option<Bytes16>,
    /// The range ends with this record; absent: with the last.
    #[n(2)]
    pub through: Option<Bytes16>,
    /// Every record in the range that the phone holds in this stream, in ascending order.
    #[n(3)]
    pub held: Vec<Held>,
}

/// One record in a comparison.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Held {
    /// The record.
    #[n(0)]
    pub record: Bytes16,
    /// Its fingerprint.
    #[n(1)]
    pub fingerprint: Bytes16,
}

/// What the server answers, after everything in it is durable.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct SyncResponse {
    /// The protocol version that the server chose.
    #[n(0)]
    pub protocol: u32,
    /// The server's store epoch. A new one means that a backup was restored: cursors are void.
    #[n(1)]
    pub epoch: Bytes16,
    /// When the server took the request, in milliseconds since 1970.
    #[n(2)]
    pub received_at: i64,
    /// Number of the last durable commit: what was pushed is in it or in an earlier one, and nothing in this response
    /// is of a later one.
    #[n(3)]
    pub commit: u64,
    /// The last commit that is in a backup. Until then a phone keeps what it pushed.
    #[n(4)]
    pub backed_up_through: u64,
    /// For each push, a verdict for each of its changes.
    #[n(5)]
    pub verdicts: Vec<Vec<Verdict>>,
    /// All of the device's grants, where they differ from the request's cursors.
    #[n(6)]
    pub grants: Option<Vec<GrantState>>,
    /// Records that are new or changed, in the order in which they are to be stored.
    #[n(7)]
    pub pulls: Vec<Pull>,
    /// Records that have left a stream.
    #[n(8)]
    pub removals: Vec<Removal>,
    /// For each cursor of the request, where the stream stands now. Empty on a new epoch.
    #[n(9)]
    pub streams: Vec<StreamState>,
    /// Whether there is more to pull.
    #[n(10)]
    pub more: bool,
    /// Records whose whole history the server asks for: it lacks changes that the phone's fingerprints prove.
    #[n(11)]
    pub wants: Vec<Bytes16>,
    /// The mark of `commit`, to be named in the next request; absent before the first commit.
    #[n(12)]
    pub mark: Option<u64>,
    /// The answer to [`SyncRequest::notes`]; absent for phones that sent none, and from older servers.
    #[n(13)]
    pub notes: Option<ServerNotes>,
}

/// What the server says beside its answer. An entry that is null or not there says nothing; later ones are passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct ServerNotes {
    /// Whether the device is locked; absent means that it is not.
    #[n(0)]
    pub locked: Option<bool>,
    /// The server's sealing key, for a phone that lacks it.
    #[n(1)]
    pub sealing_key: Option<ByteVec>,
    /// The audit log has the reads of the request, up to and with this number.
    #[n(2)]
    pub reads_through: Option<i64>,
    /// The deployment's rules, where the phone was not given these.
    #[n(3)]
    pub rules: Option<RuleFiles>,
}

/// A grant as the server knows it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct GrantState {
    /// The stream.
    #[n(0)]
    pub stream: ByteVec,
    /// Its generation.
    #[n(1)]
    pub generation: u32,
    /// Whether it is being taken away: push what is unsent, then give it up.
    #[n(2)]
    pub revoking: bool,
}

/// A record that is new or changed.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct Pull {
    /// The record.
    #[n(0)]
    pub record: Bytes16,
    /// The word for its kind.
    #[n(1)]
    pub kind: String,
    /// Index into the request's cursors.
    #[n(2)]
    pub stream: u32,
    /// Fingerprint of the record on the server: what the digest counts it with.
    #[n(3)]
    pub fingerprint: Bytes16,
    /// What to apply.
    #[n(4)]
    pub body: PullBody,
}

/// The content of a pulled record.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum PullBody {
    /// Nothing but membership: the phone pushed this very state in the same request, or gets it from another
    /// stream of the same response.
    #[n(0)]
    Known,
    /// A saved document, to be merged with what the phone has.
    #[n(1)]
    Snapshot(#[n(0)] ByteVec),
    /// Raw changes, each after those it depends on.
    #[n(2)]
    Changes(#[n(0)] Vec<ByteVec>),
}

/// A record that has left a stream.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Removal {
    /// The record.
    #[n(0)]
    pub record: Bytes16,
    /// Index into the request's cursors.
    #[n(1)]
    pub stream: u32,
}

/// Where a stream stands.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct StreamState {
    /// The cursor to store together with this response's records.
    #[n(0)]
    pub seq: u64,
    /// Digest of the whole stream, read in the same snapshot as its last page; absent while there is more.
    #[n(1)]
    pub digest: Option<Bytes16>,
}
