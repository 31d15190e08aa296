//! Organizations: holders of a unified social credit code.

use crate::geo;
use crate::id::RecordId;
use crate::records::Kind;

record! {
    /// 实有单位: a company, institution or association.
    Organization, "organization", "实有单位", "Organization";
    class Base;
    placement Own("area");
    followers [];
    devices true;
    /// The grid of its seat.
    required area: RecordId = Link(&[Kind::Area]), Free, "所属网格", "Grid";
    /// Name.
    required name: String = Text { max: 100 }, Free, "名称", "Name";
    /// Unified social credit code (GB 32100).
    optional uscc: String = Text { max: 32 }, Free, "统一社会信用代码", "Social credit code";
    /// Whom to speak to.
    optional contact: String = Text { max: 100 }, Free, "联系人", "Contact";
    /// Telephone of the contact.
    optional phone: String = Text { max: 32 }, Free, "联系电话", "Phone";
    /// Address.
    optional address: String = Text { max: 200 }, Free, "地址", "Address";
    /// Where it is.
    optional position: geo::Position = Position, Free, "位置", "Position";
    /// What other systems call it.
    set source_keys: String = Text { max: 64 }, Free, "外部编码", "Source keys";
    /// Remarks.
    optional remarks: String = Text { max: 500 }, Free, "备注", "Remarks";
}
