//! A worker's acts on an event: entries of its log, judged on the phone by the rules that the server applies.

use gridwalk_model::event::{Action, Folded, LogEntry, Verdict, fold, legal_next, read_log};
use gridwalk_model::policy::Role;
use gridwalk_model::{Kind, RecordId, Timestamp};

use crate::edit::Edits;
use crate::error::DeviceError;
use crate::store::{Commit, Listed, Store, Tx, View};

/// What a worker does about an event, beside reporting it and verifying it on site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkerAct {
    /// Takes their own report back, before anybody has taken it on.
    Withdraw {
        /// Why, if they say so.
        reason: Option<String>,
    },
    /// Goes to look at a report.
    StartCheck,
    /// Has looked.
    FinishCheck {
        /// What they saw.
        note: Option<String>,
    },
    /// Says something and changes nothing.
    Note {
        /// What.
        text: String,
    },
    /// Asks for a higher level.
    RequestEscalation {
        /// Why.
        reason: String,
    },
    /// Asks for other units to come.
    RequestJointCall {
        /// Why.
        reason: String,
    },
}

impl WorkerAct {
    const fn action(&self) -> Action {
        match self {
            Self::Withdraw { .. } => Action::Withdraw,
            Self::StartCheck => Action::StartCheck,
            Self::FinishCheck { .. } => Action::FinishCheck,
            Self::Note { .. } => Action::Note,
            Self::RequestEscalation { .. } => Action::RequestEscalation,
            Self::RequestJointCall { .. } => Action::RequestJointCall,
        }
    }

    fn fill(self, entry: &mut LogEntry) {
        match self {
            Self::Withdraw { reason } => entry.reason = reason,
            Self::StartCheck => {}
            Self::FinishCheck { note } => entry.internal_note = note,
            Self::Note { text } => entry.internal_note = Some(text),
            Self::RequestEscalation { reason } | Self::RequestJointCall { reason } => {
                entry.reason = Some(reason);
            }
        }
    }
}

/// An event as this phone knows it.
pub(crate) struct Case {
    pub(crate) listed: Listed,
    pub(crate) entries: Vec<LogEntry>,
    pub(crate) folded: Folded,
}

impl View<'_> {
    pub(crate) fn case(&self, event: RecordId) -> Result<Case, DeviceError> {
        let listed = self.listed(event)?.ok_or(DeviceError::UnknownRecord { record: event })?;
        if listed.kind != Kind::Event.tag() {
            return Err(DeviceError::WrongKind { record: event, found: listed.kind });
        }
        let (entries, _) = read_log(&listed.fields);
        let folded = fold(&entries, &self.field_rules()?.event_rules());
        Ok(Case { listed, entries, folded })
    }
}

impl Tx<'_> {
    /// Adds an entry behind all that this phone knows. One that would not count is not written.
    pub(super) fn log_act(
        &mut self,
        event: RecordId,
        action: Action,
        now: Timestamp,
        fill: impl FnOnce(&mut LogEntry),
    ) -> Result<RecordId, DeviceError> {
        let mut case = self.case(event)?;
        let user = self.identity()?.user;
        let parent = case.folded.entries.last().map(|last| last.id);
        let mut entry = LogEntry::new(self.new_id(now)?, parent, now, user, action);
        entry.unit = self.unit_of(user)?;
        fill(&mut entry);
        case.entries.push(entry.clone());
        let folded = fold(&case.entries, &self.field_rules()?.event_rules());
        let judged = folded.entries.iter().find(|judged| judged.id == entry.id);
        let judged = judged.ok_or(DeviceError::Bug("an entry that was not judged"))?;
        if judged.verdict != Verdict::Applied {
            let flag = judged.flags.first().copied();
            return Err(
                flag.map_or(DeviceError::Bug("no reason given"), |flag| DeviceError::ActRefused { flag })
            );
        }
        Edits::over(self, now).add(event, "log", &entry.id.to_hex(), entry.to_value())?;
        Ok(entry.id)
    }
}

impl Store {
    /// What the worker may do about an event without a network, in the order in which a screen shows it.
    ///
    /// # Errors
    /// [`DeviceError::UnknownRecord`], [`DeviceError::WrongKind`].
    pub fn event_acts(&self, event: RecordId) -> Result<Vec<Action>, DeviceError> {
        let case = self.view().case(event)?;
        Ok(worker_acts(&case.folded, self.identity().map(|identity| identity.user)))
    }

    /// Does an act. It is judged by what this phone knows; the server has the last word, and an act that came too late
    /// is kept and flagged ([`super::MyReport::late`]). Returns the entry.
    ///
    /// # Errors
    /// [`DeviceError::ActRefused`] with the reason, and nothing was written; [`DeviceError::UnknownRecord`].
    pub fn act_on_event(
        &mut self,
        event: RecordId,
        act: WorkerAct,
        now: Timestamp,
    ) -> Result<RecordId, DeviceError> {
        self.write(Commit::Edit, |tx| tx.log_act(event, act.action(), now, |entry| act.fill(entry)))
    }
}

/// The acts that are open to a worker on the phone.
pub(super) fn worker_acts(folded: &Folded, user: Option<RecordId>) -> Vec<Action> {
    let open = |action: &Action| {
        let own = *action != Action::Withdraw || folded.reporter == user;
        own && action.offline().is_some_and(gridwalk_model::event::Offline::device_writes)
    };
    legal_next(folded, Role::Gridworker).into_iter().filter(open).collect()
}
