//! Places, organizations, checklists, inspections, orders, forms.

use gridwalk_model::geo::Position;
use gridwalk_model::records::{
    Checklist, Form, Inspection, Organization, Place, RectificationOrder, Submission,
};
use gridwalk_model::{RecordId, Timestamp};

use crate::containers::{Day, EntrySet, TextMap};

/// 场所: an inspectable site.
#[uniffi::remote(Record)]
pub struct Place {
    /// The grid.
    pub area: RecordId,
    /// Name.
    pub name: String,
    /// Category, as the deployment's code table names it.
    pub category: String,
    /// Address.
    pub address: Option<String>,
    /// The door that it has, where it is one.
    pub dwelling: Option<RecordId>,
    /// Who runs it.
    pub organization: Option<RecordId>,
    /// The person in charge.
    pub manager: Option<String>,
    /// Their telephone.
    pub phone: Option<String>,
    /// Where it is.
    pub position: Option<Position>,
    /// Days between two inspections.
    pub inspection_interval_days: Option<i64>,
    /// Whether it is closed for good.
    pub closed: Option<bool>,
    /// What other systems call it.
    pub source_keys: TextMap,
    /// Remarks.
    pub remarks: Option<String>,
}

/// 实有单位: a company, institution or association.
#[uniffi::remote(Record)]
pub struct Organization {
    /// The grid of its seat.
    pub area: RecordId,
    /// Name.
    pub name: String,
    /// Unified social credit code (GB 32100).
    pub uscc: Option<String>,
    /// Whom to speak to.
    pub contact: Option<String>,
    /// Telephone of the contact.
    pub phone: Option<String>,
    /// Address.
    pub address: Option<String>,
    /// Where it is.
    pub position: Option<Position>,
    /// What other systems call it.
    pub source_keys: TextMap,
    /// Remarks.
    pub remarks: Option<String>,
}

/// 检查清单: one version of a template. A change makes a new version, never a new content.
#[uniffi::remote(Record)]
pub struct Checklist {
    /// What stays the same over all versions.
    pub code: String,
    /// Number of the version, from 1.
    pub version: i64,
    /// Name in Chinese.
    pub name: String,
    /// Name in English.
    pub name_en: Option<String>,
    /// Categories of places that it is for.
    pub categories: TextMap,
    /// The items, encoded; see `ChecklistItem`.
    pub items: EntrySet,
    /// Days in which a finding is to be put right, where its item does not say.
    pub remedy_days: Option<i64>,
    /// Category of the events that are made of findings, where their item does not say.
    pub event_category: Option<String>,
    /// The version before.
    pub previous: Option<RecordId>,
    /// Since when it is no longer offered; drafts are finished on it.
    pub retired_at: Option<Timestamp>,
}

/// 检查: a filled checklist with findings and signatures.
#[uniffi::remote(Record)]
pub struct Inspection {
    /// What was inspected.
    pub place: RecordId,
    /// The version of the checklist.
    pub checklist: RecordId,
    /// Who inspects.
    pub inspector: RecordId,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; empty for a draft.
    pub ended_at: Option<Timestamp>,
    /// The answers by item, encoded; see `Answer`.
    pub answers: EntrySet,
    /// The failed items, encoded; see `Finding`.
    pub findings: EntrySet,
    /// Photographs, encoded; see `PhotoRef`.
    pub photos: EntrySet,
    /// Voice notes, encoded; see `VoiceRef`.
    pub voices: EntrySet,
    /// Signatures of the worker and the manager, encoded; see `Signature`.
    pub signatures: EntrySet,
    /// Share of passed items in percent, as shown when it was signed.
    pub score: Option<i64>,
    /// Where it was made.
    pub position: Option<Position>,
    /// The task that it fulfils.
    pub task: Option<RecordId>,
    /// The order whose items are looked at again; empty for a whole inspection.
    pub order: Option<RecordId>,
    /// Why a signature is missing.
    pub unsigned_reason: Option<String>,
    /// Remarks.
    pub remarks: Option<String>,
}

/// 整改通知: the findings of one inspection with a deadline.
#[uniffi::remote(Record)]
pub struct RectificationOrder {
    /// The inspection that found it.
    pub inspection: RecordId,
    /// What is to be put right, by finding.
    pub items: TextMap,
    /// The department in the lead.
    pub lead_unit: Option<RecordId>,
    /// Last day.
    pub deadline: Day,
    /// Who issued it.
    pub issued_by: RecordId,
    /// When.
    pub issued_at: Timestamp,
    /// The task of checking again.
    pub recheck_task: Option<RecordId>,
    /// The inspection that found it put right.
    pub settled_by: Option<RecordId>,
}

/// 表单: one version of a form for a campaign. A change makes a new version, never a new content.
#[uniffi::remote(Record)]
pub struct Form {
    /// What stays the same over all versions.
    pub code: String,
    /// Number of the version, from 1.
    pub version: i64,
    /// Name in Chinese.
    pub name: String,
    /// Name in English.
    pub name_en: Option<String>,
    /// The word for the kind of record that it is filled about; see `forms`.
    pub target_kind: String,
    /// The items, encoded; see `ChecklistItem`.
    pub items: EntrySet,
    /// The version before.
    pub previous: Option<RecordId>,
    /// Since when it is no longer offered; drafts are finished on it for 90 days.
    pub retired_at: Option<Timestamp>,
}

/// 填报: one filling of one version of a form.
#[uniffi::remote(Record)]
pub struct Submission {
    /// The version of the form.
    pub form: RecordId,
    /// What it is about.
    pub target: RecordId,
    /// Who fills it.
    pub by: RecordId,
    /// When it was begun.
    pub started_at: Timestamp,
    /// When it was sent off; empty for a draft.
    pub submitted_at: Option<Timestamp>,
    /// The answers by item, encoded; see `Answer`.
    pub answers: EntrySet,
    /// What the record said before, by item, encoded; where it was changed.
    pub before: EntrySet,
    /// The task that it fulfils.
    pub task: Option<RecordId>,
}
