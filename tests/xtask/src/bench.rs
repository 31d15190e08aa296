//! Benchmarks: optimised, one JSON object a line on standard output.

use std::process::ExitCode;

use crate::artifacts::Artifacts;
use crate::parts;
use crate::setup::{self, Need};
use crate::workspace::Workspace;

/// A group of benchmarks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Push, pull and idle sync, and the server's memory.
    Sync,
    /// The phone's store.
    Device,
    /// Photos, from camera file to stamped picture.
    Photo,
    /// What crossing to another language costs.
    Bindings,
}

impl Subject {
    /// The group of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Sync, Self::Device, Self::Photo, Self::Bindings]
            .into_iter()
            .find(|subject| subject.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Device => "device",
            Self::Photo => "photo",
            Self::Bindings => "bindings",
        }
    }
}

/// Builds the benchmarks and becomes them.
pub fn measure(workspace: &Workspace, subject: Subject, arguments: &[String]) -> Result<ExitCode, String> {
    if subject == Subject::Bindings {
        return parts::measure_bindings(workspace);
    }
    setup::ensure(workspace, &Need::NATIVE)?;
    let artifacts = Artifacts::build_optimised(workspace, &["gridwalk-bench", "gridwalk-server"])?;
    artifacts
        .start("gridwalk-bench", workspace.root())?
        .args([subject.name(), "--json"])
        .args(arguments.iter().cloned())
        .replace()
}
