//! Workdays, and deadlines counted in them.
//!
//! Which days are worked is data that is announced year by year, including weekend days that are worked in
//! exchange for a longer holiday (调休). A year without data counts Monday to Friday, and says so.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Weekday};

use crate::local_time::CHINA_MINUTES;
use crate::records::parse_date;
use crate::time::{DAY_MS, MINUTE_MS, Timestamp};

/// Deadlines further away than this are cut off, so that no input makes counting slow.
const MAX_DAYS: i64 = 3_660;

/// Holidays and worked weekend days of 2025 and 2026, as the General Office of the State Council announced them
/// (国办发明电〔2024〕12号 and the notice of 2025-11-04).
pub const CHINA_2025_2026: &str = "\
2025-01-01 off
2025-01-26 work
2025-01-28..2025-02-04 off
2025-02-08 work
2025-04-04..2025-04-06 off
2025-04-27 work
2025-05-01..2025-05-05 off
2025-05-31..2025-06-02 off
2025-09-28 work
2025-10-01..2025-10-08 off
2025-10-11 work
2026-01-01..2026-01-03 off
2026-01-04 work
2026-02-14 work
2026-02-15..2026-02-23 off
2026-02-28 work
2026-04-04..2026-04-06 off
2026-05-01..2026-05-05 off
2026-05-09 work
2026-06-19..2026-06-21 off
2026-09-20 work
2026-09-25..2026-09-27 off
2026-10-01..2026-10-07 off
2026-10-10 work
";

/// A line of calendar data that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("calendar line {line} is not `DATE[..DATE] off|work`")]
pub struct CalendarError {
    /// Number of the line, from 1.
    pub line: usize,
}

/// A length of time to a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Minutes of any day.
    Minutes(u32),
    /// Workdays of 24 hours each: what starts on a Friday at 15:00 is one workday old on Monday at 15:00.
    Workdays(u32),
}

/// A deadline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// When.
    pub at: Timestamp,
    /// Years that were counted Monday to Friday for want of data.
    pub missing_years: BTreeSet<i16>,
}

/// The workdays of a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Minutes that local time is ahead of UTC; 480 in China, which has no summer time.
    pub utc_offset_minutes: i32,
    /// Exceptions to Monday to Friday, by year: `true` for a worked day.
    years: BTreeMap<i16, BTreeMap<Date, bool>>,
}

impl Default for Calendar {
    /// China's time with [`CHINA_2025_2026`].
    fn default() -> Self {
        Self::parse(CHINA_2025_2026).unwrap_or_else(|_| Self::empty())
    }
}

impl Calendar {
    /// China's time without data for any year.
    pub fn empty() -> Self {
        Self { utc_offset_minutes: CHINA_MINUTES, years: BTreeMap::new() }
    }

    /// Reads lines of the form `2026-02-15..2026-02-23 off` or `2026-02-14 work`; `#` begins a comment. A year
    /// counts as known once a line names one of its days.
    ///
    /// # Errors
    /// The first line that is of another form.
    pub fn parse(text: &str) -> Result<Self, CalendarError> {
        let mut calendar = Self::empty();
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if !line.is_empty() {
                calendar.read_line(line).ok_or(CalendarError { line: index + 1 })?;
            }
        }
        Ok(calendar)
    }

    fn read_line(&mut self, line: &str) -> Option<()> {
        let (days, word) = line.split_once(char::is_whitespace)?;
        let worked = match word.trim() {
            "work" => true,
            "off" => false,
            _ => return None,
        };
        let (first, last) = days.split_once("..").unwrap_or((days, days));
        let (mut day, last) = (parse_date(first)?, parse_date(last)?);
        let mut left = 366;
        while day <= last && left > 0 {
            self.years.entry(day.year()).or_default().insert(day, worked);
            day = day.tomorrow().ok()?;
            left -= 1;
        }
        Some(())
    }

    /// Its data as lines that [`Self::parse`] reads, days of one kind that follow each other in one line.
    pub fn lines(&self) -> Vec<String> {
        let mut runs: Vec<(Date, Date, bool)> = Vec::new();
        for (day, worked) in self.years.values().flatten() {
            match runs.last_mut() {
                Some((_, last, same)) if same == worked && last.tomorrow().is_ok_and(|next| next == *day) => {
                    *last = *day
                }
                _ => runs.push((*day, *day, *worked)),
            }
        }
        let line = |(first, last, worked): (Date, Date, bool)| {
            let word = if worked { "work" } else { "off" };
            if first == last { format!("{first} {word}") } else { format!("{first}..{last} {word}") }
        };
        runs.into_iter().map(line).collect()
    }

    /// Whether there is data for a year.
    pub fn knows(&self, year: i16) -> bool {
        self.years.contains_key(&year)
    }

    /// Whether `day` is worked: by the data of its year, else Monday to Friday.
    pub fn is_workday(&self, day: Date) -> bool {
        let exception = self.years.get(&day.year()).and_then(|days| days.get(&day));
        exception.copied().unwrap_or_else(|| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday))
    }

    /// The point in time at which a span that begins at `start` ends.
    pub fn add(&self, start: Timestamp, span: Span) -> Due {
        match span {
            Span::Minutes(minutes) => {
                let at = start.plus_millis(i64::from(minutes) * MINUTE_MS);
                Due { at, missing_years: BTreeSet::new() }
            }
            Span::Workdays(days) => self.add_working(start, i64::from(days) * DAY_MS),
        }
    }

    /// The point at which `working_ms` of worked days have passed since `start`. A span that would end at
    /// midnight ends with the worked day, not with the next.
    pub fn add_working(&self, start: Timestamp, working_ms: i64) -> Due {
        let mut missing_years = BTreeSet::new();
        let mut left = working_ms.clamp(0, MAX_DAYS * DAY_MS);
        let mut cursor = self.local_ms(start);
        for _ in 0..=MAX_DAYS * 3 {
            let day_number = cursor.div_euclid(DAY_MS);
            let day_end = day_number.saturating_add(1).saturating_mul(DAY_MS);
            let Some(day) = date_of_epoch_day(day_number) else { break };
            if !self.knows(day.year()) {
                missing_years.insert(day.year());
            }
            if self.is_workday(day) {
                let room = day_end.saturating_sub(cursor);
                if left <= room {
                    cursor = cursor.saturating_add(left);
                    break;
                }
                left -= room;
            }
            cursor = day_end;
        }
        Due { at: self.to_utc(cursor), missing_years }
    }

    /// Milliseconds of worked days between two points; 0 if `to` is not after `from`.
    pub fn working_between(&self, from: Timestamp, to: Timestamp) -> i64 {
        let end = self.local_ms(to);
        let mut cursor = self.local_ms(from);
        let mut sum: i64 = 0;
        for _ in 0..=MAX_DAYS * 3 {
            if cursor >= end {
                break;
            }
            let day_number = cursor.div_euclid(DAY_MS);
            let stop = day_number.saturating_add(1).saturating_mul(DAY_MS).min(end);
            let Some(day) = date_of_epoch_day(day_number) else { break };
            if self.is_workday(day) {
                sum = sum.saturating_add(stop.saturating_sub(cursor));
            }
            cursor = stop;
        }
        sum
    }

    fn local_ms(&self, at: Timestamp) -> i64 {
        at.plus_millis(i64::from(self.utc_offset_minutes) * MINUTE_MS).millis()
    }

    fn to_utc(&self, local: i64) -> Timestamp {
        Timestamp::from_millis(local).plus_millis(-(i64::from(self.utc_offset_minutes) * MINUTE_MS))
    }
}

fn date_of_epoch_day(days: i64) -> Option<Date> {
    let span = jiff::Span::new().try_days(days).ok()?;
    Date::constant(1970, 1, 1).checked_add(span).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A point in China's local time.
    fn local(text: &str) -> Timestamp {
        let at: jiff::Timestamp = format!("{text}:00+08:00").parse().unwrap();
        Timestamp::from_millis(at.as_millisecond())
    }

    #[test]
    fn exchanged_days_and_holidays_are_honoured() {
        let calendar = Calendar::default();
        let day = |text: &str| parse_date(text).unwrap();
        assert!(calendar.is_workday(day("2026-02-14")), "a Saturday worked in exchange");
        assert!(!calendar.is_workday(day("2026-02-16")), "a Monday off");
        assert!(!calendar.is_workday(day("2026-03-01")), "an ordinary Sunday");
    }

    #[test]
    fn workdays_skip_the_spring_festival() {
        let due = Calendar::default().add(local("2026-02-13T15:00"), Span::Workdays(2));
        // Saturday the 14th is worked, then nine days off.
        assert_eq!(due, Due { at: local("2026-02-24T15:00"), missing_years: BTreeSet::new() });
        let due = Calendar::default().add(local("2026-02-17T15:00"), Span::Workdays(1));
        assert_eq!(due.at, local("2026-02-25T00:00"), "a start on a holiday counts from the next workday");
    }

    #[test]
    fn natural_minutes_ignore_the_calendar() {
        let due = Calendar::default().add(local("2026-02-17T23:50"), Span::Minutes(30));
        assert_eq!(due.at, local("2026-02-18T00:20"));
    }

    #[test]
    fn a_year_without_data_is_named() {
        let due = Calendar::default().add(local("2026-12-31T15:00"), Span::Workdays(5));
        assert_eq!(due.missing_years, BTreeSet::from([2027]));
        assert_eq!(due.at, local("2027-01-07T15:00"));
    }

    #[test]
    fn bad_lines_are_named() {
        assert_eq!(Calendar::parse("# only a comment\n2026-01-01 rest"), Err(CalendarError { line: 2 }));
        assert_eq!(Calendar::parse("2026-13-01 off"), Err(CalendarError { line: 1 }));
        assert!(Calendar::parse("").is_ok_and(|calendar| !calendar.knows(2026)));
        assert_eq!(Calendar::default().lines().join("\n"), CHINA_2025_2026.trim_end());
    }

    proptest! {
        #[test]
        fn what_is_added_is_what_lies_between(
            start in 1_735_689_600_000i64..1_798_761_600_000,
            ms in 0i64..40 * DAY_MS,
        ) {
            let calendar = Calendar::default();
            let start = Timestamp::from_millis(start);
            let due = calendar.add_working(start, ms);
            prop_assert_eq!(calendar.working_between(start, due.at), ms);
        }

        #[test]
        fn any_time_and_span_is_survived(start in any::<i64>(), ms in any::<i64>(), other in any::<i64>()) {
            let calendar = Calendar::default();
            calendar.add_working(Timestamp::from_millis(start), ms);
            calendar.working_between(Timestamp::from_millis(start), Timestamp::from_millis(other));
        }
    }
}
