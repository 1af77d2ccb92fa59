//! Agents that share one MCP connection, such as an agent and its subagents: each keeps its own membership, and none acts
//! for another.

use rogerrat_testkit::{Channel, Hub};
use serde_json::{Value, json};

use super::client::{Client, hub, message, own_path};

/// The text of a call that is refused because it does not say which agent it is for.
#[track_caller]
fn refused(client: &Client, tool: &str, arguments: &Value) -> String {
    let refusal = client.call_refused(tool, arguments, "invalid");
    assert!(refusal.contains("`session_id` is missing"), "{refusal}");
    refusal
}

fn with(membership: &Value, more: &Value) -> Value {
    let mut arguments = json!({"session_id": membership["session_id"]});
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    arguments
}

fn join(channel: &Channel, more: &Value) -> Value {
    let mut arguments = json!({"channel_id": channel.id, "token": channel.token});
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    arguments
}

#[test]
fn d34_a_second_join_takes_no_place_and_a_call_must_say_who_it_is_for() {
    let (hub, channel) = hub();
    for path in ["/mcp", &own_path(&channel)] {
        let names = if path == "/mcp" { ["ann", "bob"] } else { ["cat", "dan"] };
        let client = if path == "/mcp" { Client::legacy(*hub, path) } else { Client::on(&channel) };
        let first = client.join(&channel, names[0]);
        client.call("send", &json!({"message": "alone"}));
        let second = client.join(&channel, names[1]);
        assert_ne!(first["session_id"], second["session_id"]);
        for callsign in names {
            assert!(channel.roster().contains(&callsign.to_owned()), "{:?}", channel.roster());
        }
        let sent = channel.history().len();
        for (tool, arguments) in [
            ("send", json!({"message": "whose?"})),
            ("listen", json!({})),
            ("wait", json!({"session_id": null})),
            ("ack", json!({"upto": 1})),
            ("roster", json!({})),
            ("history", json!({})),
            ("keepalive", json!({})),
            ("leave", json!({})),
        ] {
            let hint = refused(&client, tool, &arguments);
            assert!(names.iter().all(|name| hint.contains(name)), "{tool}: {hint}");
            assert!(hint.contains(&channel.id) && hint.contains("call join again"), "{tool}: {hint}");
        }
        assert_eq!(channel.history().len(), sent);
        client.call("send", &with(&first, &json!({"message": names[0], "to": names[1]})));
        client.call("send", &with(&second, &json!({"message": names[1], "to": names[0]})));
        let read = client.call("listen", &with(&first, &json!({})));
        let from: Vec<_> = read["messages"].as_array().unwrap().iter().map(|message| &message["from"]).collect();
        assert_eq!(from.last(), Some(&&json!(names[1])), "{read}");
        // One who has lost its session id gets it back.
        let again = client.join(&channel, names[0]);
        assert_eq!(again["session_id"], first["session_id"]);
        refused(&client, "keepalive", &json!({}));
        client.call("leave", &with(&second, &json!({})));
        client.call("send", &json!({"message": "alone again"}));
        client.call("leave", &json!({}));
    }
    assert!(channel.roster().is_empty());
}

#[test]
fn d34_joins_without_a_callsign_are_those_of_different_agents() {
    let (_hub, channel) = hub();
    let client = Client::on(&channel);
    let (first, second) = (client.call("join", &json!({})), client.call("join", &json!({})));
    assert_ne!(first["callsign"], second["callsign"]);
    assert_ne!(first["session_id"], second["session_id"]);
    assert_eq!(channel.roster().len(), 2);
    assert!(second["hint"].as_str().unwrap().contains("with every call"), "{second}");
    let hint = refused(&client, "send", &json!({"message": "whose?"}));
    for joined in [&first, &second] {
        assert!(hint.contains(joined["callsign"].as_str().unwrap()), "{hint}");
    }
}

#[test]
fn d34_a_join_on_another_channel_leaves_none() {
    let (hub, here) = hub();
    let there = hub.channel();
    let client = Client::legacy(*hub, "/mcp");
    let first = client.join(&here, "ann");
    client.call_refused("join", &json!({"channel_id": there.id, "token": "wrong"}), "unauthorized");
    client.call("keepalive", &json!({}));
    let second = client.join(&there, "ann");
    assert_eq!((here.roster(), there.roster()), (vec!["ann".to_owned()], vec!["ann".to_owned()]));
    for arguments in [json!({}), json!({"channel_id": here.id}), json!({"channel_id": there.id})] {
        let hint = refused(&client, "keepalive", &arguments);
        assert!(hint.contains(&here.id) && hint.contains(&there.id), "{hint}");
    }
    let elsewhere = hub.channel();
    client.call_refused("keepalive", &json!({"channel_id": elsewhere.id}), "not_joined");
    // A session id names its channel.
    client.call("send", &with(&first, &json!({"message": "here"})));
    client.call("send", &with(&second, &json!({"message": "there"})));
    assert_eq!((here.history(), there.history()), (vec!["here".to_owned()], vec!["there".to_owned()]));
    let unknown = json!({"session_id": "A".repeat(43)});
    let refusal = client.call_refused("keepalive", &unknown, "invalid");
    assert!(refusal.contains("`channel_id` is missing"), "{refusal}");
}

#[test]
fn d34_agents_that_join_at_once_all_have_their_place() {
    let (hub, channel) = hub();
    let client = Client::legacy(*hub, "/mcp");
    let callsigns: Vec<_> = (0..8).map(|n| format!("agent-{n}")).collect();
    let joined: Vec<_> = std::thread::scope(|scope| {
        let (client, channel) = (&client, &channel);
        let all: Vec<_> = callsigns.iter().map(|callsign| scope.spawn(|| client.join(channel, callsign))).collect();
        all.into_iter().map(|joining| joining.join().unwrap()).collect()
    });
    let hint = refused(&client, "keepalive", &json!({}));
    for (callsign, membership) in callsigns.iter().zip(&joined) {
        assert!(hint.contains(callsign), "{hint}");
        client.call("send", &with(membership, &json!({"message": callsign})));
    }
    let history = channel.history();
    assert!(callsigns.iter().all(|callsign| history.contains(callsign)), "{history:?}");
}

#[test]
fn d34_a_batch_is_refused_like_single_calls() {
    let (hub, channel) = hub();
    let client = Client { version: "2025-03-26", ..Client::legacy(*hub, "/mcp") }.initialized();
    let call = |tool: &str, arguments: Value| message("tools/call", &json!({"name": tool, "arguments": arguments}));
    let join_as = |callsign: &str| call("join", join(&channel, &json!({"callsign": callsign})));
    let send = call("send", json!({"message": "whose?"}));
    let batch = json!([join_as("ann"), send, join_as("bob"), send]);
    let replies = client.bare_request().header("MCP-Protocol-Version", client.version).json(&batch).send().ok();
    let is_error = |at: usize| replies[at]["result"]["isError"] == true;
    assert_eq!([0, 1, 2, 3].map(is_error), [false, false, false, true], "{replies}");
    assert_eq!((channel.history(), channel.roster().len()), (vec!["whose?".to_owned()], 2));
}

#[test]
fn d34_the_place_of_an_agent_is_kept_over_a_restart() {
    let mut hub = Hub::start();
    let channel = hub.channel();
    let client = Client::legacy(*hub, "/mcp");
    let (first, _) = (client.join(&channel, "ann"), client.join(&channel, "bob"));
    hub.restart();
    let hint = refused(&client, "send", &json!({"message": "whose?"}));
    assert!(hint.contains("ann") && hint.contains("bob"), "{hint}");
    assert_eq!(client.join(&channel, "ann")["session_id"], first["session_id"]);
    client.call("send", &with(&first, &json!({"message": "after"})));
    assert_eq!(channel.history(), ["after"]);
}

#[test]
fn d34_an_agent_whose_session_has_ended_does_not_act_for_another() {
    let (hub, channel) = hub();
    let client = Client::legacy(*hub, "/mcp");
    let (ann, bob) = (client.join(&channel, "ann"), client.join(&channel, "bob"));
    // It ends over another interface.
    let session = ann["session_id"].as_str().unwrap();
    channel.request("POST", "leave").session(session).send().ok();
    let hint = refused(&client, "send", &json!({"message": "I am ann"}));
    assert!(hint.contains("ann"), "{hint}");
    // It joins again, with the callsign that it had.
    let again = client.join(&channel, "ann");
    client.call("send", &with(&again, &json!({"message": "here I am"})));
    client.call("leave", &with(&bob, &json!({})));
    client.call("send", &json!({"message": "alone"}));
    assert_eq!(channel.history(), ["here I am", "alone"]);
}

#[test]
fn d34_a_claimed_callsign_is_continued_over_the_connection_that_had_it() {
    let hub = Hub::unlimited();
    let channel = hub.channel_with(&json!({"claim_callsigns": true}));
    let client = Client::legacy(*hub, "/mcp");
    let (ann, bob) = (client.join(&channel, "ann"), client.join(&channel, "bob"));
    assert_eq!(client.join(&channel, "ann")["session_id"], ann["session_id"]);
    assert_eq!(client.join(&channel, "bob")["session_id"], bob["session_id"]);
    let other = Client::legacy(*hub, "/mcp");
    other.call_refused("join", &join(&channel, &json!({"callsign": "ann"})), "callsign_taken");
}

#[test]
fn d34_resources_show_what_all_members_see() {
    let hub = Hub::unlimited();
    let channel = hub.channel_with(&json!({"dm_visibility": "private"}));
    let client = Client::legacy(*hub, "/mcp");
    let uri = json!({"uri": format!("rogerrat://channel/{}/history", channel.id)});
    let text = || client.result("resources/read", uri.clone())["contents"][0]["text"].as_str().unwrap().to_owned();
    let ann = client.join(&channel, "ann");
    channel.join("eve").send("ann", "for ann only");
    assert!(text().contains("for ann only"));
    client.join(&channel, "bob");
    client.call("send", &with(&ann, &json!({"message": "for all"})));
    assert!(text().contains("for all") && !text().contains("for ann only"), "{}", text());
    let listed = client.result("resources/list", json!({}));
    assert_eq!(listed["resources"].as_array().unwrap().len(), 2, "{listed}");
}
