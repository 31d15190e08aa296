//! A wrong photo is taken off its record. The reference stays in the record's history with a flag beside it; what has not
//! been sent is not sent any more.

use std::collections::BTreeSet;

use gridwalk_model::checklist::Answer;
use gridwalk_model::event::{Action, Flag, LogEntry, Verdict, without_proof};
use gridwalk_model::photo::{PhotoRef, shown_photos};
use gridwalk_model::policy::Violation;
use gridwalk_model::records::elements;
use gridwalk_model::{ContentHash, Fields, Kind, RecordId, Timestamp, Value, codec};

use crate::edit::Edits;
use crate::error::DeviceError;
use crate::store::{Commit, Store, Tx, Upload, View};

/// A photo that was taken off a record: given to [`Store::restore_photo`], it takes that back.
#[derive(Clone, Debug, PartialEq)]
pub struct RemovedPhoto {
    /// The record.
    pub record: RecordId,
    /// The photo's name there.
    pub element: RecordId,
    /// The photo itself, and its preview.
    media: Vec<ContentHash>,
    /// Answers that named it: key, before, after.
    answers: Vec<(String, Value, Value)>,
}

pub(super) fn flag(element: RecordId) -> String {
    format!("photos/{}/removed", element.to_hex())
}

/// The answers that name a photo, without it, answered anew.
fn answers_without(fields: &Fields, element: RecordId, now: Timestamp) -> Vec<(String, Value, Value)> {
    let without = |(item, before): (&str, &Value)| {
        let Value::Bytes(bytes) = before else { return None };
        let mut answer: Answer = codec::from_bytes(bytes).ok()?;
        let count = answer.photos.len();
        answer.photos.retain(|photo| *photo != element);
        answer.at = Some(now);
        let after = Value::Bytes(codec::to_bytes(&answer));
        (answer.photos.len() < count).then(|| (format!("answers/{item}"), before.clone(), after))
    };
    elements(fields, "answers").filter_map(without).collect()
}

impl View<'_> {
    /// What an act on the event would lack without this photo, if it rests on it alone: then it cannot go.
    fn only_proof(
        &self,
        event: RecordId,
        element: RecordId,
        fields: &Fields,
    ) -> Result<Option<Flag>, DeviceError> {
        let case = self.case(event)?;
        let stays =
            |photo: &RecordId| *photo != element && shown_photos(fields).any(|(other, _)| other == *photo);
        let counts = |id: RecordId| {
            let judged = case.folded.entries.iter().find(|judged| judged.id == id);
            judged.is_some_and(|judged| judged.verdict == Verdict::Applied)
        };
        let rests_on = |named: &[RecordId]| named.contains(&element) && !named.iter().any(stays);
        let another = || shown_photos(fields).any(|(other, _)| other != element);
        // A report goes on to stand with another photo, so that a wrong one can be replaced: then it rests on that one.
        let replaced = |entry: &LogEntry| entry.action == Action::Report && another();
        let taken_off = |photo: &RecordId| fields.get(&flag(*photo)) == Some(&Value::Flag(true));
        let stands_in = |entry: &LogEntry| {
            let named = &entry.photos;
            entry.action == Action::Report && named.iter().any(taken_off) && !named.iter().any(stays)
        };
        let mut acts = case.entries.iter().filter(|entry| entry.reason.is_none() && counts(entry.id));
        let named = acts.find_map(|entry| {
            if rests_on(&entry.after_photos) {
                Some(Flag::NeedsAfterPhoto)
            } else {
                let rests = rests_on(&entry.photos) || stands_in(entry);
                (rests && !replaced(entry)).then_some(Flag::NoEvidence)
            }
        });
        if named.is_some() {
            return Ok(named);
        }
        // One that stands in for those that two phones took off.
        let mut then = fields.clone();
        then.insert(flag(element), Value::Flag(true));
        let lacking = |fields: &Fields| without_proof(fields, &case.entries, &case.folded).len();
        Ok((lacking(&then) > lacking(fields)).then_some(Flag::NoEvidence))
    }
}

/// A photo on its way off, with the uploads that nobody needs then.
struct Removal {
    photo: RemovedPhoto,
    unused: Vec<Upload>,
}

impl Removal {
    fn apply(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<(), DeviceError> {
        let RemovedPhoto { record, element, answers, .. } = &self.photo;
        let mut patch = Fields::from([(flag(*element), Value::Flag(true))]);
        patch.extend(answers.iter().map(|(key, _, after)| (key.clone(), after.clone())));
        Edits::over(tx, now).edit(*record, &patch)?;
        self.unused.iter().try_for_each(|upload| tx.drop_upload(&upload.hash, upload.record, now))
    }
}

impl Store {
    /// Takes a photo that this phone attached off its record and off the answers that name it. What of it the server
    /// does not have is not sent any more; its bytes stay for a week.
    ///
    /// # Errors
    /// [`DeviceError::NoPhoto`]; [`DeviceError::NotAllowed`] for a photo of somebody else, or a signature, which has
    /// [`Self::unsign_inspection`];
    /// [`DeviceError::ActRefused`] where an act on the event rests on it alone; those of a finished inspection and of an
    /// edit.
    pub fn remove_photo(
        &mut self,
        record: RecordId,
        element: RecordId,
        now: Timestamp,
    ) -> Result<RemovedPhoto, DeviceError> {
        let (kind, fields) = self.fields(record)?.ok_or(DeviceError::UnknownRecord { record })?;
        if !shown_photos(&fields).any(|(name, _)| name == element) {
            return Err(DeviceError::NoPhoto { record, element });
        }
        if !self.attached_here(record, element)? {
            return Err(DeviceError::NotAllowed { field: flag(element), violation: Violation::Author });
        }
        match Kind::parse(&kind) {
            Some(Kind::Event) => {
                if let Some(flag) = self.view().only_proof(record, element, &fields)? {
                    return Err(DeviceError::ActRefused { flag });
                }
            }
            Some(Kind::Inspection) => drop(self.open_session(record)?),
            _ => {}
        }
        let removal = self.removal(record, element, now)?;
        self.write(Commit::Edit, |tx| removal.apply(tx, now))?;
        Ok(removal.photo)
    }

    /// Takes photos off of which somebody else has found that they may go, and which no answer names: all or none.
    pub(crate) fn take_photos_off(
        &mut self,
        record: RecordId,
        elements: &[RecordId],
        now: Timestamp,
    ) -> Result<Vec<RemovedPhoto>, DeviceError> {
        let removals = elements.iter().map(|element| self.removal(record, *element, now));
        let removals: Vec<Removal> = removals.collect::<Result<_, _>>()?;
        self.write(Commit::Edit, |tx| removals.iter().try_for_each(|removal| removal.apply(tx, now)))?;
        Ok(removals.into_iter().map(|removal| removal.photo).collect())
    }

    fn removal(&self, record: RecordId, element: RecordId, now: Timestamp) -> Result<Removal, DeviceError> {
        let (_, fields) = self.fields(record)?.ok_or(DeviceError::UnknownRecord { record })?;
        let photo = shown_photos(&fields).find(|(name, _)| *name == element).map(|(_, photo)| photo);
        let photo = photo.ok_or(DeviceError::NoPhoto { record, element })?;
        let media: Vec<ContentHash> = [Some(photo.hash), photo.preview_hash].into_iter().flatten().collect();
        let mut unused = Vec::new();
        for hash in &media {
            if !self.shown_elsewhere(hash, &photo, record, element)?
                && let Some(upload) = self.view().upload(hash)?
            {
                unused.push(upload);
            }
        }
        let answers = answers_without(&fields, element, now);
        Ok(Removal { photo: RemovedPhoto { record, element, media, answers }, unused })
    }

    /// Puts a photo back that was taken off, and into the answers that named it and say nothing else since.
    ///
    /// # Errors
    /// [`DeviceError::NoPhoto`] where it was not sent and its bytes are gone by now; those of an edit.
    pub fn restore_photo(&mut self, removed: RemovedPhoto, now: Timestamp) -> Result<(), DeviceError> {
        let RemovedPhoto { record, element, media, answers } = removed;
        let (_, fields) = self.fields(record)?.ok_or(DeviceError::UnknownRecord { record })?;
        let mut here = Vec::new();
        for hash in media {
            here.push((hash, self.media_len(&hash)?.is_some()));
        }
        // The photo itself comes first; without its preview it is still a photo.
        if let Some((hash, false)) = here.first()
            && self.view().is_dropped(hash)?
        {
            return Err(DeviceError::NoPhoto { record, element });
        }
        let mut patch = Fields::from([(flag(element), Value::Flag(false))]);
        for (key, before, after) in answers {
            if fields.get(&key) == Some(&after) {
                patch.insert(key, before);
            }
        }
        self.write(Commit::Edit, |tx| {
            Edits::over(tx, now).edit(record, &patch)?;
            here.iter().try_for_each(|(hash, here)| tx.take_up_upload(hash, *here))
        })
    }

    /// Whether this phone attached the photo.
    fn attached_here(&self, record: RecordId, element: RecordId) -> Result<bool, DeviceError> {
        let mut found = false;
        self.each_photo_print(|_, of, name, _| found |= of == record && name == element)?;
        Ok(found)
    }

    /// Whether another photo that this phone attached and a record shows, or any that this record shows, has these bytes:
    /// then they are sent for its sake.
    fn shown_elsewhere(
        &self,
        hash: &ContentHash,
        photo: &PhotoRef,
        record: RecordId,
        element: RecordId,
    ) -> Result<bool, DeviceError> {
        let original = photo.original_hash.map(|hash| *hash.as_bytes());
        let mut records = BTreeSet::from([record]);
        self.each_photo_print(|print, of, _, _| {
            if Some(print.original) == original {
                records.insert(of);
            }
        })?;
        for of in records {
            let Some((_, fields)) = self.fields(of)? else { continue };
            let has = |other: &PhotoRef| other.hash == *hash || other.preview_hash == Some(*hash);
            if shown_photos(&fields).any(|(name, other)| (of, name) != (record, element) && has(&other)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
