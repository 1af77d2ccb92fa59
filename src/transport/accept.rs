//! Accepts connections: the limit of each address, then TLS handshake or protocol detection, within a timeout, aborted
//! when the hub drains.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use actix_http::Protocol;
use actix_http::error::DispatchError;
use actix_server::GracefulShutdownSignal;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::REQUEST_HEAD_TIMEOUT;
use super::connection_events::UptimeMs;
use super::connection_limit::{ConnectionAdmission, ConnectionLimit, CountedConnection};
use super::protocol_detect::ProtocolDetector;
use super::socket::Socket;
use super::unix_socket::SOCKET_PEER;

/// The response to a client that sends nothing: the one actix sends when the head of a request times out.
const REQUEST_TIMEOUT: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
/// The response to a connection above the limit of its address, in the form of all errors.
const TOO_MANY_CONNECTIONS: &str = "HTTP/1.1 503 Service Unavailable\r\n\
    connection: close\r\n\
    content-type: application/json\r\n\
    retry-after: 5\r\n\
    content-length: 236\r\n\
    \r\n\
    {\"error\":\"this address has too many open connections\",\"code\":\"overloaded\",\
    \"hint\":\"close idle connections, or reuse one; the operator raises server.max_connections_per_address, or adds a \
    proxy to trusted_proxies\",\"retry_after_seconds\":5}";
/// How long a refused connection waits for its request, so that closing it does not discard the response.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);

/// An accepted connection whose protocol is known.
pub(super) type AcceptedConnection = (Socket, Protocol, Option<SocketAddr>);

/// A new connection.
#[derive(Debug)]
pub(crate) enum AcceptedStream {
    /// On the TCP port.
    Tcp(TcpStream),
    /// On the Unix socket.
    Unix(UnixStream),
}

impl From<TcpStream> for AcceptedStream {
    fn from(stream: TcpStream) -> Self {
        Self::Tcp(stream)
    }
}

impl From<UnixStream> for AcceptedStream {
    fn from(stream: UnixStream) -> Self {
        Self::Unix(stream)
    }
}

/// Turns connections into sockets whose protocol is known.
#[derive(Clone)]
pub(super) struct ConnectionAcceptor {
    tls: Option<TlsAcceptor>,
    limit: Arc<ConnectionLimit>,
    uptime_ms: UptimeMs,
    stopping: GracefulShutdownSignal,
}

impl ConnectionAcceptor {
    pub(super) fn new(
        tls: Option<Arc<ServerConfig>>,
        limit: Arc<ConnectionLimit>,
        uptime_ms: UptimeMs,
        stopping: GracefulShutdownSignal,
    ) -> Self {
        Self { tls: tls.map(TlsAcceptor::from), limit, uptime_ms, stopping }
    }

    /// Admits a new connection, and negotiates TLS and the protocol.
    pub(super) async fn accept(self, stream: AcceptedStream) -> Result<AcceptedConnection, DispatchError> {
        match stream {
            AcceptedStream::Tcp(tcp) => self.accept_tcp(tcp).await,
            AcceptedStream::Unix(unix) => {
                let ConnectionAdmission::Admitted(counted) = self.limit.admit(SOCKET_PEER.ip()) else {
                    return Err(DispatchError::Io(io::ErrorKind::ConnectionRefused.into()));
                };
                let (socket, protocol) = self.unless_stopping(accept_unix(unix, counted, &self.uptime_ms)).await?;
                Ok((socket, protocol, Some(SOCKET_PEER)))
            }
        }
    }

    async fn accept_tcp(self, tcp: TcpStream) -> Result<AcceptedConnection, DispatchError> {
        let peer = tcp.peer_addr().ok();
        let counted = match self.limit.admit(peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.ip())) {
            ConnectionAdmission::Admitted(counted) => counted,
            ConnectionAdmission::Refused(_counted) => {
                if self.tls.is_none() {
                    let _ = timeout(REFUSAL_TIMEOUT, self.unless_stopping(refuse(&tcp))).await;
                }
                return Err(DispatchError::Io(io::ErrorKind::ConnectionRefused.into()));
            }
            ConnectionAdmission::Closed => return Err(DispatchError::Io(io::ErrorKind::ConnectionRefused.into())),
        };
        // With Nagle's algorithm, the second segment of a response waits up to 40 ms for an acknowledgement.
        tcp.set_nodelay(true).map_err(DispatchError::Io)?;
        let (socket, protocol) = match &self.tls {
            Some(tls) => self.unless_stopping(accept_tls(tls, tcp, counted, &self.uptime_ms)).await?,
            None => self.unless_stopping(accept_plain(tcp, counted, &self.uptime_ms)).await?,
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

/// Responds to the first bytes of a connection above the limit.
async fn refuse(tcp: &TcpStream) -> Result<(), DispatchError> {
    tcp.readable().await.map_err(DispatchError::Io)?;
    let mut request = [0; 4096];
    let _ = tcp.try_read(&mut request);
    let _ = tcp.try_write(TOO_MANY_CONNECTIONS.as_bytes());
    Ok(())
}

async fn accept_plain(
    mut tcp: TcpStream,
    counted: CountedConnection,
    uptime_ms: &UptimeMs,
) -> Result<(Socket, Protocol), DispatchError> {
    let mut detector = ProtocolDetector::default();
    match timeout(REQUEST_HEAD_TIMEOUT, detector.detect(&mut tcp)).await {
        Ok(protocol) => {
            let protocol = protocol.map_err(DispatchError::Io)?;
            Ok((Socket::plain(tcp, detector, protocol, counted, uptime_ms), protocol))
        }
        Err(_) => {
            // Nothing was written on this connection yet, so the send buffer has space for it.
            let _ = tcp.try_write(REQUEST_TIMEOUT);
            Err(DispatchError::SlowRequestTimeout)
        }
    }
}

async fn accept_unix(
    mut unix: UnixStream,
    counted: CountedConnection,
    uptime_ms: &UptimeMs,
) -> Result<(Socket, Protocol), DispatchError> {
    let mut detector = ProtocolDetector::default();
    let Ok(protocol) = timeout(REQUEST_HEAD_TIMEOUT, detector.detect(&mut unix)).await else {
        let _ = unix.try_write(REQUEST_TIMEOUT);
        return Err(DispatchError::SlowRequestTimeout);
    };
    let protocol = protocol.map_err(DispatchError::Io)?;
    Ok((Socket::unix(unix, detector, protocol, counted, uptime_ms), protocol))
}

async fn accept_tls(
    tls: &TlsAcceptor,
    tcp: TcpStream,
    counted: CountedConnection,
    uptime_ms: &UptimeMs,
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
    Ok((Socket::encrypted(stream, protocol, counted, uptime_ms), protocol))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d14_the_refusal_of_a_connection_is_a_complete_error_response() {
        let (head, body) = TOO_MANY_CONNECTIONS.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{head} {}", body.len());
        let error: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(error["code"], "overloaded");
    }
}
