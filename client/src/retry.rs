//! How long to wait before the next try: 1 s at first, a minute at most, and never in step with others.

use std::time::Duration;

const SHORTEST_MS: u64 = 1_000;
const LONGEST_MS: u64 = 60_000;

#[derive(Debug, Default)]
pub struct Retry {
    failures: u32,
}

impl Retry {
    /// It has worked: the next failure is a first one.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// The pause after one more failure. A hub that names a time is not asked before it.
    pub fn pause(&mut self, at_least: Option<Duration>) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let high_ms = SHORTEST_MS.saturating_mul(1 << self.failures.min(6)).min(LONGEST_MS);
        let pause = Duration::from_millis(rand::random_range(SHORTEST_MS..=high_ms));
        pause.max(at_least.unwrap_or_default().min(Duration::from_millis(LONGEST_MS)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_minute_and_begin_anew() {
        let mut retry = Retry::default();
        let seconds = Duration::from_secs;
        assert!((seconds(1)..=seconds(2)).contains(&retry.pause(None)));
        for _ in 0..100 {
            assert!((seconds(1)..=seconds(60)).contains(&retry.pause(None)));
        }
        assert_eq!(retry.pause(Some(seconds(600))), seconds(60));
        retry.reset();
        assert!(retry.pause(None) <= seconds(2));
    }
}
