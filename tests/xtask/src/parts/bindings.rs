//! The phone core from other languages: the library of the one build, the bindings generated from it, and tests that
//! meet a real server. Generated code lies under `target/bindings` and is never committed.

use std::path::{Path, PathBuf};

use super::{Built, Findings, bindings_swift};
use crate::artifacts::Artifacts;
use crate::process::Program;
use crate::report::{surefire_count, unittest_count};
use crate::workspace::Workspace;

/// The library, as its crate is called.
const LIBRARY: &str = "gridwalk_ffi";

/// Generates the bindings and runs the tests of each language, or those whose names match the given patterns.
pub fn run(workspace: &Workspace, built: &Built, extra: &[String], findings: &mut Findings) {
    let made = match built.artifacts() {
        Ok(made) => made,
        Err(problem) => return findings.add(Err(problem)),
    };
    for test in [python, kotlin, swift] {
        findings.add(test(workspace, made, extra));
    }
}

/// The folder of a language's generated code, made anew.
fn generated(workspace: &Workspace, made: &Artifacts, language: &str) -> Result<PathBuf, String> {
    let folder = workspace.path("target/bindings").join(language);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let bindgen = Program::new(made.program("gridwalk-bindgen")?, workspace.root())
        .args(["generate", "--no-format", "--language", language, "--out-dir"])
        .args([folder.as_path(), made.library(LIBRARY)?]);
    println!("$ {bindgen}");
    bindgen.capture()?;
    Ok(folder)
}

fn python(workspace: &Workspace, made: &Artifacts, extra: &[String]) -> Result<String, String> {
    let folder = generated(workspace, made, "python")?;
    // The generated module loads the library that lies beside it.
    beside(made.library(LIBRARY)?, &folder)?;
    let tests = Program::new("python3", &workspace.path("tests/bindings/python"))
        .env("PYTHONPATH", &folder)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("GRIDWALK_SERVER", made.program("gridwalk-server")?)
        .args(["-W", "error::ResourceWarning", "__main__.py"])
        .args(extra);
    finished("Python", &tests, extra, unittest_count)
}

fn kotlin(workspace: &Workspace, made: &Artifacts, extra: &[String]) -> Result<String, String> {
    let folder = generated(workspace, made, "kotlin")?;
    let libraries = made.library(LIBRARY)?.parent().ok_or("a library without a folder")?;
    let mut tests = Program::new("mvn", &workspace.path("android/bindings"))
        .env("GRIDWALK_SERVER", made.program("gridwalk-server")?)
        .args(["--batch-mode", "--no-transfer-progress", "test"])
        .args([format!("-Dgridwalk.generated={}", folder.display())])
        .args([format!("-Dgridwalk.library={}", libraries.display())]);
    if !extra.is_empty() {
        let patterns: Vec<String> = extra.iter().map(|pattern| format!("#*{pattern}*")).collect();
        tests = tests.args([
            format!("-Dtest={}", patterns.join(",")),
            "-Dsurefire.failIfNoSpecifiedTests=false".into(),
        ]);
    }
    finished("Kotlin", &tests, extra, surefire_count)
}

fn swift(workspace: &Workspace, made: &Artifacts, extra: &[String]) -> Result<String, String> {
    let generated = generated(workspace, made, "swift")?;
    let (library, server) = (made.library(LIBRARY)?, made.program("gridwalk-server")?);
    bindings_swift::run(workspace, &bindings_swift::Inputs { library, generated: &generated, server }, extra)
}

/// Runs the tests of a language. That none ran is a failure, unless patterns were given that may be meant for another.
fn finished(
    language: &str,
    tests: &Program,
    extra: &[String],
    count: impl Fn(&str) -> u64,
) -> Result<String, String> {
    println!("$ {tests}");
    let finished = tests.run_and_keep();
    match (finished.problem, count(&finished.stdout)) {
        (Some(problem), _) => Err(problem),
        (None, 0) if extra.is_empty() => Err(format!("`{tests}` ran no test")),
        (None, passed) => Ok(format!("{language}: {passed} tests passed")),
    }
}

/// Lays a file into a folder without copying its bytes where the file system can.
fn beside(file: &Path, folder: &Path) -> Result<(), String> {
    let name = file.file_name().ok_or("a library without a name")?;
    let to = folder.join(name);
    let laid = std::fs::hard_link(file, &to).or_else(|_| std::fs::copy(file, &to).map(drop));
    laid.map_err(|error| format!("{}: {error}", file.display()))
}
