//! Sending, acknowledging, and what was said.

use actix_web::web::{Json, Payload};
use actix_web::{HttpRequest, HttpResponse, Responder};
use rogerrat_domain::op::{AckInput, Consumers, Draft, History, Receipts, RemoveConsumer, Send, SendInput};
use rogerrat_domain::{ConsumerName, Refusal, limits};
use serde::Serialize;

use super::body;
use super::problem::{Problem, tell_quota};
use super::query::{Query, message_id};
use super::state::{Shared, presented};

/// `POST /api/channels/{id}/send`
pub(crate) async fn send(state: Shared, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let (at, session) = state.admit_session(&request)?;
    let input: SendInput = body::json(&request, payload, limits::BODY_SEND_BYTES).await?;
    let draft = Draft::check(input, idempotency_key(&request)?)?;
    state.throttle.sends.count(|| state.client(&request))?;
    let reply = state.hub.ask(&at, Send { session, draft }).await?;
    let quota = reply.quota;
    let mut response = HttpResponse::Ok().json(reply);
    if let Some(quota) = quota {
        tell_quota(response.headers_mut(), quota);
    }
    Ok(response)
}

fn idempotency_key(request: &HttpRequest) -> Result<Option<&str>, Refusal> {
    let Some(value) = request.headers().get("idempotency-key") else { return Ok(None) };
    let text = value.to_str().map_err(|_| Refusal::invalid("Idempotency-Key must be visible ASCII"));
    text.map(Some)
}

/// `GET /api/channels/{id}/history`
pub(crate) async fn history(state: Shared, request: HttpRequest) -> Result<impl Responder, Problem> {
    let at = state.admit(&request)?;
    let session = presented(request.headers())?;
    let query = Query::of(request.query_string());
    let thread = query.get("thread").map(|name| name.trim().to_owned());
    let reply = state.hub.ask(&at, History { session, n: query.history_n(), thread }).await?;
    Ok(Json(reply))
}

/// `POST /api/channels/{id}/ack`
pub(crate) async fn ack(state: Shared, request: HttpRequest, payload: Payload) -> Result<impl Responder, Problem> {
    let (at, session) = state.admit_session(&request)?;
    let input: AckInput = body::json(&request, payload, limits::BODY_BYTES).await?;
    Ok(Json(state.hub.ask(&at, input.check(session)?).await?))
}

/// `GET /api/channels/{id}/consumers`
pub(crate) async fn consumers(state: Shared, request: HttpRequest) -> Result<impl Responder, Problem> {
    let (at, session) = state.admit_session(&request)?;
    Ok(Json(state.hub.ask(&at, Consumers { session }).await?))
}

#[derive(Serialize)]
struct Done {
    ok: bool,
}

/// `DELETE /api/channels/{id}/consumers/{name}`
pub(crate) async fn remove_consumer(state: Shared, request: HttpRequest) -> Result<impl Responder, Problem> {
    let (at, session) = state.admit_session(&request)?;
    let name = ConsumerName::parse(request.match_info().get("name").unwrap_or_default())?;
    state.hub.ask(&at, RemoveConsumer { session, name }).await?;
    Ok(Json(Done { ok: true }))
}

/// `GET /api/channels/{id}/messages/{message}/receipts`
pub(crate) async fn receipts(state: Shared, request: HttpRequest) -> Result<impl Responder, Problem> {
    let (at, session) = state.admit_session(&request)?;
    let id = message_id(request.match_info().get("message").unwrap_or_default())?;
    Ok(Json(state.hub.ask(&at, Receipts { session, id }).await?))
}
