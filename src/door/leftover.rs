//! What a handler did not read of an HTTP/2 request is read and forgotten before the answer goes.
//!
//! An answer that overtakes its request's body makes h2 reset the stream behind it, and curl then drops the answer: a
//! 401 to a POST would be a broken connection. HTTP/1 needs none of this, actix reads on there by itself.

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

/// How long an answer waits for what nobody reads.
const PATIENCE: Duration = Duration::from_secs(2);

/// The body of a request, shared between its handler and the door.
pub(super) struct Leftover(Shared);

#[derive(Clone)]
struct Shared(Rc<RefCell<Payload>>);

impl Leftover {
    /// Keeps hold of the body; none where that is not needed.
    pub(super) fn of(request: &mut ServiceRequest) -> Option<Self> {
        if request.version() != Version::HTTP_2 {
            return None;
        }
        let shared = Shared(Rc::new(RefCell::new(request.take_payload())));
        request.set_payload(Payload::Stream { payload: Box::pin(shared.clone()) });
        Some(Self(shared))
    }

    /// What is left, if anything: after a request without a body, or read by its handler, nothing is.
    pub(super) fn rest(mut self) -> Option<Self> {
        let next = self.0.next().now_or_never();
        matches!(next, None | Some(Some(Ok(_)))).then_some(self)
    }

    /// Reads to the end, or as far as the largest body that is read at all.
    pub(super) async fn forget(mut self) {
        let reading = async {
            let mut bytes = 0;
            while let Some(Ok(chunk)) = self.0.next().await {
                bytes += chunk.len();
                if bytes > limits::BODY_SEND_BYTES {
                    return;
                }
            }
        };
        // Who is slower than that may lose the answer.
        let _ = timeout(PATIENCE, reading).await;
    }
}

impl Stream for Shared {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.borrow_mut().poll_next_unpin(cx)
    }
}
