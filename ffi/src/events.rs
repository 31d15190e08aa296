//! Events: the worker's reports, their story, and what a worker does about them.

use gridwalk_device::photo::CaptureFacts;
use gridwalk_device::work::events::{
    EventStory, LookBack, MyReport, Sending, SiteClaim, SiteVerification, Snapped, StoryLine, WorkerAct,
};
use gridwalk_model::describe::Words;
use gridwalk_model::event::pairs::Pair;
use gridwalk_model::event::site::{Away, OnSite};
use gridwalk_model::event::urgent::Call;
use gridwalk_model::event::{Action, Flag, Presence, State, Supervision};
use gridwalk_model::geo::Position;
use gridwalk_model::{RecordId, Timestamp};

use crate::device::Device;
use crate::error::GridwalkError;
use crate::mirror::limit;

/// An act of the worker that does not count.
type LateAct = (Action, Flag);

pair! {
    /// An act of the worker that does not count, with the reason.
    UncountedAct of LateAct {
        /// What was done, a word such as `withdraw`.
        action: Action,
        /// Why it does not count.
        why: Flag,
    }
}

/// One of the worker's reports.
#[uniffi::remote(Record)]
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
    pub late: Vec<LateAct>,
}

/// One line of an event's story.
#[uniffi::remote(Record)]
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
#[uniffi::remote(Record)]
pub struct EventStory {
    /// The lines, the oldest first.
    pub lines: Vec<StoryLine>,
    /// Photos before and after.
    pub pairs: Vec<Pair>,
}

/// Two photos of one spot, or one that has no counterpart yet.
#[uniffi::remote(Record)]
#[uniffi(name = "PhotoPair")]
pub struct Pair {
    /// The photo that shows the problem.
    pub before: Option<RecordId>,
    /// The photo that shows it put right.
    pub after: Option<RecordId>,
    /// Both are the same picture, which shows nothing.
    pub same_picture: bool,
}

/// Where an event stands.
#[uniffi::remote(Enum)]
#[uniffi(name = "EventState")]
pub enum State {
    /// Not reported yet.
    /// 草稿
    Draft,
    /// Reported.
    /// 已上报
    Reported,
    /// Somebody is looking on site.
    /// 核实中
    Checking,
    /// Put right by the finder, with a photo.
    /// 当场处置
    ResolvedOnSpot,
    /// Taken back by the reporter.
    /// 已撤回
    Withdrawn,
    /// Not taken on.
    /// 不予受理
    Rejected,
    /// The same as another event.
    /// 已合并
    Merged,
    /// A unit is responsible.
    /// 已受理
    Accepted,
    /// With the next level up, which has not accepted yet.
    /// 已上报上级
    Forwarded,
    /// Sent to a unit that has not signed for it yet.
    /// 已派遣
    Dispatched,
    /// Being handled.
    /// 处置中
    Handling,
    /// Put aside; the clock stands still.
    /// 已挂账
    Suspended,
    /// Put right, not yet seen to be.
    /// 已处置待核查
    Rectified,
    /// Seen to be put right.
    /// 核查通过
    Verified,
    /// The appellant is being asked.
    /// 待评价
    AwaitingRating,
    /// Closed.
    /// 已结案
    Closed,
    /// Opened again by a look-back.
    /// 已重启
    Reopened,
}

/// Why an entry does not count, or counts with a remark.
#[uniffi::remote(Enum)]
#[uniffi(name = "EventFlag")]
pub enum Flag {
    /// The event was not in a state in which this can be done.
    /// 事件当时的状态不允许此操作
    NotInThisState,
    /// Its author had not seen that the case was opened again.
    /// 针对的是上一轮办理
    StaleRound,
    /// Only the reporter may.
    /// 只有上报人可以操作
    NotTheReporter,
    /// Another unit handles it.
    /// 不是当前处置单位
    NotTheHandler,
    /// Another unit is in the lead.
    /// 不是首接责任单位
    NotTheLead,
    /// It was forwarded to another unit.
    /// 不是上报的目标单位
    NotTheTarget,
    /// Another unit reported it.
    /// 不是上报单位
    NotReportersUnit,
    /// Another level closes first.
    /// 应由其他层级先结案
    NotTheirTurn,
    /// The unit was not called.
    /// 该单位未被吹哨
    NotCalled,
    /// There is no lead unit.
    /// 尚无首接责任单位
    NoLead,
    /// A reason is missing.
    /// 缺少原因
    NeedsReason,
    /// The unit is missing.
    /// 缺少单位
    NeedsUnit,
    /// The other event is missing.
    /// 缺少合并目标
    NeedsEvent,
    /// The date is missing.
    /// 缺少日期
    NeedsDate,
    /// The level of supervision is missing.
    /// 缺少督办级别
    NeedsLevel,
    /// Nothing says what was done.
    /// 缺少处置结果
    NeedsResult,
    /// A photo of the result, or a reason why there is none, is missing.
    /// 缺少处置后照片
    NeedsAfterPhoto,
    /// A major hazard was escalated without a sponsor.
    /// 重大隐患提级缺少包保责任人或管控措施
    NeedsSponsor,
    /// A rating says neither solved nor unsolved.
    /// 缺少评价结果
    NeedsRating,
    /// The category may not be settled on the spot.
    /// 该类别不可当场办结
    NotOnSpot,
    /// Nothing shows that its author was there.
    /// 未证明在现场
    NotOnSite,
    /// The finder may not be the one who puts it right.
    /// 发现人不能自行处置
    FinderIsFixer,
    /// Whoever put it right may not verify it.
    /// 处置人不能自行核查
    FixerIsVerifier,
    /// Nobody waits to be asked.
    /// 没有诉求人
    NoAppellant,
    /// The appellant has to be asked first.
    /// 须先由诉求人评价
    AppellantWaits,
    /// The rating does not say that it is unsolved.
    /// 评价未表示未解决
    NotUnsolved,
    /// A rating on the device of whoever found or handled it.
    /// 在当事工作人员设备上的评价不计
    RatingNotCounted,
    /// The ruling binds the unit.
    /// 裁定后不得再退单
    RulingBinds,
    /// Nobody asked for it.
    /// 没有待处理的申请
    NoRequest,
    /// Asked for after the deadline.
    /// 已超过期限
    AfterDue,
    /// There is no deadline to extend.
    /// 没有可延长的期限
    NoDeadline,
    /// No extension is left.
    /// 延期次数已用完
    NoExtensionLeft,
    /// This build does not know the action.
    /// 未知操作，请更新应用
    UnknownAction,
    /// Two different entries under one identifier.
    /// 编号重复的记录
    DuplicateId,
    /// Entries that name each other as parents.
    /// 记录相互引用
    Cycle,
    /// The entry that its author saw last is not here.
    /// 前一条记录尚未到达
    MissingParent,
    /// Reported without a category.
    /// 未选择类别
    NoCategory,
    /// Reported without a photo or a reason why there is none.
    /// 没有照片且未说明原因
    NoEvidence,
    /// All photos on which it rests were taken off.
    /// 所依据的照片已全部移除
    ProofTakenOff,
    /// A settlement on the spot that does not qualify and counts as a report.
    /// 不符合当场办结条件，按上报处理
    CountedAsReport,
    /// The second return: the centre decides.
    /// 再次退单，等待裁定
    RulingNeeded,
    /// Came after the case was closed.
    /// 结案后的评价
    LateRating,
    /// Its author's clock was ahead.
    /// 设备时间偏快
    ClockAhead,
    /// By a reason only, from farther away than a position may be.
    /// 定位距事发地点过远，仅凭说明原因
    FarOff,
    /// Finished although a called unit objects.
    /// 存在未解决的异议
    OverObjection,
}

/// What a worker does about an event, beside reporting it and verifying it on site.
#[uniffi::remote(Enum)]
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
        /// Elements of after-photos: see `snap_for_event`.
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

/// What the worker has to show for being there.
#[uniffi::remote(Record)]
pub struct SiteClaim {
    /// Where the phone is.
    #[uniffi(default = None)]
    pub position: Option<Position>,
    /// Whether the platform said that this is simulated.
    #[uniffi(default = false)]
    pub simulated: bool,
    /// The token of the label that was scanned.
    #[uniffi(default = None)]
    pub label: Option<String>,
    /// The dwelling that is open on the phone.
    #[uniffi(default = None)]
    pub open_dwelling: Option<RecordId>,
    /// Why none of these can be shown. Does not count with a simulated location.
    #[uniffi(default = None)]
    pub reason: Option<String>,
}

/// What somebody saw who looked whether a problem was put right.
#[uniffi::remote(Record)]
pub struct SiteVerification {
    /// How they show that they were there.
    pub claim: SiteClaim,
    /// `None`: it is put right. Otherwise what is still wrong; the event goes back to work.
    #[uniffi(default = None)]
    pub still_wrong: Option<String>,
    /// Remarks.
    #[uniffi(default = None)]
    pub note: Option<String>,
    /// Elements of photos that were taken for it, by `snap_for_event`.
    #[uniffi(default = [])]
    pub photos: Vec<RecordId>,
}

/// What somebody saw who looked again at a closed event.
#[uniffi::remote(Record)]
pub struct LookBack {
    /// How they show that they were there.
    pub claim: SiteClaim,
    /// Whether the problem has stayed away.
    #[uniffi(default = false)]
    pub solved: bool,
    /// What they saw. Whether the event is opened again is the supervisor's decision.
    #[uniffi(default = None)]
    pub note: Option<String>,
    /// Elements of photos that were taken for it.
    #[uniffi(default = [])]
    pub photos: Vec<RecordId>,
}

/// What the log keeps of it.
#[uniffi::remote(Record)]
pub struct OnSite {
    /// How it was shown.
    pub presence: Presence,
    /// Metres between phone and event, where both are known.
    pub distance_m: Option<u32>,
}

/// Why nothing shows that somebody is on site.
#[uniffi::remote(Enum)]
#[uniffi(name = "SiteAway")]
pub enum Away {
    /// The platform said that the location is simulated.
    /// 手机正在使用模拟定位，请关闭后重试
    Simulated,
    /// The fix is too rough.
    /// 定位精度不足，请到开阔处稍候，或说明原因
    Imprecise,
    /// The position is too far away.
    /// 当前位置距事发地点过远，请到现场核查，或说明原因
    TooFar,
    /// The label of another door or place was scanned.
    /// 扫描的门牌码不是该处的，请扫描该处门牌码，或说明原因
    OtherDoor,
    /// The label that was scanned is void.
    /// 扫描的门牌码已作废，请扫描该处现用的门牌码，或说明原因
    VoidLabel,
    /// What was scanned is no label that this phone knows.
    /// 扫描的不是本网格的门牌码，请扫描该处门牌码，或说明原因
    UnknownLabel,
    /// The event is behind a door, and neither label nor dwelling nor reason is given.
    /// 请扫描该处门牌码或打开该房屋，或说明原因
    NeedsDoor,
    /// Where the event is, is not known.
    /// 该事件没有位置，请说明原因
    NoSpot,
    /// The phone knows no position.
    /// 手机尚未取得定位，请稍候，或说明原因
    NoFix,
}

#[uniffi::export(async_runtime = "tokio")]
impl Device {
    /// The worker's reports, the latest first.
    pub async fn my_reports(&self, limit: u32) -> Result<Vec<MyReport>, GridwalkError> {
        self.call(async move |core| core.my_reports(self::limit(limit)).await).await
    }

    /// The story of an event: who did what when, what does not count and why, and the photos before and after.
    pub async fn event_story(&self, event: RecordId) -> Result<EventStory, GridwalkError> {
        self.call(async move |core| core.event_story(event).await).await
    }

    /// How far a report has come.
    pub async fn sending(&self, event: RecordId) -> Result<Sending, GridwalkError> {
        self.call(async move |core| core.sending(event).await).await
    }

    /// Whom to call about an event, with a message without personal data; none where the deployment names nobody.
    pub async fn call_about(&self, event: RecordId) -> Result<Option<Call>, GridwalkError> {
        self.call(async move |core| core.call_about(event).await).await
    }

    /// What the worker may do about an event, in the order in which a screen shows it: words such as `withdraw`.
    pub async fn event_acts(&self, event: RecordId) -> Result<Vec<Action>, GridwalkError> {
        self.call(async move |core| core.event_acts(event).await).await
    }

    /// Does an act on an event. It is judged by what this phone knows; the server has the last word. Returns the entry.
    /// Throws `Conflict` with the reason, and nothing was written.
    pub async fn act_on_event(&self, event: RecordId, act: WorkerAct) -> Result<RecordId, GridwalkError> {
        self.write(async move |core| core.act_on_event(event, act).await).await
    }

    /// Journals a photo for an event that exists: after-photos, proofs of a verification. `pair` names the photo of the
    /// event that shows the same spot before. `attach_report_photos` prepares it.
    pub async fn snap_for_event(
        &self,
        event: RecordId,
        original: Vec<u8>,
        facts: CaptureFacts,
        pair: Option<RecordId>,
    ) -> Result<Snapped, GridwalkError> {
        self.write(async move |core| core.snap_for_event(event, original, facts, pair).await).await
    }

    /// Judges a claim to be on site before anything is written. Throws `NotAllowed` (`site.…`) with what is missing.
    pub async fn check_site(&self, event: RecordId, claim: SiteClaim) -> Result<OnSite, GridwalkError> {
        self.call(async move |core| core.check_site(event, claim).await).await
    }

    /// Verifies on site that an event was put right, or that it was not. Returns the entry. Throws `NotAllowed`
    /// (`site.…`), `Conflict`.
    pub async fn verify_on_site(
        &self,
        event: RecordId,
        seen: SiteVerification,
    ) -> Result<RecordId, GridwalkError> {
        self.write(async move |core| core.verify_on_site(event, seen).await).await
    }

    /// Looks again at a closed event. Returns the entry. Throws as `verify_on_site`.
    pub async fn look_back(&self, event: RecordId, seen: LookBack) -> Result<RecordId, GridwalkError> {
        self.write(async move |core| core.look_back(event, seen).await).await
    }
}
