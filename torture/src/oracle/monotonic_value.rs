//! A value that only grows and is observed from outside: a cursor, or the state of a receipt.
//!
//! A value that the hub promised must never decrease. A value that was only observed may be lost in a crash, unless a
//! later acknowledged send proves that it was written: the hub writes deliveries, but nothing waits for that write.

/// A value observed this long before a kill is expected to be on disk, provided that a later send was acknowledged.
const SETTLED_MS: u64 = 1000;

/// The number of an event, and its time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct EventTime {
    pub(super) tick: u64,
    pub(super) ms: u64,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct MonotonicValue {
    /// The part that survives every crash.
    durable: u64,
    /// The highest observed value of the current boot.
    last: u64,
    last_at: EventTime,
}

impl MonotonicValue {
    /// Returns the lowest value that is correct now.
    pub(super) fn lower_bound(self) -> u64 {
        self.last.max(self.durable)
    }

    /// Records an observed value; returns the lower bound if the value is below it.
    pub(super) fn observe(&mut self, value: u64, at: EventTime) -> Option<u64> {
        let lower_bound = self.lower_bound();
        if value > self.last {
            self.last = value;
            self.last_at = at;
        }
        (value < lower_bound).then_some(lower_bound)
    }

    /// Records a value that the hub has promised to keep.
    pub(super) fn promise(&mut self, value: u64) {
        self.durable = self.durable.max(value);
    }

    /// Applies a kill at `ms`. `confirmed_tick` is when the last send began that was acknowledged in this boot.
    pub(super) fn crash(&mut self, ms: u64, confirmed_tick: u64) {
        let is_settled = self.last_at.ms + SETTLED_MS <= ms && self.last_at.tick < confirmed_tick;
        if is_settled {
            self.promise(self.last);
        }
        self.last = 0;
    }
}
