//! What a run of the fuzzer saw.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use gridwalk_replica::admission::Verdict;

/// Counts of one or several runs.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Batches, snapshots and bodies offered.
    pub cases: u64,
    /// Changes accepted.
    pub accepted: u64,
    /// Changes that were there already.
    pub duplicates: u64,
    /// Changes refused, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Bodies that could be decoded in spite of the damage, and all bodies.
    pub frames: (u64, u64),
    /// Damaged snapshots taken, and all of them.
    pub snapshots: (u64, u64),
    /// Panics that admission caught, by place: none is expected.
    pub guard_used: BTreeMap<String, Example>,
    /// Panics caught while a damaged snapshot was read, by place.
    pub snapshot_guard: BTreeMap<String, Example>,
    /// The slowest batch.
    pub slowest: (Duration, u64),
    /// The slowest snapshot.
    pub slowest_snapshot: (Duration, u64),
    /// The slowest body.
    pub slowest_frame: (Duration, u64),
    /// Properties that did not hold, each with the number of the history.
    pub violations: Vec<(u64, String)>,
    /// The history that is being worked on.
    pub history: u64,
}

/// How often something happened, and where first.
#[derive(Clone, Copy, Debug, Default)]
pub struct Example {
    /// How often.
    pub count: u64,
    /// Number of a history in which it happens.
    pub history: u64,
}

fn note(counts: &mut BTreeMap<String, Example>, panics: &[String], history: u64) {
    for panic in panics {
        counts.entry(panic.clone()).or_insert(Example { count: 0, history }).count += 1;
    }
}

impl Tally {
    /// Notes verdicts.
    pub fn verdicts(&mut self, verdicts: &[Verdict]) {
        for verdict in verdicts {
            match verdict {
                Verdict::Accepted => self.accepted += 1,
                Verdict::Duplicate => self.duplicates += 1,
                other => {
                    let name = match other {
                        Verdict::Invalid(reason) => format!("{reason:?}"),
                        Verdict::BlockedBy(_) => "BlockedBy".to_owned(),
                        other => format!("{other:?}"),
                    };
                    *self.refused.entry(name).or_default() += 1;
                }
            }
        }
    }

    /// Notes panics that admission caught.
    pub fn guarded(&mut self, panics: &[String]) {
        note(&mut self.guard_used, panics, self.history);
    }

    /// Notes how long a batch took.
    pub fn slow(&mut self, took: Duration) {
        self.slowest = self.slowest.max((took, self.history));
    }

    /// Notes how long a body took.
    pub fn slow_frame(&mut self, took: Duration) {
        self.slowest_frame = self.slowest_frame.max((took, self.history));
    }

    /// Notes a damaged body.
    pub fn frame(&mut self, decoded: bool) {
        self.frames.0 += u64::from(decoded);
        self.frames.1 += 1;
    }

    /// Notes a damaged snapshot.
    pub fn snapshot(&mut self, panics: &[String], took: Duration, taken: bool) {
        self.snapshots.0 += u64::from(taken);
        self.snapshots.1 += 1;
        self.slowest_snapshot = self.slowest_snapshot.max((took, self.history));
        // The place alone: what these panics say differs with every number in the damaged bytes.
        let places: Vec<String> =
            panics.iter().map(|panic| panic.split(": ").next().unwrap_or(panic).to_owned()).collect();
        note(&mut self.snapshot_guard, &places, self.history);
    }

    /// Adds what another thread saw.
    pub fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.accepted += other.accepted;
        self.duplicates += other.duplicates;
        for (name, count) in other.refused {
            *self.refused.entry(name).or_default() += count;
        }
        self.frames = (self.frames.0 + other.frames.0, self.frames.1 + other.frames.1);
        self.snapshots = (self.snapshots.0 + other.snapshots.0, self.snapshots.1 + other.snapshots.1);
        for (mine, theirs) in
            [(&mut self.guard_used, other.guard_used), (&mut self.snapshot_guard, other.snapshot_guard)]
        {
            for (place, example) in theirs {
                let slot = mine.entry(place).or_insert(Example { count: 0, history: example.history });
                slot.count += example.count;
                slot.history = slot.history.min(example.history);
            }
        }
        self.slowest = self.slowest.max(other.slowest);
        self.slowest_snapshot = self.slowest_snapshot.max(other.slowest_snapshot);
        self.slowest_frame = self.slowest_frame.max(other.slowest_frame);
        self.violations.extend(other.violations);
        self.violations.sort();
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refused: u64 = self.refused.values().sum();
        write!(
            f,
            "{} cases: {} changes accepted, {} duplicates, {refused} refused",
            self.cases, self.accepted, self.duplicates
        )?;
        for (index, (name, count)) in self.refused.iter().enumerate() {
            write!(f, "{}{name} {count}", if index == 0 { " (" } else { ", " })?;
        }
        writeln!(f, "{}", if refused > 0 { ")" } else { "" })?;
        writeln!(f, "bodies: {} of {} damaged ones decoded", self.frames.0, self.frames.1)?;
        writeln!(f, "snapshots: {} of {} damaged ones taken", self.snapshots.0, self.snapshots.1)?;
        let (batch, body, snapshot) = (self.slowest, self.slowest_frame, self.slowest_snapshot);
        writeln!(
            f,
            "slowest: batch {:?} (history {}), body {:?} (history {}), snapshot {:?} (history {})",
            batch.0, batch.1, body.0, body.1, snapshot.0, snapshot.1
        )?;
        for (place, example) in &self.guard_used {
            writeln!(f, "guard used {} times, e.g. history {}: {place}", example.count, example.history)?;
        }
        for (place, example) in &self.snapshot_guard {
            writeln!(f, "snapshot guard {} times, e.g. history {}: {place}", example.count, example.history)?;
        }
        Ok(())
    }
}
