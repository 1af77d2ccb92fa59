//! A raw HTTP/1.1 client: it can say half a request, rubbish, or nothing, and go when it likes.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use super::{PATIENCE, described};

/// Where a hub listens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Door(pub(crate) SocketAddr);

impl Door {
    pub(crate) fn request(self, method: &str, path: &str) -> Request {
        Request { door: self, method: method.into(), path: path.into(), headers: Vec::new(), body: None }
    }

    pub(crate) fn get(self, path: &str) -> Request {
        self.request("GET", path)
    }

    pub(crate) fn post(self, path: &str) -> Request {
        self.request("POST", path)
    }

    pub(crate) fn dial(self) -> Conn {
        Conn::open(self.0)
    }

    /// Says these bytes on a connection of their own and reads one answer, if there is one.
    pub(crate) fn say(self, bytes: &[u8]) -> Option<Reply> {
        let mut conn = self.dial();
        conn.write(bytes);
        conn.reply()
    }
}

/// A request in the making.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    door: Door,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Request {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn session(self, id: &str) -> Self {
        self.header("X-Session-Id", id)
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    pub(crate) fn json(self, json: &Value) -> Self {
        self.header("Content-Type", "application/json").body(json.to_string())
    }

    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name))
    }

    /// The request as it goes over the wire.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        if !self.has("host") {
            head += &format!("Host: {}\r\n", self.door.0);
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if let Some(body) = &self.body
            && !self.has("content-length")
            && !self.has("transfer-encoding")
        {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        let mut bytes = (head + "\r\n").into_bytes();
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default());
        bytes
    }

    /// Sends it on a connection of its own.
    pub(crate) fn send(self) -> Reply {
        let conn = self.door.dial();
        self.header("Connection", "close").on(conn).0
    }

    /// Sends it on a connection and keeps that. The answer must be one that is described.
    #[track_caller]
    pub(crate) fn on(self, conn: Conn) -> (Reply, Conn) {
        let (method, path) = (self.method.clone(), self.path.clone());
        let (reply, conn) = self.unchecked(conn);
        described::check(&method, &path, &reply);
        (reply, conn)
    }

    pub(super) fn unchecked(self, mut conn: Conn) -> (Reply, Conn) {
        conn.write(&self.bytes());
        let reply = conn.reply_to(&self.method);
        (reply.unwrap_or_else(|| panic!("no answer to {} {}", self.method, self.path)), conn)
    }

    /// Sends it and does not read the answer.
    pub(crate) fn start(self) -> Conn {
        let mut conn = self.door.dial();
        conn.write(&self.bytes());
        conn
    }
}

/// A connection to a hub.
#[derive(Debug)]
pub(crate) struct Conn {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Conn {
    fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::new() }
    }

    /// Writes. A hub that has closed meanwhile is no fault: what it said before is still to be read.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Says that nothing more will come, and goes on reading.
    pub(crate) fn finish(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Whether the hub has not closed it.
    pub(super) fn is_open(&self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let is_open = match self.stream.peek(&mut [0]) {
            Ok(bytes) => bytes > 0,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        };
        self.stream.set_nonblocking(false).unwrap();
        is_open
    }

    /// Reads some more; false when the hub has closed.
    fn fill(&mut self) -> bool {
        let mut chunk = [0; 16 * 1024];
        match self.stream.read(&mut chunk) {
            Ok(0) => false,
            Ok(n) => {
                self.buffer.extend_from_slice(&chunk[..n]);
                true
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                panic!("the hub said nothing for {PATIENCE:?}; so far: {}", String::from_utf8_lossy(&self.buffer))
            }
            Err(_) => false,
        }
    }

    /// Whether the hub says something, or closes, before so long.
    pub(crate) fn hears_within(&mut self, time: Duration) -> bool {
        self.stream.set_read_timeout(Some(time)).unwrap();
        let mut byte = [0];
        let heard = !matches!(
            self.stream.peek(&mut byte),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
        );
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        heard
    }

    /// Reads until the hub closes, and gives what it said.
    pub(crate) fn rest(mut self) -> Vec<u8> {
        while self.fill() {}
        self.buffer
    }

    /// A line without its end; none when the hub closed before it.
    pub(crate) fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|w| w == b"\r\n") {
                let line = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
                self.buffer.drain(..end + 2);
                return Some(line);
            }
            if !self.fill() {
                return None;
            }
        }
    }

    fn exactly(&mut self, n: usize) -> Option<Vec<u8>> {
        while self.buffer.len() < n {
            if !self.fill() {
                return None;
            }
        }
        Some(self.buffer.drain(..n).collect())
    }

    /// The next chunk of a chunked body; none at its end.
    pub(crate) fn chunk(&mut self) -> Option<Vec<u8>> {
        let size = usize::from_str_radix(self.line()?.trim(), 16).unwrap();
        let chunk = self.exactly(size)?;
        self.line()?;
        (size > 0).then_some(chunk)
    }

    /// The head of an answer; its body is not read.
    pub(crate) fn head(&mut self) -> Option<Reply> {
        let first = self.line()?;
        let mut words = first.splitn(3, ' ');
        let version = words.next().unwrap_or_default().to_owned();
        let status = words.next().and_then(|s| s.parse().ok()).unwrap_or_else(|| panic!("no status: {first:?}"));
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
        Some(Reply { version, status, headers, body: Vec::new() })
    }

    pub(crate) fn reply(&mut self) -> Option<Reply> {
        self.reply_to("GET")
    }

    /// The answer to a method; none when the hub closed without one.
    pub(crate) fn reply_to(&mut self, method: &str) -> Option<Reply> {
        let mut reply = self.head()?;
        if reply.status < 200 {
            return self.reply_to(method);
        }
        if method == "HEAD" || reply.status == 204 || reply.status == 304 {
            return Some(reply);
        }
        if reply.header("transfer-encoding") == Some("chunked") {
            while let Some(chunk) = self.chunk() {
                reply.body.extend(chunk);
            }
        } else if let Some(length) = reply.header("content-length") {
            let length = length.parse().unwrap();
            reply.body = self.exactly(length)?;
        } else {
            while self.fill() {}
            reply.body = std::mem::take(&mut self.buffer);
        }
        Some(reply)
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) version: String,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    /// What a success says.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()
    }

    /// What a refusal says; it must be this one, in the one shape of errors.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        let body = self.json();
        assert_eq!(body["code"], code, "{body}");
        assert!(body["error"].as_str().is_some_and(|error| !error.is_empty()), "{body}");
        assert_eq!(body["request_id"].as_str(), self.header("x-request-id"), "{body}");
        body
    }
}
