//! A machine that tests make up.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::machine::Machine;

/// What it has; nothing at first.
#[derive(Default)]
pub struct MadeUp {
    /// Whether it is a Mac.
    pub mac: bool,
    /// Programs on PATH.
    pub programs: Vec<&'static str>,
    /// Commands that end well.
    pub good: Vec<&'static str>,
    /// Targets whose standard library is installed.
    pub targets: Vec<&'static str>,
    /// Variables.
    pub variables: BTreeMap<&'static str, PathBuf>,
    /// Files.
    pub texts: BTreeMap<PathBuf, String>,
    /// Folders in folders.
    pub folders: BTreeMap<PathBuf, Vec<PathBuf>>,
}

impl Machine for MadeUp {
    fn is_mac(&self) -> bool {
        self.mac
    }

    fn has_program(&self, name: &str) -> bool {
        self.programs.contains(&name)
    }

    fn succeeds(&self, words: &[&str]) -> bool {
        self.good.contains(&words.join(" ").as_str())
    }

    fn has_target(&self, target: &str) -> bool {
        self.targets.contains(&target)
    }

    fn variable(&self, name: &str) -> Option<PathBuf> {
        self.variables.get(name).cloned()
    }

    fn text(&self, file: &Path) -> Option<String> {
        self.texts.get(file).cloned()
    }

    fn folders(&self, folder: &Path) -> Vec<PathBuf> {
        self.folders.get(folder).cloned().unwrap_or_default()
    }
}
