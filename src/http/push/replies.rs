//! Replies about push subscriptions. They contain no key, and of the endpoint only its host.

use std::sync::Arc;

use rogerrat_actors::{PushStatus, PushTest};
use rogerrat_domain::Language;
use rogerrat_domain::limits::PUSH_UNUSED_MS;
use rogerrat_domain::push::PushWants;
use rogerrat_domain::webhook::{Delivery, DeliveryState, Failure};
use serde::Serialize;
use url::Url;
use utoipa::ToSchema;

/// Whether this hub sends push messages.
#[derive(Serialize, ToSchema)]
pub(super) struct PushInfo {
    /// Whether it does.
    enabled: bool,
    /// The key with which browsers subscribe: base64url of 65 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    public_key: Option<String>,
    /// Why it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    why: Option<String>,
}

impl PushInfo {
    pub(super) fn of(key: Result<Arc<str>, Arc<str>>) -> Self {
        match key {
            Ok(key) => Self { enabled: true, public_key: Some(key.to_string()), why: None },
            Err(why) => Self { enabled: false, public_key: None, why: Some(why.to_string()) },
        }
    }
}

/// A new subscription.
#[derive(Serialize, ToSchema)]
pub(super) struct PushCreated {
    /// The subscription's id. It stays the same if the same endpoint subscribes again.
    #[schema(pattern = "^ps_[0-9a-f]{32}$")]
    pub(super) id: String,
}

/// Push subscriptions, oldest first.
#[derive(Serialize, ToSchema)]
pub(super) struct PushSubscriptions {
    /// The subscriptions.
    pub(super) subscriptions: Vec<PushView>,
}

/// A push subscription.
#[derive(Serialize, ToSchema)]
pub(super) struct PushView {
    /// The subscription's id.
    #[schema(pattern = "^ps_[0-9a-f]{32}$")]
    id: String,
    /// The host of the push service.
    service: String,
    wants: PushWants,
    /// Whether notifications contain the text.
    show_text: bool,
    /// The consumer with which the device reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    consumer: Option<String>,
    language: Language,
    /// When it was created, in milliseconds since the epoch.
    created_at: u64,
    /// When its page last subscribed again, in milliseconds since the epoch.
    confirmed_at: u64,
    /// When it ends unless its page subscribes again, in milliseconds since the epoch.
    expires_at: u64,
    /// The last push that was attempted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last: Option<LastPush>,
}

/// The last push to a subscription.
#[derive(Serialize, ToSchema)]
pub(super) struct LastPush {
    status: DeliveryState,
    /// When it was queued, in milliseconds since the epoch.
    at: u64,
    /// The HTTP status of the push service.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    response_status: Option<u16>,
    /// Why the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    failure: Option<Failure>,
}

impl PushView {
    pub(super) fn of(PushStatus { hook, target, last }: PushStatus) -> Self {
        let host = Url::parse(&hook.url).ok().and_then(|url| url.host_str().map(str::to_owned));
        Self {
            id: hook.id.to_string(),
            service: host.unwrap_or_default(),
            wants: target.wants,
            show_text: target.show_text,
            consumer: target.consumer.map(|consumer| consumer.as_str().to_owned()),
            language: target.language,
            created_at: hook.created_ms,
            confirmed_at: target.used_ms,
            expires_at: target.used_ms.saturating_add(PUSH_UNUSED_MS),
            last: last.map(LastPush::from),
        }
    }
}

impl From<Delivery> for LastPush {
    fn from(delivery: Delivery) -> Self {
        Self { status: delivery.state, at: delivery.at_ms, response_status: delivery.status, failure: delivery.failure }
    }
}

/// The result of a test.
#[derive(Serialize, ToSchema)]
pub(super) struct PushTestReply {
    /// Whether the push service accepted the push.
    ok: bool,
    /// The HTTP status of the push service.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    response_status: Option<u16>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    failure: Option<Failure>,
    /// Whether the subscription was removed, because the push service does not know it any more.
    removed: bool,
}

impl From<PushTest> for PushTestReply {
    fn from(PushTest { outcome, is_removed }: PushTest) -> Self {
        let failure = outcome.failure();
        Self { ok: failure.is_none(), response_status: outcome.status(), failure, removed: is_removed }
    }
}
