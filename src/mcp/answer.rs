//! How answers are written. Pure.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use rogerrat_domain::{Code, Refusal};
use serde::Serialize;
use serde_json::{Value, json};

use super::era::Version;
use super::rpc::{Fault, Id, Wrong};
use super::words::tool_hint;
use crate::web::request_metrics::RefusalCode;

/// What the hub calls itself.
pub(super) const NAME: &str = "rogerrat";
/// What every modern result begins with: that it is whole, and whose it is.
const WHOLE: &str = concat!(
    r#""resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"rogerrat","title":"rogerrat","version":""#,
    env!("CARGO_PKG_VERSION"),
    r#""}}"#
);

/// An answer as it goes out.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) status: StatusCode,
    pub(super) json: String,
    /// The id of the session that begins with it.
    pub(super) session: Option<String>,
    /// Why a tool refused, where one did.
    pub(super) refused: Option<Code>,
}

/// What a tool says, as data and as text with the same facts.
#[derive(Debug)]
pub(super) struct Told {
    /// A JSON object.
    pub(super) structured: String,
    pub(super) text: String,
    pub(super) refused: Option<Code>,
}

impl Told {
    pub(super) fn new(structured: &impl Serialize, text: String) -> Self {
        Self { structured: to_json(structured), text, refused: None }
    }

    /// What a tool says that refused.
    pub(super) fn refusal(refusal: &Refusal) -> Self {
        let Refusal { code, text, hint, retry_after_ms, .. } = refusal;
        let mut told = json!({"error": text, "code": code.as_str()});
        let mut line = format!("error: {text} ({})", code.as_str());
        if let Some(hint) = hint.as_ref().map(tool_hint) {
            told["hint"] = json!(hint);
            line += &format!(". {hint}");
        }
        if let Some(ms) = retry_after_ms {
            let seconds = ms.div_ceil(1000).max(1);
            told["retry_after_seconds"] = json!(seconds);
            line += &format!(". Repeat it in {seconds} s");
        }
        Self { structured: told.to_string(), text: line, refused: Some(*code) }
    }
}

impl Written {
    fn ok(json: String) -> Self {
        Self { status: StatusCode::OK, json, session: None, refused: None }
    }

    /// A result with these fields.
    pub(super) fn result(id: Id<'_>, version: Version, fields: &Value) -> Self {
        let fields = fields.to_string();
        // An object within an object: its braces are there already.
        let fields = fields.strip_prefix('{').unwrap_or(&fields);
        let mut json = open(id, version);
        if version.is_modern() && fields != "}" {
            json.push(',');
        }
        json += fields;
        json.push('}');
        Self::ok(json)
    }

    /// What a tool says.
    pub(super) fn tool(id: Id<'_>, version: Version, told: &Told) -> Self {
        let mut json = open_tool(id, version, &told.text);
        if told.refused.is_some() {
            json += r#""isError":true,"#;
        }
        json += r#""structuredContent":"#;
        json += &told.structured;
        json += "}}";
        Self { refused: told.refused, ..Self::ok(json) }
    }

    pub(super) fn fault(fault: &Fault, is_modern: bool) -> Self {
        let Fault { wrong, message, data, id, .. } = fault;
        let mut error = json!({"code": wrong.code(), "message": message});
        if let Some(data) = data {
            error["data"] = data.clone();
        }
        let id = id.as_deref().unwrap_or("null");
        let json = format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#);
        Self { status: wrong.status(is_modern || fault.is_modern), ..Self::ok(json) }
    }

    pub(super) fn response(self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        response.content_type("application/json");
        if let Some(session) = self.session {
            response.insert_header(("mcp-session-id", session));
        }
        let mut response = response.body(self.json);
        if let Some(code) = self.refused {
            response.extensions_mut().insert(RefusalCode(code));
        }
        response
    }
}

/// The beginning of a result, its object open.
fn open(id: Id<'_>, version: Version) -> String {
    let mut json = String::with_capacity(512);
    json += r#"{"jsonrpc":"2.0","id":"#;
    json += id.as_json();
    json += r#","result":{"#;
    if version.is_modern() {
        json += WHOLE;
    }
    json
}

/// The beginning of what a tool says: its text is there, and what comes next is a field.
pub(super) fn open_tool(id: Id<'_>, version: Version, text: &str) -> String {
    let mut json = open(id, version);
    if version.is_modern() {
        json.push(',');
    }
    json += r#""content":[{"type":"text","text":"#;
    json += &to_json(&text);
    json += "}],";
    json
}

/// There is no such thing, by the name it was asked for.
pub(super) fn unknown(what: &str, name: &str) -> Fault {
    Fault::new(Wrong::Params, format!("unknown {what}: {}", rogerrat_domain::text::clip(name)))
}

/// JSON of ours.
pub(super) fn to_json(value: &impl Serialize) -> String {
    #[expect(clippy::expect_used, reason = "strings and numbers into a string cannot fail")]
    serde_json::to_string(value).expect("strings and numbers always serialise")
}

#[cfg(test)]
mod tests {
    use super::super::rpc::{Body, Said, read};
    use super::*;

    fn with_id<T>(then: impl Fn(Id<'_>) -> T) -> T {
        let Ok(Body::One(Said::Call(call))) = read(br#"{"jsonrpc":"2.0","id":"a","method":"x"}"#) else { panic!() };
        then(call.id.unwrap())
    }

    #[test]
    fn every_answer_is_json_and_says_in_both_eras_what_it_must() {
        let told = Told::new(&json!({"ok": true}), "line 1\nline \"2\"".to_owned());
        for version in Version::ALL {
            for fields in [json!({}), json!({"tools": []})] {
                let written = with_id(|id| Written::result(id, version, &fields));
                let value: Value = serde_json::from_str(&written.json).unwrap();
                assert_eq!(value["id"], "a");
                assert_eq!(value["result"]["tools"], fields["tools"]);
                let complete = version.is_modern().then_some("complete");
                assert_eq!(value["result"]["resultType"].as_str(), complete, "{}", written.json);
                let name = &value["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["name"];
                assert_eq!(name.as_str(), version.is_modern().then_some(NAME));
            }
            let written = with_id(|id| Written::tool(id, version, &told));
            let value: Value = serde_json::from_str(&written.json).unwrap();
            assert_eq!(value["result"]["content"][0]["text"], "line 1\nline \"2\"");
            assert_eq!(value["result"]["structuredContent"], json!({"ok": true}));
            assert!(value["result"]["isError"].is_null());
        }
    }

    #[test]
    fn a_refusal_is_an_error_of_the_tool_with_the_hubs_code() {
        let refusal = Refusal::new(Code::RateLimited, "too many").hint("slow down").retry_after_ms(1500);
        let written = with_id(|id| Written::tool(id, Version::LATEST_LEGACY, &Told::refusal(&refusal)));
        let value: Value = serde_json::from_str(&written.json).unwrap();
        assert_eq!(value["result"]["isError"], true);
        assert_eq!(
            value["result"]["structuredContent"],
            json!({"error": "too many", "code": "rate_limited", "hint": "slow down", "retry_after_seconds": 2})
        );
        assert_eq!(
            value["result"]["content"][0]["text"],
            "error: too many (rate_limited). slow down. Repeat it in 2 s"
        );
        assert_eq!(written.refused, Some(Code::RateLimited));
    }

    #[test]
    fn a_fault_keeps_the_id_it_could_read() {
        let fault = with_id(|id| unknown("tool", "x\ny").of(Some(id)));
        let value: Value = serde_json::from_str(&Written::fault(&fault, true).json).unwrap();
        assert_eq!((value["id"].as_str(), value["error"]["code"].as_i64()), (Some("a"), Some(-32602)));
        let nobody = Written::fault(&Fault::new(Wrong::Parse, "no"), false);
        assert_eq!(nobody.json, r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no"}}"#);
    }
}
