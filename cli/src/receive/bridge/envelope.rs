//! What a relay must know of a JSON-RPC message: whose answer it wants, and what it asks. All else is the hub's business.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Letters of a request id as it stands on the line.
const ID_CHARS: usize = 256;
const VERSION: &str = "io.modelcontextprotocol/protocolVersion";

pub(super) const PARSE: i32 = -32700;
pub(super) const REQUEST: i32 = -32600;
pub(super) const METHOD: i32 = -32601;
pub(super) const PARAMS: i32 = -32602;
pub(super) const VERSION_UNKNOWN: i32 = -32022;

/// A request, or a notification when it has no id.
#[derive(Debug)]
pub(super) struct Call<'a> {
    /// As it stands on the line.
    pub(super) id: Option<&'a str>,
    pub(super) method: Cow<'a, str>,
    pub(super) params: Map<String, Value>,
}

/// What is wrong with a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
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
    params: Option<Map<String, Value>>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// Reads a line; none is an answer, and nothing was asked.
pub(super) fn read(line: &[u8]) -> Result<Option<Call<'_>>, Wrong> {
    let wrong = |code, message| Wrong { code, message, id: None };
    let text = std::str::from_utf8(line).map_err(|_| wrong(PARSE, "parse error: the line is not UTF-8"))?.trim();
    if !text.starts_with('{') {
        return Err(match serde_json::from_str::<serde::de::IgnoredAny>(text) {
            Ok(_) => wrong(REQUEST, "invalid request: a line is one JSON-RPC message, which is an object"),
            Err(_) => wrong(PARSE, "parse error: the line is not JSON"),
        });
    }
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => wrong(REQUEST, "invalid request: this is no JSON-RPC message"),
        _ => wrong(PARSE, "parse error: the line is not JSON"),
    })?;
    let id = envelope.id.map(RawValue::get).filter(|id| is_id(id));
    let wrong = |message| Err(Wrong { code: REQUEST, message, id: id.map(str::to_owned) });
    if envelope.jsonrpc.as_deref() != Some("2.0") {
        return wrong(r#"invalid request: `jsonrpc` must be "2.0""#);
    }
    if envelope.id.is_some() && id.is_none() {
        return wrong("invalid request: `id` must be a string or a whole number");
    }
    match envelope.method {
        Some(method) => Ok(Some(Call { id, method, params: envelope.params.unwrap_or_default() })),
        None if envelope.result.or(envelope.error).is_some() => Ok(None),
        None => wrong("invalid request: `method` is missing"),
    }
}

/// A string or a whole number.
fn is_id(said: &str) -> bool {
    let digits = said.strip_prefix('-').unwrap_or(said);
    let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    (said.starts_with('"') || is_whole) && said.len() <= ID_CHARS
}

impl Call<'_> {
    /// The version of a message that stands alone.
    pub(super) fn modern_version(&self) -> Option<&str> {
        self.params.get("_meta")?.get(VERSION)?.as_str()
    }

    /// The name of the tool it calls.
    pub(super) fn name(&self) -> &str {
        self.params.get("name").and_then(Value::as_str).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(line: &str) -> (i32, Option<String>) {
        let wrong = read(line.as_bytes()).unwrap_err();
        (wrong.code, wrong.id)
    }

    #[test]
    fn requests_notifications_and_answers_are_told_apart() {
        let call = read(br#" {"jsonrpc":"2.0","id":"a\n","method":"ping"} "#).unwrap().unwrap();
        assert_eq!((call.id, &*call.method), (Some(r#""a\n""#), "ping"));
        assert_eq!(read(br#"{"jsonrpc":"2.0","method":"x"}"#).unwrap().unwrap().id, None);
        assert!(read(br#"{"jsonrpc":"2.0","id":1,"result":{}}"#).unwrap().is_none());
    }

    #[test]
    fn rubbish_is_told_apart_and_keeps_the_id_it_could_read() {
        for line in ["nope", "{", r#"{"jsonrpc":"2.0","#, "{\"a\":}"] {
            assert_eq!(code(line), (PARSE, None), "{line}");
        }
        assert_eq!(read(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}").unwrap_err().code, PARSE);
        for line in ["7", "null", "[]", r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, "{}"] {
            assert_eq!(code(line), (REQUEST, None), "{line}");
        }
        for line in [r#"{"jsonrpc":"2.0","id":1.5,"method":"x"}"#, r#"{"jsonrpc":"2.0","id":{},"method":"x"}"#] {
            assert_eq!(code(line), (REQUEST, None), "{line}");
        }
        assert_eq!(code(r#"{"jsonrpc":"1.0","id":1,"method":"x"}"#), (REQUEST, Some("1".into())));
        assert_eq!(code(r#"{"jsonrpc":"2.0","id":1,"method":"x","params":[]}"#), (REQUEST, None));
        assert_eq!(code(r#"{"jsonrpc":"2.0","id":1}"#), (REQUEST, Some("1".into())));
    }
}
