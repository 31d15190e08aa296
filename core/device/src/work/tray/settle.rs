//! The acts that settle an item of the tray: each in one transaction.

use gridwalk_model::event::{Flag, Judged, without_proof};
use gridwalk_model::schema::REMOVED_KEY;
use gridwalk_model::{Fields, Kind, RecordId, Timestamp, Value};

use super::undo::{Step, UNDECIDED, Undo};
use super::{LateAct, TrayKey, UNPROVEN, record_time, same_id};
use crate::edit::Edits;
use crate::error::DeviceError;
use crate::store::{Commit, OutboxState, RefusedEdit, Store};

/// What the worker decided.
#[derive(Clone, Debug, PartialEq)]
pub enum Settlement {
    /// One of the values in conflict.
    Choose(Value),
    /// Another value, for a conflict or a refused edit; `None` writes the refused one as it was.
    WriteAgain(Option<Value>),
    /// A refused record once more, or a held service without its visit, with these fields changed.
    SendAgain(Fields),
    /// Gives up what was refused, or a held service whose visit will never come.
    GiveUp,
    /// Leaves it.
    KeepWaiting,
    /// Keeps a record that another removed.
    Keep,
    /// Removes it.
    Remove,
    /// Has read it.
    Noted,
    /// Tries it again now.
    Retry,
    /// Throws it away.
    ThrowAway,
}

impl Store {
    /// Settles an item. Durable when this returns.
    ///
    /// # Errors
    /// [`DeviceError::NotInTray`] where the item is gone or has no such way out, and those of an edit; nothing was
    /// written then, and the item stays.
    pub fn settle(&mut self, key: &TrayKey, how: Settlement, now: Timestamp) -> Result<Undo, DeviceError> {
        match (key, how) {
            (TrayKey::Conflict { record, field }, Settlement::Choose(value)) => {
                let candidates =
                    self.conflicts_of_any(*record)?.into_iter().find(|found| found.field == *field);
                let candidates = candidates.ok_or(DeviceError::NotInTray)?.candidates;
                if !candidates.iter().any(|candidate| candidate.value == value) {
                    return Err(DeviceError::NotInTray);
                }
                self.choose_one(*record, field, value, now)
            }
            (TrayKey::Conflict { record, field }, Settlement::WriteAgain(Some(value))) => {
                self.choose_one(*record, field, value, now)
            }
            (TrayKey::Refused { n }, Settlement::WriteAgain(value)) => self.write_again(*n, value, now),
            (TrayKey::Refused { n }, Settlement::GiveUp) => {
                let edit = self.refused_edit(*n)?;
                self.give_up(vec![edit])
            }
            (TrayKey::NewRefused { record }, Settlement::SendAgain(changes)) => {
                self.send_again(*record, changes, now)
            }
            (TrayKey::NewRefused { record }, Settlement::WriteAgain(None)) => {
                self.send_again(*record, Fields::new(), now)
            }
            (TrayKey::NewRefused { record }, Settlement::GiveUp) => {
                let edits = self.refused_of(*record)?;
                self.give_up(edits)
            }
            (TrayKey::Held { record }, Settlement::SendAgain(changes)) => {
                self.write_held_again(*record, changes, now)
            }
            (TrayKey::Held { record }, Settlement::WriteAgain(None)) => {
                self.write_held_again(*record, Fields::new(), now)
            }
            (TrayKey::Held { record }, Settlement::GiveUp) => self.give_up_held(*record, now),
            (TrayKey::Removed { record }, Settlement::Keep) => self.decide_removed(*record, false, now),
            (TrayKey::Removed { record }, Settlement::Remove) => self.decide_removed(*record, true, now),
            (TrayKey::Late { record, entry }, Settlement::Noted) => self.note_act(*record, *entry, false),
            (TrayKey::Unproven { record, entry }, Settlement::Noted) => self.note_act(*record, *entry, true),
            (TrayKey::Media { media }, Settlement::Retry) => self.retry_media(*media, now),
            (TrayKey::Media { media }, Settlement::ThrowAway) => self.throw_media_away(*media, now),
            (TrayKey::Media { media }, Settlement::Noted) => self.note_media(*media, now),
            (key, Settlement::KeepWaiting) => self.keep_waiting(key),
            _ => Err(DeviceError::NotInTray),
        }
    }

    fn choose_one(
        &mut self,
        record: RecordId,
        field: &str,
        value: Value,
        now: Timestamp,
    ) -> Result<Undo, DeviceError> {
        let step = self.view().written(record, field, &value)?;
        self.choose(record, field, value, now)?;
        Ok(Undo { steps: step.into_iter().collect() })
    }

    fn refused_edit(&self, n: i64) -> Result<RefusedEdit, DeviceError> {
        self.refused_edits_any()?.into_iter().find(|edit| edit.n == n).ok_or(DeviceError::NotInTray)
    }

    fn refused_of(&self, record: RecordId) -> Result<Vec<RefusedEdit>, DeviceError> {
        let edits: Vec<_> =
            self.refused_edits_any()?.into_iter().filter(|edit| edit.record == record).collect();
        if edits.is_empty() { Err(DeviceError::NotInTray) } else { Ok(edits) }
    }

    fn write_again(&mut self, n: i64, value: Option<Value>, now: Timestamp) -> Result<Undo, DeviceError> {
        let edit = self.refused_edit(n)?;
        let value = value.unwrap_or_else(|| edit.value.clone());
        let written = self.view().written(edit.record, &edit.field, &value)?;
        self.write(Commit::Edit, |tx| {
            let patch = Fields::from([(edit.field.clone(), value)]);
            Edits::over(tx, now).edit(edit.record, &patch)?;
            tx.drop_refused(n)
        })?;
        let struck = Step::Struck { edits: vec![edit], anew: None };
        Ok(Undo { steps: written.into_iter().chain([struck]).collect() })
    }

    /// Makes a refused record once more, of all that was refused of it.
    fn send_again(&mut self, record: RecordId, changes: Fields, now: Timestamp) -> Result<Undo, DeviceError> {
        let edits = self.refused_of(record)?;
        if self.view().record_key(record)?.is_some() {
            return Err(DeviceError::NotInTray);
        }
        let tag = edits.first().map(|edit| edit.kind.clone()).unwrap_or_default();
        let kind = Kind::parse(&tag).ok_or(DeviceError::NeedsUpdate { record })?;
        let reuse = edits.iter().all(|edit| same_id(edit.reason));
        let mut fields: Fields = edits.iter().map(|edit| (edit.field.clone(), edit.value.clone())).collect();
        fields.extend(changes);
        fields.retain(|_, value| !value.is_null());
        let (id, anew) = self.write(Commit::Edit, |tx| {
            let mut work = Edits::over(tx, now);
            let id = if reuse { record } else { work.new_id()? };
            work.create_with_id(id, kind, &fields)?;
            edits.iter().try_for_each(|edit| tx.drop_refused(edit.n))?;
            Ok((id, tx.new_id(now)?))
        })?;
        // Taken back, it needs another name: the old one belongs to a record that was removed.
        let struck = Step::Struck { edits, anew: Some(anew) };
        Ok(Undo { steps: vec![Step::Made { record: id, fields }, struck] })
    }

    fn give_up(&mut self, edits: Vec<RefusedEdit>) -> Result<Undo, DeviceError> {
        self.write(Commit::Setting, |tx| edits.iter().try_for_each(|edit| tx.drop_refused(edit.n)))?;
        Ok(Undo::of(Step::Struck { edits, anew: None }))
    }

    /// Writes the flag anew, on top of everything that is known: then it is settled on every phone.
    fn decide_removed(
        &mut self,
        record: RecordId,
        removed: bool,
        now: Timestamp,
    ) -> Result<Undo, DeviceError> {
        if !self.undecided()?.contains(&record) {
            return Err(DeviceError::NotInTray);
        }
        self.write(Commit::Edit, |tx| {
            tx.forget_seen(record, UNDECIDED)?;
            let mut work = Edits::over(tx, now);
            // The flag stands already: it is taken back and set again, so that it is newer than the other's edit.
            work.edit(record, &Fields::from([(REMOVED_KEY.to_owned(), Value::Flag(false))]))?;
            if removed {
                work.edit(record, &Fields::from([(REMOVED_KEY.to_owned(), Value::Flag(true))]))?;
            }
            Ok(())
        })?;
        Ok(Undo::of(Step::Decided { record, removed }))
    }

    /// Records that one removed and another edited, and those whose decision was taken back.
    pub(super) fn undecided(&self) -> Result<Vec<RecordId>, DeviceError> {
        let mut out = self.edited_while_removed()?;
        for record in self.view().noted(UNDECIDED)? {
            if !out.contains(&record) && self.view().record_key(record)?.is_some() {
                out.push(record);
            }
        }
        Ok(out)
    }

    fn keep_waiting(&mut self, key: &TrayKey) -> Result<Undo, DeviceError> {
        match key {
            TrayKey::Held { record } => {
                let rows = self.view().waiting_records()?;
                let held = |row: &&crate::store::WaitingRow| {
                    row.record == *record && row.state != OutboxState::Waiting
                };
                let since = rows.iter().find(held).ok_or(DeviceError::NotInTray)?.since;
                self.note_seen(*record, "held", since)?;
                Ok(Undo::of(Step::Noted { of: *record, what: "held" }))
            }
            TrayKey::NeedsUpdate { record } => {
                self.note_seen(*record, "needs_update", record_time(*record))?;
                Ok(Undo::of(Step::Noted { of: *record, what: "needs_update" }))
            }
            TrayKey::Unsent { .. } => Ok(Undo::default()),
            _ => Err(DeviceError::NotInTray),
        }
    }

    fn note_act(&mut self, event: RecordId, entry: RecordId, proof: bool) -> Result<Undo, DeviceError> {
        let about = |late: &LateAct| late.entry == entry && (late.flag == Flag::ProofTakenOff) == proof;
        let late = self.late_acts(event)?.into_iter().find(about);
        let at = late.ok_or(DeviceError::NotInTray)?.at;
        let what = if proof { UNPROVEN } else { "late" };
        self.note_seen(entry, what, at)?;
        Ok(Undo::of(Step::Noted { of: entry, what }))
    }

    /// The worker's acts on an event that do not count, then those that lack their photos.
    pub(super) fn late_acts(&self, event: RecordId) -> Result<Vec<LateAct>, DeviceError> {
        let user = self.identity().ok_or(DeviceError::NotEnrolled)?.user;
        let case = self.view().case(event)?;
        let own = |id: RecordId| case.entries.iter().any(|entry| entry.id == id && entry.by == Some(user));
        let late = case.folded.flagged().filter(|judged| own(judged.id));
        let late = late.filter_map(|judged| Some((judged, *judged.flags.first()?)));
        let bare = without_proof(&case.listed.fields, &case.entries, &case.folded);
        let bare = case.folded.entries.iter().filter(|judged| own(judged.id) && bare.contains(&judged.id));
        let all = late.chain(bare.map(|judged| (judged, Flag::ProofTakenOff)));
        let act = |(judged, flag): (&Judged, Flag)| LateAct {
            entry: judged.id,
            at: judged.at,
            action: judged.action.clone(),
            flag,
        };
        Ok(all.map(act).collect())
    }
}
