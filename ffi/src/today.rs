//! What is due, in the order in which it is to be done.

use gridwalk_device::work::today::{DueGroup, Today, TodayItem};
use gridwalk_model::describe::Words;
use gridwalk_model::due::{DueKind, DueSource};
use gridwalk_model::geo::LatLon;
use gridwalk_model::{RecordId, Timestamp};

use crate::device::Device;
use crate::error::GridwalkError;
use crate::mirror::limit;

/// The list.
#[uniffi::remote(Record)]
pub struct Today {
    /// The lines, in the order in which they are to be done.
    pub items: Vec<TodayItem>,
    /// Whether more is due than was asked for.
    pub more: bool,
}

/// One line of the list.
#[uniffi::remote(Record)]
pub struct TodayItem {
    /// The record that makes it due: what a tap opens beside the target.
    pub record: RecordId,
    /// From which sort of record.
    pub source: DueSource,
    /// What is to be done.
    pub kind: DueKind,
    /// Where or with whom.
    pub target: RecordId,
    /// Which part of the list it is in.
    pub group: DueGroup,
    /// When it is due.
    pub due: Option<Timestamp>,
    /// Whether minutes count.
    pub urgent: bool,
    /// Why it is on the list; several where more than one record asks for the same.
    pub reasons: Vec<Words>,
    /// Name and door of the target, or the title of the task.
    pub title: Words,
    /// Where it is, if that is known.
    pub point: Option<LatLon>,
}

/// Which part of the list something is in, in the order of the list.
#[uniffi::remote(Enum)]
pub enum DueGroup {
    /// Its time has passed, or it came back.
    Overdue,
    /// By the end of the day.
    Today,
    /// In the next days.
    Soon,
    /// No day was set.
    Undated,
}

/// What is to be done.
#[uniffi::remote(Enum)]
pub enum DueKind {
    /// Visit somebody.
    /// 走访
    Visit,
    /// Inspect a place.
    /// 检查
    Inspection,
    /// Inspect again.
    /// 复查
    Recheck,
    /// Confirm base records.
    /// 信息核查
    BaseCheck,
    /// Look at a reported problem.
    /// 现场核实
    SiteCheck,
    /// See whether a problem was put right.
    /// 现场核查
    SiteVerification,
    /// Look again at a closed event.
    /// 回头看
    LookBack,
    /// Attend a joint call.
    /// 吹哨报到
    Attendance,
    /// Fill a form.
    /// 填报
    Form,
    /// Something was not taken on or not accepted.
    /// 退回处理
    Returned,
    /// A task of another sort.
    /// 其他任务
    OtherTask,
}

/// From which sort of record a fact is, which is also its reason.
#[uniffi::remote(Enum)]
pub enum DueSource {
    /// A task is open.
    /// 下达的任务
    Task,
    /// The cadence of visits, or a day that was agreed. No record tells it by itself.
    /// 走访周期已到
    Cadence,
    /// A place that is inspected at intervals.
    /// 检查周期已到
    Interval,
    /// An inspection ended: settles the interval.
    /// 已检查
    Inspected,
    /// A rectification order is open.
    /// 整改期限
    Order,
    /// An event was put right and is to be seen on site.
    /// 已处置，待现场核查
    Rectified,
    /// Somebody began to check a report.
    /// 核实尚未完成
    Checking,
    /// A closed event is looked at again.
    /// 结案后回头看
    Closed,
    /// A closed event is looked at when its season comes round: the first flood, frost or heating after it.
    /// 时令回头看
    Season,
    /// A report was not taken on.
    /// 上报未被受理
    Rejected,
    /// An edit was not accepted by the server.
    /// 提交未被接受
    Refused,
}

#[uniffi::export(async_runtime = "tokio")]
impl Device {
    /// What is due: the overdue first, then today's, then the next days', then what has no date; urgent ones first in
    /// each, the rest in walking order from `here`. Throws `NotEnrolled`.
    pub async fn today(&self, here: Option<LatLon>, limit: u32) -> Result<Today, GridwalkError> {
        self.call(async move |core| core.today(here, self::limit(limit)).await).await
    }

    /// Says that a task is done which no other work fulfils: a joint call without an event, or a task of a sort that only
    /// the office knows. `reopen_task` takes it back. Throws `Conflict` (`checklist.wrong_task`) for a task that is closed
    /// or is fulfilled by other work, `NotFound`.
    pub async fn finish_task(&self, task: RecordId) -> Result<(), GridwalkError> {
        self.write(async move |core| core.finish_task(task).await).await
    }

    /// Opens a task again that `finish_task` had ended. Throws `Conflict` (`checklist.wrong_task`), `NotFound`.
    pub async fn reopen_task(&self, task: RecordId) -> Result<(), GridwalkError> {
        self.write(async move |core| core.reopen_task(task).await).await
    }

    /// Takes something off the list that only had to be seen; `restore_due` puts it back. Throws `Conflict` (`not_in_tray`) for what has to be
    /// done.
    pub async fn dismiss_due(&self, item: TodayItem) -> Result<(), GridwalkError> {
        self.write(async move |core| core.dismiss_due(item).await).await
    }

    /// Puts something back on the list that was taken off. Throws `Conflict` (`not_in_tray`) for what was not, or has
    /// happened again since.
    pub async fn restore_due(&self, item: TodayItem) -> Result<(), GridwalkError> {
        self.write(async move |core| core.restore_due(item).await).await
    }
}

/// The heading of a part of the list, in both languages.
#[uniffi::export]
pub fn due_group_label(group: DueGroup) -> Words {
    group.words()
}
