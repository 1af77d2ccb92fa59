//! What was said lately, as far as the ring holds it.

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

/// Ask for the last messages.
#[derive(Clone, Debug)]
pub struct History {
    /// The asker's session, if it has one; asking is then a sign of life.
    pub session: Option<SessionId>,
    /// How many, at most.
    pub n: usize,
    /// Only those of this thread.
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
        let asker = self.session.as_ref().and_then(|session| channel.sessions.live(session));
        let open = channel.settings.dm_visibility == DmVisibility::Channel;
        let in_thread = |m: &Arc<Message>| self.thread.is_none() || m.thread.as_deref() == self.thread.as_deref();
        let seen = channel.ring.iter().rev().filter(|m| (open || m.is_visible_to(asker)) && in_thread(m));
        let mut history: Vec<_> = seen.take(self.n).map(|m| raw(m)).collect();
        history.reverse();
        Ok(HistoryReply { history })
    }
}

/// A message's JSON as it was framed, not serialised again.
pub(super) fn raw(message: &Message) -> Box<RawValue> {
    #[expect(clippy::expect_used, reason = "the frame holds what our own serialiser wrote")]
    let json = String::from_utf8(message.json().to_vec()).expect("JSON is UTF-8");
    #[expect(clippy::expect_used, reason = "the frame holds what our own serialiser wrote")]
    RawValue::from_string(json).expect("a frame holds valid JSON")
}
