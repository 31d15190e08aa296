//! What a record makes due, by itself: one pure function of a record's fields.
//!
//! A fact that depends on another record (an inspection starts a place's interval anew) is told in two halves, each by
//! its own record; whoever keeps them puts them together. So a phone can keep the facts in an indexed table and touch
//! only those of the record that changed.
//!
//! Who is to be visited when depends on many records at once: that is the rule of [`crate::visits`], not of this one.

mod facts;
mod walk;

pub use facts::facts;
pub use walk::{Stop, walking_order};

use crate::field_rules::FieldRules;
use crate::id::RecordId;
use crate::time::Timestamp;

labels! {
    /// What is to be done.
    DueKind {
        /// Visit somebody.
        Visit = "visit", "走访", "Visit";
        /// Inspect a place.
        Inspection = "inspection", "检查", "Inspect";
        /// Inspect again.
        Recheck = "recheck", "复查", "Recheck";
        /// Confirm base records.
        BaseCheck = "base_check", "信息核查", "Verify records";
        /// Look at a reported problem.
        SiteCheck = "site_check", "现场核实", "Check on site";
        /// See whether a problem was put right.
        SiteVerification = "site_verification", "现场核查", "Verify on site";
        /// Look again at a closed event.
        LookBack = "look_back", "回头看", "Look back";
        /// Attend a joint call.
        Attendance = "attendance", "吹哨报到", "Attend a joint call";
        /// Fill a form.
        Form = "form", "填报", "Fill a form";
        /// Something was not taken on or not accepted.
        Returned = "returned", "退回处理", "Deal with what came back";
        /// A task of another sort.
        OtherTask = "other_task", "其他任务", "Other task";
    }
}

labels! {
    /// From which sort of record a fact is, which is also its reason.
    DueSource {
        /// A task is open.
        Task = "task", "下达的任务", "A task was set";
        /// The cadence of visits, or a day that was agreed; see [`crate::visits`]. No record tells it by itself.
        Cadence = "cadence", "走访周期已到", "A visit is due";
        /// A place that is inspected at intervals.
        Interval = "interval", "检查周期已到", "The inspection interval is over";
        /// An inspection ended: settles the interval.
        Inspected = "inspected", "已检查", "Inspected";
        /// A rectification order is open.
        Order = "order", "整改期限", "The deadline of an order";
        /// An event was put right and is to be seen on site.
        Rectified = "rectified", "已处置，待现场核查", "Put right, to be seen on site";
        /// Somebody began to check a report.
        Checking = "checking", "核实尚未完成", "A check was begun and not finished";
        /// A closed event is looked at again.
        Closed = "closed", "结案后回头看", "To be looked at again after closing";
        /// A closed event is looked at when its season comes round: the first flood, frost or heating after it.
        Season = "season", "时令回头看", "To be looked at as its season comes";
        /// A report was not taken on.
        Rejected = "rejected", "上报未被受理", "The report was not taken on";
        /// An edit was not accepted by the server.
        Refused = "refused", "提交未被接受", "An edit was not accepted";
    }
}

impl DueSource {
    /// Days that the rules add to a fact's base until it is due.
    pub const fn days(self, rules: &FieldRules) -> u32 {
        match self {
            Self::Rectified => rules.verify_days,
            Self::Checking => rules.check_days,
            Self::Closed => rules.look_back_days,
            _ => 0,
        }
    }

    /// Days after a fact's base from which it is no longer listed.
    pub const fn gone_after_days(self, rules: &FieldRules) -> Option<u32> {
        match self {
            Self::Rejected => Some(rules.rejected_days),
            // Then the season is over.
            Self::Season => Some(rules.look_back_days),
            _ => None,
        }
    }
}

/// One thing that a record makes due, or that it settles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DueFact {
    /// From which sort of record.
    pub source: DueSource,
    /// What is to be done.
    pub kind: DueKind,
    /// Where or with whom.
    pub target: RecordId,
    /// The moment from which [`DueSource::days`] count; `None` where no time is set, for facts that only settle, and
    /// for a place with an interval: its is the last inspection ([`DueSource::Inspected`]) and [`Self::days`] after it,
    /// which whoever keeps the facts puts in.
    pub base: Option<Timestamp>,
    /// When the fact came about: the latest inspection of a place counts.
    pub since: Option<Timestamp>,
    /// Days of an interval.
    pub days: Option<u32>,
    /// Whose it is; `None` for whoever has the grid.
    pub person: Option<RecordId>,
    /// The unit whose people may do it as well.
    pub unit: Option<RecordId>,
    /// Whether the event is urgent.
    pub urgent: bool,
}

impl DueFact {
    /// A fact without a time, anybody's.
    pub const fn new(source: DueSource, kind: DueKind, target: RecordId) -> Self {
        Self {
            source,
            kind,
            target,
            base: None,
            since: None,
            days: None,
            person: None,
            unit: None,
            urgent: false,
        }
    }

    /// When it is due.
    pub fn due(&self, rules: &FieldRules) -> Option<Timestamp> {
        let days = i64::from(self.source.days(rules));
        self.base.map(|base| base.plus_days(days))
    }
}
