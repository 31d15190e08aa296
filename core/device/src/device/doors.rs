//! Doors, as screens call them: see [`crate::work::doors`].

use gridwalk_model::records::base_verification::VerificationMethod;
use gridwalk_model::{Fields, RecordId};

use super::Device;
use crate::error::DeviceError;
use crate::work::doors::{
    AtDoor, Board, Building, DoorAct, DoorDone, DoorOperation, DoorSheet, DuplicateHint, FloorConfirmed,
    Namesake, NewPerson, Person, PersonEdited, ProvisionalNewcomer,
};

impl Device {
    /// The buildings on this phone.
    ///
    /// # Errors
    /// As [`crate::Store::buildings`].
    pub async fn buildings(&self) -> Result<Vec<Building>, DeviceError> {
        self.with_store(|store, _| store.buildings()).await
    }

    /// The board of a building.
    ///
    /// # Errors
    /// As [`crate::Store::board`].
    pub async fn board(&self, estate: &str, building: &str) -> Result<Board, DeviceError> {
        let (estate, building) = (estate.to_owned(), building.to_owned());
        self.with_store(move |store, now| store.board(&estate, &building, now)).await
    }

    /// One door in full.
    ///
    /// # Errors
    /// As [`crate::Store::door`].
    pub async fn door(&self, dwelling: RecordId) -> Result<DoorSheet, DeviceError> {
        self.with_store(move |store, now| store.door(dwelling, now)).await
    }

    /// Does something at a door.
    ///
    /// # Errors
    /// As [`crate::Store::at_door`].
    pub async fn at_door(&self, at: AtDoor, act: DoorAct) -> Result<DoorDone, DeviceError> {
        self.at_work(move |store, now| store.at_door(&at, &act, now)).await
    }

    /// "No change" for a floor.
    ///
    /// # Errors
    /// As [`crate::Store::confirm_floor`].
    pub async fn confirm_floor(
        &self,
        dwellings: Vec<RecordId>,
        method: VerificationMethod,
        patrol: Option<RecordId>,
    ) -> Result<FloorConfirmed, DeviceError> {
        self.at_work(move |store, now| store.confirm_floor(&dwellings, &method, patrol, now)).await
    }

    /// What was done at doors and may be taken back.
    ///
    /// # Errors
    /// As [`crate::Store::door_operations`].
    pub async fn door_operations(
        &self,
        target: Option<RecordId>,
        limit: usize,
    ) -> Result<Vec<DoorOperation>, DeviceError> {
        self.with_store(move |store, now| store.door_operations(target, limit, now)).await
    }

    /// Takes back an operation at a door.
    ///
    /// # Errors
    /// As [`crate::Store::undo_door`].
    pub async fn undo_door(&self, n: i64) -> Result<(), DeviceError> {
        self.at_work(move |store, now| store.undo_door(n, now)).await
    }

    /// Who on this phone may be the person that is about to be typed in.
    ///
    /// # Errors
    /// As [`crate::Store::duplicates_of_new`].
    pub async fn duplicates_of_new(&self, new: NewPerson) -> Result<Vec<DuplicateHint>, DeviceError> {
        self.with_store(move |store, now| store.duplicates_of_new(&new, now)).await
    }

    /// Who on this phone may be the same person as this one.
    ///
    /// # Errors
    /// As [`crate::Store::duplicates_of`].
    pub async fn duplicates_of(&self, person: RecordId) -> Result<Vec<DuplicateHint>, DeviceError> {
        self.with_store(move |store, now| store.duplicates_of(person, now)).await
    }

    /// Every pair on this phone that may be one person.
    ///
    /// # Errors
    /// As [`crate::Store::duplicate_pairs`].
    pub async fn duplicate_pairs(&self) -> Result<Vec<(Namesake, DuplicateHint)>, DeviceError> {
        self.with_store(|store, now| store.duplicate_pairs(now)).await
    }

    /// People of exactly this name.
    ///
    /// # Errors
    /// As [`crate::Store::namesakes`].
    pub async fn namesakes(&self, name: &str) -> Result<Vec<Namesake>, DeviceError> {
        let name = name.to_owned();
        self.with_store(move |store, now| store.namesakes(&name, now)).await
    }

    /// Newcomers who were not yet matched with other grids.
    ///
    /// # Errors
    /// As [`crate::Store::provisional_newcomers`].
    pub async fn provisional_newcomers(&self) -> Result<Vec<ProvisionalNewcomer>, DeviceError> {
        self.with_store(|store, now| store.provisional_newcomers(now)).await
    }

    /// A newcomer is nobody who was known before.
    ///
    /// # Errors
    /// As [`crate::Store::confirm_newcomer`].
    pub async fn confirm_newcomer(&self, person: RecordId) -> Result<i64, DeviceError> {
        self.at_work(move |store, now| store.confirm_newcomer(person, now)).await
    }

    /// A person, by any record that stands for them.
    ///
    /// # Errors
    /// As [`crate::Store::person`].
    pub async fn person(&self, id: RecordId) -> Result<Option<Person>, DeviceError> {
        self.with_store(move |store, now| store.person(id, now)).await
    }

    /// Edits a person; [`Self::undo_door`] takes it back.
    ///
    /// # Errors
    /// As [`crate::Store::edit_person`].
    pub async fn edit_person(&self, id: RecordId, patch: Fields) -> Result<PersonEdited, DeviceError> {
        self.at_work(move |store, now| store.edit_person(id, &patch, now)).await
    }

    /// Merges a duplicate into another record.
    ///
    /// # Errors
    /// As [`crate::Store::merge_people`].
    pub async fn merge_people(&self, duplicate: RecordId, into: RecordId) -> Result<i64, DeviceError> {
        self.at_work(move |store, now| store.merge_people(duplicate, into, now)).await
    }

    /// Takes a merged record out again.
    ///
    /// # Errors
    /// As [`crate::Store::unmerge_person`].
    pub async fn unmerge_person(&self, record: RecordId) -> Result<i64, DeviceError> {
        self.at_work(move |store, now| store.unmerge_person(record, now)).await
    }

    /// Two people who look alike are not the same.
    ///
    /// # Errors
    /// As [`crate::Store::keep_apart`].
    pub async fn keep_apart(&self, one: RecordId, other: RecordId) -> Result<i64, DeviceError> {
        self.at_work(move |store, now| store.keep_apart(one, other, now)).await
    }

    /// They may be the same after all.
    ///
    /// # Errors
    /// As [`crate::Store::forget_apart`].
    pub async fn forget_apart(&self, one: RecordId, other: RecordId) -> Result<i64, DeviceError> {
        self.at_work(move |store, now| store.forget_apart(one, other, now)).await
    }

    /// Those who were told apart from a person.
    ///
    /// # Errors
    /// As [`crate::Store::kept_apart`].
    pub async fn kept_apart(&self, person: RecordId) -> Result<Vec<Namesake>, DeviceError> {
        self.with_store(move |store, now| store.kept_apart(person, now)).await
    }
}
