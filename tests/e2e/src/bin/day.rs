//! A phone in a process of its own that does a scripted day, to be killed at any point and started again: see
//! [`gridwalk_e2e::day::process`].

#![forbid(unsafe_code)]

use std::env;
use std::process::ExitCode;

use gridwalk_e2e::day::process;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match process::run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("day: {error}");
            ExitCode::FAILURE
        }
    }
}
