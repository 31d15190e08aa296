//! What simulations do to a store and no app does: misbehaviour on purpose, and a look at the outbox.

use gridwalk_model::{Fields, RecordId, Timestamp};
use gridwalk_replica::{ChangeHash, Document};

use super::{Body, Commit, Store, sql};
use crate::error::DeviceError;

impl Store {
    /// Writes fields without asking this phone's own rules, as a defective or newer build would: a planted bug that
    /// the server must refuse or hold. Never called otherwise.
    ///
    /// # Errors
    /// [`DeviceError::UnknownRecord`], [`DeviceError::NeedsUpdate`], and failures of the store.
    pub fn plant_unchecked_edit(
        &mut self,
        id: RecordId,
        patch: &Fields,
        now: Timestamp,
    ) -> Result<bool, DeviceError> {
        self.write(Commit::Edit, |tx| {
            let loaded = tx.record(id)?.ok_or(DeviceError::UnknownRecord { record: id })?;
            let bytes = loaded.readable().ok_or(DeviceError::NeedsUpdate { record: id })?;
            let mut document = Document::load(bytes)?;
            let Some(change) = document.edit(patch, tx.identity()?.actor(), now)? else { return Ok(false) };
            tx.put_record(id, &loaded.kind, Some(&loaded), &document, Body::Change(&change.raw))?;
            tx.enqueue(id, &loaded.kind, &change, now, None, 0)?;
            Ok(true)
        })
    }

    /// Every change that waits to be sent, in the order in which it was made.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn unsent(&self) -> Result<Vec<(RecordId, ChangeHash)>, DeviceError> {
        let mut statement = self.connection.prepare_cached("SELECT record, hash FROM outbox ORDER BY n")?;
        let rows = statement.query_map([], |row| Ok((sql::record_id(row, 0)?, sql::change_hash(row, 1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
