//! Checklist templates: one immutable record for each version.

use crate::id::RecordId;
use crate::records::Kind;
use crate::time::Timestamp;

record! {
    /// 检查清单: one version of a template. A change makes a new version, never a new content.
    Checklist, "checklist", "检查清单", "Checklist";
    class Base;
    placement Org;
    followers [];
    devices false;
    /// What stays the same over all versions.
    required code: String = Text { max: 64 }, CreateOnly, "清单编码", "Code";
    /// Number of the version, from 1.
    required version: i64 = Int { min: 1, max: 1_000_000 }, CreateOnly, "版本", "Version";
    /// Name in Chinese.
    required name: String = Text { max: 100 }, CreateOnly, "名称", "Name";
    /// Name in English.
    optional name_en: String = Text { max: 100 }, CreateOnly, "英文名称", "English name";
    /// Categories of places that it is for.
    set categories: String = Text { max: 50 }, CreateOnly, "适用场所类别", "Place categories";
    /// The items, encoded; see [`crate::checklist::ChecklistItem`].
    set items: Vec<u8> = Entry, CreateOnly, "检查项", "Items";
    /// Days in which a finding is to be put right, where its item does not say.
    optional remedy_days: i64 = Int { min: 1, max: 366 }, CreateOnly, "整改期限（天）", "Days to put right";
    /// Category of the events that are made of findings, where their item does not say.
    optional event_category: String = Text { max: 50 }, CreateOnly, "事件类别", "Event category";
    /// The version before.
    optional previous: RecordId = Link(&[Kind::Checklist]), CreateOnly, "上一版本", "Previous version";
    /// Since when it is no longer offered; drafts are finished on it.
    optional retired_at: Timestamp = Time, ServerOnly, "停用时间", "Retired at";
}
