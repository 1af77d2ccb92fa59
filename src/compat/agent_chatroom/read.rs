//! Reading: all stored messages, a poll, and a stream. Reading needs no member and consumes nothing.

use std::pin::pin;
use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;
use rogerrat_actors::Admitted;
use rogerrat_domain::op::{Tail, TailReply};
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::admission::{RoomError, admit, parameter, password, respond};
use super::wire::{self, RoomMessage};
use crate::web::state::SharedState;

/// How often an idle stream sends a comment and checks its access.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// The longest a poll may wait.
const WAIT_MAX_S: f64 = 120.0;

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

#[derive(Serialize)]
struct MessagesReply {
    messages: Vec<RoomMessage>,
}

#[derive(Serialize)]
struct PollReply {
    messages: Vec<RoomMessage>,
    next: u64,
}

/// `GET …/health`
pub(super) async fn health() -> HttpResponse {
    wire::response(StatusCode::OK, &Health { status: "ok" })
}

/// `GET …/messages`
pub(super) async fn messages(state: SharedState, request: HttpRequest) -> HttpResponse {
    let result = async {
        let at = admit(&state, &request).await?;
        let reply = state.hub.query(&at, Tail { after: 0 }).await?;
        Ok(wire::response(StatusCode::OK, &MessagesReply { messages: room_messages(&reply) }))
    };
    respond(result.await)
}

/// `GET …/messages/poll?after=N`
pub(super) async fn poll(state: SharedState, request: HttpRequest) -> HttpResponse {
    let result = async {
        let at = admit(&state, &request).await?;
        let after = position(parameter(&request, "after").as_deref())?.unwrap_or(0);
        let wait = wait(parameter(&request, "wait").as_deref())?;
        let mut reader = RoomReader::new(&state, &request, at, after);
        let reply = reader.wait_until(wait).await?;
        Ok(wire::response(StatusCode::OK, &PollReply { messages: room_messages(&reply), next: reply.next }))
    };
    respond(result.await)
}

/// `GET …/messages/stream`
pub(super) async fn stream(state: SharedState, request: HttpRequest) -> HttpResponse {
    let result = async {
        let at = admit(&state, &request).await?;
        let last = request.headers().get("last-event-id").and_then(|id| id.to_str().ok());
        let mut reader = RoomReader::new(&state, &request, at, u64::MAX);
        reader.after = match position(last.filter(|id| !id.trim().is_empty()))? {
            Some(last) => last.saturating_add(1),
            // Without an id the stream starts with new messages.
            None => reader.read().await?.next,
        };
        let opening = stream::once(async { Ok::<_, std::convert::Infallible>(Bytes::from_static(b": connected\n\n")) });
        let rest = stream::unfold(reader, |mut reader| async move { Some((Ok(reader.next_frames().await?), reader)) });
        Ok(HttpResponse::Ok()
            .content_type("text/event-stream")
            .insert_header((header::CACHE_CONTROL, "no-cache, no-transform"))
            .insert_header(("x-accel-buffering", "no"))
            .streaming(futures_util::StreamExt::chain(opening, rest)))
    };
    respond(result.await)
}

fn room_messages(reply: &TailReply) -> Vec<RoomMessage> {
    reply.messages.iter().filter_map(|(_, message)| RoomMessage::from_message(message)).collect()
}

/// Parses a position in the list of messages.
fn position(text: Option<&str>) -> Result<Option<u64>, RoomError> {
    let wrong = || RoomError::invalid("after must be a whole number, 0 or more");
    let Some(text) = text.map(str::trim) else { return Ok(None) };
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A number too large for a position is after all messages.
    if is_number { Ok(Some(text.parse().unwrap_or(u64::MAX))) } else { Err(wrong()) }
}

fn wait(text: Option<&str>) -> Result<Duration, RoomError> {
    let seconds = text.map_or(Ok(0.0), |text| text.trim().parse::<f64>());
    let seconds = seconds.ok().filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
    let seconds = seconds.ok_or_else(|| RoomError::invalid("wait must be a number of seconds, 0 or more"))?;
    Ok(Duration::from_secs_f64(seconds.min(WAIT_MAX_S)))
}

/// How a reader's access is checked again.
enum Credential {
    /// The channel's token, which may have been rotated meanwhile.
    Token(Option<String>),
    /// The room at the root, whose password cannot change while the hub runs.
    Root,
}

/// Reads a room from a position on. It queues nothing: messages are read from the channel when the client is ready for
/// them.
struct RoomReader {
    state: SharedState,
    at: Admitted,
    credential: Credential,
    news: watch::Receiver<u64>,
    after: u64,
}

impl RoomReader {
    fn new(state: &SharedState, request: &HttpRequest, at: Admitted, after: u64) -> Self {
        let credential =
            request.match_info().get("id").map_or(Credential::Root, |_| Credential::Token(password(request)));
        Self { state: state.clone(), news: state.hub.news(&at), at, credential, after }
    }

    /// Checks access again and reads the messages after the position.
    async fn read(&mut self) -> Result<TailReply, RoomError> {
        self.readmit().await?;
        self.news.borrow_and_update();
        Ok(self.state.hub.query(&self.at, Tail { after: self.after }).await?)
    }

    /// Admits the reader again: the channel may have been unloaded, deleted, or given a new token.
    async fn readmit(&mut self) -> Result<(), RoomError> {
        let (hub, id) = (&self.state.hub, self.at.id().as_str());
        self.at = match &self.credential {
            Credential::Token(token) => hub.admit(id, token.as_deref()).await?,
            Credential::Root => hub.find(id).await?,
        };
        self.news = self.state.hub.news(&self.at);
        Ok(())
    }

    /// Reads messages, waiting up to `wait` for the first one.
    async fn wait_until(&mut self, wait: Duration) -> Result<TailReply, RoomError> {
        let mut is_over = wait.is_zero();
        let mut deadline = pin!(sleep(wait));
        loop {
            let reply = self.read().await?;
            if !reply.messages.is_empty() || is_over || self.state.hub.is_draining() {
                return Ok(reply);
            }
            self.after = self.after.min(reply.next);
            tokio::select! {
                // Access is checked again even without news.
                _ = timeout(KEEPALIVE, self.news.changed()) => {}
                () = &mut deadline => is_over = true,
            }
        }
    }

    /// The next frames of a stream. `None` ends it.
    async fn next_frames(&mut self) -> Option<Bytes> {
        loop {
            if self.state.hub.is_draining() {
                return None;
            }
            let TailReply { messages, next } = self.read().await.ok()?;
            self.after = next;
            if !messages.is_empty() {
                let frames = messages.iter().filter_map(|(position, message)| {
                    Some(format!("id: {position}\ndata: {}\n\n", wire::json(&RoomMessage::from_message(message)?)))
                });
                return Some(frames.collect::<String>().into());
            }
            if timeout(KEEPALIVE, self.news.changed()).await.is_err() {
                self.readmit().await.ok()?;
                return Some(Bytes::from_static(b": keepalive\n\n"));
            }
        }
    }
}
