//! From SQLite's errors to ours, and small readers for stored bytes.

use gridwalk_model::{ContentHash, RecordId, Timestamp};
use gridwalk_replica::ChangeHash;
use rusqlite::{ErrorCode, Row};

use crate::error::DeviceError;

impl From<rusqlite::Error> for DeviceError {
    fn from(error: rusqlite::Error) -> Self {
        let Some(code) = error.sqlite_error() else { return Self::Storage { code: 0 } };
        match code.code {
            ErrorCode::DiskFull => Self::StorageFull,
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::AlreadyOpen,
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Damaged,
            _ => Self::Storage { code: code.extended_code },
        }
    }
}

fn of_length<const N: usize>(row: &Row<'_>, column: usize) -> rusqlite::Result<[u8; N]> {
    let bytes = row.get_ref(column)?.as_blob()?;
    bytes.try_into().map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, bytes.len() as i64))
}

pub(super) fn record_id(row: &Row<'_>, column: usize) -> rusqlite::Result<RecordId> {
    of_length(row, column).map(RecordId::from_bytes)
}

pub(super) fn change_hash(row: &Row<'_>, column: usize) -> rusqlite::Result<ChangeHash> {
    of_length(row, column).map(ChangeHash)
}

pub(super) fn content_hash(row: &Row<'_>, column: usize) -> rusqlite::Result<ContentHash> {
    of_length(row, column).map(ContentHash::from_bytes)
}

pub(super) fn bytes16(row: &Row<'_>, column: usize) -> rusqlite::Result<[u8; 16]> {
    of_length(row, column)
}

pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp::from_millis)
}

pub(super) fn time_opt(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis))
}
