//! Accounts: the requests and replies of their API, and the rules for the callsigns of identities.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::callsign::Callsign;
use crate::email::AccountEmail;
use crate::ids::{AccountId, ChannelId};
use crate::names;
use crate::op::{MemberPresence, OnlineMember, RosterMember};
use crate::refusal::{Code, Refusal};
use crate::settings::{DmVisibility, Durability, Retention, TrustMode};

/// The prefix of an account's recovery token.
pub const RECOVERY_PREFIX: &str = "rr_acct_";
/// The prefix of an account's session token.
pub const SESSION_PREFIX: &str = "rr_sess_";
/// The prefix of an identity's key.
pub const KEY_PREFIX: &str = "rr_id_";

/// Callsigns that no identity may have, because they could be mistaken for the hub.
const RESERVED: [&str; 9] =
    ["admin", "administrator", "hub", "moderator", "operator", "rogerrat", "rogerthat", "server", "system"];

/// The body of a request to recover an account.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct RecoverInput {
    /// The recovery token from the reply that created the account, or from the last rotation.
    pub recovery_token: String,
    /// A name for the new session, such as `phone`, by which you recognize it in the list of sessions. Taken from the
    /// `User-Agent` if omitted.
    #[schema(min_length = 1, max_length = 64)]
    pub label: Option<String>,
}

/// The body of a request to create an identity.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct IdentityInput {
    /// The requested callsign. It is lower-cased and trimmed. If omitted, the hub picks one.
    #[schema(pattern = r"^[ \t\n\r]*[A-Za-z0-9][A-Za-z0-9_-]{0,31}[ \t\n\r]*$")]
    pub callsign: Option<String>,
}

/// A new account. Its tokens are returned only once.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CreateAccountReply {
    /// The account's id.
    pub account_id: AccountId,
    /// Creates another session token when all others are lost. Keep it secret.
    pub recovery_token: String,
    /// Authenticates the account as a bearer token. Valid until it is unused for 30 days.
    pub session_token: String,
    /// What to do next.
    pub hint: &'static str,
}

/// A new session token of an account. It is returned only once.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RecoverAccountReply {
    /// The account's id.
    pub account_id: AccountId,
    /// Authenticates the account as a bearer token. Earlier session tokens stay valid.
    pub session_token: String,
}

/// An account, what it owns, and its limits.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AccountReply {
    /// The account's id.
    pub account_id: AccountId,
    /// When it was created, in milliseconds since the epoch.
    pub created_at: u64,
    /// Its identities, sorted by callsign.
    pub identities: Vec<IdentityRow>,
    /// The number of channels it owns.
    pub channels: usize,
    /// The number of webhooks it has.
    pub webhooks: usize,
    /// The number of its sessions, the caller's included.
    pub sessions: usize,
    /// The e-mail address that recovers it, or that waits for its code. Null if there is none.
    #[schema(required)]
    pub email: Option<AccountEmail>,
    /// Its limits.
    pub limits: AccountLimits,
}

/// The limits of an account. Null means unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccountLimits {
    /// Maximum number of channels it may own.
    #[schema(required)]
    pub channels: Option<u32>,
    /// Maximum number of identities.
    #[schema(required)]
    pub identities: Option<u32>,
    /// Maximum number of webhooks.
    #[schema(required)]
    pub webhooks: Option<u32>,
    /// Messages per minute, over all its identities and channels.
    #[schema(required)]
    pub sends_per_minute: Option<u32>,
}

/// An identity, without its key.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IdentityRow {
    /// The callsign.
    pub callsign: Callsign,
    /// When it was created, in milliseconds since the epoch.
    pub created_at: u64,
}

/// The identities of an account.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IdentitiesReply {
    /// The identities, sorted by callsign.
    pub identities: Vec<IdentityRow>,
}

/// An identity and its key, which is returned only once.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IdentityReply {
    /// The identity's callsign.
    pub callsign: Callsign,
    /// Proves the identity. Send it when you join, as `identity_key` or in the header `X-Identity-Key`.
    pub identity_key: String,
}

/// The channels an account owns.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OwnedChannelsReply {
    /// The channels, oldest first.
    pub channels: Vec<OwnedChannel>,
}

/// A channel an account owns.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OwnedChannel {
    /// The channel id.
    pub id: ChannelId,
    /// When it was created, in milliseconds since the epoch.
    pub created_at: u64,
    /// What its transcript records.
    pub retention: Retention,
    /// Whether only identities may join.
    pub require_identity: bool,
    /// Its trust mode.
    pub trust_mode: TrustMode,
    /// Where its messages are stored.
    pub durability: Durability,
    /// Who can read a DM besides its sender and recipient.
    pub dm_visibility: DmVisibility,
    /// Members online.
    pub agent_count: usize,
}

/// A channel an account owns, with its members.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OwnedChannelReply {
    /// The channel's id and settings.
    #[serde(flatten)]
    pub channel: OwnedChannel,
    /// Callsigns online, sorted.
    pub roster: Vec<String>,
    /// Members online with their numbers, ordered by number.
    pub roster_with_index: Vec<OnlineMember>,
    /// All members, online or not, in short, sorted by callsign.
    pub roster_all: Vec<RosterMember>,
    /// The members with their presence, at most 1,000: those online by number, then the others, last seen first.
    pub members: Vec<MemberPresence>,
}

/// The new token of a channel. It is returned only once.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TokenReply {
    /// The channel id.
    pub channel_id: ChannelId,
    /// The new token. The previous one is revoked; members stay on the channel.
    pub join_token: String,
}

/// Validates the callsign of a new identity.
///
/// # Errors
/// `invalid` if it is not a callsign, `callsign_taken` if it is reserved: for the hub, for broadcasts, for member numbers (a
/// message to `7` goes to the callsign `7` first), or because the hub could generate it.
pub fn identity_callsign(requested: &str) -> Result<Callsign, Refusal> {
    let reserved = || {
        Refusal::new(Code::CallsignTaken, "this callsign is reserved")
            .hint("choose another callsign, or omit it and the hub picks one")
    };
    if requested.trim().eq_ignore_ascii_case(crate::callsign::ALL) {
        return Err(reserved());
    }
    let callsign = Callsign::parse(requested)?;
    let name = callsign.as_str();
    let is_number = name.bytes().all(|b| b.is_ascii_digit());
    if is_number || RESERVED.contains(&name) || names::is_generated(name) { Err(reserved()) } else { Ok(callsign) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_callsigns_are_reserved() {
        let picked = names::callsign(77);
        for wish in ["all", " ALL ", "system", "Admin", "7", "0042", picked.as_str()] {
            assert_eq!(identity_callsign(wish).unwrap_err().code, Code::CallsignTaken, "{wish}");
        }
        for wish in ["", "a b", "-x"] {
            assert_eq!(identity_callsign(wish).unwrap_err().code, Code::Invalid, "{wish}");
        }
        for wish in ["ann", "quiet-night", "a7", "systemd", names::identity_callsign(77).as_str()] {
            identity_callsign(wish).unwrap();
        }
    }
}
