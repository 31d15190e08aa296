//! Waiting after a failure: longer each time, and never all phones at once.

use gridwalk_model::Timestamp;

/// First wait, in milliseconds.
const FIRST_MS: i64 = 2_000;
/// Longest wait.
const LONGEST_MS: i64 = 5 * 60 * 1000;

/// How often something failed in a row and when it may be tried again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
    until: Option<Timestamp>,
}

impl Backoff {
    /// Nothing has failed.
    pub const NONE: Self = Self { failures: 0, until: None };

    /// Notes a failure. `random` spreads the wait evenly over the upper half of its span; a `floor` set by the server
    /// is kept, in milliseconds.
    pub fn fail(&mut self, now: Timestamp, floor: i64, random: u32) {
        let span = FIRST_MS.saturating_mul(1 << self.failures.min(16)).min(LONGEST_MS);
        let jitter = span / 2 * i64::from(random) / i64::from(u32::MAX);
        self.failures = self.failures.saturating_add(1);
        self.until = Some(now.plus_millis((span / 2 + jitter).max(floor).max(1)));
    }

    /// Notes a success.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// When to try again; `None` if nothing holds it up.
    pub fn until(&self, now: Timestamp) -> Option<Timestamp> {
        self.until.filter(|until| *until > now)
    }

    /// How often it failed since it succeeded last.
    pub const fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_differ() {
        let now = Timestamp::from_millis(0);
        let mut spans = Vec::new();
        let mut backoff = Backoff::default();
        for _ in 0..20 {
            backoff.fail(now, 0, 0);
            spans.push(backoff.until(now).unwrap().millis());
        }
        assert_eq!(&spans[..3], &[1_000, 2_000, 4_000]);
        assert_eq!(spans.last(), Some(&(LONGEST_MS / 2)));
        let mut late = Backoff::default();
        late.fail(now, 0, u32::MAX);
        assert_eq!(late.until(now), Some(Timestamp::from_millis(FIRST_MS)));
        late.fail(now, 60_000, 0);
        assert_eq!(late.until(now), Some(Timestamp::from_millis(60_000)), "the server's word holds");
        assert_eq!(late.until(Timestamp::from_millis(60_000)), None);
    }
}
