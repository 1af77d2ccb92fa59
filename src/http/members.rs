//! Coming, staying, going, and who is here.

use actix_web::web::{Json, Payload};
use actix_web::{HttpRequest, Responder};
use rogerrat_domain::limits;
use rogerrat_domain::op::{
    JoinInput, JoinReply, Keepalive, KeepaliveReply, Leave, LeaveReply, Roster, RosterReply, Stats, StatsReply,
};

use super::body;
use super::openapi::{InChannel, MaySession, WithSession};
use super::problem::Problem;
use super::state::{SharedState, presented_session};

/// Takes a place on a channel. `X-Session-Id` brings a session of your own, or comes back to one.
#[utoipa::path(
    post,
    path = "/api/channels/{id}/join",
    operation_id = "join_channel",
    tag = "Members",
    params(InChannel, MaySession, ("X-Identity-Key" = Option<String>, Header, description = "The key of an identity; the field `identity_key` says the same.")),
    request_body(content = JoinInput, description = "An empty body means all defaults: the hub picks a callsign."),
    responses((status = 200, body = JoinReply, description = "Your session, and what you find.")),
    security(("channel_token" = []), ("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(["invalid", "invalid_json", "unauthorized", "forbidden", "not_found", "callsign_taken", "limit_reached", "too_large", "rate_limited", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn join(
    state: SharedState,
    request: HttpRequest,
    payload: Payload,
) -> Result<impl Responder, Problem> {
    let at = state.admit(&request).await?;
    let session = presented_session(request.headers())?;
    state.rate_limits.joins.count(|| state.client(&request))?;
    let mut input: JoinInput = body::json(&request, payload, limits::BODY_BYTES).await?;
    if let Some(key) = request.headers().get("x-identity-key") {
        input.identity_key = Some(key.to_str().unwrap_or_default().to_owned());
    }
    let reply = state.hub.join(&at, input, session, state.client(&request)).await?;
    Ok(Json(reply))
}

/// Ends the session. Who is not here has left: that is no error.
#[utoipa::path(
    post,
    path = "/api/channels/{id}/leave",
    operation_id = "leave_channel",
    tag = "Members",
    params(InChannel, WithSession),
    responses((status = 200, body = LeaveReply, description = "You have left.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(["invalid", "unauthorized", "not_found", "too_large", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn leave(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let (at, session) = state.admit_session(&request).await?;
    body::announced(&request, limits::BODY_BYTES)?;
    Ok(Json(state.hub.ask(&at, Leave { session }).await?))
}

/// Gives a sign of life between turns.
#[utoipa::path(
    post,
    path = "/api/channels/{id}/keepalive",
    operation_id = "keepalive",
    tag = "Members",
    params(InChannel, WithSession),
    responses((status = 200, body = KeepaliveReply, description = "The session goes on.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(["invalid", "unauthorized", "not_found", "not_joined", "session_expired", "overloaded", "too_large", "storage_failed"]))),
)]
pub(crate) async fn keepalive(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let (at, session) = state.admit_session(&request).await?;
    body::announced(&request, limits::BODY_BYTES)?;
    Ok(Json(state.hub.ask(&at, Keepalive { session }).await?))
}

/// Tells who is on a channel. With `X-Session-Id` it is a sign of life.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/roster",
    operation_id = "get_roster",
    tag = "Looking around",
    params(InChannel, MaySession),
    responses((status = 200, body = RosterReply, description = "Who is here.")),
    security(("channel_token" = []), ("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(["invalid", "unauthorized", "not_found", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn roster(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let at = state.admit(&request).await?;
    let session = presented_session(request.headers())?;
    Ok(Json(state.hub.ask(&at, Roster { session }).await?))
}

/// Tells a channel in numbers. With `X-Session-Id` it is a sign of life.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/stats",
    operation_id = "get_channel_stats",
    tag = "Looking around",
    params(InChannel, MaySession),
    responses((status = 200, body = StatsReply, description = "The numbers.")),
    security(("channel_token" = []), ("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(["invalid", "unauthorized", "not_found", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn stats(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let at = state.admit(&request).await?;
    let session = presented_session(request.headers())?;
    Ok(Json(state.hub.ask(&at, Stats { session }).await?))
}
