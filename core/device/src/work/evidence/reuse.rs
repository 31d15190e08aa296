//! Photos that this phone used before. They are flagged for the worker and for whoever looks at the record, and
//! stored and sent like any other.

use gridwalk_evidence::{Likeness, PerceptualHash, Photo, Print};
use gridwalk_model::photo::{PhotoRef, PhotoRole, PhotoSource, Reuse};
use gridwalk_model::{RecordId, Timestamp};

use crate::error::DeviceError;
use crate::store::Store;

/// For how long a photo is remembered, in milliseconds: two years. Hashes only, no pixels.
pub(crate) const REMEMBERED_MS: i64 = 2 * 366 * 24 * 60 * 60 * 1000;

/// A photo that was used before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReusedPhoto {
    /// The same file, or one that looks the same.
    pub likeness: Likeness,
    /// The record that refers to the earlier one.
    pub record: RecordId,
    /// Its name there.
    pub element: RecordId,
    /// When it was attached.
    pub at: Timestamp,
}

impl Store {
    /// Whether this phone has used a prepared photo before; of several the most alike, of those the first. For a screen
    /// that says so before the photo is attached. Takes about 1 µs for each photo of two years.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn photo_used_before(&self, photo: &Photo) -> Result<Option<ReusedPhoto>, DeviceError> {
        self.used_before(&Print { original: photo.original_sha256, perceptual: photo.perceptual })
    }

    fn used_before(&self, print: &Print) -> Result<Option<ReusedPhoto>, DeviceError> {
        let mut found: Option<ReusedPhoto> = None;
        self.each_photo_print(|earlier, record, element, at| {
            let Some(likeness) = print.likeness(&earlier) else { return };
            let closer = |found: &ReusedPhoto| rank(likeness) < rank(found.likeness);
            if found.as_ref().is_none_or(closer) {
                found = Some(ReusedPhoto { likeness, record, element, at });
            }
        })?;
        Ok(found)
    }

    /// The reference with the flag, where the photo was used before.
    pub(crate) fn flagged(&self, reference: PhotoRef) -> Result<PhotoRef, DeviceError> {
        let Some(print) = print_of(&reference) else { return Ok(reference) };
        let reuse = self.used_before(&print)?.map(|found| match found.likeness {
            Likeness::Same => Reuse::Same,
            Likeness::Near(_) => Reuse::Near,
        });
        Ok(PhotoRef { reuse, ..reference })
    }
}

/// Few differing bits first.
fn rank(likeness: Likeness) -> u32 {
    match likeness {
        Likeness::Same => 0,
        Likeness::Near(bits) => bits + 1,
    }
}

/// What is remembered of a photo; nothing of what was drawn on the screen, since one signature looks like another.
pub(crate) fn print_of(reference: &PhotoRef) -> Option<Print> {
    if reference.source == PhotoSource::Drawn || reference.role == PhotoRole::Signature {
        return None;
    }
    let original = *reference.original_hash?.as_bytes();
    Some(Print { original, perceptual: PerceptualHash(reference.perceptual?) })
}
