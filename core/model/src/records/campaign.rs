//! Campaigns: batches of tasks for one matter.

use jiff::civil;

use crate::id::RecordId;
use crate::records::Kind;

record! {
    /// 专项: a batch of tasks. Progress is counted from the tasks, never stored.
    Campaign, "campaign", "专项", "Campaign";
    class Base;
    placement Own("area");
    followers ["unit"];
    devices true;
    /// The area in which it runs.
    required area: RecordId = Link(&[Kind::Area]), Free, "范围", "Area";
    /// Name.
    required name: String = Text { max: 100 }, Free, "名称", "Name";
    /// The admitted matter (事项准入) that it carries out.
    required matter: String = Text { max: 100 }, Free, "事项", "Matter";
    /// The unit that runs it.
    optional unit: RecordId = Link(&[Kind::Unit]), Free, "组织单位", "Unit";
    /// The checklist of its inspections.
    optional checklist: RecordId = Link(&[Kind::Checklist]), Free, "检查清单", "Checklist";
    /// The form that is filled in it.
    optional form: RecordId = Link(&[Kind::Form]), Free, "表单", "Form";
    /// First day.
    optional from: civil::Date = Date, Free, "开始日期", "From";
    /// Last day.
    optional to: civil::Date = Date, Free, "结束日期", "To";
    /// Remarks.
    optional remarks: String = Text { max: 500 }, Free, "备注", "Remarks";
}
