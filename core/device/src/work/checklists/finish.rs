//! What follows from a finished session, in one commit.

use std::collections::BTreeMap;

use gridwalk_model::checklist::{Finding, Lack, Review, SignatureRole, Template};
use gridwalk_model::event::{Action, LogEntry};
use gridwalk_model::geo::Position;
use gridwalk_model::records::event::EventSource;
use gridwalk_model::records::task::{TaskKind, TaskState};
use gridwalk_model::records::{Event, Inspection, Place, RectificationOrder, Task};
use gridwalk_model::validate::{FieldError, Reason};
use gridwalk_model::{Fields, Kind, Record, RecordId, Timestamp, Value, codec};
use jiff::ToSpan;
use jiff::civil::Date;

use super::ChecklistError;
use super::session::{Session, put_element};
use crate::edit::{Edits, Entry};
use crate::error::DeviceError;
use crate::store::{Store, day_in};
use crate::work::tasks;

/// Longest text of a finding in an order, in characters.
const ITEM_CHARS: usize = 500;

/// What the worker decides at the end of an inspection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FinishPlan {
    /// Last day for putting right what failed; by default the earliest of its items.
    pub deadline: Option<Date>,
    /// The department in the lead.
    pub lead_unit: Option<RecordId>,
    /// Why a signature is missing.
    pub unsigned_reason: Option<String>,
    /// Where the inspection was made.
    pub position: Option<Position>,
}

/// What came of a finished inspection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Score, grade, what failed.
    pub review: Review,
    /// The order that it made, or that it looked at again.
    pub order: Option<RecordId>,
    /// The task of checking again; none if there is nothing to.
    pub recheck_task: Option<RecordId>,
    /// Events that were made, by item.
    pub events: BTreeMap<String, RecordId>,
}

/// What events of findings have in common.
pub(super) struct Hazard<'a> {
    pub(super) inspection: RecordId,
    pub(super) record: &'a Inspection,
    pub(super) template: &'a Template,
    pub(super) place: &'a Entry<Place>,
    pub(super) user: RecordId,
}

impl Hazard<'_> {
    /// Makes the event of a finding, reported by this worker; `None` if the template names no category for it.
    pub(super) fn report(
        &self,
        edits: &mut Edits<'_, '_>,
        finding: &Finding,
    ) -> Result<Option<RecordId>, DeviceError> {
        let Some(category) = self.template.event_category(&finding.item) else { return Ok(None) };
        let now = edits.now();
        let place = &self.place.record;
        let mut report = LogEntry::new(edits.new_id()?, None, now, self.user, Action::Report);
        report.category = Some(category.to_owned());
        report.photos.clone_from(&finding.photos);
        report.position = self.record.position.or(place.position);
        report.occurred_at = Some(self.record.started_at);
        let photos = finding.photos.iter().filter_map(|element| {
            let element = element.to_hex();
            let bytes = self.record.photos.get(&element)?.clone();
            Some((element, bytes))
        });
        let event = Event {
            area: place.area,
            number: Some(edits.tx().issue_event_number(now)?.to_string()),
            category: category.to_owned(),
            description: Some(text_of(self.template, finding)),
            address: place.address.clone(),
            position: report.position,
            place: Some(self.place.id),
            dwelling: place.dwelling,
            inspection: Some(self.inspection),
            source: Some(EventSource::Inspection),
            reporter: Some(self.user),
            occurred_at: report.occurred_at,
            external_number: None,
            external_due: None,
            photos: photos.collect(),
            voices: BTreeMap::new(),
            log: BTreeMap::from([(report.id.to_hex(), report.to_bytes())]),
        };
        edits.create(&event).map(Some)
    }
}

/// What was found, in words.
fn text_of(template: &Template, finding: &Finding) -> String {
    let asked = template.items.get(&finding.item).map_or(finding.item.as_str(), |item| item.zh.as_str());
    let text = match &finding.text {
        Some(seen) => format!("{asked}：{seen}"),
        None => asked.to_owned(),
    };
    text.chars().take(ITEM_CHARS).collect()
}

/// The task of looking at a place again: of whoever has the grid by then, which after a handover is a substitute.
fn recheck_task(place: &Entry<Place>, due: Timestamp) -> Task {
    Task {
        area: place.record.area,
        task_kind: TaskKind::Recheck,
        title: None,
        target: Some(place.id),
        due: Some(due),
        assignee: None,
        unit: None,
        state: Some(TaskState::Open),
        done_at: None,
        result: None,
        campaign: None,
        remarks: None,
    }
}

struct Finish<'a> {
    session: &'a Session,
    hazard: Hazard<'a>,
    order: Option<Entry<RectificationOrder>>,
    order_fields: Fields,
    /// Events that exist already, by item.
    reported: BTreeMap<String, RecordId>,
    overdue: bool,
    deadline: Date,
    due: Timestamp,
    plan: &'a FinishPlan,
    fields: Fields,
}

impl Store {
    /// Finishes an inspection: its findings, score and end, the order to put right what failed with a task of checking
    /// again, an event for each major finding, and the end of the task that it fulfils. A recheck settles its order, or
    /// gives it a new deadline; what still fails after the old one becomes an event. All in one commit;
    /// [`Store::reopen_inspection`] takes it back.
    ///
    /// # Errors
    /// [`ChecklistError::Incomplete`] with everything that is lacking, [`ChecklistError::Finished`],
    /// [`DeviceError::Invalid`] for a deadline that has passed, those of an edit.
    pub fn finish_inspection(
        &mut self,
        inspection: RecordId,
        plan: &FinishPlan,
        now: Timestamp,
    ) -> Result<Finished, DeviceError> {
        let session = self.open_session(inspection)?;
        let lacking = lacking(&session, plan);
        if !lacking.is_empty() {
            return Err(ChecklistError::Incomplete { lacking }.into());
        }
        let user = self.identity().ok_or(DeviceError::NotEnrolled)?.user;
        let place = self.expect_record::<Place>(session.inspection.place)?;
        let order = match session.inspection.order {
            Some(order) => Some(self.expect_record::<RectificationOrder>(order)?),
            None => None,
        };
        let reported = match &order {
            Some(order) => self.events_of_order(order)?,
            None => BTreeMap::new(),
        };
        let order_fields = match &order {
            Some(order) => self.fields(order.id)?.map(|(_, fields)| fields).unwrap_or_default(),
            None => Fields::new(),
        };
        let local = self.field_rules()?.local();
        let today = day_in(local, now)?;
        let deadline = deadline(&session, plan, today)?;
        let (_, fields) =
            self.fields(inspection)?.ok_or(DeviceError::UnknownRecord { record: inspection })?;
        let hazard = Hazard {
            inspection,
            record: &session.inspection,
            template: &session.template,
            place: &place,
            user,
        };
        let finish = Finish {
            session: &session,
            hazard,
            overdue: order.as_ref().is_some_and(|order| order.record.deadline < today),
            order,
            order_fields,
            reported,
            deadline,
            due: local.end_of(deadline).ok_or(DeviceError::Bug("a day beyond the calendar"))?,
            plan,
            fields,
        };
        self.edits(now, |edits| finish.write(edits))
    }
}

/// What is lacking, signatures included.
fn lacking(session: &Session, plan: &FinishPlan) -> BTreeMap<String, Lack> {
    let mut lacking = session.review.lacking.clone();
    if plan.unsigned_reason.as_deref().is_none_or(|reason| reason.trim().is_empty()) {
        let signed = &session.signed;
        for role in [SignatureRole::Worker, SignatureRole::Manager] {
            if !signed.contains(&role) {
                lacking.insert(format!("signatures/{}", role.word()), Lack::Signature);
            }
        }
    }
    lacking
}

fn deadline(session: &Session, plan: &FinishPlan, today: Date) -> Result<Date, DeviceError> {
    match plan.deadline {
        Some(deadline) if deadline < today => {
            let error = FieldError { field: "deadline".into(), reason: Reason::EndBeforeStart };
            Err(DeviceError::Invalid { errors: vec![error] })
        }
        Some(deadline) => Ok(deadline),
        None => {
            let days = session.review.failed.keys().map(|item| session.template.days(item)).min();
            let days = days.unwrap_or(session.template.remedy_days);
            Ok(today.saturating_add(i64::from(days).days()))
        }
    }
}

impl Finish<'_> {
    fn write(&self, edits: &mut Edits<'_, '_>) -> Result<Finished, DeviceError> {
        let mut events = BTreeMap::new();
        let mut findings = Vec::new();
        for (item, severity) in &self.session.review.failed {
            let answer = self.session.answers.get(item).cloned().unwrap_or_default();
            let mut finding = Finding {
                item: item.clone(),
                severity: severity.clone(),
                text: answer.text,
                photos: answer.photos,
                event: self.reported.get(item).copied(),
            };
            let major = finding.severity == gridwalk_model::categories::Severity::Major;
            if finding.event.is_none() && (major || self.overdue) {
                finding.event = self.hazard.report(edits, &finding)?;
                events.extend(finding.event.map(|event| (item.clone(), event)));
            }
            findings.push(finding);
        }
        self.end(edits, &findings)?;
        let (order, recheck_task) = self.follow_up(edits, &findings)?;
        Ok(Finished { review: self.session.review.clone(), order, recheck_task, events })
    }

    fn end(&self, edits: &mut Edits<'_, '_>, findings: &[Finding]) -> Result<(), DeviceError> {
        let now = edits.now();
        let mut patch = Fields::from([("ended_at".to_owned(), Value::Time(now))]);
        for finding in findings {
            let value = Value::Bytes(codec::to_bytes(finding));
            put_element(&mut patch, &self.fields, format!("findings/{}", finding.item), value);
        }
        if let Some(score) = self.session.review.score {
            patch.insert("score".into(), Value::Int(i64::from(score)));
        }
        if let Some(reason) = &self.plan.unsigned_reason {
            patch.insert("unsigned_reason".into(), Value::from(reason.as_str()));
        }
        if let Some(position) = self.plan.position {
            patch.insert("position".into(), Value::Bytes(position.to_bytes()));
        }
        edits.edit(self.session.id, &patch)?;
        let Some(task) = self.session.inspection.task else { return Ok(()) };
        let kind = if self.order.is_some() { TaskKind::Recheck } else { TaskKind::Inspection };
        tasks::settle(edits, task, &kind, self.hazard.place.id, self.session.id)
    }

    /// The order and its task: a new one, or what becomes of the one that was checked again.
    fn follow_up(
        &self,
        edits: &mut Edits<'_, '_>,
        findings: &[Finding],
    ) -> Result<(Option<RecordId>, Option<RecordId>), DeviceError> {
        if findings.is_empty() {
            let order = self.order.as_ref().map(|order| order.id);
            if let Some(order) = order {
                let settled = Fields::from([("settled_by".to_owned(), Value::from(self.session.id))]);
                edits.edit(order, &settled)?;
            }
            return Ok((order, None));
        }
        let task = edits.create(&recheck_task(self.hazard.place, self.due))?;
        if let Some(order) = &self.order {
            let mut again = Fields::from([
                ("deadline".to_owned(), Value::from(self.deadline.to_string())),
                ("recheck_task".to_owned(), Value::from(task)),
            ]);
            let key = format!("earlier/{}", self.session.id.to_hex());
            put_element(&mut again, &self.order_fields, key, Value::from(order.record.deadline.to_string()));
            edits.edit(order.id, &again)?;
            return Ok((Some(order.id), Some(task)));
        }
        let template = self.hazard.template;
        let record = RectificationOrder {
            inspection: self.session.id,
            items: findings
                .iter()
                .map(|finding| (finding.item.clone(), text_of(template, finding)))
                .collect(),
            lead_unit: self.plan.lead_unit,
            deadline: self.deadline,
            earlier: BTreeMap::new(),
            issued_by: self.hazard.user,
            issued_at: edits.now(),
            recheck_task: Some(task),
            settled_by: None,
        };
        let order = edits.create_fields(Kind::RectificationOrder, &record.to_fields())?;
        Ok((Some(order), Some(task)))
    }
}
