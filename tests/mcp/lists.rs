//! What is listed: tools, resources and prompts, on both endpoints and in both eras.

use rogerrat_testkit::Hub;
use serde_json::{Value, json};

use super::client::{Client, hub, own_path};

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[test]
fn the_tools_of_both_endpoints() {
    let (hub, channel) = hub();
    let modern = Client::modern(*hub, "/mcp");
    let own = Client { path: own_path(&channel), bearer: Some(channel.token.clone()), ..modern.clone() };
    let unified = modern.result("tools/list", json!({}));
    let order =
        "create_channel join send listen wait ack roster history leave keepalive create_account create_identity";
    assert_eq!(names(&unified["tools"]).join(" "), order);
    assert!(unified["ttlMs"].is_u64() && unified["cacheScope"].is_string() && unified["resultType"] == "complete");
    let channels_own = own.result("tools/list", json!({}));
    assert_eq!(
        names(&channels_own["tools"]).join(" "),
        "join send listen wait ack roster history leave keepalive create_account create_identity create_channel"
    );
    assert!(!channels_own.to_string().contains("channel_id\":{\"description\":\"The channel, if"));
    let legacy = Client::legacy(*hub, "/mcp").result("tools/list", json!({}));
    assert_eq!(legacy["tools"], unified["tools"]);
    assert!(legacy["ttlMs"].is_null() && legacy["resultType"].is_null());
    assert_eq!(modern.result("tools/list", json!({})), unified, "the same each time");
    // The first one takes nothing and does what it says.
    modern.does("create_channel", &json!({}));
    own.does("join", &json!({}));
}

#[test]
fn a08_a_preset_speaks_in_the_description_of_create() {
    let hub = Hub::start();
    let client = Client::modern(*hub, "/mcp");
    let description = |host: &str| {
        let list = client.ask("tools/list", json!({})).header("Host", host).send().ok();
        (
            list["result"]["tools"][0]["description"].as_str().unwrap().to_owned(),
            list["result"]["tools"][0]["inputSchema"].clone(),
        )
    };
    let (plain, schema) = description("localhost");
    for mode in ["park", "live", "go"] {
        let (told, same) = description(&format!("{mode}.localhost"));
        assert!(told.starts_with(&plain) && told.len() > plain.len() + 50, "{told}");
        assert_eq!(schema, same);
    }
    let made = client.call("create_channel", &json!({})).header("Host", "go.localhost").send().ok();
    let made = &made["result"]["structuredContent"];
    assert!(made["owner_password"].is_string() && made["trust_mode"] == "trusted", "{made}");
}

#[test]
fn resources_are_there_for_who_is_on_the_channel() {
    let (hub, channel) = hub();
    let uri = |kind: &str| format!("rogerrat://channel/{}/{kind}", channel.id);
    let (member, stranger) = (Client::legacy(*hub, "/mcp"), Client::legacy(*hub, "/mcp"));
    assert_eq!(member.result("resources/list", json!({})), json!({"resources": []}));
    member.joins(&channel, "ann");
    member.does("send", &json!({"message": "hi"}));
    let own = Client { bearer: Some(channel.token.clone()), ..Client::modern(*hub, &own_path(&channel)) };
    for client in [&member, &own] {
        let listed = client.result("resources/list", json!({}));
        assert_eq!(listed["resources"][0]["uri"], uri("history"));
        assert_eq!(listed["resources"][1]["uri"], uri("roster"));
        let read = |kind: &str| -> Value {
            let read = client.result("resources/read", json!({"uri": uri(kind)}));
            assert_eq!(
                (&read["contents"][0]["uri"], &read["contents"][0]["mimeType"]),
                (&json!(uri(kind)), &json!("application/json"))
            );
            serde_json::from_str(read["contents"][0]["text"].as_str().unwrap()).unwrap()
        };
        assert_eq!(read("history")["history"][0]["text"], "hi");
        assert_eq!(read("roster")["roster"], json!(["ann"]));
    }
    assert_eq!(
        names(&stranger.result("resources/templates/list", json!({}))["resourceTemplates"]),
        ["history", "roster"]
    );
    assert_eq!(stranger.fault("resources/read", json!({"uri": uri("history")})), (200, -32002));
    let modern = Client::modern(*hub, "/mcp");
    assert_eq!(modern.fault("resources/read", json!({"uri": uri("history")})), (400, -32602));
    for odd in [uri("secrets"), uri("history/x"), "rogerrat://channel/general/history".into(), String::new()] {
        assert_eq!(member.fault("resources/read", json!({"uri": odd})), (200, -32002), "{odd}");
    }
    let again = Client::legacy(*hub, "/mcp");
    let seat = again.joins(&channel, "bob");
    Client::modern(*hub, "/mcp").does("leave", &seat);
    assert_eq!(again.fault("resources/read", json!({"uri": uri("history")})), (200, -32002), "its seat is gone");
    member.does("leave", &json!({}));
    assert_eq!(member.fault("resources/read", json!({"uri": uri("history")})), (200, -32002), "it has left");
}

#[test]
fn d21_a_resource_shows_no_direct_message_of_others_where_they_are_private() {
    let (hub, _) = hub();
    let channel = hub.channel_with(&json!({"dm_visibility": "private"}));
    let (ann, _bob, eve) = (channel.join("ann"), channel.join("bob"), Client::legacy(*hub, "/mcp"));
    eve.joins(&channel, "eve");
    ann.send("bob", "between us");
    ann.say("for all");
    let uri = format!("rogerrat://channel/{}/history", channel.id);
    let read = eve.result("resources/read", json!({"uri": uri})).to_string();
    let (past, text) = eve.says("history", &json!({}));
    for told in [read, past.to_string(), text] {
        assert!(told.contains("for all") && !told.contains("between us"), "{told}");
    }
}

#[test]
fn prompts_help_to_join_and_to_invite() {
    let (hub, channel) = hub();
    let client = Client::modern(*hub, "/mcp");
    assert_eq!(names(&client.result("prompts/list", json!({}))["prompts"]), ["join_channel", "invite_peer"]);
    let text = |client: &Client, name: &str, arguments: Value| {
        let prompt = client.result("prompts/get", json!({"name": name, "arguments": arguments}));
        assert_eq!(prompt["messages"][0]["role"], "user");
        prompt["messages"][0]["content"]["text"].as_str().unwrap().to_owned()
    };
    let told = text(&client, "join_channel", json!({"channel_id": channel.id, "token": "t0k\nen`", "callsign": "ann"}));
    assert!(told.contains(&channel.id) && told.contains("`t0k\\nen`") && told.contains("`ann`"), "{told}");
    let told =
        text(&client, "invite_peer", json!({"channel_id": channel.id, "token": channel.token, "callsign": "bob"}));
    assert!(told.contains(&channel.token) && told.contains("`bob`") && told.contains("/llms.txt"), "{told}");
    let own = Client { path: own_path(&channel), bearer: Some(channel.token.clone()), ..client };
    let arguments = &own.result("prompts/list", json!({}))["prompts"][1]["arguments"];
    assert_eq!(names(arguments), ["callsign"]);
    let told = text(&own, "invite_peer", json!({}));
    assert!(told.contains(&channel.token) && told.contains(&channel.id), "{told}");
    let guarded = Hub::with(&["--token", "correct-horse-battery"], &[]);
    let operator = Client { bearer: Some("correct-horse-battery".into()), ..Client::modern(*guarded, "/mcp/general") };
    assert!(
        !text(&operator, "invite_peer", json!({})).contains("correct-horse"),
        "the hub's token is handed to nobody"
    );
}
