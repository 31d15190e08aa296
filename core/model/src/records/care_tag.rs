//! Care tags: why somebody is on a care list.
//!
//! A tag states a need, never conduct, opinion or origin. It names the service that it triggers, the purpose
//! shown to the resident, who approved it, and a day within twelve months on which it ends. Everything is fixed
//! at creation: a tag is renewed by a new one, with a new approval.

use jiff::civil;

use crate::id::RecordId;
use crate::records::Kind;

words! {
    /// The needs that a tag may state. The list is closed: other words are refused, not carried.
    Need {
        /// An elderly person who lives alone.
        LivingAlone = "living_alone", "独居老人", "Elderly living alone";
        /// An elderly couple whose children are away.
        EmptyNest = "empty_nest", "空巢老人", "Empty nest";
        /// Aged 80 or more.
        Aged80 = "aged_80", "高龄老人", "Aged 80 or more";
        /// Disabled.
        Disabled = "disabled", "残疾人", "Disabled";
        /// Severely disabled.
        SeverelyDisabled = "severely_disabled", "重度残疾人", "Severely disabled";
        /// A family that lost its only child.
        LostOnlyChild = "lost_only_child", "失独家庭", "Lost an only child";
        /// A child in difficulty.
        ChildInDifficulty = "child_in_difficulty", "困境儿童", "Child in difficulty";
        /// A child whose parents work elsewhere.
        LeftBehindChild = "left_behind_child", "留守儿童", "Left-behind child";
        /// Low income.
        LowIncome = "low_income", "低收入", "Low income";
        /// Unemployed.
        Unemployed = "unemployed", "失业人员", "Unemployed";
    }
}

record! {
    /// 关爱标签: a need, the service for it, and until when.
    CareTag, "care_tag", "关爱标签", "Care tag";
    class Sensitive;
    placement Inherit("resident");
    followers [];
    devices true;
    /// Who.
    required resident: RecordId = Link(&[Kind::Resident]), CreateOnly, "人员", "Resident";
    /// The need.
    required need: Need = Code(Need::CODES), CreateOnly, "需求", "Need";
    /// The service that it triggers.
    required service: String = Text { max: 100 }, CreateOnly, "服务内容", "Service";
    /// The purpose, as it is shown to the resident.
    required purpose: String = Text { max: 200 }, CreateOnly, "目的", "Purpose";
    /// Who approved it.
    required approver: RecordId = Link(&[]), CreateOnly, "审批人", "Approver";
    /// First day.
    required from: civil::Date = Date, CreateOnly, "开始日期", "From";
    /// Last day: at most twelve months after the first.
    required until: civil::Date = Date, CreateOnly, "截止日期", "Until";
}
