//! Areas, dwellings, households, people.

use gridwalk_model::geo::Position;
use gridwalk_model::records::area::GridKind;
use gridwalk_model::records::base_verification::{DoorOutcome, VerificationMethod};
use gridwalk_model::records::dwelling::{DwellingUse, Occupancy};
use gridwalk_model::records::household::HouseholdKind;
use gridwalk_model::records::residency::Relation;
use gridwalk_model::records::resident::{ResidentKind, Sex};
use gridwalk_model::records::{Area, BaseVerification, Dwelling, Household, Residency, Resident};
use gridwalk_model::{RecordId, Timestamp};

use crate::containers::{Day, RecordMap, TextMap};

/// 区域: a node of the hierarchy of any depth; the leaf is the grid.
#[uniffi::remote(Record)]
pub struct Area {
    /// The code of the division or grid. It changes when grids are re-cut, so it is never the identity.
    pub code: String,
    /// Name.
    pub name: String,
    /// Name of the level, as the deployment calls it (`street`, `community`, `grid`, …).
    pub level: String,
    /// The area above; none at the top.
    pub parent: Option<RecordId>,
    /// What sort of grid.
    pub grid_kind: Option<GridKind>,
    /// The boundary in WGS-84, encoded.
    pub boundary: Option<Vec<u8>>,
    /// First day on which the area exists with this boundary.
    pub valid_from: Option<Day>,
    /// Last day on which it exists.
    pub valid_to: Option<Day>,
}

/// 实有房屋: a home, occupied or not.
#[uniffi::remote(Record)]
pub struct Dwelling {
    /// The grid.
    pub area: RecordId,
    /// Estate or village.
    pub estate: Option<String>,
    /// Building.
    pub building: Option<String>,
    /// Staircase or entrance.
    pub unit: Option<String>,
    /// Room or door number.
    pub room: Option<String>,
    /// The address where the parts above do not fit.
    pub address: Option<String>,
    /// Floor; below ground is negative.
    pub floor: Option<i64>,
    /// What it is used for.
    pub usage: Option<DwellingUse>,
    /// Whether it is let.
    pub rented: Option<bool>,
    /// Whether somebody lives there.
    pub occupancy: Option<Occupancy>,
    /// Floor area in square metres.
    pub area_m2: Option<f64>,
    /// Where it is.
    pub position: Option<Position>,
    /// What other systems call it. Their codes change when grids are re-cut, so they are aliases only.
    pub source_keys: TextMap,
    /// Remarks.
    pub remarks: Option<String>,
}

/// 户: people who live together; a dwelling may hold several.
#[uniffi::remote(Record)]
pub struct Household {
    /// Where they live.
    pub dwelling: RecordId,
    /// The head of the household.
    pub head: Option<RecordId>,
    /// What sort.
    pub household_kind: Option<HouseholdKind>,
    /// The household from which this one was split.
    pub split_from: Option<RecordId>,
    /// What other systems call it.
    pub source_keys: TextMap,
    /// Remarks.
    pub remarks: Option<String>,
}

/// 实有人口: a person. Where they live is a residency, their ID number a record of its own.
#[uniffi::remote(Record)]
pub struct Resident {
    /// Name.
    pub name: String,
    /// Sex.
    pub sex: Option<Sex>,
    /// Day of birth.
    pub birth_date: Option<Day>,
    /// Telephone.
    pub phone: Option<String>,
    /// How they are registered.
    pub resident_kind: Option<ResidentKind>,
    /// Where they work.
    pub workplace: Option<String>,
    /// Set when a newcomer was typed in on a phone and not yet matched with other grids.
    pub provisional: Option<bool>,
    /// Day of death.
    pub died_on: Option<Day>,
    /// The record that this one is a duplicate of. Emptied to undo the merge.
    pub merged_into: Option<RecordId>,
    /// People who look alike in the records and were told apart, by their identifiers: see `keep_apart`.
    pub not_same: RecordMap,
    /// What other systems call them.
    pub source_keys: TextMap,
    /// Remarks.
    pub remarks: Option<String>,
}

/// 居住关系: a resident in a dwelling for a period.
#[uniffi::remote(Record)]
pub struct Residency {
    /// Who.
    pub resident: RecordId,
    /// Where.
    pub dwelling: RecordId,
    /// With whom.
    pub household: Option<RecordId>,
    /// Relation to the head of the household.
    pub relation: Option<Relation>,
    /// First day.
    pub from: Option<Day>,
    /// Day of leaving; empty while they live there.
    pub to: Option<Day>,
    /// 人户一致: whether they are registered where they live.
    pub residence_matches_registration: Option<bool>,
    /// Set where the person lives mainly elsewhere: a second home, a workday dormitory.
    pub secondary: Option<bool>,
}

/// 信息核查: a record was confirmed: by whom, when, how. Removing it undoes the operation at the door.
#[uniffi::remote(Record)]
pub struct BaseVerification {
    /// What was confirmed.
    pub target: RecordId,
    /// What was done.
    pub outcome: DoorOutcome,
    /// How.
    pub method: Option<VerificationMethod>,
    /// By whom.
    pub by: RecordId,
    /// When.
    pub at: Timestamp,
    /// The patrol on which it was done.
    pub patrol: Option<RecordId>,
}
