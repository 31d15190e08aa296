//! One figure with the evidence behind it.

use crate::id::RecordId;

labels! {
    /// What a figure says.
    FigureName {
        /// Doors reached among doors where somebody lives (巡查覆盖率).
        DoorsReached = "doors_reached", "巡查覆盖率", "Doors reached";
        /// Visits made among visits due (走访完成率).
        VisitsDone = "visits_done", "走访完成率", "Visits done";
        /// Base records confirmed lately (信息核查率).
        BaseFresh = "base_fresh", "信息核查率", "Base data confirmed";
        /// Events found on patrol among all events of the grid (主动发现率).
        SelfFound = "self_found", "主动发现率", "Found before reported";
        /// Findings put right among those whose deadline fell into the week (隐患整改率).
        Rectified = "rectified", "隐患整改率", "Findings put right";
        /// Events that I reported.
        EventsReported = "events_reported", "上报事件", "Events reported";
        /// Inspections that I ended.
        Inspections = "inspections", "完成检查", "Inspections";
        /// Patrols that I ended, with the metres walked.
        Patrols = "patrols", "巡查次数", "Patrols";
    }
}

labels! {
    /// Why something was left out of a figure.
    Exclusion {
        /// Nobody lives there.
        Vacant = "vacant", "空置", "Vacant";
        /// They moved away.
        Moved = "moved", "已搬离", "Moved away";
        /// The same as another event.
        Merged = "merged", "重复事件", "Same as another";
        /// Not taken on.
        Rejected = "rejected", "不予受理", "Not taken on";
        /// Taken back by the reporter.
        Withdrawn = "withdrawn", "已撤回", "Taken back";
        /// Not reported yet.
        Draft = "draft", "尚未上报", "Not reported yet";
        /// Not ended yet.
        NotEnded = "not_ended", "尚未结束", "Not ended yet";
    }
}

/// One thing that a figure counts, with the records that show it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counted {
    /// The thing: a door, a person, an event.
    pub what: RecordId,
    /// The records behind it, in order: opened one by one by whoever doubts the figure.
    pub by: Vec<RecordId>,
}

/// A figure of one area and one period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// What it says.
    pub name: FigureName,
    /// What counts, in order.
    pub numerator: Vec<Counted>,
    /// Out of what, in order; `None` for a plain count. Every counted thing is in it.
    pub denominator: Option<Vec<RecordId>>,
    /// What was left out, and why, in order.
    pub excluded: Vec<(RecordId, Exclusion)>,
    /// A sum over what counts: metres of the patrols.
    pub sum: Option<i64>,
}

impl Figure {
    /// How many count.
    pub fn count(&self) -> usize {
        self.numerator.len()
    }

    /// Out of how many.
    pub fn out_of(&self) -> Option<usize> {
        self.denominator.as_ref().map(Vec::len)
    }

    /// The share in whole percent, rounded down; `None` for a plain count, and where there is nothing to be a share
    /// of: 0 of 0 is not 100 %.
    pub fn percent(&self) -> Option<u32> {
        let share = (self.count() * 100).checked_div(self.out_of()?)?;
        u32::try_from(share).ok()
    }

    /// The figure as a sentence in Chinese.
    pub fn zh(&self) -> String {
        let metres = self.sum.map(|metres| format!("，{metres} 米")).unwrap_or_default();
        let left_out = match self.excluded.len() {
            0 => String::new(),
            some => format!("，排除 {some}"),
        };
        format!("{}：{}{metres}{left_out}", self.name.zh(), self.value().unwrap_or_else(|| "无".to_owned()))
    }

    /// The figure as a sentence in English.
    pub fn en(&self) -> String {
        let metres = self.sum.map(|metres| format!(", {metres} m")).unwrap_or_default();
        let left_out = match self.excluded.len() {
            0 => String::new(),
            some => format!(", left out {some}"),
        };
        format!("{}: {}{metres}{left_out}", self.name.en(), self.value().unwrap_or_else(|| "none".to_owned()))
    }

    /// `None` where there is nothing to be a share of.
    fn value(&self) -> Option<String> {
        match self.out_of() {
            Some(all) => self.percent().map(|percent| format!("{}/{all} ({percent} %)", self.count())),
            None => Some(self.count().to_string()),
        }
    }
}
