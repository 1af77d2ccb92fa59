//! Handlers of an account's push subscriptions.

use actix_web::web::Payload;
use actix_web::{HttpRequest, Responder};
use rogerrat_domain::Code;
use rogerrat_domain::push::PushInput;
use rogerrat_domain::webhook::HookOwner;

use super::super::Done;
use super::super::error_codes::{ACCOUNT, BODY, codes};
use super::replies::{PushCreated, PushSubscriptions, PushTestReply, PushView};
use super::{PushPath, Subscriber};
use crate::web::problem::Problem;
use crate::web::state::SharedState;

async fn subscriber(state: &SharedState, request: &HttpRequest) -> Result<Subscriber, Problem> {
    let owner = HookOwner::Account(state.admit_owner(request).await?.id().clone());
    Ok(Subscriber { owner, member: None })
}

/// Subscribe a browser to notifications of direct messages to the account's identities, and of changes to the account.
///
/// The same endpoint replaces its earlier subscription.
#[utoipa::path(
    post,
    path = "/api/account/push",
    operation_id = "subscribe_account_push",
    tag = "Web push",
    request_body(content = PushInput, description = "The browser's subscription, and what it is for."),
    responses((status = 200, body = PushCreated, description = "The subscription.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(codes(&[
        ACCOUNT,
        BODY,
        &[Code::NotFound, Code::LimitReached, Code::RateLimited],
    ])))),
)]
pub(crate) async fn subscribe(
    state: SharedState,
    request: HttpRequest,
    payload: Payload,
) -> Result<impl Responder, Problem> {
    let who = subscriber(&state, &request).await?;
    super::subscribe(state, request, payload, who).await
}

/// List the account's push subscriptions.
#[utoipa::path(
    get,
    path = "/api/account/push",
    operation_id = "list_account_pushes",
    tag = "Web push",
    responses((status = 200, body = PushSubscriptions, description = "The subscriptions.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(codes(&[ACCOUNT])))),
)]
pub(crate) async fn list(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let who = subscriber(&state, &request).await?;
    super::list(&state, &who).await
}

/// Get a push subscription of the account, with the result of the last push.
#[utoipa::path(
    get,
    path = "/api/account/push/{push}",
    operation_id = "get_account_push",
    tag = "Web push",
    params(PushPath),
    responses((status = 200, body = PushView, description = "The subscription.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(codes(&[ACCOUNT, &[Code::NotFound]])))),
)]
pub(crate) async fn get(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let who = subscriber(&state, &request).await?;
    super::get(&state, &request, &who).await
}

/// Remove a push subscription of the account.
#[utoipa::path(
    delete,
    path = "/api/account/push/{push}",
    operation_id = "remove_account_push",
    tag = "Web push",
    params(PushPath),
    responses((status = 200, body = Done, description = "Removed.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(codes(&[ACCOUNT, &[Code::NotFound]])))),
)]
pub(crate) async fn remove(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let who = subscriber(&state, &request).await?;
    super::remove(&state, &request, who).await
}

/// Push a test to a subscription of the account at once, and wait for the answer of its push service.
#[utoipa::path(
    post,
    path = "/api/account/push/{push}/test",
    operation_id = "test_account_push",
    tag = "Web push",
    params(PushPath),
    responses((status = 200, body = PushTestReply, description = "The answer of the push service.")),
    security(("account_session" = [])),
    extensions(("x-error-codes" = json!(codes(&[
        ACCOUNT,
        &[Code::NotFound, Code::TooLarge, Code::RateLimited],
    ])))),
)]
pub(crate) async fn test(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let who = subscriber(&state, &request).await?;
    super::test(&state, &request, &who).await
}
