//! Ending the session of an identity whose key was revoked.

use crate::callsign::Callsign;
use crate::channel::{Channel, Effects};
use crate::entry::Entry;
use crate::identity::Identity;
use crate::op::{Operation, Query};
use crate::{Now, Refusal};

/// Ends the session that joined with a key of an identity, if there is one.
#[derive(Clone, Debug)]
pub struct Revoke {
    /// The identity's callsign.
    pub callsign: Callsign,
    /// The account and the key. A session that joined with another key stays.
    pub identity: Identity,
}

impl Operation for Revoke {
    /// Whether there was a session.
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

/// The callsigns and keys of the members online that joined with an identity.
#[derive(Clone, Copy, Debug)]
pub struct LiveIdentities;

impl Query for LiveIdentities {
    type Reply = Vec<(Callsign, Identity)>;

    fn answer(&self, channel: &Channel, _: Now) -> Result<Self::Reply, Refusal> {
        Ok(channel.live_identities().map(|(callsign, identity)| (callsign.clone(), identity.clone())).collect())
    }
}

impl Channel {
    /// The live members that joined with an identity.
    pub fn live_identities(&self) -> impl Iterator<Item = (&Callsign, &Identity)> {
        let live = self.members.values().filter(|m| m.is_live());
        live.filter_map(|m| Some((&m.callsign, m.identity.as_ref()?)))
    }
}
