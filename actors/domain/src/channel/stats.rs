//! Statistics of a channel: its current sizes, and its delivery counters.
//!
//! Every number is maintained as it changes, so reading them costs the same on a channel of any size.

use super::{Channel, GapReason};

/// The current sizes of a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChannelStats {
    /// Members, online and offline.
    pub members: u32,
    /// Members with a live session.
    pub live: u32,
    /// Parked polls.
    pub polls: u32,
    /// Open streams.
    pub streams: u32,
    /// DMs held for their recipients.
    pub held: u32,
    /// Bytes of these DMs.
    pub held_bytes: u64,
}

/// Deliveries and losses since the counters were last taken. Statuses do not count, because they are not claimed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryCounters {
    /// Messages delivered.
    pub taken: u32,
    /// Messages returned undelivered.
    pub returned: u32,
    /// Gaps reported because newer messages replaced the oldest of the ring.
    pub gaps_ring: u32,
    /// Gaps reported because the hub restarted.
    pub gaps_restart: u32,
    /// Gaps reported because the channel was unloaded.
    pub gaps_idle: u32,
    /// Held DMs dropped with their recipient.
    pub held_lost: u32,
}

/// A count as a `u32`, which keeps the counters of every channel small.
pub(super) fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl DeliveryCounters {
    pub(super) fn count_gap(&mut self, reason: GapReason) {
        match reason {
            GapReason::Ring => self.gaps_ring += 1,
            GapReason::Restart => self.gaps_restart += 1,
            GapReason::Idle => self.gaps_idle += 1,
        }
    }
}

impl Channel {
    /// The current sizes of the channel.
    #[must_use]
    pub fn stats(&self) -> ChannelStats {
        let counted = || self.members.values().map(|m| m.held.len()).sum::<usize>();
        debug_assert!(self.held_messages == counted(), "held_messages is maintained");
        let (polls, streams) = self.waiting();
        ChannelStats {
            members: count(self.members.len()),
            live: count(self.live),
            polls: count(polls),
            streams: count(streams),
            held: count(self.held_messages),
            held_bytes: self.held_bytes as u64,
        }
    }

    /// When the oldest DM that is held for its recipient was sent, in milliseconds since the epoch; none if none is held. It
    /// looks at every member.
    #[must_use]
    pub fn oldest_held_ms(&self) -> Option<u64> {
        if self.held_messages == 0 {
            return None;
        }
        let oldest = self.members.values().filter_map(|member| member.held.iter().next());
        // The id is the time, or a little later.
        oldest.map(|slot| slot.message.as_ref().map_or(slot.id, |message| message.at_ms)).min()
    }

    /// Returns the delivery counters and resets them.
    pub fn take_delivery_counters(&mut self) -> DeliveryCounters {
        std::mem::take(&mut self.delivery_counters)
    }
}
