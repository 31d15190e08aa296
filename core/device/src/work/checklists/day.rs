//! Local days and the points in time at which they end.

use gridwalk_model::Timestamp;
use jiff::civil::Date;
use jiff::{ToSpan, tz};

use crate::error::DeviceError;

const OUT_OF_RANGE: DeviceError = DeviceError::Bug("a time beyond the calendar");

fn minutes(offset: i16) -> i64 {
    i64::from(offset) * 60_000
}

/// The local day at `at`, where local time is `offset` minutes ahead of UTC.
pub(super) fn local(at: Timestamp, offset: i16) -> Result<Date, DeviceError> {
    let shifted = at.plus_millis(minutes(offset)).millis();
    let at = jiff::Timestamp::from_millisecond(shifted).map_err(|_| OUT_OF_RANGE)?;
    Ok(tz::Offset::UTC.to_datetime(at).date())
}

/// The last millisecond of a local day.
pub(super) fn end(day: Date, offset: i16) -> Result<Timestamp, DeviceError> {
    let midnight = day.tomorrow().map_err(|_| OUT_OF_RANGE)?.at(0, 0, 0, 0);
    let at = tz::Offset::UTC.to_timestamp(midnight).map_err(|_| OUT_OF_RANGE)?;
    Ok(Timestamp::from_millis(at.as_millisecond()).plus_millis(-minutes(offset) - 1))
}

/// `days` after a day.
pub(super) fn after(day: Date, days: u32) -> Result<Date, DeviceError> {
    day.checked_add(i64::from(days.min(3_660)).days()).map_err(|_| OUT_OF_RANGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_at_local_midnight() {
        let at =
            |text: &str| Timestamp::from_millis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond());
        let day = Date::constant(2026, 2, 14);
        assert_eq!(local(at("2026-02-13T16:00:00Z"), 480).unwrap(), day);
        assert_eq!(local(at("2026-02-13T15:59:59Z"), 480).unwrap(), Date::constant(2026, 2, 13));
        assert_eq!(end(day, 480).unwrap(), at("2026-02-14T15:59:59.999Z"));
        assert_eq!(after(day, 15).unwrap(), Date::constant(2026, 3, 1));
    }
}
