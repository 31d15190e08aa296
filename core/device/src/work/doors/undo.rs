//! Taking back what was done at a door.
//!
//! An operation is taken back as a whole, on the phone that did it, for as long as the rules say, and only while
//! nothing was built on it: everything it wrote still stands as it was written, nothing names what it made, and what
//! would come of it goes together. Rejected: taking back what can be taken back of it. A move that is half taken back
//! leaves somebody with two homes or none.

use gridwalk_model::schema::REMOVED_KEY;
use gridwalk_model::{Fields, RecordId, Timestamp, Value};
use gridwalk_replica::{Document, conflict};

use super::journal::{self, Step};
use super::read::{Reader, is_gone};
use super::trouble::Concerned;
use super::{DoorProblem, rules};
use crate::edit::Edits;
use crate::error::DeviceError;
use crate::store::Store;

/// An operation that may be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoorOperation {
    /// Its number.
    pub n: i64,
    /// When it was done.
    pub at: Timestamp,
    /// The dwelling that it was done to; for what was done to a person, as a merge or an edit, the resident.
    pub target: RecordId,
    /// What was done: [`super::DoorAct::word`], or `floor`, `merge`, `unmerge`, `newcomer`, `apart`, `forget_apart`,
    /// `edit`.
    pub act: String,
}

impl Store {
    /// What was done at doors on this phone and may be taken back, the last first; of one door, if one is named.
    /// Whether it still can be is found out by trying.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn door_operations(
        &self,
        target: Option<RecordId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<DoorOperation>, DeviceError> {
        let since = rules::days_before(now, self.door_rules()?.undo_days);
        let rows = self.view().door_operations(target, since, limit)?;
        let operation = |row: crate::store::DoorRow| DoorOperation {
            n: row.n,
            at: row.at,
            target: row.target,
            act: row.act,
        };
        Ok(rows.into_iter().map(operation).collect())
    }

    /// Takes back an operation: what it made is removed, what it changed is as before. Whoever takes back what they
    /// did last, step by step, always comes back to where they began.
    ///
    /// # Errors
    /// [`DoorProblem::NoOperation`], [`DoorProblem::ChangedSince`], [`DoorProblem::UsedSince`],
    /// [`DoorProblem::LaterOperation`]; then nothing was written.
    pub fn undo_door(&mut self, n: i64, now: Timestamp) -> Result<(), DeviceError> {
        self.edits(now, |edits| undo(edits, n))
    }
}

fn undo(edits: &mut Edits<'_, '_>, n: i64) -> Result<(), DeviceError> {
    let rules = rules::of(&edits.view())?;
    let reader = Reader { view: edits.view(), day: rules::day_of(&edits.view(), edits.now())? };
    let since = rules::days_before(edits.now(), rules.undo_days);
    let found = reader.view.door_operation(n)?.filter(|row| row.at >= since);
    let journaled = journal::decode(&found.ok_or(DoorProblem::NoOperation { n })?.steps)?;
    let steps = journaled.steps;
    let concerned = Concerned::by_steps(&reader, &steps)?;
    let mut known = concerned.troubles(&reader)?;
    known.extend(journaled.troubles);
    for step in steps.iter().rev() {
        check_untouched(&reader, step)?;
        match &step.before {
            Some(before) => {
                edits.edit(step.record, before)?;
            }
            None => {
                if let Some(by) = reader.view.referrer(step.record)? {
                    return Err(DoorProblem::UsedSince { record: step.record, by }.into());
                }
                edits.remove(step.record)?;
            }
        }
    }
    if !concerned.troubles(&reader)?.is_subset(&known) {
        return Err(DoorProblem::LaterOperation.into());
    }
    edits.tx().door_undone(n)
}

/// Everything that the step wrote still stands, and nobody disputes it.
fn check_untouched(reader: &Reader<'_>, step: &Step) -> Result<(), DeviceError> {
    let changed = || DoorProblem::ChangedSince { record: step.record };
    let listed = reader.view.listed(step.record)?.ok_or_else(changed)?;
    let stands = |(key, value): (&String, &Value)| listed.fields.get(key).unwrap_or(&Value::Null) == value;
    if !step.after.iter().all(stands)
        || step.before.is_none() && (is_gone(&listed) || has_more(&listed.fields, step))
    {
        return Err(changed().into());
    }
    if listed.state.conflict {
        let loaded = reader.view.record(step.record)?.ok_or_else(changed)?;
        let Some(bytes) = loaded.readable() else { return Err(changed().into()) };
        let disputed = conflict::conflicts(&Document::load(bytes)?);
        if disputed.iter().any(|conflict| step.after.contains_key(&conflict.key)) {
            return Err(changed().into());
        }
    }
    Ok(())
}

/// Whether a record that the operation made says more by now.
fn has_more(fields: &Fields, step: &Step) -> bool {
    let told = |key: &String| {
        step.after.contains_key(key) || matches!(key.as_str(), "id" | "kind" | "v" | REMOVED_KEY)
    };
    fields.iter().any(|(key, value)| !value.is_null() && !told(key))
}
