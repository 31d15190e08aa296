//! What a record makes due, by itself: one pure function of a record's fields.
//!
//! A fact that depends on another record (a later visit settles the one that was agreed before it) is told in two
//! halves, each by its own record; whoever lists what is due puts them together ([`DueSource::settled_by`]). So a
//! phone can keep the facts in an indexed table and touch only those of the record that changed.

mod facts;
mod walk;

pub use facts::facts;
pub use walk::{Stop, walking_order};

use crate::field_rules::{DAY_MS, FieldRules};
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
        /// A visit agreed on the next one. Every visit tells this fact, with or without a next one.
        Visited = "visited", "上次走访约定的时间", "Agreed on the last visit";
        /// A care tag that no visit has followed yet.
        CareTag = "care_tag", "关爱对象尚未走访", "On the care list and not visited yet";
        /// Somebody moved in and was not visited yet.
        MovedIn = "moved_in", "新入住尚未走访", "Newly moved in and not visited yet";
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
        /// A report was not taken on.
        Rejected = "rejected", "上报未被受理", "The report was not taken on";
        /// An edit was not accepted by the server.
        Refused = "refused", "提交未被接受", "An edit was not accepted";
    }
}

impl DueSource {
    /// The facts that settle one from this source when they are later than it and of the same target.
    pub const fn settled_by(self) -> Option<Self> {
        match self {
            Self::Visited | Self::CareTag | Self::MovedIn => Some(Self::Visited),
            Self::Interval => Some(Self::Inspected),
            _ => None,
        }
    }

    /// Days that the rules add to a fact's base until it is due.
    pub const fn days(self, rules: &FieldRules) -> u32 {
        match self {
            Self::CareTag => rules.first_care_days,
            Self::MovedIn => rules.welcome_days,
            Self::Rectified => rules.verify_days,
            Self::Checking => rules.check_days,
            Self::Closed => rules.look_back_days,
            _ => 0,
        }
    }

    /// Days after a fact's base from which it is no longer listed.
    pub const fn gone_after_days(self, rules: &FieldRules) -> Option<u32> {
        match self {
            Self::MovedIn => Some(rules.welcome_until_days),
            Self::Rejected => Some(rules.rejected_days),
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
    /// The moment from which [`DueSource::days`] count; `None` where no time is set, and for facts that only settle.
    pub base: Option<Timestamp>,
    /// When the fact came about: what decides between visits of the same target.
    pub since: Option<Timestamp>,
    /// Days of an interval.
    pub days: Option<u32>,
    /// The last moment at which it counts.
    pub ends: Option<Timestamp>,
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
            ends: None,
            person: None,
            unit: None,
            urgent: false,
        }
    }

    /// When it is due. `settled` is the latest time of the facts that settle this one's target.
    pub fn due(&self, settled: Option<Timestamp>, rules: &FieldRules) -> Option<Timestamp> {
        if self.source == DueSource::Interval {
            let days = i64::from(self.days.unwrap_or(0));
            return settled.map(|last| last.plus_millis(days.saturating_mul(DAY_MS)));
        }
        let days = i64::from(self.source.days(rules));
        self.base.map(|base| base.plus_millis(days.saturating_mul(DAY_MS)))
    }
}
