//! The rate limit of sends: a sliding window of one minute.

use std::collections::VecDeque;

use crate::collections::StaticDefault;
use crate::refusal::Quota;
use crate::{Now, limits};

/// A sliding window of the times of the last minute's sends.
#[derive(Debug, Default)]
pub struct RateWindow(VecDeque<u64>);

impl StaticDefault for RateWindow {
    fn static_default() -> &'static Self {
        static EMPTY: RateWindow = RateWindow(VecDeque::new());
        &EMPTY
    }

    fn is_default(&self) -> bool {
        self.0.is_empty()
    }
}

impl RateWindow {
    /// How many sends are left in the window; none if sends are not limited.
    #[must_use]
    pub fn quota(&self, limit: Option<u32>, now: Now) -> Option<Quota> {
        let limit = limit?;
        let inside = self.0.iter().rev().take_while(|&&t| t + limits::WINDOW_MS > now.uptime_ms).count();
        let oldest_ms = self.0.iter().rev().nth(inside.saturating_sub(1)).filter(|_| inside > 0);
        let frees_in_ms = oldest_ms.map_or(limits::WINDOW_MS, |t| t + limits::WINDOW_MS - now.uptime_ms);
        let used = u32::try_from(inside).unwrap_or(u32::MAX);
        Some(Quota { limit, remaining: limit.saturating_sub(used), reset_at_ms: now.at_ms + frees_in_ms })
    }

    /// Counts a send.
    pub fn count(&mut self, limit: Option<u32>, now: Now) {
        let Some(limit) = limit else { return };
        self.0.push_back(now.uptime_ms);
        self.slide(now);
        while self.0.len() > limit as usize {
            self.0.pop_front();
        }
    }

    /// Drops the times that are more than a minute ago.
    pub(super) fn slide(&mut self, now: Now) {
        while self.0.front().is_some_and(|t| t + limits::WINDOW_MS <= now.uptime_ms) {
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d26_the_rate_window_slides() {
        let now = |s: u64| Now { at_ms: 1_000_000 + s * 1000, uptime_ms: 100_000 + s * 1000 };
        let mut window = RateWindow::default();
        for s in 0..3 {
            window.count(Some(3), now(s * 10));
        }
        let full = window.quota(Some(3), now(30)).unwrap();
        assert_eq!((full.remaining, full.reset_at_ms), (0, 1_060_000));
        let slid = window.quota(Some(3), now(60)).unwrap();
        assert_eq!((slid.remaining, slid.reset_at_ms), (1, 1_070_000));
        assert_eq!(window.quota(None, now(60)), None);
    }
}
