//! Records as they are: read, listed in pages, edited, conflicts settled.
//!
//! # Why fields by name, with typed views beside
//! The core declares its twenty-five kinds by a macro, from which everything else follows; a second declaration of each
//! by hand would have to be kept alike. So records cross as fields by name, with values typed by the kind's schema, and
//! `kinds` gives names, limits, words and labels: enough for any form, also for fields that a newer server adds. What
//! screens show most (the board, a door, today, a report, an inspection) has typed views in its own module, made by the
//! core for that screen; [`crate::kinds`] has typed views of the kinds that screens list.

use std::collections::HashMap;

use gridwalk_device::store::{RecordState, RefusedEdit, RefusedReason};
use gridwalk_device::{Candidate, ConflictEntry, Entry, Page, PageCursor};
use gridwalk_model::{DeviceId, Fields, Kind, RecordId, Timestamp};

use crate::device::Device;
use crate::error::GridwalkError;
use crate::gate::Bears;
use crate::mirror::limit;
use crate::schema::kind_of;
use crate::values::{self, FieldValue};

/// What is to be known of a record beside its fields.
#[uniffi::remote(Record)]
pub struct RecordState {
    /// A change of it waits to be sent.
    pub waiting: bool,
    /// A field has values that differ; see `conflicts_of`.
    pub conflict: bool,
    /// Removed by one, edited by another who had not seen the removal.
    pub edited_while_removed: bool,
    /// A newer build is needed to read all of it.
    pub needs_update: bool,
}

/// A record.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct RecordEntry {
    /// Its identifier.
    pub id: RecordId,
    /// The word for its kind, such as `dwelling`.
    pub kind: String,
    /// Its fields by root key; elements of sets under `set/element`.
    pub fields: HashMap<String, FieldValue>,
    /// What waits, what is in conflict.
    pub state: RecordState,
}

impl RecordEntry {
    pub(crate) fn of(kind: &str, entry: Entry<Fields>) -> Self {
        let Entry { id, record, state } = entry;
        Self { id, kind: kind.to_owned(), fields: values::told(kind, record), state }
    }
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct RecordPage {
    /// The records, in the order of their kind (names by their sort key, addresses by building and door, and so on).
    pub entries: Vec<RecordEntry>,
    /// To be given back for the next page; none at the end. Holds no position but a key: records that come or go in
    /// between are neither skipped nor told twice. To be kept in memory only: it may hold a name.
    pub next: Option<PageCursor>,
}

impl RecordPage {
    pub(crate) async fn read(
        core: &gridwalk_device::Device,
        kind: Kind,
        after: Option<PageCursor>,
        limit: usize,
    ) -> Result<Self, GridwalkError> {
        let list =
            move |store: &mut gridwalk_device::Store, _| store.list_fields(kind, after.as_ref(), limit);
        Ok(Self::of(kind, core.with_store(list).await?))
    }

    pub(crate) fn of(kind: Kind, page: Page<Fields>) -> Self {
        let Page { entries, next } = page;
        let entries = entries.into_iter().map(|entry| RecordEntry::of(kind.tag(), entry)).collect();
        Self { entries, next }
    }
}

/// A record to be made.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct NewRecord {
    /// The word for its kind.
    pub kind: String,
    /// Its fields.
    pub fields: HashMap<String, FieldValue>,
}

/// One of the values in conflict.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct ConflictCandidate {
    /// The value, to be given to `choose_value`.
    pub value: FieldValue,
    /// The phone that wrote it.
    pub device: DeviceId,
    /// The person's name, where the directory of staff names the phone.
    pub author: Option<String>,
    /// When it was written, by that phone's clock.
    pub at: Timestamp,
}

/// A field with values that differ, for the worker to choose from.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct RecordConflict {
    /// The record.
    pub record: RecordId,
    /// The word for its kind.
    pub kind: String,
    /// The root key.
    pub field: String,
    /// The values, the one that reads return last.
    pub candidates: Vec<ConflictCandidate>,
}

impl From<ConflictEntry> for RecordConflict {
    fn from(core: ConflictEntry) -> Self {
        let ConflictEntry { record, kind, field, candidates } = core;
        let parsed = Kind::parse(&kind);
        let told = |candidate| {
            let Candidate { value, device, author, at } = candidate;
            ConflictCandidate { value: FieldValue::of(parsed, &field, value), device, author, at }
        };
        let candidates = candidates.into_iter().map(told).collect();
        Self { record, kind, field, candidates }
    }
}

/// An edit that the server did not accept: the worker writes it again, or gives it up (see `tray`).
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct RefusedChange {
    /// Its number, to settle it by.
    pub n: i64,
    /// The record.
    pub record: RecordId,
    /// The word for its kind.
    pub kind: String,
    /// The root key.
    pub field: String,
    /// What the worker had written.
    pub value: FieldValue,
    /// Why it was not accepted: `forbidden`, `invalid`, `changed_meanwhile`, `no_record`.
    pub reason: String,
    /// The reason in Chinese.
    pub zh: String,
    /// The reason in English.
    pub en: String,
    /// When the worker had written it.
    pub at: Timestamp,
}

impl From<RefusedEdit> for RefusedChange {
    fn from(core: RefusedEdit) -> Self {
        let RefusedEdit { n, record, kind, field, value, reason, at } = core;
        let value = FieldValue::of(Kind::parse(&kind), &field, value);
        let word = match reason {
            RefusedReason::Forbidden => "forbidden",
            RefusedReason::Invalid(_) => "invalid",
            RefusedReason::ChangedMeanwhile => "changed_meanwhile",
            RefusedReason::NoRecord => "no_record",
        };
        let (zh, en) = (reason.zh().to_owned(), reason.en().to_owned());
        Self { n, record, kind, field, value, reason: word.to_owned(), zh, en, at }
    }
}

#[uniffi::export(async_runtime = "tokio")]
impl Device {
    /// One record; none if it is not on this phone. A removed record is told with its field `removed`. Throws
    /// `InvalidInput` (`no_purpose`) for records of sensitive kinds: see `read_sensitive`.
    pub async fn record(&self, id: RecordId) -> Result<Option<RecordEntry>, GridwalkError> {
        let found = self.call(async move |core| core.with_store(move |store, _| store.get_fields(id)).await);
        Ok(found.await?.map(|(kind, entry)| RecordEntry::of(&kind, entry)))
    }

    /// Records of a kind in pages of at most 1,000, from the beginning or after the last page's `next`. Throws
    /// `InvalidInput` (`no_purpose`) for sensitive kinds: see `read_sensitive_list`.
    pub async fn records(
        &self,
        kind: String,
        after: Option<PageCursor>,
        limit: u32,
    ) -> Result<RecordPage, GridwalkError> {
        let (core, kind, limit) = (self.core(), kind_of(&kind)?, self::limit(limit));
        let read = async move { RecordPage::read(&core, kind, after, limit).await };
        self.gate.run(Bears::Finishing, read).await
    }

    /// Makes a record; durable when this returns, and sent by itself. Throws `InvalidInput` with every bad field,
    /// `NotAllowed`, `StorageFull`.
    pub async fn create_record(
        &self,
        kind: String,
        fields: HashMap<String, FieldValue>,
    ) -> Result<RecordId, GridwalkError> {
        let (kind, fields) = (kind_of(&kind)?, values::taken(fields));
        self.write(async move |core| core.create_fields(kind, fields).await).await
    }

    /// Makes records that become durable together or not at all. As `create_record`.
    pub async fn create_records(&self, records: Vec<NewRecord>) -> Result<Vec<RecordId>, GridwalkError> {
        let mut new = Vec::with_capacity(records.len());
        for NewRecord { kind, fields } in records {
            new.push((kind_of(&kind)?, values::taken(fields)));
        }
        let make = move |edits: &mut gridwalk_device::Edits<'_, '_>| {
            new.iter().map(|(kind, fields)| edits.create_fields(*kind, fields)).collect()
        };
        self.write(async move |core| core.edits(make).await).await
    }

    /// Writes fields of a record; only those whose value changes are written. Returns whether any was. An optional
    /// field is emptied with `Empty`. Throws `InvalidInput` with every bad field, `NotAllowed`, `NotFound`.
    pub async fn edit_record(
        &self,
        id: RecordId,
        fields: HashMap<String, FieldValue>,
    ) -> Result<bool, GridwalkError> {
        let patch = values::taken(fields);
        self.write(async move |core| core.edit(id, patch).await).await
    }

    /// Removes a record by its flag: it is no longer shown, and can be restored. An edit that somebody makes meanwhile
    /// shows it again.
    pub async fn remove_record(&self, id: RecordId) -> Result<bool, GridwalkError> {
        self.write(async move |core| core.remove(id).await).await
    }

    /// Shows a removed record again.
    pub async fn restore_record(&self, id: RecordId) -> Result<bool, GridwalkError> {
        self.write(async move |core| core.restore(id).await).await
    }

    /// Every field in conflict on this phone. Values of sensitive records are empty here: see `reveal`.
    pub async fn conflicts(&self) -> Result<Vec<RecordConflict>, GridwalkError> {
        Ok(crate::mirror::many(self.call(async |core| core.conflicts().await).await?))
    }

    /// The fields of one record that are in conflict, likewise.
    pub async fn conflicts_of(&self, id: RecordId) -> Result<Vec<RecordConflict>, GridwalkError> {
        Ok(crate::mirror::many(self.call(async move |core| core.conflicts_of(id).await).await?))
    }

    /// The worker's choice between values in conflict: settles it on every phone.
    pub async fn choose_value(
        &self,
        id: RecordId,
        field: String,
        value: FieldValue,
    ) -> Result<bool, GridwalkError> {
        let value = value.into_core();
        self.write(async move |core| core.choose(id, &field, value).await).await
    }

    /// Edits that the server did not accept. Values of sensitive records are empty here: see `reveal`.
    pub async fn refused_edits(&self) -> Result<Vec<RefusedChange>, GridwalkError> {
        Ok(crate::mirror::many(self.call(async |core| core.refused_edits().await).await?))
    }
}
