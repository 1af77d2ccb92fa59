//! The parts of a JSON-RPC message that a relay needs: its id, method and parameters. The hub validates the rest.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Maximum length of a request id.
const MAX_ID_BYTES: usize = 256;
const VERSION: &str = "io.modelcontextprotocol/protocolVersion";

pub(super) const PARSE_ERROR: i32 = -32700;
pub(super) const INVALID_REQUEST: i32 = -32600;
pub(super) const METHOD_NOT_FOUND: i32 = -32601;
pub(super) const INVALID_PARAMS: i32 = -32602;
pub(super) const UNSUPPORTED_VERSION: i32 = -32022;

/// A request, or a notification if it has no id.
#[derive(Debug)]
pub(super) struct RpcCall<'a> {
    /// The id's JSON.
    pub(super) id: Option<&'a str>,
    pub(super) method: Cow<'a, str>,
    pub(super) params: Map<String, Value>,
}

/// Why a line is not a valid message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct InvalidMessage {
    pub(super) code: i32,
    pub(super) message: &'static str,
    pub(super) id: Option<String>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    jsonrpc: Option<Cow<'a, str>>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    params: Option<Value>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// Parses a line. `None` is a response, which needs no reaction.
pub(super) fn parse(line: &[u8]) -> Result<Option<RpcCall<'_>>, InvalidMessage> {
    let wrong = |code, message| InvalidMessage { code, message, id: None };
    // Some programs write a byte order mark first.
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let text = std::str::from_utf8(line).map_err(|_| wrong(PARSE_ERROR, "parse error: the line is not UTF-8"))?.trim();
    if !text.starts_with('{') {
        return Err(match serde_json::from_str::<serde::de::IgnoredAny>(text) {
            Ok(_) => wrong(INVALID_REQUEST, "invalid request: a line must be one JSON-RPC message, an object"),
            Err(_) => wrong(PARSE_ERROR, "parse error: the line is not JSON"),
        });
    }
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => wrong(INVALID_REQUEST, "invalid request: not a JSON-RPC message"),
        _ => wrong(PARSE_ERROR, "parse error: the line is not JSON"),
    })?;
    let id = envelope.id.map(RawValue::get).filter(|id| is_id(id));
    let wrong = |message| Err(InvalidMessage { code: INVALID_REQUEST, message, id: id.map(str::to_owned) });
    if envelope.jsonrpc.as_deref() != Some("2.0") {
        return wrong(r#"invalid request: `jsonrpc` must be "2.0""#);
    }
    if envelope.id.is_some() && id.is_none() {
        return wrong("invalid request: `id` must be a string or an integer");
    }
    match envelope.method {
        Some(method) => match object_of(envelope.params.unwrap_or_default()) {
            Ok(params) => Ok(Some(RpcCall { id, method, params })),
            Err(_) => {
                let message = "`params` must be an object";
                Err(InvalidMessage { code: INVALID_PARAMS, message, id: id.map(str::to_owned) })
            }
        },
        None if envelope.result.or(envelope.error).is_some() => Ok(None),
        None => wrong("invalid request: `method` is missing"),
    }
}

/// The object in a field. Clients also send `null`, an empty list, or the object as text. Any other value is returned.
pub(super) fn object_of(field: Value) -> Result<Map<String, Value>, Value> {
    match field {
        Value::Null => Ok(Map::new()),
        Value::Object(fields) => Ok(fields),
        Value::Array(items) if items.is_empty() => Ok(Map::new()),
        Value::String(text) if text.trim().is_empty() => Ok(Map::new()),
        Value::String(text) => match serde_json::from_str(&text) {
            Ok(Value::String(_)) | Err(_) => Err(Value::String(text)),
            Ok(inner) => object_of(inner),
        },
        other => Err(other),
    }
}

/// Whether an id is a string or an integer.
fn is_id(id: &str) -> bool {
    let digits = id.strip_prefix('-').unwrap_or(id);
    let is_integer = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    (id.starts_with('"') || is_integer) && id.len() <= MAX_ID_BYTES
}

impl RpcCall<'_> {
    /// The protocol version of a request without a handshake.
    pub(super) fn modern_version(&self) -> Option<&str> {
        self.params.get("_meta")?.get(VERSION)?.as_str()
    }

    /// The name of the tool to call.
    pub(super) fn tool(&self) -> &str {
        self.params.get("name").and_then(Value::as_str).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(line: &str) -> (i32, Option<String>) {
        let invalid = parse(line.as_bytes()).unwrap_err();
        (invalid.code, invalid.id)
    }

    #[test]
    fn distinguishes_requests_notifications_and_responses() {
        let call = parse(br#" {"jsonrpc":"2.0","id":"a\n","method":"ping"} "#).unwrap().unwrap();
        assert_eq!((call.id, &*call.method), (Some(r#""a\n""#), "ping"));
        assert_eq!(parse(br#"{"jsonrpc":"2.0","method":"x"}"#).unwrap().unwrap().id, None);
        assert!(parse(br#"{"jsonrpc":"2.0","id":1,"result":{}}"#).unwrap().is_none());
    }

    #[test]
    fn parameters_may_be_nothing() {
        for params in ["null", "[]", "{}"] {
            let line = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{params}}}"#);
            assert!(parse(line.as_bytes()).unwrap().unwrap().params.is_empty(), "{params}");
        }
        let text = Value::from(r#" {"to":"bob"} "#);
        assert_eq!(object_of(text).unwrap()["to"], "bob");
        for other in ["7", "[1]", r#""x""#, r#""7""#] {
            assert!(object_of(serde_json::from_str(other).unwrap()).is_err(), "{other}");
        }
    }

    #[test]
    fn classifies_invalid_lines_and_keeps_a_readable_id() {
        for line in ["nope", "{", r#"{"jsonrpc":"2.0","#, "{\"a\":}"] {
            assert_eq!(code(line), (PARSE_ERROR, None), "{line}");
        }
        assert_eq!(parse(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}").unwrap_err().code, PARSE_ERROR);
        for line in ["7", "null", "[]", r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, "{}"] {
            assert_eq!(code(line), (INVALID_REQUEST, None), "{line}");
        }
        for line in [r#"{"jsonrpc":"2.0","id":1.5,"method":"x"}"#, r#"{"jsonrpc":"2.0","id":{},"method":"x"}"#] {
            assert_eq!(code(line), (INVALID_REQUEST, None), "{line}");
        }
        assert_eq!(code(r#"{"jsonrpc":"1.0","id":1,"method":"x"}"#), (INVALID_REQUEST, Some("1".into())));
        assert_eq!(code(r#"{"jsonrpc":"2.0","id":1,"method":"x","params":[1]}"#), (INVALID_PARAMS, Some("1".into())));
        assert_eq!(code(r#"{"jsonrpc":"2.0","id":1}"#), (INVALID_REQUEST, Some("1".into())));
    }
}
