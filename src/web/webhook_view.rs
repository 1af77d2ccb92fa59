//! What is shown of a webhook, shared by all interfaces.

use rogerrat_actors::Subscribed;
use rogerrat_domain::webhook::{FormatSummary, Hook, MESSAGE_RECEIVED, Retry};
use serde::Serialize;
use utoipa::ToSchema;

/// What a subscriber must know about storage (A3).
const NOTE: &str = "Until a message is delivered or given up, it is stored on the hub's disk, encrypted with the hub's \
                    key; then it is erased. This also applies to channels in memory.";

/// What does not change of a webhook, except by a rotation of its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookDescription {
    /// The webhook's id.
    #[schema(pattern = "^wh_[0-9a-f]{32}$")]
    pub(crate) id: String,
    /// The URL deliveries are posted to.
    url: String,
    /// The subscribed events.
    events: [&'static str; 1],
    retry: Retry,
    /// When the webhook was created, in milliseconds since the epoch.
    created_at: u64,
    /// The names of the headers that are added to every request, in lower case. Their values are not shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    header_names: Vec<String>,
    /// True if the body is made from a template, which is not shown.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    custom_body: bool,
    /// Until when deliveries are also signed with the previous secret, in milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    previous_secret_until: Option<u64>,
}

impl WebhookDescription {
    pub(crate) fn of(hook: Hook, format: FormatSummary) -> Self {
        Self {
            id: hook.id.to_string(),
            url: hook.url.to_string(),
            events: [MESSAGE_RECEIVED],
            retry: hook.retry,
            created_at: hook.created_ms,
            header_names: format.header_names,
            custom_body: format.has_body,
            previous_secret_until: hook.previous.map(|previous| previous.until_ms),
        }
    }
}

/// A webhook and its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct SubscribedReply {
    #[serde(flatten)]
    pub(crate) webhook: WebhookDescription,
    /// The secret that signs deliveries. Returned only once.
    #[schema(pattern = "^whsec_[A-Za-z0-9+/]{32}$")]
    pub(crate) secret: String,
    /// How long messages are stored on the hub's disk.
    note: &'static str,
}

impl From<Subscribed> for SubscribedReply {
    fn from(Subscribed { hook, secret, format }: Subscribed) -> Self {
        Self { webhook: WebhookDescription::of(hook, format), secret: secret.text().to_owned(), note: NOTE }
    }
}
