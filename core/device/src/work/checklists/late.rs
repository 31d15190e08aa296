//! Items of forms that were sent before any installed build could ask them. They hold up nothing when a form is sent;
//! once a build knows their kind, they are asked, and only they.
//!
//! Which they are follows from form and answers: a form is sent when nothing is lacking, so what is lacking in a sent one
//! could not be asked then.

use std::collections::{BTreeMap, BTreeSet};

use gridwalk_model::checklist::{Answer, ItemKind, Review};
use gridwalk_model::records::{Form, Submission};
use gridwalk_model::{Fields, RecordId, Timestamp, Value, codec, forms};

use super::ChecklistError;
use super::session::{put_element, take_element};
use super::submission::{Filling, is_held, read};
use crate::error::DeviceError;
use crate::store::Store;

/// A form that was sent and asks more by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedLater {
    /// The submission.
    pub submission: RecordId,
    /// What it is about.
    pub target: RecordId,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// The items, in no order.
    pub items: BTreeSet<String>,
}

/// What may be answered in a submission that was sent: what is lacking in it, and what was answered since.
pub(super) fn items(
    submission: &Submission,
    answers: &BTreeMap<String, Answer>,
    review: &Review,
) -> BTreeSet<String> {
    let Some(sent) = submission.submitted_at else { return BTreeSet::new() };
    let since = |item: &&String| answers.get(*item).and_then(|answer| answer.at).is_some_and(|at| at > sent);
    let open = review.asked.iter().filter(|item| review.lacking.contains_key(*item) || since(item));
    open.cloned().collect()
}

impl Store {
    /// This worker's submissions with items that could not be asked when they were sent and can be now, the oldest
    /// first. Forms that are no longer taken are left out.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn asked_later(&self, now: Timestamp) -> Result<Vec<AskedLater>, DeviceError> {
        let user = self.identity().map(|identity| identity.user);
        let mut out = Vec::new();
        for form in self.every::<Form>()? {
            if !forms::is_taken(form.record.retired_at, now) {
                continue;
            }
            let known = forms::items_of(&form.record);
            for sent in self.list_linked::<Submission>("form", form.id)? {
                let unanswered = known.iter().any(|(id, item)| {
                    !matches!(item.kind, ItemKind::Other(_)) && !sent.record.answers.contains_key(id)
                });
                let Some(sent_at) = sent.record.submitted_at else { continue };
                if Some(sent.record.by) != user || !unanswered {
                    continue;
                }
                let filling = self.submission(sent.id)?;
                let items: BTreeSet<String> = filling.review.lacking.into_keys().collect();
                if !items.is_empty() {
                    out.push(AskedLater { submission: sent.id, target: filling.subject, sent_at, items });
                }
            }
        }
        out.sort_by_key(|asked| (asked.sent_at, asked.submission));
        Ok(out)
    }

    /// Answers such an item, or takes that answer back: submission and record in one commit.
    pub(super) fn answer_later(
        &mut self,
        filling: &Filling,
        item: &str,
        answer: Option<Answer>,
        now: Timestamp,
    ) -> Result<Filling, DeviceError> {
        let (id, target) = (filling.id, filling.subject);
        let (_, fields) = self.fields(id)?.ok_or(DeviceError::UnknownRecord { record: id })?;
        let (_, known) = self.fields(target)?.ok_or(DeviceError::UnknownRecord { record: target })?;
        let field = filling.field(item);
        let standing = field.and_then(|field| known.get(field.name)).cloned().unwrap_or(Value::Null);
        let before = read(&filling.submission.before).remove(item);
        let given = filling.answers.get(item);
        let (mut patch, mut record) = (Fields::new(), Fields::new());
        match answer {
            Some(answer) => {
                if !is_held(filling, item, &answer) {
                    return Err(ChecklistError::BadAnswer { item: item.to_owned() }.into());
                }
                let answer = Answer { at: Some(now), ..answer };
                let value = field.and_then(|field| Some((field, forms::value_of(field, &answer)?)));
                if let Some((field, value)) = value.filter(|(_, value)| *value != standing) {
                    if before.is_none() {
                        let was = filling.kind().map(|kind| forms::prefill(kind, &filling.items, &known));
                        let was = was.and_then(|mut was| was.remove(item)).unwrap_or_default();
                        let bytes = Value::Bytes(codec::to_bytes(&was));
                        put_element(&mut patch, &fields, format!("before/{item}"), bytes);
                    }
                    record.insert(field.name.to_owned(), value);
                }
                let bytes = Value::Bytes(codec::to_bytes(&answer));
                put_element(&mut patch, &fields, format!("answers/{item}"), bytes);
            }
            None if given.is_some() => {
                take_element(&mut patch, &format!("answers/{item}"));
                if let (Some(before), Some(field)) = (&before, field) {
                    take_element(&mut patch, &format!("before/{item}"));
                    let wrote = given.and_then(|given| forms::value_of(field, given));
                    if wrote.as_ref() == Some(&standing) {
                        let old = forms::value_of(field, before).unwrap_or(Value::Null);
                        record.insert(field.name.to_owned(), old);
                    }
                }
            }
            None => {}
        }
        self.edits(now, |edits| {
            edits.edit(target, &record)?;
            edits.edit(id, &patch)
        })?;
        self.submission(id)
    }
}
