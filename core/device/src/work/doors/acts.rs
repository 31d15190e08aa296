//! The acts at a door that are not moves.

use gridwalk_model::doors::{DoorState, door_state};
use gridwalk_model::records::Household;
use gridwalk_model::records::dwelling::Occupancy;
use gridwalk_model::records::household::HouseholdKind;
use gridwalk_model::records::residency::Relation;
use gridwalk_model::schema::REMOVED_KEY;
use gridwalk_model::{Fields, RecordId, Value};
use jiff::civil::Date;

use super::DoorProblem;
use super::operation::Operation;
use super::read::{Lodging, is_gone};
use crate::error::DeviceError;

/// What does not go together cannot be confirmed as it is.
pub(super) fn no_change(
    operation: &Operation<'_, '_, '_>,
    dwelling: RecordId,
) -> Result<Vec<RecordId>, DeviceError> {
    let reader = operation.reader();
    let behind = reader.behind(dwelling)?;
    let claim = reader.dwelling(dwelling)?.record.occupancy;
    let state = door_state(behind.people.len(), claim.as_ref());
    if state == DoorState::Disputed || !behind.doubtful.is_empty() {
        return Err(DoorProblem::Disputed { dwelling }.into());
    }
    Ok(behind.people.into_iter().map(|one| one.person).collect())
}

pub(super) fn death(
    operation: &mut Operation<'_, '_, '_>,
    dwelling: RecordId,
    person: RecordId,
    on: Option<Date>,
) -> Result<Vec<RecordId>, DeviceError> {
    let on = operation.day_or_today(on)?;
    let (person, _) = operation.open_here(dwelling, person)?;
    operation.set(person, "died_on", Value::from(on.to_string()))?;
    let day = operation.day;
    for at in operation.reader().lodgings_of(person)?.iter().filter(|at| at.stay.is_open(day)) {
        operation.end(at, on)?;
    }
    operation.vacant_if_empty(dwelling)?;
    Ok(vec![person])
}

pub(super) fn split(
    operation: &mut Operation<'_, '_, '_>,
    dwelling: RecordId,
    household: Option<RecordId>,
    members: &[RecordId],
    head: Option<RecordId>,
) -> Result<(Vec<RecordId>, Option<RecordId>), DeviceError> {
    if members.is_empty() {
        return Err(DoorProblem::Nobody.into());
    }
    if let Some(household) = household {
        operation.household_here(dwelling, household)?;
    }
    let reader = operation.reader();
    let day = operation.day;
    let of_household = |at: &Lodging| at.record.household == household && at.stay.is_open(day);
    let all: Vec<Lodging> = reader.lodgings_in(dwelling)?.into_iter().filter(of_household).collect();
    let mut leaving = Vec::new();
    for member in members {
        let person = reader.person(*member)?;
        if !all.iter().any(|at| at.stay.person == person) {
            return Err(DoorProblem::NotHere { person }.into());
        }
        leaving.push(person);
    }
    if all.iter().all(|at| leaving.contains(&at.stay.person)) {
        return Err(DoorProblem::NobodyStays.into());
    }
    let head = head.map(|head| reader.person(head)).transpose()?;
    if let Some(person) = head.filter(|head| !leaving.contains(head)) {
        return Err(DoorProblem::NotHere { person }.into());
    }
    let made = operation.create(&Household {
        dwelling,
        head,
        household_kind: Some(HouseholdKind::Family),
        split_from: household,
        source_keys: std::collections::BTreeMap::new(),
        remarks: None,
    })?;
    for at in all.iter().filter(|at| leaving.contains(&at.stay.person)) {
        let mut patch = Fields::from([("household".to_owned(), Value::from(made))]);
        if head == Some(at.stay.person) {
            patch.insert("relation".to_owned(), Value::from(Relation::Head.word()));
        }
        operation.edit(at.stay.id, patch)?;
        operation.leave_household(at)?;
    }
    Ok((leaving, Some(made)))
}

pub(super) fn vacant(
    operation: &mut Operation<'_, '_, '_>,
    dwelling: RecordId,
    on: Option<Date>,
) -> Result<Vec<RecordId>, DeviceError> {
    let on = operation.day_or_today(on)?;
    let day = operation.day;
    let mut left = Vec::new();
    for at in operation.reader().lodgings_in(dwelling)?.iter().filter(|at| at.stay.is_open(day)) {
        operation.end(at, on)?;
        if !left.contains(&at.stay.person) {
            left.push(at.stay.person);
        }
    }
    operation.set_occupancy(dwelling, &Occupancy::Vacant)?;
    Ok(left)
}

pub(super) fn occupied(
    operation: &mut Operation<'_, '_, '_>,
    dwelling: RecordId,
) -> Result<Vec<RecordId>, DeviceError> {
    let people = operation.reader().behind(dwelling)?.people;
    if people.is_empty() {
        return Err(DoorProblem::Nobody.into());
    }
    operation.set_occupancy(dwelling, &Occupancy::Occupied)?;
    Ok(people.into_iter().map(|one| one.person).collect())
}

pub(super) fn lives_here(
    operation: &mut Operation<'_, '_, '_>,
    dwelling: RecordId,
    person: RecordId,
) -> Result<Vec<RecordId>, DeviceError> {
    let (person, here) = operation.open_here(dwelling, person)?;
    let reader = operation.reader();
    let listed = reader.view.listed(person)?.ok_or(DeviceError::UnknownRecord { record: person })?;
    if is_gone(&listed) {
        operation.set(person, REMOVED_KEY, Value::Flag(false))?;
    }
    for member in reader.group(person)? {
        operation.set(member, "died_on", Value::Null)?;
    }
    let day = operation.day;
    let open = reader.lodgings_of(person)?.into_iter().filter(|at| at.stay.is_open(day));
    for at in open.filter(|at| at.stay.dwelling != dwelling && !at.stay.secondary) {
        operation.end(&at, day)?;
    }
    // With all of them secondary, one has to become the main home.
    if let Some(last) = here.last().filter(|_| here.iter().all(|at| at.stay.secondary)) {
        operation.set(last.stay.id, "secondary", Value::Flag(false))?;
    }
    operation.set_occupancy(dwelling, &Occupancy::Occupied)?;
    Ok(vec![person])
}
