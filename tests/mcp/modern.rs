//! Messages that stand alone: what they must say, and how a seat is kept without a session.

use serde_json::{Value, json};

use super::client::{Client, LEGACY, MODERN, fault, hub, message};

#[test]
fn discovery_says_what_there_is() {
    let (hub, _channel) = hub();
    let found = Client::modern(*hub, "/mcp").result("server/discover", json!({}));
    assert_eq!(found["supportedVersions"], json!([MODERN, LEGACY, "2025-06-18", "2025-03-26"]));
    assert_eq!(found["capabilities"], json!({"tools": {}, "resources": {}, "prompts": {}}));
    assert_eq!(found["resultType"], "complete");
    assert_eq!(found["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "rogerrat");
    assert!(found["ttlMs"].is_u64() && found["cacheScope"].is_string() && found["instructions"].is_string());
}

#[test]
fn nothing_of_a_session_is_left() {
    let (hub, _channel) = hub();
    let client = Client::modern(*hub, "/mcp");
    for method in ["initialize", "ping", "logging/setLevel", "resources/subscribe", "subscriptions/listen", "x"] {
        assert_eq!(client.fault(method, json!({})), (404, -32601), "{method}");
    }
    assert!(client.ask("tools/list", json!({})).send().header("mcp-session-id").is_none());
    let with_an_id = Client { session: Some("whatever".into()), ..client.clone() };
    assert_eq!(with_an_id.ask("tools/list", json!({})).send().status, 200, "an id means nothing here");
    let notification = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}});
    let taken = client.bare().header("MCP-Protocol-Version", MODERN).json(&notification).send();
    assert_eq!((taken.status, taken.body.len()), (202, 0));
    let answer = json!({"jsonrpc": "2.0", "id": 1, "result": {}});
    assert_eq!(fault(&client.bare().header("MCP-Protocol-Version", MODERN).json(&answer).send()), (400, -32600));
}

#[test]
fn headers_and_body_must_agree() {
    let (hub, _channel) = hub();
    let client = Client::modern(*hub, "/mcp");
    let meta =
        json!({"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}});
    let body = message("tools/call", &json!({"name": "create_channel", "arguments": {}, "_meta": meta}));
    let said = |headers: &[(&str, &str)]| {
        let request = headers.iter().fold(client.bare(), |request, (name, value)| request.header(name, value));
        request.json(&body).send()
    };
    let (version, method, name) =
        (("MCP-Protocol-Version", MODERN), ("Mcp-Method", "tools/call"), ("Mcp-Name", "create_channel"));
    assert_eq!(said(&[version, method, name]).status, 200);
    assert_eq!(said(&[("mcp-protocol-version", MODERN), ("MCP-METHOD", " tools/call "), name]).status, 200);
    for headers in [
        &[method, name][..],
        &[version, name],
        &[version, method],
        &[("MCP-Protocol-Version", LEGACY), method, name],
        &[version, ("Mcp-Method", "tools/list"), name],
        &[version, ("Mcp-Method", "Tools/Call"), name],
        &[version, method, ("Mcp-Name", "join")],
        &[version, method, name, name],
        &[version, version, method, name],
    ] {
        assert_eq!(fault(&said(headers)), (400, -32020), "{headers:?}");
    }
}

#[test]
fn what_a_message_must_say_is_asked_for() {
    let (hub, _channel) = hub();
    let client = Client::modern(*hub, "/mcp");
    let with = |version: &str, meta: Value| {
        let request = client.bare().header("MCP-Protocol-Version", version).header("Mcp-Method", "tools/list");
        request.json(&message("tools/list", &json!({"_meta": meta}))).send()
    };
    assert_eq!(fault(&with(MODERN, json!({}))), (400, -32602));
    assert_eq!(fault(&with(MODERN, json!({"io.modelcontextprotocol/protocolVersion": MODERN}))), (400, -32602));
    assert_eq!(fault(&with(MODERN, json!({"io.modelcontextprotocol/clientCapabilities": {}}))), (400, -32602));
    let later = json!({"io.modelcontextprotocol/protocolVersion": "2027-01-01", "io.modelcontextprotocol/clientCapabilities": {}});
    let reply = with("2027-01-01", later);
    assert_eq!(fault(&reply), (400, -32022));
    let data = &reply.json()["error"]["data"];
    assert_eq!((&data["requested"], &data["supported"][0]), (&json!("2027-01-01"), &json!(MODERN)));
    for version in ["2024-11-05", "1", ""] {
        let reply = client.bare().header("MCP-Protocol-Version", version).json(&message("ping", &json!({}))).send();
        assert_eq!(fault(&reply), (400, -32022), "{version}");
    }
}

#[test]
fn a_seat_goes_from_one_era_to_the_other() {
    let (hub, channel) = hub();
    let (legacy, modern) = (Client::legacy(*hub, "/mcp"), Client::modern(*hub, "/mcp"));
    let seat = legacy.joins(&channel, "ann");
    let with = |more: Value| {
        let mut arguments = seat.clone();
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        arguments
    };
    modern.does("send", &with(json!({"message": "from the other era"})));
    assert_eq!(channel.history(), ["from the other era"]);
    modern.cannot("send", &json!({"message": "hi"}), "not_joined");
    modern.cannot("send", &json!({"message": "hi", "channel_id": channel.id}), "not_joined");
    modern.does("leave", &with(json!({})));
    legacy.cannot("send", &json!({"message": "hi"}), "session_expired");
}
