//! Types that a field may have, and the way between a record's struct and a document's fields.

use std::collections::BTreeMap;

use jiff::civil;

use crate::geo;
use crate::id::{ContentHash, RecordId};
use crate::schema::Word;
use crate::time::Timestamp;
use crate::validate::{FieldError, Reason};
use crate::value::{Fields, Value};

/// A type that stands in one field of a document.
pub trait FieldValue: Sized {
    /// The words that the type knows, with labels; empty unless it is a list of words.
    const WORDS: &'static [Word] = &[];

    /// Reads the value.
    ///
    /// # Errors
    /// What is wrong with it, where it is of another type.
    fn from_value(value: &Value) -> Result<Self, Reason>;

    /// The value as it stands in a document.
    fn to_value(&self) -> Value;
}

macro_rules! plain {
    ($ty:ty, $variant:ident) => {
        impl FieldValue for $ty {
            fn from_value(value: &Value) -> Result<Self, Reason> {
                if let Value::$variant(inner) = value { Ok(inner.clone()) } else { Err(Reason::WrongType) }
            }

            fn to_value(&self) -> Value {
                Value::$variant(self.clone())
            }
        }
    };
}

plain!(String, Text);
plain!(Vec<u8>, Bytes);

macro_rules! plain_copy {
    ($ty:ty, $variant:ident) => {
        impl FieldValue for $ty {
            fn from_value(value: &Value) -> Result<Self, Reason> {
                if let Value::$variant(inner) = value { Ok(*inner) } else { Err(Reason::WrongType) }
            }

            fn to_value(&self) -> Value {
                Value::$variant(*self)
            }
        }
    };
}

plain_copy!(bool, Flag);
plain_copy!(i64, Int);
plain_copy!(Timestamp, Time);

impl FieldValue for f64 {
    fn from_value(value: &Value) -> Result<Self, Reason> {
        match value {
            Value::Real(number) => Ok(*number),
            // Whole numbers up to 2^53 are exact; a form may write "50" for 50.0.
            Value::Int(number) => Ok(*number as Self),
            _ => Err(Reason::WrongType),
        }
    }

    fn to_value(&self) -> Value {
        Value::Real(*self)
    }
}

impl FieldValue for RecordId {
    fn from_value(value: &Value) -> Result<Self, Reason> {
        value.as_link().ok_or(Reason::WrongType)
    }

    fn to_value(&self) -> Value {
        Value::from(*self)
    }
}

impl FieldValue for ContentHash {
    fn from_value(value: &Value) -> Result<Self, Reason> {
        if let Value::Bytes(bytes) = value { Self::from_slice(bytes) } else { None }.ok_or(Reason::WrongType)
    }

    fn to_value(&self) -> Value {
        Value::Bytes(self.as_bytes().to_vec())
    }
}

impl FieldValue for geo::Position {
    fn from_value(value: &Value) -> Result<Self, Reason> {
        let Value::Bytes(bytes) = value else { return Err(Reason::WrongType) };
        Self::from_bytes(bytes).map_err(|_| Reason::NotAPosition)
    }

    fn to_value(&self) -> Value {
        Value::Bytes(self.to_bytes())
    }
}

impl FieldValue for civil::Date {
    fn from_value(value: &Value) -> Result<Self, Reason> {
        parse_date(value.as_text().ok_or(Reason::WrongType)?).ok_or(Reason::NotADate)
    }

    fn to_value(&self) -> Value {
        Value::Text(self.to_string())
    }
}

/// Reads a calendar day written `YYYY-MM-DD`, and nothing else.
pub fn parse_date(text: &str) -> Option<civil::Date> {
    let shape = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() });
    if shape { text.parse().ok() } else { None }
}

/// Reads the fields of one record and gathers every error on the way.
pub(crate) struct FieldReader<'f> {
    fields: &'f Fields,
    errors: Vec<FieldError>,
}

impl<'f> FieldReader<'f> {
    pub(crate) fn new(fields: &'f Fields) -> Self {
        Self { fields, errors: Vec::new() }
    }

    pub(crate) fn optional<T: FieldValue>(&mut self, name: &str) -> Option<T> {
        let value = self.fields.get(name).filter(|value| !value.is_null())?;
        match T::from_value(value) {
            Ok(value) => Some(value),
            Err(reason) => {
                self.errors.push(FieldError { field: name.to_owned(), reason });
                None
            }
        }
    }

    pub(crate) fn required<T: FieldValue>(&mut self, name: &str) -> Option<T> {
        if self.fields.get(name).is_none_or(Value::is_null) {
            self.errors.push(FieldError { field: name.to_owned(), reason: Reason::Missing });
            return None;
        }
        self.optional(name)
    }

    pub(crate) fn set<T: FieldValue>(&mut self, name: &str) -> BTreeMap<String, T> {
        let mut out = BTreeMap::new();
        for (element, value) in elements(self.fields, name) {
            match T::from_value(value) {
                Ok(value) => {
                    out.insert(element.to_owned(), value);
                }
                Err(reason) => {
                    self.errors.push(FieldError { field: format!("{name}/{element}"), reason });
                }
            }
        }
        out
    }

    pub(crate) fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T, Vec<FieldError>> {
        match build() {
            Some(record) if self.errors.is_empty() => Ok(record),
            _ => Err(self.errors),
        }
    }
}

/// The elements of a set that were not taken out, in order of their names.
pub fn elements<'f>(fields: &'f Fields, set: &str) -> impl Iterator<Item = (&'f str, &'f Value)> + use<'f> {
    let prefix = format!("{set}/");
    // '0' is the character after '/', so the range holds exactly the keys with the prefix.
    let end = format!("{set}0");
    let start = prefix.len();
    fields.range(prefix..end).filter_map(move |(key, value)| {
        let element = key.get(start..)?;
        let plain = !element.is_empty() && !element.contains('/') && !value.is_null();
        let removed = fields.get(&format!("{key}/removed")) == Some(&Value::Flag(true));
        (plain && !removed).then_some((element, value))
    })
}

pub(crate) fn write_one<T: FieldValue>(out: &mut Fields, name: &str, value: Option<&T>) {
    if let Some(value) = value {
        out.insert(name.to_owned(), value.to_value());
    }
}

pub(crate) fn write_set<T: FieldValue>(out: &mut Fields, name: &str, set: &BTreeMap<String, T>) {
    out.extend(set.iter().map(|(element, value)| (format!("{name}/{element}"), value.to_value())));
}
