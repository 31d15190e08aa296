//! Runs simulated worlds: `gridwalk-simulation --seeds 300 --steps 500 --phones 8`.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::{Parser, ValueEnum};
use gridwalk_simulation::clock::Stopwatch;
use gridwalk_simulation::power::{self, Ground, PowerPlan};
use gridwalk_simulation::world::{Outcome, Plan, World};

/// What the stores are on, and which faults there are.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Level {
    /// In memory: all faults of the network, of people and of operators.
    Engine,
    /// In files: processes die before and after commits.
    Files,
    /// On disks that keep only what was synced: the power fails anywhere.
    Power,
}

impl Level {
    fn run(self, seed: u64, steps: usize, phones: usize) -> Outcome {
        let on = |ground| power::run(PowerPlan { seed, steps, phones, ground, plant: None });
        match self {
            Self::Engine => World::run(Plan { seed, steps, phones, plant: None }),
            Self::Files => on(Ground::Files),
            Self::Power => on(Ground::Power),
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Files => "files",
            Self::Power => "power",
        }
    }
}

/// Lines of the trace shown for a seed that fails.
const LAST_LINES: usize = 12;

#[derive(Parser)]
#[command(about = "Simulates phones, a server and a faulty network; the same seed gives the same run")]
struct Arguments {
    /// How many seeds to run.
    #[arg(long, default_value_t = 300)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many things happen in each run before the faults stop.
    #[arg(long, default_value_t = 500)]
    steps: usize,
    /// How many phones there are.
    #[arg(long, default_value_t = 8)]
    phones: usize,
    /// What the stores are on, and which faults there are.
    #[arg(long, value_enum, default_value_t = Level::Engine)]
    level: Level,
    /// Print everything that happened.
    #[arg(long)]
    trace: bool,
}

fn main() -> ExitCode {
    let Arguments { seeds, seed, steps, phones, level, trace } = Arguments::parse();
    let watch = Stopwatch::start();
    let next = AtomicU64::new(seed);
    let outcomes: Mutex<Vec<(u64, Outcome)>> = Mutex::default();
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        loop {
            let seed_now = next.fetch_add(1, Ordering::Relaxed);
            if seed_now >= seed.saturating_add(seeds) {
                break;
            }
            let outcome = level.run(seed_now, steps, phones);
            if !outcome.broken.is_empty() {
                println!("seed {seed_now}: {}", outcome.broken.join("; "));
                println!(
                    "  replay: --seeds 1 --seed {seed_now} --steps {steps} --phones {phones} --level {} --trace",
                    level.word()
                );
                let shown = outcome.trace.len().saturating_sub(LAST_LINES);
                outcome.trace.iter().skip(shown).for_each(|line| println!("  {line}"));
            }
            if let Ok(mut outcomes) = outcomes.lock() {
                outcomes.push((seed_now, outcome));
                if outcomes.len() % 50 == 0 {
                    let passed = watch.elapsed().as_secs_f64();
                    println!("{} of {seeds} seeds in {passed:.0} s", outcomes.len());
                }
            }
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        // One by one: the scope alone waits for what they do, not for their end, by which OpenSSL lets go of them. One that
        // panicked leaves seeds out, which are counted below.
        workers.into_iter().for_each(|worker| drop(worker.join()));
    });
    let outcomes = outcomes.into_inner().unwrap_or_default();
    if trace {
        for (_, outcome) in &outcomes {
            outcome.trace.iter().for_each(|line| println!("{line}"));
        }
    }
    let failed = outcomes.iter().filter(|(_, outcome)| !outcome.broken.is_empty()).count();
    let (edits, requests) =
        outcomes.iter().fold((0, 0), |(e, r), (_, outcome)| (e + outcome.edits, r + outcome.requests));
    println!(
        "{phones} phones, {steps} steps a seed, {edits} edits, {requests} requests, {:.0} s",
        watch.elapsed().as_secs_f64()
    );
    println!("{} passed, {failed} failed", outcomes.len() - failed);
    if failed == 0 && outcomes.len() as u64 == seeds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
