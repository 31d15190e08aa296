//! Inspections: checklists, answers, signatures, orders.

use std::sync::Arc;

use gridwalk_device::work::checklists::{
    Answered, FinishPlan, Finished, OfferedChecklist, OpenOrder, Session,
};
use gridwalk_model::categories::Severity;
use gridwalk_model::checklist::{
    Answer, ChecklistItem, Choice, EvidenceRule, Grade, ItemKind, Lack, Outcome, Review, SignatureRole,
    Template,
};
use gridwalk_model::geo::Position;
use gridwalk_model::records::{Inspection, RectificationOrder};
use gridwalk_model::{RecordId, Timestamp};

use crate::containers::{AnswerMap, Count, Day, ItemMap, LackMap, NameSet, RecordMap, SeverityMap, TextMap};
use crate::device::Device;
use crate::error::GridwalkError;
use crate::evidence::StampFace;
use crate::kinds::InspectionEntry;

/// An inspection as a screen shows it.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct InspectionSession {
    /// The inspection's record.
    pub id: RecordId,
    /// The record.
    pub inspection: Inspection,
    /// The version of the checklist on which it was begun.
    pub template: Template,
    /// The answers that were given in it.
    pub answers: AnswerMap,
    /// What is asked, lacking, failed, and the score.
    pub review: Review,
    /// The item to go on with: the first that lacks something behind the one answered last, else the first of all.
    pub next: Option<String>,
    /// Photos of the inspection that belong to no answer: taken, but not yet sorted.
    pub loose_photos: Vec<RecordId>,
    /// Whether it is finished.
    pub finished: bool,
}

impl From<Session> for InspectionSession {
    fn from(core: Session) -> Self {
        let finished = core.is_finished();
        // The rest is what the core's conditions saw: private to it.
        let Session { id, inspection, template, answers, review, next, loose_photos, .. } = core;
        Self { id, inspection, template, answers, review, next, loose_photos, finished }
    }
}

/// What an answer changed.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct ItemAnswered {
    /// The answer that it replaced: given again, it undoes this one; without one, `clear_answer` does.
    pub previous: Option<Answer>,
    /// How things stand now.
    pub session: InspectionSession,
}

impl From<Answered> for ItemAnswered {
    fn from(core: Answered) -> Self {
        let Answered { previous, session } = core;
        Self { previous, session: session.into() }
    }
}

/// A checklist that may be filled at a place.
#[uniffi::remote(Record)]
pub struct OfferedChecklist {
    /// The version's record.
    pub id: RecordId,
    /// What stays the same over all versions.
    pub code: String,
    /// Name in Chinese.
    pub name: String,
    /// Name in English.
    pub name_en: Option<String>,
    /// How many items it has, hidden ones included.
    pub items: Count,
}

/// One version of a checklist.
#[uniffi::remote(Record)]
#[uniffi(name = "ChecklistTemplate")]
pub struct Template {
    /// What stays the same over all versions.
    pub code: String,
    /// Number of the version, from 1.
    pub version: i64,
    /// Name in Chinese.
    pub name: String,
    /// Name in English.
    pub name_en: Option<String>,
    /// Categories of places that it is for; all where none is named.
    pub categories: NameSet,
    /// Days in which a finding is to be put right, where its item does not say.
    pub remedy_days: u32,
    /// Category of the events that are made of findings, where their item does not say.
    pub event_category: Option<String>,
    /// Since when it is no longer offered.
    pub retired_at: Option<Timestamp>,
    /// The items by identifier.
    pub items: ItemMap,
}

/// One item of a template.
#[uniffi::remote(Record)]
pub struct ChecklistItem {
    /// Its place in the list.
    pub order: u32,
    /// What is asked, in Chinese.
    pub zh: String,
    /// What is asked, in English.
    pub en: Option<String>,
    /// How it is answered.
    pub kind: ItemKind,
    /// The unit of a number, in Chinese or as a symbol.
    pub unit: Option<String>,
    /// The smallest number that passes.
    pub min: Option<f64>,
    /// The largest number that passes.
    pub max: Option<f64>,
    /// The words of a choice.
    pub choices: Vec<Choice>,
    /// It has to be answered only if this holds; always, if there is no condition. See `Condition`.
    pub required_when: Option<String>,
    /// It is asked only if this holds.
    pub shown_when: Option<String>,
    /// How bad it is if it fails.
    pub severity: Severity,
    /// When a photo is needed.
    pub evidence: EvidenceRule,
    /// The law or standard that it rests on.
    pub basis: Option<String>,
    /// It passes only if this holds as well: a limit that depends on another answer.
    pub passes_when: Option<String>,
    /// What it weighs in the score; 1 where nothing is said.
    pub points: Option<u32>,
    /// Days within which it is to be put right; the template's where nothing is said.
    pub days: Option<u32>,
    /// Category of the event that is made of it when it is major or overdue.
    pub event_category: Option<String>,
    /// The heading under which it stands, in Chinese.
    pub section_zh: Option<String>,
    /// The heading in English.
    pub section_en: Option<String>,
    /// The unit in English, where it is not a symbol.
    pub unit_en: Option<String>,
    /// The field that it fills, for an item of a form; see `forms`.
    pub field: Option<String>,
}

/// One of the words that answer a choice.
#[uniffi::remote(Record)]
pub struct Choice {
    /// As it stands in an answer and in conditions.
    pub word: String,
    /// Label in Chinese.
    pub zh: String,
    /// Label in English.
    pub en: Option<String>,
}

/// The answer to one item.
#[uniffi::remote(Record)]
pub struct Answer {
    /// To a pass-or-fail item; on another, `Fail` and `NotApplicable` are the inspector's own word against the limits.
    #[uniffi(default = None)]
    pub outcome: Option<Outcome>,
    /// To a number, in the item's unit.
    #[uniffi(default = None)]
    pub number: Option<f64>,
    /// To a text, or a remark on another: what was seen.
    #[uniffi(default = None)]
    pub text: Option<String>,
    /// To a choice.
    #[uniffi(default = None)]
    pub choice: Option<String>,
    /// Elements of the record's `photos`.
    #[uniffi(default = [])]
    pub photos: Vec<RecordId>,
    /// When it was given.
    #[uniffi(default = None)]
    pub at: Option<Timestamp>,
}

/// What follows from the answers.
#[uniffi::remote(Record)]
#[uniffi(name = "ChecklistReview")]
pub struct Review {
    /// The items that are asked, in order.
    pub asked: Vec<String>,
    /// Of these, the ones that have an answer.
    pub answered: NameSet,
    /// What is still to be done, by item.
    pub lacking: LackMap,
    /// Items of a kind that this build does not know: they wait for an update, and hold up nothing else.
    pub needs_update: NameSet,
    /// Failed items, with how bad they are.
    pub failed: SeverityMap,
    /// Points of the passed among those of the passed and failed items, in percent, rounded down; `None` while nothing
    /// was judged.
    pub score: Option<u32>,
    /// The outcome; `None` while nothing was judged.
    pub grade: Option<Grade>,
}

/// What an inspection still lacks.
#[uniffi::remote(Enum)]
pub enum Lack {
    /// An answer.
    /// 未填写
    Answer,
    /// A photo.
    /// 缺少照片
    Photo,
    /// A choice from the list.
    /// 选项不在列表中
    Choice,
    /// A signature, or the reason why there is none.
    /// 缺少签名
    Signature,
}

/// The outcome of an inspection.
#[uniffi::remote(Enum)]
pub enum Grade {
    /// Nothing failed.
    /// 合格
    Good,
    /// Something has to be put right.
    /// 限期整改
    Rectify,
    /// Something failed that endangers life (重大隐患).
    /// 重大隐患
    Major,
}

/// What the worker decides at the end of an inspection.
#[uniffi::remote(Record)]
pub struct FinishPlan {
    /// Minutes that local time is ahead of UTC.
    pub utc_offset_minutes: i16,
    /// Last day for putting right what failed; by default the earliest of its items.
    #[uniffi(default = None)]
    pub deadline: Option<Day>,
    /// The department in the lead.
    #[uniffi(default = None)]
    pub lead_unit: Option<RecordId>,
    /// Why a signature is missing.
    #[uniffi(default = None)]
    pub unsigned_reason: Option<String>,
    /// Where the inspection was made.
    #[uniffi(default = None)]
    pub position: Option<Position>,
}

/// What came of a finished inspection.
#[uniffi::remote(Record)]
#[uniffi(name = "InspectionFinished")]
pub struct Finished {
    /// Score, grade, what failed.
    pub review: Review,
    /// The order that it made, or that it looked at again.
    pub order: Option<RecordId>,
    /// The task of checking again; none if there is nothing to.
    pub recheck_task: Option<RecordId>,
    /// Events that were made, by item.
    pub events: RecordMap,
}

/// An order that is not settled.
#[uniffi::remote(Record)]
pub struct OpenOrder {
    /// The order's record.
    pub id: RecordId,
    /// The record.
    pub order: RectificationOrder,
    /// The place; `None` while the inspection is not on this phone.
    pub place: Option<RecordId>,
    /// The items that were not right when they were last looked at, with what was found first.
    pub outstanding: TextMap,
    /// Whether the deadline has passed.
    pub overdue: bool,
}

#[uniffi::export(async_runtime = "tokio")]
impl Device {
    /// The checklists for a place. Throws `NotFound`.
    pub async fn checklists_for(&self, place: RecordId) -> Result<Vec<OfferedChecklist>, GridwalkError> {
        self.call(async move |core| core.checklists_for(place).await).await
    }

    /// Begins an inspection, or goes on with the one that this worker has open there. Throws `Conflict`
    /// (`checklist.retired`), `NotFound`.
    pub async fn begin_inspection(
        &self,
        place: RecordId,
        checklist: RecordId,
        task: Option<RecordId>,
    ) -> Result<InspectionSession, GridwalkError> {
        Ok(self.write(async move |core| core.begin_inspection(place, checklist, task).await).await?.into())
    }

    /// This worker's inspections that are not finished, the latest first: what to go on with after a start.
    pub async fn open_inspections(&self) -> Result<Vec<InspectionEntry>, GridwalkError> {
        self.call(async |core| core.open_inspections().await).await
    }

    /// An inspection as it stands, finished or not.
    pub async fn inspection_session(&self, inspection: RecordId) -> Result<InspectionSession, GridwalkError> {
        Ok(self.call(async move |core| core.inspection_session(inspection).await).await?.into())
    }

    /// Answers an item; durable when this returns. Throws `InvalidInput` with the item, `Conflict`
    /// (`checklist.finished`).
    pub async fn answer_item(
        &self,
        inspection: RecordId,
        item: String,
        answer: Answer,
    ) -> Result<ItemAnswered, GridwalkError> {
        Ok(self.write(async move |core| core.answer_item(inspection, &item, answer).await).await?.into())
    }

    /// Takes an answer back.
    pub async fn clear_answer(
        &self,
        inspection: RecordId,
        item: String,
    ) -> Result<ItemAnswered, GridwalkError> {
        Ok(self.write(async move |core| core.clear_answer(inspection, &item).await).await?.into())
    }

    /// Prepares a journaled original (see `journal_photo`) and adds it to an answer. Returns the photo's element. On an
    /// error the original stays in the journal.
    pub async fn attach_answer_photo(
        &self,
        capture: i64,
        inspection: RecordId,
        item: String,
        font: Option<Arc<StampFace>>,
    ) -> Result<RecordId, GridwalkError> {
        let font = font.map(|face| face.font());
        let attach = async move |core: gridwalk_device::Device| {
            core.attach_answer_photo(capture, inspection, &item, font).await
        };
        self.write(attach).await
    }

    /// Signs an inspection with a drawn signature: a JPEG without metadata. `role` is `worker` or `manager`.
    pub async fn sign_inspection(
        &self,
        inspection: RecordId,
        role: SignatureRole,
        name: Option<String>,
        image: Vec<u8>,
    ) -> Result<InspectionSession, GridwalkError> {
        Ok(self
            .write(async move |core| core.sign_inspection(inspection, role, name, image).await)
            .await?
            .into())
    }

    /// Finishes an inspection with everything that follows: the order, the task of checking again, events of major
    /// findings. Throws `InvalidInput` (`checklist.incomplete`) with every item that is lacking, signatures under
    /// `signatures/worker` and `signatures/manager`.
    pub async fn finish_inspection(
        &self,
        inspection: RecordId,
        plan: FinishPlan,
    ) -> Result<Finished, GridwalkError> {
        self.write(async move |core| core.finish_inspection(inspection, plan).await).await
    }

    /// Takes a finished inspection back, while nobody has gone on from it. `utc_offset_minutes`: 480 in China.
    pub async fn reopen_inspection(
        &self,
        inspection: RecordId,
        utc_offset_minutes: i16,
    ) -> Result<InspectionSession, GridwalkError> {
        Ok(self
            .write(async move |core| core.reopen_inspection(inspection, utc_offset_minutes).await)
            .await?
            .into())
    }

    /// Throws an unfinished inspection away; `restore_inspection` brings it back.
    pub async fn discard_inspection(&self, inspection: RecordId) -> Result<(), GridwalkError> {
        self.write(async move |core| core.discard_inspection(inspection).await).await
    }

    /// Brings an inspection back that was thrown away, with its answers and photos. Throws `NotFound`.
    pub async fn restore_inspection(&self, inspection: RecordId) -> Result<InspectionSession, GridwalkError> {
        Ok(self.write(async move |core| core.restore_inspection(inspection).await).await?.into())
    }

    /// Orders that are not settled, the earliest deadline first.
    pub async fn open_orders(&self, utc_offset_minutes: i16) -> Result<Vec<OpenOrder>, GridwalkError> {
        self.call(async move |core| core.open_orders(utc_offset_minutes).await).await
    }

    /// Begins to check an order again, or goes on with it: only what was not right is asked.
    pub async fn begin_recheck(&self, order: RecordId) -> Result<InspectionSession, GridwalkError> {
        Ok(self.write(async move |core| core.begin_recheck(order).await).await?.into())
    }

    /// Makes events of what an order has outstanding after its deadline, once each; returns them by item.
    pub async fn report_overdue(
        &self,
        order: RecordId,
        utc_offset_minutes: i16,
    ) -> Result<RecordMap, GridwalkError> {
        self.write(async move |core| core.report_overdue(order, utc_offset_minutes).await).await
    }
}
