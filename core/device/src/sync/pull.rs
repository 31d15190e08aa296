//! Taking records from the server.

use gridwalk_model::{Kind, RecordId, Timestamp};
use gridwalk_replica::admission::{self, Admitted, Origin, Verdict};
use gridwalk_replica::digest::Fingerprint;
use gridwalk_replica::wire::{Pull, PullBody};
use gridwalk_replica::{Document, FlatChange};

use super::refusal::{self, Refused};
use crate::error::DeviceError;
use crate::store::{Body, Commit, Loaded, OutboxState, Store, StreamRow, Tx, UnreadForm, flag};

/// Stores one pulled record and its place in a stream. What cannot be applied is kept as bytes; it never holds up the
/// others.
pub(super) fn take(
    tx: &mut Tx<'_>,
    pull: &Pull,
    stream: i64,
    generation: u32,
    now: Timestamp,
) -> Result<(), DeviceError> {
    let id = RecordId::from_bytes(*pull.record);
    let claimed = Fingerprint(*pull.fingerprint);
    let key = match &pull.body {
        PullBody::Known => tx.record_key(id)?.map(|(key, _)| key),
        PullBody::Snapshot(bytes) => {
            Some(take_bodies(tx, id, &pull.kind, UnreadForm::Snapshot, &[bytes], claimed, now)?)
        }
        PullBody::Changes(raws) => {
            let raws: Vec<&[u8]> = raws.iter().map(|raw| raw.as_slice()).collect();
            Some(take_bodies(tx, id, &pull.kind, UnreadForm::Change, &raws, claimed, now)?)
        }
    };
    match key {
        Some(key) if tx.has_stream(stream)? => tx.join(stream, generation, key),
        Some(_) => Ok(()),
        // "Known", but it is not here: the comparison of the stream will bring it.
        None => compare_soon(tx, stream),
    }
}

fn compare_soon(tx: &mut Tx<'_>, stream: i64) -> Result<(), DeviceError> {
    let Some(row) = tx.streams()?.into_iter().find(|row| row.key == stream) else { return Ok(()) };
    tx.set_repair(&StreamRow { comparing: true, compare_after: None, ..row })
}

/// Applies a snapshot or changes, or keeps them unread.
fn take_bodies(
    tx: &mut Tx<'_>,
    id: RecordId,
    kind: &str,
    form: UnreadForm,
    bodies: &[&[u8]],
    claimed: Fingerprint,
    now: Timestamp,
) -> Result<i64, DeviceError> {
    if Kind::parse(kind).is_none() {
        return tx.put_unread(id, kind, form, bodies, claimed, now);
    }
    let mut old = tx.record(id)?;
    if meets_a_clone(tx, old.as_ref(), form, bodies)? {
        become_another(tx, id, kind, now)?;
        old = tx.record(id)?;
    }
    let base = old.as_ref().and_then(Loaded::readable);
    let Some(admitted) = admit(id, kind, base, form, bodies) else {
        // This build knows the kind, so it is not the form that is new: something is missing or damaged. Counted as
        // nothing, it lets the digests differ, and the comparison brings the whole record.
        return tx.put_unread(id, kind, form, bodies, Fingerprint::default(), now);
    };
    let fresh = old.is_none();
    let key = match &old {
        Some(old) if base.is_some() && Fingerprint::of(id, &admitted.heads) == old.fingerprint => old.key,
        _ => tx.put_record(id, kind, old.as_ref(), &admitted.document, Body::Snapshot(&admitted.snapshot))?,
    };
    if old.as_ref().is_some_and(|old| old.flags & flag::UNREADABLE != 0) {
        // A snapshot holds what was kept unread; changes that were kept are repaired by comparison.
        tx.take_unread(key)?;
        tx.set_flag(key, flag::UNREADABLE, false)?;
    }
    if tx.has_waiting(id)? {
        if fresh {
            tx.apply_waiting(id, kind)?;
        }
        // What the server had lost may have come back.
        tx.defer(id, OutboxState::Waiting, Timestamp::default())?;
    }
    Ok(key)
}

/// The record with the bodies, if all of them can be applied.
fn admit(
    id: RecordId,
    kind: &str,
    base: Option<&[u8]>,
    form: UnreadForm,
    bodies: &[&[u8]],
) -> Option<Admitted> {
    match form {
        UnreadForm::Snapshot => {
            let snapshot = bodies.first()?;
            admission::admit_snapshot(id, kind, base, snapshot).ok()
        }
        UnreadForm::Change => {
            let admission = admission::admit(id, kind, base, bodies, &Origin::Server);
            if admission.verdicts.iter().any(|v| !matches!(v, Verdict::Accepted | Verdict::Duplicate)) {
                return None;
            }
            match admission.admitted {
                Some(admitted) => Some(admitted),
                // All of them were here already.
                None => {
                    let document = Document::load(base?).ok()?;
                    let (snapshot, heads) = (base?.to_vec(), document.heads());
                    Some(Admitted { document, snapshot, heads, accepted: Vec::new() })
                }
            }
        }
    }
}

/// Whether the server sends a change by the very author that this store writes as, which this store has not made: a
/// copy of the phone exists, and the two must not go on as one.
fn meets_a_clone(
    tx: &Tx<'_>,
    old: Option<&Loaded>,
    form: UnreadForm,
    bodies: &[&[u8]],
) -> Result<bool, DeviceError> {
    let Ok(identity) = tx.identity() else { return Ok(false) };
    let actor = identity.actor();
    // An actor's bytes stand in every change and snapshot of its own: most bodies need no closer look.
    let suspects: Vec<&&[u8]> =
        bodies.iter().filter(|body| body.windows(16).any(|window| window == actor.as_bytes())).collect();
    if suspects.is_empty() {
        return Ok(false);
    }
    let ours = old.and_then(Loaded::readable).map(Document::load).transpose()?;
    for body in suspects {
        let hashes = match form {
            UnreadForm::Change => FlatChange::read(body)
                .map(|change| if change.actor == actor { vec![change.hash] } else { Vec::new() })
                .unwrap_or_default(),
            UnreadForm::Snapshot => match admission::read_snapshot(body) {
                Some(theirs) => {
                    theirs.history().into_iter().filter(|c| c.actor == actor).map(|c| c.hash).collect()
                }
                None => Vec::new(),
            },
        };
        for hash in hashes {
            let here = ours.as_ref().is_some_and(|document| document.has(&hash)) || tx.made_here(&hash)?;
            if !here {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// A new incarnation; what waits of this record is made again under it before the other's change is applied, so that
/// the two stand beside each other like the work of two people.
fn become_another(tx: &mut Tx<'_>, id: RecordId, kind: &str, now: Timestamp) -> Result<(), DeviceError> {
    let waiting: Vec<Refused> = tx
        .outbox_of(id)?
        .into_iter()
        .map(|row| Refused { hash: row.hash, verdict: Verdict::ActorForked })
        .collect();
    if waiting.is_empty() {
        tx.reincarnate()?;
        return Ok(());
    }
    refusal::replay(tx, id, kind, &waiting, now)
}

/// Tries again what could not be read, after an upgrade of the app.
pub(crate) fn retry_unread(store: &mut Store, now: Timestamp) -> Result<usize, DeviceError> {
    let unread = store.view().flagged(flag::UNREADABLE)?;
    let known: Vec<_> = unread.into_iter().filter(|(_, _, kind)| Kind::parse(kind).is_some()).collect();
    if known.is_empty() {
        return Ok(0);
    }
    store.write(Commit::Apply, |tx| {
        let mut read = 0;
        for (key, id, kind) in known {
            let Some(loaded) = tx.record(id)? else { continue };
            for (form, body) in tx.take_unread(key)? {
                take_bodies(tx, id, &kind, form, &[&body], loaded.fingerprint, now)?;
            }
            let readable = tx.record(id)?.is_some_and(|loaded| loaded.flags & flag::UNREADABLE == 0);
            read += usize::from(readable);
        }
        Ok(read)
    })
}
