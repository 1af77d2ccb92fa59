//! Flags of the commands that can join: as which member.

use std::path::PathBuf;

use clap::Args;

use super::values::{secret, variable};

/// As which member to join.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct IdentityArgs {
    /// Join under this callsign if there is no session, and again when it has ended
    #[arg(long, value_name = "NAME")]
    pub(super) callsign: Option<String>,
    /// Join with this identity's key. Prefer a file, or the variable ROGERRAT_IDENTITY_KEY: others can read process
    /// arguments
    #[arg(long, value_name = "KEY", allow_hyphen_values = true, conflicts_with = "identity_key_file")]
    identity_key: Option<String>,
    /// Read the identity's key from this file
    #[arg(long, value_name = "FILE")]
    identity_key_file: Option<PathBuf>,
    /// Join with the password of the channel's owner. Prefer a file, or the variable ROGERRAT_OWNER_PASSWORD
    #[arg(long, value_name = "PASSWORD", allow_hyphen_values = true, conflicts_with = "owner_password_file")]
    owner_password: Option<String>,
    /// Read the password of the channel's owner from this file
    #[arg(long, value_name = "FILE")]
    owner_password_file: Option<PathBuf>,
}

impl IdentityArgs {
    /// The callsign in the form the hub stores.
    pub(super) fn callsign(&self) -> Result<Option<String>, String> {
        match self.callsign.as_ref().map(|callsign| callsign.trim().to_lowercase()) {
            Some(callsign) if callsign.is_empty() => {
                Err("--callsign is empty; leave it out to let the hub pick one".into())
            }
            callsign => Ok(callsign),
        }
    }

    /// The key, or that of the profile.
    pub(super) fn identity_key(&self, saved: Option<String>) -> Result<Option<String>, String> {
        let given = secret("identity key", self.identity_key.as_ref(), self.identity_key_file.as_ref())?;
        Ok(given.or(saved).or_else(|| variable("ROGERRAT_IDENTITY_KEY")))
    }

    pub(super) fn owner_password(&self) -> Result<Option<String>, String> {
        let given = secret("owner password", self.owner_password.as_ref(), self.owner_password_file.as_ref())?;
        Ok(given.or_else(|| variable("ROGERRAT_OWNER_PASSWORD")))
    }
}
