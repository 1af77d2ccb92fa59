//! Streams: server-sent events. The channel frames each message once, and all readers share the frame.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::header;
use actix_web::web::{Bytes, Payload};
use actix_web::{HttpRequest, HttpResponse};
use rogerrat_actors::{Admitted, StreamReader};
use rogerrat_domain::op::ReadQuery;
use rogerrat_domain::{AttachmentForm, Code, SessionId, frame_by_reference, limits};
use tokio::time::{Sleep, sleep};

use super::error_codes::{BODY, MEMBER, codes};
use super::parameters::{AttachmentsParam, ChannelPath, PostStreamInput, SessionHeader, TellParam};
use super::query::QueryParams;
use crate::transport::{ConnectionState, Disconnected};
use crate::web::body;
use crate::web::problem::Problem;
use crate::web::state::SharedState;

/// How often an idle stream sends a comment.
const PING_INTERVAL: Duration = Duration::from_secs(25);

/// Stream messages as server-sent events.
///
/// Pending messages are sent first, then new ones as they arrive. With `ack=manual`, `max` limits the number of
/// unacknowledged messages, and leases last as long as the stream.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/stream",
    operation_id = "stream",
    tag = "Reading",
    params(
        ChannelPath,
        SessionHeader,
        ("Last-Event-ID" = Option<f64>, Header, description = "Resumes after this id. `since` takes precedence."),
        ReadQuery<'static>,
        AttachmentsParam,
        TellParam,
    ),
    responses((status = 200, body = String, content_type = "text/event-stream",
        description = "Events `hello`, `message`, `gap`, `roster`, `receipt`, `lagged`, `superseded` and `bye`, each with \
            JSON data.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[MEMBER, &[Code::LimitReached]])))),
)]
pub(crate) async fn stream(state: SharedState, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let (at, session) = state.admit_session(&request).await?;
    open(&state, &request, &at, session, QueryParams::of(request.query_string())).await
}

/// Stream messages as server-sent events, by POST.
///
/// The same as `GET …/stream`, for proxies that hold back the response to a GET until it ends. The parameters are in the query,
/// in the body, or in both; the body takes precedence.
#[utoipa::path(
    post,
    path = "/api/channels/{id}/stream",
    operation_id = "post_stream",
    tag = "Reading",
    params(
        ChannelPath,
        SessionHeader,
        ("Last-Event-ID" = Option<f64>, Header, description = "Resumes after this id. `since` takes precedence."),
        ReadQuery<'static>,
        AttachmentsParam,
        TellParam,
    ),
    request_body(content = PostStreamInput, description = "The parameters. May be empty."),
    responses((status = 200, body = String, content_type = "text/event-stream",
        description = "Events `hello`, `message`, `gap`, `roster`, `receipt`, `lagged`, `superseded` and `bye`, each with \
            JSON data.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[MEMBER, BODY, &[Code::LimitReached]])))),
)]
pub(crate) async fn post_stream(
    state: SharedState,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let (at, session) = state.admit_session(&request).await?;
    let body = body::json(&request, payload, limits::BODY_BYTES).await?;
    open(&state, &request, &at, session, QueryParams::with_body(request.query_string(), &body)?).await
}

async fn open(
    state: &SharedState,
    request: &HttpRequest,
    at: &Admitted,
    session: SessionId,
    query: QueryParams<'_>,
) -> Result<HttpResponse, Problem> {
    let last_event_id = request.headers().get("last-event-id").map(|id| id.to_str().unwrap_or("?"));
    let (input, attachments) = (query.stream_input(last_event_id)?, query.attachments()?);
    drop(query);
    let connection = ConnectionState::of(request);
    let mut reader = state.hub.stream(at, session, input).await?;
    if connection.is_some() {
        // HTTP/2 detects a reset stream only after taking a frame.
        reader = reader.counting_late();
    }
    let disconnected = connection.map(ConnectionState::disconnected);
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header(("x-accel-buffering", "no"))
        .body(BoxBody::new(StreamBody { reader, attachments, disconnected, ping: Box::pin(sleep(PING_INTERVAL)) })))
}

/// The body of a stream. A frame counts as delivered when it is taken from here.
struct StreamBody {
    reader: StreamReader,
    attachments: AttachmentForm,
    /// Only for HTTP/2: actix drops the body of a closed HTTP/1 connection.
    disconnected: Option<Disconnected>,
    ping: Pin<Box<Sleep>>,
}

impl StreamBody {
    fn formatted(&self, frame: Bytes) -> Bytes {
        match self.attachments {
            AttachmentForm::Full => frame,
            AttachmentForm::Reference => frame_by_reference(&frame).unwrap_or(frame),
        }
    }
}

impl MessageBody for StreamBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        if self.disconnected.as_mut().is_some_and(|disconnected| disconnected.as_mut().poll(cx).is_ready()) {
            return Poll::Ready(None);
        }
        if let Poll::Ready(frame) = self.reader.poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| Ok(self.formatted(frame))));
        }
        if self.ping.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.ping.set(sleep(PING_INTERVAL));
        // A new timer must be polled once to register the waker.
        let _ = self.ping.as_mut().poll(cx);
        Poll::Ready(Some(Ok(Bytes::from_static(b": ping\n\n"))))
    }
}
