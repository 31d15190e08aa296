//! Campaigns' forms as they are filled in.

use gridwalk_model::RecordId;
use gridwalk_model::checklist::Answer;
use gridwalk_model::records::Submission;

use super::Device;
use crate::edit::Entry;
use crate::error::DeviceError;
use crate::work::checklists::{AskedLater, Filling, Submitted};

impl Device {
    /// Begins to fill a form, or goes on with the draft of it.
    ///
    /// # Errors
    /// As [`crate::Store::begin_submission`].
    pub async fn begin_submission(
        &self,
        form: RecordId,
        target: RecordId,
        task: Option<RecordId>,
    ) -> Result<Filling, DeviceError> {
        self.at_work(move |store, now| store.begin_submission(form, target, task, now)).await
    }

    /// Submissions that were begun and not sent: see [`crate::Store::open_submissions`].
    ///
    /// # Errors
    /// As there.
    pub async fn open_submissions(&self) -> Result<Vec<Entry<Submission>>, DeviceError> {
        self.with_store(|store, _| store.open_submissions()).await
    }

    /// A submission as it stands.
    ///
    /// # Errors
    /// As [`crate::Store::submission`].
    pub async fn submission(&self, submission: RecordId) -> Result<Filling, DeviceError> {
        self.with_store(move |store, _| store.submission(submission)).await
    }

    /// Answers an item of a form, or with `None` takes the answer back.
    ///
    /// # Errors
    /// As [`crate::Store::answer_form`].
    pub async fn answer_form(
        &self,
        submission: RecordId,
        item: &str,
        answer: Option<Answer>,
    ) -> Result<Filling, DeviceError> {
        let item = item.to_owned();
        self.at_work(move |store, now| store.answer_form(submission, &item, answer, now)).await
    }

    /// Sends a submission and writes what changed into the record.
    ///
    /// # Errors
    /// As [`crate::Store::submit`].
    pub async fn submit(&self, submission: RecordId) -> Result<Submitted, DeviceError> {
        self.at_work(move |store, now| store.submit(submission, now)).await
    }

    /// The worker's submissions that ask more by now: see [`crate::Store::asked_later`].
    ///
    /// # Errors
    /// As there.
    pub async fn asked_later(&self) -> Result<Vec<AskedLater>, DeviceError> {
        self.with_store(|store, now| store.asked_later(now)).await
    }

    /// Takes a submission back.
    ///
    /// # Errors
    /// As [`crate::Store::reopen_submission`].
    pub async fn reopen_submission(&self, submission: RecordId) -> Result<Filling, DeviceError> {
        self.at_work(move |store, now| store.reopen_submission(submission, now)).await
    }

    /// Throws a submission away that was not sent: see [`crate::Store::discard_submission`].
    ///
    /// # Errors
    /// As there.
    pub async fn discard_submission(&self, submission: RecordId) -> Result<(), DeviceError> {
        self.at_work(move |store, now| store.discard_submission(submission, now)).await
    }

    /// Takes a submission back that was thrown away: see [`crate::Store::restore_submission`].
    ///
    /// # Errors
    /// As there.
    pub async fn restore_submission(&self, submission: RecordId) -> Result<(), DeviceError> {
        self.at_work(move |store, now| store.restore_submission(submission, now)).await
    }
}
