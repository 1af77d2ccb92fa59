//! Tools, resources and prompts, on both endpoints and in all versions.

use rogerrat_testkit::Hub;
use serde_json::{Value, json};

use super::client::{Client, hub, own_path};

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[test]
fn both_endpoints_list_the_tools() {
    let (hub, channel) = hub();
    let modern = Client::modern(*hub, "/mcp");
    let own = Client { path: own_path(&channel), bearer: Some(channel.token.clone()), ..modern.clone() };
    let of_hub = modern.result("tools/list", json!({}));
    let order = "create_channel join send listen wait ack roster history fetch ask take finish tasks leave keepalive create_account \
         create_identity open_remote_control make_remote_link";
    assert_eq!(names(&of_hub["tools"]).join(" "), order);
    assert!(of_hub["ttlMs"].is_u64() && of_hub["cacheScope"].is_string() && of_hub["resultType"] == "complete");
    let of_channel = own.result("tools/list", json!({}));
    assert_eq!(
        names(&of_channel["tools"]).join(" "),
        "join send listen wait ack roster history fetch ask take finish tasks leave keepalive create_account create_identity \
         open_remote_control make_remote_link create_channel"
    );
    assert!(!of_channel.to_string().contains("channel_id\":{\"description\":\"The channel, if"));
    let legacy = Client::legacy(*hub, "/mcp").result("tools/list", json!({}));
    assert_eq!(legacy["tools"], of_hub["tools"]);
    assert!(legacy["ttlMs"].is_null() && legacy["resultType"].is_null());
    assert_eq!(modern.result("tools/list", json!({})), of_hub, "the list does not change");
    // The first tool needs no arguments.
    modern.call("create_channel", &json!({}));
    own.call("join", &json!({}));
}

#[test]
fn a08_a_preset_adds_its_advice_to_the_description_of_create_channel() {
    let hub = Hub::start();
    let client = Client::modern(*hub, "/mcp");
    let description = |host: &str| {
        let list = client.request("tools/list", json!({})).header("Host", host).send().ok();
        (
            list["result"]["tools"][0]["description"].as_str().unwrap().to_owned(),
            list["result"]["tools"][0]["inputSchema"].clone(),
        )
    };
    let (plain, schema) = description("localhost");
    for mode in ["park", "live", "go"] {
        let (text, same_schema) = description(&format!("{mode}.localhost"));
        assert!(text.starts_with(&plain) && text.len() > plain.len() + 50, "{text}");
        assert_eq!(schema, same_schema);
    }
    let made = client.tool_request("create_channel", &json!({})).header("Host", "go.localhost").send().ok();
    let made = &made["result"]["structuredContent"];
    assert!(made["owner_password"].is_string() && made["trust_mode"] == "trusted", "{made}");
}

#[test]
fn resources_exist_only_for_members_of_the_channel() {
    let (hub, channel) = hub();
    let uri = |kind: &str| format!("rogerrat://channel/{}/{kind}", channel.id);
    let (member, stranger) = (Client::legacy(*hub, "/mcp"), Client::legacy(*hub, "/mcp"));
    assert_eq!(member.result("resources/list", json!({})), json!({"resources": []}));
    member.join(&channel, "ann");
    member.call("send", &json!({"message": "hi"}));
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
    assert_eq!(stranger.error("resources/read", json!({"uri": uri("history")})), (200, -32002));
    let modern = Client::modern(*hub, "/mcp");
    assert_eq!(modern.error("resources/read", json!({"uri": uri("history")})), (400, -32602));
    for odd in [uri("secrets"), uri("history/x"), "rogerrat://channel/general/history".into(), String::new()] {
        assert_eq!(member.error("resources/read", json!({"uri": odd})), (200, -32002), "{odd}");
    }
    let again = Client::legacy(*hub, "/mcp");
    let bob = again.join(&channel, "bob");
    Client::modern(*hub, "/mcp").call("leave", &bob);
    assert_eq!(again.error("resources/read", json!({"uri": uri("history")})), (200, -32002), "its member has left");
    member.call("leave", &json!({}));
    assert_eq!(member.error("resources/read", json!({"uri": uri("history")})), (200, -32002), "it has left");
}

#[test]
fn d21_a_resource_hides_private_direct_messages_of_others() {
    let (hub, _) = hub();
    let channel = hub.channel_with(&json!({"dm_visibility": "private"}));
    let (ann, _bob, eve) = (channel.join("ann"), channel.join("bob"), Client::legacy(*hub, "/mcp"));
    eve.join(&channel, "eve");
    ann.send("bob", "between us");
    ann.say("for all");
    let uri = format!("rogerrat://channel/{}/history", channel.id);
    let read = eve.result("resources/read", json!({"uri": uri})).to_string();
    let (past, text) = eve.call_with_text("history", &json!({}));
    for output in [read, past.to_string(), text] {
        assert!(output.contains("for all") && !output.contains("between us"), "{output}");
    }
}

#[test]
fn prompts_name_the_channel_and_token_to_join_or_to_invite() {
    let (hub, channel) = hub();
    let client = Client::modern(*hub, "/mcp");
    assert_eq!(names(&client.result("prompts/list", json!({}))["prompts"]), ["join_channel", "invite_peer"]);
    let prompt_text = |client: &Client, name: &str, arguments: Value| {
        let prompt = client.result("prompts/get", json!({"name": name, "arguments": arguments}));
        assert_eq!(prompt["messages"][0]["role"], "user");
        prompt["messages"][0]["content"]["text"].as_str().unwrap().to_owned()
    };
    let text =
        prompt_text(&client, "join_channel", json!({"channel_id": channel.id, "token": "t0k\nen`", "callsign": "ann"}));
    assert!(text.contains(&channel.id) && text.contains("`t0k\\nen`") && text.contains("`ann`"), "{text}");
    let text = prompt_text(
        &client,
        "invite_peer",
        json!({"channel_id": channel.id, "token": channel.token, "callsign": "bob"}),
    );
    assert!(text.contains(&channel.token) && text.contains("`bob`") && text.contains("/llms.txt"), "{text}");
    let own = Client { path: own_path(&channel), bearer: Some(channel.token.clone()), ..client };
    let arguments = &own.result("prompts/list", json!({}))["prompts"][1]["arguments"];
    assert_eq!(names(arguments), ["callsign"]);
    let text = prompt_text(&own, "invite_peer", json!({}));
    assert!(text.contains(&channel.token) && text.contains(&channel.id), "{text}");
    let guarded = Hub::with(&["--token", "correct-horse-battery"], &[]);
    let operator = Client { bearer: Some("correct-horse-battery".into()), ..Client::modern(*guarded, "/mcp/general") };
    assert!(
        !prompt_text(&operator, "invite_peer", json!({})).contains("correct-horse"),
        "the hub's token is not in an invite"
    );
}
