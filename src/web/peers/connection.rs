//! Connections to other instances, and those that belong to the connection of a client.
//!
//! The requests of one HTTP/1.1 connection are forwarded on one connection to each owner, which ends as the client's does:
//! what the owner sees of its connection is what it would see of the client's (ADR 38, ADR 24). Over HTTP/2 each request
//! has its own.

use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::web::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rogerrat_actors::Instance;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use url::{Host, Url};

use super::health::PeerHealth;
use crate::transport::{ConnectionEnd, ConnectionEvents, share_on_connection};

/// Maximum time to connect to another instance.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long an unused connection is used again, in milliseconds. The other instance keeps it for 75 s.
const REUSE_MS: u64 = 60_000;
/// Connections that one client's connection keeps, each to another instance.
const KEPT: usize = 4;
/// When the kernel checks that the machine of a silent connection still exists, and how often it repeats that.
const KEEPALIVE: Duration = Duration::from_secs(5);
const KEEPALIVE_RETRIES: u32 = 2;

/// A body in one piece.
#[derive(Debug)]
pub(crate) struct OneChunk(pub(crate) Bytes);

impl Body for OneChunk {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let chunk = std::mem::take(&mut self.0);
        Poll::Ready((!chunk.is_empty()).then(|| Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.len() as u64)
    }
}

/// A request was not answered.
#[derive(Debug)]
pub(super) enum SendError {
    /// It was not sent.
    NotSent(Box<hyper::Request<OneChunk>>),
    /// It was, at least in part.
    Unanswered,
}

/// A connection to another instance. It is closed when this is dropped: with a reset if a response is not
/// [settled](Self::settle), so that the other instance knows that nobody has what it has written.
pub(super) struct PeerConnection {
    sender: SendRequest<OneChunk>,
    driver: JoinHandle<()>,
    is_settled: Rc<Cell<bool>>,
}

impl PeerConnection {
    /// Connects to an instance.
    ///
    /// # Errors
    /// When it refuses the connection, or does not accept it in time.
    pub(super) async fn open(owner: &Instance, health: Arc<PeerHealth>) -> io::Result<Self> {
        let tcp = timeout(CONNECT_TIMEOUT, connect(&owner.url)).await??;
        tcp.set_nodelay(true)?;
        let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE);
        SockRef::from(&tcp).set_tcp_keepalive(&keepalive.with_retries(KEEPALIVE_RETRIES))?;
        let is_settled = Rc::new(Cell::new(true));
        let socket = PeerSocket { tcp, is_settled: is_settled.clone(), health };
        let (sender, connection) = http1::handshake(TokioIo::new(socket)).await.map_err(io::Error::other)?;
        let driver = actix_web::rt::spawn(async move {
            if let Err(error) = connection.await {
                log::debug!(error:display; "a connection to another instance ended");
            }
        });
        Ok(Self { sender, driver, is_settled })
    }

    /// Sends a request and waits for the head of its response.
    ///
    /// # Errors
    /// When the connection ends before.
    pub(super) async fn send(
        &mut self,
        request: hyper::Request<OneChunk>,
    ) -> Result<hyper::Response<Incoming>, SendError> {
        if self.sender.ready().await.is_err() {
            return Err(SendError::NotSent(Box::new(request)));
        }
        self.is_settled.set(false);
        self.sender.try_send_request(request).await.map_err(|mut error| match error.take_message() {
            Some(request) => SendError::NotSent(Box::new(request)),
            None => SendError::Unanswered,
        })
    }

    /// The last response was read to its end, and is passed on.
    pub(super) fn settle(&self) {
        self.is_settled.set(true);
    }

    /// Closes the connection with a reset: the last response was not passed on.
    fn reset(self) {
        self.is_settled.set(false);
    }
}

impl Drop for PeerConnection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

async fn connect(url: &str) -> io::Result<TcpStream> {
    let invalid = || io::Error::new(io::ErrorKind::InvalidInput, "the URL of an instance is invalid");
    let url = Url::parse(url).map_err(|_| invalid())?;
    let port = url.port_or_known_default().ok_or_else(invalid)?;
    match url.host().ok_or_else(invalid)? {
        Host::Domain(domain) => TcpStream::connect((domain, port)).await,
        Host::Ipv4(address) => TcpStream::connect((address, port)).await,
        Host::Ipv6(address) => TcpStream::connect((address, port)).await,
    }
}

/// The socket of a connection. It records that the other instance is alive.
struct PeerSocket {
    tcp: TcpStream,
    is_settled: Rc<Cell<bool>>,
    health: Arc<PeerHealth>,
}

impl Drop for PeerSocket {
    fn drop(&mut self) {
        if !self.is_settled.get() {
            // Without time to linger, closing it sends a reset.
            let _ = SockRef::from(&self.tcp).set_linger(Some(Duration::ZERO));
        }
    }
}

impl AsyncRead for PeerSocket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.tcp).poll_read(cx, buf);
        if read.is_ready() {
            self.health.record_sign();
        }
        read
    }
}

impl AsyncWrite for PeerSocket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// The connections to other instances that belong to the connection of a client, or to one of its batches.
pub(super) struct ClientConnections {
    /// Unused, each with its instance and the uptime since which it is unused.
    unused: RefCell<Vec<(u64, u64, PeerConnection)>>,
    events: Option<Arc<ConnectionEvents>>,
    most: usize,
}

impl ClientConnections {
    /// Those of the client of a request. `None` over HTTP/2.
    pub(super) fn of(request: &HttpRequest) -> Option<Rc<Self>> {
        share_on_connection(request, || Self {
            unused: RefCell::default(),
            events: ConnectionEvents::of(request),
            most: KEPT,
        })
    }

    /// Those of a batch, which keeps all of them.
    pub(super) fn of_batch() -> Rc<Self> {
        Rc::new(Self { unused: RefCell::default(), events: None, most: usize::MAX })
    }

    /// Takes the connection to an instance.
    pub(super) fn take(&self, instance: u64, uptime_ms: u64) -> Option<PeerConnection> {
        let mut unused = self.unused.borrow_mut();
        let at = unused.iter().position(|(known, ..)| *known == instance)?;
        let (_, since_ms, connection) = unused.swap_remove(at);
        (uptime_ms.saturating_sub(since_ms) < REUSE_MS && !connection.sender.is_closed()).then_some(connection)
    }

    /// Keeps a connection to an instance whose response was read.
    pub(super) fn put(&self, instance: u64, connection: PeerConnection, uptime_ms: u64) {
        let mut unused = self.unused.borrow_mut();
        unused.retain(|(known, ..)| *known != instance);
        if unused.len() >= self.most {
            unused.remove(0);
        }
        unused.push((instance, uptime_ms, connection));
    }

    /// Takes all of them, each with its instance.
    pub(super) fn take_all(&self) -> Vec<(u64, PeerConnection)> {
        self.unused.take().into_iter().map(|(instance, _, connection)| (instance, connection)).collect()
    }
}

impl Drop for ClientConnections {
    fn drop(&mut self) {
        let end = self.events.as_ref().and_then(|events| events.end());
        if end.is_some_and(|(end, _)| end == ConnectionEnd::Reset) {
            self.unused.take().into_iter().for_each(|(.., connection)| connection.reset());
        }
    }
}
