//! The one place that rolls dice.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng as _;

/// A random number.
#[must_use]
pub fn roll() -> u64 {
    rand::rng().next_u64()
}

/// A secret of 24 random bytes, base64url: 32 characters.
#[must_use]
pub fn random_token() -> String {
    let mut bytes = [0; 24];
    rand::rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A key of 32 random bytes.
#[must_use]
pub fn random_key() -> [u8; 32] {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}
