//! The history that a join shows.

use std::sync::Arc;

use crate::channel::Channel;
use crate::ids::{MemberNo, MessageId};
use crate::limits;
use crate::message::Message;

/// The last messages that a member may see, oldest first.
pub(super) fn last_messages(channel: &Channel, no: MemberNo) -> Vec<Arc<Message>> {
    let in_ring = channel.ring.below(MessageId::MAX).take(channel.ring.len());
    let visible = in_ring.filter(|slot| channel.shows(slot, Some(no))).filter_map(|slot| slot.message.clone());
    let mut history: Vec<_> = visible.take(limits::HISTORY_DEFAULT).collect();
    history.reverse();
    history
}

/// The last message of a new member's history, if the history has every message that the member has not read, and fits.
pub(super) fn shown_upto(channel: &Channel, no: MemberNo, max_bytes: usize) -> Option<MessageId> {
    let shown = last_messages(channel, no);
    let (first, last) = (shown.first()?, shown.last()?);
    let bytes: usize = shown.iter().map(|message| message.json_by_reference().len()).sum();
    let is_missing = |m: &&Arc<Message>| m.id < first.id && m.is_readable_by(no);
    (bytes <= max_bytes && channel.ring.iter().find(is_missing).is_none()).then_some(last.id)
}
