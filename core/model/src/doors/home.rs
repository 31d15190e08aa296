//! Which of a person's residencies counts, and which of several records stands for a person.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::id::RecordId;
use crate::records::Residency;

/// A residency as far as these rules look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stay {
    /// The residency's record.
    pub id: RecordId,
    /// The person, by the record that stands for them; see [`canonical`].
    pub person: RecordId,
    /// Where.
    pub dwelling: RecordId,
    /// First day; an open beginning counts as long ago.
    pub from: Option<Date>,
    /// Day of leaving.
    pub to: Option<Date>,
    /// Whether the person lives mainly elsewhere.
    pub secondary: bool,
}

impl Stay {
    /// A residency of the person for whom `person` stands.
    pub fn of(id: RecordId, person: RecordId, residency: &Residency) -> Self {
        Self {
            id,
            person,
            dwelling: residency.dwelling,
            from: residency.from,
            to: residency.to,
            secondary: residency.secondary == Some(true),
        }
    }

    /// Whether it holds on `day`.
    pub fn is_current(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.is_open(day)
    }

    /// Whether it has not ended by `day`. It may not have begun either, where another phone's calendar is ahead.
    pub fn is_open(&self, day: Date) -> bool {
        self.to.is_none_or(|to| day < to)
    }

    /// The latest move wins; of two on one day, the one that was recorded later (identifiers carry the time).
    fn rank(&self) -> (Option<Date>, RecordId) {
        (self.from, self.id)
    }
}

labels! {
    /// Why a residency is not simply believed.
    Doubt {
        /// The person is recorded as living mainly in another home, moved to later.
        Elsewhere = "elsewhere", "另有主要居住地", "Recorded as living elsewhere";
        /// The person is recorded as dead.
        Died = "died", "已登记死亡", "Recorded as dead";
        /// The person's record was taken back by a worker who did not see this.
        Removed = "removed", "人员记录已撤销", "The person's record was taken back";
    }
}

/// What a residency comes to on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// The one main home.
    Main,
    /// A second home.
    Secondary,
    /// The same home recorded twice, through two records of one person. Shown once, by the other.
    Repeated,
    /// Does not go together with what else is recorded.
    Doubtful(Doubt),
}

/// What `stay` comes to among `all` residencies of its person (itself included); `None` if it does not hold on `day`.
///
/// Whatever was recorded, at most one home of a person is [`Standing::Main`] on a day; of a person who is dead or
/// whose record was taken back, none.
pub fn standing(stay: &Stay, all: &[Stay], died_on: Option<Date>, gone: bool, day: Date) -> Option<Standing> {
    if !stay.is_current(day) {
        return None;
    }
    if gone {
        return Some(Standing::Doubtful(Doubt::Removed));
    }
    if died_on.is_some_and(|died| died <= day) {
        return Some(Standing::Doubtful(Doubt::Died));
    }
    let current = || all.iter().filter(|other| other.is_current(day));
    let main = current().filter(|other| !other.secondary).max_by_key(|other| other.rank());
    if main.is_some_and(|main| main.id == stay.id) {
        return Some(Standing::Main);
    }
    let better = |other: &&Stay| {
        other.dwelling == stay.dwelling
            && other.id != stay.id
            && (main.is_some_and(|main| main.id == other.id)
                || other.secondary == stay.secondary && other.rank() > stay.rank())
    };
    if current().any(|other| better(&other)) {
        return Some(Standing::Repeated);
    }
    Some(if stay.secondary { Standing::Secondary } else { Standing::Doubtful(Doubt::Elsewhere) })
}

/// The record that stands for a person: where the merges lead that begin at `id`. `next` tells into which record one
/// was merged; it has none for a record that is not to be shown.
///
/// Two workers who merge the same two records in opposite directions make a ring: then the smallest identifier of the
/// ring stands for all of them, on every phone.
pub fn canonical<E>(
    id: RecordId,
    mut next: impl FnMut(RecordId) -> Result<Option<RecordId>, E>,
) -> Result<RecordId, E> {
    let mut seen = BTreeSet::from([id]);
    let mut at = id;
    while let Some(to) = next(at)? {
        if !seen.insert(to) {
            return smallest_of_ring(to, next);
        }
        at = to;
    }
    Ok(at)
}

fn smallest_of_ring<E>(
    start: RecordId,
    mut next: impl FnMut(RecordId) -> Result<Option<RecordId>, E>,
) -> Result<RecordId, E> {
    let (mut smallest, mut at) = (start, start);
    while let Some(to) = next(at)?.filter(|to| *to != start) {
        smallest = smallest.min(to);
        at = to;
    }
    Ok(smallest)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn id(n: u8) -> RecordId {
        RecordId::from_bytes([n; 16])
    }

    fn day(n: i8) -> Date {
        date(2025, 3, n)
    }

    fn lead(merged: &BTreeMap<u8, u8>, from: u8) -> RecordId {
        let next = |at: RecordId| Ok::<_, Infallible>(merged.get(&at.as_bytes()[0]).map(|to| id(*to)));
        canonical(id(from), next).unwrap()
    }

    #[test]
    fn merges_lead_to_one_record_and_rings_to_their_smallest() {
        let merged = BTreeMap::from([(1, 2), (2, 3), (5, 6), (6, 7), (7, 5), (9, 7), (4, 4)]);
        assert_eq!(lead(&merged, 1), id(3));
        assert_eq!(lead(&merged, 3), id(3));
        for start in [5, 6, 7, 9] {
            assert_eq!(lead(&merged, start), id(5));
        }
        assert_eq!(lead(&merged, 4), id(4), "merged into itself");
    }

    #[test]
    fn the_dead_and_those_taken_back_live_nowhere() {
        let stay = Stay {
            id: id(1),
            person: id(9),
            dwelling: id(2),
            from: Some(day(1)),
            to: None,
            secondary: false,
        };
        let all = [stay.clone()];
        assert_eq!(standing(&stay, &all, None, false, day(5)), Some(Standing::Main));
        assert_eq!(standing(&stay, &all, Some(day(6)), false, day(5)), Some(Standing::Main));
        let dead = standing(&stay, &all, Some(day(5)), false, day(5));
        assert_eq!(dead, Some(Standing::Doubtful(Doubt::Died)));
        let gone = standing(&stay, &all, None, true, day(5));
        assert_eq!(gone, Some(Standing::Doubtful(Doubt::Removed)));
    }

    fn stays() -> impl Strategy<Value = Vec<Stay>> {
        let one = (0u8..4, prop::option::of(1i8..20), prop::option::of(1i8..20), prop::bool::weighted(0.2));
        prop::collection::vec(one, 0..8).prop_map(|stays| {
            let made = stays.into_iter().enumerate().map(|(n, (home, from, to, secondary))| Stay {
                id: id(100 + n as u8),
                person: id(1),
                dwelling: id(10 + home),
                from: from.map(day),
                to: to.map(day),
                secondary,
            });
            made.collect()
        })
    }

    proptest! {
        /// Whatever several phones wrote, and in whichever order it is read.
        #[test]
        fn nobody_has_two_main_homes(mut stays in stays(), on in 1i8..20, turn in 0usize..8) {
            let of = |all: &[Stay], stay: &Stay| standing(stay, all, None, false, day(on));
            let before: BTreeMap<RecordId, _> = stays.iter().map(|s| (s.id, of(&stays, s))).collect();
            let mains: Vec<&Stay> = stays.iter().filter(|s| before[&s.id] == Some(Standing::Main)).collect();
            prop_assert!(mains.len() <= 1);
            let candidates = stays.iter().filter(|s| !s.secondary && s.is_current(day(on))).count();
            prop_assert_eq!(mains.len(), candidates.min(1));
            for home in 10..14 {
                let shown = |s: &&Stay| {
                    let wanted = [Some(Standing::Main), Some(Standing::Doubtful(Doubt::Elsewhere))];
                    s.dwelling == id(home) && wanted.contains(&before[&s.id])
                };
                prop_assert!(stays.iter().filter(shown).count() <= 1, "one line a person and home");
            }
            let len = stays.len().max(1);
            stays.rotate_left(turn % len);
            let after: BTreeMap<RecordId, _> = stays.iter().map(|s| (s.id, of(&stays, s))).collect();
            prop_assert_eq!(before, after);
        }
    }
}
