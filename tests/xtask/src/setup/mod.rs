//! Installs what a part needs, where it can; else says exactly what is missing.
//!
//! What is there is found by looking for it each time, not by a note from last time, so a second run is quick
//! and a machine that lost something gets it back. All chatter goes to standard error.

mod apt;
mod browser;
mod needs;
pub mod swift;
pub mod targets;

pub use browser::chromium;
pub use needs::Need;

use crate::workspace::Workspace;
use needs::Remedy;

/// Installs what any command may need.
pub fn everything(workspace: &Workspace) -> Result<(), String> {
    ensure(workspace, &Need::ALL)?;
    swift::root(workspace)?;
    eprintln!("everything that tests and demo need is there");
    Ok(())
}

/// Makes sure of the given needs. The error lists everything that is missing and how to get it.
pub fn ensure(workspace: &Workspace, needs: &[Need]) -> Result<(), String> {
    let mut missing = absent(workspace, needs);
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().flat_map(|need| need.apt_packages()).copied().collect();
    let mut problems = Vec::new();
    if !packages.is_empty() {
        eprintln!("installing {}", packages.join(" "));
        problems.extend(apt::install(workspace, &packages).err());
    }
    // In this order, as what npm or rustup install may stand on what apt just brought.
    for need in absent(workspace, &missing) {
        problems.extend(remedy(workspace, need).err());
    }
    missing = absent(workspace, &missing);
    if missing.is_empty() {
        return Ok(());
    }
    let mut text = String::from("missing:");
    for need in missing {
        text.push_str(&format!("\n  {}: {}", need.what(), need.advice()));
    }
    for problem in problems {
        text.push_str(&format!("\n  ({problem})"));
    }
    Err(text)
}

fn absent(workspace: &Workspace, needs: &[Need]) -> Vec<Need> {
    needs.iter().copied().filter(|need| !need.is_met(workspace)).collect()
}

fn remedy(workspace: &Workspace, need: Need) -> Result<(), String> {
    match need.remedy() {
        Remedy::Apt(_) => Ok(()),
        Remedy::Rustup(component) => {
            eprintln!("installing the Rust component {component}");
            needs::rustup_add(workspace, component)
        }
        Remedy::Npm => {
            eprintln!("installing the packages of tests/browser");
            browser::install_packages(workspace)
        }
        Remedy::Chromium => browser::install_chromium(workspace),
    }
}
