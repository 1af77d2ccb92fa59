//! Who looks at what the channel keeps: the member behind a session, if one is presented.

use crate::channel::{Channel, Effect};
use crate::entry::Entry;
use crate::ids::{MemberNo, SessionId};
use crate::op::Operation;
use crate::{Now, Refusal};

/// Ask who looks.
#[derive(Clone, Debug)]
pub struct ResolveViewer {
    /// The session that is presented.
    pub session: Option<SessionId>,
}

impl Operation for ResolveViewer {
    type Reply = Option<MemberNo>;
    const NAME: &'static str = "viewer";

    fn decide(&self, _: &Channel, _: Now) -> Result<Vec<Entry>, Refusal> {
        Ok(Vec::new())
    }

    fn answer(self, channel: &mut Channel, _: &[Entry], now: Now, _: &mut Vec<Effect>) -> Option<MemberNo> {
        self.session.and_then(|session| channel.touch(&session, now))
    }
}
