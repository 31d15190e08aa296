//! Against flooding, for each device or address: buckets for how often it asks, and a count of what it has open.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

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

/// How many requests of each key are open.
pub struct Open<K> {
    max: u32,
    counts: Arc<Mutex<BTreeMap<K, u32>>>,
}

/// One open request, until dropped.
pub struct Held<K: Ord> {
    key: K,
    counts: Arc<Mutex<BTreeMap<K, u32>>>,
}

impl<K: Ord + Clone> Open<K> {
    /// Lets each key have `max` open.
    pub fn new(max: u32) -> Self {
        Self { max, counts: Arc::default() }
    }

    /// Counts one more of a key; `None` if it has enough.
    pub fn hold(&self, key: &K) -> Option<Held<K>> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(key.clone()).or_default();
        if *count >= self.max {
            return None;
        }
        *count += 1;
        Some(Held { key: key.clone(), counts: Arc::clone(&self.counts) })
    }
}

impl<K: Ord> Drop for Held<K> {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_requests_are_counted_by_key_and_forgotten_when_they_end() {
        let open = Open::new(2);
        let held = [open.hold(&1), open.hold(&1)];
        assert!(held.iter().all(Option::is_some));
        assert!(open.hold(&1).is_none() && open.hold(&2).is_some());
        drop(held);
        assert!(open.hold(&1).is_some());
        assert!(open.counts.lock().unwrap().is_empty());
    }

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
