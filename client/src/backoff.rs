//! Pauses between attempts: 1 s at first, 60 s at most, and random, so that many clients do not retry at the same time.

use std::time::Duration;

const MIN_MS: u64 = 1_000;
const MAX_MS: u64 = 60_000;

/// Computes the pause before the next attempt.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Forgets past failures after a success.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Counts a failure and returns the pause after it: random between 1 s and an upper bound that doubles up to 60 s.
    /// `at_least` is the time the hub asked to wait; more than 60 s counts as 60 s.
    pub fn pause(&mut self, at_least: Option<Duration>) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let high_ms = MIN_MS.saturating_mul(1 << self.failures.min(6)).min(MAX_MS);
        let pause = Duration::from_millis(rand::random_range(MIN_MS..=high_ms));
        pause.max(at_least.unwrap_or_default().min(Duration::from_millis(MAX_MS)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_minute_and_reset() {
        let mut backoff = Backoff::default();
        let seconds = Duration::from_secs;
        assert!((seconds(1)..=seconds(2)).contains(&backoff.pause(None)));
        for _ in 0..100 {
            assert!((seconds(1)..=seconds(60)).contains(&backoff.pause(None)));
        }
        assert_eq!(backoff.pause(Some(seconds(600))), seconds(60));
        backoff.reset();
        assert!(backoff.pause(None) <= seconds(2));
    }
}
