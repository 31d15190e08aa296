//! Voice notes: checked, signed, stored, and sent with what is small; a mistaken one is taken off and put back.

use gridwalk_evidence::{VoiceFormat as FileFormat, inspect_voice, sha256};
use gridwalk_model::policy::Violation;
use gridwalk_model::voice::{TRANSCRIPT_MAX, VoiceFormat, VoiceRef, shown_voices};
use gridwalk_model::{ContentHash, Fields, Kind, RecordId, Timestamp, Value};

use super::reuse::REMEMBERED_MS;
use crate::edit::Edits;
use crate::error::DeviceError;
use crate::keys::DeviceKey;
use crate::store::{Commit, MediaForm, Store, Tx, VoicePlace, VoiceRow};

/// What the shell knows of a voice note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoiceFacts {
    /// When it was recorded, by the phone's clock.
    pub recorded_at: Timestamp,
    /// What the platform's recogniser made of it, if it has one. Cut off where it is too long.
    pub transcript: Option<String>,
}

/// A voice note that was taken off a record: given to [`Store::restore_voice`], it takes that back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovedVoice {
    /// The record.
    pub record: RecordId,
    /// The voice note's name there.
    pub element: RecordId,
    sound: ContentHash,
    bytes: u64,
}

fn flag(element: RecordId) -> String {
    format!("voices/{}/removed", element.to_hex())
}

/// The reference to a file, not signed yet.
fn reference(sound: &[u8], facts: &VoiceFacts) -> Result<VoiceRef, DeviceError> {
    let note = inspect_voice(sound)?;
    Ok(VoiceRef {
        hash: ContentHash::from_bytes(sha256(sound)),
        bytes: sound.len() as u64,
        millis: note.millis,
        format: match note.format {
            FileFormat::Opus => VoiceFormat::Opus,
            FileFormat::Aac => VoiceFormat::Aac,
        },
        recorded_at: facts.recorded_at,
        transcript: facts.transcript.as_ref().map(|text| text.chars().take(TRANSCRIPT_MAX).collect()),
        signature: None,
        link: None,
    })
}

impl Tx<'_> {
    /// Signs a reference, writes it into the record's `voices`, and lets its sound, which is stored already, wait for
    /// upload.
    pub(super) fn add_voice(
        &mut self,
        key: Option<&dyn DeviceKey>,
        record: RecordId,
        element: RecordId,
        reference: VoiceRef,
        now: Timestamp,
    ) -> Result<(), DeviceError> {
        let reference = self.chained(key, reference, record, element)?;
        let value = Value::Bytes(reference.to_bytes());
        Edits::over(self, now).add(record, "voices", &element.to_hex(), value)?;
        let note = VoiceRow {
            place: VoicePlace::Record(record),
            element,
            hash: reference.hash,
            body: Vec::new(),
            at: now,
            discarded_at: None,
        };
        self.put_voice_note(&note, now.plus_millis(-REMEMBERED_MS))?;
        self.add_upload(&reference.hash, record, MediaForm::Voice, reference.bytes, now)
    }
}

impl Store {
    /// Stores a voice note, refers to it in the record's `voices`, and lets it wait for upload among what is small.
    /// Returns the element that names it. Durable when this returns: bytes first, then the reference.
    ///
    /// # Errors
    /// [`DeviceError::Voice`] for a file that is too long or no voice note, [`DeviceError::StorageFull`], and those of
    /// an edit; [`DeviceError::WrongKind`] for a record that has no voice notes.
    pub fn attach_voice(
        &mut self,
        record: RecordId,
        sound: &[u8],
        facts: &VoiceFacts,
        now: Timestamp,
    ) -> Result<RecordId, DeviceError> {
        let (kind, _) = self.fields(record)?.ok_or(DeviceError::UnknownRecord { record })?;
        let taken = Kind::parse(&kind)
            .is_some_and(|kind| kind.schema().fields.iter().any(|field| field.set && field.name == "voices"));
        if !taken {
            return Err(DeviceError::WrongKind { record, found: kind });
        }
        let (element, voice) = self.stored_voice(sound, facts, now)?;
        let key = self.evidence_key.clone();
        self.write(Commit::Edit, |tx| tx.add_voice(key.as_deref(), record, element, voice, now))?;
        Ok(element)
    }

    /// Checks and stores a sound, and gives it a name. The note of it is the caller's: without one it is swept after a day.
    pub(super) fn stored_voice(
        &mut self,
        sound: &[u8],
        facts: &VoiceFacts,
        now: Timestamp,
    ) -> Result<(RecordId, VoiceRef), DeviceError> {
        let voice = reference(sound, facts)?;
        let element = RecordId::from_parts(now, self.random()?);
        self.put_media(&[(voice.hash, MediaForm::Voice, sound)], now)?;
        Ok((element, voice))
    }

    /// The voice notes of a record with the elements that name them, in the order in which they came.
    ///
    /// # Errors
    /// [`DeviceError::UnknownRecord`].
    pub fn voices(&self, record: RecordId) -> Result<Vec<(RecordId, VoiceRef)>, DeviceError> {
        let (_, fields) = self.fields(record)?.ok_or(DeviceError::UnknownRecord { record })?;
        Ok(shown_voices(&fields).collect())
    }

    /// Takes a voice note that this phone recorded off its record. If the server does not have its sound it is not sent
    /// any more; the bytes stay for a week. Acts on an event name photos only, so none rests on a voice note.
    ///
    /// # Errors
    /// [`DeviceError::NoVoice`]; [`DeviceError::NotAllowed`] for one of somebody else; those of a finished inspection and
    /// of an edit.
    pub fn remove_voice(
        &mut self,
        record: RecordId,
        element: RecordId,
        now: Timestamp,
    ) -> Result<RemovedVoice, DeviceError> {
        let (kind, _) = self.fields(record)?.ok_or(DeviceError::UnknownRecord { record })?;
        let voice = self.voices(record)?.into_iter().find(|(name, _)| *name == element);
        let (_, voice) = voice.ok_or(DeviceError::NoVoice { element })?;
        let known = self.view().voice_note(element)?.map(|note| note.place);
        if known != Some(VoicePlace::Record(record)) {
            return Err(DeviceError::NotAllowed { field: flag(element), violation: Violation::Author });
        }
        if Kind::parse(&kind) == Some(Kind::Inspection) {
            drop(self.open_session(record)?);
        }
        let again = self.sounds_elsewhere(&voice.hash, element)?;
        let upload = if again { None } else { self.view().upload(&voice.hash)? };
        self.write(Commit::Edit, |tx| {
            let patch = Fields::from([(flag(element), Value::Flag(true))]);
            Edits::over(tx, now).edit(record, &patch)?;
            upload.map_or(Ok(()), |upload| tx.drop_upload(&voice.hash, upload.record, now))
        })?;
        Ok(RemovedVoice { record, element, sound: voice.hash, bytes: voice.bytes })
    }

    /// Puts a voice note back that was taken off.
    ///
    /// # Errors
    /// [`DeviceError::NoVoice`] where it was not sent and its bytes are gone by now; those of an edit.
    pub fn restore_voice(&mut self, removed: &RemovedVoice, now: Timestamp) -> Result<(), DeviceError> {
        let RemovedVoice { record, element, sound, bytes } = *removed;
        self.fields(record)?.ok_or(DeviceError::UnknownRecord { record })?;
        let dropped = self.view().is_dropped(&sound)?;
        if dropped && self.media_len(&sound)?.is_none() {
            return Err(DeviceError::NoVoice { element });
        }
        self.write(Commit::Edit, |tx| {
            let patch = Fields::from([(flag(element), Value::Flag(false))]);
            Edits::over(tx, now).edit(record, &patch)?;
            if dropped { tx.add_upload(&sound, record, MediaForm::Voice, bytes, now) } else { Ok(()) }
        })
    }

    /// Whether another voice note that a record shows has the same bytes.
    fn sounds_elsewhere(&self, sound: &ContentHash, element: RecordId) -> Result<bool, DeviceError> {
        for note in self.view().voices_with(sound)? {
            let VoicePlace::Record(record) = note.place else { continue };
            if note.element != element
                && self.fields(record)?.is_some()
                && self.voices(record)?.iter().any(|(name, _)| *name == note.element)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
