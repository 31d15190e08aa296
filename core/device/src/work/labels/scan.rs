//! From a code to what it opens.

use gridwalk_model::label::LabelToken;
use gridwalk_model::records::label::LabelScope;
use gridwalk_model::records::{Dwelling, Label, Record};
use gridwalk_model::{Kind, RecordId};

use super::make::scope_of;
use crate::edit::{Entry, typed_list};
use crate::error::DeviceError;
use crate::store::{Store, View, sort_prefix};
use crate::work::doors::is_gone;

/// What a code that was scanned opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScannedLabel {
    /// A door.
    Door {
        /// The label.
        label: RecordId,
        /// The dwelling.
        dwelling: RecordId,
    },
    /// A place.
    Place {
        /// The label.
        label: RecordId,
        /// The place.
        place: RecordId,
    },
    /// The board of a building.
    Building {
        /// The label.
        label: RecordId,
        /// Estate or village; empty where it has none.
        estate: String,
        /// Building.
        building: String,
    },
    /// A label of these grids that is void, or whose door is not kept any more.
    Void {
        /// The label.
        label: RecordId,
        /// What it opened: another label may hang there now.
        target: RecordId,
    },
    /// A label that this phone does not know: of another grid, or made on another phone and not here yet.
    NotHere,
    /// Any other code.
    NotALabel,
}

impl ScannedLabel {
    /// What to tell the worker where nothing opens, in Chinese; empty where something does.
    pub const fn zh(&self) -> &'static str {
        match self {
            Self::Void { .. } => "该二维码标牌已作废",
            Self::NotHere => "该二维码标牌不在您的网格内，或尚未同步到本机",
            Self::NotALabel => "不是本系统的二维码标牌",
            _ => "",
        }
    }

    /// The same in English.
    pub const fn en(&self) -> &'static str {
        match self {
            Self::Void { .. } => "This label is void",
            Self::NotHere => "This label is not of your grids, or has not reached this phone yet",
            Self::NotALabel => "Not a label of this system",
            _ => "",
        }
    }

    /// Whether it opens something.
    pub const fn opens(&self) -> bool {
        matches!(self, Self::Door { .. } | Self::Place { .. } | Self::Building { .. })
    }
}

impl View<'_> {
    /// See [`Store::scan_label`].
    pub(in crate::work) fn scan_label(&self, text: &str) -> Result<ScannedLabel, DeviceError> {
        let Ok(token) = LabelToken::from_scan(text) else { return Ok(ScannedLabel::NotALabel) };
        let token = token.to_string();
        let labels = typed_list::<Label>(self.list_prefix(Label::SCHEMA.tag, &sort_prefix(&[&token]))?);
        // Numbers are padded for sorting, so that others may stand at the same place. And a token that somebody copied
        // into a record of their own opens what it was made for.
        let same = labels.into_iter().filter(|entry| entry.record.token == token);
        let Some(found) = same.min_by_key(|entry| entry.id) else { return Ok(ScannedLabel::NotHere) };
        self.opened_by(&found)
    }

    fn opened_by(&self, found: &Entry<Label>) -> Result<ScannedLabel, DeviceError> {
        let (label, target) = (found.id, found.record.target);
        let void = ScannedLabel::Void { label, target };
        if found.record.voided_at.is_some() {
            return Ok(void);
        }
        let Some(listed) = self.listed(target)? else { return Ok(ScannedLabel::NotHere) };
        if scope_of(&found.record) == LabelScope::Building {
            // The building stands even where the one dwelling that names it is kept no more.
            let Ok(dwelling) = Dwelling::from_fields(&listed.fields) else { return Ok(void) };
            let (estate, building) = (dwelling.estate, dwelling.building);
            return Ok(ScannedLabel::Building {
                label,
                estate: estate.unwrap_or_default(),
                building: building.unwrap_or_default(),
            });
        }
        Ok(match Kind::parse(&listed.kind) {
            _ if is_gone(&listed) => void,
            Some(Kind::Dwelling) => ScannedLabel::Door { label, dwelling: target },
            Some(Kind::Place) => ScannedLabel::Place { label, place: target },
            _ => void,
        })
    }
}

impl Store {
    /// What a scanned code opens, or a token that was typed in from beneath it: one look into an index, without the
    /// network.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn scan_label(&self, text: &str) -> Result<ScannedLabel, DeviceError> {
        self.view().scan_label(text)
    }

    /// What the codes in one frame of the camera open: the first that opens something, else the first that is a label.
    /// `None` for a frame without codes.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn scan_labels(&self, texts: &[String]) -> Result<Option<ScannedLabel>, DeviceError> {
        let mut best: Option<ScannedLabel> = None;
        for text in texts {
            let found = self.scan_label(text)?;
            if found.opens() {
                return Ok(Some(found));
            }
            if best.as_ref().is_none_or(|best| *best == ScannedLabel::NotALabel) {
                best = Some(found);
            }
        }
        Ok(best)
    }
}
