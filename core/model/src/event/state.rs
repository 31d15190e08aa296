//! What the fold of a log says.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::sla::Sla;
use crate::event::{Action, RatingChannel, SlaClass, Supervision};
use crate::id::RecordId;
use crate::time::Timestamp;

labels! {
    /// Where an event stands.
    State {
        /// Not reported yet.
        Draft = "draft", "草稿", "Draft";
        /// Reported.
        Reported = "reported", "已上报", "Reported";
        /// Somebody is looking on site.
        Checking = "checking", "核实中", "Being checked";
        /// Put right by the finder, with a photo.
        ResolvedOnSpot = "resolved_on_spot", "当场处置", "Resolved on the spot";
        /// Taken back by the reporter.
        Withdrawn = "withdrawn", "已撤回", "Withdrawn";
        /// Not taken on.
        Rejected = "rejected", "不予受理", "Rejected";
        /// The same as another event.
        Merged = "merged", "已合并", "Merged";
        /// A unit is responsible.
        Accepted = "accepted", "已受理", "Accepted";
        /// With the next level up, which has not accepted yet.
        Forwarded = "forwarded", "已上报上级", "Forwarded";
        /// Sent to a unit that has not signed for it yet.
        Dispatched = "dispatched", "已派遣", "Dispatched";
        /// Being handled.
        Handling = "handling", "处置中", "Being handled";
        /// Put aside; the clock stands still.
        Suspended = "suspended", "已挂账", "Suspended";
        /// Put right, not yet seen to be.
        Rectified = "rectified", "已处置待核查", "Rectified";
        /// Seen to be put right.
        Verified = "verified", "核查通过", "Verified";
        /// The appellant is being asked.
        AwaitingRating = "awaiting_rating", "待评价", "Awaiting rating";
        /// Closed.
        Closed = "closed", "已结案", "Closed";
        /// Opened again by a look-back.
        Reopened = "reopened", "已重启", "Reopened";
    }
}

labels! {
    /// Why an entry does not count, or counts with a remark.
    Flag {
        /// The event was not in a state in which this can be done.
        NotInThisState = "not_in_this_state", "事件当时的状态不允许此操作", "Not possible in the state of the event";
        /// Its author had not seen that the case was opened again.
        StaleRound = "stale_round", "针对的是上一轮办理", "It concerns an earlier round";
        /// Only the reporter may.
        NotTheReporter = "not_the_reporter", "只有上报人可以操作", "Only the reporter may do this";
        /// Another unit handles it.
        NotTheHandler = "not_the_handler", "不是当前处置单位", "Another unit handles it";
        /// Another unit is in the lead.
        NotTheLead = "not_the_lead", "不是首接责任单位", "Another unit is in the lead";
        /// It was forwarded to another unit.
        NotTheTarget = "not_the_target", "不是上报的目标单位", "It was forwarded to another unit";
        /// Another unit reported it.
        NotReportersUnit = "not_reporters_unit", "不是上报单位", "Another unit reported it";
        /// Another level closes first.
        NotTheirTurn = "not_their_turn", "应由其他层级先结案", "Another level closes first";
        /// The unit was not called.
        NotCalled = "not_called", "该单位未被吹哨", "The unit was not called";
        /// There is no lead unit.
        NoLead = "no_lead", "尚无首接责任单位", "No unit is in the lead";
        /// A reason is missing.
        NeedsReason = "needs_reason", "缺少原因", "A reason is missing";
        /// The unit is missing.
        NeedsUnit = "needs_unit", "缺少单位", "The unit is missing";
        /// The other event is missing.
        NeedsEvent = "needs_event", "缺少合并目标", "The other event is missing";
        /// The date is missing.
        NeedsDate = "needs_date", "缺少日期", "The date is missing";
        /// The level of supervision is missing.
        NeedsLevel = "needs_level", "缺少督办级别", "The level of supervision is missing";
        /// Nothing says what was done.
        NeedsResult = "needs_result", "缺少处置结果", "Nothing says what was done";
        /// A photo of the result, or a reason why there is none, is missing.
        NeedsAfterPhoto = "needs_after_photo", "缺少处置后照片", "A photo of the result is missing";
        /// A major hazard was escalated without a sponsor.
        NeedsSponsor = "needs_sponsor", "重大隐患提级缺少包保责任人或管控措施", "A major hazard needs a sponsor and interim control";
        /// A rating says neither solved nor unsolved.
        NeedsRating = "needs_rating", "缺少评价结果", "The rating is missing";
        /// The category may not be settled on the spot.
        NotOnSpot = "not_on_spot", "该类别不可当场办结", "This category is not settled on the spot";
        /// Nothing shows that its author was there.
        NotOnSite = "not_on_site", "未证明在现场", "Not shown to be on site";
        /// The finder may not be the one who puts it right.
        FinderIsFixer = "finder_is_fixer", "发现人不能自行处置", "The finder may not put it right";
        /// Whoever put it right may not verify it.
        FixerIsVerifier = "fixer_is_verifier", "处置人不能自行核查", "Whoever put it right may not verify it";
        /// Nobody waits to be asked.
        NoAppellant = "no_appellant", "没有诉求人", "There is no appellant";
        /// The appellant has to be asked first.
        AppellantWaits = "appellant_waits", "须先由诉求人评价", "The appellant is to be asked first";
        /// The rating does not say that it is unsolved.
        NotUnsolved = "not_unsolved", "评价未表示未解决", "Not rated as unsolved";
        /// A rating on the device of whoever found or handled it.
        RatingNotCounted = "rating_not_counted", "在当事工作人员设备上的评价不计", "A rating on their own device does not count";
        /// The ruling binds the unit.
        RulingBinds = "ruling_binds", "裁定后不得再退单", "The ruling binds the unit";
        /// Nobody asked for it.
        NoRequest = "no_request", "没有待处理的申请", "Nobody asked for it";
        /// Asked for after the deadline.
        AfterDue = "after_due", "已超过期限", "Asked for after the deadline";
        /// There is no deadline to extend.
        NoDeadline = "no_deadline", "没有可延长的期限", "There is no deadline";
        /// No extension is left.
        NoExtensionLeft = "no_extension_left", "延期次数已用完", "No extension is left";
        /// This build does not know the action.
        UnknownAction = "unknown_action", "未知操作，请更新应用", "Unknown action: update the app";
        /// Two different entries under one identifier.
        DuplicateId = "duplicate_id", "编号重复的记录", "Two entries under one identifier";
        /// Entries that name each other as parents.
        Cycle = "cycle", "记录相互引用", "Entries that name each other";
        /// The entry that its author saw last is not here.
        MissingParent = "missing_parent", "前一条记录尚未到达", "The entry before it is not here yet";
        /// Reported without a category.
        NoCategory = "no_category", "未选择类别", "No category";
        /// Reported without a photo, a voice note, or a reason why there is none.
        NoEvidence = "no_evidence", "没有照片、语音，也未说明原因", "No photo, no voice note and no reason for that";
        /// All photos on which it rests were taken off: see [`crate::event::without_proof`].
        ProofTakenOff = "proof_taken_off", "所依据的照片已全部移除", "The photos that it rests on were taken off";
        /// A settlement on the spot that does not qualify and counts as a report.
        CountedAsReport = "counted_as_report", "不符合当场办结条件，按上报处理", "Counted as a report";
        /// The second return: the centre decides.
        RulingNeeded = "ruling_needed", "再次退单，等待裁定", "Returned again: the centre decides";
        /// Came after the case was closed.
        LateRating = "late_rating", "结案后的评价", "Rated after closing";
        /// Its author's clock was ahead.
        ClockAhead = "clock_ahead", "设备时间偏快", "The device's clock was ahead";
        /// By a reason only, from farther away than a position may be.
        FarOff = "far_off", "定位距事发地点过远，仅凭说明原因", "Too far from the spot, by a reason only";
        /// Finished although a called unit objects.
        OverObjection = "over_objection", "存在未解决的异议", "Finished over an objection";
    }
}

/// Whether an entry counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It counts.
    Applied,
    /// It does not apply; it is kept and shown.
    Superseded,
    /// It is malformed or unknown; it is kept and shown.
    Invalid,
}

/// One entry of the log in canonical order, with what the fold made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The entry.
    pub id: RecordId,
    /// What it does.
    pub action: Action,
    /// When it counts as made: the earlier of its author's clock and the server's receipt.
    pub at: Timestamp,
    /// Whether it counts.
    pub verdict: Verdict,
    /// Why not, or with what remark.
    pub flags: Vec<Flag>,
    /// Where the event stood afterwards.
    pub state: State,
    /// The round afterwards.
    pub round: u32,
}

/// An answer of the appellant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rating {
    /// Whether it was solved.
    pub solved: bool,
    /// Whether they are satisfied, if they said.
    pub satisfied: Option<bool>,
    /// How it came in.
    pub channel: Option<RatingChannel>,
    /// When.
    pub at: Timestamp,
}

/// A unit that was called to the spot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    /// When it has to be there.
    pub deadline: Option<Timestamp>,
    /// When it was.
    pub attended_at: Option<Timestamp>,
    /// Its objection to the result.
    pub objection: Option<String>,
}

/// A request for more time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtensionRequest {
    /// When it was asked for.
    pub at: Timestamp,
    /// Until when, if that was said.
    pub until: Option<Timestamp>,
}

/// An event, as its log tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folded {
    /// Where it stands.
    pub state: State,
    /// How often it has been taken up, from 1.
    pub round: u32,
    /// How many levels it was escalated.
    pub level: u32,
    /// Category, by the log's word.
    pub category: Option<String>,
    /// Urgency, where it was set apart from the category's.
    pub urgency: Option<SlaClass>,
    /// Who reported it; `None` for residents and the hotline.
    pub reporter: Option<RecordId>,
    /// The unit for which they did.
    pub reporter_unit: Option<RecordId>,
    /// When the problem was seen.
    pub occurred_at: Option<Timestamp>,
    /// When it was reported.
    pub reported_at: Option<Timestamp>,
    /// When the server received the report.
    pub received_at: Option<Timestamp>,
    /// The unit that is responsible (首接).
    pub lead_unit: Option<RecordId>,
    /// The level that it was forwarded to.
    pub forwarded_to: Option<RecordId>,
    /// The unit that it was dispatched to, or that handles it.
    pub handler: Option<RecordId>,
    /// The people who signed for it or put it right.
    pub handled_by: BTreeSet<RecordId>,
    /// The units that accepted it, in turn.
    pub accepted_by: Vec<RecordId>,
    /// The units that closed it, in turn.
    pub closed_by: Vec<RecordId>,
    /// The event that it was merged into.
    pub merged_into: Option<RecordId>,
    /// Whether somebody is to be asked.
    pub has_appellant: bool,
    /// Their last answer in this round.
    pub rating: Option<Rating>,
    /// How often they could not be reached in this round.
    pub callbacks_failed: u32,
    /// How many more failed callbacks stand in for a rating.
    pub callbacks_left: u32,
    /// How often it was returned.
    pub returns: u32,
    /// Whether the centre has to decide whose it is.
    pub ruling_needed: bool,
    /// Whether it did, and the unit may not return it.
    pub ruled: bool,
    /// Units called to the spot and still at it.
    pub called: BTreeMap<RecordId, Called>,
    /// Whether escalation was asked for and not yet decided.
    pub escalation_requested: bool,
    /// Whether a joint call was asked for and not yet decided.
    pub joint_call_requested: bool,
    /// How closely it is watched.
    pub supervision: Supervision,
    /// Who answers for interim control of a major hazard.
    pub sponsor: Option<RecordId>,
    /// An extension that was asked for and not yet decided.
    pub extension_requested: Option<ExtensionRequest>,
    /// How many more may be granted.
    pub extensions_left: u32,
    /// When a suspended case is looked at again.
    pub review_at: Option<Timestamp>,
    /// When it was put right in this round.
    pub rectified_at: Option<Timestamp>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// When it is to be looked at once more.
    pub look_back_due: Option<Timestamp>,
    /// Deadlines; `None` until the server has received the report.
    pub sla: Option<Sla>,
    /// Every entry in canonical order.
    pub entries: Vec<Judged>,
}

impl Folded {
    /// The entries that do not count, with the reason.
    pub fn flagged(&self) -> impl Iterator<Item = &Judged> {
        self.entries.iter().filter(|entry| entry.verdict != Verdict::Applied)
    }

    /// Whether work on it has ended.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Closed | State::Withdrawn | State::Rejected | State::Merged)
    }

    /// The level that closes next: the last that accepted and has not closed.
    pub fn closes_next(&self) -> Option<RecordId> {
        self.accepted_by.iter().rev().copied().find(|unit| !self.closed_by.contains(unit))
    }

    /// The units that have to see it: those that accepted, the one that handles it, the one it was forwarded
    /// to, and those called.
    pub fn units(&self) -> BTreeSet<RecordId> {
        let single = self.lead_unit.iter().chain(&self.handler).chain(&self.forwarded_to);
        single.chain(&self.accepted_by).chain(self.called.keys()).copied().collect()
    }
}
