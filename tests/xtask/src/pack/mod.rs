//! Packaging for phones: `cargo xtask android` makes an AAR, `cargo xtask apple` an XCFramework in a Swift package.
//!
//! Each first looks for everything it needs and says what is missing, a line each. With `--dry-run` it prints that and
//! its plan, every command and every file, and does nothing. The plan is data (`plan`), so tests can read it, and can
//! carry out on any machine the half of it that needs no phone's toolchain: laying out what was built.

mod android;
mod apple;
mod machine;
mod plan;
#[cfg(test)]
mod testing;

use std::process::ExitCode;

use crate::bindgen::{self, LIBRARY};
use crate::workspace::Workspace;
use machine::{Prerequisite, ThisMachine};
use plan::Step;

/// The crate that is packaged, as cargo calls it.
const PACKAGE: &str = "gridwalk-ffi";

/// The version of everything that is made; all crates of the workspace have one.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is packaged for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// An AAR.
    Android,
    /// An XCFramework in a Swift package.
    Apple,
}

/// Packages, or prints what it would do. The exit code says whether everything that it needs is there, but for a dry
/// run, which ends well on any machine.
///
/// # Errors
/// What failed on the way.
pub fn package(workspace: &Workspace, system: System, dry_run: bool) -> Result<ExitCode, String> {
    let machine = ThisMachine(workspace);
    let needed = match system {
        System::Android => android::needed(&machine),
        System::Apple => apple::needed(&machine),
    };
    if let Some(text) = missing(&needed).filter(|_| !dry_run) {
        eprintln!("{text}");
        return Ok(ExitCode::FAILURE);
    }
    let steps = match system {
        System::Android => android::plan(&android::Sources::read(workspace)?),
        System::Apple => apple::plan(&apple::Sources::read(workspace)?),
    };
    if dry_run {
        print!("{}", dry(&needed, &steps));
        return Ok(ExitCode::SUCCESS);
    }
    plan::carry_out(&steps, workspace.root())?;
    println!("made {}", if system == System::Android { android::MADE } else { apple::MADE });
    Ok(ExitCode::SUCCESS)
}

/// A line for each thing that is missing; `None` if nothing is.
fn missing(needed: &[Prerequisite]) -> Option<String> {
    let lines: Vec<String> = needed.iter().filter(|one| !one.met).map(Prerequisite::line).collect();
    (!lines.is_empty()).then(|| format!("missing:\n  {}", lines.join("\n  ")))
}

/// What a dry run prints: what is needed, with an answer each, and all steps.
fn dry(needed: &[Prerequisite], steps: &[Step]) -> String {
    let mut text = String::from("needed:\n");
    for one in needed {
        let line =
            if one.met { format!("there    {}", one.what) } else { format!("missing  {}", one.line()) };
        text.push_str(&format!("  {line}\n"));
    }
    text.push_str(&format!("\nplan ({} stands for this checkout):\n", plan::ROOT));
    for step in steps {
        text.push_str(&format!("{step}\n"));
    }
    text
}

/// The command by which the bindings of a language are generated from a built library.
fn generate(language: &str, folder: &str, library: &str) -> Step {
    let run = ["cargo", "run", "--quiet", "--package", bindgen::PROGRAM, "--"].map(String::from);
    Step::run(run.into_iter().chain(bindgen::arguments(language, folder, library)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_missing_thing_has_its_line_and_what_is_there_has_none() {
        let needed = [
            Prerequisite::new("one thing", "get it", false),
            Prerequisite::new("another", "do not", true),
            Prerequisite::new("a third", "`make it`", false),
        ];
        assert_eq!(missing(&needed), Some("missing:\n  one thing: get it\n  a third: `make it`".into()));
        assert_eq!(missing(&needed[1..2]), None);
    }

    #[test]
    fn a_dry_run_prints_answers_and_steps_and_does_nothing() {
        let needed = [Prerequisite::new("one", "get it", false), Prerequisite::new("two", "", true)];
        let text = dry(&needed, &[Step::write("dry/a", "x\n"), Step::run(["false"])]);
        assert!(text.starts_with("needed:\n  missing  one: get it\n  there    two\n\nplan "), "{text}");
        assert!(text.ends_with(":\nwrite dry/a\n      | x\nrun   false\n"), "{text}");
    }
}
