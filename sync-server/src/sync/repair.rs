//! Two sides whose digests differ, with nothing left to send: which records differ, and what to do about each.
//!
//! The server sends what it has of every record that differs, and asks for the history of those where the device
//! may hold something that the server lost. Nothing is overwritten: states merge. The same difference seen for
//! the third time is an alarm.

use gridwalk_model::RecordId;
use gridwalk_replica::digest::Fingerprint;
use gridwalk_replica::protocol::ProtocolError;
use gridwalk_replica::wire::Compare;
use sha2::{Digest as _, Sha256};

use super::scope::{Principal, Scope};
use super::{Context, SyncError};
use crate::audit::{self, Entry};
use crate::storage::ledger::DivergenceRow;
use crate::storage::records::StreamNo;
use crate::storage::{ReadTx, Stored, WriteTx};

/// The same difference this often is not healing.
const ALARM_ROUNDS: u32 = 3;
/// Most histories that are asked for at once.
const WANTS_MAX: usize = 500;

/// What a comparison showed.
#[derive(Clone, Debug)]
pub(super) struct Comparison {
    /// Index of the cursor.
    pub(super) cursor: u32,
    /// Records that the device lacks or has otherwise.
    pub(super) send: Vec<RecordId>,
    /// Records that have left the stream.
    pub(super) gone: Vec<RecordId>,
    /// Records of which the device may have more.
    pub(super) wants: Vec<RecordId>,
    stream: StreamNo,
    after: Option<RecordId>,
    difference: Option<[u8; 32]>,
    before: Option<DivergenceRow>,
    /// Whether the outcome has to be written down.
    pub(super) writes: bool,
}

/// Compares a range of a stream. A stream that the device may not read compares with nothing.
pub(super) fn compare(
    tx: &dyn ReadTx,
    principal: &Principal,
    scope: &Scope,
    compare: &Compare,
) -> Result<Option<Comparison>, SyncError> {
    let cursor = compare.stream;
    let place = usize::try_from(cursor).ok().and_then(|index| scope.places.get(index));
    let Some(stream) = place.and_then(|place| place.readable) else { return Ok(None) };
    let id = |bytes: &[u8; 16]| RecordId::from_bytes(*bytes);
    let held: Vec<(RecordId, Fingerprint)> =
        compare.held.iter().map(|held| (id(&held.record), Fingerprint(*held.fingerprint))).collect();
    if !held.is_sorted_by(|(a, _), (b, _)| a < b) {
        return Err(ProtocolError::Malformed { reason: "comparison is not in order".to_owned() }.into());
    }
    let after = compare.after.as_deref().map(id);
    let ours = tx.current(stream, after, compare.through.as_deref().map(id))?;
    let mut out = Comparison {
        cursor,
        send: Vec::new(),
        gone: Vec::new(),
        wants: Vec::new(),
        stream,
        after,
        difference: None,
        before: tx.divergence(principal.device_no, stream, after)?,
        writes: false,
    };
    let mut hasher = Sha256::new();
    let mut differs = false;
    for (record, ours, theirs) in merged(&ours, &held) {
        if ours == theirs {
            continue;
        }
        differs = true;
        hasher.update(record.as_bytes());
        hasher.update(ours.unwrap_or_default().0);
        hasher.update(theirs.unwrap_or_default().0);
        match (ours, theirs) {
            (Some(_), None) => out.send.push(record),
            (Some(_), Some(_)) => {
                out.send.push(record);
                out.wants.push(record);
            }
            (None, theirs) => match astray(tx, record, stream, theirs, out.before.is_some())? {
                Astray::Gone => out.gone.push(record),
                Astray::Wanted => out.wants.push(record),
            },
        }
    }
    out.wants.truncate(WANTS_MAX);
    out.difference = differs.then(|| hasher.finalize().into());
    out.writes = differs || out.before.is_some();
    Ok(Some(out))
}

/// Walks two ascending lists side by side.
fn merged<'a>(
    ours: &'a [(RecordId, Fingerprint)],
    theirs: &'a [(RecordId, Fingerprint)],
) -> impl Iterator<Item = (RecordId, Option<Fingerprint>, Option<Fingerprint>)> + 'a {
    let (mut ours, mut theirs) = (ours.iter().peekable(), theirs.iter().peekable());
    std::iter::from_fn(move || {
        let next = match (ours.peek(), theirs.peek()) {
            (None, None) => return None,
            (Some((a, _)), Some((b, _))) => *a.min(b),
            (Some((a, _)), None) => *a,
            (None, Some((b, _))) => *b,
        };
        let left = ours.next_if(|(id, _)| *id == next).map(|(_, fingerprint)| *fingerprint);
        let right = theirs.next_if(|(id, _)| *id == next).map(|(_, fingerprint)| *fingerprint);
        Some((next, left, right))
    })
}

/// What to do about a record that the device has in a stream and the server has not.
enum Astray {
    /// The device is told that it does not belong there.
    Gone,
    /// The device is asked for its history.
    Wanted,
}

/// A record that has left the stream, or that stands elsewhere in the same state, does not belong there: the device
/// was told of a place that a restored store no longer knows. If the states differ, the device is asked for its
/// history first, and told at the next comparison. A record that the server does not have at all is asked for.
fn astray(
    tx: &dyn ReadTx,
    record: RecordId,
    stream: StreamNo,
    theirs: Option<Fingerprint>,
    asked_before: bool,
) -> Stored<Astray> {
    let Some(head) = tx.record(record)? else { return Ok(Astray::Wanted) };
    let left = tx.memberships(head.no)?.iter().any(|member| member.stream_no == stream && member.removed);
    let known = left || asked_before || Some(head.fingerprint) == theirs;
    Ok(if known { Astray::Gone } else { Astray::Wanted })
}

/// Counts how often the same difference was seen, and raises the alarm.
pub(super) fn write_down(
    tx: &mut dyn WriteTx,
    principal: &Principal,
    comparison: &Comparison,
    context: Context<'_>,
) -> Stored<()> {
    let Some(difference) = comparison.difference else {
        return tx.put_divergence(principal.device_no, comparison.stream, comparison.after, None);
    };
    let rounds = comparison.before.filter(|row| row.difference == difference).map_or(1, |row| row.rounds + 1);
    let row = DivergenceRow { rounds, difference, seen_at: context.now };
    tx.put_divergence(principal.device_no, comparison.stream, comparison.after, Some(&row))?;
    if rounds == ALARM_ROUNDS {
        let device = principal.device.to_string();
        let entry = Entry {
            actor: &device,
            action: "sync.diverged",
            target: &device,
            detail: "a stream differs after two rounds of repair",
            alarm: true,
        };
        audit::append(tx, context.now, &entry)?;
    }
    Ok(())
}
