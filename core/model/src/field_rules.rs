//! What a deployment decides about a worker's day: limits and numbers, as data that is edited without a release.

mod file;

pub use file::FieldRulesError;

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use minicbor::{Decode, Encode};

use crate::codec::{self, CodecError};
use crate::local_time::{CHINA_MINUTES, LocalTime};

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
    /// Days for which the base data of a door counts as fresh after it was confirmed.
    #[n(13)]
    pub fresh_days: u32,
    /// Days before its end from which a care tag is shown as ending.
    #[n(14)]
    pub tag_ends_days: u32,
    /// The day of the year on which the season of a category begins: a closed event is then looked at again.
    #[n(15)]
    pub seasons: BTreeMap<String, DayOfYear>,
}

/// A day of every year, as `06-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DayOfYear {
    #[n(0)]
    month: i8,
    #[n(1)]
    day: i8,
}

impl DayOfYear {
    /// A day that is in every year; the 29th of February is not.
    pub fn new(month: i8, day: i8) -> Option<Self> {
        // 2001 was no leap year.
        Date::new(2001, month, day).ok().map(|_| Self { month, day })
    }

    /// Reads `06-01`.
    pub fn parse(text: &str) -> Option<Self> {
        let (month, day) = text.split_once('-')?;
        let number = |text: &str| (text.len() == 2).then(|| text.parse().ok()).flatten();
        Self::new(number(month)?, number(day)?)
    }

    /// The first such day after another.
    pub fn first_after(self, day: Date) -> Option<Date> {
        let of = |year| Date::new(year, self.month, self.day).ok();
        of(day.year()).filter(|own| *own > day).or_else(|| of(day.year().checked_add(1)?))
    }
}

impl fmt::Display for DayOfYear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}-{:02}", self.month, self.day)
    }
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
            utc_offset_minutes: CHINA_MINUTES,
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
            fresh_days: 90,
            tag_ends_days: 30,
            // Our choice: the flood season, the frost, and the first day of heating in the north.
            seasons: [("flooding", (6, 1)), ("ice_snow", (12, 1)), ("water_power_heat", (11, 15))]
                .into_iter()
                .filter_map(|(category, (month, day))| {
                    Some((category.to_owned(), DayOfYear::new(month, day)?))
                })
                .collect(),
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

    /// The deployment's local time.
    pub const fn local(&self) -> LocalTime {
        LocalTime::ahead_of_utc(self.utc_offset_minutes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_season_comes_round_every_year() {
        let flood = DayOfYear::parse("06-01").unwrap();
        assert_eq!(flood.to_string(), "06-01");
        let day = |month, day| Date::constant(2026, month, day);
        assert_eq!(flood.first_after(day(5, 31)), Some(day(6, 1)));
        assert_eq!(flood.first_after(day(6, 1)), Some(Date::constant(2027, 6, 1)));
        for bad in ["02-29", "13-01", "6-1", "06", "06-01-01", ""] {
            assert_eq!(DayOfYear::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn rules_read_back() {
        let rules = FieldRules::default();
        assert_eq!(FieldRules::from_bytes(&rules.to_bytes()), Ok(rules.clone()));
        assert_eq!(rules.seasons.len(), 3, "each is a day of the year");
        let events = crate::event::EventRules::default();
        assert_eq!(events.clone().with_limits(&rules), events);
    }
}
