//! AnswerReason the session of an identity whose key is good no more. Who owns the callsign asks for it, not who is here.

use crate::callsign::Callsign;
use crate::channel::{Channel, Effects};
use crate::entry::Entry;
use crate::identity::Identity;
use crate::op::Operation;
use crate::{Now, Refusal};

/// End the session of an identity here, if there is one.
#[derive(Clone, Debug)]
pub struct Revoke {
    /// The identity's callsign.
    pub callsign: Callsign,
    /// Whose it was, and which key it is: a session of another key stays.
    pub identity: Identity,
}

impl Operation for Revoke {
    /// Whether there was one.
    type Reply = bool;

    fn decide(&self, channel: &Channel, _: Now) -> Result<Vec<Entry>, Refusal> {
        let member = channel.member_named(self.callsign.as_str()).filter(|m| m.is_live());
        let member = member.filter(|m| m.identity.as_ref() == Some(&self.identity));
        Ok(member.map(|m| Entry::Revoked { no: m.no }).into_iter().collect())
    }

    fn answer(self, _: &mut Channel, entries: &[Entry], _: Now, _: &mut Effects) -> bool {
        !entries.is_empty()
    }
}

impl Channel {
    /// Who is here with the key of an identity.
    pub fn live_identities(&self) -> impl Iterator<Item = (&Callsign, &Identity)> {
        let here = self.members.values().filter(|m| m.is_live());
        here.filter_map(|m| Some((&m.callsign, m.identity.as_ref()?)))
    }
}
