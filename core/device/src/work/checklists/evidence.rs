//! Photos of answers, and drawn signatures.

use std::collections::{BTreeMap, BTreeSet};

use gridwalk_evidence::{Limits, Photo, is_stored_photo};
use gridwalk_model::checklist::{Answer, Signature, SignatureRole};
use gridwalk_model::photo::{PhotoRef, PhotoRole, PhotoSource};
use gridwalk_model::records::Inspection;
use gridwalk_model::{ContentHash, Fields, RecordId, Timestamp, Value, codec};
use sha2::{Digest as _, Sha256};

use super::session::{Session, put_element};
use crate::error::DeviceError;
use crate::photo::CaptureFacts;
use crate::store::{Commit, MediaForm, Store};
use crate::work::evidence::RemovedPhoto;

/// The elements of `photos` that are drawn signatures.
pub(super) fn signature_photos(inspection: &Inspection) -> BTreeSet<RecordId> {
    let drawn =
        |bytes: &[u8]| PhotoRef::from_bytes(bytes).is_ok_and(|photo| photo.role == PhotoRole::Signature);
    let drawn = inspection.photos.iter().filter(|(_, bytes)| drawn(bytes));
    drawn.filter_map(|(element, _)| element.parse().ok()).collect()
}

/// The signatures whose drawing was not taken off, by element.
fn signatures(inspection: &Inspection) -> Vec<(RecordId, Signature)> {
    let drawn = signature_photos(inspection);
    let read = |(element, bytes): (&String, &Vec<u8>)| {
        let element = element.parse().ok().filter(|element| drawn.contains(element))?;
        Some((element, codec::from_bytes(bytes).ok()?))
    };
    inspection.signatures.iter().filter_map(read).collect()
}

/// Who has signed exactly what the answers are now: a signature under other answers, or one more or less, is one under
/// something else.
pub(super) fn signed(inspection: &Inspection) -> BTreeSet<SignatureRole> {
    let now = Some(answers_hash(&inspection.answers));
    let stands = |(_, signature): &(RecordId, Signature)| signature.answers == now;
    signatures(inspection).into_iter().filter(stands).map(|(_, signature)| signature.role).collect()
}

/// The answers of an inspection, by item and encoded, as one hash. When an answer was given is left out: whoever takes an
/// answer back and gives it again has the one that was signed.
fn answers_hash(answers: &BTreeMap<String, Vec<u8>>) -> ContentHash {
    let mut hasher = Sha256::new();
    for (item, bytes) in answers {
        let timeless = codec::from_bytes::<Answer>(bytes).map(|answer| Answer { at: None, ..answer });
        // One that this build cannot read is signed as it stands.
        let said = timeless.map_or_else(|_| bytes.clone(), |answer| codec::to_bytes(&answer));
        for part in [item.as_bytes(), &said] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
    }
    ContentHash::from_bytes(hasher.finalize().into())
}

impl Store {
    /// Stores a prepared photo and adds it to the answer of an item, both in one commit; the item may have no other
    /// answer yet. Returns the photo's element.
    ///
    /// # Errors
    /// [`super::ChecklistError::Finished`], those of [`Store::attach_photo`].
    pub fn attach_answer_photo(
        &mut self,
        inspection: RecordId,
        item: &str,
        photo: &Photo,
        facts: &CaptureFacts,
        now: Timestamp,
    ) -> Result<RecordId, DeviceError> {
        let session = self.open_session(inspection)?;
        let before = session.answers.get(item).cloned().unwrap_or_default();
        let (_, fields) =
            self.fields(inspection)?.ok_or(DeviceError::UnknownRecord { record: inspection })?;
        self.attach_photo_and(inspection, photo, facts, now, |edits, element| {
            let mut answer = Answer { at: Some(now), ..before };
            answer.photos.push(element);
            let mut patch = Fields::new();
            let value = Value::Bytes(codec::to_bytes(&answer));
            put_element(&mut patch, &fields, format!("answers/{item}"), value);
            edits.edit(inspection, &patch).map(drop)
        })
    }

    /// Signs an inspection with a drawn signature: a JPEG without metadata, as the shell renders it. It stands for exactly
    /// the answers that are there: where one is given, changed or taken back afterwards, it has to be given anew, and where
    /// that is undone it stands again. [`Self::unsign_inspection`] takes it off.
    ///
    /// # Errors
    /// [`super::ChecklistError::Finished`], [`DeviceError::Photo`] for a file that is no such JPEG, those of an edit.
    pub fn sign_inspection(
        &mut self,
        inspection: RecordId,
        role: SignatureRole,
        name: Option<String>,
        image: &[u8],
        now: Timestamp,
    ) -> Result<Session, DeviceError> {
        let answers = Some(answers_hash(&self.open_session(inspection)?.inspection.answers));
        let drawn = is_stored_photo(image, &Limits::default())?;
        let hash = ContentHash::from_bytes(drawn.sha256);
        let bytes = image.len() as u64;
        let photo = PhotoRef {
            hash,
            preview_hash: None,
            pair: None,
            link: None,
            reuse: None,
            blurred: None,
            original_hash: None,
            bytes,
            taken_at: Some(now),
            position: None,
            role: PhotoRole::Signature,
            source: PhotoSource::Drawn,
            width: drawn.width,
            height: drawn.height,
            perceptual: None,
            mock_location: None,
            signature: None,
        };
        let signature = codec::to_bytes(&Signature { role, name, image: hash, at: now, answers });
        self.put_media(&[(hash, MediaForm::Full, image)], now)?;
        let element = RecordId::from_parts(now, self.random()?);
        let (photo, chain_end) = self.chained(photo, inspection, element)?;
        self.write(Commit::Edit, |tx| {
            let element = element.to_hex();
            // As a photo too: what a record's photos name is published and may be read by whoever reads the record.
            let patch = Fields::from([
                (format!("photos/{element}"), Value::Bytes(photo.to_bytes())),
                (format!("signatures/{element}"), Value::Bytes(signature)),
            ]);
            crate::edit::Edits::over(tx, now).edit(inspection, &patch)?;
            if let Some(end) = &chain_end {
                tx.put_chain_end(end)?;
            }
            tx.add_upload(&hash, inspection, MediaForm::Full, bytes, now)
        })?;
        self.inspection_session(inspection)
    }

    /// Takes the signatures of a role off an inspection that is not finished: somebody signed in the wrong place. Returns
    /// what was taken off; each, given to [`Self::restore_photo`], comes back. Without a signature of the role nothing is
    /// done.
    ///
    /// # Errors
    /// [`super::ChecklistError::Finished`], those of an edit.
    pub fn unsign_inspection(
        &mut self,
        inspection: RecordId,
        role: &SignatureRole,
        now: Timestamp,
    ) -> Result<Vec<RemovedPhoto>, DeviceError> {
        let session = self.open_session(inspection)?;
        let of_role = signatures(&session.inspection).into_iter().filter(|(_, one)| one.role == *role);
        let elements: Vec<RecordId> = of_role.map(|(element, _)| element).collect();
        self.take_photos_off(inspection, &elements, now)
    }
}
