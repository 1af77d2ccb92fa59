//! Property tests of parsing untrusted input: no panic, no long echo, and accepted values are stable.

mod checks;

use proptest::prelude::*;
use serde_json::{Value, json};

/// Text that is difficult for parsers.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-z0-9_-]{0,70}",
        "[ \\t]*[A-Z][a-z0-9_-]{0,33}[ \\n]*",
        "[!-~]{0,140}",
        "[\\x00-\\x1f\\x7f-\\x9f\u{2028}\u{202e}a]{0,80}",
        Just("all".to_owned()),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|n| json!(n)),
        text().prop_map(Value::from),
        "[A-Za-z0-9+/ ]{0,40}={0,3}".prop_map(Value::from),
        prop_oneof![Just("image/png"), Just("status"), Just("urgent"), Just("trusted"), Just("private"), Just("disk")]
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 16, 5, |inner| {
        let file = (inner.clone(), inner.clone(), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(Value::from),
            file.prop_map(|(mime, data, name)| json!([{"mime": mime, "data_base64": data, "filename": name}])),
        ]
    })
}

/// A body with some of these fields.
fn body(fields: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::btree_map(prop::sample::select(fields), value(), 0..fields.len())
        .prop_map(|fields| json!(fields).to_string())
}

const SEND: &[&str] = &[
    "to",
    "message",
    "text",
    "priority",
    "kind",
    "suggested_replies",
    "attachments",
    "reply_to",
    "thread",
    "client_msg_id",
];
const JOIN: &[&str] = &["callsign", "owner_password", "identity_key"];
const CREATE: &[&str] = &[
    "retention",
    "trust_mode",
    "owner_password",
    "session_ttl_seconds",
    "member_ttl_seconds",
    "dm_visibility",
    "claim_callsigns",
    "durability",
    "require_identity",
    "webhook",
];

proptest! {
    #[test]
    fn d11_a_send_is_accepted_or_refused(body in body(SEND), key in prop::option::of(text())) {
        checks::send(body.as_bytes(), key.as_deref());
    }

    #[test]
    fn d11_a_join_is_accepted_or_refused(body in body(JOIN)) {
        checks::join(body.as_bytes());
    }

    #[test]
    fn d11_a_create_is_accepted_or_refused(body in body(CREATE)) {
        checks::create(body.as_bytes());
    }

    #[test]
    fn d16_a_name_is_accepted_or_refused(input in text()) {
        checks::names(&input);
    }

    #[test]
    fn d27_any_text_is_shown_on_one_line(input in text()) {
        checks::shown(&input);
    }
}
