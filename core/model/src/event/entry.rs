//! Entries of an event's log, as they stand in its document under `log/<id>`.

use minicbor::{Decode, Encode};

use crate::codec::{self, CodecError};
use crate::geo;
use crate::id::RecordId;
use crate::records::elements;
use crate::time::Timestamp;
use crate::value::{Fields, Value};

words! {
    /// What an entry does. What each may do, and from where, is the table in [`crate::event::table`].
    Action {
        /// Reports the problem.
        Report = "report", "上报", "Report";
        /// Reports it and says that it was put right on the spot.
        ResolveOnSpot = "resolve_on_spot", "当场处置", "Resolve on the spot";
        /// Takes the report back.
        Withdraw = "withdraw", "撤回", "Withdraw";
        /// Goes to look.
        StartCheck = "start_check", "开始核实", "Start checking";
        /// Has looked.
        FinishCheck = "finish_check", "核实完成", "Finish checking";
        /// A unit takes it on and is responsible from then (首接).
        Accept = "accept", "受理", "Accept";
        /// It is not taken on.
        Reject = "reject", "不予受理", "Reject";
        /// It is the same as another event.
        Merge = "merge", "合并", "Merge";
        /// It was not the same after all.
        UndoMerge = "undo_merge", "撤销合并", "Undo merge";
        /// The accepting unit handles it itself (自办).
        HandleSelf = "handle_self", "自办", "Handle it ourselves";
        /// Passed to the next level up (上报上级).
        Forward = "forward", "上报上级", "Forward to the level above";
        /// Passed to a unit below.
        Dispatch = "dispatch", "派遣", "Dispatch";
        /// The unit has it.
        SignFor = "sign_for", "签收", "Sign for";
        /// The unit says that it is not theirs.
        Return = "return", "退单", "Return";
        /// The centre decides whose it is.
        Rule = "rule", "裁定", "Rule";
        /// Put right.
        Rectify = "rectify", "处置完成", "Rectified";
        /// Seen to be put right.
        Verify = "verify", "核查通过", "Verify";
        /// Seen not to be.
        FailVerification = "fail_verification", "核查不通过", "Fail verification";
        /// The appellant is asked.
        AwaitRating = "await_rating", "待评价", "Await rating";
        /// The appellant answers.
        Rate = "rate", "评价", "Rate";
        /// They could not be reached.
        CallbackFailed = "callback_failed", "回访未接通", "Callback failed";
        /// The appellant says that it is not solved: back to work.
        Rework = "rework", "重新办理", "Rework";
        /// One level closes it.
        Close = "close", "结案", "Close";
        /// Put aside; the clock stops (挂账).
        Suspend = "suspend", "挂账", "Suspend";
        /// Taken up again.
        Resume = "resume", "恢复办理", "Resume";
        /// The look-back failed.
        Reopen = "reopen", "回头看重启", "Reopen";
        /// Asks for escalation.
        RequestEscalation = "request_escalation", "申请提级", "Request escalation";
        /// One level up (提级).
        Escalate = "escalate", "提级", "Escalate";
        /// Asks for a joint call.
        RequestJointCall = "request_joint_call", "申请吹哨", "Request a joint call";
        /// Calls other units to the spot (吹哨).
        JointCall = "joint_call", "吹哨", "Joint call";
        /// A called unit is there (报到).
        Attend = "attend", "报到", "Attend";
        /// A called unit objects to the result.
        Object = "object", "提出异议", "Object";
        /// The lead ends the joint call, over recorded objections if need be.
        FinishJointCall = "finish_joint_call", "吹哨办结", "Finish the joint call";
        /// Sets or lifts supervision (督办).
        Supervise = "supervise", "督办", "Supervise";
        /// Asks for more time.
        RequestExtension = "request_extension", "申请延期", "Request an extension";
        /// Grants it.
        GrantExtension = "grant_extension", "同意延期", "Grant an extension";
        /// Does not.
        DenyExtension = "deny_extension", "不同意延期", "Deny an extension";
        /// Corrects category or urgency.
        Classify = "classify", "归类", "Classify";
        /// The server's mark that it received another entry, and when.
        Received = "received", "已接收", "Received";
        /// Says something and changes nothing.
        Note = "note", "备注", "Note";
    }
}

words! {
    /// How pressing an event is: which of the deadlines count.
    SlaClass {
        /// Danger to life: natural hours.
        Urgent = "urgent", "特急", "Urgent";
        /// Soon: natural hours.
        Pressing = "pressing", "紧急", "Pressing";
        /// In workdays.
        Ordinary = "ordinary", "一般", "Ordinary";
        /// Needs several units: in workdays, and longer.
        Complex = "complex", "疑难", "Complex";
    }
}

words! {
    /// How somebody shows that they were on site.
    Presence {
        /// A position outdoors; the distance to the event is in the entry.
        Outdoors = "outdoors", "室外定位", "Outdoors";
        /// The label of the door or place was scanned.
        DoorLabel = "door_label", "扫描门牌码", "Door label";
        /// The same dwelling was open on the phone.
        SameDwelling = "same_dwelling", "同一房屋", "Same dwelling";
        /// None of these; the entry gives the reason.
        Explained = "explained", "说明原因", "Explained";
    }
}

words! {
    /// How a rating came in.
    RatingChannel {
        /// By the appellant's link.
        Link = "link", "链接评价", "Link";
        /// In a call by the centre.
        Callback = "callback", "电话回访", "Callback";
        /// On paper, entered by the centre.
        Paper = "paper", "纸质评价", "Paper";
        /// On a worker's device. Never counts if the worker found or handled the event.
        Device = "device", "现场评价", "On a worker's device";
    }
}

words! {
    /// How closely an event is watched from above.
    Supervision {
        /// Not.
        None = "none", "无督办", "None";
        /// Due.
        Yellow = "yellow", "黄牌督办", "Yellow";
        /// Long overdue.
        Red = "red", "红牌督办", "Red";
    }
}

/// One entry. Facts that an action has no use for are absent, and take no room.
///
/// What the server alone may say (`received_at`, entries without an author) is refused from devices.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LogEntry {
    /// Its own identifier, which also names its key.
    #[n(0)]
    pub id: RecordId,
    /// The entry that its author saw last.
    #[n(1)]
    pub parent: Option<RecordId>,
    /// When it was made, by its author's clock.
    #[n(2)]
    pub at: Timestamp,
    /// Who made it; `None` for the system itself.
    #[n(3)]
    pub by: Option<RecordId>,
    /// What it does.
    #[n(4)]
    pub action: Action,
    /// The unit for which its author acts.
    #[n(5)]
    pub unit: Option<RecordId>,
    /// The unit that it goes to.
    #[n(6)]
    pub to_unit: Option<RecordId>,
    /// The other event, for a merge.
    #[n(7)]
    pub event: Option<RecordId>,
    /// The entry that it speaks of, for a receipt or an answer to a request.
    #[n(8)]
    pub entry: Option<RecordId>,
    /// Category.
    #[n(9)]
    pub category: Option<String>,
    /// Urgency, where it differs from the category's.
    #[n(10)]
    pub urgency: Option<SlaClass>,
    /// What residents read.
    #[n(11)]
    pub public_reply: Option<String>,
    /// What they do not.
    #[n(12)]
    pub internal_note: Option<String>,
    /// Why.
    #[n(13)]
    pub reason: Option<String>,
    /// Review date, new due date, or deadline of attendance.
    #[n(14)]
    pub until: Option<Timestamp>,
    /// Elements of `photos` that show the problem.
    #[cbor(n(15), default)]
    pub photos: Vec<RecordId>,
    /// Elements of `photos` that show it put right.
    #[cbor(n(16), default)]
    pub after_photos: Vec<RecordId>,
    /// How its author shows that they were on site.
    #[n(17)]
    pub presence: Option<Presence>,
    /// Metres between author and event, measured when it was made.
    #[n(18)]
    pub distance_m: Option<u32>,
    /// Rating: whether it was solved.
    #[n(19)]
    pub solved: Option<bool>,
    /// Rating: whether the appellant is satisfied.
    #[n(20)]
    pub satisfied: Option<bool>,
    /// Rating: how it came in.
    #[n(21)]
    pub channel: Option<RatingChannel>,
    /// Supervision that is set.
    #[n(22)]
    pub supervision: Option<Supervision>,
    /// Where it was made.
    #[n(23)]
    pub position: Option<geo::Position>,
    /// When the server received it, or the entry that it speaks of.
    #[n(24)]
    pub received_at: Option<Timestamp>,
    /// Who answers for interim control, when a major hazard is escalated.
    #[n(25)]
    pub sponsor: Option<RecordId>,
    /// Whether somebody waits for an answer and is to be asked.
    #[n(26)]
    pub has_appellant: Option<bool>,
    /// When the problem was seen.
    #[n(27)]
    pub occurred_at: Option<Timestamp>,
}

impl LogEntry {
    /// An entry that says nothing beyond its action.
    pub fn new(id: RecordId, parent: Option<RecordId>, at: Timestamp, by: RecordId, action: Action) -> Self {
        Self {
            id,
            parent,
            at,
            by: Some(by),
            action,
            unit: None,
            to_unit: None,
            event: None,
            entry: None,
            category: None,
            urgency: None,
            public_reply: None,
            internal_note: None,
            reason: None,
            until: None,
            photos: Vec::new(),
            after_photos: Vec::new(),
            presence: None,
            distance_m: None,
            solved: None,
            satisfied: None,
            channel: None,
            supervision: None,
            position: None,
            received_at: None,
            sponsor: None,
            has_appellant: None,
            occurred_at: None,
        }
    }

    /// The server's mark that it received `entry` at `received_at`.
    ///
    /// Its `parent` must be the server's latest entry in the log: the mark is what puts an entry that was made
    /// offline behind everything that the server had decided before it came in.
    pub fn receipt(id: RecordId, parent: Option<RecordId>, entry: RecordId, received_at: Timestamp) -> Self {
        Self {
            by: None,
            entry: Some(entry),
            received_at: Some(received_at),
            ..Self::new(id, parent, received_at, entry, Action::Received)
        }
    }

    /// The root key under which it stands.
    pub fn key(&self) -> String {
        format!("log/{}", self.id.to_hex())
    }

    /// The value as it stands in a document.
    pub fn to_value(&self) -> Value {
        Value::Bytes(self.to_bytes())
    }

    /// The encoded form.
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::to_bytes(self)
    }

    /// Reads the encoded form; keys of a newer version are skipped.
    ///
    /// # Errors
    /// Where the bytes stop being an entry.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::from_bytes(bytes)
    }
}

/// The log of an event: its readable entries, and the names of elements that cannot be read or stand under
/// another identifier than their own.
pub fn read_log(fields: &Fields) -> (Vec<LogEntry>, Vec<String>) {
    let mut entries = Vec::new();
    let mut unreadable = Vec::new();
    for (element, value) in elements(fields, "log") {
        let entry = if let Value::Bytes(bytes) = value { LogEntry::from_bytes(bytes).ok() } else { None };
        match entry {
            Some(entry) if entry.id.to_hex() == element => entries.push(entry),
            _ => unreadable.push(element.to_owned()),
        }
    }
    (entries, unreadable)
}
