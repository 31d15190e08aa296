//! Who lives where, as worked out from the records: the reads that everything at doors builds on.
//!
//! Lists are in the order of identifiers, so that two phones with the same records show the same.

use std::collections::BTreeSet;

use gridwalk_model::doors::{self, Doubt, Standing, Stay};
use gridwalk_model::records::residency::Relation;
use gridwalk_model::records::{Dwelling, Residency, Resident, parse_date};
use gridwalk_model::schema::REMOVED_KEY;
use gridwalk_model::{Record, RecordId, Value};
use jiff::civil::Date;

use crate::edit::{Entry, typed, typed_list};
use crate::error::DeviceError;
use crate::store::{Listed, View};
use crate::work::people;

/// Somebody who lives behind a door.
#[derive(Clone, Debug, PartialEq)]
pub struct Inhabitant {
    /// The record that stands for the person.
    pub person: RecordId,
    /// The residency.
    pub residency: RecordId,
    /// Name; `None` while the person's record is not on this phone.
    pub name: Option<String>,
    /// Year of birth: shown beside equal names.
    pub birth_year: Option<i16>,
    /// Relation to the head of the household.
    pub relation: Option<Relation>,
    /// The household.
    pub household: Option<RecordId>,
    /// Whether they live mainly elsewhere.
    pub secondary: bool,
    /// Whether the person is a newcomer who was not yet matched with other grids.
    pub provisional: bool,
    /// Whether somebody else behind this door has the same name.
    pub same_name: bool,
}

/// A residency that does not go together with what else is recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Doubtful {
    /// The record that stands for the person.
    pub person: RecordId,
    /// The residency.
    pub residency: RecordId,
    /// Name, where it is known here.
    pub name: Option<String>,
    /// Why it is doubtful.
    pub doubt: Doubt,
    /// The dwelling in which the person mainly lives, if they do.
    pub elsewhere: Option<RecordId>,
}

/// A residency with its record.
#[derive(Clone, Debug)]
pub(super) struct Lodging {
    pub(super) stay: Stay,
    pub(super) record: Residency,
}

/// Everybody behind a door.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Behind {
    pub(super) people: Vec<Inhabitant>,
    pub(super) doubtful: Vec<Doubtful>,
}

/// Reads for one day.
#[derive(Clone, Copy)]
pub(super) struct Reader<'s> {
    pub(super) view: View<'s>,
    pub(super) day: Date,
}

/// Whether a record is not to be shown.
pub(in crate::work) fn is_gone(listed: &Listed) -> bool {
    listed.fields.get(REMOVED_KEY) == Some(&Value::Flag(true)) && !listed.state.edited_while_removed
}

impl Reader<'_> {
    /// A record that is shown.
    pub(super) fn shown<T: Record>(&self, id: RecordId) -> Result<Option<Entry<T>>, DeviceError> {
        match self.view.listed(id)? {
            Some(listed) if !is_gone(&listed) => Ok(Some(typed(listed)?)),
            _ => Ok(None),
        }
    }

    /// The dwelling, which has to be here.
    pub(super) fn dwelling(&self, id: RecordId) -> Result<Entry<Dwelling>, DeviceError> {
        self.shown(id)?.ok_or(DeviceError::UnknownRecord { record: id })
    }

    /// Records of a kind that name `target` in `field`, in the order of their identifiers.
    pub(super) fn linked<T: Record>(
        &self,
        field: &str,
        target: RecordId,
    ) -> Result<Vec<Entry<T>>, DeviceError> {
        let mut out = typed_list(self.view.list_linked(T::SCHEMA.tag, field, target)?);
        out.sort_by_key(|entry: &Entry<T>| entry.id);
        Ok(out)
    }

    /// The record that stands for a person.
    pub(super) fn person(&self, id: RecordId) -> Result<RecordId, DeviceError> {
        people::standing_for(self.view, id)
    }

    /// The record that stands for a person, and all that were merged into it.
    pub(super) fn group(&self, person: RecordId) -> Result<BTreeSet<RecordId>, DeviceError> {
        people::merged_with(self.view, person)
    }

    /// All residencies of a person, ended ones included.
    pub(super) fn lodgings_of(&self, person: RecordId) -> Result<Vec<Lodging>, DeviceError> {
        self.lodgings_of_group(person, &self.group(person)?)
    }

    /// The same where all records that stand for the person are at hand.
    pub(super) fn lodgings_of_group(
        &self,
        person: RecordId,
        group: &BTreeSet<RecordId>,
    ) -> Result<Vec<Lodging>, DeviceError> {
        let mut out = Vec::new();
        for member in group {
            for entry in self.linked::<Residency>("resident", *member)? {
                let stay = Stay::of(entry.id, person, &entry.record);
                out.push(Lodging { stay, record: entry.record });
            }
        }
        out.sort_by_key(|lodging| lodging.stay.id);
        Ok(out)
    }

    /// All residencies in a dwelling, ended ones included.
    pub(super) fn lodgings_in(&self, dwelling: RecordId) -> Result<Vec<Lodging>, DeviceError> {
        let mut out = Vec::new();
        for entry in self.linked::<Residency>("dwelling", dwelling)? {
            let stay = Stay::of(entry.id, self.person(entry.record.resident)?, &entry.record);
            out.push(Lodging { stay, record: entry.record });
        }
        Ok(out)
    }

    /// The day on which a person died, by the record that stands for them or, where it has none, the first of those
    /// that were merged into it.
    pub(super) fn died_on(&self, person: RecordId) -> Result<Option<Date>, DeviceError> {
        self.died_of_group(person, &self.group(person)?)
    }

    /// The same where all records that stand for the person are at hand.
    pub(super) fn died_of_group(
        &self,
        person: RecordId,
        group: &BTreeSet<RecordId>,
    ) -> Result<Option<Date>, DeviceError> {
        let own = [person].into_iter();
        for member in own.chain(group.iter().copied().filter(|member| *member != person)) {
            let listed = self.view.listed(member)?;
            let died = listed.and_then(|listed| listed.fields.get("died_on")?.as_text().and_then(parse_date));
            if died.is_some() {
                return Ok(died);
            }
        }
        Ok(None)
    }

    /// What a person's residencies come to.
    pub(super) fn standings(&self, person: RecordId) -> Result<Vec<(Lodging, Standing)>, DeviceError> {
        let group = self.group(person)?;
        let gone = self.view.listed(person)?.as_ref().is_some_and(is_gone);
        let died = self.died_of_group(person, &group)?;
        Ok(standings(self.lodgings_of_group(person, &group)?, died, gone, self.day))
    }

    /// The dwelling in which a person mainly lives.
    pub(super) fn main_home(&self, person: RecordId) -> Result<Option<RecordId>, DeviceError> {
        let standings = self.standings(person)?;
        Ok(standings.into_iter().find(|(_, s)| *s == Standing::Main).map(|(at, _)| at.stay.dwelling))
    }

    /// Everybody behind a door.
    pub(super) fn behind(&self, dwelling: RecordId) -> Result<Behind, DeviceError> {
        let current = self.lodgings_in(dwelling)?.into_iter().filter(|at| at.stay.is_current(self.day));
        let persons: BTreeSet<RecordId> = current.map(|at| at.stay.person).collect();
        let mut out = Behind::default();
        for person in persons {
            let standings = self.standings(person)?;
            let main = standings.iter().find(|(_, s)| *s == Standing::Main).map(|(at, _)| at.stay.dwelling);
            for (at, standing) in &standings {
                if at.stay.dwelling != dwelling {
                    continue;
                }
                match standing {
                    Standing::Main | Standing::Secondary => out.people.push(self.inhabitant(at)?),
                    Standing::Doubtful(doubt) => out.doubtful.push(Doubtful {
                        person,
                        residency: at.stay.id,
                        name: self.name(person)?,
                        doubt: *doubt,
                        elsewhere: main,
                    }),
                    Standing::Repeated => {}
                }
            }
        }
        mark_same_names(&mut out.people);
        Ok(out)
    }

    fn inhabitant(&self, at: &Lodging) -> Result<Inhabitant, DeviceError> {
        let resident: Option<Resident> =
            self.view.listed(at.stay.person)?.and_then(|listed| Resident::from_fields(&listed.fields).ok());
        Ok(Inhabitant {
            person: at.stay.person,
            residency: at.stay.id,
            name: resident.as_ref().map(|resident| resident.name.clone()),
            birth_year: resident.as_ref().and_then(|resident| Some(resident.birth_date?.year())),
            relation: at.record.relation.clone(),
            household: at.record.household,
            secondary: at.stay.secondary,
            provisional: resident.is_some_and(|resident| resident.provisional == Some(true)),
            same_name: false,
        })
    }

    fn name(&self, person: RecordId) -> Result<Option<String>, DeviceError> {
        let listed = self.view.listed(person)?;
        Ok(listed.and_then(|listed| listed.fields.get("name")?.as_text().map(str::to_owned)))
    }

    /// Whether any residency in a dwelling has not ended.
    pub(super) fn somebody_stays(&self, dwelling: RecordId) -> Result<bool, DeviceError> {
        Ok(self.lodgings_in(dwelling)?.iter().any(|at| at.stay.is_open(self.day)))
    }
}

/// What all residencies of a person come to on a day.
pub(super) fn standings(
    lodgings: Vec<Lodging>,
    died: Option<Date>,
    gone: bool,
    day: Date,
) -> Vec<(Lodging, Standing)> {
    let stays: Vec<Stay> = lodgings.iter().map(|lodging| lodging.stay.clone()).collect();
    let standing = |lodging: Lodging| {
        let standing = doors::standing(&lodging.stay, &stays, died, gone, day)?;
        Some((lodging, standing))
    };
    lodgings.into_iter().filter_map(standing).collect()
}

fn mark_same_names(people: &mut [Inhabitant]) {
    let names: Vec<Option<String>> = people.iter().map(|one| one.name.clone()).collect();
    for one in people {
        let same = names.iter().filter(|name| name.is_some() && **name == one.name).count();
        one.same_name = same > 1;
    }
}

/// How a door is named in a list.
pub(super) fn label(dwelling: &Dwelling) -> String {
    let parts = [&dwelling.estate, &dwelling.building, &dwelling.unit, &dwelling.room];
    let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    if parts.is_empty() { dwelling.address.clone().unwrap_or_default() } else { parts.join(" ") }
}
