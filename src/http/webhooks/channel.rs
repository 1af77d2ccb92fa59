//! The webhooks of a channel: their handlers.

use actix_web::web::Payload;
use actix_web::{HttpRequest, Responder};
use rogerrat_domain::webhook::{ReplayInput, SubscribeInput};

use super::super::Done;
use super::super::openapi::{InChannel, OfHook};
use super::super::problem::Problem;
use super::super::state::SharedState;
use super::channel_owner;
use super::replies::{DeliveriesReply, HooksReply, ReplayReply, TestReply};
use crate::web::webhook_view::SubscribedReply;

/// Subscribes an address to every message of the channel, its DMs too unless they are private. It is checked now, and again whenever something is posted.
#[utoipa::path(
    post,
    path = "/api/channels/{id}/webhooks",
    operation_id = "subscribe_channel_webhook",
    tag = "Webhooks",
    params(InChannel),
    request_body(content = SubscribeInput, description = "Where to post."),
    responses((status = 200, body = SubscribedReply, description = "The webhook. Its secret is shown only here.")),
    security(("channel_token" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "overloaded", "storage_failed", "not_found", "forbidden", "invalid", "invalid_json", "too_large", "limit_reached", "rate_limited"]))),
)]
pub(crate) async fn subscribe(
    state: SharedState,
    request: HttpRequest,
    payload: Payload,
) -> Result<impl Responder, Problem> {
    let owner = channel_owner(&state, &request).await?;
    super::subscribe(state, request, payload, owner).await
}

/// Lists the webhooks of the channel, without their secrets.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/webhooks",
    operation_id = "list_channel_webhooks",
    tag = "Webhooks",
    params(InChannel),
    responses((status = 200, body = HooksReply, description = "The webhooks.")),
    security(("channel_token" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "overloaded", "storage_failed", "not_found", "forbidden"]))),
)]
pub(crate) async fn list(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = channel_owner(&state, &request).await?;
    Ok(super::list(&state, &owner))
}

/// Removes a webhook with its deliveries. What is due for it is not posted.
#[utoipa::path(
    delete,
    path = "/api/channels/{id}/webhooks/{hook}",
    operation_id = "remove_channel_webhook",
    tag = "Webhooks",
    params(InChannel, OfHook),
    responses((status = 200, body = Done, description = "It is gone.")),
    security(("channel_token" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "overloaded", "storage_failed", "not_found", "forbidden"]))),
)]
pub(crate) async fn remove(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = channel_owner(&state, &request).await?;
    super::remove(state, &request, owner).await
}

/// Posts a test event to a webhook, behind what is due already. One that is switched off gets it too.
#[utoipa::path(
    post,
    path = "/api/channels/{id}/webhooks/{hook}/test",
    operation_id = "test_channel_webhook",
    tag = "Webhooks",
    params(InChannel, OfHook),
    responses((status = 200, body = TestReply, description = "It is on its way.")),
    security(("channel_token" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "overloaded", "storage_failed", "not_found", "forbidden", "too_large", "limit_reached", "rate_limited"]))),
)]
pub(crate) async fn test(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = channel_owner(&state, &request).await?;
    super::test(state, request, owner).await
}

/// Tells the last 100 deliveries of a webhook, newest first.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/webhooks/{hook}/deliveries",
    operation_id = "list_channel_deliveries",
    tag = "Webhooks",
    params(InChannel, OfHook),
    responses((status = 200, body = DeliveriesReply, description = "The deliveries.")),
    security(("channel_token" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "overloaded", "storage_failed", "not_found", "forbidden"]))),
)]
pub(crate) async fn deliveries(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = channel_owner(&state, &request).await?;
    super::deliveries(state, &request, &owner).await
}

/// Delivers once more, under the same id and with the same body: one delivery, or all in the log that failed.
#[utoipa::path(
    post,
    path = "/api/channels/{id}/webhooks/{hook}/replay",
    operation_id = "replay_channel_deliveries",
    tag = "Webhooks",
    params(InChannel, OfHook),
    request_body(content = ReplayInput, description = "Which; an empty body means all that failed."),
    responses((status = 200, body = ReplayReply, description = "What is due again, and what is not held any more.")),
    security(("channel_token" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "overloaded", "storage_failed", "not_found", "forbidden", "invalid", "invalid_json", "too_large", "limit_reached", "rate_limited"]))),
)]
pub(crate) async fn replay(
    state: SharedState,
    request: HttpRequest,
    payload: Payload,
) -> Result<impl Responder, Problem> {
    let owner = channel_owner(&state, &request).await?;
    super::replay(state, request, payload, owner).await
}

/// Gives a webhook a new secret. The one before signs beside it for 24 hours.
#[utoipa::path(
    post,
    path = "/api/channels/{id}/webhooks/{hook}/rotate-secret",
    operation_id = "rotate_channel_webhook_secret",
    tag = "Webhooks",
    params(InChannel, OfHook),
    responses((status = 200, body = SubscribedReply, description = "The webhook and its new secret, which is shown only here.")),
    security(("channel_token" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "overloaded", "storage_failed", "not_found", "forbidden", "too_large"]))),
)]
pub(crate) async fn rotate(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = channel_owner(&state, &request).await?;
    super::rotate(state, request, owner).await
}
