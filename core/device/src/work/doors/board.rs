//! The board of a building: floors × doors with their state; and one door in full.

use std::collections::{BTreeMap, BTreeSet};

use gridwalk_model::doors::{DoorRules, DoorState, door_state, floor_of_room};
use gridwalk_model::records::base_verification::DoorOutcome;
use gridwalk_model::records::{BaseVerification, Dwelling, Household};
use gridwalk_model::{Kind, RecordId, Timestamp};

use super::read::{Behind, Doubtful, Inhabitant, Reader, label};
use super::rules;
use crate::edit::Entry;
use crate::error::DeviceError;
use crate::store::Store;

/// How many verifications the sheet of a door shows.
const HISTORY: usize = 20;

/// A building with doors on this phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Building {
    /// Estate or village; empty where it is not said.
    pub estate: String,
    /// Building; empty where it is not said.
    pub building: String,
    /// How many doors it has.
    pub doors: usize,
}

/// The doors of a building.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Board {
    /// Floors, the highest first; doors without a floor at the end.
    pub floors: Vec<Floor>,
    /// How many doors are in each state.
    pub states: BTreeMap<DoorState, usize>,
    /// How many doors are due to be confirmed.
    pub due: usize,
}

/// The doors of one floor.
#[derive(Clone, Debug, PartialEq)]
pub struct Floor {
    /// Its number, as recorded or read from the doors' numbers; `None` where neither says it.
    pub floor: Option<i64>,
    /// Its doors, in the order of entrance and number.
    pub doors: Vec<Door>,
}

/// A door on the board.
#[derive(Clone, Debug, PartialEq)]
pub struct Door {
    /// The dwelling.
    pub dwelling: RecordId,
    /// Where it is, for a list.
    pub label: String,
    /// Entrance.
    pub unit: Option<String>,
    /// Number.
    pub room: Option<String>,
    /// What it is shown as.
    pub state: DoorState,
    /// How many people live there.
    pub people: usize,
    /// How many of them are newcomers who were not yet matched with other grids.
    pub provisional: usize,
    /// How many residencies there do not go together with what else is recorded.
    pub doubtful: usize,
    /// What was done last.
    pub last: Option<Knocked>,
    /// When it was last confirmed; "nobody home" confirms nothing.
    pub confirmed_at: Option<Timestamp>,
    /// Whether it is to be confirmed again.
    pub due: bool,
    /// Whether changes of the dwelling's record wait to be sent.
    pub waiting: bool,
    /// Whether the dwelling's record has values that differ.
    pub conflict: bool,
}

/// A verification.
#[derive(Clone, Debug, PartialEq)]
pub struct Knocked {
    /// The verification's record.
    pub verification: RecordId,
    /// When.
    pub at: Timestamp,
    /// What was done.
    pub outcome: DoorOutcome,
    /// By whom.
    pub by: RecordId,
}

/// A door in full.
#[derive(Clone, Debug, PartialEq)]
pub struct DoorSheet {
    /// The door as on the board.
    pub door: Door,
    /// The dwelling's record.
    pub dwelling: Entry<Dwelling>,
    /// Who lives there.
    pub people: Vec<Inhabitant>,
    /// What does not go together.
    pub doubtful: Vec<Doubtful>,
    /// The households with somebody in them.
    pub households: Vec<Entry<Household>>,
    /// What was done here, the latest first, at most twenty.
    pub history: Vec<Knocked>,
}

impl Store {
    /// The buildings on this phone, in the order of their names.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn buildings(&self) -> Result<Vec<Building>, DeviceError> {
        let mut out: Vec<Building> = Vec::new();
        for row in self.view().list_kind(Kind::Dwelling.tag(), None, usize::MAX)? {
            let text = |field: &str| row.fields.get(field).and_then(|value| value.as_text()).unwrap_or("");
            let (estate, building) = (text("estate"), text("building"));
            match out.last_mut() {
                Some(last) if last.estate == estate && last.building == building => last.doors += 1,
                _ => out.push(Building { estate: estate.into(), building: building.into(), doors: 1 }),
            }
        }
        Ok(out)
    }

    /// The board of a building.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn board(&self, estate: &str, building: &str, now: Timestamp) -> Result<Board, DeviceError> {
        let rules = self.door_rules()?;
        let reader = Reader { view: self.view(), day: rules::day_of(&self.view(), now)? };
        let mut floors: BTreeMap<Option<i64>, Vec<Door>> = BTreeMap::new();
        let mut board = Board::default();
        for dwelling in self.list_under::<Dwelling>(&[estate, building])? {
            let floor = dwelling
                .record
                .floor
                .or_else(|| floor_of_room(dwelling.record.room.as_deref().unwrap_or("")));
            let behind = reader.behind(dwelling.id)?;
            let door = door(&dwelling, &behind, &knocked(&reader, dwelling.id)?, &rules, now);
            *board.states.entry(door.state).or_default() += 1;
            board.due += usize::from(door.due);
            floors.entry(floor).or_default().push(door);
        }
        // The highest first; `None` sorts below all.
        board.floors = floors.into_iter().rev().map(|(floor, doors)| Floor { floor, doors }).collect();
        Ok(board)
    }

    /// One door in full.
    ///
    /// # Errors
    /// [`DeviceError::UnknownRecord`], [`DeviceError::WrongKind`].
    pub fn door(&self, dwelling: RecordId, now: Timestamp) -> Result<DoorSheet, DeviceError> {
        let rules = self.door_rules()?;
        let reader = Reader { view: self.view(), day: rules::day_of(&self.view(), now)? };
        let dwelling = reader.dwelling(dwelling)?;
        let behind = reader.behind(dwelling.id)?;
        let mut history = knocked(&reader, dwelling.id)?;
        let door = door(&dwelling, &behind, &history, &rules, now);
        history.truncate(HISTORY);
        let lived_in: BTreeSet<RecordId> = behind.people.iter().filter_map(|one| one.household).collect();
        let mut households = reader.linked::<Household>("dwelling", dwelling.id)?;
        households.retain(|household| lived_in.contains(&household.id));
        let Behind { people, doubtful } = behind;
        Ok(DoorSheet { door, dwelling, people, doubtful, households, history })
    }
}

/// What was done at a door, the latest first.
fn knocked(reader: &Reader<'_>, dwelling: RecordId) -> Result<Vec<Knocked>, DeviceError> {
    let mut out: Vec<Knocked> = reader
        .linked::<BaseVerification>("target", dwelling)?
        .into_iter()
        .map(|entry| Knocked {
            verification: entry.id,
            at: entry.record.at,
            outcome: entry.record.outcome,
            by: entry.record.by,
        })
        .collect();
    out.sort_by_key(|knocked| std::cmp::Reverse((knocked.at, knocked.verification)));
    Ok(out)
}

fn door(
    dwelling: &Entry<Dwelling>,
    behind: &Behind,
    history: &[Knocked],
    rules: &DoorRules,
    now: Timestamp,
) -> Door {
    let confirmed = history.iter().find(|knocked| knocked.outcome != DoorOutcome::NobodyHome);
    let confirmed_at = confirmed.map(|knocked| knocked.at);
    let people = behind.people.len();
    Door {
        dwelling: dwelling.id,
        label: label(&dwelling.record),
        unit: dwelling.record.unit.clone(),
        room: dwelling.record.room.clone(),
        state: door_state(people, dwelling.record.occupancy.as_ref()),
        people,
        provisional: behind.people.iter().filter(|one| one.provisional).count(),
        doubtful: behind.doubtful.len(),
        last: history.first().cloned(),
        confirmed_at,
        due: confirmed_at.is_none_or(|at| at <= rules::days_before(now, rules.verify_days)),
        waiting: dwelling.state.waiting,
        conflict: dwelling.state.conflict,
    }
}
