//! The sessions of legacy clients: started, resumed, ended, and never taken over.

use serde_json::json;

use super::client::{Client, LEGACY, MODERN, error, hub, message, own_path};

#[test]
fn a_session_has_the_requested_version_if_it_is_supported() {
    let (hub, _channel) = hub();
    let client = Client::modern(*hub, "/mcp");
    for (requested, negotiated) in [
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2024-11-05", LEGACY),
        (MODERN, LEGACY),
        ("banana", LEGACY),
    ] {
        let reply = client.initialize(requested);
        let result = &reply.json()["result"];
        assert_eq!(result["protocolVersion"], negotiated, "{requested}");
        assert_eq!(result["capabilities"], json!({"tools": {}, "resources": {}, "prompts": {}}));
        assert_eq!((&result["serverInfo"]["name"], result["instructions"].is_string()), (&json!("rogerrat"), true));
        let id = reply.header("mcp-session-id").unwrap();
        assert!(id.bytes().all(|b| b.is_ascii_graphic()), "{id}");
    }
    let reply = client.bare_request().json(&message("initialize", &json!({"protocolVersion": 7}))).send();
    assert_eq!(error(&reply), (200, -32602));
    assert!(reply.header("mcp-session-id").is_none());
}

#[test]
fn an_unknown_session_id_or_one_of_another_endpoint_is_not_found() {
    let (hub, channel) = hub();
    let other = hub.channel();
    let (unified, own) = (Client::legacy(*hub, "/mcp"), Client::on(&channel));
    assert_eq!(unified.result("ping", json!({})), json!({}));
    assert_eq!(own.result("ping", json!({})), json!({}));
    let elsewhere = Client { session: own.session.clone(), ..unified.clone() };
    assert_eq!(elsewhere.error("ping", json!({})), (404, -32001));
    let elsewhere = Client { session: unified.session.clone(), ..own.clone() };
    assert_eq!(elsewhere.error("ping", json!({})), (404, -32001));
    let elsewhere = Client { path: own_path(&other), bearer: Some(other.token.clone()), ..own };
    assert_eq!(elsewhere.error("ping", json!({})), (404, -32001));
    let mut changed = unified.session.clone().unwrap().into_bytes();
    changed[20] ^= 1;
    let changed = String::from_utf8(changed).unwrap();
    for id in [&*changed, "a0fac639-0000-4000-8000-000000000000", "", "x", &"A".repeat(4000)] {
        let forged = Client { session: Some(id.to_owned()), ..unified.clone() };
        assert_eq!(forged.error("tools/list", json!({})), (404, -32001), "{id}");
        assert_eq!(forged.error("notifications/initialized", json!({})), (404, -32001), "{id}");
    }
}

#[test]
fn a_request_without_a_session_is_stateless() {
    let (hub, channel) = hub();
    let client = Client { session: None, ..Client::legacy(*hub, "/mcp") };
    let membership = client.join(&channel, "ann");
    client.call_refused("send", &json!({"message": "hi"}), "not_joined");
    let mut hi = membership.clone();
    hi["message"] = json!("hi");
    client.call("send", &hi);
    assert_eq!(channel.history(), ["hi"]);
}

#[test]
fn a_deleted_session_is_not_found_and_its_member_stays() {
    let (hub, channel) = hub();
    let client = Client::legacy(*hub, "/mcp");
    let membership = client.join(&channel, "ann");
    let delete = |client: &Client| {
        let request = client.target.request("DELETE", "/mcp").header("MCP-Protocol-Version", client.version);
        client.session.iter().fold(request, |request, id| request.header("Mcp-Session-Id", id)).send()
    };
    let deleted = delete(&client);
    assert_eq!((deleted.status, deleted.body.len()), (204, 0));
    assert_eq!(error(&delete(&client)), (404, -32001));
    assert_eq!(client.error("tools/list", json!({})), (404, -32001));
    assert_eq!(client.initialized().result("ping", json!({})), json!({}), "another session starts");
    assert_eq!(error(&delete(&Client { session: None, ..client.clone() })), (400, -32600));
    assert_eq!(delete(&Client { version: MODERN, ..client.clone() }).status, 405);
    assert_eq!(channel.roster(), ["ann"]);
    Client::modern(*hub, "/mcp").call("keepalive", &membership);
}

#[test]
fn initialize_neither_takes_over_nor_clears_a_session() {
    let (hub, channel) = hub();
    let ann = Client::legacy(*hub, "/mcp");
    ann.join(&channel, "ann");
    // It presents the id of ann's session, and gets another.
    let reply = ann.initialize(LEGACY);
    let other = reply.header("mcp-session-id").unwrap();
    assert_ne!(Some(other), ann.session.as_deref());
    let stranger = Client { session: Some(other.to_owned()), ..ann.clone() };
    stranger.call_refused("send", &json!({"message": "I am ann"}), "not_joined");
    ann.call("send", &json!({"message": "still here"}));
    assert_eq!(channel.history(), ["still here"]);
}

#[test]
fn a_second_join_under_the_same_callsign_continues_the_membership() {
    let (hub, channel) = hub();
    let ann = Client::legacy(*hub, "/mcp");
    let first = ann.join(&channel, "ann");
    let (again, text) =
        ann.call_with_text("join", &json!({"channel_id": channel.id, "token": channel.token, "callsign": " ANN "}));
    assert_eq!((&again["idempotent"], &again["session_id"]), (&json!(true), &first["session_id"]));
    assert!(again["collision_warning"].is_null(), "it presented its own session");
    assert!(text.contains("a callsign of your own"), "another agent that shares the connection learns it: {text}");
    assert_eq!(channel.roster(), ["ann"]);
    ann.call("send", &json!({"message": "as simple as before"}));
    ann.call("leave", &json!({}));
    ann.call_refused("leave", &json!({}), "not_joined");
    ann.call_refused("send", &json!({"message": "gone"}), "not_joined");
}

#[test]
fn a_session_id_and_a_membership_survive_a_restart_of_the_hub() {
    let mut hub = rogerrat_testkit::Hub::start();
    let channel = hub.channel();
    let ann = Client::legacy(*hub, "/mcp");
    let membership = ann.join(&channel, "ann");
    hub.restart();
    assert_eq!(ann.result("ping", json!({})), json!({}), "the hub recognizes its own ids");
    let mut after = membership.clone();
    after["message"] = json!("after");
    ann.call("send", &after);
    let again = ann.call("join", &json!({"channel_id": channel.id, "token": channel.token, "callsign": "ann"}));
    assert_eq!(again["session_id"], membership["session_id"]);
    ann.call("send", &json!({"message": "as before"}));
    assert_eq!(channel.history(), ["after", "as before"]);
}

#[test]
fn a_session_remembers_its_membership_across_a_restart_of_the_hub() {
    let mut hub = rogerrat_testkit::Hub::start();
    let channel = hub.channel();
    let ann = Client::legacy(*hub, "/mcp");
    ann.join(&channel, "ann");
    hub.restart();
    ann.call("send", &json!({"message": "after"}));
}
