//! Forms: one immutable record for each version, with the fields of records that their items fill.

use crate::id::RecordId;
use crate::records::Kind;
use crate::time::Timestamp;

record! {
    /// 表单: one version of a form for a campaign. A change makes a new version, never a new content.
    Form, "form", "表单", "Form";
    class Base;
    placement Org;
    followers [];
    devices false;
    /// What stays the same over all versions.
    required code: String = Text { max: 64 }, CreateOnly, "表单编码", "Code";
    /// Number of the version, from 1.
    required version: i64 = Int { min: 1, max: 1_000_000 }, CreateOnly, "版本", "Version";
    /// Name in Chinese.
    required name: String = Text { max: 100 }, CreateOnly, "名称", "Name";
    /// Name in English.
    optional name_en: String = Text { max: 100 }, CreateOnly, "英文名称", "English name";
    /// The word for the kind of record that it is filled about; see [`crate::forms`].
    required target_kind: String = Text { max: 32 }, CreateOnly, "填报对象类型", "Filled about";
    /// The items, encoded; see [`crate::checklist::ChecklistItem`].
    set items: Vec<u8> = Entry, CreateOnly, "填报项", "Items";
    /// The version before.
    optional previous: RecordId = Link(&[Kind::Form]), CreateOnly, "上一版本", "Previous version";
    /// Since when it is no longer offered; drafts are finished on it for 90 days.
    optional retired_at: Timestamp = Time, ServerOnly, "停用时间", "Retired at";
}
