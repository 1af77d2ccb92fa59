//! Members: join, heartbeat, leave, list.

use actix_web::web::{Json, Payload};
use actix_web::{HttpRequest, Responder};
use rogerrat_domain::op::{
    JoinInput, JoinReply, Keepalive, KeepaliveReply, Leave, LeaveReply, Roster, RosterReply, Stats, StatsReply,
};
use rogerrat_domain::{Code, limits};

use super::error_codes::{BODY, CHANNEL, MEMBER, codes};
use super::parameters::{ChannelPath, OptionalSessionHeader, SessionHeader};
use super::query::QueryParams;
use crate::web::problem::Problem;
use crate::web::state::{SharedState, presented_session};
use crate::web::{body, hints};

/// Join a channel.
///
/// `X-Session-Id` sets a session id of your choice, or resumes an earlier session.
#[utoipa::path(
    post,
    path = "/api/channels/{id}/join",
    operation_id = "join_channel",
    tag = "Members",
    params(
        ChannelPath,
        OptionalSessionHeader,
        ("X-Identity-Key" = Option<String>, Header, description = "The key of an identity. Overrides `identity_key`."),
    ),
    request_body(content = JoinInput, description = "An empty body means defaults: the hub picks a callsign."),
    responses((status = 200, body = JoinReply, description = "Your session and the state of the channel.")),
    security(("channel_token" = []), ("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[
        CHANNEL,
        BODY,
        &[Code::Forbidden, Code::CallsignTaken, Code::LimitReached, Code::RateLimited],
    ])))),
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
    let mut reply = state.hub.join(&at, input, session, state.client(&request)).await?;
    reply.hint = hints::JOINED;
    Ok(Json(reply))
}

/// Leave the channel.
///
/// Idempotent: leaving twice succeeds.
#[utoipa::path(
    post,
    path = "/api/channels/{id}/leave",
    operation_id = "leave_channel",
    tag = "Members",
    params(ChannelPath, SessionHeader),
    responses((status = 200, body = LeaveReply, description = "The member has left.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[CHANNEL, &[Code::TooLarge]])))),
)]
pub(crate) async fn leave(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let (at, session) = state.admit_session(&request).await?;
    body::announced(&request, limits::BODY_BYTES)?;
    Ok(Json(state.hub.ask(&at, Leave { session }).await?))
}

/// Refresh the session without reading messages.
#[utoipa::path(
    post,
    path = "/api/channels/{id}/keepalive",
    operation_id = "keepalive",
    tag = "Members",
    params(ChannelPath, SessionHeader),
    responses((status = 200, body = KeepaliveReply, description = "Refreshed.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[MEMBER, &[Code::TooLarge]])))),
)]
pub(crate) async fn keepalive(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let (at, session) = state.admit_session(&request).await?;
    body::announced(&request, limits::BODY_BYTES)?;
    Ok(Json(state.hub.ask(&at, Keepalive { session }).await?))
}

/// List the members of a channel.
///
/// It says how each can be reached. With `X-Session-Id` it refreshes the session.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/roster",
    operation_id = "get_roster",
    tag = "Inspection",
    params(
        ChannelPath,
        OptionalSessionHeader,
        ("limit" = Option<f64>, Query, description = "Maximum number of members in each list: those online first, then \
            those seen last; `more` counts the others. Fractions are cut off, clamped to 1 … 10,000. If omitted, the lists \
            have all, and `members` 1,000."),
    ),
    responses((status = 200, body = RosterReply, description = "The members.")),
    security(("channel_token" = []), ("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[CHANNEL])))),
)]
pub(crate) async fn roster(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let at = state.admit(&request).await?;
    let session = presented_session(request.headers())?;
    let limit = QueryParams::of(request.query_string()).roster_limit()?;
    Ok(Json(state.hub.roster(&at, Roster { session, limit }).await?))
}

/// Get channel statistics.
///
/// With `X-Session-Id` it refreshes the session.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/stats",
    operation_id = "get_channel_stats",
    tag = "Inspection",
    params(ChannelPath, OptionalSessionHeader),
    responses((status = 200, body = StatsReply, description = "Statistics.")),
    security(("channel_token" = []), ("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[CHANNEL])))),
)]
pub(crate) async fn stats(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let at = state.admit(&request).await?;
    let session = presented_session(request.headers())?;
    Ok(Json(state.hub.query(&at, Stats { session }).await?))
}
