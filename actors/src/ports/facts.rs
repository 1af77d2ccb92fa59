//! Facts: changes in a shared log that other instances must apply to what they keep in memory.
//!
//! A log writes a fact in the transaction of the change that it belongs to; the functions here say which. There is none for
//! a message, and none for what an instance reads again before it uses it: the settings of a channel (read when it is
//! taken), sessions of accounts and of MCP (read for each request).

use rogerrat_domain::webhook::{Hook, HookChange, HookId, HookOwner};
use rogerrat_domain::{AccountId, Callsign, ChannelId, Identity};
use serde::{Deserialize, Serialize};

use crate::ports::accounts::{AccountChange, AccountChangeResult};
use crate::security::bans::Bans;

/// Facts that a log keeps: the last ones, at least this many.
pub const FACTS_KEPT: u64 = 1_000;
/// Facts that are read at once, at most.
pub const FACTS_PAGE: usize = 256;

/// A change that other instances must apply. It is stored as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// Bans were added or lifted.
    Bans,
    /// The key of an identity was revoked.
    KeyEnded {
        /// The callsign of the identity.
        callsign: Callsign,
        /// The key.
        identity: Identity,
    },
    /// An account has gained or lost an identity.
    Identities {
        /// The account.
        account: AccountId,
    },
    /// A channel was deleted, with its webhooks.
    ChannelDeleted {
        /// The channel.
        channel: ChannelId,
    },
    /// A webhook or push subscription was added, changed or removed.
    Hook {
        /// Its id.
        hook: HookId,
    },
    /// All webhooks and push subscriptions of an owner were removed.
    HooksRemoved {
        /// The owner.
        owner: HookOwner,
    },
    /// An instance was declared to have ended. It may not know it yet, and answer.
    InstanceEnded {
        /// Its number.
        instance: u64,
    },
    /// A fact of a later version of the hub. Whoever reads it must read everything again.
    #[serde(other)]
    Unknown,
}

/// Facts that were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The facts with their numbers, in order.
    pub facts: Vec<(u64, Fact)>,
    /// Facts that were asked for are not kept any more: whoever reads this must read everything again.
    pub is_incomplete: bool,
}

impl Fact {
    /// The facts of a change of an account.
    #[must_use]
    pub fn of_account_change(change: &AccountChange, result: &AccountChangeResult) -> Vec<Self> {
        let AccountChangeResult::Done(ended) = result else { return Vec::new() };
        let key_ended = |(callsign, identity): &(Callsign, Identity)| Self::KeyEnded {
            callsign: callsign.clone(),
            identity: identity.clone(),
        };
        let mut facts: Vec<_> = ended.iter().map(key_ended).collect();
        match change {
            AccountChange::AddIdentity { identity, .. } => {
                facts.push(Self::Identities { account: identity.account.clone() });
            }
            AccountChange::RemoveIdentity { account, .. } => facts.push(Self::Identities { account: account.clone() }),
            AccountChange::Close { account } => {
                facts.push(Self::HooksRemoved { owner: HookOwner::Account(account.clone()) });
            }
            AccountChange::Open { .. }
            | AccountChange::Enter { .. }
            | AccountChange::Used { .. }
            | AccountChange::EndSession { .. }
            | AccountChange::RotateRecovery { .. }
            | AccountChange::Rekey { .. }
            | AccountChange::Sweep { .. } => {}
        }
        facts
    }

    /// The fact of a row that was stored or deleted, by its kind.
    #[must_use]
    pub fn of_row(kind: &str) -> Option<Self> {
        (kind == Bans::ROWS).then_some(Self::Bans)
    }

    /// The fact of a change of a webhook.
    #[must_use]
    pub fn of_hook_change(before: &Hook, change: &HookChange) -> Option<Self> {
        change.concerns_other_hubs(before).then(|| Self::Hook { hook: before.id.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_is_the_one_that_other_versions_read() {
        let fact = Fact::Hook { hook: HookId::from_random(7) };
        let json = r#"{"fact":"hook","hook":"wh_00000000000000000000000000000007"}"#;
        assert_eq!(serde_json::to_string(&fact).unwrap(), json);
        assert_eq!(serde_json::from_str::<Fact>(json).unwrap(), fact);
        assert_eq!(serde_json::from_str::<Fact>(r#"{"fact":"weather","sky":"blue"}"#).unwrap(), Fact::Unknown);
    }
}
