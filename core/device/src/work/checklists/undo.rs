//! Taking a finished inspection back, as long as nobody has gone on from it.

use gridwalk_model::event::{Action, LogEntry, read_log};
use gridwalk_model::records::{Inspection, RectificationOrder};
use gridwalk_model::{Fields, RecordId, Timestamp, Value};

use super::ChecklistError;
use super::orders::findings_of;
use super::session::{Session, take_element};
use crate::edit::{Edits, Entry};
use crate::error::DeviceError;
use crate::store::Store;
use crate::work::tasks;

/// What a finished inspection left behind.
struct Consequences {
    /// The order that it made.
    made: Option<Entry<RectificationOrder>>,
    /// The order that it checked again.
    checked: Option<Entry<RectificationOrder>>,
    /// Events that it made, each with the last entry of its log.
    events: Vec<(RecordId, RecordId)>,
}

impl Store {
    /// Takes a finished inspection back: it is open again with all its answers, the order and the task of checking again
    /// are removed, the events withdrawn, the task that it fulfilled is open. Signatures have to be given anew if an
    /// answer changes. In one commit.
    ///
    /// # Errors
    /// [`ChecklistError::NotFinished`]; [`ChecklistError::HadConsequences`] if somebody has taken up an event, or a recheck
    /// of the order was begun; those of an edit.
    pub fn reopen_inspection(
        &mut self,
        inspection: RecordId,
        now: Timestamp,
    ) -> Result<Session, DeviceError> {
        let entry = self.expect_record::<Inspection>(inspection)?;
        if entry.record.ended_at.is_none() {
            return Err(ChecklistError::NotFinished { inspection }.into());
        }
        let left = self.consequences(&entry)?;
        let user = self.identity().ok_or(DeviceError::NotEnrolled)?.user;
        self.edits(now, |edits| {
            let nothing = || Value::Null;
            let mut patch = Fields::from([
                ("ended_at".to_owned(), nothing()),
                ("score".to_owned(), nothing()),
                ("unsigned_reason".to_owned(), nothing()),
            ]);
            for item in entry.record.findings.keys() {
                take_element(&mut patch, &format!("findings/{item}"));
            }
            edits.edit(inspection, &patch)?;
            if let Some(task) = entry.record.task {
                tasks::reopen(edits, task, inspection)?;
            }
            if let Some(order) = &left.made {
                remove_task(edits, order.record.recheck_task)?;
                edits.remove(order.id)?;
            }
            if let Some(order) = &left.checked {
                let mut patch = Fields::from([("settled_by".to_owned(), nothing())]);
                if order.record.recheck_task != entry.record.task {
                    remove_task(edits, order.record.recheck_task)?;
                    patch.insert("recheck_task".into(), entry.record.task.map_or(Value::Null, Value::from));
                }
                if let Some(day) = order.record.earlier.get(&inspection.to_hex()) {
                    patch.insert("deadline".into(), Value::from(day.to_string()));
                    take_element(&mut patch, &format!("earlier/{}", inspection.to_hex()));
                }
                edits.edit(order.id, &patch)?;
            }
            for (event, last) in &left.events {
                let withdraw = LogEntry::new(edits.new_id()?, Some(*last), now, user, Action::Withdraw);
                edits.add(*event, "log", &withdraw.id.to_hex(), withdraw.to_value())?;
            }
            Ok(())
        })?;
        self.inspection_session(inspection)
    }

    fn consequences(&self, entry: &Entry<Inspection>) -> Result<Consequences, DeviceError> {
        let gone_on = || DeviceError::from(ChecklistError::HadConsequences { inspection: entry.id });
        let made = self.list_linked::<RectificationOrder>("inspection", entry.id)?.into_iter().next();
        if let Some(order) = &made
            && (order.record.settled_by.is_some()
                || !self.list_linked::<Inspection>("order", order.id)?.is_empty())
        {
            return Err(gone_on());
        }
        let checked = match entry.record.order {
            Some(order) => Some(self.expect_record::<RectificationOrder>(order)?),
            None => None,
        };
        if let Some(order) = &checked {
            let later = self.list_linked::<Inspection>("order", order.id)?;
            if later.iter().any(|other| other.record.started_at > entry.record.started_at) {
                return Err(gone_on());
            }
        }
        let mut events = Vec::new();
        for event in findings_of(&entry.record).into_values().filter_map(|finding| finding.event) {
            let Some((_, fields)) = self.fields(event)? else { continue };
            if fields.get("inspection").and_then(Value::as_link) != Some(entry.id) {
                // A recheck names the event that an earlier inspection made; it stays.
                continue;
            }
            let (log, _) = read_log(&fields);
            let last = log.iter().max_by_key(|entry| (entry.at, entry.id)).map(|entry| entry.id);
            let ours = |entry: &LogEntry| matches!(entry.action, Action::Report | Action::Received);
            match last {
                Some(last) if log.iter().all(ours) => events.push((event, last)),
                _ => return Err(gone_on()),
            }
        }
        Ok(Consequences { made, checked, events })
    }
}

fn remove_task(edits: &mut Edits<'_, '_>, task: Option<RecordId>) -> Result<(), DeviceError> {
    match task {
        Some(task) => edits.remove(task).map(drop),
        None => Ok(()),
    }
}
