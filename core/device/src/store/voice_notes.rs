//! Voice notes that this phone recorded: with a draft until it is sent, then to know which are its own.

use gridwalk_model::{ContentHash, RecordId, Timestamp};
use rusqlite::{Params, Row};

use super::{Tx, View, sql};
use crate::error::DeviceError;

/// Where a voice note belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VoicePlace {
    /// A report that is still a draft.
    Report(i64),
    /// The draft of a visit, by its number: one target may have several of which one at most was not thrown away.
    Visit(i64),
    /// The record that has it.
    Record(RecordId),
}

/// A voice note that this phone recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VoiceRow {
    pub(crate) place: VoicePlace,
    /// Its name among the record's voice notes, now or later.
    pub(crate) element: RecordId,
    pub(crate) hash: ContentHash,
    /// The reference, not signed yet; empty once the record has it.
    pub(crate) body: Vec<u8>,
    pub(crate) at: Timestamp,
    /// When it was taken off its draft.
    pub(crate) discarded_at: Option<Timestamp>,
}

const COLUMNS: &str = "draft, visit, record, element, hash, body, at, discarded_at";

fn voice_row(row: &Row<'_>) -> rusqlite::Result<VoiceRow> {
    let place = match (row.get(0)?, row.get(1)?) {
        (Some(draft), _) => VoicePlace::Report(draft),
        (None, Some(visit)) => VoicePlace::Visit(visit),
        (None, None) => VoicePlace::Record(sql::record_id(row, 2)?),
    };
    Ok(VoiceRow {
        place,
        element: sql::record_id(row, 3)?,
        hash: sql::content_hash(row, 4)?,
        body: row.get(5)?,
        at: sql::time(row, 6)?,
        discarded_at: sql::time_opt(row, 7)?,
    })
}

impl View<'_> {
    fn voice_rows(&self, which: &str, key: impl Params) -> Result<Vec<VoiceRow>, DeviceError> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM voice_note WHERE {which} ORDER BY n"))?;
        let rows = statement.query_map(key, voice_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The voice notes of a place in the order in which they were recorded, those taken off a draft included.
    pub(crate) fn voices_at(&self, place: VoicePlace) -> Result<Vec<VoiceRow>, DeviceError> {
        match place {
            VoicePlace::Report(draft) => self.voice_rows("draft = ?1", [draft]),
            VoicePlace::Visit(visit) => self.voice_rows("visit = ?1", [visit]),
            VoicePlace::Record(record) => self.voice_rows("record = ?1", [record.as_bytes()]),
        }
    }

    /// Every voice note that waits with a draft.
    pub(crate) fn voices_of_drafts(&self) -> Result<Vec<VoiceRow>, DeviceError> {
        self.voice_rows("record IS NULL", [])
    }

    /// One voice note.
    pub(crate) fn voice_note(&self, element: RecordId) -> Result<Option<VoiceRow>, DeviceError> {
        Ok(self.voice_rows("element = ?1", [element.as_bytes()])?.into_iter().next())
    }

    /// The voice notes that sound the same to the byte.
    pub(crate) fn voices_with(&self, hash: &ContentHash) -> Result<Vec<VoiceRow>, DeviceError> {
        self.voice_rows("hash = ?1", [hash.as_bytes()])
    }
}

impl Tx<'_> {
    /// Keeps a voice note, in place of what was known of it. Those that records had before `forget` are forgotten.
    pub(crate) fn put_voice_note(&mut self, note: &VoiceRow, forget: Timestamp) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached("DELETE FROM voice_note WHERE record IS NOT NULL AND at < ?1")?
            .execute([forget.millis()])?;
        let (draft, visit, record) = match &note.place {
            VoicePlace::Report(draft) => (Some(*draft), None, None),
            VoicePlace::Visit(visit) => (None, Some(*visit), None),
            VoicePlace::Record(record) => (None, None, Some(record.as_bytes())),
        };
        self.connection
            .prepare_cached(&format!(
                "INSERT INTO voice_note ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT (element) DO UPDATE SET draft = excluded.draft, visit = excluded.visit,
                   record = excluded.record, body = excluded.body, at = excluded.at,
                   discarded_at = excluded.discarded_at"
            ))?
            .execute((
                draft,
                visit,
                record,
                note.element.as_bytes(),
                note.hash.as_bytes(),
                &note.body,
                note.at.millis(),
                note.discarded_at.map(Timestamp::millis),
            ))?;
        Ok(())
    }

    /// Takes a voice note off its draft, or with `None` puts it back.
    pub(crate) fn discard_voice_note(
        &mut self,
        element: RecordId,
        at: Option<Timestamp>,
    ) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached("UPDATE voice_note SET discarded_at = ?2 WHERE element = ?1 AND record IS NULL")?
            .execute((element.as_bytes(), at.map(Timestamp::millis)))?;
        Ok(())
    }

    /// Forgets one voice note; its sound is the caller's.
    pub(crate) fn forget_voice_note(&mut self, element: RecordId) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached("DELETE FROM voice_note WHERE element = ?1")?
            .execute([element.as_bytes()])?;
        Ok(())
    }

    /// Forgets what belongs to drafts that are no more, in the transaction that took them: the next draft may get the same
    /// number.
    pub(super) fn forget_voices_without_draft(&mut self) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached(
                "DELETE FROM voice_note
                 WHERE draft IS NOT NULL AND draft NOT IN (SELECT n FROM draft)
                   OR visit IS NOT NULL AND visit NOT IN (SELECT n FROM visit_draft)",
            )?
            .execute([])?;
        Ok(())
    }
}
