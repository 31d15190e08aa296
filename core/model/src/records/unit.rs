//! Units: offices, departments, companies and teams that take on cases.

use crate::id::RecordId;
use crate::records::Kind;

words! {
    /// What sort of unit.
    UnitKind {
        /// A community's office.
        Community = "community", "社区", "Community";
        /// A centre of a street or district that dispatches.
        Centre = "centre", "治理中心", "Governance centre";
        /// A department of the administration.
        Department = "department", "职能部门", "Department";
        /// A company: property management, utilities, repair.
        Company = "company", "企业", "Company";
        /// A team of any of these.
        Team = "team", "队伍", "Team";
    }
}

record! {
    /// 单位: an office, department, company or team.
    Unit, "unit", "单位", "Unit";
    class Base;
    placement Org;
    followers [];
    devices false;
    /// Name.
    required name: String = Text { max: 100 }, Free, "名称", "Name";
    /// The unit above.
    optional parent: RecordId = Link(&[Kind::Unit]), Free, "上级单位", "Parent";
    /// What sort of unit.
    optional unit_kind: UnitKind = Code(UnitKind::CODES), Free, "类型", "Kind";
    /// The areas that it serves.
    set areas: RecordId = Link(&[Kind::Area]), Free, "服务区域", "Areas served";
    /// The person on duty.
    optional on_duty: RecordId = Link(&[]), Free, "值班人", "On duty";
    /// Its telephone.
    optional phone: String = Text { max: 32 }, Free, "电话", "Phone";
}
