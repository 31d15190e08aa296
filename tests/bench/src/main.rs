#![forbid(unsafe_code)]
//! Benchmarks. Each prints one JSON object a line: `name, n, rate, bytes, ms, fsync_p50_us, rss_mb, limit`, with `null`
//! where a figure has no meaning; `limit` says what it is held against. Nothing here passes or fails: machines are noisy, so figures are read beside the disk's
//! own `fsync_p50_us` and beside ratios that were measured in the same run.

mod day;
mod device;
mod labels;
mod measure;
mod pause;
mod photo;
mod pull;
mod room;
mod sync;
mod today;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::measure::Printer;

#[derive(Parser)]
#[command(about = "Prints figures, one JSON object a line")]
struct Arguments {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Subcommand)]
enum Subject {
    /// Push, pull and idle sync over loopback HTTP, and the server's memory.
    Sync {
        /// One JSON object a line instead of a table.
        #[arg(long)]
        json: bool,
        /// How many new records the large push has.
        #[arg(long, default_value_t = 20_000)]
        large: usize,
        /// Grow the server to this many stored records to see what memory it takes; 0 leaves it out.
        #[arg(long, default_value_t = 200_000)]
        memory: usize,
    },
    /// The phone's store: opening, saving, searching, pulling a grid, making room, what encryption costs; and what a
    /// whole day takes of memory and disk.
    Device {
        /// One JSON object a line instead of a table.
        #[arg(long)]
        json: bool,
        /// How many residents the large search has.
        #[arg(long, default_value_t = 100_000)]
        residents: usize,
        /// How many residents the very large search has, which takes minutes and gigabytes of disk; 0 leaves it out.
        #[arg(long, default_value_t = 1_000_000)]
        large: usize,
    },
    /// The process of the day that `device` measures.
    #[command(hide = true)]
    DayProcess {
        /// What it is told.
        arguments: Vec<String>,
    },
    /// Photos, from camera file to stamped picture, and labels in frames of the camera.
    Photo {
        /// One JSON object a line instead of a table.
        #[arg(long)]
        json: bool,
    },
}

fn main() -> ExitCode {
    // Plain HTTP on loopback only, but the client does not start without it. Whoever came first has set the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let run = match Arguments::parse().subject {
        Subject::Sync { json, large, memory } => sync::run(&mut Printer::new(json), large, memory),
        Subject::Device { json, residents, large } => device::run(&mut Printer::new(json), residents, large),
        Subject::DayProcess { arguments } => day::process(&arguments),
        Subject::Photo { json } => {
            let mut printer = Printer::new(json);
            photo::run(&mut printer).and_then(|()| labels::run(&mut printer))
        }
    };
    match run {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
