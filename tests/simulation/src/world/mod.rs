//! The simulated world: real phone stores and engines, the real server's sync code, and a network that loses, doubles,
//! cuts and reorders, all on one thread and all from one seed.
//!
//! A step is one thing that happens: a worker edits, a message arrives or does not, a phone dies, an officer re-cuts a
//! grid, a backup is put back. After the steps the faults stop, everybody syncs until nothing moves, and the promises
//! are checked ([`verdict`]). Some are checked all along: every response is held against what its device may see.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a simulation that cannot go on is a failed test, and is to stop where it stands"
)]

mod acts;
mod ledger;
mod misdeeds;
mod network;
mod office;
mod phone;
mod verdict;

pub use office::Office;
pub use phone::Phone;

use std::collections::BTreeSet;

use gridwalk_model::{RecordId, Timestamp};
use sha2::{Digest, Sha256};

use crate::seeded::Seeded;
use network::Network;

/// A bug that is put in on purpose, to see that the simulation notices it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// A phone says that an edit is saved, and forgets it.
    LostUpdate,
    /// The server's answer leaves a record out and moves the cursor past it, and no digest tells.
    SkippedCommit,
    /// The same now and then, and the digests tell: it must heal.
    SkippedCommitThatDigestsTell,
}

/// What is simulated.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The seed of everything.
    pub seed: u64,
    /// How many things happen before the faults stop.
    pub steps: usize,
    /// How many phones there are at first.
    pub phones: usize,
    /// A bug on purpose.
    pub plant: Option<Plant>,
}

/// What became of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Promises that were broken; empty if all is well.
    pub broken: Vec<String>,
    /// Hash of everything that happened: the same seed gives the same.
    pub run: [u8; 32],
    /// The last things that happened.
    pub trace: Vec<String>,
    /// Edits that phones acknowledged.
    pub edits: usize,
    /// Requests that the server answered.
    pub requests: usize,
}

/// Everything there is.
pub struct World {
    pub(crate) plan: Plan,
    pub(crate) random: Seeded,
    pub(crate) now: Timestamp,
    pub(crate) office: Office,
    pub(crate) phones: Vec<Phone>,
    pub(crate) network: Network,
    pub(crate) broken: Vec<String>,
    /// The faults have stopped.
    pub(crate) settling: bool,
    /// What was made, from outside.
    pub(crate) ledger: ledger::Ledger,
    /// Records to which a phone wrote something that the server does not know yet.
    pub(crate) newer: BTreeSet<RecordId>,
    trace: Vec<String>,
    run: Sha256,
}

/// 2026-03-02 08:00 in China.
const MORNING: i64 = 1_772_409_600_000;
const TRACE_KEPT: usize = 2_000;

impl World {
    /// Runs a plan from beginning to end.
    pub fn run(plan: Plan) -> Outcome {
        let mut world = Self::begin(plan);
        for _ in 0..plan.steps {
            world.step();
            if !world.broken.is_empty() {
                break;
            }
        }
        if world.broken.is_empty() {
            world.settle();
            world.judge();
        }
        world.end()
    }

    fn begin(plan: Plan) -> Self {
        let mut random = Seeded::for_subject(plan.seed, "world");
        let now = Timestamp::from_millis(MORNING);
        let office = Office::open(plan.seed, plan.phones, now);
        let phones = (0..plan.phones).map(|n| Phone::new(&office, n, &mut random)).collect();
        Self {
            plan,
            random,
            now,
            office,
            phones,
            network: Network::default(),
            broken: Vec::new(),
            settling: false,
            ledger: ledger::Ledger::default(),
            newer: BTreeSet::new(),
            trace: Vec::new(),
            run: Sha256::new(),
        }
    }

    fn end(self) -> Outcome {
        Outcome {
            broken: self.broken,
            run: self.run.finalize().into(),
            trace: self.trace,
            edits: self.phones.iter().map(|phone| phone.edits).sum(),
            requests: self.office.requests,
        }
    }

    /// Writes down what happened.
    pub(crate) fn note(&mut self, what: String) {
        let line = format!("{} {what}", self.now.millis() - MORNING);
        self.run.update(line.as_bytes());
        if self.trace.len() == TRACE_KEPT {
            self.trace.remove(0);
        }
        self.trace.push(line);
    }

    /// Writes down a broken promise.
    pub(crate) fn breach(&mut self, what: String) {
        self.note(format!("BROKEN: {what}"));
        self.broken.push(what);
    }
}

#[cfg(test)]
mod tests;
