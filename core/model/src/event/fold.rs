//! The fold: from a log to the state of an event.

use std::collections::{BTreeMap, BTreeSet};

use crate::categories::Severity;
use crate::event::guards::Context;
use crate::event::order::{Placed, canonical};
use crate::event::sla::Sla;
use crate::event::state::{Called, ExtensionRequest, Flag, Folded, Judged, Rating, State, Verdict};
use crate::event::table::{To, rows};
use crate::event::{Action, EventRules, LogEntry, Presence, SlaClass, Supervision};
use crate::id::RecordId;
use crate::time::{MINUTE_MS, Timestamp};

/// What the log says. Pure and deterministic: the same entries under the same rules give the same result in
/// whatever order they are handed over, on a phone as on the server.
///
/// An entry that does not apply is listed in [`Folded::entries`] with the reason and changes nothing.
pub fn fold(entries: &[LogEntry], rules: &EventRules) -> Folded {
    let mut folded = empty(rules);
    let mut rounds: BTreeMap<RecordId, u32> = BTreeMap::new();
    let (placed, doubles) = canonical(entries);
    for placed in placed {
        let round_seen = placed.entry.parent.and_then(|parent| rounds.get(&parent).copied());
        let judged = step(&mut folded, &placed, round_seen, rules);
        // The author of an entry that does not count did not see what made it not count.
        let seen = if judged.verdict == Verdict::Applied {
            folded.round
        } else {
            round_seen.unwrap_or(folded.round)
        };
        rounds.insert(placed.entry.id, seen);
        folded.entries.push(judged);
    }
    for entry in doubles {
        let judged = judge(&folded, entry, entry.at, Verdict::Invalid, vec![Flag::DuplicateId]);
        folded.entries.push(judged);
    }
    folded
}

/// An event without a log.
fn empty(rules: &EventRules) -> Folded {
    Folded {
        state: State::Draft,
        round: 1,
        level: 0,
        category: None,
        urgency: None,
        reporter: None,
        reporter_unit: None,
        occurred_at: None,
        reported_at: None,
        received_at: None,
        lead_unit: None,
        forwarded_to: None,
        handler: None,
        handled_by: BTreeSet::new(),
        accepted_by: Vec::new(),
        closed_by: Vec::new(),
        merged_into: None,
        has_appellant: false,
        rating: None,
        callbacks_failed: 0,
        callbacks_left: rules.callback_tries,
        returns: 0,
        ruling_needed: false,
        ruled: false,
        called: BTreeMap::new(),
        escalation_requested: false,
        joint_call_requested: false,
        supervision: Supervision::None,
        sponsor: None,
        extension_requested: None,
        extensions_left: rules.extensions,
        review_at: None,
        rectified_at: None,
        closed_at: None,
        look_back_due: None,
        sla: None,
        entries: Vec::new(),
    }
}

fn judge(folded: &Folded, entry: &LogEntry, at: Timestamp, verdict: Verdict, flags: Vec<Flag>) -> Judged {
    Judged {
        id: entry.id,
        action: entry.action.clone(),
        at,
        verdict,
        flags,
        state: folded.state,
        round: folded.round,
    }
}

/// Judges one entry and, if it counts, lets it act.
fn step(folded: &mut Folded, placed: &Placed<'_>, round_seen: Option<u32>, rules: &EventRules) -> Judged {
    let Placed { entry, at, .. } = placed;
    if placed.in_cycle {
        return judge(folded, entry, *at, Verdict::Invalid, vec![Flag::Cycle]);
    }
    if matches!(entry.action, Action::Other(_)) {
        return judge(folded, entry, *at, Verdict::Invalid, vec![Flag::UnknownAction]);
    }
    let mut refused = Flag::NotInThisState;
    for row in rows(&entry.action).filter(|row| row.from.contains(&folded.state)) {
        let context = Context { entry, at: *at, round_seen, folded, rules };
        if let Err(flag) = row.guards.iter().try_for_each(|guard| guard.holds(&context)) {
            refused = flag;
            continue;
        }
        let mut flags: Vec<Flag> = row.remark.into_iter().collect();
        flags.extend(remarks(&context, placed));
        if let To::State(state) = row.to {
            folded.state = state;
        }
        let mut act = Act { folded, entry, at: *at, received_at: placed.received_at, rules };
        act.common();
        act.apply(row.to);
        return judge(folded, entry, *at, Verdict::Applied, flags);
    }
    judge(folded, entry, *at, Verdict::Superseded, vec![refused])
}

/// What is worth saying of an entry that counts.
fn remarks(context: &Context<'_>, placed: &Placed<'_>) -> Vec<Flag> {
    let Context { entry, folded, rules, .. } = context;
    let mut flags = Vec::new();
    let report = matches!(entry.action, Action::Report | Action::ResolveOnSpot);
    let skew = i64::from(rules.clock_skew_minutes) * MINUTE_MS;
    let category = entry.category.as_deref().or(folded.category.as_deref());
    let controlled = entry.sponsor.is_some() && entry.internal_note.is_some();
    let objected = folded.called.values().any(|called| called.objection.is_some());
    let mut say = |holds: bool, flag: Flag| {
        if holds {
            flags.push(flag);
        }
    };
    say(placed.orphan, Flag::MissingParent);
    say(placed.received_at.is_some_and(|received| entry.at > received.plus_millis(skew)), Flag::ClockAhead);
    say(report && category.is_none(), Flag::NoCategory);
    let evidence = !entry.photos.is_empty() || !entry.after_photos.is_empty() || entry.reason.is_some();
    say(report && !evidence, Flag::NoEvidence);
    let major = rules.severity(category) == Severity::Major;
    say(entry.action == Action::Escalate && major && !controlled, Flag::NeedsSponsor);
    say(entry.action == Action::FinishJointCall && objected, Flag::OverObjection);
    let far = entry.distance_m.is_some_and(|metres| metres > rules.verify_distance_m);
    say(entry.presence == Some(Presence::Explained) && far, Flag::FarOff);
    flags
}

/// An entry that counts, at work on the state.
struct Act<'a> {
    folded: &'a mut Folded,
    entry: &'a LogEntry,
    at: Timestamp,
    received_at: Option<Timestamp>,
    rules: &'a EventRules,
}

impl Act<'_> {
    /// What any entry may say.
    fn common(&mut self) {
        self.folded.has_appellant |= self.entry.has_appellant == Some(true);
    }

    fn apply(&mut self, to: To) {
        match self.entry.action {
            Action::Report | Action::ResolveOnSpot => self.report(),
            Action::Classify => self.classify(),
            Action::Merge => self.folded.merged_into = self.entry.event,
            Action::UndoMerge => self.folded.merged_into = None,
            Action::Accept => self.accept(),
            Action::Forward => self.folded.forwarded_to = self.entry.to_unit,
            Action::HandleSelf => self.folded.handler = self.folded.lead_unit,
            Action::Dispatch => self.send(false),
            Action::Rule => self.send(true),
            Action::SignFor => self.folded.handled_by.extend(self.entry.by),
            Action::Return => self.give_back(to),
            Action::Rectify => self.rectify(),
            Action::FailVerification | Action::Rework => self.next_round(),
            Action::Rate => self.rate(),
            Action::CallbackFailed => self.callback_failed(),
            Action::Close => self.close(),
            Action::Suspend | Action::Resume => self.pause(),
            Action::Reopen => self.reopen(),
            Action::Supervise => {
                self.folded.supervision = self.entry.supervision.clone().unwrap_or(Supervision::None);
            }
            _ => self.ask_and_answer(),
        }
    }

    fn ask_and_answer(&mut self) {
        let (folded, entry) = (&mut *self.folded, self.entry);
        match entry.action {
            Action::RequestEscalation => folded.escalation_requested = true,
            Action::Escalate => {
                folded.escalation_requested = false;
                folded.level = folded.level.saturating_add(1);
                folded.sponsor = entry.sponsor.or(folded.sponsor);
            }
            Action::RequestJointCall => folded.joint_call_requested = true,
            Action::JointCall | Action::Attend | Action::Object | Action::FinishJointCall => {
                self.joint_call()
            }
            Action::RequestExtension => {
                folded.extension_requested = Some(ExtensionRequest { at: self.at, until: entry.until });
            }
            Action::GrantExtension => {
                folded.extension_requested = None;
                folded.extensions_left = folded.extensions_left.saturating_sub(1);
                if let (Some(sla), Some(until)) = (&mut folded.sla, entry.until) {
                    sla.extend(until, self.rules);
                }
            }
            Action::DenyExtension => folded.extension_requested = None,
            _ => {}
        }
    }

    fn class(&self) -> SlaClass {
        let set = self.folded.urgency.clone();
        set.unwrap_or_else(|| self.rules.class(self.folded.category.as_deref()))
    }

    fn start_clock(&mut self, at: Timestamp) {
        self.folded.sla = Some(Sla::start(self.class(), at, self.rules));
    }

    fn report(&mut self) {
        self.folded.reporter = self.entry.by;
        self.folded.reporter_unit = self.entry.unit;
        self.folded.category.clone_from(&self.entry.category);
        self.folded.urgency.clone_from(&self.entry.urgency);
        self.folded.occurred_at = self.entry.occurred_at;
        self.folded.reported_at = Some(self.at);
        self.folded.received_at = self.received_at;
        if self.entry.action == Action::ResolveOnSpot && self.folded.state == State::ResolvedOnSpot {
            self.folded.rectified_at = Some(self.at);
        } else if let Some(received) = self.received_at {
            self.start_clock(received);
        }
    }

    fn classify(&mut self) {
        if self.entry.category.is_some() {
            self.folded.category.clone_from(&self.entry.category);
        }
        if self.entry.urgency.is_some() {
            self.folded.urgency.clone_from(&self.entry.urgency);
        }
        let class = self.class();
        if let Some(sla) = &mut self.folded.sla {
            sla.classify(class, self.rules);
        }
    }

    fn accept(&mut self) {
        self.folded.lead_unit = self.entry.unit;
        self.folded.forwarded_to = None;
        self.folded.handler = None;
        if let Some(unit) = self.entry.unit.filter(|unit| !self.folded.accepted_by.contains(unit)) {
            self.folded.accepted_by.push(unit);
        }
        if self.entry.category.is_some() || self.entry.urgency.is_some() {
            self.classify();
        }
        if self.folded.sla.is_none() {
            self.start_clock(self.at);
        }
        if let Some(sla) = &mut self.folded.sla {
            sla.respond(self.at, self.rules);
        }
    }

    fn send(&mut self, ruled: bool) {
        self.folded.handler = self.entry.to_unit;
        self.folded.ruled = ruled;
        self.folded.ruling_needed = false;
    }

    fn give_back(&mut self, to: To) {
        self.folded.returns = self.folded.returns.saturating_add(1);
        match to {
            To::State(_) => {
                self.folded.handler = None;
                self.folded.forwarded_to = None;
            }
            To::Stay => self.folded.ruling_needed = true,
        }
    }

    fn rectify(&mut self) {
        self.folded.handled_by.extend(self.entry.by);
        self.folded.rectified_at = Some(self.at);
        self.folded.extension_requested = None;
        if let Some(sla) = &mut self.folded.sla {
            sla.done_at = Some(self.at);
        }
    }

    fn next_round(&mut self) {
        self.folded.round = self.folded.round.saturating_add(1);
        self.folded.rectified_at = None;
        self.folded.rating = None;
        self.folded.callbacks_failed = 0;
        self.folded.callbacks_left = self.rules.callback_tries;
        self.folded.closed_by.clear();
        if let Some(sla) = &mut self.folded.sla {
            sla.done_at = None;
        } else if let Some(received) = self.folded.received_at {
            self.start_clock(received);
        }
    }

    fn rate(&mut self) {
        if let Some(solved) = self.entry.solved {
            self.folded.rating = Some(Rating {
                solved,
                satisfied: self.entry.satisfied,
                channel: self.entry.channel.clone(),
                at: self.at,
            });
        }
    }

    fn callback_failed(&mut self) {
        self.folded.callbacks_failed = self.folded.callbacks_failed.saturating_add(1);
        self.folded.callbacks_left = self.folded.callbacks_left.saturating_sub(1);
    }

    fn close(&mut self) {
        self.folded.closed_by.extend(self.folded.closes_next());
        if self.folded.closes_next().is_none() {
            let days = i64::from(self.rules.look_back_days);
            self.folded.state = State::Closed;
            self.folded.closed_at = Some(self.at);
            self.folded.look_back_due = Some(self.at.plus_days(days));
        }
    }

    fn pause(&mut self) {
        let suspend = self.entry.action == Action::Suspend;
        self.folded.review_at = self.entry.until.filter(|_| suspend);
        if let Some(sla) = &mut self.folded.sla {
            if suspend { sla.pause(self.at, self.rules) } else { sla.resume(self.at, self.rules) }
        }
    }

    fn reopen(&mut self) {
        self.next_round();
        self.folded.closed_at = None;
        self.folded.look_back_due = None;
        self.folded.handler = None;
        self.start_clock(self.at);
        if let Some(sla) = self.folded.sla.as_mut().filter(|_| self.folded.lead_unit.is_some()) {
            sla.respond(self.at, self.rules);
        }
    }

    fn joint_call(&mut self) {
        let (folded, entry) = (&mut *self.folded, self.entry);
        match entry.action {
            Action::JointCall => {
                folded.joint_call_requested = false;
                let called = Called { deadline: entry.until, attended_at: None, objection: None };
                folded.called.extend(entry.to_unit.map(|unit| (unit, called)));
            }
            Action::FinishJointCall => folded.called.clear(),
            _ => {
                let Some(called) = entry.unit.and_then(|unit| folded.called.get_mut(&unit)) else { return };
                if entry.action == Action::Attend {
                    called.attended_at.get_or_insert(self.at);
                } else {
                    called.objection.clone_from(&entry.reason);
                }
            }
        }
    }
}
