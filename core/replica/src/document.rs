//! A record as a document: load, edit, read, save.
//!
//! Every write goes through one plain transaction of a named actor. `transaction_at` and isolation are not used:
//! they mint actors of their own, which the server would not know.

use std::collections::BTreeSet;

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{Automerge, ROOT, ReadDoc, ScalarValue};
use gridwalk_model::{Fields, Kind, RecordId, Timestamp, Value};

use crate::actor::Actor;
use crate::change::{ChangeHash, FlatChange, OpId};
use crate::limits;

/// A loaded document. Holds some 16 KB of heap: load it, use it, drop it.
#[derive(Clone, Debug)]
pub struct Document {
    pub(crate) inner: Automerge,
}

/// A change just made: its raw bytes and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewChange {
    /// The change chunk, as it is stored and sent.
    pub raw: Vec<u8>,
    /// Its name.
    pub hash: ChangeHash,
}

/// What went wrong with a document.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The bytes are not a document, or a damaged one.
    #[error("document cannot be read: {0}")]
    Unreadable(String),
    /// The document lacks its identity keys, or they are not of the right type.
    #[error("document has no valid identity")]
    Identity,
    /// The edit would take the document over [`limits::DOCUMENT_MAX_BYTES`].
    #[error("record is full: {bytes} bytes of {max}")]
    Full {
        /// Saved size with the edit.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// A key or value over its limit.
    #[error("field `{key}` is too long or not storable")]
    Value {
        /// The root key.
        key: String,
    },
    /// The actor's numbers would run over.
    #[error("document has too many operations")]
    Exhausted,
    /// Automerge refused the operation.
    #[error("edit failed: {0}")]
    Edit(String),
}

/// One value of a field with its origin.
#[derive(Clone, Debug, PartialEq)]
pub struct Authored {
    /// The value.
    pub value: Value,
    /// Name of the write.
    pub op: OpId,
}

impl Document {
    /// Makes the document of a new record. The first change writes the identity keys and all `fields`.
    pub fn create(
        id: RecordId,
        kind: Kind,
        fields: &Fields,
        actor: Actor,
        at: Timestamp,
    ) -> Result<(Self, NewChange), DocumentError> {
        let mut writes = fields.clone();
        writes.insert("id".to_owned(), Value::from(id));
        writes.insert("kind".to_owned(), Value::from(kind.tag()));
        writes.insert("v".to_owned(), Value::Int(gridwalk_model::schema::SCHEMA_VERSION));
        let mut document = Self::empty();
        let change = document.write(&writes, actor, at)?.ok_or(DocumentError::Identity)?;
        Ok((document, change))
    }

    /// A document without any change: the ground that admitted changes are applied to.
    pub(crate) fn empty() -> Self {
        Self { inner: Automerge::new() }
    }

    /// Reads saved bytes, with or without changes appended to them.
    pub fn load(bytes: &[u8]) -> Result<Self, DocumentError> {
        let inner = Automerge::load(bytes).map_err(|e| DocumentError::Unreadable(e.to_string()))?;
        Ok(Self { inner })
    }

    /// Reads saved bytes without comparing heads: to see what saving made of changes that it altered.
    pub(crate) fn load_unverified(bytes: &[u8]) -> Result<Self, DocumentError> {
        let inner =
            Automerge::load_unverified_heads(bytes).map_err(|e| DocumentError::Unreadable(e.to_string()))?;
        Ok(Self { inner })
    }

    /// Writes those of `fields` whose value differs from the current one, or which are in conflict.
    ///
    /// Returns `None` where nothing differs. The document must hold every change that `actor` ever made to it.
    pub fn edit(
        &mut self,
        fields: &Fields,
        actor: Actor,
        at: Timestamp,
    ) -> Result<Option<NewChange>, DocumentError> {
        let change = self.write(fields, actor, at)?;
        if change.is_some() {
            let bytes = self.save().len();
            if bytes > limits::DOCUMENT_MAX_BYTES {
                return Err(DocumentError::Full { bytes, max: limits::DOCUMENT_MAX_BYTES });
            }
        }
        Ok(change)
    }

    fn write(
        &mut self,
        fields: &Fields,
        actor: Actor,
        at: Timestamp,
    ) -> Result<Option<NewChange>, DocumentError> {
        let changed: Vec<(&String, &Value)> =
            fields.iter().filter(|(key, value)| !self.stands(key, value)).collect();
        if changed.is_empty() {
            return Ok(None);
        }
        if let Some((key, _)) = changed.iter().find(|(key, value)| !storable(key, value)) {
            return Err(DocumentError::Value { key: (*key).clone() });
        }
        if self.max_op() + changed.len() as u64 > limits::MAX_OP_COUNTER
            || changed.len() > limits::CHANGE_MAX_OPS
        {
            return Err(DocumentError::Exhausted);
        }
        self.inner.set_actor(actor.into());
        let mut transaction = self.inner.transaction();
        for (key, value) in changed {
            if let Err(error) = transaction.put(ROOT, key.as_str(), to_scalar(value)) {
                transaction.rollback();
                return Err(DocumentError::Edit(error.to_string()));
            }
        }
        transaction.commit_with(CommitOptions::default().with_time(at.millis()));
        let change = self.inner.get_last_local_change().ok_or(DocumentError::Exhausted)?;
        Ok(Some(NewChange { raw: change.raw_bytes().to_vec(), hash: change.hash().into() }))
    }

    /// Whether `key` has exactly this value, undisputed.
    fn stands(&self, key: &str, value: &Value) -> bool {
        matches!(self.authored(key).as_slice(), [only] if only.value == *value)
    }

    /// The saved bytes, without compression: at this size deflate costs time and saves nothing.
    pub fn save(&self) -> Vec<u8> {
        self.inner.save_nocompress()
    }

    /// The record's identifier and the word for its kind.
    pub fn identity(&self) -> Result<(RecordId, String), DocumentError> {
        let id = self.get("id").and_then(|value| value.as_link()).ok_or(DocumentError::Identity)?;
        let kind = self.get("kind").and_then(|v| v.as_text().map(str::to_owned));
        Ok((id, kind.ok_or(DocumentError::Identity)?))
    }

    /// The winning value of a root key.
    pub fn get(&self, key: &str) -> Option<Value> {
        match self.inner.get(ROOT, key) {
            Ok(Some((automerge::Value::Scalar(scalar), _))) => from_scalar(&scalar),
            _ => None,
        }
    }

    /// All winning values, identity keys left out. Values of types that records do not use are left out too.
    pub fn fields(&self) -> Fields {
        self.inner
            .map_range(ROOT, ..)
            .filter(|item| !gridwalk_model::schema::IDENTITY_KEYS.contains(&item.key.as_ref()))
            .filter_map(|item| match automerge::Value::from(item.value.clone()) {
                automerge::Value::Scalar(scalar) => Some((item.key.to_string(), from_scalar(&scalar)?)),
                automerge::Value::Object(_) => None,
            })
            .collect()
    }

    /// Every value of a root key that nobody has replaced, in ascending order of their writes; the last one wins.
    pub fn authored(&self, key: &str) -> Vec<Authored> {
        collect_authored(self.inner.get_all(ROOT, key))
    }

    /// The same, as it stood for an author who had seen `heads`.
    pub fn authored_at(&self, key: &str, heads: &[ChangeHash]) -> Vec<Authored> {
        let heads: Vec<_> = heads.iter().copied().map(Into::into).collect();
        collect_authored(self.inner.get_all_at(ROOT, key, &heads))
    }

    /// The root keys that hold more than one value.
    pub fn disputed_keys(&self) -> Vec<String> {
        self.inner.map_range(ROOT, ..).filter(|item| item.conflict).map(|item| item.key.to_string()).collect()
    }

    /// The latest changes, in ascending order of their names.
    pub fn heads(&self) -> Vec<ChangeHash> {
        let mut heads: Vec<ChangeHash> = self.inner.get_heads().into_iter().map(Into::into).collect();
        heads.sort_unstable();
        heads
    }

    /// Whether the document holds a change.
    pub fn has(&self, hash: &ChangeHash) -> bool {
        self.inner.get_change_meta_by_hash(&(*hash).into()).is_some()
    }

    /// How many changes the document holds.
    pub fn change_count(&self) -> usize {
        self.inner.get_changes_meta(&[]).len()
    }

    /// The raw changes that someone who has `heads` lacks, each after those it depends on. Empty `heads`: all.
    pub fn changes_since(&self, heads: &[ChangeHash]) -> Vec<NewChange> {
        let heads: Vec<_> = heads.iter().copied().map(Into::into).collect();
        self.inner
            .get_changes(&heads)
            .into_iter()
            .map(|change| NewChange { raw: change.raw_bytes().to_vec(), hash: change.hash().into() })
            .collect()
    }

    /// The facts of every change, each after those it depends on.
    pub fn history(&self) -> Vec<ChangeFacts> {
        self.inner
            .get_changes_meta(&[])
            .into_iter()
            .filter_map(|meta| {
                Some(ChangeFacts {
                    hash: meta.hash.into(),
                    actor: Actor::from_slice(meta.actor.to_bytes())?,
                    seq: meta.seq,
                    max_op: meta.max_op,
                    at: Timestamp::from_millis(meta.timestamp),
                    deps: meta.deps.iter().copied().map(Into::into).collect(),
                })
            })
            .collect()
    }

    /// Applies changes that have been admitted (see [`crate::admission`]); never call it with others.
    pub(crate) fn apply(&mut self, raws: &[&[u8]]) -> Result<(), DocumentError> {
        let unreadable = |error: &dyn std::fmt::Display| DocumentError::Unreadable(error.to_string());
        let mut changes = Vec::with_capacity(raws.len());
        for raw in raws {
            changes.push(automerge::Change::from_bytes(raw.to_vec()).map_err(|e| unreadable(&e))?);
        }
        self.inner.apply_changes(changes).map_err(|e| unreadable(&e))
    }

    /// Takes over everything that `other` holds. Both must have been admitted.
    pub(crate) fn merge(&mut self, other: &mut Self) -> Result<(), DocumentError> {
        self.inner.merge(&mut other.inner).map_err(|e| DocumentError::Unreadable(e.to_string()))?;
        Ok(())
    }

    fn max_op(&self) -> u64 {
        self.inner.get_changes_meta(&[]).iter().map(|meta| meta.max_op).max().unwrap_or(0)
    }
}

/// What is known of a change without its operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeFacts {
    /// Its name.
    pub hash: ChangeHash,
    /// Its author.
    pub actor: Actor,
    /// Which of the author's changes to this document it is, from 1.
    pub seq: u64,
    /// Counter of its last operation.
    pub max_op: u64,
    /// When it was made, by its author's clock.
    pub at: Timestamp,
    /// The changes its author had seen last.
    pub deps: Vec<ChangeHash>,
}

/// The field edits in refused changes that can be made again on `current`: for each key the last value written,
/// in the order of the changes. Identity keys are left out.
pub fn field_edits(changes: &[FlatChange]) -> Fields {
    changes
        .iter()
        .flat_map(|change| &change.writes)
        .filter(|write| !gridwalk_model::schema::IDENTITY_KEYS.contains(&write.key.as_str()))
        .filter_map(|write| Some((write.key.clone(), write.value.clone()?)))
        .collect()
}

/// The devices that wrote to a document.
pub fn devices(history: &[ChangeFacts]) -> BTreeSet<gridwalk_model::DeviceId> {
    history.iter().map(|change| change.actor.device()).collect()
}

fn collect_authored(
    found: Result<Vec<(automerge::Value<'_>, automerge::ObjId)>, automerge::AutomergeError>,
) -> Vec<Authored> {
    let mut out: Vec<Authored> = found
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(value, id)| match (value, id) {
            (automerge::Value::Scalar(scalar), automerge::ObjId::Id(counter, actor, _)) => Some(Authored {
                value: from_scalar(&scalar)?,
                op: OpId { counter, actor: Actor::from_slice(actor.to_bytes())? },
            }),
            _ => None,
        })
        .collect();
    out.sort_unstable_by_key(|authored| authored.op);
    out
}

fn storable(key: &str, value: &Value) -> bool {
    let len = match value {
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Real(number) => return number.is_finite(),
        _ => 0,
    };
    !key.is_empty() && key.len() <= limits::KEY_MAX_BYTES && len <= limits::VALUE_MAX_BYTES
}

fn to_scalar(value: &Value) -> ScalarValue {
    match value {
        Value::Null => ScalarValue::Null,
        Value::Flag(flag) => ScalarValue::Boolean(*flag),
        Value::Int(number) => ScalarValue::Int(*number),
        Value::Real(number) => ScalarValue::F64(*number),
        Value::Text(text) => ScalarValue::Str(text.as_str().into()),
        Value::Bytes(bytes) => ScalarValue::Bytes(bytes.clone()),
        Value::Time(at) => ScalarValue::Timestamp(at.millis()),
    }
}

fn from_scalar(scalar: &ScalarValue) -> Option<Value> {
    Some(match scalar {
        ScalarValue::Null => Value::Null,
        ScalarValue::Boolean(flag) => Value::Flag(*flag),
        ScalarValue::Int(number) => Value::Int(*number),
        ScalarValue::F64(number) => Value::Real(*number),
        ScalarValue::Str(text) => Value::Text(text.to_string()),
        ScalarValue::Bytes(bytes) => Value::Bytes(bytes.clone()),
        ScalarValue::Timestamp(millis) => Value::Time(Timestamp::from_millis(*millis)),
        ScalarValue::Uint(_) | ScalarValue::Counter(_) | ScalarValue::Unknown { .. } => return None,
    })
}
