//! An HTTP client of the tests: one connection for each request, unless the test keeps one.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::web::Bytes;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::web::peers::OneChunk;

/// Far longer than anything takes that a test waits for.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A complete response.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Reply {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The body of a successful response.
    pub(super) fn ok(self) -> Value {
        assert!(self.status < 300, "{self:?}");
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A request of a test.
#[derive(Clone, Debug)]
pub(super) struct Call {
    method: &'static str,
    target: String,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Call {
    pub(super) fn new(method: &'static str, target: impl Into<String>) -> Self {
        Self { method, target: target.into(), headers: Vec::new(), body: Bytes::new() }
    }

    pub(super) fn get(target: impl Into<String>) -> Self {
        Self::new("GET", target)
    }

    pub(super) fn post(target: impl Into<String>, body: &Value) -> Self {
        Self { body: body.to_string().into(), ..Self::new("POST", target) }
    }

    pub(super) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(super) fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    pub(super) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it and reads the response.
    pub(super) async fn at(self, address: SocketAddr) -> Reply {
        let mut connection = Connection::open(address).await;
        timeout(PATIENCE, connection.send(self)).await.expect("the hub should respond")
    }
}

/// A connection. It is closed when this is dropped.
pub(super) struct Connection {
    sender: SendRequest<OneChunk>,
    driver: JoinHandle<()>,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> Self {
        Self::with(TcpStream::connect(address).await.unwrap()).await
    }

    /// A connection that is reset when it is closed.
    pub(super) async fn that_resets(address: SocketAddr) -> Self {
        let tcp = TcpStream::connect(address).await.unwrap();
        SockRef::from(&tcp).set_linger(Some(Duration::ZERO)).unwrap();
        Self::with(tcp).await
    }

    async fn with(tcp: TcpStream) -> Self {
        let (sender, connection) = http1::handshake(TokioIo::new(tcp)).await.unwrap();
        Self { sender, driver: actix_web::rt::spawn(async move { drop(connection.await) }) }
    }

    /// Sends a request and waits for the head of its response.
    pub(super) async fn start(&mut self, call: Call) -> hyper::Result<hyper::Response<Incoming>> {
        let mut request = Request::builder().method(call.method).uri(call.target).header("host", "localhost");
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        self.sender.ready().await?;
        self.sender.send_request(request.body(OneChunk(call.body)).unwrap()).await
    }

    pub(super) async fn send(&mut self, call: Call) -> Reply {
        let (head, body) = self.start(call).await.unwrap().into_parts();
        let body = read(body).await.unwrap();
        Reply { status: head.status.as_u16(), headers: head.headers, body }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

async fn read(mut body: Incoming) -> hyper::Result<String> {
    let mut text = Vec::new();
    while let Some(piece) = next_piece(&mut body).await {
        text.extend_from_slice(&piece?);
    }
    Ok(String::from_utf8(text).unwrap())
}

async fn next_piece(body: &mut Incoming) -> Option<hyper::Result<Bytes>> {
    use hyper::body::Body as _;
    loop {
        let frame = std::future::poll_fn(|cx| std::pin::Pin::new(&mut *body).poll_frame(cx)).await?;
        match frame.map(hyper::body::Frame::into_data) {
            Ok(Ok(data)) => return Some(Ok(data)),
            Ok(Err(_)) => {}
            Err(error) => return Some(Err(error)),
        }
    }
}

/// A response that is read as it arrives. Dropping it closes the connection.
pub(super) struct Stream {
    pub(super) status: u16,
    body: Incoming,
    text: String,
    _connection: Connection,
}

impl Stream {
    pub(super) async fn open(address: SocketAddr, call: Call) -> Self {
        let mut connection = Connection::open(address).await;
        let response = timeout(PATIENCE, connection.start(call)).await.unwrap().unwrap();
        let status = response.status().as_u16();
        Self { status, body: response.into_body(), text: String::new(), _connection: connection }
    }

    /// Reads until the text contains a word, and returns it up to there.
    pub(super) async fn until(&mut self, word: &str) -> String {
        let reading = async {
            loop {
                if let Some(at) = self.text.find(word) {
                    let rest = self.text.split_off(at + word.len());
                    return std::mem::replace(&mut self.text, rest);
                }
                let piece = next_piece(&mut self.body).await;
                let Some(Ok(piece)) = piece else { panic!("{word} did not come: {piece:?} after {}", self.text) };
                self.text.push_str(std::str::from_utf8(&piece).unwrap());
            }
        };
        timeout(PATIENCE, reading).await.unwrap_or_else(|_| panic!("{word} did not come"))
    }

    /// Reads to the end. An error shows that the response is incomplete.
    pub(super) async fn rest(mut self) -> hyper::Result<String> {
        let reading = async {
            while let Some(piece) = next_piece(&mut self.body).await {
                self.text.push_str(std::str::from_utf8(&piece?).unwrap());
            }
            Ok(self.text)
        };
        timeout(PATIENCE, reading).await.expect("the response should end")
    }
}

/// Waits until something holds.
pub(super) async fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        let mut next_look = tokio::time::interval(Duration::from_millis(2));
        while !holds() {
            next_look.tick().await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{what}"));
}
