//! What becomes of a package: an administrator has its changes offered to the records, or throws it away.

use std::collections::BTreeMap;

use gridwalk_model::{ContentHash, RecordId, StreamId, Timestamp};
use gridwalk_replica::admission::Verdict;
use gridwalk_replica::sealed::SealedChange;
use gridwalk_replica::wire::{self, Cursor, Push, SyncRequest};

use super::SealedError;
use super::content::{self, Content};
use crate::audit::{self, Entry};
use crate::clock::Entropy;
use crate::media::MediaError;
use crate::storage::Storage;
use crate::storage::sealed::{PackageRow, Settled};
use crate::sync::{self, Context, Principal};

/// Changes that are offered at once.
const BATCH: usize = 500;
/// Bytes of changes that are offered at once.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Stores a medium in the name of a device: [`crate::media::Media::take_whole`].
pub type KeepMedium<'k> = &'k dyn Fn(&Principal, ContentHash, &[u8]) -> Result<(), MediaError>;

/// What accepting a package came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Changes that the records have now, those included that they had before.
    pub taken: usize,
    /// Changes that could not be admitted: they are in quarantine, with the reason.
    pub refused: usize,
    /// Changes that cannot be judged yet: they stay in the package.
    pub waiting: usize,
    /// Media that are stored now.
    pub media: usize,
    /// Media that are not what their name says, or no media that are stored.
    pub media_refused: usize,
}

/// Offers the changes of a package to the records as their device would have, and stores its media. What was not
/// finished on the phone stays in the package to be read. Can be done again after a crash: what was taken is known.
/// Blocks.
///
/// # Errors
/// [`SealedError::NotFound`], [`SealedError::Settled`]; a failure of the store.
pub fn accept(
    storage: &dyn Storage,
    keep: KeepMedium<'_>,
    no: i64,
    by: RecordId,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<Accepted, SealedError> {
    let (package, principal, opened) = storage.view(|tx| {
        let package = open_package(tx.package(no)?)?;
        let device = tx.devices()?.into_iter().find(|device| device.no == package.device);
        let device = device.ok_or(SealedError::NotFound)?;
        let opened = content::open(tx, &package)?;
        Ok::<_, SealedError>((package, Principal::vouched_for(tx, device.id)?, opened))
    })?;
    let mut accepted = Accepted::default();
    offer(storage, &principal, &opened, Context { now, entropy }, &mut accepted)?;
    for file in &opened.media {
        let bytes = storage.view(|tx| content::whole(tx, &package, file))?;
        let taken = bytes.map(|bytes| keep(&principal, file.name, &bytes));
        match taken {
            Some(Ok(())) => accepted.media += 1,
            None | Some(Err(MediaError::Refused(_))) => accepted.media_refused += 1,
            Some(Err(error)) => return Err(error.into()),
        }
    }
    let detail = format!(
        "package {no}: {} changes taken, {} refused, {} waiting; {} media taken, {} refused; {} drafts, {} originals, \
         {} sounds",
        accepted.taken,
        accepted.refused,
        accepted.waiting,
        accepted.media,
        accepted.media_refused,
        opened.drafts.len(),
        opened.originals.len(),
        opened.sounds.len(),
    );
    let settled = Settled { accepted: true, at: now, by };
    write_down(storage, &package, &principal, &settled, "sealed.accepted", &detail)?;
    Ok(accepted)
}

/// Throws a package away, or what an accepted one still holds. That there was one stays.
///
/// # Errors
/// [`SealedError::NotFound`]; a failure of the store.
pub fn discard(storage: &dyn Storage, no: i64, by: RecordId, now: Timestamp) -> Result<(), SealedError> {
    storage.update(|tx| {
        let package = tx.package(no)?.ok_or(SealedError::NotFound)?;
        let device = tx.devices()?.into_iter().find(|device| device.no == package.device);
        let target = device.map(|device| device.id.to_string()).unwrap_or_default();
        tx.drop_parts(no)?;
        let accepted = package.settled.is_some_and(|settled| settled.accepted);
        if package.settled.is_none() {
            tx.settle_package(no, &Settled { accepted: false, at: now, by })?;
        }
        let action = if accepted { "sealed.emptied" } else { "sealed.discarded" };
        let (actor, detail) = (by.to_string(), format!("package {no}"));
        let entry = Entry { actor: &actor, action, target: &target, detail: &detail, alarm: false };
        Ok(audit::append(tx, now, &entry)?)
    })
}

/// A package about which nothing was decided.
fn open_package(package: Option<PackageRow>) -> Result<PackageRow, SealedError> {
    let package = package.filter(|package| package.whole_at.is_some()).ok_or(SealedError::NotFound)?;
    if package.settled.is_some() { Err(SealedError::Settled) } else { Ok(package) }
}

fn write_down(
    storage: &dyn Storage,
    package: &PackageRow,
    principal: &Principal,
    settled: &Settled,
    action: &str,
    detail: &str,
) -> Result<(), SealedError> {
    storage.update(|tx| {
        open_package(tx.package(package.no)?)?;
        tx.settle_package(package.no, settled)?;
        let (actor, target) = (settled.by.to_string(), principal.device.to_string());
        let entry = Entry { actor: &actor, action, target: &target, detail, alarm: false };
        Ok(audit::append(tx, settled.at, &entry)?)
    })
}

/// Offers all changes, then those once more that could not be judged: what they wait for may have come after them. What
/// still waits for another record is taken without it, as in a recovery: that record will never come, since the phone
/// is wiped.
fn offer(
    storage: &dyn Storage,
    principal: &Principal,
    opened: &Content,
    context: Context<'_>,
    accepted: &mut Accepted,
) -> Result<(), SealedError> {
    let mut open: Vec<&SealedChange> = opened.changes.iter().collect();
    for last in [false, false, true] {
        let principal = Principal { last, ..principal.clone() };
        open = offer_once(storage, &principal, &open, context, accepted)?;
    }
    accepted.waiting = open.len();
    Ok(())
}

/// Offers changes in batches, and returns those that could not be judged.
fn offer_once<'c>(
    storage: &dyn Storage,
    principal: &Principal,
    changes: &[&'c SealedChange],
    context: Context<'_>,
    accepted: &mut Accepted,
) -> Result<Vec<&'c SealedChange>, SealedError> {
    let grants = storage.view(|tx| tx.device_grants(principal.device_no, principal.person_no))?;
    // Every grant is named: none is given up in the device's name.
    let cursors: Vec<Cursor> = grants
        .iter()
        .map(|grant| Cursor { stream: grant.stream.to_bytes().into(), generation: grant.generation, seq: 0 })
        .collect();
    let streams: BTreeMap<StreamId, u32> = grants.iter().map(|grant| grant.stream).zip(0..).collect();
    let mut open = Vec::new();
    let mut rest = changes;
    while !rest.is_empty() {
        let (batch, left) = rest.split_at(batch_len(rest));
        rest = left;
        let pushes = batch.iter().map(|change| push(change, &streams)).collect();
        let request = SyncRequest {
            protocol_min: wire::PROTOCOL.0,
            protocol_max: wire::PROTOCOL.1,
            schema: u32::try_from(gridwalk_model::schema::SCHEMA_VERSION).unwrap_or(u32::MAX),
            epoch: None,
            cursors: cursors.clone(),
            max_bytes: 0,
            pushes,
            compare: None,
            seen: None,
            notes: None,
        };
        let response = sync::run(storage, principal, request, context)?;
        for (change, verdict) in batch.iter().zip(response.verdicts.iter().flatten()) {
            match verdict {
                Verdict::Accepted | Verdict::Duplicate => accepted.taken += 1,
                verdict if verdict.is_refusal() => accepted.refused += 1,
                _ => open.push(*change),
            }
        }
    }
    Ok(open)
}

fn push(change: &SealedChange, streams: &BTreeMap<StreamId, u32>) -> Push {
    let hint = change.hint.as_ref().and_then(|hint| StreamId::from_bytes(hint));
    Push {
        record: change.record,
        kind: change.kind.clone(),
        hint: hint.and_then(|hint| streams.get(&hint).copied()),
        changes: vec![change.raw.clone()],
        history: false,
    }
}

/// How many of the changes are offered at once; at least one.
fn batch_len(changes: &[&SealedChange]) -> usize {
    let mut bytes = 0;
    let fits = |change: &&&SealedChange| {
        bytes += change.raw.len();
        bytes <= BATCH_BYTES
    };
    changes.iter().take(BATCH).take_while(fits).count().max(1)
}
