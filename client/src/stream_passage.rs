//! What a client has learned about streams on the way to its hub: whether they pass, and by which method.
//!
//! Some proxies hold back the response to a stream request until it ends. A client behind one polls instead, and tries a
//! stream again from time to time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long to poll before streams are tried again.
const RETRY_INTERVAL: Duration = Duration::from_secs(5 * 60);
/// A stream that ends earlier than this without an event was cut by a proxy, or by a hub that crashed.
const SHORT_STREAM: Duration = Duration::from_secs(15);
/// The number of short streams in a row after which the client polls.
const SHORT_STREAMS: u32 = 3;
/// The timeout of a poll. Many proxies cut a connection that is silent for 60 s.
const POLL_SECONDS: u64 = 50;

/// Shared by the streams of one client.
#[derive(Debug, Default)]
pub(crate) struct StreamPassage(Mutex<State>);

#[derive(Debug)]
struct State {
    /// The hub has no stream by POST.
    uses_get: bool,
    /// When to try a stream again. `None` while streams pass.
    retry_at: Option<Instant>,
    /// Why streams do not pass, until it was reported.
    reason: Option<String>,
    /// Short streams in a row.
    short_streams: u32,
    poll_seconds: u64,
}

impl Default for State {
    fn default() -> Self {
        Self { uses_get: false, retry_at: None, reason: None, short_streams: 0, poll_seconds: POLL_SECONDS }
    }
}

impl StreamPassage {
    /// Whether the client polls.
    pub(crate) fn is_blocked(&self) -> bool {
        self.state().retry_at.is_some()
    }

    /// Whether the client polls, and it is time to try a stream.
    pub(crate) fn is_retry_due(&self) -> bool {
        self.state().retry_at.is_some_and(|at| at <= now())
    }

    /// Records that a stream does not pass.
    pub(crate) fn block(&self, reason: &str, retry: Option<Duration>) {
        let mut state = self.state();
        if state.retry_at.is_none() {
            state.reason = Some(reason.to_owned());
        }
        state.retry_at = Some(now() + retry.unwrap_or(RETRY_INTERVAL));
    }

    /// Records that streams pass.
    pub(crate) fn unblock(&self) {
        let mut state = self.state();
        (state.retry_at, state.reason, state.short_streams) = (None, None, 0);
        state.poll_seconds = POLL_SECONDS;
    }

    /// Why streams do not pass; once.
    pub(crate) fn take_reason(&self) -> Option<String> {
        self.state().reason.take()
    }

    /// Records that a stream ended after `lifetime` without an event.
    pub(crate) fn count_end(&self, lifetime: Duration, retry: Option<Duration>) {
        let short_streams = {
            let mut state = self.state();
            state.short_streams = if lifetime < SHORT_STREAM { state.short_streams + 1 } else { 0 };
            state.short_streams
        };
        if short_streams >= SHORT_STREAMS {
            self.block("streams are cut soon after they open", retry);
        }
    }

    /// Records that a stream delivers.
    pub(crate) fn note_flow(&self) {
        self.state().short_streams = 0;
    }

    pub(crate) fn uses_get(&self) -> bool {
        self.state().uses_get
    }

    pub(crate) fn set_uses_get(&self) {
        self.state().uses_get = true;
    }

    /// The timeout of the next poll, in seconds. It ends when it is time to try a stream.
    pub(crate) fn poll_seconds(&self) -> u64 {
        let state = self.state();
        let until_retry = state.retry_at.map(|at| at.saturating_duration_since(now()).as_secs() + 1);
        until_retry.map_or(state.poll_seconds, |seconds| seconds.min(state.poll_seconds))
    }

    /// Shortens polls after one was cut when it had waited for `waited`.
    pub(crate) fn shorten_polls(&self, waited: Duration) {
        let mut state = self.state();
        state.poll_seconds = state.poll_seconds.min(waited.as_secs() * 3 / 4).max(1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::disallowed_methods, reason = "a client has no clock of the hub")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_streams_in_a_row_block_streams() {
        let passage = StreamPassage::default();
        let (short, long) = (Duration::from_secs(10), Duration::from_secs(60));
        for lifetime in [short, short, long, short, short] {
            passage.count_end(lifetime, None);
            assert!(!passage.is_blocked());
        }
        passage.note_flow();
        passage.count_end(short, None);
        passage.count_end(short, None);
        assert!(!passage.is_blocked());
        passage.count_end(short, None);
        assert!(passage.is_blocked() && !passage.is_retry_due());
        assert!(passage.take_reason().is_some() && passage.take_reason().is_none(), "it is reported once");
        passage.block("again", Some(Duration::ZERO));
        assert!(passage.is_retry_due() && passage.take_reason().is_none());
        passage.unblock();
        assert!(!passage.is_blocked());
    }

    #[test]
    fn polls_become_shorter_than_the_time_after_which_they_are_cut() {
        let passage = StreamPassage::default();
        passage.block("held", None);
        assert_eq!(passage.poll_seconds(), 50);
        for (waited, seconds) in [(30, 22), (60, 22), (10, 7), (1, 1)] {
            passage.shorten_polls(Duration::from_secs(waited));
            assert_eq!(passage.poll_seconds(), seconds);
        }
        passage.unblock();
        passage.block("held", Some(Duration::from_secs(9)));
        assert!((9..=10).contains(&passage.poll_seconds()), "then a stream is tried again");
    }
}
