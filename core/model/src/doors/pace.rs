//! Whether anybody can walk that fast: the guard of bulk confirmations on the phone.
//!
//! Times in the future count as now, so that turning the clock back makes no room.

use crate::geo::{LatLon, distance_m};
use crate::time::Timestamp;

use super::rules::DoorRules;

/// At most so many doors within so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoorLimit {
    /// How many doors.
    pub doors: u32,
    /// Within how many seconds.
    pub seconds: u32,
}

/// A door that was confirmed in person.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Knock {
    /// When.
    pub at: Timestamp,
    /// Where, as far as it is known.
    pub place: Option<LatLon>,
}

/// Why nobody can have done that.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TooFast {
    /// Too many doors in too little time.
    Doors {
        /// The limit that would be broken.
        limit: DoorLimit,
        /// Doors already done within its time.
        done: u32,
        /// In how many seconds there is room; `None` if these are too many at any time.
        wait_seconds: Option<u32>,
    },
    /// Too far from the door before.
    Distance {
        /// Metres from the last door, rounded.
        metres: u32,
        /// Seconds since then.
        seconds: u32,
        /// In how many seconds one can have walked there.
        wait_seconds: u32,
    },
    /// The doors asked for do not lie together: however long one waits, nobody stands at all of them.
    Apart {
        /// Metres between the two that are farthest from each other, rounded.
        metres: u32,
    },
}

impl TooFast {
    /// In how many seconds it can be done; `None` if never at once.
    pub const fn wait_seconds(&self) -> Option<u32> {
        match self {
            Self::Doors { wait_seconds, .. } => *wait_seconds,
            Self::Distance { wait_seconds, .. } => Some(*wait_seconds),
            Self::Apart { .. } => None,
        }
    }
}

/// How far back [`check`] looks, in seconds.
pub fn horizon_seconds(rules: &DoorRules) -> u32 {
    rules.limits.iter().map(|limit| limit.seconds).max().unwrap_or(0)
}

/// Checks that the doors in `asked` (their places as far as known) lie together and can have been walked to at `now`,
/// after the doors in `done` (in any order).
///
/// # Errors
/// The first limit that is broken.
pub fn check(
    done: &[Knock],
    asked: &[Option<LatLon>],
    now: Timestamp,
    rules: &DoorRules,
) -> Result<(), TooFast> {
    let mut times: Vec<i64> = done.iter().map(|knock| knock.at.millis().min(now.millis())).collect();
    times.sort_unstable();
    for limit in &rules.limits {
        check_limit(&times, asked.len(), now, *limit)?;
    }
    check_apart(asked, rules)?;
    check_distance(done, asked, now, rules)
}

/// One tap stands for doors that one can have gone along: a long block, a lane. Without this the first call of a day,
/// before which nothing was walked, could name both ends of the grid.
fn check_apart(asked: &[Option<LatLon>], rules: &DoorRules) -> Result<(), TooFast> {
    let mut placed = asked.iter().flatten();
    let mut farthest = 0.0_f64;
    while let Some(one) = placed.next() {
        let from_one = placed.clone().map(|other| distance_m(*one, *other));
        farthest = from_one.fold(farthest, f64::max);
    }
    if farthest <= rules.together_m {
        return Ok(());
    }
    Err(TooFast::Apart { metres: farthest.round() as u32 })
}

fn check_limit(times: &[i64], asked: usize, now: Timestamp, limit: DoorLimit) -> Result<(), TooFast> {
    let start = now.millis().saturating_sub(i64::from(limit.seconds) * 1_000);
    let within: Vec<i64> = times.iter().copied().filter(|at| *at > start).collect();
    let room = usize::try_from(limit.doors).unwrap_or(usize::MAX);
    let over = (within.len() + asked).saturating_sub(room);
    if over == 0 {
        return Ok(());
    }
    // Room comes as the oldest leave the window; if all would have to leave and more, it never does.
    let leaves = over.checked_sub(1).and_then(|n| within.get(n)).filter(|_| asked <= room);
    let wait_seconds = leaves.map(|at| seconds_up(at.saturating_sub(start)));
    let done = u32::try_from(within.len()).unwrap_or(u32::MAX);
    Err(TooFast::Doors { limit, done, wait_seconds })
}

fn check_distance(
    done: &[Knock],
    asked: &[Option<LatLon>],
    now: Timestamp,
    rules: &DoorRules,
) -> Result<(), TooFast> {
    let placed = done.iter().filter_map(|knock| Some((knock.at.millis().min(now.millis()), knock.place?)));
    let Some((at, last)) = placed.max_by_key(|(at, _)| *at) else { return Ok(()) };
    let farthest = asked.iter().flatten().map(|to| distance_m(last, *to)).fold(0.0, f64::max);
    // Houses have breadth, and positions their error.
    let walked = farthest - rules.slack_m;
    let ms = now.millis().saturating_sub(at);
    let needed_ms = (walked / rules.metres_per_second * 1_000.0).ceil() as i64;
    if walked <= 0.0 || needed_ms <= ms {
        return Ok(());
    }
    Err(TooFast::Distance {
        metres: farthest.round() as u32,
        seconds: seconds_up(ms),
        wait_seconds: seconds_up(needed_ms - ms),
    })
}

fn seconds_up(ms: i64) -> u32 {
    u32::try_from(ms.max(0).saturating_add(999) / 1_000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + seconds * 1_000)
    }

    fn rules() -> DoorRules {
        DoorRules {
            limits: vec![DoorLimit { doors: 12, seconds: 60 }, DoorLimit { doors: 30, seconds: 600 }],
            ..DoorRules::default()
        }
    }

    fn knocks(times: &[i64]) -> Vec<Knock> {
        times.iter().map(|seconds| Knock { at: at(*seconds), place: None }).collect()
    }

    #[test]
    fn a_floor_at_once_is_fine_and_a_tower_is_not() {
        assert_eq!(check(&[], &[None; 12], at(0), &rules()), Ok(()));
        let tower = check(&[], &[None; 13], at(0), &rules()).unwrap_err();
        assert_eq!(tower.wait_seconds(), None);
        let floor = knocks(&[0; 12]);
        let next = check(&floor, &[None; 12], at(20), &rules()).unwrap_err();
        assert_eq!(next.wait_seconds(), Some(40));
        assert_eq!(check(&floor, &[None; 12], at(60), &rules()), Ok(()));
        let two: Vec<Knock> = [knocks(&[0; 12]), knocks(&[60; 12])].concat();
        assert!(check(&two, &[None; 12], at(120), &rules()).is_err(), "the slower limit holds as well");
    }

    #[test]
    fn a_clock_that_is_turned_back_makes_no_room() {
        assert!(check(&knocks(&[5_000; 12]), &[None; 1], at(0), &rules()).is_err());
    }

    #[test]
    fn far_doors_take_their_time() {
        let here = LatLon { lat: 36.8, lon: 118.3 };
        let there = LatLon { lat: 36.81, lon: 118.3 };
        let done = [Knock { at: at(0), place: Some(here) }];
        let soon = check(&done, &[Some(there), None], at(60), &rules()).unwrap_err();
        let TooFast::Distance { metres, seconds, wait_seconds } = soon else { panic!("{soon:?}") };
        assert!((1_100..1_120).contains(&metres), "{metres}");
        assert_eq!(seconds, 60);
        assert_eq!(check(&done, &[Some(there)], at(60 + i64::from(wait_seconds)), &rules()), Ok(()));
        assert_eq!(check(&done, &[Some(here)], at(1), &rules()), Ok(()));
        assert_eq!(check(&done, &[None], at(1), &rules()), Ok(()));
    }

    #[test]
    fn doors_of_one_tap_lie_together_whatever_was_walked_before() {
        let at_lat = |lat| Some(LatLon { lat, lon: 118.3 });
        let asked = [at_lat(36.8), None, at_lat(36.81), at_lat(36.805)];
        let apart = check(&[], &asked, at(0), &rules()).unwrap_err();
        let TooFast::Apart { metres } = apart else { panic!("{apart:?}") };
        assert!((1_100..1_120).contains(&metres), "{metres}");
        assert_eq!(apart.wait_seconds(), None);
        let old = [Knock { at: at(-50_000), place: at_lat(36.8) }];
        assert_eq!(check(&old, &asked, at(0), &rules()), Err(apart), "no time makes a floor of them");
        let lane = [at_lat(36.8), at_lat(36.8005), at_lat(36.801)];
        assert_eq!(check(&[], &lane, at(0), &rules()), Ok(()), "111 m: a lane");
        let short = DoorRules { together_m: 100.0, ..rules() };
        assert!(check(&[], &lane, at(0), &short).is_err());
    }

    proptest! {
        /// Who waits as long as they were told gets through.
        #[test]
        fn waiting_helps(times in prop::collection::vec(-900i64..0, 0..60), asked in 1usize..12) {
            let done = knocks(&times);
            let asked = vec![None; asked];
            let mut now = 0;
            for _ in 0..8 {
                match check(&done, &asked, at(now), &rules()) {
                    Ok(()) => break,
                    Err(too_fast) => {
                        let wait = too_fast.wait_seconds().unwrap();
                        prop_assert!(wait > 0);
                        now += i64::from(wait);
                    }
                }
            }
            prop_assert_eq!(check(&done, &asked, at(now), &rules()), Ok(()));
        }
    }
}
