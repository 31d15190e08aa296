//! The worker's week: figures, with the records behind each.

use gridwalk_device::work::indicators::MyWeek;
use gridwalk_model::indicators::{Counted, Exclusion, Figure, FigureName, Week, WeekRules};
use gridwalk_model::{RecordId, Timestamp};

use crate::containers::Day;
use crate::device::Device;
use crate::error::GridwalkError;

/// A figure of this week and of the week before.
type FigurePair = (Figure, Figure);

pair! {
    /// A figure of this week beside that of the week before.
    FigureBeside of FigurePair {
        /// This week's.
        now: Figure,
        /// Last week's.
        before: Figure,
    }
}

/// What was left out of a figure.
type ExcludedPair = (RecordId, Exclusion);

pair! {
    /// What was left out of a figure, and why.
    ExcludedRecord of ExcludedPair {
        /// What.
        record: RecordId,
        /// Why.
        why: Exclusion,
    }
}

/// A worker's week in one grid, beside the week before: the same area, and as long a period.
#[uniffi::remote(Record)]
pub struct MyWeek {
    /// The grid.
    pub area: RecordId,
    /// The week.
    pub week: Week,
    /// Its figures, each with that of the week before.
    pub figures: Vec<FigurePair>,
}

/// Monday to Sunday, local time.
#[uniffi::remote(Record)]
pub struct Week {
    /// Its Monday.
    pub monday: Day,
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
}

/// Limits of the figures. Data.
#[uniffi::remote(Record)]
pub struct WeekRules {
    /// Base data counts as fresh for so many days.
    pub fresh_days: i64,
}

/// A figure of one area and one period.
#[uniffi::remote(Record)]
pub struct Figure {
    /// What it says.
    pub name: FigureName,
    /// What counts, in order.
    pub numerator: Vec<Counted>,
    /// Out of what, in order; `None` for a plain count. Every counted thing is in it.
    pub denominator: Option<Vec<RecordId>>,
    /// What was left out, and why, in order.
    pub excluded: Vec<ExcludedPair>,
    /// A sum over what counts: metres of the patrols.
    pub sum: Option<i64>,
}

/// What a figure says.
#[uniffi::remote(Enum)]
pub enum FigureName {
    /// Doors reached among doors where somebody lives (巡查覆盖率).
    /// 巡查覆盖率
    DoorsReached,
    /// Visits made among visits due (走访完成率).
    /// 走访完成率
    VisitsDone,
    /// Base records confirmed lately (信息核查率).
    /// 信息核查率
    BaseFresh,
    /// Events found on patrol among all events of the grid (主动发现率).
    /// 主动发现率
    SelfFound,
    /// Findings put right among those whose deadline fell into the week (隐患整改率).
    /// 隐患整改率
    Rectified,
    /// Events that I reported.
    /// 上报事件
    EventsReported,
    /// Inspections that I ended.
    /// 完成检查
    Inspections,
    /// Patrols that I ended, with the metres walked.
    /// 巡查次数
    Patrols,
}

/// One thing that a figure counts, with the records that show it.
#[uniffi::remote(Record)]
pub struct Counted {
    /// The thing: a door, a person, an event.
    pub what: RecordId,
    /// The records behind it, in order: opened one by one by whoever doubts the figure.
    pub by: Vec<RecordId>,
}

/// Why something was left out of a figure.
#[uniffi::remote(Enum)]
pub enum Exclusion {
    /// Nobody lives there.
    /// 空置
    Vacant,
    /// They moved away.
    /// 已搬离
    Moved,
    /// The same as another event.
    /// 重复事件
    Merged,
    /// Not taken on.
    /// 不予受理
    Rejected,
    /// Taken back by the reporter.
    /// 已撤回
    Withdrawn,
    /// Not reported yet.
    /// 尚未上报
    Draft,
    /// Not ended yet.
    /// 尚未结束
    NotEnded,
}

#[uniffi::export(async_runtime = "tokio")]
impl Device {
    /// The worker's week in a grid, with the evidence behind each figure. Without `rules` the product's own count.
    #[uniffi::method(default(rules = None))]
    pub async fn my_week(&self, area: RecordId, rules: Option<WeekRules>) -> Result<MyWeek, GridwalkError> {
        self.call(async move |core| core.my_week(area, rules.unwrap_or_default()).await).await
    }
}
