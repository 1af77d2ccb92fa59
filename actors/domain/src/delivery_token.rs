//! The slips that travel with what is handed out, and tell the machine whether it was taken.
//!
//! A token is shared between the machine and whoever carries the bytes. The carrier says *taken* when the bytes leave;
//! a token that is dropped says *returned*. Nobody waits for the other and no message is needed, so a full mailbox can
//! lose nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

const PENDING: u8 = 0;
const COMPLETED: u8 = 1;
const RETURNED: u8 = 2;

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenState {
    /// It is still on its way.
    Pending,
    /// The bytes were taken.
    Completed,
    /// They were dropped unread.
    Returned,
}

/// The carrier's half of the token of one answer.
#[derive(Debug)]
pub struct DeliveryToken(Arc<AtomicU8>);

/// The machine's half.
#[derive(Debug)]
pub(crate) struct DeliveryHandle(Arc<AtomicU8>);

impl DeliveryToken {
    pub(crate) fn pair() -> (Self, DeliveryHandle) {
        let state = Arc::new(AtomicU8::new(PENDING));
        (Self(state.clone()), DeliveryHandle(state))
    }

    /// Says that the bytes have left on a connection not known to be closed.
    pub fn complete(self) {
        self.0.store(COMPLETED, Ordering::Release);
    }
}

impl Drop for DeliveryToken {
    fn drop(&mut self) {
        // Fails when `complete` came first, and that is right.
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

/// How many events of a stream its carrier has taken, and whether the stream was cut. One number, so that a cut and a
/// last take cannot both win.
#[derive(Debug, Default)]
pub struct Progress {
    taken: AtomicU64,
    wants_more: AtomicBool,
}

impl Progress {
    /// Takes the next event. False when the stream was cut before: then nothing queued counts as taken.
    #[must_use]
    pub fn take(&self) -> bool {
        self.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| (n & CUT == 0).then_some(n + 1)).is_ok()
    }

    /// Whether it was cut: then nothing more will be taken.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.read().1
    }

    /// Ends the taking, from either side, and says how many were taken before.
    pub fn cut(&self) -> u64 {
        self.taken.fetch_or(CUT, Ordering::AcqRel) & !CUT
    }

    /// Whether the machine has more for an empty queue: then its carrier should let time pass on the channel.
    #[must_use]
    pub fn wants_more(&self) -> bool {
        self.wants_more.load(Ordering::Acquire)
    }

    pub(crate) fn set_wants_more(&self, wants_more: bool) {
        self.wants_more.store(wants_more, Ordering::Release);
    }

    /// How many were taken, and whether the stream was cut by its carrier.
    pub(crate) fn read(&self) -> (u64, bool) {
        let n = self.taken.load(Ordering::Acquire);
        (n & !CUT, n & CUT != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d02_a_slip_that_is_dropped_unread_is_returned() {
        let (token, handle) = DeliveryToken::pair();
        assert_eq!(handle.state(), TokenState::Pending);
        drop(token);
        assert_eq!(handle.state(), TokenState::Returned);
        let (token, handle) = DeliveryToken::pair();
        token.complete();
        assert_eq!(handle.state(), TokenState::Completed);
    }

    #[test]
    fn nothing_is_taken_after_the_cut() {
        let progress = Progress::default();
        assert!(progress.take() && progress.take());
        assert_eq!(progress.cut(), 2);
        assert!(!progress.take());
        assert!(progress.is_cut());
    }
}
