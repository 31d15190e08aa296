//! Patrols: walks that a worker starts and ends.

use crate::id::{ContentHash, RecordId};
use crate::records::Kind;
use crate::time::Timestamp;

record! {
    /// 巡查: a started and ended walk. The track itself is a blob that is deleted after 30 days: a document's
    /// history could not be.
    Patrol, "patrol", "巡查", "Patrol";
    class Base;
    placement Own("area");
    followers ["worker"];
    devices true;
    /// The grid.
    required area: RecordId = Link(&[Kind::Area]), CreateOnly, "所属网格", "Grid";
    /// Who walks.
    required worker: RecordId = Link(&[]), CreateOnly, "巡查人", "Worker";
    /// When it began.
    required started_at: Timestamp = Time, CreateOnly, "开始时间", "Started at";
    /// When it ended.
    optional ended_at: Timestamp = Time, Free, "结束时间", "Ended at";
    /// SHA-256 of the encoded track.
    optional track: ContentHash = Entry, Free, "轨迹", "Track";
    /// Length in metres, gaps not bridged.
    optional metres: i64 = Int { min: 0, max: 1_000_000 }, Free, "里程（米）", "Metres";
    /// Outdoor points of the grid that were reached, in percent.
    optional outdoor_coverage: i64 = Int { min: 0, max: 100 }, Free, "室外覆盖率", "Outdoor coverage (%)";
    /// Remarks.
    optional remarks: String = Text { max: 500 }, Free, "备注", "Remarks";
}
