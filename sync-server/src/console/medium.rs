//! The fields of an event within the visitor's reach, what its sets name, and the bytes behind that: one door for photos
//! and voice notes.

use gridwalk_model::{ContentHash, Fields, Kind, RecordId};

use super::Console;
use super::failure::Failure;
use super::reach::Reach;
use super::visitor::Visitor;
use crate::edit;

/// The fields of an event.
///
/// # Errors
/// [`Failure::NotFound`] for whatever the visitor may not see, as for what is not there.
pub(super) fn fields_of_event(console: &Console, visitor: &Visitor, id: &str) -> Result<Fields, Failure> {
    let id: RecordId = id.parse().map_err(|_| Failure::NotFound)?;
    console.storage.view(|tx| {
        let (head, document) = edit::read(tx, id)?.ok_or(Failure::NotFound)?;
        if head.kind != Kind::Event.tag() || !Reach::of(tx, visitor)?.holds(tx, head.no)? {
            return Err(Failure::NotFound);
        }
        Ok(document.fields())
    })
}

/// Of what an event shows, what an address names.
///
/// # Errors
/// [`Failure::NotFound`].
pub(super) fn named<T>(mut shown: impl Iterator<Item = (RecordId, T)>, element: &str) -> Result<T, Failure> {
    shown.find(|(name, _)| name.to_hex() == element).map(|(_, found)| found).ok_or(Failure::NotFound)
}

/// The bytes of a medium.
///
/// # Errors
/// [`Failure::NotFound`] where it is not stored, or larger than `most` bytes.
pub(super) fn bytes(console: &Console, hash: &ContentHash, most: u64) -> Result<Vec<u8>, Failure> {
    let row = console.storage.view(|tx| tx.media(hash))?.ok_or(Failure::NotFound)?;
    if row.bytes > most {
        return Err(Failure::NotFound);
    }
    let read = (console.medium)(hash).map_err(|error| {
        tracing::warn!(%error, "console: medium");
        Failure::Internal
    })?;
    read.ok_or(Failure::NotFound)
}
