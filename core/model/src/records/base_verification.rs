//! Base verifications: that somebody confirmed a record.

use crate::id::RecordId;
use crate::records::Kind;
use crate::time::Timestamp;

words! {
    /// What was done at a door.
    DoorOutcome {
        /// All as recorded.
        NoChange = "no_change", "无变化", "No change";
        /// Somebody moved in.
        MoveIn = "move_in", "迁入", "Moved in";
        /// Somebody moved out.
        MoveOut = "move_out", "迁出", "Moved out";
        /// A child was born.
        Birth = "birth", "出生", "Birth";
        /// Somebody died.
        Death = "death", "死亡", "Death";
        /// One household became two.
        Split = "split", "分户", "Household split";
        /// Nobody lives there.
        Vacant = "vacant", "空置", "Vacant";
        /// Nobody opened.
        NobodyHome = "nobody_home", "家中无人", "Nobody home";
        /// Facts were put right.
        Corrected = "corrected", "信息更正", "Corrected";
    }
}

words! {
    /// How it was confirmed.
    VerificationMethod {
        /// Face to face.
        InPerson = "in_person", "上门", "In person";
        /// By telephone.
        Phone = "phone", "电话", "By phone";
        /// The person said so themselves.
        SelfDeclared = "self_declared", "自主申报", "Self-declared";
        /// From papers.
        Records = "records", "资料核对", "From records";
    }
}

impl BaseVerification {
    /// Whether somebody was reached who stands there: not where nobody opened, and not by telephone or from papers, which
    /// confirm the record all the same.
    pub fn reaches(&self) -> bool {
        let there = matches!(self.method, None | Some(VerificationMethod::InPerson));
        there && self.outcome != DoorOutcome::NobodyHome
    }
}

record! {
    /// 信息核查: a record was confirmed: by whom, when, how. Removing it undoes the operation at the door.
    BaseVerification, "base_verification", "信息核查", "Verification";
    class Base;
    placement Inherit("target");
    followers [];
    devices true;
    /// What was confirmed.
    required target: RecordId = Link(&[Kind::Dwelling, Kind::Household, Kind::Resident, Kind::Place, Kind::Organization]), CreateOnly, "核查对象", "Target";
    /// What was done.
    required outcome: DoorOutcome = Code(DoorOutcome::CODES), CreateOnly, "核查结果", "Outcome";
    /// How.
    optional method: VerificationMethod = Code(VerificationMethod::CODES), CreateOnly, "核查方式", "Method";
    /// By whom.
    required by: RecordId = Link(&[]), CreateOnly, "核查人", "By";
    /// When.
    required at: Timestamp = Time, CreateOnly, "核查时间", "At";
    /// The patrol on which it was done.
    optional patrol: RecordId = Link(&[Kind::Patrol]), CreateOnly, "巡查", "Patrol";
}
