//! Photos: from the camera's file to a record that refers to it and an upload that waits.
//!
//! Three steps, each durable before the next: the original is journaled and the camera is free; the photo is prepared
//! (the only slow step, on whatever thread the caller likes); its bytes go into the media file, then the reference into
//! the record together with the upload. A crash between the last two leaves bytes that nobody refers to, which are
//! swept up later; never a reference without bytes.

use gridwalk_evidence::{
    EvidenceError, ExifDatum, Limits, Photo, PhotoSource as StampSource, StampDatum, StampFacts, StampFont,
    StampPlace, StampTime,
};
use gridwalk_model::geo::{Position, PositionSource};
use gridwalk_model::photo::{BlurRegion, PhotoRef, PhotoRole, PhotoSource};
use gridwalk_model::walk::PatrolRules;
use gridwalk_model::{ContentHash, Fields, RecordId, Timestamp, Value};
use minicbor::{Decode, Encode};

use crate::edit::Edits;
use crate::error::DeviceError;
use crate::store::{Commit, MediaForm, Store, Tx};
use crate::work::evidence::blur::regions;
use crate::work::evidence::reuse::{REMEMBERED_MS, print_of};

/// What the shell knows at the moment of capture.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CaptureFacts {
    /// What the photo shows.
    #[n(0)]
    pub role: PhotoRole,
    /// Where the file is from.
    #[n(1)]
    pub source: PhotoSource,
    /// When the shutter was released, by the phone's clock.
    #[n(2)]
    pub at: Timestamp,
    /// Minutes that local time is ahead of UTC; 480 in China.
    #[n(3)]
    pub utc_offset_minutes: i16,
    /// Where the phone was; the file's own position serves where this is missing.
    #[n(4)]
    pub position: Option<Position>,
    /// Whether the platform said that its location was simulated.
    #[n(5)]
    pub mock_location: Option<bool>,
    /// Name of the grid, for the stamp.
    #[n(6)]
    pub grid_name: Option<String>,
    /// Code of the grid, for the stamp.
    #[n(7)]
    pub grid_code: Option<String>,
    /// Code of the worker, for the stamp; never a name.
    #[n(8)]
    pub worker_code: String,
    /// Number of the event, for the stamp.
    #[n(9)]
    pub event_number: Option<String>,
    /// The record that the photo belongs to; none for one that is to be sorted later.
    #[n(10)]
    pub record: Option<RecordId>,
    /// Regions that are made unrecognisable before the photo is stamped.
    #[cbor(n(11), default)]
    pub blur: Vec<BlurRegion>,
}

impl CaptureFacts {
    /// The facts of a photo taken now, with nothing else known.
    pub const fn camera(at: Timestamp, worker_code: String) -> Self {
        Self {
            role: PhotoRole::Scene,
            source: PhotoSource::Camera,
            at,
            utc_offset_minutes: 480,
            position: None,
            mock_location: None,
            grid_name: None,
            grid_code: None,
            worker_code,
            event_number: None,
            record: None,
            blur: Vec::new(),
        }
    }
}

/// Makes a camera's file into a stamped photo with its preview. Takes some 0.2 s of the calling thread for 12
/// megapixels; touches no store.
///
/// # Errors
/// The file is foreign, damaged, or too large; the caller keeps it.
pub fn prepare_photo(
    original: &[u8],
    facts: &CaptureFacts,
    font: Option<&StampFont<'_>>,
    limits: &Limits,
) -> Result<Photo, EvidenceError> {
    let place = facts.position.map(|position| StampPlace {
        lat: position.lat(),
        lon: position.lon(),
        datum: StampDatum::Wgs84,
        accuracy_m: position.accuracy_m(),
    });
    let stamp = StampFacts {
        time: StampTime { unix_ms: facts.at.millis(), utc_offset_minutes: facts.utc_offset_minutes },
        place,
        grid_name: facts.grid_name.clone(),
        grid_code: facts.grid_code.clone(),
        worker_code: facts.worker_code.clone(),
        event_number: facts.event_number.clone(),
        photo_id: None,
        source: match facts.source {
            PhotoSource::Camera => StampSource::Camera,
            _ => StampSource::Gallery,
        },
    };
    gridwalk_evidence::prepare_blurred(original, &stamp, &regions(facts), font, limits)
}

/// What a record keeps of a photo.
fn reference(photo: &Photo, facts: &CaptureFacts) -> PhotoRef {
    let exif = &photo.original.exif;
    let by_camera = exif
        .captured
        .as_ref()
        .map(|captured| captured.unix_ms_at(facts.utc_offset_minutes))
        .map(Timestamp::from_millis);
    let in_file = exif.position.as_ref().filter(|found| !matches!(found.datum, ExifDatum::Other(_)));
    let in_file = in_file
        .and_then(|found| Position::wgs84(found.lat, found.lon, found.accuracy_m, PositionSource::Exif).ok());
    PhotoRef {
        hash: ContentHash::from_bytes(photo.stored.sha256),
        preview_hash: Some(ContentHash::from_bytes(photo.preview.sha256)),
        original_hash: Some(ContentHash::from_bytes(photo.original_sha256)),
        bytes: photo.stored.bytes.len() as u64,
        taken_at: by_camera.or(Some(facts.at)),
        position: facts.position.or(in_file),
        role: facts.role.clone(),
        source: facts.source.clone(),
        width: photo.stored.width,
        height: photo.stored.height,
        perceptual: Some(photo.perceptual.0),
        mock_location: facts.mock_location,
        signature: None,
        pair: None,
        link: None,
        reuse: None,
        blurred: u8::try_from(photo.blurred).ok().filter(|regions| *regions > 0),
    }
}

/// What is decided about a photo before it is attached.
pub(crate) struct Named {
    /// The element that will name it.
    pub(crate) element: RecordId,
    /// The photo that shows the same spot before.
    pub(crate) pair: Option<RecordId>,
    /// The journaled original, where it is noted among those to be attached.
    pub(crate) capture: Option<i64>,
}

impl Edits<'_, '_> {
    /// Adds an element to a set of a record: a log entry, an answer, a photo. The element's name must be new.
    ///
    /// # Errors
    /// As [`Edits::edit`].
    pub fn add(&mut self, id: RecordId, set: &str, element: &str, value: Value) -> Result<bool, DeviceError> {
        self.edit(id, &Fields::from([(format!("{set}/{element}"), value)]))
    }
}

impl Store {
    /// Journals a camera's file before anything else is done with it. Durable when this returns; the number names it
    /// from then on.
    ///
    /// # Errors
    /// [`DeviceError::StorageFull`].
    pub fn journal_photo(
        &mut self,
        original: &[u8],
        facts: &CaptureFacts,
        now: Timestamp,
    ) -> Result<i64, DeviceError> {
        let facts = minicbor::to_vec(facts).map_err(|_| DeviceError::Bug("capture facts do not encode"))?;
        self.put_capture(original, &facts, now)
    }

    /// A journaled original with its facts; `None` if it was processed or thrown away.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn journaled_photo(&self, n: i64) -> Result<Option<(Vec<u8>, CaptureFacts)>, DeviceError> {
        let Some(capture) = self.capture(n)? else { return Ok(None) };
        let facts = minicbor::decode(&capture.facts).map_err(|_| DeviceError::Damaged)?;
        Ok(Some((capture.body, facts)))
    }

    /// The facts of a journaled original, without its bytes.
    pub(crate) fn journaled_facts(&self, n: i64) -> Result<Option<CaptureFacts>, DeviceError> {
        let facts = self.capture_facts(n)?;
        facts.map(|facts| minicbor::decode(&facts).map_err(|_| DeviceError::Damaged)).transpose()
    }

    pub(crate) fn set_journaled_facts(&mut self, n: i64, facts: &CaptureFacts) -> Result<(), DeviceError> {
        let facts = minicbor::to_vec(facts).map_err(|_| DeviceError::Bug("capture facts do not encode"))?;
        if self.set_capture_facts(n, &facts)? { Ok(()) } else { Err(DeviceError::NoCapture) }
    }

    /// Stores a prepared photo, refers to it in the record's `photos`, and lets its preview and itself wait for
    /// upload. Returns the element that names it.
    ///
    /// # Errors
    /// As [`Edits::edit`]; [`DeviceError::StorageFull`].
    pub fn attach_photo(
        &mut self,
        record: RecordId,
        photo: &Photo,
        facts: &CaptureFacts,
        now: Timestamp,
    ) -> Result<RecordId, DeviceError> {
        self.attach_photo_and(record, photo, facts, now, |_, _| Ok(()))
    }

    /// The same, with edits that become durable together with the reference; they are given the element.
    ///
    /// # Errors
    /// As [`Self::attach_photo`]; what `also` fails with.
    pub(crate) fn attach_photo_and(
        &mut self,
        record: RecordId,
        photo: &Photo,
        facts: &CaptureFacts,
        now: Timestamp,
        also: impl FnOnce(&mut Edits<'_, '_>, RecordId) -> Result<(), DeviceError>,
    ) -> Result<RecordId, DeviceError> {
        let element = RecordId::from_parts(now, self.random()?);
        let reference = reference(photo, facts);
        self.put_photo(record, element, reference, photo, now, |tx| {
            also(&mut Edits::over(tx, now), element)
        })?;
        Ok(element)
    }

    /// The same under a name that was given before, so that a log entry could speak of the photo already.
    pub(crate) fn attach_named(
        &mut self,
        record: RecordId,
        named: &Named,
        photo: &Photo,
        facts: &CaptureFacts,
        now: Timestamp,
    ) -> Result<(), DeviceError> {
        let reference = PhotoRef { pair: named.pair, ..reference(photo, facts) };
        self.put_photo(record, named.element, reference, photo, now, |tx| match named.capture {
            Some(capture) => tx.draft_photo_is_done(capture),
            None => Ok(()),
        })
    }

    fn put_photo(
        &mut self,
        record: RecordId,
        element: RecordId,
        reference: PhotoRef,
        photo: &Photo,
        now: Timestamp,
        also: impl FnOnce(&mut Tx<'_>) -> Result<(), DeviceError>,
    ) -> Result<(), DeviceError> {
        let preview = ContentHash::from_bytes(photo.preview.sha256);
        self.put_media(
            &[
                (preview, MediaForm::Preview, &photo.preview.bytes),
                (reference.hash, MediaForm::Full, &photo.stored.bytes),
            ],
            now,
        )?;
        let (reference, chain_end) = self.chained(self.flagged(reference)?, record, element)?;
        self.write(Commit::Edit, |tx| {
            let value = Value::Bytes(reference.to_bytes());
            Edits::over(tx, now).add(record, "photos", &element.to_hex(), value)?;
            also(tx)?;
            if let Some(end) = &chain_end {
                tx.put_chain_end(end)?;
            }
            if let Some(print) = print_of(&reference) {
                tx.remember_photo(&print, record, element, now, now.plus_millis(-REMEMBERED_MS))?;
            }
            tx.preview_is_here(&preview)?;
            tx.add_upload(&preview, record, MediaForm::Preview, photo.preview.bytes.len() as u64, now)?;
            tx.add_upload(&reference.hash, record, MediaForm::Full, reference.bytes, now)
        })
    }

    /// Removes media that need not be here any more: tracks after their 30 days, and what [`Self::sweep_received`]
    /// removes. Returns how many.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn sweep_media(&mut self, now: Timestamp, keep_ms: i64) -> Result<usize, DeviceError> {
        Ok(self.expire_tracks(&PatrolRules::default(), now)? + self.sweep_received(now, keep_ms)?)
    }

    /// Removes full photos and voice notes whose receipt is older than `keep_ms` and in a backup, fetched photos after a
    /// day, and bytes that nothing has referred to for a day. Returns how many.
    pub(crate) fn sweep_received(&mut self, now: Timestamp, keep_ms: i64) -> Result<usize, DeviceError> {
        let done = self.view().uploads_done(now.plus_millis(-keep_ms))?;
        if !done.is_empty() {
            // The note of the receipt goes first: bytes without a note are swept as leftovers, a note without bytes
            // would be taken for a photo that was lost.
            self.write(Commit::Sweep, |tx| tx.forget_uploads(&done))?;
        }
        let mut gone = done;
        gone.extend(self.dropped_uploads(now)?);
        for (hash, at) in self.all_media()? {
            let old = at.plus_days(1) < now;
            if old
                && !gone.contains(&hash)
                && self.view().upload(&hash)?.is_none()
                && !self.is_preview(&hash)?
            {
                gone.push(hash);
            }
        }
        let with_drafts = self.view().voices_of_drafts()?;
        gone.retain(|hash| with_drafts.iter().all(|note| note.hash != *hash));
        if !gone.is_empty() {
            self.remove_media(&gone)?;
        }
        Ok(gone.len())
    }
}
