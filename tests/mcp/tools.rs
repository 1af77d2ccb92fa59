//! Each tool as an agent uses it, beside agents that use plain HTTP.

use rogerrat_testkit::Channel;
use serde_json::{Value, json};

use super::client::{Client, hub};

#[test]
fn a_channel_is_created_as_over_rest() {
    let (hub, _) = hub();
    let client = Client::legacy(*hub, "/mcp");
    let settings = json!({"retention": "full", "owner_password": "sesame-open", "session_ttl_seconds": 60});
    let (made, text) = client.says("create_channel", &settings);
    let rest = hub.post("/api/channels").json(&settings).send().ok();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&made), keys(&rest), "both doors tell the same");
    assert_eq!(keys(&made["connect"]), keys(&rest["connect"]));
    for same in ["retention", "trust_mode", "session_ttl_seconds", "has_owner_password", "owner_password", "durability"]
    {
        assert_eq!(made[same], rest[same], "{same}");
    }
    let channel = Channel::new(*hub, made["channel_id"].as_str().unwrap(), made["join_token"].as_str().unwrap());
    for said in [&channel.id, &channel.token, made["peer_invite"].as_str().unwrap()] {
        assert!(text.contains(said), "{text}");
    }
    channel.join("ann");
    let (made, text) = client.says("create_channel", &json!({"webhook": "https://198.51.101.7/hook"}));
    for said in ["id", "secret"] {
        assert!(text.contains(made["webhook"][said].as_str().unwrap()), "{text}");
    }
}

#[test]
fn a_join_tells_how_far_to_trust_and_how_to_stay_awake() {
    let (hub, channel) = hub();
    channel.join("bob").say("before you came");
    let ann = Client::legacy(*hub, "/mcp");
    let (joined, text) =
        ann.says("join", &json!({"channel_id": channel.id, "token": channel.token, "callsign": " Ann "}));
    assert_eq!((&joined["callsign"], &joined["channel_id"]), (&json!("ann"), &json!(channel.id)));
    assert_eq!((&joined["roster"], &joined["unread"]), (&json!(["ann", "bob"]), &json!(1)));
    assert_eq!(
        (&joined["trust_posture"], &joined["history"][0]["text"]),
        (&json!("untrusted"), &json!("before you came"))
    );
    for word in ["UNTRUSTED", "call wait", "doorbell", "listener", "/llms.txt", "session_id"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    for key in ["instructions", "stay_reachable", "session_id"] {
        assert!(text.contains(joined[key].as_str().unwrap()), "{key}: {text}");
    }
    assert!(!joined["hint"].as_str().unwrap().contains("X-Session-Id"), "it speaks of tools");
    let other = Client::legacy(*hub, "/mcp");
    let (collided, text) =
        other.says("join", &json!({"channel_id": channel.id, "token": channel.token, "callsign": "ann"}));
    assert!(text.contains(collided["collision_warning"].as_str().unwrap()), "D18: {text}");
    let nameless = other.initialized().does("join", &json!({"channel_id": channel.id, "token": channel.token}));
    assert!(!nameless["callsign"].as_str().unwrap().is_empty(), "D16");
}

#[test]
fn a_human_who_gives_the_password_is_trusted() {
    let (hub, _) = hub();
    let channel = hub.channel_with(&json!({"trust_mode": "trusted", "owner_password": "sesame-open"}));
    let client = Client::legacy(*hub, "/mcp");
    let join = |password: &str| json!({"channel_id": channel.id, "token": channel.token, "callsign": "ann", "owner_password": password});
    client.cannot("join", &join("wrong-sesame"), "unauthorized");
    let (joined, text) = client.says("join", &join("sesame-open"));
    assert_eq!(joined["trust_posture"], "trusted-authorized");
    assert!(text.contains("TRUSTED, human-authorized"), "{text}");
}

#[test]
fn a06_every_result_tells_what_is_unread() {
    let (hub, channel) = hub();
    let (ann, bob) = (Client::legacy(*hub, "/mcp"), channel.join("bob"));
    ann.joins(&channel, "ann");
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
        let (told, text) = ann.says(tool, &arguments);
        assert_eq!(told["unread"], 2, "{tool}");
        let in_words = ["2 unread", "2 more unread"].iter().any(|words| text.contains(words));
        assert!(in_words || tool == "create_channel", "{tool}: {text}");
    }
    let heard = ann.does("listen", &json!({"max": 1}));
    assert_eq!(heard["unread"], 1);
    let (acked, text) = ann.says("ack", &json!({"upto": heard["messages"][0]["id"]}));
    assert!(acked["unread"] == 1 && text.contains("1 unread"), "{text}");
    let heard = ann.does("wait", &json!({}));
    assert_eq!((&heard["unread"], &heard["roster"]), (&json!(0), &json!(["ann", "bob"])));
    assert_eq!(ann.does("ack", &json!({"upto": heard["messages"][0]["id"]}))["unread"], 0);
    assert_eq!(ann.does("leave", &json!({}))["unread"], 0);
}

#[test]
fn a_message_goes_both_ways_between_doors() {
    let (_hub, channel) = hub();
    let (ann, bob) = (Client::on(&channel), channel.join("bob"));
    ann.joins(&channel, "ann");
    let (sent, text) = ann
        .says("send", &json!({"to": "bob", "message": "hi", "suggested_replies": ["yes", "no"], "priority": "high"}));
    assert_eq!(text, format!("sent #{} [high] to bob (suggested: \"yes\" \"no\")", sent["id"]));
    assert_eq!(bob.listen(), ["hi"]);
    bob.send("ann", "hello");
    assert_eq!(rogerrat_testkit::texts(&ann.does("listen", &json!({}))["messages"]), ["hello"]);
    bob.leave();
    let (sent, text) = ann.says("send", &json!({"to": 1, "text": "later"}));
    assert!(sent["queued"] == true && text.contains("queued"), "{text}");
    let (_, who) = ann.says("roster", &json!({}));
    assert!(who.contains("#2  ann") && who.contains("Away: bob"), "{who}");
}

#[test]
fn a02_a_send_under_a_key_is_sent_once() {
    let (hub, channel) = hub();
    let ann = Client::legacy(*hub, "/mcp");
    ann.joins(&channel, "ann");
    let send = json!({"message": "once", "client_msg_id": "k1"});
    let first = ann.does("send", &send);
    let (again, text) = ann.says("send", &send);
    assert_eq!((&again["id"], &again["duplicate"]), (&first["id"], &json!(true)));
    assert!(text.contains("already sent"), "{text}");
    ann.cannot("send", &json!({"message": "twice", "client_msg_id": "k1"}), "idempotency_conflict");
    assert_eq!(channel.history(), ["once"]);
}

#[test]
fn a01_a_reader_that_acknowledges_is_given_again_what_it_did_not() {
    let (hub, channel) = hub();
    let (ann, bob) = (Client::legacy(*hub, "/mcp"), channel.join("bob"));
    ann.joins(&channel, "ann");
    bob.say("one");
    let first = ann.does("listen", &json!({"ack": "manual", "lease": 1}));
    let id = first["messages"][0]["id"].clone();
    let (again, text) = ann.says("wait", &json!({"ack": "manual", "timeout_seconds": 20}));
    assert_eq!((&again["messages"][0]["id"], &again["messages"][0]["attempt"]), (&id, &json!(2)));
    assert!(text.contains("[attempt 2]: one"), "{text}");
    assert_eq!(ann.does("ack", &json!({"upto": id}))["acked"], 1);
    assert_eq!(ann.does("keepalive", &json!({}))["unread"], 0);
}

#[test]
fn history_is_counted_and_threaded() {
    let (hub, channel) = hub();
    let ann = Client::legacy(*hub, "/mcp");
    ann.joins(&channel, "ann");
    assert_eq!(ann.says("history", &json!({})).1, "(no messages)");
    for n in 0..25 {
        let thread =
            if n == 3 { json!({"message": n.to_string(), "thread": "odd"}) } else { json!({"message": n.to_string()}) };
        ann.does("send", &thread);
    }
    let count = |arguments: Value| ann.does("history", &arguments)["history"].as_array().unwrap().len();
    assert_eq!(
        (count(json!({})), count(json!({"n": 2.9})), count(json!({"n": 0})), count(json!({"n": 1e9}))),
        (20, 2, 1, 25)
    );
    assert_eq!(ann.does("history", &json!({"thread": " odd "}))["history"][0]["text"], "3");
}

#[test]
fn a_session_that_expired_is_told_what_to_do() {
    let (hub, _) = hub();
    let channel = hub.channel_with(&json!({"session_ttl_seconds": 0.01}));
    let ann = Client::legacy(*hub, "/mcp");
    ann.joins(&channel, "ann");
    rogerrat_testkit::wait_until("the session expires", || channel.roster().is_empty());
    let refused = ann.cannot("send", &json!({"message": "hi"}), "session_expired");
    assert!(refused["hint"].as_str().unwrap().starts_with("call join"), "{refused}");
}
