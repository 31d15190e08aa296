//! What a screen shows at the door: why, the form, the last visit, what is to be followed up, and the draft.

use std::collections::BTreeMap;

use gridwalk_model::checklist::{Answer, ChecklistItem};
use gridwalk_model::records::service_record::ServiceState;
use gridwalk_model::records::visit::{VisitPurpose, VisitResult};
use gridwalk_model::records::{Checklist, ServiceRecord, Visit};
use gridwalk_model::visits::check::needs_attention;
use gridwalk_model::visits::{VisitFault, VisitForm, VisitItem};
use gridwalk_model::{Kind, RecordId, Timestamp, codec};

use super::record::VisitInput;
use super::{VisitDue, fault};
use crate::edit::Entry;
use crate::error::DeviceError;
use crate::keeping::KeepingLimits;
use crate::store::{Commit, DiscardedVisit, Store};

/// Everything about the next visit to somebody, in one call.
#[derive(Clone, Debug, PartialEq)]
pub struct VisitSheet {
    /// Why, needs included, and when; none where nothing is due.
    pub due: Option<VisitDue>,
    /// What is asked.
    pub form: VisitForm,
    /// The last visit at which they were met.
    pub last: Option<LastVisit>,
    /// Services that were asked for and are open: to be followed up now.
    pub open_services: Vec<Entry<ServiceRecord>>,
    /// What was typed and not recorded.
    pub draft: Option<VisitInput>,
}

/// The last visit, as far as it matters for the next.
#[derive(Clone, Debug, PartialEq)]
pub struct LastVisit {
    /// The record.
    pub id: RecordId,
    /// When.
    pub at: Timestamp,
    /// What needed attention: the item, and what was said about it.
    pub attention: Vec<(String, Option<String>)>,
    /// The note.
    pub note: Option<String>,
}

impl Store {
    /// What a screen shows before the door is opened, for a stated purpose: needs and open services are sensitive, and in
    /// the journal of reads before they are shown.
    ///
    /// # Errors
    /// [`DeviceError::UnknownRecord`], [`DeviceError::NoPurpose`], [`DeviceError::StorageFull`], failures of SQLite.
    pub fn visit_sheet(
        &mut self,
        target: RecordId,
        purpose: &str,
        limits: &KeepingLimits,
        now: Timestamp,
    ) -> Result<VisitSheet, DeviceError> {
        self.fields(target)?.ok_or(DeviceError::UnknownRecord { record: target })?;
        let (due, tags) = self.visit_due_in_full(target, now)?;
        let draft = self.visit_draft(target)?;
        let of_draft = draft.as_ref().and_then(|draft| draft.form.as_deref());
        let form = match of_draft {
            // A draft is finished on its version.
            Some(name) => self.visit_form_named(target, name)?,
            None => {
                let purpose = due.as_ref().map_or(VisitPurpose::Routine, |due| due.purpose.clone());
                self.visit_form(target, &purpose)?
            }
        };
        let open_services = self.open_services(target)?;
        let read: Vec<RecordId> = open_services.iter().map(|service| service.id).collect();
        self.note_reads(Kind::ServiceRecord, &read, purpose, limits, now)?;
        self.note_reads(Kind::CareTag, &tags, purpose, limits, now)?;
        Ok(VisitSheet { last: self.last_meeting(target)?, due, form, open_services, draft })
    }

    fn last_meeting(&self, target: RecordId) -> Result<Option<LastVisit>, DeviceError> {
        let visits = self.list_linked::<Visit>("target", target)?.into_iter();
        let met = visits.filter(|visit| visit.record.result == VisitResult::Met);
        let last = met.max_by_key(|visit| (visit.record.at, visit.id));
        Ok(last.map(|visit| {
            let answers = visit.record.answers.iter();
            let answers: BTreeMap<String, Answer> = answers
                .filter_map(|(item, bytes)| Some((item.clone(), codec::from_bytes(bytes).ok()?)))
                .collect();
            LastVisit {
                id: visit.id,
                at: visit.record.at,
                attention: needs_attention(&answers),
                note: visit.record.note,
            }
        }))
    }

    /// Services for somebody that are open, the oldest first.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub(crate) fn open_services(&self, target: RecordId) -> Result<Vec<Entry<ServiceRecord>>, DeviceError> {
        let mut services = self.list_linked_any::<ServiceRecord>("target", target)?;
        services.retain(|service| matches!(service.record.state, None | Some(ServiceState::Open)));
        services.sort_by_key(|service| (service.record.at, service.id));
        Ok(services)
    }

    /// The form for a purpose: the latest version that the deployment distributes as a checklist with the form's code
    /// and has not retired, of those that a visit form can ask (things that are as they should be or are not), else the
    /// starter.
    ///
    /// # Errors
    /// [`DeviceError::Visit`] if there is none, failures of SQLite.
    pub fn visit_form(&self, target: RecordId, purpose: &VisitPurpose) -> Result<VisitForm, DeviceError> {
        let code = VisitForm::code_for(purpose);
        let mut own = self.own_forms(code, purpose, false)?;
        own.sort_by_key(|form| form.version);
        let starter = || VisitForm::starters().into_iter().find(|form| form.code == code);
        own.pop().or_else(starter).ok_or(fault(target, VisitFault::UnknownForm))
    }

    /// One version of a form, by its name; retired ones too.
    pub(super) fn visit_form_named(&self, target: RecordId, name: &str) -> Result<VisitForm, DeviceError> {
        let starter = VisitForm::starters().into_iter().find(|form| form.name() == name);
        let code = name.split('@').next().unwrap_or_default();
        let purposes = [VisitPurpose::Care, VisitPurpose::Welcome, VisitPurpose::Routine];
        let purpose = purposes.into_iter().find(|purpose| VisitForm::code_for(purpose) == code);
        let own = self.own_forms(code, &purpose.unwrap_or(VisitPurpose::Routine), true)?;
        let found = own.into_iter().find(|form| form.name() == name).or(starter);
        found.ok_or(fault(target, VisitFault::UnknownForm))
    }

    fn own_forms(
        &self,
        code: &str,
        purpose: &VisitPurpose,
        retired: bool,
    ) -> Result<Vec<VisitForm>, DeviceError> {
        let lists = self.list::<Checklist>(None, usize::MAX)?.entries.into_iter().map(|entry| entry.record);
        let wanted = lists.filter(|list| list.code == code && (retired || list.retired_at.is_none()));
        Ok(wanted.filter_map(|list| form_of(list, purpose)).filter(|form| !form.items.is_empty()).collect())
    }

    /// Keeps what was typed so far; it survives a kill. One draft a target.
    ///
    /// # Errors
    /// [`DeviceError::StorageFull`].
    pub fn save_visit_draft(&mut self, draft: &VisitInput, now: Timestamp) -> Result<(), DeviceError> {
        let body = draft.body()?;
        self.write(Commit::Journal, |tx| tx.put_visit_draft(draft.target, &body, now).map(drop))
    }

    /// What was typed and not recorded.
    ///
    /// # Errors
    /// [`DeviceError::Damaged`].
    pub fn visit_draft(&self, target: RecordId) -> Result<Option<VisitInput>, DeviceError> {
        let Some(body) = self.view().visit_draft(target)? else { return Ok(None) };
        minicbor::decode(&body).map(Some).map_err(|_| DeviceError::Damaged)
    }

    /// Whom there are drafts for, and since when, the oldest first: for the tray at the end of the shift.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn visit_drafts(&self) -> Result<Vec<(RecordId, Timestamp)>, DeviceError> {
        self.view().visit_drafts()
    }

    /// Throws a draft away. It can be taken back by [`Self::restore_visit_draft`] until [`Self::sweep_drafts`] finds it
    /// old enough. A target without a draft stays without one.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn discard_visit_draft(&mut self, target: RecordId, now: Timestamp) -> Result<(), DeviceError> {
        self.write(Commit::Journal, |tx| tx.discard_visit_draft(target, now))
    }

    /// Drafts that were thrown away and can be taken back, the last one first: each by its number, since one target may
    /// have several.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn discarded_visit_drafts(&self) -> Result<Vec<DiscardedVisit>, DeviceError> {
        self.view().discarded_visits()
    }

    /// Takes a draft back that was thrown away. One that was begun for the same target meanwhile is thrown away in its
    /// place, and can be taken back likewise. The same again changes nothing.
    ///
    /// # Errors
    /// [`DeviceError::NoDraft`] where it was swept.
    pub fn restore_visit_draft(&mut self, n: i64, now: Timestamp) -> Result<(), DeviceError> {
        self.write(Commit::Journal, |tx| {
            let target = tx.visit_draft_target(n)?.ok_or(DeviceError::NoDraft)?;
            tx.discard_visit_draft(target, now)?;
            tx.restore_visit_draft(n)
        })
    }
}

/// The form in a checklist; `None` where it asks more than a visit form can: a number, a choice, something that is asked
/// only under a condition, or what only a newer build knows. Half a form would be taken for the whole.
fn form_of(list: Checklist, purpose: &VisitPurpose) -> Option<VisitForm> {
    let mut items: Vec<(u32, VisitItem)> = Vec::new();
    for (id, bytes) in list.items {
        let item: ChecklistItem = codec::from_bytes(&bytes).ok().filter(ChecklistItem::is_plain)?;
        let en = item.en.unwrap_or_else(|| item.zh.clone());
        items.push((item.order, VisitItem { id, zh: item.zh, en }));
    }
    items.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
    Some(VisitForm {
        code: list.code,
        version: list.version,
        purpose: purpose.clone(),
        en: list.name_en.unwrap_or_else(|| list.name.clone()),
        zh: list.name,
        items: items.into_iter().map(|(_, item)| item).collect(),
    })
}
