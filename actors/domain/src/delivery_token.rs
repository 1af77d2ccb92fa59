//! Delivery tokens: how the machine learns whether a response was delivered.
//!
//! A token is shared between the machine and the code that writes the response. That code completes the token when the
//! bytes are written; dropping the token returns it. Neither side waits for the other, and no message is sent, so a full
//! mailbox cannot lose a delivery.
//!
//! Where written bytes are no proof that the client took them, the token becomes an [`UnprovenDelivery`] instead, which
//! is proven or dropped later. Where a connection may yet show that they were not read, it becomes a
//! [`CompletedDelivery`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use crate::ids::{ConsumerName, MemberNo};

const PENDING: u8 = 0;
const COMPLETED: u8 = 1;
const RETURNED: u8 = 2;
const WRITTEN: u8 = 3;
const TAKEN_BACK: u8 = 4;

/// The state of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenState {
    /// In flight.
    Pending,
    /// The bytes were written, and it is not known whether the client took them.
    Written,
    /// Delivered: the bytes were written, and the client took them as far as can be known.
    Completed,
    /// Returned: the response was dropped before it was written.
    Returned,
    /// The response was written, and the client did not take it.
    TakenBack,
}

/// Counts the unproven deliveries of a channel that were decided. The machine compares it with the count it has seen, so
/// that it need not look at each delivery.
#[derive(Clone, Debug, Default)]
pub(crate) struct DecisionCount(Arc<AtomicU64>);

impl DecisionCount {
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

#[derive(Debug)]
struct Shared {
    state: AtomicU8,
    decisions: DecisionCount,
    no: MemberNo,
    consumer: Option<ConsumerName>,
}

impl Shared {
    /// Changes the state if it still is `from`.
    fn change(&self, from: u8, to: u8) {
        let is_changed = self.state.compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        if is_changed && from == WRITTEN {
            self.decisions.0.fetch_add(1, Ordering::Release);
        }
    }
}

/// The token of one response. Dropping it without [`complete`](Self::complete) returns the messages.
#[derive(Debug)]
pub struct DeliveryToken(Arc<Shared>);

/// A response that was written to a client that may have given up on it. Dropping it without [`prove`](Self::prove) makes
/// the messages due again, with a higher `attempt`.
#[derive(Debug)]
pub struct UnprovenDelivery(Arc<Shared>);

/// A delivery that was confirmed. It knows who received it.
#[derive(Debug)]
pub struct CompletedDelivery(Arc<Shared>);

/// The machine's end of a token.
#[derive(Debug)]
pub(crate) struct DeliveryHandle(Arc<Shared>);

impl DeliveryToken {
    pub(crate) fn pair(
        decisions: DecisionCount,
        no: MemberNo,
        consumer: Option<ConsumerName>,
    ) -> (Self, DeliveryHandle) {
        let shared = Arc::new(Shared { state: AtomicU8::new(PENDING), decisions, no, consumer });
        (Self(shared.clone()), DeliveryHandle(shared))
    }

    /// Confirms the delivery: the bytes were written to a connection that is not known to be closed.
    pub fn complete(self) {
        self.0.change(PENDING, COMPLETED);
    }

    /// Confirms the delivery as far as is known now.
    #[must_use]
    pub fn complete_unless_reset(self) -> CompletedDelivery {
        self.0.change(PENDING, COMPLETED);
        CompletedDelivery(self.0.clone())
    }

    /// Records that the bytes were written, which is no proof that the client took them.
    #[must_use]
    pub fn written(self) -> UnprovenDelivery {
        self.0.change(PENDING, WRITTEN);
        UnprovenDelivery(self.0.clone())
    }
}

impl Drop for DeliveryToken {
    fn drop(&mut self) {
        // This fails after `complete` and `written`, as intended.
        self.0.change(PENDING, RETURNED);
    }
}

impl UnprovenDelivery {
    /// Confirms the delivery: the client took the response.
    pub fn prove(self) {
        self.0.change(WRITTEN, COMPLETED);
    }
}

impl Drop for UnprovenDelivery {
    fn drop(&mut self) {
        // This fails after `prove`, as intended.
        self.0.change(WRITTEN, TAKEN_BACK);
    }
}

impl CompletedDelivery {
    /// The member and the consumer that received it.
    #[must_use]
    pub fn receiver(&self) -> (MemberNo, Option<&ConsumerName>) {
        (self.0.no, self.0.consumer.as_ref())
    }
}

impl DeliveryHandle {
    pub(crate) fn state(&self) -> TokenState {
        match self.0.state.load(Ordering::Acquire) {
            PENDING => TokenState::Pending,
            WRITTEN => TokenState::Written,
            COMPLETED => TokenState::Completed,
            TAKEN_BACK => TokenState::TakenBack,
            _ => TokenState::Returned,
        }
    }
}

const CUT: u64 = 1 << 63;

/// How many events of a stream were taken for sending, and whether the stream was cut. Both are in one atomic number, so
/// that no event can be taken after the cut.
///
/// The body takes an event and then reads `wants_more`; the machine sets that and then reads how many were taken. All four
/// are sequentially consistent, so that one of the two notices the other.
#[derive(Debug, Default)]
pub struct Progress {
    taken: AtomicU64,
    wants_more: AtomicBool,
}

impl Progress {
    /// Takes the next event. Returns false if the stream was cut: queued events then do not count as taken.
    #[must_use]
    pub fn take(&self) -> bool {
        self.taken.fetch_update(Ordering::SeqCst, Ordering::Acquire, |n| (n & CUT == 0).then_some(n + 1)).is_ok()
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
        self.wants_more.load(Ordering::SeqCst)
    }

    pub(crate) fn set_wants_more(&self, wants_more: bool) {
        self.wants_more.store(wants_more, Ordering::SeqCst);
    }

    /// How many events were taken, and whether the stream was cut.
    pub(crate) fn read(&self) -> (u64, bool) {
        let n = self.taken.load(Ordering::SeqCst);
        (n & !CUT, n & CUT != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(decisions: DecisionCount) -> (DeliveryToken, DeliveryHandle) {
        DeliveryToken::pair(decisions, 1, None)
    }

    #[test]
    fn d02_a_token_that_is_dropped_is_returned() {
        let (token, handle) = pair(DecisionCount::default());
        assert_eq!(handle.state(), TokenState::Pending);
        drop(token);
        assert_eq!(handle.state(), TokenState::Returned);
        let (token, handle) = pair(DecisionCount::default());
        token.complete();
        assert_eq!(handle.state(), TokenState::Completed);
    }

    #[test]
    fn d36_a_written_response_is_proven_or_taken_back_and_each_decision_is_counted() {
        let decisions = DecisionCount::default();
        let (token, handle) = pair(decisions.clone());
        let unproven = token.written();
        assert_eq!((handle.state(), decisions.get()), (TokenState::Written, 0));
        unproven.prove();
        assert_eq!((handle.state(), decisions.get()), (TokenState::Completed, 1));
        let (token, handle) = pair(decisions.clone());
        drop(token.written());
        assert_eq!((handle.state(), decisions.get()), (TokenState::TakenBack, 2));
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
