//! The member behind a session, for checking what it may see.

use crate::channel::Channel;
use crate::ids::{MemberNo, SessionId};
use crate::op::Query;
use crate::{Now, Refusal};

/// Returns the member of a session.
#[derive(Clone, Debug)]
pub struct ResolveViewer {
    /// The session presented, if any.
    pub session: Option<SessionId>,
}

impl Query for ResolveViewer {
    type Reply = Option<MemberNo>;

    fn session(&self) -> Option<&SessionId> {
        self.session.as_ref()
    }

    fn answer(&self, channel: &Channel, _: Now) -> Result<Option<MemberNo>, Refusal> {
        Ok(channel.viewer(self.session.as_ref()))
    }
}
