//! Which field is at fault, so that a form can show it there.

use gridwalk_device::DeviceError;
use gridwalk_device::work::checklists::ChecklistError;
use gridwalk_device::work::doors::DoorProblem;
use gridwalk_evidence::QrError;
use gridwalk_model::codes::resident_id::IdNumberError;
use gridwalk_model::codes::uscc::UsccError;
use gridwalk_model::validate::{FieldError, Reason};
use gridwalk_model::visits::VisitFault;
use gridwalk_replica::DocumentError;

use super::{GridwalkError, Problem};

/// One field that is at fault, with the reason.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct FieldProblem {
    /// The field: a root key of the record such as `name` or `photos/3f…`, an item of a checklist, or the name of an
    /// argument.
    pub field: String,
    /// Whether it may be saved all the same.
    pub warning: bool,
    /// A stable word for the reason, such as `missing`.
    pub key: String,
    /// The reason in Chinese.
    pub zh: String,
    /// The reason in English.
    pub en: String,
}

impl FieldProblem {
    /// The field that the whole problem is about.
    pub(super) fn whole(field: &str, problem: &Problem) -> Self {
        let Problem { key, zh, en } = problem.clone();
        Self { field: field.to_owned(), warning: false, key, zh, en }
    }
}

impl From<&FieldError> for FieldProblem {
    fn from(error: &FieldError) -> Self {
        Self {
            field: error.field.clone(),
            warning: error.is_warning(),
            key: reason_key(&error.reason).to_owned(),
            zh: error.reason.zh().into_owned(),
            en: error.reason.en().into_owned(),
        }
    }
}

const fn reason_key(reason: &Reason) -> &'static str {
    match reason {
        Reason::Missing => "missing",
        Reason::WrongType => "wrong_type",
        Reason::NotADate => "not_a_date",
        Reason::NotAPosition => "not_a_position",
        Reason::NotALink => "not_a_link",
        Reason::NotAnEntry => "not_an_entry",
        Reason::BadElement => "bad_element",
        Reason::TooLong { .. } => "too_long",
        Reason::ControlCharacter => "control_character",
        Reason::UnknownWord => "unknown_word",
        Reason::NotOnClosedList => "not_on_closed_list",
        Reason::IntOutOfRange { .. } | Reason::RealOutOfRange { .. } => "out_of_range",
        Reason::IdNumber(error) => match error {
            IdNumberError::Length => "id_number.length",
            IdNumberError::Character => "id_number.character",
            IdNumberError::BirthDate => "id_number.birth_date",
            IdNumberError::CheckCharacter => "id_number.check_character",
            IdNumberError::LostDigits => "id_number.lost_digits",
        },
        Reason::UnknownRegion => "unknown_region",
        Reason::Uscc(error) => match error {
            UsccError::Length => "uscc.length",
            UsccError::Character => "uscc.character",
            UsccError::CheckCharacter => "uscc.check_character",
        },
        Reason::OddPhone => "odd_phone",
        Reason::EndBeforeStart => "end_before_start",
        Reason::TooFarAway => "too_far_away",
        Reason::NoPlace => "no_place",
        Reason::NoItems => "no_items",
        Reason::Template(_) => "template",
        Reason::NotALabel => "not_a_label",
        Reason::Forbidden => "forbidden",
        Reason::TriggersNothing => "triggers_nothing",
    }
}

/// The fields of an error that names some; empty for others.
pub(super) fn of(error: &DeviceError) -> Vec<FieldProblem> {
    let named = |field: &str| vec![FieldProblem::whole(field, &Problem::of(error))];
    match error {
        DeviceError::Invalid { errors } => errors.iter().map(FieldProblem::from).collect(),
        DeviceError::Photo(_) => named("photo"),
        DeviceError::Voice(_) => named("sound"),
        DeviceError::Qr(QrError::FrameSize { .. } | QrError::FrameTooLarge { .. } | QrError::Confused) => {
            named("frame")
        }
        DeviceError::Qr(QrError::TooLong { .. } | QrError::NoRoom { .. }) => named("sheet"),
        DeviceError::TooManyRegions { .. } => named("regions"),
        DeviceError::Unfinished { what } => named(what),
        DeviceError::NoPurpose => named("purpose"),
        DeviceError::Visit { fault, .. } => named(visit_field(*fault)),
        DeviceError::Document(DocumentError::Value { key }) => named(key),
        DeviceError::Checklist(ChecklistError::NotAsked { item } | ChecklistError::BadAnswer { item }) => {
            named(item)
        }
        DeviceError::Checklist(ChecklistError::Incomplete { lacking }) => lacking
            .iter()
            .map(|(item, lack)| FieldProblem {
                field: item.clone(),
                warning: false,
                key: lack.word().to_owned(),
                zh: lack.zh().to_owned(),
                en: lack.en().to_owned(),
            })
            .collect(),
        DeviceError::Door(DoorProblem::Nobody) => named("people"),
        DeviceError::Door(DoorProblem::FutureDay) => named("day"),
        DeviceError::Door(DoorProblem::NoBirthDate) => named("birth_date"),
        DeviceError::Door(DoorProblem::Rules(_)) => named("rules"),
        _ => Vec::new(),
    }
}

const fn visit_field(fault: VisitFault) -> &'static str {
    match fault {
        VisitFault::AnswersWithoutMeeting | VisitFault::Unanswered | VisitFault::NotAsked => "answers",
        VisitFault::RefusalTriggersNothing => "result",
        VisitFault::NextInPast => "next_due",
        VisitFault::EmptyService | VisitFault::ServiceNotOpen => "services",
        VisitFault::NoFollowUp => "follow_ups",
        VisitFault::UnknownForm => "form",
        VisitFault::TaskNotOpen => "task",
        VisitFault::NotOwnVisit => "visit",
    }
}

/// A problem at a door is either in what was typed, or in how things stand.
pub(super) fn door(door: &DoorProblem, problem: Problem, fields: Vec<FieldProblem>) -> GridwalkError {
    let record = match door {
        DoorProblem::Nobody | DoorProblem::FutureDay | DoorProblem::NoBirthDate | DoorProblem::Rules(_) => {
            return GridwalkError::InvalidInput { problem, fields };
        }
        DoorProblem::LivesHereAlready { person }
        | DoorProblem::NotHere { person }
        | DoorProblem::Gone { person }
        | DoorProblem::NotMerged { person } => Some(*person),
        DoorProblem::OtherHousehold { household } => Some(*household),
        DoorProblem::Disputed { dwelling } => Some(*dwelling),
        DoorProblem::ChangedSince { record } | DoorProblem::UsedSince { record, .. } => Some(*record),
        DoorProblem::Clock
        | DoorProblem::NobodyStays
        | DoorProblem::SamePerson
        | DoorProblem::DifferentNumbers
        | DoorProblem::TooFast(_)
        | DoorProblem::NoOperation { .. }
        | DoorProblem::NotApart
        | DoorProblem::LaterOperation => None,
    };
    GridwalkError::Conflict { problem, record }
}

/// The same for a step of an inspection.
pub(super) fn checklist(
    error: &ChecklistError,
    problem: Problem,
    fields: Vec<FieldProblem>,
) -> GridwalkError {
    let record = match error {
        ChecklistError::NotAsked { .. }
        | ChecklistError::BadAnswer { .. }
        | ChecklistError::Incomplete { .. } => return GridwalkError::InvalidInput { problem, fields },
        ChecklistError::Finished { inspection }
        | ChecklistError::NotFinished { inspection }
        | ChecklistError::HadConsequences { inspection } => *inspection,
        ChecklistError::Retired { checklist } => *checklist,
        ChecklistError::WrongTarget { target } => *target,
        ChecklistError::Settled { order } => *order,
    };
    GridwalkError::Conflict { problem, record: Some(record) }
}
