//! A resident's identity document: a record of its own, since history cannot be redacted.

use crate::id::RecordId;
use crate::records::Kind;

words! {
    /// What sort of document the number stands on.
    IdDocument {
        /// Resident identity card (GB 11643).
        IdentityCard = "identity_card", "居民身份证", "Identity card";
        /// Permanent residence card of a foreigner: 18 digits that begin with 9.
        PermanentResidence = "permanent_residence", "外国人永久居留身份证", "Permanent residence card";
        /// Residence permit or travel document of Hong Kong, Macao or Taiwan.
        HkMoTw = "hkmotw", "港澳台居住证", "Hong Kong, Macao, Taiwan permit";
        /// Passport.
        Passport = "passport", "护照", "Passport";
    }
}

record! {
    /// 证件: a resident's document number.
    ResidentId, "resident_id", "证件", "Identity document";
    class Sensitive;
    placement Inherit("resident");
    followers [];
    devices true;
    /// Whose it is.
    required resident: RecordId = Link(&[Kind::Resident]), CreateOnly, "人员", "Resident";
    /// What sort of document; an identity card where it is not said.
    optional document: IdDocument = Code(IdDocument::CODES), Free, "证件类型", "Document";
    /// The number.
    required number: String = Text { max: 32 }, Free, "证件号码", "Number";
}
