//! Reads of sensitive records, journaled before anything is shown. Who looked at whose number, and what for, is known
//! even of a phone that was offline.

use gridwalk_model::{AccessClass, Record, RecordId, Timestamp};

use super::KeepingLimits;
use crate::edit::Entry;
use crate::error::DeviceError;
use crate::store::{Commit, Store};

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
        let Some(entry) = self.get::<T>(id)? else { return Ok(None) };
        if T::SCHEMA.class == AccessClass::Sensitive {
            let purpose: String = purpose.trim().chars().take(PURPOSE_CHARS).collect();
            if purpose.is_empty() {
                return Err(DeviceError::NoPurpose);
            }
            let since = now.plus_millis(limits.one_read_ms.saturating_neg());
            if !self.view().was_read(id, &purpose, since, now)? {
                let kind = T::SCHEMA.kind.tag();
                self.write(Commit::Setting, |tx| tx.put_read(id, kind, &purpose, now))?;
            }
        }
        Ok(Some(entry))
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
