//! The channel in numbers: what is there now, and what was handed over.
//!
//! Every number is kept as it changes, so that looking costs the same on a channel of two and of ten thousand.

use super::{Channel, GapReason};

/// The numbers of one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChannelStats {
    /// Members, online or not.
    pub members: u32,
    /// Members with a live session.
    pub live: u32,
    /// Polls parked.
    pub polls: u32,
    /// Streams open.
    pub streams: u32,
    /// Undelivered DMs held.
    pub held: u32,
    /// Their bytes.
    pub held_bytes: u64,
}

/// What readers have taken or given back, and what was lost, since somebody last asked. Statuses do not count: nothing
/// holds them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryCounters {
    /// Messages whose bytes were taken.
    pub taken: u32,
    /// Messages that came back unread.
    pub returned: u32,
    /// Gaps told because newer messages pushed the ring's oldest out.
    pub gaps_ring: u32,
    /// Gaps told because the channel was brought back without its messages.
    pub gaps_restart: u32,
    /// Gaps told because the channel had left memory.
    pub gaps_idle: u32,
    /// Held DMs that ended with their member.
    pub held_lost: u32,
}

/// So many, as the numbers of a channel are kept: small, because every channel has them.
pub(super) fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl DeliveryCounters {
    pub(super) fn told(&mut self, loss: GapReason) {
        match loss {
            GapReason::Ring => self.gaps_ring += 1,
            GapReason::Restart => self.gaps_restart += 1,
            GapReason::Idle => self.gaps_idle += 1,
        }
    }
}

impl Channel {
    /// The channel's numbers.
    #[must_use]
    pub fn stats(&self) -> ChannelStats {
        let counted = || self.members.values().map(|m| m.held.len()).sum::<usize>();
        debug_assert!(self.held_messages == counted(), "what is held is counted as it comes and goes");
        let (polls, streams) = self.places();
        ChannelStats {
            members: count(self.members.len()),
            live: count(self.live),
            polls: count(polls),
            streams: count(streams),
            held: count(self.held_messages),
            held_bytes: self.held_bytes as u64,
        }
    }

    /// What has been handed over since this was last asked.
    pub fn take_handed(&mut self) -> DeliveryCounters {
        std::mem::take(&mut self.handed)
    }
}
