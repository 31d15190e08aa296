//! Which kinds of record there are, with their fields, words and labels: asked for once by a shell, which then shows
//! any record, and any word of any list, in either language.

use gridwalk_model::schema::Word;
use gridwalk_model::{FieldPolicy, FieldSchema, FieldType, Kind};

use crate::error::GridwalkError;
use crate::mirror::count;

/// Who may write a field.
#[uniffi::remote(Enum)]
pub enum FieldPolicy {
    /// Whoever may edit the record.
    Free,
    /// Only at creation.
    CreateOnly,
    /// A set whose elements are written once each.
    AppendOnly,
    /// Only the server.
    ServerOnly,
}

/// What a field's value looks like.
#[derive(Clone, Debug, PartialEq, uniffi::Enum)]
pub enum FieldShape {
    /// Text.
    Text {
        /// Limit in characters.
        max: u32,
    },
    /// One word of `FieldInfo.words`.
    Code,
    /// Yes or no.
    Flag,
    /// A whole number, both bounds included.
    Number {
        /// Smallest accepted.
        min: i64,
        /// Largest accepted.
        max: i64,
    },
    /// A number with a fraction, both bounds included.
    Real {
        /// Smallest accepted.
        min: f64,
        /// Largest accepted.
        max: f64,
    },
    /// A point in time.
    Time,
    /// A day, written `2026-02-14`.
    Date,
    /// A link to a record.
    Link {
        /// Of one of these kinds; empty: to a worker.
        kinds: Vec<String>,
    },
    /// A position.
    Position,
    /// An encoded entry.
    Entry,
}

/// A word of a list with its labels.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct WordInfo {
    /// As it stands in a record.
    pub word: String,
    /// Label in Chinese.
    pub zh: String,
    /// Label in English.
    pub en: String,
}

impl From<Word> for WordInfo {
    fn from(core: Word) -> Self {
        let Word { word, zh, en } = core;
        Self { word: word.into(), zh: zh.into(), en: en.into() }
    }
}

/// A field of a kind.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct FieldInfo {
    /// The root key; of a set, the first part of `name/element`.
    pub name: String,
    /// Whether it is a set of elements.
    pub set: bool,
    /// What a value looks like.
    pub shape: FieldShape,
    /// Whether a record needs it.
    pub required: bool,
    /// Who may write it.
    pub policy: FieldPolicy,
    /// Label in Chinese.
    pub zh: String,
    /// Label in English.
    pub en: String,
    /// The words of a `Code` field. A record may hold a word that is not among them: it is shown as it is.
    pub words: Vec<WordInfo>,
}

impl From<&FieldSchema> for FieldInfo {
    fn from(core: &FieldSchema) -> Self {
        let FieldSchema { name, set, ty, required, policy, zh, en, words } = *core;
        Self {
            name: name.into(),
            set,
            shape: ty.into(),
            required,
            policy,
            zh: zh.into(),
            en: en.into(),
            words: words.iter().copied().map(WordInfo::from).collect(),
        }
    }
}

impl From<FieldType> for FieldShape {
    fn from(core: FieldType) -> Self {
        match core {
            FieldType::Text { max } => Self::Text { max: count(max) },
            FieldType::Code(_) => Self::Code,
            FieldType::Flag => Self::Flag,
            FieldType::Int { min, max } => Self::Number { min, max },
            FieldType::Real { min, max } => Self::Real { min, max },
            FieldType::Time => Self::Time,
            FieldType::Date => Self::Date,
            FieldType::Link(kinds) => {
                Self::Link { kinds: kinds.iter().map(|kind| kind.tag().to_owned()).collect() }
            }
            FieldType::Position => Self::Position,
            FieldType::Entry => Self::Entry,
        }
    }
}

/// A kind of record.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct KindInfo {
    /// The word for it, such as `dwelling`.
    pub tag: String,
    /// Name in Chinese.
    pub zh: String,
    /// Name in English.
    pub en: String,
    /// Whether phones write records of it at all.
    pub device_writes: bool,
    /// Its fields, in the order in which a form shows them.
    pub fields: Vec<FieldInfo>,
}

/// Every kind of record that this build knows.
#[uniffi::export]
pub fn kinds() -> Vec<KindInfo> {
    let told = |kind: &Kind| {
        let schema = kind.schema();
        KindInfo {
            tag: schema.tag.into(),
            zh: schema.zh.into(),
            en: schema.en.into(),
            device_writes: schema.device_writes,
            fields: schema.fields.iter().map(FieldInfo::from).collect(),
        }
    };
    Kind::ALL.iter().map(told).collect()
}

/// Reads the word for a kind.
pub(crate) fn kind_of(tag: &str) -> Result<Kind, GridwalkError> {
    Kind::parse(tag).ok_or_else(|| GridwalkError::bad_argument("kind"))
}
