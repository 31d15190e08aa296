//! Staff: who uses the system, so that a phone can say who wrote a value and whose visit it was.
//!
//! The server writes these records when it adds a person or enrols a device. A record's identifier is the
//! person's own, as fields that name a person hold it.

use crate::id::RecordId;
use crate::records::Kind;

record! {
    /// 工作人员: a person who uses the system.
    Worker, "worker", "工作人员", "Staff";
    class Base;
    placement Org;
    followers [];
    devices false;
    /// Name.
    required name: String = Text { max: 100 }, ServerOnly, "姓名", "Name";
    /// The unit that they belong to.
    optional unit: RecordId = Link(&[Kind::Unit]), ServerOnly, "所属单位", "Unit";
    /// What they may do, by [`crate::policy::Role::word`]: a phone offers the acts of these roles.
    set roles: bool = Flag, ServerOnly, "岗位", "Roles";
    /// Their devices, by identifier in hexadecimal: the first part of the author of every change.
    set devices: bool = Flag, ServerOnly, "设备", "Devices";
}
