//! Identifies the hub to push services: VAPID (RFC 8292), a JWT signed with ES256.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;

/// How long a token is valid, in seconds. Push services accept at most 24 hours.
const VALID_S: u64 = 12 * 3600;
/// A token is used again until this long before its end, in seconds.
const SPARE_S: u64 = 3600;
/// Tokens that are kept, one for each push service.
const TOKENS: usize = 64;

/// The key pair of the hub, and the tokens it has signed.
pub struct Vapid {
    pair: EcdsaKeyPair,
    public_key: Arc<str>,
    contact: String,
    tokens: Mutex<HashMap<String, Token>>,
}

struct Token {
    text: String,
    until_s: u64,
}

/// A stored key pair cannot be read.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the key pair for web push is not valid")]
pub struct BadVapidKey;

impl Vapid {
    /// A new key pair, as PKCS#8.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn new_key() -> Result<Vec<u8>, BadVapidKey> {
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        Ok(key.map_err(|_| BadVapidKey)?.as_ref().to_vec())
    }

    /// Reads a key pair from PKCS#8. `contact` is a `mailto:` or `https:` URL under which push services reach the operator.
    ///
    /// # Errors
    /// If it is not a key pair of P-256.
    pub fn of(pkcs8: &[u8], contact: String) -> Result<Self, BadVapidKey> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &SystemRandom::new());
        let pair = pair.map_err(|_| BadVapidKey)?;
        let public_key = URL_SAFE_NO_PAD.encode(pair.public_key()).into();
        Ok(Self { pair, public_key, contact, tokens: Mutex::default() })
    }

    /// The public key in base64url, which browsers need to subscribe.
    pub(crate) fn public_key(&self) -> &Arc<str> {
        &self.public_key
    }

    /// The value of the header `Authorization` for a push service. None if it could not be signed.
    pub(crate) fn authorization(&self, audience: &str, now_s: u64) -> Option<String> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = |token: &Token| token.until_s > now_s + SPARE_S && token.until_s <= now_s + VALID_S;
        if tokens.get(audience).is_none_or(|token| !is_fresh(token)) {
            let until_s = now_s + VALID_S;
            let text = self.sign(audience, until_s)?;
            if tokens.len() >= TOKENS {
                tokens.clear();
            }
            tokens.insert(audience.to_owned(), Token { text, until_s });
        }
        tokens.get(audience).map(|token| format!("vapid t={}, k={}", token.text, self.public_key))
    }

    fn sign(&self, audience: &str, until_s: u64) -> Option<String> {
        let head = URL_SAFE_NO_PAD.encode(json!({"typ": "JWT", "alg": "ES256"}).to_string());
        let claims = json!({"aud": audience, "exp": until_s, "sub": self.contact}).to_string();
        let signed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).ok()?;
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    use serde_json::Value;

    use super::*;

    fn vapid() -> Vapid {
        Vapid::of(&Vapid::new_key().unwrap(), "mailto:operator@example.org".into()).unwrap()
    }

    fn decoded(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    #[test]
    fn the_token_is_signed_with_the_key_that_browsers_get() {
        let vapid = vapid();
        let header = vapid.authorization("https://push.example", 1_000_000).unwrap();
        let (token, key) = header.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        assert_eq!(key, &**vapid.public_key());
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, decoded(key));
        key.verify(signed.as_bytes(), &decoded(signature)).unwrap();
        let (head, claims) = signed.split_once('.').unwrap();
        let [head, claims] = [head, claims].map(|part| serde_json::from_slice::<Value>(&decoded(part)).unwrap());
        assert_eq!(head["alg"], "ES256");
        assert_eq!(
            claims,
            json!({"aud": "https://push.example", "exp": 1_000_000 + VALID_S, "sub": "mailto:operator@example.org"})
        );
    }

    #[test]
    fn a_token_is_used_again_until_shortly_before_its_end() {
        let vapid = vapid();
        let first = vapid.authorization("https://a.example", 1000).unwrap();
        assert_eq!(vapid.authorization("https://a.example", 1000 + VALID_S - SPARE_S - 1).unwrap(), first);
        assert_ne!(vapid.authorization("https://a.example", 1000 + VALID_S - SPARE_S).unwrap(), first);
        assert_ne!(vapid.authorization("https://b.example", 1000).unwrap(), first);
        // After the clock was set back, the token would be valid for too long.
        let later = vapid.authorization("https://a.example", 1_000_000).unwrap();
        assert_ne!(vapid.authorization("https://a.example", 1000).unwrap(), later);
        for n in 0..200 {
            vapid.authorization(&format!("https://{n}.example"), 1000).unwrap();
        }
        assert!(vapid.tokens.lock().unwrap().len() <= TOKENS);
    }

    #[test]
    fn a_damaged_key_pair_is_refused() {
        let mut key = Vapid::new_key().unwrap();
        key.pop();
        assert!(Vapid::of(&key, String::new()).is_err() && Vapid::of(&[], String::new()).is_err());
    }
}
