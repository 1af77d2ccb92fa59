//! What lies under a connection: TCP, or TLS over it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::client::TlsStream;

use super::error::HttpError;
use super::tls::Tls;

pub(super) enum Wire {
    Plain(TcpStream),
    Secured(Box<TlsStream<TcpStream>>),
}

impl Wire {
    pub(super) async fn open(
        address: SocketAddr,
        source: Option<IpAddr>,
        tls: Option<&Tls>,
    ) -> Result<Self, HttpError> {
        let stream = connect(address, source).await.map_err(HttpError::Connect)?;
        match tls {
            None => Ok(Self::Plain(stream)),
            Some(tls) => {
                let secured = tls.secure(stream).await;
                Ok(Self::Secured(Box::new(secured.map_err(|error| match is_mistrust(&error) {
                    true => HttpError::UntrustedCertificate(error),
                    false => HttpError::TlsHandshake(error),
                })?)))
            }
        }
    }

    /// The socket, where nothing lies between.
    pub(super) fn socket(&self) -> Option<&TcpStream> {
        match self {
            Self::Plain(stream) => Some(stream),
            Self::Secured(_) => None,
        }
    }
}

/// Whether it was we who did not want to go on: another try shows the same certificate.
fn is_mistrust(error: &io::Error) -> bool {
    let error = error.get_ref().and_then(|error| error.downcast_ref::<tokio_rustls::rustls::Error>());
    matches!(error, Some(tokio_rustls::rustls::Error::InvalidCertificate(_)))
}

/// TCP only, whatever lies over it.
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
            Self::Secured(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Secured(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Secured(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Secured(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
