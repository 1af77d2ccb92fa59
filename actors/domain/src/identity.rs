//! Identities: callsigns that belong to an account and have a key.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::AccountId;

/// The identity with which a member joined: the account and the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The account that owns the callsign.
    pub account: AccountId,
    /// The number of the key. It is random, changes with every rotation, and is not a secret.
    pub key_no: u64,
}

/// How the sender of a message is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verified {
    /// Its session joined with the key of the identity that owns the callsign.
    Identity,
}
