//! What does not go together around an operation: so that taking one back brings no contradiction that was not there.

use std::collections::BTreeSet;

use gridwalk_model::doors::{DoorState, Standing, door_state};
use gridwalk_model::records::Dwelling;
use gridwalk_model::{Kind, RecordId, Value};

use super::journal::Step;
use super::read::Reader;
use crate::error::DeviceError;

/// Whom and what an operation concerns.
#[derive(Clone, Debug, Default)]
pub(super) struct Concerned {
    residents: BTreeSet<RecordId>,
    dwellings: BTreeSet<RecordId>,
}

impl Concerned {
    /// Those named, everybody at the doors named, and all their other doors.
    pub(super) fn around(
        reader: &Reader<'_>,
        residents: &[RecordId],
        dwelling: Option<RecordId>,
    ) -> Result<Self, DeviceError> {
        let mut out = Self {
            residents: residents.iter().copied().collect(),
            dwellings: dwelling.into_iter().collect(),
        };
        if let Some(dwelling) = dwelling {
            out.residents.extend(reader.lodgings_in(dwelling)?.iter().map(|at| at.stay.person));
        }
        for resident in &out.residents {
            let lodgings = reader.lodgings_of(reader.person(*resident)?)?;
            out.dwellings.extend(lodgings.iter().map(|at| at.stay.dwelling));
        }
        Ok(out)
    }

    /// Those that the steps of an operation wrote.
    pub(super) fn by_steps(reader: &Reader<'_>, steps: &[Step]) -> Result<Self, DeviceError> {
        let mut out = Self::default();
        for step in steps {
            let Some(listed) = reader.view.listed(step.record)? else { continue };
            let link = |field: &str| listed.fields.get(field).and_then(Value::as_link);
            match Kind::parse(&listed.kind) {
                Some(Kind::Resident) => {
                    let into = [&step.after, step.before.as_ref().unwrap_or(&step.after)];
                    let into = into.map(|fields| fields.get("merged_into").and_then(Value::as_link));
                    out.residents.extend(into.into_iter().flatten().chain([step.record]));
                }
                Some(Kind::Dwelling) => out.dwellings.extend([step.record]),
                Some(Kind::Residency) => {
                    out.residents.extend(link("resident"));
                    out.dwellings.extend(link("dwelling"));
                }
                _ => {}
            }
        }
        Ok(out)
    }

    /// The doubtful residencies of these people and the disputed ones of these dwellings.
    pub(super) fn troubles(&self, reader: &Reader<'_>) -> Result<BTreeSet<RecordId>, DeviceError> {
        let mut out = BTreeSet::new();
        for resident in &self.residents {
            for (at, standing) in reader.standings(reader.person(*resident)?)? {
                if matches!(standing, Standing::Doubtful(_)) {
                    out.insert(at.stay.id);
                }
            }
        }
        for dwelling in &self.dwellings {
            let Some(found) = reader.shown::<Dwelling>(*dwelling)? else { continue };
            let people = reader.behind(*dwelling)?.people.len();
            if door_state(people, found.record.occupancy.as_ref()) == DoorState::Disputed {
                out.insert(*dwelling);
            }
        }
        Ok(out)
    }
}
