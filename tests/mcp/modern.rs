//! Stateless messages: their metadata and headers, and memberships without an MCP session.

use serde_json::{Value, json};

use super::client::{Client, LEGACY, MODERN, error, hub, message};

#[test]
fn discover_returns_versions_and_capabilities() {
    let (hub, _channel) = hub();
    let found = Client::modern(*hub, "/mcp").result("server/discover", json!({}));
    assert_eq!(found["supportedVersions"], json!([MODERN, LEGACY, "2025-06-18", "2025-03-26"]));
    assert_eq!(found["capabilities"], json!({"tools": {}, "resources": {}, "prompts": {}}));
    assert_eq!(found["resultType"], "complete");
    assert_eq!(found["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "rogerrat");
    assert!(found["ttlMs"].is_u64() && found["cacheScope"].is_string() && found["instructions"].is_string());
}

#[test]
fn the_methods_of_sessions_do_not_exist() {
    let (hub, _channel) = hub();
    let client = Client::modern(*hub, "/mcp");
    for method in ["initialize", "ping", "logging/setLevel", "resources/subscribe", "subscriptions/listen", "x"] {
        assert_eq!(client.error(method, json!({})), (404, -32601), "{method}");
    }
    assert!(client.request("tools/list", json!({})).send().header("mcp-session-id").is_none());
    let with_an_id = Client { session: Some("whatever".into()), ..client.clone() };
    assert_eq!(with_an_id.request("tools/list", json!({})).send().status, 200, "a session id is ignored");
    let notification = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}});
    let taken = client.bare_request().header("MCP-Protocol-Version", MODERN).json(&notification).send();
    assert_eq!((taken.status, taken.body.len()), (202, 0));
    let response = json!({"jsonrpc": "2.0", "id": 1, "result": {}});
    assert_eq!(
        error(&client.bare_request().header("MCP-Protocol-Version", MODERN).json(&response).send()),
        (400, -32600)
    );
}

#[test]
fn headers_and_body_must_agree() {
    let (hub, _channel) = hub();
    let client = Client::modern(*hub, "/mcp");
    let meta =
        json!({"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}});
    let body = message("tools/call", &json!({"name": "create_channel", "arguments": {}, "_meta": meta}));
    let send = |headers: &[(&str, &str)]| {
        let request = headers.iter().fold(client.bare_request(), |request, (name, value)| request.header(name, value));
        request.json(&body).send()
    };
    let (version, method, name) =
        (("MCP-Protocol-Version", MODERN), ("Mcp-Method", "tools/call"), ("Mcp-Name", "create_channel"));
    assert_eq!(send(&[version, method, name]).status, 200);
    assert_eq!(send(&[("mcp-protocol-version", MODERN), ("MCP-METHOD", " tools/call "), name]).status, 200);
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
        assert_eq!(error(&send(headers)), (400, -32020), "{headers:?}");
    }
}

#[test]
fn incomplete_metadata_and_unknown_versions_are_refused() {
    let (hub, _channel) = hub();
    let client = Client::modern(*hub, "/mcp");
    let with = |version: &str, meta: Value| {
        let request = client.bare_request().header("MCP-Protocol-Version", version).header("Mcp-Method", "tools/list");
        request.json(&message("tools/list", &json!({"_meta": meta}))).send()
    };
    assert_eq!(error(&with(MODERN, json!({}))), (400, -32602));
    assert_eq!(error(&with(MODERN, json!({"io.modelcontextprotocol/protocolVersion": MODERN}))), (400, -32602));
    assert_eq!(error(&with(MODERN, json!({"io.modelcontextprotocol/clientCapabilities": {}}))), (400, -32602));
    let later = json!({"io.modelcontextprotocol/protocolVersion": "2027-01-01", "io.modelcontextprotocol/clientCapabilities": {}});
    let reply = with("2027-01-01", later);
    assert_eq!(error(&reply), (400, -32022));
    let data = &reply.json()["error"]["data"];
    assert_eq!((&data["requested"], &data["supported"][0]), (&json!("2027-01-01"), &json!(MODERN)));
    for version in ["2024-11-05", "1", ""] {
        let reply =
            client.bare_request().header("MCP-Protocol-Version", version).json(&message("ping", &json!({}))).send();
        assert_eq!(error(&reply), (400, -32022), "{version}");
    }
}

#[test]
fn a_membership_is_usable_from_legacy_and_modern_clients() {
    let (hub, channel) = hub();
    let (legacy, modern) = (Client::legacy(*hub, "/mcp"), Client::modern(*hub, "/mcp"));
    let membership = legacy.join(&channel, "ann");
    let with = |more: Value| {
        let mut arguments = membership.clone();
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        arguments
    };
    modern.call("send", &with(json!({"message": "from the other version"})));
    assert_eq!(channel.history(), ["from the other version"]);
    modern.call_refused("send", &json!({"message": "hi"}), "not_joined");
    modern.call_refused("send", &json!({"message": "hi", "channel_id": channel.id}), "not_joined");
    modern.call("leave", &with(json!({})));
    legacy.call_refused("send", &json!({"message": "hi"}), "session_expired");
}
