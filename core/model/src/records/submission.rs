//! Submissions: one filling of a form.

use crate::id::RecordId;
use crate::records::Kind;
use crate::time::Timestamp;

record! {
    /// 填报: one filling of one version of a form.
    Submission, "submission", "填报", "Submission";
    class Base;
    placement Inherit("target");
    followers [];
    devices true;
    /// The version of the form.
    required form: RecordId = Link(&[Kind::Form]), CreateOnly, "表单", "Form";
    /// What it is about.
    required target: RecordId = Link(&[Kind::Dwelling, Kind::Household, Kind::Resident, Kind::Place, Kind::Organization]), CreateOnly, "对象", "About";
    /// Who fills it.
    required by: RecordId = Link(&[]), CreateOnly, "填报人", "By";
    /// When it was begun.
    required started_at: Timestamp = Time, CreateOnly, "开始时间", "Started at";
    /// When it was sent off; empty for a draft.
    optional submitted_at: Timestamp = Time, Free, "提交时间", "Submitted at";
    /// The answers by item, encoded; see [`crate::checklist::Answer`].
    set answers: Vec<u8> = Entry, Free, "填报内容", "Answers";
    /// What the record said before, by item, encoded; where it was changed.
    set before: Vec<u8> = Entry, Free, "原内容", "Before";
    /// The task that it fulfils.
    optional task: RecordId = Link(&[Kind::Task]), CreateOnly, "任务", "Task";
}
