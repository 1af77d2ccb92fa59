//! Middleware that runs once around the handler of every request.
//!
//! It checks Host, Origin and address bans, assigns the request id, adds the security headers, formats errors, counts
//! the request, and writes the access log. It never looks at a body. What belongs to another instance is forwarded in
//! between.

use std::future::ready;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use futures_util::future::LocalBoxFuture;
use log::Level;
use rogerrat_domain::{Code, Refusal};
use uuid::Uuid;

use super::challenge;
use super::drain_body::UnreadBody;
use super::peers::CountedElsewhere;
use super::problem::{OauthError, Problem};
use super::request_metrics::{self, RefusalCode};
use super::state::{AppState, SharedState, host_of};

/// Paths served for any Host: health probes often address the hub by a name of their own.
pub(crate) const ANY_HOST: [&str; 3] = ["/livez", "/readyz", "/healthz"];
/// The page of the administration. Exempt from address bans with its files and its API, so that an operator can always
/// lift one.
const ADMIN_PAGE: &str = "/admin";
const ADMIN_PREFIXES: [&str; 2] = ["/api/admin/", "/static/"];
/// The most frequent calls of agents: successful ones are logged at debug level.
const HOT_PATHS: [&str; 7] = ["/send", "/listen", "/wait", "/stream", "/ack", "/keepalive", "/poll"];
/// MCP requests are logged like hot paths, because their path does not reveal the operation.
const MCP_PREFIX: &str = "/mcp";

/// The response header with the request id.
static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The headers of every response; a page has stricter or wider ones of its own.
static SECURITY: [(HeaderName, HeaderValue); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), microphone=(), geolocation=(), interest-cohort=()"),
    ),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox")),
    // Replies contain messages and secrets.
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// Without subdomains: the hub does not know what else is served under its domain.
static HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Checks a request, calls its handler and completes the response.
pub(crate) fn handle(state: &SharedState, mut request: ServiceRequest, next: Next<BoxBody>) -> ResponseFuture {
    let (id, started_ms) = (Uuid::now_v7(), state.clock.uptime_ms());
    let unread_body = UnreadBody::share(&mut request);
    let response = match check(state, &request) {
        Ok(()) => match &state.peers {
            None => next.call(request),
            Some(peers) => peers.route(state, request, next, id),
        },
        Err(refusal) => Box::pin(ready(Ok(request.error_response(Problem(refusal))))),
    };
    ResponseFuture { response, unread_body, state: state.clone(), id, started_ms }
}

/// Calls the handler of a request that another instance has checked and forwarded, and completes the response.
pub(super) fn handle_arrived(
    state: &SharedState,
    request: ServiceRequest,
    next: &Next<BoxBody>,
    id: Uuid,
) -> ResponseFuture {
    let started_ms = state.clock.uptime_ms();
    ResponseFuture { response: next.call(request), unread_body: None, state: state.clone(), id, started_ms }
}

/// The future of an in-flight request. Kept small because one is held for every waiting poll, and two over HTTP/2.
pub(crate) struct ResponseFuture {
    response: LocalBoxFuture<'static, Result<ServiceResponse, actix_web::Error>>,
    unread_body: Option<UnreadBody>,
    state: SharedState,
    id: Uuid,
    started_ms: u64,
}

impl Future for ResponseFuture {
    type Output = Result<ServiceResponse, actix_web::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let response = ready!(self.response.as_mut().poll(cx))?;
            let Some(unread) = self.unread_body.take().and_then(UnreadBody::if_any) else {
                return Poll::Ready(Ok(self.complete(response)));
            };
            self.response = Box::pin(async move {
                unread.drain().await;
                Ok(response)
            });
        }
    }
}

impl ResponseFuture {
    fn complete(&self, response: ServiceResponse) -> ServiceResponse {
        let problem = problem_of(&response);
        let mut response = match &problem {
            Some(problem) => with_problem_body(response, problem, self.id),
            None => response,
        };
        put_headers(response.headers_mut(), self.id);
        if self.state.hosts.has_hsts(host_of(response.request().head()).unwrap_or_default()) {
            response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, HSTS.clone());
        }
        challenge::put(&mut response, problem.as_ref());
        let refusal = problem.map(|problem| problem.0.code).or_else(|| refusal_extension(&response));
        if self.state.peers.is_none() || !is_counted_elsewhere(&response) {
            request_metrics::record(response.request(), response.status().as_u16(), refusal);
        }
        log_access(&response, self.id, || self.state.clock.uptime_ms().saturating_sub(self.started_ms));
        response
    }
}

fn check(state: &AppState, request: &ServiceRequest) -> Result<(), Refusal> {
    if ANY_HOST.contains(&request.path()) {
        return Ok(());
    }
    let origins = request.headers().get_all(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    state.hosts.check(host_of(request.head()).unwrap_or_default(), origins)?;
    let path = request.path();
    if path == ADMIN_PAGE || ADMIN_PREFIXES.iter().any(|prefix| path.starts_with(prefix)) {
        return Ok(());
    }
    state.hub.admit_address(|| state.client(request.request()))
}

/// Replaces the body of an error response by the error object; its `Allow` header is kept.
fn with_problem_body(response: ServiceResponse<BoxBody>, problem: &Problem, id: Uuid) -> ServiceResponse<BoxBody> {
    let allow = response.headers().get(header::ALLOW).cloned();
    let describes_for_oauth = response.response().extensions().get::<OauthError>().is_some();
    let mut full = problem.response(&id.to_string(), describes_for_oauth);
    if let Some(allow) = allow {
        full.headers_mut().insert(header::ALLOW, allow);
    }
    response.into_response(full)
}

/// The problem of an error response, whether a handler or actix produced it.
fn problem_of(response: &ServiceResponse<BoxBody>) -> Option<Problem> {
    let error = response.response().error();
    if let Some(problem) = error.and_then(|error| error.as_error::<Problem>()) {
        return Some(problem.clone());
    }
    let status = response.status();
    (error.is_some() && status.as_u16() >= 400).then(|| {
        Problem(match status {
            StatusCode::NOT_FOUND => Refusal::new(Code::NotFound, "not found"),
            StatusCode::PAYLOAD_TOO_LARGE => Refusal::new(Code::TooLarge, "the body is too large"),
            status if status.is_server_error() => Refusal::new(Code::Internal, "internal error"),
            _ => Refusal::invalid("malformed request"),
        })
    })
}

/// The refusal code that a handler attached to a response in the format of another protocol.
fn refusal_extension(response: &ServiceResponse<BoxBody>) -> Option<Code> {
    response.response().extensions().get::<RefusalCode>().map(|refusal| refusal.0)
}

fn is_counted_elsewhere(response: &ServiceResponse<BoxBody>) -> bool {
    response.response().extensions().contains::<CountedElsewhere>()
}

fn put_headers(headers: &mut HeaderMap, id: Uuid) {
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    let text = id.hyphenated().encode_lower(&mut text);
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(REQUEST_ID.clone(), value);
    }
    // A page sets its own policies; other handlers set at most how their response may be cached.
    let is_page = headers.contains_key(header::CONTENT_SECURITY_POLICY);
    for (name, value) in &SECURITY {
        if (is_page || *name == header::CACHE_CONTROL) && headers.contains_key(name) {
            continue;
        }
        headers.insert(name.clone(), value.clone());
    }
}

/// Logs one line per request, without its query, headers or body: they may contain secrets.
fn log_access(response: &ServiceResponse<BoxBody>, id: Uuid, duration_ms: impl FnOnce() -> u64) {
    let (path, status) = (response.request().path(), response.status().as_u16());
    let hot = status < 400 && (HOT_PATHS.iter().any(|end| path.ends_with(end)) || path.starts_with(MCP_PREFIX));
    let level = if hot { Level::Debug } else { Level::Info };
    if level > log::max_level() {
        return;
    }
    let (method, duration_ms) = (response.request().method().as_str(), duration_ms());
    log::log!(target: "access", level, request_id:display = id, method, path, status, duration_ms; "request");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_future_of_a_waiting_request_is_small() {
        assert!(size_of::<ResponseFuture>() <= 64, "{}", size_of::<ResponseFuture>());
    }
}
