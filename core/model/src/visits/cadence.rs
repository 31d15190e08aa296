//! How often whom: data that a deployment edits.

use std::collections::BTreeMap;

use jiff::{ToSpan, civil::Date};

use super::due::{Plan, Rhythm, Why};
use crate::records::care_tag::Need;

/// The cadence that a new deployment starts with: `schemas/visits/cadence.txt`, where its sources stand.
pub const STARTER_CADENCE: &str = include_str!("../../../../schemas/visits/cadence.txt");

/// A line that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is not `WORD every|within|known|again NUMBER months|days`")]
pub struct CadenceError {
    /// Number of the line, from 1.
    pub line: usize,
}

/// The intervals between visits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cadence {
    /// Months between two visits, by need. A need that is not here has no visits of its own.
    pub needs: BTreeMap<Need, u8>,
    /// Months between two visits to an ordinary door; `None` for no such visits.
    pub household_months: Option<u8>,
    /// Days within which newcomers are welcomed.
    pub welcome_days: u16,
    /// Who moved in more days than this before it became known is not new any more.
    pub known_days: u16,
    /// Days after which a door that nobody opened is tried again.
    pub again_days: u16,
    /// Days ahead that are shown as coming up.
    pub soon_days: u16,
}

impl Default for Cadence {
    /// [`STARTER_CADENCE`].
    fn default() -> Self {
        Self::parse(STARTER_CADENCE).unwrap_or_else(|_| Self::empty())
    }
}

/// Days after birth within which whoever comes to live behind a door was born into the home: the neonatal period.
const NEWBORN_DAYS: i64 = 28;

/// Whether a stay that began on `from` is that of a child born into the home, who is no newcomer.
pub fn born_into_home(from: Date, birth_date: Option<Date>) -> bool {
    birth_date.is_some_and(|born| from <= born.saturating_add(NEWBORN_DAYS.days()))
}

/// In force on some days for one need of one person: what of a care tag decides over visits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeedInForce {
    /// The need.
    pub need: Need,
    /// First day.
    pub from: Date,
    /// Last day.
    pub until: Date,
}

impl Cadence {
    /// No visits at all.
    pub const fn empty() -> Self {
        Self {
            needs: BTreeMap::new(),
            household_months: None,
            welcome_days: 0,
            known_days: 0,
            again_days: 0,
            soon_days: 0,
        }
    }

    /// Reads lines such as `living_alone every 1 months`; `#` begins a comment. The file's head lists the forms.
    ///
    /// # Errors
    /// The first line that is of another form, names an unknown need, or has a number out of reason (1 to 12 months,
    /// 0 to 366 days).
    pub fn parse(text: &str) -> Result<Self, CadenceError> {
        let mut cadence = Self::empty();
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if !line.is_empty() {
                cadence.read_line(line).ok_or(CadenceError { line: index + 1 })?;
            }
        }
        Ok(cadence)
    }

    fn read_line(&mut self, line: &str) -> Option<()> {
        let mut words = line.split_whitespace();
        let (subject, verb) = (words.next()?, words.next()?);
        let (number, unit) = (words.next()?, words.next()?);
        if words.next().is_some() {
            return None;
        }
        let days = || number.parse::<u16>().ok().filter(|days| *days <= 366 && unit == "days");
        let months =
            || number.parse::<u8>().ok().filter(|months| (1..=12).contains(months) && unit == "months");
        match (subject, verb) {
            ("household", "every") => self.household_months = Some(months()?),
            ("newcomer", "within") => self.welcome_days = days()?,
            ("newcomer", "known") => self.known_days = days()?,
            ("not_home", "again") => self.again_days = days()?,
            ("soon", "within") => self.soon_days = days()?,
            (need, "every") if Need::CODES.contains(&need) => {
                self.needs.insert(Need::from_word(need), months()?);
            }
            _ => return None,
        }
        Some(())
    }

    /// The visits that a person's needs ask for on `today`: the shortest interval of those in force, from the first of
    /// them on. `None` if none is in force, or none has visits.
    pub fn care_plan(&self, needs: &[NeedInForce], today: Date) -> Option<Plan> {
        let in_force = needs.iter().filter(|tag| tag.from <= today && today <= tag.until);
        let with_visits: Vec<(&NeedInForce, u8)> =
            in_force.filter_map(|tag| Some((tag, *self.needs.get(&tag.need)?))).collect();
        let months = with_visits.iter().map(|(_, months)| *months).min()?;
        let since = with_visits.iter().map(|(tag, _)| tag.from).min()?;
        let mut why: Vec<Why> = with_visits.into_iter().map(|(tag, _)| Why::Need(tag.need.clone())).collect();
        why.sort();
        why.dedup();
        Some(Plan { why, since, rhythm: Rhythm::Every { months } })
    }

    /// The one welcome visit to people who moved in on `moved_in`, of which this system knows since `known`. `None` if
    /// they were no newcomers when it learned of them.
    pub fn welcome_plan(&self, moved_in: Date, known: Date) -> Option<Plan> {
        let latest = moved_in.saturating_add(i64::from(self.known_days).days());
        (self.welcome_days > 0 && known <= latest).then(|| Plan {
            why: vec![Why::Newcomer],
            since: moved_in,
            rhythm: Rhythm::Once { within_days: self.welcome_days },
        })
    }

    /// No visits but on days that were agreed.
    pub fn agreed_plan() -> Plan {
        Plan { why: vec![Why::Agreed], since: Date::MIN, rhythm: Rhythm::Agreed }
    }

    /// The ordinary visits to a door where somebody lives, as far as is known since `since`.
    pub fn household_plan(&self, since: Date) -> Option<Plan> {
        let months = self.household_months?;
        Some(Plan { why: vec![Why::Household], since, rhythm: Rhythm::Every { months } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::parse_date;

    fn day(text: &str) -> Date {
        parse_date(text).unwrap()
    }

    fn tag(need: Need, from: &str, until: &str) -> NeedInForce {
        NeedInForce { need, from: day(from), until: day(until) }
    }

    #[test]
    fn the_starter_is_what_the_design_says() {
        let cadence = Cadence::parse(STARTER_CADENCE).unwrap();
        assert_eq!(cadence.needs.get(&Need::LivingAlone), Some(&1));
        assert_eq!(cadence.household_months, Some(6));
        assert_eq!((cadence.welcome_days, cadence.again_days), (14, 3));
        assert_eq!(cadence.needs.len(), Need::CODES.len(), "no need is without care");
    }

    #[test]
    fn the_shortest_interval_of_the_needs_in_force_counts() {
        let cadence = Cadence::default();
        let tags = [
            tag(Need::Disabled, "2026-01-01", "2026-12-31"),
            tag(Need::LivingAlone, "2026-03-01", "2026-06-30"),
            tag(Need::LowIncome, "2025-01-01", "2025-12-31"),
        ];
        let months = |today: &str| cadence.care_plan(&tags, day(today)).map(|plan| plan.rhythm);
        assert_eq!(months("2026-02-28"), Some(Rhythm::Every { months: 3 }));
        assert_eq!(months("2026-03-01"), Some(Rhythm::Every { months: 1 }));
        assert_eq!(
            months("2026-07-01"),
            Some(Rhythm::Every { months: 3 }),
            "an expired tag asks for nothing"
        );
        assert_eq!(months("2027-01-01"), None);
    }

    #[test]
    fn who_is_long_there_is_no_newcomer() {
        let cadence = Cadence::default();
        assert!(cadence.welcome_plan(day("2026-05-01"), day("2026-05-31")).is_some());
        assert!(cadence.welcome_plan(day("2020-05-01"), day("2026-05-31")).is_none(), "imported");
        assert!(Cadence::empty().welcome_plan(day("2026-05-01"), day("2026-05-01")).is_none());
    }

    #[test]
    fn bad_lines_are_named() {
        for bad in [
            "conduct every 1 months",
            "living_alone every 0 months",
            "living_alone every 13 months",
            "living_alone every 1 days",
            "newcomer within 400 days",
            "household every 6",
            "household every 6 months please",
        ] {
            assert_eq!(Cadence::parse(&format!("# comment\n{bad}")), Err(CadenceError { line: 2 }), "{bad}");
        }
    }
}
