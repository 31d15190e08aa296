//! Reading and editing records. An edit is durable when the call returns, and waits in the outbox from then on.
//!
//! An edit writes only fields whose value changes, is checked by the rules of the kind before it is made, and never
//! needs the network.

mod untyped;

use std::collections::BTreeSet;

use gridwalk_model::policy::{self, Role, Sender, Write};
use gridwalk_model::schema::REMOVED_KEY;
use gridwalk_model::validate::{self, FieldError};
use gridwalk_model::{
    AccessClass, DeviceId, Fields, Kind, Record, RecordId, StreamId, Timestamp, Value, placement,
};
use gridwalk_replica::{Document, conflict};

use crate::error::DeviceError;
use crate::store::{Body, Commit, Listed, RecordState, Store, Tx, View, flag};

/// A record with what is to be known beside its content.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<T> {
    /// The record's identifier.
    pub id: RecordId,
    /// Its content.
    pub record: T,
    /// What waits, what is in conflict.
    pub state: RecordState,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The records, in the order of their kind.
    pub entries: Vec<Entry<T>>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<PageCursor>,
}

/// Where the next page of a list begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageCursor {
    sort: String,
    key: i64,
}

impl PageCursor {
    /// As text, for callers that keep it as such. May hold a name or an address.
    pub fn to_text(&self) -> String {
        format!("{}:{}", self.key, self.sort)
    }

    /// Reads [`Self::to_text`]; `None` if it is none.
    pub fn from_text(text: &str) -> Option<Self> {
        let (key, sort) = text.split_once(':')?;
        Some(Self { sort: sort.to_owned(), key: key.parse().ok()? })
    }
}

/// A field with values that differ, for the worker to choose from.
#[derive(Clone, Debug, PartialEq)]
pub struct ConflictEntry {
    /// The record.
    pub record: RecordId,
    /// The word for its kind.
    pub kind: String,
    /// The root key.
    pub field: String,
    /// The values, the one that reads return last.
    pub candidates: Vec<Candidate>,
}

/// One of the values in conflict.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The value.
    pub value: Value,
    /// The device that wrote it.
    pub device: DeviceId,
    /// The person's name, where the directory of staff names the device; the phone's own worker always.
    pub author: Option<String>,
    /// When it was written, by that device's clock.
    pub at: Timestamp,
}

/// Edits that become durable together or not at all.
pub struct Edits<'t, 's> {
    tx: &'t mut Tx<'s>,
    now: Timestamp,
}

impl<'t, 's> Edits<'t, 's> {
    pub(crate) const fn over(tx: &'t mut Tx<'s>, now: Timestamp) -> Self {
        Self { tx, now }
    }
}

impl<'s> Edits<'_, 's> {
    /// Makes a new record.
    ///
    /// # Errors
    /// [`DeviceError::Invalid`] with every bad field, [`DeviceError::NotAllowed`].
    pub fn create<T: Record>(&mut self, record: &T) -> Result<RecordId, DeviceError> {
        self.create_fields(T::SCHEMA.kind, &record.to_fields())
    }

    /// The same from fields.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn create_fields(&mut self, kind: Kind, fields: &Fields) -> Result<RecordId, DeviceError> {
        let id = self.tx.new_id(self.now)?;
        self.create_with_id(id, kind, fields)?;
        Ok(id)
    }

    /// The same with an identifier that the caller made, for records that name each other.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn create_with_id(&mut self, id: RecordId, kind: Kind, fields: &Fields) -> Result<(), DeviceError> {
        let errors: Vec<FieldError> =
            validate::validate(kind, fields).into_iter().filter(|error| !error.is_warning()).collect();
        if !errors.is_empty() {
            return Err(DeviceError::Invalid { errors });
        }
        let identity = self.tx.identity()?;
        let roles = self.tx.roles_of(identity.user)?;
        check_rights(identity.user, &roles, kind, fields, None)?;
        let (document, change) = Document::create(id, kind, fields, identity.actor(), self.now)?;
        self.tx.put_record(id, kind.tag(), None, &document, Body::Snapshot(&change.raw))?;
        let hint = self.tx.hint_for(kind.tag(), id, fields)?;
        self.tx.enqueue(id, kind.tag(), &change, self.now, hint.as_ref(), 0)
    }

    /// Writes fields of a record. Only those whose value changes, or is in conflict, are written; returns whether any
    /// was. An empty optional field is [`Value::Null`].
    ///
    /// # Errors
    /// [`DeviceError::UnknownRecord`], [`DeviceError::Invalid`] with every bad field, [`DeviceError::NotAllowed`].
    pub fn edit(&mut self, id: RecordId, patch: &Fields) -> Result<bool, DeviceError> {
        let loaded = self.tx.record(id)?.ok_or(DeviceError::UnknownRecord { record: id })?;
        let bytes = loaded.readable().ok_or(DeviceError::NeedsUpdate { record: id })?;
        let kind = Kind::parse(&loaded.kind).ok_or(DeviceError::NeedsUpdate { record: id })?;
        let mut document = Document::load(bytes)?;
        let patch: Fields = patch
            .iter()
            .filter(|(key, value)| !(value.is_null() && document.get(key).is_none()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        check_patch(kind, &document, &patch)?;
        let identity = self.tx.identity()?;
        let roles = self.tx.roles_of(identity.user)?;
        check_rights(identity.user, &roles, kind, &patch, Some(&document))?;
        let Some(change) = document.edit(&patch, identity.actor(), self.now)? else { return Ok(false) };
        self.tx.put_record(id, &loaded.kind, Some(&loaded), &document, Body::Change(&change.raw))?;
        self.tx.enqueue(id, &loaded.kind, &change, self.now, None, 0)?;
        Ok(true)
    }

    /// Writes the record as it is to be; returns whether anything changed. Fields that this build does not know stay.
    ///
    /// # Errors
    /// As [`Self::edit`].
    pub fn save<T: Record>(&mut self, id: RecordId, record: &T) -> Result<bool, DeviceError> {
        let listed = self.tx.listed(id)?.ok_or(DeviceError::UnknownRecord { record: id })?;
        expect_kind::<T>(&listed)?;
        let wanted = record.to_fields();
        let mut patch = Fields::new();
        for (key, value) in &wanted {
            if listed.fields.get(key) != Some(value) {
                patch.insert(key.clone(), value.clone());
            }
        }
        for field in T::SCHEMA.fields.iter().filter(|field| !field.set) {
            let emptied = !wanted.contains_key(field.name)
                && listed.fields.get(field.name).is_some_and(|value| !value.is_null());
            if emptied {
                patch.insert(field.name.to_owned(), Value::Null);
            }
        }
        self.edit(id, &patch)
    }

    /// Removes a record by its flag. It is no longer shown; an edit that somebody made meanwhile shows it again.
    ///
    /// # Errors
    /// As [`Self::edit`].
    pub fn remove(&mut self, id: RecordId) -> Result<bool, DeviceError> {
        self.edit(id, &Fields::from([(REMOVED_KEY.to_owned(), Value::Flag(true))]))
    }

    /// Shows a removed record again.
    ///
    /// # Errors
    /// As [`Self::edit`].
    pub fn restore(&mut self, id: RecordId) -> Result<bool, DeviceError> {
        self.edit(id, &Fields::from([(REMOVED_KEY.to_owned(), Value::Flag(false))]))
    }

    /// The worker's choice between values in conflict: written like any edit, it settles the conflict on every phone.
    ///
    /// # Errors
    /// As [`Self::edit`].
    pub fn choose(&mut self, id: RecordId, field: &str, value: Value) -> Result<bool, DeviceError> {
        self.edit(id, &Fields::from([(field.to_owned(), value)]))
    }

    /// Reads, as these edits see the store.
    pub(crate) fn view(&self) -> View<'s> {
        **self.tx
    }

    /// The transaction, for what is kept beside records.
    pub(crate) const fn tx(&mut self) -> &mut Tx<'s> {
        self.tx
    }

    /// When the edits are made.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// A fresh identifier, for records that name each other.
    ///
    /// # Errors
    /// [`DeviceError::Entropy`].
    pub fn new_id(&mut self) -> Result<RecordId, DeviceError> {
        self.tx.new_id(self.now)
    }

    /// One record, as these edits see it.
    ///
    /// # Errors
    /// As [`Store::get`].
    pub fn get<T: Record>(&self, id: RecordId) -> Result<Option<Entry<T>>, DeviceError> {
        not_sensitive::<T>()?;
        self.get_any(id)
    }

    /// The same of any class: for rules of this crate, not for screens.
    pub(crate) fn get_any<T: Record>(&self, id: RecordId) -> Result<Option<Entry<T>>, DeviceError> {
        self.tx.listed(id)?.map(typed::<T>).transpose()
    }
}

/// What is sensitive is read by [`Store::read_sensitive`] and its like, which ask for a purpose and keep the journal.
fn not_sensitive<T: Record>() -> Result<(), DeviceError> {
    if T::SCHEMA.class == AccessClass::Sensitive { Err(DeviceError::NoPurpose) } else { Ok(()) }
}

fn check_patch(kind: Kind, document: &Document, patch: &Fields) -> Result<(), DeviceError> {
    let mut after = document.fields();
    after.extend(patch.iter().map(|(key, value)| (key.clone(), value.clone())));
    // What was wrong before and is not touched does not hold up this edit.
    let errors: Vec<FieldError> = validate::validate(kind, &after)
        .into_iter()
        .filter(|error| !error.is_warning() && patch.contains_key(&error.field))
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(DeviceError::Invalid { errors }) }
}

/// The rules that the server's admission will apply, as far as this phone knows them.
fn check_rights(
    user: RecordId,
    roles: &[Role],
    kind: Kind,
    fields: &Fields,
    document: Option<&Document>,
) -> Result<(), DeviceError> {
    let sender = Sender::Person { user, roles };
    for (key, value) in fields {
        if document.is_some_and(|document| document.get(key).as_ref() == Some(value)) {
            continue;
        }
        let overwrites = document.is_some_and(|document| document.get(key).is_some());
        let write = Write { schema: kind.schema(), key, value, creates: document.is_none(), overwrites };
        policy::check_write(&sender, &write)
            .map_err(|violation| DeviceError::NotAllowed { field: key.clone(), violation })?;
    }
    Ok(())
}

fn expect_kind<T: Record>(listed: &Listed) -> Result<(), DeviceError> {
    if listed.kind == T::SCHEMA.tag {
        Ok(())
    } else {
        Err(DeviceError::WrongKind { record: listed.id, found: listed.kind.clone() })
    }
}

pub(crate) fn typed<T: Record>(listed: Listed) -> Result<Entry<T>, DeviceError> {
    expect_kind::<T>(&listed)?;
    if listed.fields.is_empty() && listed.state.needs_update {
        return Err(DeviceError::NeedsUpdate { record: listed.id });
    }
    let record = T::from_fields(&listed.fields).map_err(|errors| DeviceError::Invalid { errors })?;
    Ok(Entry { id: listed.id, record, state: listed.state })
}

/// Records whose fields are incomplete are left out of typed lists: a link may name a record that is not here yet,
/// but a record without its required fields cannot be shown.
pub(crate) fn typed_list<T: Record>(rows: Vec<Listed>) -> Vec<Entry<T>> {
    rows.into_iter().filter_map(|row| typed(row).ok()).collect()
}

impl Store {
    /// Makes edits that become durable together or not at all.
    ///
    /// # Errors
    /// The first error of an edit; then nothing was written. [`DeviceError::StorageFull`].
    pub fn edits<T>(
        &mut self,
        now: Timestamp,
        work: impl FnOnce(&mut Edits<'_, '_>) -> Result<T, DeviceError>,
    ) -> Result<T, DeviceError> {
        self.write(Commit::Edit, |tx| work(&mut Edits { tx, now }))
    }

    /// Makes a new record.
    ///
    /// # Errors
    /// As [`Edits::create`].
    pub fn create<T: Record>(&mut self, record: &T, now: Timestamp) -> Result<RecordId, DeviceError> {
        self.edits(now, |edits| edits.create(record))
    }

    /// Writes fields of a record; returns whether anything changed.
    ///
    /// # Errors
    /// As [`Edits::edit`].
    pub fn edit(&mut self, id: RecordId, patch: &Fields, now: Timestamp) -> Result<bool, DeviceError> {
        self.edits(now, |edits| edits.edit(id, patch))
    }

    /// Removes a record by its flag.
    ///
    /// # Errors
    /// As [`Edits::edit`].
    pub fn remove(&mut self, id: RecordId, now: Timestamp) -> Result<bool, DeviceError> {
        self.edits(now, |edits| edits.remove(id))
    }

    /// Shows a removed record again.
    ///
    /// # Errors
    /// As [`Edits::edit`].
    pub fn restore(&mut self, id: RecordId, now: Timestamp) -> Result<bool, DeviceError> {
        self.edits(now, |edits| edits.restore(id))
    }

    /// The worker's choice between values in conflict.
    ///
    /// # Errors
    /// As [`Edits::edit`].
    pub fn choose(
        &mut self,
        id: RecordId,
        field: &str,
        value: Value,
        now: Timestamp,
    ) -> Result<bool, DeviceError> {
        self.edits(now, |edits| edits.choose(id, field, value))
    }

    /// One record; `None` if it is not on this phone. A removed one is returned as well.
    ///
    /// # Errors
    /// [`DeviceError::WrongKind`], [`DeviceError::NeedsUpdate`], [`DeviceError::Invalid`] where required fields are
    /// missing; [`DeviceError::NoPurpose`] for a kind of the sensitive class: see [`Self::read_sensitive`].
    pub fn get<T: Record>(&self, id: RecordId) -> Result<Option<Entry<T>>, DeviceError> {
        not_sensitive::<T>()?;
        self.get_any(id)
    }

    /// The same of any class: for rules of this crate, not for screens.
    pub(crate) fn get_any<T: Record>(&self, id: RecordId) -> Result<Option<Entry<T>>, DeviceError> {
        self.view().listed(id)?.map(typed::<T>).transpose()
    }

    /// Records of a kind, in the order of the kind.
    ///
    /// # Errors
    /// [`DeviceError::NoPurpose`] for a kind of the sensitive class, failures of SQLite.
    pub fn list<T: Record>(&self, after: Option<&PageCursor>, limit: usize) -> Result<Page<T>, DeviceError> {
        not_sensitive::<T>()?;
        self.list_any(after, limit)
    }

    /// The same of any class: for rules of this crate, not for screens.
    pub(crate) fn list_any<T: Record>(
        &self,
        after: Option<&PageCursor>,
        limit: usize,
    ) -> Result<Page<T>, DeviceError> {
        let (rows, next) = self.page(T::SCHEMA.kind, after, limit)?;
        Ok(Page { entries: typed_list(rows), next })
    }

    fn page(
        &self,
        kind: Kind,
        after: Option<&PageCursor>,
        limit: usize,
    ) -> Result<(Vec<Listed>, Option<PageCursor>), DeviceError> {
        let after = after.map(|cursor| (cursor.sort.as_str(), cursor.key));
        let rows = self.view().list_kind(kind.tag(), after, limit)?;
        let last = rows.last().filter(|_| rows.len() == limit);
        let next = last.map(|row| PageCursor { sort: row.sort.clone(), key: row.key });
        Ok((rows, next))
    }

    /// Records of a kind that name `target` in `field`: the residencies of a dwelling, the events of a place.
    ///
    /// # Errors
    /// [`DeviceError::NoPurpose`] for a kind of the sensitive class, failures of SQLite.
    pub fn list_linked<T: Record>(
        &self,
        field: &str,
        target: RecordId,
    ) -> Result<Vec<Entry<T>>, DeviceError> {
        not_sensitive::<T>()?;
        self.list_linked_any(field, target)
    }

    /// The same of any class: for rules of this crate, not for screens.
    pub(crate) fn list_linked_any<T: Record>(
        &self,
        field: &str,
        target: RecordId,
    ) -> Result<Vec<Entry<T>>, DeviceError> {
        Ok(typed_list(self.view().list_linked(T::SCHEMA.tag, field, target)?))
    }

    /// Records of a kind whose first ordering fields are these: the dwellings of an estate, or of one of its
    /// buildings.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub fn list_under<T: Record>(&self, path: &[&str]) -> Result<Vec<Entry<T>>, DeviceError> {
        not_sensitive::<T>()?;
        Ok(typed_list(self.view().list_prefix(T::SCHEMA.tag, &crate::store::sort_prefix(path))?))
    }

    /// Every field in conflict, with author and time of each value, of any class: for rules of this crate, not for
    /// screens, which ask [`Self::conflicts`].
    pub(crate) fn conflicts_any(&self) -> Result<Vec<ConflictEntry>, DeviceError> {
        let mut out = Vec::new();
        for (_, id, _) in self.view().flagged(flag::CONFLICT)? {
            out.extend(self.conflicts_of_any(id)?);
        }
        Ok(out)
    }

    /// The same of one record.
    pub(crate) fn conflicts_of_any(&self, id: RecordId) -> Result<Vec<ConflictEntry>, DeviceError> {
        let loaded = self.view().record(id)?.ok_or(DeviceError::UnknownRecord { record: id })?;
        let Some(bytes) = loaded.readable() else { return Ok(Vec::new()) };
        let document = Document::load(bytes)?;
        let mut out = Vec::new();
        for found in conflict::conflicts(&document) {
            let mut candidates = Vec::new();
            for candidate in found.candidates {
                let author = self.author_name(candidate.device)?;
                let conflict::Candidate { value, device, at } = candidate;
                candidates.push(Candidate { value, device, author, at });
            }
            out.push(ConflictEntry { record: id, kind: loaded.kind.clone(), field: found.key, candidates });
        }
        Ok(out)
    }

    /// Records that were removed by one and edited by another who had not seen it.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn edited_while_removed(&self) -> Result<Vec<RecordId>, DeviceError> {
        Ok(self.view().flagged(flag::EDITED_WHILE_REMOVED)?.into_iter().map(|(_, id, _)| id).collect())
    }

    /// Records that need a newer build, with the word for their kind.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn unreadable(&self) -> Result<Vec<(RecordId, String)>, DeviceError> {
        Ok(self.view().flagged(flag::UNREADABLE)?.into_iter().map(|(_, id, kind)| (id, kind)).collect())
    }

    /// The streams that this phone holds, in order, and how far each has been pulled.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn streams(&self) -> Result<Vec<(StreamId, u64)>, DeviceError> {
        Ok(self.view().streams()?.into_iter().map(|stream| (stream.id, stream.seq)).collect())
    }

    /// Every record of a stream with its fingerprint, in the order of their identifiers: what two replicas of the
    /// stream are compared by in tests.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn fingerprints(
        &self,
        stream: &StreamId,
    ) -> Result<Vec<(RecordId, gridwalk_replica::digest::Fingerprint)>, DeviceError> {
        let Some(row) = self.view().stream(stream)? else { return Ok(Vec::new()) };
        self.view().members(row.key, None, usize::MAX)
    }

    /// The saved document of a record.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn document(&self, id: RecordId) -> Result<Option<Document>, DeviceError> {
        let loaded = self.view().record(id)?;
        Ok(loaded.as_ref().and_then(|loaded| loaded.readable()).map(Document::load).transpose()?)
    }

    fn author_name(&self, device: DeviceId) -> Result<Option<String>, DeviceError> {
        if self.identity().is_some_and(|identity| identity.device == device) {
            return self.user_name();
        }
        // Asked for conflicts only, so that a walk through the staff (2 µs each) needs no index.
        let key = format!("devices/{device}");
        let staff = self.view().list_kind(Kind::Worker.tag(), None, usize::MAX)?;
        let owner = staff.iter().find(|worker| worker.fields.get(&key) == Some(&Value::Flag(true)));
        Ok(owner.and_then(|worker| worker.fields.get("name")?.as_text().map(str::to_owned)))
    }
}

impl View<'_> {
    /// The stream that a new record probably belongs to: only a hint, the server decides.
    pub(crate) fn hint_for(
        &self,
        kind_tag: &str,
        id: RecordId,
        fields: &Fields,
    ) -> Result<Option<StreamId>, DeviceError> {
        let Some(kind) = Kind::parse(kind_tag) else { return Ok(None) };
        let links = PhoneLinks { view: *self, depth: 0 };
        let wanted = placement::streams(kind.schema(), id, fields, &links);
        let held = self.streams()?;
        let open = |stream: &StreamId| held.iter().any(|row| row.id == *stream && !row.revoking);
        if let Some(stream) = wanted.into_iter().find(|stream| open(stream)) {
            return Ok(Some(stream));
        }
        let class = kind.schema().class;
        let own = held.iter().filter(|row| !row.revoking).map(|row| row.id);
        Ok(own.into_iter().find(|id| matches!(id, StreamId::Area { class: c, .. } if *c == class)))
    }
}

/// What this phone knows of other records, for the guess at a new record's stream.
struct PhoneLinks<'s> {
    view: View<'s>,
    depth: u8,
}

impl placement::Links for PhoneLinks<'_> {
    fn areas_of(&self, record: RecordId) -> BTreeSet<RecordId> {
        let streams = self.view.stream_ids_of(record).unwrap_or_default();
        let areas: BTreeSet<RecordId> = streams
            .into_iter()
            .filter_map(|stream| match stream {
                StreamId::Area { area, class: AccessClass::Base | AccessClass::Sensitive } => Some(area),
                _ => None,
            })
            .collect();
        // A record that was made here and not sent yet is in no stream: guess from its own content.
        if !areas.is_empty() || self.depth >= 4 {
            return areas;
        }
        let Ok(Some(listed)) = self.view.listed(record) else { return areas };
        let Some(kind) = Kind::parse(&listed.kind) else { return areas };
        let deeper = Self { view: self.view, depth: self.depth + 1 };
        placement::areas(kind.schema(), record, &listed.fields, &deeper)
    }

    fn current_referrers(&self, record: RecordId, kind: Kind, field: &str) -> Vec<RecordId> {
        let rows = self.view.list_linked(kind.tag(), field, record).unwrap_or_default();
        let ended = |row: &Listed| row.fields.get("to").is_some_and(|to| !to.is_null());
        rows.into_iter().filter(|row| !ended(row)).map(|row| row.id).collect()
    }
}
