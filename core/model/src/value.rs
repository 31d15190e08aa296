//! Scalar values, the only thing that a document holds.

use std::collections::BTreeMap;

use crate::id::RecordId;
use crate::time::Timestamp;

/// A scalar as it stands in a document. Links to records are their 16 bytes.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing; how a free field is emptied.
    Null,
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Real(f64),
    /// Text in UTF-8.
    Text(String),
    /// Bytes: links, encoded entries and positions.
    Bytes(Vec<u8>),
    /// A point in time.
    Time(Timestamp),
}

impl Value {
    /// The text, if this is one.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The record that this value links to, if it is a link.
    pub fn as_link(&self) -> Option<RecordId> {
        if let Self::Bytes(bytes) = self { RecordId::from_slice(bytes) } else { None }
    }

    /// Whether this is [`Value::Null`].
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl From<RecordId> for Value {
    fn from(id: RecordId) -> Self {
        Self::Bytes(id.as_bytes().to_vec())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::Time(at)
    }
}

/// The content of a record, by root key, in key order. Sets stand as keys of the form `set/element`.
pub type Fields = BTreeMap<String, Value>;
