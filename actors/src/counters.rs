//! What the hub has done since it started, and what is there now, in numbers.
//!
//! Whoever counts adds to the shard of its own thread, so that workers do not fight for a cache line; whoever reads sums
//! the shards. Nothing is locked, and no channel is asked.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use crate::totals::{Gaps, Gauges, Totals, WebhookTotals};

/// Shards. More threads than that metrics some.
const SHARDS: usize = 16;

/// What is counted.
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

/// What is counted over all runs of the hub.
const OUTLIVING: [Count; 4] = [Count::ChannelsCreated, Count::Joins, Count::Messages, Count::Statuses];

const COUNTS: usize = Count::HeldBytes as usize + 1;

/// The counts of some threads, alone on their cache lines.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard([AtomicU64; COUNTS]);

/// Counters, shared by everybody who counts.
#[derive(Debug, Default)]
pub(crate) struct Counters([Shard; SHARDS]);

impl Counters {
    pub(crate) fn add(&self, what: Count, n: u64) {
        self.0[own_shard()].0[what as usize].fetch_add(n, Relaxed);
    }

    /// Takes away from what is there now. A shard may pass below 0 and wrap: their sum does not.
    pub(crate) fn take(&self, what: Count, n: u64) {
        self.0[own_shard()].0[what as usize].fetch_sub(n, Relaxed);
    }

    pub(crate) fn sum(&self, what: Count) -> u64 {
        self.0.iter().fold(0, |sum, shard| sum.wrapping_add(shard.0[what as usize].load(Relaxed)))
    }

    /// What is there now. Read while threads move on, a thing may be seen neither here nor there, never below 0.
    fn level(&self, what: Count) -> u64 {
        u64::try_from(self.sum(what).cast_signed()).unwrap_or(0)
    }

    /// The name of the note that outlives a run.
    pub(crate) const NOTE: &'static str = "counters";

    /// What the hub has done in all its runs, as a note: channels created, joins, messages, statuses.
    pub(crate) fn note(&self) -> String {
        OUTLIVING.map(|what| self.sum(what).to_string()).join(" ")
    }

    /// Goes on from where the run before ended.
    pub(crate) fn recall(&self, note: &str) {
        for (what, n) in OUTLIVING.into_iter().zip(note.split(' ')) {
            self.add(what, n.parse().unwrap_or(0));
        }
    }

    pub(crate) fn totals(
        &self,
        started_at_ms: u64,
        is_draining: bool,
        is_log_failing: bool,
        (webhooks, webhooks_off, webhooks_due): (u64, u64, u64),
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
    fn what_comes_on_one_thread_may_go_on_another() {
        let counters = Counters::default();
        counters.add(Count::Polls, 3);
        std::thread::scope(|s| s.spawn(|| counters.take(Count::Polls, 2)).join()).unwrap();
        assert_eq!(counters.level(Count::Polls), 1);
        counters.take(Count::Polls, 2);
        assert_eq!(counters.level(Count::Polls), 0, "a glimpse in between is no huge number");
    }
}
