//! Recording a visit with everything that follows from it, in one transaction; and taking it back.

use std::collections::BTreeMap;

use gridwalk_model::checklist::Answer;
use gridwalk_model::geo::Position;
use gridwalk_model::records::service_record::ServiceState;
use gridwalk_model::records::task::TaskKind;
use gridwalk_model::records::visit::{VisitPurpose, VisitResult};
use gridwalk_model::records::{FieldValue, ServiceRecord, Task, Visit};
use gridwalk_model::visits::{VisitFault, VisitForm, check_visit};
use gridwalk_model::{Fields, RecordId, Timestamp, Value, codec};
use jiff::civil::Date;
use minicbor::{Decode, Encode};

use super::{VisitDue, fault};
use crate::edit::Edits;
use crate::error::DeviceError;
use crate::store::{Commit, Store, VoicePlace};
use crate::work::tasks;

/// A visit as the worker states it, and as a draft keeps it.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct VisitInput {
    /// Whom or what: a resident, household, dwelling, place or organization.
    #[n(0)]
    pub target: RecordId,
    /// What came of it.
    #[n(1)]
    pub result: VisitResult,
    /// What for.
    #[n(2)]
    pub purpose: VisitPurpose,
    /// The version of the form that the answers are to; that of the purpose where it is not said.
    #[n(3)]
    pub form: Option<String>,
    /// The answers by item.
    #[cbor(n(4), default)]
    pub answers: BTreeMap<String, Answer>,
    /// A note.
    #[n(5)]
    pub note: Option<String>,
    /// A day that was agreed for the next visit, instead of that of the cadence.
    #[cbor(n(6), with = "day_text", default)]
    pub next_due: Option<Date>,
    /// Where the phone was.
    #[n(7)]
    pub position: Option<Position>,
    /// The task that the visit fulfils.
    #[n(8)]
    pub task: Option<RecordId>,
    /// What they need, and the service for it.
    #[cbor(n(9), default)]
    pub services: Vec<ServiceAsked>,
    /// What came of services that were asked for earlier.
    #[cbor(n(10), default)]
    pub follow_ups: Vec<FollowUp>,
}

impl VisitInput {
    /// A visit with nothing but its result.
    pub const fn plain(target: RecordId, result: VisitResult, purpose: VisitPurpose) -> Self {
        Self {
            target,
            result,
            purpose,
            form: None,
            answers: BTreeMap::new(),
            note: None,
            next_due: None,
            position: None,
            task: None,
            services: Vec::new(),
            follow_ups: Vec::new(),
        }
    }

    /// As a draft keeps it.
    pub(crate) fn body(&self) -> Result<Vec<u8>, DeviceError> {
        minicbor::to_vec(self).map_err(|_| DeviceError::Bug("a visit does not encode"))
    }
}

/// A need that was stated, and the service for it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ServiceAsked {
    /// What is needed.
    #[n(0)]
    pub request: String,
    /// The service.
    #[n(1)]
    pub service: String,
}

/// What came of a service.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct FollowUp {
    /// The service.
    #[n(0)]
    pub service: RecordId,
    /// How far it is now; open leaves it for the next visit.
    #[n(1)]
    pub state: ServiceState,
    /// In the worker's words.
    #[n(2)]
    pub outcome: Option<String>,
}

/// A visit that was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The record.
    pub visit: RecordId,
    /// The services that were asked for, in the order of the input.
    pub services: Vec<RecordId>,
    /// The next visit to the same person or door, by the cadence.
    pub next: Option<VisitDue>,
}

/// A day as text, as it stands in records.
mod day_text {
    use gridwalk_model::records::parse_date;
    use jiff::civil::Date;
    use minicbor::decode::Error as DecodeError;
    use minicbor::encode::{Error as EncodeError, Write};
    use minicbor::{Decoder, Encoder};

    pub(super) fn encode<C, W: Write>(
        day: &Option<Date>,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        e.encode_with(day.map(|day| day.to_string()), ctx)?.ok()
    }

    pub(super) fn decode<C>(d: &mut Decoder<'_>, ctx: &mut C) -> Result<Option<Date>, DecodeError> {
        let text: Option<String> = d.decode_with(ctx)?;
        Ok(text.and_then(|text| parse_date(&text)))
    }
}

impl Store {
    /// Records a visit: the visit itself, the services that were asked for, what came of earlier ones, and the task
    /// that it fulfils, together. The draft is gone, and its voice notes are the visit's. A declined visit is recorded,
    /// and nothing else happens.
    ///
    /// # Errors
    /// [`DeviceError::Visit`] with what is wrong, [`DeviceError::UnknownRecord`], and those of an edit.
    pub fn record_visit(&mut self, input: &VisitInput, now: Timestamp) -> Result<Recorded, DeviceError> {
        let target = input.target;
        let form = match &input.form {
            Some(name) => self.visit_form_named(target, name)?,
            None => self.visit_form(target, &input.purpose)?,
        };
        let today = self.view().local_day(now)?;
        check_visit(&input.result, &form, &input.answers, input.services.len(), input.next_due, today)
            .map_err(|found| fault(target, found))?;
        let patrol = self.open_patrol()?.map(|patrol| patrol.id);
        let key = self.evidence_key.clone();
        let (visit, services) = self.write(Commit::Edit, |tx| {
            tx.listed(target)?.ok_or(DeviceError::UnknownRecord { record: target })?;
            let user = tx.identity()?.user;
            let voices = match tx.visit_draft_number(target)? {
                Some(draft) => tx.voices_at(VoicePlace::Visit(draft))?,
                None => Vec::new(),
            };
            tx.remove_visit_draft(target)?;
            let mut edits = Edits::over(tx, now);
            let visit = edits.create(&visit_of(input, &form, user, patrol, now))?;
            let services = ask_services(&mut edits, input, user, visit)?;
            follow_up(&mut edits, input, visit)?;
            settle_task(&mut edits, input, visit)?;
            edits.tx().hand_over_voices(key.as_deref(), voices, visit, now)?;
            Ok((visit, services))
        })?;
        let next = self.visits_due_of(target, now)?.into_iter().next();
        Ok(Recorded { visit, services, next })
    }

    /// Takes one's own visit back, with the services that were asked for at it; services that it settled are open
    /// again, and so is its task. Returns whether anything changed.
    ///
    /// # Errors
    /// [`DeviceError::Visit`] for somebody else's visit, [`DeviceError::UnknownRecord`], and those of an edit.
    pub fn undo_visit(&mut self, visit: RecordId, now: Timestamp) -> Result<bool, DeviceError> {
        let record = self.get::<Visit>(visit)?.ok_or(DeviceError::UnknownRecord { record: visit })?.record;
        let user = self.identity().ok_or(DeviceError::NotEnrolled)?.user;
        if record.by != user {
            return Err(fault(record.target, VisitFault::NotOwnVisit));
        }
        let asked = self.list_linked_any::<ServiceRecord>("visit", visit)?;
        let followed = self.list_linked_any::<ServiceRecord>("followed_up", visit)?;
        let tasks = self.list_linked::<Task>("result", visit)?;
        self.edits(now, |edits| {
            for service in &asked {
                edits.remove(service.id)?;
            }
            for service in followed.iter().filter(|service| service.record.visit != Some(visit)) {
                edits.edit(service.id, &reopened())?;
            }
            for task in &tasks {
                tasks::reopen(edits, task.id, visit)?;
            }
            edits.remove(visit)
        })
    }
}

fn fields<const N: usize>(pairs: [(&str, Value); N]) -> Fields {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn reopened() -> Fields {
    fields([
        ("state", ServiceState::Open.to_value()),
        ("outcome", Value::Null),
        ("done_at", Value::Null),
        ("followed_up", Value::Null),
    ])
}

fn visit_of(
    input: &VisitInput,
    form: &VisitForm,
    user: RecordId,
    patrol: Option<RecordId>,
    now: Timestamp,
) -> Visit {
    let met = input.result == VisitResult::Met;
    let answers = input.answers.iter();
    Visit {
        target: input.target,
        by: user,
        at: now,
        result: input.result.clone(),
        purpose: Some(input.purpose.clone()),
        form: met.then(|| form.name()),
        answers: answers.map(|(item, answer)| (item.clone(), codec::to_bytes(answer))).collect(),
        note: input.note.clone().filter(|note| !note.trim().is_empty()),
        next_due: input.next_due,
        position: input.position,
        task: input.task,
        patrol,
        photos: BTreeMap::new(),
        voices: BTreeMap::new(),
    }
}

fn ask_services(
    edits: &mut Edits<'_, '_>,
    input: &VisitInput,
    user: RecordId,
    visit: RecordId,
) -> Result<Vec<RecordId>, DeviceError> {
    let mut out = Vec::new();
    for asked in &input.services {
        if asked.request.trim().is_empty() || asked.service.trim().is_empty() {
            return Err(fault(input.target, VisitFault::EmptyService));
        }
        out.push(edits.create(&ServiceRecord {
            target: input.target,
            request: asked.request.clone(),
            service: asked.service.clone(),
            by: user,
            at: edits.now(),
            visit: Some(visit),
            state: Some(ServiceState::Open),
            outcome: None,
            done_at: None,
            followed_up: None,
        })?);
    }
    Ok(out)
}

fn follow_up(edits: &mut Edits<'_, '_>, input: &VisitInput, visit: RecordId) -> Result<(), DeviceError> {
    for follow in &input.follow_ups {
        let service = edits.get_any::<ServiceRecord>(follow.service)?;
        let service = service.ok_or(DeviceError::UnknownRecord { record: follow.service })?.record;
        let open = matches!(service.state, None | Some(ServiceState::Open));
        if !open || service.target != input.target {
            return Err(fault(input.target, VisitFault::ServiceNotOpen));
        }
        let settled = follow.state != ServiceState::Open;
        if !settled && follow.outcome.is_none() {
            return Err(fault(input.target, VisitFault::NoFollowUp));
        }
        let mut patch = fields([("state", follow.state.to_value()), ("followed_up", Value::from(visit))]);
        if let Some(outcome) = &follow.outcome {
            patch.insert("outcome".into(), Value::Text(outcome.clone()));
        }
        if settled {
            patch.insert("done_at".into(), Value::Time(edits.now()));
        }
        edits.edit(follow.service, &patch)?;
    }
    Ok(())
}

/// A door that nobody opened leaves the task open. Whoever declined, or moved, has been visited.
fn settle_task(edits: &mut Edits<'_, '_>, input: &VisitInput, visit: RecordId) -> Result<(), DeviceError> {
    let Some(id) = input.task else { return Ok(()) };
    let task = edits.get::<Task>(id)?.ok_or(DeviceError::UnknownRecord { record: id })?.record;
    if !tasks::fits(edits.view(), &task, &TaskKind::Visit, input.target)? {
        return Err(fault(input.target, VisitFault::TaskNotOpen));
    }
    if input.result != VisitResult::NotHome {
        tasks::settle(edits, id, &TaskKind::Visit, input.target, visit)?;
    }
    Ok(())
}
