//! Which records are one person: a duplicate that was merged stands for nobody, the record that it was merged into
//! stands for both.

use std::collections::BTreeSet;

use gridwalk_model::{Kind, RecordId, Value, doors};

use crate::error::DeviceError;
use crate::store::{Listed, View};

const INTO: &str = "merged_into";

/// The record that stands for a person; `id` itself for a record that was not merged, or is of another kind.
///
/// # Errors
/// Failures of SQLite.
pub(in crate::work) fn standing_for(view: View<'_>, id: RecordId) -> Result<RecordId, DeviceError> {
    doors::canonical(id, |at| merged_into(view, at))
}

/// Into which record one was merged, if that is here and shown.
fn merged_into(view: View<'_>, id: RecordId) -> Result<Option<RecordId>, DeviceError> {
    let resident = |listed: &Listed| listed.kind == Kind::Resident.tag();
    let Some(listed) = view.listed(id)?.filter(resident) else { return Ok(None) };
    let Some(to) = listed.fields.get(INTO).and_then(Value::as_link) else { return Ok(None) };
    Ok(view.shown(to)?.filter(resident).map(|target| target.id))
}

/// A record and all that were merged into it, directly or not: all records of a person, if it is the one that stands
/// for them.
///
/// # Errors
/// Failures of SQLite.
pub(in crate::work) fn merged_with(
    view: View<'_>,
    standing: RecordId,
) -> Result<BTreeSet<RecordId>, DeviceError> {
    reached(standing, |at| Ok(view.list_linked(Kind::Resident.tag(), INTO, at)?.iter().map(id_of).collect()))
}

/// All records that merges tie to this one, in whichever direction and also through records that are shown no more:
/// whatever an edit of one of them may change.
///
/// # Errors
/// Failures of SQLite.
pub(in crate::work) fn tied_to(view: View<'_>, id: RecordId) -> Result<BTreeSet<RecordId>, DeviceError> {
    reached(id, |at| {
        let shown = view.shown(at)?;
        let into = shown.as_ref().and_then(|listed| listed.fields.get(INTO)).and_then(Value::as_link);
        let merged = view.list_linked(Kind::Resident.tag(), INTO, at)?;
        Ok(into.into_iter().chain(merged.iter().map(id_of)).collect())
    })
}

const fn id_of(listed: &Listed) -> RecordId {
    listed.id
}

/// Everything to which `next` leads from a record, directly or not, and the record itself.
fn reached(
    from: RecordId,
    mut next: impl FnMut(RecordId) -> Result<Vec<RecordId>, DeviceError>,
) -> Result<BTreeSet<RecordId>, DeviceError> {
    let mut out = BTreeSet::from([from]);
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        for one in next(at)? {
            if out.insert(one) {
                open.push(one);
            }
        }
    }
    Ok(out)
}
