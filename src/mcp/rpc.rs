//! JSON-RPC 2.0 as MCP uses it: parses a body into messages, and their parameters. Pure.
//!
//! Everything borrows from the body, so that a large argument is parsed only once, by the tool that takes it.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::arguments::is_nothing;
pub(super) use super::rpc_error::{ErrorCode, RpcError};
use crate::web::json;

/// The maximum length of a request id or progress token, as JSON.
const ID_BYTES: usize = 256;
/// The maximum number of messages of one batch.
const BATCH_MESSAGES: usize = 32;

/// A parsed body.
#[derive(Debug)]
pub(super) enum RpcBody<'a> {
    One(RpcMessage<'a>),
    /// Several messages; each is valid or not on its own.
    Batch(Vec<BatchEntry<'a>>),
}

/// A message of a batch.
#[derive(Debug)]
pub(super) struct BatchEntry<'a> {
    /// As the body contained it.
    pub(super) json: &'a str,
    pub(super) message: Result<RpcMessage<'a>, RpcError>,
}

/// One message.
#[derive(Debug)]
pub(super) enum RpcMessage<'a> {
    Call(RpcCall<'a>),
    /// A response. The hub sends no requests, so there is nothing it could belong to.
    Response,
}

/// A request, or a notification when it has no id.
#[derive(Debug)]
pub(super) struct RpcCall<'a> {
    pub(super) id: Option<RpcId<'a>>,
    pub(super) method: Cow<'a, str>,
    pub(super) params: Option<&'a RawValue>,
}

/// A string or an integer, as the JSON that the body contained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RpcId<'a>(&'a str);

impl<'a> RpcId<'a> {
    pub(super) fn parse(raw: &'a RawValue) -> Option<Self> {
        Self::from_json(raw.get())
    }

    pub(super) fn from_json(json: &'a str) -> Option<Self> {
        let digits = json.strip_prefix('-').unwrap_or(json);
        let is_integer = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        ((json.starts_with('"') || is_integer) && json.len() <= ID_BYTES).then_some(Self(json))
    }

    pub(super) fn as_json(self) -> &'a str {
        self.0
    }
}

/// Parses a body.
pub(super) fn parse(body: &[u8]) -> Result<RpcBody<'_>, RpcError> {
    let body = json::decode(json::without_bom(body))
        .map_err(|error| RpcError::new(ErrorCode::ParseError, format!("parse error: {error}")))?;
    if !body.trim_ascii_start().starts_with('[') {
        return parse_message(body).map(RpcBody::One);
    }
    let batch: Vec<&RawValue> = serde_json::from_str(body)
        .map_err(|_| RpcError::new(ErrorCode::ParseError, "parse error: the body is not JSON"))?;
    match batch.len() {
        0 => Err(RpcError::new(ErrorCode::InvalidRequest, "invalid request: the batch is empty")),
        n if n > BATCH_MESSAGES => {
            let message = format!("invalid request: a batch has at most {BATCH_MESSAGES} messages");
            Err(RpcError::new(ErrorCode::InvalidRequest, message))
        }
        _ => {
            let entries = batch.into_iter().map(RawValue::get);
            Ok(RpcBody::Batch(entries.map(|json| BatchEntry { json, message: parse_message(json) }).collect()))
        }
    }
}

/// The fields of a request, a notification or a response.
#[derive(Deserialize)]
struct RawMessage<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

fn parse_message(json: &str) -> Result<RpcMessage<'_>, RpcError> {
    let Some(raw) = parse_object::<RawMessage<'_>>(json) else {
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok();
        return Err(if is_json {
            let message = "invalid request: a JSON-RPC message is an object without repeated fields";
            RpcError::new(ErrorCode::InvalidRequest, message)
        } else {
            RpcError::new(ErrorCode::ParseError, "parse error: the body is not JSON")
        });
    };
    let id = raw.id.and_then(RpcId::parse);
    let invalid = |message: &'static str| Err(RpcError::new(ErrorCode::InvalidRequest, message).with_id(id));
    if raw.jsonrpc.is_none_or(|version| version.get() != r#""2.0""#) {
        return invalid(r#"invalid request: `jsonrpc` must be "2.0""#);
    }
    if raw.id.is_some() && id.is_none() {
        return invalid("invalid request: `id` must be a string or an integer");
    }
    let Some(method) = raw.method else {
        return match raw.result.or(raw.error) {
            Some(_) if id.is_some() => Ok(RpcMessage::Response),
            _ => invalid("invalid request: `method` is missing"),
        };
    };
    let Some(method) = string(method) else { return invalid("invalid request: `method` must be a string") };
    Ok(RpcMessage::Call(RpcCall { id, method, params: raw.params }))
}

/// The parameters of all methods; each method reads its own.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Params<'a> {
    #[serde(borrow, default, rename = "_meta", deserialize_with = "present")]
    meta: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) name: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) arguments: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) uri: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "protocolVersion", deserialize_with = "present")]
    pub(super) protocol_version: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "requestId", deserialize_with = "present")]
    pub(super) request_id: Option<&'a RawValue>,
}

/// The fields of `_meta`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Meta<'a> {
    #[serde(borrow, default, rename = "io.modelcontextprotocol/protocolVersion", deserialize_with = "present")]
    pub(super) version: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "io.modelcontextprotocol/clientCapabilities", deserialize_with = "present")]
    pub(super) capabilities: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "progressToken", deserialize_with = "present")]
    progress_token: Option<&'a RawValue>,
}

impl<'a> Params<'a> {
    pub(super) fn parse(call: &RpcCall<'a>) -> Result<Self, RpcError> {
        let Some(raw) = call.params.filter(|raw| !is_nothing(raw.get())) else { return Ok(Self::default()) };
        let invalid = || RpcError::invalid_params("`params` must be an object without repeated fields");
        parse_object(raw.get()).ok_or_else(invalid)
    }

    pub(super) fn meta(&self) -> Result<Option<Meta<'a>>, RpcError> {
        let Some(raw) = self.meta.filter(|raw| !matches!(raw.get(), "null" | "[]")) else { return Ok(None) };
        let invalid = || RpcError::invalid_params("`_meta` must be an object without repeated fields");
        parse_object(raw.get()).map(Some).ok_or_else(invalid)
    }
}

impl<'a> Meta<'a> {
    /// The token that progress notifications must carry.
    pub(super) fn progress_token(&self) -> Option<RpcId<'a>> {
        RpcId::parse(self.progress_token?)
    }
}

/// The text of a JSON string; none when the value is no string.
pub(super) fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    let json = raw.get();
    if !json.starts_with('"') {
        return None;
    }
    match serde_json::from_str::<&str>(json) {
        Ok(text) => Some(text.into()),
        Err(_) => serde_json::from_str::<String>(json).ok().map(Cow::Owned),
    }
}

/// Parses an object. Without the check serde would accept a list as the fields of a struct in their order.
fn parse_object<'a, T: Deserialize<'a>>(json: &'a str) -> Option<T> {
    json.trim_ascii_start().starts_with('{').then(|| serde_json::from_str(json).ok())?
}

/// Reads a field that may be missing. A `null` counts as present.
fn present<'de, D: Deserializer<'de>>(d: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(d).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(body: &str) -> (i32, Option<String>) {
        let error = parse(body.as_bytes()).unwrap_err();
        (error.code.number(), error.id)
    }

    fn call(body: &str) -> RpcCall<'_> {
        match parse(body.as_bytes()).unwrap() {
            RpcBody::One(RpcMessage::Call(call)) => call,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_request_has_an_id_and_a_notification_has_none() {
        let ping = call(r#" {"jsonrpc":"2.0","id":"a\n1","method":"ping"}"#);
        assert_eq!((ping.id.unwrap().as_json(), &*ping.method), (r#""a\n1""#, "ping"));
        assert_eq!(call(r#"{"jsonrpc":"2.0","id":-7,"method":"p\u0069ng"}"#).method, "ping");
        assert!(call(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).id.is_none());
        let response = parse(br#"{"jsonrpc":"2.0","id":1,"result":{}}"#).unwrap();
        assert!(matches!(response, RpcBody::One(RpcMessage::Response)));
    }

    #[test]
    fn a_body_that_is_not_json_is_a_parse_error() {
        for body in ["", "{", "nope", "{\"a\":}", "[1,", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"} x"] {
            assert_eq!(error(body), (-32700, None), "{body}");
        }
        assert_eq!(
            parse(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}").unwrap_err().code,
            ErrorCode::ParseError
        );
    }

    #[test]
    fn json_that_is_not_a_message_is_an_invalid_request_with_its_id() {
        for body in [
            "7",
            "null",
            "\"text\"",
            "[]",
            "{}",
            r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":true,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","result":{}}"#,
        ] {
            assert_eq!(error(body), (-32600, None), "{body}");
        }
        let long = format!(r#"{{"jsonrpc":"2.0","id":"{}","method":"ping"}}"#, "x".repeat(ID_BYTES));
        assert_eq!(error(&long), (-32600, None));
        for body in [
            r#"{"id":1,"method":"ping"}"#,
            r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
            r#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":7}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":null}"#,
            r#"{"jsonrpc":"2.0","id":1}"#,
        ] {
            assert_eq!(error(body), (-32600, Some("1".to_owned())), "{body}");
        }
    }

    #[test]
    fn each_message_of_a_batch_is_valid_or_not_on_its_own() {
        let RpcBody::Batch(all) = parse(br#"[{"jsonrpc":"2.0","id":1,"method":"ping"}, 7, []]"#).unwrap() else {
            panic!()
        };
        assert_eq!(all.iter().filter(|one| one.message.is_ok()).count(), 1);
        assert_eq!(all.len(), 3);
        let many = format!("[{}]", vec![r#"{"jsonrpc":"2.0","method":"x"}"#; BATCH_MESSAGES + 1].join(","));
        assert_eq!(error(&many).0, -32600);
    }

    #[test]
    fn parameters_must_be_an_object() {
        let of = |params: &str| {
            let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{params}}}"#);
            Params::parse(&call(&body))
                .map(|params| params.meta().map(|meta| meta.is_some()))
                .map_err(|error| error.code)
        };
        for params in ["[1]", "7", "\"x\"", r#"{"name":"a","name":"b"}"#, r#"["a","b","c","d","e","f"]"#] {
            assert_eq!(of(params).unwrap_err(), ErrorCode::InvalidParams, "{params}");
        }
        for nothing in ["{}", "null", "[]", "[ ]", r#"{"_meta":null}"#, r#"{"_meta":[]}"#] {
            assert!(!of(nothing).unwrap().unwrap(), "{nothing}");
        }
        assert!(of(r#"{"_meta":{"progressToken":1}}"#).unwrap().unwrap());
        for meta in ["[1]", "7", "\"x\""] {
            assert!(of(&format!(r#"{{"_meta":{meta}}}"#)).unwrap().is_err(), "{meta}");
        }
    }

    #[test]
    fn only_a_string_or_an_integer_is_a_progress_token() {
        let token = |json: &str| {
            let meta = format!(r#"{{"progressToken":{json}}}"#);
            parse_object::<Meta<'_>>(&meta).unwrap().progress_token().map(|id| id.as_json().to_owned())
        };
        assert_eq!((token("7"), token("\"a\"")), (Some("7".into()), Some("\"a\"".into())));
        for json in ["null", "1.5", "{}", "[1]", "true", "-"] {
            let meta = format!(r#"{{"progressToken":{json}}}"#);
            assert!(parse_object::<Meta<'_>>(&meta).is_none_or(|meta| meta.progress_token().is_none()), "{json}");
        }
    }
}
