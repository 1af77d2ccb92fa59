//! Counters of what the hub has done, and gauges of its current state.
//!
//! Each thread adds to a shard of its own, so that workers do not contend for a cache line; a reader sums the shards.
//! There is no lock, and reading sends no message to any channel.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use crate::totals::{ClusterTotals, Gaps, Gauges, MailTotals, PushTotals, Totals, WebhookTotals};

/// Number of shards. If there are more threads, some share a shard.
const SHARDS: usize = 16;

/// What a counter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    ChannelsCreated,
    Joins,
    Messages,
    Statuses,
    Revivals,
    MailboxRefusals,
    HooksAttempts,
    HooksRetried,
    HooksDelivered,
    HooksFailed,
    HooksDropped,
    PushesSent,
    PushesFailed,
    PushesDropped,
    MailAttempts,
    MailsSent,
    MailsFailed,
    MailsDropped,
    MailsQueued,
    ChannelsMoved,
    ChannelsTakenOver,
    Conflicts,
    Appends,
    AppendMicros,
    Taken,
    Returned,
    GapsRing,
    GapsRestart,
    GapsIdle,
    HeldLostWithMember,
    HeldLostWithChannel,
    Channels,
    ChannelsLive,
    Members,
    MembersLive,
    Polls,
    Streams,
    Held,
    HeldBytes,
}

/// Counters that continue after a restart.
const LASTING: [Count; 4] = [Count::ChannelsCreated, Count::Joins, Count::Messages, Count::Statuses];

const COUNTS: usize = Count::HeldBytes as usize + 1;

/// The counters of some threads, on cache lines of their own.
#[derive(Debug)]
#[repr(align(128))]
struct Shard([AtomicU64; COUNTS]);

impl Default for Shard {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

/// The counters of a hub.
#[derive(Debug, Default)]
pub(crate) struct Counters([Shard; SHARDS]);

impl Counters {
    pub(crate) fn add(&self, what: Count, n: u64) {
        self.0[own_shard()].0[what as usize].fetch_add(n, Relaxed);
    }

    /// Decreases a gauge. A shard may wrap below 0; the sum of the shards does not.
    pub(crate) fn take(&self, what: Count, n: u64) {
        self.0[own_shard()].0[what as usize].fetch_sub(n, Relaxed);
    }

    /// Sets a gauge. Changes at the same time may be lost.
    pub(crate) fn set(&self, what: Count, n: u64) {
        self.add(what, n.wrapping_sub(self.sum(what)));
    }

    pub(crate) fn sum(&self, what: Count) -> u64 {
        self.0.iter().fold(0, |sum, shard| sum.wrapping_add(shard.0[what as usize].load(Relaxed)))
    }

    /// The value of a gauge. A concurrent update may be half visible, but the value is never below 0.
    fn level(&self, what: Count) -> u64 {
        u64::try_from(self.sum(what).cast_signed()).unwrap_or(0)
    }

    /// The name of the record in the log that keeps the counters over a restart.
    pub(crate) const NOTE: &'static str = "counters";

    /// The counters that continue after a restart, as text.
    pub(crate) fn note(&self) -> String {
        LASTING.map(|what| self.sum(what).to_string()).join(" ")
    }

    /// Restores the counters that [`note`](Self::note) wrote.
    pub(crate) fn recall(&self, note: &str) {
        for (what, n) in LASTING.into_iter().zip(note.split(' ')) {
            self.add(what, n.parse().unwrap_or(0));
        }
    }

    pub(crate) fn totals(
        &self,
        started_at_ms: u64,
        is_draining: bool,
        is_log_failing: bool,
        (webhooks, webhooks_off, webhooks_due): (u64, u64, u64),
        subscriptions: u64,
        dead_declared_total: u64,
    ) -> Totals {
        Totals {
            channels_created: self.sum(Count::ChannelsCreated),
            joins_total: self.sum(Count::Joins),
            messages_total: self.sum(Count::Messages) + self.sum(Count::Statuses),
            statuses_total: self.sum(Count::Statuses),
            taken_total: self.sum(Count::Taken),
            returned_total: self.sum(Count::Returned),
            gaps_total: Gaps {
                ring: self.sum(Count::GapsRing),
                restart: self.sum(Count::GapsRestart),
                idle: self.sum(Count::GapsIdle),
            },
            held_lost_with_member_total: self.sum(Count::HeldLostWithMember),
            held_lost_with_channel_total: self.sum(Count::HeldLostWithChannel),
            mailbox_refusals_total: self.sum(Count::MailboxRefusals),
            revivals_total: self.sum(Count::Revivals),
            pushes: PushTotals {
                sent_total: self.sum(Count::PushesSent),
                failed_total: self.sum(Count::PushesFailed),
                dropped_total: self.sum(Count::PushesDropped),
                subscriptions,
            },
            webhooks: WebhookTotals {
                attempts_total: self.sum(Count::HooksAttempts),
                retried_total: self.sum(Count::HooksRetried),
                delivered_total: self.sum(Count::HooksDelivered),
                failed_total: self.sum(Count::HooksFailed),
                dropped_total: self.sum(Count::HooksDropped),
                hooks: webhooks,
                hooks_off: webhooks_off,
                due: webhooks_due,
            },
            mails: MailTotals {
                attempts_total: self.sum(Count::MailAttempts),
                sent_total: self.sum(Count::MailsSent),
                failed_total: self.sum(Count::MailsFailed),
                dropped_total: self.sum(Count::MailsDropped),
                queued: self.level(Count::MailsQueued),
            },
            cluster: ClusterTotals {
                moved_total: self.sum(Count::ChannelsMoved),
                taken_over_total: self.sum(Count::ChannelsTakenOver),
                conflicts_total: self.sum(Count::Conflicts),
                appends_total: self.sum(Count::Appends),
                append_us_total: self.sum(Count::AppendMicros),
                dead_declared_total,
            },
            now: Gauges {
                channels: self.level(Count::Channels),
                channels_live: self.level(Count::ChannelsLive),
                members: self.level(Count::Members),
                members_live: self.level(Count::MembersLive),
                polls: self.level(Count::Polls),
                streams: self.level(Count::Streams),
                held: self.level(Count::Held),
                held_bytes: self.level(Count::HeldBytes),
            },
            is_log_failing,
            is_draining,
            started_at_ms,
        }
    }
}

/// The shard of the current thread.
fn own_shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static OWN: Cell<usize> = const { Cell::new(usize::MAX) });
    OWN.with(|own| {
        if own.get() == usize::MAX {
            own.set(NEXT.fetch_add(1, Relaxed) % SHARDS);
        }
        own.get()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_may_rise_on_one_thread_and_fall_on_another() {
        let counters = Counters::default();
        counters.add(Count::Polls, 3);
        std::thread::scope(|s| s.spawn(|| counters.take(Count::Polls, 2)).join()).unwrap();
        assert_eq!(counters.level(Count::Polls), 1);
        counters.take(Count::Polls, 2);
        assert_eq!(counters.level(Count::Polls), 0, "a partial sum must not wrap to a huge number");
    }
}
