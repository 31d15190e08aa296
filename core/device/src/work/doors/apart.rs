//! People who look alike in the records and are not the same: father and son on one telephone, twins, two of one name
//! and birthday. A worker who knows both says so once, and no phone asks again.
//!
//! The mark is an element of a set in the record with the smaller identifier, so that two workers who say so at once
//! write the same. Marks between any two records that stand for them count for both people.

use gridwalk_model::records::{Resident, elements};
use gridwalk_model::{Kind, RecordId, Timestamp, Value};

use super::newcomers::{Namesake, namesake};
use super::operation::Operation;
use super::read::Reader;
use super::{DoorProblem, rules};
use crate::error::DeviceError;
use crate::store::Store;

/// The set of marks.
pub(super) const FIELD: &str = "not_same";

/// Two people, in whichever order they were named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair(RecordId, RecordId);

impl Pair {
    pub(super) fn of(one: RecordId, other: RecordId) -> Self {
        Self(one.min(other), one.max(other))
    }
}

/// A mark that somebody set.
struct Mark {
    /// The record in which it stands.
    holder: RecordId,
    /// Its root key.
    key: String,
    /// The person who is told apart from the one that was asked about.
    other: RecordId,
}

/// The marks that concern a person, by the record that stands for them.
fn marks(reader: &Reader<'_>, person: RecordId) -> Result<Vec<Mark>, DeviceError> {
    let mut out = Vec::new();
    for member in reader.group(person)? {
        if let Some(listed) = reader.view.listed(member)? {
            for (element, value) in elements(&listed.fields, FIELD) {
                let Some(other) = value.as_link() else { continue };
                let key = format!("{FIELD}/{element}");
                out.push(Mark { holder: member, key, other: reader.person(other)? });
            }
        }
        for listed in reader.view.list_linked(Kind::Resident.tag(), FIELD, member)? {
            let other = reader.person(listed.id)?;
            let own = elements(&listed.fields, FIELD).filter(|(_, value)| value.as_link() == Some(member));
            let mark = |(element, _)| Mark { holder: listed.id, key: format!("{FIELD}/{element}"), other };
            out.extend(own.map(mark));
        }
    }
    Ok(out)
}

/// Takes the marks between two people away; returns whether there were any.
pub(super) fn forget(
    operation: &mut Operation<'_, '_, '_>,
    one: RecordId,
    other: RecordId,
) -> Result<bool, DeviceError> {
    let marks = marks(&operation.reader(), one)?;
    let mut found = false;
    for mark in marks.into_iter().filter(|mark| mark.other == other) {
        found |= operation.set(mark.holder, &mark.key, Value::Null)?;
    }
    Ok(found)
}

impl Store {
    /// Two people who look alike are not the same: they are no longer hinted at, on any phone. Returns the operation's
    /// number, for [`Store::undo_door`]; [`Store::forget_apart`] takes it back on any phone.
    ///
    /// # Errors
    /// [`DoorProblem::SamePerson`] for records that were merged, [`DoorProblem::Gone`].
    pub fn keep_apart(&mut self, one: RecordId, other: RecordId, now: Timestamp) -> Result<i64, DeviceError> {
        self.edits(now, |edits| {
            let mut operation = Operation::begin(edits, &[], None)?;
            let reader = operation.reader();
            let Pair(holder, other) = Pair::of(reader.person(one)?, reader.person(other)?);
            if holder == other {
                return Err(DoorProblem::SamePerson.into());
            }
            for person in [holder, other] {
                reader.shown::<Resident>(person)?.ok_or(DoorProblem::Gone { person })?;
            }
            operation.set(holder, &format!("{FIELD}/{}", other.to_hex()), Value::from(other))?;
            operation.finish("apart", holder)
        })
    }

    /// Two people who were told apart may be the same after all. Returns the operation's number.
    ///
    /// # Errors
    /// [`DoorProblem::NotApart`].
    pub fn forget_apart(
        &mut self,
        one: RecordId,
        other: RecordId,
        now: Timestamp,
    ) -> Result<i64, DeviceError> {
        self.edits(now, |edits| {
            let mut operation = Operation::begin(edits, &[], None)?;
            let reader = operation.reader();
            let (one, other) = (reader.person(one)?, reader.person(other)?);
            if !forget(&mut operation, one, other)? {
                return Err(DoorProblem::NotApart.into());
            }
            operation.finish("forget_apart", one)
        })
    }

    /// Those who were told apart from a person, for taking it back.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn kept_apart(&self, person: RecordId, now: Timestamp) -> Result<Vec<Namesake>, DeviceError> {
        let reader = Reader { view: self.view(), day: rules::day_of(&self.view(), now)? };
        let mut others: Vec<RecordId> =
            marks(&reader, reader.person(person)?)?.into_iter().map(|mark| mark.other).collect();
        others.sort_unstable();
        others.dedup();
        let mut out = Vec::new();
        for other in others {
            if reader.shown::<Resident>(other)?.is_some() {
                out.push(namesake(&reader, other)?);
            }
        }
        Ok(out)
    }
}
