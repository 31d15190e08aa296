//! The fixed top level, lock files without private addresses, and no path of anybody's machine.

use std::path::Path;

use super::texts::Text;

/// Folders of the top level; hidden ones and what git ignores apart.
const FOLDERS: [&str; 8] = ["core", "ffi", "sync-server", "android", "ios", "schemas", "tests", "docs"];

/// Files of the top level that must be there.
const REQUIRED: [&str; 12] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "README.zh-CN.md",
    "clippy.toml",
    "deny.toml",
    "rustfmt.toml",
    ".ci/run",
];

/// Files of the top level that may be there.
const OPTIONAL: [&str; 4] = ["NOTICE", "SECURITY.md", "Dockerfile", "rust-toolchain.toml"];

/// What a path of somebody's machine contains. Written in two halves so that this file does not match itself.
const MACHINE_PATHS: [(&str, &str); 5] =
    [("/ho", "me/"), ("/ro", "ot/"), ("/Us", "ers/"), ("/wo", "rk/"), ("C:\\Us", "ers\\")];

/// The one registry that lock files may name.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// One sentence for each breach.
pub fn breaches(root: &Path, files: &[Text]) -> Vec<String> {
    let mut problems: Vec<String> = match std::fs::read_dir(root) {
        Ok(entries) => entries
            .flatten()
            .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path().is_dir()))
            .filter_map(|(name, folder)| stranger(&name, folder))
            .collect(),
        Err(error) => vec![format!("the checkout cannot be listed: {error}")],
    };
    let missing = REQUIRED.iter().filter(|path| !root.join(path).is_file());
    problems.extend(missing.map(|path| format!("{path} is not there")));
    for file in files {
        problems.extend(machine_path(file));
        problems.extend(private_registry(file));
    }
    problems
}

fn stranger(name: &str, folder: bool) -> Option<String> {
    let known = if folder {
        name == "target" || FOLDERS.contains(&name)
    } else {
        REQUIRED.contains(&name) || OPTIONAL.contains(&name)
    };
    (!known && !name.starts_with('.')).then(|| format!("`{name}` does not belong on the top level"))
}

fn machine_path(file: &Text) -> Option<String> {
    for (at, line) in file.content.lines().enumerate() {
        for (start, end) in MACHINE_PATHS {
            let needle = format!("{start}{end}");
            let absolute = line.match_indices(&needle).any(|(position, _)| {
                let before = line.get(..position).unwrap_or_default();
                // A slash inside a longer path or address is not the start of an absolute path.
                !before.ends_with(|c: char| {
                    c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '}' | '*')
                })
            });
            if absolute {
                return Some(format!("{}:{} holds a path of a machine ({needle}…)", file.path, at + 1));
            }
        }
    }
    None
}

fn private_registry(file: &Text) -> Option<String> {
    let foreign = match file.path.rsplit('/').next()? {
        "Cargo.lock" => {
            |line: &str| line.starts_with("source = ") && line != format!("source = \"{REGISTRY}\"")
        }
        "package-lock.json" => |line: &str| line.contains("\"resolved\":"),
        _ => return None,
    };
    let at = file.content.lines().position(|line| foreign(line.trim()))?;
    Some(format!("{}:{} names where a package came from", file.path, at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(path: &str, content: &str) -> Text {
        Text { path: path.into(), content: content.into() }
    }

    #[test]
    fn the_top_level_is_fixed() {
        assert_eq!(stranger("core", true), None);
        assert_eq!(stranger("LICENSE", false), None);
        assert_eq!(stranger(".gitignore", false), None);
        assert_eq!(stranger("notes.md", false), Some("`notes.md` does not belong on the top level".into()));
        assert!(stranger("scripts", true).is_some());
    }

    #[test]
    fn machine_paths_are_found_and_addresses_are_not() {
        let (start, end) = MACHINE_PATHS[0];
        let path = format!("{start}{end}someone/file");
        let found = machine_path(&text("a.md", &format!("one\nsee `{path}`\n"))).unwrap();
        assert!(found.starts_with("a.md:2 "), "{found}");
        assert_eq!(machine_path(&text("a.md", &format!("https://example.org{path}"))), None);
        assert_eq!(machine_path(&text("a.rs", "\"/usr/share/fonts\"")), None);
    }

    #[test]
    fn lock_files_name_no_private_registry() {
        let cargo = |source: &str| text("Cargo.lock", &format!("source = \"{source}\"\n"));
        assert_eq!(private_registry(&cargo(REGISTRY)), None);
        assert!(private_registry(&cargo("registry+https://mirror.example.org/index")).is_some());
        let npm = "{\n \"resolved\": \"https://mirror.example.org/x.tgz\" }";
        assert!(private_registry(&text("tests/browser/package-lock.json", npm)).is_some());
        assert_eq!(private_registry(&text("tests/browser/package-lock.json", "{}")), None);
    }
}
