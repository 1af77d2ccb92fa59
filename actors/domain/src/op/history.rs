//! The last messages of a channel, and pages of older ones: from the ring, and of a durable channel from its backlog.

use serde::Serialize;
use utoipa::ToSchema;

use crate::byte_bound::ByteBound;
use crate::channel::{Channel, MessageSlot};
use crate::ids::{MemberNo, MessageId, SessionId};
use crate::message::MessageJson;
use crate::message::list::MessageList;
use crate::op::Query;
use crate::serialize::is_zero;
use crate::settings::DmVisibility;
use crate::{Now, Refusal, limits};

/// Returns the last messages of the ring.
#[derive(Clone, Debug)]
pub struct History {
    /// The session of the member that asks, if it has one.
    pub session: Option<SessionId>,
    /// The maximum number of messages.
    pub n: usize,
    /// Only messages of this thread.
    pub thread: Option<String>,
    /// Only messages with a smaller id.
    pub before: Option<MessageId>,
}

/// The last messages, oldest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HistoryReply {
    /// The messages.
    #[schema(value_type = Vec<MessageJson<'static>>, max_items = 100)]
    pub history: MessageList,
    /// Present if `max_bytes` left out older messages: how many. Read on with `before`.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(required = false, minimum = 1)]
    pub more: usize,
    /// Present while the channel holds older messages that you may see: the parameter `before` of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = u64)]
    pub before: Option<MessageId>,
}

impl HistoryReply {
    /// Leaves out the oldest messages until the others fit into a bound. The newest one stays in any case.
    pub fn keep_newest(&mut self, bound: ByteBound) {
        let newest = bound.fitting(self.history.iter().rev().map(|message| &**message));
        let more = self.history.len() - newest;
        self.more += more;
        self.history.drain(..more);
        if more > 0 {
            self.before = self.history.first().map(|oldest| oldest.id);
        }
    }
}

impl Query for History {
    type Reply = HistoryReply;

    fn session(&self) -> Option<&SessionId> {
        self.session.as_ref()
    }

    fn answer(&self, channel: &Channel, _: Now) -> Result<HistoryReply, Refusal> {
        let viewer = channel.viewer(self.session.as_ref());
        let (mut history, mut next) = (Vec::new(), None);
        let mut cursor = self.before.unwrap_or(MessageId::MAX);
        for slot in channel.ring.below(cursor).filter(|slot| channel.shows(slot, viewer)) {
            let Some(message) = slot.message.as_ref().filter(|_| history.len() < self.n) else {
                next = Some(cursor);
                break;
            };
            cursor = slot.id;
            if self.thread.is_none() || message.thread.as_deref() == self.thread.as_deref() {
                history.push(message.clone());
            }
        }
        history.reverse();
        Ok(HistoryReply { history: history.into(), more: 0, before: next })
    }
}

/// Returns the ids of messages of a durable channel, wherever they are stored, for a page of the history. Their bodies are
/// in the log.
#[derive(Clone, Debug)]
pub struct OlderMessages {
    /// The session of the member that asks, if it has one.
    pub session: Option<SessionId>,
    /// Only messages with a smaller id.
    pub before: MessageId,
    /// The maximum number of messages.
    pub n: usize,
}

/// The ids of messages, and where the page after them begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OlderPage {
    /// The ids, oldest first. Together the messages have at most [`limits::FETCH_BYTES`], unless there is only one.
    pub ids: Vec<MessageId>,
    /// The oldest of them, if there are older messages.
    pub before: Option<MessageId>,
}

impl Query for OlderMessages {
    type Reply = OlderPage;

    fn session(&self) -> Option<&SessionId> {
        self.session.as_ref()
    }

    fn answer(&self, channel: &Channel, _: Now) -> Result<OlderPage, Refusal> {
        let viewer = channel.viewer(self.session.as_ref());
        let (mut ids, mut bytes, mut before) = (Vec::new(), 0, None);
        for slot in channel.ring.below(self.before).filter(|slot| channel.shows(slot, viewer)) {
            bytes += slot.weight_bytes();
            if ids.len() == self.n || (bytes > limits::FETCH_BYTES && !ids.is_empty()) {
                before = ids.last().copied();
                break;
            }
            ids.push(slot.id);
        }
        ids.reverse();
        Ok(OlderPage { ids, before })
    }
}

impl Channel {
    /// The member that asks, if its session is live.
    pub(super) fn viewer(&self, session: Option<&SessionId>) -> Option<MemberNo> {
        session.and_then(|session| self.sessions.live(session))
    }

    /// Whether the history shows a message to a member, or to a caller that is none.
    pub(super) fn shows(&self, slot: &MessageSlot, viewer: Option<MemberNo>) -> bool {
        let is_open = self.settings.dm_visibility == DmVisibility::Channel;
        is_open || slot.to.is_none() || viewer.is_some_and(|no| slot.to == Some(no) || slot.from == no)
    }
}

#[cfg(test)]
mod tests;
