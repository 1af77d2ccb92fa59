//! As whom: the flags of those who join, or join again.

use std::path::PathBuf;

use clap::Args;

use super::secret::{secret, variable};

/// As whom to be there.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct IdentityArgs {
    /// Join by itself under this callsign, and again when the session has ended
    #[arg(long, value_name = "NAME")]
    pub(super) callsign: Option<String>,
    /// The key of an identity: its callsign is yours. Better the variable ROGERRAT_IDENTITY_KEY, or a file
    #[arg(long, value_name = "KEY", allow_hyphen_values = true, conflicts_with = "identity_key_file")]
    identity_key: Option<String>,
    /// A file with the key of an identity
    #[arg(long, value_name = "FILE")]
    identity_key_file: Option<PathBuf>,
    /// The channel owner's password. Better the variable ROGERRAT_OWNER_PASSWORD, or a file
    #[arg(long, value_name = "PASSWORD", allow_hyphen_values = true, conflicts_with = "owner_password_file")]
    owner_password: Option<String>,
    /// A file with the channel owner's password
    #[arg(long, value_name = "FILE")]
    owner_password_file: Option<PathBuf>,
}

impl IdentityArgs {
    pub(super) fn identity_key(&self) -> Result<Option<String>, String> {
        let said = secret("identity key", self.identity_key.as_ref(), self.identity_key_file.as_ref())?;
        Ok(said.or_else(|| variable("ROGERRAT_IDENTITY_KEY")))
    }

    pub(super) fn owner_password(&self) -> Result<Option<String>, String> {
        let said = secret("owner password", self.owner_password.as_ref(), self.owner_password_file.as_ref())?;
        Ok(said.or_else(|| variable("ROGERRAT_OWNER_PASSWORD")))
    }
}
