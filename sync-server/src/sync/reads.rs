//! Reads of sensitive records that were made on phones, for the audit log. What the worker saw, and what they said it was
//! for, stays on the phone.

use gridwalk_model::{DeviceId, Kind, RecordId, Timestamp};
use gridwalk_replica::protocol::ProtocolError;
use gridwalk_replica::wire::{READS_MAX, SensitiveRead, SyncRequest};

use super::{Principal, SyncError};
use crate::audit::{self, Entry};
use crate::storage::{Stored, WriteTx};

/// What the audit log calls a read.
pub(crate) const ACTION: &str = "sensitive.read";
const READ_AT: &str = " read at ";
const ON_DEVICE: &str = " on device ";

/// When and on which device a read was made, from what stands in the audit log.
pub(crate) fn made(detail: &str) -> Option<(Timestamp, DeviceId)> {
    let (at, device) = detail.split_once(READ_AT)?.1.split_once(ON_DEVICE)?;
    let at: jiff::Timestamp = at.parse().ok()?;
    Some((Timestamp::from_millis(at.as_millisecond()), device.parse().ok()?))
}

/// The reads of a request.
pub(super) fn of(request: &SyncRequest) -> &[SensitiveRead] {
    request.notes.as_ref().and_then(|notes| notes.reads.as_deref()).unwrap_or_default()
}

/// Refuses more than one request may tell of.
pub(super) fn check(request: &SyncRequest) -> Result<(), SyncError> {
    if of(request).len() > READS_MAX { Err(ProtocolError::TooLarge.into()) } else { Ok(()) }
}

/// Writes reads into the audit log, each once. Returns the number up to which the phone may forget them.
pub(super) fn write_down(
    tx: &mut dyn WriteTx,
    principal: &Principal,
    reads: &[SensitiveRead],
    now: Timestamp,
) -> Stored<Option<i64>> {
    let (device, user) = (principal.device, principal.user.to_string());
    for read in reads {
        let (at, record) = (Timestamp::from_millis(read.at), RecordId::from_bytes(*read.record));
        if !tx.note_read(principal.device_no, at, record)? {
            continue;
        }
        // Only words that are ours: a phone's could be anything.
        let kind = Kind::parse(&read.kind).map_or("unknown", Kind::tag);
        let (target, detail) = (record.to_string(), format!("{kind}{READ_AT}{at}{ON_DEVICE}{device}"));
        let entry = Entry { actor: &user, action: ACTION, target: &target, detail: &detail, alarm: false };
        audit::append(tx, now, &entry)?;
    }
    Ok(reads.iter().map(|read| read.n).max())
}
