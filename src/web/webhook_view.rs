//! The reply to subscribing a webhook, shared by all interfaces.

use rogerrat_actors::Subscribed;
use rogerrat_domain::webhook::{MESSAGE_RECEIVED, Retry};
use serde::Serialize;
use utoipa::ToSchema;

/// What subscribing, and creating a channel with a webhook, says of the disk (A3).
const NOTE: &str = "Until a message is delivered or given up it is on the hub's disk, encrypted with the hub's key; then it \
                    is erased. This holds for channels in memory too.";

/// A webhook and its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct SubscribedReply {
    /// Its id.
    #[schema(pattern = "^wh_[0-9a-f]{32}$")]
    pub(crate) id: String,
    /// Where it is posted.
    url: String,
    /// What it is posted for.
    events: [&'static str; 1],
    retry: Retry,
    /// When it was subscribed, in milliseconds since the epoch.
    created_at: u64,
    /// What its deliveries are signed with. Shown only here.
    #[schema(pattern = "^whsec_[A-Za-z0-9+/]{32}$")]
    pub(crate) secret: String,
    /// While the secret before signs too: until when, in milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    previous_secret_until: Option<u64>,
    /// What of a message is on the hub's disk, and how long.
    note: &'static str,
}

impl From<Subscribed> for SubscribedReply {
    fn from(Subscribed { hook, secret }: Subscribed) -> Self {
        Self {
            id: hook.id.to_string(),
            url: hook.url.to_string(),
            events: [MESSAGE_RECEIVED],
            retry: hook.retry,
            created_at: hook.created_ms,
            secret: secret.text().to_owned(),
            previous_secret_until: hook.previous.map(|previous| previous.until_ms),
            note: NOTE,
        }
    }
}
