//! What the store writes down beside the records: quarantine, divergence, audit, media, imports.

use gridwalk_model::photo_chain::KeptLink;
use gridwalk_model::{ContentHash, RecordId, Timestamp};
use gridwalk_replica::wire::RuleFiles;

use super::Stored;
use super::access::DeviceNo;
use super::records::StreamNo;

/// A refused change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineRow {
    /// Number in the store.
    pub no: i64,
    /// Whose it was.
    pub device: DeviceNo,
    /// The record that it was meant for.
    pub record: RecordId,
    /// The word for its kind.
    pub kind: String,
    /// The bytes.
    pub change: Vec<u8>,
    /// The verdict, encoded as on the wire.
    pub verdict: Vec<u8>,
    /// When it came.
    pub received_at: Timestamp,
    /// When somebody looked at it, and who.
    pub settled: Option<(Timestamp, RecordId)>,
}

/// A refused change to be kept.
#[derive(Clone, Copy, Debug)]
pub struct NewQuarantine<'a> {
    /// Whose it was.
    pub device: DeviceNo,
    /// The record that it was meant for.
    pub record: RecordId,
    /// The word for its kind.
    pub kind: &'a str,
    /// SHA-256 of the bytes.
    pub hash: [u8; 32],
    /// The bytes.
    pub change: &'a [u8],
    /// The verdict, encoded as on the wire.
    pub verdict: &'a [u8],
    /// When it came.
    pub received_at: Timestamp,
}

/// A comparison that did not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DivergenceRow {
    /// How often this very difference was seen.
    pub rounds: u32,
    /// Hash of the difference.
    pub difference: [u8; 32],
    /// When it was seen last.
    pub seen_at: Timestamp,
}

/// A row of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Number, from 1, without gaps.
    pub no: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What they did.
    pub action: String,
    /// What they did it to.
    pub target: String,
    /// Facts; no personal data.
    pub detail: String,
    /// Whether somebody has to look at it.
    pub alarm: bool,
    /// Hash of the row before.
    pub previous: [u8; 32],
    /// Hash of this row.
    pub hash: [u8; 32],
}

/// A stored medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaRow {
    /// Size in bytes.
    pub bytes: u64,
    /// When it was stored.
    pub stored_at: Timestamp,
}

/// An upload that is not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadRow {
    /// Random name of the upload.
    pub id: String,
    /// Whose it is.
    pub device: DeviceNo,
    /// SHA-256 that the whole is to have.
    pub hash: ContentHash,
    /// Size that the whole is to have.
    pub bytes: u64,
    /// When it began.
    pub created_at: Timestamp,
    /// When it is given up.
    pub expires_at: Timestamp,
}

/// Reading what stands beside the records.
pub trait LedgerReads {
    /// Refused changes, the latest first, before `before`: at most `limit`.
    fn quarantine(&self, before: Option<i64>, limit: u32) -> Stored<Vec<QuarantineRow>>;
    /// How many refused changes nobody has looked at, and how many bytes a device has there.
    fn quarantine_open(&self) -> Stored<u64>;
    /// How many bytes of a device are in quarantine.
    fn quarantine_bytes(&self, device: DeviceNo) -> Stored<u64>;
    /// The last comparison of a device and a range of a stream that did not agree.
    fn divergence(
        &self,
        device: DeviceNo,
        stream: StreamNo,
        after: Option<RecordId>,
    ) -> Stored<Option<DivergenceRow>>;
    /// The last row of the audit log.
    fn last_audit(&self) -> Stored<Option<AuditRow>>;
    /// Rows of the audit log after `after`, in order: at most `limit`.
    fn audit(&self, after: u64, limit: u32) -> Stored<Vec<AuditRow>>;
    /// The latest alarms: at most `limit`.
    fn alarms(&self, limit: u32) -> Stored<Vec<AuditRow>>;
    /// How many alarms nobody has acknowledged.
    fn alarms_open(&self) -> Stored<u64>;
    /// When an alarm was acknowledged, and by whom.
    fn alarm_seen(&self, no: u64) -> Stored<Option<(Timestamp, RecordId)>>;
    /// A stored medium.
    fn media(&self, hash: &ContentHash) -> Stored<Option<MediaRow>>;
    /// Whether a device uploaded a medium itself.
    fn holds_media(&self, hash: &ContentHash, device: DeviceNo) -> Stored<bool>;
    /// The link of a photo, with the device that wrote it.
    fn photo_link(&self, record: RecordId, element: RecordId) -> Stored<Option<(DeviceNo, KeptLink)>>;
    /// The links of a device that bear a number.
    fn photo_links(&self, device: DeviceNo, number: u64) -> Stored<Vec<KeptLink>>;
    /// Tracks of walks that began before `before` and were not removed yet: at most `limit`.
    fn tracks_before(&self, before: Timestamp, limit: u32) -> Stored<Vec<ContentHash>>;
    /// The deployment's rules for phones.
    fn rule_files(&self) -> Stored<Option<RuleFiles>>;
    /// How many media are stored, and how many bytes they have.
    fn media_totals(&self) -> Stored<(u64, u64)>;
    /// An upload.
    fn upload(&self, id: &str) -> Stored<Option<UploadRow>>;
    /// How many uploads of a device are open, and how many bytes they are to have.
    fn open_uploads(&self, device: DeviceNo) -> Stored<(u64, u64)>;
    /// Uploads that ended before `now`: at most `limit`.
    fn expired_uploads(&self, now: Timestamp, limit: u32) -> Stored<Vec<UploadRow>>;
    /// The record that a source calls by this key.
    fn source_key(&self, source: &str, key: &str) -> Stored<Option<RecordId>>;
    /// What imports last brought for the fields of a record.
    fn imported(&self, record: RecordId) -> Stored<Vec<(String, Vec<u8>)>>;
}

/// Writing what stands beside the records.
pub trait LedgerWrites {
    /// Keeps a refused change. The same bytes of the same device for the same record are kept once.
    fn insert_quarantine(&mut self, row: &NewQuarantine<'_>) -> Stored<bool>;
    /// Notes that somebody looked at a refused change.
    fn settle_quarantine(&mut self, no: i64, at: Timestamp, by: RecordId) -> Stored<()>;
    /// Writes down a comparison that did not agree; `None`: it does now.
    fn put_divergence(
        &mut self,
        device: DeviceNo,
        stream: StreamNo,
        after: Option<RecordId>,
        row: Option<&DivergenceRow>,
    ) -> Stored<()>;
    /// Notes that a device told of a read of a sensitive record. Returns whether it is told for the first time.
    fn note_read(&mut self, device: DeviceNo, at: Timestamp, record: RecordId) -> Stored<bool>;
    /// Sets the deployment's rules for phones.
    fn put_rule_files(&mut self, rules: &RuleFiles, at: Timestamp) -> Stored<()>;
    /// Adds a row to the audit log. Use [`crate::audit::append`], which computes the hash.
    fn insert_audit(&mut self, row: &AuditRow) -> Stored<()>;
    /// Notes that somebody looked at an alarm. The first one stands.
    fn acknowledge_alarm(&mut self, no: u64, at: Timestamp, by: RecordId) -> Stored<()>;
    /// Notes that a medium is stored, once.
    fn insert_media(&mut self, hash: &ContentHash, row: &MediaRow) -> Stored<()>;
    /// Forgets that a medium was stored.
    fn delete_media(&mut self, hash: &ContentHash) -> Stored<()>;
    /// Notes that a medium is the track of a walk. The earliest beginning stands.
    fn add_track(&mut self, hash: &ContentHash, started_at: Timestamp) -> Stored<()>;
    /// Notes that a track was removed. One that comes again is there again.
    fn track_is_removed(&mut self, hash: &ContentHash) -> Stored<()>;
    /// Notes that a device uploaded a medium.
    fn add_media_holder(&mut self, hash: &ContentHash, device: DeviceNo) -> Stored<()>;
    /// Keeps the link of a photo. The first one stands.
    fn insert_photo_link(
        &mut self,
        record: RecordId,
        element: RecordId,
        device: DeviceNo,
        kept: &KeptLink,
    ) -> Stored<()>;
    /// Adds an upload.
    fn insert_upload(&mut self, row: &UploadRow) -> Stored<()>;
    /// Ends an upload.
    fn delete_upload(&mut self, id: &str) -> Stored<()>;
    /// Notes what a source calls a record.
    fn put_source_key(&mut self, source: &str, key: &str, record: RecordId) -> Stored<()>;
    /// Notes what an import brought for a field.
    fn put_imported(&mut self, record: RecordId, field: &str, value: &[u8]) -> Stored<()>;
}
