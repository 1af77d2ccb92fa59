//! Long polls: `listen` and `wait`. A handler that waits holds nothing but its place.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use rogerrat_actors::{Parcel, Receipt};
use rogerrat_domain::op::{ReadQuery, ReadReply, WaitReply};
use rogerrat_domain::{Ending, Gap, limits};

use super::openapi::{InChannel, WithSession};
use super::problem::Problem;
use super::query::Query;
use super::state::Shared;
use crate::transport::{Gone, Presence};

/// Returns at once with all that is waiting; else waits until something comes or the time is up.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/listen",
    operation_id = "listen",
    tag = "Reading",
    params(InChannel, WithSession, ("timeout" = Option<f64>, Query, description = "Seconds to wait when there is nothing; clamped to 1 … 60, fractions count. 30 if left out."), ReadQuery<'static>),
    responses((status = 200, body = ReadReply, description = "What was waiting, or nothing.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(["invalid", "unauthorized", "not_found", "not_joined", "session_expired", "overloaded", "limit_reached"]))),
)]
pub(crate) async fn listen(state: Shared, request: HttpRequest) -> Result<HttpResponse, Problem> {
    read(&state, &request, limits::LISTEN_DEFAULT_MS, limits::LISTEN_MAX_MS, false).await
}

/// Like `listen`, for agents that wait long; it tells the roster and what to do next, too.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/wait",
    operation_id = "wait",
    tag = "Reading",
    params(InChannel, WithSession, ("timeout" = Option<f64>, Query, description = "Seconds to wait when there is nothing; clamped to 1 … 300, fractions count. 120 if left out."), ReadQuery<'static>),
    responses((status = 200, body = WaitReply, description = "What was waiting, or nothing.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(["invalid", "unauthorized", "not_found", "not_joined", "session_expired", "overloaded", "limit_reached"]))),
)]
pub(crate) async fn wait(state: Shared, request: HttpRequest) -> Result<HttpResponse, Problem> {
    read(&state, &request, limits::WAIT_DEFAULT_MS, limits::WAIT_MAX_MS, true).await
}

async fn read(
    state: &Shared,
    request: &HttpRequest,
    default_ms: u64,
    max_ms: u64,
    is_wait: bool,
) -> Result<HttpResponse, Problem> {
    let (at, session) = state.admit_session(request)?;
    let query = Query::of(request.query_string());
    let timeout_ms = query.timeout_ms(default_ms, max_ms)?;
    let input = query.read_input(None)?;
    drop(query);
    let mut gone = Presence::of(request).map(Presence::ended);
    let is_http2 = gone.is_some();
    let parcel = tokio::select! {
        biased;
        // Nobody reads this answer; what counts is that the read is dropped and gives its place back (D1).
        () = has_gone(&mut gone) => return Ok(HttpResponse::NoContent().finish()),
        parcel = state.hub.read(&at, session, input, timeout_ms, is_wait) => parcel?,
    };
    let mut response = HttpResponse::Ok().body(BoxBody::new(Answer::of(parcel, is_http2)));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// Never comes for HTTP/1, where this future is dropped with its connection.
async fn has_gone(gone: &mut Option<Gone>) {
    match gone {
        Some(gone) => gone.await,
        None => std::future::pending().await,
    }
}

/// The body of an answer: pieces that are shared, not copied. When its last piece is taken, the messages are
/// delivered; dropped before, they are due again.
///
/// HTTP/1 writes a piece that it takes. HTTP/2 takes one and finds out then whether the request was given up or its
/// connection closed, so there the last piece counts when the one behind it is asked for.
struct Answer {
    pieces: Vec<Bytes>,
    next: usize,
    bytes: u64,
    signs_late: bool,
    receipt: Receipt,
}

impl Answer {
    fn of(parcel: Parcel, signs_late: bool) -> Self {
        let Parcel { messages, gap, ending, roster, receipt } = parcel;
        let mut pieces = Vec::with_capacity(messages.len() * 2 + 2);
        pieces.push(Bytes::from_static(br#"{"messages":["#));
        for (i, given) in messages.iter().enumerate() {
            if i > 0 {
                pieces.push(Bytes::from_static(b","));
            }
            if given.attempt < 2 {
                pieces.push(given.message.json());
            } else {
                pieces.push(given.message.json_open());
                pieces.push(format!(",\"attempt\":{}}}", given.attempt).into());
            }
        }
        pieces.push(ended(ending));
        pieces.extend(gap.as_ref().map(lost));
        if let Some(roster) = roster {
            pieces.extend([Bytes::from_static(br#","roster":"#), roster, meta_hint(messages.len())]);
        }
        pieces.push(Bytes::from_static(b"}"));
        let bytes = pieces.iter().map(|piece| piece.len() as u64).sum();
        Self { pieces, next: 0, bytes, signs_late, receipt }
    }
}

fn ended(ending: Ending) -> Bytes {
    Bytes::from_static(match ending {
        Ending::Ready => br#"],"timed_out":false"#.as_slice(),
        Ending::TimedOut => br#"],"timed_out":true"#,
        Ending::Superseded => br#"],"timed_out":true,"superseded":true"#,
        Ending::Draining => br#"],"timed_out":true,"draining":true"#,
    })
}

fn lost(gap: &Gap) -> Bytes {
    let Gap { from, to, reason } = gap;
    format!(r#","gap":{{"from":{from},"to":{to},"reason":"{}"}}"#, reason.as_str()).into()
}

/// What to do now, for agents that only read the answer.
fn meta_hint(n: usize) -> Bytes {
    match n {
        0 => Bytes::from_static(br#","meta_hint":"Nothing new. Call wait again to stay reachable.""#),
        1 => Bytes::from_static(br#","meta_hint":"1 new message. After acting on it, call wait again.""#),
        n => format!(r#","meta_hint":"{n} new messages. After acting on them, call wait again.""#).into(),
    }
}

impl MessageBody for Answer {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.bytes)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let next = self.next;
        let Some(piece) = self.pieces.get_mut(next).map(std::mem::take) else {
            self.receipt.sign();
            return Poll::Ready(None);
        };
        self.next += 1;
        if self.next == self.pieces.len() && !self.signs_late {
            self.receipt.sign();
        }
        Poll::Ready(Some(Ok(piece)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_json() {
        for n in 0..3 {
            let json = format!("{{\"x\":0{}}}", String::from_utf8_lossy(&meta_hint(n)));
            serde_json::from_str::<serde_json::Value>(&json).unwrap();
        }
    }
}
