//! Giving a channel without an owner password one: a PIN that the hub generated.

use std::sync::Arc;

use crate::Now;
use crate::channel::{Channel, Effects};
use crate::entry::Entry;
use crate::op::Operation;
use crate::refusal::{Code, Refusal};

/// Sets the owner password of a channel that has none.
#[derive(Clone, Debug)]
pub struct SetPin {
    /// The PIN's Argon2id hash in PHC form.
    pub hash: Arc<str>,
}

impl Operation for SetPin {
    /// Whether it was set; false if the channel has an owner password already.
    type Reply = bool;

    fn decide(&self, channel: &Channel, _: Now) -> Result<Vec<Entry>, Refusal> {
        if channel.settings.is_band {
            return Err(Refusal::new(Code::Forbidden, "a band has no owner"));
        }
        if channel.settings.owner_password.is_some() {
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
    use crate::settings::Settings;

    #[test]
    fn an_owner_password_is_never_replaced() {
        let mut channel = TestChannel::with(Settings::plain(TokenHash::of("t"), START_MS));
        assert!(channel.ask(SetPin { hash: "first".into() }).unwrap());
        assert!(!channel.ask(SetPin { hash: "second".into() }).unwrap());
        let settings = channel.channel.settings();
        assert_eq!((settings.owner_password.as_deref(), settings.has_pin), (Some("first"), true));
        let mut band = TestChannel::with(Settings::band(START_MS));
        assert_eq!(band.ask(SetPin { hash: "x".into() }).unwrap_err().code, Code::Forbidden);
    }
}
