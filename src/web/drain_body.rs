//! Reads and discards what a handler left unread of an HTTP/2 request body, before the response is sent.
//!
//! If the response ends before the request body, h2 resets the stream and curl discards the response: a 401 to a POST
//! would look like a broken connection. Over HTTP/1 actix drains the body itself.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::HttpMessage as _;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::http::Version;
use actix_web::web::Bytes;
use futures_util::{FutureExt as _, Stream, StreamExt as _};
use rogerrat_domain::limits;
use tokio::time::timeout;

/// How long a response waits for the rest of its request. A slower client may lose the response.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// The body of a request, shared between its handler and the middleware.
pub(super) struct UnreadBody(SharedPayload);

#[derive(Clone)]
struct SharedPayload(Rc<RefCell<Payload>>);

impl UnreadBody {
    /// Makes the body of a request shared. `None` for HTTP/1.
    pub(super) fn share(request: &mut ServiceRequest) -> Option<Self> {
        if request.version() != Version::HTTP_2 {
            return None;
        }
        let shared = SharedPayload(Rc::new(RefCell::new(request.take_payload())));
        request.set_payload(Payload::Stream { payload: Box::pin(shared.clone()) });
        Some(Self(shared))
    }

    /// Returns itself if part of the body is unread.
    pub(super) fn if_any(mut self) -> Option<Self> {
        let next = self.0.next().now_or_never();
        matches!(next, None | Some(Some(Ok(_)))).then_some(self)
    }

    /// Reads to the end, but at most the largest body that any handler accepts.
    pub(super) async fn drain(mut self) {
        let reading = async {
            let mut bytes = 0;
            while let Some(Ok(chunk)) = self.0.next().await {
                bytes += chunk.len();
                if bytes > limits::BODY_SEND_BYTES {
                    return;
                }
            }
        };
        let _ = timeout(DRAIN_TIMEOUT, reading).await;
    }
}

impl Stream for SharedPayload {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.borrow_mut().poll_next_unpin(cx)
    }
}
