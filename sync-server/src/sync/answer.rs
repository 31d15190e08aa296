//! The third step: what the device lacks, from one snapshot.

use std::collections::{BTreeMap, BTreeSet};

use gridwalk_model::{RecordId, Timestamp};
use gridwalk_replica::wire::{
    self, PhoneNotes, Pull, PullBody, Removal, ServerNotes, StreamState, SyncResponse,
};

use super::commit::{Committed, Own};
use super::prepare::Pending;
use super::scope::Place;
use super::{SyncError, mark};
use crate::storage::records::{PageRow, RecordHead, StreamNo};
use crate::storage::{ReadTx, Stored};

/// Bounds of what a device may ask to be sent at once, in bytes before compression. The upper one keeps the frame
/// below the 1 MiB that every peer takes, even if nothing in it can be compressed.
const BYTES_MIN: usize = 16 * 1024;
const BYTES_MAX: usize = 960 * 1024;
/// What a pulled record costs beside its content: identifier, kind, fingerprint.
const PULL_OVERHEAD: usize = 64;
/// Rows that are read from a stream at once.
const PAGE: u32 = 256;

/// Answers a request from one snapshot, which must hold everything that was committed for it.
///
/// # Errors
/// A failure of the store.
pub fn answer(
    tx: &dyn ReadTx,
    pending: &Pending,
    committed: Option<&Committed>,
    now: Timestamp,
) -> Result<SyncResponse, SyncError> {
    let server = tx.server()?;
    let other_epoch = pending.other_epoch || server.epoch != pending.server.epoch;
    let mut response = SyncResponse {
        protocol: wire::PROTOCOL.1.min(pending.request.protocol_max),
        epoch: server.epoch.into(),
        received_at: now.millis(),
        commit: server.commit_no,
        backed_up_through: server.backed_up_through,
        verdicts: Vec::new(),
        grants: None,
        pulls: Vec::new(),
        removals: Vec::new(),
        streams: Vec::new(),
        more: false,
        wants: Vec::new(),
        mark: mark::give(tx, &server)?,
        notes: pending
            .request
            .notes
            .as_ref()
            .map(|asked| notes(tx, pending, committed, asked))
            .transpose()?,
    };
    if other_epoch {
        // The device begins again from zero; what it sent stays in its outbox.
        return Ok(response);
    }
    if let Some(committed) = committed {
        response.verdicts.clone_from(&committed.verdicts);
    } else {
        response.verdicts = pending.shape.iter().map(|_| Vec::new()).collect();
    }
    if pending.scope.tell {
        response.grants = Some(pending.scope.states());
    }
    let asked = usize::try_from(pending.request.max_bytes).unwrap_or(BYTES_MAX);
    let nothing = BTreeMap::new();
    let mut filling = Filling {
        tx,
        own: committed.map_or(&nothing, |committed| &committed.own),
        left: asked.clamp(BYTES_MIN, BYTES_MAX),
        full: false,
        sent: BTreeSet::new(),
        response: &mut response,
    };
    filling.repair(pending)?;
    for (index, place) in (0..).zip(&pending.scope.places) {
        filling.stream(index, place)?;
    }
    Ok(response)
}

/// What is said beside the answer.
fn notes(
    tx: &dyn ReadTx,
    pending: &Pending,
    committed: Option<&Committed>,
    asked: &PhoneNotes,
) -> Stored<ServerNotes> {
    let wants_key = asked.wants_key == Some(true);
    let keys = if wants_key { tx.sealing_keys()? } else { None };
    Ok(ServerNotes {
        locked: pending.principal.revoked_at.is_some().then_some(true),
        sealing_key: keys.map(|keys| keys.public.to_vec().into()),
        rules: tx.rule_files()?.filter(|rules| asked.rules.as_ref() != Some(&rules.mark)),
        reads_through: committed.and_then(|committed| committed.reads_through),
    })
}

struct Filling<'a> {
    tx: &'a dyn ReadTx,
    own: &'a BTreeMap<RecordId, Own>,
    /// Bytes that may still be sent.
    left: usize,
    /// Something did not go in: nothing more is read.
    full: bool,
    /// Records whose content is in this response already.
    sent: BTreeSet<RecordId>,
    response: &'a mut SyncResponse,
}

impl Filling<'_> {
    /// Sends what a comparison showed to differ, as far as the budget goes; the rest differs next time as well.
    fn repair(&mut self, pending: &Pending) -> Stored<()> {
        let Some(comparison) = &pending.comparison else { return Ok(()) };
        self.response.wants = comparison.wants.iter().map(|id| (*id.as_bytes()).into()).collect();
        let gone = comparison.gone.iter();
        self.response
            .removals
            .extend(gone.map(|id| Removal { record: (*id.as_bytes()).into(), stream: comparison.cursor }));
        for id in &comparison.send {
            let Some(head) = self.tx.record(*id)? else { continue };
            let body = PullBody::Snapshot(self.tx.snapshot(head.no)?.into());
            if !self.push(comparison.cursor, &head, body) {
                self.response.more = true;
                break;
            }
        }
        Ok(())
    }

    /// Sends what happened in a stream since the device's cursor.
    fn stream(&mut self, index: u32, place: &Place) -> Stored<()> {
        let unmoved = StreamState { seq: place.seq, digest: None };
        let Some(no) = place.readable else {
            self.response.streams.push(unmoved);
            return Ok(());
        };
        let Some(row) = self.tx.stream_by_no(no)? else {
            self.response.streams.push(unmoved);
            return Ok(());
        };
        let reached = if row.seq > place.seq { self.pages(index, place, no)? } else { None };
        let state = match reached {
            Some(seq) => {
                self.response.more = true;
                StreamState { seq, digest: None }
            }
            None => StreamState { seq: row.seq, digest: Some(row.digest.to_bytes().into()) },
        };
        self.response.streams.push(state);
        Ok(())
    }

    /// Walks a stream page by page. Returns where it stopped if the budget ended first.
    fn pages(&mut self, index: u32, place: &Place, no: StreamNo) -> Stored<Option<u64>> {
        let mut from = place.seq;
        loop {
            if self.full {
                return Ok(Some(from));
            }
            let rows = self.tx.page(no, from, PAGE)?;
            let full = rows.len() == usize::try_from(PAGE).unwrap_or(usize::MAX);
            for row in rows {
                if !self.row(index, place, &row)? {
                    return Ok(Some(from));
                }
                from = row.seq;
            }
            if !full {
                return Ok(None);
            }
        }
    }

    /// Sends one row; `false` if the budget does not hold it.
    fn row(&mut self, index: u32, place: &Place, row: &PageRow) -> Stored<bool> {
        if row.removed {
            // Whoever was not told of its coming need not be told of its going.
            if row.entered <= place.seq {
                let removal = Removal { record: (*row.record.id.as_bytes()).into(), stream: index };
                self.response.removals.push(removal);
                self.left = self.left.saturating_sub(PULL_OVERHEAD);
            }
            return Ok(true);
        }
        let body = if self.sent.contains(&row.record.id) { PullBody::Known } else { self.body(place, row)? };
        Ok(self.push(index, &row.record, body))
    }

    /// What a device that has pulled as far as `place` lacks of a record.
    fn body(&self, place: &Place, row: &PageRow) -> Stored<PullBody> {
        let record = &row.record;
        let own = self.own.get(&record.id);
        let held = row.entered <= place.seq && place.seq > 0;
        // The device knows the state before its own changes: it made the record, or it has pulled so far.
        let own = own.filter(|own| own.before == 0 || (held && own.before <= place.seq));
        if !held && own.is_none_or(|own| own.before != 0) {
            return self.snapshot(record);
        }
        let since = match own {
            Some(own) if own.before == 0 => own.seq,
            _ => place.seq,
        };
        if since < record.tail_after {
            return self.snapshot(record);
        }
        let mut changes = Vec::new();
        for batch in self.tx.tail(record.no, since)? {
            if own.is_none_or(|own| own.seq != batch.seq) {
                changes.extend(batch.changes.into_iter().map(Into::into));
            }
        }
        Ok(if changes.is_empty() { PullBody::Known } else { PullBody::Changes(changes) })
    }

    fn snapshot(&self, record: &RecordHead) -> Stored<PullBody> {
        Ok(PullBody::Snapshot(self.tx.snapshot(record.no)?.into()))
    }

    /// Adds a record to the response, unless the budget is used up. The first one always goes in.
    fn push(&mut self, index: u32, record: &RecordHead, body: PullBody) -> bool {
        let size = PULL_OVERHEAD
            + match &body {
                PullBody::Known => 0,
                PullBody::Snapshot(bytes) => bytes.len(),
                PullBody::Changes(changes) => changes.iter().map(|change| change.len() + 4).sum(),
            };
        if size > self.left && !self.response.pulls.is_empty() {
            self.full = true;
            return false;
        }
        self.left = self.left.saturating_sub(size);
        if !matches!(body, PullBody::Known) {
            self.sent.insert(record.id);
        }
        self.response.pulls.push(Pull {
            record: (*record.id.as_bytes()).into(),
            kind: record.kind.clone(),
            stream: index,
            fingerprint: record.fingerprint.0.into(),
            body,
        });
        true
    }
}
