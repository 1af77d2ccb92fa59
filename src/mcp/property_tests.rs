//! Properties of the parsers for input from outside, checked with random input.

use proptest::prelude::*;
use rogerrat_domain::op::{AckInput, CreateInput, JoinInput, ReadQuery, SendInput};
use rogerrat_domain::{Code, HubKey, Refusal, Signer};
use serde_json::Value;

use super::arguments::{Arguments, Parameter, object_of};
use super::catalogue::Catalogue;
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
        Ok(RpcBody::Batch(batch)) => batch.into_iter().filter_map(|entry| entry.message.ok()).for_each(message),
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
    if let Some(arguments) = params.arguments
        && let Ok(object) = object_of(Some(arguments))
    {
        let _ = Arguments::read(&object, &[Parameter::text("message")]);
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

/// A value of an argument: of any type, and text that looks like another type.
fn argument() -> impl Strategy<Value = Value> {
    let text = prop::sample::select(
        &[
            "",
            " ",
            "5",
            "#7",
            "5.0",
            "1e400",
            "true",
            "No",
            "null",
            "None",
            "high",
            "[]",
            "[1]",
            "{}",
            "[[\"a\"]]",
            "a,b",
        ][..],
    );
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let name = prop::sample::select(&["mime", "data_base64", "filename", "x"][..]).prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(name, inner.clone(), 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
            inner.prop_map(|value| Value::from(value.to_string())),
        ]
    })
}

fn argument_name() -> impl Strategy<Value = String> {
    let known = "to message text priority kind suggested_replies attachments reply_to thread client_msg_id channel_id \
                 session_id timeout_seconds since ack lease max consumer ack_upto n upto callsign retention \
                 claim_callsigns session_ttl_seconds sessionId toolCallId mesage";
    let known: Vec<_> = known.split_ascii_whitespace().map(str::to_owned).collect();
    prop_oneof![8 => prop::sample::select(known), 1 => any::<String>(), 1 => "[a-z_]{1,50}"]
}

fn check_refusal(refusal: &Refusal) {
    assert_eq!(refusal.code, Code::Invalid);
    assert!(refusal.text.chars().count() < 200, "{}", refusal.text);
}

/// Reads arguments for every tool, and parses them as the input of several.
fn check_arguments(json: &str, catalogue: &Catalogue) {
    for parameters in catalogue.parameters() {
        let arguments = match Arguments::read(json, parameters) {
            Ok(arguments) => arguments,
            Err(refusal) => {
                check_refusal(&refusal);
                continue;
            }
        };
        let read = arguments.to_json();
        assert_eq!(Arguments::read(&read, parameters).map(|again| again.to_json()).unwrap(), read, "{json}");
        let parsed = [
            arguments.parse::<SendInput>().err(),
            arguments.parse::<ReadQuery<'static>>().err(),
            arguments.parse::<CreateInput>().err(),
            arguments.parse::<JoinInput>().err(),
            arguments.parse::<AckInput>().err(),
            arguments.text("session_id").err(),
        ];
        parsed.iter().flatten().for_each(check_refusal);
    }
}

proptest! {
    #[test]
    fn arguments_are_read_or_refused(fields in prop::collection::vec((argument_name(), argument()), 0..6)) {
        let catalogue = Catalogue::new();
        let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{}:{value}", Value::from(&**name))).collect();
        check_arguments(&format!("{{{}}}", fields.join(",")), &catalogue);
    }

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
