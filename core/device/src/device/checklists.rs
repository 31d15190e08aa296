//! Inspections and forms as screens call them; see [`crate::work::checklists`].

use std::collections::BTreeMap;
use std::sync::Arc;

use gridwalk_evidence::StampFont;
use gridwalk_model::RecordId;
use gridwalk_model::checklist::{Answer, SignatureRole};
use gridwalk_model::records::Inspection;

use super::Device;
use crate::edit::Entry;
use crate::error::DeviceError;
use crate::work::checklists::{
    Answered, FinishPlan, Finished, OfferedChecklist, OpenOrder, Session, SheetLanguage,
};
use crate::work::evidence::RemovedPhoto;

impl Device {
    /// The checklists for a place.
    ///
    /// # Errors
    /// As [`crate::Store::checklists_for`].
    pub async fn checklists_for(&self, place: RecordId) -> Result<Vec<OfferedChecklist>, DeviceError> {
        self.with_store(move |store, _| store.checklists_for(place)).await
    }

    /// Begins an inspection, or goes on with the one that is open there.
    ///
    /// # Errors
    /// As [`crate::Store::begin_inspection`].
    pub async fn begin_inspection(
        &self,
        place: RecordId,
        checklist: RecordId,
        task: Option<RecordId>,
    ) -> Result<Session, DeviceError> {
        self.at_work(move |store, now| store.begin_inspection(place, checklist, task, now)).await
    }

    /// This worker's inspections that are not finished.
    ///
    /// # Errors
    /// As [`crate::Store::open_inspections`].
    pub async fn open_inspections(&self) -> Result<Vec<Entry<Inspection>>, DeviceError> {
        self.with_store(|store, _| store.open_inspections()).await
    }

    /// An inspection as it stands.
    ///
    /// # Errors
    /// As [`crate::Store::inspection_session`].
    pub async fn inspection_session(&self, inspection: RecordId) -> Result<Session, DeviceError> {
        self.with_store(move |store, _| store.inspection_session(inspection)).await
    }

    /// Answers an item.
    ///
    /// # Errors
    /// As [`crate::Store::answer_item`].
    pub async fn answer_item(
        &self,
        inspection: RecordId,
        item: &str,
        answer: Answer,
    ) -> Result<Answered, DeviceError> {
        let item = item.to_owned();
        self.at_work(move |store, now| store.answer_item(inspection, &item, answer, now)).await
    }

    /// Takes an answer back.
    ///
    /// # Errors
    /// As [`crate::Store::clear_answer`].
    pub async fn clear_answer(&self, inspection: RecordId, item: &str) -> Result<Answered, DeviceError> {
        let item = item.to_owned();
        self.at_work(move |store, now| store.clear_answer(inspection, &item, now)).await
    }

    /// Prepares a journaled original and adds it to an answer. On an error the original stays in the journal.
    ///
    /// # Errors
    /// [`DeviceError::NoCapture`], and as [`crate::Store::attach_answer_photo`].
    pub async fn attach_answer_photo(
        &self,
        n: i64,
        inspection: RecordId,
        item: &str,
        font: Option<Arc<StampFont<'static>>>,
    ) -> Result<RecordId, DeviceError> {
        let (prepared, facts) = self.prepare_journaled(n, font).await?;
        let item = item.to_owned();
        self.at_work(move |store, now| {
            let element = store.attach_answer_photo(inspection, &item, &prepared, &facts, now)?;
            store.remove_capture(n)?;
            Ok(element)
        })
        .await
    }

    /// Signs an inspection with a drawn signature, a JPEG.
    ///
    /// # Errors
    /// As [`crate::Store::sign_inspection`].
    pub async fn sign_inspection(
        &self,
        inspection: RecordId,
        role: SignatureRole,
        name: Option<String>,
        image: Vec<u8>,
    ) -> Result<Session, DeviceError> {
        self.at_work(move |store, now| store.sign_inspection(inspection, role, name, &image, now)).await
    }

    /// Takes the signatures of a role off.
    ///
    /// # Errors
    /// As [`crate::Store::unsign_inspection`].
    pub async fn unsign_inspection(
        &self,
        inspection: RecordId,
        role: SignatureRole,
    ) -> Result<Vec<RemovedPhoto>, DeviceError> {
        self.at_work(move |store, now| store.unsign_inspection(inspection, &role, now)).await
    }

    /// Finishes an inspection with everything that follows from it.
    ///
    /// # Errors
    /// As [`crate::Store::finish_inspection`].
    pub async fn finish_inspection(
        &self,
        inspection: RecordId,
        plan: FinishPlan,
    ) -> Result<Finished, DeviceError> {
        self.at_work(move |store, now| store.finish_inspection(inspection, &plan, now)).await
    }

    /// Takes a finished inspection back.
    ///
    /// # Errors
    /// As [`crate::Store::reopen_inspection`].
    pub async fn reopen_inspection(&self, inspection: RecordId) -> Result<Session, DeviceError> {
        self.at_work(move |store, now| store.reopen_inspection(inspection, now)).await
    }

    /// Throws an unfinished inspection away.
    ///
    /// # Errors
    /// As [`crate::Store::discard_inspection`].
    pub async fn discard_inspection(&self, inspection: RecordId) -> Result<(), DeviceError> {
        self.at_work(move |store, now| store.discard_inspection(inspection, now)).await
    }

    /// Takes an inspection back that was thrown away, with its answers.
    ///
    /// # Errors
    /// As [`crate::Store::restore_inspection`].
    pub async fn restore_inspection(&self, inspection: RecordId) -> Result<Session, DeviceError> {
        self.at_work(move |store, now| store.restore_inspection(inspection, now)).await
    }

    /// Orders that are not settled, the earliest deadline first.
    ///
    /// # Errors
    /// As [`crate::Store::open_orders`].
    pub async fn open_orders(&self) -> Result<Vec<OpenOrder>, DeviceError> {
        self.with_store(move |store, now| store.open_orders(now)).await
    }

    /// An order as pages to print, hand over and sign, one SVG document each.
    ///
    /// # Errors
    /// As [`crate::Store::order_sheet`].
    pub async fn print_order(
        &self,
        order: RecordId,
        language: SheetLanguage,
    ) -> Result<Vec<String>, DeviceError> {
        self.with_store(move |store, _| store.order_sheet(order, language)).await
    }

    /// Begins to check an order again, or goes on with it.
    ///
    /// # Errors
    /// As [`crate::Store::begin_recheck`].
    pub async fn begin_recheck(&self, order: RecordId) -> Result<Session, DeviceError> {
        self.at_work(move |store, now| store.begin_recheck(order, now)).await
    }

    /// Makes events of what an order has outstanding after its deadline.
    ///
    /// # Errors
    /// As [`crate::Store::report_overdue`].
    pub async fn report_overdue(&self, order: RecordId) -> Result<BTreeMap<String, RecordId>, DeviceError> {
        self.at_work(move |store, now| store.report_overdue(order, now)).await
    }
}
