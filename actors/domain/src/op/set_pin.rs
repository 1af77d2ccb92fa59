//! Giving a channel without an owner password one: a PIN that the hub generated.

use std::sync::Arc;

use crate::Now;
use crate::channel::{Channel, Effects};
use crate::entry::Entry;
use crate::ids::AccountId;
use crate::op::Operation;
use crate::refusal::{Code, Refusal};
use crate::settings::Settings;

/// Sets the owner password of a channel that has none.
#[derive(Clone, Debug)]
pub struct SetPin {
    /// The PIN's Argon2id hash in PHC form.
    pub hash: Arc<str>,
    /// The account that sets it.
    pub account: AccountId,
}

impl SetPin {
    /// Whether the channel has no owner password yet, so that this account may set one.
    ///
    /// # Errors
    /// `forbidden` on a band, and on a channel of another account that has no owner password.
    pub fn is_needed(settings: &Settings, account: &AccountId) -> Result<bool, Refusal> {
        if settings.is_band {
            return Err(Refusal::new(Code::Forbidden, "a band is public and has no owner")
                .hint("create a channel, or open remote control"));
        }
        if settings.owner_password.is_some() {
            return Ok(false);
        }
        if settings.creator_account_id.as_ref().is_some_and(|creator| creator != account) {
            let text = "this channel belongs to another account and has no owner password";
            return Err(Refusal::new(Code::Forbidden, text).hint("only its owner can add a phone to it"));
        }
        Ok(true)
    }
}

impl Operation for SetPin {
    /// Whether it was set; false if the channel has an owner password already.
    type Reply = bool;

    fn decide(&self, channel: &Channel, _: Now) -> Result<Vec<Entry>, Refusal> {
        if !Self::is_needed(&channel.settings, &self.account)? {
            return Ok(Vec::new());
        }
        let mut settings = (*channel.settings).clone();
        (settings.owner_password, settings.has_pin) = (Some(self.hash.clone()), true);
        Ok(vec![Entry::Settings { settings: Arc::new(settings) }])
    }

    fn answer(self, _: &mut Channel, entries: &[Entry], _: Now, _: &mut Effects) -> bool {
        !entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TokenHash;
    use crate::op::harness::{START_MS, TestChannel};

    fn pin(hash: &str, account: u64) -> SetPin {
        SetPin { hash: hash.into(), account: AccountId::from_random(account) }
    }

    #[test]
    fn an_owner_password_is_never_replaced() {
        let mut channel = TestChannel::with(Settings::plain(TokenHash::of("t"), START_MS));
        assert!(channel.ask(pin("first", 1)).unwrap());
        assert!(!channel.ask(pin("second", 1)).unwrap());
        let settings = channel.channel.settings();
        assert_eq!((settings.owner_password.as_deref(), settings.has_pin), (Some("first"), true));
        let mut band = TestChannel::with(Settings::band(START_MS));
        assert_eq!(band.ask(pin("x", 1)).unwrap_err().code, Code::Forbidden);
    }

    #[test]
    fn only_its_owner_sets_the_pin_of_a_channel_of_an_account() {
        let owned = Settings {
            creator_account_id: Some(AccountId::from_random(1)),
            ..Settings::plain(TokenHash::of("t"), START_MS)
        };
        let mut channel = TestChannel::with(owned);
        assert_eq!(channel.ask(pin("x", 2)).unwrap_err().code, Code::Forbidden);
        assert!(channel.ask(pin("x", 1)).unwrap());
        assert!(!channel.ask(pin("y", 2)).unwrap(), "it has one already");
    }
}
