//! Handlers of a channel's webhooks.

use actix_web::web::Payload;
use actix_web::{HttpRequest, Responder};
use rogerrat_domain::Code;
use rogerrat_domain::webhook::{ReplayInput, SubscribeInput};

use super::super::Done;
use super::super::error_codes::{BODY, CHANNEL_WEBHOOKS, codes};
use super::super::parameters::ChannelPath;
use super::replies::{DeliveriesReply, ReplayReply, TestReply, WebhooksReply};
use super::{WebhookPath, channel_owner};
use crate::web::problem::Problem;
use crate::web::state::SharedState;
use crate::web::webhook_view::SubscribedReply;

/// Subscribe a URL to the messages of the channel.
///
/// Direct messages are included unless they are private. The URL is validated now and again before every delivery.
#[utoipa::path(
    post,
    path = "/api/channels/{id}/webhooks",
    operation_id = "subscribe_channel_webhook",
    tag = "Webhooks",
    params(ChannelPath),
    request_body(content = SubscribeInput, description = "The URL to deliver to."),
    responses((status = 200, body = SubscribedReply, description = "The webhook. Its secret is returned only once.")),
    security(("channel_token" = [])),
    extensions(("x-error-codes" = json!(codes(&[CHANNEL_WEBHOOKS, BODY, &[Code::LimitReached, Code::RateLimited]])))),
)]
pub(crate) async fn subscribe(
    state: SharedState,
    request: HttpRequest,
    payload: Payload,
) -> Result<impl Responder, Problem> {
    let owner = channel_owner(&state, &request).await?;
    super::subscribe(state, request, payload, owner).await
}

/// List the channel's webhooks, without their secrets.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/webhooks",
    operation_id = "list_channel_webhooks",
    tag = "Webhooks",
    params(ChannelPath),
    responses((status = 200, body = WebhooksReply, description = "The webhooks.")),
    security(("channel_token" = [])),
    extensions(("x-error-codes" = json!(codes(&[CHANNEL_WEBHOOKS])))),
)]
pub(crate) async fn list(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = channel_owner(&state, &request).await?;
    Ok(super::list(&state, &owner))
}

/// Remove a webhook and its deliveries.
///
/// Pending deliveries are discarded.
#[utoipa::path(
    delete,
    path = "/api/channels/{id}/webhooks/{hook}",
    operation_id = "remove_channel_webhook",
    tag = "Webhooks",
    params(ChannelPath, WebhookPath),
    responses((status = 200, body = Done, description = "Deleted.")),
    security(("channel_token" = [])),
    extensions(("x-error-codes" = json!(codes(&[CHANNEL_WEBHOOKS])))),
)]
pub(crate) async fn remove(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = channel_owner(&state, &request).await?;
    super::remove(state, &request, owner).await
}

/// Send a test event to a webhook.
///
/// It is queued behind pending deliveries, and is also sent to a webhook that is switched off.
#[utoipa::path(
    post,
    path = "/api/channels/{id}/webhooks/{hook}/test",
    operation_id = "test_channel_webhook",
    tag = "Webhooks",
    params(ChannelPath, WebhookPath),
    responses((status = 200, body = TestReply, description = "Queued.")),
    security(("channel_token" = [])),
    extensions(("x-error-codes" = json!(codes(&[
        CHANNEL_WEBHOOKS,
        &[Code::TooLarge, Code::LimitReached, Code::RateLimited],
    ])))),
)]
pub(crate) async fn test(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = channel_owner(&state, &request).await?;
    super::test(state, request, owner).await
}

/// List the last 100 deliveries of a webhook, newest first.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/webhooks/{hook}/deliveries",
    operation_id = "list_channel_deliveries",
    tag = "Webhooks",
    params(ChannelPath, WebhookPath),
    responses((status = 200, body = DeliveriesReply, description = "The deliveries.")),
    security(("channel_token" = [])),
    extensions(("x-error-codes" = json!(codes(&[CHANNEL_WEBHOOKS])))),
)]
pub(crate) async fn deliveries(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = channel_owner(&state, &request).await?;
    super::deliveries(state, &request, &owner).await
}

/// Replay one delivery, or all failed and dropped ones.
///
/// The delivery keeps its id and its body.
#[utoipa::path(
    post,
    path = "/api/channels/{id}/webhooks/{hook}/replay",
    operation_id = "replay_channel_deliveries",
    tag = "Webhooks",
    params(ChannelPath, WebhookPath),
    request_body(content = ReplayInput, description = "The delivery. An empty body means all failed and dropped ones."),
    responses((status = 200, body = ReplayReply,
        description = "The deliveries queued again, and those whose message is no longer stored.")),
    security(("channel_token" = [])),
    extensions(("x-error-codes" = json!(codes(&[
        CHANNEL_WEBHOOKS,
        BODY,
        &[Code::LimitReached, Code::RateLimited],
    ])))),
)]
pub(crate) async fn replay(
    state: SharedState,
    request: HttpRequest,
    payload: Payload,
) -> Result<impl Responder, Problem> {
    let owner = channel_owner(&state, &request).await?;
    super::replay(state, request, payload, owner).await
}

/// Rotate a webhook's secret.
///
/// For 24 hours deliveries are signed with both the new and the previous secret.
#[utoipa::path(
    post,
    path = "/api/channels/{id}/webhooks/{hook}/rotate-secret",
    operation_id = "rotate_channel_webhook_secret",
    tag = "Webhooks",
    params(ChannelPath, WebhookPath),
    responses((status = 200, body = SubscribedReply,
        description = "The webhook and its new secret, which is returned only once.")),
    security(("channel_token" = [])),
    extensions(("x-error-codes" = json!(codes(&[CHANNEL_WEBHOOKS, &[Code::TooLarge]])))),
)]
pub(crate) async fn rotate(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = channel_owner(&state, &request).await?;
    super::rotate(state, request, owner).await
}
