//! Inspections: one checklist filled at one place.

use crate::geo;
use crate::id::RecordId;
use crate::records::Kind;
use crate::time::Timestamp;

record! {
    /// 检查: a filled checklist with findings and signatures.
    Inspection, "inspection", "检查", "Inspection";
    class Base;
    placement Inherit("place");
    followers [];
    devices true;
    /// What was inspected.
    required place: RecordId = Link(&[Kind::Place]), CreateOnly, "场所", "Place";
    /// The version of the checklist.
    required checklist: RecordId = Link(&[Kind::Checklist]), CreateOnly, "检查清单", "Checklist";
    /// Who inspects.
    required inspector: RecordId = Link(&[]), CreateOnly, "检查人", "Inspector";
    /// When it began.
    required started_at: Timestamp = Time, CreateOnly, "开始时间", "Started at";
    /// When it ended; empty for a draft.
    optional ended_at: Timestamp = Time, Free, "结束时间", "Ended at";
    /// The answers by item, encoded; see [`crate::checklist::Answer`].
    set answers: Vec<u8> = Entry, Free, "检查结果", "Answers";
    /// The failed items, encoded; see [`crate::checklist::Finding`].
    set findings: Vec<u8> = Entry, Free, "问题项", "Findings";
    /// Photographs, encoded; see [`crate::photo::PhotoRef`].
    set photos: Vec<u8> = Entry, AppendOnly, "照片", "Photos";
    /// Voice notes, encoded; see [`crate::voice::VoiceRef`].
    set voices: Vec<u8> = Entry, AppendOnly, "语音", "Voice notes";
    /// Signatures of the worker and the manager, encoded; see [`crate::checklist::Signature`].
    set signatures: Vec<u8> = Entry, AppendOnly, "签名", "Signatures";
    /// Share of passed items in percent, as shown when it was signed.
    optional score: i64 = Int { min: 0, max: 100 }, Free, "得分", "Score";
    /// Where it was made.
    optional position: geo::Position = Position, Free, "位置", "Position";
    /// The task that it fulfils.
    optional task: RecordId = Link(&[Kind::Task]), CreateOnly, "任务", "Task";
    /// The order whose items are looked at again; empty for a whole inspection.
    optional order: RecordId = Link(&[Kind::RectificationOrder]), CreateOnly, "复查的整改通知", "Order checked again";
    /// Why a signature is missing.
    optional unsigned_reason: String = Text { max: 200 }, Free, "未签名原因", "Why not signed";
    /// Remarks.
    optional remarks: String = Text { max: 500 }, Free, "备注", "Remarks";
}
