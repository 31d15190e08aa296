//! Events, patrols, tasks, campaigns, visits, care, and the directory of staff.

use gridwalk_model::geo::Position;
use gridwalk_model::records::care_tag::Need;
use gridwalk_model::records::event::EventSource;
use gridwalk_model::records::label::LabelScope;
use gridwalk_model::records::service_record::ServiceState;
use gridwalk_model::records::task::{TaskKind, TaskState};
use gridwalk_model::records::visit::{VisitPurpose, VisitResult};
use gridwalk_model::records::{Campaign, CareTag, Event, Label, Patrol, ServiceRecord, Task, Visit, Worker};
use gridwalk_model::{ContentHash, RecordId, Timestamp};

use crate::containers::{Day, EntrySet, FlagMap};

/// 事件: a problem report.
#[uniffi::remote(Record)]
pub struct Event {
    /// The grid in which it is.
    pub area: RecordId,
    /// The number, issued on the phone: device code, day, sequence.
    pub number: Option<String>,
    /// Category, a code of the deployment's table. The log's word wins once it is reported.
    pub category: String,
    /// What is wrong.
    pub description: Option<String>,
    /// Address.
    pub address: Option<String>,
    /// Where it is.
    pub position: Option<Position>,
    /// The place that it concerns.
    pub place: Option<RecordId>,
    /// The dwelling that it concerns.
    pub dwelling: Option<RecordId>,
    /// The inspection that found it.
    pub inspection: Option<RecordId>,
    /// Where it came from.
    pub source: Option<EventSource>,
    /// Who reported it through the system.
    pub reporter: Option<RecordId>,
    /// When it was seen.
    pub occurred_at: Option<Timestamp>,
    /// Number at the hotline or an upper platform.
    pub external_number: Option<String>,
    /// When an upper platform wants it done.
    pub external_due: Option<Timestamp>,
    /// Photographs, encoded; see `PhotoRef`.
    pub photos: EntrySet,
    /// Voice notes, encoded; see `VoiceRef`.
    pub voices: EntrySet,
    /// The log, encoded; see `LogEntry`.
    pub log: EntrySet,
}

/// 巡查: a started and ended walk. The track itself is a blob that is deleted after 30 days: a document's
/// history could not be.
#[uniffi::remote(Record)]
pub struct Patrol {
    /// The grid.
    pub area: RecordId,
    /// Who walks.
    pub worker: RecordId,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// SHA-256 of the encoded track.
    pub track: Option<ContentHash>,
    /// Length in metres, gaps not bridged.
    pub metres: Option<i64>,
    /// Outdoor points of the grid that were reached, in percent.
    pub outdoor_coverage: Option<i64>,
    /// Remarks.
    pub remarks: Option<String>,
}

/// 任务: work with a due date.
#[uniffi::remote(Record)]
#[uniffi(name = "TaskRecord")]
pub struct Task {
    /// The grid.
    pub area: RecordId,
    /// What is to be done.
    pub task_kind: TaskKind,
    /// Title.
    pub title: Option<String>,
    /// Whom or what it concerns.
    pub target: Option<RecordId>,
    /// When it is due.
    pub due: Option<Timestamp>,
    /// Who does it.
    pub assignee: Option<RecordId>,
    /// Which unit does it.
    pub unit: Option<RecordId>,
    /// How far it is; open where it is not said.
    pub state: Option<TaskState>,
    /// When it was done.
    pub done_at: Option<Timestamp>,
    /// The record that shows that it was done.
    pub result: Option<RecordId>,
    /// The campaign that it belongs to.
    pub campaign: Option<RecordId>,
    /// Remarks.
    pub remarks: Option<String>,
}

/// 专项: a batch of tasks. Progress is counted from the tasks, never stored.
#[uniffi::remote(Record)]
pub struct Campaign {
    /// The area in which it runs.
    pub area: RecordId,
    /// Name.
    pub name: String,
    /// The admitted matter (事项准入) that it carries out.
    pub matter: String,
    /// The unit that runs it.
    pub unit: Option<RecordId>,
    /// The checklist of its inspections.
    pub checklist: Option<RecordId>,
    /// The form that is filled in it.
    pub form: Option<RecordId>,
    /// First day.
    pub from: Option<Day>,
    /// Last day.
    pub to: Option<Day>,
    /// Remarks.
    pub remarks: Option<String>,
}

/// 走访: a door knocked on.
#[uniffi::remote(Record)]
pub struct Visit {
    /// Whom or what.
    pub target: RecordId,
    /// Who knocked.
    pub by: RecordId,
    /// When.
    pub at: Timestamp,
    /// What came of it.
    pub result: VisitResult,
    /// Why.
    pub purpose: Option<VisitPurpose>,
    /// The version of the form that was filled, `code@version`; see `name`.
    pub form: Option<String>,
    /// The answers by item, encoded; see `Answer`.
    pub answers: EntrySet,
    /// What was said and needed.
    pub note: Option<String>,
    /// Day of the next visit.
    pub next_due: Option<Day>,
    /// Where it was made.
    pub position: Option<Position>,
    /// The task that it fulfils.
    pub task: Option<RecordId>,
    /// The patrol on which it was made.
    pub patrol: Option<RecordId>,
    /// Photographs, encoded; see `PhotoRef`.
    pub photos: EntrySet,
    /// Voice notes, encoded; see `VoiceRef`.
    pub voices: EntrySet,
}

/// 关爱标签: a need, the service for it, and until when.
#[uniffi::remote(Record)]
pub struct CareTag {
    /// Who.
    pub resident: RecordId,
    /// The need.
    pub need: Need,
    /// The service that it triggers.
    pub service: String,
    /// The purpose, as it is shown to the resident.
    pub purpose: String,
    /// Who approved it.
    pub approver: RecordId,
    /// First day.
    pub from: Day,
    /// Last day: at most twelve months after the first.
    pub until: Day,
}

/// 帮办代办: a request, the service for it, its outcome.
#[uniffi::remote(Record)]
pub struct ServiceRecord {
    /// For whom.
    pub target: RecordId,
    /// What is needed.
    pub request: String,
    /// The service for it.
    pub service: String,
    /// Who took the request.
    pub by: RecordId,
    /// When.
    pub at: Timestamp,
    /// The visit at which it was asked for.
    pub visit: Option<RecordId>,
    /// How far it is; open where it is not said.
    pub state: Option<ServiceState>,
    /// What came of it, in the worker's words.
    pub outcome: Option<String>,
    /// When it was settled.
    pub done_at: Option<Timestamp>,
    /// The visit at which it was followed up last.
    pub followed_up: Option<RecordId>,
}

/// 工作人员: a person who uses the system.
#[uniffi::remote(Record)]
pub struct Worker {
    /// Name.
    pub name: String,
    /// The unit that they belong to.
    pub unit: Option<RecordId>,
    /// What they may do, by the words of the roles: a screen offers the acts of these.
    pub roles: FlagMap,
    /// Their devices, by identifier in hexadecimal: the first part of the author of every change.
    pub devices: FlagMap,
}

/// 二维码标牌: a printed token that opens a record. Voiding it leaves the record, so that an old label is known as such;
/// what it says never changes.
#[uniffi::remote(Record)]
pub struct Label {
    /// What its code says, behind the server's address.
    pub token: String,
    /// What it opens.
    pub target: RecordId,
    /// What it stands for; the door or place where it is not said.
    pub scope: Option<LabelScope>,
    /// Who made it.
    pub made_by: RecordId,
    /// When.
    pub made_at: Timestamp,
    /// Since when it opens nothing any more; none while it does.
    pub voided_at: Option<Timestamp>,
}
