//! Why something cannot be done at a door.

use gridwalk_model::RecordId;
use gridwalk_model::doors::{DoorRulesError, TooFast};

/// Why what was asked for at a door cannot be done. Nothing was written.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DoorProblem {
    /// No person was named.
    #[error("nobody was named")]
    Nobody,
    /// A day that has not come yet.
    #[error("the day is in the future")]
    FutureDay,
    /// The clock shows a time that no calendar has.
    #[error("the clock is out of range")]
    Clock,
    /// The person lives there already.
    #[error("{person} lives there already")]
    LivesHereAlready {
        /// Who.
        person: RecordId,
    },
    /// The person is not recorded at this door.
    #[error("{person} is not recorded at this door")]
    NotHere {
        /// Who.
        person: RecordId,
    },
    /// The person is recorded as dead, or their record was taken back.
    #[error("{person} is dead or was taken back")]
    Gone {
        /// Who.
        person: RecordId,
    },
    /// A child needs its day of birth.
    #[error("no day of birth")]
    NoBirthDate,
    /// The household is not at this door.
    #[error("household {household} is not at this door")]
    OtherHousehold {
        /// Which.
        household: RecordId,
    },
    /// Everybody of the household was named: nobody would stay in it.
    #[error("nobody would stay in the household")]
    NobodyStays,
    /// What is recorded at the door does not go together; that has to be settled first.
    #[error("door {dwelling} is disputed")]
    Disputed {
        /// Which.
        dwelling: RecordId,
    },
    /// Both records stand for one person already.
    #[error("the same person already")]
    SamePerson,
    /// The two have different document numbers.
    #[error("different document numbers")]
    DifferentNumbers,
    /// The record was not merged into another.
    #[error("{person} was not merged")]
    NotMerged {
        /// Which.
        person: RecordId,
    },
    /// Nobody said that these are two people.
    #[error("nobody told these two apart")]
    NotApart,
    /// Nobody can walk that fast.
    #[error("too fast to be walked: {0:?}")]
    TooFast(TooFast),
    /// Doors of several buildings are no floor.
    #[error("the doors are of several buildings")]
    NotOneBuilding,
    /// There is no such operation, it was taken back already, or its time is over.
    #[error("operation {n} cannot be undone any more")]
    NoOperation {
        /// Its number.
        n: i64,
    },
    /// Something of it was changed since.
    #[error("record {record} was changed since")]
    ChangedSince {
        /// Which.
        record: RecordId,
    },
    /// Something was built on it since.
    #[error("record {record} is named by {by}")]
    UsedSince {
        /// What it made.
        record: RecordId,
        /// What names it now.
        by: RecordId,
    },
    /// A later operation does not go together with taking it back; that one is to be undone first.
    #[error("a later operation stands in the way")]
    LaterOperation,
    /// The file of rules cannot be used.
    #[error(transparent)]
    Rules(#[from] DoorRulesError),
}

impl DoorProblem {
    /// The problem for the worker, in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Nobody => "请选择人员".into(),
            Self::FutureDay => "日期不能晚于今天".into(),
            Self::Clock => "手机时间不正确".into(),
            Self::LivesHereAlready { .. } => "该人员已登记在此户".into(),
            Self::NotHere { .. } => "该人员未登记在此房屋".into(),
            Self::Gone { .. } => "该人员已登记死亡或已撤销".into(),
            Self::NoBirthDate => "请填写出生日期".into(),
            Self::OtherHousehold { .. } => "该户不在此房屋".into(),
            Self::NobodyStays => "原户至少保留一人".into(),
            Self::Disputed { .. } => "此房屋信息有矛盾，请先核实".into(),
            Self::SamePerson => "两条记录已是同一人".into(),
            Self::DifferentNumbers => "证件号码不同，不能合并".into(),
            Self::NotMerged { .. } => "该记录未被合并".into(),
            Self::NotApart => "这两人未被标记为非同一人".into(),
            Self::TooFast(TooFast::Apart { metres }) => {
                format!("所选房屋相距 {metres} 米，不能一次确认，请逐户确认")
            }
            Self::NotOneBuilding => "一次只能确认同一栋楼的房屋".into(),
            Self::TooFast(too_fast) => match too_fast.wait_seconds() {
                Some(seconds) => format!("核查速度过快，请 {seconds} 秒后再试，或逐户确认"),
                None => "一次确认的户数过多，请分批或逐户确认".into(),
            },
            Self::NoOperation { .. } => "该操作已撤销或超过可撤销时间".into(),
            Self::ChangedSince { .. } => "之后已有修改，不能撤销".into(),
            Self::UsedSince { .. } => "已有其他记录引用，不能撤销".into(),
            Self::LaterOperation => "请先撤销之后的操作".into(),
            Self::Rules(_) => "核查规则文件不正确".into(),
        }
    }

    /// The problem for the worker, in English.
    pub fn en(&self) -> String {
        match self {
            Self::Nobody => "Choose who it is about".into(),
            Self::FutureDay => "The day cannot be later than today".into(),
            Self::Clock => "The phone's clock is wrong".into(),
            Self::LivesHereAlready { .. } => "This person is recorded here already".into(),
            Self::NotHere { .. } => "This person is not recorded at this door".into(),
            Self::Gone { .. } => "This person is recorded as dead, or was taken back".into(),
            Self::NoBirthDate => "Enter the day of birth".into(),
            Self::OtherHousehold { .. } => "This household is not at this door".into(),
            Self::NobodyStays => "At least one person has to stay in the household".into(),
            Self::Disputed { .. } => "What is recorded here does not go together; settle that first".into(),
            Self::SamePerson => "Both records are one person already".into(),
            Self::DifferentNumbers => "The document numbers differ; these are two people".into(),
            Self::NotMerged { .. } => "This record was not merged".into(),
            Self::NotApart => "Nobody said that these are two people".into(),
            Self::TooFast(TooFast::Apart { metres }) => {
                format!("These doors are {metres} m apart; confirm door by door")
            }
            Self::NotOneBuilding => "Only doors of one building can be confirmed at once".into(),
            Self::TooFast(too_fast) => match too_fast.wait_seconds() {
                Some(seconds) => {
                    format!("Nobody walks that fast; wait {seconds} s, or confirm door by door")
                }
                None => "Too many doors at once; confirm fewer, or door by door".into(),
            },
            Self::NoOperation { .. } => "This was undone already, or too long ago".into(),
            Self::ChangedSince { .. } => "It was changed since and cannot be undone".into(),
            Self::UsedSince { .. } => "Other records build on it; it cannot be undone".into(),
            Self::LaterOperation => "Undo the later operation first".into(),
            Self::Rules(_) => "The file of rules is not usable".into(),
        }
    }
}
