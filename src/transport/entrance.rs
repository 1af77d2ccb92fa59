//! From an accepted connection to one whose protocol is known, within its time, and not past a drain.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_http::Protocol;
use actix_http::error::DispatchError;
use actix_server::GracefulShutdownSignal;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::HEAD_TIME;
use super::opening::Opening;
use super::socket::Socket;

/// What actix says to a head that does not come; said here to who sends nothing at all.
const TOO_SLOW: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// A connection as the HTTP service takes it.
pub(crate) type Admitted = (Socket, Protocol, Option<SocketAddr>);

/// Where connections come in.
#[derive(Clone)]
pub(crate) struct Entrance {
    tls: Option<TlsAcceptor>,
    stopping: GracefulShutdownSignal,
}

impl Entrance {
    pub(crate) fn new(tls: Option<Arc<ServerConfig>>, stopping: GracefulShutdownSignal) -> Self {
        Self { tls: tls.map(TlsAcceptor::from), stopping }
    }

    /// Says what a new connection speaks.
    pub(crate) async fn admit(self, tcp: TcpStream) -> Result<Admitted, DispatchError> {
        // Without it, the second piece of an answer waits 40 ms for an acknowledgement.
        tcp.set_nodelay(true).map_err(DispatchError::Io)?;
        let peer = tcp.peer_addr().ok();
        let (socket, protocol) = match &self.tls {
            Some(tls) => self.unless_stopping(encrypted(tls, tcp, &self.stopping)).await?,
            None => self.unless_stopping(plain(tcp, &self.stopping)).await?,
        };
        Ok((socket, protocol, peer))
    }

    /// Who has said nothing when the hub stops has nothing to wait for.
    async fn unless_stopping<T>(
        &self,
        arriving: impl Future<Output = Result<T, DispatchError>>,
    ) -> Result<T, DispatchError> {
        tokio::select! {
            biased;
            arrived = arriving => arrived,
            () = self.stopping.notified() => Err(DispatchError::Io(io::ErrorKind::ConnectionAborted.into())),
        }
    }
}

async fn plain(mut tcp: TcpStream, stopping: &GracefulShutdownSignal) -> Result<(Socket, Protocol), DispatchError> {
    let mut opening = Opening::default();
    match timeout(HEAD_TIME, opening.version(&mut tcp)).await {
        Ok(protocol) => {
            let protocol = protocol.map_err(DispatchError::Io)?;
            Ok((Socket::plain(tcp, opening, protocol, stopping), protocol))
        }
        Err(_) => {
            // Nobody has written here yet, so there is room for it.
            let _ = tcp.try_write(TOO_SLOW);
            Err(DispatchError::SlowRequestTimeout)
        }
    }
}

async fn encrypted(
    tls: &TlsAcceptor,
    tcp: TcpStream,
    stopping: &GracefulShutdownSignal,
) -> Result<(Socket, Protocol), DispatchError> {
    let shaken = timeout(HEAD_TIME, tls.accept(tcp)).await.map_err(|_| DispatchError::SlowRequestTimeout)?;
    let stream = shaken.map_err(|error| {
        log::debug!(error:display; "a TLS handshake failed");
        DispatchError::Io(error)
    })?;
    let protocol = match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => Protocol::Http2,
        _ => Protocol::Http1,
    };
    Ok((Socket::encrypted(stream, protocol, stopping), protocol))
}
