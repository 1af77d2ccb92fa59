//! What the hub adds to actix's HTTP/1 dispatcher: it closes connections without a request in progress, also those that
//! send the head of a request byte by byte, and it sends no chunks to HTTP/1.0 clients.
//!
//! The dispatcher limits the time of a first request head, and the time between a response and the first byte of the
//! next request, but nothing after that byte.

use std::any::Any;
use std::cell::{Cell, OnceCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_http::body::{BodySize, BoxBody, MessageBody as _};
use actix_http::{ConnectionType, Request, Response, Version};
use actix_service::Service;
use actix_web::HttpRequest;
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};

use super::KEEP_ALIVE;

/// How long after a check the next one follows while a request waits in its handler: the longest poll takes 5 minutes.
const BUSY_CHECK: Duration = Duration::from_secs(300);

/// Whether a connection is in use, and what its requests share. Shared by the socket and the requests of a connection.
#[derive(Default)]
pub(super) struct Activity {
    /// The handlers that have not responded.
    in_flight: Cell<usize>,
    /// Whether bytes were written, or a request started, since the last check.
    is_recent: Cell<bool>,
    /// Whether the timer of the next check wakes the connection's task.
    is_watched: Cell<bool>,
    /// What its requests share.
    shared: OnceCell<Rc<dyn Any>>,
}

/// Returns what the requests of an HTTP/1.1 connection share, and creates it for the first of them. It is dropped after
/// the end of the connection was recorded in its events. All requests to a port must ask for the same type. `None` over
/// HTTP/2.
pub(crate) fn share_on_connection<T: 'static>(request: &HttpRequest, create: impl FnOnce() -> T) -> Option<Rc<T>> {
    let activity = request.conn_data::<Rc<Activity>>()?;
    activity.shared.get_or_init(|| Rc::new(create())).clone().downcast().ok()
}

impl Activity {
    pub(super) fn record(&self) {
        self.is_recent.set(true);
    }
}

/// Detects that a connection was without a request, and without a byte of a response, for [`KEEP_ALIVE`].
pub(super) struct IdleWatch {
    activity: Rc<Activity>,
    check: Pin<Box<Sleep>>,
}

impl IdleWatch {
    /// Must be called within a tokio runtime.
    pub(super) fn new() -> Self {
        Self { activity: Rc::default(), check: Box::pin(sleep(KEEP_ALIVE)) }
    }

    pub(super) fn activity(&self) -> &Rc<Activity> {
        &self.activity
    }

    /// Whether the connection is idle. One timer serves the whole connection: requests only set a flag. It must always be
    /// called by the same task.
    pub(super) fn is_idle(&mut self, cx: &mut Context<'_>) -> bool {
        if self.activity.is_watched.get() && !self.check.is_elapsed() {
            return false;
        }
        while self.check.as_mut().poll(cx).is_ready() {
            let next = if self.activity.in_flight.get() > 0 {
                BUSY_CHECK
            } else if self.activity.is_recent.get() {
                KEEP_ALIVE
            } else {
                return true;
            };
            self.activity.is_recent.set(false);
            self.check.set(sleep(next));
        }
        self.activity.is_watched.set(true);
        false
    }
}

/// The application as HTTP/1 connections call it.
#[derive(Clone)]
pub(super) struct Http1App<S>(pub(super) Rc<S>);

impl<S> Service<Request> for Http1App<S>
where
    S: Service<Request>,
    S::Response: Into<Response<BoxBody>>,
{
    type Response = Response<BoxBody>;
    type Error = S::Error;
    type Future = Http1Response<S::Future>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&self, request: Request) -> Self::Future {
        let in_flight = request.conn_data::<Rc<Activity>>().cloned().map(InFlight::new);
        let is_http10 = request.version() < Version::HTTP_11;
        Http1Response { response: self.0.call(request), is_http10, _in_flight: in_flight }
    }
}

pin_project! {
    /// The future of a response over HTTP/1.
    pub(super) struct Http1Response<F> {
        #[pin]
        response: F,
        is_http10: bool,
        _in_flight: Option<InFlight>,
    }
}

impl<F, R, E> Future for Http1Response<F>
where
    F: Future<Output = Result<R, E>>,
    R: Into<Response<BoxBody>>,
{
    type Output = Result<Response<BoxBody>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.response.poll(cx))?.into();
        if *this.is_http10 && response.body().size() == BodySize::Stream {
            // HTTP/1.0 has no chunks: the body ends with the connection (RFC 9112, section 6.3).
            response.head_mut().no_chunking(true);
            response.head_mut().set_connection_type(ConnectionType::Close);
        }
        Poll::Ready(Ok(response))
    }
}

/// Counts a request as in flight until it is dropped.
struct InFlight(Rc<Activity>);

impl InFlight {
    fn new(activity: Rc<Activity>) -> Self {
        activity.in_flight.set(activity.in_flight.get() + 1);
        activity.record();
        Self(activity)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.set(self.0.in_flight.get() - 1);
        self.0.record();
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests measure paused time")]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use tokio::time::Instant;

    async fn idle(watch: &mut IdleWatch) {
        poll_fn(|cx| if watch.is_idle(cx) { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    #[actix_web::test]
    async fn a_connection_is_idle_after_75_s_without_a_request() {
        tokio::time::pause();
        let mut watch = IdleWatch::new();
        let started = Instant::now();
        idle(&mut watch).await;
        assert_eq!(started.elapsed().as_secs(), 75);
    }

    #[actix_web::test]
    async fn a_request_in_flight_or_a_written_byte_is_no_idleness() {
        tokio::time::pause();
        let mut watch = IdleWatch::new();
        let started = Instant::now();
        let request = InFlight::new(watch.activity().clone());
        assert!(tokio::time::timeout(Duration::from_secs(3600), idle(&mut watch)).await.is_err());
        drop(request);
        idle(&mut watch).await;
        assert!(started.elapsed().as_secs() <= 3600 + 300 + 75, "{:?}", started.elapsed());
        let mut watch = IdleWatch::new();
        watch.activity().record();
        let started = Instant::now();
        idle(&mut watch).await;
        assert_eq!(started.elapsed().as_secs(), 150);
    }
}
