//! Places: sites that are inspected.

use crate::geo;
use crate::id::RecordId;
use crate::records::Kind;

record! {
    /// 场所: an inspectable site.
    Place, "place", "场所", "Place";
    class Base;
    placement Own("area");
    followers [];
    devices true;
    /// The grid.
    required area: RecordId = Link(&[Kind::Area]), Free, "所属网格", "Grid";
    /// Name.
    required name: String = Text { max: 100 }, Free, "场所名称", "Name";
    /// Category, as the deployment's code table names it.
    required category: String = Text { max: 50 }, Free, "场所类别", "Category";
    /// Address.
    optional address: String = Text { max: 200 }, Free, "地址", "Address";
    /// The door that it has, where it is one.
    optional dwelling: RecordId = Link(&[Kind::Dwelling]), Free, "所在房屋", "Dwelling";
    /// Who runs it.
    optional organization: RecordId = Link(&[Kind::Organization]), Free, "经营单位", "Organization";
    /// The person in charge.
    optional manager: String = Text { max: 100 }, Free, "负责人", "Manager";
    /// Their telephone.
    optional phone: String = Text { max: 32 }, Free, "联系电话", "Phone";
    /// Where it is.
    optional position: geo::Position = Position, Free, "位置", "Position";
    /// Days between two inspections.
    optional inspection_interval_days: i64 = Int { min: 1, max: 3_660 }, Free, "检查周期（天）", "Inspection interval (days)";
    /// Whether it is closed for good.
    optional closed: bool = Flag, Free, "已停业", "Closed";
    /// What other systems call it.
    set source_keys: String = Text { max: 64 }, Free, "外部编码", "Source keys";
    /// Remarks.
    optional remarks: String = Text { max: 500 }, Free, "备注", "Remarks";
}
