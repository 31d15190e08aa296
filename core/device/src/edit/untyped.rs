//! Records as fields, for callers that learn the kind at run time. What is sensitive is refused here as it is in typed
//! reads.

use gridwalk_model::{Fields, Kind, RecordId};

use super::{Entry, Page, PageCursor};
use crate::error::DeviceError;
use crate::keeping::sensitive::is_sensitive;
use crate::store::{Listed, Store};

fn untyped(listed: Listed) -> Entry<Fields> {
    Entry { id: listed.id, record: listed.fields, state: listed.state }
}

impl Store {
    /// The fields of one record of any kind that is not sensitive, with the word for the kind.
    ///
    /// # Errors
    /// [`DeviceError::NoPurpose`] for a record of the sensitive class, failures of SQLite.
    pub fn fields(&self, id: RecordId) -> Result<Option<(String, Fields)>, DeviceError> {
        let found = self.fields_any(id)?;
        if found.as_ref().is_some_and(|(tag, _)| is_sensitive(tag)) {
            return Err(DeviceError::NoPurpose);
        }
        Ok(found)
    }

    /// The same of any class: for rules of this crate, not for screens.
    pub(crate) fn fields_any(&self, id: RecordId) -> Result<Option<(String, Fields)>, DeviceError> {
        Ok(self.view().listed(id)?.map(|listed| (listed.kind, listed.fields)))
    }

    /// One record as fields with the word for its kind, and what is to be known beside them.
    ///
    /// # Errors
    /// As [`Self::fields`].
    pub fn get_fields(&self, id: RecordId) -> Result<Option<(String, Entry<Fields>)>, DeviceError> {
        let found = self.get_fields_any(id)?;
        if found.as_ref().is_some_and(|(tag, _)| is_sensitive(tag)) {
            return Err(DeviceError::NoPurpose);
        }
        Ok(found)
    }

    /// The same of any class: for rules of this crate, not for screens.
    pub(crate) fn get_fields_any(
        &self,
        id: RecordId,
    ) -> Result<Option<(String, Entry<Fields>)>, DeviceError> {
        Ok(self.view().listed(id)?.map(|listed| (listed.kind.clone(), untyped(listed))))
    }

    /// [`Self::list`] as fields. Records that need a newer build are told with the fields that can be read.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub fn list_fields(
        &self,
        kind: Kind,
        after: Option<&PageCursor>,
        limit: usize,
    ) -> Result<Page<Fields>, DeviceError> {
        if is_sensitive(kind.tag()) {
            return Err(DeviceError::NoPurpose);
        }
        self.list_fields_any(kind, after, limit)
    }

    /// The same of any class: for rules of this crate, not for screens.
    pub(crate) fn list_fields_any(
        &self,
        kind: Kind,
        after: Option<&PageCursor>,
        limit: usize,
    ) -> Result<Page<Fields>, DeviceError> {
        let (rows, next) = self.page(kind, after, limit)?;
        Ok(Page { entries: rows.into_iter().map(untyped).collect(), next })
    }

    /// [`Self::list_linked`] as fields, of any class: for rules of this crate, not for screens.
    pub(crate) fn list_fields_linked_any(
        &self,
        kind: Kind,
        field: &str,
        target: RecordId,
    ) -> Result<Vec<Entry<Fields>>, DeviceError> {
        let rows = self.view().list_linked(kind.tag(), field, target)?;
        Ok(rows.into_iter().map(untyped).collect())
    }
}
