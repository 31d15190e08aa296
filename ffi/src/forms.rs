//! Forms: pre-filled from the records, so that only changes are asked.

use gridwalk_device::work::checklists::{AskedLater, Filling, Submitted};
use gridwalk_model::checklist::{Answer, Review};
use gridwalk_model::records::{Form, Submission};
use gridwalk_model::{RecordId, Timestamp};

use crate::containers::{AnswerMap, ItemMap, NameSet};
use crate::device::Device;
use crate::error::GridwalkError;
use crate::kinds::SubmissionEntry;

/// A form as a screen shows it while it is filled, and afterwards.
#[uniffi::remote(Record)]
#[uniffi(name = "FormFilling")]
pub struct Filling {
    /// The submission's record.
    pub id: RecordId,
    /// The record that it is about. Of a person it is the one that stands for them, into whichever record the named one
    /// was merged meanwhile.
    pub subject: RecordId,
    /// The record.
    pub submission: Submission,
    /// The version of the form on which it was begun.
    pub form: Form,
    /// The items that this build can read.
    pub items: ItemMap,
    /// What the worker answered.
    pub answers: AnswerMap,
    /// What the record says where the worker did not answer.
    pub prefilled: AnswerMap,
    /// What is asked and lacking, over both.
    pub review: Review,
    /// Items of a submission that was sent which may be answered all the same: no build that had been installed then
    /// knew how to ask them.
    pub late: NameSet,
}

/// What a submission changed.
#[uniffi::remote(Record)]
#[uniffi(name = "FormSubmitted")]
pub struct Submitted {
    /// The fields of the record that were written.
    pub changed: NameSet,
    /// Items that wait for a newer build: they hold up nothing.
    pub needs_update: NameSet,
}

/// A form that was sent and asks more by now.
#[uniffi::remote(Record)]
#[uniffi(name = "FormAskedLater")]
pub struct AskedLater {
    /// The submission.
    pub submission: RecordId,
    /// What it is about.
    pub target: RecordId,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// The items, in no order.
    pub items: NameSet,
}

#[uniffi::export(async_runtime = "tokio")]
impl Device {
    /// Begins to fill a form about a record, or goes on with this worker's draft of it. Throws `Conflict`
    /// (`checklist.retired`, `checklist.wrong_target`), `NotFound`.
    pub async fn begin_submission(
        &self,
        form: RecordId,
        target: RecordId,
        task: Option<RecordId>,
    ) -> Result<Filling, GridwalkError> {
        self.write(async move |core| core.begin_submission(form, target, task).await).await
    }

    /// This worker's submissions that were not sent.
    pub async fn open_submissions(&self) -> Result<Vec<SubmissionEntry>, GridwalkError> {
        self.call(async |core| core.open_submissions().await).await
    }

    /// A submission as it stands.
    pub async fn submission(&self, submission: RecordId) -> Result<Filling, GridwalkError> {
        self.call(async move |core| core.submission(submission).await).await
    }

    /// Answers an item of a form, or without an answer takes it back. Durable when this returns.
    pub async fn answer_form(
        &self,
        submission: RecordId,
        item: String,
        answer: Option<Answer>,
    ) -> Result<Filling, GridwalkError> {
        self.write(async move |core| core.answer_form(submission, &item, answer).await).await
    }

    /// Sends a submission and writes what changed into the record. Throws `InvalidInput` with every item or field at
    /// fault.
    pub async fn submit(&self, submission: RecordId) -> Result<Submitted, GridwalkError> {
        self.write(async move |core| core.submit(submission).await).await
    }

    /// Throws a submission away that was not sent; the answers stay for `restore_submission`. Throws `Conflict`.
    pub async fn discard_submission(&self, submission: RecordId) -> Result<(), GridwalkError> {
        self.write(async move |core| core.discard_submission(submission).await).await
    }

    /// Takes a submission back that was thrown away.
    pub async fn restore_submission(&self, submission: RecordId) -> Result<(), GridwalkError> {
        self.write(async move |core| core.restore_submission(submission).await).await
    }

    /// This worker's submissions with items that could not be asked when they were sent and can be now, the oldest first.
    pub async fn asked_later(&self) -> Result<Vec<AskedLater>, GridwalkError> {
        self.call(async |core| core.asked_later().await).await
    }

    /// Takes a submission back: it is a draft again.
    pub async fn reopen_submission(&self, submission: RecordId) -> Result<Filling, GridwalkError> {
        self.write(async move |core| core.reopen_submission(submission).await).await
    }
}
