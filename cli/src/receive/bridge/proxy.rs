//! Forwards a tool call to the hub's MCP endpoint. Progress notifications and the response become lines of output.

use std::time::Duration;

use rogerrat_client::http::{Connection, HttpError, SseReader, parse_head};
use rogerrat_client::{ChannelTarget, ClientError, HubClient, REQUEST_TIMEOUT};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::super::json_line;
use super::stdio::StdoutWriter;

/// Maximum silence of a response. While a tool waits, the hub sends a comment every 15 s.
const IDLE_TIMEOUT: Duration = Duration::from_secs(40);
/// The longest time a tool may wait.
const MAX_WAIT_SECONDS: f64 = 300.0;
/// At most how long the tools that wait do so by default.
const DEFAULT_WAIT_SECONDS: f64 = 60.0;

/// A tool call to forward.
pub(super) struct ForwardedCall {
    /// The JSON-RPC id.
    pub(super) id: String,
    pub(super) tool: String,
    /// The MCP protocol version of the request.
    pub(super) version: String,
    /// The complete JSON-RPC request.
    pub(super) body: String,
    /// How long the tool may wait. A proxy may hold back its response until it ends.
    pub(super) wait: Duration,
}

/// How long a tool with these arguments may wait.
pub(super) fn requested_wait(tool: &str, arguments: &Map<String, Value>) -> Duration {
    let default = if matches!(tool, "listen" | "wait") { DEFAULT_WAIT_SECONDS } else { 0.0 };
    let seconds = arguments.get("timeout_seconds");
    let seconds = seconds.and_then(|value| value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()));
    Duration::from_secs_f64(seconds.filter(|seconds| *seconds >= 0.0).unwrap_or(default).min(MAX_WAIT_SECONDS))
}

/// The response line, and the structured content of a call that succeeded.
type Response = (String, Option<Value>);

/// A JSON-RPC message of the hub.
#[derive(Deserialize)]
struct RpcMessage<'a> {
    #[serde(borrow)]
    jsonrpc: &'a RawValue,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<&'a RawValue>,
    result: Option<ToolResult>,
}

#[derive(Deserialize)]
struct ToolResult {
    #[serde(rename = "structuredContent")]
    structured_content: Option<Value>,
    #[serde(rename = "isError", default)]
    is_error: bool,
}

/// Why the hub did not respond to the call.
#[derive(Debug)]
pub(super) enum ProxyError {
    /// The hub did not receive the call.
    Unreachable(String),
    /// The connection broke: it is unknown whether the call was executed.
    OutcomeUnknown(String),
    /// The hub refused the call, with its error code.
    Refused { message: String, code: String },
}

impl ForwardedCall {
    /// Sends the call, writes progress notifications to `output`, and returns the response.
    pub(super) async fn run(&self, target: &ChannelTarget, output: &StdoutWriter) -> Result<Response, ProxyError> {
        let unknown = |error: &dyn std::fmt::Display| ProxyError::OutcomeUnknown(error.to_string());
        let mut connection = timeout(REQUEST_TIMEOUT, self.send(target))
            .await
            .map_err(|_| ProxyError::unreachable("no connection"))??;
        let head = timeout(REQUEST_TIMEOUT + self.wait, is_stream(&mut connection)).await;
        match head.map_err(|_| unknown(&"no response"))?.map_err(|error| unknown(&error))? {
            true => self.read_stream(connection, output).await,
            false => {
                let reply = timeout(REQUEST_TIMEOUT, connection.reply()).await.map_err(|_| unknown(&"no response"))?;
                let (status, body) = reply.map_err(|error| unknown(&error))?;
                let text = std::str::from_utf8(body).unwrap_or_default();
                self.response(text).ok_or_else(|| refused(status, body))
            }
        }
    }

    async fn send(&self, target: &ChannelTarget) -> Result<Connection, ProxyError> {
        let mut hub = HubClient::new(target.hub.clone());
        let mut connection = hub.connect().await.map_err(ProxyError::unreachable)?;
        connection.write(&self.request(target)).await.map_err(|error| match error {
            HttpError::Connect(_)
            | HttpError::Proxy(_)
            | HttpError::ProxyAuthentication
            | HttpError::TlsHandshake(_)
            | HttpError::UntrustedCertificate(_) => ProxyError::unreachable(error),
            error => ProxyError::OutcomeUnknown(error.to_string()),
        })?;
        Ok(connection)
    }

    fn request(&self, target: &ChannelTarget) -> Vec<u8> {
        let ChannelTarget { hub, channel, token, .. } = target;
        let path = if channel.is_empty() { String::new() } else { format!("/{channel}") };
        let bearer = token.as_ref().map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
        let Self { tool, version, body, .. } = self;
        let (request_target, proxy_headers) = hub.request_target(&format!("/mcp{path}"));
        format!(
            "POST {request_target} HTTP/1.1\r\nHost: {}\r\n{proxy_headers}{bearer}\
             User-Agent: rogerrat-mcp/{}\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\n\
             MCP-Protocol-Version: {version}\r\nMcp-Method: tools/call\r\nMcp-Name: {tool}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            hub.host(),
            env!("CARGO_PKG_VERSION"),
            body.len()
        )
        .into_bytes()
    }

    async fn read_stream(&self, mut connection: Connection, output: &StdoutWriter) -> Result<Response, ProxyError> {
        let unknown = |error: HttpError| ProxyError::OutcomeUnknown(error.to_string());
        let mut reader = SseReader::default();
        reader.status(connection.input()).map_err(unknown)?;
        loop {
            reader.take(connection.input()).map_err(unknown)?;
            while let Some(event) = reader.next_event() {
                if let Some(response) = self.response(&event.data) {
                    return Ok(response);
                }
                if is_notification(&event.data) {
                    let written = output.write(json_line(&event.data)).await;
                    written.map_err(|_| ProxyError::unreachable("the output is closed"))?;
                }
            }
            if reader.has_ended() {
                return Err(unknown(HttpError::Closed));
            }
            let silence = IDLE_TIMEOUT.max(REQUEST_TIMEOUT + self.wait);
            let more = timeout(silence, connection.more()).await;
            let silent = || format!("the hub has been silent for {} s", silence.as_secs());
            more.map_err(|_| ProxyError::OutcomeUnknown(silent()))?.map_err(unknown)?;
        }
    }

    /// The response to this call, if `json` is one.
    fn response(&self, json: &str) -> Option<Response> {
        let message: RpcMessage<'_> = serde_json::from_str(json).ok()?;
        let is_response = message.id.is_some_and(|id| id.get() == self.id) && message.method.is_none();
        if !is_response || message.jsonrpc.get() != r#""2.0""# {
            return None;
        }
        let content = message.result.filter(|result| !result.is_error).and_then(|result| result.structured_content);
        Some((json_line(json), content))
    }
}

/// Reads the response head and returns whether a stream follows. The bytes remain in the connection's input.
async fn is_stream(connection: &mut Connection) -> Result<bool, HttpError> {
    loop {
        let input = connection.more().await?;
        let is_stream = parse_head(input, |response| {
            let kind = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-type"));
            kind.is_some_and(|kind| kind.value.starts_with(b"text/event-stream"))
        });
        if let Some((_, is_stream)) = is_stream? {
            return Ok(is_stream);
        }
    }
}

/// Whether a message needs no response, such as progress.
fn is_notification(json: &str) -> bool {
    serde_json::from_str::<RpcMessage<'_>>(json).is_ok_and(|message| message.method.is_some() && message.id.is_none())
}

/// The error for an HTTP response that is not a JSON-RPC response.
fn refused(status: u16, body: &[u8]) -> ProxyError {
    #[derive(Deserialize)]
    struct ErrorCode {
        code: String,
    }
    let message = ClientError::from_response(status, body).to_string();
    let code = serde_json::from_slice(body).map_or_else(|_| "internal".into(), |ErrorCode { code }| code);
    ProxyError::Refused { message, code }
}

impl ProxyError {
    fn unreachable(reason: impl std::fmt::Display) -> Self {
        Self::Unreachable(reason.to_string())
    }
}
