//! A person with all the records that stand for them; merging and taking apart.

use std::collections::HashMap;

use gridwalk_device::store::RecordState;
use gridwalk_device::work::doors::{Difference, Home, Namesake, Person};
use gridwalk_model::doors::{Doubt, Standing};
use gridwalk_model::records::Resident;
use gridwalk_model::{RecordId, Value};

use crate::device::Device;
use crate::error::GridwalkError;
use crate::values::{self, FieldValue};

/// A person, as all records together say.
#[uniffi::remote(Record)]
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
#[uniffi::remote(Record)]
pub struct Difference {
    /// The merged record.
    pub record: RecordId,
    /// The field.
    pub field: String,
    /// What that record says.
    pub value: Value,
}

/// A home of a person.
#[uniffi::remote(Record)]
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

/// What a residency comes to on a day.
#[uniffi::remote(Enum)]
pub enum Standing {
    /// The one main home.
    Main,
    /// A second home.
    Secondary,
    /// The same home recorded twice, through two records of one person. Shown once, by the other.
    Repeated,
    /// Does not go together with what else is recorded.
    Doubtful(Doubt),
}

#[uniffi::export(async_runtime = "tokio")]
impl Device {
    /// A person, by any record that stands for them; none if it is not here.
    pub async fn person(&self, id: RecordId) -> Result<Option<Person>, GridwalkError> {
        self.call(async move |core| core.person(id).await).await
    }

    /// Edits a person: the record that stands for them, whichever of theirs was named. Returns which it was.
    pub async fn edit_person(
        &self,
        id: RecordId,
        fields: HashMap<String, FieldValue>,
    ) -> Result<RecordId, GridwalkError> {
        let patch = values::taken(fields);
        self.write(async move |core| core.edit_person(id, patch).await).await
    }

    /// Merges a duplicate into another record. Can be taken apart again. Returns the number to take it back by.
    pub async fn merge_people(&self, duplicate: RecordId, into: RecordId) -> Result<i64, GridwalkError> {
        self.write(async move |core| core.merge_people(duplicate, into).await).await
    }

    /// Two people who look alike are not the same: no hint of a duplicate is shown for them. Returns the number to take
    /// it back by.
    pub async fn keep_apart(&self, one: RecordId, other: RecordId) -> Result<i64, GridwalkError> {
        self.write(async move |core| core.keep_apart(one, other).await).await
    }

    /// They may be the same after all. Throws `Conflict` (`door.not_apart`).
    pub async fn forget_apart(&self, one: RecordId, other: RecordId) -> Result<i64, GridwalkError> {
        self.write(async move |core| core.forget_apart(one, other).await).await
    }

    /// Those who were told apart from a person.
    pub async fn kept_apart(&self, person: RecordId) -> Result<Vec<Namesake>, GridwalkError> {
        self.call(async move |core| core.kept_apart(person).await).await
    }

    /// Takes a merged record out again.
    pub async fn unmerge_person(&self, record: RecordId) -> Result<i64, GridwalkError> {
        self.write(async move |core| core.unmerge_person(record).await).await
    }
}
