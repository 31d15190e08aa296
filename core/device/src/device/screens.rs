//! Calls of screens that need no more than the store: drafts, hints, what lies open.

use std::sync::Arc;

use gridwalk_evidence::StampFont;
use gridwalk_model::event::Action;
use gridwalk_model::event::site::OnSite;
use gridwalk_model::records::Submission;
use gridwalk_model::{RecordId, Timestamp};

use super::Device;
use crate::edit::Entry;
use crate::error::DeviceError;
use crate::photo::CaptureFacts;
use crate::sync::Event;
use crate::work::events::{NearReport, ReportDraft, SiteClaim, SnapContext, Snapped};
use crate::work::evidence::{RemovedPhoto, ReusedPhoto};
use crate::work::rules::RulesRefused;

impl Device {
    /// Begins a report without a photo: see [`crate::Store::begin_report`].
    ///
    /// # Errors
    /// As there.
    pub async fn begin_report(&self, report: ReportDraft) -> Result<i64, DeviceError> {
        self.with_store(move |store, now| store.begin_report(&report, now)).await
    }

    /// Throws a draft away: see [`crate::Store::discard_draft`].
    ///
    /// # Errors
    /// As there.
    pub async fn discard_draft(&self, draft: i64) -> Result<(), DeviceError> {
        self.with_store(move |store, now| store.discard_draft(draft, now)).await
    }

    /// Takes a draft back that was thrown away: see [`crate::Store::restore_draft`].
    ///
    /// # Errors
    /// As there.
    pub async fn restore_draft(&self, draft: i64) -> Result<(), DeviceError> {
        self.with_store(move |store, _| store.restore_draft(draft)).await
    }

    /// Makes a loose original into a draft, or adds it to one: see [`crate::Store::adopt_capture`].
    ///
    /// # Errors
    /// As there.
    pub async fn adopt_capture(
        &self,
        capture: i64,
        context: SnapContext,
        draft: Option<i64>,
    ) -> Result<Snapped, DeviceError> {
        self.with_store(move |store, now| store.adopt_capture(capture, &context, draft, now)).await
    }

    /// Takes a photo out of a draft: see [`crate::Store::release_capture`].
    ///
    /// # Errors
    /// As there.
    pub async fn release_capture(&self, capture: i64) -> Result<(), DeviceError> {
        self.with_store(move |store, _| store.release_capture(capture)).await
    }

    /// A journaled original and what was said of it, for a screen to draw: the camera's own file, as long as it is in the
    /// journal. `None` once it was attached or swept. The numbers are those of [`Self::draft_tray`].
    ///
    /// # Errors
    /// [`DeviceError::Locked`], failures of SQLite.
    pub async fn journaled_photo(
        &self,
        capture: i64,
    ) -> Result<Option<(Vec<u8>, CaptureFacts)>, DeviceError> {
        self.with_store(move |store, _| store.journaled_photo(capture)).await
    }

    /// The same small, as a JPEG of at most 24 KB, upright, with its regions made unrecognisable and stamped: for a list
    /// of several. No preview is kept in the journal, so it is made anew: some 0.2 s for 12 megapixels, off the threads
    /// that wait.
    ///
    /// # Errors
    /// [`DeviceError::NoCapture`], [`DeviceError::Photo`] for a file that cannot be used, failures of SQLite.
    pub async fn journaled_preview(
        &self,
        capture: i64,
        font: Option<Arc<StampFont<'static>>>,
    ) -> Result<Vec<u8>, DeviceError> {
        let (photo, _) = self.prepare_journaled(capture, font).await?;
        Ok(photo.preview.bytes)
    }

    /// Why the rules that the server gave last are not used: see [`crate::Store::rules_refused`].
    ///
    /// # Errors
    /// As there.
    pub async fn rules_refused(&self) -> Result<Option<RulesRefused>, DeviceError> {
        self.with_store(|store, _| store.rules_refused()).await
    }

    /// Throws a loose original away: see [`crate::Store::discard_capture`].
    ///
    /// # Errors
    /// As there.
    pub async fn discard_capture(&self, capture: i64) -> Result<i64, DeviceError> {
        self.with_store(move |store, now| store.discard_capture(capture, now)).await
    }

    /// Reports near a draft that may be of the same problem: see [`crate::Store::near_reports`].
    ///
    /// # Errors
    /// As there.
    pub async fn near_reports(&self, report: ReportDraft) -> Result<Vec<NearReport>, DeviceError> {
        self.with_store(move |store, now| store.near_reports(&report, now)).await
    }

    /// What the worker may do about an event: see [`crate::Store::event_acts`].
    ///
    /// # Errors
    /// As there.
    pub async fn event_acts(&self, event: RecordId) -> Result<Vec<Action>, DeviceError> {
        self.with_store(move |store, _| store.event_acts(event)).await
    }

    /// Judges a claim to be on site before anything is written: see [`crate::Store::check_site`].
    ///
    /// # Errors
    /// As there.
    pub async fn check_site(&self, event: RecordId, claim: SiteClaim) -> Result<OnSite, DeviceError> {
        self.with_store(move |store, _| store.check_site(event, &claim)).await
    }

    /// Visits that were begun, with their time, the oldest first.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub async fn visit_drafts(&self) -> Result<Vec<(RecordId, Timestamp)>, DeviceError> {
        self.with_store(|store, _| store.view().visit_drafts()).await
    }

    /// Submissions that were begun and not sent: see [`crate::Store::open_submissions`].
    ///
    /// # Errors
    /// As there.
    pub async fn open_submissions(&self) -> Result<Vec<Entry<Submission>>, DeviceError> {
        self.with_store(|store, _| store.open_submissions()).await
    }

    /// Throws a submission away that was not sent: see [`crate::Store::discard_submission`].
    ///
    /// # Errors
    /// As there.
    pub async fn discard_submission(&self, submission: RecordId) -> Result<(), DeviceError> {
        self.with_store(move |store, now| store.discard_submission(submission, now)).await?;
        self.shared.core.post(Event::Edited)
    }

    /// Takes a submission back that was thrown away: see [`crate::Store::restore_submission`].
    ///
    /// # Errors
    /// As there.
    pub async fn restore_submission(&self, submission: RecordId) -> Result<(), DeviceError> {
        self.with_store(move |store, now| store.restore_submission(submission, now)).await?;
        self.shared.core.post(Event::Edited)
    }

    /// Whether this phone has used a journaled photo before, so that a screen can say so before it is attached. Prepares
    /// it for that: some 0.2 s for 12 megapixels, off the threads that wait.
    ///
    /// # Errors
    /// [`DeviceError::NoCapture`], [`DeviceError::Photo`], failures of SQLite.
    pub async fn photo_used_before(
        &self,
        capture: i64,
        font: Option<Arc<StampFont<'static>>>,
    ) -> Result<Option<ReusedPhoto>, DeviceError> {
        let (photo, _) = self.prepare_journaled(capture, font).await?;
        self.with_store(move |store, _| store.photo_used_before(&photo)).await
    }

    /// Takes a photo off its record: see [`crate::Store::remove_photo`].
    ///
    /// # Errors
    /// As there.
    pub async fn remove_photo(
        &self,
        record: RecordId,
        element: RecordId,
    ) -> Result<RemovedPhoto, DeviceError> {
        let removed = self.with_store(move |store, now| store.remove_photo(record, element, now)).await?;
        self.shared.core.post(Event::Edited)?;
        Ok(removed)
    }

    /// Puts a photo back that was taken off: see [`crate::Store::restore_photo`].
    ///
    /// # Errors
    /// As there.
    pub async fn restore_photo(&self, removed: RemovedPhoto) -> Result<(), DeviceError> {
        self.with_store(move |store, now| store.restore_photo(removed, now)).await?;
        self.shared.core.post(Event::Edited)
    }
}
