//! The transport of a connection: TCP, with or without TLS, or a Unix socket.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream, UnixStream};
use tokio_rustls::client::TlsStream;

use super::error::HttpError;
use super::tls::Tls;
use super::tunnel::Tunnel;

/// What to connect to.
pub(super) enum Peer {
    Tcp { address: SocketAddr, source: Option<IpAddr> },
    Unix(PathBuf),
}

pub(super) enum Wire {
    Plain(TcpStream),
    Unix(UnixStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Wire {
    pub(super) async fn open(peer: &Peer, tunnel: Option<&Tunnel>, tls: Option<&Tls>) -> Result<Self, HttpError> {
        let stream = match peer {
            Peer::Tcp { address, source } => connect(*address, *source).await.map_err(HttpError::Connect)?,
            Peer::Unix(path) => return UnixStream::connect(path).await.map(Self::Unix).map_err(HttpError::Connect),
        };
        let stream = match tunnel {
            None => stream,
            Some(tunnel) => tunnel.open(stream).await?,
        };
        match tls {
            None => Ok(Self::Plain(stream)),
            Some(tls) => {
                let handshake = tls.handshake(stream).await;
                Ok(Self::Tls(Box::new(handshake.map_err(|error| match is_untrusted(&error) {
                    true => HttpError::UntrustedCertificate(error),
                    false => HttpError::TlsHandshake(error),
                })?)))
            }
        }
    }

    /// The TCP socket, if there is no TLS.
    pub(super) fn socket(&self) -> Option<&TcpStream> {
        match self {
            Self::Plain(stream) => Some(stream),
            Self::Unix(_) | Self::Tls(_) => None,
        }
    }
}

/// Whether the certificate was rejected. A retry would see the same certificate.
fn is_untrusted(error: &io::Error) -> bool {
    let error = error.get_ref().and_then(|error| error.downcast_ref::<tokio_rustls::rustls::Error>());
    matches!(error, Some(tokio_rustls::rustls::Error::InvalidCertificate(_)))
}

/// Opens a TCP connection, from the address `source` if given.
///
/// # Errors
///
/// Fails if the address cannot be bound or the server cannot be reached.
pub async fn connect(address: SocketAddr, source: Option<IpAddr>) -> io::Result<TcpStream> {
    let stream = match source {
        Some(source) => {
            let socket = if source.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
            socket.bind(SocketAddr::new(source, 0))?;
            socket.connect(address).await?
        }
        None => TcpStream::connect(address).await?,
    };
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
