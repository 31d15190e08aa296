//! Events: problems reported. What became of one is told by its log; see [`crate::event`].

use crate::geo;
use crate::id::RecordId;
use crate::records::Kind;
use crate::time::Timestamp;

words! {
    /// Where an event came from.
    EventSource {
        /// A gridworker saw it.
        Gridworker = "gridworker", "网格员上报", "Gridworker";
        /// A resident reported it.
        Resident = "resident", "群众反映", "Resident";
        /// It came by the hotline.
        Hotline = "hotline", "热线转办", "Hotline";
        /// An inspection found it.
        Inspection = "inspection", "检查发现", "Inspection";
    }
}

record! {
    /// 事件: a problem report.
    Event, "event", "事件", "Event";
    class Base;
    placement Own("area");
    followers ["reporter"];
    devices true;
    /// The grid in which it is.
    required area: RecordId = Link(&[Kind::Area]), Free, "所属网格", "Grid";
    /// The number, issued on the phone: device code, day, sequence.
    optional number: String = Text { max: 40 }, CreateOnly, "事件编号", "Number";
    /// Category, a code of the deployment's table. The log's word wins once it is reported.
    required category: String = Text { max: 50 }, Free, "事件类别", "Category";
    /// What is wrong.
    optional description: String = Text { max: 2_000 }, Free, "事件描述", "Description";
    /// Address.
    optional address: String = Text { max: 200 }, Free, "地址", "Address";
    /// Where it is.
    optional position: geo::Position = Position, Free, "位置", "Position";
    /// The place that it concerns.
    optional place: RecordId = Link(&[Kind::Place]), Free, "关联场所", "Place";
    /// The dwelling that it concerns.
    optional dwelling: RecordId = Link(&[Kind::Dwelling]), Free, "关联房屋", "Dwelling";
    /// The inspection that found it.
    optional inspection: RecordId = Link(&[Kind::Inspection]), CreateOnly, "关联检查", "Inspection";
    /// Where it came from.
    optional source: EventSource = Code(EventSource::CODES), CreateOnly, "事件来源", "Source";
    /// Who reported it through the system.
    optional reporter: RecordId = Link(&[]), CreateOnly, "上报人", "Reporter";
    /// When it was seen.
    optional occurred_at: Timestamp = Time, CreateOnly, "发现时间", "Occurred at";
    /// Number at the hotline or an upper platform.
    optional external_number: String = Text { max: 64 }, ServerOnly, "外部编号", "External number";
    /// When an upper platform wants it done.
    optional external_due: Timestamp = Time, ServerOnly, "外部期限", "External due";
    /// Photographs, encoded; see [`crate::photo::PhotoRef`].
    set photos: Vec<u8> = Entry, AppendOnly, "照片", "Photos";
    /// Voice notes, encoded; see [`crate::voice::VoiceRef`].
    set voices: Vec<u8> = Entry, AppendOnly, "语音", "Voice notes";
    /// The log, encoded; see [`crate::event::LogEntry`].
    set log: Vec<u8> = Entry, AppendOnly, "办理过程", "Log";
}
