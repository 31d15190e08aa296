//! The phone core from other languages: the library of the one build, the bindings generated from it, and tests that
//! meet a real server. Generated code lies under `target/bindings` and is never committed.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};

use super::{Built, Findings, bindings_swift};
use crate::artifacts::Artifacts;
use crate::bindgen::{self, LIBRARY};
use crate::process::Program;
use crate::report::{surefire_count, swift_testing_count, unittest_count};
use crate::setup::{self, Need};
use crate::workspace::Workspace;

/// The test that measures what crossing the boundary costs, as the runners of Kotlin and Swift choose it.
const MEASURING: [&str; 2] = ["ten thousand", "tenThousand"];

/// What the figures are held against.
const LIMITS: [(&str, &str); 2] =
    [("cold open of 10,000 records", "at most 150 ms"), ("a page of 50 rows", "at most 1 ms")];

/// Generates the bindings and runs the tests of each language, or those whose names match the given patterns. Swift's are
/// preceded by a check of its style.
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
    let [into, library] = [&folder, made.library(LIBRARY)?].map(|path| path.display().to_string());
    let bindgen = Program::new(made.program(bindgen::PROGRAM)?, workspace.root())
        .args(bindgen::arguments(language, &into, &library));
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
    finished("Kotlin", &kotlin_tests(workspace, made, extra)?, extra, surefire_count)
}

fn kotlin_tests(workspace: &Workspace, made: &Artifacts, extra: &[String]) -> Result<Program, String> {
    let folder = generated(workspace, made, "kotlin")?;
    let libraries = made.library(LIBRARY)?.parent().ok_or("a library without a folder")?;
    let tests = Program::new("mvn", &workspace.path("android/bindings"))
        .env("GRIDWALK_SERVER", made.program("gridwalk-server")?)
        .args(["--batch-mode", "--no-transfer-progress", "test"])
        .args([format!("-Dgridwalk.generated={}", folder.display())])
        .args([format!("-Dgridwalk.library={}", libraries.display())]);
    if extra.is_empty() {
        return Ok(tests);
    }
    let patterns: Vec<String> = extra.iter().map(|pattern| format!("#*{pattern}*")).collect();
    let chosen = format!("-Dtest={}", patterns.join(","));
    Ok(tests.args([chosen, "-Dsurefire.failIfNoSpecifiedTests=false".into()]))
}

/// What crossing the boundary costs, by an optimised library: one JSON object a line.
///
/// # Errors
/// What is missing, or what failed.
pub fn measure(workspace: &Workspace) -> Result<ExitCode, String> {
    setup::ensure(workspace, &[Need::NATIVE.as_slice(), &[Need::Jdk, Need::Maven]].concat())?;
    let packages = ["gridwalk-ffi", bindgen::PROGRAM, "gridwalk-server"];
    let made = Artifacts::build_libraries_optimised(workspace, &packages)?;
    let [kotlin_test, swift_test] = MEASURING.map(|name| [name.to_owned()]);
    // All of the JVM's compilers, unlike in short runs of tests.
    let kotlin = kotlin_tests(workspace, &made, &kotlin_test)?.args(["-Dgridwalk.jvm=-Xshare:auto"]);
    let generated = generated(workspace, &made, "swift")?;
    let (_, swift) = bindings_swift::programs(workspace, &swift_inputs(&made, &generated)?, &swift_test)?;
    for (language, tests) in [("Kotlin", kotlin), ("Swift", swift)] {
        let finished = tests.run_and_keep_quietly();
        if let Some(problem) = finished.problem {
            return Err(format!("{problem}\n{}", finished.stdout));
        }
        let figures = figures(&finished.stdout).ok_or_else(|| format!("`{tests}` printed no figures"))?;
        figure_lines(language, figures).iter().for_each(|line| println!("{line}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// What the tests of a language measured.
fn figures(stdout: &str) -> Option<&str> {
    stdout.lines().find_map(|line| Some(line.split_once("figures: ")?.1))
}

/// Figures as other benchmarks print them, with what each is held against.
fn figure_lines(language: &str, figures: &str) -> Vec<Value> {
    let one = |figure: &str| {
        let (name, ms) = figure.strip_suffix(" ms")?.rsplit_once(' ')?;
        let limit = LIMITS.iter().find(|(limited, _)| *limited == name).map(|(_, limit)| *limit);
        let ms: f64 = ms.parse().ok()?;
        Some(json!({
            "name": format!("{language}: {name}"), "n": null, "rate": null, "bytes": null, "ms": ms,
            "fsync_p50_us": null, "rss_mb": null, "limit": limit,
        }))
    };
    figures.split(", ").filter_map(one).collect()
}

fn swift(workspace: &Workspace, made: &Artifacts, extra: &[String]) -> Result<String, String> {
    let generated = generated(workspace, made, "swift")?;
    let (style, tests) = bindings_swift::programs(workspace, &swift_inputs(made, &generated)?, extra)?;
    println!("$ {style}");
    style.run()?;
    finished("Swift", &tests, extra, swift_testing_count)
}

fn swift_inputs<'a>(made: &'a Artifacts, generated: &'a Path) -> Result<bindings_swift::Inputs<'a>, String> {
    let (library, server) = (made.library(LIBRARY)?, made.program("gridwalk-server")?);
    Ok(bindings_swift::Inputs { library, generated, server })
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
        (None, passed) => {
            let figures: String =
                figures(&finished.stdout).map(|figures| format!(" ({figures})")).unwrap_or_default();
            Ok(format!("{language}: {passed} tests passed{figures}"))
        }
    }
}

/// Lays a file into a folder without copying its bytes where the file system can.
fn beside(file: &Path, folder: &Path) -> Result<(), String> {
    let name = file.file_name().ok_or("a library without a name")?;
    let to = folder.join(name);
    let laid = std::fs::hard_link(file, &to).or_else(|_| std::fs::copy(file, &to).map(drop));
    laid.map_err(|error| format!("{}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_off_the_tests_and_stand_beside_their_limits() {
        let stdout = "[INFO] one\nfigures: cold open of 10,000 records 27.28 ms, a page of 50 rows 0.35 ms\n[INFO] two";
        let lines = figure_lines("Kotlin", figures(stdout).unwrap());
        let read: Vec<_> = lines.iter().map(|line| (line["name"].as_str(), line["ms"].as_f64())).collect();
        let expected = [
            (Some("Kotlin: cold open of 10,000 records"), Some(27.28)),
            (Some("Kotlin: a page of 50 rows"), Some(0.35)),
        ];
        assert_eq!(read, expected);
        assert!(
            lines
                .iter()
                .all(|line| line["limit"].as_str().is_some_and(|limit| limit.starts_with("at most ")))
        );
        assert_eq!(figures("[INFO] nothing measured"), None);
    }
}
