//! Visits: doors knocked on.

use jiff::civil;

use crate::geo;
use crate::id::RecordId;
use crate::records::Kind;
use crate::time::Timestamp;

words! {
    /// What came of a visit. Refusing is a complete result and triggers nothing.
    VisitResult {
        /// Met.
        Met = "met", "见到本人", "Met";
        /// Nobody home.
        NotHome = "not_home", "家中无人", "Not home";
        /// They did not wish to be visited.
        Refused = "refused", "婉拒", "Refused";
        /// They moved away.
        Moved = "moved", "已搬离", "Moved";
    }
}

words! {
    /// Why a visit was made.
    VisitPurpose {
        /// On the ordinary round.
        Routine = "routine", "日常走访", "Routine";
        /// For a care list.
        Care = "care", "关爱走访", "Care";
        /// To welcome people who moved in.
        Welcome = "welcome", "新入住走访", "Welcome";
        /// To speak about an event.
        Event = "event", "事件回访", "Event";
    }
}

record! {
    /// 走访: a door knocked on.
    Visit, "visit", "走访", "Visit";
    class Base;
    placement Inherit("target");
    followers [];
    devices true;
    /// Whom or what.
    required target: RecordId = Link(&[Kind::Dwelling, Kind::Household, Kind::Resident, Kind::Place, Kind::Organization]), CreateOnly, "走访对象", "Target";
    /// Who knocked.
    required by: RecordId = Link(&[]), CreateOnly, "走访人", "By";
    /// When.
    required at: Timestamp = Time, CreateOnly, "走访时间", "At";
    /// What came of it.
    required result: VisitResult = Code(VisitResult::CODES), CreateOnly, "走访结果", "Result";
    /// Why.
    optional purpose: VisitPurpose = Code(VisitPurpose::CODES), CreateOnly, "走访目的", "Purpose";
    /// The version of the form that was filled, `code@version`; see [`crate::visits::VisitForm::name`].
    optional form: String = Text { max: 80 }, CreateOnly, "走访表", "Form";
    /// The answers by item, encoded; see [`crate::checklist::Answer`].
    set answers: Vec<u8> = Entry, Free, "走访记录", "Answers";
    /// What was said and needed.
    optional note: String = Text { max: 1_000 }, Free, "备注", "Note";
    /// Day of the next visit.
    optional next_due: civil::Date = Date, Free, "下次走访", "Next due";
    /// Where it was made.
    optional position: geo::Position = Position, CreateOnly, "位置", "Position";
    /// The task that it fulfils.
    optional task: RecordId = Link(&[Kind::Task]), CreateOnly, "任务", "Task";
    /// The patrol on which it was made.
    optional patrol: RecordId = Link(&[Kind::Patrol]), CreateOnly, "巡查", "Patrol";
    /// Photographs, encoded; see [`crate::photo::PhotoRef`].
    set photos: Vec<u8> = Entry, AppendOnly, "照片", "Photos";
    /// Voice notes, encoded; see [`crate::voice::VoiceRef`].
    set voices: Vec<u8> = Entry, AppendOnly, "语音", "Voice notes";
}
