//! Encryption of secrets that the hub stores (XChaCha20-Poly1305).
//!
//! Unlike a [`Signer`](crate::Signer) it hides the payload as well as authenticating it. The caller provides the nonce, which
//! must be random.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{Key, KeyInit as _, XChaCha20Poly1305, XNonce};

use crate::hub_key::HubKey;

/// The length of a nonce.
pub const NONCE_BYTES: usize = 24;
/// The length of the authentication tag.
const TAG_BYTES: usize = 16;

/// Encrypts payloads for one purpose.
#[derive(Clone)]
pub struct Encryptor(HubKey);

impl Encryptor {
    /// An encryptor for one purpose. It does not decrypt payloads of another.
    #[must_use]
    pub fn new(key: &HubKey, purpose: &str) -> Self {
        Self(key.derive(purpose))
    }

    /// Encrypts a payload for a context. A nonce must be used only once.
    #[must_use]
    pub fn encrypt(&self, payload: &[u8], context: &str, nonce: [u8; NONCE_BYTES]) -> Vec<u8> {
        let encrypted = self.cipher().encrypt(&XNonce::from(nonce), Payload { msg: payload, aad: context.as_bytes() });
        #[expect(clippy::expect_used, reason = "payloads are bounded far below the limit of the cipher")]
        let encrypted = encrypted.expect("the cipher takes 256 GiB");
        [&nonce[..], &encrypted].concat()
    }

    /// Returns the payload if this hub encrypted it for this context.
    #[must_use]
    pub fn decrypt(&self, encrypted: &[u8], context: &str) -> Option<Vec<u8>> {
        let (nonce, encrypted) = encrypted.split_first_chunk::<NONCE_BYTES>()?;
        self.cipher().decrypt(&XNonce::from(*nonce), Payload { msg: encrypted, aad: context.as_bytes() }).ok()
    }

    /// Encrypts a payload to base64url text.
    #[must_use]
    pub fn encrypt_text(&self, payload: &[u8], context: &str, nonce: [u8; NONCE_BYTES]) -> String {
        URL_SAFE_NO_PAD.encode(self.encrypt(payload, context, nonce))
    }

    /// Decrypts such a text.
    #[must_use]
    pub fn decrypt_text(&self, encrypted: &str, context: &str) -> Option<Vec<u8>> {
        self.decrypt(&URL_SAFE_NO_PAD.decode(encrypted).ok()?, context)
    }

    /// The encrypted size of a payload.
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
    fn a_payload_is_decrypted_for_the_same_hub_purpose_and_context_only() {
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
    fn a_modified_or_truncated_payload_is_rejected() {
        let encrypted = encryptor().encrypt(b"payload", "here", [1; 24]);
        for at in 0..encrypted.len() {
            let mut touched = encrypted.clone();
            touched[at] ^= 1;
            assert!(encryptor().decrypt(&touched, "here").is_none(), "byte {at}");
            assert!(encryptor().decrypt(&encrypted[..at], "here").is_none(), "cut at {at}");
        }
    }
}
