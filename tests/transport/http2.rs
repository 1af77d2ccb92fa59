//! A raw HTTP/2 client that can send half a preface, reset a request, keep its flow control window closed, or
//! disconnect.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use rogerrat_testkit::{Agent, HttpTarget, TIMEOUT};

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const CONTINUATION: u8 = 9;
const ACK: u8 = 1;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
const CANCEL: u32 = 8;
const INITIAL_WINDOW_SIZE: u16 = 4;
/// The default initial window size (RFC 9113, section 6.9.2).
pub(crate) const WINDOW: u32 = 65_535;

/// A connection.
pub(crate) struct Http2 {
    tcp: TcpStream,
    next: u32,
}

/// A frame from the hub.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

/// The bytes of a frame.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A header block of literals without indexing (RFC 7541, section 6.2.2).
pub(crate) fn header_block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            assert!(text.len() < 127);
            block.push(u8::try_from(text.len()).unwrap());
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

impl Http2 {
    /// Opens a connection whose streams have an initial window of `window` bytes.
    pub(crate) fn open(target: HttpTarget, window: u32) -> Self {
        let tcp = TcpStream::connect(target.0).unwrap();
        tcp.set_read_timeout(Some(TIMEOUT)).unwrap();
        let mut http2 = Self { tcp, next: 1 };
        http2.write(PREFACE);
        let setting = [&INITIAL_WINDOW_SIZE.to_be_bytes()[..], &window.to_be_bytes()[..]].concat();
        http2.frame(SETTINGS, 0, 0, &setting);
        http2
    }

    /// Writes bytes. Ignores that the hub has closed the connection, since its frames may still be read.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let _ = self.tcp.write_all(bytes);
    }

    /// Writes a frame.
    pub(crate) fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        self.write(&frame(kind, flags, stream, payload));
    }

    /// Sends a GET request as this agent and returns its stream id.
    pub(crate) fn get(&mut self, agent: &Agent, what: &str) -> u32 {
        self.request("GET", &agent.channel.path(what), &[("x-session-id", &agent.session)], agent, None)
    }

    /// Starts a poll of a named consumer.
    pub(crate) fn request_consumer(&mut self, agent: &Agent, consumer: &str) {
        self.get(agent, &format!("wait?consumer={consumer}"));
    }

    /// Calls an MCP tool as this agent and returns the stream id.
    pub(crate) fn call(&mut self, agent: &Agent, tool: &str) -> u32 {
        let arguments = format!(r#"{{"session_id":"{}"}}"#, agent.session);
        let params = format!(r#"{{"name":"{tool}","arguments":{arguments}}}"#);
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
        let path = format!("/mcp/{}", agent.channel.id);
        self.request("POST", &path, &[("accept", "text/event-stream")], agent, Some(body.as_bytes()))
    }

    fn request(&mut self, method: &str, path: &str, more: &[(&str, &str)], agent: &Agent, body: Option<&[u8]>) -> u32 {
        let bearer = format!("Bearer {}", agent.channel.token);
        let pseudo = [(":method", method), (":scheme", "http"), (":authority", "localhost"), (":path", path)];
        let block = header_block(&[&pseudo[..], &[("authorization", bearer.as_str())], more].concat());
        let stream = self.next;
        self.next += 2;
        let ends = if body.is_none() { END_STREAM } else { 0 };
        self.frame(HEADERS, ends | END_HEADERS, stream, &block);
        if let Some(body) = body {
            self.frame(DATA, END_STREAM, stream, body);
        }
        stream
    }

    /// Resets a request and keeps the connection.
    pub(crate) fn cancel(&mut self, stream: u32) {
        self.frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes());
        // The reply to a ping proves that the hub has processed the reset.
        self.frame(PING, 0, 0, &[7; 8]);
        while self.read().is_some_and(|frame| !(frame.kind == PING && frame.flags & ACK != 0)) {}
    }

    /// Whether the hub sends bytes or closes the connection within a time.
    pub(crate) fn has_data_within(&self, time: Duration) -> bool {
        self.tcp.set_read_timeout(Some(time.max(Duration::from_millis(1)))).unwrap();
        let has_data = self.tcp.peek(&mut [0]).is_ok();
        self.tcp.set_read_timeout(Some(TIMEOUT)).unwrap();
        has_data
    }

    /// The next frame; none when the connection has ended.
    pub(crate) fn read(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.tcp.read_exact(&mut head).ok()?;
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        self.tcp.read_exact(&mut payload).ok()?;
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let frame = Frame { kind: head[3], flags: head[4], stream, payload };
        if frame.kind == SETTINGS && frame.flags & ACK == 0 {
            self.frame(SETTINGS, ACK, 0, &[]);
        }
        Some(frame)
    }

    /// Reads until the head of a response arrives.
    pub(crate) fn until_head(&mut self, stream: u32) {
        while self.read().expect("the connection is open").kind != HEADERS {}
        assert!(stream > 0);
    }

    /// The body of a stream, up to this word or to its end.
    pub(crate) fn body_until(&mut self, stream: u32, word: &str) -> String {
        let mut body = String::new();
        while !body.contains(word) {
            let frame = self.read().unwrap_or_else(|| panic!("the connection ended before {word:?}: {body}"));
            if frame.kind != DATA || frame.stream != stream {
                continue;
            }
            body += std::str::from_utf8(&frame.payload).unwrap();
            if frame.flags & END_STREAM != 0 {
                break;
            }
        }
        body
    }
}
