//! Long polls: `listen` and `wait`. A handler that waits holds nothing but its place.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Version;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Bytes;
use rogerrat_actors::ReadResponse;
use rogerrat_domain::limits;
use rogerrat_domain::op::{ReadQuery, ReadReply, WaitReply};

use super::openapi::{InChannel, WithSession};
use super::problem::Problem;
use super::query::Query;
use super::state::SharedState;
use crate::transport::{Gone, Presence};
use crate::web::delivery_body::{DeliveryBody, serialize};
use crate::web::header_pool;

/// Returns at once with all that is waiting; else waits until something comes or the time is up.
#[utoipa::path(
    get,
    path = "/api/channels/{id}/listen",
    operation_id = "listen",
    tag = "Reading",
    params(InChannel, WithSession, ("timeout" = Option<f64>, Query, description = "Seconds to wait when there is nothing; clamped to 1 … 60, fractions count. 30 if left out."), ReadQuery<'static>),
    responses((status = 200, body = ReadReply, description = "What was waiting, or nothing.")),
    security(("channel_token" = [], "session" = [])),
    extensions(("x-error-codes" = json!(["invalid", "unauthorized", "not_found", "not_joined", "session_expired", "overloaded", "limit_reached", "storage_failed"]))),
)]
pub(crate) async fn listen(request: ServiceRequest) -> Result<ServiceResponse, actix_web::Error> {
    read(request, limits::LISTEN_DEFAULT_MS, limits::LISTEN_MAX_MS, false).await
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
    extensions(("x-error-codes" = json!(["invalid", "unauthorized", "not_found", "not_joined", "session_expired", "overloaded", "limit_reached", "storage_failed"]))),
)]
pub(crate) async fn wait(request: ServiceRequest) -> Result<ServiceResponse, actix_web::Error> {
    read(request, limits::WAIT_DEFAULT_MS, limits::WAIT_MAX_MS, true).await
}

/// Reads, and answers whatever comes of it.
async fn read(
    mut request: ServiceRequest,
    default_ms: u64,
    max_ms: u64,
    is_wait: bool,
) -> Result<ServiceResponse, actix_web::Error> {
    let parcel = parcel(&mut request, default_ms, max_ms, is_wait).await;
    header_pool::restore(&mut request);
    match parcel {
        Ok(Some(parcel)) => {
            let answer = Answer::of(parcel, request.version() == Version::HTTP_2);
            let mut response = HttpResponse::Ok().body(BoxBody::new(answer));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Ok(request.into_response(response))
        }
        Ok(None) => Ok(request.into_response(HttpResponse::NoContent().finish())),
        Err(error) => Ok(request.error_response(error)),
    }
}

/// Waits for what is to be read. None when the connection has closed meanwhile: nobody reads this answer.
async fn parcel(
    request: &mut ServiceRequest,
    default_ms: u64,
    max_ms: u64,
    is_wait: bool,
) -> Result<Option<ReadResponse>, actix_web::Error> {
    let state = request.extract::<SharedState>().await?;
    let (at, session) = state.admit_session(request.request()).await?;
    let (timeout_ms, input) = {
        let query = Query::of(request.query_string());
        (query.timeout_ms(default_ms, max_ms).map_err(Problem)?, query.read_input(None).map_err(Problem)?)
    };
    let mut gone = Presence::of(request.request()).map(Presence::ended);
    header_pool::release(request);
    // Boxed: allocators are slow with what is larger than a KiB, and the futures of handlers are allocated.
    let read = Box::pin(state.hub.read(&at, session, input, timeout_ms, is_wait));
    tokio::select! {
        biased;
        // What counts is that the read is dropped and gives its place back (D1).
        () = has_gone(&mut gone) => Ok(None),
        parcel = read => Ok(Some(parcel.map_err(Problem::from)?)),
    }
}

/// Never comes for HTTP/1, where this future is dropped with its connection.
async fn has_gone(gone: &mut Option<Gone>) {
    match gone {
        Some(gone) => gone.await,
        None => std::future::pending().await,
    }
}

/// The body of an answer.
struct Answer {
    bytes: u64,
    handover: DeliveryBody,
}

impl Answer {
    fn of(parcel: ReadResponse, completes_late: bool) -> Self {
        let mut pieces = Vec::new();
        let guard = serialize(parcel, &mut pieces);
        pieces.push(Bytes::from_static(b"}"));
        let handover = DeliveryBody::new(pieces, Some(guard), completes_late);
        Self { bytes: handover.bytes(), handover }
    }
}

impl MessageBody for Answer {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.bytes)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(self.handover.next_piece().map(Ok))
    }
}
