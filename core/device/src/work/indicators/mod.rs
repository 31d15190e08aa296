//! My week: figures with the evidence behind each, from this phone's own records.

mod facts;
#[cfg(test)]
mod tests;

use gridwalk_model::indicators::{Figure, Week, my_week};
use gridwalk_model::{RecordId, Timestamp};

use crate::error::DeviceError;
use crate::store::Store;

/// A worker's week in one grid, beside the week before: the same area, and as long a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MyWeek {
    /// The grid.
    pub area: RecordId,
    /// The week.
    pub week: Week,
    /// Its figures, each with that of the week before.
    pub figures: Vec<(Figure, Figure)>,
}

impl Store {
    /// The figures of the worker's week that `at` lies in, for one grid, as this phone's records show it.
    ///
    /// # Errors
    /// [`DeviceError::NotEnrolled`], failures of SQLite.
    pub fn my_week(&self, area: RecordId, at: Timestamp) -> Result<MyWeek, DeviceError> {
        let me = self.identity().ok_or(DeviceError::NotEnrolled)?.user;
        let no_such = DeviceError::Bug("the clock is out of range");
        let rules = self.field_rules()?;
        let week = Week::of(at, rules.local()).ok_or(no_such)?;
        let before = week.before().ok_or(DeviceError::Bug("the clock is out of range"))?;
        let mut facts = self.week_facts(area, &week, rules.local())?;
        let figures = my_week(&facts, &week, me, &rules);
        facts.due = self.due_in(&before, &facts)?;
        let earlier = my_week(&facts, &before, me, &rules);
        Ok(MyWeek { area, week, figures: figures.into_iter().zip(earlier).collect() })
    }
}
