//! A raw HTTP/1.1 client. It can send malformed or partial requests and close the connection at any point.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use super::{TIMEOUT, openapi};

/// The address that a hub listens on.
#[derive(Clone, Copy, Debug)]
pub struct HttpTarget(pub SocketAddr);

impl HttpTarget {
    /// A request with any method.
    pub fn request(self, method: &str, path: &str) -> Request {
        Request { target: self, method: method.into(), path: path.into(), headers: Vec::new(), body: None }
    }

    /// A `GET` request.
    pub fn get(self, path: &str) -> Request {
        self.request("GET", path)
    }

    /// A `POST` request.
    pub fn post(self, path: &str) -> Request {
        self.request("POST", path)
    }

    /// The address as an `http://` origin.
    pub fn origin(self) -> String {
        format!("http://{}", self.0)
    }

    /// Opens a connection.
    pub fn connect(self) -> Conn {
        Conn::open(self.0)
    }

    /// Sends raw bytes on a new connection and reads one reply, if the hub sends one.
    pub fn send_raw(self, bytes: &[u8]) -> Option<Reply> {
        let mut conn = self.connect();
        conn.write(bytes);
        conn.reply()
    }
}

/// A request to be sent.
#[derive(Clone, Debug)]
pub struct Request {
    target: HttpTarget,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Request {
    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Adds `Authorization: Bearer <token>`.
    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// Adds `X-Session-Id`.
    pub fn session(self, id: &str) -> Self {
        self.header("X-Session-Id", id)
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sets a JSON body and its content type.
    pub fn json(self, json: &Value) -> Self {
        self.header("Content-Type", "application/json").body(json.to_string())
    }

    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name))
    }

    /// The bytes of the request.
    pub fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        if !self.has("host") {
            head += &format!("Host: {}\r\n", self.target.0);
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

    /// Sends the request on a new connection and reads the reply.
    pub fn send(self) -> Reply {
        let conn = self.target.connect();
        self.header("Connection", "close").on(conn).0
    }

    /// Sends the request on a connection and reads the reply, which must match `/openapi.json`.
    #[track_caller]
    pub fn on(self, conn: Conn) -> (Reply, Conn) {
        let (method, path) = (self.method.clone(), self.path.clone());
        let (reply, conn) = self.unchecked(conn);
        openapi::check_reply(&method, &path, &reply);
        (reply, conn)
    }

    /// Like [`on`](Self::on), without the check against `/openapi.json`.
    pub(crate) fn unchecked(self, mut conn: Conn) -> (Reply, Conn) {
        conn.write(&self.bytes());
        let reply = conn.reply_to(&self.method);
        (reply.unwrap_or_else(|| panic!("no reply to {} {}", self.method, self.path)), conn)
    }

    /// Sends the request on a new connection and does not read the reply.
    pub fn start(self) -> Conn {
        let mut conn = self.target.connect();
        conn.write(&self.bytes());
        conn
    }
}

/// A connection to a hub.
#[derive(Debug)]
pub struct Conn {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Conn {
    fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect_timeout(&address, TIMEOUT).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.set_write_timeout(Some(TIMEOUT)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::new() }
    }

    /// Writes bytes. Ignores that the hub has closed the connection, since its reply may still be read.
    pub fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Closes the sending half of the connection.
    pub fn close_write(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Whether the hub has kept the connection open.
    pub(crate) fn is_open(&self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let is_open = match self.stream.peek(&mut [0]) {
            Ok(bytes) => bytes > 0,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        };
        self.stream.set_nonblocking(false).unwrap();
        is_open
    }

    /// Reads more bytes into the buffer; false when the hub has closed the connection.
    fn fill(&mut self) -> bool {
        let mut chunk = [0; 16 * 1024];
        match self.stream.read(&mut chunk) {
            Ok(0) => false,
            Ok(n) => {
                self.buffer.extend_from_slice(&chunk[..n]);
                true
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                panic!("no bytes from the hub for {TIMEOUT:?}; so far: {}", String::from_utf8_lossy(&self.buffer))
            }
            Err(_) => false,
        }
    }

    /// Whether the hub sends bytes or closes the connection within a time.
    pub fn has_data_within(&mut self, time: Duration) -> bool {
        if !self.buffer.is_empty() {
            return true;
        }
        self.stream.set_read_timeout(Some(time.max(Duration::from_millis(1)))).unwrap();
        let mut byte = [0];
        let has_data = !matches!(
            self.stream.peek(&mut byte),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
        );
        self.stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        has_data
    }

    /// Reads until the hub closes the connection.
    pub fn read_to_end(mut self) -> Vec<u8> {
        while self.fill() {}
        self.buffer
    }

    /// The next line, without its line break; none when the hub has closed the connection.
    pub fn line(&mut self) -> Option<String> {
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

    /// The next bytes.
    pub fn bytes(&mut self, n: usize) -> Vec<u8> {
        self.exactly(n).unwrap()
    }

    /// The next chunk of a chunked body; none at the end of the body.
    pub fn chunk(&mut self) -> Option<Vec<u8>> {
        let size = usize::from_str_radix(self.line()?.trim(), 16).unwrap();
        let chunk = self.exactly(size)?;
        self.line()?;
        (size > 0).then_some(chunk)
    }

    /// Reads the head of a reply, and not its body.
    pub fn head(&mut self) -> Option<Reply> {
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

    /// Reads a reply to a `GET` request.
    pub fn reply(&mut self) -> Option<Reply> {
        self.reply_to("GET")
    }

    /// Reads a reply to a request with this method; none when the hub closed the connection without one.
    pub fn reply_to(&mut self, method: &str) -> Option<Reply> {
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

/// An HTTP response.
#[derive(Clone, Debug)]
pub struct Reply {
    /// `HTTP/1.1`, as received.
    pub version: String,
    /// The status code.
    pub status: u16,
    /// The headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    /// The body of a reply that must be a success.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()
    }

    /// The body of an error reply, which must have this status and code and the shape of all errors.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        let body = self.json();
        assert_eq!(body["code"], code, "{body}");
        assert!(body["error"].as_str().is_some_and(|error| !error.is_empty()), "{body}");
        assert_eq!(body["request_id"].as_str(), self.header("x-request-id"), "{body}");
        body
    }
}
