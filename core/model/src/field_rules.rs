//! What a deployment decides about a worker's day: limits and numbers, as data that is edited without a release.

mod file;

pub use file::FieldRulesError;

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use crate::codec::{self, CodecError};
use crate::time::Timestamp;

/// Milliseconds of a day.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// Limits that the phone's core works with. The defaults are those of the product's design; the numbers to call are
/// the national ones, for a deployment to replace.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct FieldRules {
    /// Minutes that local time is ahead of UTC.
    #[n(0)]
    pub utc_offset_minutes: i32,
    /// Metres within which a report of the same category may be the same problem.
    #[n(1)]
    pub near_metres: u32,
    /// Days within which it may be.
    #[n(2)]
    pub near_days: u32,
    /// Metres within which a position shows that somebody is on site, outdoors.
    #[n(3)]
    pub site_metres: u32,
    /// Days from "put right" until somebody should have looked on site.
    #[n(4)]
    pub verify_days: u32,
    /// Days from "started checking" until the check should be finished.
    #[n(5)]
    pub check_days: u32,
    /// Days from closing until the look-back.
    #[n(6)]
    pub look_back_days: u32,
    /// Days for which a report that was not taken on stays on the list of its reporter.
    #[n(7)]
    pub rejected_days: u32,
    /// Days that the list of what is due looks ahead; for visits [`crate::visits::Cadence::soon_days`] counts.
    #[n(8)]
    pub ahead_days: u32,
    /// Days for which a report, a draft of a visit or a patrol that was thrown away can be taken back.
    #[n(9)]
    pub discarded_days: u32,
    /// Whom to call about an urgent report that cannot be sent, by category.
    #[n(10)]
    pub calls: BTreeMap<String, String>,
    /// Whom to call about any other; `None` offers no call.
    #[n(11)]
    pub call: Option<String>,
    /// Days for which a photo, voice note or track may wait before the worker is told.
    #[n(12)]
    pub media_late_days: u32,
}

impl Default for FieldRules {
    fn default() -> Self {
        let calls = [
            ("fire_exit_blocked", "119"),
            ("gas_leak", "119"),
            ("elevator_trapped", "119"),
            ("power_line", "95598"),
        ];
        Self {
            utc_offset_minutes: 480,
            near_metres: 50,
            near_days: 14,
            site_metres: 100,
            verify_days: 2,
            check_days: 1,
            look_back_days: 30,
            rejected_days: 7,
            ahead_days: 3,
            discarded_days: 1,
            calls: calls.map(|(category, number)| (category.to_owned(), number.to_owned())).into(),
            call: Some("12345".to_owned()),
            // A weekend shift and the Wi-Fi at home.
            media_late_days: 2,
        }
    }
}

impl FieldRules {
    /// The encoded form.
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::to_bytes(self)
    }

    /// Reads the encoded form; keys of a newer version are skipped.
    ///
    /// # Errors
    /// Where the bytes stop being such rules.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::from_bytes(bytes)
    }

    /// The first moment of the local day of `at`.
    pub fn day_start(&self, at: Timestamp) -> Timestamp {
        let offset = i64::from(self.utc_offset_minutes) * 60_000;
        let local = at.millis().saturating_add(offset);
        Timestamp::from_millis(local.saturating_sub(local.rem_euclid(DAY_MS)).saturating_sub(offset))
    }

    /// The last millisecond of the local day of `at`.
    pub fn day_end(&self, at: Timestamp) -> Timestamp {
        self.day_start(at).plus_millis(DAY_MS - 1)
    }

    /// The calendar day of `at`; `None` beyond the years that a calendar has.
    pub fn day_of(&self, at: Timestamp) -> Option<jiff::civil::Date> {
        let local = at.plus_millis(i64::from(self.utc_offset_minutes) * 60_000);
        let instant = jiff::Timestamp::from_millisecond(local.millis()).ok()?;
        Some(instant.to_zoned(jiff::tz::TimeZone::UTC).date())
    }

    /// The first moment of a calendar day, local time.
    pub fn start_of(&self, day: jiff::civil::Date) -> Option<Timestamp> {
        let midnight = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond();
        let offset = i64::from(self.utc_offset_minutes) * 60_000;
        Some(Timestamp::from_millis(midnight.saturating_sub(offset)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rules_read_back_and_a_day_begins_at_local_midnight() {
        let rules = FieldRules::default();
        assert_eq!(FieldRules::from_bytes(&rules.to_bytes()), Ok(rules.clone()));
        // 2026-03-03 09:00 in China.
        let at = Timestamp::from_millis(1_772_499_600_000);
        assert_eq!(rules.day_start(at), Timestamp::from_millis(1_772_467_200_000));
        assert_eq!(rules.day_of(at), Some(jiff::civil::Date::constant(2026, 3, 3)));
        assert_eq!(rules.start_of(jiff::civil::Date::constant(2026, 3, 3)), Some(rules.day_start(at)));
        let events = crate::event::EventRules::default();
        assert_eq!(events.clone().with_limits(&rules), events);
    }

    proptest! {
        #[test]
        fn every_moment_is_in_its_day(millis in -4_000_000_000_000i64..4_000_000_000_000) {
            let (rules, at) = (FieldRules::default(), Timestamp::from_millis(millis));
            prop_assert!(rules.day_start(at) <= at && at <= rules.day_end(at));
            let day = rules.day_of(at).unwrap();
            prop_assert_eq!(rules.start_of(day), Some(rules.day_start(at)));
        }
    }
}
