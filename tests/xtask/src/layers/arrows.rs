//! Which crate of the workspace may depend on which: arrows point one way.

use crate::cargo_metadata::Package;

/// The product's crates and the workspace crates each may use, for any purpose, its own tests included.
const ALLOWED: [(&str, &[&str]); 7] = [
    ("gridwalk-model", &[]),
    ("gridwalk-evidence", &[]),
    ("gridwalk-replica", &["gridwalk-model"]),
    ("gridwalk-device", &["gridwalk-model", "gridwalk-replica", "gridwalk-evidence"]),
    ("gridwalk-ffi", &["gridwalk-model", "gridwalk-replica", "gridwalk-evidence", "gridwalk-device"]),
    ("gridwalk-server", &["gridwalk-model", "gridwalk-replica", "gridwalk-evidence"]),
    ("xtask", &[]),
];

/// One sentence for each dependency that points the wrong way, and for each crate that has no place yet.
pub fn breaches(members: &[Package]) -> Vec<String> {
    let mut problems = Vec::new();
    for package in members {
        let own: Vec<&String> = package
            .dependencies
            .iter()
            .filter(|name| members.iter().any(|member| member.name == **name))
            .collect();
        match ALLOWED.iter().find(|(name, _)| *name == package.name) {
            Some((_, allowed)) => {
                let wrong = own.iter().filter(|name| !allowed.contains(&name.as_str()));
                problems.extend(wrong.map(|name| format!("{} must not depend on {name}", package.name)));
            }
            None if is_below(package, "tests") || is_below(package, "ffi") => {}
            None => problems.push(format!(
                "{} has no place in the table of tests/xtask/src/layers/arrows.rs",
                package.name
            )),
        }
        if !is_below(package, "tests") {
            let tests = own.iter().filter(|name| {
                members.iter().any(|member| member.name == ***name && is_below(member, "tests"))
            });
            problems.extend(
                tests.map(|name| format!("{} must not depend on the test crate {name}", package.name)),
            );
        }
    }
    problems.sort();
    problems.dedup();
    problems
}

fn is_below(package: &Package, folder: &str) -> bool {
    package.folder.as_deref().is_some_and(|place| place.split('/').next() == Some(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, folder: &str, dependencies: &[&str]) -> Package {
        Package {
            name: name.into(),
            version: "0.1.0".into(),
            licence: None,
            folder: Some(folder.into()),
            dependencies: dependencies.iter().map(|name| (*name).to_string()).collect(),
        }
    }

    #[test]
    fn the_designed_arrows_pass() {
        let members = [
            package("gridwalk-model", "core/model", &["jiff"]),
            package("gridwalk-replica", "core/replica", &["gridwalk-model", "automerge"]),
            package("gridwalk-device", "core/device", &["gridwalk-replica", "gridwalk-model"]),
            package("gridwalk-server", "sync-server", &["gridwalk-replica"]),
            package("gridwalk-harness", "tests/harness", &["gridwalk-device", "gridwalk-server"]),
        ];
        assert_eq!(breaches(&members), Vec::<String>::new());
    }

    #[test]
    fn an_arrow_up_or_across_is_named() {
        let members = [
            package("gridwalk-model", "core/model", &["gridwalk-replica"]),
            package("gridwalk-replica", "core/replica", &[]),
            package("gridwalk-device", "core/device", &["gridwalk-server"]),
            package("gridwalk-server", "sync-server", &["gridwalk-device"]),
        ];
        let expected = [
            "gridwalk-device must not depend on gridwalk-server",
            "gridwalk-model must not depend on gridwalk-replica",
            "gridwalk-server must not depend on gridwalk-device",
        ];
        assert_eq!(breaches(&members), expected);
    }

    #[test]
    fn product_crates_do_not_use_test_crates_even_in_their_own_tests() {
        let members = [
            package("gridwalk-harness", "tests/harness", &[]),
            package("gridwalk-bindgen", "ffi/bindgen", &["gridwalk-harness"]),
        ];
        assert_eq!(
            breaches(&members),
            ["gridwalk-bindgen must not depend on the test crate gridwalk-harness"]
        );
    }

    #[test]
    fn a_new_crate_needs_a_place() {
        let problems = breaches(&[package("gridwalk-extra", "core/extra", &[])]);
        assert!(problems[0].contains("has no place"), "{problems:?}");
    }
}
