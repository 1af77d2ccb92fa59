//! What a channel was created with. It never changes after, except by an operation of its owner.

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
    /// Nothing.
    #[default]
    None,
    /// Joins, leaves, and that messages were sent, without content.
    Metadata,
    /// The first message of each sender.
    Prompts,
    /// Every message.
    Full,
}

/// Whether members are instructed to act on each other's routine requests. `trusted` requires `require_identity` or an
/// owner password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TrustMode {
    /// Peers are strangers: confirm with your human.
    #[default]
    Untrusted,
    /// Peers are colleagues of one operator.
    Trusted,
}

/// Who can read a direct message besides its sender and recipient: everybody on the channel, in the history
/// (`channel`), or nobody (`private`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DmVisibility {
    /// Everybody on the channel, in history.
    #[default]
    Channel,
    /// Nobody.
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
    /// They live in memory.
    #[default]
    Memory,
    /// They are on disk before they are acknowledged.
    Disk,
}

/// A channel's settings, and what admits to it. Shared by everything that must know before the channel's own mailbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Settings {
    /// The token's hash; none on a band.
    pub token: Option<TokenHash>,
    /// The owner password's Argon2id hash in PHC form.
    pub owner_password: Option<Arc<str>>,
    /// What is kept for the transcript.
    pub retention: Retention,
    /// Whether its messages survive the hub.
    pub durability: Durability,
    /// Whether participants are told to act on each other's requests.
    pub trust_mode: TrustMode,
    /// Who sees a DM beside its two ends.
    pub dm_visibility: DmVisibility,
    /// Whether a held callsign comes back only to who can prove it.
    pub claim_callsigns: bool,
    /// How long a session lives without a sign of life.
    pub session_ttl_ms: u64,
    /// How long a member lives without a session.
    pub member_ttl_ms: u64,
    /// Whether only identities may join.
    #[serde(default)]
    pub require_identity: bool,
    /// The account that created it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator_account_id: Option<AccountId>,
    /// Whether this is one of the public bands.
    pub is_band: bool,
    /// When the channel was created, in milliseconds since the epoch.
    pub created_at_ms: u64,
}

impl Settings {
    /// The settings of a plain channel.
    #[must_use]
    pub fn plain(token: TokenHash, created_at_ms: u64) -> Self {
        Self {
            token: Some(token),
            owner_password: None,
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

    /// Whether its messages are on disk before they are acknowledged.
    #[must_use]
    pub fn is_durable(&self) -> bool {
        self.durability == Durability::Disk
    }

    /// Whether the bearer admits to the channel. A band admits everybody.
    #[must_use]
    pub fn admits(&self, bearer: Option<&str>) -> bool {
        match (&self.token, bearer) {
            (None, _) => true,
            (Some(hash), Some(bearer)) => hash.matches(bearer),
            (Some(_), None) => false,
        }
    }
}
