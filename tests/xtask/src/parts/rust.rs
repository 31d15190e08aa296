//! Formatting, clippy and `cargo test`.

use super::{Findings, has_shared_data, server};
use crate::process::Program;
use crate::report::cargo_test_counts;
use crate::workspace::Workspace;

/// Formatting, lints, and the tests of every crate that has no part of its own.
pub fn run(workspace: &Workspace, findings: &mut Findings) {
    let cargo = || Program::cargo(workspace.root());
    findings.run(&cargo().args(["fmt", "--all", "--check"]));
    findings.run(&cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]));
    let others = ["--workspace", "--exclude", "gridwalk-e2e", "--exclude", "gridwalk-simulation"];
    findings.add(cargo_test(workspace, &others));
    has_shared_data(workspace, "tests on shared data", findings);
}

/// The end-to-end tests; `GRIDWALK_SERVER` tells them where the server program is.
pub fn end_to_end(workspace: &Workspace, extra: &[String], findings: &mut Findings) {
    let server = match server::build(workspace) {
        Ok(server) => server,
        Err(problem) => return findings.failures.push(problem),
    };
    let mut cargo = test_command(workspace, &["-p", "gridwalk-e2e"]).env("GRIDWALK_SERVER", server);
    if !extra.is_empty() {
        cargo = cargo.args(["--"]).args(extra.iter().cloned());
    }
    findings.add(count_tests(&cargo));
    has_shared_data(workspace, "tests on shared data", findings);
}

/// Runs `cargo test` to the end of all test binaries. That not one test ran is a failure.
pub fn cargo_test(workspace: &Workspace, arguments: &[&str]) -> Result<String, String> {
    count_tests(&test_command(workspace, arguments))
}

fn test_command(workspace: &Workspace, arguments: &[&str]) -> Program {
    Program::cargo(workspace.root()).args(["test", "--no-fail-fast"]).args(arguments.iter().copied())
}

fn count_tests(cargo: &Program) -> Result<String, String> {
    println!("$ {cargo}");
    let finished = cargo.run_and_keep();
    let (passed, failed, ignored) = cargo_test_counts(&finished.stdout);
    let counts = format!("{passed} tests passed, {failed} failed, {ignored} ignored");
    match finished.problem {
        Some(problem) => Err(format!("{problem}\n{counts}")),
        None if passed == 0 => Err(format!("`{cargo}` ran no test")),
        None => Ok(counts),
    }
}
