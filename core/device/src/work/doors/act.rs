//! What can be done at a door, and what comes of it.

use gridwalk_model::codes::{normalise, resident_id};
use gridwalk_model::records::Resident;
use gridwalk_model::records::base_verification::{DoorOutcome, VerificationMethod};
use gridwalk_model::records::household::HouseholdKind;
use gridwalk_model::records::residency::Relation;
use gridwalk_model::records::resident::{ResidentKind, Sex};
use gridwalk_model::records::resident_id::IdDocument;
use gridwalk_model::{RecordId, Timestamp};
use jiff::civil::Date;

use super::newcomers::DuplicateHint;
use super::operation::Operation;
use super::{acts, moving};
use crate::error::DeviceError;
use crate::store::Store;

/// Where the worker stands, and how they know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtDoor {
    /// The dwelling.
    pub dwelling: RecordId,
    /// How it was confirmed.
    pub method: VerificationMethod,
    /// The patrol under way.
    pub patrol: Option<RecordId>,
}

impl AtDoor {
    /// In person, without a patrol.
    pub const fn in_person(dwelling: RecordId) -> Self {
        Self { dwelling, method: VerificationMethod::InPerson, patrol: None }
    }
}

/// What happened behind a door. Days that are left out are today; none may be later.
#[derive(Clone, Debug, PartialEq)]
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
        from: Option<Date>,
    },
    /// People moved out. When nobody is left, the dwelling becomes vacant.
    MoveOut {
        /// Who.
        people: Vec<RecordId>,
        /// When.
        on: Option<Date>,
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
        on: Option<Date>,
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
        on: Option<Date>,
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

impl DoorAct {
    /// The word for it in the journal.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NoChange => "no_change",
            Self::MoveIn { .. } => "move_in",
            Self::MoveOut { .. } => "move_out",
            Self::Birth { .. } => "birth",
            Self::Death { .. } => "death",
            Self::Split { .. } => "split",
            Self::Vacant { .. } => "vacant",
            Self::NobodyHome => "nobody_home",
            Self::Occupied => "occupied",
            Self::LivesHere { .. } => "lives_here",
        }
    }

    /// The people named by their records.
    fn known_people(&self) -> Vec<RecordId> {
        match self {
            Self::MoveIn { people, .. } => {
                let known = |newcomer: &Newcomer| match newcomer.who {
                    Who::Known(person) => Some(person),
                    Who::New(_) => None,
                };
                people.iter().filter_map(known).collect()
            }
            Self::MoveOut { people, .. } => people.clone(),
            Self::Death { person, .. } | Self::LivesHere { person } => vec![*person],
            _ => Vec::new(),
        }
    }

    /// What the verification says.
    pub const fn outcome(&self) -> DoorOutcome {
        match self {
            Self::NoChange => DoorOutcome::NoChange,
            Self::MoveIn { .. } => DoorOutcome::MoveIn,
            Self::MoveOut { .. } => DoorOutcome::MoveOut,
            Self::Birth { .. } => DoorOutcome::Birth,
            Self::Death { .. } => DoorOutcome::Death,
            Self::Split { .. } => DoorOutcome::Split,
            Self::Vacant { .. } => DoorOutcome::Vacant,
            Self::NobodyHome => DoorOutcome::NobodyHome,
            Self::Occupied | Self::LivesHere { .. } => DoorOutcome::Corrected,
        }
    }
}

/// Somebody who moves in.
#[derive(Clone, Debug, PartialEq)]
pub struct Newcomer {
    /// Who.
    pub who: Who,
    /// Relation to the head of the household.
    pub relation: Option<Relation>,
    /// Whether they live mainly elsewhere.
    pub secondary: bool,
    /// Whether they are registered at this place.
    pub registered_here: Option<bool>,
}

impl Newcomer {
    /// Somebody whose record is on this phone.
    pub const fn known(person: RecordId) -> Self {
        Self { who: Who::Known(person), relation: None, secondary: false, registered_here: None }
    }

    /// Somebody who is not on this phone: provisional until matched with other grids.
    pub fn unknown(person: NewPerson) -> Self {
        Self { who: Who::New(Box::new(person)), relation: None, secondary: false, registered_here: None }
    }
}

/// A person who is on this phone, or one who is not.
#[derive(Clone, Debug, PartialEq)]
pub enum Who {
    /// Known here.
    Known(RecordId),
    /// Typed in at the door.
    New(Box<NewPerson>),
}

/// A person as typed in at a door.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewPerson {
    /// Name.
    pub name: String,
    /// Sex; read from an identity card's number where it is left out.
    pub sex: Option<Sex>,
    /// Day of birth; read from an identity card's number where it is left out.
    pub birth_date: Option<Date>,
    /// Telephone.
    pub phone: Option<String>,
    /// How they are registered.
    pub kind: Option<ResidentKind>,
    /// Where they work.
    pub workplace: Option<String>,
    /// Remarks.
    pub remarks: Option<String>,
    /// What sort of document the number stands on; an identity card where it is not said.
    pub document: Option<IdDocument>,
    /// The document's number: kept in a sensitive record of its own.
    pub number: Option<String>,
}

impl NewPerson {
    /// A person of whom only the name is known.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// The record, filled up with what an identity card's number says.
    pub(super) fn resident(&self, provisional: bool) -> Resident {
        let card = matches!(self.document, None | Some(IdDocument::IdentityCard));
        let number = self.plain_number().filter(|_| card);
        let read = number.and_then(|number| resident_id::check(&number).ok());
        let sex = |male: bool| if male { Sex::Male } else { Sex::Female };
        Resident {
            name: self.name.trim().to_owned(),
            sex: self.sex.clone().or_else(|| read.as_ref().map(|read| sex(read.male))),
            birth_date: self.birth_date.or_else(|| read.as_ref().map(|read| read.birth_date)),
            phone: self.phone.clone(),
            resident_kind: self.kind.clone(),
            workplace: self.workplace.clone(),
            provisional: provisional.then_some(true),
            died_on: None,
            merged_into: None,
            not_same: std::collections::BTreeMap::new(),
            source_keys: std::collections::BTreeMap::new(),
            remarks: self.remarks.clone(),
        }
    }

    /// The number as it is meant; `None` if nothing was typed.
    pub(super) fn plain_number(&self) -> Option<String> {
        self.number.as_deref().map(normalise).filter(|number| !number.is_empty())
    }
}

/// With whom newcomers live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InHousehold {
    /// It is not said.
    None,
    /// In a household behind this door.
    Existing(RecordId),
    /// In one of their own; its head is the first of them with that relation.
    New(HouseholdKind),
}

/// What an operation did.
#[derive(Clone, Debug, PartialEq)]
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
    pub hints: Vec<(RecordId, DuplicateHint)>,
}

impl Store {
    /// Does something at a door: one transaction with its base verification, journaled for [`Store::undo_door`].
    ///
    /// # Errors
    /// [`DeviceError::Door`] with the reason, [`DeviceError::Invalid`] for facts that are not valid; nothing was
    /// written then.
    pub fn at_door(&mut self, at: &AtDoor, act: &DoorAct, now: Timestamp) -> Result<DoorDone, DeviceError> {
        let mut done = self.edits(now, |edits| {
            let mut operation = Operation::begin(edits, &act.known_people(), Some(at.dwelling))?;
            operation.reader().dwelling(at.dwelling)?;
            let (people, household) = perform(&mut operation, at.dwelling, act)?;
            let verification = operation.verify(at, act.outcome())?;
            let operation = operation.finish(act.word(), at.dwelling)?;
            Ok(DoorDone { operation, verification, people, household, hints: Vec::new() })
        })?;
        if matches!(act, DoorAct::MoveIn { .. } | DoorAct::Birth { .. }) {
            for person in &done.people {
                let hints = self.duplicates_of(*person, now)?;
                done.hints.extend(hints.into_iter().map(|hint| (*person, hint)));
            }
        }
        Ok(done)
    }
}

type Came = (Vec<RecordId>, Option<RecordId>);

fn perform(
    operation: &mut Operation<'_, '_, '_>,
    dwelling: RecordId,
    act: &DoorAct,
) -> Result<Came, DeviceError> {
    let people = match act {
        DoorAct::NoChange => acts::no_change(operation, dwelling)?,
        DoorAct::MoveIn { people, household, from } => {
            return moving::move_in(operation, dwelling, people, household, *from);
        }
        DoorAct::MoveOut { people, on } => moving::move_out(operation, dwelling, people, *on)?,
        DoorAct::Birth { child, household } => moving::birth(operation, dwelling, child, *household)?,
        DoorAct::Death { person, on } => acts::death(operation, dwelling, *person, *on)?,
        DoorAct::Split { household, members, head } => {
            return acts::split(operation, dwelling, *household, members, *head);
        }
        DoorAct::Vacant { on } => acts::vacant(operation, dwelling, *on)?,
        DoorAct::NobodyHome => Vec::new(),
        DoorAct::Occupied => acts::occupied(operation, dwelling)?,
        DoorAct::LivesHere { person } => acts::lives_here(operation, dwelling, *person)?,
    };
    Ok((people, None))
}
