//! Accounts: what is asked of them and what they answer. They decide nothing about channels; the hub keeps them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::callsign::Callsign;
use crate::ids::{AccountId, ChannelId};
use crate::names;
use crate::refusal::{Code, Refusal};
use crate::settings::{Retention, TrustMode};

/// What the recovery token of an account begins with.
pub const RECOVERY_PREFIX: &str = "rr_acct_";
/// What the session token of an account begins with.
pub const SESSION_PREFIX: &str = "rr_sess_";
/// What the key of an identity begins with.
pub const KEY_PREFIX: &str = "rr_id_";

/// Callsigns no identity may have, because they would speak for the hub.
const RESERVED: [&str; 9] =
    ["admin", "administrator", "hub", "moderator", "operator", "rogerrat", "rogerthat", "server", "system"];

/// The body of a recovery.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct RecoverInput {
    /// The token the account was created with.
    pub recovery_token: String,
}

/// The body of a new identity.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct IdentityInput {
    /// The wish; lower-cased and trimmed. Without one the hub makes one up.
    #[schema(pattern = r"^[ \t\n\r]*[A-Za-z0-9][A-Za-z0-9_-]{0,31}[ \t\n\r]*$")]
    pub callsign: Option<String>,
}

/// A new account. Its tokens are shown only here.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CreateAccountReply {
    /// The account.
    pub account_id: AccountId,
    /// What brings a lost session back. Keep it where nobody else looks.
    pub recovery_token: String,
    /// What speaks for the account, until nobody used it for 30 days.
    pub session_token: String,
    /// What to do next.
    pub hint: &'static str,
}

/// A session of an account. Its token is shown only here.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RecoverAccountReply {
    /// The account.
    pub account_id: AccountId,
    /// What speaks for the account, beside the sessions it had.
    pub session_token: String,
}

/// What an account is and has.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AccountReply {
    /// The account.
    pub account_id: AccountId,
    /// When it was created, in milliseconds since the epoch.
    pub created_at: u64,
    /// Its identities, by callsign.
    pub identities: Vec<IdentityRow>,
    /// How many channels it owns.
    pub channels: usize,
    /// How many webhooks it has.
    pub webhooks: usize,
    /// What it may have, and do.
    pub limits: AccountLimits,
}

/// What an account may have, and do; what is null is not limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccountLimits {
    /// Channels it owns.
    #[schema(required)]
    pub channels: Option<u32>,
    /// Identities.
    #[schema(required)]
    pub identities: Option<u32>,
    /// Webhooks.
    #[schema(required)]
    pub webhooks: Option<u32>,
    /// Messages a minute of all its identities, on all channels.
    #[schema(required)]
    pub sends_per_minute: Option<u32>,
}

/// An identity, without its key.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IdentityRow {
    /// Its callsign.
    pub callsign: Callsign,
    /// When it was created, in milliseconds since the epoch.
    pub created_at: u64,
}

/// The identities of an account.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IdentitiesReply {
    /// One row for each, by callsign.
    pub identities: Vec<IdentityRow>,
}

/// A key of an identity. It is shown only here.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IdentityReply {
    /// The identity's callsign.
    pub callsign: Callsign,
    /// What proves it: say it when you join, as `identity_key` or `X-Identity-Key`.
    pub identity_key: String,
}

/// The channels an account owns.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OwnedChannelsReply {
    /// One row for each, oldest first.
    pub channels: Vec<OwnedChannel>,
}

/// A channel an account owns.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OwnedChannel {
    /// Its id.
    pub id: ChannelId,
    /// When it was created, in milliseconds since the epoch.
    pub created_at: u64,
    /// What is kept of its messages.
    pub retention: Retention,
    /// Whether only identities may join.
    pub require_identity: bool,
    /// Its trust mode.
    pub trust_mode: TrustMode,
    /// Members online.
    pub agent_count: usize,
}

/// A channel's new token. It is shown only here.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TokenReply {
    /// The channel.
    pub channel_id: ChannelId,
    /// What admits to it from now on. The one before does not any more; who is there stays.
    pub join_token: String,
}

/// The callsign of a new identity, from a wish.
///
/// # Errors
/// `invalid` when it cannot be a callsign, `callsign_taken` when it is reserved: for the hub, for broadcasts, for numbers
/// (a message to `7` goes to the callsign `7` first), or one of those the hub picks for who has no wish.
pub fn identity_callsign(wish: &str) -> Result<Callsign, Refusal> {
    let reserved = || {
        Refusal::new(Code::CallsignTaken, "this callsign is reserved")
            .hint("wish for another one, or leave callsign out and the hub makes one up")
    };
    if wish.trim().eq_ignore_ascii_case(crate::callsign::ALL) {
        return Err(reserved());
    }
    let callsign = Callsign::parse(wish)?;
    let name = callsign.as_str();
    let is_number = name.bytes().all(|b| b.is_ascii_digit());
    if is_number || RESERVED.contains(&name) || names::is_generated(name) { Err(reserved()) } else { Ok(callsign) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_callsigns_are_nobodys() {
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
