//! The main job, played and narrated: `cargo demo`.

mod acts;
mod args;
mod cast;
mod chapters;
mod day;
mod door;
mod error;
mod hazard;
mod input;
mod kept;
mod narrate;
mod phone_process;
mod promises;
mod report;
mod stage;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Inner};

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(Inner::Phone(phone)) = &args.inner {
        return phone_process::run(phone).await;
    }
    match day::play(&args).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("gridwalk-demo: {error}");
            ExitCode::FAILURE
        }
    }
}
