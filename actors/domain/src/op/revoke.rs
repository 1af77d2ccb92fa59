//! Ending the session of an identity whose key is good no more. Who owns the callsign asks for it, not who is here.

use crate::callsign::Callsign;
use crate::channel::{Channel, Effect, Member};
use crate::entry::Entry;
use crate::identity::Identity;
use crate::ids::AccountId;
use crate::op::Operation;
use crate::{Now, Refusal};

/// End the session of an identity here, if there is one.
#[derive(Clone, Debug)]
pub struct Revoke {
    /// The identity's callsign.
    pub callsign: Callsign,
    /// Whose it is, or was.
    pub account: AccountId,
    /// The key that is good now: a session that joined with it stays.
    pub good_key_no: Option<u64>,
}

impl Operation for Revoke {
    /// Whether there was one.
    type Reply = bool;
    const NAME: &'static str = "revoke";

    fn decide(&self, channel: &Channel, _: Now) -> Result<Vec<Entry>, Refusal> {
        let is_void =
            |identity: &Identity| identity.account == self.account && Some(identity.key_no) != self.good_key_no;
        let member = channel.member_named(self.callsign.as_str()).filter(|m| m.is_live());
        let member = member.filter(|m| m.identity.as_ref().is_some_and(is_void));
        Ok(member.map(|m| Entry::Revoked { no: m.no }).into_iter().collect())
    }

    fn answer(self, _: &mut Channel, entries: &[Entry], _: Now, _: &mut Vec<Effect>) -> bool {
        !entries.is_empty()
    }
}

impl Channel {
    /// Who is here with the key of an identity.
    pub fn proved(&self) -> impl Iterator<Item = (&Callsign, &Identity)> {
        let here = self.members.values().filter(|m| m.is_live());
        here.filter_map(|m| Some((&m.callsign, m.identity.as_ref()?)))
    }

    /// Ends the sessions whose key is good no more. For a channel that was brought back: it may have missed it.
    pub fn end_revoked(&mut self, is_good: impl Fn(&Callsign, &Identity) -> bool, now: Now, effects: &mut Vec<Effect>) {
        let is_void = |m: &&Member| m.is_live() && m.identity.as_ref().is_some_and(|i| !is_good(&m.callsign, i));
        for no in self.members.values().filter(is_void).map(|m| m.no).collect::<Vec<_>>() {
            let entry = Entry::Revoked { no };
            self.apply(&entry, now, effects);
            effects.push(Effect::Log(entry));
        }
    }
}
