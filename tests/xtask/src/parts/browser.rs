//! The console in headless Chromium: hands the server, the demo and the browser to Node's test runner.

use super::{Built, Findings};
use crate::process::Program;
use crate::report::node_test_passes;
use crate::setup;
use crate::workspace::Workspace;

/// Runs all `*.test.mjs` of `tests/browser`, or those whose tests match the given pattern.
pub fn run(workspace: &Workspace, built: &Built, extra: &[String], findings: &mut Findings) {
    findings.add(run_tests(workspace, built, extra));
}

fn run_tests(workspace: &Workspace, built: &Built, extra: &[String]) -> Result<String, String> {
    let artifacts = built.artifacts()?;
    let chromium = setup::chromium(workspace).ok_or("Chromium went away")?;
    let files = test_files(workspace)?;
    let folder = workspace.path("tests/browser");
    let mut node = Program::new("node", &folder)
        .env("GRIDWALK_SERVER", artifacts.program("gridwalk-server")?)
        .env("GRIDWALK_DEMO", artifacts.program("gridwalk-demo")?)
        .env("GRIDWALK_CHROMIUM", chromium)
        .args(["--test", "--test-reporter=spec", "--test-concurrency=1"]);
    for pattern in extra {
        node = node.args(["--test-name-pattern", pattern]);
    }
    let node = node.args(files);
    println!("$ {node}");
    let finished = node.run_and_keep();
    match (finished.problem, node_test_passes(&finished.stdout)) {
        (Some(problem), _) => Err(problem),
        (None, 0) => Err(format!("`{node}` ran no test")),
        (None, passed) => Ok(format!("{passed} tests passed")),
    }
}

fn test_files(workspace: &Workspace) -> Result<Vec<String>, String> {
    let entries = std::fs::read_dir(workspace.path("tests/browser"))
        .map_err(|error| format!("tests/browser: {error}"))?;
    let mut files: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".test.mjs"))
        .collect();
    files.sort();
    if files.is_empty() { Err("tests/browser holds no *.test.mjs".into()) } else { Ok(files) }
}
