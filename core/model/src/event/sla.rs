//! The deadlines of an event.

use std::collections::BTreeSet;

use crate::calendar::{Calendar, Due, Span};
use crate::event::rules::SlaRule;
use crate::event::{EventRules, SlaClass, Supervision};
use crate::time::Timestamp;

/// Something that moves the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Pause(Timestamp),
    Resume(Timestamp),
    Extend(Timestamp),
}

/// Deadlines. The clock starts at the server's receipt, so that work offline is neither punished nor hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sla {
    /// Which deadlines count.
    pub class: SlaClass,
    /// When the clock started.
    pub started_at: Timestamp,
    /// When somebody has to have accepted.
    pub respond_due: Option<Timestamp>,
    /// When somebody did.
    pub responded_at: Option<Timestamp>,
    /// When it has to be put right; known from acceptance on.
    pub due: Option<Timestamp>,
    /// From when it is red.
    pub red_at: Option<Timestamp>,
    /// When it was put right, in this round.
    pub done_at: Option<Timestamp>,
    /// Whether the clock stands still.
    pub paused: bool,
    /// Years that were counted Monday to Friday for want of calendar data: a warning.
    pub missing_years: BTreeSet<i16>,
    steps: Vec<Step>,
}

impl Sla {
    pub(crate) fn start(class: SlaClass, at: Timestamp, rules: &EventRules) -> Self {
        let mut sla = Self {
            class,
            started_at: at,
            respond_due: None,
            responded_at: None,
            due: None,
            red_at: None,
            done_at: None,
            paused: false,
            missing_years: BTreeSet::new(),
            steps: Vec::new(),
        };
        sla.compute(rules);
        sla
    }

    pub(crate) fn classify(&mut self, class: SlaClass, rules: &EventRules) {
        self.class = class;
        self.compute(rules);
    }

    pub(crate) fn respond(&mut self, at: Timestamp, rules: &EventRules) {
        self.responded_at.get_or_insert(at);
        self.compute(rules);
    }

    pub(crate) fn pause(&mut self, at: Timestamp, rules: &EventRules) {
        self.steps.push(Step::Pause(at));
        self.compute(rules);
    }

    pub(crate) fn resume(&mut self, at: Timestamp, rules: &EventRules) {
        self.steps.push(Step::Resume(at));
        self.compute(rules);
    }

    pub(crate) fn extend(&mut self, until: Timestamp, rules: &EventRules) {
        self.steps.push(Step::Extend(until));
        self.compute(rules);
    }

    fn compute(&mut self, rules: &EventRules) {
        self.paused = matches!(
            self.steps.iter().rev().find(|step| !matches!(step, Step::Extend(_))),
            Some(Step::Pause(_))
        );
        self.missing_years.clear();
        let Some(rule) = rules.sla.get(&self.class).copied() else {
            (self.respond_due, self.due, self.red_at) = (None, None, None);
            return;
        };
        let respond = rules.calendar.add(self.started_at, rule.respond);
        self.respond_due = Some(self.keep(respond));
        let ends = self.responded_at.map(|at| {
            let due = walk(&rules.calendar, at, rule.handle, &self.steps);
            let red = walk(&rules.calendar, at, red_span(rule), &self.steps);
            (due, red)
        });
        if let Some((due, red)) = ends {
            let due = self.keep(due);
            let red = self.keep(red);
            self.due = Some(due);
            self.red_at = Some(red.max(due));
        }
    }

    fn keep(&mut self, due: Due) -> Timestamp {
        self.missing_years.extend(due.missing_years);
        due.at
    }

    /// The deadline that counts now: that of accepting, then that of putting it right.
    pub fn next_due(&self) -> Option<Timestamp> {
        if self.responded_at.is_none() { self.respond_due } else { self.due }
    }

    /// Whether it is overdue at `now`, and how far. A case that was put right in time, or whose clock stands
    /// still, is not.
    pub fn light(&self, now: Timestamp) -> Supervision {
        let until = self.done_at.unwrap_or(now);
        let late = |due: Option<Timestamp>| due.is_some_and(|due| until > due);
        if self.paused {
            Supervision::None
        } else if self.responded_at.is_none() {
            if late(self.respond_due) { Supervision::Yellow } else { Supervision::None }
        } else if late(self.red_at) {
            Supervision::Red
        } else if late(self.due) {
            Supervision::Yellow
        } else {
            Supervision::None
        }
    }
}

fn red_span(rule: SlaRule) -> Span {
    match rule.handle {
        Span::Minutes(minutes) => Span::Minutes(minutes.saturating_mul(rule.red_times)),
        Span::Workdays(days) => Span::Workdays(days.saturating_mul(rule.red_times)),
    }
}

/// The end of `span`, moved by what happened on the way.
fn walk(calendar: &Calendar, start: Timestamp, span: Span, steps: &[Step]) -> Due {
    let mut due = calendar.add(start, span);
    let mut left = None;
    for step in steps {
        match step {
            Step::Pause(at) if left.is_none() => left = Some(remaining(calendar, span, *at, due.at)),
            Step::Resume(at) => {
                if let Some(ms) = left.take().filter(|ms| *ms > 0) {
                    let moved = go_on(calendar, span, *at, ms);
                    due.missing_years.extend(moved.missing_years);
                    due.at = moved.at;
                }
            }
            Step::Extend(until) => due.at = due.at.max(*until),
            Step::Pause(_) => {}
        }
    }
    due
}

fn remaining(calendar: &Calendar, span: Span, from: Timestamp, due: Timestamp) -> i64 {
    match span {
        Span::Minutes(_) => due.millis().saturating_sub(from.millis()),
        Span::Workdays(_) => calendar.working_between(from, due),
    }
}

fn go_on(calendar: &Calendar, span: Span, from: Timestamp, ms: i64) -> Due {
    match span {
        Span::Minutes(_) => Due { at: from.plus_millis(ms), missing_years: BTreeSet::new() },
        Span::Workdays(_) => calendar.add_working(from, ms),
    }
}
