//! The ring buffer: the last messages of a channel, and a record of those that were evicted.
//!
//! On a durable channel, messages that leave memory stay in the backlog: the log stores them, and the ring keeps their ids.
//! Only messages that leave the backlog count as evicted.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::collections::{StaticDefault, VecMap};
use crate::ids::{MemberNo, MessageId};
use crate::limits::{RING_BYTES, RING_MESSAGES};
use crate::message::Message;

use super::BacklogEntry;

/// Why broadcasts are no longer stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum GapReason {
    /// Newer messages replaced them.
    Ring,
    /// The hub restarted, and the channel was in memory only.
    Restart,
    /// The channel was unused and was unloaded from memory.
    Idle,
}

impl GapReason {
    /// The reason as it appears in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ring => "ring",
            Self::Restart => "restart",
            Self::Idle => "idle",
        }
    }
}

/// The bounds of a durable channel's backlog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BacklogLimits {
    /// Messages, including those of the ring.
    pub messages: usize,
    /// Bytes of these messages.
    pub bytes: usize,
}

/// The newest evicted message, the newest evicted broadcast with its sender, and the newest evicted broadcast of another
/// sender. This is enough to know, for every reader, whether a broadcast of another member was lost.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Evicted {
    pub(super) any: MessageId,
    pub(super) newest: MessageId,
    pub(super) newest_from: Option<MemberNo>,
    pub(super) newest_of_others: MessageId,
    /// The number of evicted broadcasts.
    #[serde(default)]
    pub(super) broadcasts: u64,
}

/// A message of the ring or of the backlog.
#[derive(Clone, Debug)]
pub(crate) struct MessageSlot {
    pub(crate) id: MessageId,
    pub(crate) from: MemberNo,
    pub(crate) to: Option<MemberNo>,
    weight_bytes: u32,
    /// The message; none if it is not in memory.
    pub(crate) message: Option<Arc<Message>>,
}

impl MessageSlot {
    pub(crate) fn new(message: &Arc<Message>) -> Self {
        let weight_bytes = u32::try_from(message.weight_bytes()).unwrap_or(u32::MAX);
        let (id, from, to) = (message.id, message.from, message.to);
        Self { id, from, to, weight_bytes, message: message.has_body().then(|| message.clone()) }
    }

    pub(super) fn from_backlog(entry: &BacklogEntry) -> Self {
        let BacklogEntry { id, from, to, weight_bytes } = *entry;
        Self { id, from, to, weight_bytes: u32::try_from(weight_bytes).unwrap_or(u32::MAX), message: None }
    }

    pub(crate) fn weight_bytes(&self) -> usize {
        self.weight_bytes as usize
    }

    /// Whether this member may receive it; see [`Message::is_readable_by`].
    pub(crate) fn is_readable_by(&self, no: MemberNo) -> bool {
        self.from != no && self.to.is_none_or(|to| to == no)
    }
}

#[derive(Debug)]
pub(crate) struct Ring {
    /// Oldest first: the backlog, then the ring.
    slots: VecDeque<MessageSlot>,
    /// The number of slots that belong to the backlog.
    backlog_len: usize,
    ring_bytes: usize,
    backlog_bytes: usize,
    backlog_limits: Option<BacklogLimits>,
    /// The number of slots that are broadcasts.
    broadcasts: u64,
    evicted: Evicted,
    lost_before: Option<(MessageId, GapReason)>,
    /// For members that read their own messages: the newest evicted DM that each sent. None if there are none, so that
    /// other channels pay nothing.
    own_dms: Option<Box<VecMap<MemberNo, MessageId>>>,
}

impl Default for Ring {
    fn default() -> Self {
        Self::new(None, None)
    }
}

impl StaticDefault for Ring {
    fn static_default() -> &'static Self {
        static EMPTY: Ring = Ring::new(None, None);
        &EMPTY
    }

    fn is_default(&self) -> bool {
        self.slots.is_empty() && self.backlog_limits.is_none() && self.lost_before.is_none() && self.evicted.any == 0
    }
}

impl Ring {
    /// An empty ring, with a backlog on a durable channel. If `lost` is given, everything up to that id counts as evicted.
    pub(crate) const fn new(lost: Option<(MessageId, GapReason)>, backlog_limits: Option<BacklogLimits>) -> Self {
        let newest = match lost {
            Some((id, _)) => id,
            None => 0,
        };
        Self {
            slots: VecDeque::new(),
            backlog_len: 0,
            ring_bytes: 0,
            backlog_bytes: 0,
            backlog_limits,
            broadcasts: 0,
            evicted: Evicted { any: newest, newest, newest_from: None, newest_of_others: newest, broadcasts: 0 },
            lost_before: lost,
            own_dms: None,
        }
    }

    /// Restores a ring that has evicted messages; its backlog is added with [`push_backlog`](Self::push_backlog).
    pub(super) fn restored(
        evicted: Evicted,
        lost: Option<(MessageId, GapReason)>,
        backlog_limits: Option<BacklogLimits>,
    ) -> Self {
        Self { evicted, ..Self::new(lost, backlog_limits) }
    }

    /// Adds the newest message without its body.
    pub(super) fn push_backlog(&mut self, entry: &BacklogEntry) {
        if entry.id > self.evicted.any {
            self.push_slot(MessageSlot::from_backlog(entry));
        }
    }

    /// Adds the newest message, and evicts the oldest until all bounds are met.
    pub(crate) fn push(&mut self, message: &Arc<Message>) {
        self.push_slot(MessageSlot::new(message));
    }

    fn push_slot(&mut self, slot: MessageSlot) {
        assert!(self.slots.back().is_none_or(|last| last.id < slot.id), "ids increase");
        self.ring_bytes += slot.weight_bytes();
        self.broadcasts += u64::from(slot.to.is_none());
        self.slots.push_back(slot);
        while self.len() > RING_MESSAGES || (self.ring_bytes > RING_BYTES && self.len() > 1) {
            self.move_oldest_to_backlog();
        }
        if let Some(BacklogLimits { messages, bytes }) = self.backlog_limits {
            while self.backlog_len > 0 && (self.slots.len() > messages || self.backlog_bytes + self.ring_bytes > bytes)
            {
                self.evict_oldest();
            }
        }
        assert!(self.len() <= RING_MESSAGES, "the ring is bounded");
    }

    /// Moves the oldest message of the ring to the backlog, or evicts it if there is none.
    fn move_oldest_to_backlog(&mut self) {
        let Some(oldest) = self.slots.get_mut(self.backlog_len) else { return };
        let weight_bytes = oldest.weight_bytes();
        self.ring_bytes -= weight_bytes;
        oldest.message = None;
        self.backlog_len += 1;
        self.backlog_bytes += weight_bytes;
        if self.backlog_limits.is_none() {
            self.evict_oldest();
        }
    }

    /// Evicts the oldest message of the backlog.
    fn evict_oldest(&mut self) {
        let Some(oldest) = self.slots.pop_front() else { return };
        self.backlog_len -= 1;
        self.backlog_bytes -= oldest.weight_bytes();
        self.record_evicted(&oldest);
    }

    fn record_evicted(&mut self, slot: &MessageSlot) {
        let evicted = &mut self.evicted;
        evicted.any = evicted.any.max(slot.id);
        if slot.to.is_some() {
            if let Some(newest) = self.own_dms.as_mut().and_then(|own| own.get_mut(&slot.from)) {
                *newest = slot.id;
            }
            return;
        }
        self.broadcasts -= 1;
        self.evicted.broadcasts += 1;
        let evicted = &mut self.evicted;
        if evicted.newest_from != Some(slot.from) {
            evicted.newest_of_others = evicted.newest;
        }
        evicted.newest = slot.id;
        evicted.newest_from = Some(slot.from);
    }

    /// Evicts the backlog up to an id that the log no longer has.
    pub(crate) fn evict_backlog_upto(&mut self, id: MessageId) {
        while self.backlog_len > 0 && self.slots.front().is_some_and(|oldest| oldest.id <= id) {
            self.evict_oldest();
        }
    }

    pub(super) fn eviction(&self) -> (Evicted, Option<(MessageId, GapReason)>) {
        (self.evicted, self.lost_before)
    }

    /// The newest evicted broadcast that this member did not send; 0 if there is none.
    pub(crate) fn newest_evicted_for(&self, no: MemberNo) -> MessageId {
        if self.evicted.newest_from == Some(no) { self.evicted.newest_of_others } else { self.evicted.newest }
    }

    /// The newest evicted message of those that a member reads if it reads its own: every broadcast, and DMs that it sent.
    pub(crate) fn newest_evicted_with_own(&self, no: MemberNo) -> MessageId {
        self.newest_own_dm(no).max(self.evicted.newest)
    }

    /// The newest evicted DM of a member that reads its own messages.
    pub(super) fn newest_own_dm(&self, no: MemberNo) -> MessageId {
        self.own_dms.as_ref().and_then(|own| own.get(&no)).copied().unwrap_or(0)
    }

    /// Whether a member reads its own messages.
    pub(crate) fn is_read_by_sender(&self, no: MemberNo) -> bool {
        self.own_dms.as_ref().is_some_and(|own| own.get(&no).is_some())
    }

    /// Records which DMs of a member are evicted from now on, because it reads its own messages. `newest` is the newest that
    /// is already known to be.
    pub(super) fn track_own_dms(&mut self, no: MemberNo, newest: MessageId) {
        let own = self.own_dms.get_or_insert_default();
        if own.get(&no).is_none() {
            own.insert(no, newest);
        }
    }

    /// Forgets what [`track_own_dms`](Self::track_own_dms) recorded.
    pub(super) fn untrack_own_dms(&mut self, no: MemberNo) {
        if let Some(own) = &mut self.own_dms {
            own.remove(&no);
            if own.len() == 0 {
                self.own_dms = None;
            }
        }
    }

    /// The newest evicted message: the start cursor of a new consumer that reads its member's own messages.
    pub(crate) fn newest_evicted_of_any(&self) -> MessageId {
        self.evicted.any
    }

    /// The newest evicted broadcast: the start cursor of a new consumer.
    pub(crate) fn newest_evicted(&self) -> MessageId {
        self.evicted.newest
    }

    /// The start cursor of a new member: after the backlog, which it does not have to read.
    pub(crate) fn start_of_ring(&self) -> MessageId {
        let newest_of_backlog = self.backlog_len.checked_sub(1).and_then(|at| self.slots.get(at));
        newest_of_backlog.map_or(self.evicted.newest, |slot| slot.id)
    }

    /// The reason of a gap that begins after `from`.
    pub(crate) fn gap_reason_above(&self, from: MessageId) -> GapReason {
        match self.lost_before {
            Some((id, reason)) if from < id => reason,
            _ => GapReason::Ring,
        }
    }

    /// Messages above an id, oldest first.
    pub(crate) fn after(&self, id: MessageId) -> impl DoubleEndedIterator<Item = &MessageSlot> {
        // Most readers are near the end.
        let from = match self.slots.back() {
            Some(last) if last.id <= id => self.slots.len(),
            _ => self.slots.partition_point(|m| m.id <= id),
        };
        self.slots.range(from..)
    }

    /// Messages below an id, newest first: those of the ring, then those of the backlog.
    pub(crate) fn below(&self, id: MessageId) -> impl Iterator<Item = &MessageSlot> {
        let end = match self.slots.back() {
            Some(last) if last.id < id => self.slots.len(),
            _ => self.slots.partition_point(|m| m.id < id),
        };
        self.slots.range(..end).rev()
    }

    /// The broadcasts above an id with their senders, oldest first.
    pub(super) fn broadcasts_after(&self, id: MessageId) -> impl Iterator<Item = (MessageId, MemberNo)> {
        self.after(id).filter(|slot| slot.to.is_none()).map(|slot| (slot.id, slot.from))
    }

    /// The messages of the ring, oldest first, without the backlog: the history.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Message>> {
        self.slots.range(self.backlog_len..).filter_map(|slot| slot.message.as_ref())
    }

    /// The number of broadcasts so far, which is the sequence number of the next one.
    pub(crate) fn broadcasts(&self) -> u64 {
        self.evicted.broadcasts + self.broadcasts
    }

    /// The broadcasts of the ring with their sequence numbers, newest first.
    pub(crate) fn numbered_broadcasts(&self) -> impl Iterator<Item = (u64, Option<&Arc<Message>>)> {
        let next = self.broadcasts();
        let broadcasts = self.slots.range(self.backlog_len..).rev().filter(|slot| slot.to.is_none());
        broadcasts.zip(1..=next).map(move |(slot, back)| (next - back, slot.message.as_ref()))
    }

    pub(crate) fn get(&self, id: MessageId) -> Option<&MessageSlot> {
        let at = self.slots.binary_search_by_key(&id, |slot| slot.id).ok()?;
        self.slots.get(at)
    }

    /// The number of messages in the ring, without the backlog.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.backlog_len
    }

    /// Messages of the ring whose bodies are not in memory, after a replay.
    pub(super) fn missing_bodies(&self) -> impl Iterator<Item = MessageId> {
        self.slots.range(self.backlog_len..).filter(|slot| slot.message.is_none()).map(|slot| slot.id)
    }

    /// Adds the body of a message of the ring.
    pub(super) fn fill(&mut self, message: &Arc<Message>) {
        let Ok(at) = self.slots.binary_search_by_key(&message.id, |slot| slot.id) else { return };
        if let Some(slot) = self.slots.get_mut(at).filter(|_| at >= self.backlog_len) {
            slot.message = Some(message.clone());
        }
    }
}

#[cfg(test)]
mod tests;
