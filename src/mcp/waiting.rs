//! A tool that waits for messages: plain JSON when it ends soon, else a stream that begins at once and shows that it lives.
//!
//! It ends with the messages, with its time, when its client goes, or when its session cancels it. Messages count as
//! delivered when the last piece of the answer was taken, and not before.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use rogerrat_actors::{DeliveryGuard, ReadResponse};
use rogerrat_domain::{AnswerReason, Refusal, message_line};
use tokio::time::{Sleep, sleep};

use super::answer::{Told, Written, open_tool};
use super::calls::UnderWay;
use super::era::Version;
use super::rpc::Id;
use crate::transport::{Gone, Presence};
use crate::web::delivery_body::{DeliveryBody, serialize};

/// A stream that says nothing else says this, so that nothing between the two ends takes it for dead.
const COMMENT_S: u64 = 15;
/// Progress is told first after this long, and then every `PROGRESS_S`.
const FIRST_PROGRESS_S: u64 = 5;
const PROGRESS_S: u64 = 10;

/// What a read comes to: the messages, and what is left unread.
pub(super) type Read = Pin<Box<dyn Future<Output = Result<(ReadResponse, Option<usize>), Refusal>>>>;

/// A wait under way.
pub(super) struct Waiting {
    id: Box<str>,
    version: Version,
    tool: &'static str,
    timeout_s: u64,
    /// What progress is told under.
    progress_token: Option<Box<str>>,
    under_way: Option<UnderWay>,
    /// Only for HTTP/2: an HTTP/1 connection drops what waits when it closes.
    gone: Option<Gone>,
    read: Read,
}

/// An answer in pieces, and what is delivered with them.
struct Answered {
    pieces: Vec<Bytes>,
    guard: Option<DeliveryGuard>,
}

/// How a wait ended.
pub(super) struct Ended(Option<Answered>);

impl Waiting {
    pub(super) fn new(
        request: &HttpRequest,
        id: Id<'_>,
        version: Version,
        tool: &'static str,
        timeout_ms: u64,
        read: Read,
    ) -> Self {
        Self {
            id: id.as_json().into(),
            version,
            tool,
            timeout_s: timeout_ms.div_ceil(1000),
            progress_token: None,
            under_way: None,
            gone: Presence::of(request).map(Presence::ended),
            read,
        }
    }

    /// Lets its session cancel it.
    pub(super) fn cancelled_by(mut self, under_way: UnderWay) -> Self {
        self.under_way = Some(under_way);
        self
    }

    /// Tells its client that it goes on.
    pub(super) fn with_progress(mut self, token: Option<Id<'_>>) -> Self {
        self.progress_token = token.map(|token| token.as_json().into());
        self
    }

    /// Ready with the answer, or with none when nobody waits for it any more.
    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<Option<Answered>> {
        let has_gone = self.gone.as_mut().is_some_and(|gone| gone.as_mut().poll(cx).is_ready());
        let is_cancelled = self.under_way.as_mut().is_some_and(|call| call.poll_cancelled(cx).is_ready());
        if has_gone || is_cancelled {
            return Poll::Ready(None);
        }
        self.read.as_mut().poll(cx).map(|read| Some(self.answered(read)))
    }

    pub(super) async fn ended(&mut self) -> Ended {
        Ended(poll_fn(|cx| self.poll_ended(cx)).await)
    }

    /// Appends the answer, for a batch. Nobody waits for what was cancelled, but it takes its place.
    pub(super) async fn whole(mut self, pieces: &mut Vec<Bytes>) -> Option<DeliveryGuard> {
        let Some(Answered { pieces: more, guard }) = self.ended().await.0 else {
            pieces.push(format!(r#"{{"jsonrpc":"2.0","id":{},"result":{{"content":[]}}}}"#, self.id).into());
            return None;
        };
        pieces.extend(more);
        guard
    }

    fn answered(&self, read: Result<(ReadResponse, Option<usize>), Refusal>) -> Answered {
        let Some(id) = Id::again(&self.id) else { unreachable!("it was an id when it came") };
        let (parcel, unread) = match read {
            Ok(read) => read,
            Err(refusal) => {
                let told = Told::refusal(&super::tools::with_hint(refusal));
                return Answered { pieces: vec![Written::tool(id, self.version, &told).json.into()], guard: None };
            }
        };
        let text = self.text(&parcel, unread);
        let mut pieces = vec![(open_tool(id, self.version, &text) + r#""structuredContent":"#).into()];
        let guard = serialize(parcel, &mut pieces);
        pieces.push(match unread {
            Some(unread) => format!(r#","unread":{unread}}}}}}}"#).into(),
            None => Bytes::from_static(b"}}}"),
        });
        Answered { pieces, guard: Some(guard) }
    }

    /// The same in words, one line for each message (D28).
    fn text(&self, parcel: &ReadResponse, unread: Option<usize>) -> String {
        let tool = self.tool;
        let mut lines = Vec::with_capacity(parcel.messages.len() + 2);
        if let Some(gap) = &parcel.gap {
            lines.push(format!("(messages above #{} up to #{} were lost: {})", gap.from, gap.to, gap.reason.as_str()));
        }
        lines.extend(parcel.messages.iter().map(|given| message_line(&given.message.json(), given.attempt)));
        let end = match parcel.reason {
            AnswerReason::Ready => None,
            AnswerReason::TimedOut => Some(format!("(no messages — {} s timeout. call {tool} again)", self.timeout_s)),
            AnswerReason::Superseded => {
                Some(format!("(no messages — a newer {tool} of yours has taken this one's place)"))
            }
            AnswerReason::Draining => {
                Some(format!("(no messages — the hub goes down; call {tool} again in a few seconds)"))
            }
        };
        lines.extend(end);
        lines.extend(unread.filter(|n| *n > 0).map(|n| format!("({n} more unread: call {tool} again)")));
        lines.join("\n")
    }

    /// A stream of events that begins at once.
    pub(super) fn stream(self) -> HttpResponse {
        let beat = Duration::from_secs(if self.progress_token.is_some() { FIRST_PROGRESS_S } else { COMMENT_S });
        let body = Events {
            waiting: Some(self),
            handover: None,
            has_begun: false,
            beat,
            at_s: 0,
            timer: Box::pin(sleep(beat)),
        };
        HttpResponse::Ok()
            .content_type("text/event-stream")
            .insert_header((header::CACHE_CONTROL, "no-cache"))
            .insert_header(("x-accel-buffering", "no"))
            .body(BoxBody::new(body))
    }

    /// What is said at this time: a comment, progress, both or nothing.
    fn said_at(&self, at_s: u64) -> Option<Bytes> {
        let mut said = String::new();
        if at_s.is_multiple_of(COMMENT_S) {
            said += ": waiting\n\n";
        }
        if let Some(token) = self.progress_token.as_ref().filter(|_| at_s % PROGRESS_S == FIRST_PROGRESS_S) {
            said += &format!(
                "event: message\ndata: {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":\
                 {{\"progressToken\":{token},\"progress\":{at_s},\"total\":{},\"message\":\"waiting for messages\"}}}}\n\n",
                self.timeout_s
            );
        }
        (!said.is_empty()).then(|| said.into())
    }
}

impl Ended {
    /// The answer as plain JSON.
    pub(super) fn response(self, request: &HttpRequest) -> HttpResponse {
        match self.0 {
            // Nobody reads this.
            None => HttpResponse::NoContent().finish(),
            Some(Answered { pieces, guard }) => json(DeliveryBody::new(pieces, guard, Presence::of(request).is_some())),
        }
    }
}

/// The answers of a batch.
pub(super) fn all_at_once(request: &HttpRequest, pieces: Vec<Bytes>, guards: Vec<DeliveryGuard>) -> HttpResponse {
    json(DeliveryBody::from_batch(pieces, guards, Presence::of(request).is_some()))
}

fn json(handover: DeliveryBody) -> HttpResponse {
    let body = Whole { bytes: handover.bytes(), handover };
    let mut response = HttpResponse::Ok().body(BoxBody::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An answer that is there.
struct Whole {
    bytes: u64,
    handover: DeliveryBody,
}

impl MessageBody for Whole {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.bytes)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(self.handover.next_piece().map(Ok))
    }
}

/// An answer that may come: comments and progress until then.
struct Events {
    /// None when it has ended.
    waiting: Option<Waiting>,
    handover: Option<DeliveryBody>,
    has_begun: bool,
    beat: Duration,
    at_s: u64,
    timer: Pin<Box<Sleep>>,
}

impl Events {
    fn end(&mut self, ended: Option<Answered>) {
        let completes_late = self.waiting.take().is_some_and(|waiting| waiting.gone.is_some());
        self.handover = ended.map(|Answered { mut pieces, guard }| {
            pieces.insert(0, Bytes::from_static(b"event: message\ndata: "));
            pieces.push(Bytes::from_static(b"\n\n"));
            DeliveryBody::new(pieces, guard, completes_late)
        });
    }
}

impl MessageBody for Events {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        if !self.has_begun {
            self.has_begun = true;
            return Poll::Ready(Some(Ok(Bytes::from_static(b": waiting\n\n"))));
        }
        while let Some(waiting) = &mut self.waiting {
            if let Poll::Ready(ended) = waiting.poll_ended(cx) {
                self.end(ended);
                break;
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            let beat = self.beat;
            self.timer.set(sleep(beat));
            self.at_s += beat.as_secs();
            if let Some(said) = self.waiting.as_ref().and_then(|waiting| waiting.said_at(self.at_s)) {
                return Poll::Ready(Some(Ok(said)));
            }
        }
        Poll::Ready(self.handover.as_mut().and_then(DeliveryBody::next_piece).map(Ok))
    }
}

#[cfg(test)]
mod tests;
