//! Which outside library may be used where, and what library crates must say at their top.

use super::scrub::{without_comments_and_strings, without_tests};
use super::texts::Text;
use crate::cargo_metadata::Package;
use crate::toml_lite;

/// A library with the crates that may name it in their manifest and the folders that may use it.
struct Confined {
    library: &'static str,
    crates: &'static [&'static str],
    folders: &'static [&'static str],
}

/// Crates under `tests/` are exempt: they look behind the scenes on purpose.
const CONFINED: [Confined; 4] = [
    Confined {
        library: "rusqlite",
        crates: &["gridwalk-device", "gridwalk-server"],
        folders: &["core/device/src/store", "sync-server/src/storage"],
    },
    Confined { library: "reqwest", crates: &["gridwalk-device"], folders: &["core/device/src/net"] },
    Confined { library: "image", crates: &["gridwalk-evidence"], folders: &["core/evidence"] },
    Confined { library: "uniffi", crates: &["gridwalk-ffi", "gridwalk-bindgen"], folders: &["ffi"] },
];

/// Crates that may allow unsafe code in a module, with a reason there: the foreign function interface, and the
/// simulated disk, which stands behind SQLite's C interface for file systems.
const MAY_ALLOW_UNSAFE: [&str; 2] = ["ffi", "tests/simulation"];

/// Crates that do no I/O of any kind.
const PURE: [&str; 3] = ["core/model/src/", "core/replica/src/", "core/evidence/src/"];

/// What a pure crate must not touch outside its tests.
const IMPURE: [&str; 8] =
    ["std::fs", "std::net", "std::process", "std::env", "std::thread", "std::io::stdin", "tokio", "reqwest"];

/// One sentence for each breach.
pub fn breaches(members: &[Package], files: &[Text]) -> Vec<String> {
    let mut problems = Vec::new();
    for package in members {
        problems.extend(manifest_breaches(package, files));
    }
    let sources: Vec<&Text> = files.iter().filter(|file| file.path.ends_with(".rs")).collect();
    let test_modules: Vec<String> = sources.iter().flat_map(|file| test_modules(file)).collect();
    for file in sources {
        // Test modules look behind the scenes on purpose.
        if !test_modules.iter().any(|module| is_inside(&file.path, module)) {
            problems.extend(confinement_breaches(file));
            problems.extend(purity_breaches(file));
        }
    }
    problems
}

fn manifest_breaches(package: &Package, files: &[Text]) -> Vec<String> {
    let mut problems = Vec::new();
    let Some(folder) = package.folder.as_deref() else { return problems };
    if !folder.starts_with("tests/") {
        for confined in &CONFINED {
            let (library, name) = (confined.library, package.name.as_str());
            if package.dependencies.iter().any(|used| used == library) && !confined.crates.contains(&name) {
                problems.push(format!("{name} must not depend on {library}"));
            }
        }
    }
    let find = |name: &str| files.iter().find(|file| file.path == format!("{folder}/{name}"));
    if find("Cargo.toml").is_none_or(|file| !toml_lite::says(&file.content, "lints", "workspace", "true")) {
        problems.push(format!("{folder}/Cargo.toml does not take the workspace's lints"));
    }
    let word =
        if MAY_ALLOW_UNSAFE.contains(&folder) { "#![deny(unsafe_code)]" } else { "#![forbid(unsafe_code)]" };
    if find("src/lib.rs").is_some_and(|file| !file.content.contains(word)) {
        problems.push(format!("{folder}/src/lib.rs does not forbid unsafe code"));
    }
    problems
}

fn confinement_breaches(file: &Text) -> Vec<String> {
    if file.path.starts_with("tests/") {
        return Vec::new();
    }
    let code = without_comments_and_strings(&file.content);
    let mut problems = Vec::new();
    for confined in &CONFINED {
        let at_home = confined.folders.iter().any(|folder| is_inside(&file.path, folder));
        if !at_home && let Some(line) = line_of_path(&code, confined.library) {
            let folders = confined.folders.join(" and ");
            problems
                .push(format!("{}:{line} uses {}, which belongs in {folders}", file.path, confined.library));
        }
    }
    problems
}

fn purity_breaches(file: &Text) -> Vec<String> {
    if !PURE.iter().any(|folder| file.path.starts_with(folder)) {
        return Vec::new();
    }
    let code = without_tests(&without_comments_and_strings(&file.content));
    let used = IMPURE.iter().filter_map(|name| Some((name, line_of_path(&code, name)?)));
    used.map(|(name, line)| format!("{}:{line} uses {name} in a crate without I/O", file.path)).collect()
}

/// The modules in files of their own that this file declares as `#[cfg(test)] mod name;`, as paths without ending.
fn test_modules(file: &Text) -> Vec<String> {
    let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let home = match name {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_string(),
        _ => file.path.trim_end_matches(".rs").to_string(),
    };
    let code = without_comments_and_strings(&file.content);
    code.split("#[cfg(test)]")
        .skip(1)
        .filter_map(|after| declared_module(after.split_once(';')?.0))
        .map(|name| format!("{home}/{name}"))
        .collect()
}

fn declared_module(item: &str) -> Option<&str> {
    let mut words = item.split_whitespace().rev();
    let name = words.next()?;
    (words.next() == Some("mod")).then_some(name)
}

/// Whether a file is in a folder, or is the folder's module file (`store.rs` beside `store/`).
fn is_inside(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
}

/// The first line (from 1) on which `name` is used as the start of a path, as in `use name` or `name::`.
fn line_of_path(code: &str, name: &str) -> Option<usize> {
    code.lines().position(|line| uses(line, name)).map(|at| at + 1)
}

fn uses(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line.get(..at).unwrap_or_default();
        let after = line.get(at + name.len()..).unwrap_or_default();
        let whole = !after.starts_with(|c: char| c.is_alphanumeric() || c == '_')
            && !before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let absolute = before.strip_suffix("::").is_none_or(|start| !start.ends_with(char::is_alphanumeric));
        let imported = before.trim_end().ends_with("use") || before.trim_end().ends_with("extern crate");
        whole && absolute && (after.starts_with("::") || imported || name.contains("::"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(path: &str, content: &str) -> Text {
        Text { path: path.into(), content: content.into() }
    }

    #[test]
    fn sqlite_stays_in_the_stores() {
        let code = "use rusqlite::Connection;\n";
        assert!(confinement_breaches(&text("core/device/src/store/open.rs", code)).is_empty());
        assert!(confinement_breaches(&text("core/device/src/store.rs", code)).is_empty());
        assert!(confinement_breaches(&text("sync-server/src/storage/sqlite.rs", code)).is_empty());
        assert!(confinement_breaches(&text("tests/bench/src/main.rs", code)).is_empty());
        let found =
            confinement_breaches(&text("core/device/src/store_error.rs", "\n#[from] rusqlite::Error"));
        let expected = "core/device/src/store_error.rs:2 uses rusqlite, \
            which belongs in core/device/src/store and sync-server/src/storage";
        assert_eq!(found, [expected]);
    }

    #[test]
    fn words_that_only_look_like_a_library_are_left_alone() {
        for code in
            ["let image = 3;", "// image::open", "\"image::open\"", "fn image() {}", "crate::image::x"]
        {
            assert_eq!(
                confinement_breaches(&text("core/device/src/a.rs", code)),
                Vec::<String>::new(),
                "{code}"
            );
        }
        for code in ["use image::open;", "use image as i;", "let x = ::image::open();", "extern crate image;"]
        {
            assert_eq!(confinement_breaches(&text("core/device/src/a.rs", code)).len(), 1, "{code}");
        }
    }

    #[test]
    fn pure_crates_do_io_in_their_tests_only() {
        let code = "fn a() { std::fs::read(\"x\"); }";
        assert_eq!(purity_breaches(&text("core/model/src/a.rs", code)).len(), 1);
        assert!(purity_breaches(&text("core/device/src/a.rs", code)).is_empty());
        let tested = format!("#[cfg(test)]\nmod tests {{ {code} }}\n");
        assert!(purity_breaches(&text("core/model/src/a.rs", &tested)).is_empty());
    }

    #[test]
    fn test_modules_in_files_of_their_own_are_known() {
        let code =
            "#[cfg(test)]\nmod a;\n#[cfg(test)]\npub(crate) mod b;\nmod c;\n#[cfg(test)]\nmod d { x; }";
        let expected = ["core/model/src/a", "core/model/src/b"];
        assert_eq!(test_modules(&text("core/model/src/lib.rs", code)), expected);
        assert_eq!(
            test_modules(&text("core/model/src/geo.rs", "#[cfg(test)] mod t;")),
            ["core/model/src/geo/t"]
        );
        let files = [
            text("core/model/src/lib.rs", code),
            text("core/model/src/a.rs", "use std::fs;"),
            text("core/model/src/c.rs", "use std::fs;"),
        ];
        assert_eq!(breaches(&[], &files), ["core/model/src/c.rs:1 uses std::fs in a crate without I/O"]);
    }

    #[test]
    fn manifests_take_the_lints_and_libraries_forbid_unsafe_code() {
        let package = |dependencies: &[&str]| Package {
            name: "gridwalk-server".into(),
            version: "0.1.0".into(),
            licence: None,
            folder: Some("sync-server".into()),
            dependencies: dependencies.iter().map(|name| (*name).to_string()).collect(),
        };
        let good = [
            text("sync-server/Cargo.toml", "[lints]\nworkspace = true\n"),
            text("sync-server/src/lib.rs", "#![forbid(unsafe_code)]\n"),
        ];
        assert_eq!(manifest_breaches(&package(&["rusqlite"]), &good), Vec::<String>::new());
        assert_eq!(
            manifest_breaches(&package(&["reqwest"]), &good),
            ["gridwalk-server must not depend on reqwest"]
        );
        let bad = [text("sync-server/Cargo.toml", ""), text("sync-server/src/lib.rs", "")];
        assert_eq!(manifest_breaches(&package(&[]), &bad).len(), 2);
    }
}
