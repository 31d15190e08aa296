//! Reports before they are sent, and photos before they are attached.

use gridwalk_model::{RecordId, Timestamp};
use rusqlite::{OptionalExtension, Row};

use super::{Tx, View, sql};
use crate::error::DeviceError;

/// A report that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DraftRow {
    pub(crate) n: i64,
    pub(crate) at: Timestamp,
    pub(crate) body: Vec<u8>,
    pub(crate) discarded_at: Option<Timestamp>,
}

/// A journaled original and where it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DraftPhotoRow {
    pub(crate) capture: i64,
    pub(crate) at: Timestamp,
    pub(crate) draft: Option<i64>,
    pub(crate) record: Option<RecordId>,
    pub(crate) element: RecordId,
    pub(crate) role: String,
    pub(crate) pair: Option<RecordId>,
    pub(crate) done: bool,
}

/// An original that could not be prepared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PhotoFault {
    pub(crate) capture: i64,
    /// The event to which it belongs.
    pub(crate) record: RecordId,
    pub(crate) element: RecordId,
    pub(crate) zh: String,
    pub(crate) en: String,
    pub(crate) at: Timestamp,
}

const DRAFT: &str = "n, at, body, discarded_at";
const PHOTO: &str = "capture, at, draft, record, element, role, pair, done";

fn draft_row(row: &Row<'_>) -> rusqlite::Result<DraftRow> {
    Ok(DraftRow {
        n: row.get(0)?,
        at: sql::time(row, 1)?,
        body: row.get(2)?,
        discarded_at: sql::time_opt(row, 3)?,
    })
}

fn photo_row(row: &Row<'_>) -> rusqlite::Result<DraftPhotoRow> {
    let id = |column: usize| {
        Ok::<_, rusqlite::Error>(
            row.get::<_, Option<Vec<u8>>>(column)?.as_deref().and_then(RecordId::from_slice),
        )
    };
    Ok(DraftPhotoRow {
        capture: row.get(0)?,
        at: sql::time(row, 1)?,
        draft: row.get(2)?,
        record: id(3)?,
        element: sql::record_id(row, 4)?,
        role: row.get(5)?,
        pair: id(6)?,
        done: row.get(7)?,
    })
}

impl View<'_> {
    pub(crate) fn draft(&self, n: i64) -> Result<Option<DraftRow>, DeviceError> {
        let mut statement =
            self.connection.prepare_cached(&format!("SELECT {DRAFT} FROM draft WHERE n = ?1"))?;
        Ok(statement.query_row([n], draft_row).optional()?)
    }

    /// Every draft, those that were thrown away included, in the order in which they were begun.
    pub(crate) fn drafts(&self) -> Result<Vec<DraftRow>, DeviceError> {
        let mut statement =
            self.connection.prepare_cached(&format!("SELECT {DRAFT} FROM draft ORDER BY n"))?;
        let rows = statement.query_map([], draft_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Every journaled original with a place to go, in the order in which they were taken.
    pub(crate) fn draft_photos(&self) -> Result<Vec<DraftPhotoRow>, DeviceError> {
        let mut statement =
            self.connection.prepare_cached(&format!("SELECT {PHOTO} FROM draft_photo ORDER BY n"))?;
        let rows = statement.query_map([], photo_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The photos of one draft.
    pub(crate) fn photos_of_draft(&self, draft: i64) -> Result<Vec<DraftPhotoRow>, DeviceError> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("SELECT {PHOTO} FROM draft_photo WHERE draft = ?1 ORDER BY n"))?;
        let rows = statement.query_map([draft], photo_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Originals that could not be prepared, in the order in which they were taken.
    pub(crate) fn photo_faults(&self) -> Result<Vec<PhotoFault>, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT capture, record, element, fault_zh, fault_en, fault_at FROM draft_photo
             WHERE fault_at IS NOT NULL AND record IS NOT NULL AND done = 0 ORDER BY n",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(PhotoFault {
                capture: row.get(0)?,
                record: sql::record_id(row, 1)?,
                element: sql::record_id(row, 2)?,
                zh: row.get(3)?,
                en: row.get(4)?,
                at: sql::time(row, 5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Records of a kind of which something waits, in the order in which it was made.
    pub(crate) fn records_waiting(&self, kind: &str) -> Result<Vec<RecordId>, DeviceError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT record FROM outbox WHERE kind = ?1 GROUP BY record ORDER BY min(n)")?;
        let rows = statement.query_map([kind], |row| sql::record_id(row, 0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Tx<'_> {
    pub(crate) fn insert_draft(&mut self, body: &[u8], at: Timestamp) -> Result<i64, DeviceError> {
        let mut statement = self.connection.prepare_cached("INSERT INTO draft (at, body) VALUES (?1, ?2)")?;
        Ok(statement.insert((at.millis(), body))?)
    }

    pub(crate) fn update_draft(&mut self, n: i64, body: &[u8]) -> Result<(), DeviceError> {
        self.connection.prepare_cached("UPDATE draft SET body = ?2 WHERE n = ?1")?.execute((n, body))?;
        Ok(())
    }

    pub(crate) fn discard_draft(&mut self, n: i64, at: Option<Timestamp>) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached("UPDATE draft SET discarded_at = ?2 WHERE n = ?1")?
            .execute((n, at.map(Timestamp::millis)))?;
        Ok(())
    }

    /// Forgets a draft, and of its photos and voice notes where they belong; the files are the caller's.
    pub(crate) fn delete_draft(&mut self, n: i64) -> Result<(), DeviceError> {
        self.connection.prepare_cached("DELETE FROM draft_photo WHERE draft = ?1")?.execute([n])?;
        self.connection.prepare_cached("DELETE FROM draft WHERE n = ?1")?.execute([n])?;
        self.forget_voices_without_draft()
    }

    /// Says where a journaled original belongs. What was said of an earlier one of the same number is forgotten.
    pub(crate) fn put_draft_photo(&mut self, photo: &DraftPhotoRow) -> Result<(), DeviceError> {
        self.forget_draft_photo(photo.capture)?;
        self.connection
            .prepare_cached(
                "INSERT INTO draft_photo (capture, at, draft, record, element, role, pair, done)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute((
                photo.capture,
                photo.at.millis(),
                photo.draft,
                photo.record.as_ref().map(RecordId::as_bytes),
                photo.element.as_bytes(),
                &photo.role,
                photo.pair.as_ref().map(RecordId::as_bytes),
                photo.done,
            ))?;
        Ok(())
    }

    /// The photos of a draft belong to the record that it became.
    pub(crate) fn hand_over_photos(&mut self, draft: i64, record: RecordId) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached("UPDATE draft_photo SET draft = NULL, record = ?2 WHERE draft = ?1")?
            .execute((draft, record.as_bytes()))?;
        Ok(())
    }

    /// The photo is attached: only its original is still to be thrown away.
    pub(crate) fn draft_photo_is_done(&mut self, capture: i64) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached("UPDATE draft_photo SET done = 1 WHERE capture = ?1")?
            .execute([capture])?;
        Ok(())
    }

    /// Notes why a file could not be prepared, or with `None` that it is to be tried again.
    pub(crate) fn set_photo_fault(
        &mut self,
        capture: i64,
        fault: Option<(&str, &str, Timestamp)>,
    ) -> Result<(), DeviceError> {
        let (zh, en, at) = match fault {
            Some((zh, en, at)) => (Some(zh), Some(en), Some(at.millis())),
            None => (None, None, None),
        };
        self.connection
            .prepare_cached(
                "UPDATE draft_photo SET fault_zh = ?2, fault_en = ?3, fault_at = ?4 WHERE capture = ?1",
            )?
            .execute((capture, zh, en, at))?;
        Ok(())
    }

    pub(crate) fn forget_draft_photo(&mut self, capture: i64) -> Result<(), DeviceError> {
        self.connection.prepare_cached("DELETE FROM draft_photo WHERE capture = ?1")?.execute([capture])?;
        Ok(())
    }
}
