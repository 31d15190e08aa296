//! Answers, what they found, and who signed.

use minicbor::{Decode, Encode};

use crate::categories::Severity;
use crate::id::{ContentHash, RecordId};
use crate::time::Timestamp;

words! {
    /// The answer to a pass-or-fail item.
    Outcome {
        /// As it should be.
        Pass = "pass", "合格", "Pass";
        /// Not as it should be.
        Fail = "fail", "不合格", "Fail";
        /// Does not apply here.
        NotApplicable = "na", "不适用", "Not applicable";
    }
}

words! {
    /// Who signs an inspection.
    SignatureRole {
        /// Who inspected.
        Worker = "worker", "检查人", "Worker";
        /// Who runs the place.
        Manager = "manager", "场所负责人", "Manager";
    }
}

/// The answer to one item.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct Answer {
    /// To a pass-or-fail item; on another, `Fail` and `NotApplicable` are the inspector's own word against the limits.
    #[n(0)]
    pub outcome: Option<Outcome>,
    /// To a number, in the item's unit.
    #[n(1)]
    pub number: Option<f64>,
    /// To a text, or a remark on another: what was seen.
    #[n(2)]
    pub text: Option<String>,
    /// To a choice.
    #[n(3)]
    pub choice: Option<String>,
    /// Elements of the record's `photos`.
    #[cbor(n(4), default)]
    pub photos: Vec<RecordId>,
    /// When it was given.
    #[n(5)]
    pub at: Option<Timestamp>,
}

/// A failed item, with what was seen.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Finding {
    /// The item.
    #[n(0)]
    pub item: String,
    /// How bad.
    #[n(1)]
    pub severity: Severity,
    /// What was seen.
    #[n(2)]
    pub text: Option<String>,
    /// Elements of the record's `photos`.
    #[cbor(n(3), default)]
    pub photos: Vec<RecordId>,
    /// The event that was made of it, for a major or overdue finding.
    #[n(4)]
    pub event: Option<RecordId>,
}

/// A signature under an inspection. It stands as long as its drawing does, the photo of the same name, and the answers are
/// those that were signed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Signature {
    /// Who signs.
    #[n(0)]
    pub role: SignatureRole,
    /// Their name, as signed.
    #[n(1)]
    pub name: Option<String>,
    /// The drawn signature, a blob.
    #[n(2)]
    pub image: ContentHash,
    /// When.
    #[n(3)]
    pub at: Timestamp,
    /// SHA-256 over the answers that were there, as the phone computes it.
    #[n(4)]
    pub answers: Option<ContentHash>,
}
