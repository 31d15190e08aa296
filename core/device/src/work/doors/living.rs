//! Who lives where, for the rest of a gridworker's day: the rule of the doors, so that nobody is visited at a door
//! behind which the board shows nobody.

use std::collections::{BTreeMap, BTreeSet};

use gridwalk_model::doors::{self, Standing, Stay};
use gridwalk_model::records::{Dwelling, Residency, Resident};
use gridwalk_model::{Kind, Record, RecordId, Value};
use jiff::civil::Date;

use super::read::{Lodging, Reader, standings};
use crate::edit::{Entry, typed_list};
use crate::error::DeviceError;
use crate::store::View;
use crate::work::people;

/// Somebody in a home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::work) struct Living {
    /// The record that stands for the person.
    pub(in crate::work) person: RecordId,
    /// Every record that stands for them, that one included.
    pub(in crate::work) records: BTreeSet<RecordId>,
    /// The residency.
    pub(in crate::work) residency: RecordId,
    /// Where.
    pub(in crate::work) dwelling: RecordId,
    /// Since when, where it is known.
    pub(in crate::work) from: Option<Date>,
    /// Whether they mainly live there; otherwise it is a second home.
    pub(in crate::work) main: bool,
}

/// A person who is alive, and whose record was not taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::work) struct LivingPerson {
    /// The record that stands for them.
    pub(in crate::work) person: RecordId,
    /// Every record that stands for them, that one included.
    pub(in crate::work) records: BTreeSet<RecordId>,
    /// Their homes; none where none is known, or where they moved away.
    pub(in crate::work) homes: Vec<Living>,
}

impl LivingPerson {
    /// Where they are looked for: the main home, else the second one that they moved to last.
    pub(in crate::work) fn home(&self) -> Option<&Living> {
        self.homes.iter().max_by_key(|home| (home.main, home.from, home.residency))
    }
}

/// Who lives where on a day.
#[derive(Clone, Copy)]
pub(in crate::work) struct WhoLives<'s> {
    reader: Reader<'s>,
}

impl<'s> WhoLives<'s> {
    pub(in crate::work) const fn on(view: View<'s>, day: Date) -> Self {
        Self { reader: Reader { view, day } }
    }

    /// The person for whom a record stands; `None` for the dead and those who were taken back, and for other records.
    pub(in crate::work) fn person(&self, id: RecordId) -> Result<Option<LivingPerson>, DeviceError> {
        let person = self.reader.person(id)?;
        let Some(own) = self.reader.shown::<Resident>(person)? else { return Ok(None) };
        let records = people::records_of_shown(self.reader.view, person)?;
        let died = match own.record.died_on {
            None if records.len() > 1 => self.reader.died_of_group(person, &records)?,
            own => own,
        };
        if died.is_some_and(|died| died <= self.reader.day) {
            return Ok(None);
        }
        let lodgings = self.reader.lodgings_of_group(person, &records)?;
        let homes = homes(&standings(lodgings, died, false, self.reader.day), &records);
        Ok(Some(LivingPerson { person, records, homes }))
    }

    /// The door at which a target is looked for: a dwelling itself, that of a household, or a person's home; `None`
    /// where it is behind no door.
    pub(in crate::work) fn door_of(&self, target: RecordId) -> Result<Option<RecordId>, DeviceError> {
        let Some(listed) = self.reader.view.listed(target)? else { return Ok(None) };
        match Kind::parse(&listed.kind) {
            Some(Kind::Dwelling) => Ok(Some(target)),
            Some(Kind::Household) => Ok(listed.fields.get("dwelling").and_then(Value::as_link)),
            Some(Kind::Resident) => {
                Ok(self.person(target)?.and_then(|person| person.home().map(|home| home.dwelling)))
            }
            _ => Ok(None),
        }
    }

    fn homes(&self, person: RecordId) -> Result<Vec<Living>, DeviceError> {
        let records = self.reader.group(person)?;
        Ok(homes(&self.reader.standings(person)?, &records))
    }

    /// Who lives in a dwelling; `None` where it is not here or was taken back.
    pub(in crate::work) fn behind(&self, dwelling: RecordId) -> Result<Option<Vec<Living>>, DeviceError> {
        if self.reader.shown::<Dwelling>(dwelling)?.is_none() {
            return Ok(None);
        }
        let lodgings = self.reader.lodgings_in(dwelling)?;
        let current = lodgings.iter().filter(|at| at.stay.is_current(self.reader.day));
        let persons: BTreeSet<RecordId> = current.map(|at| at.stay.person).collect();
        let mut out = Vec::new();
        for person in persons {
            out.extend(self.homes(person)?.into_iter().filter(|home| home.dwelling == dwelling));
        }
        Ok(Some(out))
    }

    /// Who lives behind every door of this phone. Most people have one record, and are settled without asking the store
    /// again.
    pub(in crate::work) fn everywhere(&self) -> Result<BTreeMap<RecordId, Vec<Living>>, DeviceError> {
        let mut out: BTreeMap<RecordId, Vec<Living>> = BTreeMap::new();
        for entry in self.all::<Dwelling>()? {
            out.insert(entry.id, Vec::new());
        }
        let residents: BTreeMap<RecordId, Resident> =
            self.all::<Resident>()?.into_iter().map(|entry| (entry.id, entry.record)).collect();
        let merged: BTreeSet<RecordId> = residents
            .iter()
            .filter_map(|(id, one)| one.merged_into.map(|into| [*id, into]))
            .flatten()
            .collect();
        let mut stays: BTreeMap<RecordId, Vec<Stay>> = BTreeMap::new();
        for entry in self.all::<Residency>()? {
            let person = entry.record.resident;
            stays.entry(person).or_default().push(Stay::of(entry.id, person, &entry.record));
        }
        let (mut settled, mut others) = (BTreeSet::new(), BTreeSet::new());
        for (person, stays) in &stays {
            let Some(resident) = residents.get(person).filter(|_| !merged.contains(person)) else {
                others.insert(self.reader.person(*person)?);
                continue;
            };
            settled.insert(*person);
            let records = BTreeSet::from([*person]);
            for stay in stays {
                let standing = doors::standing(stay, stays, resident.died_on, false, self.reader.day);
                let home = standing.and_then(|standing| living(&standing, stay, &records));
                place(&mut out, home);
            }
        }
        for person in others.difference(&settled) {
            for home in self.homes(*person)? {
                place(&mut out, Some(home));
            }
        }
        // As `behind` has them.
        out.values_mut().for_each(|people| people.sort_by_key(|home| (home.person, home.residency)));
        Ok(out)
    }

    fn all<T: Record>(&self) -> Result<Vec<Entry<T>>, DeviceError> {
        Ok(typed_list(self.reader.view.list_kind(T::SCHEMA.tag, None, usize::MAX)?))
    }
}

fn homes(standings: &[(Lodging, Standing)], records: &BTreeSet<RecordId>) -> Vec<Living> {
    standings.iter().filter_map(|(at, standing)| living(standing, &at.stay, records)).collect()
}

fn place(out: &mut BTreeMap<RecordId, Vec<Living>>, home: Option<Living>) {
    if let Some(home) = home
        && let Some(people) = out.get_mut(&home.dwelling)
    {
        people.push(home);
    }
}

/// Somebody lives in their main home and in second ones; what is doubtful or there twice is no home.
fn living(standing: &Standing, stay: &Stay, records: &BTreeSet<RecordId>) -> Option<Living> {
    let main = match standing {
        Standing::Main => true,
        Standing::Secondary => false,
        Standing::Repeated | Standing::Doubtful(_) => return None,
    };
    Some(Living {
        person: stay.person,
        records: records.clone(),
        residency: stay.id,
        dwelling: stay.dwelling,
        from: stay.from,
        main,
    })
}
