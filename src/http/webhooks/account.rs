//! The webhooks of an account: their handlers.

use actix_web::web::Payload;
use actix_web::{HttpRequest, Responder};
use rogerrat_domain::webhook::{ReplayInput, SubscribeInput};

use super::super::Done;
use super::super::openapi::OfHook;
use super::super::problem::Problem;
use super::super::state::SharedState;
use super::account_owner;
use super::replies::{DeliveriesReply, HooksReply, ReplayReply, TestReply};
use crate::web::webhook_view::SubscribedReply;

/// Subscribes an address to DMs to the account's identities, on any channel. It is checked now, and again whenever something is posted.
#[utoipa::path(
    post,
    path = "/api/account/webhooks",
    operation_id = "subscribe_account_webhook",
    tag = "Webhooks",
    request_body(content = SubscribeInput, description = "Where to post."),
    responses((status = 200, body = SubscribedReply, description = "The webhook. Its secret is shown only here.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "overloaded", "storage_failed", "invalid", "invalid_json", "too_large", "limit_reached", "rate_limited"]))),
)]
pub(crate) async fn subscribe(
    state: SharedState,
    request: HttpRequest,
    payload: Payload,
) -> Result<impl Responder, Problem> {
    let owner = account_owner(&state, &request).await?;
    super::subscribe(state, request, payload, owner).await
}

/// Lists the webhooks of the account, without their secrets.
#[utoipa::path(
    get,
    path = "/api/account/webhooks",
    operation_id = "list_account_webhooks",
    tag = "Webhooks",
    responses((status = 200, body = HooksReply, description = "The webhooks.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn list(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = account_owner(&state, &request).await?;
    Ok(super::list(&state, &owner))
}

/// Removes a webhook with its deliveries. What is due for it is not posted.
#[utoipa::path(
    delete,
    path = "/api/account/webhooks/{hook}",
    operation_id = "remove_account_webhook",
    tag = "Webhooks",
    params(OfHook),
    responses((status = 200, body = Done, description = "It is gone.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "overloaded", "storage_failed", "not_found"]))),
)]
pub(crate) async fn remove(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = account_owner(&state, &request).await?;
    super::remove(state, &request, owner).await
}

/// Posts a test event to a webhook, behind what is due already. One that is switched off gets it too.
#[utoipa::path(
    post,
    path = "/api/account/webhooks/{hook}/test",
    operation_id = "test_account_webhook",
    tag = "Webhooks",
    params(OfHook),
    responses((status = 200, body = TestReply, description = "It is on its way.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "overloaded", "storage_failed", "too_large", "limit_reached", "rate_limited", "not_found"]))),
)]
pub(crate) async fn test(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = account_owner(&state, &request).await?;
    super::test(state, request, owner).await
}

/// Tells the last 100 deliveries of a webhook, newest first.
#[utoipa::path(
    get,
    path = "/api/account/webhooks/{hook}/deliveries",
    operation_id = "list_account_deliveries",
    tag = "Webhooks",
    params(OfHook),
    responses((status = 200, body = DeliveriesReply, description = "The deliveries.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "overloaded", "storage_failed", "not_found"]))),
)]
pub(crate) async fn deliveries(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = account_owner(&state, &request).await?;
    super::deliveries(state, &request, &owner).await
}

/// Delivers once more, under the same id and with the same body: one delivery, or all in the log that failed.
#[utoipa::path(
    post,
    path = "/api/account/webhooks/{hook}/replay",
    operation_id = "replay_account_deliveries",
    tag = "Webhooks",
    params(OfHook),
    request_body(content = ReplayInput, description = "Which; an empty body means all that failed."),
    responses((status = 200, body = ReplayReply, description = "What is due again, and what is not held any more.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "overloaded", "storage_failed", "invalid", "invalid_json", "too_large", "limit_reached", "rate_limited", "not_found"]))),
)]
pub(crate) async fn replay(
    state: SharedState,
    request: HttpRequest,
    payload: Payload,
) -> Result<impl Responder, Problem> {
    let owner = account_owner(&state, &request).await?;
    super::replay(state, request, payload, owner).await
}

/// Gives a webhook a new secret. The one before signs beside it for 24 hours.
#[utoipa::path(
    post,
    path = "/api/account/webhooks/{hook}/rotate-secret",
    operation_id = "rotate_account_webhook_secret",
    tag = "Webhooks",
    params(OfHook),
    responses((status = 200, body = SubscribedReply, description = "The webhook and its new secret, which is shown only here.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(["unauthorized", "overloaded", "storage_failed", "too_large", "not_found"]))),
)]
pub(crate) async fn rotate(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let owner = account_owner(&state, &request).await?;
    super::rotate(state, request, owner).await
}
