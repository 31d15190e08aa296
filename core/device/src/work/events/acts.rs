//! A worker's acts on an event: entries of its log, judged on the phone by the rules that the server applies.

use gridwalk_model::event::{Action, Folded, LogEntry, Offline, Verdict, fold, legal_next, read_log};
use gridwalk_model::records::task::TaskKind;
use gridwalk_model::{Kind, RecordId, Timestamp};

use crate::edit::Edits;
use crate::error::DeviceError;
use crate::store::{Commit, Listed, Store, Tx, View};
use crate::work::tasks;

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
    /// Signs for a case that was dispatched to their unit, where the phone has it.
    SignFor,
    /// Says that their unit has put it right.
    Rectify {
        /// What was done, for everybody to read.
        result: String,
        /// Elements of after-photos: see [`Store::snap_for_event`].
        after_photos: Vec<RecordId>,
        /// Why there is none.
        no_photo_reason: Option<String>,
    },
    /// Attends a joint call for their unit.
    Attend {
        /// What they found or did.
        note: Option<String>,
    },
    /// Objects to a joint call for their unit.
    Object {
        /// Why.
        reason: String,
    },
    /// Asks for more time, once, before it is due.
    RequestExtension {
        /// Why.
        reason: String,
        /// Until when.
        until: Option<Timestamp>,
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
            Self::SignFor => Action::SignFor,
            Self::Rectify { .. } => Action::Rectify,
            Self::Attend { .. } => Action::Attend,
            Self::Object { .. } => Action::Object,
            Self::RequestExtension { .. } => Action::RequestExtension,
        }
    }

    fn fill(self, entry: &mut LogEntry) {
        match self {
            Self::Withdraw { reason } => entry.reason = reason,
            Self::StartCheck | Self::SignFor => {}
            Self::FinishCheck { note } | Self::Attend { note } => entry.internal_note = note,
            Self::Note { text } => entry.internal_note = Some(text),
            Self::RequestEscalation { reason }
            | Self::RequestJointCall { reason }
            | Self::Object { reason } => entry.reason = Some(reason),
            Self::Rectify { result, after_photos, no_photo_reason } => {
                entry.public_reply = Some(result);
                entry.after_photos = after_photos;
                entry.reason = no_photo_reason;
            }
            Self::RequestExtension { reason, until } => {
                entry.reason = Some(reason);
                entry.until = until;
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
        let folded = fold(&entries, self.event_rules());
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
        let folded = fold(&case.entries, self.event_rules());
        let judged = folded.entries.iter().find(|judged| judged.id == entry.id);
        let judged = judged.ok_or(DeviceError::Bug("an entry that was not judged"))?;
        if judged.verdict != Verdict::Applied {
            let flag = judged.flags.first().copied();
            return Err(
                flag.map_or(DeviceError::Bug("no reason given"), |flag| DeviceError::ActRefused { flag })
            );
        }
        let fulfilled = match entry.action {
            Action::FinishCheck | Action::Verify | Action::FailVerification => Some(TaskKind::EventCheck),
            Action::Attend => Some(TaskKind::Attendance),
            Action::Note if entry.presence.is_some() => Some(TaskKind::LookBack),
            _ => None,
        };
        let mut edits = Edits::over(self, now);
        edits.add(event, "log", &entry.id.to_hex(), entry.to_value())?;
        if let Some(kind) = fulfilled {
            for task in tasks::open_about(edits.view(), &kind, event)? {
                edits.edit(task, &tasks::done(now, Some(event)))?;
            }
        }
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
        self.worker_acts(&case.folded)
    }

    /// Does an act. It is judged by what this phone knows; the server has the last word, and an act that came too late
    /// is kept and flagged ([`super::MyReport::late`]). Returns the entry.
    ///
    /// # Errors
    /// [`DeviceError::ActRefused`] with the reason, [`DeviceError::NotAllowed`] for what the worker's roles do not open,
    /// and nothing was written; [`DeviceError::UnknownRecord`].
    pub fn act_on_event(
        &mut self,
        event: RecordId,
        act: WorkerAct,
        now: Timestamp,
    ) -> Result<RecordId, DeviceError> {
        self.write(Commit::Edit, |tx| tx.log_act(event, act.action(), now, |entry| act.fill(entry)))
    }
}

impl Store {
    /// The acts that are open to the worker on the phone: those of their roles that need no network, and of the acts of
    /// a unit those of their own.
    pub(super) fn worker_acts(&self, folded: &Folded) -> Result<Vec<Action>, DeviceError> {
        let Some(user) = self.identity().map(|identity| identity.user) else { return Ok(Vec::new()) };
        let view = self.view();
        let (roles, unit) = (view.roles_of(user)?, view.unit_of(user)?);
        let open = |action: &Action| {
            let own = match action {
                Action::Withdraw => folded.reporter == Some(user),
                Action::SignFor | Action::Rectify | Action::RequestExtension => {
                    unit.is_some() && folded.handler == unit
                }
                Action::Attend | Action::Object => unit.is_some_and(|unit| folded.called.contains_key(&unit)),
                _ => true,
            };
            own && action.offline().is_some_and(Offline::device_writes)
        };
        let mut out: Vec<Action> = Vec::new();
        for action in roles.into_iter().flat_map(|role| legal_next(folded, role)) {
            if open(&action) && !out.contains(&action) {
                out.push(action);
            }
        }
        Ok(out)
    }
}
