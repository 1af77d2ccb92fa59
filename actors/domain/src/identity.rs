//! Identities: callsigns that belong to an account and are proved by a key.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::AccountId;

/// What a member proved when it joined: whose its callsign is, and by which key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The account its callsign belongs to.
    pub account: AccountId,
    /// Which key it was: a random number, drawn anew with every key of the identity. It is no secret.
    pub key_no: u64,
}

/// How a message's sender is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verified {
    /// Its session joined with the key of the identity whose callsign it has.
    Identity,
}
