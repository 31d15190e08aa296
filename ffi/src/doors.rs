//! The board of a building, a door, what is done there, and who may be one person.

use gridwalk_device::work::doors::{
    AtDoor, Board, Building, Door, DoorAct, DoorDone, DoorOperation, DoorSheet, Doubtful, DuplicateHint,
    Floor, FloorConfirmed, InHousehold, Inhabitant, Knocked, LeftOut, Namesake, NewPerson, Newcomer,
    ProvisionalNewcomer, Who,
};
use gridwalk_model::doors::{DoorState, Doubt, Likeness};
use gridwalk_model::records::base_verification::{DoorOutcome, VerificationMethod};
use gridwalk_model::records::household::HouseholdKind;
use gridwalk_model::records::residency::Relation;
use gridwalk_model::records::resident::{ResidentKind, Sex};
use gridwalk_model::records::resident_id::IdDocument;
use gridwalk_model::{RecordId, Timestamp};

use crate::containers::{Count, Day, StateCounts};
use crate::device::Device;
use crate::error::GridwalkError;
use crate::kinds::{DwellingEntry, HouseholdEntry};
use crate::mirror::limit;

/// A door that was left out of a bulk confirmation.
type LeftOutPair = (RecordId, LeftOut);

pair! {
    /// A door that was left out of a bulk confirmation.
    DoorLeftOut of LeftOutPair {
        /// The door.
        dwelling: RecordId,
        /// Why.
        why: LeftOut,
    }
}

/// Somebody who may be the same person as a newcomer.
type NewcomerHint = (RecordId, DuplicateHint);

pair! {
    /// Somebody who may be the same person as a newcomer.
    HintOfNewcomer of NewcomerHint {
        /// The newcomer.
        newcomer: RecordId,
        /// Who may be the same.
        hint: DuplicateHint,
    }
}

/// Two entries that may be one person.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct DuplicatePair {
    /// The one.
    pub one: Namesake,
    /// The other, and what speaks for it.
    pub hint: DuplicateHint,
}

/// A building with doors on this phone.
#[uniffi::remote(Record)]
pub struct Building {
    /// Estate or village; empty where it is not said.
    pub estate: String,
    /// Building; empty where it is not said.
    pub building: String,
    /// How many doors it has.
    pub doors: Count,
}

/// The doors of a building.
#[uniffi::remote(Record)]
pub struct Board {
    /// Floors, the highest first; doors without a floor at the end.
    pub floors: Vec<Floor>,
    /// How many doors are in each state.
    pub states: StateCounts,
    /// How many doors are due to be confirmed.
    pub due: Count,
}

/// The doors of one floor.
#[uniffi::remote(Record)]
pub struct Floor {
    /// Its number, as recorded or read from the doors' numbers; `None` where neither says it.
    pub floor: Option<i64>,
    /// Its doors, in the order of entrance and number.
    pub doors: Vec<Door>,
}

/// A door on the board.
#[uniffi::remote(Record)]
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
    pub people: Count,
    /// How many of them are newcomers who were not yet matched with other grids.
    pub provisional: Count,
    /// How many residencies there do not go together with what else is recorded.
    pub doubtful: Count,
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

/// What a door is shown as on the board of its building.
#[uniffi::remote(Enum)]
pub enum DoorState {
    /// People live there.
    /// 有人居住
    LivedIn,
    /// A worker said that nobody lives there, and nobody is recorded.
    /// 空置
    Vacant,
    /// Nobody is recorded, and nobody said that it is empty.
    /// 未登记
    Unrecorded,
    /// One worker called it empty while another recorded people there: somebody has to say which holds.
    /// 待核实
    Disputed,
}

/// A verification.
#[uniffi::remote(Record)]
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
#[uniffi::remote(Record)]
pub struct DoorSheet {
    /// The door as on the board.
    pub door: Door,
    /// The dwelling's record.
    pub dwelling: DwellingEntry,
    /// Who lives there.
    pub people: Vec<Inhabitant>,
    /// What does not go together.
    pub doubtful: Vec<Doubtful>,
    /// The households with somebody in them.
    pub households: Vec<HouseholdEntry>,
    /// What was done here, the latest first, at most twenty.
    pub history: Vec<Knocked>,
}

/// Somebody who lives behind a door.
#[uniffi::remote(Record)]
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
#[uniffi::remote(Record)]
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

/// Why a residency is not simply believed.
#[uniffi::remote(Enum)]
pub enum Doubt {
    /// The person is recorded as living mainly in another home, moved to later.
    /// 另有主要居住地
    Elsewhere,
    /// The person is recorded as dead.
    /// 已登记死亡
    Died,
    /// The person's record was taken back by a worker who did not see this.
    /// 人员记录已撤销
    Removed,
}

/// Where the worker stands, and how they know.
#[uniffi::remote(Record)]
pub struct AtDoor {
    /// The dwelling.
    pub dwelling: RecordId,
    /// How it was confirmed.
    pub method: VerificationMethod,
    /// The patrol under way.
    #[uniffi(default = None)]
    pub patrol: Option<RecordId>,
}

/// What happened behind a door. Days that are left out are today; none may be later.
#[uniffi::remote(Enum)]
pub enum DoorAct {
    /// All as recorded.
    NoChange,
    /// People moved in. Somebody known here who lived elsewhere leaves the former home, unless this is a second one.
    MoveIn {
        /// Who.
        people: Vec<Newcomer>,
        /// With whom they live.
        household: InHousehold,
        /// Since when.
        from: Option<Day>,
    },
    /// People moved out. When nobody is left, the dwelling becomes vacant.
    MoveOut {
        /// Who.
        people: Vec<RecordId>,
        /// When.
        on: Option<Day>,
    },
    /// A child was born.
    Birth {
        /// The child; its day of birth is needed.
        child: NewPerson,
        /// The household that it is born into.
        household: Option<RecordId>,
    },
    /// Somebody who lived here died: all their residencies end.
    Death {
        /// Who.
        person: RecordId,
        /// When.
        on: Option<Day>,
    },
    /// Some of the people form a household of their own behind the same door.
    Split {
        /// The household that they leave; `None` for people who were in none.
        household: Option<RecordId>,
        /// Who leaves it.
        members: Vec<RecordId>,
        /// The head of the new household, one of them.
        head: Option<RecordId>,
    },
    /// Nobody lives there any more.
    Vacant {
        /// Since when.
        on: Option<Day>,
    },
    /// Nobody opened.
    NobodyHome,
    /// Settles a dispute: the people are there, the dwelling is not empty.
    Occupied,
    /// Settles a doubt: the person is alive and mainly lives here, whatever else is recorded.
    LivesHere {
        /// Who.
        person: RecordId,
    },
}

/// With whom newcomers live.
#[uniffi::remote(Enum)]
pub enum InHousehold {
    /// It is not said.
    None,
    /// In a household behind this door.
    Existing(RecordId),
    /// In one of their own; its head is the first of them with that relation.
    New(HouseholdKind),
}

/// Somebody who moves in.
#[uniffi::remote(Record)]
pub struct Newcomer {
    /// Who.
    pub who: Who,
    /// Relation to the head of the household.
    #[uniffi(default = None)]
    pub relation: Option<Relation>,
    /// Whether they live mainly elsewhere.
    #[uniffi(default = false)]
    pub secondary: bool,
    /// Whether they are registered at this place.
    #[uniffi(default = None)]
    pub registered_here: Option<bool>,
}

/// A person who is on this phone, or one who is not.
#[uniffi::remote(Enum)]
pub enum Who {
    /// Known here.
    Known(RecordId),
    /// Typed in at the door.
    New(Box<NewPerson>),
}

/// A person as typed in at a door.
#[uniffi::remote(Record)]
pub struct NewPerson {
    /// Name.
    pub name: String,
    /// Sex; read from an identity card's number where it is left out.
    #[uniffi(default = None)]
    pub sex: Option<Sex>,
    /// Day of birth; read from an identity card's number where it is left out.
    #[uniffi(default = None)]
    pub birth_date: Option<Day>,
    /// Telephone.
    #[uniffi(default = None)]
    pub phone: Option<String>,
    /// How they are registered.
    #[uniffi(default = None)]
    pub kind: Option<ResidentKind>,
    /// Where they work.
    #[uniffi(default = None)]
    pub workplace: Option<String>,
    /// Remarks.
    #[uniffi(default = None)]
    pub remarks: Option<String>,
    /// What sort of document the number stands on; an identity card where it is not said.
    #[uniffi(default = None)]
    pub document: Option<IdDocument>,
    /// The document's number: kept in a sensitive record of its own.
    #[uniffi(default = None)]
    pub number: Option<String>,
}

/// What an operation did.
#[uniffi::remote(Record)]
pub struct DoorDone {
    /// Its number, for undoing it.
    pub operation: i64,
    /// The base verification that it left.
    pub verification: RecordId,
    /// The people concerned, newcomers under their new identifiers, in the order in which they were named.
    pub people: Vec<RecordId>,
    /// The household that it made.
    pub household: Option<RecordId>,
    /// Records on this phone that may be the same person as a newcomer. Only hints: nobody is merged by name.
    pub hints: Vec<NewcomerHint>,
}

/// What a bulk confirmation did.
#[uniffi::remote(Record)]
pub struct FloorConfirmed {
    /// Its number, for undoing it as a whole; `None` if no door was left.
    pub operation: Option<i64>,
    /// The doors that were confirmed.
    pub confirmed: Vec<RecordId>,
    /// Those that were not, and why.
    pub left_out: Vec<LeftOutPair>,
}

/// Why a door was left out of a bulk confirmation.
#[uniffi::remote(Enum)]
pub enum LeftOut {
    /// It is not a dwelling on this phone.
    NotHere,
    /// What is recorded there does not go together: it wants a look of its own.
    Disputed,
    /// It was confirmed today already.
    ConfirmedToday,
}

/// An operation that may be taken back.
#[uniffi::remote(Record)]
pub struct DoorOperation {
    /// Its number.
    pub n: i64,
    /// When it was done.
    pub at: Timestamp,
    /// The dwelling that it was done to; for a merge the resident.
    pub target: RecordId,
    /// What was done: `word`, or `floor`, `merge`, `newcomer`.
    pub act: String,
}

/// Somebody of that name: told apart by year of birth, door and relation, never by the name.
#[uniffi::remote(Record)]
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
    pub relation: Option<Relation>,
}

/// Somebody who may be the same person.
#[uniffi::remote(Record)]
pub struct DuplicateHint {
    /// What speaks for it.
    pub likeness: Likeness,
    /// Who.
    pub other: Namesake,
}

/// What speaks for two entries being one person, the strongest first.
#[uniffi::remote(Enum)]
pub enum Likeness {
    /// The same document number.
    /// 证件号码相同
    SameNumber,
    /// The same name and day of birth.
    /// 姓名和出生日期相同
    NameAndBirth,
    /// The same name and telephone.
    /// 姓名和电话相同
    NameAndPhone,
    /// The same telephone and day of birth, under another name: perhaps mistyped.
    /// 电话和出生日期相同
    PhoneAndBirth,
}

/// A newcomer who was not yet matched with other grids.
#[uniffi::remote(Record)]
pub struct ProvisionalNewcomer {
    /// The newcomer.
    pub person: Namesake,
    /// Who on this phone may be the same person.
    pub hints: Vec<DuplicateHint>,
}

#[uniffi::export(async_runtime = "tokio")]
impl Device {
    /// The buildings on this phone.
    pub async fn buildings(&self) -> Result<Vec<Building>, GridwalkError> {
        self.call(async |core| core.buildings().await).await
    }

    /// The board of a building: its floors, the highest first, with their doors.
    pub async fn board(&self, estate: String, building: String) -> Result<Board, GridwalkError> {
        self.call(async move |core| core.board(&estate, &building).await).await
    }

    /// One door in full. Throws `NotFound`, `Conflict` (`wrong_kind`).
    pub async fn door(&self, dwelling: RecordId) -> Result<DoorSheet, GridwalkError> {
        self.call(async move |core| core.door(dwelling).await).await
    }

    /// Does something at a door: everything that follows from it is written together, with a verification of its own.
    /// Throws `InvalidInput` with the field at fault, or `Conflict` where it does not go together with what is recorded.
    pub async fn at_door(&self, at: AtDoor, act: DoorAct) -> Result<DoorDone, GridwalkError> {
        self.write(async move |core| core.at_door(at, act).await).await
    }

    /// "No change" for several doors, such as a floor. `method` is a word such as `in_person`. Throws `Conflict`
    /// (`door.too_fast`) where nobody can have walked to them, (`door.apart`, `door.not_one_building`) where they are no
    /// floor: too far from each other, or of several buildings.
    pub async fn confirm_floor(
        &self,
        dwellings: Vec<RecordId>,
        method: VerificationMethod,
        patrol: Option<RecordId>,
    ) -> Result<FloorConfirmed, GridwalkError> {
        self.write(async move |core| core.confirm_floor(dwellings, method, patrol).await).await
    }

    /// What was done at doors and may be taken back, the last first; of one door or person, if one is named.
    pub async fn door_operations(
        &self,
        target: Option<RecordId>,
        limit: u32,
    ) -> Result<Vec<DoorOperation>, GridwalkError> {
        self.call(async move |core| core.door_operations(target, self::limit(limit)).await).await
    }

    /// Takes back an operation at a door, by its number. Throws `Conflict` where something was built on it since.
    pub async fn undo_door(&self, n: i64) -> Result<(), GridwalkError> {
        self.write(async move |core| core.undo_door(n).await).await
    }

    /// Who on this phone may be the same person as this one, the likeliest first.
    pub async fn duplicates_of(&self, person: RecordId) -> Result<Vec<DuplicateHint>, GridwalkError> {
        self.call(async move |core| core.duplicates_of(person).await).await
    }

    /// Who on this phone may be the person that is about to be typed in.
    pub async fn duplicates_of_new(&self, new: NewPerson) -> Result<Vec<DuplicateHint>, GridwalkError> {
        self.call(async move |core| core.duplicates_of_new(new).await).await
    }

    /// Every pair on this phone that may be one person.
    pub async fn duplicate_pairs(&self) -> Result<Vec<DuplicatePair>, GridwalkError> {
        let pairs = self.call(async |core| core.duplicate_pairs().await).await?;
        Ok(pairs.into_iter().map(|(one, hint)| DuplicatePair { one, hint }).collect())
    }

    /// People of exactly this name.
    pub async fn namesakes(&self, name: String) -> Result<Vec<Namesake>, GridwalkError> {
        self.call(async move |core| core.namesakes(&name).await).await
    }

    /// Newcomers who were not yet matched with other grids.
    pub async fn provisional_newcomers(&self) -> Result<Vec<ProvisionalNewcomer>, GridwalkError> {
        self.call(async |core| core.provisional_newcomers().await).await
    }

    /// A newcomer is nobody who was known before. Returns the number to take it back by.
    pub async fn confirm_newcomer(&self, person: RecordId) -> Result<i64, GridwalkError> {
        self.write(async move |core| core.confirm_newcomer(person).await).await
    }
}
