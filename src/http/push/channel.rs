//! Handlers of a member's push subscriptions.

use actix_web::web::Payload;
use actix_web::{HttpRequest, Responder};
use rogerrat_domain::Code;
use rogerrat_domain::push::PushInput;
use rogerrat_domain::webhook::HookOwner;

use super::super::Done;
use super::super::error_codes::{BODY, MEMBER, codes};
use super::super::parameters::{ChannelPath, SessionHeader};
use super::replies::{PushCreated, PushSubscriptions, PushTestReply, PushView};
use super::{PushPath, Subscriber};
use crate::web::problem::Problem;
use crate::web::state::SharedState;

async fn subscriber(state: &SharedState, request: &HttpRequest) -> Result<Subscriber, Problem> {
    let (at, session) = state.admit_session(request).await?;
    let member = state.hub.push_subscriber(&at, session).await?;
    Ok(Subscriber { owner: HookOwner::Channel(at.id().clone()), member: Some(member) })
}

/// Subscribe a browser to notifications of what the caller gets on this channel.
///
/// The same endpoint replaces its earlier subscription. A page subscribes again at each start: after 60 days without that, a
/// subscription ends.
#[utoipa::path(
    post,
    path = "/api/channels/{id}/push",
    operation_id = "subscribe_push",
    tag = "Web push",
    params(ChannelPath, SessionHeader),
    request_body(content = PushInput, description = "The browser's subscription, and what it is for."),
    responses((status = 200, body = PushCreated, description = "The subscription.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[
        MEMBER,
        BODY,
        &[Code::Forbidden, Code::LimitReached, Code::RateLimited],
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

/// List the caller's push subscriptions on this channel.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/push",
    operation_id = "list_pushes",
    tag = "Web push",
    params(ChannelPath, SessionHeader),
    responses((status = 200, body = PushSubscriptions, description = "The subscriptions.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[MEMBER, &[Code::Forbidden]])))),
)]
pub(crate) async fn list(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let who = subscriber(&state, &request).await?;
    super::list(&state, &who).await
}

/// Get a push subscription, with the result of the last push.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/push/{push}",
    operation_id = "get_push_subscription",
    tag = "Web push",
    params(ChannelPath, PushPath, SessionHeader),
    responses((status = 200, body = PushView, description = "The subscription.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[MEMBER, &[Code::Forbidden]])))),
)]
pub(crate) async fn get(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let who = subscriber(&state, &request).await?;
    super::get(&state, &request, &who).await
}

/// Remove a push subscription.
#[utoipa::path(
    delete,
    path = "/api/channels/{id}/push/{push}",
    operation_id = "remove_push",
    tag = "Web push",
    params(ChannelPath, PushPath, SessionHeader),
    responses((status = 200, body = Done, description = "Removed.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[MEMBER, &[Code::Forbidden]])))),
)]
pub(crate) async fn remove(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let who = subscriber(&state, &request).await?;
    super::remove(&state, &request, who).await
}

/// Push a test to a subscription at once, and wait for the answer of its push service.
#[utoipa::path(
    post,
    path = "/api/channels/{id}/push/{push}/test",
    operation_id = "test_push",
    tag = "Web push",
    params(ChannelPath, PushPath, SessionHeader),
    responses((status = 200, body = PushTestReply, description = "The answer of the push service.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[
        MEMBER,
        &[Code::Forbidden, Code::TooLarge, Code::RateLimited],
    ])))),
)]
pub(crate) async fn test(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let who = subscriber(&state, &request).await?;
    super::test(&state, &request, &who).await
}
