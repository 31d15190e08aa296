//! Service records: what somebody needed on a visit, the service for it, and what came of it.

use crate::id::RecordId;
use crate::records::Kind;
use crate::time::Timestamp;

words! {
    /// How far a service is.
    ServiceState {
        /// Asked for; followed up at the next visit.
        Open = "open", "办理中", "Open";
        /// Delivered.
        Done = "done", "已办结", "Done";
        /// The resident no longer wishes it.
        Declined = "declined", "本人不再需要", "No longer wished";
        /// It cannot be had.
        NotPossible = "not_possible", "无法提供", "Not possible";
    }
}

record! {
    /// 帮办代办: a request, the service for it, its outcome.
    ServiceRecord, "service_record", "帮办代办", "Service";
    class Sensitive;
    placement Inherit("target");
    followers [];
    devices true;
    /// For whom.
    required target: RecordId = Link(&[Kind::Resident, Kind::Household, Kind::Dwelling]), CreateOnly, "服务对象", "For";
    /// What is needed.
    required request: String = Text { max: 300 }, CreateOnly, "需求", "Request";
    /// The service for it.
    required service: String = Text { max: 100 }, CreateOnly, "服务内容", "Service";
    /// Who took the request.
    required by: RecordId = Link(&[]), CreateOnly, "登记人", "By";
    /// When.
    required at: Timestamp = Time, CreateOnly, "登记时间", "At";
    /// The visit at which it was asked for.
    optional visit: RecordId = Link(&[Kind::Visit]), CreateOnly, "登记走访", "Visit";
    /// How far it is; open where it is not said.
    optional state: ServiceState = Code(ServiceState::CODES), Free, "办理状态", "State";
    /// What came of it, in the worker's words.
    optional outcome: String = Text { max: 300 }, Free, "办理结果", "Outcome";
    /// When it was settled.
    optional done_at: Timestamp = Time, Free, "办结时间", "Settled at";
    /// The visit at which it was followed up last.
    optional followed_up: RecordId = Link(&[Kind::Visit]), Free, "回访走访", "Followed up";
}
