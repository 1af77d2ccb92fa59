//! Each tool, together with agents that use plain HTTP.

use rogerrat_testkit::Channel;
use serde_json::{Value, json};

use super::client::{Client, hub};

#[test]
fn create_channel_returns_the_same_as_over_http() {
    let (hub, _) = hub();
    let client = Client::legacy(*hub, "/mcp");
    let settings = json!({"retention": "full", "owner_password": "sesame-open", "session_ttl_seconds": 60});
    let (made, text) = client.call_with_text("create_channel", &settings);
    let over_http = hub.post("/api/channels").json(&settings).send().ok();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&made), keys(&over_http), "both interfaces return the same fields");
    assert_eq!(keys(&made["connect"]), keys(&over_http["connect"]));
    for same in ["retention", "trust_mode", "session_ttl_seconds", "has_owner_password", "owner_password", "durability"]
    {
        assert_eq!(made[same], over_http[same], "{same}");
    }
    let channel = Channel::new(*hub, made["channel_id"].as_str().unwrap(), made["join_token"].as_str().unwrap());
    for value in [&channel.id, &channel.token, made["peer_invite"].as_str().unwrap()] {
        assert!(text.contains(value), "{text}");
    }
    channel.join("ann");
    let (made, text) = client.call_with_text("create_channel", &json!({"webhook": "https://198.51.101.7/hook"}));
    for field in ["id", "secret"] {
        assert!(text.contains(made["webhook"][field].as_str().unwrap()), "{text}");
    }
}

#[test]
fn join_states_how_far_to_trust_and_how_to_stay_reachable() {
    let (hub, channel) = hub();
    channel.join("bob").say("before you joined");
    let ann = Client::legacy(*hub, "/mcp");
    let (joined, text) =
        ann.call_with_text("join", &json!({"channel_id": channel.id, "token": channel.token, "callsign": " Ann "}));
    assert_eq!((&joined["callsign"], &joined["channel_id"]), (&json!("ann"), &json!(channel.id)));
    assert_eq!((&joined["roster"], &joined["unread"]), (&json!(["ann", "bob"]), &json!(0)));
    assert_eq!(
        (&joined["trust_posture"], &joined["history"][0]["text"]),
        (&json!("untrusted"), &json!("before you joined"))
    );
    for word in ["UNTRUSTED", "call wait", "doorbell", "inbox", "/llms.txt", "/rr", "session_id"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    for key in ["instructions", "stay_reachable", "session_id"] {
        assert!(text.contains(joined[key].as_str().unwrap()), "{key}: {text}");
    }
    assert!(!joined["hint"].as_str().unwrap().contains("X-Session-Id"), "it is worded for tools");
    let other = Client::legacy(*hub, "/mcp");
    let (collided, text) =
        other.call_with_text("join", &json!({"channel_id": channel.id, "token": channel.token, "callsign": "ann"}));
    assert!(text.contains(collided["collision_warning"].as_str().unwrap()), "D18: {text}");
    let nameless = other.initialized().call("join", &json!({"channel_id": channel.id, "token": channel.token}));
    assert!(!nameless["callsign"].as_str().unwrap().is_empty(), "D16");
}

#[test]
fn a_join_with_the_owner_password_is_trusted() {
    let (hub, _) = hub();
    let channel = hub.channel_with(&json!({"trust_mode": "trusted", "owner_password": "sesame-open"}));
    let client = Client::legacy(*hub, "/mcp");
    let join = |password: &str| json!({"channel_id": channel.id, "token": channel.token, "callsign": "ann", "owner_password": password});
    client.call_refused("join", &join("wrong-sesame"), "unauthorized");
    let (joined, text) = client.call_with_text("join", &join("sesame-open"));
    assert_eq!(joined["trust_posture"], "trusted-authorized");
    assert!(text.contains("TRUSTED, human-authorized"), "{text}");
}

#[test]
fn a06_every_result_has_the_unread_count() {
    let (hub, channel) = hub();
    let (ann, bob) = (Client::legacy(*hub, "/mcp"), channel.join("bob"));
    ann.join(&channel, "ann");
    bob.say("one");
    bob.say("two");
    for (tool, arguments) in [
        ("send", json!({"message": "hi"})),
        ("roster", json!({})),
        ("history", json!({})),
        ("keepalive", json!({})),
        ("create_channel", json!({})),
        ("join", json!({"channel_id": channel.id, "token": channel.token, "callsign": "ann"})),
        ("listen", json!({"consumer": "second", "max": 1})),
    ] {
        let (result, text) = ann.call_with_text(tool, &arguments);
        assert_eq!(result["unread"], 2, "{tool}");
        let is_in_text = ["2 unread", "2 more unread"].iter().any(|count| text.contains(count));
        assert!(is_in_text || tool == "create_channel", "{tool}: {text}");
    }
    let (_, text) = ann.call_with_text("listen", &json!({"consumer": "second"}));
    assert!(text.ends_with("\n(2 unread without `consumer`: call listen without it)"), "{text}");
    assert!(!text.contains("more unread"), "the consumer has read all: {text}");
    let read = ann.call("listen", &json!({"max": 1}));
    assert_eq!(read["unread"], 1);
    let (acked, text) = ann.call_with_text("ack", &json!({"upto": read["messages"][0]["id"]}));
    assert!(acked["unread"] == 1 && text.contains("1 unread"), "{text}");
    let read = ann.call("wait", &json!({}));
    assert_eq!((&read["unread"], &read["roster"]), (&json!(0), &json!(["ann", "bob"])));
    assert_eq!(ann.call("ack", &json!({"upto": read["messages"][0]["id"]}))["unread"], 0);
    assert_eq!(ann.call("leave", &json!({}))["unread"], 0);
}

#[test]
fn a06_results_about_other_things_have_the_unread_count_too() {
    let (hub, channel) = hub();
    let (ann, bob) = (Client::legacy(*hub, "/mcp"), channel.join("bob"));
    ann.join(&channel, "ann");
    bob.say("one");
    let id = bob.say("two");
    let remote = ann.call("open_remote_control", &json!({"qr": "none"}));
    let (account, created) = (ann.call("create_account", &json!({})), ann.call("create_channel", &json!({})));
    let link = json!({
        "channel_id": created["channel_id"], "channel_token": created["join_token"],
        "session_token": account["session_token"], "qr": "none",
    });
    let identity = json!({"session_token": account["session_token"]});
    assert_eq!([&remote["unread"], &account["unread"]], [2, 2]);
    for (tool, arguments) in [("create_identity", identity), ("make_remote_link", link)] {
        assert_eq!(ann.call(tool, &arguments)["unread"], 2, "{tool}");
    }
    let (_, text) = ann.call_with_text("fetch", &json!({"message_id": id}));
    assert!(text.contains("2 unread"), "{text}");
}

#[test]
fn messages_pass_both_ways_between_mcp_and_http() {
    let (_hub, channel) = hub();
    let (ann, bob) = (Client::on(&channel), channel.join("bob"));
    ann.join(&channel, "ann");
    let (sent, text) = ann.call_with_text(
        "send",
        &json!({"to": "bob", "message": "hi", "suggested_replies": ["yes", "no"], "priority": "high"}),
    );
    assert_eq!(text, format!("sent #{} [high] to bob (suggested: \"yes\" \"no\")", sent["id"]));
    assert_eq!(bob.listen(), ["hi"]);
    bob.send("ann", "hello");
    assert_eq!(rogerrat_testkit::texts(&ann.call("listen", &json!({}))["messages"]), ["hello"]);
    bob.leave();
    let (sent, text) = ann.call_with_text("send", &json!({"to": 1, "text": "later"}));
    assert!(sent["queued"] == true && text.contains("queued"), "{text}");
    let (_, who) = ann.call_with_text("roster", &json!({}));
    assert!(who.contains("#2  ann") && who.contains("Offline: bob"), "{who}");
}

#[test]
fn a02_a_send_with_a_key_is_sent_once() {
    let (hub, channel) = hub();
    let ann = Client::legacy(*hub, "/mcp");
    ann.join(&channel, "ann");
    let send = json!({"message": "once", "client_msg_id": "k1"});
    let first = ann.call("send", &send);
    let (again, text) = ann.call_with_text("send", &send);
    assert_eq!((&again["id"], &again["duplicate"]), (&first["id"], &json!(true)));
    assert!(text.contains("already sent"), "{text}");
    ann.call_refused("send", &json!({"message": "twice", "client_msg_id": "k1"}), "idempotency_conflict");
    assert_eq!(channel.history(), ["once"]);
}

#[test]
fn a01_unacknowledged_messages_are_redelivered() {
    let (hub, channel) = hub();
    let (ann, bob) = (Client::legacy(*hub, "/mcp"), channel.join("bob"));
    ann.join(&channel, "ann");
    bob.say("one");
    let first = ann.call("listen", &json!({"ack": "manual", "lease": 1}));
    let id = first["messages"][0]["id"].clone();
    let (again, text) = ann.call_with_text("wait", &json!({"ack": "manual", "timeout_seconds": 20}));
    assert_eq!((&again["messages"][0]["id"], &again["messages"][0]["attempt"]), (&id, &json!(2)));
    assert!(text.contains("[attempt 2]: one"), "{text}");
    assert_eq!(ann.call("ack", &json!({"upto": id}))["acked"], 1);
    assert_eq!(ann.call("keepalive", &json!({}))["unread"], 0);
}

#[test]
fn history_is_limited_by_number_and_thread() {
    let (hub, channel) = hub();
    let ann = Client::legacy(*hub, "/mcp");
    ann.join(&channel, "ann");
    assert_eq!(ann.call_with_text("history", &json!({})).1, "(no messages)");
    for n in 0..25 {
        let thread =
            if n == 3 { json!({"message": n.to_string(), "thread": "odd"}) } else { json!({"message": n.to_string()}) };
        ann.call("send", &thread);
    }
    let count = |arguments: Value| ann.call("history", &arguments)["history"].as_array().unwrap().len();
    assert_eq!(
        (count(json!({})), count(json!({"n": 2.9})), count(json!({"n": 0})), count(json!({"n": 1e9}))),
        (20, 2, 1, 25)
    );
    assert_eq!(ann.call("history", &json!({"thread": " odd "}))["history"][0]["text"], "3");
}

#[test]
fn an_expired_session_is_advised_to_join_again() {
    let (hub, _) = hub();
    let channel = hub.channel_with(&json!({"session_ttl_seconds": 0.01}));
    let ann = Client::legacy(*hub, "/mcp");
    ann.join(&channel, "ann");
    rogerrat_testkit::wait_until("the session expires", || channel.roster().is_empty());
    let refused = ann.call_refused("send", &json!({"message": "hi"}), "session_expired");
    assert!(refused.contains("(session_expired). call join"), "{refused}");
}

/// The result of a join goes to the agent whole: a new member has read the history in it.
#[test]
fn what_a_join_has_shown_is_not_delivered_again() {
    let (_hub, channel) = hub();
    let ann = channel.join("ann");
    for n in 0..5 {
        ann.say(&n.to_string());
    }
    let bob = Client::on(&channel).initialized();
    let joined = bob.call("join", &json!({"callsign": "bob"}));
    assert_eq!((joined["history"].as_array().unwrap().len(), joined["unread"].as_u64()), (5, Some(0)));
    let heard = bob.call("listen", &json!({"timeout_seconds": 1}));
    assert_eq!((heard["messages"].as_array().unwrap().len(), heard["timed_out"].as_bool()), (0, Some(true)));
    ann.say("new");
    assert_eq!(bob.call("listen", &json!({"timeout_seconds": 5}))["messages"][0]["text"], "new");
    // With more than a join shows, everything is delivered.
    for n in 0..30 {
        ann.say(&n.to_string());
    }
    let cat = Client::on(&channel).initialized();
    assert_eq!(cat.call("join", &json!({"callsign": "cat"}))["unread"], 36);
    assert_eq!(cat.call("listen", &json!({"timeout_seconds": 5}))["messages"].as_array().unwrap().len(), 36);
    // Over REST a script may ignore the history.
    assert_eq!(channel.join("dan").unread(), 36);
}
