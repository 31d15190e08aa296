//! Households: people who live together behind one door.

use crate::id::RecordId;
use crate::records::Kind;

words! {
    /// What sort of household.
    HouseholdKind {
        /// A family.
        Family = "family", "家庭户", "Family";
        /// Staff or students of one institution.
        Collective = "collective", "集体户", "Collective";
        /// People who share a rented home.
        Shared = "shared", "合租户", "Shared";
    }
}

record! {
    /// 户: people who live together; a dwelling may hold several.
    Household, "household", "户", "Household";
    class Base;
    placement Inherit("dwelling");
    followers [];
    devices true;
    /// Where they live.
    required dwelling: RecordId = Link(&[Kind::Dwelling]), Free, "所在房屋", "Dwelling";
    /// The head of the household.
    optional head: RecordId = Link(&[Kind::Resident]), Free, "户主", "Head";
    /// What sort.
    optional household_kind: HouseholdKind = Code(HouseholdKind::CODES), Free, "户类型", "Kind";
    /// The household from which this one was split.
    optional split_from: RecordId = Link(&[Kind::Household]), CreateOnly, "分户来源", "Split from";
    /// What other systems call it.
    set source_keys: String = Text { max: 64 }, Free, "外部编码", "Source keys";
    /// Remarks.
    optional remarks: String = Text { max: 500 }, Free, "备注", "Remarks";
}
