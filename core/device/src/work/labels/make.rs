//! Making, voiding and replacing labels.

use gridwalk_model::label::LabelToken;
use gridwalk_model::records::label::LabelScope;
use gridwalk_model::records::{Dwelling, Label, Record};
use gridwalk_model::{Fields, Kind, RecordId, Timestamp, Value};

use crate::edit::{Edits, Entry, typed_list};
use crate::error::DeviceError;
use crate::store::{Store, View, sort_prefix};
use crate::work::doors::is_gone;

/// What a label hangs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HangsOn {
    /// A door, or a place that is inspected.
    Record(RecordId),
    /// The entrance of a building, as its doors name it.
    Building {
        /// Estate or village; empty where the doors name none.
        estate: String,
        /// Building.
        building: String,
    },
}

/// The label of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeLabel {
    /// Its record.
    pub label: RecordId,
    /// Its token.
    pub token: LabelToken,
    /// What it opens; for a building one of its dwellings.
    pub target: RecordId,
    /// Whether it was made just now; otherwise it was there.
    pub made: bool,
    /// The labels that it stands in for.
    pub replaced: Vec<RecordId>,
}

/// The labels of one thing that open it, the oldest first: two phones that made one each without knowing have made two,
/// and both are good.
struct Existing {
    target: RecordId,
    scope: LabelScope,
    good: Vec<Entry<Label>>,
}

impl View<'_> {
    fn labels_on(&self, target: RecordId) -> Result<Vec<Entry<Label>>, DeviceError> {
        let mut labels = typed_list::<Label>(self.list_linked(Label::SCHEMA.tag, "target", target)?);
        labels.sort_by_key(|entry| entry.id);
        Ok(labels)
    }

    /// The labels of a building, by whichever of its dwellings they name: one that is kept no more still says which
    /// building it was in, and the label at the entrance still opens.
    fn labels_on_building(&self, estate: &str, building: &str) -> Result<Vec<Entry<Label>>, DeviceError> {
        let mut labels = typed_list::<Label>(self.list_kind(Label::SCHEMA.tag, None, usize::MAX)?);
        labels.retain(|entry| scope_of(&entry.record) == LabelScope::Building);
        let mut out = Vec::new();
        for entry in labels {
            let Some(listed) = self.listed(entry.record.target)? else { continue };
            if Dwelling::from_fields(&listed.fields).is_ok_and(|door| is_in(&door, estate, building)) {
                out.push(entry);
            }
        }
        out.sort_by_key(|entry| entry.id);
        Ok(out)
    }

    fn existing(&self, on: &HangsOn) -> Result<Existing, DeviceError> {
        let (target, scope, labels) = match on {
            HangsOn::Record(record) => {
                let unknown = DeviceError::UnknownRecord { record: *record };
                let listed = self.listed(*record)?.filter(|listed| !is_gone(listed)).ok_or(unknown)?;
                if ![Kind::Dwelling.tag(), Kind::Place.tag()].contains(&listed.kind.as_str()) {
                    return Err(DeviceError::WrongKind { record: *record, found: listed.kind });
                }
                (*record, LabelScope::Door, self.labels_on(*record)?)
            }
            HangsOn::Building { estate, building } => {
                let doors = self.doors_of(estate, building)?;
                let first = doors.iter().map(|door| door.id).min().ok_or(DeviceError::NoBuilding)?;
                let labels = self.labels_on_building(estate, building)?;
                (first, LabelScope::Building, labels)
            }
        };
        let good =
            |entry: &Entry<Label>| entry.record.voided_at.is_none() && scope_of(&entry.record) == scope;
        Ok(Existing { target, good: labels.into_iter().filter(good).collect(), scope })
    }

    fn doors_of(&self, estate: &str, building: &str) -> Result<Vec<Entry<Dwelling>>, DeviceError> {
        let rows = self.list_prefix(Kind::Dwelling.tag(), &sort_prefix(&[estate, building]))?;
        let doors = typed_list::<Dwelling>(rows).into_iter();
        Ok(doors.filter(|door| is_in(&door.record, estate, building)).collect())
    }
}

/// Numbers that sort alike ("3" and "03") are not the same building.
fn is_in(door: &Dwelling, estate: &str, building: &str) -> bool {
    let same = |text: &Option<String>, wanted: &str| text.as_deref().unwrap_or_default() == wanted;
    same(&door.estate, estate) && same(&door.building, building)
}

/// What a label stands for; a word of a newer build stands for the door.
pub(super) fn scope_of(label: &Label) -> LabelScope {
    match label.scope {
        Some(LabelScope::Building) => LabelScope::Building,
        _ => LabelScope::Door,
    }
}

/// The label of something: the one that it has, or a new one.
pub(super) fn label_for(edits: &mut Edits<'_, '_>, on: &HangsOn) -> Result<MadeLabel, DeviceError> {
    let existing = edits.view().existing(on)?;
    let read = |entry: &Entry<Label>| Some((entry.id, entry.record.target, entry.record.token.parse().ok()?));
    match existing.good.iter().find_map(read) {
        Some((label, target, token)) => {
            Ok(MadeLabel { label, token, target, made: false, replaced: Vec::new() })
        }
        None => make(edits, &existing),
    }
}

fn make(edits: &mut Edits<'_, '_>, on: &Existing) -> Result<MadeLabel, DeviceError> {
    let token = LabelToken::from_random(edits.tx().random()?);
    let made_by = edits.tx().identity()?.user;
    let label = edits.create(&Label {
        token: token.to_string(),
        target: on.target,
        scope: Some(on.scope.clone()),
        made_by,
        made_at: edits.now(),
        voided_at: None,
    })?;
    Ok(MadeLabel { label, token, target: on.target, made: true, replaced: Vec::new() })
}

fn void(edits: &mut Edits<'_, '_>, label: RecordId, at: Value) -> Result<bool, DeviceError> {
    let found = edits.get::<Label>(label)?.ok_or(DeviceError::UnknownRecord { record: label })?;
    // Since when it is void does not change by voiding it again.
    if found.record.voided_at.is_some() != at.is_null() {
        return Ok(false);
    }
    edits.edit(label, &Fields::from([("voided_at".to_owned(), at)]))
}

impl Store {
    /// The label of a door, a place or a building. Made once: the next call gives the same until it is voided.
    ///
    /// # Errors
    /// [`DeviceError::UnknownRecord`], [`DeviceError::WrongKind`], [`DeviceError::NoBuilding`], those of an edit.
    pub fn make_label(&mut self, on: &HangsOn, now: Timestamp) -> Result<MadeLabel, DeviceError> {
        self.edits(now, |edits| label_for(edits, on))
    }

    /// Every label that was ever made for a door or place, the oldest first; those of its building included, where it
    /// is the dwelling that they name.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn labels_of(&self, target: RecordId) -> Result<Vec<Entry<Label>>, DeviceError> {
        self.view().labels_on(target)
    }

    /// Voids a label that was lost, torn off or hung up at the wrong door: it opens nothing any more, and says so.
    /// Returns whether it was good. [`Self::restore_label`] takes it back.
    ///
    /// # Errors
    /// [`DeviceError::UnknownRecord`], those of an edit.
    pub fn void_label(&mut self, label: RecordId, now: Timestamp) -> Result<bool, DeviceError> {
        self.edits(now, |edits| void(edits, label, Value::Time(now)))
    }

    /// A label that was voided by mistake is good again. Returns whether it was void.
    ///
    /// # Errors
    /// As [`Self::void_label`].
    pub fn restore_label(&mut self, label: RecordId, now: Timestamp) -> Result<bool, DeviceError> {
        self.edits(now, |edits| void(edits, label, Value::Null))
    }

    /// Voids every good label of something and makes a new one.
    ///
    /// # Errors
    /// As [`Self::make_label`].
    pub fn replace_label(&mut self, on: &HangsOn, now: Timestamp) -> Result<MadeLabel, DeviceError> {
        self.edits(now, |edits| {
            let existing = edits.view().existing(on)?;
            let mut replaced = Vec::new();
            for label in &existing.good {
                void(edits, label.id, Value::Time(now))?;
                replaced.push(label.id);
            }
            Ok(MadeLabel { replaced, ..make(edits, &existing)? })
        })
    }
}
