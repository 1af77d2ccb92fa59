//! What a configuration depends on and nobody says: the environment, the number of cores, and chance for a token.

use std::ffi::OsString;
use std::path::PathBuf;
use std::thread::available_parallelism;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const TOKEN_BYTES: usize = 24;

/// The process and machine the hub starts on.
pub(crate) struct Surroundings {
    /// All environment variables.
    pub env: Vec<(OsString, OsString)>,
    /// Processor cores, at least one.
    pub cores: usize,
    /// Makes a token.
    pub mint: fn() -> String,
}

impl Surroundings {
    /// Those of this process.
    pub(crate) fn here() -> Self {
        Self { env: std::env::vars_os().collect(), cores: available_parallelism().map_or(1, usize::from), mint }
    }

    /// The home directory, if the environment names one.
    pub(super) fn home(&self) -> Option<PathBuf> {
        let (_, home) = self.env.iter().find(|(name, value)| name == "HOME" && !value.is_empty())?;
        Some(PathBuf::from(home))
    }
}

/// 24 random bytes, base64url.
fn mint() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; TOKEN_BYTES]>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minted_tokens_are_long_and_never_the_same() {
        let token = mint();
        assert_eq!(token.len(), 32);
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{token}");
        assert_ne!(token, mint());
    }

    #[test]
    fn this_process_has_a_core() {
        assert!(Surroundings::here().cores >= 1);
    }
}
