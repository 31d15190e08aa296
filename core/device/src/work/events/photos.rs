//! Photos on their way into an event: the report is durable and may be sent before its photos are prepared.

use gridwalk_evidence::{EvidenceError, Photo};
use gridwalk_model::photo::PhotoRole;
use gridwalk_model::{RecordId, Timestamp, Value};

use super::draft::Snapped;
use crate::error::DeviceError;
use crate::photo::{CaptureFacts, Named};
use crate::store::{Commit, DraftPhotoRow, Store};

/// An original that belongs to an event and is to be prepared and attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingPhoto {
    /// Its number in the journal.
    pub capture: i64,
    /// The event.
    pub record: RecordId,
    /// The name that it will have there.
    pub element: RecordId,
    /// What is stamped on it and kept of it: what the shell said, with the event's number.
    pub facts: CaptureFacts,
    pub(crate) pair: Option<RecordId>,
}

impl Store {
    /// Photos that are noted for a draft or an event, without notes on originals that are no longer there.
    pub(super) fn placed_captures(&self) -> Result<Vec<DraftPhotoRow>, DeviceError> {
        let mut out = Vec::new();
        for photo in self.view().draft_photos()? {
            let facts = self.journaled_facts(photo.capture)?;
            if facts.is_some_and(|facts| facts.at == photo.at) {
                out.push(photo);
            }
        }
        Ok(out)
    }

    /// Originals that belong to an event and are not attached yet, in the order in which they were taken. To be asked
    /// for after a report was sent and when the app starts. One that could not be prepared is in the tray instead.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn photos_to_attach(&mut self) -> Result<Vec<PendingPhoto>, DeviceError> {
        let mut out = Vec::new();
        let faults = self.view().photo_faults()?;
        for photo in self.placed_captures()? {
            let Some(record) = photo.record else { continue };
            if faults.iter().any(|fault| fault.capture == photo.capture) {
                continue;
            }
            if photo.done {
                self.forget_capture(photo.capture)?;
                continue;
            }
            let Some(mut facts) = self.journaled_facts(photo.capture)? else { continue };
            let Some((_, fields)) = self.fields(record)? else { continue };
            facts.role = PhotoRole::from_word(&photo.role);
            facts.record = Some(record);
            facts.event_number = fields.get("number").and_then(Value::as_text).map(str::to_owned);
            out.push(PendingPhoto {
                capture: photo.capture,
                record,
                element: photo.element,
                facts,
                pair: photo.pair,
            });
        }
        Ok(out)
    }

    /// Attaches a prepared photo to its event under the name that its log speaks of, and throws the original away.
    ///
    /// # Errors
    /// As [`Self::attach_photo`]; the original then stays in the journal.
    pub fn attach_pending(
        &mut self,
        pending: &PendingPhoto,
        photo: &Photo,
        now: Timestamp,
    ) -> Result<(), DeviceError> {
        let named = Named { element: pending.element, pair: pending.pair, capture: Some(pending.capture) };
        self.attach_named(pending.record, &named, photo, &pending.facts, now)?;
        self.forget_capture(pending.capture)
    }

    /// Notes that an original cannot be prepared, and why: it stays in the journal and is told in the tray.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn note_unprepared(
        &mut self,
        pending: &PendingPhoto,
        fault: &EvidenceError,
        now: Timestamp,
    ) -> Result<(), DeviceError> {
        let (zh, en) = (fault.zh(), fault.to_string());
        self.write(Commit::Setting, |tx| tx.set_photo_fault(pending.capture, Some((&zh, &en, now))))
    }

    pub(crate) fn forget_capture(&mut self, capture: i64) -> Result<(), DeviceError> {
        self.remove_capture(capture)?;
        self.write(Commit::Setting, |tx| tx.forget_draft_photo(capture))
    }

    /// Journals a photo for an event that exists: after-photos, proofs of a verification. `pair` names the photo of the
    /// event that shows the same spot before. The log entry of the act may name the element at once.
    ///
    /// # Errors
    /// [`DeviceError::StorageFull`], [`DeviceError::UnknownRecord`].
    pub fn snap_for_event(
        &mut self,
        event: RecordId,
        original: &[u8],
        facts: &CaptureFacts,
        pair: Option<RecordId>,
        now: Timestamp,
    ) -> Result<Snapped, DeviceError> {
        self.fields(event)?.ok_or(DeviceError::UnknownRecord { record: event })?;
        let capture = self.journal_photo(original, facts, now)?;
        self.write(Commit::Setting, |tx| {
            let element = tx.new_id(now)?;
            tx.put_draft_photo(&DraftPhotoRow {
                capture,
                at: facts.at,
                draft: None,
                record: Some(event),
                element,
                role: facts.role.word().to_owned(),
                pair,
                done: false,
            })?;
            Ok(Snapped { draft: 0, capture, element })
        })
    }
}
