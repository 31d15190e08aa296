//! What an event's sets name, within the visitor's reach, and the bytes behind it: one door for photos and voice notes.

use gridwalk_model::records::elements;
use gridwalk_model::{ContentHash, Kind, RecordId, Value};

use super::Console;
use super::failure::Failure;
use super::reach::Reach;
use super::visitor::Visitor;
use crate::edit;

/// An element of a set of an event, read by `read`.
///
/// # Errors
/// [`Failure::NotFound`] for whatever the visitor may not see, as for what is not there.
pub(super) fn element_of_event<T>(
    console: &Console,
    visitor: &Visitor,
    id: &str,
    (set, element): (&str, &str),
    read: impl Fn(&Value) -> Option<T>,
) -> Result<T, Failure> {
    let id: RecordId = id.parse().map_err(|_| Failure::NotFound)?;
    console.storage.view(|tx| {
        let (head, document) = edit::read(tx, id)?.ok_or(Failure::NotFound)?;
        if head.kind != Kind::Event.tag() || !Reach::of(tx, visitor)?.holds(tx, head.no)? {
            return Err(Failure::NotFound);
        }
        let fields = document.fields();
        let found = elements(&fields, set).find(|(name, _)| *name == element);
        found.and_then(|(_, value)| read(value)).ok_or(Failure::NotFound)
    })
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
