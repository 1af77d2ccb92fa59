//! External inputs of the configuration: environment variables, the number of cores, and randomness for a token.

use std::ffi::OsString;
use std::path::PathBuf;
use std::thread::available_parallelism;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const TOKEN_BYTES: usize = 24;

/// The process and machine the hub starts on; tests use fixed values.
pub(crate) struct Environment {
    /// All environment variables.
    pub variables: Vec<(OsString, OsString)>,
    /// Processor cores, at least one.
    pub cores: usize,
    /// Generates a token.
    pub generate_token: fn() -> String,
}

impl Environment {
    /// The environment of this process.
    pub(crate) fn current() -> Self {
        Self {
            variables: std::env::vars_os().collect(),
            cores: available_parallelism().map_or(1, usize::from),
            generate_token,
        }
    }

    /// The home directory, if `HOME` is set.
    pub(super) fn home(&self) -> Option<PathBuf> {
        let (_, home) = self.variables.iter().find(|(name, value)| name == "HOME" && !value.is_empty())?;
        Some(PathBuf::from(home))
    }
}

/// 24 random bytes, base64url.
fn generate_token() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; TOKEN_BYTES]>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_tokens_are_long_and_differ() {
        let token = generate_token();
        assert_eq!(token.len(), 32);
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{token}");
        assert_ne!(token, generate_token());
    }

    #[test]
    fn this_process_has_a_core() {
        assert!(Environment::current().cores >= 1);
    }
}
