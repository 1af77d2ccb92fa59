//! An HTTP/2 connection: accepts requests, runs each in a task of its own, and ends the tasks with the connection.
//!
//! actix's own dispatcher has no setting for the size of a header list and the number of requests, keeps handlers of
//! reset requests running, ignores a drain, and never closes a connection that answers its pings (ADR 30).

mod response;

use std::cell::Cell;
use std::error::Error;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_http::body::BoxBody;
use actix_http::error::{DispatchError, PayloadError};
use actix_http::{HttpMessage as _, Payload, Request, Response};
use actix_server::GracefulShutdownSignal;
use actix_service::Service;
use bytes::Bytes;
use futures_util::Stream;
use h2::server::{Builder, Connection, SendResponse};
use h2::{Ping, PingPong, Reason, RecvStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::disconnect::{ConnectionGuard, ConnectionState};
use super::socket::Socket;
use super::{KEEP_ALIVE, REQUEST_HEAD_TIMEOUT};
use response::ResponseWriter;

/// Maximum size of the header list of a request: names, values and 32 bytes for each field (RFC 9113, section 6.5.2). A
/// larger one gets a 431 and is not stored.
const HEADER_LIST_BYTES: u32 = 64 * 1024;
/// Maximum number of simultaneous requests on one connection. A client that needs more opens another connection.
const REQUESTS: u32 = 256;
/// Tasks of requests, reset ones included, above which a connection is closed: a client that resets requests as fast as
/// it sends them (CVE-2023-44487).
const TASKS: usize = 2 * REQUESTS as usize;
/// How much of a response h2 buffers for a client that does not read.
const SEND_BUFFER_BYTES: usize = 64 * 1024;
/// How much of a request body a client may send before a handler reads it.
const STREAM_WINDOW_BYTES: u32 = 1024 * 1024;
/// The same for all requests of a connection.
const CONNECTION_WINDOW_BYTES: u32 = 2 * 1024 * 1024;
/// How long a connection without requests stays open while the hub drains.
const DRAIN_IDLE: Duration = Duration::from_millis(500);
/// How many times as long if it was used lately: the kernel may still hold the end of a response, and discards it when
/// the client answers the ping of the shutdown on a closed connection.
const DRAIN_CHECKS: u32 = 8;

/// The wall clock, in milliseconds since the epoch.
pub(crate) type UnixMs = Rc<dyn Fn() -> u64>;

/// Serves HTTP/2 connections with an application.
pub(super) struct Http2Server<S> {
    app: Rc<S>,
    writer: Rc<ResponseWriter>,
    stopping: GracefulShutdownSignal,
}

impl<S> Http2Server<S>
where
    S: Service<Request> + 'static,
    S::Response: Into<Response<BoxBody>>,
    S::Error: Into<Response<BoxBody>>,
{
    pub(super) fn new(app: Rc<S>, unix_ms: UnixMs, stopping: GracefulShutdownSignal) -> Self {
        Self { app, writer: Rc::new(ResponseWriter::new(unix_ms)), stopping }
    }

    /// Serves a connection until it closes, is idle, or the hub drains.
    pub(super) async fn serve(self: Rc<Self>, socket: Socket, peer: Option<SocketAddr>) -> Result<(), DispatchError> {
        let is_stalled = socket.stall_state();
        let handshake = Builder::new()
            .max_header_list_size(HEADER_LIST_BYTES)
            .max_concurrent_streams(REQUESTS)
            .max_send_buffer_size(SEND_BUFFER_BYTES)
            .initial_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .handshake(socket);
        let handshake = tokio::select! {
            biased;
            handshake = timeout(REQUEST_HEAD_TIMEOUT, handshake) => handshake,
            // A connection without a request must not delay the drain.
            () = self.stopping.notified() => return Ok(()),
        };
        let connection = handshake.map_err(|_| DispatchError::SlowRequestTimeout)?.map_err(DispatchError::H2)?;
        OpenConnection::new(&self, connection, is_stalled, peer).run().await
    }
}

/// A connection after its handshake.
struct OpenConnection<'a, S> {
    server: &'a Http2Server<S>,
    connection: Connection<Socket, Bytes>,
    /// Whether h2 has bytes that the client has not taken yet.
    is_stalled: Rc<Cell<bool>>,
    peer: Option<SocketAddr>,
    guard: ConnectionGuard,
    /// The tasks of requests. They are aborted when the connection ends.
    requests: JoinSet<()>,
    liveness: Liveness,
}

/// What a connection does when its timer elapses.
#[derive(Default)]
struct Liveness {
    ping_pong: Option<PingPong>,
    /// A ping was sent, and its reply has not arrived.
    is_awaiting_pong: bool,
    /// A request arrived since the last check.
    is_recent: bool,
    is_draining: bool,
    /// The checks in a row, while it drains, without a request or an unsent response.
    unused_checks: u32,
}

impl<'a, S> OpenConnection<'a, S>
where
    S: Service<Request> + 'static,
    S::Response: Into<Response<BoxBody>>,
    S::Error: Into<Response<BoxBody>>,
{
    fn new(
        server: &'a Http2Server<S>,
        mut connection: Connection<Socket, Bytes>,
        is_stalled: Rc<Cell<bool>>,
        peer: Option<SocketAddr>,
    ) -> Self {
        let liveness = Liveness { ping_pong: connection.ping_pong(), ..Liveness::default() };
        Self { server, connection, is_stalled, peer, guard: ConnectionGuard::new(), requests: JoinSet::new(), liveness }
    }

    async fn run(mut self) -> Result<(), DispatchError> {
        let mut check = Box::pin(sleep(KEEP_ALIVE));
        let stopping = self.server.stopping.notified();
        tokio::pin!(stopping);
        loop {
            tokio::select! {
                biased;
                accepted = self.connection.accept() => match accepted {
                    Some(Ok((request, reply))) => self.start(request, reply),
                    // An error of a client is not one of the hub.
                    Some(Err(error)) => {
                        log::debug!(error:display; "HTTP/2 connection failed");
                        return Ok(());
                    }
                    None => return Ok(()),
                },
                Some(_) = self.requests.join_next(), if !self.requests.is_empty() => {}
                () = self.liveness.pong() => {}
                () = &mut stopping, if !self.liveness.is_draining => {
                    self.drain();
                    check.set(sleep(DRAIN_IDLE));
                }
                () = &mut check => {
                    if self.is_over() {
                        return Ok(());
                    }
                    check.set(sleep(if self.liveness.is_draining { DRAIN_IDLE } else { KEEP_ALIVE }));
                }
            }
        }
    }

    /// Lets the client know that it must send further requests on another connection.
    fn drain(&mut self) {
        self.liveness.is_draining = true;
        self.connection.graceful_shutdown();
    }

    /// Whether the connection can be dropped: its client does not answer pings, or it drains and has had
    /// neither a request nor an unsent response for a while.
    fn is_over(&mut self) -> bool {
        let liveness = &mut self.liveness;
        if liveness.is_draining {
            let is_used = !self.requests.is_empty() || self.is_stalled.get();
            liveness.unused_checks = if is_used { 0 } else { liveness.unused_checks + 1 };
            return liveness.unused_checks >= if liveness.is_recent { DRAIN_CHECKS } else { 1 };
        }
        if liveness.is_awaiting_pong {
            return true;
        }
        let is_recent = std::mem::take(&mut liveness.is_recent);
        if self.requests.is_empty() && !is_recent {
            self.drain();
        } else if let Some(ping_pong) = &mut liveness.ping_pong {
            liveness.is_awaiting_pong = ping_pong.send_ping(Ping::opaque()).is_ok();
        }
        false
    }

    fn start(&mut self, request: http::Request<RecvStream>, reply: SendResponse<Bytes>) {
        self.liveness.is_recent = true;
        // Only tasks that run count. While new requests arrive, `run` removes none.
        while self.requests.try_join_next().is_some() {}
        if self.requests.len() >= TASKS {
            self.connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
            return;
        }
        let is_head = request.method() == http::Method::HEAD;
        let request = actix_request(request, self.peer, self.guard.state());
        let response = self.server.app.call(request);
        self.requests.spawn_local(run_request(response, reply, is_head, self.server.writer.clone()));
    }
}

impl Liveness {
    /// Completes when the reply to a ping arrives.
    async fn pong(&mut self) {
        let Self { ping_pong: Some(ping_pong), is_awaiting_pong, .. } = self else {
            return std::future::pending().await;
        };
        if !*is_awaiting_pong || poll_fn(|cx| ping_pong.poll_pong(cx)).await.is_err() {
            // An error ends the connection, which `accept` reports.
            return std::future::pending().await;
        }
        *is_awaiting_pong = false;
    }
}

/// Waits for the response of a handler and writes it. Both end when the client resets the request: a dropped handler
/// takes no message (D1).
async fn run_request<R, E>(
    response: impl Future<Output = Result<R, E>>,
    mut reply: SendResponse<Bytes>,
    is_head: bool,
    writer: Rc<ResponseWriter>,
) where
    R: Into<Response<BoxBody>>,
    E: Into<Response<BoxBody>>,
{
    let response = tokio::select! {
        biased;
        response = response => response.map_or_else(Into::into, Into::into),
        _ = poll_fn(|cx| reply.poll_reset(cx)) => return,
    };
    if let Err(error) = writer.write(response, reply, is_head).await {
        log::debug!(error:display; "HTTP/2 response not sent");
    }
}

/// The request as the application expects it.
fn actix_request(request: http::Request<RecvStream>, peer: Option<SocketAddr>, state: ConnectionState) -> Request {
    let (parts, body) = request.into_parts();
    let payload = if body.is_end_stream() {
        Payload::None
    } else {
        Payload::Stream { payload: Box::pin(RequestBody(body)) as Pin<Box<dyn Stream<Item = _>>> }
    };
    let mut request = Request::with_payload(payload);
    let head = request.head_mut();
    head.uri = parts.uri;
    head.method = parts.method;
    head.version = parts.version;
    head.headers = parts.headers.into();
    head.peer_addr = peer;
    request.extensions_mut().insert(state);
    request
}

/// The body of a request. A piece that is taken gives its window back to the client.
struct RequestBody(RecvStream);

impl Stream for RequestBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(piece) = ready!(self.0.poll_data(cx)) else { return Poll::Ready(None) };
        let piece = piece.and_then(|piece| self.0.flow_control().release_capacity(piece.len()).map(|()| piece));
        Poll::Ready(Some(piece.map_err(|error| PayloadError::Io(io_error(error)))))
    }
}

fn io_error(error: impl Into<Box<dyn Error + Send + Sync>>) -> io::Error {
    io::Error::other(error)
}
