//! What can be wrong with a step of an inspection.

use std::collections::BTreeMap;

use gridwalk_model::RecordId;
use gridwalk_model::checklist::Lack;

/// Why a step of an inspection was not made; nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChecklistError {
    /// The inspection was finished already; it can be taken up again, see [`crate::Store::reopen_inspection`].
    #[error("inspection {inspection} is finished")]
    Finished {
        /// Which one.
        inspection: RecordId,
    },
    /// The inspection has not been finished.
    #[error("inspection {inspection} is not finished")]
    NotFinished {
        /// Which one.
        inspection: RecordId,
    },
    /// The version of the checklist is no longer offered.
    #[error("checklist {checklist} is retired")]
    Retired {
        /// Which version.
        checklist: RecordId,
    },
    /// The checklist does not have the item, or it is not asked here.
    #[error("item `{item}` is not asked")]
    NotAsked {
        /// The item.
        item: String,
    },
    /// A number that is none, or a photo that the inspection does not have.
    #[error("item `{item}` cannot be answered like this")]
    BadAnswer {
        /// The item.
        item: String,
    },
    /// Something is lacking: by item, and under `signatures/worker` and `signatures/manager`.
    #[error("{} items are lacking", .lacking.len())]
    Incomplete {
        /// What, by item.
        lacking: BTreeMap<String, Lack>,
    },
    /// The form is about another kind of record.
    #[error("record {target} is of a kind that the form is not about")]
    WrongTarget {
        /// The record.
        target: RecordId,
    },
    /// The task is not open, or asks for something else.
    #[error("task {task} is not fulfilled by this")]
    WrongTask {
        /// Which one.
        task: RecordId,
    },
    /// The order was settled already.
    #[error("order {order} is settled")]
    Settled {
        /// Which one.
        order: RecordId,
    },
    /// Others have gone on from it: an event was taken on, or a recheck was begun.
    #[error("inspection {inspection} has had consequences")]
    HadConsequences {
        /// Which one.
        inspection: RecordId,
    },
}

impl ChecklistError {
    /// The error for the worker, in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Finished { .. } => "检查已完成，如需修改请先撤回".into(),
            Self::NotFinished { .. } => "检查尚未完成".into(),
            Self::Retired { .. } => "该检查清单已停用，请使用新版本".into(),
            Self::NotAsked { .. } => "清单中没有这一项".into(),
            Self::BadAnswer { .. } => "该项填写不正确".into(),
            Self::Incomplete { lacking } => format!("还有 {} 项未完成", lacking.len()),
            Self::WrongTarget { .. } => "表单不适用于这条记录".into(),
            Self::WrongTask { .. } => "该任务已结束，或与此项工作不符".into(),
            Self::Settled { .. } => "整改通知已销号".into(),
            Self::HadConsequences { .. } => "后续工作已经开始，不能撤回".into(),
        }
    }

    /// The error for the worker, in English.
    pub fn en(&self) -> String {
        match self {
            Self::Finished { .. } => "The inspection is finished; take it back to change it".into(),
            Self::NotFinished { .. } => "The inspection is not finished".into(),
            Self::Retired { .. } => "This checklist is no longer used; take the new version".into(),
            Self::NotAsked { .. } => "The checklist does not ask this".into(),
            Self::BadAnswer { .. } => "This answer is not right".into(),
            Self::Incomplete { lacking } => format!("{} items are still to be done", lacking.len()),
            Self::WrongTarget { .. } => "The form is not for this record".into(),
            Self::WrongTask { .. } => "The task is closed, or asks for something else".into(),
            Self::Settled { .. } => "The order is settled already".into(),
            Self::HadConsequences { .. } => "Others have gone on from it; it cannot be taken back".into(),
        }
    }
}
