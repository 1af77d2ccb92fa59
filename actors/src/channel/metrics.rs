//! A channel's contribution to the hub's counters: gauges are published as differences, deliveries as they happen.
//!
//! Reading the counters sends no message to a channel. When the actor ends, in whatever way, dropping this takes its
//! contribution to the gauges back.

use std::sync::Arc;

use rogerrat_domain::{ChannelStats, DeliveryCounters};

use crate::counters::{Count, Counters};
use crate::ports::log::AppendResult;

/// What one channel has contributed so far.
pub(crate) struct ChannelMetrics {
    counters: Arc<Counters>,
    /// Whether held DMs are in the log, and so outlive the actor.
    keeps_held: bool,
    last: ChannelStats,
}

impl ChannelMetrics {
    /// The metrics of a channel whose actor starts.
    pub(crate) fn new(counters: Arc<Counters>, keeps_held: bool) -> Self {
        counters.add(Count::ChannelsLive, 1);
        Self { counters, keeps_held, last: ChannelStats::default() }
    }

    pub(crate) fn count(&self, what: Count) {
        self.counters.add(what, 1);
    }

    /// Counts an append to a log that hubs share.
    pub(crate) fn appended(&self, took_us: u64, result: AppendResult) {
        self.counters.add(Count::Appends, 1);
        self.counters.add(Count::AppendMicros, took_us);
        if result == AppendResult::Conflict {
            self.count(Count::Conflicts);
        }
    }

    /// Publishes the changes since the last call. Returns how many DMs were held then.
    pub(crate) fn publish(&mut self, now: ChannelStats, handed: DeliveryCounters) -> u32 {
        let held_before = self.last.held;
        if handed != DeliveryCounters::default() {
            self.handed(handed);
        }
        if now != self.last {
            let last = std::mem::replace(&mut self.last, now);
            self.level_all(&last, &now);
        }
        held_before
    }

    fn level_all(&self, last: &ChannelStats, now: &ChannelStats) {
        let levels = [
            (Count::Members, last.members, now.members),
            (Count::MembersLive, last.live, now.live),
            (Count::Polls, last.polls, now.polls),
            (Count::Streams, last.streams, now.streams),
            (Count::Held, last.held, now.held),
        ];
        for (what, last, now) in levels {
            self.level(what, u64::from(last), u64::from(now));
        }
        self.level(Count::HeldBytes, last.held_bytes, now.held_bytes);
    }

    fn handed(&self, handed: DeliveryCounters) {
        let DeliveryCounters { taken, returned, gaps_ring, gaps_restart, gaps_idle, held_lost } = handed;
        let grown = [
            (Count::Taken, taken),
            (Count::Returned, returned),
            (Count::GapsRing, gaps_ring),
            (Count::GapsRestart, gaps_restart),
            (Count::GapsIdle, gaps_idle),
            (Count::HeldLostWithMember, held_lost),
        ];
        for (what, by) in grown.into_iter().filter(|(_, by)| *by > 0) {
            self.counters.add(what, u64::from(by));
        }
    }

    fn level(&self, what: Count, last: u64, now: u64) {
        if now > last {
            self.counters.add(what, now - last);
        } else if now < last {
            self.counters.take(what, last - now);
        }
    }
}

impl Drop for ChannelMetrics {
    fn drop(&mut self) {
        let last = std::mem::take(&mut self.last);
        self.level_all(&last, &ChannelStats::default());
        if !self.keeps_held {
            self.counters.add(Count::HeldLostWithChannel, u64::from(last.held));
        }
        self.counters.take(Count::ChannelsLive, 1);
    }
}
