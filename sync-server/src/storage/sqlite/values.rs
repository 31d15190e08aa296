//! The way between the store's columns and our types.

use gridwalk_model::{ContentHash, DeviceId, RecordId, StreamId, Timestamp};
use gridwalk_replica::digest::{Fingerprint, StreamDigest};
use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::super::{StorageError, Stored};
use super::failed;

/// A number as SQLite stores it. Ours stay far below 2^63.
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number as we count it.
pub(super) fn uint(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub(super) fn damaged<T>(what: &'static str) -> Stored<T> {
    Err(StorageError::Damaged { what })
}

pub(super) fn number(row: &Row<'_>, column: usize) -> Stored<u64> {
    row.get::<_, i64>(column).map(uint).map_err(failed)
}

pub(super) fn small(row: &Row<'_>, column: usize, what: &'static str) -> Stored<u32> {
    u32::try_from(number(row, column)?).or_else(|_| damaged(what))
}

pub(super) fn time(row: &Row<'_>, column: usize) -> Stored<Timestamp> {
    row.get::<_, i64>(column).map(Timestamp::from_millis).map_err(failed)
}

pub(super) fn maybe_time(row: &Row<'_>, column: usize) -> Stored<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column).map_err(failed)?.map(Timestamp::from_millis))
}

pub(super) fn flag(row: &Row<'_>, column: usize) -> Stored<bool> {
    row.get::<_, i64>(column).map(|flag| flag != 0).map_err(failed)
}

pub(super) fn text(row: &Row<'_>, column: usize) -> Stored<String> {
    row.get(column).map_err(failed)
}

pub(super) fn bytes(row: &Row<'_>, column: usize) -> Stored<Vec<u8>> {
    row.get(column).map_err(failed)
}

pub(super) fn array<const N: usize>(row: &Row<'_>, column: usize, what: &'static str) -> Stored<[u8; N]> {
    match row.get_ref(column).map_err(failed)? {
        ValueRef::Blob(bytes) => bytes.try_into().or_else(|_| damaged(what)),
        _ => damaged(what),
    }
}

pub(super) fn record_id(row: &Row<'_>, column: usize, what: &'static str) -> Stored<RecordId> {
    array(row, column, what).map(RecordId::from_bytes)
}

pub(super) fn maybe_record_id(row: &Row<'_>, column: usize, what: &'static str) -> Stored<Option<RecordId>> {
    match row.get_ref(column).map_err(failed)? {
        ValueRef::Null => Ok(None),
        _ => record_id(row, column, what).map(Some),
    }
}

pub(super) fn device_id(row: &Row<'_>, column: usize, what: &'static str) -> Stored<DeviceId> {
    array(row, column, what).map(DeviceId::from_bytes)
}

pub(super) fn content_hash(row: &Row<'_>, column: usize, what: &'static str) -> Stored<ContentHash> {
    array(row, column, what).map(ContentHash::from_bytes)
}

pub(super) fn fingerprint(row: &Row<'_>, column: usize, what: &'static str) -> Stored<Fingerprint> {
    array(row, column, what).map(Fingerprint)
}

pub(super) fn digest(row: &Row<'_>, column: usize, what: &'static str) -> Stored<StreamDigest> {
    array(row, column, what).map(StreamDigest::from_bytes)
}

pub(super) fn stream_id(row: &Row<'_>, column: usize, what: &'static str) -> Stored<StreamId> {
    match row.get_ref(column).map_err(failed)? {
        ValueRef::Blob(bytes) => StreamId::from_bytes(bytes).map_or_else(|| damaged(what), Ok),
        _ => damaged(what),
    }
}
