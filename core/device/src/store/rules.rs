//! The deployment's limits and rules for events. The latter are held ready: what is due and found among events is drawn
//! by them.

use gridwalk_model::Timestamp;
use gridwalk_model::event::EventRules;
use gridwalk_model::field_rules::FieldRules;
use gridwalk_model::local_time::LocalTime;
use jiff::civil::Date;

use super::{Setting, Store, Tx, View};
use crate::error::DeviceError;

impl<'s> View<'s> {
    /// The limits; the product's own where none were set, or where a newer build set them.
    pub(crate) fn field_rules(&self) -> Result<FieldRules, DeviceError> {
        let stored = self.get(Setting::FieldRules)?;
        Ok(stored.and_then(|bytes| FieldRules::from_bytes(&bytes).ok()).unwrap_or_default())
    }

    /// The local day of a moment.
    ///
    /// # Errors
    /// [`DeviceError::Bug`] for a clock beyond the year 9999, failures of SQLite.
    pub(crate) fn local_day(&self, at: Timestamp) -> Result<Date, DeviceError> {
        day_in(self.field_rules()?.local(), at)
    }

    /// The rules by which events are folded, named and sorted here: the server's, and the starter ones before it gave
    /// any.
    pub(crate) const fn event_rules(&self) -> &'s EventRules {
        self.event_rules
    }

    /// The same as the settings have them; the starter ones also where a newer build stored what this one cannot use.
    pub(super) fn stored_event_rules(&self) -> Result<EventRules, DeviceError> {
        let text = self.get_text(Setting::EventRules)?;
        let rules = text.and_then(|text| EventRules::parse(&text).ok()).unwrap_or_default();
        Ok(rules.with_limits(&self.field_rules()?))
    }
}

/// The day of a moment.
///
/// # Errors
/// [`DeviceError::Bug`] for a clock beyond the year 9999.
pub(crate) fn day_in(local: LocalTime, at: Timestamp) -> Result<Date, DeviceError> {
    local.day_of(at).ok_or(DeviceError::Bug("the clock is out of range"))
}

impl Tx<'_> {
    /// Stores rules for events; they count with this transaction's end.
    pub(crate) fn put_event_rules(&mut self, rules: &EventRules) -> Result<(), DeviceError> {
        self.put(Setting::EventRules, rules.to_json().as_bytes())?;
        self.renew_event_rules()
    }

    /// Stores the limits; those for events count with this transaction's end.
    pub(crate) fn put_field_rules(&mut self, rules: &FieldRules) -> Result<(), DeviceError> {
        if self.field_rules()?.local() != rules.local() {
            self.touch_all_visits();
        }
        self.put(Setting::FieldRules, &rules.to_bytes())?;
        self.renew_event_rules()
    }

    /// After the settings changed: if other rules follow from them, all events and orders are drawn anew.
    fn renew_event_rules(&mut self) -> Result<(), DeviceError> {
        let rules = self.stored_event_rules()?;
        let old = self.new_event_rules.take();
        let old = old.as_ref().unwrap_or(self.view.event_rules);
        if rules != *old {
            self.redraw_by_rules(old, &rules)?;
        }
        self.new_event_rules = Some(rules);
        Ok(())
    }
}

impl Store {
    /// The deployment's rules for events: categories for a screen, deadlines, limits.
    pub fn event_rules(&self) -> &EventRules {
        &self.event_rules
    }
}
