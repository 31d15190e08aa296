//! Residents: people, without their ID number.

use jiff::civil;

use crate::id::RecordId;
use crate::records::Kind;

words! {
    /// Sex as the ID card states it.
    Sex {
        /// Male.
        Male = "male", "男", "Male";
        /// Female.
        Female = "female", "女", "Female";
    }
}

words! {
    /// How a person is registered.
    ResidentKind {
        /// Registered at this place.
        Registered = "registered", "户籍人口", "Registered";
        /// Registered elsewhere in the country.
        Floating = "floating", "流动人口", "Floating";
        /// From abroad.
        Overseas = "overseas", "境外人口", "Overseas";
        /// Not registered anywhere yet.
        Unregistered = "unregistered", "未落户人口", "Unregistered";
    }
}

record! {
    /// 实有人口: a person. Where they live is a residency, their ID number a record of its own.
    Resident, "resident", "实有人口", "Resident";
    class Base;
    placement Referrers { kind: Kind::Residency, field: "resident" };
    followers [];
    devices true;
    /// Name.
    required name: String = Text { max: 100 }, Free, "姓名", "Name";
    /// Sex.
    optional sex: Sex = Code(Sex::CODES), Free, "性别", "Sex";
    /// Day of birth.
    optional birth_date: civil::Date = Date, Free, "出生日期", "Birth date";
    /// Telephone.
    optional phone: String = Text { max: 32 }, Free, "联系电话", "Phone";
    /// How they are registered.
    optional resident_kind: ResidentKind = Code(ResidentKind::CODES), Free, "人口类型", "Registration";
    /// Where they work.
    optional workplace: String = Text { max: 200 }, Free, "工作单位", "Workplace";
    /// Set when a newcomer was typed in on a phone and not yet matched with other grids.
    optional provisional: bool = Flag, Free, "待比对", "Provisional";
    /// Day of death.
    optional died_on: civil::Date = Date, Free, "死亡日期", "Died on";
    /// The record that this one is a duplicate of. Emptied to undo the merge.
    optional merged_into: RecordId = Link(&[Kind::Resident]), Free, "并入", "Merged into";
    /// People who look alike in the records and were told apart by somebody who knows both, by their identifiers: no
    /// hint of a duplicate is shown for them. Stands with the smaller identifier of the two.
    set not_same: RecordId = Link(&[Kind::Resident]), Free, "已确认非同一人", "Not the same person";
    /// What other systems call them.
    set source_keys: String = Text { max: 64 }, Free, "外部编码", "Source keys";
    /// Remarks.
    optional remarks: String = Text { max: 500 }, Free, "备注", "Remarks";
}
