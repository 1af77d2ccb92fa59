//! One member that reads in one way, and gives up as clients of that way do.

use std::time::Duration;

use rogerrat_testkit::{Agent, Channel, Conn, Deadline, Hub, Request, Stream};
use serde_json::{Value, json};

use crate::mcp::client::{Client, LEGACY, message};
use crate::receive::bridge_client::Bridge;
use crate::transport::http2::{DATA, END_STREAM, Frame, Http2, PING, RST_STREAM, WINDOW};

/// A way to read, and what its clients do when they give up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// `GET listen`; the connection is closed.
    Poll,
    /// `GET stream`; the connection is closed, and the next stream resumes after the last id.
    Stream,
    /// `GET listen` over HTTP/2; the request is reset.
    Http2,
    /// A tool call that accepts plain JSON only; the connection stays open, and what comes is discarded.
    McpJson,
    /// A tool call that accepts a stream; the same.
    McpStream,
    /// A tool call through the bridge; the response is discarded.
    Stdio,
}

impl Way {
    /// How long its clients wait at least. A call over MCP that is answered at once needs no proof, so its client must not
    /// give up before the hub has read the call (ADR 24).
    pub(super) fn least_patience_ms(self) -> i64 {
        match self {
            Self::Poll | Self::Stream | Self::Http2 => 20,
            Self::McpJson | Self::McpStream | Self::Stdio => 500,
        }
    }
}

pub(super) struct Reader {
    way: Way,
    bob: Agent,
    client: Client,
    bridge: Option<Bridge>,
    /// Connections of calls that were given up.
    open: Vec<Conn>,
    /// What was written before a reset over HTTP/2 had reached the hub. It counts as delivered (D2).
    discarded: Vec<Value>,
    last_id: u64,
    next_id: u64,
}

impl Reader {
    pub(super) fn new(way: Way, hub: &Hub, channel: &Channel) -> Self {
        let client = Client::legacy(**hub, "/mcp");
        let join = json!({"channel_id": channel.id, "token": channel.token, "callsign": "bob"});
        let joined = client.call("join", &join);
        let bob = Agent::from_join(channel, &joined);
        let bridge = (way == Way::Stdio).then(|| Bridge::of_session(&bob));
        let (open, discarded) = (Vec::new(), Vec::new());
        let mut reader = Self { way, bob, client, bridge, open, discarded, last_id: 0, next_id: 100 };
        // The first call of a bridge is late by the time that its process needs to start.
        assert!(way != Way::Stdio || reader.read().is_empty());
        reader
    }

    /// Reads until it is answered, or gives up after a while.
    pub(super) fn read_for(&mut self, patience: Duration) -> Vec<Value> {
        match self.way {
            Way::Poll => self.poll("listen?timeout=30", patience),
            Way::Stream => self.stream(patience),
            Way::Http2 => self.http2(30, patience),
            Way::McpJson => self.mcp("application/json", 30, patience),
            Way::McpStream => self.mcp("application/json, text/event-stream", 30, patience),
            Way::Stdio => self.stdio(30, patience),
        }
    }

    /// Reads what is there, for a second at most.
    pub(super) fn read(&mut self) -> Vec<Value> {
        let patience = Duration::from_secs(20);
        match self.way {
            Way::Poll => self.poll("listen?timeout=1", patience),
            Way::Stream => self.stream(Duration::from_secs(1)),
            Way::Http2 => self.http2(1, patience),
            Way::McpJson => self.mcp("application/json", 1, patience),
            Way::McpStream => self.mcp("application/json, text/event-stream", 1, patience),
            Way::Stdio => self.stdio(1, patience),
        }
    }

    fn poll(&mut self, what: &str, patience: Duration) -> Vec<Value> {
        let mut conn = self.bob.request("GET", what).start();
        match conn.has_data_within(patience) {
            true => messages(&conn.reply().unwrap().ok()),
            false => Vec::new(),
        }
    }

    fn stream(&mut self, patience: Duration) -> Vec<Value> {
        let since = if self.last_id == 0 { String::new() } else { format!("?since={}", self.last_id) };
        let mut stream = Stream::open(self.bob.request("GET", &format!("stream{since}")));
        let deadline = Deadline::after(patience);
        let mut found = Vec::new();
        while stream.has_data_within(deadline.left()) {
            let Some(event) = stream.next() else { break };
            if event.name() == "message" {
                self.last_id = event.data()["id"].as_u64().unwrap();
                found.push(event.data());
            }
        }
        found
    }

    /// The texts that were written before a reset had reached the hub.
    pub(super) fn discarded(&self) -> Vec<String> {
        self.discarded.iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect()
    }

    fn http2(&mut self, timeout: u64, patience: Duration) -> Vec<Value> {
        let mut http2 = Http2::open(self.bob.channel.target, WINDOW);
        let stream = http2.get(&self.bob, &format!("listen?timeout={timeout}"));
        let mut body = Vec::new();
        let deadline = Deadline::after(patience);
        while http2.has_data_within(deadline.left()) {
            let Some(frame) = http2.read() else { break };
            if body_ends(&frame, stream, &mut body) {
                return messages(&serde_json::from_slice(&body).unwrap());
            }
        }
        http2.frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes());
        // What comes before the reply to a ping was written before the hub had read the reset.
        http2.frame(PING, 0, 0, &[7; 8]);
        while let Some(frame) = http2.read().filter(|frame| frame.kind != PING) {
            if body_ends(&frame, stream, &mut body) {
                self.discarded.extend(messages(&serde_json::from_slice(&body).unwrap()));
            }
        }
        Vec::new()
    }

    fn mcp(&mut self, accept: &str, timeout: u64, patience: Duration) -> Vec<Value> {
        let call = message("tools/call", &json!({"name": "wait", "arguments": {"timeout_seconds": timeout}}));
        let request: Request = self.client.target.post("/mcp").header("Accept", accept);
        let request = request.header("MCP-Protocol-Version", LEGACY);
        let mut conn = request.header("Mcp-Session-Id", self.client.session.as_deref().unwrap()).json(&call).start();
        let deadline = Deadline::after(patience);
        let mut text = String::new();
        while conn.has_data_within(deadline.left()) {
            if text.is_empty() {
                let head = conn.head().unwrap();
                if head.header("content-type") == Some("application/json") {
                    let length = head.header("content-length").unwrap().parse().unwrap();
                    let body = serde_json::from_slice::<Value>(&conn.bytes(length)).unwrap();
                    return messages(&body["result"]["structuredContent"]);
                }
            }
            text += &String::from_utf8(conn.chunk().unwrap()).unwrap();
            if let Some((_, data)) = text.split_once("data: ").filter(|(_, data)| data.ends_with("\n\n")) {
                let body: Value = serde_json::from_str(data.trim()).unwrap();
                return messages(&body["result"]["structuredContent"]);
            }
        }
        self.open.push(conn);
        Vec::new()
    }

    fn stdio(&mut self, timeout: u64, patience: Duration) -> Vec<Value> {
        let bridge = self.bridge.as_mut().unwrap();
        self.next_id += 1;
        let params = json!({"name": "wait", "arguments": {"timeout_seconds": timeout}});
        bridge.ask(self.next_id, "tools/call", &params);
        let deadline = Deadline::after(patience);
        loop {
            let left = deadline.left();
            let Ok(line) = bridge.says.recv_timeout(left) else { return Vec::new() };
            let answer: Value = serde_json::from_str(&line).unwrap();
            // Messages are pushed too, which does not count here.
            if answer["id"] == self.next_id {
                return messages(&answer["result"]["structuredContent"]);
            }
        }
    }
}

/// Collects the body of a stream. Returns whether it is complete.
fn body_ends(frame: &Frame, stream: u32, body: &mut Vec<u8>) -> bool {
    let is_body = frame.kind == DATA && frame.stream == stream;
    if is_body {
        body.extend(&frame.payload);
    }
    is_body && frame.flags & END_STREAM != 0
}

fn messages(reply: &Value) -> Vec<Value> {
    reply["messages"].as_array().unwrap_or_else(|| panic!("{reply}")).clone()
}
