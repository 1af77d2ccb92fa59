//! Hidden words: what the hub must write down and nobody may read there without its key.
//!
//! Unlike a [`Signer`](crate::Signer) it hides the payload (XChaCha20-Poly1305) and proves it too. It rolls no dice: the nonce
//! is handed in, and must be random.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{Key, KeyInit as _, XChaCha20Poly1305, XNonce};

use crate::hub_key::HubKey;

/// Bytes of a nonce.
pub const NONCE_BYTES: usize = 24;
/// Bytes of the proof.
const TAG_BYTES: usize = 16;

/// Hides for one purpose.
#[derive(Clone)]
pub struct Encryptor(HubKey);

impl Encryptor {
    /// The vault of a hub for one purpose: what is hidden for another does not open.
    #[must_use]
    pub fn new(key: &HubKey, purpose: &str) -> Self {
        Self(key.derive(purpose))
    }

    /// The payload, hidden: it opens in the same context only. A nonce is used once.
    #[must_use]
    pub fn close(&self, payload: &[u8], context: &str, nonce: [u8; NONCE_BYTES]) -> Vec<u8> {
        let hidden = self.cipher().encrypt(&XNonce::from(nonce), Payload { msg: payload, aad: context.as_bytes() });
        #[expect(clippy::expect_used, reason = "a payload has a bound far below the cipher's")]
        let hidden = hidden.expect("the cipher takes 256 GiB");
        [&nonce[..], &hidden].concat()
    }

    /// The payload; none when this hub did not hide it for this context.
    #[must_use]
    pub fn open(&self, hidden: &[u8], context: &str) -> Option<Vec<u8>> {
        let (nonce, hidden) = hidden.split_first_chunk::<NONCE_BYTES>()?;
        self.cipher().decrypt(&XNonce::from(*nonce), Payload { msg: hidden, aad: context.as_bytes() }).ok()
    }

    /// The same as text that may stand in JSON.
    #[must_use]
    pub fn close_text(&self, payload: &[u8], context: &str, nonce: [u8; NONCE_BYTES]) -> String {
        URL_SAFE_NO_PAD.encode(self.close(payload, context, nonce))
    }

    /// Opens such a text.
    #[must_use]
    pub fn open_text(&self, hidden: &str, context: &str) -> Option<Vec<u8>> {
        self.open(&URL_SAFE_NO_PAD.decode(hidden).ok()?, context)
    }

    /// What a payload of so many bytes weighs when it is hidden.
    #[must_use]
    pub fn weight(payload_bytes: usize) -> u64 {
        (NONCE_BYTES + payload_bytes + TAG_BYTES) as u64
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        let mut key = Key::default();
        key.copy_from_slice(self.0.bytes());
        XChaCha20Poly1305::new(&key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault() -> Encryptor {
        Encryptor::new(&HubKey::new([7; 32]), "tests")
    }

    #[test]
    fn what_is_hidden_opens_for_the_same_hub_purpose_and_context_only() {
        let hidden = vault().close(b"payload", "here", [1; 24]);
        assert_eq!(vault().open(&hidden, "here").unwrap(), b"payload");
        assert!(vault().open(&hidden, "there").is_none());
        assert!(Encryptor::new(&HubKey::new([7; 32]), "other").open(&hidden, "here").is_none());
        assert!(Encryptor::new(&HubKey::new([8; 32]), "tests").open(&hidden, "here").is_none());
        assert!(!hidden.windows(7).any(|part| part == b"payload"), "it is hidden");
        assert_ne!(hidden, vault().close(b"payload", "here", [2; 24]));
        assert_eq!(hidden.len() as u64, Encryptor::weight(7));
        let text = vault().close_text(b"payload", "here", [1; 24]);
        assert_eq!(vault().open_text(&text, "here").unwrap(), b"payload");
    }

    #[test]
    fn what_was_touched_or_cut_does_not_open() {
        let hidden = vault().close(b"payload", "here", [1; 24]);
        for at in 0..hidden.len() {
            let mut touched = hidden.clone();
            touched[at] ^= 1;
            assert!(vault().open(&touched, "here").is_none(), "byte {at}");
            assert!(vault().open(&hidden[..at], "here").is_none(), "cut at {at}");
        }
    }
}
