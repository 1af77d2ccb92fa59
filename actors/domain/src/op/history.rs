//! The last messages of a channel, as far as the ring holds them.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use crate::byte_bound::ByteBound;
use crate::channel::Channel;
use crate::ids::{MessageId, SessionId};
use crate::message::list::MessageList;
use crate::message::{Message, MessageJson};
use crate::op::Query;
use crate::settings::DmVisibility;
use crate::{Now, Refusal};

/// Returns the last messages.
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
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands the field over by reference")]
fn is_zero(more: &usize) -> bool {
    *more == 0
}

impl HistoryReply {
    /// Leaves out the oldest messages until the others fit into a bound. The newest one stays in any case.
    pub fn keep_newest(&mut self, bound: ByteBound) {
        let newest = bound.fitting(self.history.iter().rev().map(|message| &**message));
        let more = self.history.len() - newest;
        self.more += more;
        self.history.drain(..more);
    }
}

impl Query for History {
    type Reply = HistoryReply;

    fn session(&self) -> Option<&SessionId> {
        self.session.as_ref()
    }

    fn answer(&self, channel: &Channel, _: Now) -> Result<HistoryReply, Refusal> {
        let viewer = self.session.as_ref().and_then(|session| channel.sessions.live(session));
        let open = channel.settings.dm_visibility == DmVisibility::Channel;
        let in_thread = |m: &Arc<Message>| self.thread.is_none() || m.thread.as_deref() == self.thread.as_deref();
        let is_before = |m: &Arc<Message>| self.before.is_none_or(|before| m.id < before);
        let is_wanted = |m: &&Arc<Message>| (open || m.is_visible_to(viewer)) && in_thread(m) && is_before(m);
        let mut history: Vec<_> = channel.ring.iter().rev().filter(is_wanted).take(self.n).cloned().collect();
        history.reverse();
        Ok(HistoryReply { history: history.into(), more: 0 })
    }
}
