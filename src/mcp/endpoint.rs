//! The HTTP handlers of the endpoints: authorize a request, parse its messages, call their methods and respond.

use std::time::Duration;

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use rogerrat_domain::{Code, Refusal, limits};
use tokio::time::sleep;

use super::context::{McpEndpoint, RequestContext};
use super::methods::{self, MethodOutcome};
use super::protocol_version::{self, HeaderField, McpHeaders, ProtocolVersion};
use super::response::RpcResponse;
use super::rpc::{self, ErrorCode, Params, RpcBody, RpcCall, RpcError, RpcMessage};
use super::session::McpSessionId;
use super::session_store::SessionState;
use super::state::McpState;
use super::waiting::WaitingCall;
use crate::web::body;
use crate::web::problem::Problem;
use crate::web::state::SharedState;

/// How long a waiting call may take until its response becomes a stream. If messages are pending it is plain JSON.
const STREAM_AFTER: Duration = Duration::from_millis(10);
/// Parsed once, because a lookup by text parses the name each time.
static VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
static METHOD: HeaderName = HeaderName::from_static("mcp-method");
static NAME: HeaderName = HeaderName::from_static("mcp-name");
static SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// `POST /mcp` and `POST /mcp/{id}`
pub(super) async fn post(
    state: SharedState,
    mcp: Data<McpState>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let endpoint = McpEndpoint::authorize(&state, &request).await?;
    let body = body::read(&request, payload, limits::BODY_SEND_BYTES).await?;
    let handler = Handler { state: &state, mcp: &mcp, request: &request, endpoint: &endpoint };
    handler.refresh_session().await;
    let parsed = rpc::parse(&body);
    if let Ok(messages) = &parsed
        && let Some(response) = handler.forward(messages, &body).await
    {
        return response;
    }
    Ok(match parsed {
        Err(error) => handler.error(&error),
        Ok(RpcBody::One(message)) => handler.message(message).await,
        Ok(RpcBody::Batch(batch)) => handler.batch(batch).await.unwrap_or_else(|error| handler.error(&error)),
    })
}

/// `DELETE /mcp` and `DELETE /mcp/{id}`: ends the MCP session. Its member stays on the channel until it leaves.
pub(super) async fn delete(
    state: SharedState,
    mcp: Data<McpState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let endpoint = McpEndpoint::authorize(&state, &request).await?;
    let handler = Handler { state: &state, mcp: &mcp, request: &request, endpoint: &endpoint };
    if handler.is_modern() {
        return Ok(method_not_allowed("POST"));
    }
    handler.refresh_session().await;
    Ok(match handler.end_session().await {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(error) => handler.error(&error),
    })
}

/// Handles an authorized request.
pub(super) struct Handler<'a> {
    pub(super) state: &'a SharedState,
    pub(super) mcp: &'a Data<McpState>,
    pub(super) request: &'a HttpRequest,
    pub(super) endpoint: &'a McpEndpoint,
}

impl<'a> Handler<'a> {
    async fn message(&self, message: RpcMessage<'_>) -> HttpResponse {
        let call = match message {
            RpcMessage::Call(call) => call,
            RpcMessage::Response => return self.unexpected_response(),
        };
        let (context, params) = match self.context(&call, false) {
            Ok(found) => found,
            Err(error) => return self.error(&error.with_id(call.id)),
        };
        let Some(id) = call.id else {
            methods::notify(&context, &call, &params);
            return HttpResponse::Accepted().finish();
        };
        match methods::call(&context, id, &call, &params).await {
            MethodOutcome::Response(response) => response.into_http(),
            MethodOutcome::Waiting(waiting) => self.wait(waiting).await,
            #[cfg(feature = "conformance")]
            MethodOutcome::Stream(response) => response,
        }
    }

    /// Handles a response, though the hub sends no requests. Legacy versions allow one, modern versions do not.
    fn unexpected_response(&self) -> HttpResponse {
        match self.header_version() {
            Err(error) => self.error(&error),
            Ok(Some(version)) if version.is_modern() => {
                let message = "invalid request: a response without a request";
                self.error(&RpcError::new(ErrorCode::InvalidRequest, message))
            }
            Ok(_) => HttpResponse::Accepted().finish(),
        }
    }

    /// Determines the version and the session of a message.
    pub(super) fn context<'b>(
        &self,
        call: &RpcCall<'b>,
        is_in_batch: bool,
    ) -> Result<(RequestContext<'a>, Params<'b>), RpcError> {
        let params = Params::parse(call)?;
        let named = protocol_version::of_message(&headers(self.request.headers()), call, &params)?;
        let has_session = named.is_none_or(|version| !version.is_modern()) && call.method != "initialize";
        let (mcp_session, session_state) = if has_session { self.session()?.unzip() } else { (None, None) };
        let of_session = mcp_session.map(|session| session.version);
        let version = named.or(of_session).unwrap_or(ProtocolVersion::WITHOUT_HEADER);
        let memberships = match session_state {
            Some(SessionState::Bound(memberships)) => Some(memberships),
            _ => None,
        };
        let Self { state, mcp, request, endpoint } = *self;
        let context = RequestContext { state, mcp, request, endpoint, version, mcp_session, memberships, is_in_batch };
        Ok((context, params))
    }

    /// Reads the state of the session again, if another instance may have changed it.
    pub(super) async fn refresh_session(&self) {
        if self.state.peers.is_none() {
            return;
        }
        let id = self.request.headers().get(&SESSION).and_then(|id| id.to_str().ok());
        if let Some(session) = id.and_then(|id| McpSessionId::open(&self.mcp.seal, id, self.endpoint.name())) {
            self.mcp.sessions.refresh(session.nonce).await;
        }
    }

    /// The MCP session that the request presents, and its state.
    pub(super) fn session(&self) -> Result<Option<(McpSessionId, SessionState)>, RpcError> {
        let Some(id) = self.request.headers().get(&SESSION) else { return Ok(None) };
        let now_ms = self.state.clock.now().at_ms;
        let session = id.to_str().ok().and_then(|id| McpSessionId::open(&self.mcp.seal, id, self.endpoint.name()));
        let found = session.and_then(|session| Some((session, session.state(&self.mcp.sessions, now_ms)?)));
        let unknown = || {
            let message = "session not found: send `initialize` without an Mcp-Session-Id to start another one";
            RpcError::new(ErrorCode::SessionNotFound, message)
        };
        found.map(Some).ok_or_else(unknown)
    }

    async fn end_session(&self) -> Result<(), RpcError> {
        self.header_version()?;
        let missing = || RpcError::new(ErrorCode::InvalidRequest, "the Mcp-Session-Id header is missing");
        let (session, _) = self.session()?.ok_or_else(missing)?;
        self.mcp.sessions.put(session.nonce, SessionState::Deleted, self.state.clock.now().at_ms).await;
        Ok(())
    }

    /// Responds with plain JSON if messages are pending, else with a stream that starts immediately.
    async fn wait(&self, mut waiting: WaitingCall) -> HttpResponse {
        let accepts_streams = accepts_event_streams(self.request.headers());
        let delay = async {
            if accepts_streams {
                sleep(STREAM_AFTER).await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            end = waiting.end() => end.into_http(self.request),
            () = delay => waiting.into_stream(),
        }
    }

    pub(super) fn header_version(&self) -> Result<Option<ProtocolVersion>, RpcError> {
        protocol_version::of_headers(&headers(self.request.headers()))
    }

    fn is_modern(&self) -> bool {
        self.header_version().is_ok_and(|version| version.is_some_and(ProtocolVersion::is_modern))
    }

    pub(super) fn error(&self, error: &RpcError) -> HttpResponse {
        RpcResponse::error(error, self.is_modern()).into_http()
    }
}

fn headers(headers: &HeaderMap) -> McpHeaders<'_> {
    let field = |name: &HeaderName| {
        let mut values = headers.get_all(name);
        match (values.next(), values.next()) {
            (None, _) => HeaderField::Missing,
            (Some(value), None) => value.to_str().map_or(HeaderField::Ambiguous, |text| HeaderField::Text(text.trim())),
            (Some(_), Some(_)) => HeaderField::Ambiguous,
        }
    };
    McpHeaders { version: field(&VERSION), method: field(&METHOD), name: field(&NAME) }
}

fn accepts_event_streams(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|mime| mime.trim().starts_with("text/event-stream"))
}

/// The response to a method that the path does not support.
pub(super) fn method_not_allowed(allow: &'static str) -> HttpResponse {
    let refusal = Refusal::new(Code::MethodNotAllowed, format!("method not allowed; use {allow}"));
    let mut response = HttpResponse::from_error(Problem(refusal));
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    response
}
