//! The response of another instance, passed on piece by piece.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Bytes;
use hyper::body::{Body as _, Incoming};
use rogerrat_actors::Clock;

use super::connection::{ClientConnections, PeerConnection};
use super::{CountedElsewhere, headers};

/// Completes when the response must not be waited for any longer.
pub(super) type Interrupted = Pin<Box<dyn Future<Output = ()>>>;

/// The connection on which a response arrives. Unless the response was read to its end, it is closed with a reset.
pub(super) struct ResponseConnection {
    pub(super) connection: Option<PeerConnection>,
    pub(super) instance: u64,
    /// Where it is kept for the next request of the client.
    pub(super) kept_in: Option<Rc<ClientConnections>>,
    pub(super) clock: Clock,
}

impl ResponseConnection {
    fn finish(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        connection.settle();
        if let Some(kept_in) = &self.kept_in {
            kept_in.put(self.instance, connection, self.clock.uptime_ms());
        }
    }
}

/// The body of a forwarded response. It fails if the other instance ends in the middle, so that the client sees that it is
/// incomplete.
struct ForwardedBody {
    incoming: Incoming,
    size: BodySize,
    connection: ResponseConnection,
    interrupted: Interrupted,
}

/// A forwarded response was interrupted.
#[derive(Debug, thiserror::Error)]
#[error("the response was interrupted")]
struct InterruptedResponse;

/// Converts the response of another instance.
pub(super) fn passed_on(
    response: hyper::Response<Incoming>,
    mut connection: ResponseConnection,
    interrupted: Interrupted,
) -> HttpResponse {
    let (head, incoming) = response.into_parts();
    let status = StatusCode::from_u16(head.status.as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
    let length = head.headers.get(hyper::header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let is_empty = incoming.is_end_stream();
    let size = match length {
        Some(bytes) => BodySize::Sized(bytes),
        None if is_empty => BodySize::None,
        None => BodySize::Stream,
    };
    if is_empty {
        // The connection is free already, and such a body may not be polled.
        connection.finish();
    }
    let mut response = HttpResponse::build(status)
        .message_body(BoxBody::new(ForwardedBody { incoming, size, connection, interrupted }))
        .unwrap_or_else(|_| HttpResponse::new(status));
    for (name, value) in &head.headers {
        if headers::is_returned(name.as_str())
            && let Ok(name) = HeaderName::from_bytes(name.as_str().as_bytes())
            && let Ok(value) = HeaderValue::from_bytes(value.as_bytes())
        {
            response.headers_mut().append(name, value);
        }
    }
    response.extensions_mut().insert(CountedElsewhere);
    response
}

impl MessageBody for ForwardedBody {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.size
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Box<dyn Error>>>> {
        loop {
            match Pin::new(&mut self.incoming).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    // The hub sends no trailers.
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error.into()))),
                Poll::Ready(None) => {
                    self.connection.finish();
                    return Poll::Ready(None);
                }
                Poll::Pending => {
                    let is_interrupted = self.interrupted.as_mut().poll(cx).is_ready();
                    return if is_interrupted {
                        Poll::Ready(Some(Err(InterruptedResponse.into())))
                    } else {
                        Poll::Pending
                    };
                }
            }
        }
    }
}
