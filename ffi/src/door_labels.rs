//! QR labels on doors, places and buildings: made, printed, scanned, voided.

use gridwalk_device::work::labels::{HangsOn, MadeLabel, ScannedLabel};
use gridwalk_evidence::LabelSheet;
use gridwalk_model::RecordId;
use gridwalk_model::describe::Words;
use gridwalk_model::label::LabelToken;

use crate::device::Device;
use crate::error::GridwalkError;
use crate::kinds::LabelEntry;

uniffi::custom_type!(LabelToken, String, {
    remote,
    lower: |token| token.to_string(),
    try_lift: |text| Ok(text.parse().map_err(|_| GridwalkError::bad_argument("token"))?),
});

/// What a label hangs on.
#[uniffi::remote(Enum)]
pub enum HangsOn {
    /// A door, or a place that is inspected.
    Record(RecordId),
    /// The entrance of a building, as its doors name it.
    Building {
        /// Estate or village; empty where the doors name none.
        estate: String,
        /// Building.
        building: String,
    },
}

/// The label of something.
#[uniffi::remote(Record)]
pub struct MadeLabel {
    /// Its record.
    pub label: RecordId,
    /// Its token.
    pub token: LabelToken,
    /// What it opens; for a building one of its dwellings.
    pub target: RecordId,
    /// Whether it was made just now; otherwise it was there.
    pub made: bool,
    /// The labels that it stands in for.
    pub replaced: Vec<RecordId>,
}

/// What a code that was scanned opens.
#[uniffi::remote(Enum)]
pub enum ScannedLabel {
    /// A door.
    Door {
        /// The label.
        label: RecordId,
        /// The dwelling.
        dwelling: RecordId,
    },
    /// A place.
    Place {
        /// The label.
        label: RecordId,
        /// The place.
        place: RecordId,
    },
    /// The board of a building.
    Building {
        /// The label.
        label: RecordId,
        /// Estate or village; empty where it has none.
        estate: String,
        /// Building.
        building: String,
    },
    /// A label of these grids that is void, or whose door is not kept any more.
    Void {
        /// The label.
        label: RecordId,
        /// What it opened: another label may hang there now.
        target: RecordId,
    },
    /// A label that this phone does not know: of another grid, or made on another phone and not here yet.
    NotHere,
    /// Any other code.
    NotALabel,
}

/// How labels are laid out on a page of A4.
#[uniffi::remote(Record)]
pub struct LabelSheet {
    /// Labels side by side.
    pub columns: u32,
    /// Labels one below the other.
    pub rows: u32,
}

/// The brightness of a frame of the camera: the first plane of YUV, as both platforms give it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CameraFrame {
    /// Pixels of a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bytes from one row to the next.
    pub stride: u32,
    /// The bytes; the last row need not be padded.
    pub luma: Vec<u8>,
}

#[uniffi::export(async_runtime = "tokio")]
impl Device {
    /// The label of a door, a place or a building. Made once: the next call gives the same until it is voided. Throws
    /// `NotFound` (`unknown_record`, `no_building`), `Conflict` (`wrong_kind`).
    pub async fn make_label(&self, on: HangsOn) -> Result<MadeLabel, GridwalkError> {
        self.write(async move |core| core.make_label(on).await).await
    }

    /// Every label that was ever made for a door or place, the oldest first.
    pub async fn labels_of(&self, target: RecordId) -> Result<Vec<LabelEntry>, GridwalkError> {
        self.call(async move |core| core.labels_of(target).await).await
    }

    /// Voids a label that was lost, torn off or hung up at the wrong door. Returns whether it was good.
    pub async fn void_label(&self, label: RecordId) -> Result<bool, GridwalkError> {
        self.write(async move |core| core.void_label(label).await).await
    }

    /// A label that was voided by mistake is good again. Returns whether it was void.
    pub async fn restore_label(&self, label: RecordId) -> Result<bool, GridwalkError> {
        self.write(async move |core| core.restore_label(label).await).await
    }

    /// Voids every good label of something and makes a new one. Throws as `make_label`.
    pub async fn replace_label(&self, on: HangsOn) -> Result<MadeLabel, GridwalkError> {
        self.write(async move |core| core.replace_label(on).await).await
    }

    /// What a code opens whose text is known, or a token that was typed in. Never throws for a code that opens nothing:
    /// `scanned_label_words` says what to tell the worker.
    pub async fn scan_label(&self, text: String) -> Result<ScannedLabel, GridwalkError> {
        self.call(async move |core| core.scan_label(&text).await).await
    }

    /// What the codes in a frame of the camera open; none for a frame without any. Send the next frame when this one is
    /// answered. Throws `InvalidInput` (`frame`) for a frame that is too large, incomplete or confused; the next may be
    /// better.
    pub async fn scan_label_frame(&self, frame: CameraFrame) -> Result<Option<ScannedLabel>, GridwalkError> {
        let CameraFrame { width, height, stride, luma } = frame;
        let stride = usize::try_from(stride).map_err(|_| GridwalkError::bad_argument("stride"))?;
        self.call(async move |core| core.scan_label_frame(width, height, stride, luma).await).await
    }

    /// Labels as pages to print, one SVG document each; those that are missing are made, all or none. Throws
    /// `InvalidInput` (`sheet`) for a layout without room, `NotEnrolled`, and as `make_label`.
    #[uniffi::method(default(sheet = None))]
    pub async fn print_labels(
        &self,
        things: Vec<HangsOn>,
        sheet: Option<LabelSheet>,
    ) -> Result<Vec<String>, GridwalkError> {
        self.write(async move |core| core.print_labels(things, sheet.unwrap_or_default()).await).await
    }
}

/// What to tell the worker where a code opens nothing, in both languages; empty where it opens something.
#[uniffi::export]
pub fn scanned_label_words(scanned: ScannedLabel) -> Words {
    Words::new(scanned.zh(), scanned.en())
}
