//! Checks that the messages of one sender arrive once and in order. Their sequence numbers start at 1 without gaps.

use std::collections::BTreeSet;
use std::ops::AddAssign;

use super::message::MessageTag;

/// Missing numbers that are stored, to distinguish a late message from a duplicate; older ones count as lost at once.
const MAX_MISSING: usize = 1024;

/// How many messages arrived wrong.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub(super) struct OrderErrors {
    pub(super) lost: u64,
    pub(super) doubled: u64,
    pub(super) reordered: u64,
    /// Received by the wrong agent, or with another text.
    pub(super) strayed: u64,
}

impl OrderErrors {
    pub(super) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn count(&self) -> u64 {
        self.lost + self.doubled + self.reordered + self.strayed
    }
}

impl AddAssign for OrderErrors {
    fn add_assign(&mut self, other: Self) {
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.reordered += other.reordered;
        self.strayed += other.strayed;
    }
}

/// The messages of one sender at one receiver.
#[derive(Debug, Default)]
pub(super) struct OrderCheck {
    highest: u64,
    missing: BTreeSet<u64>,
    errors: OrderErrors,
}

impl OrderCheck {
    /// Records a received message by its tag, or as stray without one. Returns the tag if the message is new.
    pub(super) fn receive(&mut self, tag: Option<MessageTag>) -> Option<MessageTag> {
        let Some(tag) = tag else {
            self.record_stray();
            return None;
        };
        self.record(tag.seq).then_some(tag)
    }

    /// Records a received number; returns true if it was not received before.
    pub(super) fn record(&mut self, seq: u64) -> bool {
        if seq > self.highest {
            self.skip_to(seq);
            return true;
        }
        let late = self.missing.remove(&seq);
        if late {
            self.errors.reordered += 1;
        } else {
            self.errors.doubled += 1;
        }
        late
    }

    /// Starts at a number above 1; the ones below are not checked.
    pub(super) fn begin_at(&mut self, seq: u64) {
        self.highest = seq;
    }

    /// Records a message for another receiver or with another text.
    pub(super) fn record_stray(&mut self) {
        self.errors.strayed += 1;
    }

    /// The highest number that was received.
    pub(super) fn highest(&self) -> u64 {
        self.highest
    }

    /// Returns the errors while more messages may arrive: skipped numbers count as lost, the ones above do not.
    pub(super) fn errors_so_far(&self) -> OrderErrors {
        let gaps = self.missing.len() as u64;
        OrderErrors { lost: self.errors.lost + gaps, ..self.errors }
    }

    /// Returns the errors once all `sent` messages should have arrived.
    pub(super) fn final_errors(&self, sent: u64) -> OrderErrors {
        let mut errors = self.errors_so_far();
        errors.lost += sent.saturating_sub(self.highest);
        errors
    }

    fn skip_to(&mut self, seq: u64) {
        let first = self.highest + 1;
        let oldest = first.max(seq.saturating_sub(MAX_MISSING as u64));
        self.errors.lost += oldest - first;
        self.missing.extend(oldest..seq);
        while self.missing.len() > MAX_MISSING {
            self.missing.pop_first();
            self.errors.lost += 1;
        }
        self.highest = seq;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(arrivals: &[u64], sent: u64) -> (u64, u64, u64) {
        let mut order = OrderCheck::default();
        for seq in arrivals {
            order.record(*seq);
        }
        let OrderErrors { lost, doubled, reordered, .. } = order.final_errors(sent);
        (lost, doubled, reordered)
    }

    #[test]
    fn each_kind_of_error_is_detected() {
        assert_eq!(errors(&[1, 2, 3], 3), (0, 0, 0));
        assert_eq!(errors(&[1, 3], 3), (1, 0, 0), "a gap");
        assert_eq!(errors(&[1, 2], 4), (2, 0, 0), "the tail");
        assert_eq!(errors(&[1, 2, 2, 3], 3), (0, 1, 0));
        assert_eq!(errors(&[1, 3, 2], 3), (0, 0, 1));
        assert_eq!(errors(&[2, 1, 1, 5], 5), (2, 1, 1), "all at once");
        assert_eq!(errors(&[], 0), (0, 0, 0));
    }

    #[test]
    fn a_message_is_new_once() {
        let mut order = OrderCheck::default();
        assert!(order.record(2));
        assert!(order.record(1));
        assert!(!order.record(1));
        assert_eq!(order.errors_so_far(), OrderErrors { doubled: 1, reordered: 1, ..OrderErrors::default() });
    }

    #[test]
    fn a_huge_number_takes_no_memory() {
        let mut order = OrderCheck::default();
        order.record(1_000_000_000);
        order.record(2_000_000_000);
        assert!(order.missing.len() <= MAX_MISSING);
        assert_eq!(order.errors_so_far().lost, 1_999_999_998);
    }
}
