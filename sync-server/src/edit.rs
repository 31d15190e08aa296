//! The server's own edits: officers' acts, imports, the staff directory. They go through the same documents and
//! the same [`crate::sync::Landing`] as pushes do, under the server's actor of the epoch, inside the writing
//! transaction, which is the lock.

use gridwalk_model::{Fields, Kind, RecordId, Timestamp, forbidden};
use gridwalk_replica::digest::Fingerprint;
use gridwalk_replica::{Actor, Document, DocumentError};

use crate::storage::records::RecordHead;
use crate::storage::{ReadTx, StorageError, WriteTx};
use crate::sync::{Landed, Landing, State, follow_up, server_actor};

/// Why an edit was not made.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// There is no such record.
    #[error("no such record")]
    NotFound,
    /// The record is of a kind that this build does not know.
    #[error("record is of a newer schema")]
    UnknownKind,
    /// It says what this product does not keep about people; see [`forbidden`].
    #[error("field `{field}` says what is not kept")]
    Forbidden {
        /// The field.
        field: String,
    },
    /// The document refused.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// One transaction's edits. Call [`Self::finish`] before the transaction ends.
pub struct Edits<'t> {
    tx: &'t mut dyn WriteTx,
    landing: Landing,
    actor: Actor,
    now: Timestamp,
}

impl<'t> Edits<'t> {
    /// Begins.
    ///
    /// # Errors
    /// A failure of the store.
    pub fn begin(tx: &'t mut dyn WriteTx, now: Timestamp) -> Result<Self, StorageError> {
        let actor = server_actor(&tx.server()?);
        Ok(Self { tx, landing: Landing::new(now), actor, now })
    }

    /// The transaction.
    pub fn tx(&mut self) -> &mut dyn WriteTx {
        self.tx
    }

    /// Makes a record.
    ///
    /// # Errors
    /// See [`EditError`].
    pub fn create(&mut self, id: RecordId, kind: Kind, fields: &Fields) -> Result<(), EditError> {
        check_kept(kind, fields)?;
        let (document, change) = Document::create(id, kind, fields, self.actor, self.now)?;
        self.land(id, kind, None, &document, vec![change.raw])
    }

    /// Writes those fields of a record that differ. Returns whether any did.
    ///
    /// # Errors
    /// See [`EditError`].
    pub fn update(&mut self, id: RecordId, fields: &Fields) -> Result<bool, EditError> {
        let head = self.tx.record(id)?.ok_or(EditError::NotFound)?;
        let kind = Kind::parse(&head.kind).ok_or(EditError::UnknownKind)?;
        check_kept(kind, fields)?;
        let mut document = Document::load(&self.tx.snapshot(head.no)?)?;
        let Some(change) = document.edit(fields, self.actor, self.now)? else { return Ok(false) };
        let mut raws = vec![change.raw];
        raws.extend(follow_up::add(&*self.tx, &mut document, kind, self.actor, self.now)?);
        self.land(id, kind, Some(&head), &document, raws)?;
        Ok(true)
    }

    fn land(
        &mut self,
        id: RecordId,
        kind: Kind,
        head: Option<&RecordHead>,
        document: &Document,
        raws: Vec<Vec<u8>>,
    ) -> Result<(), EditError> {
        let state = State::of(document);
        let snapshot = document.save();
        let batches = [raws.iter().map(Vec::as_slice).collect()];
        let record = Landed {
            id,
            kind,
            head,
            fields: &state.fields,
            shown: state.shown,
            snapshot: &snapshot,
            fingerprint: Fingerprint::of(id, &document.heads()),
            batches: &batches,
            hint: None,
        };
        let members = head.map(|head| self.tx.memberships(head.no)).transpose()?.unwrap_or_default();
        let streams = Landing::destination(self.tx, &record, &members)?;
        self.landing.land(self.tx, &record, &members, &streams)?;
        Ok(())
    }

    /// Places again what follows, and writes where the streams stand.
    ///
    /// # Errors
    /// A failure of the store.
    pub fn finish(self) -> Result<(), StorageError> {
        self.landing.finish(self.tx)
    }
}

/// Officers and files are held to the rule that admission holds devices to.
fn check_kept(kind: Kind, fields: &Fields) -> Result<(), EditError> {
    match forbidden::in_fields(kind, fields) {
        Some(field) => Err(EditError::Forbidden { field }),
        None => Ok(()),
    }
}

/// The content of a record; `None` if there is no such record.
///
/// # Errors
/// See [`EditError`].
pub fn read(tx: &dyn ReadTx, id: RecordId) -> Result<Option<(RecordHead, Document)>, EditError> {
    let Some(head) = tx.record(id)? else { return Ok(None) };
    let document = Document::load(&tx.snapshot(head.no)?)?;
    Ok(Some((head, document)))
}
