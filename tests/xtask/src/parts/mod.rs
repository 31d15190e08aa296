//! The parts of `cargo xtask test`: what each runs, and the loop over them.
//!
//! All parts run, also after one failed. A part whose needs cannot be met has failed; nothing passes by skipping. What
//! only some machines can run says so in the table where it was not run.

mod bindings;
mod bindings_swift;
mod browser;
mod rust;
mod targets;

pub use bindings::measure as measure_bindings;

use std::cell::OnceCell;
use std::process::ExitCode;

use crate::artifacts::Artifacts;
use crate::clock::{Stopwatch, readable};
use crate::demo::{self, District};
use crate::process::Program;
use crate::report::{self, PartResult};
use crate::setup::{self, Need};
use crate::workspace::Workspace;
use crate::{layers, licences, schemas};

/// The simulation's size in CI; issue and design ask for at least this.
const SIMULATION: [&str; 6] = ["--seeds", "300", "--steps", "500", "--phones", "8"];

/// How long the mutation fuzzer runs in CI.
const FUZZ: [&str; 2] = ["--seconds", "60"];

/// One part of the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// House rules on dependencies, sources and layout.
    Layers,
    /// Licences of all dependencies.
    Licences,
    /// Formatting, clippy, and the tests of all crates that have no part of their own.
    Rust,
    /// Generated files are up to date.
    Schemas,
    /// The simulation.
    Sim,
    /// The mutation fuzzer.
    Fuzz,
    /// Real processes, files and HTTP.
    E2e,
    /// The console in headless Chromium.
    Browser,
    /// The phone core from other languages.
    Bindings,
    /// The main job.
    Demo,
    /// What phones run, compiled for phones as far as any machine can.
    Targets,
}

impl Part {
    /// All parts in their order: what fails fast comes first.
    pub const ALL: [Self; 11] = [
        Self::Layers,
        Self::Licences,
        Self::Rust,
        Self::Schemas,
        Self::Sim,
        Self::Fuzz,
        Self::E2e,
        Self::Browser,
        Self::Bindings,
        Self::Demo,
        Self::Targets,
    ];

    /// The part of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Layers => "layers",
            Self::Licences => "licences",
            Self::Rust => "rust",
            Self::Schemas => "schemas",
            Self::Sim => "sim",
            Self::Fuzz => "fuzz",
            Self::E2e => "e2e",
            Self::Browser => "browser",
            Self::Bindings => "bindings",
            Self::Demo => "demo",
            Self::Targets => "targets",
        }
    }

    /// Whether arguments after `--` mean something to it.
    pub fn takes_arguments(self) -> bool {
        matches!(self, Self::Sim | Self::Fuzz | Self::E2e | Self::Browser | Self::Bindings)
    }

    fn needs(self) -> Vec<Need> {
        match self {
            Self::Layers | Self::Licences => vec![],
            Self::Targets => vec![Need::CCompiler],
            Self::Rust => {
                // The JDK lays out the AAR in a test of this program.
                let own = [Need::Rustfmt, Need::Clippy, Need::LatinFont, Need::Jdk];
                [own.as_slice(), &Need::NATIVE].concat()
            }
            Self::Schemas | Self::Sim | Self::Fuzz | Self::E2e | Self::Demo => Need::NATIVE.to_vec(),
            Self::Bindings => [Need::NATIVE.as_slice(), &[Need::Python, Need::Jdk, Need::Maven]].concat(),
            Self::Browser => {
                [Need::NATIVE.as_slice(), &[Need::Node, Need::BrowserPackages, Need::Chromium]].concat()
            }
        }
    }
}

/// What a part found out while it ran.
#[derive(Default)]
struct Findings {
    failures: Vec<String>,
    notes: Vec<String>,
    /// What this machine could not run; such a part does not read as passed.
    not_run: Vec<String>,
}

impl Findings {
    /// Files a result: a note if it is not empty, or a failure.
    fn add(&mut self, result: Result<String, String>) {
        match result {
            Ok(note) if note.is_empty() => {}
            Ok(note) => self.notes.push(note),
            Err(failure) => self.failures.push(failure),
        }
    }

    /// Shows a program's command line, runs it and files how it ended.
    fn run(&mut self, program: &Program) {
        println!("$ {program}");
        self.add(program.run().map(|()| String::new()));
    }
}

/// What parts share: everything that was built, once the first part asks for it.
struct Built<'w> {
    workspace: &'w Workspace,
    artifacts: OnceCell<Result<Artifacts, String>>,
}

impl Built<'_> {
    fn artifacts(&self) -> Result<&Artifacts, String> {
        self.artifacts.get_or_init(|| Artifacts::build(self.workspace)).as_ref().map_err(String::clone)
    }
}

/// Runs parts and prints the table. The exit code says whether all passed.
pub fn run(workspace: &Workspace, parts: &[Part], extra: &[String]) -> ExitCode {
    let total = Stopwatch::start();
    let built = Built { workspace, artifacts: OnceCell::new() };
    let results: Vec<PartResult> =
        parts.iter().map(|part| run_one(workspace, &built, *part, extra)).collect();
    println!("{}", report::table(&results, total.elapsed()));
    let passed = results.iter().all(|result| result.failures.is_empty());
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_one(workspace: &Workspace, built: &Built, part: Part, extra: &[String]) -> PartResult {
    println!("\n== {} ==", part.name());
    let watch = Stopwatch::start();
    let mut findings = Findings::default();
    match setup::ensure(workspace, &part.needs()) {
        Ok(()) => execute(workspace, built, part, extra, &mut findings),
        Err(missing) => findings.failures.push(missing),
    }
    let time = watch.elapsed();
    for failure in &findings.failures {
        println!("FAILED: {failure}");
    }
    for note in &findings.notes {
        println!("{note}");
    }
    for notice in &findings.not_run {
        println!("NOT RUN: {notice}");
    }
    println!("-- {} took {}", part.name(), readable(time));
    let Findings { failures, notes, not_run } = findings;
    PartResult { name: part.name(), failures, notes, not_run, time }
}

fn execute(workspace: &Workspace, built: &Built, part: Part, extra: &[String], findings: &mut Findings) {
    match part {
        Part::Layers => match layers::check(workspace) {
            Ok(note) => findings.notes.push(note),
            Err(problems) => findings.failures.extend(problems),
        },
        Part::Licences => findings.add(licences::check(workspace)),
        Part::Rust => rust::run(workspace, built, findings),
        Part::Schemas => findings.add(built.artifacts().and_then(|made| schemas::check(workspace, made))),
        Part::Sim => simulate(built, extra, findings),
        Part::Fuzz => start(built, "gridwalk-fuzz", &or_default(extra, &FUZZ), findings),
        Part::E2e => rust::end_to_end(built, extra, findings),
        Part::Browser => browser::run(workspace, built, extra, findings),
        Part::Bindings => bindings::run(workspace, built, extra, findings),
        Part::Demo => play(workspace, built, findings),
        Part::Targets => targets::run(workspace, findings),
    }
}

/// The simulation's own tests (among them the planted bugs that it must catch), then many seeds.
fn simulate(built: &Built, extra: &[String], findings: &mut Findings) {
    if extra.is_empty() {
        findings.add(built.artifacts().and_then(|made| made.test(|package| package == "simulation", &[])));
    }
    start(built, "gridwalk-simulation", &or_default(extra, &SIMULATION), findings);
}

/// Runs one of the workspace's programs.
fn start(built: &Built, name: &str, arguments: &[String], findings: &mut Findings) {
    match built.artifacts().and_then(|made| made.start(name, built.workspace.root())) {
        Ok(program) => findings.run(&program.args(arguments.iter().cloned())),
        Err(problem) => findings.failures.push(problem),
    }
}

fn play(workspace: &Workspace, built: &Built, findings: &mut Findings) {
    let check = |district| built.artifacts().and_then(|made| demo::check(workspace, made, district));
    findings.add(check(District::MadeUp));
    if has_shared_data(workspace, "the demo on shared data", findings) {
        findings.add(check(District::Shared));
    }
}

/// Whether the shared data is there; if not, says in the report what was not run for want of it.
fn has_shared_data(workspace: &Workspace, what: &str, findings: &mut Findings) -> bool {
    let data = workspace.shared_data();
    let there = data.is_dir();
    if !there {
        findings.notes.push(format!("not run: {what}, {} is absent", data.display()));
    }
    there
}

fn or_default(extra: &[String], default: &[&str]) -> Vec<String> {
    if extra.is_empty() { default.iter().map(|text| (*text).to_string()).collect() } else { extra.to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_parts() {
        for part in Part::ALL {
            assert_eq!(Part::named(part.name()), Some(part));
        }
        assert_eq!(Part::named("all"), None);
    }

    #[test]
    fn given_arguments_replace_the_default_ones() {
        assert_eq!(or_default(&[], &FUZZ), ["--seconds", "60"]);
        assert_eq!(or_default(&["--seconds".into(), "3600".into()], &FUZZ), ["--seconds", "3600"]);
    }
}
