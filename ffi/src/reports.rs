//! Reports: three calls from the shutter to "sent", drafts, and what is left at the end of a shift.

use std::sync::Arc;

use gridwalk_device::photo::CaptureFacts;
use gridwalk_device::work::events::{
    Draft, DraftPhoto, DraftTray, GridAt, NearReport, NeighbourGrid, NotSent, ReportDraft, Sending,
    SentReport, SnapContext, Snapped, Sorted,
};
use gridwalk_device::work::evidence::DraftVoice;
use gridwalk_model::describe::Words;
use gridwalk_model::event::near::Near;
use gridwalk_model::event::urgent::Call;
use gridwalk_model::event::{SlaClass, State};
use gridwalk_model::geo::{LatLon, Position};
use gridwalk_model::photo::PhotoRole;
use gridwalk_model::{RecordId, Timestamp};

use crate::device::Device;
use crate::error::GridwalkError;
use crate::evidence::StampFace;

/// What the shell knows when the shutter is released: the door scanned or opened last.
#[uniffi::remote(Record)]
pub struct SnapContext {
    /// The grid.
    #[uniffi(default = None)]
    pub area: Option<RecordId>,
    /// The dwelling.
    #[uniffi(default = None)]
    pub dwelling: Option<RecordId>,
    /// The place.
    #[uniffi(default = None)]
    pub place: Option<RecordId>,
}

/// What a shutter made.
#[uniffi::remote(Record)]
pub struct Snapped {
    /// The draft that it belongs to.
    pub draft: i64,
    /// The number of the original in the journal.
    pub capture: i64,
    /// The name that the photo will have in the event.
    pub element: RecordId,
}

/// What is known of a report before it is sent. Nothing in it must be typed.
#[uniffi::remote(Record)]
pub struct ReportDraft {
    /// Category, a code of the deployment's table.
    #[uniffi(default = None)]
    pub category: Option<String>,
    /// What is wrong, in the worker's words.
    #[uniffi(default = None)]
    pub description: Option<String>,
    /// The grid; where it is not said, that of the dwelling or place, else the worker's first.
    #[uniffi(default = None)]
    pub area: Option<RecordId>,
    /// The dwelling that it concerns.
    #[uniffi(default = None)]
    pub dwelling: Option<RecordId>,
    /// The place that it concerns.
    #[uniffi(default = None)]
    pub place: Option<RecordId>,
    /// Address.
    #[uniffi(default = None)]
    pub address: Option<String>,
    /// Where the phone was. A dwelling's or place's own position comes first: a fix only suggests.
    #[uniffi(default = None)]
    pub position: Option<Position>,
    /// When it was seen.
    #[uniffi(default = None)]
    pub seen_at: Option<Timestamp>,
    /// Urgency, where it differs from the category's.
    #[uniffi(default = None)]
    pub urgency: Option<SlaClass>,
    /// Put right on the spot. Counts for whitelisted categories with an after-photo; otherwise it is a report.
    #[uniffi(default = false)]
    pub on_spot: bool,
    /// Why there is no photo.
    #[uniffi(default = None)]
    pub no_photo_reason: Option<String>,
    /// Whether somebody waits for an answer.
    #[uniffi(default = false)]
    pub has_appellant: bool,
    /// The inspection that found it.
    #[uniffi(default = None)]
    pub inspection: Option<RecordId>,
}

/// A photo of a draft.
#[uniffi::remote(Record)]
pub struct DraftPhoto {
    /// The number of the original in the journal.
    pub capture: i64,
    /// The name that it will have in the event.
    pub element: RecordId,
    /// What it shows.
    pub role: PhotoRole,
    /// When it was taken.
    pub at: Timestamp,
}

/// A report that was begun.
#[uniffi::remote(Record)]
#[uniffi(name = "SavedDraft")]
pub struct Draft {
    /// Its number on this phone.
    pub n: i64,
    /// When it was begun.
    pub at: Timestamp,
    /// What is known.
    pub report: ReportDraft,
    /// Its photos.
    pub photos: Vec<DraftPhoto>,
    /// Its voice notes, those that were taken off included.
    pub voices: Vec<DraftVoice>,
    /// When it was thrown away; until it is swept it can be taken back.
    pub discarded_at: Option<Timestamp>,
}

/// What is left at the end of a shift.
#[uniffi::remote(Record)]
pub struct DraftTray {
    /// Reports that were begun and not sent, the oldest first.
    pub drafts: Vec<Draft>,
    /// Reports that were thrown away and can be taken back.
    pub discarded: Vec<Draft>,
    /// Originals in the journal that belong to nothing yet: see `adopt_capture`.
    pub loose: Vec<i64>,
}

/// What the worker is told when a category is chosen.
#[uniffi::remote(Record)]
#[uniffi(name = "SortedReport")]
pub struct Sorted {
    /// Reports that may be of the same problem, the nearest first. Sending remains the worker's choice.
    pub near: Vec<NearReport>,
    /// Whether it may be settled on the spot, with an after-photo.
    pub on_spot: bool,
    /// Whether minutes count.
    pub urgent: bool,
}

/// A report that may be of the same problem.
#[uniffi::remote(Record)]
pub struct NearReport {
    /// The event.
    pub event: RecordId,
    /// Its number.
    pub number: Option<String>,
    /// Where it stands.
    pub state: State,
    /// How near.
    pub near: Near,
    /// Whether this worker reported it.
    pub mine: bool,
}

/// How near two reports are.
#[uniffi::remote(Record)]
#[uniffi(name = "Nearness")]
pub struct Near {
    /// Metres between them; 0 for the same door or place.
    pub metres: u32,
    /// Whole days between them.
    pub days: u32,
}

/// What sending made.
#[uniffi::remote(Record)]
pub struct SentReport {
    /// The event.
    pub event: RecordId,
    /// Its number.
    pub number: String,
    /// Whether it says that the problem was put right on the spot. Where the category does not allow that, or the
    /// after-photo is missing, it counts as a report.
    pub on_spot: bool,
    /// For an urgent report: whom to call as long as it is not sent, with a message.
    pub call: Option<Call>,
}

/// Where a position lies, by the boundaries that this phone knows.
#[uniffi::remote(Record)]
pub struct GridAt {
    /// The worker's grid to which a report from there goes; none as long as the phone has no grid.
    pub own: Option<RecordId>,
    /// How far outside of that grid it is, in metres; none inside of it, or where its boundary is not known.
    pub outside_m: Option<f64>,
    /// The grid of somebody else in which it lies instead.
    pub neighbour: Option<NeighbourGrid>,
}

/// A grid of somebody else.
#[uniffi::remote(Record)]
pub struct NeighbourGrid {
    /// The grid.
    pub grid: RecordId,
    /// Its name.
    pub name: String,
}

/// What the worker is offered.
#[uniffi::remote(Record)]
#[uniffi(name = "EmergencyCall")]
pub struct Call {
    /// The number to call, and to which the message goes.
    pub number: String,
    /// The message in Chinese.
    pub sms_zh: String,
    /// The message in English.
    pub sms_en: String,
}

/// How far a report has come.
#[uniffi::remote(Enum)]
pub enum Sending {
    /// It is on this phone only.
    NotSent,
    /// The server has it durably.
    Sent,
    /// The server has it and has begun to count its time.
    Received(Timestamp),
}

/// A report that the server does not have.
#[uniffi::remote(Record)]
pub struct NotSent {
    /// The event; `None` for a draft.
    pub event: Option<RecordId>,
    /// The draft; `None` for an event.
    pub draft: Option<i64>,
    /// The event's number.
    pub number: Option<String>,
    /// Its category.
    pub category: Words,
    /// Since when it has not been sent.
    pub since: Timestamp,
    /// Whether minutes count: then the screen says NOT SENT and offers the call.
    pub urgent: bool,
    /// Whom to call, and the message, for an urgent one.
    pub call: Option<Call>,
}

/// A text in both languages.
#[uniffi::remote(Record)]
pub struct Words {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

#[uniffi::export(async_runtime = "tokio")]
impl Device {
    /// The first call of a report: journals the camera's file and begins a draft, or adds to one. Durable when this
    /// returns, and the camera is free. Throws `StorageFull`, `NotFound` (`no_draft`).
    pub async fn snap(
        &self,
        original: Vec<u8>,
        facts: CaptureFacts,
        context: SnapContext,
        draft: Option<i64>,
    ) -> Result<Snapped, GridwalkError> {
        self.write(async move |core| core.snap(original, facts, context, draft).await).await
    }

    /// Begins a report without a photo. Returns the draft's number.
    pub async fn begin_report(&self, report: ReportDraft) -> Result<i64, GridwalkError> {
        self.write(async move |core| core.begin_report(report).await).await
    }

    /// The second call: says what it is about, and tells of reports that may be of the same problem.
    pub async fn choose_category(&self, draft: i64, category: String) -> Result<Sorted, GridwalkError> {
        self.write(async move |core| core.choose_category(draft, &category).await).await
    }

    /// The third call: the draft becomes an event with a number and goes out at once. Its photos follow by
    /// `attach_report_photos`. Throws `InvalidInput` with the field that is missing, `Conflict` (`draft_discarded`) for one
    /// that was thrown away, `NotFound` (`no_draft`).
    pub async fn send_report(&self, draft: i64) -> Result<SentReport, GridwalkError> {
        self.write(async move |core| core.send_report(draft).await).await
    }

    /// Prepares and attaches every photo that belongs to a sent report or an act. To be called after sending and when
    /// the app starts. Returns how many were attached; a file that cannot be used stays in the journal.
    pub async fn attach_report_photos(&self, font: Option<Arc<StampFace>>) -> Result<u32, GridwalkError> {
        let font = font.map(|face| face.font());
        let attached = self.call_out(async move |core| core.attach_report_photos(font).await).await?;
        self.changed();
        Ok(crate::mirror::count(attached))
    }

    /// One draft. Throws `NotFound`.
    pub async fn draft(&self, draft: i64) -> Result<Draft, GridwalkError> {
        self.call(async move |core| core.with_store(move |store, _| store.draft(draft)).await).await
    }

    /// Writes what is known of a draft.
    pub async fn save_draft(&self, draft: i64, report: ReportDraft) -> Result<(), GridwalkError> {
        self.write(async move |core| core.save_draft(draft, report).await).await
    }

    /// Throws a draft away. It can be taken back for some days.
    pub async fn discard_draft(&self, draft: i64) -> Result<(), GridwalkError> {
        self.write(async move |core| core.discard_draft(draft).await).await
    }

    /// Takes a draft back that was thrown away.
    pub async fn restore_draft(&self, draft: i64) -> Result<(), GridwalkError> {
        self.write(async move |core| core.restore_draft(draft).await).await
    }

    /// Makes a loose original of the journal into a draft, or adds it to one.
    pub async fn adopt_capture(
        &self,
        capture: i64,
        context: SnapContext,
        draft: Option<i64>,
    ) -> Result<Snapped, GridwalkError> {
        self.write(async move |core| core.adopt_capture(capture, context, draft).await).await
    }

    /// What is left to be sorted or sent: the end-of-shift tray.
    pub async fn draft_tray(&self) -> Result<DraftTray, GridwalkError> {
        self.call(async |core| core.draft_tray().await).await
    }

    /// Reports that the server does not have, the urgent ones first, each with whom to call.
    pub async fn not_sent(&self) -> Result<Vec<NotSent>, GridwalkError> {
        self.call(async |core| core.not_sent().await).await
    }

    /// In which grid a position lies, or how far outside of the worker's own and in whose. Takes some milliseconds for
    /// hundreds of grids.
    pub async fn grid_at(&self, point: LatLon) -> Result<GridAt, GridwalkError> {
        self.call(async move |core| core.grid_at(point).await).await
    }

    /// Reports on this phone that may be of the same problem as a draft, the nearest first.
    pub async fn near_reports(&self, report: ReportDraft) -> Result<Vec<NearReport>, GridwalkError> {
        self.call(async move |core| core.near_reports(report).await).await
    }
}
