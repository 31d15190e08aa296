//! Taking a settlement back. What it wrote is written back as far as nobody has touched it since; what cannot be taken
//! back says so before it is tried ([`Undo::is_final`]).

use gridwalk_model::schema::REMOVED_KEY;
use gridwalk_model::{ContentHash, FieldPolicy, Fields, Kind, RecordId, Timestamp, Value};

use crate::edit::Edits;
use crate::error::DeviceError;
use crate::store::{Commit, RefusedEdit, Store, View};
use crate::work::evidence::RemovedPhoto;

/// Source under which the tray remembers a removed record that is to be decided again.
pub(super) const UNDECIDED: &str = "undecided";

/// Why a settlement was not taken back; nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotUndone {
    /// What it wrote was changed since, or something was built on it.
    ChangedSince,
    /// It cannot be taken back: the bytes are gone, or an entry was added where none is ever taken out.
    Final,
}

impl NotUndone {
    /// The reason, in Chinese.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::ChangedSince => "之后已有新的修改，不能撤销",
            Self::Final => "该操作不能撤销",
        }
    }

    /// The reason, in English.
    pub const fn en(self) -> &'static str {
        match self {
            Self::ChangedSince => "It was changed since and cannot be undone",
            Self::Final => "This cannot be undone",
        }
    }
}

/// One thing that a settlement did.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// It took edits off the list of those that were not accepted; with `anew`, their record goes by this name.
    Struck { edits: Vec<RefusedEdit>, anew: Option<RecordId> },
    /// It wrote a field.
    Wrote { record: RecordId, key: String, before: Value, after: Value },
    /// It made a record.
    Made { record: RecordId, fields: Fields },
    /// It decided about a record that one had removed and another edited.
    Decided { record: RecordId, removed: bool },
    /// It was taken note of.
    Noted { of: RecordId, what: &'static str },
    /// It took a photo off its record.
    TakenOff { removed: RemovedPhoto },
    /// It let a medium go unsent; `here` says whether its bytes were on this phone.
    Dropped { hash: ContentHash, here: bool },
    /// Nothing brings it back.
    Final,
}

/// What takes a settlement back: given to [`Store::undo_settlement`]. Kept by the screen that settled; it does not
/// outlive the app.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Undo {
    pub(super) steps: Vec<Step>,
}

impl Undo {
    /// Whether it cannot be taken back, whatever happens: then a screen offers no way.
    pub fn is_final(&self) -> bool {
        self.steps.contains(&Step::Final)
    }

    pub(super) fn of(step: Step) -> Self {
        Self { steps: vec![step] }
    }
}

const fn not(why: NotUndone) -> DeviceError {
    DeviceError::CannotUndo { why }
}

/// The write that brings a field back; an element of a set that was not there is taken out.
fn back(key: &str, before: &Value) -> (String, Value) {
    if !before.is_null() || !key.contains('/') {
        (key.to_owned(), before.clone())
    } else if key.ends_with("/removed") {
        (key.to_owned(), Value::Flag(false))
    } else {
        (format!("{key}/removed"), Value::Flag(true))
    }
}

impl View<'_> {
    /// What a write of `after` is taken back by, as the record stands before it.
    pub(super) fn written(
        &self,
        record: RecordId,
        key: &str,
        after: &Value,
    ) -> Result<Option<Step>, DeviceError> {
        let Some(listed) = self.listed(record)? else { return Ok(None) };
        let before = listed.fields.get(key).cloned().unwrap_or(Value::Null);
        let schema = Kind::parse(&listed.kind).map(Kind::schema);
        let policy = schema.and_then(|schema| schema.field_of_key(key)).map(|(field, _)| field.policy);
        if matches!(policy, Some(FieldPolicy::AppendOnly | FieldPolicy::CreateOnly)) {
            return Ok(Some(Step::Final));
        }
        Ok(Some(Step::Wrote { record, key: key.to_owned(), before, after: after.clone() }))
    }
}

impl Store {
    /// Takes a settlement back. What was given up is in the tray again; a field says what it showed before; a record
    /// that was sent again is removed and in the tray under another name; a record that was kept or removed is to be
    /// decided again. A conflict stays settled: the values that were not shown are in its history only.
    ///
    /// # Errors
    /// [`DeviceError::CannotUndo`] with the reason, those of an edit; then nothing was written.
    pub fn undo_settlement(&mut self, undo: Undo, now: Timestamp) -> Result<(), DeviceError> {
        undo.steps.iter().try_for_each(|step| self.check_undo(step))?;
        if let [Step::TakenOff { removed }] = undo.steps.as_slice() {
            return self.restore_photo(removed.clone(), now);
        }
        self.write(Commit::Edit, |tx| {
            undo.steps.into_iter().try_for_each(|step| take_back(&mut Edits::over(tx, now), step))
        })
    }

    fn check_undo(&self, step: &Step) -> Result<(), DeviceError> {
        let untouched = match step {
            Step::Final => return Err(not(NotUndone::Final)),
            Step::Struck { .. } | Step::Noted { .. } => true,
            Step::TakenOff { removed } => self.fields(removed.record)?.is_some(),
            Step::Dropped { hash, here } => {
                self.view().is_dropped(hash)? && (!here || self.media_len(hash)?.is_some())
            }
            Step::Wrote { record, key, after, .. } => {
                let Some((_, fields)) = self.fields(*record)? else {
                    return Err(not(NotUndone::ChangedSince));
                };
                let disputed = self.conflicts_of_any(*record)?.iter().any(|conflict| conflict.field == *key);
                !disputed && fields.get(key).unwrap_or(&Value::Null) == after
            }
            Step::Made { record, fields } => self.is_as_made(*record, fields)?,
            Step::Decided { record, removed } => {
                let listed = self.view().listed(*record)?;
                listed.is_some_and(|listed| {
                    let flag = listed.fields.get(REMOVED_KEY) == Some(&Value::Flag(true));
                    flag == *removed && !listed.state.edited_while_removed
                })
            }
        };
        if untouched { Ok(()) } else { Err(not(NotUndone::ChangedSince)) }
    }

    /// Whether a record says nothing but what it was made of, and nothing names it.
    fn is_as_made(&self, record: RecordId, made: &Fields) -> Result<bool, DeviceError> {
        let Some((_, fields)) = self.fields_any(record)? else { return Ok(false) };
        let own = |key: &str| !matches!(key, "id" | "kind" | "v");
        let same = fields.iter().filter(|(key, value)| own(key) && !value.is_null()).eq(made.iter());
        Ok(same && self.view().referrer(record)?.is_none())
    }
}

fn take_back(edits: &mut Edits<'_, '_>, step: Step) -> Result<(), DeviceError> {
    match step {
        Step::Final | Step::TakenOff { .. } => Err(not(NotUndone::Final)),
        Step::Dropped { hash, here } => edits.tx().take_up_upload(&hash, here),
        Step::Struck { edits: struck, anew } => struck.into_iter().try_for_each(|edit| {
            let record = anew.unwrap_or(edit.record);
            edits.tx().list_refused(record, &edit.kind, &edit.field, &edit.value, edit.reason, edit.at)
        }),
        Step::Wrote { record, key, before, .. } => {
            edits.edit(record, &Fields::from([back(&key, &before)])).map(drop)
        }
        Step::Made { record, .. } => edits.remove(record).map(drop),
        Step::Decided { record, removed } => {
            if removed {
                edits.restore(record)?;
            }
            let now = edits.now();
            edits.tx().note_seen_at(record, UNDECIDED, now)
        }
        Step::Noted { of, what } => edits.tx().forget_seen(of, what),
    }
}
