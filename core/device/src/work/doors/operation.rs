//! One operation under way: edits that are journaled step by step, and the moves that several acts share.

use gridwalk_model::doors::DoorRules;
use gridwalk_model::records::base_verification::DoorOutcome;
use gridwalk_model::records::dwelling::Occupancy;
use gridwalk_model::records::task::TaskKind;
use gridwalk_model::records::{BaseVerification, Household};
use gridwalk_model::schema::REMOVED_KEY;
use gridwalk_model::{Fields, Record, RecordId, Value};
use jiff::civil::Date;

use super::act::AtDoor;
use super::journal::{self, Journaled, Step};
use super::read::{Lodging, Reader};
use super::trouble::Concerned;
use super::{DoorProblem, rules};
use crate::edit::Edits;
use crate::error::DeviceError;
use crate::work::tasks;

/// One operation under way. What is not finished is not kept: the transaction around it fails.
pub(super) struct Operation<'o, 't, 's> {
    edits: &'o mut Edits<'t, 's>,
    rules: DoorRules,
    pub(super) day: Date,
    journaled: Journaled,
}

impl<'o, 't, 's> Operation<'o, 't, 's> {
    /// Begins an operation that concerns these people and this door.
    pub(super) fn begin(
        edits: &'o mut Edits<'t, 's>,
        people: &[RecordId],
        dwelling: Option<RecordId>,
    ) -> Result<Self, DeviceError> {
        let rules = rules::of(&edits.view())?;
        let day = rules::day_of(&edits.view(), edits.now())?;
        let reader = Reader { view: edits.view(), day };
        let troubles = Concerned::around(&reader, people, dwelling)?.troubles(&reader)?;
        let journaled = Journaled { steps: Vec::new(), troubles: troubles.into_iter().collect() };
        Ok(Self { edits, rules, day, journaled })
    }

    /// Reads that see what the operation wrote so far.
    pub(super) fn reader(&self) -> Reader<'s> {
        Reader { view: self.edits.view(), day: self.day }
    }

    pub(super) fn create<T: Record>(&mut self, record: &T) -> Result<RecordId, DeviceError> {
        let after = record.to_fields();
        let id = self.edits.create_fields(T::SCHEMA.kind, &after)?;
        self.journaled.steps.push(Step { record: id, before: None, after });
        Ok(id)
    }

    pub(super) fn edit(&mut self, id: RecordId, patch: Fields) -> Result<bool, DeviceError> {
        let listed = self.edits.view().listed(id)?.ok_or(DeviceError::UnknownRecord { record: id })?;
        let stood = |key: &String| match listed.fields.get(key) {
            Some(value) => value.clone(),
            None if key == REMOVED_KEY => Value::Flag(false),
            None => Value::Null,
        };
        let before = patch.keys().map(|key| (key.clone(), stood(key))).collect();
        if !self.edits.edit(id, &patch)? {
            return Ok(false);
        }
        self.journaled.steps.push(Step { record: id, before: Some(before), after: patch });
        Ok(true)
    }

    pub(super) fn set(&mut self, id: RecordId, field: &str, value: Value) -> Result<bool, DeviceError> {
        self.edit(id, Fields::from([(field.to_owned(), value)]))
    }

    /// The base verification that every operation leaves; whatever was asked to be verified there is done by it.
    pub(super) fn verify(&mut self, at: &AtDoor, outcome: DoorOutcome) -> Result<RecordId, DeviceError> {
        let by = self.edits.tx().identity()?.user;
        let verification = BaseVerification {
            target: at.dwelling,
            outcome,
            method: Some(at.method.clone()),
            by,
            at: self.edits.now(),
            patrol: at.patrol,
        };
        let id = self.create(&verification)?;
        if verification.outcome != DoorOutcome::NobodyHome {
            for task in tasks::open_about(self.edits.view(), &TaskKind::Verification, at.dwelling)? {
                self.edit(task, tasks::done(verification.at, Some(id)))?;
            }
        }
        Ok(id)
    }

    /// Journals what was done. Returns the operation's number.
    pub(super) fn finish(self, act: &str, target: RecordId) -> Result<i64, DeviceError> {
        let now = self.edits.now();
        let keep_since = rules::days_before(now, self.rules.undo_days);
        self.edits.tx().journal_door(now, target, act, &journal::encode(&self.journaled), keep_since)
    }

    /// The day meant by one that may be left out.
    pub(super) fn day_or_today(&self, day: Option<Date>) -> Result<Date, DeviceError> {
        let day = day.unwrap_or(self.day);
        if day > self.day { Err(DoorProblem::FutureDay.into()) } else { Ok(day) }
    }

    pub(super) fn set_occupancy(
        &mut self,
        dwelling: RecordId,
        occupancy: &Occupancy,
    ) -> Result<(), DeviceError> {
        self.set(dwelling, "occupancy", Value::from(occupancy.word()))?;
        Ok(())
    }

    /// Ends a residency on `on`, or on its first day if that is later; the household loses its head if that was it.
    pub(super) fn end(&mut self, at: &Lodging, on: Date) -> Result<(), DeviceError> {
        let to = at.stay.from.map_or(on, |from| from.max(on));
        self.set(at.stay.id, "to", Value::from(to.to_string()))?;
        self.leave_household(at)
    }

    /// Where the person was the head of the household, it has none from now on.
    pub(super) fn leave_household(&mut self, at: &Lodging) -> Result<(), DeviceError> {
        let Some(household) = at.record.household else { return Ok(()) };
        let reader = self.reader();
        let Some(found) = reader.shown::<Household>(household)? else { return Ok(()) };
        let Some(head) = found.record.head else { return Ok(()) };
        if reader.person(head)? == at.stay.person {
            self.set(household, "head", Value::Null)?;
        }
        Ok(())
    }

    /// A dwelling whose last inhabitant has left is vacant.
    pub(super) fn vacant_if_empty(&mut self, dwelling: RecordId) -> Result<(), DeviceError> {
        if self.reader().somebody_stays(dwelling)? {
            return Ok(());
        }
        self.set_occupancy(dwelling, &Occupancy::Vacant)
    }

    /// The residencies of a person in a dwelling that have not ended: never none.
    pub(super) fn open_here(
        &self,
        dwelling: RecordId,
        person: RecordId,
    ) -> Result<(RecordId, Vec<Lodging>), DeviceError> {
        let reader = self.reader();
        let person = reader.person(person)?;
        let here: Vec<Lodging> = reader
            .lodgings_of(person)?
            .into_iter()
            .filter(|at| at.stay.dwelling == dwelling && at.stay.is_open(self.day))
            .collect();
        if here.is_empty() { Err(DoorProblem::NotHere { person }.into()) } else { Ok((person, here)) }
    }

    /// A household that has to be behind this door.
    pub(super) fn household_here(&self, dwelling: RecordId, household: RecordId) -> Result<(), DeviceError> {
        match self.reader().shown::<Household>(household)? {
            Some(found) if found.record.dwelling == dwelling => Ok(()),
            _ => Err(DoorProblem::OtherHousehold { household }.into()),
        }
    }
}
