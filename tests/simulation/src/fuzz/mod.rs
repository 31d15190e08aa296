//! The mutation fuzzer: honest changes by several authors are altered, sealed so that their checksums are right,
//! and offered to admission, alone and among honest ones.
//!
//! What must hold: no panic gets out, and none is even caught; nothing takes long; what is accepted can be loaded,
//! edited, handed to phones, and is what Automerge itself makes of the same changes; what is refused leaves no trace.
//! Requests, responses and snapshots are damaged as well.

mod admission_case;
mod body;
pub mod bombs;
mod column;
mod frame_case;
mod history;
mod leb;
mod mutate;
pub mod panics;
mod report;
mod snapshot_case;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::seeded::Seeded;

use crate::clock::Stopwatch;
pub use admission_case::LIMIT;
pub use report::{Example, Tally};

/// Batches offered per history.
const BATCHES: u64 = 24;
/// Damaged bodies per history.
const FRAMES: u64 = 6;
/// Damaged snapshots per history.
const SNAPSHOTS: u64 = 2;
/// Cases per history.
pub const CASES_PER_HISTORY: u64 = BATCHES + FRAMES + SNAPSHOTS;

/// How long to run.
#[derive(Clone, Copy, Debug)]
pub enum Extent {
    /// So many histories, from the first.
    Histories(u64),
    /// Until this time has passed.
    Time(Duration),
    /// One history by its number.
    Only(u64),
}

/// What `work` came to, with the time that it took; up to three times, of which the quickest counts, if it takes longer
/// than `limit`: what is slow because the machine is busy is fast the next time, a bomb is slow each time.
fn quickest<T>(limit: Duration, work: impl Fn() -> T) -> (T, Duration) {
    let timed = || {
        let stopwatch = Stopwatch::start();
        let value = work();
        (value, stopwatch.elapsed())
    };
    let mut best = timed();
    for _ in 0..2 {
        if best.1 <= limit {
            break;
        }
        let next = timed();
        if next.1 < best.1 {
            best = next;
        }
    }
    best
}

/// Runs on `threads` threads. The work follows from `seed` alone; only its amount depends on the machine.
pub fn run(seed: u64, extent: Extent, threads: usize) -> Tally {
    panics::install();
    let next = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let stopwatch = Stopwatch::start();
    let mut total = Tally::default();
    std::thread::scope(|scope| {
        let worker = || {
            let mut tally = Tally::default();
            while !stop.load(Ordering::Relaxed) {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let number = match extent {
                    Extent::Histories(count) if number >= count => break,
                    Extent::Time(limit) if stopwatch.elapsed() >= limit => break,
                    Extent::Only(_) if number > 0 => break,
                    Extent::Only(only) => only,
                    _ => number,
                };
                let escaped = panics::escaping(|| one_history(seed, number, &mut tally));
                tally.violations.extend(escaped.map(|panic| (number, format!("a panic got out: {panic}"))));
                if tally.violations.len() > 20 {
                    stop.store(true, Ordering::Relaxed);
                }
            }
            tally
        };
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(worker)).collect();
        for worker in workers {
            match worker.join() {
                Ok(tally) => total.add(tally),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    total
}

fn one_history(seed: u64, number: u64, tally: &mut Tally) {
    let mut random = Seeded::for_subject(seed, &format!("history {number}"));
    tally.history = number;
    let history = history::History::generate(&mut random);
    let note = |tally: &mut Tally, result: Result<(), String>| {
        tally.cases += 1;
        if let Err(violation) = result {
            tally.violations.push((number, violation));
        }
    };
    if let Some(verdict) = history.wronged {
        tally.violations.push((number, format!("an honest change got {verdict:?}")));
    }
    if let Err(violation) = admission_case::stranger(&history) {
        tally.violations.push((number, violation));
    }
    for _ in 0..BATCHES {
        let result = admission_case::run(&history, &mut random, tally);
        note(tally, result);
    }
    for _ in 0..FRAMES {
        let result = frame_case::run(&history, &mut random, tally);
        note(tally, result);
    }
    for _ in 0..SNAPSHOTS {
        let result = snapshot_case::run(&history, &mut random, tally);
        note(tally, result);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_run_finds_nothing_and_reaches_every_stage() {
        let tally = run(1, Extent::Histories(40), 2);
        assert!(tally.violations.is_empty(), "{:?}", tally.violations);
        assert!(tally.guard_used.is_empty(), "{:?}", tally.guard_used);
        assert!(tally.accepted > 100, "{tally}");
        for reason in ["Malformed", "SeqGap", "Counter", "Predecessors", "MissingDeps", "Forbidden"] {
            assert!(tally.refused.contains_key(reason), "never refused as {reason}: {tally}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_run() {
        let (a, b) = (run(2, Extent::Histories(4), 1), run(2, Extent::Histories(4), 2));
        assert_eq!((a.accepted, a.refused, a.frames), (b.accepted, b.refused, b.frames));
    }
}
