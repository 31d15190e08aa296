//! A person with all the records that stand for them; merging duplicates, and taking that apart again.
//!
//! A merge writes one link and nothing else: the duplicate names the record that it was merged into. Everything else
//! is worked out at reading: residencies of both are those of one person, edits go to the record that stands for them,
//! gaps in it are filled from the others. So a merge is undone on any phone by emptying the link, however much happened
//! in between.

use gridwalk_model::doors::Standing;
use gridwalk_model::records::{Resident, ResidentId};
use gridwalk_model::{Fields, Record, RecordId, Timestamp, Value};

use super::operation::Operation;
use super::read::{Reader, label};
use super::{DoorProblem, apart, rules};
use crate::error::DeviceError;
use crate::store::{RecordState, Store};

/// A person, as all records together say.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// The record that stands for them.
    pub id: RecordId,
    /// Its facts, gaps filled from the records that were merged into it.
    pub resident: Resident,
    /// What waits, what is in conflict.
    pub state: RecordState,
    /// The records that were merged into it.
    pub merged: Vec<RecordId>,
    /// Where a merged record says something else: for the worker to take over or leave.
    pub differences: Vec<Difference>,
    /// Where they live.
    pub homes: Vec<Home>,
}

/// A field in which a merged record differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The merged record.
    pub record: RecordId,
    /// The field.
    pub field: String,
    /// What that record says.
    pub value: Value,
}

/// A home of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// The residency.
    pub residency: RecordId,
    /// The dwelling.
    pub dwelling: RecordId,
    /// Where it is, for a list; empty if the dwelling is not on this phone.
    pub label: String,
    /// What it comes to.
    pub standing: Standing,
}

/// What an edit of a person did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PersonEdited {
    /// The record that was edited: the one that stands for them.
    pub person: RecordId,
    /// The operation's number, for undoing it; `None` if they were said to be so already.
    pub operation: Option<i64>,
}

impl Store {
    /// A person, by any record that stands for them; `None` if it is not here.
    ///
    /// # Errors
    /// [`DeviceError::WrongKind`] for records of other kinds.
    pub fn person(&self, id: RecordId, now: Timestamp) -> Result<Option<Person>, DeviceError> {
        person(&Reader { view: self.view(), day: rules::day_of(&self.view(), now)? }, id)
    }

    /// Edits a person: the record that stands for them, whichever of theirs was named. [`Store::undo_door`] takes it back.
    ///
    /// # Errors
    /// As [`crate::Edits::edit`].
    pub fn edit_person(
        &mut self,
        id: RecordId,
        patch: &Fields,
        now: Timestamp,
    ) -> Result<PersonEdited, DeviceError> {
        self.edits(now, |edits| {
            let mut operation = Operation::begin(edits, &[id], None)?;
            let person = operation.reader().person(id)?;
            let changed = operation.edit(person, patch.clone())?;
            let operation = if changed { Some(operation.finish("edit", person)?) } else { None };
            Ok(PersonEdited { person, operation })
        })
    }

    /// Merges a duplicate into another record. Returns the operation's number, for [`Store::undo_door`];
    /// [`Store::unmerge_person`] does it on any phone.
    ///
    /// # Errors
    /// [`DoorProblem::SamePerson`], [`DoorProblem::DifferentNumbers`], [`DoorProblem::Gone`].
    pub fn merge_people(
        &mut self,
        duplicate: RecordId,
        into: RecordId,
        now: Timestamp,
    ) -> Result<i64, DeviceError> {
        self.edits(now, |edits| {
            let mut operation = Operation::begin(edits, &[duplicate, into], None)?;
            let reader = operation.reader();
            let (duplicate, into) = (reader.person(duplicate)?, reader.person(into)?);
            if duplicate == into {
                return Err(DoorProblem::SamePerson.into());
            }
            for person in [duplicate, into] {
                reader.shown::<Resident>(person)?.ok_or(DoorProblem::Gone { person })?;
            }
            let (one, other) = (numbers(&reader, duplicate)?, numbers(&reader, into)?);
            if !one.is_empty() && !other.is_empty() && !one.iter().any(|number| other.contains(number)) {
                return Err(DoorProblem::DifferentNumbers.into());
            }
            // Whoever merges them has thought better of it.
            apart::forget(&mut operation, duplicate, into)?;
            operation.set(duplicate, "merged_into", Value::from(into))?;
            operation.finish("merge", duplicate)
        })
    }

    /// Takes a merged record out again: it stands for a person of its own, with the residencies that name it.
    ///
    /// # Errors
    /// [`DoorProblem::NotMerged`].
    pub fn unmerge_person(&mut self, record: RecordId, now: Timestamp) -> Result<i64, DeviceError> {
        self.edits(now, |edits| {
            let mut operation = Operation::begin(edits, &[record], None)?;
            if !operation.set(record, "merged_into", Value::Null)? {
                return Err(DoorProblem::NotMerged { person: record }.into());
            }
            operation.finish("unmerge", record)
        })
    }
}

/// The document numbers of a person that are known on this phone.
pub(super) fn numbers(reader: &Reader<'_>, person: RecordId) -> Result<Vec<String>, DeviceError> {
    let mut out = Vec::new();
    for member in reader.group(person)? {
        let papers = reader.linked::<ResidentId>("resident", member)?;
        out.extend(papers.into_iter().map(|paper| gridwalk_model::codes::normalise(&paper.record.number)));
    }
    Ok(out)
}

pub(super) fn person(reader: &Reader<'_>, id: RecordId) -> Result<Option<Person>, DeviceError> {
    let id = reader.person(id)?;
    let Some(found) = reader.shown::<Resident>(id)? else { return Ok(None) };
    let mut facts = found.record.to_fields();
    let mut differences = Vec::new();
    let merged: Vec<RecordId> = reader.group(id)?.into_iter().filter(|member| *member != id).collect();
    for record in &merged {
        let Some(other) = reader.shown::<Resident>(*record)? else { continue };
        for (field, value) in other.record.to_fields() {
            match facts.get(&field) {
                // What the merge and the matching wrote is no fact about the person.
                _ if matches!(field.as_str(), "merged_into" | "provisional")
                    || field.starts_with("not_same/") => {}
                None => drop(facts.insert(field, value)),
                Some(stands) if *stands == value => {}
                Some(_) => differences.push(Difference { record: *record, field, value }),
            }
        }
    }
    let resident = Resident::from_fields(&facts).map_err(|errors| DeviceError::Invalid { errors })?;
    let mut homes = Vec::new();
    for (at, standing) in reader.standings(id)? {
        let dwelling = reader.shown::<gridwalk_model::records::Dwelling>(at.stay.dwelling)?;
        homes.push(Home {
            residency: at.stay.id,
            dwelling: at.stay.dwelling,
            label: dwelling.map(|dwelling| label(&dwelling.record)).unwrap_or_default(),
            standing,
        });
    }
    Ok(Some(Person { id, resident, state: found.state, merged, differences, homes }))
}
