//! Properties of the parsers for input from outside, checked with random input.

use proptest::prelude::*;
use rogerrat_domain::{HubKey, Signer};

use super::arguments::{Arguments, Parameter, object_of};
use super::protocol_version::{HeaderField, McpHeaders, of_headers, of_message};
use super::rpc::{Params, RpcBody, RpcCall, RpcMessage, parse};
use super::session::McpSessionId;

/// Checks that a body is parsed or refused with the right code, and never panics.
fn check_body(body: &[u8], headers: &McpHeaders<'_>) {
    let message = |message: RpcMessage<'_>| {
        if let RpcMessage::Call(call) = message {
            check_call(&call, headers);
        }
    };
    match parse(body) {
        Ok(RpcBody::One(one)) => message(one),
        Ok(RpcBody::Batch(batch)) => batch.into_iter().flatten().for_each(message),
        Err(error) => {
            let is_json = serde_json::from_slice::<serde_json::Value>(body).is_ok();
            assert!(error.code.number() == -32600 || !is_json, "JSON is not a parse error");
            assert!(error.message.chars().count() < 200, "{}", error.message);
        }
    }
}

fn check_call(call: &RpcCall<'_>, headers: &McpHeaders<'_>) {
    if let Some(id) = call.id {
        serde_json::from_str::<serde_json::Value>(id.as_json()).expect("an id is returned as it was sent");
    }
    let Ok(params) = Params::parse(call) else { return };
    if let Err(error) = of_message(headers, call, &params) {
        assert!(error.message.chars().count() < 200, "{}", error.message);
    }
    if let Some(arguments) = params.arguments {
        if let Ok(object) = object_of(Some(arguments)) {
            let _ = Arguments::read(&object, &[Parameter::text("message")]);
        }
    }
}

fn header() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "20[0-9]{2}-[0-9]{2}-[0-9]{2}",
        "=[?]base64[?][A-Za-z0-9+/=]{0,12}[?]=",
        "[a-z/]{0,12}"
    ]
}

fn field() -> impl Strategy<Value = String> {
    let name = prop::sample::select(
        &[
            "jsonrpc",
            "id",
            "method",
            "params",
            "_meta",
            "name",
            "arguments",
            "uri",
            "progressToken",
            "x",
            "io.modelcontextprotocol/protocolVersion",
            "io.modelcontextprotocol/clientCapabilities",
        ][..],
    );
    let value =
        "(\"2.0\"|\"2026-07-28\"|\"[a-z/\\\\u0-9]{0,12}\"|-?[0-9.e]{0,6}|null|true|\\{\\}|\\[\\]|\\{\"name\":\"x\"\\})";
    (name, value).prop_map(|(name, value)| format!("\"{name}\":{value}"))
}

proptest! {
    #[test]
    fn a_body_is_parsed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..120), text in any::<String>()) {
        check_body(&bytes, &McpHeaders::default());
        check_body(text.as_bytes(), &McpHeaders::default());
    }

    #[test]
    fn a_message_is_parsed_or_refused(
        outer in prop::collection::vec(field(), 0..6),
        inner in prop::collection::vec(field(), 0..4),
        meta in prop::collection::vec(field(), 0..4),
        [version, method, name] in [header(), header(), header()],
        batch in any::<bool>(),
    ) {
        let [version, method, name] = [&version, &method, &name].map(|text| HeaderField::Text(text));
        let headers = McpHeaders { version, method, name };
        let _ = of_headers(&headers);
        let (outer, inner, meta) = (outer.join(","), inner.join(","), meta.join(","));
        let params = format!(r#""params":{{{inner},"_meta":{{{meta}}}}}"#);
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call",{params},{outer}}}"#);
        for text in [&text, &text.replace(",}", "}").replace("{,", "{")] {
            check_body(text.as_bytes(), &headers);
            if batch {
                check_body(format!("[{text},{text}]").as_bytes(), &headers);
            }
        }
    }

    #[test]
    fn a_session_id_cannot_be_forged(id in header(), bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let seal = Signer::new(&HubKey::new([7; 32]), "tests");
        prop_assert!(McpSessionId::open(&seal, &id, "").is_none());
        // Sealed with the right key but random: it opens or not, and never panics.
        let _ = McpSessionId::open(&seal, &seal.sign(&bytes, ""), "");
    }
}
