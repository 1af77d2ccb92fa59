//! Delivery tokens: how the machine learns whether a response was delivered.
//!
//! A token is shared between the machine and the code that writes the response. That code completes the token when the
//! bytes are written; dropping the token returns it. Neither side waits for the other, and no message is sent, so a full
//! mailbox cannot lose a delivery.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

const PENDING: u8 = 0;
const COMPLETED: u8 = 1;
const RETURNED: u8 = 2;

/// The state of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenState {
    /// In flight.
    Pending,
    /// Delivered: the bytes were written.
    Completed,
    /// Returned: the response was dropped.
    Returned,
}

/// The token of one response. Dropping it without [`complete`](Self::complete) returns the messages.
#[derive(Debug)]
pub struct DeliveryToken(Arc<AtomicU8>);

/// The machine's end of a token.
#[derive(Debug)]
pub(crate) struct DeliveryHandle(Arc<AtomicU8>);

impl DeliveryToken {
    pub(crate) fn pair() -> (Self, DeliveryHandle) {
        let state = Arc::new(AtomicU8::new(PENDING));
        (Self(state.clone()), DeliveryHandle(state))
    }

    /// Confirms the delivery: the bytes were written to a connection that is not known to be closed.
    pub fn complete(self) {
        self.0.store(COMPLETED, Ordering::Release);
    }
}

impl Drop for DeliveryToken {
    fn drop(&mut self) {
        // This fails after `complete`, as intended.
        let _ = self.0.compare_exchange(PENDING, RETURNED, Ordering::AcqRel, Ordering::Relaxed);
    }
}

impl DeliveryHandle {
    pub(crate) fn state(&self) -> TokenState {
        match self.0.load(Ordering::Acquire) {
            PENDING => TokenState::Pending,
            COMPLETED => TokenState::Completed,
            _ => TokenState::Returned,
        }
    }
}

const CUT: u64 = 1 << 63;

/// How many events of a stream were taken for sending, and whether the stream was cut. Both are in one atomic number, so
/// that no event can be taken after the cut.
#[derive(Debug, Default)]
pub struct Progress {
    taken: AtomicU64,
    wants_more: AtomicBool,
}

impl Progress {
    /// Takes the next event. Returns false if the stream was cut: queued events then do not count as taken.
    #[must_use]
    pub fn take(&self) -> bool {
        self.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| (n & CUT == 0).then_some(n + 1)).is_ok()
    }

    /// Whether the stream was cut, so that no more events will be taken.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.read().1
    }

    /// Cuts the stream, from either side. Returns how many events were taken.
    pub fn cut(&self) -> u64 {
        self.taken.fetch_or(CUT, Ordering::AcqRel) & !CUT
    }

    /// Whether the machine has more events for an empty queue. The stream's body should then have the channel checked.
    #[must_use]
    pub fn wants_more(&self) -> bool {
        self.wants_more.load(Ordering::Acquire)
    }

    pub(crate) fn set_wants_more(&self, wants_more: bool) {
        self.wants_more.store(wants_more, Ordering::Release);
    }

    /// How many events were taken, and whether the stream was cut.
    pub(crate) fn read(&self) -> (u64, bool) {
        let n = self.taken.load(Ordering::Acquire);
        (n & !CUT, n & CUT != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d02_a_token_that_is_dropped_is_returned() {
        let (token, handle) = DeliveryToken::pair();
        assert_eq!(handle.state(), TokenState::Pending);
        drop(token);
        assert_eq!(handle.state(), TokenState::Returned);
        let (token, handle) = DeliveryToken::pair();
        token.complete();
        assert_eq!(handle.state(), TokenState::Completed);
    }

    #[test]
    fn no_event_is_taken_after_the_cut() {
        let progress = Progress::default();
        assert!(progress.take() && progress.take());
        assert_eq!(progress.cut(), 2);
        assert!(!progress.take());
        assert!(progress.is_cut());
    }
}
