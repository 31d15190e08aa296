//! When the next visit is due: one pure function of a plan and the visits that were made.

use jiff::{ToSpan, civil::Date};

use crate::id::RecordId;
use crate::records::care_tag::Need;
use crate::records::visit::VisitResult;

/// Why somebody is visited.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// A need with a care tag in force.
    Need(Need),
    /// They moved in.
    Newcomer,
    /// The ordinary round.
    Household,
    /// A day that was agreed, and nothing else.
    Agreed,
}

impl Why {
    /// Whether it says something about a person that is of the sensitive class.
    pub const fn is_sensitive(&self) -> bool {
        matches!(self, Self::Need(_))
    }

    /// The reason in Chinese.
    pub fn zh(&self) -> &str {
        match self {
            Self::Need(need) => need.zh(),
            Self::Newcomer => "新入住",
            Self::Household => "日常走访",
            Self::Agreed => "上次走访约定的时间",
        }
    }

    /// The reason in English.
    pub fn en(&self) -> &str {
        match self {
            Self::Need(need) => need.en(),
            Self::Newcomer => "Moved in",
            Self::Household => "Ordinary round",
            Self::Agreed => "Agreed on the last visit",
        }
    }
}

/// How visits follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rhythm {
    /// Again and again.
    Every {
        /// Months between two.
        months: u8,
    },
    /// One, and no more.
    Once {
        /// Days within which.
        within_days: u16,
    },
    /// Only on days that are agreed.
    Agreed,
}

/// The visits that somebody is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Why; never empty.
    pub why: Vec<Why>,
    /// From when the intervals count where nobody came yet.
    pub since: Date,
    /// How often.
    pub rhythm: Rhythm,
}

/// A visit that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitFact {
    /// The record.
    pub id: RecordId,
    /// The local day.
    pub day: Date,
    /// What came of it.
    pub result: VisitResult,
    /// The day that was agreed for the next one, or set after nobody opened.
    pub next_due: Option<Date>,
}

/// When the next visit is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The last day on which it is in time.
    pub day: Date,
    /// Whether that day was agreed or set at a visit; the cadence gives it otherwise.
    pub agreed: bool,
    /// The last complete visit.
    pub last: Option<(RecordId, Date)>,
    /// How often nobody opened since.
    pub tried: u32,
    /// After a door that nobody opened: not to be tried before this day.
    pub not_before: Option<Date>,
}

labels! {
    /// How a due visit stands today.
    DueState {
        /// Its day has passed.
        Overdue = "overdue", "已逾期", "Overdue";
        /// It is due today or within the days shown as coming up.
        Soon = "soon", "近期到期", "Due soon";
        /// Nobody opened lately; it rests for some days.
        Resting = "resting", "未遇，稍后再访", "Nobody home, later again";
        /// Not yet.
        Later = "later", "未到期", "Later";
    }
}

impl VisitResult {
    /// Whether the visit is done: met, or declined. Declining is as complete as any other result.
    pub const fn is_complete(&self) -> bool {
        matches!(self, Self::Met | Self::Refused)
    }
}

impl Plan {
    /// When the next visit is due, `None` if none is: the one welcome was made, or the last word is that they moved.
    ///
    /// A complete visit starts the interval anew, whether the door was opened or the visit declined. A day that was
    /// agreed at it goes before the interval. A door that nobody opened changes nothing but that it rests for
    /// `again_days`; where another day was set for it, it is due on that day instead.
    pub fn next_due(&self, visits: &[VisitFact], again_days: u16) -> Option<Due> {
        let order = |visit: &&VisitFact| (visit.day, visit.id);
        let last = visits.iter().filter(|visit| visit.result.is_complete()).max_by_key(order);
        let moved = visits.iter().filter(|visit| visit.result == VisitResult::Moved).max_by_key(order);
        if let Some(moved) = moved
            && moved.day >= self.since
            && last.is_none_or(|last| order(&last) < order(&moved))
        {
            return None;
        }
        if self.is_once() && last.is_some_and(|last| last.day >= self.since) {
            return None;
        }
        let tries = || {
            visits.iter().filter(|visit| {
                visit.result == VisitResult::NotHome && last.is_none_or(|last| order(&last) < order(visit))
            })
        };
        let latest = tries().max_by_key(order);
        let set = latest.filter(|visit| visit.day >= self.since).and_then(|visit| visit.next_due);
        let agreed = set.or_else(|| last.filter(|_| !self.is_once())?.next_due);
        let day = match self.rhythm {
            _ if agreed.is_some() => agreed?,
            Rhythm::Once { within_days } => self.since.saturating_add(i64::from(within_days).days()),
            Rhythm::Every { months } => {
                let from = last.map_or(self.since, |last| last.day.max(self.since));
                from.saturating_add(i64::from(months).months())
            }
            Rhythm::Agreed => return None,
        };
        let rests = latest.filter(|_| set.is_none()).map(|visit| visit.day);
        let not_before = rests.map(|day| day.saturating_add(i64::from(again_days).days()));
        let tried = u32::try_from(tries().count()).unwrap_or(u32::MAX);
        let last = last.map(|last| (last.id, last.day));
        Some(Due { day, agreed: agreed.is_some(), last, tried, not_before })
    }

    const fn is_once(&self) -> bool {
        matches!(self.rhythm, Rhythm::Once { .. })
    }
}

impl Due {
    /// How it stands on `today`.
    pub fn state(&self, today: Date, soon_days: u16) -> DueState {
        if self.not_before.is_some_and(|day| today < day) {
            DueState::Resting
        } else if self.day < today {
            DueState::Overdue
        } else if self.day <= today.saturating_add(i64::from(soon_days).days()) {
            DueState::Soon
        } else {
            DueState::Later
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::records::parse_date;

    fn day(text: &str) -> Date {
        parse_date(text).unwrap()
    }

    fn visit(n: u8, on: &str, result: VisitResult) -> VisitFact {
        VisitFact { id: RecordId::from_bytes([n; 16]), day: day(on), result, next_due: None }
    }

    fn monthly() -> Plan {
        let why = vec![Why::Need(Need::LivingAlone)];
        Plan { why, since: day("2026-01-31"), rhythm: Rhythm::Every { months: 1 } }
    }

    #[test]
    fn a_month_is_a_month_even_in_february() {
        assert_eq!(monthly().next_due(&[], 3).unwrap().day, day("2026-02-28"));
        let met = [visit(1, "2026-02-10", VisitResult::Met)];
        assert_eq!(monthly().next_due(&met, 3).unwrap().day, day("2026-03-10"));
    }

    #[test]
    fn declining_is_complete_and_triggers_nothing() {
        let met = monthly().next_due(&[visit(1, "2026-02-10", VisitResult::Met)], 3);
        let refused = monthly().next_due(&[visit(1, "2026-02-10", VisitResult::Refused)], 3);
        assert_eq!(met, refused, "the next one is due on the same day, and nothing else follows");
    }

    #[test]
    fn a_closed_door_rests_and_stays_due() {
        let tried = [
            visit(1, "2026-02-10", VisitResult::Met),
            visit(2, "2026-03-09", VisitResult::NotHome),
            visit(3, "2026-03-12", VisitResult::NotHome),
        ];
        let due = monthly().next_due(&tried, 3).unwrap();
        assert_eq!((due.day, due.tried), (day("2026-03-10"), 2));
        assert_eq!(due.state(day("2026-03-13"), 7), DueState::Resting);
        assert_eq!(due.state(day("2026-03-15"), 7), DueState::Overdue);
        assert_eq!(due.last, Some((RecordId::from_bytes([1; 16]), day("2026-02-10"))));
        let fresh = monthly().next_due(&tried[..1], 3).unwrap();
        assert_eq!(fresh.state(day("2026-03-03"), 7), DueState::Soon);
        assert_eq!(fresh.state(day("2026-03-02"), 7), DueState::Later);
    }

    #[test]
    fn who_moved_is_not_waited_for_until_they_are_back() {
        let moved = [visit(1, "2026-02-10", VisitResult::Moved)];
        assert_eq!(monthly().next_due(&moved, 3), None);
        let back = Plan { since: day("2026-05-01"), ..monthly() };
        assert_eq!(back.next_due(&moved, 3).unwrap().day, day("2026-06-01"));
        let met = [moved[0].clone(), visit(2, "2026-02-20", VisitResult::Met)];
        assert!(monthly().next_due(&met, 3).is_some(), "somebody met them later");
    }

    #[test]
    fn a_welcome_is_given_once() {
        let rhythm = Rhythm::Once { within_days: 14 };
        let plan = Plan { why: vec![Why::Newcomer], since: day("2026-05-01"), rhythm };
        assert_eq!(plan.next_due(&[], 3).unwrap().day, day("2026-05-15"));
        let before = [visit(1, "2026-04-20", VisitResult::Met)];
        assert!(plan.next_due(&before, 3).is_some(), "that was those who lived there before");
        for result in [VisitResult::Met, VisitResult::Refused] {
            assert_eq!(plan.next_due(&[visit(1, "2026-05-03", result)], 3), None);
        }
    }

    #[test]
    fn another_day_that_was_set_at_a_closed_door_counts() {
        let mut shut = visit(2, "2026-03-09", VisitResult::NotHome);
        shut.next_due = Some(day("2026-03-20"));
        let due = monthly().next_due(&[visit(1, "2026-02-10", VisitResult::Met), shut.clone()], 3).unwrap();
        assert_eq!((due.day, due.agreed, due.not_before), (day("2026-03-20"), true, None));
        let again = visit(3, "2026-03-20", VisitResult::NotHome);
        let due = monthly().next_due(&[shut.clone(), again], 3).unwrap();
        assert_eq!((due.day, due.agreed, due.tried), (day("2026-02-28"), false, 2));
        let plan = Plan { why: vec![Why::Agreed], since: Date::MIN, rhythm: Rhythm::Agreed };
        assert_eq!(plan.next_due(&[visit(1, "2026-02-10", VisitResult::Met)], 3), None);
        assert_eq!(plan.next_due(&[shut], 3).unwrap().day, day("2026-03-20"));
    }

    #[test]
    fn an_agreed_day_goes_first_and_a_new_tag_does_not_begin_overdue() {
        let mut met = visit(1, "2026-02-10", VisitResult::Met);
        met.next_due = Some(day("2026-02-17"));
        assert_eq!(monthly().next_due(&[met], 3).unwrap().day, day("2026-02-17"));
        let old = [visit(1, "2025-06-01", VisitResult::Met)];
        assert_eq!(monthly().next_due(&old, 3).unwrap().day, day("2026-02-28"));
    }

    proptest! {
        /// In whatever order they are handed over, the same visits give the same day; a closed door moves it never.
        #[test]
        fn order_does_not_matter_and_a_closed_door_moves_nothing(
            raw in proptest::collection::vec((0i64..400, 0u8..3), 0..8), rotate in 0usize..8,
        ) {
            let mut visits: Vec<VisitFact> = raw
                .iter()
                .zip(1u8..)
                .map(|((after, result), n)| VisitFact {
                    id: RecordId::from_bytes([n; 16]),
                    day: day("2026-01-01").saturating_add(after.days()),
                    result: [VisitResult::Met, VisitResult::Refused, VisitResult::NotHome][usize::from(*result)].clone(),
                    next_due: None,
                })
                .collect();
            let due = monthly().next_due(&visits, 3);
            let by = rotate.min(visits.len());
            visits.rotate_left(by);
            prop_assert_eq!(&due, &monthly().next_due(&visits, 3));
            visits.retain(|visit| visit.result != VisitResult::NotHome);
            prop_assert_eq!(due.map(|due| due.day), monthly().next_due(&visits, 3).map(|due| due.day));
        }
    }
}
