//! Batches: several messages in one body, only in the version that has them.

use serde_json::{Value, json};

use super::client::{Client, LEGACY, MODERN, error, hub};

fn call(id: u64, tool: &str, arguments: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})
}

#[test]
fn a_batch_is_answered_in_order() {
    let (hub, channel) = hub();
    let old = Client { version: "2025-03-26", ..Client::modern(*hub, "/mcp") }.initialized();
    let bob = channel.join("bob");
    let batch = json!([
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        call(1, "join", &json!({"channel_id": channel.id, "token": channel.token, "callsign": "ann"})),
        {"jsonrpc": "2.0", "id": 2, "method": "initialize", "params": {}},
        7,
        {"jsonrpc": "2.0", "id": "3", "method": "ping"},
    ]);
    let responses = old.bare_request().json(&batch).send().ok();
    let ids: Vec<_> = responses.as_array().unwrap().iter().map(|response| response["id"].clone()).collect();
    assert_eq!(ids, [json!(1), json!(2), json!(null), json!("3")]);
    assert_eq!(responses[1]["error"]["code"], -32601, "a batch starts no session");
    bob.say("one");
    bob.say("two");
    let read =
        old.bare_request().json(&json!([call(4, "listen", &json!({})), call(5, "listen", &json!({}))])).send().ok();
    let texts: Vec<_> =
        (0..2).map(|i| rogerrat_testkit::texts(&read[i]["result"]["structuredContent"]["messages"])).collect();
    assert_eq!(texts[0], ["one", "two"]);
    assert!(texts[1].is_empty(), "the second waited for a second");
    assert_eq!(old.call("keepalive", &json!({}))["unread"], 0, "the messages of a batch are delivered");
    let without_requests =
        json!([{"jsonrpc": "2.0", "method": "notifications/initialized"}, {"jsonrpc": "2.0", "id": 1, "result": {}}]);
    assert_eq!(old.bare_request().json(&without_requests).send().status, 202);
}

#[test]
fn later_versions_have_no_batches() {
    let (hub, channel) = hub();
    let batch = json!([call(1, "join", &json!({"channel_id": channel.id, "token": channel.token}))]);
    let before = channel.visible_state();
    for version in [LEGACY, "2025-06-18", MODERN] {
        let client = Client { version, ..Client::modern(*hub, "/mcp") };
        let reply = client.bare_request().header("MCP-Protocol-Version", version).json(&batch).send();
        assert_eq!(error(&reply), (400, -32600), "{version}");
        if version != MODERN {
            let session = client.initialized();
            assert_eq!(error(&session.bare_request().json(&batch).send()), (400, -32600), "the session has a version");
        }
    }
    for body in ["[]", &format!("[{}]", vec!["7"; 33].join(","))] {
        assert_eq!(error(&Client::modern(*hub, "/mcp").bare_request().body(body).send()), (400, -32600));
    }
    assert_eq!(channel.visible_state(), before);
}
