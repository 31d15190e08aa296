//! Randomness from a seed: the same seed, the same run.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of random numbers that follows from its seed alone.
#[derive(Clone, Debug)]
pub struct Seeded(ChaCha12Rng);

impl Seeded {
    /// Starts the stream of `seed`.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha12Rng::seed_from_u64(seed))
    }

    /// A stream of its own for one subject, so that what is drawn elsewhere does not shift it.
    pub fn for_subject(seed: u64, subject: &str) -> Self {
        // FNV-1a: any fixed mixing of the subject's bytes will do.
        let mixed = subject.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self::new(seed ^ mixed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number from 0 up to `end`, `end` left out; 0 if `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        // The bias of the remainder is below 2^-40 for every size used in tests.
        self.bits().checked_rem(end as u64).unwrap_or(0) as usize
    }

    /// A number from 0 up to 1, 1 left out.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number between two others.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of several; `None` if there are none.
    pub fn choose<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len()))
    }

    /// One of a fixed list.
    #[allow(clippy::indexing_slicing, reason = "the length is not 0, so that `below` stays under it")]
    pub fn pick<T: Copy, const N: usize>(&mut self, items: &[T; N]) -> T {
        const { assert!(N > 0) };
        items[self.below(N)]
    }

    /// Fills a buffer.
    pub fn fill(&mut self, buffer: &mut [u8]) {
        self.0.fill_bytes(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_subject_give_the_same_numbers() {
        let draw = |seed, subject| {
            let mut seeded = Seeded::for_subject(seed, subject);
            [seeded.bits(), seeded.bits()]
        };
        assert_eq!(draw(1, "names"), draw(1, "names"));
        assert_ne!(draw(1, "names"), draw(2, "names"));
        assert_ne!(draw(1, "names"), draw(1, "doors"));
    }

    #[test]
    fn numbers_stay_within_their_bounds() {
        let mut seeded = Seeded::new(7);
        assert_eq!(seeded.below(0), 0);
        for _ in 0..1_000 {
            assert!(seeded.below(3) < 3);
            assert!((0.0..1.0).contains(&seeded.unit()));
            assert!((2.0..5.0).contains(&seeded.between(2.0, 5.0)));
        }
        assert!(!seeded.chance(0.0) && seeded.chance(1.0));
        assert_eq!(seeded.choose::<u8>(&[]), None);
    }
}
