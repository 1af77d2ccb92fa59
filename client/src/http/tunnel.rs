//! A connection through a proxy: `CONNECT` of an HTTP proxy, or SOCKS 5.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_socks::tcp::Socks5Stream;

use super::error::HttpError;
use super::response::parse_head;

/// Maximum bytes of the response to `CONNECT`.
const HEAD_BYTES: usize = 16 << 10;

/// What a proxy needs to open the connection. The strings contain no line break.
#[derive(Clone)]
pub enum Tunnel {
    /// An HTTP proxy opens a connection to `host:port`.
    Connect {
        /// `host:port`
        target: String,
        /// The value of `Proxy-Authorization`.
        authorization: Option<String>,
    },
    /// A SOCKS 5 proxy resolves the host and opens a connection to it.
    Socks {
        /// The host, without brackets.
        host: String,
        /// The port.
        port: u16,
        /// User and password.
        credentials: Option<(String, String)>,
    },
}

impl Tunnel {
    /// Asks the proxy at the other end of `stream` for the connection.
    pub(super) async fn open(&self, stream: TcpStream) -> Result<TcpStream, HttpError> {
        match self {
            Self::Connect { target, authorization } => connect(stream, target, authorization.as_deref()).await,
            Self::Socks { host, port, credentials } => {
                let target = (&**host, *port);
                let opened = match credentials {
                    None => Socks5Stream::connect_with_socket(stream, target).await,
                    Some((user, password)) => {
                        Socks5Stream::connect_with_password_and_socket(stream, target, user, password).await
                    }
                };
                let refused =
                    |error: tokio_socks::Error| HttpError::Proxy(format!("the proxy did not connect: {error}"));
                Ok(opened.map_err(refused)?.into_inner())
            }
        }
    }
}

async fn connect(mut stream: TcpStream, target: &str, authorization: Option<&str>) -> Result<TcpStream, HttpError> {
    let authorization = authorization.map_or(String::new(), |value| format!("Proxy-Authorization: {value}\r\n"));
    let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{authorization}\r\n");
    stream.write_all(request.as_bytes()).await.map_err(HttpError::Write)?;
    let mut input = Vec::new();
    loop {
        // Byte by byte: what follows the head belongs to the hub.
        let mut byte = [0];
        if stream.read(&mut byte).await.map_err(HttpError::Read)? == 0 {
            return Err(HttpError::Proxy("the proxy closed the connection".into()));
        }
        input.push(byte[0]);
        if !input.ends_with(b"\r\n\r\n") && input.len() < HEAD_BYTES {
            continue;
        }
        return match parse_head(&input, |response| response.code)?.and_then(|(_, status)| status) {
            Some(200..=299) => Ok(stream),
            Some(407) => Err(HttpError::ProxyAuthentication),
            Some(status) => Err(HttpError::Proxy(format!("the proxy refused to connect (status {status})"))),
            None => Err(HttpError::InvalidResponse("the head of the proxy's response is too long".into())),
        };
    }
}
