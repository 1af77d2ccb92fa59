//! What both stores check when they verify everything: that owners exist, and that secrets, addresses and payloads decrypt with the
//! hub's key. Such damage would otherwise show only when it is needed.

use std::collections::HashSet;

use rogerrat_actors::{HookEncryptors, SealedEmail};
use rogerrat_domain::email::EmailKeys;
use rogerrat_domain::webhook::{Delivery, DeliveryState, Hook, HookOwner};
use rogerrat_domain::{AccountId, Callsign, ChannelId};

/// Length of a SHA-256 digest.
const DIGEST_BYTES: usize = 32;

/// What is damaged, if anything.
pub(crate) type Check = Result<(), String>;

/// What can own something, as it is found.
#[derive(Default)]
pub(crate) struct KnownOwners {
    pub(crate) accounts: HashSet<String>,
    /// Channels, without bands.
    pub(crate) channels: HashSet<ChannelId>,
    pub(crate) hooks: HashSet<String>,
}

impl KnownOwners {
    pub(crate) fn account(&mut self, id: &str, recovery_bytes: usize) -> Check {
        if AccountId::parse(id).is_err() || recovery_bytes != DIGEST_BYTES {
            return Err("an account is corrupt".into());
        }
        self.accounts.insert(id.to_owned());
        Ok(())
    }

    pub(crate) fn identity(&self, callsign: &str, account: &str, key_bytes: usize) -> Check {
        if Callsign::parse(callsign).is_err() || key_bytes != DIGEST_BYTES {
            return Err("an identity is corrupt".into());
        }
        self.require_account(account, || format!("the identity {callsign}"))
    }

    pub(crate) fn require_account(&self, account: &str, what: impl FnOnce() -> String) -> Check {
        if self.accounts.contains(account) {
            return Ok(());
        }
        Err(format!("{} belongs to an account that does not exist", what()))
    }

    pub(crate) fn hook(&mut self, id: &str, owner: &str, json: &[u8], encryptors: &HookEncryptors) -> Check {
        let hook: Hook = serde_json::from_slice(json).map_err(|error| format!("webhook {id}: {error}"))?;
        if hook.id.as_str() != id || hook.owner.to_string() != owner {
            return Err(format!("webhook {id} is corrupt"));
        }
        if !encryptors.opens_secrets(&hook) {
            return Err(format!("the secret of webhook {id} does not decrypt with the hub's key"));
        }
        match &hook.owner {
            HookOwner::Account(account) => self.require_account(account.as_str(), || format!("webhook {id}"))?,
            HookOwner::Channel(channel) if !self.channels.contains(channel) => {
                return Err(format!("webhook {id} belongs to channel {channel}, which does not exist"));
            }
            HookOwner::Channel(_) => {}
        }
        self.hooks.insert(id.to_owned());
        Ok(())
    }

    /// Checks a delivery. `is_due` is whether it should have a message, which is `body`.
    pub(crate) fn delivery(
        &self,
        (id, hook): (&str, &str),
        json: &[u8],
        is_due: bool,
        body: Option<&[u8]>,
        encryptors: &HookEncryptors,
    ) -> Check {
        if !self.hooks.contains(hook) {
            return Err(format!("delivery {id} belongs to webhook {hook}, which does not exist"));
        }
        let delivery: Delivery = serde_json::from_slice(json).map_err(|error| format!("delivery {id}: {error}"))?;
        if delivery.id.as_str() != id || (delivery.state == DeliveryState::Due) != is_due {
            return Err(format!("delivery {id} is corrupt"));
        }
        if is_due && !body.is_some_and(|body| encryptors.opens_message(&delivery, body)) {
            return Err(format!("the payload of delivery {id} does not decrypt with the hub's key"));
        }
        Ok(())
    }
}

/// Checks an e-mail address and its hash.
pub(crate) fn email(email: &SealedEmail, lookup: &[u8], keys: &EmailKeys) -> Check {
    let account = &email.account;
    let Some(address) = keys.open(&email.sealed, account) else {
        return Err(format!("the e-mail address of account {account} does not decrypt with the hub's key"));
    };
    if keys.lookup(&address).bytes()[..] != *lookup {
        return Err(format!("the e-mail address of account {account} has another hash"));
    }
    Ok(())
}
