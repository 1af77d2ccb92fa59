//! The sessions of legacy clients: begun, found again, ended, and never taken over.

use serde_json::json;

use super::client::{Client, LEGACY, MODERN, fault, hub, message, own_path};

#[test]
fn a_session_begins_in_the_version_that_was_asked_for_if_it_is_spoken() {
    let (hub, _channel) = hub();
    let client = Client::modern(*hub, "/mcp");
    for (asked, spoken) in [
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2024-11-05", LEGACY),
        (MODERN, LEGACY),
        ("banana", LEGACY),
    ] {
        let reply = client.initialize(asked);
        let result = &reply.json()["result"];
        assert_eq!(result["protocolVersion"], spoken, "{asked}");
        assert_eq!(result["capabilities"], json!({"tools": {}, "resources": {}, "prompts": {}}));
        assert_eq!((&result["serverInfo"]["name"], result["instructions"].is_string()), (&json!("rogerrat"), true));
        let id = reply.header("mcp-session-id").unwrap();
        assert!(id.bytes().all(|b| b.is_ascii_graphic()), "{id}");
    }
    let reply = client.bare().json(&message("initialize", &json!({"protocolVersion": 7}))).send();
    assert_eq!(fault(&reply), (200, -32602));
    assert!(reply.header("mcp-session-id").is_none());
}

#[test]
fn a_session_that_is_not_ours_is_not_found_and_one_of_another_endpoint_neither() {
    let (hub, channel) = hub();
    let other = hub.channel();
    let (unified, own) = (Client::legacy(*hub, "/mcp"), Client::on(&channel));
    assert_eq!(unified.result("ping", json!({})), json!({}));
    assert_eq!(own.result("ping", json!({})), json!({}));
    let elsewhere = Client { session: own.session.clone(), ..unified.clone() };
    assert_eq!(elsewhere.fault("ping", json!({})), (404, -32001));
    let elsewhere = Client { session: unified.session.clone(), ..own.clone() };
    assert_eq!(elsewhere.fault("ping", json!({})), (404, -32001));
    let elsewhere = Client { path: own_path(&other), bearer: Some(other.token.clone()), ..own };
    assert_eq!(elsewhere.fault("ping", json!({})), (404, -32001));
    let mut touched = unified.session.clone().unwrap().into_bytes();
    touched[20] ^= 1;
    let touched = String::from_utf8(touched).unwrap();
    for id in [&*touched, "a0fac639-0000-4000-8000-000000000000", "", "x", &"A".repeat(4000)] {
        let forged = Client { session: Some(id.to_owned()), ..unified.clone() };
        assert_eq!(forged.fault("tools/list", json!({})), (404, -32001), "{id}");
        assert_eq!(forged.fault("notifications/initialized", json!({})), (404, -32001), "{id}");
    }
}

#[test]
fn a_request_without_a_session_is_answered_and_remembers_nothing() {
    let (hub, channel) = hub();
    let nobody = Client { session: None, ..Client::legacy(*hub, "/mcp") };
    let seat = nobody.joins(&channel, "ann");
    nobody.cannot("send", &json!({"message": "hi"}), "not_joined");
    let mut hi = seat.clone();
    hi["message"] = json!("hi");
    nobody.does("send", &hi);
    assert_eq!(channel.history(), ["hi"]);
}

#[test]
fn a_session_that_was_deleted_is_not_found_and_its_seat_stays() {
    let (hub, channel) = hub();
    let client = Client::legacy(*hub, "/mcp");
    let seat = client.joins(&channel, "ann");
    let delete = |client: &Client| {
        let request = client.target.request("DELETE", "/mcp").header("MCP-Protocol-Version", client.version);
        client.session.iter().fold(request, |request, id| request.header("Mcp-Session-Id", id)).send()
    };
    let gone = delete(&client);
    assert_eq!((gone.status, gone.body.len()), (204, 0));
    assert_eq!(fault(&delete(&client)), (404, -32001));
    assert_eq!(client.fault("tools/list", json!({})), (404, -32001));
    assert_eq!(client.initialized().result("ping", json!({})), json!({}), "another one begins");
    assert_eq!(fault(&delete(&Client { session: None, ..client.clone() })), (400, -32600));
    assert_eq!(delete(&Client { version: MODERN, ..client.clone() }).status, 405);
    assert_eq!(channel.roster(), ["ann"]);
    Client::modern(*hub, "/mcp").does("keepalive", &seat);
}

#[test]
fn no_initialize_takes_over_or_wipes_a_session() {
    let (hub, channel) = hub();
    let ann = Client::legacy(*hub, "/mcp");
    ann.joins(&channel, "ann");
    // It comes with the id of ann's session, and gets another.
    let reply = ann.initialize(LEGACY);
    let other = reply.header("mcp-session-id").unwrap();
    assert_ne!(Some(other), ann.session.as_deref());
    let stranger = Client { session: Some(other.to_owned()), ..ann.clone() };
    stranger.cannot("send", &json!({"message": "it is me"}), "not_joined");
    ann.does("send", &json!({"message": "still here"}));
    assert_eq!(channel.history(), ["still here"]);
}

#[test]
fn a_session_has_one_seat_and_joining_elsewhere_gives_up_the_one_before() {
    let (hub, here) = hub();
    let there = hub.channel();
    let ann = Client::legacy(*hub, "/mcp");
    ann.joins(&here, "ann");
    ann.does("send", &json!({"message": "here"}));
    ann.cannot("join", &json!({"channel_id": there.id, "token": "wrong"}), "unauthorized");
    assert_eq!(here.roster(), ["ann"], "a join that fails changes nothing");
    ann.joins(&there, "ann");
    ann.does("send", &json!({"message": "there"}));
    assert!(here.roster().is_empty());
    assert_eq!((here.history(), there.history()), (vec!["here".to_owned()], vec!["there".to_owned()]));
    ann.does("leave", &json!({}));
    ann.cannot("send", &json!({"message": "gone"}), "not_joined");
    ann.cannot("leave", &json!({}), "not_joined");
}

#[test]
fn a_second_join_of_a_session_is_the_same_seat_and_another_callsign_renames_it() {
    let (hub, channel) = hub();
    let ann = Client::legacy(*hub, "/mcp");
    let first = ann.joins(&channel, "ann");
    let again = ann.does("join", &json!({"channel_id": channel.id, "token": channel.token, "callsign": "ann"}));
    assert_eq!((&again["idempotent"], &again["session_id"]), (&json!(true), &first["session_id"]));
    assert!(again["collision_warning"].is_null(), "its own session came with it");
    ann.joins(&channel, "anna");
    assert_eq!(channel.roster(), ["anna"]);
}

#[test]
fn a_session_and_a_seat_survive_a_restart_of_the_hub() {
    let mut hub = rogerrat_testkit::Hub::start();
    let channel = hub.channel();
    let ann = Client::legacy(*hub, "/mcp");
    let seat = ann.joins(&channel, "ann");
    hub.restart();
    assert_eq!(ann.result("ping", json!({})), json!({}), "the hub knows its own ids");
    let mut after = seat.clone();
    after["message"] = json!("after");
    ann.does("send", &after);
    let again = ann.does("join", &json!({"channel_id": channel.id, "token": channel.token, "callsign": "ann"}));
    assert_eq!(again["session_id"], seat["session_id"]);
    ann.does("send", &json!({"message": "as before"}));
    assert_eq!(channel.history(), ["after", "as before"]);
}

#[test]
fn a_session_remembers_its_seat_over_a_restart_of_the_hub() {
    let mut hub = rogerrat_testkit::Hub::start();
    let channel = hub.channel();
    let ann = Client::legacy(*hub, "/mcp");
    ann.joins(&channel, "ann");
    hub.restart();
    ann.does("send", &json!({"message": "after"}));
}
