//! What is in a package, opened with the server's secret.

use std::collections::BTreeMap;

use gridwalk_model::{ContentHash, RecordId, Timestamp};
use gridwalk_replica::sealed::{Place, SealedChange, SealedDraft, SealedItem, SealedPiece};

use super::SealedError;
use crate::storage::sealed::PackageRow;
use crate::storage::{ReadTx, StorageError};

/// What is in a package, files by their size only.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content {
    /// Changes without a verdict, in the order in which they were made.
    pub changes: Vec<SealedChange>,
    /// Reports, visits and patrols that were begun and not ended.
    pub drafts: Vec<SealedDraft>,
    /// Media without a receipt.
    pub media: Vec<File<ContentHash>>,
    /// Camera files that were not sorted, by their number on the phone.
    pub originals: Vec<File<i64>>,
    /// What was said into drafts, by the names of the voice notes.
    pub sounds: Vec<File<RecordId>>,
}

/// A file in a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File<T> {
    /// What it is called.
    pub name: T,
    /// Its length in bytes.
    pub bytes: u64,
    /// When it was made, where that is known.
    pub at: Timestamp,
    /// The report that it belongs to.
    pub draft: Option<i64>,
    /// The visit that it belongs to.
    pub visit: Option<i64>,
    /// The parts that hold its pieces, in order.
    pub parts: Vec<u32>,
}

/// Opens one part.
///
/// # Errors
/// A part that is not there or does not open is a damaged store.
pub fn open_part(tx: &dyn ReadTx, package: &PackageRow, part: u32) -> Result<Vec<SealedItem>, SealedError> {
    let device = tx.devices()?.into_iter().find(|device| device.no == package.device);
    let device = device.ok_or(StorageError::Damaged { what: "sealed_package.device_no" })?;
    let keys = tx.sealing_keys()?.ok_or(StorageError::Damaged { what: "sealing_key" })?;
    let body = tx.part(package.no, part)?.ok_or(SealedError::NotFound)?;
    let place = Place { device: device.id, package: package.name, part, of: package.of };
    let items = keys.open(&place, &body);
    Ok(items.map_err(|_| StorageError::Damaged { what: "sealed_part.body" })?)
}

/// Opens a package part by part.
///
/// # Errors
/// As [`open_part`].
pub fn open(tx: &dyn ReadTx, package: &PackageRow) -> Result<Content, SealedError> {
    let mut content = Content::default();
    let mut media: BTreeMap<ContentHash, File<ContentHash>> = BTreeMap::new();
    let mut originals: BTreeMap<i64, File<i64>> = BTreeMap::new();
    let mut sounds: BTreeMap<RecordId, File<RecordId>> = BTreeMap::new();
    for part in 0..package.of {
        for item in open_part(tx, package, part)? {
            match item {
                SealedItem::Change(change) => content.changes.push(change),
                SealedItem::Draft(draft) => content.drafts.push(draft),
                SealedItem::Medium(piece) => {
                    if let Some(hash) = ContentHash::from_slice(&piece.name) {
                        media.entry(hash).or_insert_with(|| file(hash, &piece)).parts.push(part);
                    }
                }
                SealedItem::Original(piece) => {
                    if let Some(n) = number(&piece) {
                        originals.entry(n).or_insert_with(|| file(n, &piece)).parts.push(part);
                    }
                }
                SealedItem::Sound(piece) => {
                    if let Some(name) = RecordId::from_slice(&piece.name) {
                        sounds.entry(name).or_insert_with(|| file(name, &piece)).parts.push(part);
                    }
                }
            }
        }
    }
    content.media = media.into_values().collect();
    content.originals = originals.into_values().collect();
    content.sounds = sounds.into_values().collect();
    Ok(content)
}

/// Puts a file together; `None` if a piece of it is missing.
///
/// # Errors
/// As [`open_part`].
pub fn whole<T>(
    tx: &dyn ReadTx,
    package: &PackageRow,
    file: &File<T>,
) -> Result<Option<Vec<u8>>, SealedError> {
    let mut out: Vec<u8> = Vec::new();
    for part in &file.parts {
        for item in open_part(tx, package, *part)? {
            let (SealedItem::Medium(piece) | SealedItem::Original(piece) | SealedItem::Sound(piece)) = item
            else {
                continue;
            };
            if piece.offset != out.len() as u64 {
                return Ok(None);
            }
            out.extend_from_slice(&piece.body);
        }
    }
    Ok((out.len() as u64 == file.bytes).then_some(out))
}

fn number(piece: &SealedPiece) -> Option<i64> {
    piece.name.as_slice().try_into().ok().map(i64::from_be_bytes)
}

fn file<T>(name: T, piece: &SealedPiece) -> File<T> {
    File {
        name,
        bytes: piece.bytes,
        at: Timestamp::from_millis(piece.at),
        draft: piece.draft,
        visit: piece.visit,
        parts: Vec::new(),
    }
}
