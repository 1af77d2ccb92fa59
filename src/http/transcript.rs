//! The transcript of a channel, if its retention keeps one. A long one is sent page by page, as the client takes it.

use actix_web::body::BoxBody;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::{StreamExt as _, stream};
use rogerrat_actors::{HubError, TranscriptReader};
use rogerrat_domain::transcript::{TranscriptEvent, TranscriptLine};
use rogerrat_domain::{ChannelId, Code, Refusal, Retention};
use serde_json::value::RawValue;
use utoipa::openapi::schema::Schema;
use utoipa::{IntoParams, ToSchema};

use super::error_codes::{CHANNEL, codes};
use super::parameters::{ChannelPath, OptionalSessionHeader, count};
use super::query::QueryParams;
use crate::web::delivery_body::SizedBody;
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

/// The transcript of a channel.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only the schema is used")]
pub(crate) struct TranscriptReply {
    /// The channel id.
    channel_id: String,
    /// What the channel records.
    retention: Retention,
    /// The events, oldest first.
    #[schema(value_type = Vec<TranscriptEvent<'static>>, max_items = 10_000)]
    events: Vec<Box<RawValue>>,
    /// Present if the hub could not read some events: how many are missing.
    #[schema(nullable = false, required = false, minimum = 1)]
    damaged: Option<usize>,
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
pub(crate) async fn transcript(state: SharedState, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let at = state.admit(&request).await?;
    let session = presented_session(request.headers())?;
    let retention = at.settings().retention;
    if retention == Retention::None {
        let refusal = Refusal::new(Code::NotFound, "this channel has no transcript (retention=none)");
        return Err(refusal.hint("only a channel that is created with another retention keeps one").into());
    }
    let limit = QueryParams::of(request.query_string()).transcript_limit();
    let mut reader = state.hub.transcript(&at, session, limit).await?;
    let mut written = TranscriptWriter::default();
    let first = written.start(at.id(), retention, &reader.next_page().await?);
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CONTENT_TYPE, "application/json"));
    if reader.is_done() {
        return Ok(response.body(BoxBody::new(SizedBody::of_pieces(vec![first, end(&reader)]))));
    }
    let rest = Some((reader, written));
    let rest = stream::unfold(rest, |state| async {
        let (mut reader, mut written) = state?;
        if reader.is_done() {
            return Some((Ok::<_, HubError>(end(&reader)), None));
        }
        // An error closes the connection, so that the client sees that the transcript is incomplete.
        match reader.next_page().await {
            Ok(lines) => Some((Ok(written.page(&lines)), Some((reader, written)))),
            Err(error) => Some((Err(error), None)),
        }
    });
    Ok(response.streaming(stream::iter([Ok(first)]).chain(rest)))
}

/// Writes the events of a transcript, separated by commas.
#[derive(Default)]
struct TranscriptWriter {
    has_events: bool,
}

impl TranscriptWriter {
    fn start(&mut self, channel: &ChannelId, retention: Retention, lines: &[TranscriptLine]) -> Bytes {
        let head = serde_json::json!({"channel_id": channel, "retention": retention}).to_string();
        let mut json = BytesMut::from(head.trim_end_matches('}'));
        json.extend_from_slice(br#","events":["#);
        self.append(lines, &mut json);
        json.freeze()
    }

    fn page(&mut self, lines: &[TranscriptLine]) -> Bytes {
        let mut json = BytesMut::new();
        self.append(lines, &mut json);
        json.freeze()
    }

    fn append(&mut self, lines: &[TranscriptLine], json: &mut BytesMut) {
        json.reserve(lines.iter().map(|line| line.json.get().len() + 1).sum());
        for line in lines {
            if std::mem::replace(&mut self.has_events, true) {
                json.extend_from_slice(b",");
            }
            json.extend_from_slice(line.json.get().as_bytes());
        }
    }
}

/// What follows the events.
fn end(reader: &TranscriptReader) -> Bytes {
    match reader.damaged() {
        0 => Bytes::from_static(b"]}"),
        damaged => format!(r#"],"damaged":{damaged}}}"#).into(),
    }
}
