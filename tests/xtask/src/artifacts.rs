//! Everything of the workspace that can be run, built by one command.
//!
//! Cargo chooses the features of all packages of a command together, so two commands that name different packages
//! compile the common dependencies twice. Therefore one build makes every program and every test, and the parts run
//! them by their paths.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::process::Program;
use crate::report::cargo_test_counts;
use crate::workspace::Workspace;

/// The environment variable in which the tests find the server's program.
const SERVER: &str = "GRIDWALK_SERVER";

/// One test executable.
#[derive(Debug, Clone, PartialEq, Eq)]
struct TestProgram {
    package: String,
    /// As `cargo test` names it: the target's source file, below the package's folder.
    source: String,
    path: PathBuf,
    folder: PathBuf,
}

/// What a build made.
#[derive(Debug, Default)]
pub struct Artifacts {
    programs: BTreeMap<String, PathBuf>,
    /// Libraries that other languages load, by the name of their crate.
    libraries: BTreeMap<String, PathBuf>,
    tests: Vec<TestProgram>,
}

impl Artifacts {
    /// Builds the programs and tests of all packages.
    ///
    /// # Errors
    /// If something does not compile; the compiler's messages have been shown.
    pub fn build(workspace: &Workspace) -> Result<Self, String> {
        Self::run_cargo(workspace, &["--workspace", "--all-targets"])
    }

    /// Builds some packages' programs only: quicker where nothing was built before.
    ///
    /// # Errors
    /// As [`Self::build`].
    pub fn build_programs(workspace: &Workspace, packages: &[&str]) -> Result<Self, String> {
        Self::of_packages(workspace, &["--bins"], packages)
    }

    /// The same, optimised, for benchmarks.
    ///
    /// # Errors
    /// As [`Self::build`].
    pub fn build_optimised(workspace: &Workspace, packages: &[&str]) -> Result<Self, String> {
        Self::of_packages(workspace, &["--bins", "--release"], packages)
    }

    /// The same with their libraries.
    ///
    /// # Errors
    /// As [`Self::build`].
    pub fn build_libraries_optimised(workspace: &Workspace, packages: &[&str]) -> Result<Self, String> {
        Self::of_packages(workspace, &["--lib", "--bins", "--release"], packages)
    }

    fn of_packages(workspace: &Workspace, flags: &[&str], packages: &[&str]) -> Result<Self, String> {
        let named = packages.iter().flat_map(|package| ["--package", package]);
        Self::run_cargo(workspace, &flags.iter().copied().chain(named).collect::<Vec<_>>())
    }

    fn run_cargo(workspace: &Workspace, arguments: &[&str]) -> Result<Self, String> {
        let cargo = Program::cargo(workspace.root())
            .args(["build", "--message-format=json-render-diagnostics"])
            .args(arguments.iter().copied());
        // Standard output belongs to the program that is started afterwards.
        eprintln!("$ {cargo}");
        let finished = cargo.run_and_keep_quietly();
        match finished.problem {
            Some(problem) => Err(problem),
            None => Ok(Self::read(&finished.stdout)),
        }
    }

    fn read(messages: &str) -> Self {
        let mut artifacts = Self::default();
        let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        for message in messages {
            artifacts.add(&message);
            artifacts.add_library(&message);
        }
        artifacts.tests.sort_by(|a, b| (&a.package, &a.source).cmp(&(&b.package, &b.source)));
        artifacts
    }

    fn add(&mut self, message: &Value) -> Option<()> {
        let path = PathBuf::from(message.get("executable")?.as_str()?);
        let target = message.get("target")?;
        let name = target.get("name")?.as_str()?;
        if message.get("profile")?.get("test")?.as_bool()? {
            let folder = Path::new(message.get("manifest_path")?.as_str()?).parent()?;
            let source = Path::new(target.get("src_path")?.as_str()?);
            self.tests.push(TestProgram {
                package: folder.file_name()?.to_string_lossy().into_owned(),
                source: source.strip_prefix(folder).unwrap_or(source).display().to_string(),
                path,
                folder: folder.to_path_buf(),
            });
        } else if target.get("kind")?.as_array()?.iter().any(|kind| kind == "bin") {
            self.programs.insert(name.to_owned(), path);
        }
        Some(())
    }

    fn add_library(&mut self, message: &Value) -> Option<()> {
        let name = message.get("target")?.get("name")?.as_str()?;
        let files = message.get("filenames")?.as_array()?.iter().filter_map(Value::as_str).map(Path::new);
        let dynamic = |file: &&Path| {
            file.extension().and_then(|ending| ending.to_str()) == Some(std::env::consts::DLL_EXTENSION)
        };
        self.libraries.insert(name.to_owned(), files.into_iter().find(dynamic)?.to_owned());
        Some(())
    }

    /// The path of a library that other languages load.
    ///
    /// # Errors
    /// If the workspace has none of this name.
    pub fn library(&self, name: &str) -> Result<&Path, String> {
        self.libraries.get(name).map(PathBuf::as_path).ok_or_else(|| format!("there is no library {name}"))
    }

    /// The path of a program.
    ///
    /// # Errors
    /// If the workspace has none of this name.
    pub fn program(&self, name: &str) -> Result<&Path, String> {
        self.programs.get(name).map(PathBuf::as_path).ok_or_else(|| format!("there is no program {name}"))
    }

    /// A program ready to be started in a folder, told where the server is.
    ///
    /// # Errors
    /// As [`Self::program`].
    pub fn start(&self, name: &str, folder: &Path) -> Result<Program, String> {
        Ok(Program::new(self.program(name)?, folder).env(SERVER, self.program("gridwalk-server")?))
    }

    /// Runs the tests of the packages in these folders with arguments for the test runner, all to the end. Returns
    /// how many tests there were; that not one ran is a failure.
    ///
    /// # Errors
    /// What failed.
    pub fn test(&self, chosen: impl Fn(&str) -> bool, arguments: &[String]) -> Result<String, String> {
        self.test_in(&[], chosen, arguments)
    }

    /// The same with variables set.
    ///
    /// # Errors
    /// As [`Self::test`].
    pub fn test_in(
        &self,
        environment: &[(&str, &str)],
        chosen: impl Fn(&str) -> bool,
        arguments: &[String],
    ) -> Result<String, String> {
        let (mut sums, mut problems) = ((0, 0, 0), Vec::new());
        for test in self.tests.iter().filter(|test| chosen(&test.package)) {
            println!("\n== tests of {} ({})", test.package, test.source);
            // In its package's folder, as `cargo test` does.
            let mut program = Program::new(&test.path, &test.folder)
                .env("CARGO_MANIFEST_DIR", &test.folder)
                .env(SERVER, self.program("gridwalk-server")?)
                .args(arguments.iter().cloned());
            for (name, value) in environment {
                program = program.env(name, value);
            }
            let finished = program.run_and_keep();
            let (passed, failed, ignored) = cargo_test_counts(&finished.stdout);
            sums = (sums.0 + passed, sums.1 + failed, sums.2 + ignored);
            if let Some(problem) = finished.problem {
                problems.push(format!("{} {}: {problem}", test.package, test.source));
            }
        }
        let counts = format!("{} tests passed, {} failed, {} ignored", sums.0, sums.1, sums.2);
        match problems.is_empty() {
            true if sums.0 == 0 => Err("not one test ran".to_owned()),
            true => Ok(counts),
            false => Err(format!("{}\n{counts}", problems.join("\n"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(name: &str, kind: &str, source: &str, test: bool, executable: Option<&str>) -> String {
        serde_json::json!({
            "reason": "compiler-artifact",
            "manifest_path": "/w/tests/e2e/Cargo.toml",
            "target": { "name": name, "kind": [kind], "src_path": format!("/w/tests/e2e/{source}") },
            "profile": { "test": test },
            "executable": executable,
        })
        .to_string()
    }

    #[test]
    fn programs_and_tests_are_told_apart() {
        let messages = [
            message("e2e", "lib", "src/lib.rs", false, None),
            message("phone", "bin", "src/bin/phone.rs", false, Some("/t/phone")),
            message("phone", "bin", "src/bin/phone.rs", true, Some("/t/deps/phone-1")),
            message("e2e", "lib", "src/lib.rs", true, Some("/t/deps/e2e-1")),
            message("photo", "example", "examples/photo.rs", false, Some("/t/examples/photo")),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
            "noise".to_owned(),
        ];
        let found = Artifacts::read(&messages.join("\n"));
        assert_eq!(found.program("phone"), Ok(Path::new("/t/phone")));
        assert!(found.program("photo").is_err());
        let tests: Vec<(&str, &str)> = found.tests.iter().map(|t| (&*t.package, &*t.source)).collect();
        assert_eq!(tests, [("e2e", "src/bin/phone.rs"), ("e2e", "src/lib.rs")]);
    }

    #[test]
    fn libraries_for_other_languages_are_found() {
        let ending = std::env::consts::DLL_EXTENSION;
        let message = serde_json::json!({
            "reason": "compiler-artifact",
            "target": { "name": "face", "kind": ["lib", "cdylib"] },
            "filenames": ["/t/libface.rlib", format!("/t/libface.{ending}"), "/t/libface.a"],
            "executable": null,
        });
        let found = Artifacts::read(&message.to_string());
        assert_eq!(found.library("face"), Ok(Path::new(&format!("/t/libface.{ending}"))));
        assert!(found.library("other").is_err());
    }

    #[test]
    fn that_no_test_ran_is_a_failure() {
        assert!(Artifacts::default().test(|_| true, &[]).is_err());
    }
}
