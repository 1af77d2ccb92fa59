//! The ring buffer: the last messages of a channel, and what it knows of those that left.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::ids::{MemberNo, MessageId};
use crate::limits::{RING_BYTES, RING_MESSAGES};
use crate::message::Message;

/// Why a broadcast is no longer held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum Loss {
    /// Newer messages pushed it out.
    Ring,
    /// The channel was brought back without its messages.
    Restart,
    /// The channel left memory while nobody was there.
    Idle,
}

impl Loss {
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

/// The newest broadcast that left, and the newest that left from somebody else than its sender: enough to know
/// exactly, for every reader, whether a broadcast not its own was lost.
#[derive(Clone, Copy, Debug, Default)]
struct Departed {
    newest: MessageId,
    newest_from: Option<MemberNo>,
    newest_of_others: MessageId,
}

#[derive(Debug)]
pub(crate) struct Ring {
    messages: VecDeque<Arc<Message>>,
    bytes: usize,
    departed: Departed,
    lost_before: Option<(MessageId, Loss)>,
}

impl Ring {
    /// An empty ring. With a loss, everything up to that id counts as departed.
    pub(crate) fn new(lost: Option<(MessageId, Loss)>) -> Self {
        let newest = lost.map_or(0, |(id, _)| id);
        Self {
            messages: VecDeque::new(),
            bytes: 0,
            departed: Departed { newest, newest_from: None, newest_of_others: newest },
            lost_before: lost,
        }
    }

    /// Adds the newest message and lets the oldest go until both bounds hold.
    pub(crate) fn push(&mut self, message: Arc<Message>) {
        assert!(self.messages.back().is_none_or(|last| last.id < message.id), "ids increase");
        self.bytes += message.weight_bytes();
        self.messages.push_back(message);
        while self.messages.len() > RING_MESSAGES || (self.bytes > RING_BYTES && self.messages.len() > 1) {
            self.drop_oldest();
        }
        assert!(self.messages.len() <= RING_MESSAGES, "the ring keeps its bound");
    }

    fn drop_oldest(&mut self) {
        let Some(oldest) = self.messages.pop_front() else { return };
        self.bytes -= oldest.weight_bytes();
        if oldest.to.is_some() {
            return;
        }
        let departed = &mut self.departed;
        if departed.newest_from != Some(oldest.from) {
            departed.newest_of_others = departed.newest;
        }
        departed.newest = oldest.id;
        departed.newest_from = Some(oldest.from);
    }

    /// The newest broadcast that left and was not this member's own; 0 when there is none.
    pub(crate) fn departed_for(&self, no: MemberNo) -> MessageId {
        if self.departed.newest_from == Some(no) { self.departed.newest_of_others } else { self.departed.newest }
    }

    /// The newest broadcast that left: where a newcomer starts.
    pub(crate) fn departed(&self) -> MessageId {
        self.departed.newest
    }

    /// Why a reader at `floor` has lost something.
    pub(crate) fn loss_above(&self, floor: MessageId) -> Loss {
        match self.lost_before {
            Some((id, loss)) if floor < id => loss,
            _ => Loss::Ring,
        }
    }

    /// Messages above an id, oldest first.
    pub(crate) fn after(&self, id: MessageId) -> impl DoubleEndedIterator<Item = &Arc<Message>> {
        // Readers mostly stand near the end: look there first.
        let from = match self.messages.back() {
            Some(last) if last.id <= id => self.messages.len(),
            _ => self.messages.partition_point(|m| m.id <= id),
        };
        self.messages.range(from..)
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Message>> {
        self.messages.iter()
    }

    pub(crate) fn get(&self, id: MessageId) -> Option<&Arc<Message>> {
        let at = self.messages.binary_search_by_key(&id, |m| m.id).ok()?;
        self.messages.get(at)
    }

    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Kind, Priority, Wire};

    fn message(id: u64, from: MemberNo, to: Option<MemberNo>, text: &str) -> Arc<Message> {
        let wire = Wire {
            id,
            from: "x",
            to: "y",
            text,
            at: id,
            kind: Kind::Message,
            priority: Priority::Default,
            suggested_replies: &[],
            attachments: &[],
            reply_to: None,
            thread: None,
        };
        Arc::new(Message::frame_up(&wire, from, to))
    }

    #[test]
    fn d30_it_holds_100_messages_and_16_mib() {
        let mut ring = Ring::new(None);
        for id in 1..=250 {
            ring.push(message(id, 1, None, "x"));
        }
        assert_eq!((ring.len(), ring.departed()), (100, 150));
        let big = "x".repeat(500_000);
        for id in 300..360 {
            ring.push(message(id, 1, None, &big));
        }
        assert!(ring.bytes <= RING_BYTES && ring.len() < 40);
    }

    #[test]
    fn d05_a_departed_broadcast_is_a_loss_for_all_but_its_sender() {
        let mut ring = Ring::new(None);
        ring.push(message(1, 7, None, "a"));
        ring.push(message(2, 8, None, "b"));
        ring.push(message(3, 7, None, "c"));
        ring.push(message(4, 9, Some(7), "a DM does not count"));
        for id in 5..=104 {
            ring.push(message(id, 1, Some(2), "x"));
        }
        assert_eq!((ring.departed_for(7), ring.departed_for(8), ring.departed_for(5)), (2, 3, 3));
    }
}
