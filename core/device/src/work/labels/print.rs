//! What stands on labels that are printed.

use gridwalk_evidence::SheetLabel;
use gridwalk_model::records::{Dwelling, Place, Record};
use gridwalk_model::{RecordId, Timestamp};

use super::make::{HangsOn, label_for};
use crate::edit::Edits;
use crate::error::DeviceError;
use crate::store::{Setting, Store};

impl Store {
    /// Labels to print, in the order in which they are named; those that are missing are made, all or none. Each has the
    /// address of the residents' page for its code, the door as its caption, no name of anybody, and its token to type
    /// in. [`gridwalk_evidence::LabelSheet`] draws them.
    ///
    /// # Errors
    /// [`DeviceError::NotEnrolled`] while the phone does not know its server, and those of [`Self::make_label`].
    pub fn labels_to_print(
        &mut self,
        things: &[HangsOn],
        now: Timestamp,
    ) -> Result<Vec<SheetLabel>, DeviceError> {
        let server = self.view().get_text(Setting::ServerUrl)?.ok_or(DeviceError::NotEnrolled)?;
        self.edits(now, |edits| {
            let mut out = Vec::with_capacity(things.len());
            for on in things {
                let made = label_for(edits, on)?;
                out.push(SheetLabel {
                    text: made.token.url(&server),
                    caption: caption(edits, on, made.target)?,
                    note: made.token.grouped(),
                });
            }
            Ok(out)
        })
    }
}

/// How a door is named on its label: 3栋2单元501.
fn caption(edits: &Edits<'_, '_>, on: &HangsOn, target: RecordId) -> Result<String, DeviceError> {
    if let HangsOn::Building { estate, building } = on {
        return Ok(format!("{estate}{building}"));
    }
    let Some(listed) = edits.view().listed(target)? else { return Ok(String::new()) };
    if listed.kind == Place::SCHEMA.tag {
        return Ok(Place::from_fields(&listed.fields).map(|place| place.name).unwrap_or_default());
    }
    let Ok(door) = Dwelling::from_fields(&listed.fields) else { return Ok(String::new()) };
    let parts = [door.building, door.unit, door.room];
    let plain: String = parts.into_iter().flatten().collect();
    Ok(if plain.is_empty() { door.address.or(door.estate).unwrap_or_default() } else { plain })
}
