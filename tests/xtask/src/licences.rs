//! Every dependency's licence against the allow list of `deny.toml`.
//!
//! `cargo deny check` is the full tool and reads the same file, but takes minutes to build; this check needs
//! nothing but `cargo metadata`, so that it can run everywhere.

use crate::cargo_metadata::{self, Package};
use crate::workspace::Workspace;
use crate::{spdx, toml_lite};

/// Checks all packages; returns a line for the report.
pub fn check(workspace: &Workspace) -> Result<String, String> {
    let path = workspace.path("deny.toml");
    let deny = std::fs::read_to_string(&path).map_err(|error| format!("deny.toml: {error}"))?;
    let allowed = toml_lite::string_array(&deny, "licenses", "allow")
        .ok_or("deny.toml has no list `allow` in [licenses]")?;
    let targets = toml_lite::string_array(&deny, "graph", "targets")
        .ok_or("deny.toml has no list `targets` in [graph]")?;
    let packages = cargo_metadata::all(workspace, &targets)?;
    let problems = problems(&packages, &allowed);
    if problems.is_empty() {
        Ok(format!("{} packages for {} targets", packages.len(), targets.len()))
    } else {
        Err(problems.join("\n"))
    }
}

/// One sentence for each package that may not be used, and for each allowed licence that nothing uses.
fn problems(packages: &[Package], allowed: &[String]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut unused: Vec<&String> = allowed.iter().collect();
    for package in packages {
        let (name, version) = (&package.name, &package.version);
        let Some(expression) = &package.licence else {
            problems.push(format!("{name} {version} states no licence expression"));
            continue;
        };
        match spdx::is_met(expression, allowed) {
            Ok(true) => unused.retain(|licence| !spdx::names(expression).contains(licence)),
            Ok(false) => problems.push(format!("{name} {version}: `{expression}` is not allowed")),
            Err(reason) => problems.push(format!("{name} {version}: `{expression}` is unreadable: {reason}")),
        }
    }
    problems.extend(unused.iter().map(|licence| format!("deny.toml allows `{licence}`, which nothing uses")));
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, licence: Option<&str>) -> Package {
        Package {
            name: name.into(),
            version: "1.0.0".into(),
            licence: licence.map(String::from),
            folder: None,
            dependencies: vec![],
        }
    }

    #[test]
    fn every_bad_package_is_named() {
        let packages = [
            package("fine", Some("MIT OR GPL-3.0")),
            package("copyleft", Some("GPL-3.0")),
            package("silent", None),
            package("odd", Some("MIT AND")),
        ];
        let problems = problems(&packages, &["MIT".into()]);
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems[0].contains("copyleft") && problems[1].contains("silent"));
        assert!(problems[2].contains("unreadable"));
    }

    #[test]
    fn an_unused_allowance_is_reported() {
        let problems = problems(&[package("a", Some("MIT"))], &["MIT".into(), "ISC".into()]);
        assert_eq!(problems, ["deny.toml allows `ISC`, which nothing uses"]);
    }
}
