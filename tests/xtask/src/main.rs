//! Set-up, tests, demo, benchmarks and house rules in one small program.
//!
//! It compiles before anything else on a fresh machine, so it depends on `serde_json` only. `cargo xtask`
//! and `cargo demo` are aliases to it in `.cargo/config.toml`; `cargo xtask help` lists the commands.
#![forbid(unsafe_code)]

mod args;
mod artifacts;
mod bench;
mod bindgen;
mod cargo_metadata;
mod clock;
mod demo;
mod files;
mod layers;
mod licences;
mod pack;
mod parts;
mod process;
mod report;
mod schemas;
#[cfg(test)]
mod scratch;
mod setup;
mod spdx;
mod toml_lite;
mod workspace;

use std::io::Write;
use std::process::ExitCode;

use args::Command;
use workspace::Workspace;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let command = match args::parse(&arguments) {
        Ok(command) => command,
        Err(problem) => {
            eprintln!("{problem}\n\n{}", args::HELP);
            return ExitCode::from(2);
        }
    };
    match run(command) {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode, String> {
    if command == Command::Help {
        // Whoever reads only the first lines, as `head` does, has what they wanted.
        let _ = writeln!(std::io::stdout(), "{}", args::HELP);
        return Ok(ExitCode::SUCCESS);
    }
    let workspace = Workspace::find()?;
    match command {
        Command::Help => Ok(ExitCode::SUCCESS),
        Command::Setup => setup::everything(&workspace).map(|()| ExitCode::SUCCESS),
        Command::Test { parts, extra } => Ok(parts::run(&workspace, &parts, &extra)),
        Command::Schemas => {
            let artifacts = artifacts::Artifacts::build(&workspace)?;
            schemas::write(&workspace, &artifacts).map(|()| ExitCode::SUCCESS)
        }
        Command::Demo { arguments } => demo::play(&workspace, &arguments),
        Command::Package { system, dry_run } => pack::package(&workspace, system, dry_run),
        Command::Bench { subject, arguments } => bench::measure(&workspace, subject, &arguments),
    }
}
