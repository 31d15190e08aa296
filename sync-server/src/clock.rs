//! Time and randomness. The one place of the server that asks the machine for either.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use gridwalk_model::Timestamp;

/// A source of time.
pub trait Clock: Send + Sync {
    /// The time of day.
    fn now(&self) -> Timestamp;

    /// Microseconds since some fixed point, never running backwards: for durations and limits.
    fn ticks_us(&self) -> u64;
}

/// A source of randomness fit for keys.
pub trait Entropy: Send + Sync {
    /// Fills `out` with random bytes.
    ///
    /// # Errors
    /// If the machine has none; nothing that needs secrets may go on.
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError>;
}

/// The machine gave no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no randomness available")]
pub struct EntropyError;

impl dyn Entropy + '_ {
    /// An array of random bytes.
    ///
    /// # Errors
    /// As for [`Entropy::fill`].
    pub fn array<const N: usize>(&self) -> Result<[u8; N], EntropyError> {
        let mut out = [0u8; N];
        self.fill(&mut out)?;
        Ok(out)
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[allow(clippy::disallowed_methods, reason = "the one named place for ambient time")]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn ticks_us(&self) -> u64 {
        static START: OnceLock<Instant> = OnceLock::new();
        let start = START.get_or_init(Instant::now);
        u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// The machine's random number generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

#[allow(clippy::disallowed_methods, reason = "the one named place for ambient randomness")]
impl Entropy for SystemEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(out).map_err(|_| EntropyError)
    }
}
