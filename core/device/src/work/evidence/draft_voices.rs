//! Voice notes recorded while a report or a visit is still a draft: durable at once, and in the record with the same
//! transaction that makes it.

use gridwalk_model::voice::VoiceRef;
use gridwalk_model::{ContentHash, RecordId, Timestamp};

use super::reuse::REMEMBERED_MS;
use super::voice::VoiceFacts;
use crate::error::DeviceError;
use crate::keys::DeviceKey;
use crate::store::{Commit, Store, Tx, View, VoicePlace, VoiceRow};
use crate::work::visits::VisitInput;

/// A voice note of a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftVoice {
    /// The name that it will have in the record.
    pub element: RecordId,
    /// What is known of it. Signed once the record is made.
    pub voice: VoiceRef,
    /// When it was taken off; until it is swept it can be put back.
    pub discarded_at: Option<Timestamp>,
}

impl View<'_> {
    /// The voice notes that wait at a place, those that were taken off included.
    pub(crate) fn draft_voices(&self, place: VoicePlace) -> Result<Vec<DraftVoice>, DeviceError> {
        let read = |row: VoiceRow| {
            let voice = VoiceRef::from_bytes(&row.body).map_err(|_| DeviceError::Damaged)?;
            Ok(DraftVoice { element: row.element, voice, discarded_at: row.discarded_at })
        };
        self.voices_at(place)?.into_iter().map(read).collect()
    }
}

impl Tx<'_> {
    /// Keeps a voice note whose sound is stored with a draft.
    fn keep_voice(
        &mut self,
        place: VoicePlace,
        element: RecordId,
        voice: &VoiceRef,
        now: Timestamp,
    ) -> Result<(), DeviceError> {
        let row = VoiceRow {
            place,
            element,
            hash: voice.hash,
            body: voice.to_bytes(),
            at: now,
            discarded_at: None,
        };
        self.put_voice_note(&row, now.plus_millis(-REMEMBERED_MS))
    }

    /// The voice notes of a draft become those of the record that it became, those excepted that were taken off.
    pub(crate) fn hand_over_voices(
        &mut self,
        key: Option<&dyn DeviceKey>,
        notes: Vec<VoiceRow>,
        record: RecordId,
        now: Timestamp,
    ) -> Result<(), DeviceError> {
        for note in notes.into_iter().filter(|note| note.discarded_at.is_none()) {
            let reference = VoiceRef::from_bytes(&note.body).map_err(|_| DeviceError::Damaged)?;
            self.add_voice(key, record, note.element, reference, now)?;
        }
        Ok(())
    }
}

impl Store {
    /// Adds a voice note to a report that is still a draft. Returns the name that it will have in the event. Durable when
    /// this returns. A draft that was thrown away is taken back by this, as by [`Self::snap`].
    ///
    /// # Errors
    /// [`DeviceError::NoDraft`], [`DeviceError::Voice`] for a file that is too long or no voice note,
    /// [`DeviceError::StorageFull`].
    pub fn add_draft_voice(
        &mut self,
        draft: i64,
        sound: &[u8],
        facts: &VoiceFacts,
        now: Timestamp,
    ) -> Result<RecordId, DeviceError> {
        self.draft(draft)?;
        let (element, voice) = self.stored_voice(sound, facts, now)?;
        self.write(Commit::Setting, |tx| {
            tx.discard_draft(draft, None)?;
            tx.keep_voice(VoicePlace::Report(draft), element, &voice, now)
        })?;
        Ok(element)
    }

    /// Adds a voice note to a visit under way, and keeps what was typed so far as [`Self::save_visit_draft`] does. Returns
    /// the name that it will have in the visit. Durable when this returns. Thrown away, taken back and swept with the draft.
    ///
    /// # Errors
    /// As [`Self::add_draft_voice`].
    pub fn add_visit_voice(
        &mut self,
        visit: &VisitInput,
        sound: &[u8],
        facts: &VoiceFacts,
        now: Timestamp,
    ) -> Result<RecordId, DeviceError> {
        let body = visit.body()?;
        let (element, voice) = self.stored_voice(sound, facts, now)?;
        self.write(Commit::Journal, |tx| {
            let draft = tx.put_visit_draft(visit.target, &body, now)?;
            tx.keep_voice(VoicePlace::Visit(draft), element, &voice, now)
        })?;
        Ok(element)
    }

    /// The voice notes of a visit under way, those that were taken off included. Those of a report are in its draft.
    ///
    /// # Errors
    /// [`DeviceError::Damaged`], failures of SQLite.
    pub fn visit_voices(&self, target: RecordId) -> Result<Vec<DraftVoice>, DeviceError> {
        let Some(draft) = self.view().visit_draft_number(target)? else { return Ok(Vec::new()) };
        self.view().draft_voices(VoicePlace::Visit(draft))
    }

    /// The sound of a voice note of a draft; `None` if it was lost with a damaged file.
    ///
    /// # Errors
    /// [`DeviceError::NoVoice`] where no draft has it.
    pub fn draft_sound(&self, element: RecordId) -> Result<Option<Vec<u8>>, DeviceError> {
        let note = self.expect_draft_voice(element)?;
        self.media(&note.hash)
    }

    /// Takes a voice note off its draft: it does not go into the record. [`Self::restore_draft_voice`] brings it back
    /// until [`Self::sweep_drafts`] finds it old enough, as long as the draft is there.
    ///
    /// # Errors
    /// [`DeviceError::NoVoice`] where no draft has it.
    pub fn remove_draft_voice(&mut self, element: RecordId, now: Timestamp) -> Result<(), DeviceError> {
        self.expect_draft_voice(element)?;
        self.write(Commit::Setting, |tx| tx.discard_voice_note(element, Some(now)))
    }

    /// Puts a voice note back that was taken off its draft.
    ///
    /// # Errors
    /// [`DeviceError::NoVoice`] where no draft has it.
    pub fn restore_draft_voice(&mut self, element: RecordId) -> Result<(), DeviceError> {
        self.expect_draft_voice(element)?;
        self.write(Commit::Setting, |tx| tx.discard_voice_note(element, None))
    }

    fn expect_draft_voice(&self, element: RecordId) -> Result<VoiceRow, DeviceError> {
        let note = self.view().voice_note(element)?;
        let waits = |note: &VoiceRow| !matches!(note.place, VoicePlace::Record(_));
        note.filter(waits).ok_or(DeviceError::NoVoice { element })
    }

    /// Removes voice notes that were taken off their drafts before `before`, with their sound.
    pub(crate) fn sweep_voices(&mut self, before: Timestamp) -> Result<(), DeviceError> {
        let mut old = self.view().voices_of_drafts()?;
        old.retain(|note| note.discarded_at.is_some_and(|at| at <= before));
        if old.is_empty() {
            return Ok(());
        }
        self.remove_sounds(&old)?;
        self.write(Commit::Sweep, |tx| old.iter().try_for_each(|note| tx.forget_voice_note(note.element)))
    }

    /// Removes the sounds of drafts that were thrown away. The notes of them are the caller's.
    pub(crate) fn remove_sounds_of(&mut self, places: &[VoicePlace]) -> Result<(), DeviceError> {
        let mut notes = Vec::new();
        for place in places {
            notes.extend(self.view().voices_at(*place)?);
        }
        self.remove_sounds(&notes)
    }

    /// Removes sounds that nothing but these notes refers to.
    fn remove_sounds(&mut self, notes: &[VoiceRow]) -> Result<(), DeviceError> {
        let mut gone: Vec<ContentHash> = Vec::new();
        for note in notes {
            let others = self.view().voices_with(&note.hash)?;
            let alone = others.iter().all(|other| notes.iter().any(|note| note.element == other.element));
            if alone && self.view().upload(&note.hash)?.is_none() {
                gone.push(note.hash);
            }
        }
        if gone.is_empty() { Ok(()) } else { self.remove_media(&gone) }
    }
}
