//! The phone core from Swift: the package of `ios/` built and tested on Linux, in a root of Debian 13.

use std::path::Path;

use crate::files::write_unless_same;
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

/// The program that checks the style of our Swift, and the one that runs its tests, or those whose names match the given
/// patterns.
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
        let source = from.join(name);
        let generated = std::fs::read(&source).map_err(|error| format!("{}: {error}", source.display()))?;
        write_unless_same(&to.join(folder).join(name), &generated)?;
    }
    Ok(())
}

fn parent(file: &Path) -> Result<&Path, String> {
    file.parent().ok_or_else(|| format!("{} lies in no folder", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn patterns_choose_tests() {
        let words = test_words(&["pause".into(), "photo".into()]).join(" ");
        assert!(words.starts_with("swift test --package-path "), "{words}");
        assert!(words.ends_with(" --filter pause --filter photo"), "{words}");
    }

    #[test]
    fn what_was_generated_goes_where_the_package_has_it() {
        let scratch = Scratch::new("taken");
        let (from, to) = (scratch.path().join("from"), scratch.path().join("to"));
        assert!(take(&from, &to).is_err());
        for (_, name) in TAKEN {
            scratch.write(&format!("from/{name}"), name.as_bytes());
        }
        take(&from, &to).unwrap();
        assert_eq!(scratch.text("to/gridwalkFFI/gridwalkFFI.h"), "gridwalkFFI.h");
        assert_eq!(scratch.text("to/GridwalkCore/GridwalkCore.swift"), "GridwalkCore.swift");
    }
}
