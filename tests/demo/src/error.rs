//! Why a day could not be played to its end.

use std::io;
use std::path::PathBuf;

use gridwalk_device::DeviceError;
use gridwalk_harness::HarnessError;
use gridwalk_model::geo::GeoError;

/// Why the demo stopped.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A server, a phone or a file of the set-up.
    #[error(transparent)]
    Harness(#[from] HarnessError),
    /// A phone refused what the day asks of it.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A track cannot be read.
    #[error("{path}: {source}", path = path.display())]
    Track {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: GeoError,
    },
    /// A file or process.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The given data does not have what a day needs.
    #[error("the data has {0}")]
    Data(String),
    /// The folder for the stores has something in it.
    #[error("{path} is not empty; name a new folder", path = .0.display())]
    NotEmpty(PathBuf),
    /// Somebody pressed Ctrl-C before the end.
    #[error("interrupted before the end")]
    Interrupted,
    /// Something that the day relies on did not happen.
    #[error("the day went wrong: {0}")]
    Play(String),
}

impl DemoError {
    /// For `map_err` on files and processes.
    pub fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

/// Result of a step of the day.
pub type Played<T> = Result<T, DemoError>;
