//! One connection, plain or encrypted, as the HTTP dispatchers see it.
//!
//! An HTTP/2 connection also tells its requests when it ends, and ends a drain: actix's HTTP/2 dispatcher hears of no
//! shutdown, so when the hub stops, a connection on which nothing moves any more reads its end.

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

use super::opening::Opening;
use super::presence::Here;

/// How long nothing may move on an HTTP/2 connection of a stopping hub.
const QUIET: Duration = Duration::from_millis(500);

/// A connection.
pub(crate) struct Socket {
    wire: Wire,
    opening: Opening,
    http2: Option<Box<Http2>>,
}

enum Wire {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

impl Socket {
    pub(super) fn plain(tcp: TcpStream, opening: Opening, is: Protocol, stopping: &GracefulShutdownSignal) -> Self {
        Self { wire: Wire::Plain(tcp), opening, http2: Http2::of(is, stopping) }
    }

    pub(super) fn encrypted(tls: TlsStream<TcpStream>, is: Protocol, stopping: &GracefulShutdownSignal) -> Self {
        Self { wire: Wire::Encrypted(Box::new(tls)), opening: Opening::default(), http2: Http2::of(is, stopping) }
    }

    /// Tells the requests of an HTTP/2 connection how to see its end.
    pub(crate) fn introduce(&self, to: &mut Extensions) {
        if let Some(http2) = &self.http2 {
            to.insert(http2.here.presence());
        }
    }

    fn moved(&mut self, cx: &mut Context<'_>) {
        if let Some(http2) = &mut self.http2 {
            http2.moved(cx);
        }
    }
}

/// Calls the same method of either wire.
macro_rules! through {
    ($socket:expr, $($call:tt)*) => {
        match &mut $socket.wire {
            Wire::Plain(tcp) => Pin::new(tcp).$($call)*,
            Wire::Encrypted(tls) => Pin::new(&mut **tls).$($call)*,
        }
    };
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.opening.give(buf) {
            return Poll::Ready(Ok(()));
        }
        let read = through!(self, poll_read(cx, buf));
        if read.is_ready() {
            self.moved(cx);
        } else if self.http2.as_mut().is_some_and(|http2| http2.is_over(cx)) {
            return Poll::Ready(Ok(()));
        }
        read
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.moved(cx);
        through!(self, poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.moved(cx);
        through!(self, poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.wire {
            Wire::Plain(tcp) => tcp.is_write_vectored(),
            Wire::Encrypted(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        through!(self, poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        through!(self, poll_shutdown(cx))
    }
}

/// What only a connection of many requests has.
struct Http2 {
    here: Here,
    stopping: Pin<Box<dyn Future<Output = ()>>>,
    quiet: Option<Pin<Box<Sleep>>>,
}

impl Http2 {
    fn of(protocol: Protocol, stopping: &GracefulShutdownSignal) -> Option<Box<Self>> {
        (protocol == Protocol::Http2).then(|| {
            let stopping = stopping.clone();
            let stopping = Box::pin(async move { stopping.notified().await });
            Box::new(Self { here: Here::new(), stopping, quiet: None })
        })
    }

    /// Whether the hub stops and nothing has moved for a while.
    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        if self.quiet.is_none() {
            if self.stopping.as_mut().poll(cx).is_pending() {
                return false;
            }
            self.quiet = Some(Box::pin(sleep(QUIET)));
        }
        self.quiet.as_mut().is_some_and(|quiet| quiet.as_mut().poll(cx).is_ready())
    }

    fn moved(&mut self, cx: &mut Context<'_>) {
        if let Some(quiet) = &mut self.quiet {
            quiet.set(sleep(QUIET));
            // The new timer must be polled once to know whom to wake.
            let _ = quiet.as_mut().poll(cx);
        }
    }
}
