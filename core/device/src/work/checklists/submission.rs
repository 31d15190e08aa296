//! Submissions: a campaign's form filled about a record. What the record says is filled in; only what the worker
//! answers otherwise is written back, when the submission is sent.

use std::collections::{BTreeMap, BTreeSet};

use gridwalk_model::checklist::{Answer, ChecklistItem, ItemKind, Review, Scope, review};
use gridwalk_model::records::task::TaskKind;
use gridwalk_model::records::{Form, Submission};
use gridwalk_model::schema::FieldSchema;
use gridwalk_model::{Fields, Kind, RecordId, Timestamp, Value, codec, forms};

use super::ChecklistError;
use super::session::{put_element, take_element};
use crate::edit::Entry;
use crate::error::DeviceError;
use crate::store::Store;
use crate::work::{people, tasks};

/// A form as a screen shows it while it is filled, and afterwards.
#[derive(Clone, Debug, PartialEq)]
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
    pub items: BTreeMap<String, ChecklistItem>,
    /// What the worker answered.
    pub answers: BTreeMap<String, Answer>,
    /// What the record says where the worker did not answer.
    pub prefilled: BTreeMap<String, Answer>,
    /// What is asked and lacking, over both.
    pub review: Review,
    /// Items of a submission that was sent which may be answered all the same: no build that had been installed then
    /// knew how to ask them.
    pub late: BTreeSet<String>,
}

/// What a submission changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// The fields of the record that were written.
    pub changed: BTreeSet<String>,
    /// Items that wait for a newer build: they hold up nothing.
    pub needs_update: BTreeSet<String>,
}

impl Filling {
    fn open(self) -> Result<Self, ChecklistError> {
        if self.submission.submitted_at.is_some() {
            Err(ChecklistError::Finished { inspection: self.id })
        } else {
            Ok(self)
        }
    }

    pub(super) fn kind(&self) -> Option<Kind> {
        forms::target_of(&self.form)
    }

    /// The field behind an item.
    pub(super) fn field(&self, item: &str) -> Option<&'static FieldSchema> {
        let item = self.items.get(item)?;
        forms::mapped(self.kind()?, item, item.field.as_deref()?)
    }
}

/// Whether an answer is one that the item and the field behind it can hold.
pub(super) fn is_held(filling: &Filling, item: &str, answer: &Answer) -> bool {
    let held = filling.field(item).is_none_or(|field| forms::value_of(field, answer).is_some());
    let finite = answer.number.is_none_or(f64::is_finite);
    let dated = filling.items.get(item).is_none_or(|item| {
        let day = answer.text.as_deref().and_then(gridwalk_model::records::parse_date);
        item.kind != ItemKind::Date || day.is_some()
    });
    held && finite && dated
}

pub(super) fn read(entries: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Answer> {
    entries.iter().filter_map(|(item, bytes)| Some((item.clone(), codec::from_bytes(bytes).ok()?))).collect()
}

/// Whether two answers say the same, whenever they were given.
fn same(one: &Answer, other: &Answer) -> bool {
    (&one.outcome, one.number, &one.text, &one.choice)
        == (&other.outcome, other.number, &other.text, &other.choice)
}

impl Store {
    /// Begins to fill a form, or goes on with this worker's draft of it.
    ///
    /// # Errors
    /// [`ChecklistError::Retired`], [`ChecklistError::WrongTarget`], [`ChecklistError::WrongTask`],
    /// [`DeviceError::UnknownRecord`], those of an edit.
    pub fn begin_submission(
        &mut self,
        form: RecordId,
        target: RecordId,
        task: Option<RecordId>,
        now: Timestamp,
    ) -> Result<Filling, DeviceError> {
        let by = self.identity().ok_or(DeviceError::NotEnrolled)?.user;
        let target = people::standing_for(self.view(), target)?;
        for open in self.open_submissions()?.into_iter().filter(|entry| entry.record.form == form) {
            if people::standing_for(self.view(), open.record.target)? == target {
                return self.submission(open.id);
            }
        }
        let record = self.expect_record::<Form>(form)?.record;
        if record.retired_at.is_some() {
            return Err(ChecklistError::Retired { checklist: form }.into());
        }
        let (kind, _) = self.fields(target)?.ok_or(DeviceError::UnknownRecord { record: target })?;
        if forms::target_of(&record).map(Kind::tag) != Some(kind.as_str()) {
            return Err(ChecklistError::WrongTarget { target }.into());
        }
        let task = task.map(|task| self.fitting(task, &TaskKind::Submission, target)).transpose()?;
        let submission = Submission {
            form,
            target,
            by,
            started_at: now,
            submitted_at: None,
            answers: BTreeMap::new(),
            before: BTreeMap::new(),
            task,
        };
        let id = self.create(&submission, now)?;
        self.submission(id)
    }

    /// This worker's submissions that were not sent.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn open_submissions(&self) -> Result<Vec<Entry<Submission>>, DeviceError> {
        let user = self.identity().map(|identity| identity.user);
        let mut all = self.every::<Submission>()?;
        all.retain(|entry| entry.record.submitted_at.is_none() && Some(entry.record.by) == user);
        Ok(all)
    }

    /// Throws a submission away that was not sent; [`Self::restore_submission`] brings it back.
    ///
    /// # Errors
    /// [`ChecklistError::Finished`], those of an edit.
    pub fn discard_submission(&mut self, submission: RecordId, now: Timestamp) -> Result<(), DeviceError> {
        self.submission(submission)?.open()?;
        self.remove(submission, now).map(drop)
    }

    /// Takes a submission back that was thrown away.
    ///
    /// # Errors
    /// Those of an edit.
    pub fn restore_submission(&mut self, submission: RecordId, now: Timestamp) -> Result<(), DeviceError> {
        self.edits(now, |edits| edits.restore(submission)).map(drop)
    }

    /// A submission as it stands.
    ///
    /// # Errors
    /// [`DeviceError::UnknownRecord`] for it or its form.
    pub fn submission(&self, id: RecordId) -> Result<Filling, DeviceError> {
        let submission = self.expect_record::<Submission>(id)?.record;
        let form = self.expect_record::<Form>(submission.form)?.record;
        let items = forms::items_of(&form);
        let answers = read(&submission.answers);
        let subject = people::standing_for(self.view(), submission.target)?;
        let mut prefilled = match (forms::target_of(&form), self.fields(subject)?) {
            (Some(kind), Some((_, fields))) if submission.submitted_at.is_none() => {
                forms::prefill(kind, &items, &fields)
            }
            _ => BTreeMap::new(),
        };
        prefilled.retain(|item, _| !answers.contains_key(item));
        let mut all = prefilled.clone();
        all.extend(answers.clone());
        let review = review(&items, &all, &Scope::default());
        let late = super::late::items(&submission, &answers, &review);
        Ok(Filling { id, subject, submission, form, items, answers, prefilled, review, late })
    }

    /// Answers an item of a form, or with `None` takes the answer back. Durable when this returns. Of a form that was
    /// sent, only items that could not be asked then ([`Filling::late`]); such an answer goes into the record at once.
    ///
    /// # Errors
    /// [`ChecklistError::Finished`], [`ChecklistError::NotAsked`], [`ChecklistError::BadAnswer`] for one that the mapped
    /// field could not hold, those of an edit.
    pub fn answer_form(
        &mut self,
        submission: RecordId,
        item: &str,
        answer: Option<Answer>,
        now: Timestamp,
    ) -> Result<Filling, DeviceError> {
        let filling = self.submission(submission)?;
        if filling.late.contains(item) {
            return self.answer_later(&filling, item, answer, now);
        }
        let filling = filling.open()?;
        let key = format!("answers/{item}");
        let mut patch = Fields::new();
        match answer {
            Some(answer) => {
                if !filling.review.asked.iter().any(|asked| asked == item) {
                    return Err(ChecklistError::NotAsked { item: item.to_owned() }.into());
                }
                let bad = || ChecklistError::BadAnswer { item: item.to_owned() };
                if !is_held(&filling, item, &answer) {
                    return Err(bad().into());
                }
                let (_, fields) = self.fields(submission)?.ok_or_else(bad)?;
                let answer = Answer { at: Some(now), ..answer };
                put_element(&mut patch, &fields, key, Value::Bytes(codec::to_bytes(&answer)));
            }
            None if filling.answers.contains_key(item) => take_element(&mut patch, &key),
            None => {}
        }
        self.edit(submission, &patch, now)?;
        self.submission(submission)
    }

    /// Sends a submission: what the worker answered otherwise than the record says is written into the record, what was
    /// filled in and left is kept in the submission, the task is done. All in one commit. A draft on a version that was
    /// retired is taken for 90 days.
    ///
    /// # Errors
    /// [`ChecklistError::Incomplete`], [`ChecklistError::Retired`], [`ChecklistError::Finished`]; [`DeviceError::Invalid`]
    /// where the record does not take a value.
    pub fn submit(&mut self, submission: RecordId, now: Timestamp) -> Result<Submitted, DeviceError> {
        let filling = self.submission(submission)?.open()?;
        if !filling.review.is_complete() {
            return Err(ChecklistError::Incomplete { lacking: filling.review.lacking }.into());
        }
        if !forms::is_taken(filling.form.retired_at, now) {
            return Err(ChecklistError::Retired { checklist: filling.submission.form }.into());
        }
        let target = filling.subject;
        let (_, known) = self.fields(target)?.ok_or(DeviceError::UnknownRecord { record: target })?;
        let (_, fields) =
            self.fields(submission)?.ok_or(DeviceError::UnknownRecord { record: submission })?;
        let was = filling.kind().map(|kind| forms::prefill(kind, &filling.items, &known)).unwrap_or_default();
        let mut patch = Fields::from([("submitted_at".to_owned(), Value::Time(now))]);
        let mut record = Fields::new();
        for item in &filling.review.asked {
            let answer = filling.answers.get(item);
            if let Some(filled) = filling.prefilled.get(item) {
                let bytes = Value::Bytes(codec::to_bytes(filled));
                put_element(&mut patch, &fields, format!("answers/{item}"), bytes);
            }
            let (Some(answer), Some(field)) = (answer, filling.field(item)) else { continue };
            let before = was.get(item).cloned().unwrap_or_default();
            if same(&before, answer) {
                continue;
            }
            if let Some(value) = forms::value_of(field, answer) {
                record.insert(field.name.to_owned(), value);
                let bytes = Value::Bytes(codec::to_bytes(&before));
                put_element(&mut patch, &fields, format!("before/{item}"), bytes);
            }
        }
        let task = filling.submission.task;
        let changed = record.keys().cloned().collect();
        self.edits(now, |edits| {
            edits.edit(target, &record)?;
            edits.edit(submission, &patch)?;
            match task {
                Some(task) => tasks::settle(edits, task, &TaskKind::Submission, target, submission),
                None => Ok(()),
            }
        })?;
        Ok(Submitted { changed, needs_update: filling.review.needs_update })
    }

    /// Takes a submission back: it is a draft again, and each field that it wrote and nobody has changed since says what
    /// it said before.
    ///
    /// # Errors
    /// [`ChecklistError::NotFinished`], those of an edit.
    pub fn reopen_submission(
        &mut self,
        submission: RecordId,
        now: Timestamp,
    ) -> Result<Filling, DeviceError> {
        let filling = self.submission(submission)?;
        if filling.submission.submitted_at.is_none() {
            return Err(ChecklistError::NotFinished { inspection: submission }.into());
        }
        let target = filling.subject;
        let (_, known) = self.fields(target)?.ok_or(DeviceError::UnknownRecord { record: target })?;
        let mut record = Fields::new();
        let mut patch = Fields::from([("submitted_at".to_owned(), Value::Null)]);
        // What was filled in and left is filled in anew.
        for (item, _) in filling.answers.iter().filter(|(_, answer)| answer.at.is_none()) {
            take_element(&mut patch, &format!("answers/{item}"));
        }
        for (item, before) in read(&filling.submission.before) {
            take_element(&mut patch, &format!("before/{item}"));
            let (Some(field), Some(answer)) = (filling.field(&item), filling.answers.get(&item)) else {
                continue;
            };
            if known.get(field.name) == forms::value_of(field, answer).as_ref() {
                let old = forms::value_of(field, &before).unwrap_or(Value::Null);
                record.insert(field.name.to_owned(), old);
            }
        }
        let task = filling.submission.task;
        self.edits(now, |edits| {
            edits.edit(target, &record)?;
            edits.edit(submission, &patch)?;
            task.map_or(Ok(()), |task| tasks::reopen(edits, task, submission))
        })?;
        self.submission(submission)
    }
}
