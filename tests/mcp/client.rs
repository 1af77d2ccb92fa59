//! A client of either era, as tests speak of it: `ann.does("send", json!({…}))`.

use rogerrat_testkit::{Channel, Conn, HttpTarget, Hub, Reply, Request};
use serde_json::{Value, json};

pub(crate) const MODERN: &str = "2026-07-28";
pub(crate) const LEGACY: &str = "2025-11-25";

/// A client.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) target: HttpTarget,
    pub(crate) path: String,
    pub(crate) version: &'static str,
    pub(crate) bearer: Option<String>,
    /// The id of its session, if it has one.
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
        let reply = self.bare().json(&message("initialize", &params)).send();
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply
    }

    /// A request with the headers of a client that says nothing of versions.
    pub(crate) fn bare(&self) -> Request {
        let request = self.target.post(&self.path).header("Accept", "application/json, text/event-stream");
        let request = self.session.iter().fold(request, |request, id| request.header("Mcp-Session-Id", id));
        self.bearer.iter().fold(request, |request, token| request.bearer(token))
    }

    /// A request for a method, with the headers and the `_meta` of its version.
    pub(crate) fn ask(&self, method: &str, mut params: Value) -> Request {
        let mut request = self.bare().header("MCP-Protocol-Version", self.version);
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

    /// What a method is answered with.
    #[track_caller]
    pub(crate) fn result(&self, method: &str, params: Value) -> Value {
        let reply = self.ask(method, params).send();
        let answer = match reply.header("content-type") {
            Some("text/event-stream") => last_event(&reply.text()),
            _ => reply.ok(),
        };
        assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &json!(7)), "{answer}");
        assert!(answer["result"].is_object(), "{answer}");
        answer["result"].clone()
    }

    /// The status and the code with which a method is refused.
    #[track_caller]
    pub(crate) fn fault(&self, method: &str, params: Value) -> (u16, i64) {
        fault(&self.ask(method, params).send())
    }

    /// The call of a tool.
    pub(crate) fn call(&self, tool: &str, arguments: &Value) -> Request {
        self.ask("tools/call", json!({"name": tool, "arguments": arguments}))
    }

    /// What a tool says, as data.
    #[track_caller]
    pub(crate) fn does(&self, tool: &str, arguments: &Value) -> Value {
        self.says(tool, arguments).0
    }

    /// What a tool says, as data and as text.
    #[track_caller]
    pub(crate) fn says(&self, tool: &str, arguments: &Value) -> (Value, String) {
        let result = self.result("tools/call", json!({"name": tool, "arguments": arguments}));
        assert!(result["isError"].is_null(), "{tool} {arguments}: {result}");
        let text = result["content"][0]["text"].as_str().unwrap().to_owned();
        (result["structuredContent"].clone(), text)
    }

    /// What a tool refuses with; it must have this code.
    #[track_caller]
    pub(crate) fn cannot(&self, tool: &str, arguments: &Value, code: &str) -> Value {
        let result = self.result("tools/call", json!({"name": tool, "arguments": arguments}));
        assert_eq!(
            (&result["isError"], &result["structuredContent"]["code"]),
            (&json!(true), &json!(code)),
            "{result}"
        );
        let text = result["content"][0]["text"].as_str().unwrap();
        assert!(text.starts_with("error: ") && text.contains(code) && !text.contains('\n'), "{text}");
        result["structuredContent"].clone()
    }

    /// Joins a channel, and gives what stands for the seat.
    #[track_caller]
    pub(crate) fn joins(&self, channel: &Channel, callsign: &str) -> Value {
        let token = if channel.token == "public" { json!(null) } else { json!(channel.token) };
        let mut arguments = json!({"callsign": callsign});
        if self.path == "/mcp" {
            arguments["channel_id"] = json!(channel.id);
            arguments["token"] = token;
        }
        let joined = self.does("join", &arguments);
        json!({"channel_id": joined["channel_id"], "session_id": joined["session_id"]})
    }

    /// Starts a wait that finds nothing, and comes back when its stream has begun.
    pub(crate) fn waits(&self, arguments: &Value) -> Events {
        Events::open(self.call("wait", arguments))
    }
}

/// The last message of an answer that came as events.
fn last_event(text: &str) -> Value {
    let data = text.trim_end().rsplit_once("event: message\ndata: ").expect("an event").1;
    serde_json::from_str(data).unwrap()
}

/// The path of a channel's own endpoint.
pub(crate) fn own_path(channel: &Channel) -> String {
    format!("/mcp/{}", channel.id)
}

/// A request by itself.
pub(crate) fn message(method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
}

/// The status and the code of a fault.
#[track_caller]
pub(crate) fn fault(reply: &Reply) -> (u16, i64) {
    let answer = reply.json();
    assert_eq!(answer["jsonrpc"], "2.0", "{answer}");
    assert!(answer["error"]["message"].as_str().is_some_and(|text| !text.is_empty()), "{answer}");
    (reply.status, answer["error"]["code"].as_i64().unwrap())
}

/// A hub that counts nothing, and a channel on it.
pub(crate) fn hub() -> (Hub, Channel) {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    (hub, channel)
}

/// An answer that comes as events.
pub(crate) struct Events {
    conn: Conn,
    text: String,
}

impl Events {
    /// Reads the head, and the comment with which every such answer begins.
    #[track_caller]
    pub(crate) fn open(request: Request) -> Self {
        let mut conn = request.start();
        let head = conn.head().expect("it is answered");
        assert_eq!((head.status, head.header("content-type")), (200, Some("text/event-stream")), "{head:?}");
        Self::after(conn)
    }

    /// The same, behind a head that was read.
    pub(crate) fn after(conn: Conn) -> Self {
        let mut events = Self { conn, text: String::new() };
        assert_eq!(events.block().unwrap(), ": waiting");
        events
    }

    /// What stands before the next blank line; none at the end.
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

    /// The next message; none at the end. Comments are none.
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
        let answer = self.next().expect("an answer");
        assert_eq!(answer["id"], 7, "{answer}");
        assert!(self.block().is_none());
        answer["result"].clone()
    }

    /// The client goes without a word.
    pub(crate) fn disconnect(self) {
        drop(self.conn);
    }
}
