//! A clock that is moved by hand and randomness from a seed, as phones and servers ask for them.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use gridwalk_device::DeviceError;
use gridwalk_model::Timestamp;
use gridwalk_server::clock::EntropyError;

use crate::seeded::Seeded;

/// A clock that stands still until it is moved. Clones tell the same time.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock that stands at this time.
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(now.millis())))
    }

    /// Moves the clock on, or back.
    pub fn advance_ms(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// What it shows.
    pub fn shows(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

impl gridwalk_device::Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.shows()
    }
}

impl gridwalk_server::clock::Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.shows()
    }

    fn ticks_us(&self) -> u64 {
        u64::try_from(self.shows().millis().saturating_mul(1_000)).unwrap_or(0)
    }
}

/// Repeatable bytes for a phone or a server. Not for keys that matter. Clones go on in one stream.
#[derive(Clone, Debug)]
pub struct SeededEntropy(Arc<Mutex<Seeded>>);

impl SeededEntropy {
    /// The stream of one subject.
    pub fn new(seed: u64, subject: &str) -> Self {
        Self(Arc::new(Mutex::new(Seeded::for_subject(seed, subject))))
    }

    fn draw(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill(bytes);
    }
}

impl gridwalk_device::Entropy for SeededEntropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), DeviceError> {
        self.draw(bytes);
        Ok(())
    }
}

impl gridwalk_server::clock::Entropy for SeededEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError> {
        self.draw(out);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_moves_only_by_hand() {
        let clock = ManualClock::at(Timestamp::from_millis(1_000));
        let same = clock.clone();
        clock.advance_ms(250);
        assert_eq!(gridwalk_device::Clock::now(&same), Timestamp::from_millis(1_250));
        assert_eq!(gridwalk_server::clock::Clock::ticks_us(&same), 1_250_000);
    }

    #[test]
    fn subjects_have_their_own_bytes() {
        let draw = |subject| {
            let mut bytes = [0; 8];
            gridwalk_server::clock::Entropy::fill(&SeededEntropy::new(1, subject), &mut bytes).unwrap();
            bytes
        };
        assert_eq!(draw("a"), draw("a"));
        assert_ne!(draw("a"), draw("b"));
    }
}
