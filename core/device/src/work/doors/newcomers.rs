//! Newcomers who were not yet matched with other grids, people of the same name, and hints of duplicates on this
//! phone. A hint is for a person to judge: nobody is merged by name, and what speaks against it silences it;
//! so does a worker who knows both ([`Store::keep_apart`]).

use std::collections::{BTreeMap, BTreeSet};

use gridwalk_model::codes::normalise;
use gridwalk_model::doors::{Likeness, PersonFacts, likeness};
use gridwalk_model::records::{Dwelling, Resident, ResidentId, elements};
use gridwalk_model::{Kind, Record, RecordId, Timestamp, Value};

use super::apart::{self, Pair};
use super::operation::Operation;
use super::person;
use super::read::{Reader, is_gone, label};
use super::{DoorProblem, rules};
use crate::edit::typed_list;
use crate::error::DeviceError;
use crate::store::Store;

/// Somebody of that name: told apart by year of birth, door and relation, never by the name.
#[derive(Clone, Debug, PartialEq)]
pub struct Namesake {
    /// The record that stands for the person.
    pub person: RecordId,
    /// Name.
    pub name: String,
    /// Year of birth.
    pub birth_year: Option<i16>,
    /// The dwelling in which they mainly live.
    pub dwelling: Option<RecordId>,
    /// Where that is, for a list; empty if it is not known here.
    pub door: String,
    /// Relation to the head of their household.
    pub relation: Option<gridwalk_model::records::residency::Relation>,
}

/// Somebody who may be the same person.
#[derive(Clone, Debug, PartialEq)]
pub struct DuplicateHint {
    /// What speaks for it.
    pub likeness: Likeness,
    /// Who.
    pub other: Namesake,
}

/// A newcomer who was not yet matched with other grids.
#[derive(Clone, Debug, PartialEq)]
pub struct ProvisionalNewcomer {
    /// The newcomer.
    pub person: Namesake,
    /// Who on this phone may be the same person.
    pub hints: Vec<DuplicateHint>,
}

impl Store {
    /// People of exactly this name, blanks and full-width forms aside.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn namesakes(&self, name: &str, now: Timestamp) -> Result<Vec<Namesake>, DeviceError> {
        let reader = self.people_reader(now)?;
        let wanted = normalise(name);
        let people = People::read(&reader)?;
        let same = people.by_id.iter().filter(|(_, facts)| !wanted.is_empty() && facts.name == wanted);
        same.map(|(id, _)| namesake(&reader, *id)).collect()
    }

    /// Who on this phone may be the person that is about to be typed in: asked before a newcomer is made.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn duplicates_of_new(
        &self,
        new: &super::NewPerson,
        now: Timestamp,
    ) -> Result<Vec<DuplicateHint>, DeviceError> {
        let reader = self.people_reader(now)?;
        let facts = PersonFacts::of(&new.resident(true), new.plain_number().as_deref());
        People::read(&reader)?.hints(&reader, None, &facts)
    }

    /// Who on this phone may be the same person as this one.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn duplicates_of(&self, person: RecordId, now: Timestamp) -> Result<Vec<DuplicateHint>, DeviceError> {
        let reader = self.people_reader(now)?;
        let person = reader.person(person)?;
        let people = People::read(&reader)?;
        match people.by_id.get(&person) {
            Some(facts) => people.hints(&reader, Some(person), facts),
            None => Ok(Vec::new()),
        }
    }

    /// Every pair on this phone that may be one person, each once.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn duplicate_pairs(&self, now: Timestamp) -> Result<Vec<(Namesake, DuplicateHint)>, DeviceError> {
        let reader = self.people_reader(now)?;
        let people = People::read(&reader)?;
        let mut out = Vec::new();
        for (id, facts) in &people.by_id {
            for hint in people.hints(&reader, Some(*id), facts)? {
                if *id < hint.other.person {
                    out.push((namesake(&reader, *id)?, hint));
                }
            }
        }
        Ok(out)
    }

    /// Newcomers who were not yet matched with other grids, with who they may be.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn provisional_newcomers(&self, now: Timestamp) -> Result<Vec<ProvisionalNewcomer>, DeviceError> {
        let reader = self.people_reader(now)?;
        let people = People::read(&reader)?;
        let mut out = Vec::new();
        for id in &people.provisional {
            let Some(facts) = people.by_id.get(id) else { continue };
            let hints = people.hints(&reader, Some(*id), facts)?;
            out.push(ProvisionalNewcomer { person: namesake(&reader, *id)?, hints });
        }
        Ok(out)
    }

    /// The worker says that a newcomer is nobody who was known before. (If it is somebody, they are merged.) Returns
    /// the operation's number, for [`Store::undo_door`].
    ///
    /// # Errors
    /// [`DoorProblem::Gone`] where the record is not shown.
    pub fn confirm_newcomer(&mut self, person: RecordId, now: Timestamp) -> Result<i64, DeviceError> {
        self.edits(now, |edits| {
            let mut operation = Operation::begin(edits, &[], None)?;
            let reader = operation.reader();
            let person = reader.person(person)?;
            reader.shown::<Resident>(person)?.ok_or(DoorProblem::Gone { person })?;
            operation.set(person, "provisional", Value::Flag(false))?;
            operation.finish("newcomer", person)
        })
    }

    fn people_reader(&self, now: Timestamp) -> Result<Reader<'_>, DeviceError> {
        Ok(Reader { view: self.view(), day: rules::day_of(&self.view(), now)? })
    }
}

/// All people on this phone, by what they are compared by. Some microseconds a person: a grid has hundreds.
struct People {
    by_id: BTreeMap<RecordId, PersonFacts>,
    provisional: BTreeSet<RecordId>,
    /// People by name, telephone or number.
    buckets: BTreeMap<(u8, String), Vec<RecordId>>,
    /// Pairs that somebody told apart.
    apart: BTreeSet<Pair>,
}

impl People {
    fn read(reader: &Reader<'_>) -> Result<Self, DeviceError> {
        let mut numbers: BTreeMap<RecordId, String> = BTreeMap::new();
        for paper in
            typed_list::<ResidentId>(reader.view.list_kind(Kind::ResidentId.tag(), None, usize::MAX)?)
        {
            numbers.insert(reader.person(paper.record.resident)?, paper.record.number);
        }
        let mut out = Self {
            by_id: BTreeMap::new(),
            provisional: BTreeSet::new(),
            buckets: BTreeMap::new(),
            apart: BTreeSet::new(),
        };
        for listed in reader.view.list_kind(Kind::Resident.tag(), None, usize::MAX)? {
            let id = listed.id;
            for (_, other) in elements(&listed.fields, apart::FIELD) {
                let Some(other) = other.as_link() else { continue };
                out.apart.insert(Pair::of(reader.person(id)?, reader.person(other)?));
            }
            let merged = listed.fields.get("merged_into").is_some_and(|to| !to.is_null());
            // Those who were merged are told by the record that stands for them.
            if is_gone(&listed) || merged && reader.person(id)? != id {
                continue;
            }
            let Ok(resident) = Resident::from_fields(&listed.fields) else { continue };
            if resident.provisional == Some(true) {
                out.provisional.insert(id);
            }
            let facts = PersonFacts::of(&resident, numbers.get(&id).map(String::as_str));
            for key in keys(&facts) {
                out.buckets.entry(key).or_default().push(id);
            }
            out.by_id.insert(id, facts);
        }
        Ok(out)
    }

    /// The strongest hints first.
    fn hints(
        &self,
        reader: &Reader<'_>,
        own: Option<RecordId>,
        facts: &PersonFacts,
    ) -> Result<Vec<DuplicateHint>, DeviceError> {
        let candidates: BTreeSet<RecordId> =
            keys(facts).iter().filter_map(|key| self.buckets.get(key)).flatten().copied().collect();
        let mut out = Vec::new();
        let told_apart = |id: RecordId| own.is_some_and(|own| self.apart.contains(&Pair::of(own, id)));
        for id in candidates.into_iter().filter(|id| Some(*id) != own && !told_apart(*id)) {
            let Some(likeness) = self.by_id.get(&id).and_then(|other| likeness(facts, other)) else {
                continue;
            };
            out.push(DuplicateHint { likeness, other: namesake(reader, id)? });
        }
        out.sort_by_key(|hint| (hint.likeness, hint.other.person));
        Ok(out)
    }
}

/// What two entries have to share to be compared at all.
fn keys(facts: &PersonFacts) -> Vec<(u8, String)> {
    let name = Some(facts.name.clone()).filter(|name| !name.is_empty());
    [(0, name), (1, facts.phone.clone()), (2, facts.number.clone())]
        .into_iter()
        .filter_map(|(what, text)| Some((what, text?)))
        .collect()
}

pub(super) fn namesake(reader: &Reader<'_>, id: RecordId) -> Result<Namesake, DeviceError> {
    let found = person::person(reader, id)?.ok_or(DeviceError::UnknownRecord { record: id })?;
    let dwelling = reader.main_home(id)?;
    let door = dwelling.map(|dwelling| reader.shown::<Dwelling>(dwelling)).transpose()?.flatten();
    let behind = dwelling.map(|dwelling| reader.behind(dwelling)).transpose()?.unwrap_or_default();
    Ok(Namesake {
        person: id,
        name: found.resident.name,
        birth_year: found.resident.birth_date.map(|born| born.year()),
        dwelling,
        door: door.map(|door| label(&door.record)).unwrap_or_default(),
        relation: behind.people.into_iter().find(|one| one.person == id).and_then(|one| one.relation),
    })
}
