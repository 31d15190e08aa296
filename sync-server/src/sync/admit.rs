//! Admitting what was pushed to one record.

use gridwalk_model::schema::REMOVED_KEY;
use gridwalk_model::{Fields, Kind, RecordId, StreamId, Timestamp, Value};
use gridwalk_replica::admission::{Admission, Admitted, Origin, Reason, Verdict, admit, admit_by};
use gridwalk_replica::change::FlatChange;
use gridwalk_replica::conflict::edited_while_removed;
use gridwalk_replica::digest::Fingerprint;
use gridwalk_replica::{Actor, Document};
use minicbor::bytes::ByteVec;

use super::follow_up;
use super::receipts;
use super::rules::Rules;
use super::scope::{Principal, Scope};
use crate::storage::records::{Membership, RecordHead, ServerRow};
use crate::storage::{ReadTx, StorageError, Stored};

/// Everything that one request pushes to one record.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) record: RecordId,
    pub(super) kind: String,
    pub(super) hint: Option<StreamId>,
    pub(super) history: bool,
    /// For each change, which push of the request it stood in, and where.
    pub(super) places: Vec<(usize, usize)>,
    pub(super) raws: Vec<ByteVec>,
}

/// What admission made of an item, and on what ground.
#[derive(Debug)]
pub(super) struct Outcome {
    /// The record as admission saw it: its `rev`, and whether the device held it. A record that is not there has
    /// none.
    pub(super) ground: Ground,
    /// What held for it by other records.
    pub(super) rules: Rules,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) ready: Option<Ready>,
}

/// What an admission was computed against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ground {
    Absent,
    Held {
        rev: u64,
    },
    /// There is such a record, and the device must not learn of it.
    Foreign,
}

impl Ground {
    pub(super) fn of(head: Option<&RecordHead>, members: &[Membership], scope: &Scope) -> Self {
        match head {
            None => Self::Absent,
            Some(head) if scope.holds(members) => Self::Held { rev: head.rev },
            Some(_) => Self::Foreign,
        }
    }
}

/// A record's new state, ready to be written. The document itself is let go: a loaded one takes 16 KB.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) kind: Kind,
    pub(super) snapshot: Vec<u8>,
    pub(super) fingerprint: Fingerprint,
    pub(super) state: State,
    /// Which of the item's changes were accepted, in order.
    pub(super) accepted: Vec<usize>,
    /// What the server adds of its own.
    pub(super) added: Vec<Vec<u8>>,
}

/// What has to be known of a record's content to place it.
#[derive(Clone, Debug)]
pub struct State {
    /// Its content.
    pub fields: Fields,
    /// Whether it is not removed, or was edited by somebody who had not seen the removal.
    pub shown: bool,
}

impl State {
    /// Reads it from the document.
    pub fn of(document: &Document) -> Self {
        let fields = document.fields();
        let removed = fields.get(REMOVED_KEY) == Some(&Value::Flag(true));
        Self { shown: !removed || edited_while_removed(document), fields }
    }

    /// Reads it from saved bytes.
    ///
    /// # Errors
    /// If the bytes are damaged.
    pub fn load(snapshot: &[u8]) -> Stored<Self> {
        let document =
            Document::load(snapshot).map_err(|_| StorageError::Damaged { what: "record.snapshot" })?;
        Ok(Self::of(&document))
    }
}

/// Admits an item against the record as `tx` shows it.
pub(super) fn admit_item(
    tx: &dyn ReadTx,
    principal: &Principal,
    scope: &Scope,
    server: &ServerRow,
    item: &Item,
    now: Timestamp,
) -> Stored<Outcome> {
    let head = tx.record(item.record)?;
    let members = head.as_ref().map(|head| tx.memberships(head.no)).transpose()?.unwrap_or_default();
    let ground = Ground::of(head.as_ref(), &members, scope);
    let raws: Vec<&[u8]> = item.raws.iter().map(|raw| raw.as_slice()).collect();
    let recovery = item.history && server.recovery_until > now;
    let origin = if recovery { Origin::Recovery } else { principal.origin() };
    let mut rules = Rules::None;
    let admission = match (&head, ground) {
        (Some(head), Ground::Held { .. }) if head.kind != item.kind => {
            Admission { verdicts: vec![Verdict::Invalid(Reason::Identity); raws.len()], admitted: None }
        }
        (Some(head), Ground::Held { .. }) => {
            let snapshot = tx.snapshot(head.no)?;
            rules = Rules::of(tx, item, Some(&snapshot))?;
            let judge = |change: &FlatChange| rules.judge(change);
            admit_by(item.record, &item.kind, Some(&snapshot), &raws, &origin, &judge)
        }
        (_, Ground::Foreign) => foreign(admit(item.record, &item.kind, None, &raws, &origin)),
        _ => {
            rules = Rules::of(tx, item, None)?;
            let judge = |change: &FlatChange| rules.judge(change);
            admit_by(item.record, &item.kind, None, &raws, &origin, &judge)
        }
    };
    let ready = match (admission.admitted, Kind::parse(&item.kind)) {
        (Some(admitted), Some(kind)) => Some(ready(tx, admitted, kind, item, server, now)?),
        _ => None,
    };
    Ok(Outcome { ground, rules, verdicts: admission.verdicts, ready })
}

/// A record that the device must not know of answers as one that nobody has: a change on top of something is
/// missing its ground. What could stand by itself is forbidden, as it is for a new record out of scope.
fn foreign(admission: Admission) -> Admission {
    let verdicts = admission
        .verdicts
        .into_iter()
        .map(|verdict| match verdict {
            Verdict::Accepted | Verdict::Duplicate => Verdict::Forbidden,
            other => other,
        })
        .collect();
    Admission { verdicts, admitted: None }
}

fn ready(
    tx: &dyn ReadTx,
    admitted: Admitted,
    kind: Kind,
    item: &Item,
    server: &ServerRow,
    now: Timestamp,
) -> Stored<Ready> {
    let Admitted { mut document, mut snapshot, mut heads, accepted } = admitted;
    let actor = server_actor(server);
    let raws = accepted.iter().filter_map(|index| item.raws.get(*index)).map(|raw| raw.as_slice());
    let mut added = receipts::add(&mut document, kind, raws, actor, now)?;
    added.extend(follow_up::add(tx, &mut document, kind, actor, now)?);
    if !added.is_empty() {
        snapshot = document.save();
        heads = document.heads();
    }
    Ok(Ready {
        kind,
        fingerprint: Fingerprint::of(item.record, &heads),
        state: State::of(&document),
        snapshot,
        accepted,
        added,
    })
}

/// The actor of the server's own changes in this epoch.
pub(crate) fn server_actor(server: &ServerRow) -> Actor {
    Actor::new(gridwalk_model::DeviceId::from_bytes(server.device), server.incarnation)
}
