//! The listening port: TLS, HTTP/1.1 and HTTP/2 on one port, and detection of disconnected clients.
//!
//! actix-web's `bind_auto_h2c` waits for the first bytes without a timeout, keeps waiting during a drain, and cannot
//! report to a handler that its HTTP/2 client has disconnected. So the hub accepts connections itself. This module never
//! looks at a request.

mod accept;
mod certificate;
mod disconnect;
mod protocol_detect;
mod socket;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use tokio::net::TcpSocket;

pub(crate) use accept::ConnectionAcceptor;
pub(crate) use certificate::{Certificate, CertificateError, PemFiles};
pub(crate) use disconnect::{ConnectionState, Disconnected};
pub(crate) use socket::Socket;

/// How long an idle HTTP/1.1 connection stays open.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Maximum time for the first bytes of a connection, for a TLS handshake, and for the head of a request.
pub(crate) const REQUEST_HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum time to close a connection.
pub(crate) const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Length of the kernel's accept queue.
const ACCEPT_QUEUE: u32 = 4096;

/// Binds a listening socket. Must be called within a tokio runtime.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(ACCEPT_QUEUE)?.into_std()
}
