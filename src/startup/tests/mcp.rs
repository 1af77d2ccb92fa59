//! MCP at a hub that does not own the channel: of both eras, at both endpoints.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::client::{Call, Reply, Stream, wait_until};
use super::cluster::{Shared, TestHub};

const MODERN: &str = "2026-07-28";
pub(super) const LEGACY: &str = "2025-11-25";

/// An MCP client at one hub.
#[derive(Clone)]
pub(super) struct Client {
    path: String,
    version: &'static str,
    bearer: Option<String>,
    session: Option<String>,
}

impl Client {
    fn modern(path: &str) -> Self {
        Self { path: path.to_owned(), version: MODERN, bearer: None, session: None }
    }

    pub(super) async fn legacy(path: &str, bearer: Option<&str>, version: &'static str, at: SocketAddr) -> Self {
        let mut client = Self { path: path.to_owned(), version, bearer: bearer.map(str::to_owned), session: None };
        let info = json!({"name": "t", "version": "1"});
        let params = json!({"protocolVersion": version, "capabilities": {}, "clientInfo": info});
        let reply = client.message("initialize", &params, 7).at(at).await;
        client.session = reply.header("mcp-session-id").map(str::to_owned);
        assert!(client.session.is_some(), "{reply:?}");
        client
    }

    pub(super) fn post(&self, message: &Value) -> Call {
        let mut call = Call::post(&*self.path, message).header("accept", "application/json, text/event-stream");
        if let Some(session) = &self.session {
            call = call.header("mcp-session-id", session);
        }
        if let Some(bearer) = &self.bearer {
            call = call.bearer(bearer);
        }
        call
    }

    fn message(&self, method: &str, params: &Value, id: u64) -> Call {
        let mut params = params.clone();
        let mut headers = vec![("mcp-protocol-version", self.version.to_owned())];
        if self.version == MODERN {
            params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!(MODERN);
            params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
            headers.push(("mcp-method", method.to_owned()));
            if let Some(name) = params["name"].as_str().or(params["uri"].as_str()) {
                headers.push(("mcp-name", name.to_owned()));
            }
        }
        let call = self.post(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        headers.into_iter().fold(call, |call, (name, value)| call.header(name, value))
    }

    pub(super) fn tool(&self, tool: &str, arguments: &Value, id: u64) -> Call {
        self.message("tools/call", &json!({"name": tool, "arguments": arguments}), id)
    }

    /// The structured result of a tool.
    pub(super) async fn call(&self, at: &TestHub, tool: &str, arguments: Value) -> Value {
        let result = result(&self.tool(tool, &arguments, 7).at(at.address).await);
        assert!(result["isError"].is_null(), "{tool}: {result}");
        result["structuredContent"].clone()
    }

    /// The code of a tool's refusal.
    async fn refusal(&self, at: &TestHub, tool: &str, arguments: Value) -> Value {
        let result = result(&self.tool(tool, &arguments, 7).at(at.address).await);
        assert_eq!(result["isError"], true, "{tool}: {result}");
        result
    }
}

fn result(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{reply:?}");
    let response = match reply.header("content-type") {
        Some("text/event-stream") => {
            let last = reply.body.lines().filter_map(|line| line.strip_prefix("data: ")).next_back();
            serde_json::from_str(last.unwrap_or_else(|| panic!("{reply:?}"))).unwrap()
        }
        _ => reply.json(),
    };
    assert!(response["result"].is_object(), "{response}");
    response["result"].clone()
}

fn first_text(read: &Value) -> &str {
    read["messages"][0]["text"].as_str().unwrap_or_else(|| panic!("{read}"))
}

#[actix_web::test]
async fn c10_a_session_at_the_other_hub_acts_on_the_channel_it_joined() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let channel = a.channel().await;
    let bob = channel.join(&a, "bob").await;
    for (path, bearer) in [("/mcp".to_owned(), None), (format!("/mcp/{}", channel.id), Some(&*channel.token))] {
        let ann = Client::legacy(&path, bearer, LEGACY, b.address).await;
        let mut joining = json!({"callsign": "ann"});
        if bearer.is_none() {
            joining["channel_id"] = channel.id.clone().into();
            joining["token"] = channel.token.clone().into();
        }
        let joined = ann.call(&b, "join", joining).await;
        assert_eq!(joined["callsign"], "ann");
        let served = a.served();
        assert!(ann.call(&b, "send", json!({"message": "hi"})).await["id"].is_u64());
        assert!(a.served() > served);
        bob.send(&b, "yes?").await;
        assert_eq!(first_text(&ann.call(&b, "listen", json!({"timeout_seconds": 5})).await), "yes?");
        for tool in ["roster", "history", "keepalive"] {
            // The same session at the owner, and again here.
            ann.call(&a, tool, json!({})).await;
            ann.call(&b, tool, json!({})).await;
        }
        let uri = format!("rogerrat://channel/{}/roster", channel.id);
        let roster = result(&ann.message("resources/read", &json!({"uri": uri}), 7).at(b.address).await);
        assert!(roster["contents"][0]["text"].as_str().unwrap().contains("ann"), "{roster}");
        ann.call(&b, "leave", json!({})).await;
        ann.refusal(&a, "keepalive", json!({})).await;
        let end = Call::new("DELETE", &*path).header("mcp-session-id", ann.session.clone().unwrap());
        let end = if let Some(token) = bearer { end.bearer(token) } else { end };
        assert_eq!(end.at(b.address).await.status, 204);
        assert_eq!(ann.tool("keepalive", &json!({}), 7).at(a.address).await.status, 404, "it has ended everywhere");
    }
}

#[actix_web::test]
async fn c10_a_stateless_client_names_channel_and_session() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let channel = a.channel().await;
    let bob = channel.join(&a, "bob").await;
    let ann = Client::modern("/mcp");
    let joining = json!({"callsign": "ann", "channel_id": channel.id, "token": channel.token});
    let joined = ann.call(&b, "join", joining).await;
    let own = |mut arguments: Value| {
        arguments["channel_id"] = channel.id.clone().into();
        arguments["session_id"] = joined["session_id"].clone();
        arguments
    };
    ann.call(&b, "send", own(json!({"message": "hi"}))).await;
    bob.send(&a, "yes?").await;
    assert_eq!(first_text(&ann.call(&b, "listen", own(json!({"timeout_seconds": 5}))).await), "yes?");
    let unknown = json!({"channel_id": "no-such-channel", "session_id": joined["session_id"]});
    ann.refusal(&b, "roster", unknown).await;
    ann.refusal(&b, "roster", json!({"channel_id": 5})).await;
    // What concerns no channel is answered where it comes in.
    let served = a.served();
    ann.call(&b, "create_channel", json!({})).await;
    result(&ann.message("server/discover", &json!({}), 7).at(b.address).await);
    result(&ann.message("tools/list", &json!({}), 7).at(b.address).await);
    assert_eq!(a.served(), served);
}

#[actix_web::test]
async fn c10_a_wait_becomes_a_stream_and_its_answer_is_taken_once() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let channel = a.channel().await;
    let bob = channel.join(&a, "bob").await;
    let ann = Client::legacy("/mcp", None, LEGACY, b.address).await;
    let joining = json!({"callsign": "ann", "channel_id": channel.id, "token": channel.token});
    ann.call(&b, "join", joining).await;
    for text in ["one", "two", "three"] {
        let stream = Stream::open(b.address, ann.tool("wait", &json!({"timeout_seconds": 200}), 8)).await;
        bob.send(&b, text).await;
        let events = stream.rest().await.unwrap();
        let last = events.lines().filter_map(|line| line.strip_prefix("data: ")).next_back();
        let answer: Value = serde_json::from_str(last.unwrap_or_else(|| panic!("{events}"))).unwrap();
        let read = answer["result"]["structuredContent"].clone();
        assert_eq!((first_text(&read), read["messages"].as_array().unwrap().len()), (text, 1), "{read}");
        // Another call than a read shows that the answer was taken.
        ann.call(&b, "keepalive", json!({})).await;
    }
}

#[actix_web::test]
async fn c12_a_wait_that_is_cancelled_delivers_nothing() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let channel = a.channel().await;
    let bob = channel.join(&a, "bob").await;
    let ann = Client::legacy("/mcp", None, LEGACY, b.address).await;
    let joining = json!({"callsign": "ann", "channel_id": channel.id, "token": channel.token});
    ann.call(&b, "join", joining).await;
    // By a notification.
    let waiting = actix_web::rt::spawn(ann.tool("wait", &json!({"timeout_seconds": 200}), 9).at(b.address));
    wait_until("the call should wait at the owner", || a.polls() == 1).await;
    let cancelled = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 9}});
    let cancelled = ann.post(&cancelled).header("mcp-protocol-version", LEGACY).at(b.address).await;
    assert_eq!(cancelled.status, 202);
    wait_until("the call should end at the owner", || a.polls() == 0).await;
    drop(waiting.await);
    // By closing the stream.
    let mut stream = Stream::open(b.address, ann.tool("wait", &json!({"timeout_seconds": 200}), 10)).await;
    stream.until(":").await;
    wait_until("the call should wait at the owner", || a.polls() == 1).await;
    drop(stream);
    wait_until("the call should end at the owner", || a.polls() == 0).await;
    bob.send(&a, "still there?").await;
    let read = ann.call(&b, "listen", json!({"timeout_seconds": 5})).await;
    assert_eq!(first_text(&read), "still there?");
    assert!(read["messages"][0]["attempt"].is_null(), "{read}");
}
