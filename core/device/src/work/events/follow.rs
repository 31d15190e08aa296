//! What became of a worker's reports.

use gridwalk_evidence::PerceptualHash;
use gridwalk_model::describe::Words;
use gridwalk_model::event::pairs::{Pair, pairs};
use gridwalk_model::event::{Action, Flag, State, Supervision, Verdict, with_evidence_of_now};
use gridwalk_model::photo::{PhotoRef, shown_photos};
use gridwalk_model::{Kind, RecordId, Timestamp, Value};

use super::acts::Case;
use super::unsent::Sending;
use crate::error::DeviceError;
use crate::store::Store;

/// One of the worker's reports.
#[derive(Clone, Debug, PartialEq)]
pub struct MyReport {
    /// The event.
    pub event: RecordId,
    /// Its number.
    pub number: Option<String>,
    /// Its category.
    pub category: Words,
    /// Where it stands.
    pub state: State,
    /// How far the report itself has come.
    pub sending: Sending,
    /// When something last happened to it.
    pub changed_at: Timestamp,
    /// The last answer that everybody may read.
    pub reply: Option<String>,
    /// The deadline that counts now.
    pub due: Option<Timestamp>,
    /// Whether it is overdue, and how far.
    pub light: Supervision,
    /// What the worker may do about it now.
    pub acts: Vec<Action>,
    /// The worker's acts that do not count, with the reason: they came too late, or another was first.
    pub late: Vec<(Action, Flag)>,
}

/// One line of an event's story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoryLine {
    /// The entry.
    pub entry: RecordId,
    /// When it counts as made.
    pub at: Timestamp,
    /// Who made it, where the directory of staff knows them; `None` for the system.
    pub by: Option<String>,
    /// What it does.
    pub action: Action,
    /// What it says.
    pub text: Option<String>,
    /// Whether it counts.
    pub counts: bool,
    /// Why not, or with what remark.
    pub flags: Vec<Flag>,
    /// Where the event stood afterwards.
    pub state: State,
}

/// An event's story with its photos side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct EventStory {
    /// The lines, the oldest first.
    pub lines: Vec<StoryLine>,
    /// Photos before and after.
    pub pairs: Vec<Pair>,
}

impl Store {
    /// The worker's reports, the latest first, at most `limit`.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn my_reports(&self, now: Timestamp, limit: usize) -> Result<Vec<MyReport>, DeviceError> {
        let user = self.identity().ok_or(DeviceError::NotEnrolled)?.user;
        let listed = self.view().list_linked(Kind::Event.tag(), "reporter", user)?;
        listed.into_iter().take(limit).map(|row| self.my_report(row.id, user, now)).collect()
    }

    fn my_report(&self, event: RecordId, user: RecordId, now: Timestamp) -> Result<MyReport, DeviceError> {
        let Case { listed, entries, folded } = self.view().case(event)?;
        let own = |id: RecordId| entries.iter().any(|entry| entry.id == id && entry.by == Some(user));
        let late = folded.flagged().filter(|judged| own(judged.id));
        let late = late.filter_map(|judged| Some((judged.action.clone(), *judged.flags.first()?))).collect();
        let reply = folded.entries.iter().rev().find_map(|judged| {
            let entry = entries.iter().find(|entry| entry.id == judged.id)?;
            entry.public_reply.clone().filter(|_| judged.verdict == Verdict::Applied)
        });
        let (zh, en) = self.view().event_rules().label(folded.category.as_deref().unwrap_or_default());
        Ok(MyReport {
            event,
            number: listed.fields.get("number").and_then(Value::as_text).map(str::to_owned),
            category: Words::new(zh, en),
            state: folded.state,
            sending: self.sending(event)?,
            changed_at: folded.entries.iter().map(|judged| judged.at).max().unwrap_or_default(),
            reply,
            due: folded.sla.as_ref().filter(|_| !folded.is_over()).and_then(|sla| sla.next_due()),
            light: folded.sla.as_ref().map_or(Supervision::None, |sla| sla.light(now)),
            acts: self.worker_acts(&folded)?,
            late,
        })
    }

    /// The story of an event: who did what when, what does not count and why, and the photos before and after.
    ///
    /// # Errors
    /// [`DeviceError::UnknownRecord`], [`DeviceError::WrongKind`].
    pub fn event_story(&self, event: RecordId) -> Result<EventStory, DeviceError> {
        let Case { listed, entries, folded } = self.view().case(event)?;
        let mut lines = Vec::new();
        for judged in with_evidence_of_now(&listed.fields, &entries, &folded) {
            let Some(entry) = entries.iter().find(|entry| entry.id == judged.id) else { continue };
            let by = match entry.by {
                Some(by) if self.identity().is_some_and(|identity| identity.user == by) => {
                    self.user_name()?
                }
                Some(by) => self
                    .view()
                    .listed(by)?
                    .and_then(|worker| worker.fields.get("name").and_then(Value::as_text).map(str::to_owned)),
                None => None,
            };
            let texts = [&entry.public_reply, &entry.reason, &entry.internal_note];
            let text: Vec<&str> = texts.into_iter().flatten().map(String::as_str).collect();
            lines.push(StoryLine {
                entry: judged.id,
                at: judged.at,
                by,
                action: judged.action,
                text: (!text.is_empty()).then(|| text.join("；")),
                counts: judged.verdict == Verdict::Applied,
                flags: judged.flags,
                state: judged.state,
            });
        }
        let photos: Vec<(RecordId, PhotoRef)> = shown_photos(&listed.fields).collect();
        let look_alike = |one, other| PerceptualHash(one).looks_like(PerceptualHash(other));
        Ok(EventStory { lines, pairs: pairs(&photos, look_alike) })
    }
}
