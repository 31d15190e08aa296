//! The phone core from Swift: the package of `ios/` built and tested on Linux, in a root of Debian 13.

use std::path::Path;

use crate::process::Program;
use crate::setup::swift;
use crate::workspace::Workspace;

/// What the tests stand on.
pub struct Inputs<'a> {
    /// The dynamic library that the core is built to.
    pub library: &'a Path,
    /// The folder of what UniFFI generated for Swift.
    pub generated: &'a Path,
    /// The server's program.
    pub server: &'a Path,
}

/// What is taken of the generated files, and the folder of `ios/Generated` that each belongs to. The module map is ours.
const TAKEN: [(&str, &str); 2] = [("GridwalkCore", "GridwalkCore.swift"), ("gridwalkFFI", "gridwalkFFI.h")];

/// Checks the style of our Swift, and runs its tests, or those whose names match the given patterns. Returns a line for
/// the report, with the figures that the tests measured. That no test ran is a failure, unless patterns were given.
///
/// # Errors
/// What is missing, or what failed.
pub fn run(workspace: &Workspace, inputs: &Inputs<'_>, extra: &[String]) -> Result<String, String> {
    let (lint, tests) = programs(workspace, inputs, extra)?;
    shown(&lint).run()?;
    let finished = shown(&tests).run_and_keep();
    match (finished.problem, passed(&finished.stdout)) {
        (Some(problem), _) => Err(problem),
        (None, 0) if extra.is_empty() => Err(format!("`{tests}` ran no test")),
        (None, passed) => {
            let figures = super::bindings::figures(&finished.stdout);
            let figures: String = figures.map(|figures| format!(" ({figures})")).unwrap_or_default();
            Ok(format!("Swift: {passed} tests passed{figures}"))
        }
    }
}

/// The program that checks the style, and the one that runs tests.
///
/// # Errors
/// What is missing.
pub fn programs(
    workspace: &Workspace,
    inputs: &Inputs<'_>,
    extra: &[String],
) -> Result<(Program, Program), String> {
    let root = swift::root(workspace)?;
    take(inputs.generated, &workspace.path("ios/Generated"))?;
    let work = workspace.path("target/bindings/swift-work");
    let (ios, build, tmp) = (workspace.path("ios"), work.join("build"), work.join("tmp"));
    for folder in [&build, &tmp] {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let (libraries, programs) = (parent(inputs.library)?, parent(inputs.server)?);
    let folders: [(&str, &Path); 5] =
        [("ios", &ios), ("build", &build), ("tmp", &tmp), ("library", libraries), ("programs", programs)];
    let style = ["swift", "format", "lint", "--strict", "--recursive"];
    let ours = ["Package.swift", "Sources", "Tests"].map(|path| format!("ios/{path}"));
    let lint: Vec<&str> = style.into_iter().chain(ours.iter().map(String::as_str)).collect();
    let lint = swift::inside(workspace, &root, &folders, &lint);
    let server = inputs.server.file_name().unwrap_or_default().to_string_lossy();
    let words = test_words(extra);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let tests = swift::inside(workspace, &root, &folders, &words)
        .env("GRIDWALK_SERVER", format!("/gridwalk/programs/{server}"));
    Ok((lint, tests))
}

fn test_words(extra: &[String]) -> Vec<String> {
    let mut words: Vec<String> =
        ["swift", "test", "--package-path", "/gridwalk/ios"].map(String::from).to_vec();
    words
        .extend(["--scratch-path", "/gridwalk/build", "--disable-xctest", "--no-parallel"].map(String::from));
    for flag in ["-L/gridwalk/library", "-rpath", "/gridwalk/library"] {
        words.extend(["-Xlinker".to_owned(), flag.to_owned()]);
    }
    words.extend(extra.iter().flat_map(|pattern| ["--filter".to_owned(), pattern.clone()]));
    words
}

/// Lays the generated files into the package; those that are there and the same stay, so that nothing is compiled anew.
fn take(from: &Path, to: &Path) -> Result<(), String> {
    for (folder, name) in TAKEN {
        let (source, folder) = (from.join(name), to.join(folder));
        let target = folder.join(name);
        let failed = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
        let new = std::fs::read(&source).map_err(|error| failed(&source, error))?;
        if std::fs::read(&target).ok().as_ref() != Some(&new) {
            std::fs::create_dir_all(&folder).map_err(|error| failed(&folder, error))?;
            std::fs::write(&target, new).map_err(|error| failed(&target, error))?;
        }
    }
    Ok(())
}

fn parent(file: &Path) -> Result<&Path, String> {
    file.parent().ok_or_else(|| format!("{} lies in no folder", file.display()))
}

fn shown(program: &Program) -> &Program {
    println!("$ {program}");
    program
}

/// Reads the number of tests off the last line of swift-testing.
fn passed(stdout: &str) -> u64 {
    let lines = stdout.lines().filter_map(|line| line.split_once("Test run with "));
    lines.filter_map(|(_, rest)| rest.split(' ').next()?.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn the_summary_of_swift_testing_is_read() {
        let stdout =
            "✔ Suite S passed after 0.001 seconds.\n✔ Test run with 12 tests passed after 3.1 seconds.\n";
        assert_eq!(passed(stdout), 12);
        assert_eq!(passed("Build complete!\n"), 0);
    }

    #[test]
    fn patterns_choose_tests() {
        let words = test_words(&["pause".into(), "photo".into()]).join(" ");
        assert!(words.starts_with("swift test --package-path "), "{words}");
        assert!(words.ends_with(" --filter pause --filter photo"), "{words}");
    }

    #[test]
    fn what_is_the_same_is_not_written_again() {
        let folder = std::env::temp_dir().join(format!("gridwalk-xtask-taken-{}", std::process::id()));
        let (from, to) = (folder.join("from"), folder.join("to"));
        std::fs::create_dir_all(&from).unwrap();
        assert!(take(&from, &to).is_err());
        for (_, name) in TAKEN {
            std::fs::write(from.join(name), "generated").unwrap();
        }
        take(&from, &to).unwrap();
        let target: PathBuf = to.join("gridwalkFFI/gridwalkFFI.h");
        let written = std::fs::metadata(&target).unwrap().modified().unwrap();
        take(&from, &to).unwrap();
        assert_eq!(std::fs::metadata(&target).unwrap().modified().unwrap(), written);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
