//! The last messages of a channel, as far as the ring holds them.

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::channel::Channel;
use crate::ids::SessionId;
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
}

/// The last messages, oldest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HistoryReply {
    /// The messages.
    #[schema(value_type = Vec<MessageJson<'static>>, max_items = 100)]
    pub history: Vec<Box<RawValue>>,
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
        let visible = channel.ring.iter().rev().filter(|m| (open || m.is_visible_to(viewer)) && in_thread(m));
        let mut history: Vec<_> = visible.take(self.n).map(|m| raw_json(m)).collect();
        history.reverse();
        Ok(HistoryReply { history })
    }
}

/// The JSON of a message, copied from its frame and not serialised again.
pub(super) fn raw_json(message: &Message) -> Box<RawValue> {
    #[expect(clippy::expect_used, reason = "the frame holds what our own serialiser wrote")]
    let json = String::from_utf8(message.json().to_vec()).expect("JSON is UTF-8");
    #[expect(clippy::expect_used, reason = "the frame holds what our own serialiser wrote")]
    RawValue::from_string(json).expect("a frame holds valid JSON")
}
