//! Responses as JSON. Pure.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use rogerrat_domain::{Code, Refusal};
use serde::Serialize;
use serde_json::{Value, json};

use super::context::Counts;
use super::protocol_version::ProtocolVersion;
use super::rpc::{RpcError, RpcId};
use super::text::tool_hint;
use crate::web::request_metrics::RefusalCode;

/// The name of the server.
pub(super) const NAME: &str = "rogerrat";
/// The fields that every result of a modern version begins with.
const MODERN_FIELDS: &str = concat!(
    r#""resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":"#,
    r#"{"name":"rogerrat","title":"rogerrat","version":""#,
    env!("CARGO_PKG_VERSION"),
    r#""}}"#
);
/// How long clients may cache a list.
pub(super) const LIST_TTL_MS: u64 = 3_600_000;

/// A response, serialized.
#[derive(Debug)]
pub(super) struct RpcResponse {
    pub(super) status: StatusCode,
    pub(super) json: String,
    /// The `Mcp-Session-Id` of the session that it starts.
    pub(super) session_id: Option<String>,
    /// The code with which a tool refused, for the metrics.
    pub(super) refused: Option<Code>,
}

/// The result of a tool: structured data, and text with the same facts.
#[derive(Debug)]
pub(super) struct ToolResult {
    /// A JSON object that fits the tool's output schema. A refusal has none, because clients check it even then, and
    /// neither has a result with images, because many clients show a model only one of the two.
    pub(super) structured: Option<String>,
    pub(super) text: String,
    /// Further blocks of content, serialized.
    pub(super) images: Vec<String>,
    pub(super) refused: Option<Code>,
}

/// Data of a result with what is there for the member.
#[derive(Serialize)]
pub(super) struct WithCounts<T> {
    #[serde(flatten)]
    pub(super) reply: T,
    #[serde(flatten)]
    pub(super) counts: Counts,
}

impl ToolResult {
    pub(super) fn new(structured: &impl Serialize, text: String) -> Self {
        Self { structured: Some(to_json(structured)), text, images: Vec::new(), refused: None }
    }

    /// A result that consists of content: text, and images as serialized blocks.
    pub(super) fn content(text: String, images: Vec<String>) -> Self {
        Self { structured: None, text, images, refused: None }
    }

    /// The error result of a tool that refused.
    pub(super) fn refusal(refusal: &Refusal) -> Self {
        let Refusal { code, text, hint, retry_after_ms, .. } = refusal;
        let mut line = format!("error: {text} ({})", code.as_str());
        if let Some(hint) = hint.as_ref().map(tool_hint) {
            line += &format!(". {hint}");
        }
        if let Some(ms) = retry_after_ms {
            line += &format!(". Retry after {} s", ms.div_ceil(1000).max(1));
        }
        Self { refused: Some(*code), ..Self::content(line, Vec::new()) }
    }
}

impl RpcResponse {
    fn ok(json: String) -> Self {
        Self { status: StatusCode::OK, json, session_id: None, refused: None }
    }

    /// A result with these fields.
    pub(super) fn result(id: RpcId<'_>, version: ProtocolVersion, fields: &Value) -> Self {
        let fields = fields.to_string();
        // The braces of the result are written separately.
        let fields = fields.strip_prefix('{').unwrap_or(&fields);
        let mut json = result_start(id, version);
        if version.is_modern() && fields != "}" {
            json.push(',');
        }
        json += fields;
        json.push('}');
        Self::ok(json)
    }

    /// A list, in modern versions with how long it may be cached. It depends on the caller's credentials.
    pub(super) fn list(id: RpcId<'_>, version: ProtocolVersion, list: Value) -> Self {
        Self::cacheable(id, version, list, LIST_TTL_MS)
    }

    /// Content that may change at any moment, so that it must not be cached.
    pub(super) fn uncached(id: RpcId<'_>, version: ProtocolVersion, content: Value) -> Self {
        Self::cacheable(id, version, content, 0)
    }

    fn cacheable(id: RpcId<'_>, version: ProtocolVersion, mut fields: Value, ttl_ms: u64) -> Self {
        if version.is_modern() {
            fields["ttlMs"] = json!(ttl_ms);
            fields["cacheScope"] = json!("private");
        }
        Self::result(id, version, &fields)
    }

    /// The result of a tool.
    pub(super) fn tool(id: RpcId<'_>, version: ProtocolVersion, result: &ToolResult) -> Self {
        let mut json = tool_result_start(id, version, &result.text);
        if !result.images.is_empty() {
            // Behind the text, in its list.
            json.truncate(json.len() - 1);
            for image in &result.images {
                json.push(',');
                json += image;
            }
            json.push(']');
        }
        if let Some(structured) = &result.structured {
            json += r#","structuredContent":"#;
            json += structured;
        }
        if result.refused.is_some() {
            json += r#","isError":true"#;
        }
        json += "}}";
        Self { refused: result.refused, ..Self::ok(json) }
    }

    pub(super) fn error(error: &RpcError, is_modern: bool) -> Self {
        let RpcError { code, message, data, id, .. } = error;
        let mut fields = json!({"code": code.number(), "message": message});
        if let Some(data) = data {
            fields["data"] = data.clone();
        }
        let id = id.as_deref().unwrap_or("null");
        let json = format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{fields}}}"#);
        Self { status: code.status(is_modern || error.is_modern), ..Self::ok(json) }
    }

    pub(super) fn into_http(self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        response.content_type("application/json");
        if let Some(session_id) = self.session_id {
            response.insert_header(("mcp-session-id", session_id));
        }
        let mut response = response.body(self.json);
        if let Some(code) = self.refused {
            response.extensions_mut().insert(RefusalCode(code));
        }
        response
    }
}

/// The start of a response with a result. The result object is open.
fn result_start(id: RpcId<'_>, version: ProtocolVersion) -> String {
    let mut json = String::with_capacity(512);
    json += r#"{"jsonrpc":"2.0","id":"#;
    json += id.as_json();
    json += r#","result":{"#;
    if version.is_modern() {
        json += MODERN_FIELDS;
    }
    json
}

/// The start of a response with the result of a tool, up to and including its text. The result object is open.
pub(super) fn tool_result_start(id: RpcId<'_>, version: ProtocolVersion, text: &str) -> String {
    let mut json = result_start(id, version);
    if version.is_modern() {
        json.push(',');
    }
    json += r#""content":[{"type":"text","text":"#;
    json += &to_json(&text);
    json += "}]";
    json
}

/// The error for an unknown tool or prompt.
pub(super) fn unknown_name(kind: &str, name: &str) -> RpcError {
    RpcError::invalid_params(format!("unknown {kind}: {}", rogerrat_domain::text::clip(name)))
}

/// Serializes a value of a type that always can be.
pub(super) fn to_json(value: &impl Serialize) -> String {
    #[expect(clippy::expect_used, reason = "writing strings and numbers into a string cannot fail")]
    serde_json::to_string(value).expect("strings and numbers always serialize")
}

#[cfg(test)]
mod tests {
    use super::super::rpc::{ErrorCode, RpcBody, RpcMessage, parse};
    use super::*;

    fn with_id<T>(then: impl Fn(RpcId<'_>) -> T) -> T {
        let Ok(RpcBody::One(RpcMessage::Call(call))) = parse(br#"{"jsonrpc":"2.0","id":"a","method":"x"}"#) else {
            panic!()
        };
        then(call.id.unwrap())
    }

    #[test]
    fn every_result_is_json_with_the_fields_of_its_version() {
        let result = ToolResult::new(&json!({"ok": true}), "line 1\nline \"2\"".to_owned());
        for version in ProtocolVersion::ALL {
            for fields in [json!({}), json!({"tools": []})] {
                let response = with_id(|id| RpcResponse::result(id, version, &fields));
                let value: Value = serde_json::from_str(&response.json).unwrap();
                assert_eq!(value["id"], "a");
                assert_eq!(value["result"]["tools"], fields["tools"]);
                let complete = version.is_modern().then_some("complete");
                assert_eq!(value["result"]["resultType"].as_str(), complete, "{}", response.json);
                let name = &value["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["name"];
                assert_eq!(name.as_str(), version.is_modern().then_some(NAME));
            }
            let response = with_id(|id| RpcResponse::tool(id, version, &result));
            let value: Value = serde_json::from_str(&response.json).unwrap();
            assert_eq!(value["result"]["content"][0]["text"], "line 1\nline \"2\"");
            assert_eq!(value["result"]["structuredContent"], json!({"ok": true}));
            assert!(value["result"]["isError"].is_null());
            let images = ToolResult::content("text".to_owned(), vec![r#"{"type":"image"}"#.to_owned()]);
            let response = with_id(|id| RpcResponse::tool(id, version, &images));
            let value: Value = serde_json::from_str(&response.json).unwrap();
            assert_eq!(value["result"]["content"], json!([{"type": "text", "text": "text"}, {"type": "image"}]));
            assert!(value["result"]["structuredContent"].is_null() && value["result"]["isError"].is_null());
        }
    }

    #[test]
    fn a_refusal_is_an_error_result_with_the_code_of_the_hub() {
        let refusal = Refusal::new(Code::RateLimited, "too many").hint("slow down").retry_after_ms(1500);
        let response =
            with_id(|id| RpcResponse::tool(id, ProtocolVersion::LATEST_LEGACY, &ToolResult::refusal(&refusal)));
        let value: Value = serde_json::from_str(&response.json).unwrap();
        assert_eq!(value["result"]["isError"], true);
        assert!(value["result"]["structuredContent"].is_null(), "clients would check it against the output schema");
        assert_eq!(value["result"]["content"][0]["text"], "error: too many (rate_limited). slow down. Retry after 2 s");
        assert_eq!(response.refused, Some(Code::RateLimited));
    }

    #[test]
    fn an_error_has_the_id_of_its_request_if_it_was_readable() {
        let error = with_id(|id| unknown_name("tool", "x\ny").with_id(Some(id)));
        let value: Value = serde_json::from_str(&RpcResponse::error(&error, true).json).unwrap();
        assert_eq!((value["id"].as_str(), value["error"]["code"].as_i64()), (Some("a"), Some(-32602)));
        let without_id = RpcResponse::error(&RpcError::new(ErrorCode::ParseError, "no"), false);
        assert_eq!(without_id.json, r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no"}}"#);
    }
}
