//! The transcript of a channel, if its retention keeps one.

use actix_web::web::Json;
use actix_web::{HttpRequest, Responder};
use rogerrat_domain::transcript::TranscriptEvent;
use rogerrat_domain::{Code, Refusal, Retention};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::openapi::schema::Schema;
use utoipa::{IntoParams, ToSchema};

use super::error_codes::{CHANNEL, codes};
use super::parameters::{ChannelPath, OptionalSessionHeader, count};
use super::query::QueryParams;
use crate::web::problem::Problem;
use crate::web::state::{SharedState, presented_session};

/// The query parameter of a transcript.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only the derived code reads the fields")]
struct TranscriptQuery {
    #[param(schema_with = limit, required = false)]
    limit: Option<f64>,
}

fn limit() -> Schema {
    count(
        10_000,
        "The maximum number of events. Defaults to 1000, clamped to 1 … 10000, fractions are cut off. A value that is \
         not a number means all.",
    )
}

/// A transcript.
#[derive(Serialize, ToSchema)]
pub(crate) struct TranscriptReply {
    /// The channel id.
    channel_id: String,
    /// What the channel records.
    retention: Retention,
    /// The events, oldest first.
    #[schema(value_type = Vec<TranscriptEvent<'static>>, max_items = 10_000)]
    events: Vec<Box<RawValue>>,
}

/// Get the transcript, oldest event first.
///
/// If direct messages are private, `X-Session-Id` includes your own.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/transcript",
    operation_id = "get_transcript",
    tag = "Inspection",
    params(ChannelPath, OptionalSessionHeader, TranscriptQuery),
    responses((status = 200, body = TranscriptReply, description = "The last events.")),
    security(("channel_token" = []), ("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[CHANNEL])))),
)]
pub(crate) async fn transcript(state: SharedState, request: HttpRequest) -> Result<impl Responder, Problem> {
    let at = state.admit(&request).await?;
    let session = presented_session(request.headers())?;
    let retention = at.settings().retention;
    if retention == Retention::None {
        return Err(Refusal::new(Code::NotFound, "this channel has no transcript (retention=none)").into());
    }
    let limit = QueryParams::of(request.query_string()).transcript_limit();
    let lines = state.hub.transcript(&at, session, limit).await?;
    let events = lines.into_iter().map(|line| line.json).collect();
    Ok(Json(TranscriptReply { channel_id: at.id().to_string(), retention, events }))
}
