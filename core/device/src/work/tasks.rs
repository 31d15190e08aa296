//! Tasks, and the work that fulfils them: a visit, an inspection, a form, a verification at a door, an act on an event.

use gridwalk_model::records::task::{TaskKind, TaskState};
use gridwalk_model::records::{FieldValue, Task};
use gridwalk_model::{Fields, Kind, RecordId, Timestamp, Value};

use super::checklists::ChecklistError;
use crate::edit::{Edits, typed_list};
use crate::error::DeviceError;
use crate::store::{Store, View};
use crate::work::people;

/// Whether a task is open, of this kind, and about the target where it names one; a duplicate names the person who
/// stands for it.
///
/// # Errors
/// Failures of SQLite.
pub(in crate::work) fn fits(
    view: View<'_>,
    task: &Task,
    kind: &TaskKind,
    target: RecordId,
) -> Result<bool, DeviceError> {
    if !matches!(task.state, None | Some(TaskState::Open)) || task.task_kind != *kind {
        return Ok(false);
    }
    let Some(named) = task.target.filter(|named| *named != target) else { return Ok(true) };
    Ok(people::standing_for(view, named)? == people::standing_for(view, target)?)
}

/// The open tasks of a kind that name a target, the most pressing first.
///
/// # Errors
/// Failures of SQLite.
pub(in crate::work) fn open_about(
    view: View<'_>,
    kind: &TaskKind,
    target: RecordId,
) -> Result<Vec<RecordId>, DeviceError> {
    let mut out = Vec::new();
    for task in typed_list::<Task>(view.list_linked(Kind::Task.tag(), "target", target)?) {
        if fits(view, &task.record, kind, target)? {
            out.push((task.record.due, task.id));
        }
    }
    out.sort_unstable();
    Ok(out.into_iter().map(|(_, task)| task).collect())
}

/// What marks a task as done by `result`.
pub(in crate::work) fn done(now: Timestamp, result: Option<RecordId>) -> Fields {
    patch(TaskState::Done, Some(now), result)
}

/// Marks a task as done by `result`. One that somebody else has settled meanwhile, or that is not here any more, stays as
/// it is: the work counts all the same.
///
/// # Errors
/// Those of an edit.
pub(in crate::work) fn settle(
    edits: &mut Edits<'_, '_>,
    task: RecordId,
    kind: &TaskKind,
    target: RecordId,
    result: RecordId,
) -> Result<(), DeviceError> {
    let Some(found) = edits.get::<Task>(task)? else { return Ok(()) };
    if fits(edits.view(), &found.record, kind, target)? {
        edits.edit(found.id, &done(edits.now(), Some(result)))?;
    }
    Ok(())
}

/// Opens a task again that `result` had settled; one that was settled by something else stays as it is.
///
/// # Errors
/// Those of an edit.
pub(in crate::work) fn reopen(
    edits: &mut Edits<'_, '_>,
    task: RecordId,
    result: RecordId,
) -> Result<(), DeviceError> {
    if edits.get::<Task>(task)?.is_some_and(|found| found.record.result == Some(result)) {
        edits.edit(task, &patch(TaskState::Open, None, None))?;
    }
    Ok(())
}

impl Store {
    /// Says that a task is done which no other work fulfils: a joint call without an event, or a task of a sort that only
    /// the office knows. [`Self::reopen_task`] takes it back.
    ///
    /// # Errors
    /// [`ChecklistError::WrongTask`] for a task that is closed, or is fulfilled by a visit, an inspection, a form, a
    /// verification or an act; [`DeviceError::UnknownRecord`], those of an edit.
    pub fn finish_task(&mut self, task: RecordId, now: Timestamp) -> Result<(), DeviceError> {
        let found = self.get::<Task>(task)?.ok_or(DeviceError::UnknownRecord { record: task })?.record;
        let by_hand = matches!(found.task_kind, TaskKind::Attendance | TaskKind::Other(_));
        if !by_hand || !matches!(found.state, None | Some(TaskState::Open)) {
            return Err(ChecklistError::WrongTask { task }.into());
        }
        self.edit(task, &done(now, None), now).map(drop)
    }

    /// Opens a task again that [`Self::finish_task`] had ended.
    ///
    /// # Errors
    /// [`ChecklistError::WrongTask`] for one that is not done, or was done by other work; those of an edit.
    pub fn reopen_task(&mut self, task: RecordId, now: Timestamp) -> Result<(), DeviceError> {
        let found = self.get::<Task>(task)?.ok_or(DeviceError::UnknownRecord { record: task })?.record;
        if found.state != Some(TaskState::Done) || found.result.is_some() {
            return Err(ChecklistError::WrongTask { task }.into());
        }
        self.edit(task, &patch(TaskState::Open, None, None), now).map(drop)
    }
}

fn patch(state: TaskState, done_at: Option<Timestamp>, result: Option<RecordId>) -> Fields {
    let pairs = [
        ("state", state.to_value()),
        ("done_at", done_at.map_or(Value::Null, Value::Time)),
        ("result", result.map_or(Value::Null, Value::from)),
    ];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
