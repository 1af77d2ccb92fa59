//! Session ids the hub mints: `base64url(HMAC-SHA256(hub key, channel | callsign | generation))`.
//!
//! The id of a member in a generation can be computed again at any time, so an idempotent join needs no table. A new random
//! generation invalidates the id.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::callsign::Callsign;
use crate::ids::{ChannelId, SessionId};

/// The hub's key, 32 random bytes.
#[derive(Clone)]
pub struct HubKey(Arc<[u8; 32]>);

impl HubKey {
    /// Wraps a key.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(Arc::new(key))
    }

    /// Derives a key for one purpose. This key cannot be computed from it.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0[..]).expect("HMAC takes a key of any length");
        // A channel id contains no space, so no session id can equal a key.
        mac.update(b"key for ");
        mac.update(purpose.as_bytes());
        Self::new(mac.finalize().into_bytes().into())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0[..]
    }

    /// The session id of a callsign's generation on a channel.
    #[must_use]
    pub fn mint(&self, channel: &ChannelId, callsign: &Callsign, generation: u64) -> SessionId {
        SessionId::minted(self.mint_text(channel, callsign, generation))
    }

    /// The same id without its text, to save memory. The text can be minted again.
    pub(crate) fn mint_hash_only(&self, channel: &ChannelId, callsign: &Callsign, generation: u64) -> SessionId {
        SessionId::from_text_hash(&self.mint_text(channel, callsign, generation))
    }

    fn mint_text(&self, channel: &ChannelId, callsign: &Callsign, generation: u64) -> String {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0[..]).expect("HMAC takes a key of any length");
        mac.update(channel.as_str().as_bytes());
        mac.update(b"|");
        mac.update(callsign.as_str().as_bytes());
        mac.update(b"|");
        mac.update(&generation.to_be_bytes());
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_depends_on_channel_callsign_and_generation() {
        let key = HubKey::new([7; 32]);
        let (channel, ann) = (ChannelId::parse("quiet-otter-3a8f").unwrap(), Callsign::parse("ann").unwrap());
        let id = key.mint(&channel, &ann, 1);
        assert_eq!(id, key.mint(&channel, &ann, 1));
        assert_ne!(id, key.mint(&channel, &ann, 2));
        assert_ne!(id, HubKey::new([8; 32]).mint(&channel, &ann, 1));
        assert_eq!(id.text().unwrap().len(), 43);
    }
}
