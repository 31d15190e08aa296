//! Open orders, rechecks, and findings that were not put right in time.

use std::collections::{BTreeMap, BTreeSet};

use gridwalk_model::checklist::{Answer, Finding, Template};
use gridwalk_model::records::{Checklist, Inspection, Place, RectificationOrder};
use gridwalk_model::{Fields, RecordId, Timestamp, Value, codec};

use super::ChecklistError;
use super::finish::Hazard;
use super::session::{Session, answers_of, put_element};
use crate::edit::Entry;
use crate::error::DeviceError;
use crate::store::Store;

/// An order that is not settled.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenOrder {
    /// The order's record.
    pub id: RecordId,
    /// The record.
    pub order: RectificationOrder,
    /// The place; `None` while the inspection is not on this phone.
    pub place: Option<RecordId>,
    /// The items that were not right when they were last looked at, with what was found first.
    pub outstanding: BTreeMap<String, String>,
    /// Whether the deadline has passed.
    pub overdue: bool,
}

/// The findings of an inspection by item.
pub(super) fn findings_of(inspection: &Inspection) -> BTreeMap<String, Finding> {
    let read = |(item, bytes): (&String, &Vec<u8>)| Some((item.clone(), codec::from_bytes(bytes).ok()?));
    inspection.findings.iter().filter_map(read).collect()
}

impl Store {
    /// The inspection behind an order and its finished rechecks, the latest last. With `until`, only those that were
    /// begun before that inspection.
    fn history_of_order(
        &self,
        order: &Entry<RectificationOrder>,
        until: Option<RecordId>,
    ) -> Result<Vec<Entry<Inspection>>, DeviceError> {
        let all = self.list_linked::<Inspection>("order", order.id)?;
        let end = all.iter().find(|entry| Some(entry.id) == until).map(|entry| entry.record.started_at);
        let mut rechecks: Vec<_> = all
            .into_iter()
            .filter(|entry| entry.record.ended_at.is_some() && Some(entry.id) != until)
            .filter(|entry| end.is_none_or(|end| entry.record.started_at < end))
            .collect();
        rechecks.sort_by_key(|entry| (entry.record.started_at, entry.id));
        let mut out: Vec<_> = self.get::<Inspection>(order.record.inspection)?.into_iter().collect();
        out.append(&mut rechecks);
        Ok(out)
    }

    /// What a recheck looks at, and the answers that were given before.
    pub(super) fn recheck_scope(
        &self,
        order: RecordId,
        recheck: RecordId,
    ) -> Result<(BTreeSet<String>, BTreeMap<String, Answer>), DeviceError> {
        let order = self.expect_record::<RectificationOrder>(order)?;
        let history = self.history_of_order(&order, Some(recheck))?;
        let mut answers = BTreeMap::new();
        for entry in &history {
            answers.extend(answers_of(&entry.record));
        }
        Ok((outstanding(&order, &history), answers))
    }

    /// The events that were made of an order's findings, by item.
    pub(super) fn events_of_order(
        &self,
        order: &Entry<RectificationOrder>,
    ) -> Result<BTreeMap<String, RecordId>, DeviceError> {
        let history = self.history_of_order(order, None)?;
        let findings = history.iter().flat_map(|entry| findings_of(&entry.record));
        Ok(findings.filter_map(|(item, finding)| Some((item, finding.event?))).collect())
    }

    /// The items of an order that are still to be put right.
    pub(super) fn outstanding_of(
        &self,
        order: &Entry<RectificationOrder>,
    ) -> Result<BTreeSet<String>, DeviceError> {
        if order.record.settled_by.is_some() {
            return Ok(BTreeSet::new());
        }
        Ok(outstanding(order, &self.history_of_order(order, None)?))
    }

    /// Orders that are not settled, the earliest deadline first.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn open_orders(&self, now: Timestamp) -> Result<Vec<OpenOrder>, DeviceError> {
        let today = self.view().local_day(now)?;
        let mut out = Vec::new();
        for order in self.every::<RectificationOrder>()? {
            if order.record.settled_by.is_some() {
                continue;
            }
            let history = self.history_of_order(&order, None)?;
            let items = outstanding(&order, &history);
            let texts = order.record.items.iter().filter(|(item, _)| items.contains(*item));
            out.push(OpenOrder {
                id: order.id,
                place: history.first().map(|entry| entry.record.place),
                outstanding: texts.map(|(item, text)| (item.clone(), text.clone())).collect(),
                overdue: order.record.deadline < today,
                order: order.record,
            });
        }
        out.sort_by_key(|open| (open.order.deadline, open.id));
        Ok(out)
    }

    /// Begins to check an order again, or goes on with the check that this worker has open. Only what was not right is
    /// asked, on the version of the checklist that found it, retired or not.
    ///
    /// # Errors
    /// [`ChecklistError::Settled`], [`DeviceError::UnknownRecord`], those of an edit.
    pub fn begin_recheck(&mut self, order: RecordId, now: Timestamp) -> Result<Session, DeviceError> {
        let open = self.open_inspections()?.into_iter().find(|entry| entry.record.order == Some(order));
        if let Some(open) = open {
            return self.inspection_session(open.id);
        }
        let record = self.expect_record::<RectificationOrder>(order)?.record;
        if record.settled_by.is_some() {
            return Err(ChecklistError::Settled { order }.into());
        }
        let first = self.expect_record::<Inspection>(record.inspection)?.record;
        self.begin(first.place, first.checklist, record.recheck_task, Some(order), now)
    }

    /// Makes events of what an order has outstanding after its deadline, once each; returns them by item. Nothing
    /// happens before the deadline.
    ///
    /// # Errors
    /// [`ChecklistError::Settled`], [`DeviceError::UnknownRecord`], those of an edit.
    pub fn report_overdue(
        &mut self,
        order: RecordId,
        now: Timestamp,
    ) -> Result<BTreeMap<String, RecordId>, DeviceError> {
        let entry = self.expect_record::<RectificationOrder>(order)?;
        if entry.record.settled_by.is_some() {
            return Err(ChecklistError::Settled { order }.into());
        }
        if entry.record.deadline >= self.view().local_day(now)? {
            return Ok(BTreeMap::new());
        }
        let history = self.history_of_order(&entry, None)?;
        let last = history.last().ok_or(DeviceError::UnknownRecord { record: entry.record.inspection })?;
        let reported = self.events_of_order(&entry)?;
        let place = self.expect_record::<Place>(last.record.place)?;
        let checklist = self.expect_record::<Checklist>(last.record.checklist)?;
        let template = Template::from_record(&checklist.record);
        let user = self.identity().ok_or(DeviceError::NotEnrolled)?.user;
        let hazard =
            Hazard { inspection: last.id, record: &last.record, template: &template, place: &place, user };
        let (_, fields) = self.fields(last.id)?.ok_or(DeviceError::UnknownRecord { record: last.id })?;
        self.edits(now, |edits| {
            let mut events = BTreeMap::new();
            let mut patch = Fields::new();
            for (item, mut finding) in findings_of(&last.record) {
                if reported.contains_key(&item) {
                    continue;
                }
                let Some(event) = hazard.report(edits, &finding)? else { continue };
                finding.event = Some(event);
                let value = Value::Bytes(codec::to_bytes(&finding));
                put_element(&mut patch, &fields, format!("findings/{item}"), value);
                events.insert(item, event);
            }
            edits.edit(last.id, &patch)?;
            Ok(events)
        })
    }
}

/// What was not right when it was last looked at.
fn outstanding(order: &Entry<RectificationOrder>, history: &[Entry<Inspection>]) -> BTreeSet<String> {
    match history.last() {
        Some(last) if last.id != order.record.inspection => findings_of(&last.record).into_keys().collect(),
        _ => order.record.items.keys().cloned().collect(),
    }
}
