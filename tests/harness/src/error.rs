//! What can go wrong while a test is being set up.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

/// Why the harness could not make or start something.
#[derive(Debug, thiserror::Error)]
pub enum HarnessError {
    /// A file or folder.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A picture could not be encoded.
    #[error("made-up photo `{name}` cannot be encoded: {reason}")]
    Photo {
        /// Its file name.
        name: String,
        /// What the encoder says.
        reason: String,
    },
    /// A socket on the loopback interface.
    #[error("{what} on the loopback interface: {source}")]
    Network {
        /// What was tried.
        what: &'static str,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The server, or its store.
    #[error("cannot {what}: {reason}")]
    Server {
        /// What was tried.
        what: &'static str,
        /// What it said.
        reason: String,
    },
    /// A phone.
    #[error("phone {phone}: {reason}")]
    Phone {
        /// Its name in the test.
        phone: String,
        /// What it said.
        reason: String,
    },
    /// A shape that is no valid area.
    #[error("area {code} has no valid outline")]
    Outline {
        /// The area's code.
        code: String,
    },
}

impl HarnessError {
    /// For `map_err` on file operations.
    pub fn file(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    /// For `map_err` on the server's functions.
    pub fn server<E: Display>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |error| Self::Server { what, reason: error.to_string() }
    }

    /// For `map_err` on sockets.
    pub fn network(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Network { what, source }
    }
}
