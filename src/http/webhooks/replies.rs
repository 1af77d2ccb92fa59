//! What is told of webhooks.

use rogerrat_actors::HookStatus;
use rogerrat_domain::webhook::{Delivery, DeliveryState, Failure, MESSAGE_RECEIVED, Retry};
use serde::Serialize;
use utoipa::ToSchema;

/// Webhooks, oldest first.
#[derive(Serialize, ToSchema)]
pub(super) struct HooksReply {
    /// One row for each.
    pub(super) webhooks: Vec<HookRow>,
}

/// A webhook.
#[derive(Serialize, ToSchema)]
pub(super) struct HookRow {
    /// Its id.
    id: String,
    /// Where it is posted.
    url: String,
    /// What it is posted for.
    events: [&'static str; 1],
    retry: Retry,
    /// When it was subscribed, in milliseconds since the epoch.
    created_at: u64,
    /// Whether messages are posted. A hook that failed 50 times in a row is switched off; a test or a replay that works
    /// switches it on again.
    active: bool,
    /// When it was switched off, in milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    switched_off_at: Option<u64>,
    /// Deliveries that failed since the last one that did not.
    failures_in_a_row: u32,
    /// Deliveries that are due.
    due: u64,
    /// While the secret before signs too: until when, in milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    previous_secret_until: Option<u64>,
}

impl From<HookStatus> for HookRow {
    fn from(HookStatus { hook, due }: HookStatus) -> Self {
        Self {
            id: hook.id.to_string(),
            url: hook.url.to_string(),
            events: [MESSAGE_RECEIVED],
            retry: hook.retry,
            created_at: hook.created_ms,
            active: hook.off_ms.is_none(),
            switched_off_at: hook.off_ms,
            failures_in_a_row: hook.failures,
            due,
            previous_secret_until: hook.previous.map(|previous| previous.until_ms),
        }
    }
}

/// A test event is on its way.
#[derive(Serialize, ToSchema)]
pub(super) struct TestReply {
    /// Always true.
    pub(super) ok: bool,
    /// The delivery; the delivery log tells what becomes of it.
    pub(super) delivery_id: String,
}

/// The last deliveries, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct DeliveriesReply {
    /// At most 100, those that are due included.
    pub(super) deliveries: Vec<DeliveryRow>,
}

/// A delivery.
#[derive(Serialize, ToSchema)]
pub(super) struct DeliveryRow {
    /// Its id: `webhook-id`, and `X-RogerRat-Delivery`.
    id: String,
    /// `message.received` or `webhook.test`.
    event: String,
    status: DeliveryState,
    /// Attempts that ended.
    attempts: u32,
    /// How long the last attempt took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    latency_ms: Option<u64>,
    /// The HTTP status the receiver answered last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    response_status: Option<u16>,
    /// Why the last attempt failed, or why there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    failure: Option<Failure>,
    /// The channel of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    channel_id: Option<String>,
    /// The message.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    message_id: Option<u64>,
    /// When it became due, in milliseconds since the epoch.
    due_at: u64,
    /// When its first attempt began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    delivered_at: Option<u64>,
    /// When the next attempt is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_attempt_at: Option<u64>,
    /// When it was delivered or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    ended_at: Option<u64>,
}

impl From<Delivery> for DeliveryRow {
    fn from(delivery: Delivery) -> Self {
        Self {
            id: delivery.id.to_string(),
            event: delivery.event.into_owned(),
            status: delivery.state,
            attempts: delivery.attempts,
            latency_ms: delivery.latency_ms,
            response_status: delivery.status,
            failure: delivery.failure,
            channel_id: delivery.channel.map(|channel| channel.to_string()),
            message_id: delivery.message,
            due_at: delivery.at_ms,
            delivered_at: delivery.began_ms,
            next_attempt_at: delivery.next_ms,
            ended_at: delivery.ended_ms,
        }
    }
}

/// What is delivered once more.
#[derive(Serialize, ToSchema)]
pub(super) struct ReplayReply {
    /// Deliveries that are due again, under the same ids.
    pub(super) replayed: Vec<String>,
    /// Deliveries whose message is not held any more.
    pub(super) gone: Vec<String>,
}
