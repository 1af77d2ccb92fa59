//! JSON-RPC 2.0 as MCP uses it: what a body says, what a request's parameters are, and what can be wrong with them.
//!
//! Pure. It borrows from the body, so that a large argument is read once, by the tool it is for.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// Letters of a request id or a progress token as it stands in the body.
const ID_CHARS: usize = 256;
/// Messages of one batch.
const BATCH: usize = 32;

/// What a body says.
#[derive(Debug)]
pub(super) enum Body<'a> {
    One(Said<'a>),
    /// Several at once; each is understood or not by itself.
    Batch(Vec<Result<Said<'a>, Fault>>),
}

/// One message.
#[derive(Debug)]
pub(super) enum Said<'a> {
    Call(Call<'a>),
    /// The answer to something; the hub asks nothing.
    Answer,
}

/// A request, or a notification when it has no id.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) id: Option<Id<'a>>,
    pub(super) method: Cow<'a, str>,
    pub(super) params: Option<&'a RawValue>,
}

/// A string or a whole number, as it stood in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id<'a>(&'a str);

impl<'a> Id<'a> {
    pub(super) fn of(raw: &'a RawValue) -> Option<Self> {
        Self::again(raw.get())
    }

    /// An id that was one before.
    pub(super) fn again(said: &'a str) -> Option<Self> {
        let digits = said.strip_prefix('-').unwrap_or(said);
        let is_whole = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        ((said.starts_with('"') || is_whole) && said.len() <= ID_CHARS).then_some(Self(said))
    }

    pub(super) fn as_json(self) -> &'a str {
        self.0
    }
}

/// The codes of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Not JSON.
    Parse,
    /// Not a request.
    Request,
    /// No such method.
    Method,
    /// Not the parameters of the method, or there is nothing of that name.
    Params,
    /// No such resource, as sessions before 2026 say it.
    Resource,
    /// The session id is not one of ours, or no longer.
    Session,
    /// Headers and body disagree.
    Headers,
    /// A version we do not speak.
    Version,
    /// The client does not offer what a tool needs; no tool of ours needs anything.
    #[cfg(feature = "conformance")]
    Capability,
}

impl Wrong {
    pub(super) fn code(self) -> i32 {
        match self {
            Self::Parse => -32700,
            Self::Request => -32600,
            Self::Method => -32601,
            Self::Params => -32602,
            Self::Resource => -32002,
            Self::Session => -32001,
            Self::Headers => -32020,
            Self::Version => -32022,
            #[cfg(feature = "conformance")]
            Self::Capability => -32021,
        }
    }

    /// The status it is told with: before 2026 an error of a method is an answer like any other.
    pub(super) fn status(self, is_modern: bool) -> StatusCode {
        match self {
            Self::Parse | Self::Request | Self::Headers | Self::Version => StatusCode::BAD_REQUEST,
            #[cfg(feature = "conformance")]
            Self::Capability => StatusCode::BAD_REQUEST,
            Self::Session => StatusCode::NOT_FOUND,
            Self::Method if is_modern => StatusCode::NOT_FOUND,
            Self::Params if is_modern => StatusCode::BAD_REQUEST,
            Self::Method | Self::Params | Self::Resource => StatusCode::OK,
        }
    }
}

/// Why a message was not understood.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) wrong: Wrong,
    pub(super) message: Cow<'static, str>,
    pub(super) data: Option<Value>,
    /// The id of the request, where it could be read.
    pub(super) id: Option<String>,
    /// Whether it is the fault of a message known to be modern.
    pub(super) is_modern: bool,
}

impl Fault {
    pub(super) fn new(wrong: Wrong, message: impl Into<Cow<'static, str>>) -> Self {
        Self { wrong, message: message.into(), data: None, id: None, is_modern: false }
    }

    pub(super) fn data(mut self, data: Value) -> Self {
        self.data = Some(data);
        self
    }

    pub(super) fn of(mut self, id: Option<Id<'_>>) -> Self {
        self.id = id.map(|id| id.as_json().to_owned());
        self
    }
}

/// Understands a body.
pub(super) fn read(body: &[u8]) -> Result<Body<'_>, Fault> {
    let none = |_| Fault::new(Wrong::Parse, "parse error: the body is not JSON");
    let body = std::str::from_utf8(body).map_err(|_| Fault::new(Wrong::Parse, "parse error: the body is not UTF-8"))?;
    match body.trim_ascii_start().as_bytes().first() {
        Some(b'[') => {
            let all: Vec<&RawValue> = serde_json::from_str(body).map_err(none)?;
            match all.len() {
                0 => Err(Fault::new(Wrong::Request, "invalid request: an empty batch")),
                n if n > BATCH => {
                    Err(Fault::new(Wrong::Request, format!("invalid request: a batch has at most {BATCH} messages")))
                }
                _ => Ok(Body::Batch(all.into_iter().map(|one| said(one.get())).collect())),
            }
        }
        _ => said(body).map(Body::One),
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
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

fn said(json: &str) -> Result<Said<'_>, Fault> {
    let Some(envelope) = object::<Envelope<'_>>(json) else {
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok();
        return Err(match is_json {
            true => Fault::new(Wrong::Request, "invalid request: a JSON-RPC message is an object, each field once"),
            false => Fault::new(Wrong::Parse, "parse error: the body is not JSON"),
        });
    };
    let id = envelope.id.and_then(Id::of);
    let wrong = |what: &'static str| Err(Fault::new(Wrong::Request, what).of(id));
    if envelope.jsonrpc.is_none_or(|version| version.get() != r#""2.0""#) {
        return wrong(r#"invalid request: `jsonrpc` must be "2.0""#);
    }
    if envelope.id.is_some() && id.is_none() {
        return wrong("invalid request: `id` must be a string or a whole number");
    }
    let Some(method) = envelope.method else {
        return match envelope.result.or(envelope.error) {
            Some(_) if id.is_some() => Ok(Said::Answer),
            _ => wrong("invalid request: `method` is missing"),
        };
    };
    let Some(method) = text(method) else { return wrong("invalid request: `method` must be a string") };
    Ok(Said::Call(Call { id, method, params: envelope.params }))
}

/// What the methods take; each looks at its own.
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

/// What stands in `_meta`.
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
    pub(super) fn of(call: &Call<'a>) -> Result<Self, Fault> {
        let Some(raw) = call.params else { return Ok(Self::default()) };
        object(raw.get()).ok_or_else(|| Fault::new(Wrong::Params, "`params` must be an object, each field once"))
    }

    pub(super) fn meta(&self) -> Result<Option<Meta<'a>>, Fault> {
        let Some(raw) = self.meta else { return Ok(None) };
        let wrong = || Fault::new(Wrong::Params, "`_meta` must be an object, each field once");
        object(raw.get()).map(Some).ok_or_else(wrong)
    }
}

impl<'a> Meta<'a> {
    /// What progress is to be told under.
    pub(super) fn progress_token(&self) -> Option<Id<'a>> {
        Id::of(self.progress_token?)
    }
}

/// A string of the body.
pub(super) fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    match serde_json::from_str::<&str>(raw.get()) {
        Ok(text) => Some(text.into()),
        Err(_) => serde_json::from_str::<String>(raw.get()).ok().map(Cow::Owned),
    }
}

/// An object; serde would read a list as the fields of a struct in their order.
fn object<'a, T: Deserialize<'a>>(json: &'a str) -> Option<T> {
    json.trim_ascii_start().starts_with('{').then(|| serde_json::from_str(json).ok())?
}

/// Reads a field that may be missing; `null` is there.
fn present<'de, D: Deserializer<'de>>(d: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(d).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(body: &str) -> (i32, Option<String>) {
        let fault = read(body.as_bytes()).unwrap_err();
        (fault.wrong.code(), fault.id)
    }

    fn call(body: &str) -> Call<'_> {
        match read(body.as_bytes()).unwrap() {
            Body::One(Said::Call(call)) => call,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn requests_and_notifications_are_told_apart_by_the_id() {
        let ping = call(r#" {"jsonrpc":"2.0","id":"a\n1","method":"ping"}"#);
        assert_eq!((ping.id.unwrap().as_json(), &*ping.method), (r#""a\n1""#, "ping"));
        assert_eq!(call(r#"{"jsonrpc":"2.0","id":-7,"method":"p\u0069ng"}"#).method, "ping");
        assert!(call(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).id.is_none());
        let answer = read(br#"{"jsonrpc":"2.0","id":1,"result":{}}"#).unwrap();
        assert!(matches!(answer, Body::One(Said::Answer)));
    }

    #[test]
    fn what_is_not_json_is_a_parse_error() {
        for body in ["", "{", "nope", "{\"a\":}", "[1,", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"} x"] {
            assert_eq!(fault(body), (-32700, None), "{body}");
        }
        assert_eq!(read(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}").unwrap_err().wrong, Wrong::Parse);
    }

    #[test]
    fn what_is_not_a_request_is_an_invalid_request_that_keeps_its_id() {
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
            assert_eq!(fault(body), (-32600, None), "{body}");
        }
        let long = format!(r#"{{"jsonrpc":"2.0","id":"{}","method":"ping"}}"#, "x".repeat(ID_CHARS));
        assert_eq!(fault(&long), (-32600, None));
        for body in [
            r#"{"id":1,"method":"ping"}"#,
            r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
            r#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":7}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":null}"#,
            r#"{"jsonrpc":"2.0","id":1}"#,
        ] {
            assert_eq!(fault(body), (-32600, Some("1".to_owned())), "{body}");
        }
    }

    #[test]
    fn a_batch_is_understood_one_by_one() {
        let Body::Batch(all) = read(br#"[{"jsonrpc":"2.0","id":1,"method":"ping"}, 7, []]"#).unwrap() else { panic!() };
        assert_eq!(all.iter().filter(|one| one.is_ok()).count(), 1);
        assert_eq!(all.len(), 3);
        let many = format!("[{}]", vec![r#"{"jsonrpc":"2.0","method":"x"}"#; BATCH + 1].join(","));
        assert_eq!(fault(&many).0, -32600);
    }

    #[test]
    fn parameters_are_an_object() {
        let of = |params: &str| {
            let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{params}}}"#);
            Params::of(&call(&body)).map(|params| params.meta().map(|meta| meta.is_some())).map_err(|f| f.wrong)
        };
        for params in ["[]", "7", "null", "\"x\"", r#"{"name":"a","name":"b"}"#, r#"["a","b","c","d","e","f"]"#] {
            assert_eq!(of(params).unwrap_err(), Wrong::Params, "{params}");
        }
        assert!(!of("{}").unwrap().unwrap());
        assert!(of(r#"{"_meta":{"progressToken":1}}"#).unwrap().unwrap());
        for meta in ["null", "[]", "7"] {
            assert!(of(&format!(r#"{{"_meta":{meta}}}"#)).unwrap().is_err(), "{meta}");
        }
    }

    #[test]
    fn only_a_string_or_a_whole_number_is_a_progress_token() {
        let token = |json: &str| {
            let meta = format!(r#"{{"progressToken":{json}}}"#);
            object::<Meta<'_>>(&meta).unwrap().progress_token().map(|id| id.as_json().to_owned())
        };
        assert_eq!((token("7"), token("\"a\"")), (Some("7".into()), Some("\"a\"".into())));
        for json in ["null", "1.5", "{}", "[1]", "true", "-"] {
            let meta = format!(r#"{{"progressToken":{json}}}"#);
            assert!(object::<Meta<'_>>(&meta).is_none_or(|meta| meta.progress_token().is_none()), "{json}");
        }
    }
}
