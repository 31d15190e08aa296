//! Formatting, clippy, links of the documentation, and the tests of the crates.

use super::{Built, Findings, has_shared_data};
use crate::process::Program;
use crate::workspace::Workspace;

/// The folders of the packages whose tests are parts of their own.
const APART: [&str; 2] = ["e2e", "simulation"];

/// Formatting, lints, documentation, and the tests of every crate that has no part of its own.
pub fn run(workspace: &Workspace, built: &Built, findings: &mut Findings) {
    let cargo = || Program::cargo(workspace.root());
    findings.run(&cargo().args(["fmt", "--all", "--check"]));
    findings.run(&cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]));
    findings.run(&documentation(cargo()));
    findings.add(built.artifacts().and_then(|made| made.test(|package| !APART.contains(&package), &[])));
    has_shared_data(workspace, "tests on shared data", findings);
}

/// Every link has to lead somewhere. Those to what is private are wanted: tables of modules are for who works on them.
fn documentation(cargo: Program) -> Program {
    cargo
        .args(["doc", "--workspace", "--no-deps", "--document-private-items"])
        .env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links")
}

/// The end-to-end tests.
pub fn end_to_end(built: &Built, extra: &[String], findings: &mut Findings) {
    findings.add(built.artifacts().and_then(|made| made.test(|package| package == "e2e", extra)));
}
