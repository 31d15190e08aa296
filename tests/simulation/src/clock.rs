//! The one place of this package that looks at a real clock: to bound runs and to find cases that take too long.

use std::time::{Duration, Instant};

/// Measures from the moment it was made.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts measuring.
    #[allow(
        clippy::disallowed_methods,
        reason = "the named place: measures the machine, decides nothing in a run"
    )]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
