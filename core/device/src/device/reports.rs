//! A report, from the photo to the sending, and the drafts on the way.

use std::sync::Arc;

use gridwalk_evidence::{Limits, StampFont};
use gridwalk_model::RecordId;
use gridwalk_model::event::Category;
use gridwalk_model::event::urgent::Call;
use gridwalk_model::geo::LatLon;

use super::Device;
use crate::error::DeviceError;
use crate::photo::{self, CaptureFacts};
use crate::store::Store;
use crate::sync::Event;
use crate::work::events::{
    DraftTray, GridAt, NearReport, NotSent, ReportDraft, Sending, SentReport, SnapContext, Snapped, Sorted,
};

impl Device {
    /// The first call of a report: see [`crate::Store::snap`].
    ///
    /// # Errors
    /// As there.
    pub async fn snap(
        &self,
        original: Vec<u8>,
        facts: CaptureFacts,
        context: SnapContext,
        draft: Option<i64>,
    ) -> Result<Snapped, DeviceError> {
        self.with_store(move |store, now| store.snap(&original, &facts, &context, draft, now)).await
    }

    /// Begins a report without a photo: see [`crate::Store::begin_report`].
    ///
    /// # Errors
    /// As there.
    pub async fn begin_report(&self, report: ReportDraft) -> Result<i64, DeviceError> {
        self.with_store(move |store, now| store.begin_report(&report, now)).await
    }

    /// The categories that the second call offers first: see [`crate::Store::recent_categories`].
    ///
    /// # Errors
    /// As there.
    pub async fn recent_categories(&self, limit: usize) -> Result<Vec<Category>, DeviceError> {
        self.with_store(move |store, _| store.recent_categories(limit)).await
    }

    /// The second call: see [`crate::Store::choose_category`].
    ///
    /// # Errors
    /// As there.
    pub async fn choose_category(&self, draft: i64, category: &str) -> Result<Sorted, DeviceError> {
        let category = category.to_owned();
        self.with_store(move |store, now| store.choose_category(draft, &category, now)).await
    }

    /// Reports near a draft that may be of the same problem: see [`crate::Store::near_reports`].
    ///
    /// # Errors
    /// As there.
    pub async fn near_reports(&self, report: ReportDraft) -> Result<Vec<NearReport>, DeviceError> {
        self.with_store(move |store, now| store.near_reports(&report, now)).await
    }

    /// Writes what is known of a draft: see [`crate::Store::save_draft`].
    ///
    /// # Errors
    /// As there.
    pub async fn save_draft(&self, draft: i64, report: ReportDraft) -> Result<(), DeviceError> {
        self.with_store(move |store, _| store.save_draft(draft, &report)).await
    }

    /// What is left to be sorted or sent: see [`crate::Store::draft_tray`].
    ///
    /// # Errors
    /// As there.
    pub async fn draft_tray(&self) -> Result<DraftTray, DeviceError> {
        self.with_store(|store, _| store.draft_tray()).await
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

    /// The third call: see [`crate::Store::send_report`]. The report goes out at once; its photos follow by
    /// [`Self::attach_report_photos`].
    ///
    /// # Errors
    /// As there.
    pub async fn send_report(&self, draft: i64) -> Result<SentReport, DeviceError> {
        self.at_work(move |store, now| store.send_report(draft, now)).await
    }

    /// Prepares and attaches every photo that belongs to a sent report or an act, one after the other. To be called
    /// after sending and when the app starts. Returns how many were attached; a file that cannot be used stays in the
    /// journal, is told in the tray, and holds up no other.
    ///
    /// # Errors
    /// Failures of the store.
    pub async fn attach_report_photos(
        &self,
        font: Option<Arc<StampFont<'static>>>,
    ) -> Result<usize, DeviceError> {
        let mut attached = 0;
        for pending in self.with_store(|store, _| store.photos_to_attach()).await? {
            let capture = pending.capture;
            let found = self.with_store(move |store, _| store.journaled_photo(capture)).await?;
            let Some((original, _)) = found else { continue };
            let (font, facts) = (font.clone(), pending.facts.clone());
            let preparing = tokio::task::spawn_blocking(move || {
                photo::prepare_photo(&original, &facts, font.as_deref(), &Limits::default())
            });
            let prepared = match preparing.await.map_err(|_| DeviceError::Closed)? {
                Ok(prepared) => prepared,
                Err(fault) => {
                    let note = move |store: &mut Store, now| store.note_unprepared(&pending, &fault, now);
                    self.with_store(note).await?;
                    continue;
                }
            };
            self.with_store(move |store, now| store.attach_pending(&pending, &prepared, now)).await?;
            attached += 1;
        }
        if attached > 0 {
            self.shared.core.post(Event::Edited)?;
        }
        Ok(attached)
    }

    /// Reports that the server does not have: see [`crate::Store::not_sent`].
    ///
    /// # Errors
    /// As there.
    pub async fn not_sent(&self) -> Result<Vec<NotSent>, DeviceError> {
        self.with_store(|store, _| store.not_sent()).await
    }

    /// How far a report has come: see [`crate::Store::sending`].
    ///
    /// # Errors
    /// As there.
    pub async fn sending(&self, event: RecordId) -> Result<Sending, DeviceError> {
        self.with_store(move |store, _| store.sending(event)).await
    }

    /// Whom to call about an event, with a message: see [`crate::Store::call_about`].
    ///
    /// # Errors
    /// As there.
    pub async fn call_about(&self, event: RecordId) -> Result<Option<Call>, DeviceError> {
        self.with_store(move |store, _| store.call_about(event)).await
    }

    /// In which grid a position lies, or how far outside of the worker's own: see [`crate::Store::grid_at`].
    ///
    /// # Errors
    /// As there.
    pub async fn grid_at(&self, point: LatLon) -> Result<GridAt, DeviceError> {
        self.with_store(move |store, now| store.grid_at(point, now)).await
    }
}
