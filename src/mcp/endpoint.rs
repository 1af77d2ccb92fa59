//! The endpoints: a request in, its messages to the methods, and their answers out.

use std::time::Duration;

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use rogerrat_domain::{Code, Refusal, limits};
use tokio::time::sleep;

use super::Mcp;
use super::answer::Written;
use super::bindings::Standing;
use super::era::{self, Headers, Line, Version};
use super::methods::{self, Answer};
use super::rpc::{self, Body, Call, Fault, Params, Said, Wrong};
use super::session::Ticket;
use super::visit::{Entrance, Visit};
use super::waiting::{self, Waiting};
use crate::web::body;
use crate::web::problem::Problem;
use crate::web::state::SharedState;

/// How long an answer that waits is held back: if messages are there already it is plain JSON.
const GRACE: Duration = Duration::from_millis(10);

/// `POST /mcp` and `POST /mcp/{id}`
pub(super) async fn post(
    state: SharedState,
    mcp: Data<Mcp>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let entrance = Entrance::of(&state, &request).await?;
    let body = body::read(&request, payload, limits::BODY_SEND_BYTES).await?;
    let desk = Desk { state: &state, mcp: &mcp, request: &request, entrance: &entrance };
    Ok(match rpc::read(&body) {
        Err(fault) => desk.refuse(&fault),
        Ok(Body::One(said)) => desk.one(said).await,
        Ok(Body::Batch(all)) => desk.batch(all).await.unwrap_or_else(|fault| desk.refuse(&fault)),
    })
}

/// `DELETE /mcp` and `DELETE /mcp/{id}`: the client ends its session. Its seat on a channel stays until it leaves.
pub(super) async fn delete(state: SharedState, mcp: Data<Mcp>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let entrance = Entrance::of(&state, &request).await?;
    if era::of_headers(&headers(request.headers())).is_ok_and(|said| said.is_some_and(Version::is_modern)) {
        // What has no sessions ends none.
        return Ok(wrong_method("POST"));
    }
    let desk = Desk { state: &state, mcp: &mcp, request: &request, entrance: &entrance };
    Ok(match desk.end_session().await {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(fault) => desk.refuse(&fault),
    })
}

/// A request that was let in.
struct Desk<'a> {
    state: &'a SharedState,
    mcp: &'a Data<Mcp>,
    request: &'a HttpRequest,
    entrance: &'a Entrance,
}

impl<'a> Desk<'a> {
    async fn one(&self, said: Said<'_>) -> HttpResponse {
        let call = match said {
            Said::Call(call) => call,
            Said::Answer => return self.answer_to_nothing(),
        };
        let (visit, params) = match self.visit(&call, false) {
            Ok(found) => found,
            Err(fault) => return self.refuse(&fault.of(call.id)),
        };
        let Some(id) = call.id else {
            methods::notice(&visit, &call, &params);
            return HttpResponse::Accepted().finish();
        };
        match methods::answer(&visit, id, &call, &params).await {
            Answer::Now(written) => written.response(),
            Answer::Later(waiting) => self.wait(waiting).await,
            #[cfg(feature = "conformance")]
            Answer::Scripted(response) => response,
        }
    }

    /// The answer to a question; the hub asks none. Sessions may send one, a modern client may not.
    fn answer_to_nothing(&self) -> HttpResponse {
        match era::of_headers(&headers(self.request.headers())) {
            Err(fault) => self.refuse(&fault),
            Ok(Some(version)) if version.is_modern() => {
                self.refuse(&Fault::new(Wrong::Request, "invalid request: nothing was asked"))
            }
            Ok(_) => HttpResponse::Accepted().finish(),
        }
    }

    /// Who asks, and in which version.
    fn visit<'b>(&self, call: &Call<'b>, is_in_batch: bool) -> Result<(Visit<'a>, Params<'b>), Fault> {
        let params = Params::of(call)?;
        let said = era::of_message(&headers(self.request.headers()), call, &params)?;
        let belongs_to_a_session = said.is_none_or(|version| !version.is_modern()) && call.method != "initialize";
        let (ticket, standing) = if belongs_to_a_session { self.session()?.unzip() } else { (None, None) };
        let version = said.or(ticket.map(|ticket| ticket.version)).unwrap_or(Version::UNSAID);
        let bound = match standing {
            Some(Standing::Bound(seat)) => Some(seat),
            _ => None,
        };
        let Self { state, mcp, request, entrance } = *self;
        Ok((Visit { state, mcp, request, entrance, version, ticket, bound, is_in_batch }, params))
    }

    /// The session a request says it belongs to, and how it stands.
    fn session(&self) -> Result<Option<(Ticket, Standing)>, Fault> {
        let Some(id) = self.request.headers().get("mcp-session-id") else { return Ok(None) };
        let now_ms = self.state.clock.now().at_ms;
        let ticket = id.to_str().ok().and_then(|id| Ticket::open(&self.mcp.seal, id, self.entrance.name()));
        let found = ticket.and_then(|ticket| Some((ticket, ticket.standing(&self.mcp.bindings, now_ms)?)));
        let unknown = || Fault::new(Wrong::Session, "session not found: initialize again, without an Mcp-Session-Id");
        found.map(Some).ok_or_else(unknown)
    }

    async fn end_session(&self) -> Result<(), Fault> {
        era::of_headers(&headers(self.request.headers()))?;
        let (ticket, _) =
            self.session()?.ok_or_else(|| Fault::new(Wrong::Request, "the Mcp-Session-Id header is missing"))?;
        self.mcp.bindings.put(ticket.nonce, Standing::Deleted, self.state.clock.now().at_ms).await;
        Ok(())
    }

    /// Several messages, one after the other. Who waits in a batch waits a second at most.
    async fn batch(&self, all: Vec<Result<Said<'_>, Fault>>) -> Result<HttpResponse, Fault> {
        let said = era::of_headers(&headers(self.request.headers()))?;
        let session = self.session()?.map(|(ticket, _)| ticket.version);
        if !said.or(session).unwrap_or(Version::UNSAID).has_batches() {
            return Err(Fault::new(Wrong::Request, "invalid request: this version has no batches"));
        }
        let (mut pieces, mut receipts) = (vec![Bytes::from_static(b"[")], Vec::new());
        for said in all {
            let before = pieces.len();
            match self.one_of_many(said).await {
                None => continue,
                Some(Ok(written)) => pieces.push(written.json.into()),
                Some(Err(waiting)) => receipts.extend(waiting.whole(&mut pieces).await),
            }
            if before > 1 {
                pieces.insert(before, Bytes::from_static(b","));
            }
        }
        if pieces.len() == 1 {
            return Ok(HttpResponse::Accepted().finish());
        }
        pieces.push(Bytes::from_static(b"]"));
        Ok(waiting::all_at_once(self.request, pieces, receipts))
    }

    async fn one_of_many(&self, said: Result<Said<'_>, Fault>) -> Option<Result<Written, Waiting>> {
        let fault = |fault: &Fault| Some(Ok(Written::fault(fault, false)));
        let call = match said {
            Ok(Said::Call(call)) => call,
            Ok(Said::Answer) => return None,
            Err(wrong) => return fault(&wrong),
        };
        let (visit, params) = match self.visit(&call, true) {
            Ok((visit, _)) if visit.version.is_modern() => {
                return fault(&Fault::new(Wrong::Request, "invalid request: this version has no batches").of(call.id));
            }
            Ok(found) => found,
            Err(wrong) => return fault(&wrong.of(call.id)),
        };
        let Some(id) = call.id else {
            methods::notice(&visit, &call, &params);
            return None;
        };
        Some(match methods::answer(&visit, id, &call, &params).await {
            Answer::Now(written) => Ok(written),
            Answer::Later(waiting) => Err(waiting),
            #[cfg(feature = "conformance")]
            Answer::Scripted(_) => return None,
        })
    }

    /// Plain JSON when messages are there, else a stream that begins at once.
    async fn wait(&self, mut waiting: Waiting) -> HttpResponse {
        let reads_streams = reads_streams(self.request.headers());
        let held_back = async {
            if reads_streams {
                sleep(GRACE).await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            ended = waiting.ended() => ended.response(self.request),
            () = held_back => waiting.stream(),
        }
    }

    fn refuse(&self, fault: &Fault) -> HttpResponse {
        let is_modern =
            era::of_headers(&headers(self.request.headers())).is_ok_and(|v| v.is_some_and(Version::is_modern));
        Written::fault(fault, is_modern).response()
    }
}

fn headers(headers: &HeaderMap) -> Headers<'_> {
    let line = |name| {
        let mut all = headers.get_all(name);
        match (all.next(), all.next()) {
            (None, _) => Line::Missing,
            (Some(value), None) => value.to_str().map_or(Line::Unclear, |said| Line::Said(said.trim())),
            (Some(_), Some(_)) => Line::Unclear,
        }
    };
    Headers { version: line("mcp-protocol-version"), method: line("mcp-method"), name: line("mcp-name") }
}

/// Whether a client says that it reads event streams.
fn reads_streams(headers: &HeaderMap) -> bool {
    let said = headers.get_all(header::ACCEPT).filter_map(|value| value.to_str().ok());
    said.flat_map(|value| value.split(',')).any(|kind| kind.trim().starts_with("text/event-stream"))
}

/// What a path does not know.
pub(super) fn wrong_method(allow: &'static str) -> HttpResponse {
    let refusal = Refusal::new(Code::MethodNotAllowed, format!("this path knows {allow} only"));
    let mut response = HttpResponse::from_error(Problem(refusal));
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    response
}
