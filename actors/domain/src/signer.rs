//! Signed payloads, which the hub hands out and verifies later without storing them.
//!
//! A signature proves that the hub issued the payload for a context. It does not encrypt the payload.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::hub_key::HubKey;

/// The length of a signature.
const TAG_BYTES: usize = 16;

/// Signs payloads for one purpose. Holds the state of the MAC after its key, which takes half the time of a signature.
#[derive(Clone)]
pub struct Signer(Hmac<Sha256>);

impl Signer {
    /// A signer for one purpose. It does not accept payloads signed for another.
    #[must_use]
    pub fn new(key: &HubKey, purpose: &str) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mac = Hmac::new_from_slice(key.derive(purpose).bytes()).expect("HMAC takes a key of any length");
        Self(mac)
    }

    /// Signs a payload for a context. The result is base64url text.
    #[must_use]
    pub fn sign(&self, payload: &[u8], context: &str) -> String {
        let mut bytes = payload.to_vec();
        bytes.extend_from_slice(&self.tag(payload, context));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Returns the payload if this hub signed it for this context.
    #[must_use]
    pub fn verify(&self, signed: &str, context: &str) -> Option<Vec<u8>> {
        let mut payload = URL_SAFE_NO_PAD.decode(signed).ok()?;
        let tag = payload.split_off(payload.len().checked_sub(TAG_BYTES)?);
        let is_ours = bool::from(self.tag(&payload, context).ct_eq(&tag));
        is_ours.then_some(payload)
    }

    fn tag(&self, payload: &[u8], context: &str) -> [u8; TAG_BYTES] {
        let mut mac = self.0.clone();
        // The length separates the payload from the context.
        mac.update(&(payload.len() as u64).to_be_bytes());
        mac.update(payload);
        mac.update(context.as_bytes());
        let mut tag = [0; TAG_BYTES];
        tag.copy_from_slice(&mac.finalize().into_bytes()[..TAG_BYTES]);
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> Signer {
        Signer::new(&HubKey::new([7; 32]), "tests")
    }

    #[test]
    fn a_payload_is_verified_for_the_same_hub_purpose_and_context_only() {
        let signed = signer().sign(b"payload", "here");
        assert_eq!(signer().verify(&signed, "here").unwrap(), b"payload");
        assert!(signer().verify(&signed, "there").is_none());
        assert!(Signer::new(&HubKey::new([7; 32]), "other").verify(&signed, "here").is_none());
        assert!(Signer::new(&HubKey::new([8; 32]), "tests").verify(&signed, "here").is_none());
        assert_ne!(signer().sign(b"ab", "c"), signer().sign(b"a", "bc"));
        assert!(signer().verify(&signer().sign(b"", ""), "").unwrap().is_empty());
    }

    #[test]
    fn a_modified_payload_is_rejected() {
        let signed = signer().sign(b"payload", "here");
        assert!(signed.bytes().all(|b| b.is_ascii_graphic()));
        for at in 0..signed.len() {
            let mut letters = signed.clone().into_bytes();
            letters[at] = if letters[at] == b'A' { b'B' } else { b'A' };
            assert!(signer().verify(&String::from_utf8(letters).unwrap(), "here").is_none(), "letter {at}");
        }
        for rubbish in ["", "A", "AAAA", "not base64!", &signed[1..], &format!("{signed}A")] {
            assert!(signer().verify(rubbish, "here").is_none(), "{rubbish}");
        }
    }
}
