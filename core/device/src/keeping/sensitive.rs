//! Reads of sensitive records, journaled before anything is shown. Who looked at whose number, and what for, is known
//! even of a phone that was offline.

use gridwalk_model::records::CareTag;
use gridwalk_model::{AccessClass, Fields, Kind, Record, RecordId, Timestamp, Value};

use super::KeepingLimits;
use crate::edit::{ConflictEntry, Entry, Page, PageCursor};
use crate::error::DeviceError;
use crate::store::{Commit, RefusedEdit, SearchCursor, SearchPage, Store, Tier};

/// Longest purpose, in characters.
const PURPOSE_CHARS: usize = 100;

/// One entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SensitiveRead {
    /// Its number.
    pub n: i64,
    /// When it was read first.
    pub at: Timestamp,
    /// Which record.
    pub record: RecordId,
    /// The word for its kind.
    pub kind: String,
    /// What for, as the worker said.
    pub purpose: String,
}

fn ids<T>(entries: &[Entry<T>]) -> Vec<RecordId> {
    entries.iter().map(|entry| entry.id).collect()
}

/// Whether a kind is of the sensitive class; of one that this build does not know nothing is shown anyway.
pub(crate) fn is_sensitive(kind: &str) -> bool {
    Kind::parse(kind).is_some_and(|kind| kind.schema().class == AccessClass::Sensitive)
}

fn without_values(mut conflict: ConflictEntry) -> ConflictEntry {
    if is_sensitive(&conflict.kind) {
        conflict.candidates.iter_mut().for_each(|candidate| candidate.value = Value::Null);
    }
    conflict
}

impl Store {
    /// Reads a sensitive record for a purpose. The read is in the journal, durably, before the record is returned; the
    /// same again within [`KeepingLimits::one_read_ms`] is the same read. `None`, and no entry, if there is none such.
    ///
    /// # Errors
    /// [`DeviceError::NoPurpose`], [`DeviceError::StorageFull`] (then nothing is shown), those of [`Store::get`].
    pub fn read_sensitive<T: Record>(
        &mut self,
        id: RecordId,
        purpose: &str,
        limits: &KeepingLimits,
        now: Timestamp,
    ) -> Result<Option<Entry<T>>, DeviceError> {
        let Some(entry) = self.get_any::<T>(id)? else { return Ok(None) };
        self.note_reads(T::SCHEMA.kind, &[id], purpose, limits, now)?;
        Ok(Some(entry))
    }

    /// Sensitive records of a kind that name `target` in `field`, for a purpose: see [`Self::read_sensitive`]. Each is
    /// an entry of the journal.
    ///
    /// # Errors
    /// As [`Self::read_sensitive`].
    pub fn read_sensitive_linked<T: Record>(
        &mut self,
        field: &str,
        target: RecordId,
        purpose: &str,
        limits: &KeepingLimits,
        now: Timestamp,
    ) -> Result<Vec<Entry<T>>, DeviceError> {
        let entries = self.list_linked_any::<T>(field, target)?;
        self.note_reads(T::SCHEMA.kind, &ids(&entries), purpose, limits, now)?;
        Ok(entries)
    }

    /// Sensitive records of a kind, in its order, for a purpose: see [`Self::read_sensitive`]. Each is an entry of the
    /// journal.
    ///
    /// # Errors
    /// As [`Self::read_sensitive`].
    pub fn read_sensitive_list<T: Record>(
        &mut self,
        after: Option<&PageCursor>,
        limit: usize,
        purpose: &str,
        limits: &KeepingLimits,
        now: Timestamp,
    ) -> Result<Page<T>, DeviceError> {
        let page = self.list_any::<T>(after, limit)?;
        self.note_reads(T::SCHEMA.kind, &ids(&page.entries), purpose, limits, now)?;
        Ok(page)
    }

    /// The same as [`Self::read_sensitive`] as fields with the word for the kind: for callers that learn the kind at run
    /// time. Of a kind that is not sensitive nothing is noted.
    ///
    /// # Errors
    /// As [`Self::read_sensitive`].
    pub fn read_sensitive_fields(
        &mut self,
        id: RecordId,
        purpose: &str,
        limits: &KeepingLimits,
        now: Timestamp,
    ) -> Result<Option<(String, Entry<Fields>)>, DeviceError> {
        let Some((tag, entry)) = self.get_fields_any(id)? else { return Ok(None) };
        // What this build cannot name it cannot show either: its fields are empty.
        if let Some(kind) = Kind::parse(&tag) {
            self.note_reads(kind, &[id], purpose, limits, now)?;
        }
        Ok(Some((tag, entry)))
    }

    /// The same as [`Self::read_sensitive_linked`] as fields.
    ///
    /// # Errors
    /// As [`Self::read_sensitive`].
    pub fn read_sensitive_fields_linked(
        &mut self,
        kind: Kind,
        field: &str,
        target: RecordId,
        purpose: &str,
        limits: &KeepingLimits,
        now: Timestamp,
    ) -> Result<Vec<Entry<Fields>>, DeviceError> {
        let entries = self.list_fields_linked_any(kind, field, target)?;
        self.note_reads(kind, &ids(&entries), purpose, limits, now)?;
        Ok(entries)
    }

    /// The same as [`Self::read_sensitive_list`] as fields.
    ///
    /// # Errors
    /// As [`Self::read_sensitive`].
    pub fn read_sensitive_fields_list(
        &mut self,
        kind: Kind,
        after: Option<&PageCursor>,
        limit: usize,
        purpose: &str,
        limits: &KeepingLimits,
        now: Timestamp,
    ) -> Result<Page<Fields>, DeviceError> {
        let page = self.list_fields_any(kind, after, limit)?;
        self.note_reads(kind, &ids(&page.entries), purpose, limits, now)?;
        Ok(page)
    }

    /// Search that also finds people by the needs that their care tags state, for a purpose. The tags of people found so
    /// are in the journal before the page is returned. [`Self::search`] finds the same but for those hits.
    ///
    /// # Errors
    /// As [`Self::read_sensitive`].
    pub fn search_needs(
        &mut self,
        text: &str,
        after: Option<&SearchCursor>,
        limit: usize,
        purpose: &str,
        limits: &KeepingLimits,
        now: Timestamp,
    ) -> Result<SearchPage, DeviceError> {
        let page = self.find(text, &[], after, limit, true)?;
        let mut tags = Vec::new();
        for hit in page.hits.iter().filter(|hit| hit.tier == Tier::Need) {
            tags.extend(ids(&self.list_linked_any::<CareTag>("resident", hit.id)?));
        }
        self.note_reads(Kind::CareTag, &tags, purpose, limits, now)?;
        Ok(page)
    }

    /// Every field in conflict, with author and time of each value. Values of sensitive records are `null` here:
    /// [`Self::reveal`] shows them for a purpose.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn conflicts(&self) -> Result<Vec<ConflictEntry>, DeviceError> {
        Ok(self.conflicts_any()?.into_iter().map(without_values).collect())
    }

    /// The conflicts of one record, likewise.
    ///
    /// # Errors
    /// [`DeviceError::UnknownRecord`].
    pub fn conflicts_of(&self, id: RecordId) -> Result<Vec<ConflictEntry>, DeviceError> {
        Ok(self.conflicts_of_any(id)?.into_iter().map(without_values).collect())
    }

    /// Edits that were not accepted and not settled yet, in the order in which they were refused. Values of sensitive
    /// records are `null` here: [`Self::reveal`] shows them for a purpose.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn refused_edits(&self) -> Result<Vec<RefusedEdit>, DeviceError> {
        let mut edits = self.refused_edits_any()?;
        edits.iter_mut().filter(|edit| is_sensitive(&edit.kind)).for_each(|edit| edit.value = Value::Null);
        Ok(edits)
    }

    /// Puts reads into the journal, in one commit: which records, of which kind, what for; nothing of what they say.
    /// Of a kind that is not sensitive nothing is noted.
    ///
    /// # Errors
    /// [`DeviceError::NoPurpose`], even where nothing was found: that there is nothing is an answer as well.
    pub(crate) fn note_reads(
        &mut self,
        kind: Kind,
        records: &[RecordId],
        purpose: &str,
        limits: &KeepingLimits,
        now: Timestamp,
    ) -> Result<(), DeviceError> {
        if kind.schema().class != AccessClass::Sensitive {
            return Ok(());
        }
        let purpose: String = purpose.trim().chars().take(PURPOSE_CHARS).collect();
        if purpose.is_empty() {
            return Err(DeviceError::NoPurpose);
        }
        let since = now.plus_millis(limits.one_read_ms.saturating_neg());
        let mut fresh = Vec::with_capacity(records.len());
        for record in records {
            if !self.view().was_read(*record, &purpose, since, now)? {
                fresh.push(*record);
            }
        }
        if fresh.is_empty() {
            return Ok(());
        }
        self.write(Commit::Setting, |tx| {
            fresh.into_iter().try_for_each(|record| tx.put_read(record, kind.tag(), &purpose, now))
        })
    }

    /// The reads that are in the journal, the oldest first.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn sensitive_reads(&self, after: i64, limit: usize) -> Result<Vec<SensitiveRead>, DeviceError> {
        self.view().reads(after, limit)
    }

    /// Removes what the audit log has, up to and with this number.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn forget_reads(&mut self, through: i64) -> Result<(), DeviceError> {
        self.write(Commit::Sweep, |tx| tx.drop_reads(through))
    }
}
