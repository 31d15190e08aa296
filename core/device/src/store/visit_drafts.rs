//! Drafts of visits under way.

use gridwalk_model::{RecordId, Timestamp};
use rusqlite::OptionalExtension;

use super::{Commit, Store, Tx, View, sql};
use crate::error::DeviceError;

impl View<'_> {
    /// Targets with a draft, the oldest first.
    pub(crate) fn visit_drafts(&self) -> Result<Vec<(RecordId, Timestamp)>, DeviceError> {
        let mut statement =
            self.connection.prepare_cached("SELECT target, at FROM visit_draft ORDER BY at, target")?;
        let rows = statement.query_map([], |row| Ok((sql::record_id(row, 0)?, sql::time(row, 1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub(crate) fn visit_draft(&self, target: RecordId) -> Result<Option<Vec<u8>>, DeviceError> {
        let mut statement =
            self.connection.prepare_cached("SELECT body FROM visit_draft WHERE target = ?1")?;
        Ok(statement.query_row([target.as_bytes()], |row| row.get(0)).optional()?)
    }
}

impl Tx<'_> {
    pub(crate) fn remove_visit_draft(&mut self, target: RecordId) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached("DELETE FROM visit_draft WHERE target = ?1")?
            .execute([target.as_bytes()])?;
        Ok(())
    }
}

impl Store {
    /// Keeps a draft in place of the one before. Durable when this returns.
    pub(crate) fn put_visit_draft(
        &mut self,
        target: RecordId,
        body: &[u8],
        at: Timestamp,
    ) -> Result<(), DeviceError> {
        self.write(Commit::Journal, |tx| {
            tx.connection
                .prepare_cached(
                    "INSERT INTO visit_draft (target, body, at) VALUES (?1, ?2, ?3)
                     ON CONFLICT (target) DO UPDATE SET body = excluded.body, at = excluded.at",
                )?
                .execute((target.as_bytes(), body, at.millis()))?;
            Ok(())
        })
    }
}
