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
    /// The vault of a hub for one purpose: what is encrypted for another does not open.
    #[must_use]
    pub fn new(key: &HubKey, purpose: &str) -> Self {
        Self(key.derive(purpose))
    }

    /// The payload, encrypted: it opens in the same context only. A nonce is used once.
    #[must_use]
    pub fn encrypt(&self, payload: &[u8], context: &str, nonce: [u8; NONCE_BYTES]) -> Vec<u8> {
        let encrypted = self.cipher().encrypt(&XNonce::from(nonce), Payload { msg: payload, aad: context.as_bytes() });
        #[expect(clippy::expect_used, reason = "a payload has a bound far below the cipher's")]
        let encrypted = encrypted.expect("the cipher takes 256 GiB");
        [&nonce[..], &encrypted].concat()
    }

    /// The payload; none when this hub did not hide it for this context.
    #[must_use]
    pub fn decrypt(&self, encrypted: &[u8], context: &str) -> Option<Vec<u8>> {
        let (nonce, encrypted) = encrypted.split_first_chunk::<NONCE_BYTES>()?;
        self.cipher().decrypt(&XNonce::from(*nonce), Payload { msg: encrypted, aad: context.as_bytes() }).ok()
    }

    /// The same as text that may stand in JSON.
    #[must_use]
    pub fn encrypt_text(&self, payload: &[u8], context: &str, nonce: [u8; NONCE_BYTES]) -> String {
        URL_SAFE_NO_PAD.encode(self.encrypt(payload, context, nonce))
    }

    /// Opens such a text.
    #[must_use]
    pub fn decrypt_text(&self, encrypted: &str, context: &str) -> Option<Vec<u8>> {
        self.decrypt(&URL_SAFE_NO_PAD.decode(encrypted).ok()?, context)
    }

    /// What a payload of so many bytes weighs when it is encrypted.
    #[must_use]
    pub fn encrypted_bytes(payload_bytes: usize) -> u64 {
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

    fn encryptor() -> Encryptor {
        Encryptor::new(&HubKey::new([7; 32]), "tests")
    }

    #[test]
    fn what_is_hidden_opens_for_the_same_hub_purpose_and_context_only() {
        let encrypted = encryptor().encrypt(b"payload", "here", [1; 24]);
        assert_eq!(encryptor().decrypt(&encrypted, "here").unwrap(), b"payload");
        assert!(encryptor().decrypt(&encrypted, "there").is_none());
        assert!(Encryptor::new(&HubKey::new([7; 32]), "other").decrypt(&encrypted, "here").is_none());
        assert!(Encryptor::new(&HubKey::new([8; 32]), "tests").decrypt(&encrypted, "here").is_none());
        assert!(!encrypted.windows(7).any(|part| part == b"payload"), "it is encrypted");
        assert_ne!(encrypted, encryptor().encrypt(b"payload", "here", [2; 24]));
        assert_eq!(encrypted.len() as u64, Encryptor::encrypted_bytes(7));
        let text = encryptor().encrypt_text(b"payload", "here", [1; 24]);
        assert_eq!(encryptor().decrypt_text(&text, "here").unwrap(), b"payload");
    }

    #[test]
    fn what_was_touched_or_cut_does_not_open() {
        let encrypted = encryptor().encrypt(b"payload", "here", [1; 24]);
        for at in 0..encrypted.len() {
            let mut touched = encrypted.clone();
            touched[at] ^= 1;
            assert!(encryptor().decrypt(&touched, "here").is_none(), "byte {at}");
            assert!(encryptor().decrypt(&encrypted[..at], "here").is_none(), "cut at {at}");
        }
    }
}
