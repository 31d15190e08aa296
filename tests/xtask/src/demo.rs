//! The main job: `cargo demo` is this command. It also judges the demo's last line for the tests.

use std::process::ExitCode;

use serde_json::Value;

use crate::artifacts::Artifacts;
use crate::setup::{self, Need};
use crate::workspace::Workspace;

/// Numbers that the demo's last line must hold.
const COUNTS: [&str; 16] = [
    "phones",
    "records",
    "changes",
    "photos",
    "refused_files",
    "conflicts",
    "pending",
    "lost",
    "diverged",
    "doors",
    "inspections",
    "visits",
    "patrols",
    "tracks",
    "events",
    "seconds",
];

/// Of these the ones of which a day that was played has some.
const AT_WORK: [&str; 10] = [
    "phones",
    "records",
    "changes",
    "photos",
    "doors",
    "inspections",
    "visits",
    "patrols",
    "tracks",
    "events",
];

/// Installs what the demo needs, then becomes it: its output, signals and exit code are untouched.
pub fn play(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode, String> {
    setup::ensure(workspace, &Need::NATIVE)?;
    eprintln!("Building the demo; the first time takes some minutes.");
    let artifacts = Artifacts::build_programs(workspace, &["gridwalk-demo", "gridwalk-server"])?;
    // In the caller's folder, so that relative paths mean what was typed.
    let folder = std::env::current_dir().unwrap_or_else(|_| workspace.root().to_path_buf());
    artifacts.start("gridwalk-demo", &folder)?.args(arguments.iter().cloned()).replace()
}

/// What the demo is played on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum District {
    /// Made up by the demo itself.
    MadeUp,
    /// Read from the folder of shared data, some of whose photos are damaged on purpose.
    Shared,
}

/// Plays the demo to its end and judges its last line. Returns a line for the report.
pub fn check(workspace: &Workspace, artifacts: &Artifacts, district: District) -> Result<String, String> {
    let mut demo = artifacts.start("gridwalk-demo", workspace.root())?.args(["--once", "--json"]);
    if district == District::Shared {
        let data = workspace.shared_data();
        for (option, place) in [
            ("--areas", "laoshan/areas.gcj02.geojson"),
            ("--ledger", "laoshan"),
            ("--photos", "photos"),
            ("--tracks", "tracks"),
        ] {
            demo = demo.args([option.into(), data.join(place)]);
        }
    }
    println!("$ {demo}");
    let finished = demo.run_and_keep();
    let line = finished.stdout.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let verdict = judge(line, district);
    match (finished.problem, verdict) {
        (None, verdict) => verdict,
        (Some(problem), Ok(_)) => Err(problem),
        (Some(problem), Err(also)) => Err(format!("{problem}\n{also}")),
    }
}

/// Judges the last line: the counts are there, nothing waits, is lost or differs, and something happened.
fn judge(line: &str, district: District) -> Result<String, String> {
    let report: Value = serde_json::from_str(line)
        .map_err(|error| format!("the demo's last line is not JSON ({error}): {line}"))?;
    let count = |name: &str| report.get(name).and_then(Value::as_f64);
    let mut problems: Vec<String> = COUNTS
        .iter()
        .filter(|name| count(name).is_none())
        .map(|name| format!("the demo's last line has no number `{name}`"))
        .collect();
    for name in ["pending", "lost", "diverged"] {
        if count(name).is_some_and(|number| number != 0.0) {
            problems.push(format!("the demo ended with {} {name}", count(name).unwrap_or_default()));
        }
    }
    let mut at_work = AT_WORK.to_vec();
    if district == District::Shared {
        at_work.push("refused_files");
    }
    for name in at_work {
        if count(name) == Some(0.0) {
            problems.push(format!("the demo ended with no {name}"));
        }
    }
    if !problems.is_empty() {
        return Err(problems.join("\n"));
    }
    let shown: Vec<String> =
        COUNTS.iter().filter_map(|name| Some(format!("{name} {}", count(name)?))).collect();
    Ok(shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(change: &[(&str, f64)]) -> String {
        let mut counts = serde_json::Map::new();
        for name in COUNTS {
            let number = if matches!(name, "pending" | "lost" | "diverged") { 0.0 } else { 8.0 };
            counts.insert(name.into(), Value::from(number));
        }
        for (name, number) in change {
            counts.insert((*name).into(), Value::from(*number));
        }
        Value::Object(counts).to_string()
    }

    #[test]
    fn a_clean_day_passes() {
        assert!(judge(&line(&[]), District::Shared).is_ok());
        assert!(judge(&line(&[("refused_files", 0.0)]), District::MadeUp).is_ok());
    }

    #[test]
    fn anything_waiting_lost_or_different_fails() {
        for name in ["pending", "lost", "diverged"] {
            assert!(judge(&line(&[(name, 1.0)]), District::MadeUp).is_err(), "{name}");
        }
    }

    #[test]
    fn an_idle_day_does_not_pass_as_a_clean_one() {
        for name in AT_WORK {
            assert!(judge(&line(&[(name, 0.0)]), District::MadeUp).is_err(), "{name}");
        }
        assert!(judge(&line(&[("refused_files", 0.0)]), District::Shared).is_err());
    }

    #[test]
    fn a_missing_or_foreign_last_line_fails() {
        assert!(judge("", District::MadeUp).is_err());
        assert!(judge("all good", District::MadeUp).is_err());
        assert!(judge("{\"phones\": 8}", District::MadeUp).is_err());
    }
}
