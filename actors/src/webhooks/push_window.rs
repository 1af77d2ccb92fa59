//! How often one subscription is pushed to: a number of messages within an hour, then one that counts the rest.

use rogerrat_domain::limits::{PUSH_WINDOW, PUSH_WINDOW_MS};

/// The current hour of a subscription.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PushWindow {
    /// The uptime at its start, in milliseconds.
    began_ms: u64,
    /// Pushes that were taken in it.
    taken: u64,
    /// Pushes that were left out of the last hour.
    missed: u64,
}

/// What happens to one more push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PushTurn {
    /// It is sent, with the number of those before it that were not.
    Send { missed: u64 },
    /// Instead of it, a push is sent that says there are more.
    Many,
    /// It is not sent.
    Drop,
}

impl PushWindow {
    pub(crate) fn take(&mut self, uptime_ms: u64) -> PushTurn {
        if self.taken == 0 || uptime_ms.saturating_sub(self.began_ms) >= PUSH_WINDOW_MS {
            // The one that counted said only that there are more.
            let missed = self.taken.saturating_sub(PUSH_WINDOW);
            *self = Self { began_ms: uptime_ms, taken: 0, missed };
        }
        self.taken += 1;
        match self.taken {
            ..=PUSH_WINDOW => PushTurn::Send { missed: std::mem::take(&mut self.missed) },
            n if n == PUSH_WINDOW + 1 => PushTurn::Many,
            _ => PushTurn::Drop,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_20_pushes_in_an_hour_one_says_that_there_are_more_and_the_next_hour_counts_them() {
        let mut window = PushWindow::default();
        for n in 0..PUSH_WINDOW {
            assert_eq!(window.take(1000 + n), PushTurn::Send { missed: 0 });
        }
        assert_eq!(window.take(5000), PushTurn::Many);
        assert_eq!(window.take(6000), PushTurn::Drop);
        assert_eq!(window.take(999 + PUSH_WINDOW_MS), PushTurn::Drop);
        assert_eq!(window.take(1000 + PUSH_WINDOW_MS), PushTurn::Send { missed: 3 });
        assert_eq!(window.take(1001 + PUSH_WINDOW_MS), PushTurn::Send { missed: 0 });
    }
}
