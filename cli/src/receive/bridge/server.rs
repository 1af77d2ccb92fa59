//! The MCP server: handles the client's messages. Requests that need no hub get their response at once; tool calls run
//! concurrently.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rogerrat_client::ChannelTarget;
use rogerrat_domain::text::clip;
use serde_json::{Map, Value, json};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

use super::instructions::instructions;
use super::jsonrpc::{self, InvalidMessage, RpcCall};
use super::membership::MembershipState;
use super::proxy::{ForwardedCall, ProxyError, requested_wait};
use super::stdio::{InputLine, StdoutWriter};
use super::{McpSurface, NAME};
use crate::outcome::report;

/// Maximum number of concurrent tool calls.
const MAX_CALLS: usize = 64;
/// Time limit for pending calls after the input has ended.
const FINISH_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a client may cache lists.
const TTL_MS: u64 = 3_600_000;

pub(super) struct BridgeServer {
    target: Arc<ChannelTarget>,
    surface: McpSurface,
    state: MembershipState,
    output: StdoutWriter,
    /// The negotiated protocol version.
    version: String,
    calls: JoinSet<()>,
    /// Handles of the pending calls by JSON-RPC id.
    pending: HashMap<String, AbortHandle>,
}

impl BridgeServer {
    pub(super) fn new(
        target: ChannelTarget,
        surface: McpSurface,
        state: MembershipState,
        output: StdoutWriter,
    ) -> Self {
        let version = surface.legacy.first().copied().unwrap_or_default().to_owned();
        Self {
            target: Arc::new(target),
            surface,
            state,
            output,
            version,
            calls: JoinSet::new(),
            pending: HashMap::new(),
        }
    }

    /// Handles one line of input.
    pub(super) async fn handle_line(&mut self, line: &InputLine) {
        let message = match line {
            InputLine::Complete(line) => jsonrpc::parse(line),
            // The last line may lack its line break. If it is no message, it was cut off.
            InputLine::Unterminated(line) => jsonrpc::parse(line).or_else(|_| {
                report(NAME, "the input ended in the middle of a line");
                Ok(None)
            }),
            InputLine::TooLong => Err(InvalidMessage {
                code: jsonrpc::INVALID_REQUEST,
                message: "invalid request: a line has at most 1 MiB",
                id: None,
            }),
        };
        let response = match message {
            Ok(None) => None,
            Ok(Some(call)) => match call.id {
                None => {
                    self.handle_notification(&call);
                    None
                }
                Some(id) => self.handle_request(id, &call).await,
            },
            Err(InvalidMessage { code, message, id }) => {
                Some(error_response(id.as_deref().unwrap_or("null"), code, message, &Value::Null))
            }
        };
        if let Some(response) = response {
            // If the output is closed, the bridge is about to end.
            let _ = self.output.write(response).await;
        }
    }

    /// Waits a moment for pending calls.
    pub(super) async fn finish(&mut self) {
        let all = async { while self.calls.join_next().await.is_some() {} };
        let _ = timeout(FINISH_TIMEOUT, all).await;
    }

    fn handle_notification(&mut self, call: &RpcCall<'_>) {
        match &*call.method {
            "notifications/initialized" => self.state.set_initialized(),
            "notifications/cancelled" => {
                let id = call.params.get("requestId").map(Value::to_string);
                if let Some(call) = id.and_then(|id| self.pending.remove(&id)) {
                    call.abort();
                }
            }
            _ => {}
        }
    }

    async fn handle_request(&mut self, id: &str, call: &RpcCall<'_>) -> Option<String> {
        let modern = call.modern_version();
        let is_modern = modern.is_some() || call.method == "server/discover";
        if let Some(version) = modern.filter(|version| !self.surface.modern.contains(version)) {
            let data = json!({"supported": self.versions(), "requested": clip(version)});
            return Some(error_response(id, jsonrpc::UNSUPPORTED_VERSION, "unsupported protocol version", &data));
        }
        if is_modern {
            self.state.set_initialized();
        }
        let result = match &*call.method {
            "initialize" if !is_modern => self.initialize(call),
            "ping" => json!({}),
            "server/discover" => self.discover(),
            "tools/list" => list_result(is_modern, json!({"tools": self.tools()})),
            "tools/call" => return self.call_tool(id, call),
            method => {
                let message = format!("method not found: {}", clip(method));
                return Some(error_response(id, jsonrpc::METHOD_NOT_FOUND, &message, &Value::Null));
            }
        };
        Some(response(id, is_modern, result))
    }

    fn initialize(&mut self, call: &RpcCall<'_>) -> Value {
        let requested = call.params.get("protocolVersion").and_then(Value::as_str);
        let version = requested.filter(|version| self.surface.legacy.contains(version));
        self.version = version.or(self.surface.legacy.first().copied()).unwrap_or_default().to_owned();
        json!({
            "protocolVersion": self.version,
            "capabilities": capabilities(),
            "serverInfo": server_info(),
            "instructions": self.instructions(),
        })
    }

    fn discover(&self) -> Value {
        let result = json!({
            "supportedVersions": self.versions(),
            "capabilities": capabilities(),
            "instructions": self.instructions(),
        });
        list_result(true, result)
    }

    fn instructions(&self) -> String {
        instructions(self.state.has_fixed_channel(), self.target.hub.origin())
    }

    fn versions(&self) -> Vec<&'static str> {
        [&self.surface.modern[..], &self.surface.legacy[..]].concat()
    }

    fn tools(&self) -> &[Value] {
        if self.state.has_fixed_channel() { &self.surface.tools_of_a_channel } else { &self.surface.tools }
    }

    /// Starts a tool call. Returns a response only if it cannot start.
    fn call_tool(&mut self, id: &str, call: &RpcCall<'_>) -> Option<String> {
        let Some(tool) = self.tools().iter().find(|tool| tool["name"] == call.tool()).cloned() else {
            let message = format!("unknown tool: {}", clip(call.tool()));
            return Some(error_response(id, jsonrpc::INVALID_PARAMS, &message, &Value::Null));
        };
        self.pending.retain(|_, call| !call.is_finished());
        if self.pending.len() >= MAX_CALLS {
            let message = format!("{MAX_CALLS} calls are pending: wait for one of them");
            return Some(tool_error(id, call.modern_version().is_some(), &message, Some("overloaded")));
        }
        while self.calls.try_join_next().is_some() {}
        let pending = PendingCall {
            id: id.to_owned(),
            tool,
            is_modern: call.modern_version().is_some(),
            version: call.modern_version().unwrap_or(&self.version).to_owned(),
            params: call.params.clone(),
            target: self.target.clone(),
            state: self.state.clone(),
            output: self.output.clone(),
        };
        let handle = self.calls.spawn(async move {
            let response = pending.run().await;
            // If the output is closed, the bridge is about to end.
            let _ = pending.output.write(response).await;
        });
        self.pending.insert(id.to_owned(), handle);
        None
    }
}

/// A tool call that is being executed.
struct PendingCall {
    id: String,
    tool: Value,
    version: String,
    is_modern: bool,
    params: Map<String, Value>,
    target: Arc<ChannelTarget>,
    state: MembershipState,
    output: StdoutWriter,
}

impl PendingCall {
    async fn run(&self) -> String {
        let name = self.tool["name"].as_str().unwrap_or_default();
        let mut params = self.params.clone();
        let mut filled = Map::new();
        let arguments = match jsonrpc::object_of(params.remove("arguments").unwrap_or_default()) {
            Ok(mut arguments) => {
                if let Err(refusal) = self.state.fill_arguments(&self.tool, &mut arguments).await {
                    return tool_error(&self.id, self.is_modern, &refusal, None);
                }
                filled.clone_from(&arguments);
                Value::Object(arguments)
            }
            // The hub refuses them.
            Err(arguments) => arguments,
        };
        params.insert("arguments".into(), arguments);
        let body =
            format!(r#"{{"jsonrpc":"2.0","id":{},"method":"tools/call","params":{}}}"#, self.id, Value::Object(params));
        let wait = requested_wait(name, &filled);
        let call =
            ForwardedCall { id: self.id.clone(), tool: name.to_owned(), version: self.version.clone(), body, wait };
        match call.run(&self.target, &self.output).await {
            Ok((line, result)) => {
                let note = result.and_then(|result| self.state.update(name, &filled, &self.target, &result));
                note.and_then(|note| with_note(&line, note)).unwrap_or(line)
            }
            Err(error) => self.failed(error),
        }
    }

    fn failed(&self, error: ProxyError) -> String {
        let origin = self.target.hub.origin();
        let (message, code) = match error {
            ProxyError::Unreachable(reason) => (
                format!("the hub at {origin} is unreachable ({reason}): nothing was done. Try again in a few seconds"),
                None,
            ),
            ProxyError::OutcomeUnknown(reason) => (
                format!(
                    "the connection to the hub at {origin} broke ({reason}): it is unknown whether the call was \
                     executed. Check history before you repeat a message"
                ),
                None,
            ),
            ProxyError::Refused { message, code } => (message, Some(code)),
        };
        tool_error(&self.id, self.is_modern, &message, code.as_deref())
    }
}

/// The result of a tool call that failed. It has no structured content, because clients check that against the tool's
/// output schema.
fn tool_error(id: &str, is_modern: bool, message: &str, code: Option<&str>) -> String {
    let code = code.map_or_else(String::new, |code| format!(" ({code})"));
    let text = json!([{"type": "text", "text": format!("error: {message}{code}")}]);
    response(id, is_modern, json!({"content": text, "isError": true}))
}

/// The response to a join with another hint, in both of its forms.
fn with_note(line: &str, note: &str) -> Option<String> {
    let mut response: Value = serde_json::from_str(line).ok()?;
    let result = response.get_mut("result")?;
    let text = result["content"][0]["text"].as_str()?.to_owned();
    result["content"][0]["text"] = json!(format!("NOTE: {note}\n{text}"));
    result["structuredContent"]["hint"] = json!(note);
    Some(response.to_string())
}

fn capabilities() -> Value {
    json!({"tools": {}, "experimental": {"claude/channel": {}}})
}

fn server_info() -> Value {
    json!({"name": "rogerrat", "title": "rogerrat", "version": env!("CARGO_PKG_VERSION")})
}

/// A result that clients may cache.
fn list_result(is_modern: bool, mut list: Value) -> Value {
    if is_modern {
        list["ttlMs"] = json!(TTL_MS);
        list["cacheScope"] = json!("private");
    }
    list
}

fn response(id: &str, is_modern: bool, mut result: Value) -> String {
    if is_modern {
        result["resultType"] = json!("complete");
        result["_meta"] = json!({"io.modelcontextprotocol/serverInfo": server_info()});
    }
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#)
}

fn error_response(id: &str, code: i32, message: &str, data: &Value) -> String {
    let mut error = json!({"code": code, "message": message});
    if !data.is_null() {
        error["data"] = data.clone();
    }
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#)
}
