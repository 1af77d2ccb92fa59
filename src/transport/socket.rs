//! A connection, plain or encrypted, as the HTTP dispatchers see it.
//!
//! For HTTP/2 it adds two things that actix lacks. Requests can see that their connection has closed. And because
//! actix's HTTP/2 dispatcher ignores graceful shutdown, a connection without traffic reports end of file while the hub
//! drains.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_http::{Extensions, Protocol};
use actix_server::GracefulShutdownSignal;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};
use tokio_rustls::server::TlsStream;

use super::disconnect::ConnectionGuard;
use super::protocol_detect::ProtocolDetector;

/// How long an HTTP/2 connection may be without traffic before a draining hub closes it.
const DRAIN_IDLE_TIMEOUT: Duration = Duration::from_millis(500);

/// A connection.
pub(crate) struct Socket {
    stream: RawStream,
    detector: ProtocolDetector,
    http2: Option<Box<Http2>>,
}

enum RawStream {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

impl Socket {
    pub(super) fn plain(
        tcp: TcpStream,
        detector: ProtocolDetector,
        protocol: Protocol,
        stopping: &GracefulShutdownSignal,
    ) -> Self {
        Self { stream: RawStream::Plain(tcp), detector, http2: Http2::new(protocol, stopping) }
    }

    pub(super) fn encrypted(tls: TlsStream<TcpStream>, protocol: Protocol, stopping: &GracefulShutdownSignal) -> Self {
        Self {
            stream: RawStream::Encrypted(Box::new(tls)),
            detector: ProtocolDetector::default(),
            http2: Http2::new(protocol, stopping),
        }
    }

    /// Makes the [`ConnectionState`](super::ConnectionState) of an HTTP/2 connection available to its requests.
    pub(crate) fn publish_state(&self, extensions: &mut Extensions) {
        if let Some(http2) = &self.http2 {
            extensions.insert(http2.guard.state());
        }
    }

    fn record_traffic(&mut self, cx: &mut Context<'_>) {
        if let Some(http2) = &mut self.http2 {
            http2.record_traffic(cx);
        }
    }
}

/// Calls a method of the underlying stream.
macro_rules! delegate {
    ($socket:expr, $($call:tt)*) => {
        match &mut $socket.stream {
            RawStream::Plain(tcp) => Pin::new(tcp).$($call)*,
            RawStream::Encrypted(tls) => Pin::new(&mut **tls).$($call)*,
        }
    };
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.detector.replay(buf) {
            return Poll::Ready(Ok(()));
        }
        let read = delegate!(self, poll_read(cx, buf));
        if read.is_ready() {
            self.record_traffic(cx);
        } else if self.http2.as_mut().is_some_and(|http2| http2.is_drained(cx)) {
            return Poll::Ready(Ok(()));
        }
        read
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.record_traffic(cx);
        delegate!(self, poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.record_traffic(cx);
        delegate!(self, poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            RawStream::Plain(tcp) => tcp.is_write_vectored(),
            RawStream::Encrypted(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, poll_shutdown(cx))
    }
}

/// State that only an HTTP/2 connection has.
struct Http2 {
    guard: ConnectionGuard,
    stopping: Pin<Box<dyn Future<Output = ()>>>,
    /// Set while the hub drains.
    idle_timeout: Option<Pin<Box<Sleep>>>,
}

impl Http2 {
    fn new(protocol: Protocol, stopping: &GracefulShutdownSignal) -> Option<Box<Self>> {
        (protocol == Protocol::Http2).then(|| {
            let stopping = stopping.clone();
            let stopping = Box::pin(async move { stopping.notified().await });
            Box::new(Self { guard: ConnectionGuard::new(), stopping, idle_timeout: None })
        })
    }

    /// Whether the hub drains and the idle timeout has passed.
    fn is_drained(&mut self, cx: &mut Context<'_>) -> bool {
        if self.idle_timeout.is_none() {
            if self.stopping.as_mut().poll(cx).is_pending() {
                return false;
            }
            self.idle_timeout = Some(Box::pin(sleep(DRAIN_IDLE_TIMEOUT)));
        }
        self.idle_timeout.as_mut().is_some_and(|timeout| timeout.as_mut().poll(cx).is_ready())
    }

    /// Restarts the idle timeout.
    fn record_traffic(&mut self, cx: &mut Context<'_>) {
        if let Some(timeout) = &mut self.idle_timeout {
            timeout.set(sleep(DRAIN_IDLE_TIMEOUT));
            // A new timer must be polled once to register its waker.
            let _ = timeout.as_mut().poll(cx);
        }
    }
}
