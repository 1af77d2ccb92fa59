//! Streams: server-sent events, framed once in the channel and shared by all who read.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use rogerrat_actors::StreamReader;
use rogerrat_domain::op::ReadQuery;
use tokio::time::{Sleep, sleep};

use super::openapi::{InChannel, WithSession};
use super::problem::Problem;
use super::query::Query;
use super::state::SharedState;
use crate::transport::{Gone, Presence};

/// How often a silent stream shows that it lives.
const PING: Duration = Duration::from_secs(25);

/// The same as server-sent events: what is waiting first, then everything as it comes.
///
/// With `ack=manual`, `max` is how many messages may be unacknowledged at once, and the lease lasts as long as the stream.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/stream",
    operation_id = "stream",
    tag = "Reading",
    params(InChannel, WithSession, ("Last-Event-ID" = Option<f64>, Header, description = "Resumes like `since`, which wins."), ReadQuery<'static>),
    responses((status = 200, body = String, content_type = "text/event-stream", description = "Events `hello`, `message`, `gap`, `lagged`, `superseded` and `bye`; their data is one line of JSON each.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(["invalid", "unauthorized", "not_found", "not_joined", "session_expired", "overloaded", "limit_reached", "storage_failed"]))),
)]
pub(crate) async fn stream(state: SharedState, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let (at, session) = state.admit_session(&request).await?;
    let last_event_id = request.headers().get("last-event-id").map(|id| id.to_str().unwrap_or("?"));
    let input = Query::of(request.query_string()).read_input(last_event_id)?;
    let presence = Presence::of(&request);
    let mut reader = state.hub.stream(&at, session, input).await?;
    if presence.is_some() {
        // HTTP/2 takes a frame and finds out then whether the stream was given up.
        reader = reader.counting_late();
    }
    let gone = presence.map(Presence::ended);
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header(("x-accel-buffering", "no"))
        .body(BoxBody::new(Events { reader, gone, ping: Box::pin(sleep(PING)) })))
}

/// The body of a stream. A frame that is taken here counts as delivered.
struct Events {
    reader: StreamReader,
    /// Only for HTTP/2: an HTTP/1 connection drops the body when it closes.
    gone: Option<Gone>,
    ping: Pin<Box<Sleep>>,
}

impl MessageBody for Events {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        if self.gone.as_mut().is_some_and(|gone| gone.as_mut().poll(cx).is_ready()) {
            return Poll::Ready(None);
        }
        if let Poll::Ready(frame) = self.reader.poll_frame(cx) {
            return Poll::Ready(frame.map(Ok));
        }
        if self.ping.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.ping.set(sleep(PING));
        // The new timer must be polled once to know whom to wake.
        let _ = self.ping.as_mut().poll(cx);
        Poll::Ready(Some(Ok(Bytes::from_static(b": ping\n\n"))))
    }
}
