//! One HTTP/1.1 keep-alive connection: one write for each request, one response at a time, reused buffers.
//! It connects on the first request, and again after the server closed. It never sends a request twice.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::error::HttpError;
use super::response;
use super::tls::Tls;
use super::tunnel::Tunnel;
use super::wire::{Peer, Wire};

/// Buffer space before each read. Most responses need one read.
const READ_BYTES: usize = 4096;

/// A connection to one server, opened by the first request.
pub struct Connection {
    peer: Peer,
    tunnel: Option<Tunnel>,
    tls: Option<Tls>,
    stream: Option<Wire>,
    input: Vec<u8>,
    body: Vec<u8>,
}

impl Connection {
    /// Creates a connection over plain HTTP. Nothing is sent yet.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self::to(Peer::Tcp { address, source: None })
    }

    /// Creates a connection to a Unix socket. Nothing is sent yet.
    #[must_use]
    pub fn unix(path: &Path) -> Self {
        Self::to(Peer::Unix(path.to_owned()))
    }

    fn to(peer: Peer) -> Self {
        Self { peer, tunnel: None, tls: None, stream: None, input: Vec::new(), body: Vec::new() }
    }

    /// Connects from the address `source`. One loopback address has too few ports for tens of thousands of connections.
    #[must_use]
    pub fn with_source(mut self, source: Option<IpAddr>) -> Self {
        if let Peer::Tcp { source: own, .. } = &mut self.peer {
            *own = source;
        }
        self
    }

    /// Connects through a proxy if `tunnel` is given. The address is that of the proxy then.
    #[must_use]
    pub fn with_tunnel(mut self, tunnel: Option<Tunnel>) -> Self {
        self.tunnel = tunnel;
        self
    }

    /// Connects with TLS if `tls` is given.
    #[must_use]
    pub fn with_tls(mut self, tls: Option<Tls>) -> Self {
        self.tls = tls;
        self
    }

    /// Writes one complete request.
    ///
    /// # Errors
    ///
    /// Fails if the server cannot be reached, is not trusted, or closes the connection.
    pub async fn write(&mut self, request: &[u8]) -> Result<(), HttpError> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(Wire::open(&self.peer, self.tunnel.as_ref(), self.tls.as_ref()).await?),
        };
        stream.write_all(request).await.map_err(HttpError::Write)?;
        stream.flush().await.map_err(HttpError::Write)
    }

    /// Reads the next response: its status and body.
    ///
    /// # Errors
    ///
    /// Fails if the connection ends before the response is complete, or the response is invalid.
    pub async fn reply(&mut self) -> Result<(u16, &[u8]), HttpError> {
        let head = loop {
            if !self.input.is_empty()
                && let Some(head) = response::parse(&self.input, &mut self.body, false)?
            {
                break head;
            }
            match self.fill().await {
                Err(HttpError::Closed) if !self.input.is_empty() => {
                    let head = response::parse(&self.input, &mut self.body, true)?;
                    break response::Head { close: true, ..head.ok_or(HttpError::Closed)? };
                }
                filled => filled?,
            }
        };
        self.input.drain(..head.used_bytes);
        if head.close {
            self.stream = None;
            self.input.clear();
        }
        Ok((head.status, &self.body))
    }

    /// Writes a request and reads its response.
    ///
    /// # Errors
    ///
    /// As for [`write`](Self::write) and [`reply`](Self::reply).
    pub async fn call(&mut self, request: &[u8]) -> Result<(u16, &[u8]), HttpError> {
        self.write(request).await?;
        self.reply().await
    }

    /// Whether the connection is open and has no bytes to read: the hub still holds the request. Always `false` over
    /// TLS.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        let Some(stream) = self.stream.as_ref().and_then(Wire::socket) else {
            return false;
        };
        matches!(stream.try_read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Reads more bytes and returns the input buffer. The caller removes the bytes it used.
    ///
    /// # Errors
    ///
    /// Fails if the connection is closed, or more unused bytes are buffered than any response may have.
    pub async fn more(&mut self) -> Result<&mut Vec<u8>, HttpError> {
        self.fill().await?;
        Ok(&mut self.input)
    }

    /// Returns the received bytes that were not used yet.
    pub fn input(&mut self) -> &mut Vec<u8> {
        &mut self.input
    }

    /// Closes the connection and returns the received but unused bytes. The next request connects again.
    pub fn close(&mut self) -> Vec<u8> {
        self.stream = None;
        std::mem::take(&mut self.input)
    }

    async fn fill(&mut self) -> Result<(), HttpError> {
        let stream = self.stream.as_mut().ok_or(HttpError::Closed)?;
        response::check_length(&self.input)?;
        self.input.reserve(READ_BYTES);
        match stream.read_buf(&mut self.input).await.map_err(HttpError::Read)? {
            0 => Err(HttpError::Closed),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\n\r\n";

    async fn answer(listener: &TcpListener, pieces: &[&[u8]]) {
        let (mut peer, _) = listener.accept().await.unwrap();
        let mut request = [0; REQUEST.len()];
        peer.read_exact(&mut request).await.unwrap();
        for piece in pieces {
            peer.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn reconnects_after_the_server_closed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut connection = Connection::new(listener.local_addr().unwrap());
        let server = async {
            answer(&listener, &[b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-", b"length: 2\r\n\r\n", b"ok"])
                .await;
            answer(&listener, &[b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nyes"]).await;
        };
        let client = async {
            assert_eq!(connection.call(REQUEST).await.unwrap(), (200, &b"ok"[..]));
            assert_eq!(connection.call(REQUEST).await.unwrap(), (200, &b"yes"[..]));
        };
        tokio::join!(server, client);
    }

    #[tokio::test]
    async fn can_be_closed_in_the_middle_of_a_response() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut connection = Connection::new(listener.local_addr().unwrap());
        let client = async {
            connection.write(REQUEST).await.unwrap();
            while !connection.more().await.unwrap().ends_with(b"\r\n\r\n") {}
            assert!(connection.close().starts_with(b"HTTP/1.1 200"));
            assert!(matches!(connection.reply().await, Err(HttpError::Closed)), "its bytes were removed");
        };
        tokio::join!(answer(&listener, &[b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"]), client);
    }

    #[tokio::test]
    async fn limits_the_length_of_a_response() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut connection = Connection::new(listener.local_addr().unwrap());
        let server = async {
            let (mut peer, _) = listener.accept().await.unwrap();
            let piece = [b"10000\r\n", &*vec![b'x'; 0x10000], b"\r\n"].concat();
            peer.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
            while peer.write_all(&piece).await.is_ok() {}
        };
        let client = async {
            let error = connection.call(REQUEST).await.unwrap_err().to_string();
            assert!(error.contains("longer than 64 MiB"), "{error}");
            assert!(connection.close().len() < 2 * response::RESPONSE_BYTES);
        };
        tokio::join!(server, client);
    }

    #[tokio::test]
    async fn an_incomplete_response_is_an_error() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut connection = Connection::new(listener.local_addr().unwrap());
        let (_, reply) = tokio::join!(answer(&listener, &[b"HTTP/1.1 200"]), connection.call(REQUEST));
        assert!(matches!(reply, Err(HttpError::Closed)));
    }
}
