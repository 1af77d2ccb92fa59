//! Presence: what each member has open to read with, when it was last active, and what it has not read.
//!
//! A message is unread for a member until one of its consumers is given it. For a broadcast that follows from the cursors
//! and claims of its consumers, for a DM from whether it is held.

use std::cmp::Reverse;

use serde::Serialize;
use utoipa::ToSchema;

use crate::ids::{MemberNo, MessageId};
use crate::limits::READ_MESSAGES;
use crate::{DmVisibility, Now};

use super::{Channel, Consumer, Member, MessageSlot};

/// How many messages are looked at to count what one member has not read. Beyond them, nothing counts.
const LOOKED_AT: usize = 10 * READ_MESSAGES;

/// What a member has open to read with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OpenRead {
    /// A stream.
    Stream,
    /// A poll that waits.
    Poll,
}

/// How a message reaches a member at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// By its open stream, at once.
    Stream,
    /// By its waiting poll, at once.
    Poll,
    /// When it reads again: it has nothing open.
    Away,
}

/// The presence of a member, as one viewer may know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Presence {
    pub(crate) reads: Option<OpenRead>,
    /// When it was last active, in milliseconds since the epoch.
    pub(crate) seen_at_ms: u64,
    /// When it last acknowledged messages, in milliseconds since the epoch.
    pub(crate) acked_at_ms: Option<u64>,
    pub(crate) unread: Unread,
}

/// The messages that none of a member's consumers was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unread {
    /// How many there are, counted up to one read.
    pub(crate) count: usize,
    /// When the oldest was sent, in milliseconds since the epoch.
    pub(crate) oldest_at_ms: Option<u64>,
}

impl OpenRead {
    pub(crate) fn of(member: &Member) -> Option<Self> {
        match member.consumers.iter().any(|consumer| consumer.stream.is_some()) {
            true => Some(Self::Stream),
            false => member.is_waiting().then_some(Self::Poll),
        }
    }
}

impl From<Option<OpenRead>> for Reach {
    fn from(reads: Option<OpenRead>) -> Self {
        match reads {
            Some(OpenRead::Stream) => Self::Stream,
            Some(OpenRead::Poll) => Self::Poll,
            None => Self::Away,
        }
    }
}

impl Unread {
    /// The age of the oldest unread message, in seconds.
    pub(crate) fn oldest_seconds(&self, now: Now) -> Option<u64> {
        Some(now.at_ms.saturating_sub(self.oldest_at_ms?) / 1000)
    }
}

/// The id and the sender of a broadcast.
type Broadcast = (MessageId, MemberNo);

/// Determines the presence of all members of a channel: it looks at the messages of the channel once.
pub(crate) struct PresenceIndex {
    broadcasts: Vec<Broadcast>,
    now: Now,
}

impl Channel {
    /// Prepares to determine the presence of all members.
    pub(crate) fn presence_index(&self, now: Now) -> PresenceIndex {
        PresenceIndex { broadcasts: self.ring.broadcasts_after(0).collect(), now }
    }

    /// The presence of one member, for a viewer.
    pub(crate) fn presence_of(&self, member: &Member, viewer: Option<MemberNo>, now: Now) -> Presence {
        let after = |cursor| self.ring.after(cursor).map(|slot| slot.to.is_none().then_some((slot.id, slot.from)));
        self.presence(member, viewer, after, now)
    }

    /// `after` returns the messages above a cursor, oldest first; none for a DM.
    fn presence<B: Iterator<Item = Option<Broadcast>>>(
        &self,
        member: &Member,
        viewer: Option<MemberNo>,
        after: impl Fn(MessageId) -> B,
        now: Now,
    ) -> Presence {
        let reads = OpenRead::of(member);
        Presence {
            reads,
            seen_at_ms: if reads.is_some() { now.at_ms } else { member.seen_at_ms },
            acked_at_ms: (member.acked_at_ms > 0).then_some(member.acked_at_ms),
            unread: self.unread_by_all(member, viewer, after, now),
        }
    }

    /// What none of a member's consumers was given. Where DMs are private, a viewer knows only of those that it sent or that
    /// are to it.
    fn unread_by_all<B: Iterator<Item = Option<Broadcast>>>(
        &self,
        member: &Member,
        viewer: Option<MemberNo>,
        after: impl Fn(MessageId) -> B,
        now: Now,
    ) -> Unread {
        let (count, oldest) = self.least_lag(member, after, now);
        let sees_all = self.settings.dm_visibility == DmVisibility::Channel || viewer == Some(member.no);
        let is_given = |id| member.consumers.iter().any(|consumer| consumer.is_busy(id, now.uptime_ms));
        let is_unread = |slot: &&MessageSlot| (sees_all || viewer == Some(slot.from)) && !is_given(slot.id);
        let mut dms = member.held.iter().filter(is_unread).peekable();
        let oldest = [oldest, dms.peek().map(|slot| slot.id)].into_iter().flatten().min();
        Unread {
            count: (count + dms.count()).min(READ_MESSAGES),
            oldest_at_ms: oldest.map(|id| self.sent_at_ms(member, id)),
        }
    }

    /// The lag of the consumer that lacks the fewest broadcasts: how many, and the oldest. Of equals it is the first.
    ///
    /// Those with the highest cursors come first, because they usually lack the fewest, and of the others only as much is
    /// counted as decides.
    fn least_lag<B: Iterator<Item = Option<Broadcast>>>(
        &self,
        member: &Member,
        after: impl Fn(MessageId) -> B,
        now: Now,
    ) -> (usize, Option<MessageId>) {
        let mut consumers: Vec<_> = member.consumers.iter().enumerate().collect();
        consumers.sort_by_key(|(_, consumer)| Reverse(consumer.cursor));
        let mut looks_left = LOOKED_AT;
        let mut least: Option<(usize, usize, Option<MessageId>)> = None;
        for (at, consumer) in consumers {
            // What it must stay below to win.
            let bound = least.map_or(usize::MAX, |(count, of, _)| count + usize::from(at < of));
            let looked_at = after(consumer.cursor).map_while(|broadcast| {
                looks_left = looks_left.checked_sub(1)?;
                Some(broadcast)
            });
            let (count, oldest) = self.broadcast_lag(member.no, consumer, looked_at.flatten(), bound, now);
            if least.is_none() || looks_left > 0 && count < bound {
                least = Some((count, at, oldest));
            }
            if count == 0 || looks_left == 0 {
                break;
            }
        }
        least.map_or((0, None), |(count, _, oldest)| (count, oldest))
    }

    /// How many broadcasts a consumer was not given, up to a bound and at most as many as one read returns, and the oldest
    /// of them.
    fn broadcast_lag(
        &self,
        no: MemberNo,
        consumer: &Consumer,
        after_cursor: impl Iterator<Item = Broadcast>,
        bound: usize,
        now: Now,
    ) -> (usize, Option<MessageId>) {
        let is_free = |id| consumer.claims().is_empty() || !consumer.is_busy(id, now.uptime_ms);
        let mut above = after_cursor.filter(|(id, from)| *from != no && is_free(*id)).map(|(id, _)| id).peekable();
        let due_again = consumer.claims().iter().filter(|claim| {
            let is_below = claim.id <= consumer.cursor && !claim.is_dm && !claim.is_own;
            is_below && !claim.is_busy(now.uptime_ms) && self.ring.get(claim.id).is_some()
        });
        let mut below = due_again.map(|claim| claim.id).peekable();
        let oldest = below.peek().copied().or_else(|| above.peek().copied());
        let below = below.take(bound).count();
        (below + above.take(READ_MESSAGES.min(bound - below)).count(), oldest)
    }

    /// When an unread message was sent. The id of a message that is not in memory is its time, or a little later.
    fn sent_at_ms(&self, member: &Member, id: MessageId) -> u64 {
        let in_ring = self.ring.get(id).and_then(|slot| slot.message.as_ref());
        let held = || member.held.iter().find(|slot| slot.id == id)?.message.as_ref();
        in_ring.or_else(held).map_or(id, |message| message.at_ms)
    }
}

impl PresenceIndex {
    /// The presence of a member, for a viewer. No message may be sent on the channel in between.
    pub(crate) fn of(&self, channel: &Channel, member: &Member, viewer: Option<MemberNo>) -> Presence {
        let after = |cursor: MessageId| {
            let from = self.broadcasts.partition_point(|(id, _)| *id <= cursor);
            self.broadcasts[from..].iter().copied().map(Some)
        };
        channel.presence(member, viewer, after, self.now)
    }
}

#[cfg(test)]
mod tests;
