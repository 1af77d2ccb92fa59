//! Sending, acknowledging, and what was said.

use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::web::{Json, Payload};
use actix_web::{HttpRequest, HttpResponse, Responder};
use rogerrat_domain::op::{
    AckInput, AckReply, Consumers, ConsumersReply, Draft, History, HistoryReply, Receipts, ReceiptsReply,
    RemoveConsumer, Send, SendInput, SendReply,
};
use rogerrat_domain::{ConsumerName, Refusal, limits};
use serde::Serialize;

use super::body;
use super::openapi::{HistoryQuery, InChannel, MaySession, WithSession};
use super::problem::{Problem, tell_quota};
use super::query::{Query, message_id};
use super::state::{SharedState, presented_session};

/// Under which key a send may be repeated.
static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// What every answer to a send is. Said so because actix would spell it anew for each.
static JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Sends to one member or to all.
#[utoipa::path(
    post,
    path = "/api/channels/{id}/send",
    operation_id = "send_message",
    tag = "Messages",
    params(InChannel, WithSession, ("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,128}$", description = "The key under which the send may be repeated; wins over the field `client_msg_id`.")),
    request_body(content = SendInput, description = "What is to be sent."),
    responses((status = 200, body = SendReply, description = "It is sent.", headers(("X-RateLimit-Limit" = Option<u64>, description = "Sends allowed in a minute; where sends are limited."), ("X-RateLimit-Remaining" = Option<u64>, description = "Sends left of them."), ("X-RateLimit-Reset" = Option<u64>, description = "The second of the epoch at which the oldest send leaves the minute.")))),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(["invalid", "unauthorized", "not_found", "not_joined", "session_expired", "overloaded", "invalid_json", "unknown_recipient", "mailbox_full", "idempotency_conflict", "too_large", "rate_limited", "storage_failed"]))),
)]
pub(crate) async fn send(state: SharedState, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let (at, session) = state.admit_session(&request).await?;
    let input: SendInput = body::json(&request, payload, limits::BODY_SEND_BYTES).await?;
    let draft = Draft::check(input, idempotency_key(&request)?)?;
    state.rate_limits.sends.count(|| state.client(&request))?;
    let reply = state.hub.ask(&at, Send { session, draft }).await?;
    let quota = reply.quota;
    let mut response = HttpResponse::Ok().insert_header((header::CONTENT_TYPE, JSON.clone())).json(reply);
    if let Some(quota) = quota {
        tell_quota(response.headers_mut(), quota);
    }
    Ok(response)
}

fn idempotency_key(request: &HttpRequest) -> Result<Option<&str>, Refusal> {
    let Some(value) = request.headers().get(&IDEMPOTENCY_KEY) else { return Ok(None) };
    let text = value.to_str().map_err(|_| Refusal::invalid("Idempotency-Key must be visible ASCII"));
    text.map(Some)
}

/// Tells the last messages, oldest first. It acknowledges nothing; with `X-Session-Id` it is a sign of life.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/history",
    operation_id = "get_history",
    tag = "Messages",
    params(InChannel, MaySession, HistoryQuery),
    responses((status = 200, body = HistoryReply, description = "The messages.")),
    security(("channel_token" = []), ("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(["invalid", "unauthorized", "not_found", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn history(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let at = state.admit(&request).await?;
    let session = presented_session(request.headers())?;
    let query = Query::of(request.query_string());
    let thread = query.get("thread").map(|name| name.trim().to_owned());
    let reply = state.hub.ask(&at, History { session, n: query.history_n(), thread }).await?;
    Ok(Json(reply))
}

/// Acknowledges everything up to an id, for one consumer.
#[utoipa::path(
    post,
    path = "/api/channels/{id}/ack",
    operation_id = "acknowledge",
    tag = "Reading",
    params(InChannel, WithSession),
    request_body(content = AckInput, description = "How far."),
    responses((status = 200, body = AckReply, description = "Where that leaves the consumer.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(["invalid", "unauthorized", "not_found", "not_joined", "session_expired", "overloaded", "invalid_json", "too_large", "storage_failed"]))),
)]
pub(crate) async fn ack(state: SharedState, request: HttpRequest, payload: Payload) -> Result<impl Responder, Problem> {
    let (at, session) = state.admit_session(&request).await?;
    let input: AckInput = body::json(&request, payload, limits::BODY_BYTES).await?;
    Ok(Json(state.hub.ask(&at, input.check(session)?).await?))
}

/// Lists your consumers, the default one first.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/consumers",
    operation_id = "list_consumers",
    tag = "Reading",
    params(InChannel, WithSession),
    responses((status = 200, body = ConsumersReply, description = "The consumers.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(["invalid", "unauthorized", "not_found", "not_joined", "session_expired", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn consumers(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let (at, session) = state.admit_session(&request).await?;
    Ok(Json(state.hub.ask(&at, Consumers { session }).await?))
}

/// It is done.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Done {
    /// Always true.
    ok: bool,
}

/// Removes a named consumer; its poll and its stream end. The default one stays.
#[utoipa::path(
    delete,
    path = "/api/channels/{id}/consumers/{name}",
    operation_id = "remove_consumer",
    tag = "Reading",
    params(InChannel, WithSession, ("name" = String, Path, pattern = "^[a-z0-9_-]{1,32}$", description = "The consumer.")),
    responses((status = 200, body = Done, description = "It is gone.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(["invalid", "unauthorized", "not_found", "not_joined", "session_expired", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn remove_consumer(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let (at, session) = state.admit_session(&request).await?;
    let name = ConsumerName::parse(request.match_info().get("name").unwrap_or_default())?;
    state.hub.ask(&at, RemoveConsumer { session, name }).await?;
    Ok(Json(Done { ok: true }))
}

/// Tells what became of a message, to its sender.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/messages/{message}/receipts",
    operation_id = "get_receipts",
    tag = "Messages",
    params(InChannel, WithSession, ("message" = u64, Path, maximum = 18_446_744_073_709_551_615u64, description = "The id of the message.")),
    responses((status = 200, body = ReceiptsReply, description = "One receipt for each recipient.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(["invalid", "unauthorized", "not_found", "not_joined", "session_expired", "overloaded", "forbidden", "storage_failed"]))),
)]
pub(crate) async fn receipts(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let (at, session) = state.admit_session(&request).await?;
    let id = message_id(request.match_info().get("message").unwrap_or_default())?;
    Ok(Json(state.hub.ask(&at, Receipts { session, id }).await?))
}
