//! Counts for the status: what waits, since when, how many bytes.

use gridwalk_model::Timestamp;
use rusqlite::Row;

use super::records::flag;
use super::{MediaForm, Store, View, sql};
use crate::error::DeviceError;

/// Something that waits to be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// How many.
    pub count: u64,
    /// How many bytes.
    pub bytes: u64,
    /// Since when the oldest waits.
    pub since: Option<Timestamp>,
}

/// What the store holds, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Records on this phone, those that cannot be read included.
    pub records: u64,
    /// Changes to be sent.
    pub changes: Waiting,
    /// Records that these changes belong to.
    pub records_waiting: u64,
    /// Previews to be sent.
    pub previews: Waiting,
    /// Full photos to be sent.
    pub photos: Waiting,
    /// Tracks of patrols to be sent.
    pub tracks: Waiting,
    /// Voice notes to be sent.
    pub voice_notes: Waiting,
    /// Photos whose bytes were lost with a damaged file before the server had them.
    pub lost_photos: u64,
    /// Tracks and voice notes of which the same is true.
    pub lost_others: u64,
    /// Originals that wait to be sorted.
    pub captures: u64,
    /// Changes that the server cannot take yet.
    pub held: u64,
    /// Changes in quarantine.
    pub quarantined: u64,
    /// Edits that were not accepted and wait for the worker.
    pub refused: u64,
    /// Records with a conflict.
    pub conflicts: u64,
    /// Records that were edited while another removed them.
    pub edited_while_removed: u64,
    /// Records that need an update of the app.
    pub unreadable: u64,
    /// Streams that differ from the server's beyond repair.
    pub alarms: u64,
    /// Sent changes that are kept until the server has backed them up.
    pub kept: u64,
}

fn waiting(row: &Row<'_>) -> rusqlite::Result<Waiting> {
    Ok(Waiting {
        count: row.get::<_, i64>(0)?.unsigned_abs(),
        bytes: row.get::<_, i64>(1)?.unsigned_abs(),
        since: sql::time_opt(row, 2)?,
    })
}

impl View<'_> {
    fn count(&self, query: &str) -> Result<u64, DeviceError> {
        let mut statement = self.connection.prepare_cached(query)?;
        Ok(statement.query_row([], |row| row.get::<_, i64>(0))?.unsigned_abs())
    }

    fn flag_count(&self, flag: i64) -> Result<u64, DeviceError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT count(*) FROM record WHERE flags <> 0 AND flags & ?1 <> 0")?;
        Ok(statement.query_row([flag], |row| row.get::<_, i64>(0))?.unsigned_abs())
    }
}

impl Store {
    /// Counts everything.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn totals(&self) -> Result<Totals, DeviceError> {
        let view = self.view();
        let changes = view
            .connection
            .prepare_cached("SELECT count(*), coalesce(sum(length(raw)), 0), min(at) FROM outbox")?
            .query_row([], waiting)?;
        let media = |form: MediaForm| {
            view.connection
                .prepare_cached(
                    "SELECT count(*), coalesce(sum(bytes - offset), 0), min(at) FROM upload
                     WHERE stored_at IS NULL AND lost = 0 AND lane = ?1 AND form = ?2",
                )?
                .query_row([form.lane().code(), form.code()], waiting)
        };
        Ok(Totals {
            records: view.count("SELECT count(*) FROM record")?,
            changes,
            records_waiting: view.count("SELECT count(DISTINCT record) FROM outbox")?,
            previews: media(MediaForm::Preview)?,
            photos: media(MediaForm::Full)?,
            tracks: media(MediaForm::Track)?,
            voice_notes: media(MediaForm::Voice)?,
            lost_photos: view.count("SELECT count(*) FROM upload WHERE lost = 1 AND form = 1")?,
            lost_others: view.count("SELECT count(*) FROM upload WHERE lost = 1 AND form IN (3, 4)")?,
            captures: self.captures()?.len() as u64,
            held: view.count("SELECT count(*) FROM outbox WHERE state <> 0")?,
            quarantined: view.count("SELECT count(*) FROM quarantine")?,
            refused: view.count("SELECT count(*) FROM refused_edit")?,
            conflicts: view.flag_count(flag::CONFLICT)?,
            edited_while_removed: view.flag_count(flag::EDITED_WHILE_REMOVED)?,
            unreadable: view.flag_count(flag::UNREADABLE)?,
            alarms: view.count("SELECT count(*) FROM stream WHERE alarm_at IS NOT NULL")?,
            kept: view.count("SELECT count(*) FROM sent")?,
        })
    }
}
