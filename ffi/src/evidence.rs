//! Photos and voice notes: from the camera's file to a receipt of the server.
//!
//! A photo takes two steps: `journal_photo` makes the camera's file durable and sets the camera free; `attach_photo`
//! prepares it (off the store's thread) and refers to it in a record. A crash in between leaves the original in the
//! journal. The upload goes by itself; `SyncStatus.totals.photos` tells what waits.

use std::sync::Arc;

use gridwalk_device::photo::CaptureFacts;
use gridwalk_device::work::evidence::{DraftVoice, RemovedPhoto, RemovedVoice, ReusedPhoto, VoiceFacts};
use gridwalk_device::work::visits::VisitInput;
use gridwalk_evidence::{Likeness, StampFont};
use gridwalk_model::geo::Position;
use gridwalk_model::photo::{BlurRegion, PhotoRef, PhotoRole, PhotoSource, Reuse, shown_photos};
use gridwalk_model::photo_chain::ChainLink;
use gridwalk_model::voice::{VoiceFormat, VoiceRef};
use gridwalk_model::{ContentHash, RecordId, Timestamp};

use crate::device::Device;
use crate::error::GridwalkError;

/// A font for the stamp on photos. Read once; keep it for the life of the app.
#[derive(uniffi::Object)]
pub struct StampFace(Arc<StampFont<'static>>);

#[uniffi::export]
impl StampFace {
    /// Reads a font file (TrueType, OpenType, or a collection, of which the face for simplified Chinese is taken).
    /// Throws `InvalidInput` if it is none.
    #[uniffi::constructor]
    pub fn read(file: Vec<u8>) -> Result<Arc<Self>, GridwalkError> {
        let font = StampFont::from_vec(file).map_err(gridwalk_device::DeviceError::from)?;
        Ok(Arc::new(Self(Arc::new(font))))
    }
}

impl StampFace {
    pub(crate) fn font(&self) -> Arc<StampFont<'static>> {
        Arc::clone(&self.0)
    }
}

/// A photo of a record.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PhotoEntry {
    /// Its name in the record.
    pub element: RecordId,
    /// What the record keeps of it; its pixels are read with `photo`.
    pub photo: PhotoRef,
}

/// A camera's file in the journal.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct JournaledPhoto {
    /// The file as the camera wrote it.
    pub original: Vec<u8>,
    /// What the shell said of it.
    pub facts: CaptureFacts,
}

/// A voice note of a record.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct VoiceEntry {
    /// Its name in the record.
    pub element: RecordId,
    /// What the record keeps of it; its sound is read with `photo`.
    pub voice: VoiceRef,
}

/// A photo that was taken off its record: given to `restore_photo`, it takes that back. It does not outlive the app.
#[derive(uniffi::Object)]
pub struct PhotoRemoval(RemovedPhoto);

impl PhotoRemoval {
    pub(crate) fn of(removed: RemovedPhoto) -> Arc<Self> {
        Arc::new(Self(removed))
    }
}

/// A voice note that was taken off its record: given to `restore_voice`, it takes that back. It does not outlive the app.
#[derive(uniffi::Object)]
pub struct VoiceRemoval(RemovedVoice);

/// How a photo resembles one that was used before.
#[uniffi::remote(Enum)]
#[uniffi(name = "PhotoLikeness")]
pub enum Likeness {
    /// Looks the same; so many of 64 bits differ.
    Near(u32),
    /// The same file.
    Same,
}

/// A photo that this phone used before.
#[uniffi::remote(Record)]
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

/// What the shell knows at the moment of capture.
#[uniffi::remote(Record)]
pub struct CaptureFacts {
    /// What the photo shows.
    pub role: PhotoRole,
    /// Where the file is from.
    pub source: PhotoSource,
    /// When the shutter was released, by the phone's clock.
    pub at: Timestamp,
    /// Minutes that local time is ahead of UTC; 480 in China.
    pub utc_offset_minutes: i16,
    /// Where the phone was; the file's own position serves where this is missing.
    #[uniffi(default = None)]
    pub position: Option<Position>,
    /// Whether the platform said that its location was simulated.
    #[uniffi(default = None)]
    pub mock_location: Option<bool>,
    /// Name of the grid, for the stamp.
    #[uniffi(default = None)]
    pub grid_name: Option<String>,
    /// Code of the grid, for the stamp.
    #[uniffi(default = None)]
    pub grid_code: Option<String>,
    /// Code of the worker, for the stamp; never a name.
    pub worker_code: String,
    /// Number of the event, for the stamp.
    #[uniffi(default = None)]
    pub event_number: Option<String>,
    /// The record that the photo belongs to; none for one that is to be sorted later.
    #[uniffi(default = None)]
    pub record: Option<RecordId>,
    /// Regions that are made unrecognisable before the photo is stamped.
    #[uniffi(default = [])]
    pub blur: Vec<BlurRegion>,
}

/// A rectangle that the worker marked on the upright picture to be made unrecognisable, in ten-thousandths of its
/// width and height.
#[uniffi::remote(Record)]
pub struct BlurRegion {
    /// Left edge.
    pub left: u16,
    /// Upper edge.
    pub top: u16,
    /// Width.
    pub width: u16,
    /// Height.
    pub height: u16,
}

/// One element of a record's `photos`: written once, never altered.
#[uniffi::remote(Record)]
pub struct PhotoRef {
    /// SHA-256 of the stored image.
    pub hash: ContentHash,
    /// SHA-256 of the preview.
    pub preview_hash: Option<ContentHash>,
    /// SHA-256 of the file as the camera wrote it.
    pub original_hash: Option<ContentHash>,
    /// Size of the stored image in bytes.
    pub bytes: u64,
    /// When it was taken, by the camera's word.
    pub taken_at: Option<Timestamp>,
    /// Where it was taken.
    pub position: Option<Position>,
    /// What it shows.
    pub role: PhotoRole,
    /// Where it came from.
    pub source: PhotoSource,
    /// Width of the stored image in pixels.
    pub width: u32,
    /// Height of the stored image in pixels.
    pub height: u32,
    /// Perceptual hash, for finding a photo that was used before.
    pub perceptual: Option<u64>,
    /// Whether the platform said that its location was simulated.
    pub mock_location: Option<bool>,
    /// The device's signature, `r ‖ s`, over `signed_message`.
    pub signature: Option<Vec<u8>>,
    /// The element of the photo that shows the same spot before.
    pub pair: Option<RecordId>,
    /// Its place in the chain of the phone's photos.
    pub link: Option<ChainLink>,
    /// Whether the phone has used it, or one like it, before.
    pub reuse: Option<Reuse>,
    /// How many regions the worker has made unrecognisable.
    pub blurred: Option<u8>,
}

/// The place of a photo or voice note in the chain of its phone.
#[uniffi::remote(Record)]
pub struct ChainLink {
    /// How the signed message is made up, `CHAIN_VERSION`.
    pub version: u8,
    /// Which of the phone's photos and voice notes it is, from 1.
    pub number: u64,
    /// SHA-256 of the message of the one before; none for the first.
    pub previous: Option<ContentHash>,
}

/// What the shell knows of a voice note.
#[uniffi::remote(Record)]
pub struct VoiceFacts {
    /// When it was recorded, by the phone's clock.
    pub recorded_at: Timestamp,
    /// What the platform's recogniser made of it, if it has one. Cut off where it is too long.
    #[uniffi(default = None)]
    pub transcript: Option<String>,
}

/// One element of a record's `voices`: written once, never altered.
#[uniffi::remote(Record)]
pub struct VoiceRef {
    /// SHA-256 of the sound.
    pub hash: ContentHash,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its length in milliseconds, as the file tells it.
    pub millis: u32,
    /// How it is encoded.
    pub format: VoiceFormat,
    /// When it was recorded, by the phone's clock.
    pub recorded_at: Timestamp,
    /// What the platform's recogniser made of it, or the worker typed: at most `TRANSCRIPT_MAX` characters.
    pub transcript: Option<String>,
    /// The device's signature, `r ‖ s`.
    pub signature: Option<Vec<u8>>,
    /// Its place in the chain of the phone's evidence.
    pub link: Option<ChainLink>,
}

/// A voice note of a report or a visit that is still a draft.
#[uniffi::remote(Record)]
pub struct DraftVoice {
    /// The name that it will have in the record.
    pub element: RecordId,
    /// What is known of it; its sound is read with `draft_sound`. Signed once the record is made.
    pub voice: VoiceRef,
    /// When it was taken off; until it is swept it can be put back.
    pub discarded_at: Option<Timestamp>,
}

#[uniffi::export(async_runtime = "tokio")]
impl Device {
    /// Journals a camera's file: when this returns it is durable and the camera is free. Returns its number. Throws
    /// `StorageFull`.
    pub async fn journal_photo(&self, original: Vec<u8>, facts: CaptureFacts) -> Result<i64, GridwalkError> {
        self.write(async move |core| core.journal_photo(original, facts).await).await
    }

    /// A journaled original and what was said of it, for a screen to draw; none once it was attached or swept. The numbers
    /// are those of `draft_tray`.
    pub async fn journaled_photo(&self, capture: i64) -> Result<Option<JournaledPhoto>, GridwalkError> {
        let found = self.call(async move |core| core.journaled_photo(capture).await).await?;
        Ok(found.map(|(original, facts)| JournaledPhoto { original, facts }))
    }

    /// The same small: a JPEG of at most 24 KB, upright, with its regions made unrecognisable and stamped. Made anew each
    /// time: some 0.2 s for 12 megapixels. Throws `NotFound` (`no_capture`), `InvalidInput` for a file that cannot be
    /// used.
    pub async fn journaled_preview(
        &self,
        capture: i64,
        font: Option<Arc<StampFace>>,
    ) -> Result<Vec<u8>, GridwalkError> {
        let font = font.map(|face| face.font());
        self.call(async move |core| core.journaled_preview(capture, font).await).await
    }

    /// Marks regions of a journaled photo that are made unrecognisable when it is prepared.
    pub async fn blur_journaled(&self, capture: i64, regions: Vec<BlurRegion>) -> Result<(), GridwalkError> {
        self.write(async move |core| core.blur_journaled(capture, regions).await).await
    }

    /// Prepares a journaled original and attaches it to a record. Returns its name in the record. On an error the
    /// original stays in the journal. Throws `InvalidInput` for a file that cannot be used.
    pub async fn attach_photo(
        &self,
        capture: i64,
        record: RecordId,
        font: Option<Arc<StampFace>>,
    ) -> Result<RecordId, GridwalkError> {
        let font = font.map(|face| face.font());
        self.write(async move |core| core.attach_journaled(capture, record, font).await).await
    }

    /// Both at once. A file that cannot be used is not kept.
    pub async fn add_photo(
        &self,
        record: RecordId,
        original: Vec<u8>,
        facts: CaptureFacts,
        font: Option<Arc<StampFace>>,
    ) -> Result<RecordId, GridwalkError> {
        let font = font.map(|face| face.font());
        self.write(async move |core| core.add_photo(record, original, facts, font).await).await
    }

    /// The photos of a record, in the order of their names, which is that of their making.
    pub async fn photos(&self, record: RecordId) -> Result<Vec<PhotoEntry>, GridwalkError> {
        let read =
            self.call(async move |core| core.with_store(move |store, _| store.get_fields(record)).await);
        let Some((_, entry)) = read.await? else { return Ok(Vec::new()) };
        Ok(shown_photos(&entry.record).map(|(element, photo)| PhotoEntry { element, photo }).collect())
    }

    /// Whether this phone has used a journaled photo before, so that a screen can say so before it is attached; none if
    /// not. Prepares it for that: some 0.2 s for 12 megapixels. Throws `NotFound`, `InvalidInput`.
    pub async fn photo_used_before(
        &self,
        capture: i64,
        font: Option<Arc<StampFace>>,
    ) -> Result<Option<ReusedPhoto>, GridwalkError> {
        let font = font.map(|face| face.font());
        self.call(async move |core| core.photo_used_before(capture, font).await).await
    }

    /// Takes a photo that this phone attached off its record, and off the answers that name it. What of it the server
    /// does not have is not sent any more; its bytes stay for a week. What is returned takes it back.
    /// Throws `NotFound` (`no_photo`), `NotAllowed` for a photo of somebody else or a signature (see `unsign_inspection`),
    /// `Conflict` where an act rests on it alone.
    pub async fn remove_photo(
        &self,
        record: RecordId,
        element: RecordId,
    ) -> Result<Arc<PhotoRemoval>, GridwalkError> {
        let removed = self.write(async move |core| core.remove_photo(record, element).await).await?;
        Ok(PhotoRemoval::of(removed))
    }

    /// Puts a photo back that was taken off. Throws `NotFound` once its bytes are gone.
    pub async fn restore_photo(&self, removed: Arc<PhotoRemoval>) -> Result<(), GridwalkError> {
        self.write(async move |core| core.restore_photo(removed.0.clone()).await).await
    }

    /// Takes a photo out of a draft: it lies loose in the journal then. Throws `NotFound` (`no_capture`).
    pub async fn release_capture(&self, capture: i64) -> Result<(), GridwalkError> {
        self.write(async move |core| core.release_capture(capture).await).await
    }

    /// Throws a loose original away: it becomes a draft that was thrown away, whose number is returned, so that
    /// `restore_draft` takes it back.
    pub async fn discard_capture(&self, capture: i64) -> Result<i64, GridwalkError> {
        self.write(async move |core| core.discard_capture(capture).await).await
    }

    /// The bytes of a photo, preview or voice note that a record refers to: from this phone, or from the server and
    /// kept. None if neither has it. Throws `Offline` where it is not here and the server cannot be asked.
    pub async fn photo(&self, record: RecordId, hash: ContentHash) -> Result<Option<Vec<u8>>, GridwalkError> {
        self.call_out(async move |core| core.photo(record, hash).await).await
    }

    /// Fetches previews that are not here, until none is left. Returns how many came. `sync` does so at its end.
    pub async fn fetch_previews(&self) -> Result<u32, GridwalkError> {
        Ok(crate::mirror::count(self.call_out(async |core| core.fetch_previews().await).await?))
    }

    /// Attaches a voice note: AAC, or Opus in Ogg. Returns its name in the record. Throws `InvalidInput` (`sound`).
    pub async fn add_voice(
        &self,
        record: RecordId,
        sound: Vec<u8>,
        facts: VoiceFacts,
    ) -> Result<RecordId, GridwalkError> {
        self.write(async move |core| core.add_voice(record, sound, facts).await).await
    }

    /// The voice notes of a record.
    pub async fn voices(&self, record: RecordId) -> Result<Vec<VoiceEntry>, GridwalkError> {
        let voices = self.call(async move |core| core.voices(record).await).await?;
        Ok(voices.into_iter().map(|(element, voice)| VoiceEntry { element, voice }).collect())
    }

    /// Takes a voice note that this phone attached off its record. What of it the server does not have is not sent any
    /// more; its sound stays for a week. What is returned takes it back. Throws `NotFound` (`no_voice`), `NotAllowed` for
    /// one of another.
    pub async fn remove_voice(
        &self,
        record: RecordId,
        element: RecordId,
    ) -> Result<Arc<VoiceRemoval>, GridwalkError> {
        let removed = self.write(async move |core| core.remove_voice(record, element).await).await?;
        Ok(Arc::new(VoiceRemoval(removed)))
    }

    /// Puts a voice note back that was taken off. Throws `NotFound` once its sound is gone.
    pub async fn restore_voice(&self, removed: Arc<VoiceRemoval>) -> Result<(), GridwalkError> {
        self.write(async move |core| core.restore_voice(removed.0.clone()).await).await
    }

    /// Adds a voice note to a report that is still a draft: durable when this returns, and in the event with the same
    /// step that makes it. Returns the name that it will have there. Throws `NotFound` (`no_draft`), `InvalidInput`
    /// (`sound`).
    pub async fn add_draft_voice(
        &self,
        draft: i64,
        sound: Vec<u8>,
        facts: VoiceFacts,
    ) -> Result<RecordId, GridwalkError> {
        self.write(async move |core| core.add_draft_voice(draft, sound, facts).await).await
    }

    /// Adds a voice note to a visit under way, whose draft is saved with it. Returns the name that it will have in the
    /// visit. Throws `InvalidInput` (`sound`).
    pub async fn add_visit_voice(
        &self,
        visit: VisitInput,
        sound: Vec<u8>,
        facts: VoiceFacts,
    ) -> Result<RecordId, GridwalkError> {
        self.write(async move |core| core.add_visit_voice(visit, sound, facts).await).await
    }

    /// The voice notes of a visit under way to somebody, those that were taken off included. Those of a report stand in
    /// its draft.
    pub async fn visit_voices(&self, target: RecordId) -> Result<Vec<DraftVoice>, GridwalkError> {
        self.call(async move |core| core.visit_voices(target).await).await
    }

    /// The sound of a voice note of a draft; none if it was lost with a damaged file. Throws `NotFound` (`no_voice`) where
    /// no draft has it.
    pub async fn draft_sound(&self, element: RecordId) -> Result<Option<Vec<u8>>, GridwalkError> {
        self.call(async move |core| core.draft_sound(element).await).await
    }

    /// Takes a voice note off its draft; `restore_draft_voice` puts it back. Throws `NotFound` (`no_voice`).
    pub async fn remove_draft_voice(&self, element: RecordId) -> Result<(), GridwalkError> {
        self.write(async move |core| core.remove_draft_voice(element).await).await
    }

    /// Puts a voice note back into its draft. Throws `NotFound` (`no_voice`) once it was swept.
    pub async fn restore_draft_voice(&self, element: RecordId) -> Result<(), GridwalkError> {
        self.write(async move |core| core.restore_draft_voice(element).await).await
    }
}
