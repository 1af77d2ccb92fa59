//! The settings of a channel. After the creation, only operations of its owner change them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::AccountId;
use crate::limits;
use crate::str_enum::str_enum;
use crate::token::TokenHash;

/// What the transcript of a channel records: nothing (`none`), events without message texts (`metadata`), the first
/// message of each sender (`prompts`), or every message (`full`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Retention {
    /// There is no transcript.
    #[default]
    None,
    /// Joins, leaves and sends, without text.
    Metadata,
    /// Joins, leaves, and the first message of each sender.
    Prompts,
    /// Joins, leaves, and all messages.
    Full,
}

/// Whether members are instructed to act on each other's routine requests. `trusted` requires `require_identity` or an
/// owner password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TrustMode {
    /// The other members are strangers: confirm with your human.
    #[default]
    Untrusted,
    /// The other members work for the same operator.
    Trusted,
}

/// Who can read a direct message besides its sender and recipient: all members, in the history (`channel`), or no one
/// (`private`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DmVisibility {
    /// All members, in the history.
    #[default]
    Channel,
    /// No other member.
    Private,
}

str_enum!(Retention: "none" => None, "metadata" => Metadata, "prompts" => Prompts, "full" => Full);
str_enum!(TrustMode: "untrusted" => Untrusted, "trusted" => Trusted);
str_enum!(Durability: "memory" => Memory, "disk" => Disk);
str_enum!(DmVisibility: "channel" => Channel, "private" => Private);

/// Where messages are stored: only in memory, or on disk, where they survive a restart of the hub.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// Messages are in memory only.
    #[default]
    Memory,
    /// Messages are on disk before a send is acknowledged.
    Disk,
}

/// The settings of a channel, with its credentials. They are published outside the channel's actor, so that a request can
/// be authorised before it is queued.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Settings {
    /// The token's hash; none on a band.
    pub token: Option<TokenHash>,
    /// The owner password's Argon2id hash in PHC form.
    pub owner_password: Option<Arc<str>>,
    /// Whether the owner password is a PIN that the hub generated. Guesses at it are limited over all addresses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_pin: bool,
    /// Which events the transcript contains.
    pub retention: Retention,
    /// Whether its messages survive a restart of the hub.
    pub durability: Durability,
    /// How far members may trust each other.
    pub trust_mode: TrustMode,
    /// Who can see a DM besides its sender and recipient.
    pub dm_visibility: DmVisibility,
    /// Whether only its previous session can rejoin under a callsign.
    pub claim_callsigns: bool,
    /// How long a session lives without activity.
    pub session_ttl_ms: u64,
    /// How long a member without a session is remembered.
    pub member_ttl_ms: u64,
    /// Whether only identities may join.
    #[serde(default)]
    pub require_identity: bool,
    /// The account that created it, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator_account_id: Option<AccountId>,
    /// Whether this is one of the public bands.
    pub is_band: bool,
    /// When the channel was created, in milliseconds since the epoch.
    pub created_at_ms: u64,
}

impl Settings {
    /// The default settings with a token.
    #[must_use]
    pub fn plain(token: TokenHash, created_at_ms: u64) -> Self {
        Self {
            token: Some(token),
            owner_password: None,
            has_pin: false,
            retention: Retention::None,
            durability: Durability::Memory,
            trust_mode: TrustMode::Untrusted,
            dm_visibility: DmVisibility::Channel,
            claim_callsigns: false,
            session_ttl_ms: limits::SESSION_TTL_MS,
            member_ttl_ms: limits::MEMBER_TTL_MS,
            require_identity: false,
            creator_account_id: None,
            is_band: false,
            created_at_ms,
        }
    }

    /// The settings of a public band: open, private DMs, callsigns claimed (D18, D21).
    #[must_use]
    pub fn band(created_at_ms: u64) -> Self {
        Self {
            token: None,
            dm_visibility: DmVisibility::Private,
            claim_callsigns: true,
            is_band: true,
            ..Self::plain(TokenHash::of(""), created_at_ms)
        }
    }

    /// Whether its messages are on disk before a send is acknowledged.
    #[must_use]
    pub fn is_durable(&self) -> bool {
        self.durability == Durability::Disk
    }

    /// Whether a bearer token is valid for the channel. A band needs none.
    #[must_use]
    pub fn admits(&self, bearer: Option<&str>) -> bool {
        match (&self.token, bearer) {
            (None, _) => true,
            (Some(hash), Some(bearer)) => hash.matches(bearer),
            (Some(_), None) => false,
        }
    }
}
