//! The files under `schemas/`: which are generated, and that they are up to date.
//!
//! A generated file belongs to a test in the crate that owns its meaning. The test compares the committed file with
//! what the crate makes, and writes it anew when `UPDATE_SCHEMAS=1`. To register one, add a line to [`GENERATED`].
//! `cargo xtask schemas` writes all of them, `cargo xtask test schemas` fails if one would change.

use std::collections::BTreeMap;
use std::path::Path;

use crate::artifacts::Artifacts;
use crate::workspace::Workspace;

/// A generated file and the test that makes it.
struct Generated {
    /// Path below `schemas/`.
    file: &'static str,
    /// Folder of the package that owns its meaning.
    package: &'static str,
    /// The test's name, without its module.
    test: &'static str,
}

/// Every generated file. A crate registers its own here.
const GENERATED: [Generated; 3] = [
    Generated {
        file: "vectors/sync.json",
        package: "replica",
        test: "committed_vectors_are_what_this_build_writes_and_reads",
    },
    Generated { file: "device.sql", package: "device", test: "the_committed_dump_is_what_the_code_makes" },
    Generated {
        file: "server.sql",
        package: "sync-server",
        test: "the_committed_dump_is_what_a_store_is_made_of",
    },
];

/// Files and folders below `schemas/` that people write.
const WRITTEN: [&str; 5] = ["checklists", "openapi.yaml", "rules", "sync.cddl", "visits"];

/// Files by path below `schemas/`.
type Files = BTreeMap<String, Vec<u8>>;

/// Writes every generated file anew.
pub fn write(workspace: &Workspace, artifacts: &Artifacts) -> Result<(), String> {
    let before = read(workspace)?;
    let generated = generate(artifacts);
    let after = read(workspace)?;
    for file in changed(&before, &after) {
        println!("wrote schemas/{file}");
    }
    generated
}

/// Writes every generated file anew, sees whether one changed, and puts things back as they were.
pub fn check(workspace: &Workspace, artifacts: &Artifacts) -> Result<String, String> {
    let before = read(workspace)?;
    let generated = generate(artifacts);
    let after = read(workspace)?;
    let stale = changed(&before, &after);
    for file in &stale {
        restore(workspace, file, before.get(file))?;
    }
    let mut problems: Vec<String> = generated.err().into_iter().collect();
    problems.extend(stale.iter().map(|file| {
        format!("schemas/{file} is out of date; run `cargo xtask schemas`, look at the change and commit")
    }));
    problems.extend(unregistered(&before));
    if problems.is_empty() {
        Ok(format!("{} generated files", GENERATED.len()))
    } else {
        Err(problems.join("\n"))
    }
}

/// Runs the tests that own the files.
fn generate(artifacts: &Artifacts) -> Result<(), String> {
    let tests: Vec<String> = GENERATED.iter().map(|generated| generated.test.to_owned()).collect();
    let owner = |package: &str| GENERATED.iter().any(|generated| generated.package == package);
    let counts = artifacts.test_in(&[("UPDATE_SCHEMAS", "1")], owner, &tests)?;
    if counts.starts_with(&format!("{} tests passed", GENERATED.len())) {
        Ok(())
    } else {
        Err(format!("{} files are registered, but of their tests: {counts}", GENERATED.len()))
    }
}

fn restore(workspace: &Workspace, file: &str, content: Option<&Vec<u8>>) -> Result<(), String> {
    let path = workspace.path("schemas").join(file);
    let done = match content {
        Some(content) => std::fs::write(&path, content),
        None => std::fs::remove_file(&path),
    };
    done.map_err(|error| format!("schemas/{file}: {error}"))
}

fn read(workspace: &Workspace) -> Result<Files, String> {
    let mut files = Files::new();
    visit(&workspace.path("schemas"), "", &mut files).map_err(|error| format!("schemas: {error}"))?;
    Ok(files)
}

fn visit(base: &Path, folder: &str, files: &mut Files) -> std::io::Result<()> {
    for entry in std::fs::read_dir(base.join(folder))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        if entry.file_type()?.is_dir() {
            visit(base, &path, files)?;
        } else {
            files.insert(path, std::fs::read(entry.path())?);
        }
    }
    Ok(())
}

/// The files that are new, gone or different.
fn changed(before: &Files, after: &Files) -> Vec<String> {
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    names.into_iter().filter(|name| before.get(*name) != after.get(*name)).cloned().collect()
}

/// One sentence for each file that is neither registered as generated nor listed as written by people, and for
/// each registered one that is not committed.
fn unregistered(files: &Files) -> Vec<String> {
    let is_generated = |path: &str| GENERATED.iter().any(|generated| generated.file == path);
    let is_written = |path: &str| {
        WRITTEN
            .iter()
            .any(|own| path.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    };
    let strangers = files.keys().filter(|path| !is_generated(path) && !is_written(path));
    let absent = GENERATED.iter().filter(|generated| !files.contains_key(generated.file));
    strangers
        .map(|path| format!("schemas/{path} is not in the tables of tests/xtask/src/schemas.rs"))
        .chain(absent.map(|generated| format!("schemas/{} is not there", generated.file)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(entries: &[(&str, &str)]) -> Files {
        entries.iter().map(|(path, text)| ((*path).to_string(), text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn changed_new_and_gone_files_are_seen() {
        let before = files(&[("a", "1"), ("b", "2"), ("gone", "")]);
        let after = files(&[("a", "1"), ("b", "3"), ("new", "")]);
        assert_eq!(changed(&before, &after), ["b", "gone", "new"]);
        assert!(changed(&before, &before).is_empty());
    }

    #[test]
    fn every_file_has_a_place_in_a_table() {
        let mut all = files(&[("sync.cddl", "")]);
        all.extend(GENERATED.iter().map(|generated| (generated.file.to_string(), Vec::new())));
        assert_eq!(unregistered(&all), Vec::<String>::new());
        all.remove("server.sql");
        all.insert("sync.cddl.orig".into(), Vec::new());
        let expected = [
            "schemas/sync.cddl.orig is not in the tables of tests/xtask/src/schemas.rs",
            "schemas/server.sql is not there",
        ];
        assert_eq!(unregistered(&all), expected);
    }
}
