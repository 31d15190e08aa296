//! Sessions: begun, answered item by item, resumed.

use std::collections::{BTreeMap, BTreeSet};

use gridwalk_model::checklist::{
    Answer, Known, PLACE_CATEGORY, Review, Scope, SignatureRole, Template, review,
};
use gridwalk_model::place_categories::category_code;
use gridwalk_model::records::task::TaskKind;
use gridwalk_model::records::{Checklist, Inspection, Place, Task};
use gridwalk_model::{Fields, Record, RecordId, Timestamp, Value, codec};

use super::ChecklistError;
use crate::edit::Entry;
use crate::error::DeviceError;
use crate::store::Store;
use crate::work::tasks;

/// A checklist that may be filled at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    pub items: usize,
}

/// An inspection as a screen shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// The inspection's record.
    pub id: RecordId,
    /// The record.
    pub inspection: Inspection,
    /// The version of the checklist on which it was begun.
    pub template: Template,
    /// The answers that were given in it.
    pub answers: BTreeMap<String, Answer>,
    /// What is asked, lacking, failed, and the score.
    pub review: Review,
    /// The item to go on with: the first that lacks something behind the one answered last, else the first of all.
    pub next: Option<String>,
    /// Photos of the inspection that belong to no answer: taken, but not yet sorted.
    pub loose_photos: Vec<RecordId>,
    /// Who has signed exactly these answers.
    pub signed: BTreeSet<SignatureRole>,
    /// What conditions saw beside these answers.
    pub(super) scope: Scope,
}

/// What an answer changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The answer that it replaced: given again, it undoes this one; without one, [`Store::clear_answer`] does.
    pub previous: Option<Answer>,
    /// How things stand now.
    pub session: Session,
}

impl Session {
    /// Whether it is finished.
    pub const fn is_finished(&self) -> bool {
        self.inspection.ended_at.is_some()
    }

    fn open(self) -> Result<Self, ChecklistError> {
        if self.is_finished() { Err(ChecklistError::Finished { inspection: self.id }) } else { Ok(self) }
    }
}

/// The answers of an inspection; one that this build cannot read counts as not given.
pub(super) fn answers_of(inspection: &Inspection) -> BTreeMap<String, Answer> {
    let read = |(item, bytes): (&String, &Vec<u8>)| Some((item.clone(), codec::from_bytes(bytes).ok()?));
    inspection.answers.iter().filter_map(read).collect()
}

/// Writes an element of a set, back in if it had been taken out.
pub(super) fn put_element(patch: &mut Fields, now: &Fields, key: String, value: Value) {
    let flag = format!("{key}/removed");
    if now.get(&flag) == Some(&Value::Flag(true)) {
        patch.insert(flag, Value::Flag(false));
    }
    patch.insert(key, value);
}

/// Takes an element out of a set.
pub(super) fn take_element(patch: &mut Fields, key: &str) {
    patch.insert(format!("{key}/removed"), Value::Flag(true));
}

impl Store {
    /// The checklists for a place: of each the latest version that is not retired, by its categories.
    ///
    /// # Errors
    /// [`DeviceError::UnknownRecord`], failures of SQLite.
    pub fn checklists_for(&self, place: RecordId) -> Result<Vec<OfferedChecklist>, DeviceError> {
        let place = self.expect_record::<Place>(place)?.record;
        let mut latest: BTreeMap<String, Entry<Checklist>> = BTreeMap::new();
        for entry in self.every::<Checklist>()? {
            let newer =
                latest.get(&entry.record.code).is_none_or(|old| old.record.version < entry.record.version);
            if newer && entry.record.retired_at.is_none() {
                latest.insert(entry.record.code.clone(), entry);
            }
        }
        let fits = |entry: &Entry<Checklist>| Template::from_record(&entry.record).is_for(&place.category);
        let offered = latest.into_values().filter(fits).map(|entry| OfferedChecklist {
            id: entry.id,
            items: entry.record.items.len(),
            code: entry.record.code,
            name: entry.record.name,
            name_en: entry.record.name_en,
        });
        Ok(offered.collect())
    }

    /// Begins an inspection, or goes on with the one that this worker has open at the place with this checklist: after a
    /// crash before the answer arrived, the same call finds what it had begun. An open task of inspecting the place is
    /// fulfilled by it when `task` is not given.
    ///
    /// # Errors
    /// [`ChecklistError::Retired`], [`ChecklistError::WrongTask`], [`DeviceError::UnknownRecord`], those of an edit.
    pub fn begin_inspection(
        &mut self,
        place: RecordId,
        checklist: RecordId,
        task: Option<RecordId>,
        now: Timestamp,
    ) -> Result<Session, DeviceError> {
        let open = self.open_inspections()?.into_iter().find(|entry| {
            let own = &entry.record;
            own.place == place && own.checklist == checklist && own.order.is_none()
        });
        if let Some(open) = open {
            return self.inspection_session(open.id);
        }
        self.expect_record::<Place>(place)?;
        if self.expect_record::<Checklist>(checklist)?.record.retired_at.is_some() {
            return Err(ChecklistError::Retired { checklist }.into());
        }
        let task = match task {
            Some(task) => Some(self.fitting(task, &TaskKind::Inspection, place)?),
            None => tasks::open_about(self.view(), &TaskKind::Inspection, place)?.into_iter().next(),
        };
        self.begin(place, checklist, task, None, now)
    }

    pub(super) fn begin(
        &mut self,
        place: RecordId,
        checklist: RecordId,
        task: Option<RecordId>,
        order: Option<RecordId>,
        now: Timestamp,
    ) -> Result<Session, DeviceError> {
        let inspector = self.identity().ok_or(DeviceError::NotEnrolled)?.user;
        let inspection = Inspection {
            place,
            checklist,
            inspector,
            started_at: now,
            ended_at: None,
            answers: BTreeMap::new(),
            findings: BTreeMap::new(),
            photos: BTreeMap::new(),
            voices: BTreeMap::new(),
            signatures: BTreeMap::new(),
            score: None,
            position: None,
            task,
            order,
            unsigned_reason: None,
            remarks: None,
        };
        let id = self.create(&inspection, now)?;
        self.inspection_session(id)
    }

    /// A task that this work is to fulfil.
    pub(super) fn fitting(
        &self,
        task: RecordId,
        kind: &TaskKind,
        target: RecordId,
    ) -> Result<RecordId, DeviceError> {
        let found = self.expect_record::<Task>(task)?;
        if tasks::fits(self.view(), &found.record, kind, target)? {
            return Ok(task);
        }
        Err(ChecklistError::WrongTask { task }.into())
    }

    /// This worker's inspections that are not finished, the latest first: what to go on with after a start.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn open_inspections(&self) -> Result<Vec<Entry<Inspection>>, DeviceError> {
        let user = self.identity().map(|identity| identity.user);
        let mut all = self.every::<Inspection>()?;
        all.retain(|entry| entry.record.ended_at.is_none() && Some(entry.record.inspector) == user);
        Ok(all)
    }

    /// An inspection as it stands, finished or not.
    ///
    /// # Errors
    /// [`DeviceError::UnknownRecord`] for it, its checklist or its place.
    pub fn inspection_session(&self, id: RecordId) -> Result<Session, DeviceError> {
        let inspection = self.expect_record::<Inspection>(id)?.record;
        let template = Template::from_record(&self.expect_record::<Checklist>(inspection.checklist)?.record);
        let place = self.get::<Place>(inspection.place)?;
        let mut scope = Scope::default();
        if let Some(place) = place {
            let code = category_code(&place.record.category).to_owned();
            scope.facts.insert(PLACE_CATEGORY.into(), Known::Text(code));
        }
        let answers = answers_of(&inspection);
        let mut seen = answers.clone();
        if let Some(order) = inspection.order {
            let (only, before) = self.recheck_scope(order, id)?;
            for (item, answer) in before {
                if !only.contains(&item) {
                    seen.entry(item).or_insert(answer);
                }
            }
            scope.only = Some(only);
        }
        let review = review(&template.items, &seen, &scope);
        let next = next_after_last(&review, &answers);
        let used: BTreeSet<RecordId> =
            answers.values().flat_map(|answer| answer.photos.iter().copied()).collect();
        let drawn = super::evidence::signature_photos(&inspection);
        let signed = super::evidence::signed(&inspection);
        let loose_photos = inspection
            .photos
            .keys()
            .filter_map(|element| element.parse().ok())
            .filter(|element| !used.contains(element) && !drawn.contains(element))
            .collect();
        Ok(Session { id, inspection, template, answers, review, next, loose_photos, signed, scope })
    }

    /// Answers an item. Durable when this returns. Photos of the answer before stay with it unless the new one names
    /// photos itself; the time of the answer is `now`.
    ///
    /// # Errors
    /// [`ChecklistError::Finished`], [`ChecklistError::NotAsked`], [`ChecklistError::BadAnswer`], those of an edit.
    pub fn answer_item(
        &mut self,
        inspection: RecordId,
        item: &str,
        answer: Answer,
        now: Timestamp,
    ) -> Result<Answered, DeviceError> {
        let session = self.inspection_session(inspection)?.open()?;
        if !session.review.asked.iter().any(|asked| asked == item) {
            return Err(ChecklistError::NotAsked { item: item.to_owned() }.into());
        }
        let previous = session.answers.get(item).cloned();
        let mut answer = Answer { at: Some(now), ..answer };
        if answer.photos.is_empty() {
            answer.photos = previous.as_ref().map(|previous| previous.photos.clone()).unwrap_or_default();
        }
        let has = |photo: &RecordId| session.inspection.photos.contains_key(&photo.to_hex());
        if answer.number.is_some_and(|number| !number.is_finite()) || !answer.photos.iter().all(has) {
            return Err(ChecklistError::BadAnswer { item: item.to_owned() }.into());
        }
        let (_, fields) =
            self.fields(inspection)?.ok_or(DeviceError::UnknownRecord { record: inspection })?;
        let mut patch = Fields::new();
        put_element(&mut patch, &fields, format!("answers/{item}"), Value::Bytes(codec::to_bytes(&answer)));
        self.edit(inspection, &patch, now)?;
        Ok(Answered { previous, session: self.inspection_session(inspection)? })
    }

    /// Takes an answer back.
    ///
    /// # Errors
    /// [`ChecklistError::Finished`], those of an edit.
    pub fn clear_answer(
        &mut self,
        inspection: RecordId,
        item: &str,
        now: Timestamp,
    ) -> Result<Answered, DeviceError> {
        let session = self.inspection_session(inspection)?.open()?;
        let previous = session.answers.get(item).cloned();
        if previous.is_some() {
            let mut patch = Fields::new();
            take_element(&mut patch, &format!("answers/{item}"));
            self.edit(inspection, &patch, now)?;
        }
        Ok(Answered { previous, session: self.inspection_session(inspection)? })
    }

    /// Throws an unfinished inspection away; [`Self::restore_inspection`] brings it back.
    ///
    /// # Errors
    /// [`ChecklistError::Finished`], those of an edit.
    pub fn discard_inspection(&mut self, inspection: RecordId, now: Timestamp) -> Result<(), DeviceError> {
        self.inspection_session(inspection)?.open()?;
        self.remove(inspection, now)?;
        Ok(())
    }

    /// Takes an inspection back that was thrown away: it is open again with its answers and photos.
    ///
    /// # Errors
    /// [`DeviceError::UnknownRecord`], [`DeviceError::WrongKind`], those of an edit.
    pub fn restore_inspection(
        &mut self,
        inspection: RecordId,
        now: Timestamp,
    ) -> Result<Session, DeviceError> {
        self.expect_record::<Inspection>(inspection)?;
        self.restore(inspection, now)?;
        self.inspection_session(inspection)
    }

    /// An inspection that is still open.
    pub(crate) fn open_session(&self, inspection: RecordId) -> Result<Session, DeviceError> {
        Ok(self.inspection_session(inspection)?.open()?)
    }

    pub(super) fn expect_record<T: Record>(&self, id: RecordId) -> Result<Entry<T>, DeviceError> {
        self.get::<T>(id)?.ok_or(DeviceError::UnknownRecord { record: id })
    }

    /// All records of a kind that are few: templates, inspections, orders of one grid.
    pub(super) fn every<T: Record>(&self) -> Result<Vec<Entry<T>>, DeviceError> {
        let mut out = Vec::new();
        let mut after = None;
        loop {
            let page = self.list::<T>(after.as_ref(), 200)?;
            out.extend(page.entries);
            after = page.next;
            if after.is_none() {
                return Ok(out);
            }
        }
    }
}

fn next_after_last(review: &Review, answers: &BTreeMap<String, Answer>) -> Option<String> {
    let answered = |item: &&String| answers.get(*item).and_then(|answer| answer.at);
    let last = review.asked.iter().filter(|item| answered(item).is_some()).max_by_key(answered);
    let behind = review.asked.iter().skip_while(|item| Some(*item) != last);
    let mut lacking = behind.filter(|item| review.lacking.contains_key(*item));
    lacking.next().map(String::as_str).or_else(|| review.next()).map(str::to_owned)
}
