//! The listening port and the Unix socket: TLS, HTTP/1.1 and HTTP/2 on one port, limits on connections, and detection of disconnected
//! clients.
//!
//! actix-web's `bind_auto_h2c` waits for the first bytes without a timeout, keeps waiting during a drain, and cannot
//! report to a handler that its HTTP/2 client has disconnected. So the hub accepts connections itself (ADR 6), and runs
//! HTTP/2 connections itself (ADR 30). This module never looks at a route.

mod accept;
mod certificate;
mod connection_events;
mod connection_limit;
mod disconnect;
mod http1;
mod http2;
mod protocol_detect;
mod service;
mod socket;
mod unix_socket;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use tokio::net::TcpSocket;

pub(crate) use accept::AcceptedStream;
pub(crate) use certificate::{Certificate, CertificateError, PemFiles};
pub(crate) use connection_events::{ConnectionEnd, ConnectionEvents, SeveralClients};
pub(crate) use connection_limit::ConnectionLimit;
pub(crate) use disconnect::{ConnectionState, Disconnected};
pub(crate) use http1::share_on_connection;
pub(crate) use service::{ConnectionSettings, serve_connections};
pub(crate) use unix_socket::{SOCKET_PEER, SocketFile, bind_socket};

/// How long an idle connection stays open.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Maximum time for the first bytes of a connection, for a TLS handshake, and for the head of its first request.
const REQUEST_HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum time to close a connection.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a client may take nothing of a response before it loses the connection.
const PEER_STALL_TIMEOUT: Duration = Duration::from_secs(60);
/// How many unsent bytes the kernel holds for a connection. Small, so that a slow client is seen to take something.
#[cfg(target_os = "linux")]
const UNSENT_BYTES: u32 = 64 * 1024;
/// Length of the kernel's accept queue.
const ACCEPT_QUEUE: u32 = 4096;

/// Binds a listening socket. Must be called within a tokio runtime.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    // Accepted sockets inherit it.
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(&socket).set_tcp_notsent_lowat(UNSENT_BYTES)?;
    socket.bind(address)?;
    socket.listen(ACCEPT_QUEUE)?.into_std()
}
