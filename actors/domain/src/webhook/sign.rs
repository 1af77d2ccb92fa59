//! Webhook signatures, with which a receiver verifies that a delivery comes from this hub.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The prefix of every secret.
const PREFIX: &str = "whsec_";

/// The secret of a webhook: `whsec_` and the base64 of 24 bytes. `Debug` does not print it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// A secret from 24 random bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 24]) -> Self {
        Self(format!("{PREFIX}{}", STANDARD.encode(bytes)).into())
    }

    /// Parses a stored secret.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?;
        Some(Self(text.into()))
    }

    /// The secret as text. It is shown to the owner once.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    fn bytes(&self) -> Vec<u8> {
        STANDARD.decode(&self.0[PREFIX.len()..]).unwrap_or_default()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// `sha256=` and the HMAC of the body in hex, keyed with the whole text of the secret.
#[must_use]
pub fn plain_signature(secret: &Secret, body: &[u8]) -> String {
    let mac = mac(secret.text().as_bytes(), &[body]);
    mac.iter().fold(String::from("sha256="), |text, byte| format!("{text}{byte:02x}"))
}

/// The signature of the Standard Webhooks specification: `v1,` and the base64 of the HMAC over the id, the time in seconds
/// and the body, keyed with the bytes of the secret.
#[must_use]
pub fn standard_signature(secret: &Secret, id: &str, at_s: u64, body: &[u8]) -> String {
    let head = format!("{id}.{at_s}.");
    format!("v1,{}", STANDARD.encode(mac(&secret.bytes(), &[head.as_bytes(), body])))
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_signature_follows_the_specification() {
        // The example of the Standard Webhooks.
        let secret = Secret::parse(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signed = standard_signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn the_plain_signature_is_keyed_with_the_full_text() {
        let secret = Secret::from_bytes([0; 24]);
        assert_eq!(secret.text(), "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        let signed = plain_signature(&secret, b"{}");
        assert!(signed.starts_with("sha256=") && signed.len() == 71, "{signed}");
        assert_ne!(signed, plain_signature(&Secret::from_bytes([1; 24]), b"{}"));
        assert!(
            format!("{secret:?}").len() < 12 && Secret::parse(b"whsec_?").is_none() && Secret::parse(b"x").is_none()
        );
    }
}
