//! A value that only grows, seen from outside: a cursor, the state of a receipt.
//! What was promised to be on disk must never be undercut. What was only seen may be forgotten by a crash that came
//! so soon that nothing vouched for it: hand-overs are written, but nobody waits for that.

/// What was seen that long before a kill is expected to be on disk, when a later send vouches for it besides.
const SETTLED_MS: u64 = 1000;

/// An instant: the count of events, and the time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct At {
    pub(super) tick: u64,
    pub(super) ms: u64,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Timestamp {
    /// Survives every crash.
    firm: u64,
    /// The highest of this life.
    last: u64,
    last_at: At,
}

impl Timestamp {
    /// What may not be undercut now.
    pub(super) fn floor(self) -> u64 {
        self.last.max(self.firm)
    }

    /// Takes a sighting; gives what it undercuts.
    pub(super) fn see(&mut self, value: u64, at: At) -> Option<u64> {
        let floor = self.floor();
        if value > self.last {
            self.last = value;
            self.last_at = at;
        }
        (value < floor).then_some(floor)
    }

    /// The hub has promised that this value stays.
    pub(super) fn promise(&mut self, value: u64) {
        self.firm = self.firm.max(value);
    }

    /// A kill at `ms`; `vouched_tick` is when the last send began that was acknowledged in this life.
    pub(super) fn kill(&mut self, ms: u64, vouched_tick: u64) {
        let settled = self.last_at.ms + SETTLED_MS <= ms && self.last_at.tick < vouched_tick;
        if settled {
            self.promise(self.last);
        }
        self.last = 0;
    }
}
