//! Values of fields as they cross the boundary, typed by the schema of their kind.

use std::collections::{BTreeMap, HashMap};

use gridwalk_model::geo::Position;
use gridwalk_model::{FieldType, Fields, Kind, RecordId, Timestamp, Value};

/// The value of a field.
#[derive(Clone, Debug, PartialEq, uniffi::Enum)]
pub enum FieldValue {
    /// Nothing: how an optional field is emptied.
    Empty,
    /// Yes or no.
    Flag {
        /// Which.
        value: bool,
    },
    /// A whole number.
    Number {
        /// The number.
        value: i64,
    },
    /// A number with a fraction.
    Real {
        /// The number.
        value: f64,
    },
    /// Text: also words of a list (see `kinds`), and days, written `2026-02-14`.
    Text {
        /// The text.
        value: String,
    },
    /// A link to another record.
    Link {
        /// The other record.
        record: RecordId,
    },
    /// A position.
    Place {
        /// Where.
        position: Position,
    },
    /// A point in time.
    Time {
        /// When.
        at: Timestamp,
    },
    /// An encoded entry (a photo, a line of a log, an answer): told in words by the calls that show them.
    Entry {
        /// The bytes, to be given back as they are.
        bytes: Vec<u8>,
    },
}

impl FieldValue {
    /// A value of the field `key` of a record of a kind.
    pub(crate) fn of(kind: Option<Kind>, key: &str, value: Value) -> Self {
        match value {
            Value::Null => Self::Empty,
            Value::Flag(value) => Self::Flag { value },
            Value::Int(value) => Self::Number { value },
            Value::Real(value) => Self::Real { value },
            Value::Text(value) => Self::Text { value },
            Value::Time(at) => Self::Time { at },
            Value::Bytes(bytes) => Self::of_bytes(kind, key, bytes),
        }
    }

    fn of_bytes(kind: Option<Kind>, key: &str, bytes: Vec<u8>) -> Self {
        let field = kind.and_then(|kind| kind.schema().field_of_key(key)).map(|(field, _)| field.ty);
        let link = || RecordId::from_slice(&bytes).map(|record| Self::Link { record });
        let place = || Position::from_bytes(&bytes).ok().map(|position| Self::Place { position });
        let typed = match field {
            Some(FieldType::Link(_)) => link(),
            Some(FieldType::Position) => place(),
            _ => None,
        };
        typed.unwrap_or(Self::Entry { bytes })
    }

    pub(crate) fn into_core(self) -> Value {
        match self {
            Self::Empty => Value::Null,
            Self::Flag { value } => Value::Flag(value),
            Self::Number { value } => Value::Int(value),
            Self::Real { value } => Value::Real(value),
            Self::Text { value } => Value::Text(value),
            Self::Link { record } => Value::from(record),
            Self::Place { position } => Value::Bytes(position.to_bytes()),
            Self::Time { at } => Value::Time(at),
            Self::Entry { bytes } => Value::Bytes(bytes),
        }
    }
}

/// Fields of a record of the kind with this word.
pub(crate) fn told(kind: &str, fields: Fields) -> HashMap<String, FieldValue> {
    let kind = Kind::parse(kind);
    fields
        .into_iter()
        .map(|(key, value)| {
            let value = FieldValue::of(kind, &key, value);
            (key, value)
        })
        .collect()
}

/// Fields for the core.
pub(crate) fn taken(fields: HashMap<String, FieldValue>) -> Fields {
    fields.into_iter().map(|(key, value)| (key, value.into_core())).collect::<BTreeMap<_, _>>()
}
