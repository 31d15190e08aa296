//! What a phone in a process of its own promised to keep, as lines of its standard output.

use gridwalk_model::{ContentHash, RecordId};
use serde_json::{Value, json};

/// One acknowledged act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Promise {
    /// A text field was written.
    Field {
        /// The record.
        record: RecordId,
        /// The root key.
        key: String,
        /// The text.
        text: String,
    },
    /// A photo was attached to a record.
    Photo {
        /// The record.
        record: RecordId,
        /// The element of its `photos`.
        element: RecordId,
        /// The stored image.
        hash: ContentHash,
        /// Its preview.
        preview: ContentHash,
    },
}

impl Promise {
    /// As a line.
    pub fn to_line(&self) -> String {
        match self {
            Self::Field { record, key, text } => json!({ "field": [record.to_string(), key, text] }),
            Self::Photo { record, element, hash, preview } => json!({
                "photo": [record.to_string(), element.to_string(), hash.to_string(), preview.to_string()]
            }),
        }
        .to_string()
    }

    /// Reads a line; `None` if it is no promise, or was cut.
    pub fn from_line(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let words = |name: &str| -> Option<Vec<&str>> {
            value.get(name)?.as_array()?.iter().map(Value::as_str).collect()
        };
        if let Some([record, key, text]) = words("field").as_deref() {
            let record = record.parse().ok()?;
            return Some(Self::Field { record, key: (*key).to_owned(), text: (*text).to_owned() });
        }
        let words = words("photo")?;
        let [record, element, hash, preview] = words.as_slice() else { return None };
        Some(Self::Photo {
            record: record.parse().ok()?,
            element: element.parse().ok()?,
            hash: hash.parse().ok()?,
            preview: preview.parse().ok()?,
        })
    }
}
