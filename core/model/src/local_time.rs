//! Local days and the moments at which they begin and end.

use jiff::civil::{self, Date};
use jiff::tz::Offset;

use crate::time::{DAY_MS, MINUTE_MS, Timestamp};

/// A deployment's local time: a fixed distance from UTC. China has one time and no summer time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    minutes: i32,
}

/// Minutes that China is ahead of UTC, all year and everywhere.
pub const CHINA_MINUTES: i32 = 480;

impl LocalTime {
    /// China's time.
    pub const CHINA: Self = Self::ahead_of_utc(CHINA_MINUTES);

    /// So many minutes ahead of UTC; [`CHINA_MINUTES`] in China.
    pub const fn ahead_of_utc(minutes: i32) -> Self {
        Self { minutes }
    }

    fn ahead_ms(self) -> i64 {
        i64::from(self.minutes) * MINUTE_MS
    }

    /// Day and time of a moment; `None` beyond the years that a calendar has.
    pub fn civil(self, at: Timestamp) -> Option<civil::DateTime> {
        let shifted = at.plus_millis(self.ahead_ms()).millis();
        jiff::Timestamp::from_millisecond(shifted).ok().map(|at| Offset::UTC.to_datetime(at))
    }

    /// The day of a moment; `None` beyond the years that a calendar has.
    pub fn day_of(self, at: Timestamp) -> Option<Date> {
        self.civil(at).map(civil::DateTime::date)
    }

    /// The moment as people read it, to the minute: `2026-03-03 09:00`; empty beyond the years that a calendar has.
    pub fn text(self, at: Timestamp) -> String {
        self.civil(at).map(|at| at.strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default()
    }

    /// The first moment of the day of `at`.
    pub fn day_start(self, at: Timestamp) -> Timestamp {
        let local = at.millis().saturating_add(self.ahead_ms());
        Timestamp::from_millis(local.saturating_sub(local.rem_euclid(DAY_MS)).saturating_sub(self.ahead_ms()))
    }

    /// The last millisecond of the day of `at`.
    pub fn day_end(self, at: Timestamp) -> Timestamp {
        self.day_start(at).plus_millis(DAY_MS - 1)
    }

    /// The first moment of a day.
    pub fn start_of(self, day: Date) -> Option<Timestamp> {
        let midnight = Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()?.as_millisecond();
        Some(Timestamp::from_millis(midnight.saturating_sub(self.ahead_ms())))
    }

    /// The last millisecond of a day.
    pub fn end_of(self, day: Date) -> Option<Timestamp> {
        self.start_of(day).map(|start| start.plus_millis(DAY_MS - 1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_day_begins_at_local_midnight() {
        let china = LocalTime::CHINA;
        // 2026-03-03 09:00 in China.
        let at = Timestamp::from_millis(1_772_499_600_000);
        assert_eq!(china.day_of(at), Some(Date::constant(2026, 3, 3)));
        assert_eq!(china.text(at), "2026-03-03 09:00");
        assert_eq!(china.day_start(at), Timestamp::from_millis(1_772_467_200_000));
        assert_eq!(LocalTime::ahead_of_utc(-720).day_of(at), Some(Date::constant(2026, 3, 2)));
        assert_eq!(
            (china.day_of(Timestamp::from_millis(i64::MAX)), china.text(Timestamp::from_millis(i64::MAX))),
            (None, String::new())
        );
    }

    proptest! {
        #[test]
        fn every_moment_is_in_its_day(
            millis in -4_000_000_000_000i64..4_000_000_000_000,
            minutes in -840i32..=840,
        ) {
            let (local, at) = (LocalTime::ahead_of_utc(minutes), Timestamp::from_millis(millis));
            prop_assert!(local.day_start(at) <= at && at <= local.day_end(at));
            let day = local.day_of(at).unwrap();
            prop_assert_eq!(local.start_of(day), Some(local.day_start(at)));
            prop_assert_eq!(local.end_of(day), Some(local.day_end(at)));
        }
    }
}
