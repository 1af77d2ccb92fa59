//! One HTTP/1.1 keep-alive connection. One write for each request, one reply at a time, buffers used again.
//! It connects when it first has to, and anew after the server closed; it never sends a request twice.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::error::HttpError;
use super::response;
use super::tls::Tls;
use super::wire::Wire;

/// Room made before each read: most replies need one read.
const READ_BYTES: usize = 4096;

pub struct Connection {
    address: SocketAddr,
    source: Option<IpAddr>,
    tls: Option<Tls>,
    stream: Option<Wire>,
    input: Vec<u8>,
    body: Vec<u8>,
}

impl Connection {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, source: None, tls: None, stream: None, input: Vec::new(), body: Vec::new() }
    }

    /// Connects from `source`: one loopback address has too few ports for tens of thousands of connections.
    pub fn with_source(mut self, source: Option<IpAddr>) -> Self {
        self.source = source;
        self
    }

    /// Speaks https, if there is anything to speak it with.
    pub fn secured(mut self, tls: Option<Tls>) -> Self {
        self.tls = tls;
        self
    }

    /// Writes one whole request.
    pub async fn write(&mut self, request: &[u8]) -> Result<(), HttpError> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(Wire::open(self.address, self.source, self.tls.as_ref()).await?),
        };
        stream.write_all(request).await.map_err(HttpError::Write)?;
        stream.flush().await.map_err(HttpError::Write)
    }

    /// Waits for the reply: its status and its body.
    pub async fn reply(&mut self) -> Result<(u16, &[u8]), HttpError> {
        let head = loop {
            if !self.input.is_empty()
                && let Some(head) = response::parse(&self.input, &mut self.body)?
            {
                break head;
            }
            self.fill().await?;
        };
        self.input.drain(..head.used_bytes);
        if head.close {
            self.stream = None;
            self.input.clear();
        }
        Ok((head.status, &self.body))
    }

    /// One request and its reply.
    pub async fn call(&mut self, request: &[u8]) -> Result<(u16, &[u8]), HttpError> {
        self.write(request).await?;
        self.reply().await
    }

    /// Whether the connection is open and nothing has come on it: its request is still parked.
    pub fn is_silent(&self) -> bool {
        let Some(stream) = self.stream.as_ref().and_then(Wire::socket) else {
            return false;
        };
        matches!(stream.try_read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Waits for more bytes and gives all that nobody has used yet; who uses some takes them out.
    pub async fn more(&mut self) -> Result<&mut Vec<u8>, HttpError> {
        self.fill().await?;
        Ok(&mut self.input)
    }

    /// All that has come and that nobody has used yet.
    pub fn input(&mut self) -> &mut Vec<u8> {
        &mut self.input
    }

    /// Closes, whatever is under way, and gives what had come of it. The next request connects anew.
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
        let mut asked = [0; REQUEST.len()];
        peer.read_exact(&mut asked).await.unwrap();
        for piece in pieces {
            peer.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_closed_connection_is_opened_again() {
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
    async fn a_reply_can_be_left_in_the_middle() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut connection = Connection::new(listener.local_addr().unwrap());
        let client = async {
            connection.write(REQUEST).await.unwrap();
            while !connection.more().await.unwrap().ends_with(b"\r\n\r\n") {}
            assert!(connection.close().starts_with(b"HTTP/1.1 200"));
            assert!(matches!(connection.reply().await, Err(HttpError::Closed)), "nothing is left of it");
        };
        tokio::join!(answer(&listener, &[b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"]), client);
    }

    #[tokio::test]
    async fn a_reply_without_an_end_is_not_read_for_ever() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut connection = Connection::new(listener.local_addr().unwrap());
        let server = async {
            let (mut peer, _) = listener.accept().await.unwrap();
            let piece = [b"10000\r\n", &*vec![b'x'; 0x10000], b"\r\n"].concat();
            peer.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
            while peer.write_all(&piece).await.is_ok() {}
        };
        let client = async {
            let told = connection.call(REQUEST).await.unwrap_err().to_string();
            assert!(told.contains("longer than 64 MiB"), "{told}");
            assert!(connection.close().len() < 2 * response::REPLY_BYTES);
        };
        tokio::join!(server, client);
    }

    #[tokio::test]
    async fn half_a_reply_is_a_fault() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut connection = Connection::new(listener.local_addr().unwrap());
        let (_, reply) = tokio::join!(answer(&listener, &[b"HTTP/1.1 200"]), connection.call(REQUEST));
        assert!(matches!(reply, Err(HttpError::Closed)));
    }
}
