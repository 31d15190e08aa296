//! A change read without trusting it.
//!
//! Automerge 0.12 trusts what it is given: with a valid checksum, a missing predecessor panics, a 64-byte change
//! that claims a million run-length operations takes a second, a wrong checksum passes. So a stranger's change is
//! first read here, by a decoder that knows only what our own editor writes (puts of scalars on the root) and
//! whose work is bounded by the bytes received. Only what passes is shown to Automerge.
//!
//! The layout is Automerge's public binary format (<https://automerge.org/automerge-binary-format-spec/>): a chunk
//! header, the change's facts, then columns of run-length encoded operations.

mod chunk;
mod columns;
mod ops;
mod reader;

use std::fmt;

use gridwalk_model::{Timestamp, Value};

use crate::actor::Actor;

/// SHA-256 of a change's chunk: its name, and the proof that it is whole.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangeHash(pub [u8; 32]);

impl fmt::Debug for ChangeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(6).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl From<automerge::ChangeHash> for ChangeHash {
    fn from(hash: automerge::ChangeHash) -> Self {
        Self(hash.0)
    }
}

impl From<ChangeHash> for automerge::ChangeHash {
    fn from(hash: ChangeHash) -> Self {
        Self(hash.0)
    }
}

/// Name of an operation: its counter and its author.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpId {
    /// Position in the causal order of the document.
    pub counter: u64,
    /// Who made it.
    pub actor: Actor,
}

/// One write of a root key.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyWrite {
    /// The root key.
    pub key: String,
    /// The value. `None` settles a dispute in favour of the value that wins already: Automerge does not write that
    /// value again but deletes the others.
    pub value: Option<Value>,
    /// The writes that this one replaces, in ascending order.
    pub replaces: Vec<OpId>,
}

/// A change as our editor writes it: nothing but writes of scalars on the root.
#[derive(Clone, Debug, PartialEq)]
pub struct FlatChange {
    /// Name and proof.
    pub hash: ChangeHash,
    /// The changes that its author had seen last.
    pub deps: Vec<ChangeHash>,
    /// The author.
    pub actor: Actor,
    /// Which of the author's changes to this document it is, from 1.
    pub seq: u64,
    /// Counter of its first write.
    pub start_op: u64,
    /// When the author made it, by the author's clock.
    pub at: Timestamp,
    /// The writes, in order.
    pub writes: Vec<KeyWrite>,
}

impl FlatChange {
    /// Reads a change chunk. Time and memory are bounded by the length of `raw` and [`crate::limits`].
    pub fn read(raw: &[u8]) -> Result<Self, Malformed> {
        chunk::read(raw)
    }

    /// Counter of its last write.
    pub fn max_op(&self) -> u64 {
        self.start_op + (self.writes.len() as u64).saturating_sub(1)
    }
}

/// The name of a change chunk, from its bytes alone: SHA-256 over everything after magic and checksum.
///
/// `None` if the bytes are too short to be a chunk. Says nothing about validity.
pub fn hash_of(raw: &[u8]) -> Option<ChangeHash> {
    chunk::hash_of(raw)
}

/// Puts a chunk header with the right checksum around a change's body. For test vectors and for the fuzzer, whose
/// mutations must get past the checksum to prove anything.
pub fn seal(body: &[u8]) -> Vec<u8> {
    chunk::seal(body)
}

/// The body of a change chunk, without the header that [`seal`] puts around it.
pub fn body_of(raw: &[u8]) -> Option<&[u8]> {
    chunk::body_of(raw)
}

/// Why bytes are not a change that we take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Longer than [`crate::limits::CHANGE_MAX_BYTES`].
    #[error("change is too large")]
    TooLarge,
    /// The bytes end early, or go on after the end.
    #[error("change has the wrong length")]
    Length,
    /// Not a chunk, or a chunk that is not a plain change.
    #[error("not a change chunk")]
    NotAChange,
    /// The checksum does not fit the content.
    #[error("checksum does not fit")]
    Checksum,
    /// A number that is malformed or too large.
    #[error("malformed number")]
    Number,
    /// Text that is not UTF-8.
    #[error("text is not UTF-8")]
    Utf8,
    /// The actor is not 16 bytes.
    #[error("actor is not of this deployment")]
    Actor,
    /// More operations than a change may have, or none.
    #[error("too many operations, or none")]
    OpCount,
    /// A column that our documents never have, or a damaged one.
    #[error("column not allowed or damaged")]
    Column,
    /// An operation that is not a write of a scalar on the root.
    #[error("operation is not a write of a scalar on the root")]
    Operation,
    /// A key or value over its limit, or a value of a type that records do not use.
    #[error("key or value not allowed")]
    Value,
    /// One key is written twice.
    #[error("one key is written twice")]
    DuplicateKey,
}

#[cfg(test)]
mod tests;
