//! The rules of the architecture that a compiler does not check: who may use whom, and how the checkout looks.

mod arrows;
mod layout;
mod lengths;
mod libraries;
mod runtimes;
mod scrub;
mod texts;

use crate::cargo_metadata;
use crate::workspace::Workspace;

/// Checks all rules. `Ok` is a line for the report; `Err` has one sentence for each breach.
pub fn check(workspace: &Workspace) -> Result<String, Vec<String>> {
    let members = cargo_metadata::members(workspace).map_err(|problem| vec![problem])?;
    let files = texts::read(workspace.root()).map_err(|problem| vec![problem])?;
    let mut problems = arrows::breaches(&members);
    problems.extend(libraries::breaches(&members, &files));
    problems.extend(runtimes::breaches(&files));
    problems.extend(lengths::breaches(&files));
    problems.extend(layout::breaches(workspace.root(), &files));
    if problems.is_empty() {
        Ok(format!("{} crates, {} text files", members.len(), files.len()))
    } else {
        Err(problems)
    }
}
