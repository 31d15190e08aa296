//! What a device may pull and where it may write.

use std::collections::BTreeSet;

use gridwalk_model::policy::{Role, Sender};
use gridwalk_model::{DeviceId, RecordId, StreamId, Timestamp};
use gridwalk_replica::admission::Origin;
use gridwalk_replica::protocol::ProtocolError;
use gridwalk_replica::wire;

use super::{REVOCATION_GRACE_MS, SyncError};
use crate::storage::access::{DeviceNo, GrantRow, PersonNo};
use crate::storage::records::{Membership, StreamNo};
use crate::storage::{ReadTx, Stored};

/// Who a request comes from, as the session proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The device.
    pub device: DeviceId,
    /// Its number in the store.
    pub device_no: DeviceNo,
    /// The person that it is bound to.
    pub user: RecordId,
    /// Their number in the store.
    pub person_no: PersonNo,
    /// What they may do.
    pub roles: Vec<Role>,
    /// When the device was locked: from then on only its unsent work is taken.
    pub revoked_at: Option<Timestamp>,
    /// Whether it offers nothing more after this: then nothing waits for another record.
    pub last: bool,
}

impl Principal {
    /// Reads who a device is now.
    ///
    /// # Errors
    /// [`ProtocolError::Unauthorized`] for an unknown device; [`ProtocolError::Revoked`] for one that is to wipe
    /// itself at once.
    pub fn of(tx: &dyn ReadTx, device: DeviceId) -> Result<Self, SyncError> {
        let row = tx.device(device)?.ok_or(ProtocolError::Unauthorized)?;
        if row.revoked_at.is_some() && row.wipe {
            return Err(ProtocolError::Revoked { wipe: true }.into());
        }
        let person = tx.person_by_no(row.person)?.ok_or(ProtocolError::Unauthorized)?;
        // A person who was shut out still owns work that was done before.
        let revoked_at = [row.revoked_at, person.closed_at].into_iter().flatten().min();
        Ok(Self {
            device,
            device_no: row.no,
            user: person.id,
            person_no: person.no,
            roles: person.roles,
            revoked_at,
            last: false,
        })
    }

    /// A device whose work an administrator vouches for: whether it is locked does not count.
    ///
    /// # Errors
    /// [`ProtocolError::Unauthorized`] for an unknown device; a failure of the store.
    pub fn vouched_for(tx: &dyn ReadTx, device: DeviceId) -> Result<Self, SyncError> {
        let row = tx.device(device)?.ok_or(ProtocolError::Unauthorized)?;
        let person = tx.person_by_no(row.person)?.ok_or(ProtocolError::Unauthorized)?;
        Ok(Self {
            device,
            device_no: row.no,
            user: person.id,
            person_no: person.no,
            roles: person.roles,
            revoked_at: None,
            last: false,
        })
    }

    /// Where its changes come from, as admission sees it.
    pub(super) fn origin(&self) -> Origin<'_> {
        Origin::Device { device: self.device, sender: Sender::Person { user: self.user, roles: &self.roles } }
    }
}

/// A cursor of the request beside what the server knows of it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Which stream; `None` for bytes that are none.
    pub(super) stream: Option<StreamId>,
    /// How far the device has pulled.
    pub(super) seq: u64,
    /// The stream, if it may be pulled.
    pub(super) readable: Option<StreamNo>,
}

/// Grants and cursors of one request.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) grants: Vec<GrantRow>,
    pub(super) places: Vec<Place>,
    /// Revoked grants that the device has given up with this request.
    pub(super) given_up: Vec<GrantRow>,
    /// Whether the device is to be told its grants.
    pub(super) tell: bool,
    now: Timestamp,
    /// A locked device pulls nothing.
    locked: Option<Timestamp>,
}

impl Scope {
    /// Reads the scope of a request.
    pub(super) fn read(
        tx: &dyn ReadTx,
        principal: &Principal,
        request: &wire::SyncRequest,
        now: Timestamp,
    ) -> Result<Self, SyncError> {
        let grants = tx.device_grants(principal.device_no, principal.person_no)?;
        let mut scope = Self {
            grants,
            places: Vec::with_capacity(request.cursors.len()),
            given_up: Vec::new(),
            tell: false,
            now,
            locked: principal.revoked_at,
        };
        let mut named = BTreeSet::new();
        for sent in &request.cursors {
            let mut place = scope.place(tx, sent)?;
            if let Some(stream) = place.stream
                && !named.insert((stream, sent.generation))
            {
                // Named before: one walk through a stream is enough.
                place.readable = None;
            }
            scope.places.push(place);
        }
        let known: BTreeSet<_> = scope.grants.iter().map(|grant| (grant.stream, grant.generation)).collect();
        let revoking = |grant: &&GrantRow| grant.revoked_at.is_some() || scope.locked.is_some();
        scope.given_up = scope
            .grants
            .iter()
            .filter(revoking)
            .filter(|grant| grant.revoked_at.is_some())
            .filter(|grant| !named.contains(&(grant.stream, grant.generation)))
            .copied()
            .collect();
        let still_named =
            scope.grants.iter().filter(revoking).any(|g| named.contains(&(g.stream, g.generation)));
        let given_up: BTreeSet<_> = scope.given_up.iter().map(|g| (g.stream, g.generation)).collect();
        scope.tell = still_named || named != known.difference(&given_up).copied().collect();
        Ok(scope)
    }

    fn place(&self, tx: &dyn ReadTx, sent: &wire::Cursor) -> Result<Place, SyncError> {
        let stream = StreamId::from_bytes(&sent.stream);
        let granted = self
            .grants
            .iter()
            .find(|grant| Some(grant.stream) == stream && grant.generation == sent.generation);
        let Some(granted) = granted else { return Ok(Place { stream, seq: 0, readable: None }) };
        let reached = tx.stream_by_no(granted.stream_no)?.map_or(0, |row| row.seq);
        if sent.seq > reached {
            return Err(ProtocolError::Malformed { reason: "cursor was never given out".to_owned() }.into());
        }
        let mut place = Place { stream, seq: sent.seq, readable: None };
        if granted.revoked_at.is_none() && self.locked.is_none() {
            place.readable = Some(granted.stream_no);
        }
        Ok(place)
    }

    /// Whether a grant lets the device write. The common stream is written by the server only.
    fn writes(&self, grant: &GrantRow) -> bool {
        let since = [grant.revoked_at, self.locked].into_iter().flatten().min();
        let fresh = since.is_none_or(|at| self.now.millis() - at.millis() <= REVOCATION_GRACE_MS);
        fresh && grant.stream != StreamId::Org
    }

    /// Whether the device may write a record in these streams.
    pub(super) fn covers(&self, streams: &BTreeSet<StreamId>) -> bool {
        self.grants.iter().any(|grant| self.writes(grant) && streams.contains(&grant.stream))
    }

    /// The same in an opened recovery, where the common stream's records are brought back as well.
    pub(super) fn covers_in_recovery(&self, streams: &BTreeSet<StreamId>) -> bool {
        self.covers(streams)
            || (streams.contains(&StreamId::Org) && self.grants.iter().any(|g| g.stream == StreamId::Org))
    }

    /// Whether the device holds a record with these memberships, so that its edits of it are taken. A record that
    /// has left a stream is still held until the device has been told.
    pub(super) fn holds(&self, memberships: &[Membership]) -> bool {
        memberships.iter().any(|member| {
            let told = || {
                self.places.iter().any(|place| place.stream == Some(member.stream) && place.seq >= member.seq)
            };
            let writable = self.grants.iter().any(|g| g.stream_no == member.stream_no && self.writes(g));
            writable && (!member.removed || !told())
        })
    }

    /// The stream that a push names as a hint.
    pub(super) fn hint(&self, index: Option<u32>) -> Option<StreamId> {
        let place = self.places.get(usize::try_from(index?).ok()?)?;
        place.stream
    }

    /// The device's grants as they go on the wire.
    pub(super) fn states(&self) -> Vec<wire::GrantState> {
        let given_up = |grant: &&GrantRow| !self.given_up.contains(grant);
        self.grants
            .iter()
            .filter(given_up)
            .map(|grant| wire::GrantState {
                stream: grant.stream.to_bytes().into(),
                generation: grant.generation,
                revoking: grant.revoked_at.is_some() || self.locked.is_some(),
            })
            .collect()
    }
}

/// The streams that a person holds now, whatever the device: for media and the console.
pub fn readable_streams(tx: &dyn ReadTx, person: PersonNo) -> Stored<BTreeSet<StreamNo>> {
    let grants = tx.grants(person)?;
    Ok(grants.into_iter().filter(|grant| grant.revoked_at.is_none()).map(|grant| grant.stream_no).collect())
}
