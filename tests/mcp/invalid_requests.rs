//! Invalid requests: each gets the right error and status, and changes nothing.

use serde_json::{Value, json};

use super::client::{Client, error, hub, message, own_path};

#[test]
fn an_invalid_message_is_refused_and_changes_nothing() {
    let (hub, channel) = hub();
    let ann = Client::legacy(*hub, "/mcp");
    ann.join(&channel, "ann");
    let before = channel.visible_state();
    let send = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"send","arguments":{"message":"x"}}"#;
    for (body, status, code) in [
        (&b""[..], 400, -32700),
        (b"{", 400, -32700),
        (b"rubbish", 400, -32700),
        (b"\xff\xfe", 400, -32700),
        (send.as_bytes(), 400, -32700),
        (b"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"\xff\"}", 400, -32700),
        (b"7", 400, -32600),
        (b"null", 400, -32600),
        (b"{}", 400, -32600),
        (br#"{"jsonrpc":"1.0","id":7,"method":"ping"}"#, 400, -32600),
        (br#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, 400, -32600),
        (br#"{"jsonrpc":"2.0","id":7,"method":["ping"]}"#, 400, -32600),
        (br#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":[1]}"#, 200, -32602),
        (br#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":[]}"#, 200, -32602),
        (br#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{}}"#, 200, -32602),
        (br#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":7}}"#, 200, -32602),
        (br#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"wave"}}"#, 200, -32602),
        (br#"{"jsonrpc":"2.0","id":7,"method":"prompts/get","params":{"name":"wave"}}"#, 200, -32602),
        (br#"{"jsonrpc":"2.0","id":7,"method":"prompts/get","params":{"name":"join_channel"}}"#, 200, -32602),
        (
            br#"{"jsonrpc":"2.0","id":7,"method":"prompts/get","params":{"name":"join_channel","arguments":[]}}"#,
            200,
            -32602,
        ),
        (br#"{"jsonrpc":"2.0","id":7,"method":"resources/read","params":{"uri":7}}"#, 200, -32602),
        (br#"{"jsonrpc":"2.0","id":7,"method":"resources/read","params":{"uri":"file:///etc/passwd"}}"#, 200, -32002),
        (br#"{"jsonrpc":"2.0","id":7,"method":"server/discover"}"#, 400, -32602),
        (br#"{"jsonrpc":"2.0","id":7,"method":"sampling/createMessage"}"#, 200, -32601),
        (br#"{"jsonrpc":"2.0","id":7,"method":""}"#, 200, -32601),
        (br#"[{"jsonrpc":"2.0","id":7,"method":"ping"}]"#, 400, -32600),
    ] {
        let reply = ann.bare_request().body(body).send();
        assert_eq!(error(&reply), (status, code), "{}", String::from_utf8_lossy(body));
    }
    assert_eq!(channel.visible_state(), before);
}

#[test]
fn d12_a_body_is_limited_before_all_of_it_is_read() {
    let (hub, _channel) = hub();
    let client = Client::legacy(*hub, "/mcp");
    client.bare_request().body(vec![b' '; 1024 * 1024 + 1]).send().refused(413, "too_large");
    client.bare_request().header("Content-Length", "9999999999").send().refused(413, "too_large");
    let long = "x".repeat(1000);
    for reply in [
        client.request(&long, json!({})).send(),
        client.tool_request(&long, &json!({})).send(),
        client.tool_request("send", &json!({ &*long: 1 })).send(),
        client.bare_request().header("MCP-Protocol-Version", &long).json(&message("ping", &json!({}))).send(),
    ] {
        assert!(!reply.text().contains(&"x".repeat(65)), "{}", reply.text());
    }
}

#[test]
fn invalid_arguments_are_an_error_result_and_change_nothing() {
    let (hub, channel) = hub();
    let ann = Client::legacy(*hub, "/mcp");
    ann.join(&channel, "ann");
    let before = channel.visible_state();
    let cases: &[(&str, Value, &str)] = &[
        ("send", json!({"message": {"text": "x"}}), "`message`"),
        ("send", json!({}), "`message` is missing"),
        ("send", json!({"message": " \n"}), "`message` is missing"),
        ("send", json!({"message": "x", "to": true}), "`to`"),
        ("send", json!({"message": "x", "priority": "loud"}), "`priority`"),
        ("send", json!({"message": "x", "reply_to": 1.5}), "`reply_to`"),
        ("send", json!({"message": "x", "attachments": [{}]}), "`attachments[0]`"),
        ("send", json!({"message": "x".repeat(8193)}), "longer"),
        ("send", json!({"massage": "x"}), "`massage`"),
        ("send", json!({"message": "x", "channel_id": {"id": 7}}), "`channel_id`"),
        ("send", json!({"message": "x", "session_id": ["a", "b"]}), "`session_id`"),
        ("send", json!({"message": "x", "channelId": "y"}), "`channel_id`"),
        ("send", json!({"message": "x", "session_id": "short"}), "session_id"),
        ("send", json!(["x"]), "`arguments`"),
        ("send", json!("message"), "`arguments`"),
        ("listen", json!({"timeout_seconds": "soon"}), "`timeout_seconds`"),
        ("listen", json!({"timeout": 1}), "`timeout`"),
        ("wait", json!({"ack": "maybe"}), "ack"),
        ("wait", json!({"max": 0}), "max"),
        ("wait", json!({"max": 1.5}), "max"),
        ("wait", json!({"consumer": "UPPER"}), "consumer"),
        ("wait", json!({"ack_upto": 99_999_999_999_999_999_u64}), "upto"),
        ("ack", json!({}), "`upto`"),
        ("ack", json!({"upto": "x"}), "`upto`"),
        ("history", json!({"n": "many"}), "`n`"),
        ("create_channel", json!({"retention": "forever"}), "`retention`"),
        ("create_channel", json!({"webhook": {"url": "x"}}), "`webhook`"),
        ("create_channel", json!({"account_token": true, "retension": "none"}), "`retention`"),
        ("create_identity", json!({}), "`session_token`"),
        ("create_identity", json!({"session_token": " "}), "`session_token`"),
        ("create_channel", json!({"trust_mode": "trusted"}), "owner_password"),
        ("create_channel", json!({"session_ttl_seconds": -1}), "session_ttl_seconds"),
        ("join", json!({}), "`channel_id`"),
        ("join", json!({"channel_id": channel.id, "token": channel.token, "callsign": "no spaces"}), "callsign"),
        (
            "join",
            json!({"channel_id": channel.id, "token": channel.token, "identity_key": {}, "token ": []}),
            "`token`",
        ),
    ];
    for (tool, arguments, named) in cases {
        let refused = ann.call_refused(tool, arguments, "invalid");
        assert!(refused.contains(named), "{tool} {arguments}: {refused}");
    }
    ann.call_refused("join", &json!({"channel_id": "no-such-channel"}), "not_found");
    ann.call_refused("join", &json!({"channel_id": "../../etc"}), "not_found");
    ann.call_refused("send", &json!({"message": "x", "to": "nobody"}), "unknown_recipient");
    let file = json!({"mime": "application/pdf", "data_base64": "A".repeat(524_292)});
    ann.call_refused("send", &json!({"message": "x", "attachments": [file]}), "too_large");
    ann.call_refused("ack", &json!({"upto": 1, "consumer": "laptop"}), "not_found");
    assert_eq!(channel.visible_state(), before);
}

#[test]
fn d07_wrong_methods_are_405_on_both_endpoints() {
    let (hub, channel) = hub();
    for path in ["/mcp", &own_path(&channel)] {
        for method in ["GET", "HEAD", "PUT", "PATCH", "OPTIONS"] {
            let reply = hub.request(method, path).bearer(&channel.token).header("Accept", "text/event-stream").send();
            assert_eq!((reply.status, reply.header("allow")), (405, Some("POST, DELETE")), "{method} {path}");
        }
    }
    for path in ["/mcp/", "/mcp/x/y", "/MCP"] {
        hub.post(path).json(&message("ping", &json!({}))).send().refused(404, "not_found");
    }
}
