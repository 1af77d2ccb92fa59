//! Replies about webhooks and their deliveries.

use rogerrat_actors::HookStatus;
use rogerrat_domain::webhook::{Delivery, DeliveryState, Failure};
use serde::Serialize;
use utoipa::ToSchema;

use crate::web::webhook_view::WebhookDescription;

/// Webhooks, oldest first.
#[derive(Serialize, ToSchema)]
pub(super) struct WebhooksReply {
    /// The webhooks.
    pub(super) webhooks: Vec<WebhookView>,
}

/// A webhook.
#[derive(Serialize, ToSchema)]
pub(super) struct WebhookView {
    #[serde(flatten)]
    webhook: WebhookDescription,
    /// Whether messages are delivered. A webhook is switched off after 50 failures in a row, and on again by a test or
    /// a replay that succeeds.
    active: bool,
    /// When the webhook was switched off, in milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    switched_off_at: Option<u64>,
    /// Failed deliveries since the last successful one.
    failures_in_a_row: u32,
    /// Pending deliveries.
    due: u64,
}

impl From<HookStatus> for WebhookView {
    fn from(HookStatus { hook, due, format }: HookStatus) -> Self {
        Self {
            active: hook.off_ms.is_none(),
            switched_off_at: hook.off_ms,
            failures_in_a_row: hook.failures,
            due,
            webhook: WebhookDescription::of(hook, format),
        }
    }
}

/// The reply to a test.
#[derive(Serialize, ToSchema)]
pub(super) struct TestReply {
    /// Always true.
    pub(super) ok: bool,
    /// The id of the delivery. Look it up in the delivery log for its result.
    pub(super) delivery_id: String,
}

/// The last deliveries, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct DeliveriesReply {
    /// At most 100, pending ones included.
    pub(super) deliveries: Vec<DeliveryView>,
}

/// A delivery and its last attempt.
#[derive(Serialize, ToSchema)]
pub(super) struct DeliveryView {
    /// The delivery's id, sent as `webhook-id` and `X-RogerRat-Delivery`.
    id: String,
    /// `message.received` or `webhook.test`.
    event: String,
    status: DeliveryState,
    /// Completed attempts.
    attempts: u32,
    /// The duration of the last attempt, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    latency_ms: Option<u64>,
    /// The HTTP status of the receiver's last response.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    response_status: Option<u16>,
    /// Why the last attempt failed, or why none was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    failure: Option<Failure>,
    /// The message's channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    channel_id: Option<String>,
    /// The message id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    message_id: Option<u64>,
    /// When the delivery was queued, in milliseconds since the epoch.
    due_at: u64,
    /// When the first attempt started, in milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    delivered_at: Option<u64>,
    /// When the next attempt starts, in milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_attempt_at: Option<u64>,
    /// When the delivery succeeded or was given up, in milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    ended_at: Option<u64>,
}

impl From<Delivery> for DeliveryView {
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

/// The result of a replay.
#[derive(Serialize, ToSchema)]
pub(super) struct ReplayReply {
    /// The ids of deliveries queued again.
    pub(super) replayed: Vec<String>,
    /// The ids of deliveries whose message is no longer stored.
    pub(super) gone: Vec<String>,
}
