//! The package of a locked phone at rest: its parts, sealed already where they are text, and where the pieces of files
//! are found, which are sealed as they are sent.

use gridwalk_model::{ContentHash, RecordId, Timestamp};
use rusqlite::OptionalExtension;

use super::{Setting, Store, Tx, View, sql};
use crate::error::DeviceError;

/// What a part is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PartSource {
    /// Sealed already.
    Sealed(Vec<u8>),
    /// A piece of a medium.
    Medium { hash: ContentHash, offset: u64 },
    /// A piece of an original of the journal.
    Original { capture: i64, offset: u64 },
    /// A piece of the sound of a voice note of a draft.
    Sound { element: RecordId, offset: u64 },
}

/// A file that has not been sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnsentFile<T> {
    pub(crate) name: T,
    pub(crate) bytes: u64,
    pub(crate) at: Timestamp,
}

/// A change without a final verdict: record, kind, bytes, the stream that it probably belongs to.
pub(crate) type UnsentChange = (RecordId, String, Vec<u8>, Option<Vec<u8>>);

impl View<'_> {
    /// Every change without a final verdict, in the order in which they were made.
    pub(crate) fn unsent_changes(&self) -> Result<Vec<UnsentChange>, DeviceError> {
        let mut statement =
            self.connection.prepare_cached("SELECT record, kind, raw, hint FROM outbox ORDER BY n")?;
        let rows = statement
            .query_map([], |row| Ok((sql::record_id(row, 0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Media without a receipt, what is small first.
    pub(crate) fn unsent_media(&self) -> Result<Vec<UnsentFile<ContentHash>>, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT hash, bytes, at FROM upload WHERE stored_at IS NULL AND lost = 0 ORDER BY lane, at, hash",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(UnsentFile {
                name: sql::content_hash(row, 0)?,
                bytes: row.get::<_, i64>(1)?.unsigned_abs(),
                at: sql::time(row, 2)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// One part of the package.
    pub(crate) fn sealed_part(&self, n: u32) -> Result<Option<PartSource>, DeviceError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT body, hash, capture, offset, element FROM sealed_part WHERE n = ?1")?;
        let found = statement.query_row([n], |row| {
            let offset = row.get::<_, i64>(3)?.unsigned_abs();
            if let Some(body) = row.get(0)? {
                return Ok(PartSource::Sealed(body));
            }
            match (row.get(2)?, row.get::<_, Option<Vec<u8>>>(4)?) {
                (Some(capture), _) => Ok(PartSource::Original { capture, offset }),
                (None, Some(_)) => Ok(PartSource::Sound { element: sql::record_id(row, 4)?, offset }),
                (None, None) => Ok(PartSource::Medium { hash: sql::content_hash(row, 1)?, offset }),
            }
        });
        Ok(found.optional()?)
    }
}

impl Tx<'_> {
    pub(crate) fn put_sealed_part(&mut self, n: u32, part: &PartSource) -> Result<(), DeviceError> {
        let number = |offset: &u64| i64::try_from(*offset).unwrap_or(i64::MAX);
        let (body, hash, capture, element, offset) = match part {
            PartSource::Sealed(body) => (Some(body.as_slice()), None, None, None, 0),
            PartSource::Medium { hash, offset } => (None, Some(hash.as_bytes()), None, None, number(offset)),
            PartSource::Original { capture, offset } => (None, None, Some(*capture), None, number(offset)),
            PartSource::Sound { element, offset } => {
                (None, None, None, Some(element.as_bytes()), number(offset))
            }
        };
        self.connection
            .prepare_cached(
                "INSERT INTO sealed_part (n, body, hash, capture, element, offset)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((n, body, hash, capture, element, offset))?;
        Ok(())
    }

    /// Forgets the package: the device may work again.
    pub(crate) fn drop_sealed_parts(&mut self) -> Result<(), DeviceError> {
        self.connection.execute("DELETE FROM sealed_part", [])?;
        self.clear(Setting::Sealed)
    }
}

impl Store {
    /// Originals of the journal that are not attached to a record yet, the oldest first.
    pub(crate) fn unsent_originals(&self) -> Result<Vec<UnsentFile<i64>>, DeviceError> {
        let done: Vec<_> = self.view().draft_photos()?.into_iter().filter(|photo| photo.done).collect();
        let mut statement =
            self.media.prepare_cached("SELECT n, length(body), at FROM capture ORDER BY n")?;
        let rows = statement.query_map([], |row| {
            Ok(UnsentFile {
                name: row.get(0)?,
                bytes: row.get::<_, i64>(1)?.unsigned_abs(),
                at: sql::time(row, 2)?,
            })
        })?;
        let mut all: Vec<UnsentFile<i64>> = rows.collect::<Result<_, _>>()?;
        all.retain(|file| done.iter().all(|photo| photo.capture != file.name));
        Ok(all)
    }

    /// A piece of an original.
    pub(crate) fn original_piece(
        &self,
        capture: i64,
        offset: u64,
        bytes: usize,
    ) -> Result<Option<Vec<u8>>, DeviceError> {
        let mut statement =
            self.media.prepare_cached("SELECT substr(body, ?2 + 1, ?3) FROM capture WHERE n = ?1")?;
        let key = (capture, i64::try_from(offset).unwrap_or(i64::MAX), i64::try_from(bytes).unwrap_or(0));
        Ok(statement.query_row(key, |row| row.get(0)).optional()?)
    }
}
