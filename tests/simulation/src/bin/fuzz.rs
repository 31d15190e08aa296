//! `gridwalk-fuzz`: the mutation fuzzer by command. Exits with 1 if a property does not hold.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use gridwalk_simulation::fuzz::{self, CASES_PER_HISTORY, Extent};

/// Alters honest changes, requests and snapshots, and checks what becomes of them.
#[derive(Debug, Parser)]
#[command(name = "gridwalk-fuzz")]
struct Arguments {
    /// Run for so long.
    #[arg(long, conflicts_with_all = ["cases", "only"])]
    seconds: Option<u64>,
    /// Run so many cases (rounded up to whole histories).
    #[arg(long, conflicts_with = "only")]
    cases: Option<u64>,
    /// Run one history: the way to replay what a longer run found.
    #[arg(long)]
    only: Option<u64>,
    /// Offer batches of the size of whole requests instead, and tell how long each took.
    #[arg(long)]
    bombs: bool,
    /// Where all randomness comes from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads; by default as many as there are cores.
    #[arg(long)]
    threads: Option<usize>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.bombs {
        return bombs();
    }
    let extent = match (arguments.seconds, arguments.cases, arguments.only) {
        (_, _, Some(only)) => Extent::Only(only),
        (Some(seconds), ..) => Extent::Time(Duration::from_secs(seconds)),
        (_, Some(cases), _) => Extent::Histories(cases.div_ceil(CASES_PER_HISTORY)),
        _ => Extent::Time(Duration::from_secs(60)),
    };
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let tally = fuzz::run(arguments.seed, extent, arguments.threads.unwrap_or(cores));
    print!("{tally}");
    let mut failed = !tally.violations.is_empty();
    if tally.cases == 0 {
        println!("not one case ran");
        failed = true;
    }
    for (history, violation) in tally.violations.iter().take(5) {
        println!("violation in history {history}: {violation}");
        println!(
            "  replay: cargo run -p gridwalk-simulation --bin gridwalk-fuzz -- --seed {} --only {history}",
            arguments.seed
        );
    }
    if let Some(example) = tally.guard_used.values().next() {
        println!(
            "admission's guard caught a panic, which its checks should have made impossible\n  replay: cargo run \
             -p gridwalk-simulation --bin gridwalk-fuzz -- --seed {} --only {}",
            arguments.seed, example.history
        );
        failed = true;
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn bombs() -> ExitCode {
    fuzz::panics::install();
    let mut failed = false;
    for bomb in fuzz::bombs::all(1) {
        let mut outcome = bomb.offer();
        // What is slow because the machine is busy is fast the next time; a bomb is slow each time.
        for _ in 0..2 {
            if outcome.took > fuzz::LIMIT {
                outcome = bomb.offer();
            }
        }
        let wrong = match (outcome.panics.first(), outcome.took > fuzz::LIMIT) {
            (Some(panic), _) => format!(": panic at {panic}"),
            (None, true) => ": too slow".to_owned(),
            (None, false) => String::new(),
        };
        let (count, bytes) = outcome.size;
        println!(
            "{}: {} of {count} changes ({bytes} bytes) accepted in {:?}{wrong}",
            bomb.name, outcome.accepted, outcome.took
        );
        failed |= !wrong.is_empty();
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
