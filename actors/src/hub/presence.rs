//! Presence: what a channel knows of its members, with the webhooks that reach them.

use rogerrat_domain::op::{Roster, RosterReply, Send, SendReply};
use rogerrat_domain::{AccountId, Callsign};

use super::{Admitted, Hub};
use crate::error::HubError;

impl Hub {
    /// The members of a channel.
    ///
    /// # Errors
    /// A refusal of the query.
    pub async fn roster(&self, at: &Admitted, roster: Roster) -> Result<RosterReply, HubError> {
        let mut reply = self.query(at, roster).await?;
        for member in &mut reply.members {
            member.hook = self.has_hook(&member.callsign, member.account.as_ref());
        }
        Ok(reply)
    }

    /// Sends a message or a status.
    ///
    /// # Errors
    /// A refusal of the send.
    pub async fn send(&self, at: &Admitted, send: Send) -> Result<SendReply, HubError> {
        let mut reply = self.ask(at, send).await?;
        if let Some(recipient) = &mut reply.recipient
            && recipient.account.is_some()
            && let Ok(callsign) = Callsign::parse(&reply.to)
        {
            recipient.hook = self.has_hook(&callsign, recipient.account.as_ref());
        }
        Ok(reply)
    }

    /// Whether a webhook of the account posts DMs to its identity, and its last attempt did not fail.
    fn has_hook(&self, callsign: &Callsign, account: Option<&AccountId>) -> bool {
        account.is_some_and(|account| self.shared.webhooks.hooks.reaches(callsign, account))
    }
}
