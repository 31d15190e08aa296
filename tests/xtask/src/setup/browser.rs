//! What the browser tests need: npm packages and a Chromium.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::apt;
use crate::process::{Program, on_path};
use crate::workspace::Workspace;

/// The folder of the browser tests.
const FOLDER: &str = "tests/browser";

/// Names under which a Chromium that Playwright can drive is found on PATH.
const NAMES: [&str; 4] = ["chromium", "google-chrome", "google-chrome-stable", "chrome"];

/// Whether `node_modules` holds exactly the packages and versions of the lock file.
pub fn packages_installed(workspace: &Workspace) -> bool {
    let folder = workspace.path(FOLDER);
    let Some(lock) = json(&folder.join("package-lock.json")) else { return false };
    let Some(packages) = lock.get("packages").and_then(Value::as_object) else { return false };
    let mut wanted = packages.iter().filter(|(place, _)| !place.is_empty()).peekable();
    wanted.peek().is_some()
        && wanted.all(|(place, entry)| {
            json(&folder.join(place).join("package.json"))
                .is_some_and(|installed| installed.get("version") == entry.get("version"))
        })
}

/// Installs the packages of the lock file.
pub fn install_packages(workspace: &Workspace) -> Result<(), String> {
    let npm = on_path("npm").ok_or("npm is not on PATH")?;
    Program::new(npm, &workspace.path(FOLDER))
        .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"])
        .capture()
        .map(drop)
}

/// The Chromium to use: `GRIDWALK_CHROMIUM`, one on PATH, or the one that Playwright downloaded.
pub fn chromium(workspace: &Workspace) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("GRIDWALK_CHROMIUM").map(PathBuf::from) {
        return path.is_file().then_some(path);
    }
    NAMES.iter().find_map(|name| on_path(name)).or_else(|| playwrights_own(workspace))
}

/// Downloads Playwright's Chromium where the distribution has no usable package.
pub fn install_chromium(workspace: &Workspace) -> Result<(), String> {
    if !apt::is_ubuntu() {
        return Ok(());
    }
    eprintln!("downloading Chromium through Playwright, as Ubuntu packages it as a snap only");
    Program::new("node", &workspace.path(FOLDER))
        .args(["node_modules/playwright-core/cli.js", "install", "--with-deps", "chromium"])
        .capture()
        .map(drop)
}

fn playwrights_own(workspace: &Workspace) -> Option<PathBuf> {
    let script = "process.stdout.write(require('playwright-core').chromium.executablePath())";
    let said = Program::new("node", &workspace.path(FOLDER)).args(["-e", script]).capture().ok()?;
    Some(PathBuf::from(said)).filter(|path| path.is_file())
}

fn json(path: &Path) -> Option<Value> {
    serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()
}
