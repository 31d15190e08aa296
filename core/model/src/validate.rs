//! What is wrong with a record, field by field, in both languages: one check for editor, importer and console.

mod cross;
mod reason;

pub use reason::{Reason, Weight};

use crate::checklist::{Answer, ChecklistItem, Finding, Signature};
use crate::codec;
use crate::event::LogEntry;
use crate::forbidden;
use crate::geo;
use crate::photo::PhotoRef;
use crate::records::{elements, is_closed, parse_date};
use crate::schema::{FieldSchema, FieldType, Kind};
use crate::value::{Fields, Value};
use crate::voice::VoiceRef;

/// One bad field with its reason.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldError {
    /// The root key.
    pub field: String,
    /// What is wrong.
    pub reason: Reason,
}

impl FieldError {
    pub(crate) fn new(field: &str, reason: Reason) -> Self {
        Self { field: field.to_owned(), reason }
    }

    /// Whether the record may be saved all the same.
    pub fn is_warning(&self) -> bool {
        self.reason.weight() == Weight::Warning
    }
}

/// Every bad field of a record, errors and warnings, in the order of the kind's fields. Keys that the schema
/// does not know are left alone. An empty list means that nothing is wrong.
pub fn validate(kind: Kind, fields: &Fields) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for field in kind.schema().fields {
        if field.set {
            check_set(kind, field, fields, &mut errors);
        } else {
            let value = fields.get(field.name).filter(|value| !is_blank(value));
            match value {
                Some(value) => push(&mut errors, field.name, check_value(kind, field, value)),
                None if field.required => errors.push(FieldError::new(field.name, Reason::Missing)),
                None => {}
            }
        }
    }
    cross::check(kind, fields, &mut errors);
    errors
}

/// Whether a record may be saved: no error, warnings aside.
pub fn is_acceptable(errors: &[FieldError]) -> bool {
    errors.iter().all(FieldError::is_warning)
}

fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_text().is_some_and(|text| text.trim().is_empty())
}

fn push(errors: &mut Vec<FieldError>, field: &str, outcome: Result<(), Reason>) {
    if let Err(reason) = outcome {
        errors.push(FieldError::new(field, reason));
    }
}

fn check_set(kind: Kind, field: &FieldSchema, fields: &Fields, errors: &mut Vec<FieldError>) {
    for (element, value) in elements(fields, field.name) {
        let key = format!("{}/{element}", field.name);
        // `photos/removed` would read as a flag on the whole set.
        if element == "removed" || element.chars().count() > 64 {
            errors.push(FieldError::new(&key, Reason::BadElement));
        }
        push(errors, &key, check_value(kind, field, value));
    }
}

fn check_value(kind: Kind, field: &FieldSchema, value: &Value) -> Result<(), Reason> {
    match (field.ty, value) {
        (FieldType::Text { .. }, Value::Text(_)) if forbidden::in_field(kind, field, value) => {
            Err(Reason::Forbidden)
        }
        (FieldType::Text { max }, Value::Text(text)) => check_text(text, max),
        (FieldType::Code(words), Value::Text(word)) => check_word(kind, field, words, word),
        (FieldType::Flag, Value::Flag(_)) | (FieldType::Time, Value::Time(_)) => Ok(()),
        (FieldType::Int { min, max }, Value::Int(number)) => {
            if (min..=max).contains(number) {
                Ok(())
            } else {
                Err(Reason::IntOutOfRange { min, max })
            }
        }
        (FieldType::Real { min, max }, Value::Real(number)) => check_real(*number, min, max),
        (FieldType::Real { min, max }, Value::Int(number)) => check_real(*number as f64, min, max),
        (FieldType::Date, Value::Text(text)) => parse_date(text).map(drop).ok_or(Reason::NotADate),
        (FieldType::Link(_), Value::Bytes(_)) => value.as_link().map(drop).ok_or(Reason::NotALink),
        (FieldType::Position, Value::Bytes(bytes)) => {
            geo::Position::from_bytes(bytes).map(drop).map_err(|_| Reason::NotAPosition)
        }
        (FieldType::Entry, Value::Bytes(bytes)) => check_entry(field.name, bytes),
        _ => Err(Reason::WrongType),
    }
}

fn check_text(text: &str, max: usize) -> Result<(), Reason> {
    if text.chars().count() > max {
        Err(Reason::TooLong { max })
    } else if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        Err(Reason::ControlCharacter)
    } else {
        Ok(())
    }
}

fn check_word(kind: Kind, field: &FieldSchema, words: &[&str], word: &str) -> Result<(), Reason> {
    if words.contains(&word) {
        Ok(())
    } else if forbidden::find(word).is_some() {
        // A word of a newer list is carried, but not whatever somebody would make a list of.
        Err(Reason::Forbidden)
    } else if is_closed(kind, field.name) {
        Err(Reason::NotOnClosedList)
    } else {
        check_text(word, 64)?;
        Err(Reason::UnknownWord)
    }
}

fn check_real(number: f64, min: f64, max: f64) -> Result<(), Reason> {
    if (min..=max).contains(&number) { Ok(()) } else { Err(Reason::RealOutOfRange { min, max }) }
}

fn check_entry(set: &str, bytes: &[u8]) -> Result<(), Reason> {
    let readable = match set {
        "log" => match codec::from_bytes::<LogEntry>(bytes) {
            Ok(entry) if entry.category.as_deref().is_some_and(|word| forbidden::find(word).is_some()) => {
                return Err(Reason::Forbidden);
            }
            entry => entry.is_ok(),
        },
        "photos" => codec::from_bytes::<PhotoRef>(bytes).is_ok(),
        "voices" => VoiceRef::from_bytes(bytes).is_ok(),
        "items" => codec::from_bytes::<ChecklistItem>(bytes).is_ok(),
        "answers" | "before" => codec::from_bytes::<Answer>(bytes).is_ok(),
        "findings" => codec::from_bytes::<Finding>(bytes).is_ok(),
        "signatures" => codec::from_bytes::<Signature>(bytes).is_ok(),
        "track" => bytes.len() == 32,
        _ => true,
    };
    if readable { Ok(()) } else { Err(Reason::NotAnEntry) }
}

#[cfg(test)]
mod tests;
