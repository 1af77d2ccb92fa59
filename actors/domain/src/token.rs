//! Channel tokens: stored as a hash, and compared in constant time.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::digest;

/// The SHA-256 of a token. The token itself is returned once and not stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenHash(#[serde(with = "digest")] [u8; 32]);

impl TokenHash {
    /// Hashes a token.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// A hash that was stored.
    #[must_use]
    pub fn of_stored(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// The hash.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether `token` has this hash. The comparison takes constant time.
    #[must_use]
    pub fn matches(&self, token: &str) -> bool {
        self.0.ct_eq(&Self::of(token).0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d22_only_the_exact_token_matches() {
        let hash = TokenHash::of("s3cret");
        assert!(hash.matches("s3cret"));
        assert!(!hash.matches("s3cres") && !hash.matches("") && !hash.matches("s3cret "));
        assert!(!format!("{hash:?}").contains("s3cret"));
    }
}
