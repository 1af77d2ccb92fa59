//! Long polls: `listen` and `wait`. A waiting handler holds only its place in the channel's list of waiters.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Version;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use rogerrat_actors::{DeliveryGuard, ReadResponse};
use rogerrat_domain::op::{ReadQuery, ReadReply, WaitReply};
use rogerrat_domain::{Code, MessageId, limits};

use super::error_codes::{MEMBER, codes};
use super::parameters::{AttachmentsParam, BoundParam, ChannelPath, SessionHeader};
use super::query::QueryParams;
use crate::transport::{ConnectionEvents, ConnectionState, Disconnected};
use crate::web::answer_format::AnswerFormat;
use crate::web::delivery_body::{DeliveryBody, PendingDelivery, SizedBody, serialize};
use crate::web::header_pool;
use crate::web::problem::Problem;
use crate::web::state::SharedState;

const END_STREAM: &str = "First ends an open stream of the same session and consumer, as a newer stream would. What it \
    delivered and you did not acknowledge is due again.";

/// Wait for messages, up to 60 seconds.
///
/// It returns all pending messages at once, or waits until one arrives or the timeout elapses.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/listen",
    operation_id = "listen",
    tag = "Reading",
    params(
        ChannelPath,
        SessionHeader,
        ("timeout" = Option<f64>, Query,
            description = "Seconds to wait for a message. Defaults to 30, clamped to 1 … 60; fractions are allowed."),
        ReadQuery<'static>,
        BoundParam,
        AttachmentsParam,
        ("end_stream" = Option<bool>, Query, description = END_STREAM),
    ),
    responses((status = 200, body = ReadReply, description = "The pending messages, or none.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[MEMBER, &[Code::LimitReached]])))),
)]
pub(crate) async fn listen(request: ServiceRequest) -> Result<ServiceResponse, actix_web::Error> {
    read(request, limits::LISTEN_DEFAULT_MS, limits::LISTEN_MAX_MS, false).await
}

/// Wait for messages, up to 290 seconds.
///
/// Like `listen`, for agents that wait long. The reply also has the roster and the next step.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/wait",
    operation_id = "wait",
    tag = "Reading",
    params(
        ChannelPath,
        SessionHeader,
        ("timeout" = Option<f64>, Query,
            description = "Seconds to wait for a message. Defaults to 120, clamped to 1 … 290; fractions are allowed."),
        ReadQuery<'static>,
        BoundParam,
        AttachmentsParam,
        ("end_stream" = Option<bool>, Query, description = END_STREAM),
    ),
    responses((status = 200, body = WaitReply, description = "The pending messages, or none.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(codes(&[MEMBER, &[Code::LimitReached]])))),
)]
pub(crate) async fn wait(request: ServiceRequest) -> Result<ServiceResponse, actix_web::Error> {
    read(request, limits::WAIT_DEFAULT_MS, limits::WAIT_MAX_MS, true).await
}

/// Reads messages and builds the response.
async fn read(
    mut request: ServiceRequest,
    default_ms: u64,
    max_ms: u64,
    is_wait: bool,
) -> Result<ServiceResponse, actix_web::Error> {
    let result = wait_for_messages(&mut request, default_ms, max_ms, is_wait).await;
    header_pool::restore(&mut request);
    match result {
        Ok(Some((response, format, is_direct))) => {
            let body = body(response, format, is_direct, request.request());
            let mut response = HttpResponse::Ok().body(BoxBody::new(body));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Ok(request.into_response(response))
        }
        Ok(None) => Ok(request.into_response(HttpResponse::NoContent().finish())),
        Err(error) => Ok(request.error_response(error)),
    }
}

/// Waits for messages. Returns the response, its format, and whether the request came directly from its client; none if
/// the connection closed meanwhile, so that nobody receives the response.
async fn wait_for_messages(
    request: &mut ServiceRequest,
    default_ms: u64,
    max_ms: u64,
    is_wait: bool,
) -> Result<Option<(ReadResponse, AnswerFormat, bool)>, actix_web::Error> {
    let state = request.extract::<SharedState>().await?;
    let (at, session) = state.admit_session(request.request()).await?;
    let (timeout_ms, mut input, format) = {
        let query = QueryParams::of(request.query_string());
        let timeout_ms = query.timeout_ms(default_ms, max_ms).map_err(Problem)?;
        (timeout_ms, query.poll_input().map_err(Problem)?, query.answer_format().map_err(Problem)?)
    };
    input.bound = format.bound(is_wait);
    let mut disconnected = ConnectionState::of(request.request()).map(ConnectionState::disconnected);
    let is_direct = is_direct(request.headers());
    header_pool::release(request);
    // Boxed: handler futures are allocated, and allocators are slow above 1 KiB.
    let read = Box::pin(state.hub.read(&at, session, input, timeout_ms, is_wait));
    tokio::select! {
        biased;
        // Dropping the read removes its waiter from the channel (D1).
        () = has_disconnected(&mut disconnected) => Ok(None),
        response = read => Ok(Some((response.map_err(Problem::from)?, format, is_direct))),
    }
}

/// Never completes for HTTP/1, where actix drops the handler's future with its connection.
async fn has_disconnected(disconnected: &mut Option<Disconnected>) {
    match disconnected {
        Some(disconnected) => disconnected.await,
        None => std::future::pending().await,
    }
}

fn body(response: ReadResponse, format: AnswerFormat, is_direct: bool, request: &HttpRequest) -> SizedBody {
    let mut pieces = Vec::new();
    let messages = first_attempts(&response);
    let guard = serialize(response, format, &mut pieces);
    pieces.push(Bytes::from_static(b"}"));
    let delivery = pending(request, is_direct, messages, guard);
    SizedBody::new(DeliveryBody::new(pieces, Some(delivery), request.version() == Version::HTTP_2))
}

/// The delivery of a response whose messages come again if the connection shows that the client has not read it.
fn pending(
    request: &HttpRequest,
    is_direct: bool,
    messages: Box<[MessageId]>,
    guard: DeliveryGuard,
) -> PendingDelivery {
    match ConnectionEvents::of(request).filter(|_| is_direct && !messages.is_empty()) {
        None => PendingDelivery::confirmed(guard),
        Some(connection) => PendingDelivery::passed_to(
            guard,
            Box::new(move |mut guard| {
                if let Some(answer) = guard.complete_unless_reset(messages) {
                    connection.unless_read(Box::new(move || answer.take_back()));
                }
            }),
        ),
    }
}

/// The delivery of a response of another route than a poll.
pub(super) fn recallable(request: &HttpRequest, messages: Box<[MessageId]>, guard: DeliveryGuard) -> PendingDelivery {
    pending(request, is_direct(request.headers()), messages, guard)
}

/// The messages of a response that come again if its client turns out not to have read it. They do so once: otherwise a
/// client that always resets its connections would get them without end.
fn first_attempts(response: &ReadResponse) -> Box<[MessageId]> {
    let first = response.messages.iter().filter(|delivered| delivered.attempt < 2);
    first.map(|delivered| delivered.message.id).collect()
}

/// Whether no proxy has written into the headers of a request: some proxies reset their connections after every response.
fn is_direct(headers: &HeaderMap) -> bool {
    ![header::VIA, header::FORWARDED, header::X_FORWARDED_FOR].iter().any(|name| headers.contains_key(name))
}
