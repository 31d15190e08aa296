//! Visits, care and the worker's week, as a screen calls them.

use gridwalk_model::{RecordId, Timestamp};

use super::Device;
use crate::error::DeviceError;
use crate::keeping::KeepingLimits;
use crate::store::DiscardedVisit;
use crate::work::indicators::MyWeek;
use crate::work::visits::{CareTagInput, Recorded, TagInForce, VisitDue, VisitInput, VisitSheet};

impl Device {
    /// Every visit to come, the most urgent first.
    ///
    /// # Errors
    /// As [`crate::Store::visits_due`].
    pub async fn visits_due(&self) -> Result<Vec<VisitDue>, DeviceError> {
        self.with_store(|store, now| store.visits_due(now)).await
    }

    /// What a screen shows before the door is opened.
    ///
    /// # Errors
    /// As [`crate::Store::visit_sheet`].
    pub async fn visit_sheet(
        &self,
        target: RecordId,
        purpose: &str,
        limits: KeepingLimits,
    ) -> Result<VisitSheet, DeviceError> {
        let purpose = purpose.to_owned();
        self.with_store(move |store, now| store.visit_sheet(target, &purpose, &limits, now)).await
    }

    /// Keeps what was typed so far.
    ///
    /// # Errors
    /// As [`crate::Store::save_visit_draft`].
    pub async fn save_visit_draft(&self, draft: VisitInput) -> Result<(), DeviceError> {
        self.with_store(move |store, now| store.save_visit_draft(&draft, now)).await
    }

    /// Visits that were begun, with their time, the oldest first.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub async fn visit_drafts(&self) -> Result<Vec<(RecordId, Timestamp)>, DeviceError> {
        self.with_store(|store, _| store.view().visit_drafts()).await
    }

    /// Throws a draft away; [`Self::restore_visit_draft`] takes it back.
    ///
    /// # Errors
    /// As [`crate::Store::discard_visit_draft`].
    pub async fn discard_visit_draft(&self, target: RecordId) -> Result<(), DeviceError> {
        self.with_store(move |store, now| store.discard_visit_draft(target, now)).await
    }

    /// Drafts that were thrown away and can be taken back, the last one first.
    ///
    /// # Errors
    /// As [`crate::Store::discarded_visit_drafts`].
    pub async fn discarded_visit_drafts(&self) -> Result<Vec<DiscardedVisit>, DeviceError> {
        self.with_store(|store, _| store.discarded_visit_drafts()).await
    }

    /// Takes a draft back that was thrown away.
    ///
    /// # Errors
    /// As [`crate::Store::restore_visit_draft`].
    pub async fn restore_visit_draft(&self, n: i64) -> Result<(), DeviceError> {
        self.with_store(move |store, now| store.restore_visit_draft(n, now)).await
    }

    /// Records a visit with all that follows from it.
    ///
    /// # Errors
    /// As [`crate::Store::record_visit`].
    pub async fn record_visit(&self, input: VisitInput) -> Result<Recorded, DeviceError> {
        self.at_work(move |store, now| store.record_visit(&input, now)).await
    }

    /// Takes one's own visit back.
    ///
    /// # Errors
    /// As [`crate::Store::undo_visit`].
    pub async fn undo_visit(&self, visit: RecordId) -> Result<bool, DeviceError> {
        self.at_work(move |store, now| store.undo_visit(visit, now)).await
    }

    /// Puts somebody on a care list.
    ///
    /// # Errors
    /// As [`crate::Store::add_care_tag`].
    pub async fn add_care_tag(&self, input: CareTagInput) -> Result<RecordId, DeviceError> {
        self.at_work(move |store, now| store.add_care_tag(&input, now)).await
    }

    /// The tags of a resident that are in force.
    ///
    /// # Errors
    /// As [`crate::Store::care_tags`].
    pub async fn care_tags(
        &self,
        resident: RecordId,
        purpose: &str,
        limits: KeepingLimits,
    ) -> Result<Vec<TagInForce>, DeviceError> {
        let purpose = purpose.to_owned();
        self.with_store(move |store, now| store.care_tags(resident, &purpose, &limits, now)).await
    }

    /// The worker's week in a grid, with the evidence behind each figure.
    ///
    /// # Errors
    /// As [`crate::Store::my_week`].
    pub async fn my_week(&self, area: RecordId) -> Result<MyWeek, DeviceError> {
        self.with_store(move |store, now| store.my_week(area, now)).await
    }
}
