//! What kinds of record exist and what their fields are, as data.
//!
//! Each kind declares itself once, with the `record!` macro in [`crate::records`]; everything that treats
//! records alike (admission, projections, exports, forms) reads the tables here.

pub use crate::records::Kind;
use crate::stream::AccessClass;

/// Version of the record schemas that this build writes into a document's `v`.
pub const SCHEMA_VERSION: i64 = 1;

/// Root keys that every document has, whatever its kind. They are written once, at creation.
pub const IDENTITY_KEYS: [&str; 3] = ["id", "kind", "v"];

/// Root key of the flag that removes a record. Records are never deleted: a delete would hide a concurrent edit.
pub const REMOVED_KEY: &str = "removed";

/// Who may write a field and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldPolicy {
    /// Whoever may edit the record.
    Free,
    /// Only the change that creates the record.
    CreateOnly,
    /// A set whose elements are written once each and never altered.
    AppendOnly,
    /// Only the server's actor.
    ServerOnly,
}

/// What a field's value looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FieldType {
    /// Text of at most `max` characters.
    Text {
        /// Limit in characters.
        max: usize,
    },
    /// One word of a list. Unknown words survive a round trip and are shown as they are.
    Code(&'static [&'static str]),
    /// Yes or no.
    Flag,
    /// A whole number within bounds, both included.
    Int {
        /// Smallest accepted.
        min: i64,
        /// Largest accepted.
        max: i64,
    },
    /// A number with a fraction within bounds, both included.
    Real {
        /// Smallest accepted.
        min: f64,
        /// Largest accepted.
        max: f64,
    },
    /// A point in time.
    Time,
    /// A calendar day, `YYYY-MM-DD` as text.
    Date,
    /// A link to a record of one of these kinds; with no kind given, to a person who uses the system.
    Link(&'static [Kind]),
    /// A position: WGS-84 with accuracy and source, encoded.
    Position,
    /// An encoded entry (log, photo, answer): opaque to the schema, typed in its own module.
    Entry,
}

/// One field of a kind. With `set`, the keys are `name/element`, and `name/element/removed` takes one out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FieldSchema {
    /// The root key, or its first part for a set.
    pub name: &'static str,
    /// Whether this is a set of elements.
    pub set: bool,
    /// What a value looks like.
    pub ty: FieldType,
    /// Whether a record without it is incomplete.
    pub required: bool,
    /// Who may write it.
    pub policy: FieldPolicy,
    /// Label in Chinese.
    pub zh: &'static str,
    /// Label in English.
    pub en: &'static str,
    /// The words of a [`FieldType::Code`] field with their labels; empty for other fields.
    pub words: &'static [Word],
}

/// One word of a list, with its labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// As it stands in a document.
    pub word: &'static str,
    /// Label in Chinese.
    pub zh: &'static str,
    /// Label in English.
    pub en: &'static str,
}

/// How the streams of a record follow from its content and links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlacementRule {
    /// The deployment's common stream.
    Org,
    /// The area named by the field.
    Own(&'static str),
    /// Wherever the record named by the field is.
    Inherit(&'static str),
    /// Wherever the records of `kind` are that name this one in `field` and are current.
    Referrers {
        /// Kind of the referring records.
        kind: Kind,
        /// Their field that names this record.
        field: &'static str,
    },
}

/// A kind of record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KindSchema {
    /// Which kind.
    pub kind: Kind,
    /// The word for it in a document's `kind` and on the wire.
    pub tag: &'static str,
    /// Name in Chinese.
    pub zh: &'static str,
    /// Name in English.
    pub en: &'static str,
    /// How sensitive its records are.
    pub class: AccessClass,
    /// Which areas they belong to.
    pub placement: PlacementRule,
    /// Fields that name a unit or a user whose streams hold the record as well.
    pub followers: &'static [&'static str],
    /// Whether devices may write records of this kind at all.
    pub device_writes: bool,
    /// The fields, in the order in which a form shows them.
    pub fields: &'static [FieldSchema],
}

impl KindSchema {
    /// The field that a root key belongs to, with the element where the field is a set.
    ///
    /// `None` for keys of a newer schema: they are kept and carried, never interpreted.
    pub fn field_of_key<'k>(&self, key: &'k str) -> Option<(&'static FieldSchema, Option<&'k str>)> {
        match key.split_once('/') {
            Some((name, element)) => {
                let field = self.fields.iter().find(|field| field.set && field.name == name)?;
                Some((field, Some(element)))
            }
            None => {
                let field = self.fields.iter().find(|field| !field.set && field.name == key)?;
                Some((field, None))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field of this name would overwrite, or be taken for, what every document has.
    #[test]
    fn no_field_has_a_name_that_every_document_uses() {
        for kind in Kind::ALL {
            for field in kind.schema().fields {
                let taken = IDENTITY_KEYS.contains(&field.name) || field.name == REMOVED_KEY;
                assert!(!taken && !field.name.contains('/'), "{kind:?}.{}", field.name);
            }
        }
    }
}
