//! The camera and the microphone, as the shell provides them.

use std::sync::Arc;

use gridwalk_device::photo::CaptureFacts;
use gridwalk_device::work::events::{SnapContext, Snapped};
use gridwalk_device::work::evidence::VoiceFacts;
use gridwalk_model::RecordId;
use gridwalk_model::photo::PhotoRole;

use crate::device::Device;
use crate::error::GridwalkError;
use crate::traits::PlatformError;

/// A photo as the camera wrote it, with what the shell knows of it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CapturedPhoto {
    /// The file: JPEG, PNG or WebP.
    pub file: Vec<u8>,
    /// When and where it was taken.
    pub facts: CaptureFacts,
}

/// A voice note as the recorder wrote it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CapturedVoice {
    /// The file: AAC, or Opus in Ogg.
    pub file: Vec<u8>,
    /// When it was recorded, and what was said as far as it is known.
    pub facts: VoiceFacts,
}

/// The camera and the microphone. Each call shows its screen and returns when the worker is done; throwing `Cancelled`
/// says that the worker went back. A call that is no longer waited for is cancelled.
#[uniffi::export(foreign)]
#[async_trait::async_trait]
pub trait Capture: Send + Sync {
    /// Takes a photo that is to show what `role` says: `before`, `after`, `scene`.
    async fn photo(&self, role: PhotoRole) -> Result<CapturedPhoto, PlatformError>;

    /// Records a voice note.
    async fn voice(&self) -> Result<CapturedVoice, PlatformError>;
}

#[uniffi::export(async_runtime = "tokio")]
impl Device {
    /// Takes a photo and journals it. Returns its number, for `attach_photo` or `attach_answer_photo`. Throws
    /// `Cancelled`, `Platform` (`platform.capture`), `StorageFull`.
    pub async fn capture_photo(
        &self,
        capture: Arc<dyn Capture>,
        role: PhotoRole,
    ) -> Result<i64, GridwalkError> {
        let CapturedPhoto { file, facts } =
            capture.photo(role).await.map_err(|error| error.told("capture"))?;
        self.write(async move |core| core.journal_photo(file, facts).await).await
    }

    /// Takes the photo that begins a report, or adds to its draft. As `snap`.
    pub async fn capture_report(
        &self,
        capture: Arc<dyn Capture>,
        role: PhotoRole,
        context: SnapContext,
        draft: Option<i64>,
    ) -> Result<Snapped, GridwalkError> {
        let CapturedPhoto { file, facts } =
            capture.photo(role).await.map_err(|error| error.told("capture"))?;
        self.write(async move |core| core.snap(file, facts, context, draft).await).await
    }

    /// Records a voice note and attaches it to a record. Returns its name in the record. As `add_voice`.
    pub async fn capture_voice(
        &self,
        capture: Arc<dyn Capture>,
        record: RecordId,
    ) -> Result<RecordId, GridwalkError> {
        let CapturedVoice { file, facts } = capture.voice().await.map_err(|error| error.told("capture"))?;
        self.write(async move |core| core.add_voice(record, file, facts).await).await
    }
}
