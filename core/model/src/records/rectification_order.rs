//! Rectification orders: what one inspection found, and by when it is put right.

use jiff::civil;

use crate::id::RecordId;
use crate::records::Kind;
use crate::time::Timestamp;

record! {
    /// 整改通知: the findings of one inspection with a deadline.
    RectificationOrder, "rectification_order", "整改通知", "Rectification order";
    class Base;
    placement Inherit("inspection");
    followers ["lead_unit"];
    devices true;
    /// The inspection that found it.
    required inspection: RecordId = Link(&[Kind::Inspection]), CreateOnly, "检查", "Inspection";
    /// What is to be put right, by finding.
    set items: String = Text { max: 500 }, CreateOnly, "整改内容", "Items";
    /// The department in the lead.
    optional lead_unit: RecordId = Link(&[Kind::Unit]), Free, "牵头部门", "Lead unit";
    /// Last day.
    required deadline: civil::Date = Date, Free, "整改期限", "Deadline";
    /// Who issued it.
    required issued_by: RecordId = Link(&[]), CreateOnly, "签发人", "Issued by";
    /// When.
    required issued_at: Timestamp = Time, CreateOnly, "签发时间", "Issued at";
    /// The deadlines that it had before a recheck gave it another, by that recheck.
    set earlier: civil::Date = Date, Free, "原整改期限", "Earlier deadlines";
    /// The task of checking again.
    optional recheck_task: RecordId = Link(&[Kind::Task]), Free, "复查任务", "Recheck task";
    /// The inspection that found it put right.
    optional settled_by: RecordId = Link(&[Kind::Inspection]), Free, "复查结果", "Settled by";
}
