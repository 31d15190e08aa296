//! Care tags on the phone: made by the same rule by which the server takes them.

use gridwalk_model::records::CareTag;
use gridwalk_model::records::care_tag::Need;
use gridwalk_model::{Kind, RecordId, Timestamp};
use jiff::ToSpan;
use jiff::civil::Date;

use crate::error::DeviceError;
use crate::keeping::KeepingLimits;
use crate::store::{Store, day_in};

/// What makes a care tag. The need is of a closed list; everything else is required.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CareTagInput {
    /// Who.
    pub resident: RecordId,
    /// The need.
    pub need: Need,
    /// The service that it triggers.
    pub service: String,
    /// The purpose, as it is shown to the resident.
    pub purpose: String,
    /// Who approved it.
    pub approver: RecordId,
    /// First day.
    pub from: Date,
    /// Last day, at most twelve months after the first.
    pub until: Date,
}

/// A tag that is in force.
#[derive(Clone, Debug, PartialEq)]
pub struct TagInForce {
    /// The record.
    pub id: RecordId,
    /// Its content.
    pub tag: CareTag,
    /// Whether it ends within 30 days and has to be renewed, with a new approval, or let go.
    pub ends_soon: bool,
}

impl Store {
    /// Puts somebody on a care list, until the day that the tag says.
    ///
    /// # Errors
    /// [`DeviceError::Invalid`] with every field that is missing or beyond its limit, and [`DeviceError::NotAllowed`]:
    /// what the server would refuse. [`DeviceError::UnknownRecord`] for a resident who is not on this phone.
    pub fn add_care_tag(&mut self, input: &CareTagInput, now: Timestamp) -> Result<RecordId, DeviceError> {
        let CareTagInput { resident, need, service, purpose, approver, from, until } = input.clone();
        self.edits(now, |edits| {
            let known = edits.get::<gridwalk_model::records::Resident>(resident)?;
            known.ok_or(DeviceError::UnknownRecord { record: resident })?;
            edits.create(&CareTag { resident, need, service, purpose, approver, from, until })
        })
    }

    /// The tags of a resident that are in force, those that end first at the head, for a stated purpose. What is
    /// shown is in the journal of reads before.
    ///
    /// # Errors
    /// [`DeviceError::NoPurpose`], [`DeviceError::StorageFull`] (then nothing is shown), failures of SQLite.
    pub fn care_tags(
        &mut self,
        resident: RecordId,
        purpose: &str,
        limits: &KeepingLimits,
        now: Timestamp,
    ) -> Result<Vec<TagInForce>, DeviceError> {
        let rules = self.field_rules()?;
        let today = day_in(rules.local(), now)?;
        let ends = today.saturating_add(i64::from(rules.tag_ends_days).days());
        let tags = self.list_linked_any::<CareTag>("resident", resident)?.into_iter();
        let in_force = tags.filter(|tag| tag.record.from <= today && today <= tag.record.until);
        let mut out: Vec<TagInForce> = in_force
            .map(|tag| TagInForce { id: tag.id, ends_soon: tag.record.until <= ends, tag: tag.record })
            .collect();
        out.sort_by_key(|tag| (tag.tag.until, tag.id));
        let read: Vec<RecordId> = out.iter().map(|tag| tag.id).collect();
        self.note_reads(Kind::CareTag, &read, purpose, limits, now)?;
        Ok(out)
    }
}
