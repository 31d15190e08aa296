//! What lists and counts need of an event. A document is loaded once per version of the record; what is kept of
//! it is small and bounded.

use std::sync::Arc;

use gridwalk_model::event::{EventRules, Sla, State as EventState, Supervision, fold, read_log};
use gridwalk_model::{Fields, Kind, RecordId, Timestamp};

use super::cache::Cache;
use super::failure::Failure;
use super::reach::Reach;
use crate::edit;
use crate::storage::ReadTx;
use crate::storage::records::{RecordHead, RecordNo};
use crate::sync::State;

/// Events that are kept, a few hundred bytes each.
const KEPT: usize = 12_000;
/// Events that are read from the store at once.
const CHUNK: u32 = 200;

/// An event in a list.
#[derive(Debug)]
pub(super) struct Summary {
    pub(super) id: RecordId,
    pub(super) number: Option<String>,
    pub(super) category: Option<String>,
    pub(super) area: Option<RecordId>,
    pub(super) address: Option<String>,
    pub(super) state: EventState,
    pub(super) sla: Option<Sla>,
    pub(super) over: bool,
    pub(super) began_at: Timestamp,
}

impl Summary {
    /// Reads it from an event's content.
    pub(super) fn of(id: RecordId, fields: &Fields, created_at: Timestamp, rules: &EventRules) -> Self {
        let (entries, _) = read_log(fields);
        let folded = fold(&entries, rules);
        let text = |name: &str| fields.get(name).and_then(|value| value.as_text()).map(str::to_owned);
        Self {
            id,
            number: text("number"),
            category: folded.category.clone().or_else(|| text("category")),
            area: fields.get("area").and_then(|area| area.as_link()),
            address: text("address"),
            over: folded.is_over(),
            state: folded.state,
            began_at: folded.reported_at.unwrap_or(created_at),
            sla: folded.sla,
        }
    }

    /// How late it is.
    pub(super) fn light(&self, now: Timestamp) -> Supervision {
        match &self.sla {
            Some(sla) if !self.over => sla.light(now),
            _ => Supervision::None,
        }
    }

    /// The deadline that counts now.
    pub(super) fn due(&self) -> Option<Timestamp> {
        let waiting =
            matches!(self.state, EventState::Rectified | EventState::Verified | EventState::AwaitingRating);
        let sla = self.sla.as_ref().filter(|sla| !self.over && !waiting && !sla.paused)?;
        sla.next_due()
    }
}

/// Remembers summaries; `None` of events that were removed.
#[derive(Debug)]
pub(super) struct Summaries {
    kept: Cache<Option<Arc<Summary>>>,
}

impl Default for Summaries {
    fn default() -> Self {
        Self { kept: Cache::new(KEPT) }
    }
}

/// Part of the list of events, the latest first.
pub(super) struct Part {
    pub(super) found: Vec<Arc<Summary>>,
    /// Where to go on; `None` at the end.
    pub(super) next: Option<RecordNo>,
}

impl Summaries {
    fn get(
        &self,
        tx: &dyn ReadTx,
        head: &RecordHead,
        rules: &EventRules,
    ) -> Result<Option<Arc<Summary>>, Failure> {
        let kept = self.kept.get(head, || {
            let Some((head, document)) = edit::read(tx, head.id)? else { return Ok::<_, Failure>(None) };
            let state = State::of(&document);
            let summary = Summary::of(head.id, &state.fields, head.created_at, rules);
            Ok(state.shown.then(|| Arc::new(summary)))
        })?;
        Ok(kept.as_ref().clone())
    }

    /// Walks events from the latest back, or from before `before`, until `want` were found that `reach` holds and
    /// `fits` likes, or `most` were looked at.
    pub(super) fn walk(
        &self,
        tx: &dyn ReadTx,
        (reach, rules): (&Reach, &EventRules),
        mut before: Option<RecordNo>,
        (want, most): (usize, usize),
        fits: impl Fn(&Summary) -> bool,
    ) -> Result<Part, Failure> {
        let mut part = Part { found: Vec::new(), next: None };
        let mut looked_at = 0;
        loop {
            let heads = tx.records_of_kind(Kind::Event.tag(), before, CHUNK)?;
            for head in &heads {
                before = Some(head.no);
                looked_at += 1;
                if reach.holds(tx, head.no)? {
                    let summary = self.get(tx, head, rules)?;
                    part.found.extend(summary.filter(|summary| fits(summary)));
                }
                if part.found.len() >= want || looked_at >= most {
                    let more = !tx.records_of_kind(Kind::Event.tag(), before, 1)?.is_empty();
                    part.next = before.filter(|_| more);
                    return Ok(part);
                }
            }
            if heads.len() < CHUNK as usize {
                return Ok(part);
            }
        }
    }
}
