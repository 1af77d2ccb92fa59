//! Coming, staying, going, and who is here.

use actix_web::web::{Json, Payload};
use actix_web::{HttpRequest, HttpResponse, Responder};
use rogerrat_domain::op::{Info, JoinInput, Keepalive, Leave, Roster, Stats};
use rogerrat_domain::{Code, Refusal, Retention, limits};

use super::body;
use super::problem::Problem;
use super::state::{Shared, presented};

/// `POST /api/channels/{id}/join`
pub(crate) async fn join(state: Shared, request: HttpRequest, payload: Payload) -> Result<impl Responder, Problem> {
    let at = state.admit(&request)?;
    let session = presented(request.headers())?;
    state.throttle.joins.count(|| state.client(&request))?;
    let mut input: JoinInput = body::json(&request, payload, limits::BODY_BYTES).await?;
    if let Some(key) = request.headers().get("x-identity-key") {
        input.identity_key = Some(key.to_str().unwrap_or_default().to_owned());
    }
    let reply = state.hub.join(&at, input, session, state.client(&request)).await?;
    Ok(Json(reply))
}

/// `POST /api/channels/{id}/leave`
pub(crate) async fn leave(state: Shared, request: HttpRequest) -> Result<impl Responder, Problem> {
    let (at, session) = state.admit_session(&request)?;
    body::announced(&request, limits::BODY_BYTES)?;
    Ok(Json(state.hub.ask(&at, Leave { session }).await?))
}

/// `POST /api/channels/{id}/keepalive`
pub(crate) async fn keepalive(state: Shared, request: HttpRequest) -> Result<impl Responder, Problem> {
    let (at, session) = state.admit_session(&request)?;
    body::announced(&request, limits::BODY_BYTES)?;
    Ok(Json(state.hub.ask(&at, Keepalive { session }).await?))
}

/// `GET /api/channels/{id}/roster`
pub(crate) async fn roster(state: Shared, request: HttpRequest) -> Result<impl Responder, Problem> {
    let at = state.admit(&request)?;
    let session = presented(request.headers())?;
    Ok(Json(state.hub.ask(&at, Roster { session }).await?))
}

/// `GET /api/channels/{id}/stats`
pub(crate) async fn stats(state: Shared, request: HttpRequest) -> Result<impl Responder, Problem> {
    let at = state.admit(&request)?;
    let session = presented(request.headers())?;
    Ok(Json(state.hub.ask(&at, Stats { session }).await?))
}

/// `GET /api/channels/{id}/transcript`
pub(crate) async fn transcript(state: Shared, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let at = state.admit(&request)?;
    let info = state.hub.ask(&at, Info).await?;
    let refusal = if info.retention == Retention::None {
        Refusal::new(Code::NotFound, "this channel has no transcript (retention=none)")
    } else {
        Refusal::new(Code::NotFound, "this hub does not keep transcripts yet")
            .hint("GET …/history has the last messages")
    };
    Err(refusal.into())
}
