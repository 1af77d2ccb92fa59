//! A connection, plain or encrypted, as the HTTP dispatchers see it.
//!
//! It ends when its client takes nothing for a while, so that a client that does not read cannot hold a response in
//! memory. An HTTP/1 connection also reports end of file when it was idle, and records what it shows of its client.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_http::{Extensions, Protocol};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Sleep, sleep};
use tokio_rustls::server::TlsStream;

use super::PEER_STALL_TIMEOUT;
use super::connection_events::{ConnectionEnd, ConnectionEvents, UptimeMs};
use super::connection_limit::CountedConnection;
use super::http1::IdleWatch;
use super::protocol_detect::ProtocolDetector;

/// A connection.
pub(crate) struct Socket {
    stream: RawStream,
    detector: ProtocolDetector,
    /// Only for HTTP/1.
    idle: Option<IdleWatch>,
    /// Only for HTTP/1.
    events: Option<Arc<ConnectionEvents>>,
    /// Set while the client takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Whether it is set. Only for HTTP/2.
    is_stalled: Option<Rc<Cell<bool>>>,
    _counted: CountedConnection,
}

enum RawStream {
    Plain(TcpStream),
    Unix(UnixStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

impl Socket {
    pub(super) fn plain(
        tcp: TcpStream,
        detector: ProtocolDetector,
        protocol: Protocol,
        counted: CountedConnection,
        uptime_ms: &UptimeMs,
    ) -> Self {
        Self::new(RawStream::Plain(tcp), detector, protocol, counted, uptime_ms)
    }

    pub(super) fn unix(
        unix: UnixStream,
        detector: ProtocolDetector,
        protocol: Protocol,
        counted: CountedConnection,
        uptime_ms: &UptimeMs,
    ) -> Self {
        Self::new(RawStream::Unix(unix), detector, protocol, counted, uptime_ms)
    }

    pub(super) fn encrypted(
        tls: TlsStream<TcpStream>,
        protocol: Protocol,
        counted: CountedConnection,
        uptime_ms: &UptimeMs,
    ) -> Self {
        Self::new(RawStream::Encrypted(Box::new(tls)), ProtocolDetector::default(), protocol, counted, uptime_ms)
    }

    fn new(
        stream: RawStream,
        detector: ProtocolDetector,
        protocol: Protocol,
        counted: CountedConnection,
        uptime_ms: &UptimeMs,
    ) -> Self {
        let is_http1 = protocol != Protocol::Http2;
        let idle = is_http1.then(IdleWatch::new);
        let events = is_http1.then(|| Arc::new(ConnectionEvents::new(uptime_ms.clone())));
        let is_stalled = (!is_http1).then(Rc::default);
        Self { stream, detector, idle, events, stalled: None, is_stalled, _counted: counted }
    }

    /// Whether an HTTP/2 connection has bytes that its client has not taken yet. It changes while the connection runs.
    pub(super) fn stall_state(&self) -> Rc<Cell<bool>> {
        self.is_stalled.clone().unwrap_or_default()
    }

    /// Makes the activity and the events of an HTTP/1 connection available to its requests.
    pub(super) fn publish_activity(&self, extensions: &mut Extensions) {
        if let Some(idle) = &self.idle {
            extensions.insert(idle.activity().clone());
        }
        if let Some(events) = &self.events {
            extensions.insert(events.clone());
        }
    }

    fn record_read(&self, received: Result<usize, io::ErrorKind>) {
        let Some(events) = &self.events else { return };
        match received {
            Ok(0) => events.record_end(self.end_unless_reset(ConnectionEnd::ClosedByClient)),
            Ok(_) => events.record_read(),
            // A client of TLS that closes its connection without saying so.
            Err(io::ErrorKind::UnexpectedEof) => {
                events.record_end(self.end_unless_reset(ConnectionEnd::ClosedByClient));
            }
            Err(_) => events.record_end(ConnectionEnd::Reset),
        }
    }

    /// How the connection ended, unless a reset has arrived: the answer to bytes for a client that has closed its end.
    fn end_unless_reset(&self, end: ConnectionEnd) -> ConnectionEnd {
        let error = match &self.stream {
            RawStream::Plain(tcp) => tcp.take_error(),
            RawStream::Unix(unix) => unix.take_error(),
            RawStream::Encrypted(tls) => tls.get_ref().0.take_error(),
        };
        match error {
            Ok(None) => end,
            _ => ConnectionEnd::Reset,
        }
    }

    /// Records that the client took something, or fails when it has not for a while. The timer exists only meanwhile.
    fn watch_stall<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Some(is_stalled) = &self.is_stalled {
            is_stalled.set(written.is_pending());
        }
        if let Poll::Ready(result) = &written {
            if result.is_err() {
                self.record_failure();
            }
            self.stalled = None;
            if let Some(idle) = &self.idle {
                idle.activity().record();
            }
            return written;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(PEER_STALL_TIMEOUT)));
        if stalled.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.record_failure();
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing")))
    }

    /// Bytes could not be written, so that the client lacks the end of a response.
    fn record_failure(&self) {
        if let Some(events) = &self.events {
            events.record_end(ConnectionEnd::Reset);
        }
    }
}

/// Calls a method of the underlying stream.
macro_rules! delegate {
    ($socket:expr, $($call:tt)*) => {
        match &mut $socket.stream {
            RawStream::Plain(tcp) => Pin::new(tcp).$($call)*,
            RawStream::Unix(unix) => Pin::new(unix).$($call)*,
            RawStream::Encrypted(tls) => Pin::new(&mut **tls).$($call)*,
        }
    };
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.detector.replay(buf) {
            return Poll::Ready(Ok(()));
        }
        let filled = buf.filled().len();
        let read = delegate!(self, poll_read(cx, buf));
        if let Poll::Ready(result) = &read {
            let received = buf.filled().len() - filled;
            self.record_read(result.as_ref().map(|()| received).map_err(|error| error.kind()));
        }
        if read.is_pending() && self.idle.as_mut().is_some_and(|idle| idle.is_idle(cx)) {
            return Poll::Ready(Ok(()));
        }
        read
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let Some(events) = &self.events else { return };
        // The end of a connection over TLS is data, which a client that has closed its own end answers with a reset.
        let may_reset = || !matches!(self.stream, RawStream::Encrypted(_)) && events.awaits_reset();
        if events.end().is_none() || may_reset() {
            events.record_end(self.end_unless_reset(ConnectionEnd::ClosedByHub));
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = delegate!(self, poll_write(cx, buf));
        self.watch_stall(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = delegate!(self, poll_write_vectored(cx, bufs));
        self.watch_stall(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            RawStream::Plain(tcp) => tcp.is_write_vectored(),
            RawStream::Unix(unix) => unix.is_write_vectored(),
            RawStream::Encrypted(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            // They have no buffer of their own.
            RawStream::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            RawStream::Unix(unix) => Pin::new(unix).poll_flush(cx),
            RawStream::Encrypted(tls) => {
                let flushed = Pin::new(&mut **tls).poll_flush(cx);
                self.watch_stall(cx, flushed)
            }
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, poll_shutdown(cx))
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests measure paused time")]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio::time::Instant;

    async fn pair() -> (Socket, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        let (detector, uptime_ms): (_, UptimeMs) = (ProtocolDetector::default(), Arc::new(|| 0));
        (Socket::plain(server, detector, Protocol::Http1, CountedConnection::default(), &uptime_ms), client)
    }

    /// Writes until the kernel takes nothing more.
    async fn fill(socket: &mut Socket) {
        while tokio::time::timeout(Duration::from_secs(1), socket.write_all(&[0; 65_536])).await.is_ok() {}
    }

    #[actix_web::test]
    async fn d30_a_client_that_takes_nothing_for_60_s_loses_its_connection() {
        let (mut socket, client) = pair().await;
        tokio::time::pause();
        let started = Instant::now();
        let error = loop {
            if let Err(error) = socket.write_all(&[0; 65_536]).await {
                break error;
            }
        };
        assert_eq!((error.kind(), started.elapsed().as_secs()), (io::ErrorKind::TimedOut, 60));
        drop(client);
    }

    #[actix_web::test]
    async fn d30_a_client_that_reads_again_in_time_keeps_its_connection() {
        let (mut socket, mut client) = pair().await;
        fill(&mut socket).await;
        let reading = actix_web::rt::spawn(async move {
            let mut taken = vec![0; 65_536];
            while client.read(&mut taken).await.is_ok_and(|bytes| bytes > 0) {}
        });
        socket.write_all(&[0; 65_536]).await.unwrap();
        assert!(socket.stalled.is_none(), "the time starts again with the next pause");
        reading.abort();
    }
}
