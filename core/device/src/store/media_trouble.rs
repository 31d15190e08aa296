//! Media that do not arrive, and media that the worker took off before they were sent.

use gridwalk_model::{ContentHash, RecordId, Timestamp};

use super::{Commit, MediaForm, Store, Tx, View, sql};
use crate::error::DeviceError;

/// For how long the bytes of a medium that was taken off are kept, in milliseconds: it can be put back meanwhile.
const DROPPED_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// What is the matter with a medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trouble {
    /// It has waited for long.
    Late,
    /// The server does not take it.
    Refused,
    /// Its bytes are gone, and the server never had them.
    Lost,
}

/// A medium that does not arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TroubledUpload {
    pub(crate) hash: ContentHash,
    pub(crate) record: RecordId,
    /// As in `media.form`.
    pub(crate) form: i64,
    pub(crate) trouble: Trouble,
    pub(crate) since: Timestamp,
}

impl TroubledUpload {
    pub(crate) const fn is(&self, form: MediaForm) -> bool {
        self.form == form.code()
    }
}

impl View<'_> {
    /// Photos, voice notes and tracks that are lost, refused, or have waited since before `late`; the oldest first.
    /// Previews are left out: whoever has the photo makes another.
    pub(crate) fn troubled_uploads(&self, late: Timestamp) -> Result<Vec<TroubledUpload>, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT hash, record, form, lost, refused_at, at FROM upload
             WHERE stored_at IS NULL AND form <> 0 AND lost <> 2
               AND (lost = 1 OR refused_at IS NOT NULL OR at < ?1) ORDER BY at, hash",
        )?;
        let rows = statement.query_map([late.millis()], |row| {
            let refused = sql::time_opt(row, 4)?;
            let made = sql::time(row, 5)?;
            let (trouble, since) = match (row.get::<_, i64>(3)?, refused) {
                (1, _) => (Trouble::Lost, made),
                (_, Some(at)) => (Trouble::Refused, at),
                (_, None) => (Trouble::Late, made),
            };
            Ok(TroubledUpload {
                hash: sql::content_hash(row, 0)?,
                record: sql::record_id(row, 1)?,
                form: row.get(2)?,
                trouble,
                since,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether a medium was taken off before it was sent.
    pub(crate) fn is_dropped(&self, hash: &ContentHash) -> Result<bool, DeviceError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM upload WHERE hash = ?1 AND lost = 2)")?;
        Ok(statement.query_row([hash.as_bytes()], |row| row.get(0))?)
    }
}

impl Tx<'_> {
    /// A medium that its record no longer refers to is not sent, unless the server has it already.
    pub(crate) fn drop_upload(
        &mut self,
        hash: &ContentHash,
        record: RecordId,
        now: Timestamp,
    ) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached(
                "UPDATE upload SET lost = 2, dropped_at = ?3, url = NULL, offset = 0
                 WHERE hash = ?1 AND record = ?2 AND stored_at IS NULL AND lost <> 2",
            )?
            .execute((hash.as_bytes(), record.as_bytes(), now.millis()))?;
        Ok(())
    }

    /// A medium that was taken off is to be sent after all; `here` says whether its bytes are on this phone.
    pub(crate) fn take_up_upload(&mut self, hash: &ContentHash, here: bool) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached(
                "UPDATE upload SET lost = ?2, dropped_at = NULL, retry_at = 0 WHERE hash = ?1 AND lost = 2",
            )?
            .execute((hash.as_bytes(), !here))?;
        Ok(())
    }

    /// A medium that was refused, put off or thought lost is tried again at once.
    pub(crate) fn retry_upload(&mut self, hash: &ContentHash) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached(
                "UPDATE upload SET retry_at = 0, refused_at = NULL, lost = 0 WHERE hash = ?1 AND lost <> 2",
            )?
            .execute([hash.as_bytes()])?;
        Ok(())
    }
}

impl Store {
    /// Media that were taken off so long ago that their bytes may go.
    pub(crate) fn dropped_uploads(&self, now: Timestamp) -> Result<Vec<ContentHash>, DeviceError> {
        let view = self.view();
        let mut statement = view
            .connection
            .prepare_cached("SELECT hash FROM upload WHERE lost = 2 AND dropped_at < ?1 ORDER BY hash")?;
        let rows =
            statement.query_map([now.plus_millis(-DROPPED_MS).millis()], |row| sql::content_hash(row, 0))?;
        let all: Vec<ContentHash> = rows.collect::<Result<_, _>>()?;
        let mut here = Vec::new();
        for hash in all {
            if self.media_len(&hash)?.is_some() {
                here.push(hash);
            }
        }
        Ok(here)
    }

    /// Tries a medium again; returns whether its bytes are here.
    pub(crate) fn retry_medium(&mut self, hash: &ContentHash) -> Result<bool, DeviceError> {
        if self.media_len(hash)?.is_none() {
            return Ok(false);
        }
        self.write(Commit::Upload, |tx| tx.retry_upload(hash))?;
        Ok(true)
    }
}
