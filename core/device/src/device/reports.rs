//! Reports, acts on events and the tray, as screens call them.

use std::sync::Arc;

use gridwalk_evidence::{Limits, StampFont};
use gridwalk_model::RecordId;
use gridwalk_model::event::{Category, EventRules};

use super::Device;
use crate::error::DeviceError;
use crate::keeping::KeepingLimits;
use crate::photo::{self, CaptureFacts};
use crate::store::Store;
use crate::sync::Event;
use crate::work::events::{
    DraftTray, EventStory, LookBack, MyReport, NotSent, ReportDraft, SentReport, SiteVerification,
    SnapContext, Snapped, Sorted, WorkerAct,
};
use crate::work::tray::{Settlement, TrayItem, TrayKey, TrayValue, Undo};

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

    /// The deployment's rules for events: the categories for a screen in their order, their names and deadlines. The
    /// starter ones until the server gave others.
    ///
    /// # Errors
    /// [`DeviceError::Closed`].
    pub async fn event_rules(&self) -> Result<EventRules, DeviceError> {
        self.with_store(|store, _| Ok(store.event_rules().clone())).await
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

    /// The third call: see [`crate::Store::send_report`]. The report goes out at once; its photos follow by
    /// [`Self::attach_report_photos`].
    ///
    /// # Errors
    /// As there.
    pub async fn send_report(&self, draft: i64) -> Result<SentReport, DeviceError> {
        let sent = self.with_store(move |store, now| store.send_report(draft, now)).await?;
        self.shared.core.post(Event::Edited)?;
        Ok(sent)
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

    /// Reports that the server does not have: see [`crate::Store::not_sent`].
    ///
    /// # Errors
    /// As there.
    pub async fn not_sent(&self) -> Result<Vec<NotSent>, DeviceError> {
        self.with_store(|store, _| store.not_sent()).await
    }

    /// The worker's reports: see [`crate::Store::my_reports`].
    ///
    /// # Errors
    /// As there.
    pub async fn my_reports(&self, limit: usize) -> Result<Vec<MyReport>, DeviceError> {
        self.with_store(move |store, now| store.my_reports(now, limit)).await
    }

    /// The story of an event: see [`crate::Store::event_story`].
    ///
    /// # Errors
    /// As there.
    pub async fn event_story(&self, event: RecordId) -> Result<EventStory, DeviceError> {
        self.with_store(move |store, _| store.event_story(event)).await
    }

    /// Journals a photo for an event that exists: see [`crate::Store::snap_for_event`].
    ///
    /// # Errors
    /// As there.
    pub async fn snap_for_event(
        &self,
        event: RecordId,
        original: Vec<u8>,
        facts: CaptureFacts,
        pair: Option<RecordId>,
    ) -> Result<Snapped, DeviceError> {
        self.with_store(move |store, now| store.snap_for_event(event, &original, &facts, pair, now)).await
    }

    /// Does an act on an event: see [`crate::Store::act_on_event`].
    ///
    /// # Errors
    /// As there.
    pub async fn act_on_event(&self, event: RecordId, act: WorkerAct) -> Result<RecordId, DeviceError> {
        let entry = self.with_store(move |store, now| store.act_on_event(event, act, now)).await?;
        self.shared.core.post(Event::Edited)?;
        Ok(entry)
    }

    /// Verifies on site: see [`crate::Store::verify_on_site`].
    ///
    /// # Errors
    /// As there.
    pub async fn verify_on_site(
        &self,
        event: RecordId,
        seen: SiteVerification,
    ) -> Result<RecordId, DeviceError> {
        let entry = self.with_store(move |store, now| store.verify_on_site(event, seen, now)).await?;
        self.shared.core.post(Event::Edited)?;
        Ok(entry)
    }

    /// Looks again at a closed event: see [`crate::Store::look_back`].
    ///
    /// # Errors
    /// As there.
    pub async fn look_back(&self, event: RecordId, seen: LookBack) -> Result<RecordId, DeviceError> {
        let entry = self.with_store(move |store, now| store.look_back(event, seen, now)).await?;
        self.shared.core.post(Event::Edited)?;
        Ok(entry)
    }

    /// What needs a decision or patience: see [`crate::Store::tray`].
    ///
    /// # Errors
    /// As there.
    pub async fn tray(&self) -> Result<Vec<TrayItem>, DeviceError> {
        self.with_store(|store, now| store.tray(now)).await
    }

    /// The values of an item in full, for a purpose: see [`crate::Store::reveal`].
    ///
    /// # Errors
    /// As there.
    pub async fn reveal(
        &self,
        key: TrayKey,
        purpose: &str,
        limits: KeepingLimits,
    ) -> Result<Vec<TrayValue>, DeviceError> {
        let purpose = purpose.to_owned();
        self.with_store(move |store, now| store.reveal(&key, &purpose, &limits, now)).await
    }

    /// Settles an item of the tray: see [`crate::Store::settle`].
    ///
    /// # Errors
    /// As there.
    pub async fn settle(&self, key: TrayKey, how: Settlement) -> Result<Undo, DeviceError> {
        let undo = self.with_store(move |store, now| store.settle(&key, how, now)).await?;
        self.shared.core.post(Event::Edited)?;
        Ok(undo)
    }

    /// Takes a settlement back: see [`crate::Store::undo_settlement`].
    ///
    /// # Errors
    /// As there.
    pub async fn undo_settlement(&self, undo: Undo) -> Result<(), DeviceError> {
        self.with_store(move |store, now| store.undo_settlement(undo, now)).await?;
        self.shared.core.post(Event::Edited)
    }
}
