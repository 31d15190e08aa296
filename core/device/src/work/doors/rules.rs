//! The deployment's rules for doors, as this phone was given them.

use gridwalk_model::Timestamp;
use gridwalk_model::doors::DoorRules;
use jiff::civil::Date;

use super::DoorProblem;
use crate::error::DeviceError;
use crate::store::{Commit, Setting, Store, View};

impl Store {
    /// The rules for doors; those of the starter file until others were set.
    ///
    /// # Errors
    /// Failures of SQLite; [`DoorProblem::Rules`] where a newer build stored what this one cannot use.
    pub fn door_rules(&self) -> Result<DoorRules, DeviceError> {
        of(&self.view())
    }

    /// Takes a file of rules, as `schemas/rules/doors.json` shows it.
    ///
    /// # Errors
    /// [`DoorProblem::Rules`] with what is wrong; then the old rules stay.
    pub fn set_door_rules(&mut self, json: &str) -> Result<(), DeviceError> {
        let rules = DoorRules::parse(json).map_err(DoorProblem::Rules)?;
        self.write(Commit::Setting, |tx| tx.put(Setting::DoorRules, rules.to_json().as_bytes()))
    }
}

pub(super) fn of(view: &View<'_>) -> Result<DoorRules, DeviceError> {
    match view.get_text(Setting::DoorRules)? {
        Some(text) => Ok(DoorRules::parse(&text).map_err(DoorProblem::Rules)?),
        None => Ok(DoorRules::default()),
    }
}

/// The local day of `now`.
pub(super) fn day_of(view: &View<'_>, now: Timestamp) -> Result<Date, DeviceError> {
    Ok(view.field_rules()?.local().day_of(now).ok_or(DoorProblem::Clock)?)
}

/// The moment `days` before `now`.
pub(super) const fn days_before(now: Timestamp, days: u32) -> Timestamp {
    now.plus_days(-(days as i64))
}
