//! Bringing one file's word for a record together with what the store has: found by source key, compared field by
//! field with the last import, written only where the file changed and nobody else did.

use std::collections::BTreeMap;

use gridwalk_model::stream::AccessClass;
use gridwalk_model::{Fields, Kind, RecordId, Value};
use gridwalk_replica::Document;
use gridwalk_replica::conflict::edited_while_removed;
use hmac::{Hmac, KeyInit, Mac};
use minicbor::Encoder;
use sha2::Sha256;

use super::report::{KeptEdit, shown};
use super::{ImportContext, ImportError};
use crate::edit::{EditError, Edits};
use crate::storage::{ReadTx, Storage, StorageError, WriteTx};

/// Source under which an area's code is kept.
pub(super) const AREA: &str = "area-code";
/// Source of an office's address codes.
pub(super) const DWELLING: &str = "ledger.dwelling";
/// Source of households, by address code and the office's number of the household.
pub(super) const HOUSEHOLD: &str = "ledger.household";
/// Source of residents, by the keyed hash of their ID number.
pub(super) const RESIDENT: &str = "ledger.resident";
/// Source of ID numbers, by the same hash.
pub(super) const RESIDENT_ID: &str = "ledger.resident_id";
/// Source of residencies, by resident and address code.
pub(super) const RESIDENCY: &str = "ledger.residency";
/// Source of places.
pub(super) const PLACE: &str = "ledger.place";

/// The record under which the store keeps the key of this module's hashes, as it keeps last imported values.
/// The key outlives epochs, which the key of the cursors does not: a restored server must know its residents again.
const KEY_RECORD: RecordId = RecordId::from_bytes([0; 16]);
const KEY_FIELD: &str = "import.key";

/// The key of source keys made of ID numbers.
#[derive(Clone)]
pub(super) struct Secret(Vec<u8>);

impl Secret {
    /// The store's key, made if it has none yet.
    pub(super) fn of(storage: &dyn Storage, context: &ImportContext<'_>) -> Result<Self, ImportError> {
        let find = |stored: Vec<(String, Vec<u8>)>| {
            stored.into_iter().find(|(field, _)| field == KEY_FIELD).map(|(_, key)| Self(key))
        };
        if let Some(key) = storage.view(|tx| tx.imported(KEY_RECORD).map(find))? {
            return Ok(key);
        }
        let fresh = random::<32>(context)?;
        storage.update(|tx| {
            if let Some(key) = find(tx.imported(KEY_RECORD)?) {
                return Ok(key);
            }
            tx.put_imported(KEY_RECORD, KEY_FIELD, &fresh)?;
            Ok(Self(fresh.to_vec()))
        })
    }

    /// A name for a number from which the number cannot be found without the key.
    pub(super) fn name(&self, number: &str) -> String {
        data_encoding::HEXLOWER.encode(&self.mac(b"id-number", number.as_bytes()))
    }

    fn mac(&self, purpose: &[u8], bytes: &[u8]) -> Vec<u8> {
        // A key of any length is good for HMAC.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return Vec::new() };
        mac.update(purpose);
        mac.update(&[0]);
        mac.update(bytes);
        mac.finalize().into_bytes().iter().take(16).copied().collect()
    }

    /// How the last imported value of a field is kept: as it is, or by its hash where the record is sensitive.
    fn note(&self, kind: Kind, value: &Value) -> Vec<u8> {
        let encoded = encode(value);
        match kind.schema().class {
            AccessClass::Base => encoded,
            AccessClass::Sensitive => self.mac(b"value", &encoded),
        }
    }
}

fn random<const N: usize>(context: &ImportContext<'_>) -> Result<[u8; N], StorageError> {
    context.entropy.array::<N>().map_err(|_| StorageError::Failed("no randomness".to_owned()))
}

/// A value as CBOR: the scalar itself, times under tag 1.
fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out);
    let written = match value {
        Value::Null => encoder.null().map(drop),
        Value::Flag(flag) => encoder.bool(*flag).map(drop),
        Value::Int(number) => encoder.i64(*number).map(drop),
        Value::Real(number) => encoder.f64(*number).map(drop),
        Value::Text(text) => encoder.str(text).map(drop),
        Value::Bytes(bytes) => encoder.bytes(bytes).map(drop),
        Value::Time(at) => {
            encoder.tag(minicbor::data::Tag::new(1)).and_then(|encoder| encoder.i64(at.millis())).map(drop)
        }
    };
    debug_assert!(written.is_ok(), "writing into memory cannot fail");
    out
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    Unchanged,
    Updated,
    Created,
}

/// Where a file's word goes: into the store, or into a question whether it would change anything.
pub(super) trait Sink {
    /// The record of a source key; a new identifier if there is none.
    fn id_for(&mut self, source: &'static str, key: &str) -> Result<RecordId, ImportError>;

    /// Brings a record up to the file's word. Fields that are not named stay as they are.
    fn put(&mut self, line: u64, id: RecordId, kind: Kind, fields: &Fields) -> Result<Outcome, ImportError>;
}

/// The last imported values of a record's fields.
fn notes(tx: &dyn ReadTx, id: RecordId) -> Result<BTreeMap<String, Vec<u8>>, StorageError> {
    Ok(tx.imported(id)?.into_iter().collect())
}

/// The fields of which the file says something else than last time, with how the new value will be kept.
fn changed<'f>(
    secret: &Secret,
    kind: Kind,
    fields: &'f Fields,
    last: &BTreeMap<String, Vec<u8>>,
) -> Vec<(&'f String, &'f Value, Vec<u8>)> {
    let noted = fields.iter().map(|(name, value)| (name, value, secret.note(kind, value)));
    let differs = |(name, value, note): &(&String, &Value, Vec<u8>)| match last.get(*name) {
        Some(last) => last != note,
        None => !value.is_null(),
    };
    noted.filter(differs).collect()
}

/// Asks, on a snapshot, whether anything would change.
pub(super) struct Checker<'t> {
    pub(super) tx: &'t dyn ReadTx,
    pub(super) secret: &'t Secret,
    /// The answer so far.
    pub(super) changes: bool,
}

impl Sink for Checker<'_> {
    fn id_for(&mut self, source: &'static str, key: &str) -> Result<RecordId, ImportError> {
        let found = self.tx.source_key(source, key)?;
        self.changes |= found.is_none();
        Ok(found.unwrap_or(KEY_RECORD))
    }

    fn put(&mut self, _: u64, id: RecordId, kind: Kind, fields: &Fields) -> Result<Outcome, ImportError> {
        if !self.changes {
            let last = notes(self.tx, id)?;
            self.changes |= !changed(self.secret, kind, fields, &last).is_empty();
        }
        Ok(Outcome::Unchanged)
    }
}

/// Writes.
pub(super) struct Writer<'t, 'c> {
    edits: Edits<'t>,
    context: &'c ImportContext<'c>,
    secret: &'c Secret,
    /// Where a person's word stands against the file's.
    pub(super) kept: Vec<KeptEdit>,
}

impl<'t, 'c> Writer<'t, 'c> {
    pub(super) fn begin(
        tx: &'t mut dyn WriteTx,
        context: &'c ImportContext<'c>,
        secret: &'c Secret,
    ) -> Result<Self, ImportError> {
        Ok(Self { edits: Edits::begin(tx, context.now)?, context, secret, kept: Vec::new() })
    }

    /// Ends the transaction's part; returns what was kept.
    pub(super) fn finish(self) -> Result<Vec<KeptEdit>, ImportError> {
        self.edits.finish()?;
        Ok(self.kept)
    }

    fn create(&mut self, id: RecordId, kind: Kind, fields: &Fields) -> Result<(), ImportError> {
        let given: Fields =
            fields.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), v.clone())).collect();
        self.edits.create(id, kind, &given)?;
        for (name, value) in &given {
            let note = self.secret.note(kind, value);
            self.edits.tx().put_imported(id, name, &note)?;
        }
        Ok(())
    }
}

impl Sink for Writer<'_, '_> {
    fn id_for(&mut self, source: &'static str, key: &str) -> Result<RecordId, ImportError> {
        let tx = self.edits.tx();
        if let Some(found) = tx.source_key(source, key)? {
            return Ok(found);
        }
        let id = RecordId::from_parts(self.context.now, random::<10>(self.context)?);
        tx.put_source_key(source, key, id)?;
        Ok(id)
    }

    fn put(&mut self, line: u64, id: RecordId, kind: Kind, fields: &Fields) -> Result<Outcome, ImportError> {
        let tx = self.edits.tx();
        let Some(head) = tx.record(id)? else {
            self.create(id, kind, fields)?;
            return Ok(Outcome::Created);
        };
        let last = notes(&*tx, id)?;
        let changed = changed(self.secret, kind, fields, &last);
        if changed.is_empty() {
            return Ok(Outcome::Unchanged);
        }
        let document = Document::load(&tx.snapshot(head.no)?).map_err(EditError::Document)?;
        let standing = Standing::of(&document);
        let nothing = self.secret.note(kind, &Value::Null);
        let mut writes = Fields::new();
        let mut noted = Vec::new();
        for (name, value, note) in changed {
            let current = document.get(name).unwrap_or(Value::Null);
            let untouched = self.secret.note(kind, &current) == *last.get(name).unwrap_or(&nothing);
            if current == *value && !standing.disputed.contains(name) {
                // Somebody else wrote the same already.
            } else if untouched && !standing.removed && !standing.disputed.contains(name) {
                writes.insert(name.clone(), value.clone());
            } else {
                self.kept.push(KeptEdit {
                    line,
                    record: id,
                    kind,
                    field: name.clone(),
                    file: shown(kind, name, value),
                    current: if standing.removed { None } else { Some(shown(kind, name, &current)) },
                });
            }
            noted.push((name, note));
        }
        for (name, note) in noted {
            self.edits.tx().put_imported(id, name, &note)?;
        }
        if writes.is_empty() {
            return Ok(Outcome::Unchanged);
        }
        self.edits.update(id, &writes)?;
        Ok(Outcome::Updated)
    }
}

/// What keeps an import from writing a record, beside edits of the same field.
struct Standing {
    removed: bool,
    disputed: Vec<String>,
}

impl Standing {
    fn of(document: &Document) -> Self {
        let removed = document.get(gridwalk_model::schema::REMOVED_KEY) == Some(Value::Flag(true))
            && !edited_while_removed(document);
        Self { removed, disputed: document.disputed_keys() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_values_are_kept_differently_and_numbers_of_people_not_at_all() {
        let values = [
            Value::Null,
            Value::Flag(false),
            Value::Int(0),
            Value::Real(0.0),
            Value::Text(String::new()),
            Value::Bytes(Vec::new()),
            Value::Time(gridwalk_model::Timestamp::from_millis(0)),
        ];
        let encoded: std::collections::BTreeSet<_> = values.iter().map(encode).collect();
        assert_eq!(encoded.len(), values.len());
        let (secret, other) = (Secret(vec![1; 32]), Secret(vec![2; 32]));
        let number = Value::from("990000193512237224");
        let note = secret.note(Kind::ResidentId, &number);
        assert_eq!(note.len(), 16);
        assert_ne!(note, other.note(Kind::ResidentId, &number));
        assert_ne!(secret.name("990000193512237224"), other.name("990000193512237224"));
        assert_eq!(secret.note(Kind::Resident, &number), encode(&number));
    }
}
