//! Tasks that other work fulfils: a visit, an inspection, a form.

use gridwalk_model::records::task::{TaskKind, TaskState};
use gridwalk_model::records::{FieldValue, Task};
use gridwalk_model::{Fields, RecordId, Timestamp, Value};

use crate::edit::Edits;
use crate::error::DeviceError;
use crate::store::View;
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
        edits.edit(found.id, &patch(TaskState::Done, Some(edits.now()), Some(result)))?;
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

fn patch(state: TaskState, done_at: Option<Timestamp>, result: Option<RecordId>) -> Fields {
    let pairs = [
        ("state", state.to_value()),
        ("done_at", done_at.map_or(Value::Null, Value::Time)),
        ("result", result.map_or(Value::Null, Value::from)),
    ];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
