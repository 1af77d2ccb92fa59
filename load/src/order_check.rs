//! Checks that numbered messages of one sender arrive once and in order. Numbers begin at 1 and are dense.

use std::collections::BTreeSet;
use std::ops::AddAssign;

/// Missing numbers that are remembered to distinguish a late message from a duplicate; older ones count as lost at once.
const REMEMBERED: usize = 1024;

/// What went wrong with the order of arrival.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub(super) struct OrderError {
    pub(super) lost: u64,
    pub(super) doubled: u64,
    pub(super) reordered: u64,
    /// Heard by somebody they were not for, or not as they were said.
    pub(super) strayed: u64,
}

impl OrderError {
    pub(super) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn count(&self) -> u64 {
        self.lost + self.doubled + self.reordered + self.strayed
    }
}

impl AddAssign for OrderError {
    fn add_assign(&mut self, other: Self) {
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.reordered += other.reordered;
        self.strayed += other.strayed;
    }
}

#[derive(Debug, Default)]
pub(super) struct Sequence {
    highest: u64,
    missing: BTreeSet<u64>,
    found: OrderError,
}

impl Sequence {
    /// Takes the next arrival; true when this number had not come before.
    pub(super) fn arrive(&mut self, seq: u64) -> bool {
        if seq > self.highest {
            self.skip_to(seq);
            return true;
        }
        let late = self.missing.remove(&seq);
        if late {
            self.found.reordered += 1;
        } else {
            self.found.doubled += 1;
        }
        late
    }

    /// The first number that is looked at; nothing is known of those below.
    pub(super) fn begin_at(&mut self, seq: u64) {
        self.highest = seq;
    }

    /// A message that was not for this listener, or not as sent.
    pub(super) fn stray(&mut self) {
        self.found.strayed += 1;
    }

    /// The highest number that came.
    pub(super) fn highest(&self) -> u64 {
        self.highest
    }

    /// The verdict while more may be on its way: gaps that were overtaken are lost, the tail is not known.
    pub(super) fn so_far(&self) -> OrderError {
        let gaps = self.missing.len() as u64;
        OrderError { lost: self.found.lost + gaps, ..self.found }
    }

    /// The verdict when all `sent` messages have had their time to arrive.
    pub(super) fn complete(&self, sent: u64) -> OrderError {
        let mut disorder = self.so_far();
        disorder.lost += sent.saturating_sub(self.highest);
        disorder
    }

    fn skip_to(&mut self, seq: u64) {
        let first = self.highest + 1;
        let remembered = first.max(seq.saturating_sub(REMEMBERED as u64));
        self.found.lost += remembered - first;
        self.missing.extend(remembered..seq);
        while self.missing.len() > REMEMBERED {
            self.missing.pop_first();
            self.found.lost += 1;
        }
        self.highest = seq;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(arrivals: &[u64], sent: u64) -> (u64, u64, u64) {
        let mut sequence = Sequence::default();
        for seq in arrivals {
            sequence.arrive(*seq);
        }
        let OrderError { lost, doubled, reordered, .. } = sequence.complete(sent);
        (lost, doubled, reordered)
    }

    #[test]
    fn each_kind_is_found() {
        assert_eq!(verdict(&[1, 2, 3], 3), (0, 0, 0));
        assert_eq!(verdict(&[1, 3], 3), (1, 0, 0), "a gap");
        assert_eq!(verdict(&[1, 2], 4), (2, 0, 0), "the tail");
        assert_eq!(verdict(&[1, 2, 2, 3], 3), (0, 1, 0));
        assert_eq!(verdict(&[1, 3, 2], 3), (0, 0, 1));
        assert_eq!(verdict(&[2, 1, 1, 5], 5), (2, 1, 1), "all at once");
        assert_eq!(verdict(&[], 0), (0, 0, 0));
    }

    #[test]
    fn a_message_is_fresh_once() {
        let mut sequence = Sequence::default();
        assert!(sequence.arrive(2));
        assert!(sequence.arrive(1));
        assert!(!sequence.arrive(1));
        assert_eq!(sequence.so_far(), OrderError { doubled: 1, reordered: 1, ..OrderError::default() });
    }

    #[test]
    fn a_wild_number_takes_no_memory() {
        let mut sequence = Sequence::default();
        sequence.arrive(1_000_000_000);
        sequence.arrive(2_000_000_000);
        assert!(sequence.missing.len() <= REMEMBERED);
        assert_eq!(sequence.so_far().lost, 1_999_999_998);
    }
}
