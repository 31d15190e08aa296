//! Whether a change is what an honest editor would have written on top of its dependencies, and whether its sender
//! may write it.

use std::collections::{BTreeMap, BTreeSet};

use gridwalk_model::policy::{self, Violation, Write};
use gridwalk_model::schema::{FieldPolicy, IDENTITY_KEYS, SCHEMA_VERSION};
use gridwalk_model::{Kind, RecordId, Value};

use super::working::{Stop, Working};
use super::{Origin, Reason, Verdict};
use crate::actor::Actor;
use crate::change::{ChangeHash, FlatChange, KeyWrite};
use crate::document::ChangeFacts;
use crate::limits;

/// How many changes may be looked at in search of authors' earlier changes, in one batch. An honest author's earlier
/// change is a few steps away.
const SEARCH_STEPS: usize = 500_000;

/// What is known of the changes that a document holds.
pub(super) struct Known {
    facts: BTreeMap<ChangeHash, ChangeFacts>,
    /// Each actor's latest change.
    latest: BTreeMap<Actor, (u64, ChangeHash)>,
    steps_left: usize,
}

impl Known {
    pub(super) fn new(history: Vec<ChangeFacts>) -> Self {
        let mut known = Self { facts: BTreeMap::new(), latest: BTreeMap::new(), steps_left: SEARCH_STEPS };
        history.into_iter().for_each(|facts| known.insert(facts));
        known
    }

    pub(super) fn insert(&mut self, facts: ChangeFacts) {
        let latest = self.latest.entry(facts.actor).or_insert((facts.seq, facts.hash));
        if latest.0 < facts.seq {
            *latest = (facts.seq, facts.hash);
        }
        self.facts.insert(facts.hash, facts);
    }

    pub(super) fn has(&self, hash: &ChangeHash) -> bool {
        self.facts.contains_key(hash)
    }

    /// Whether someone who saw `from` has seen `target`.
    fn is_ancestor(&mut self, target: ChangeHash, from: &[ChangeHash]) -> bool {
        let lowest = self.facts.get(&target).map_or(0, |facts| facts.max_op);
        let mut queue = from.to_vec();
        let mut seen = BTreeSet::new();
        while let Some(hash) = queue.pop() {
            if hash == target {
                return true;
            }
            let Some(left) = self.steps_left.checked_sub(1) else { return false };
            self.steps_left = left;
            // Counters only grow, so that what is not above the target does not lead to it.
            let above = self.facts.get(&hash).filter(|facts| facts.max_op > lowest);
            if let Some(facts) = above.filter(|_| seen.insert(hash)) {
                queue.extend(&facts.deps);
            }
        }
        false
    }
}

/// Why a change does not enter.
pub(super) enum Refused {
    /// For what it is.
    Verdict(Verdict),
    /// For what it would cost, or has broken.
    Stopped(Stop),
}

impl From<Verdict> for Refused {
    fn from(verdict: Verdict) -> Self {
        Self::Verdict(verdict)
    }
}

/// All dependencies of `change` are in `known`; `working` holds exactly `known`, and is made ready for the change.
pub(super) fn check(
    record: RecordId,
    kind: Kind,
    working: &mut Working<'_>,
    known: &mut Known,
    change: &FlatChange,
) -> Result<(), Refused> {
    let invalid = |reason| Err(Verdict::Invalid(reason).into());
    if known.facts.len() >= limits::DOCUMENT_MAX_CHANGES {
        return invalid(Reason::DocumentFull);
    }
    if !working.exists() {
        check_root(record, kind, change)?;
    } else if change.deps.is_empty() {
        return invalid(Reason::SecondRoot);
    }
    let latest = known.latest.get(&change.actor).copied();
    if latest.is_some_and(|(seq, _)| seq >= change.seq) {
        return Err(Verdict::ActorForked.into());
    }
    if change.seq != latest.map_or(0, |(seq, _)| seq) + 1 {
        return invalid(Reason::SeqGap);
    }
    if latest.is_some_and(|(_, hash)| !known.is_ancestor(hash, &change.deps)) {
        return invalid(Reason::SeqGap);
    }
    let seen = change
        .deps
        .iter()
        .filter_map(|dep| known.facts.get(dep))
        .map(|facts| facts.max_op)
        .max()
        .unwrap_or(0);
    if change.start_op != seen + 1 || change.max_op() > limits::MAX_OP_COUNTER {
        return invalid(Reason::Counter);
    }
    working.make_ready_for(change).map_err(Refused::Stopped)?;
    for write in &change.writes {
        let standing = working.standing_seen(&write.key);
        // A write replaces all that stands. A settlement replaces all but the winner, so that whatever others settle
        // at the same time, the latest write of all is never among the deleted.
        let replaced = match (&write.value, standing.split_last()) {
            (Some(_), _) => standing.as_slice(),
            (None, Some((_, losers))) => losers,
            (None, None) => &[],
        };
        if replaced != write.replaces {
            return invalid(Reason::Predecessors);
        }
    }
    Ok(())
}

/// The change that creates a record: no dependencies, nothing replaced, and the identity of the envelope.
fn check_root(record: RecordId, kind: Kind, change: &FlatChange) -> Result<(), Verdict> {
    let value =
        |key: &str| change.writes.iter().find(|write| write.key == key).and_then(|w| w.value.as_ref());
    if change.writes.iter().any(|write| !write.replaces.is_empty()) {
        return Err(Verdict::Invalid(Reason::Predecessors));
    }
    if value("id").and_then(|value| value.as_link()) != Some(record)
        || value("kind").and_then(|value| value.as_text()) != Some(kind.tag())
    {
        return Err(Verdict::Invalid(Reason::Identity));
    }
    match value("v") {
        Some(Value::Int(version)) if *version > SCHEMA_VERSION => Err(Verdict::Held),
        Some(Value::Int(1..)) => Ok(()),
        _ => Err(Verdict::Invalid(Reason::Identity)),
    }
}

/// Authorship, roles and field policies.
pub(super) fn check_rights(
    kind: Kind,
    working: &Working<'_>,
    origin: &Origin<'_>,
    change: &FlatChange,
) -> Result<(), Refused> {
    let Origin::Device { device, sender } = origin else { return Ok(()) };
    if change.actor.device() != *device {
        return Err(Verdict::Forbidden.into());
    }
    let schema = kind.schema();
    for KeyWrite { key, value, replaces } in &change.writes {
        let identity = IDENTITY_KEYS.contains(&key.as_str());
        let write = Write {
            schema,
            key,
            value: value.as_ref().unwrap_or(&Value::Null),
            creates: !working.exists(),
            overwrites: !replaces.is_empty(),
        };
        policy::check_write(sender, &write).map_err(|violation| verdict_of(&violation))?;
        // An element that stands already is not written again, even by someone who had not seen it.
        let append_only = !policy::takes_medium_out(schema, key)
            && schema.field_of_key(key).is_some_and(|(field, _)| field.policy == FieldPolicy::AppendOnly);
        if (append_only || identity) && !working.standing_now(key).is_empty() {
            return Err(Verdict::Invalid(Reason::FieldPolicy).into());
        }
    }
    if !working.exists() {
        let content = change.writes.iter().filter(|write| !IDENTITY_KEYS.contains(&write.key.as_str()));
        let content =
            content.map(|write| (write.key.clone(), write.value.clone().unwrap_or(Value::Null))).collect();
        policy::check_creation(sender, kind, &content).map_err(|violation| verdict_of(&violation))?;
    }
    Ok(())
}

fn verdict_of(violation: &Violation) -> Verdict {
    match violation {
        Violation::Role | Violation::Action => Verdict::Forbidden,
        Violation::NewerAction => Verdict::Held,
        Violation::Incomplete { .. } => Verdict::Invalid(Reason::Incomplete),
        Violation::Forbidden { .. } => Verdict::Invalid(Reason::NotKept),
        Violation::Author | Violation::Entry | Violation::Closed { .. } => Verdict::Invalid(Reason::Entry),
        Violation::Identity
        | Violation::CreateOnly { .. }
        | Violation::AppendOnly { .. }
        | Violation::ServerOnly { .. } => Verdict::Invalid(Reason::FieldPolicy),
    }
}
