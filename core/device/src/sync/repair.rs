//! Two sides whose digests differ: compare fingerprints, exchange what differs, and after two rounds tell people.

use gridwalk_model::{RecordId, Timestamp};
use gridwalk_replica::digest::StreamDigest;
use gridwalk_replica::wire::SyncResponse;

use super::apply::Applied;
use super::request::RequestContext;
use crate::error::DeviceError;
use crate::store::{StreamRow, Tx, flag};

/// Comparisons before the alarm.
const ROUNDS: u32 = 2;
/// After the alarm one more comparison is tried for every hour that passes: the author of what the server lacks may
/// have come back.
const RETRY_MS: i64 = 60 * 60 * 1000;

/// Looks at the digest that the server read with its last page.
pub(super) fn check_digest(
    tx: &mut Tx<'_>,
    stream: &StreamRow,
    theirs: StreamDigest,
    now: Timestamp,
) -> Result<(), DeviceError> {
    if stream.revoking {
        return Ok(());
    }
    let mut row = stream.clone();
    let deferred = tx.deferred(stream.key)?;
    let mut ours = tx.digest(stream.key)?;
    for record in deferred.iter().flatten().map(|(_, record)| record) {
        ours = ours.without(record.here);
        ours = record.there.map_or(ours, |there| ours.with(there));
    }
    if ours == theirs {
        if stream.rounds > 0 || stream.comparing || stream.alarm_at.is_some() {
            row.rounds = 0;
            row.comparing = false;
            row.compare_after = None;
            row.alarm_at = None;
            tx.set_repair(&row)?;
        }
        return Ok(());
    }
    // With own changes on the way the two sides are bound to differ.
    if stream.comparing || deferred.is_none() {
        return Ok(());
    }
    if stream.rounds >= ROUNDS {
        // With the alarm goes one more comparison, by which the server sees the same difference for the third time.
        let since = *row.alarm_at.get_or_insert(now);
        let tried = i64::from(stream.rounds - ROUNDS);
        if now < since.plus_millis(RETRY_MS.saturating_mul(tried)) {
            return Ok(());
        }
    }
    row.rounds = stream.rounds.saturating_add(1);
    row.comparing = true;
    row.compare_after = None;
    tx.set_repair(&row)
}

/// A part of a comparison was answered: on to the next, and note what the server asks for.
pub(super) fn after_comparison(
    tx: &mut Tx<'_>,
    context: &RequestContext,
    response: &SyncResponse,
    applied: &mut Applied,
) -> Result<(), DeviceError> {
    for wanted in &response.wants {
        if let Some((key, _)) = tx.record_key(RecordId::from_bytes(**wanted))? {
            tx.set_flag(key, flag::WANTED, true)?;
            applied.progress = true;
        }
    }
    let Some(compare) = context.compare else { return Ok(()) };
    let Some(stream) = tx.streams()?.into_iter().find(|stream| stream.key == compare.stream) else {
        return Ok(());
    };
    // A page that did not hold the whole answer is asked for again.
    if !response.more && !applied.new_epoch {
        let next =
            StreamRow { comparing: compare.through.is_some(), compare_after: compare.through, ..stream };
        tx.set_repair(&next)?;
        applied.progress = true;
    }
    Ok(())
}
