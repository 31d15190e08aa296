//! Voice notes: checked, signed, stored, and sent with what is small.

use gridwalk_evidence::{VoiceFormat as FileFormat, inspect_voice, sha256};
use gridwalk_model::voice::{TRANSCRIPT_MAX, VoiceFormat, VoiceRef};
use gridwalk_model::{ContentHash, Kind, RecordId, Timestamp, Value};

use crate::edit::Edits;
use crate::error::DeviceError;
use crate::store::{Commit, MediaForm, Store};

/// What the shell knows of a voice note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoiceFacts {
    /// When it was recorded, by the phone's clock.
    pub recorded_at: Timestamp,
    /// What the platform's recogniser made of it, if it has one. Cut off where it is too long.
    pub transcript: Option<String>,
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
        let note = inspect_voice(sound)?;
        let hash = ContentHash::from_bytes(sha256(sound));
        let reference = VoiceRef {
            hash,
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
        };
        let element = RecordId::from_parts(now, self.random()?);
        let (reference, chain_end) = self.chained(reference, record, element)?;
        self.put_media(&[(hash, MediaForm::Voice, sound)], now)?;
        self.write(Commit::Edit, |tx| {
            let value = Value::Bytes(reference.to_bytes());
            Edits::over(tx, now).add(record, "voices", &element.to_hex(), value)?;
            if let Some(end) = &chain_end {
                tx.put_chain_end(end)?;
            }
            tx.add_upload(&hash, record, MediaForm::Voice, reference.bytes, now)
        })?;
        Ok(element)
    }

    /// The voice notes of a record with the elements that name them, in the order in which they came.
    ///
    /// # Errors
    /// [`DeviceError::UnknownRecord`].
    pub fn voices(&self, record: RecordId) -> Result<Vec<(RecordId, VoiceRef)>, DeviceError> {
        let (_, fields) = self.fields(record)?.ok_or(DeviceError::UnknownRecord { record })?;
        let voice = |(element, value): (&str, &Value)| {
            let Value::Bytes(bytes) = value else { return None };
            Some((element.parse().ok()?, VoiceRef::from_bytes(bytes).ok()?))
        };
        Ok(gridwalk_model::records::elements(&fields, "voices").filter_map(voice).collect())
    }
}
