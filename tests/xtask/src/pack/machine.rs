//! What packaging needs of the machine, and how each missing thing is had.

use std::path::{Path, PathBuf};

use crate::process::{Program, on_path};
use crate::setup::targets;
use crate::workspace::Workspace;

/// Something that packaging stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prerequisite {
    /// Its name for people.
    pub what: String,
    /// What a person does to get it.
    pub todo: String,
    /// Whether it is there.
    pub met: bool,
}

impl Prerequisite {
    /// One, with its answer.
    pub fn new(what: impl Into<String>, todo: impl Into<String>, met: bool) -> Self {
        Self { what: what.into(), todo: todo.into(), met }
    }

    /// The line that says it is missing and what to do.
    pub fn line(&self) -> String {
        format!("{}: {}", self.what, self.todo)
    }
}

/// What is asked of a machine; tests answer for machines that they make up.
pub trait Machine {
    /// Whether this is a Mac.
    fn is_mac(&self) -> bool;
    /// Whether a program of this name is on PATH.
    fn has_program(&self, name: &str) -> bool;
    /// Whether a command ends well.
    fn succeeds(&self, words: &[&str]) -> bool;
    /// Whether Rust's standard library for a target is installed.
    fn has_target(&self, target: &str) -> bool;
    /// A variable of the environment.
    fn variable(&self, name: &str) -> Option<PathBuf>;
    /// The text of a file.
    fn text(&self, file: &Path) -> Option<String>;
    /// The folders in a folder.
    fn folders(&self, folder: &Path) -> Vec<PathBuf>;
}

/// The machine that this program runs on.
pub struct ThisMachine<'w>(pub &'w Workspace);

impl Machine for ThisMachine<'_> {
    fn is_mac(&self) -> bool {
        cfg!(target_os = "macos")
    }

    fn has_program(&self, name: &str) -> bool {
        on_path(name).is_some()
    }

    fn succeeds(&self, words: &[&str]) -> bool {
        let Some((name, arguments)) = words.split_first() else { return false };
        Program::new(*name, self.0.root()).args(arguments.iter().copied()).capture().is_ok()
    }

    fn has_target(&self, target: &str) -> bool {
        targets::is_installed(self.0, target)
    }

    fn variable(&self, name: &str) -> Option<PathBuf> {
        std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
    }

    fn text(&self, file: &Path) -> Option<String> {
        std::fs::read_to_string(file).ok()
    }

    fn folders(&self, folder: &Path) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
    }
}

/// Rust's standard library for a target, as a prerequisite.
pub fn standard_library(machine: &dyn Machine, target: &str) -> Prerequisite {
    Prerequisite::new(
        format!("Rust's standard library for {target}"),
        format!("`rustup target add {target}`"),
        machine.has_target(target),
    )
}

/// A program on PATH, as a prerequisite.
pub fn program(machine: &dyn Machine, name: &str, what: &str, todo: &str) -> Prerequisite {
    Prerequisite::new(what, todo, machine.has_program(name))
}
