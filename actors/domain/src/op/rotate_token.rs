//! Rotating the token of a channel, for its owner. Live sessions stay.

use std::sync::Arc;

use crate::channel::{Channel, Effects};
use crate::entry::Entry;
use crate::op::Operation;
use crate::refusal::{Code, Refusal};
use crate::{Now, TokenHash};

/// Replaces the channel's token.
#[derive(Clone, Debug)]
pub struct RotateToken {
    /// The new token's hash.
    pub token: TokenHash,
}

impl Operation for RotateToken {
    type Reply = ();

    fn decide(&self, channel: &Channel, _: Now) -> Result<Vec<Entry>, Refusal> {
        if channel.settings.is_band {
            return Err(Refusal::new(Code::Forbidden, "a band has no token"));
        }
        let mut settings = (*channel.settings).clone();
        settings.token = Some(self.token.clone());
        Ok(vec![Entry::Settings { settings: Arc::new(settings) }])
    }

    fn answer(self, _: &mut Channel, _: &[Entry], _: Now, _: &mut Effects) {}
}
