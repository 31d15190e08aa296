//! What a response does to the store: everything in one transaction, cursors included.

use std::collections::BTreeMap;

use gridwalk_model::{RecordId, StreamId, Timestamp};
use gridwalk_replica::ChangeHash;
use gridwalk_replica::admission::Verdict;
use gridwalk_replica::digest::StreamDigest;
use gridwalk_replica::wire::SyncResponse;

use super::refusal::{self, Refused};
use super::request::{self, PushContext, RequestContext};
use super::{pull, repair};
use crate::error::DeviceError;
use crate::net::NetError;
use crate::store::{Commit, OutboxState, Setting, Store, Tx, View, flag};

/// How long a change that the server cannot take yet waits before it is offered again.
const HELD_RETRY_MS: i64 = 10 * 60 * 1000;

/// What applying a response did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The server has more to tell.
    pub more: bool,
    /// Another request has something to say at once.
    pub again: bool,
    /// Something moved: a verdict, a record, a cursor. A server that never lets anything move is left alone.
    pub progress: bool,
    /// Changes that the server has taken.
    pub accepted: usize,
    /// Changes that it refused.
    pub refused: usize,
    /// Records that were new or changed.
    pub pulled: usize,
    /// Records that left this phone.
    pub dropped: usize,
    /// The server's store was restored.
    pub new_epoch: bool,
    /// The server's clock less this phone's, in milliseconds.
    pub skew_ms: i64,
}

/// Applies a response. On an error nothing of it is kept, and the request can be sent again.
pub(crate) fn apply(
    store: &mut Store,
    context: &RequestContext,
    response: &SyncResponse,
    now: Timestamp,
) -> Result<Applied, DeviceError> {
    let new_epoch = is_new_epoch(store.view(), response)?;
    check_shape(context, response, new_epoch)?;
    let skew_ms = response.received_at.saturating_sub(now.millis());
    if !new_epoch && is_idle(store.view(), context, response)? {
        return Ok(Applied { skew_ms, ..Applied::default() });
    }
    let mut applied = store.write(Commit::Apply, |tx| {
        let mut applied = Applied { more: response.more, new_epoch, skew_ms, ..Applied::default() };
        if new_epoch {
            begin_epoch(tx)?;
            applied.progress = true;
        }
        take_verdicts(tx, context, response, now, &mut applied)?;
        tx.forget_backed_up(response.backed_up_through)?;
        let restarted = take_grants(tx, response, &mut applied)?;
        take_pulls(tx, context, response, now, &mut applied)?;
        take_cursors(tx, context, response, &restarted, &mut applied)?;
        repair::after_comparison(tx, context, response, &mut applied)?;
        if !response.more && !new_epoch {
            settle(tx, context, response, now, &mut applied)?;
        }
        tx.date_receipts(context.sent_at, response.commit)?;
        if let Some(mark) = response.mark {
            tx.put(Setting::Seen, &[response.commit.to_be_bytes(), mark.to_be_bytes()].concat())?;
        }
        tx.put_number(Setting::LastContact, now.millis())?;
        tx.put_number(Setting::Skew, skew_ms)?;
        Ok(applied)
    })?;
    applied.again = applied.more || new_epoch || request::has_something_to_say(store, now)?;
    // A comparison ends with a look at the digests, a new grant with its records.
    applied.again |= context.compare.is_some() || response.grants.is_some();
    Ok(applied)
}

/// Whether the server's past was put back. It may have learnt so from the commit that this phone named in its request
/// ([`SyncRequest::seen`](gridwalk_replica::wire::SyncRequest)).
fn is_new_epoch(view: View<'_>, response: &SyncResponse) -> Result<bool, DeviceError> {
    Ok(view.epoch()?.is_some_and(|known| known != response.epoch))
}

/// A server that answers something else than was asked is not understood; nothing of it is taken.
fn check_shape(
    context: &RequestContext,
    response: &SyncResponse,
    new_epoch: bool,
) -> Result<(), DeviceError> {
    let unreadable = Err(DeviceError::Net(NetError::Unreadable));
    let verdicts_fit = response.verdicts.len() == context.pushes.len()
        && response.verdicts.iter().zip(&context.pushes).all(|(v, push)| v.len() == push.hashes.len());
    let left_out = new_epoch && response.verdicts.is_empty();
    if !(verdicts_fit || left_out) {
        return unreadable;
    }
    let count = context.streams.len();
    let streams_fit = response.streams.len() == count || (new_epoch && response.streams.is_empty());
    let indexes = response.pulls.iter().map(|p| p.stream).chain(response.removals.iter().map(|r| r.stream));
    if !streams_fit || indexes.into_iter().any(|index| index as usize >= count) {
        return unreadable;
    }
    Ok(())
}

/// Whether a response says nothing new. Then nothing is written: an idle phone does not wear its flash.
fn is_idle(view: View<'_>, context: &RequestContext, response: &SyncResponse) -> Result<bool, DeviceError> {
    if !response.verdicts.is_empty()
        || response.grants.is_some()
        || !response.pulls.is_empty()
        || !response.removals.is_empty()
        || !response.wants.is_empty()
        || response.more
        || context.compare.is_some()
        || view.epoch()?.is_none()
        || view.get_number(Setting::BackedUpThrough)? != i64::try_from(response.backed_up_through).ok()
    {
        return Ok(false);
    }
    let streams: BTreeMap<i64, _> = view.streams()?.into_iter().map(|stream| (stream.key, stream)).collect();
    for ((key, _), state) in context.streams.iter().zip(&response.streams) {
        let Some(stream) = streams.get(key) else { return Ok(false) };
        let agreed = state.digest.is_none_or(|theirs| StreamDigest::from_bytes(*theirs) == stream.digest);
        if stream.seq != state.seq || !agreed || stream.rounds > 0 || stream.revoking || stream.restarted {
            return Ok(false);
        }
    }
    Ok(view.flagged(flag::LEAVING)?.is_empty() && !view.has_undated_receipts(context.sent_at)?)
}

/// The server begins anew from a backup: what this phone sent and no backup held waits again, and everything is pulled
/// from the start and merged. The new epoch's `backed_up_through` says nothing of what was sent before it: a restored
/// server gives the same commit numbers out again.
fn begin_epoch(tx: &mut Tx<'_>) -> Result<(), DeviceError> {
    tx.clear(Setting::Seen)?;
    tx.void_cursors()?;
    tx.resend_all()?;
    tx.doubt_receipts()?;
    // The new server may not know of a revocation, and then says nothing of it; if it does, it says so again.
    for stream in tx.streams()?.into_iter().filter(|stream| stream.revoking) {
        tx.set_revoking(stream.key, false)?;
    }
    // What waited for the old server is offered to the new one at once.
    tx.release_all()
}

fn take_verdicts(
    tx: &mut Tx<'_>,
    context: &RequestContext,
    response: &SyncResponse,
    now: Timestamp,
    applied: &mut Applied,
) -> Result<(), DeviceError> {
    for (push, verdicts) in context.pushes.iter().zip(&response.verdicts) {
        let outcome = sort_verdicts(tx, push, verdicts, response)?;
        applied.accepted += outcome.accepted;
        applied.refused += outcome.refused.len();
        applied.progress |= outcome.accepted > 0 || !outcome.refused.is_empty();
        let key = tx.record_key(push.record)?.map(|(key, _)| key);
        if let Some(key) = key {
            tx.set_flag(key, flag::WANTED, outcome.wants_history)?;
        }
        if !outcome.refused.is_empty() {
            refusal::replay(tx, push.record, &push.kind, &outcome.refused, now)?;
        } else if let Some(state) = outcome.deferred {
            tx.defer(push.record, state, now.plus_millis(HELD_RETRY_MS))?;
        } else if outcome.wants_history && key.is_some() {
            applied.progress = true;
        } else if outcome.wants_history {
            // The record has left this phone, and its history with it: others who hold it bring it back.
            tx.defer(push.record, OutboxState::Stranded, now.plus_millis(HELD_RETRY_MS))?;
        }
    }
    Ok(())
}

#[derive(Default)]
struct Outcome {
    accepted: usize,
    refused: Vec<Refused>,
    deferred: Option<OutboxState>,
    wants_history: bool,
}

/// What the verdicts on one record's changes mean for those that wait.
fn sort_verdicts(
    tx: &mut Tx<'_>,
    push: &PushContext,
    verdicts: &[Verdict],
    response: &SyncResponse,
) -> Result<Outcome, DeviceError> {
    let mut out = Outcome::default();
    let by_hash: BTreeMap<ChangeHash, Verdict> =
        push.hashes.iter().copied().zip(verdicts.iter().copied()).collect();
    for (hash, verdict) in push.hashes.iter().zip(verdicts) {
        let Some(row) = tx.outbox_row(hash)? else {
            if *verdict == Verdict::ActorForked {
                // Somebody's change whose number the server has given to another since it was restored: it can never
                // come back, and as long as it stands here, nothing of the record agrees. Its author makes it again.
                out.refused.push(Refused { hash: *hash, verdict: *verdict });
            }
            continue;
        };
        match verdict {
            Verdict::Accepted | Verdict::Duplicate => {
                tx.mark_sent(&row, response.commit)?;
                out.accepted += 1;
            }
            Verdict::Held => out.deferred = Some(OutboxState::Held),
            Verdict::MissingDeps if is_orphan(tx, push.record, response)? => {
                out.refused.push(Refused { hash: *hash, verdict: *verdict });
            }
            Verdict::MissingDeps if push.history => out.deferred = Some(OutboxState::Stranded),
            Verdict::MissingDeps => out.wants_history = true,
            Verdict::BlockedBy(blocker) => match waits_for(tx, &by_hash, *blocker)? {
                // Where the phone has no place any more, nobody will bring the ground back for it: the server has
                // the bytes, and the worker is told.
                Some(OutboxState::Stranded) if !has_place(tx, push.record)? => {
                    out.refused.push(Refused { hash: *hash, verdict: *verdict });
                }
                Some(state) => out.deferred = Some(state),
                None => out.refused.push(Refused { hash: *hash, verdict: *verdict }),
            },
            Verdict::Forbidden | Verdict::ActorForked | Verdict::Invalid(_) => {
                out.refused.push(Refused { hash: *hash, verdict: *verdict });
            }
        }
    }
    Ok(out)
}

/// Whether a record is not on this phone and will not come: what builds on it can be shown to nobody but the worker.
fn is_orphan(tx: &Tx<'_>, record: RecordId, response: &SyncResponse) -> Result<bool, DeviceError> {
    let coming = response.more
        || response.grants.is_some()
        || response.pulls.iter().any(|pull| *pull.record == *record.as_bytes());
    Ok(!coming && tx.record(record)?.is_none())
}

/// Why a change is blocked, where that may pass: it builds on one that is held, or on somebody else's that the server
/// has lost and takes from nobody but its author. Such a change waits instead of being taken apart.
fn waits_for(
    tx: &Tx<'_>,
    verdicts: &BTreeMap<ChangeHash, Verdict>,
    blocker: ChangeHash,
) -> Result<Option<OutboxState>, DeviceError> {
    let mut hash = blocker;
    for _ in 0..verdicts.len() {
        match verdicts.get(&hash) {
            Some(Verdict::BlockedBy(next)) => hash = *next,
            Some(Verdict::ActorForked) => return Ok(None),
            Some(Verdict::Held) => return Ok(Some(OutboxState::Held)),
            Some(Verdict::MissingDeps) => return Ok(Some(OutboxState::Stranded)),
            _ => break,
        }
    }
    Ok(if tx.made_here(&hash)? { None } else { Some(OutboxState::Stranded) })
}

/// Whether a record is in a stream that is not being taken away.
fn has_place(tx: &Tx<'_>, record: RecordId) -> Result<bool, DeviceError> {
    let Some((key, _)) = tx.record_key(record)? else { return Ok(false) };
    let held = tx.streams_of(key)?;
    Ok(tx.streams()?.iter().any(|stream| held.contains(&stream.key) && !stream.revoking))
}

/// Takes the server's list of grants. Returns the streams that begin anew.
fn take_grants(
    tx: &mut Tx<'_>,
    response: &SyncResponse,
    applied: &mut Applied,
) -> Result<Vec<i64>, DeviceError> {
    let Some(grants) = &response.grants else { return Ok(Vec::new()) };
    let mut restarted = Vec::new();
    let mut named = Vec::new();
    for grant in grants {
        // A sort of stream that this build does not know cannot be asked for either.
        let Some(id) = StreamId::from_bytes(&grant.stream) else { continue };
        named.push(id);
        match tx.stream(&id)? {
            None if grant.revoking => {}
            None => {
                tx.add_stream(&id, grant.generation)?;
                applied.progress = true;
            }
            Some(stream) => {
                if stream.generation != grant.generation && !grant.revoking {
                    tx.restart_stream(stream.key, grant.generation)?;
                    restarted.push(stream.key);
                    applied.progress = true;
                }
                applied.progress |= stream.revoking != grant.revoking;
                tx.set_revoking(stream.key, grant.revoking)?;
            }
        }
    }
    for stream in tx.streams()? {
        if !named.contains(&stream.id) && !stream.revoking {
            tx.set_revoking(stream.key, true)?;
            applied.progress = true;
        }
    }
    Ok(restarted)
}

fn take_pulls(
    tx: &mut Tx<'_>,
    context: &RequestContext,
    response: &SyncResponse,
    now: Timestamp,
    applied: &mut Applied,
) -> Result<(), DeviceError> {
    for item in &response.pulls {
        let Some((stream, generation)) = context.streams.get(item.stream as usize) else { continue };
        pull::take(tx, item, *stream, *generation, now)?;
        applied.pulled += 1;
    }
    for removal in &response.removals {
        let Some((stream, _)) = context.streams.get(removal.stream as usize) else { continue };
        if let Some((record, _)) = tx.record_key(RecordId::from_bytes(*removal.record))? {
            tx.leave(*stream, record)?;
        }
        applied.progress = true;
    }
    applied.progress |= applied.pulled > 0;
    Ok(())
}

fn take_cursors(
    tx: &mut Tx<'_>,
    context: &RequestContext,
    response: &SyncResponse,
    restarted: &[i64],
    applied: &mut Applied,
) -> Result<(), DeviceError> {
    tx.put(Setting::Epoch, &*response.epoch)?;
    if applied.new_epoch {
        return Ok(());
    }
    let before: BTreeMap<i64, u64> = tx.streams()?.into_iter().map(|s| (s.key, s.seq)).collect();
    for ((key, _), state) in context.streams.iter().zip(&response.streams) {
        if restarted.contains(key) || !before.contains_key(key) {
            continue;
        }
        tx.set_cursor(*key, state.seq)?;
        applied.progress |= before.get(key) != Some(&state.seq);
    }
    Ok(())
}

/// Everything has been told: compare digests, let go of what has left.
fn settle(
    tx: &mut Tx<'_>,
    context: &RequestContext,
    response: &SyncResponse,
    now: Timestamp,
    applied: &mut Applied,
) -> Result<(), DeviceError> {
    let streams: BTreeMap<i64, _> = tx.streams()?.into_iter().map(|stream| (stream.key, stream)).collect();
    for ((key, generation), state) in context.streams.iter().zip(&response.streams) {
        let Some(stream) = streams.get(key).filter(|stream| stream.generation == *generation) else {
            continue;
        };
        let Some(theirs) = state.digest else { continue };
        if stream.restarted {
            tx.leave_older(stream)?;
        }
        repair::check_digest(tx, stream, StreamDigest::from_bytes(*theirs), now)?;
    }
    request::give_up_revoked(tx)?;
    applied.dropped = tx.drop_left()?;
    Ok(())
}
