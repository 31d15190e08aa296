//! How far a visitor sees.

use std::collections::BTreeSet;

use gridwalk_model::StreamId;

use super::failure::Failure;
use super::shell::KEEPERS;
use super::visitor::Visitor;
use crate::audit::{self, Entry};
use crate::storage::access::{DeviceRow, PersonNo};
use crate::storage::records::{RecordNo, StreamNo};
use crate::storage::{ReadTx, Stored};
use crate::sync::readable_streams;

/// The records and people that a visitor may know of.
pub(super) enum Reach {
    /// Administrators and auditors: the whole deployment.
    Everything,
    /// What is in these streams.
    Streams(BTreeSet<StreamNo>),
}

impl Reach {
    /// Reads a visitor's reach.
    pub(super) fn of(tx: &dyn ReadTx, visitor: &Visitor) -> Stored<Self> {
        if visitor.is(KEEPERS) {
            return Ok(Self::Everything);
        }
        Ok(Self::Streams(readable_streams(tx, visitor.person.no)?))
    }

    /// Whether it holds a record.
    pub(super) fn holds(&self, tx: &dyn ReadTx, record: RecordNo) -> Stored<bool> {
        let Self::Streams(streams) = self else { return Ok(true) };
        let members = tx.memberships(record)?;
        Ok(members.iter().any(|member| !member.removed && streams.contains(&member.stream_no)))
    }

    /// The devices within it: those of people who hold an area or a unit that the visitor holds.
    pub(super) fn devices(&self, tx: &dyn ReadTx, visitor: &Visitor) -> Stored<Vec<DeviceRow>> {
        let mut devices = tx.devices()?;
        if matches!(self, Self::Everything) {
            return Ok(devices);
        }
        let mut people: BTreeSet<PersonNo> = BTreeSet::from([visitor.person.no]);
        for grant in tx.grants(visitor.person.no)? {
            let shared = matches!(grant.stream, StreamId::Area { .. } | StreamId::Unit(_));
            if shared && grant.revoked_at.is_none() {
                people.extend(tx.holders(grant.stream_no)?);
            }
        }
        devices.retain(|device| people.contains(&device.person));
        Ok(devices)
    }
}

/// Writes down that a visitor looked at something. Called before it is shown.
pub(super) fn note_view(
    console: &super::Console,
    visitor: &Visitor,
    action: &str,
    target: &str,
) -> Result<(), Failure> {
    let actor = visitor.person.id.to_string();
    let detail = if visitor.names_shown { "names shown" } else { "" };
    let entry = Entry { actor: &actor, action, target, detail, alarm: false };
    Ok(console.storage.update(|tx| audit::append(tx, console.now(), &entry))?)
}
