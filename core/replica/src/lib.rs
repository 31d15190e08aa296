#![forbid(unsafe_code)]
//! Records as replicated documents: how they are edited, how a stranger's changes are admitted, and what two
//! sides say to each other to agree. Used unchanged by the phone and by the server.
//!
//! # Documents
//!
//! A record is one small Automerge document that is a **flat map of scalars**. Sets stand as root keys
//! (`photos/<id>`), entries with several facts as one encoded scalar. There is no nested object, because two
//! phones that create the same container at the same time lose one of the two, and because it lets admission
//! refuse every operation except "put a scalar on the root" with a decoder of a few hundred lines that allocates
//! nothing on the sender's word (see [`change`]). Documents are bytes; they are loaded when touched and dropped
//! again, since a loaded one takes some 16 KB of heap.
//!
//! # Layers
//!
//! | question | module |
//! | --- | --- |
//! | who wrote a change | [`actor`] |
//! | what is in a change, read without trusting it | [`change`] |
//! | what is a record now, and how is it edited | [`document`] |
//! | where do authors disagree | [`conflict`] |
//! | may this change enter | [`admission`] |
//! | do two sides hold the same | [`digest`] |
//! | what is said on the wire | [`wire`], [`frame`], [`protocol`] |
//! | what a locked phone hands in | [`sealed`] |
//!
//! Nothing here does I/O, reads a clock or draws randomness.

pub mod actor;
pub mod admission;
pub mod change;
pub mod conflict;
pub mod digest;
pub mod document;
pub mod frame;
pub mod limits;
pub mod protocol;
pub mod sealed;
pub mod wire;

pub use actor::Actor;
pub use change::{ChangeHash, FlatChange};
pub use document::{Document, DocumentError};
