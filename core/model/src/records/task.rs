//! Tasks: work with a due date.

use crate::id::RecordId;
use crate::records::Kind;
use crate::time::Timestamp;

words! {
    /// What is to be done.
    TaskKind {
        /// Visit somebody.
        Visit = "visit", "走访", "Visit";
        /// Inspect a place.
        Inspection = "inspection", "检查", "Inspection";
        /// Inspect a place again.
        Recheck = "recheck", "复查", "Recheck";
        /// Confirm base records.
        Verification = "verification", "信息核查", "Verify records";
        /// Look at an event on site.
        EventCheck = "event_check", "事件核实", "Check an event";
        /// Attend a joint call.
        Attendance = "attendance", "吹哨报到", "Attend a joint call";
        /// Look again at a closed event.
        LookBack = "look_back", "回头看", "Look back";
        /// Fill a form.
        Submission = "submission", "填报", "Fill a form";
    }
}

words! {
    /// How far a task is.
    TaskState {
        /// To be done.
        Open = "open", "待办", "Open";
        /// Done.
        Done = "done", "已完成", "Done";
        /// No longer needed.
        Cancelled = "cancelled", "已取消", "Cancelled";
    }
}

record! {
    /// 任务: work with a due date.
    Task, "task", "任务", "Task";
    class Base;
    placement Own("area");
    followers ["assignee", "unit"];
    devices true;
    /// The grid.
    required area: RecordId = Link(&[Kind::Area]), Free, "所属网格", "Grid";
    /// What is to be done.
    required task_kind: TaskKind = Code(TaskKind::CODES), CreateOnly, "任务类型", "Kind";
    /// Title.
    optional title: String = Text { max: 200 }, Free, "标题", "Title";
    /// Whom or what it concerns.
    optional target: RecordId = Link(&[Kind::Dwelling, Kind::Household, Kind::Resident, Kind::Place, Kind::Organization, Kind::Event]), CreateOnly, "对象", "Target";
    /// When it is due.
    optional due: Timestamp = Time, Free, "截止时间", "Due";
    /// Who does it.
    optional assignee: RecordId = Link(&[]), Free, "执行人", "Assignee";
    /// Which unit does it.
    optional unit: RecordId = Link(&[Kind::Unit]), Free, "执行单位", "Unit";
    /// How far it is; open where it is not said.
    optional state: TaskState = Code(TaskState::CODES), Free, "状态", "State";
    /// When it was done.
    optional done_at: Timestamp = Time, Free, "完成时间", "Done at";
    /// The record that shows that it was done.
    optional result: RecordId = Link(&[Kind::Visit, Kind::Inspection, Kind::BaseVerification, Kind::Event, Kind::Submission]), Free, "完成记录", "Result";
    /// The campaign that it belongs to.
    optional campaign: RecordId = Link(&[Kind::Campaign]), CreateOnly, "专项", "Campaign";
    /// Remarks.
    optional remarks: String = Text { max: 500 }, Free, "备注", "Remarks";
}
