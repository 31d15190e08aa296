//! Buckets against flooding, one for each device or address.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::config::Rate;

/// Most buckets that are remembered. Full ones are forgotten first: they say nothing.
const BUCKETS_MAX: usize = 20_000;

/// One bucket for each key.
pub struct Buckets<K> {
    rate: Rate,
    levels: Mutex<BTreeMap<K, Level>>,
}

#[derive(Clone, Copy)]
struct Level {
    /// Requests left, in millionths.
    left: u64,
    at_us: u64,
}

const ONE: u64 = 1_000_000;

impl<K: Ord + Clone> Buckets<K> {
    /// Empty at first: everybody has a full bucket.
    pub fn new(rate: Rate) -> Self {
        Self { rate, levels: Mutex::new(BTreeMap::new()) }
    }

    /// Takes one request out of a bucket at `now_us`.
    ///
    /// # Errors
    /// Seconds to wait, if the bucket is empty.
    pub fn take(&self, key: &K, now_us: u64) -> Result<(), u32> {
        let full = u64::from(self.rate.burst) * ONE;
        let per_us = u64::from(self.rate.per_second);
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        if levels.len() >= BUCKETS_MAX {
            levels.retain(|_, level| filled(*level, now_us, per_us, full) < full);
        }
        let level = levels.entry(key.clone()).or_insert(Level { left: full, at_us: now_us });
        let left = filled(*level, now_us, per_us, full);
        if left < ONE {
            let wait = (ONE - left).div_ceil(per_us.max(1)).div_ceil(ONE);
            return Err(u32::try_from(wait.max(1)).unwrap_or(u32::MAX));
        }
        *level = Level { left: left - ONE, at_us: now_us };
        Ok(())
    }
}

fn filled(level: Level, now_us: u64, per_us: u64, full: u64) -> u64 {
    let since = now_us.saturating_sub(level.at_us);
    level.left.saturating_add(since.saturating_mul(per_us)).min(full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let buckets = Buckets::new(Rate { burst: 3, per_second: 2 });
        for _ in 0..3 {
            assert_eq!(buckets.take(&1, 0), Ok(()));
        }
        assert_eq!(buckets.take(&1, 0), Err(1));
        assert_eq!(buckets.take(&2, 0), Ok(()), "others are not affected");
        assert_eq!(buckets.take(&1, 499_999), Err(1));
        assert_eq!(buckets.take(&1, 500_000), Ok(()));
        assert_eq!(buckets.take(&1, 500_000), Err(1));
        for _ in 0..3 {
            assert_eq!(buckets.take(&1, 60_000_000), Ok(()), "never more than full");
        }
        assert_eq!(buckets.take(&1, 60_000_000), Err(1));
    }
}
