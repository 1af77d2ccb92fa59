//! Accepts connections: TLS handshake or protocol detection, within a timeout, aborted when the hub drains.

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

use super::REQUEST_HEAD_TIMEOUT;
use super::protocol_detect::ProtocolDetector;
use super::socket::Socket;

/// The response to a client that sends nothing: the one actix sends when the head of a request times out.
const REQUEST_TIMEOUT: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// An accepted connection in the form the HTTP service expects.
pub(crate) type AcceptedConnection = (Socket, Protocol, Option<SocketAddr>);

/// Turns TCP connections into sockets whose protocol is known.
#[derive(Clone)]
pub(crate) struct ConnectionAcceptor {
    tls: Option<TlsAcceptor>,
    stopping: GracefulShutdownSignal,
}

impl ConnectionAcceptor {
    pub(crate) fn new(tls: Option<Arc<ServerConfig>>, stopping: GracefulShutdownSignal) -> Self {
        Self { tls: tls.map(TlsAcceptor::from), stopping }
    }

    /// Negotiates TLS and the protocol of a new connection.
    pub(crate) async fn accept(self, tcp: TcpStream) -> Result<AcceptedConnection, DispatchError> {
        // With Nagle's algorithm, the second segment of a response waits up to 40 ms for an acknowledgement.
        tcp.set_nodelay(true).map_err(DispatchError::Io)?;
        let peer = tcp.peer_addr().ok();
        let (socket, protocol) = match &self.tls {
            Some(tls) => self.unless_stopping(accept_tls(tls, tcp, &self.stopping)).await?,
            None => self.unless_stopping(accept_plain(tcp, &self.stopping)).await?,
        };
        Ok((socket, protocol, peer))
    }

    /// Aborts when the hub stops: a connection without a request must not delay the drain.
    async fn unless_stopping<T>(
        &self,
        accepting: impl Future<Output = Result<T, DispatchError>>,
    ) -> Result<T, DispatchError> {
        tokio::select! {
            biased;
            accepted = accepting => accepted,
            () = self.stopping.notified() => Err(DispatchError::Io(io::ErrorKind::ConnectionAborted.into())),
        }
    }
}

async fn accept_plain(
    mut tcp: TcpStream,
    stopping: &GracefulShutdownSignal,
) -> Result<(Socket, Protocol), DispatchError> {
    let mut detector = ProtocolDetector::default();
    match timeout(REQUEST_HEAD_TIMEOUT, detector.detect(&mut tcp)).await {
        Ok(protocol) => {
            let protocol = protocol.map_err(DispatchError::Io)?;
            Ok((Socket::plain(tcp, detector, protocol, stopping), protocol))
        }
        Err(_) => {
            // Nothing was written on this connection yet, so the send buffer has space for it.
            let _ = tcp.try_write(REQUEST_TIMEOUT);
            Err(DispatchError::SlowRequestTimeout)
        }
    }
}

async fn accept_tls(
    tls: &TlsAcceptor,
    tcp: TcpStream,
    stopping: &GracefulShutdownSignal,
) -> Result<(Socket, Protocol), DispatchError> {
    let handshake =
        timeout(REQUEST_HEAD_TIMEOUT, tls.accept(tcp)).await.map_err(|_| DispatchError::SlowRequestTimeout)?;
    let stream = handshake.map_err(|error| {
        log::debug!(error:display; "TLS handshake failed");
        DispatchError::Io(error)
    })?;
    let protocol = match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => Protocol::Http2,
        _ => Protocol::Http1,
    };
    Ok((Socket::encrypted(stream, protocol, stopping), protocol))
}
