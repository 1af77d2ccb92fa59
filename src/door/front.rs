//! The front door: every request passes it once, before and after its handler.
//!
//! It checks Host, Origin and bans of addresses, gives the request its id, puts the security headers on, gives every error its one shape,
//! counts it, and writes the access line. It never looks at a body.

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

use super::leftover::Leftover;
use super::problem::Problem;
use super::state::{Shared, State, host_of};
use super::traffic;

/// Paths that answer whatever the Host: what asks them often knows the hub by an address of its own.
pub(crate) const ANY_HOST: [&str; 3] = ["/livez", "/readyz", "/healthz"];
/// Nobody is banned from lifting a ban.
const ADMIN: &str = "/api/admin/";
/// What an agent does all day: logged at debug level when it went well.
const HOT: [&str; 7] = ["/send", "/listen", "/wait", "/stream", "/ack", "/keepalive", "/poll"];
/// The same over MCP, where the path does not say what is done.
const MCP: &str = "/mcp";

/// Where an answer tells its request's id.
static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

static SECURITY: [(HeaderName, HeaderValue); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin")),
    (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), microphone=(), geolocation=(), interest-cohort=()"),
    ),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; frame-ancestors 'none'; \
             base-uri 'self'; form-action 'self'",
        ),
    ),
];

/// Lets a request in, and its response out.
pub(crate) fn door(state: &Shared, mut request: ServiceRequest, next: &Next<BoxBody>) -> Passing {
    let (id, began_ms) = (Uuid::now_v7(), state.clock.uptime_ms());
    let leftover = Leftover::of(&mut request);
    let answering = match check(state, &request) {
        Ok(()) => next.call(request),
        Err(refusal) => Box::pin(ready(Ok(request.error_response(Problem(refusal))))),
    };
    Passing { answering, leftover, state: state.clone(), id, began_ms }
}

/// A request on its way through the house. It has no room for what comes after the wait: with every poll that is parked
/// it is kept once or, by actix over HTTP/2, twice.
pub(crate) struct Passing {
    answering: LocalBoxFuture<'static, Result<ServiceResponse, actix_web::Error>>,
    leftover: Option<Leftover>,
    state: Shared,
    id: Uuid,
    began_ms: u64,
}

impl Future for Passing {
    type Output = Result<ServiceResponse, actix_web::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let answered = ready!(self.answering.as_mut().poll(cx))?;
            let Some(rest) = self.leftover.take().and_then(Leftover::rest) else {
                return Poll::Ready(Ok(self.out(answered)));
            };
            self.answering = Box::pin(async move {
                rest.forget().await;
                Ok(answered)
            });
        }
    }
}

impl Passing {
    fn out(&self, answered: ServiceResponse) -> ServiceResponse {
        let problem = problem_of(&answered);
        let mut response = match &problem {
            Some(problem) => told(answered, problem, self.id),
            None => answered,
        };
        put_headers(response.headers_mut(), self.id);
        let refused = problem.map(|problem| problem.0.code).or_else(|| refused_within(&response));
        traffic::count(response.request(), response.status().as_u16(), refused);
        log_access(&response, self.id, || self.state.clock.uptime_ms().saturating_sub(self.began_ms));
        response
    }
}

fn check(state: &State, request: &ServiceRequest) -> Result<(), Refusal> {
    if ANY_HOST.contains(&request.path()) {
        return Ok(());
    }
    let origin = request.headers().get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    state.hosts.check(host_of(request.head()).unwrap_or_default(), origin)?;
    if request.path().starts_with(ADMIN) {
        return Ok(());
    }
    state.hub.admit_address(|| state.client(request.request()))
}

/// Gives a response the body of a problem; its `Allow` stays.
fn told(response: ServiceResponse<BoxBody>, problem: &Problem, id: Uuid) -> ServiceResponse<BoxBody> {
    let kept = response.headers().get(header::ALLOW).cloned();
    let mut full = problem.response(&id.to_string());
    if let Some(allow) = kept {
        full.headers_mut().insert(header::ALLOW, allow);
    }
    response.into_response(full)
}

/// The problem behind an error response, whoever made it.
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
            _ => Refusal::invalid("the request is not understood"),
        })
    })
}

/// The refusal a response carries without being an error of HTTP.
fn refused_within(response: &ServiceResponse<BoxBody>) -> Option<Code> {
    response.response().extensions().get::<traffic::Refused>().map(|refused| refused.0)
}

fn put_headers(headers: &mut HeaderMap, id: Uuid) {
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    let text = id.hyphenated().encode_lower(&mut text);
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(REQUEST_ID.clone(), value);
    }
    for (name, value) in &SECURITY {
        headers.insert(name.clone(), value.clone());
    }
}

/// One line for each request, without its query, its headers or its body.
fn log_access(response: &ServiceResponse<BoxBody>, id: Uuid, duration_ms: impl FnOnce() -> u64) {
    let (path, status) = (response.request().path(), response.status().as_u16());
    let hot = status < 400 && (HOT.iter().any(|end| path.ends_with(end)) || path.starts_with(MCP));
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
    fn a_parked_request_keeps_little_at_the_door() {
        assert!(size_of::<Passing>() <= 64, "{}", size_of::<Passing>());
    }
}
