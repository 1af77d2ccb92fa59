//! An MCP client of any version, used like `ann.call("send", &json!({…}))`.

use rogerrat_testkit::{Channel, Conn, HttpTarget, Hub, Reply, Request};
use serde_json::{Value, json};

pub(crate) const MODERN: &str = "2026-07-28";
pub(crate) const LEGACY: &str = "2025-11-25";

/// An MCP client.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) target: HttpTarget,
    pub(crate) path: String,
    pub(crate) version: &'static str,
    pub(crate) bearer: Option<String>,
    /// Its `Mcp-Session-Id`, if it has one.
    pub(crate) session: Option<String>,
}

impl Client {
    /// A legacy client in a session of its own.
    pub(crate) fn legacy(target: HttpTarget, path: &str) -> Self {
        Self { target, path: path.into(), version: LEGACY, bearer: None, session: None }.initialized()
    }

    /// A client that has no sessions.
    pub(crate) fn modern(target: HttpTarget, path: &str) -> Self {
        Self { target, path: path.into(), version: MODERN, bearer: None, session: None }
    }

    /// A legacy client on a channel's own endpoint.
    pub(crate) fn on(channel: &Channel) -> Self {
        let client = Self { bearer: Some(channel.token.clone()), ..Self::modern(channel.target, &own_path(channel)) };
        Self { version: LEGACY, ..client }.initialized()
    }

    /// The same client, in a new session.
    pub(crate) fn initialized(&self) -> Self {
        let reply = self.initialize(self.version);
        Self { session: Some(reply.header("mcp-session-id").unwrap().to_owned()), ..self.clone() }
    }

    pub(crate) fn initialize(&self, version: &str) -> Reply {
        let params =
            json!({"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let reply = self.bare_request().json(&message("initialize", &params)).send();
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply
    }

    /// A POST request without a protocol version.
    pub(crate) fn bare_request(&self) -> Request {
        let request = self.target.post(&self.path).header("Accept", "application/json, text/event-stream");
        let request = self.session.iter().fold(request, |request, id| request.header("Mcp-Session-Id", id));
        self.bearer.iter().fold(request, |request, token| request.bearer(token))
    }

    /// A request for a method, with the headers and the `_meta` of its version.
    pub(crate) fn request(&self, method: &str, mut params: Value) -> Request {
        let mut request = self.bare_request().header("MCP-Protocol-Version", self.version);
        if self.version == MODERN {
            params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!(MODERN);
            params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
            request = request.header("Mcp-Method", method);
            if let Some(name) = params["name"].as_str().or(params["uri"].as_str()) {
                request = request.header("Mcp-Name", name);
            }
        }
        request.json(&message(method, &params))
    }

    /// The result of a method.
    #[track_caller]
    pub(crate) fn result(&self, method: &str, params: Value) -> Value {
        let reply = self.request(method, params).send();
        let response = match reply.header("content-type") {
            Some("text/event-stream") => last_event(&reply.text()),
            _ => reply.ok(),
        };
        assert_eq!((&response["jsonrpc"], &response["id"]), (&json!("2.0"), &json!(7)), "{response}");
        assert!(response["result"].is_object(), "{response}");
        response["result"].clone()
    }

    /// The status and the code of a method's error.
    #[track_caller]
    pub(crate) fn error(&self, method: &str, params: Value) -> (u16, i64) {
        error(&self.request(method, params).send())
    }

    /// A request to call a tool.
    pub(crate) fn tool_request(&self, tool: &str, arguments: &Value) -> Request {
        self.request("tools/call", json!({"name": tool, "arguments": arguments}))
    }

    /// The structured result of a tool.
    #[track_caller]
    pub(crate) fn call(&self, tool: &str, arguments: &Value) -> Value {
        self.call_with_text(tool, arguments).0
    }

    /// The result of a tool, as data and as text. A read that a busy machine answers late ends with advice on the next
    /// read, which is left out.
    #[track_caller]
    pub(crate) fn call_with_text(&self, tool: &str, arguments: &Value) -> (Value, String) {
        let result = self.result("tools/call", json!({"name": tool, "arguments": arguments}));
        assert!(result["isError"].is_null(), "{tool} {arguments}: {result}");
        let text = result["content"][0]["text"].as_str().unwrap();
        let lines: Vec<_> = text.split('\n').filter(|line| !line.starts_with("(next: ")).collect();
        (result["structuredContent"].clone(), lines.join("\n"))
    }

    /// The text of a tool's error result, which must have this code.
    #[track_caller]
    pub(crate) fn call_refused(&self, tool: &str, arguments: &Value, code: &str) -> String {
        refusal_text(&self.result("tools/call", json!({"name": tool, "arguments": arguments})), code)
    }

    /// Joins a channel, and returns the arguments that name the membership.
    #[track_caller]
    pub(crate) fn join(&self, channel: &Channel, callsign: &str) -> Value {
        let token = if channel.token == "public" { json!(null) } else { json!(channel.token) };
        let mut arguments = json!({"callsign": callsign});
        if self.path == "/mcp" {
            arguments["channel_id"] = json!(channel.id);
            arguments["token"] = token;
        }
        let joined = self.call("join", &arguments);
        json!({"channel_id": joined["channel_id"], "session_id": joined["session_id"]})
    }

    /// Starts a wait that finds no messages, and returns when its stream has started.
    pub(crate) fn start_wait(&self, arguments: &Value) -> EventStream {
        EventStream::open(self.tool_request("wait", arguments))
    }
}

/// The last message of a response that is an event stream.
pub(crate) fn last_event(text: &str) -> Value {
    let data = text.trim_end().rsplit_once("event: message\ndata: ").expect("an event").1;
    serde_json::from_str(data).unwrap()
}

/// The path of a channel's own endpoint.
pub(crate) fn own_path(channel: &Channel) -> String {
    format!("/mcp/{}", channel.id)
}

/// The body of a request.
pub(crate) fn message(method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
}

/// The status and the code of an error response.
#[track_caller]
pub(crate) fn error(reply: &Reply) -> (u16, i64) {
    let response = reply.json();
    assert_eq!(response["jsonrpc"], "2.0", "{response}");
    assert!(response["error"]["message"].as_str().is_some_and(|text| !text.is_empty()), "{response}");
    (reply.status, response["error"]["code"].as_i64().unwrap())
}

/// A hub without rate limits, and a channel on it.
pub(crate) fn hub() -> (Hub, Channel) {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    (hub, channel)
}

/// A response that is an event stream.
pub(crate) struct EventStream {
    conn: Conn,
    text: String,
}

impl EventStream {
    /// Reads the head, and the comment that every stream starts with.
    #[track_caller]
    pub(crate) fn open(request: Request) -> Self {
        let mut conn = request.start();
        let head = conn.head().expect("a response");
        assert_eq!((head.status, head.header("content-type")), (200, Some("text/event-stream")), "{head:?}");
        Self::after(conn)
    }

    /// Reads the stream of a response whose head was read.
    pub(crate) fn after(conn: Conn) -> Self {
        let mut events = Self { conn, text: String::new() };
        assert_eq!(events.block().unwrap(), ": waiting");
        events
    }

    /// The text up to the next blank line; none at the end.
    pub(crate) fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let block = block.to_owned();
                self.text = rest.to_owned();
                return Some(block);
            }
            let chunk = self.conn.chunk()?;
            self.text += std::str::from_utf8(&chunk).unwrap();
        }
    }

    /// The next message, without comments; none at the end.
    pub(crate) fn next(&mut self) -> Option<Value> {
        loop {
            let block = self.block()?;
            if let Some(data) = block.strip_prefix("event: message\ndata: ") {
                return Some(serde_json::from_str(data).unwrap());
            }
            assert!(block.starts_with(": "), "{block}");
        }
    }

    /// The result, which must be the last message.
    #[track_caller]
    pub(crate) fn result(mut self) -> Value {
        let response = self.next().expect("a response");
        assert_eq!(response["id"], 7, "{response}");
        assert!(self.block().is_none());
        response["result"].clone()
    }

    /// The connection, after the end of the stream.
    #[track_caller]
    pub(crate) fn into_conn(mut self) -> Conn {
        assert!(self.block().is_none());
        self.conn
    }

    /// Closes the connection.
    pub(crate) fn disconnect(self) {
        drop(self.conn);
    }
}

/// The text of an error result, which must have this code. Clients check structured content against the output schema
/// even then, so it has none.
#[track_caller]
pub(crate) fn refusal_text(result: &Value, code: &str) -> String {
    assert_eq!(result["isError"], true, "{result}");
    assert!(result["structuredContent"].is_null(), "{result}");
    let text = result["content"][0]["text"].as_str().unwrap();
    let code = format!(" ({code})");
    assert!(text.starts_with("error: ") && text.contains(&code) && !text.contains('\n'), "{text}");
    text.to_owned()
}
