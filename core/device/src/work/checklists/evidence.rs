//! Photos of answers, and drawn signatures.

use std::collections::BTreeSet;

use gridwalk_evidence::{Limits, Photo, is_stored_photo};
use gridwalk_model::checklist::{Answer, Signature, SignatureRole};
use gridwalk_model::photo::{PhotoRef, PhotoRole, PhotoSource};
use gridwalk_model::records::Inspection;
use gridwalk_model::{ContentHash, Fields, RecordId, Timestamp, Value, codec};

use super::session::{Session, put_element};
use crate::error::DeviceError;
use crate::photo::CaptureFacts;
use crate::store::{Commit, MediaForm, Store};

/// The elements of `photos` that are drawn signatures.
pub(super) fn signature_photos(inspection: &Inspection) -> BTreeSet<RecordId> {
    let drawn =
        |bytes: &[u8]| PhotoRef::from_bytes(bytes).is_ok_and(|photo| photo.role == PhotoRole::Signature);
    let drawn = inspection.photos.iter().filter(|(_, bytes)| drawn(bytes));
    drawn.filter_map(|(element, _)| element.parse().ok()).collect()
}

/// Who has signed what the answers are now: a signature from before the last answer is one under something else.
pub(super) fn signed(session: &Session) -> BTreeSet<SignatureRole> {
    let last = session.answers.values().filter_map(|answer| answer.at).max();
    let read = |bytes: &Vec<u8>| codec::from_bytes::<Signature>(bytes).ok();
    let signatures = session.inspection.signatures.values().filter_map(read);
    signatures.filter(|signature| Some(signature.at) >= last).map(|signature| signature.role).collect()
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

    /// Signs an inspection with a drawn signature: a JPEG without metadata, as the shell renders it. A second signature
    /// of the same role stands beside the first; the latest counts.
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
        self.open_session(inspection)?;
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
        let signature = codec::to_bytes(&Signature { role, name, image: hash, at: now });
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
}
