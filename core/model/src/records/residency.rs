//! Residencies: who lives where, from when to when.

use jiff::civil;

use crate::id::RecordId;
use crate::records::Kind;

words! {
    /// How a person is related to the head of the household.
    Relation {
        /// The head.
        Head = "head", "户主", "Head";
        /// Husband or wife.
        Spouse = "spouse", "配偶", "Spouse";
        /// Son or daughter.
        Child = "child", "子女", "Child";
        /// Father or mother.
        Parent = "parent", "父母", "Parent";
        /// Grandchild.
        Grandchild = "grandchild", "孙子女", "Grandchild";
        /// Grandparent.
        Grandparent = "grandparent", "祖父母", "Grandparent";
        /// Brother or sister.
        Sibling = "sibling", "兄弟姐妹", "Sibling";
        /// Somebody who rents.
        Tenant = "tenant", "租客", "Tenant";
        /// Somebody else.
        NotRelated = "not_related", "其他", "Not related";
    }
}

record! {
    /// 居住关系: a resident in a dwelling for a period.
    Residency, "residency", "居住关系", "Residency";
    class Base;
    placement Inherit("dwelling");
    followers [];
    devices true;
    /// Who.
    required resident: RecordId = Link(&[Kind::Resident]), CreateOnly, "人员", "Resident";
    /// Where.
    required dwelling: RecordId = Link(&[Kind::Dwelling]), CreateOnly, "房屋", "Dwelling";
    /// With whom.
    optional household: RecordId = Link(&[Kind::Household]), Free, "所在户", "Household";
    /// Relation to the head of the household.
    optional relation: Relation = Code(Relation::CODES), Free, "与户主关系", "Relation to head";
    /// First day.
    optional from: civil::Date = Date, Free, "入住日期", "From";
    /// Day of leaving; empty while they live there.
    optional to: civil::Date = Date, Free, "离开日期", "To";
    /// 人户一致: whether they are registered where they live.
    optional residence_matches_registration: bool = Flag, Free, "人户一致", "Registered here";
    /// Set where the person lives mainly elsewhere: a second home, a workday dormitory.
    optional secondary: bool = Flag, Free, "非主要居住地", "Second home";
}

impl Residency {
    /// Whether the person lives there on `day`. An open beginning counts as long ago.
    pub fn is_current(&self, day: civil::Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day < to)
    }
}
