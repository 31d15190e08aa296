//! Words, days, counts and containers of the core as they cross the boundary, each under a name of its own.
//!
//! | name | crosses as |
//! | --- | --- |
//! | `Day` | text, `2026-02-14`: a local day |
//! | `Count` | whole number without sign |
//! | words such as `VisitResult`, `Action`, `Relation` | text: the word as it stands in a record. `word_lists` has them all with labels; a word that is not on its list comes from a newer version and is shown as it is |
//! | `EntrySet` | the names of the elements of a set; `photos`, `voices`, `event_story` and sessions tell what they hold |

use std::collections::{BTreeMap, BTreeSet, HashMap};

use gridwalk_device::PageCursor;
use gridwalk_device::store::SearchCursor;
use gridwalk_model::categories::Severity;
use gridwalk_model::checklist::{
    Answer, ChecklistItem, EvidenceRule, ItemKind, Lack, Outcome, SignatureRole,
};
use gridwalk_model::doors::DoorState;
use gridwalk_model::event::{Action, Presence, SlaClass, Supervision};
use gridwalk_model::photo::{PhotoRole, PhotoSource, Reuse};
use gridwalk_model::records::FieldValue as _;
use gridwalk_model::records::area::GridKind;
use gridwalk_model::records::base_verification::{DoorOutcome, VerificationMethod};
use gridwalk_model::records::care_tag::Need;
use gridwalk_model::records::dwelling::{DwellingUse, Occupancy};
use gridwalk_model::records::event::EventSource;
use gridwalk_model::records::household::HouseholdKind;
use gridwalk_model::records::label::LabelScope;
use gridwalk_model::records::residency::Relation;
use gridwalk_model::records::resident::{ResidentKind, Sex};
use gridwalk_model::records::resident_id::IdDocument;
use gridwalk_model::records::service_record::ServiceState;
use gridwalk_model::records::task::{TaskKind, TaskState};
use gridwalk_model::records::visit::{VisitPurpose, VisitResult};
use gridwalk_model::voice::VoiceFormat;
use gridwalk_model::{Fields, Kind, RecordId, Value};

use crate::error::GridwalkError;
use crate::schema::WordInfo;
use crate::values::{self, FieldValue};

/// A local day.
pub type Day = jiff::civil::Date;
/// A count.
pub type Count = usize;
/// Elements of a set, encoded.
pub type EntrySet = BTreeMap<String, Vec<u8>>;
/// Texts by name.
pub type TextMap = BTreeMap<String, String>;
/// Yes or no by name.
pub type FlagMap = BTreeMap<String, bool>;
/// Records by name.
pub type RecordMap = BTreeMap<String, RecordId>;
/// Answers by item.
pub type AnswerMap = BTreeMap<String, Answer>;
/// Items by name.
pub type ItemMap = BTreeMap<String, ChecklistItem>;
/// What is lacking, by item.
pub type LackMap = BTreeMap<String, Lack>;
/// How bad, by item.
pub type SeverityMap = BTreeMap<String, Severity>;
/// How many doors are in each state.
pub type StateCounts = BTreeMap<DoorState, usize>;
/// Names.
pub type NameSet = BTreeSet<String>;
/// Records.
pub type RecordSet = BTreeSet<RecordId>;

uniffi::custom_type!(Day, String, {
    remote,
    lower: |day| day.to_string(),
    try_lift: |text| Ok(gridwalk_model::records::parse_date(&text)
        .ok_or_else(|| GridwalkError::bad_argument("day"))?),
});

uniffi::custom_type!(Count, u32, {
    remote,
    lower: |count| crate::mirror::count(count),
    try_lift: |count| Ok(usize::try_from(count)?),
});

uniffi::custom_type!(EntrySet, Vec<String>, {
    remote,
    lower: |set| set.into_keys().filter(|key| !key.contains('/')).collect(),
    // Records are edited by their fields, never given back whole.
    try_lift: |_set| Err(GridwalkError::bad_argument("set").into()),
});

uniffi::custom_type!(Kind, String, {
    remote,
    lower: |kind| kind.tag().to_owned(),
    try_lift: |tag| Ok(crate::schema::kind_of(&tag)?),
});

uniffi::custom_type!(PageCursor, String, {
    remote,
    lower: |cursor| cursor.to_text(),
    try_lift: |text| Ok(PageCursor::from_text(&text).ok_or_else(|| GridwalkError::bad_argument("after"))?),
});

uniffi::custom_type!(SearchCursor, String, {
    remote,
    lower: |cursor| cursor.to_text(),
    try_lift: |text| Ok(SearchCursor::from_text(&text).ok_or_else(|| GridwalkError::bad_argument("after"))?),
});

// Without the record's kind the value crosses as it is stored: good for showing its text and giving it back.
uniffi::custom_type!(Value, FieldValue, {
    remote,
    lower: |value| FieldValue::of(None, "", value),
    try_lift: |value| Ok(value.into_core()),
});

uniffi::custom_type!(Fields, HashMap<String, FieldValue>, {
    remote,
    lower: |fields| values::told("", fields),
    try_lift: |fields| Ok(values::taken(fields)),
});

macro_rules! maps {
    ($($name:ident => $key:ty, $value:ty;)*) => {
        $(
            uniffi::custom_type!($name, HashMap<$key, $value>, {
                remote,
                lower: |map| map.into_iter().collect(),
                try_lift: |map| Ok(map.into_iter().collect()),
            });
        )*
    };
}

maps! {
    TextMap => String, String;
    FlagMap => String, bool;
    RecordMap => String, RecordId;
    AnswerMap => String, Answer;
    ItemMap => String, ChecklistItem;
    LackMap => String, Lack;
    SeverityMap => String, Severity;
    StateCounts => DoorState, Count;
}

uniffi::custom_type!(NameSet, Vec<String>, {
    remote,
    lower: |set| set.into_iter().collect(),
    try_lift: |names| Ok(names.into_iter().collect()),
});

uniffi::custom_type!(RecordSet, Vec<RecordId>, {
    remote,
    lower: |set| set.into_iter().collect(),
    try_lift: |records| Ok(records.into_iter().collect()),
});

macro_rules! words {
    ($($name:ident),* $(,)?) => {
        $(
            uniffi::custom_type!($name, String, {
                remote,
                lower: |word| word.word().to_owned(),
                try_lift: |text| Ok($name::from_word(&text)),
            });
        )*

        /// Every list of words by its name (such as `VisitResult`), each word with its labels in both languages.
        #[uniffi::export]
        pub fn word_lists() -> HashMap<String, Vec<WordInfo>> {
            HashMap::from([
                $((
                    stringify!($name).to_owned(),
                    $name::WORDS.iter().copied().map(WordInfo::from).collect(),
                ),)*
            ])
        }
    };
}

words! {
    Action, DoorOutcome, DwellingUse, EventSource, EvidenceRule, GridKind, HouseholdKind, IdDocument, ItemKind, LabelScope, Need,
    Occupancy, Outcome, PhotoRole, PhotoSource, Presence, Relation, ResidentKind, Reuse, ServiceState, Severity, Sex,
    SignatureRole, SlaClass, Supervision, TaskKind, TaskState, VerificationMethod, VisitPurpose, VisitResult,
    VoiceFormat,
}
