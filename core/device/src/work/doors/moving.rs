//! Moving in and out, and being born: who comes, who leaves.

use gridwalk_model::RecordId;
use gridwalk_model::records::dwelling::Occupancy;
use gridwalk_model::records::residency::Relation;
use gridwalk_model::records::resident::ResidentKind;
use gridwalk_model::records::{Household, Residency, Resident, ResidentId};
use jiff::civil::Date;

use super::DoorProblem;
use super::act::{InHousehold, NewPerson, Newcomer, Who};
use super::operation::Operation;
use crate::error::DeviceError;

/// The people who came, and the household that was made for them.
type Came = (Vec<RecordId>, Option<RecordId>);

pub(super) fn move_in(
    operation: &mut Operation<'_, '_, '_>,
    dwelling: RecordId,
    people: &[Newcomer],
    household: &InHousehold,
    from: Option<Date>,
) -> Result<Came, DeviceError> {
    if people.is_empty() {
        return Err(DoorProblem::Nobody.into());
    }
    let from = operation.day_or_today(from)?;
    let mut came: Vec<RecordId> = Vec::new();
    for newcomer in people {
        let person = match &newcomer.who {
            Who::New(new) => create_person(operation, new, true)?,
            Who::Known(known) => arrive(operation, dwelling, *known, newcomer.secondary, from)?,
        };
        if came.contains(&person) {
            return Err(DoorProblem::LivesHereAlready { person }.into());
        }
        came.push(person);
    }
    let (household, made) = match household {
        InHousehold::None => (None, None),
        InHousehold::Existing(id) => {
            operation.household_here(dwelling, *id)?;
            (Some(*id), None)
        }
        InHousehold::New(kind) => {
            let mut pairs = people.iter().zip(&came);
            let head = pairs.find(|(newcomer, _)| newcomer.relation == Some(Relation::Head));
            let id = operation.create(&Household {
                dwelling,
                head: head.map(|(_, person)| *person),
                household_kind: Some(kind.clone()),
                split_from: None,
                source_keys: std::collections::BTreeMap::new(),
                remarks: None,
            })?;
            (Some(id), Some(id))
        }
    };
    for (newcomer, person) in people.iter().zip(&came) {
        operation.create(&Residency {
            resident: *person,
            dwelling,
            household,
            relation: newcomer.relation.clone(),
            from: Some(from),
            to: None,
            residence_matches_registration: newcomer.registered_here,
            secondary: newcomer.secondary.then_some(true),
        })?;
    }
    operation.set_occupancy(dwelling, &Occupancy::Occupied)?;
    Ok((came, made))
}

/// A person who is known here leaves the home that they mainly lived in, unless they keep it.
fn arrive(
    operation: &mut Operation<'_, '_, '_>,
    dwelling: RecordId,
    known: RecordId,
    secondary: bool,
    from: Date,
) -> Result<RecordId, DeviceError> {
    let reader = operation.reader();
    let person = reader.person(known)?;
    if reader.shown::<Resident>(person)?.is_none() || reader.died_on(person)?.is_some() {
        return Err(DoorProblem::Gone { person }.into());
    }
    let day = operation.day;
    let open: Vec<_> = reader.lodgings_of(person)?.into_iter().filter(|at| at.stay.is_open(day)).collect();
    if open.iter().any(|at| at.stay.dwelling == dwelling) {
        return Err(DoorProblem::LivesHereAlready { person }.into());
    }
    if !secondary {
        for at in open.iter().filter(|at| !at.stay.secondary) {
            operation.end(at, from)?;
        }
    }
    Ok(person)
}

fn create_person(
    operation: &mut Operation<'_, '_, '_>,
    new: &NewPerson,
    provisional: bool,
) -> Result<RecordId, DeviceError> {
    let person = operation.create(&new.resident(provisional))?;
    if let Some(number) = new.plain_number() {
        operation.create(&ResidentId { resident: person, document: new.document.clone(), number })?;
    }
    Ok(person)
}

pub(super) fn move_out(
    operation: &mut Operation<'_, '_, '_>,
    dwelling: RecordId,
    people: &[RecordId],
    on: Option<Date>,
) -> Result<Vec<RecordId>, DeviceError> {
    if people.is_empty() {
        return Err(DoorProblem::Nobody.into());
    }
    let on = operation.day_or_today(on)?;
    let mut left = Vec::new();
    for person in people {
        let (person, here) = operation.open_here(dwelling, *person)?;
        for at in &here {
            operation.end(at, on)?;
        }
        left.push(person);
    }
    operation.vacant_if_empty(dwelling)?;
    Ok(left)
}

pub(super) fn birth(
    operation: &mut Operation<'_, '_, '_>,
    dwelling: RecordId,
    child: &NewPerson,
    household: Option<RecordId>,
) -> Result<Vec<RecordId>, DeviceError> {
    let born = child.resident(false).birth_date.ok_or(DoorProblem::NoBirthDate)?;
    let born = operation.day_or_today(Some(born))?;
    if let Some(household) = household {
        operation.household_here(dwelling, household)?;
    }
    let kind = child.kind.clone().unwrap_or(ResidentKind::Unregistered);
    let person = create_person(operation, &NewPerson { kind: Some(kind), ..child.clone() }, false)?;
    operation.create(&Residency {
        resident: person,
        dwelling,
        household,
        relation: Some(Relation::Child),
        from: Some(born),
        to: None,
        residence_matches_registration: None,
        secondary: None,
    })?;
    operation.set_occupancy(dwelling, &Occupancy::Occupied)?;
    Ok(vec![person])
}
