//! Keeping a session alive.

use serde::Serialize;
use utoipa::ToSchema;

use crate::channel::{Channel, Effects};
use crate::entry::Entry;
use crate::ids::SessionId;
use crate::op::{Operation, TasksForYou};
use crate::{Now, Refusal};

/// Refreshes a session.
#[derive(Clone, Debug)]
pub struct Keepalive {
    /// The session.
    pub session: SessionId,
}

/// Success, with the number of unread messages.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct KeepaliveReply {
    /// Always true.
    pub ok: bool,
    /// Your unread messages, counted up to 100.
    pub unread: usize,
    /// Present if there are tasks for you.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub tasks: Option<TasksForYou>,
}

impl Operation for Keepalive {
    type Reply = KeepaliveReply;

    fn decide(&self, channel: &Channel, now: Now) -> Result<Vec<Entry>, Refusal> {
        channel.sessions.member(&self.session, now.uptime_ms).map(|_| Vec::new())
    }

    fn answer(self, channel: &mut Channel, _: &[Entry], now: Now, _: &mut Effects) -> KeepaliveReply {
        let no = channel.touch(&self.session, now);
        let unread = no.map_or(0, |no| channel.unread(no, now));
        let tasks = no.and_then(|no| channel.tasks_for_you(no));
        KeepaliveReply { ok: true, unread, tasks }
    }
}
