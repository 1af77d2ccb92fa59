//! Which tasks a member may take or answer now, of those whose messages it has read.

use crate::Now;
use crate::channel::Channel;
use crate::ids::{MessageId, SessionId};
use crate::op::Query;
use crate::refusal::Refusal;

/// Asks which of some tasks are still for a member.
#[derive(Clone, Debug)]
pub struct OpenTasks {
    /// The member's session.
    pub session: SessionId,
    /// The tasks.
    pub ids: Vec<MessageId>,
}

impl Query for OpenTasks {
    type Reply = Vec<MessageId>;

    fn session(&self) -> Option<&SessionId> {
        Some(&self.session)
    }

    fn answer(&self, channel: &Channel, now: Now) -> Result<Vec<MessageId>, Refusal> {
        let no = channel.sessions.member(&self.session, now.uptime_ms)?;
        let is_for_it = |id: &&MessageId| channel.tasks.get(**id).is_some_and(|task| task.is_wanted_of(no));
        Ok(self.ids.iter().filter(is_for_it).copied().collect())
    }
}
