//! The ring buffer: the last messages of a channel, and what it knows of those that left.
//!
//! On a durable channel what leaves memory lies on the shelf, in the log, and only what leaves the shelf has left.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::collections::StaticDefault;
use crate::ids::{MemberNo, MessageId};
use crate::limits::{RING_BYTES, RING_MESSAGES};
use crate::message::Message;

use super::BacklogEntry;

/// Why a broadcast is no longer held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum GapReason {
    /// Newer messages pushed it out.
    Ring,
    /// The channel was brought back without its messages.
    Restart,
    /// The channel left memory while nobody was there.
    Idle,
}

impl GapReason {
    /// The reason as readers see it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ring => "ring",
            Self::Restart => "restart",
            Self::Idle => "idle",
        }
    }
}

/// How much the shelf of a durable channel holds, beside the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BacklogLimits {
    /// Messages, those of the ring included.
    pub messages: usize,
    /// Their bytes.
    pub bytes: usize,
}

/// What left: the newest message of all, the newest broadcast, and the newest broadcast from somebody else than its
/// sender. That is enough to know exactly, for every reader, whether a broadcast not its own was lost.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Evicted {
    pub(super) any: MessageId,
    pub(super) newest: MessageId,
    pub(super) newest_from: Option<MemberNo>,
    pub(super) newest_of_others: MessageId,
    /// How many broadcasts left.
    #[serde(default)]
    pub(super) broadcasts: u64,
}

/// A message of the ring, or of the shelf behind it.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) id: MessageId,
    pub(crate) from: MemberNo,
    pub(crate) to: Option<MemberNo>,
    weight_bytes: u32,
    /// The message, while it is in memory.
    pub(crate) message: Option<Arc<Message>>,
}

impl Slot {
    pub(crate) fn of(message: &Arc<Message>) -> Self {
        let weight_bytes = u32::try_from(message.weight_bytes()).unwrap_or(u32::MAX);
        let (id, from, to) = (message.id, message.from, message.to);
        Self { id, from, to, weight_bytes, message: message.is_whole().then(|| message.clone()) }
    }

    pub(super) fn shelved(shelved: &BacklogEntry) -> Self {
        let BacklogEntry { id, from, to, weight_bytes } = *shelved;
        Self { id, from, to, weight_bytes: u32::try_from(weight_bytes).unwrap_or(u32::MAX), message: None }
    }

    pub(crate) fn weight_bytes(&self) -> usize {
        self.weight_bytes as usize
    }

    /// Whether it is for this member to read; see [`Message::reaches`].
    pub(crate) fn reaches(&self, no: MemberNo) -> bool {
        self.from != no && self.to.is_none_or(|to| to == no)
    }
}

#[derive(Debug)]
pub(crate) struct Ring {
    /// Oldest first: the shelf, then the ring proper.
    slots: VecDeque<Slot>,
    /// How many of the slots are the shelf's.
    shelved: usize,
    ring_bytes: usize,
    shelf_bytes: usize,
    shelf: Option<BacklogLimits>,
    /// How many of the slots are broadcasts.
    broadcasts: u64,
    departed: Evicted,
    lost_before: Option<(MessageId, GapReason)>,
}

impl Default for Ring {
    fn default() -> Self {
        Self::new(None, None)
    }
}

impl StaticDefault for Ring {
    fn vacant() -> &'static Self {
        static VACANT: Ring = Ring::new(None, None);
        &VACANT
    }

    fn is_vacant(&self) -> bool {
        self.slots.is_empty() && self.shelf.is_none() && self.lost_before.is_none() && self.departed.any == 0
    }
}

impl Ring {
    /// An empty ring, with a shelf behind it on a durable channel. With a loss, everything up to that id counts as
    /// departed.
    pub(crate) const fn new(lost: Option<(MessageId, GapReason)>, shelf: Option<BacklogLimits>) -> Self {
        let newest = match lost {
            Some((id, _)) => id,
            None => 0,
        };
        Self {
            slots: VecDeque::new(),
            shelved: 0,
            ring_bytes: 0,
            shelf_bytes: 0,
            shelf,
            broadcasts: 0,
            departed: Evicted { any: newest, newest, newest_from: None, newest_of_others: newest, broadcasts: 0 },
            lost_before: lost,
        }
    }

    /// The ring as it was: what had left, and what lies on the shelf.
    pub(super) fn restored(
        departed: Evicted,
        lost: Option<(MessageId, GapReason)>,
        shelf: Option<BacklogLimits>,
    ) -> Self {
        Self { departed, ..Self::new(lost, shelf) }
    }

    /// Puts a message back that is on the shelf already.
    pub(super) fn shelve(&mut self, shelved: &BacklogEntry) {
        if shelved.id > self.departed.any {
            self.push_slot(Slot::shelved(shelved));
        }
    }

    /// Adds the newest message and lets the oldest go until all bounds hold.
    pub(crate) fn push(&mut self, message: &Arc<Message>) {
        self.push_slot(Slot::of(message));
    }

    fn push_slot(&mut self, slot: Slot) {
        assert!(self.slots.back().is_none_or(|last| last.id < slot.id), "ids increase");
        self.ring_bytes += slot.weight_bytes();
        self.broadcasts += u64::from(slot.to.is_none());
        self.slots.push_back(slot);
        while self.len() > RING_MESSAGES || (self.ring_bytes > RING_BYTES && self.len() > 1) {
            self.drop_oldest();
        }
        if let Some(BacklogLimits { messages, bytes }) = self.shelf {
            while self.shelved > 0 && (self.slots.len() > messages || self.shelf_bytes + self.ring_bytes > bytes) {
                self.clear_oldest();
            }
        }
        assert!(self.len() <= RING_MESSAGES, "the ring keeps its bound");
    }

    /// The oldest of the ring proper goes to the shelf, or for good.
    fn drop_oldest(&mut self) {
        let Some(oldest) = self.slots.get_mut(self.shelved) else { return };
        let weight_bytes = oldest.weight_bytes();
        self.ring_bytes -= weight_bytes;
        oldest.message = None;
        self.shelved += 1;
        self.shelf_bytes += weight_bytes;
        if self.shelf.is_none() {
            self.clear_oldest();
        }
    }

    /// The oldest of the shelf goes for good.
    fn clear_oldest(&mut self) {
        let Some(oldest) = self.slots.pop_front() else { return };
        self.shelved -= 1;
        self.shelf_bytes -= oldest.weight_bytes();
        self.depart(&oldest);
    }

    fn depart(&mut self, slot: &Slot) {
        let departed = &mut self.departed;
        departed.any = departed.any.max(slot.id);
        if slot.to.is_some() {
            return;
        }
        self.broadcasts -= 1;
        self.departed.broadcasts += 1;
        let departed = &mut self.departed;
        if departed.newest_from != Some(slot.from) {
            departed.newest_of_others = departed.newest;
        }
        departed.newest = slot.id;
        departed.newest_from = Some(slot.from);
    }

    /// What was on the shelf is not there any more: it has left, and everything before it.
    pub(crate) fn lost(&mut self, id: MessageId) {
        while self.shelved > 0 && self.slots.front().is_some_and(|oldest| oldest.id <= id) {
            self.clear_oldest();
        }
    }

    pub(super) fn departure(&self) -> (Evicted, Option<(MessageId, GapReason)>) {
        (self.departed, self.lost_before)
    }

    /// The newest broadcast that left and was not this member's own; 0 when there is none.
    pub(crate) fn departed_for(&self, no: MemberNo) -> MessageId {
        if self.departed.newest_from == Some(no) { self.departed.newest_of_others } else { self.departed.newest }
    }

    /// The newest broadcast that left: where a new consumer starts.
    pub(crate) fn departed(&self) -> MessageId {
        self.departed.newest
    }

    /// Where a newcomer starts: behind the shelf, or it would have to read through all of it.
    pub(crate) fn newcomers_start(&self) -> MessageId {
        let newest_shelved = self.shelved.checked_sub(1).and_then(|at| self.slots.get(at));
        newest_shelved.map_or(self.departed.newest, |slot| slot.id)
    }

    /// Why a reader at `floor` has lost something.
    pub(crate) fn loss_above(&self, floor: MessageId) -> GapReason {
        match self.lost_before {
            Some((id, loss)) if floor < id => loss,
            _ => GapReason::Ring,
        }
    }

    /// Messages above an id, oldest first.
    pub(crate) fn after(&self, id: MessageId) -> impl DoubleEndedIterator<Item = &Slot> {
        // Readers mostly stand near the end: look there first.
        let from = match self.slots.back() {
            Some(last) if last.id <= id => self.slots.len(),
            _ => self.slots.partition_point(|m| m.id <= id),
        };
        self.slots.range(from..)
    }

    /// The ring proper, oldest first: what history tells.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Message>> {
        self.slots.range(self.shelved..).filter_map(|slot| slot.message.as_ref())
    }

    /// How many broadcasts there were so far: the place of the next one, from 0 on.
    pub(crate) fn broadcasts(&self) -> u64 {
        self.departed.broadcasts + self.broadcasts
    }

    /// The broadcasts of the ring proper with their places, the newest first.
    pub(crate) fn placed(&self) -> impl Iterator<Item = (u64, Option<&Arc<Message>>)> {
        let next = self.broadcasts();
        let broadcasts = self.slots.range(self.shelved..).rev().filter(|slot| slot.to.is_none());
        broadcasts.zip(1..=next).map(move |(slot, back)| (next - back, slot.message.as_ref()))
    }

    pub(crate) fn get(&self, id: MessageId) -> Option<&Slot> {
        let at = self.slots.binary_search_by_key(&id, |slot| slot.id).ok()?;
        self.slots.get(at)
    }

    /// Messages of the ring proper.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.shelved
    }

    /// Messages of the ring proper that are not in memory: after a replay.
    pub(super) fn hollow(&self) -> impl Iterator<Item = MessageId> {
        self.slots.range(self.shelved..).filter(|slot| slot.message.is_none()).map(|slot| slot.id)
    }

    /// Fills a slot of the ring proper with its message.
    pub(super) fn fill(&mut self, message: &Arc<Message>) {
        let Ok(at) = self.slots.binary_search_by_key(&message.id, |slot| slot.id) else { return };
        if let Some(slot) = self.slots.get_mut(at).filter(|_| at >= self.shelved) {
            slot.message = Some(message.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Kind, MessageJson, Priority};

    fn message(id: u64, from: MemberNo, to: Option<MemberNo>, text: &str) -> Arc<Message> {
        let wire = MessageJson {
            id,
            from: "x",
            to: "y",
            display: None,
            text,
            at: id,
            kind: Kind::Message,
            priority: Priority::Default,
            suggested_replies: &[],
            attachments: &[],
            reply_to: None,
            thread: None,
            verified: None,
        };
        Arc::new(Message::frame_up(&wire, from, to))
    }

    #[test]
    fn d30_it_holds_100_messages_and_16_mib() {
        let mut ring = Ring::new(None, None);
        for id in 1..=250 {
            ring.push(&message(id, 1, None, "x"));
        }
        assert_eq!((ring.len(), ring.departed(), ring.newcomers_start()), (100, 150, 150));
        let big = "x".repeat(500_000);
        for id in 300..360 {
            ring.push(&message(id, 1, None, &big));
        }
        assert!(ring.ring_bytes <= RING_BYTES && ring.len() < 40);
    }

    #[test]
    fn a03_behind_the_ring_of_a_durable_channel_is_a_shelf() {
        let mut ring = Ring::new(None, Some(BacklogLimits { messages: 300, bytes: RING_BYTES }));
        for id in 1..=250 {
            ring.push(&message(id, 1, None, "x"));
        }
        assert_eq!((ring.len(), ring.departed(), ring.newcomers_start()), (100, 0, 150));
        assert!(ring.get(150).unwrap().message.is_none() && ring.get(151).unwrap().message.is_some());
        for id in 251..=350 {
            ring.push(&message(id, 1, None, "x"));
        }
        assert_eq!((ring.len(), ring.departed(), ring.newcomers_start()), (100, 50, 250));
        let big = "x".repeat(500_000);
        for id in 400..440 {
            ring.push(&message(id, 1, None, &big));
        }
        assert!(ring.ring_bytes + ring.shelf_bytes <= RING_BYTES && ring.departed() > 350);
        ring.lost(ring.newcomers_start());
        assert_eq!((ring.shelved, ring.shelf_bytes), (0, 0));
    }

    #[test]
    fn d05_a_departed_broadcast_is_a_loss_for_all_but_its_sender() {
        let mut ring = Ring::new(None, None);
        ring.push(&message(1, 7, None, "a"));
        ring.push(&message(2, 8, None, "b"));
        ring.push(&message(3, 7, None, "c"));
        ring.push(&message(4, 9, Some(7), "a DM does not count"));
        for id in 5..=104 {
            ring.push(&message(id, 1, Some(2), "x"));
        }
        assert_eq!((ring.departed_for(7), ring.departed_for(8), ring.departed_for(5)), (2, 3, 3));
    }
}
