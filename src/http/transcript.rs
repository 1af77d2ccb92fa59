//! What a channel with a retention kept of what happened on it.

use actix_web::web::Json;
use actix_web::{HttpRequest, Responder};
use rogerrat_domain::transcript::Event;
use rogerrat_domain::{Code, Refusal, Retention};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::openapi::{InChannel, MaySession, TranscriptQuery};
use super::problem::Problem;
use super::query::Query;
use super::state::{SharedState, presented_session};

/// What was kept.
#[derive(Serialize, ToSchema)]
pub(crate) struct TranscriptReply {
    /// The channel.
    channel_id: String,
    /// What it keeps.
    retention: Retention,
    /// The events, oldest first.
    #[schema(value_type = Vec<Event<'static>>, max_items = 10_000)]
    events: Vec<Box<RawValue>>,
}

/// What was kept of what happened, oldest first. Where DMs are private, `X-Session-Id` shows your own.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/transcript",
    operation_id = "get_transcript",
    tag = "Looking around",
    params(InChannel, MaySession, TranscriptQuery),
    responses((status = 200, body = TranscriptReply, description = "The last events.")),
    security(("channel_token" = []), ("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(["invalid", "unauthorized", "not_found", "overloaded", "storage_failed"]))),
)]
pub(crate) async fn transcript(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let at = state.admit(&request).await?;
    let session = presented_session(request.headers())?;
    let retention = at.settings().retention;
    if retention == Retention::None {
        return Err(Refusal::new(Code::NotFound, "this channel has no transcript (retention=none)").into());
    }
    let limit = Query::of(request.query_string()).transcript_limit();
    let lines = state.hub.transcript(&at, session, limit).await?;
    let events = lines.into_iter().map(|line| line.json).collect();
    Ok(Json(TranscriptReply { channel_id: at.id().to_string(), retention, events }))
}
