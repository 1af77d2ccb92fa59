//! How bytes come in: the listening port, TLS, HTTP/1.1 and HTTP/2 on the same port, and whether a client is still there.
//!
//! actix-web's own `bind_auto_h2c` waits for the first bytes without a time limit and outlasts a drain, and it cannot
//! tell a handler that an HTTP/2 client has gone; so the hub opens its connections itself. It never looks at a request.

mod certificate;
mod entrance;
mod opening;
mod presence;
mod socket;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use tokio::net::TcpSocket;

pub(crate) use certificate::{Certificate, CertificateError, PemFiles};
pub(crate) use entrance::Entrance;
pub(crate) use presence::{Gone, Presence};
pub(crate) use socket::Socket;

/// How long an idle connection is kept.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long the first bytes, a TLS handshake, or the head of a request may take.
pub(crate) const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long a closing connection may take to say goodbye.
pub(crate) const GOODBYE_TIME: Duration = Duration::from_secs(1);
/// Connections the system holds while the hub accepts.
const BACKLOG: u32 = 4096;

/// Binds an address, with room for many who come at once. Needs a runtime around it.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}
