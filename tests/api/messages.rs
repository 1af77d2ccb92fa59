//! Compatibility with the original hub, §5 to §11: send, read, status, roster, history and sessions.

use rogerrat_testkit::{Hub, keys, texts};
use serde_json::{Value, json};

use super::compatibility::in_order;

#[test]
fn the_reply_to_a_send_is_compatible() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let plain =
        ann.try_send(&json!({"to": " BOB ", "message": "hi", "priority": "default", "suggested_replies": [" "]}));
    in_order(&plain.text(), "ok id at queued to");
    let plain = plain.ok();
    assert_eq!((&plain["ok"], &plain["queued"], &plain["to"]), (&json!(true), &json!(false), &json!("bob")));
    assert!(["kind", "priority", "suggested_replies"].iter().all(|key| plain.get(key).is_none()), "{plain}");
    let rich = json!({
        "to": "bob", "text": "look", "priority": "urgent", "suggested_replies": [" yes ", "", "no"],
        "attachments": [{"mime": "image/png", "data_base64": " AA \n==", "filename": "  rat.png "}, {"mime": "image/gif", "data_base64": "A", "filename": 5}],
    });
    let reply = ann.try_send(&rich);
    in_order(&reply.text(), "ok id at queued to priority suggested_replies");
    assert_eq!(reply.ok()["suggested_replies"], json!(["yes", "no"]));
    let read = bob.get("listen?timeout=1");
    assert_eq!(keys(&read.text()), ["messages", "timed_out"]);
    let raw = read.text();
    let second = &raw[raw.find(r#"{"id""#).unwrap()..].split_once("},{").unwrap().1;
    let second = format!("{{{}", second.split_once("],\"timed_out\"").unwrap().0);
    assert_eq!(keys(&second), ["id", "from", "to", "text", "at", "priority", "suggested_replies", "attachments"]);
    let message = &read.ok()["messages"][1];
    let files = json!([{"mime": "image/png", "data_base64": "AA==", "filename": "rat.png"}, {"mime": "image/gif", "data_base64": "A"}]);
    assert_eq!((&message["attachments"], &message["text"]), (&files, &json!("look")));
    let first = &raw[raw.find(r#"{"id""#).unwrap()..=raw.find('}').unwrap()];
    assert_eq!(keys(first), ["id", "from", "to", "text", "at"]);
}

#[test]
fn valid_and_invalid_sends() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let ann = channel.join("ann");
    let file = json!({"mime": "image/png", "data_base64": "AA=="});
    for good in [
        json!({"message": " "}),
        json!({"message": null, "text": "falls back"}),
        json!({"message": "", "attachments": [file]}),
        json!({"attachments": [file, file, file, file]}),
        json!({"message": "x", "attachments": []}),
        json!({"message": "x", "attachments": null, "suggested_replies": null}),
        json!({"message": "x", "suggested_replies": ["a", "b", "c", "d"]}),
        json!({"message": "x", "suggested_replies": ["ä".repeat(64)]}),
        json!({"message": "x", "to": null, "unknown": {}}),
        json!({"message": "x", "priority": "min", "kind": "message"}),
    ] {
        assert_eq!(ann.try_send(&good).status, 200, "{good}");
    }
    let before = channel.history();
    for bad in [
        json!({}),
        json!({"message": ""}),
        json!({"message": "", "text": "does not fall back"}),
        json!({"message": "x", "priority": "HIGH"}),
        json!({"message": "x", "kind": "chat"}),
        json!({"message": "x", "kind": null}),
        json!({"message": "x", "suggested_replies": ["a", "b", "c", "d", ""]}),
        json!({"message": "x", "suggested_replies": ["ä".repeat(65)]}),
        json!({"message": "x", "suggested_replies": [1]}),
        json!({"attachments": [file, file, file, file, file]}),
        json!({"attachments": [{"mime": "text/html", "data_base64": "AA=="}]}),
        json!({"attachments": [{"mime": "image/png", "data_base64": "a-_b"}]}),
        json!({"attachments": [{"mime": "image/png", "data_base64": "AA==="}]}),
        json!({"attachments": [{"mime": "image/png", "data_base64": ""}]}),
        json!({"attachments": [{"mime": "image/png"}]}),
        json!({"attachments": [null]}),
    ] {
        ann.try_send(&bad).refused(400, "invalid");
    }
    assert_eq!(channel.history(), before);
}

#[test]
fn a_status_is_not_stored() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob, carl) = (channel.join("ann"), channel.join("bob"), channel.join("carl"));
    let parked = bob.park("wait?timeout=60");
    let mut stream = carl.stream("");
    let body = json!({"message": "thinking", "kind": "status", "priority": "high", "suggested_replies": ["x"], "attachments": [{"mime": "image/png", "data_base64": "AA=="}]});
    let sent = ann.try_send(&body);
    in_order(&sent.text(), "ok id at queued to kind priority");
    let message = &parked.answer()["messages"][0];
    assert_eq!(
        (&message["kind"], &message["priority"], &message["id"]),
        (&json!("status"), &json!("high"), &sent.ok()["id"])
    );
    assert!(message.get("attachments").is_none() && message.get("suggested_replies").is_none(), "{message}");
    assert_eq!(stream.text(), "thinking");
    stream.disconnect();
    carl.until_waiting(false);
    assert_eq!((bob.unread(), carl.unread(), channel.history().len()), (0, 0, 0));
    carl.leave();
    let away = ann.try_send(&json!({"to": "carl", "message": "lost", "kind": "status"})).ok();
    assert_eq!(away["queued"], false);
    assert_eq!(carl.rejoin().unread(), 0);
    let alone = bob.park("wait?timeout=60");
    ann.try_send(&json!({"to": "carl", "message": "not for bob", "kind": "status"})).ok();
    assert!(bob.is_waiting());
    alone.disconnect();
}

#[test]
fn wait_returns_the_roster_and_the_next_step() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let empty = bob.get("wait?timeout=1");
    assert_eq!(keys(&empty.text()), ["messages", "timed_out", "roster", "meta_hint"]);
    assert_eq!((&empty.ok()["timed_out"], &empty.ok()["messages"]), (&json!(true), &json!([])));
    ann.say("one");
    let one = bob.wait();
    assert_eq!((&one["roster"], &one["timed_out"]), (&json!(["ann", "bob"]), &json!(false)));
    assert!(one["meta_hint"].as_str().unwrap().starts_with("1 new message. After acting"), "{one}");
    ann.say("two");
    ann.say("three");
    assert!(bob.wait()["meta_hint"].as_str().unwrap().starts_with("2 new messages. After acting"));
}

#[test]
fn since_rereads_and_an_empty_value_is_zero() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let id = ann.say("one");
    ann.say("two");
    assert_eq!(bob.listen().len(), 2);
    let since = |since: &str| texts(&bob.get(&format!("listen?timeout=1&since={since}")).ok()["messages"]);
    for all in ["", "0", "-5", "1e3"] {
        assert_eq!(since(all), ["one", "two"], "{all:?}");
    }
    assert_eq!(since(&id.to_string()), ["two"]);
    assert_eq!(bob.unread(), 0);
}

#[test]
fn own_messages_are_not_delivered() {
    let hub = Hub::start();
    let ann = hub.channel().join("ann");
    ann.say("to all");
    ann.send("ann", "to myself");
    assert_eq!(ann.get("listen?timeout=1").ok(), json!({"messages": [], "timed_out": true}));
}

#[test]
fn the_roster_lists_online_and_all_members() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (carl, _, _) = (channel.join("carl"), channel.join("bob"), channel.join("ann"));
    carl.leave();
    let reply = channel.get("roster");
    in_order(&reply.text(), "roster roster_with_index roster_all");
    let body = reply.ok();
    assert_eq!(body["roster"], json!(["ann", "bob"]));
    let numbers = body["roster_with_index"].as_array().unwrap();
    assert_eq!(
        (&numbers[0]["callsign"], &numbers[1]["callsign"]),
        (&json!("bob"), &json!("ann")),
        "in the order they joined"
    );
    assert!(numbers[0]["joined_at"].as_u64().unwrap() > 1_600_000_000_000);
    let row = |callsign: &str, online: bool, idx: u32| json!({"callsign": callsign, "online": online, "idx": idx});
    assert_eq!(channel.roster_all(), json!([row("ann", true, 3), row("bob", true, 2), row("carl", false, 1)]));
}

#[test]
fn history_is_limited_compatibly() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let ann = channel.join("ann");
    ann.say_numbers(0..110);
    let count = |n: &str| texts(&channel.get(&format!("history{n}")).ok()["history"]).len();
    for (n, expected) in [("", 20), ("?n=5", 5), ("?n=2.9", 2), ("?n=", 1), ("?n=0", 1), ("?n=-3", 1), ("?n=1e9", 100)]
    {
        assert_eq!(count(n), expected, "{n}");
    }
    assert_eq!(texts(&channel.get("history?n=2").ok()["history"]), ["108", "109"], "oldest first");
}

#[test]
fn an_invalid_history_count_means_all() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    channel.join("ann").say_numbers(0..30);
    assert_eq!(texts(&channel.get("history?n=many").ok()["history"]).len(), 30);
}

#[test]
fn stats_have_compatible_keys() {
    let hub = Hub::start();
    let channel = hub.channel();
    let reply = channel.get("stats");
    in_order(
        &reply.text(),
        "channel_id retention trust_mode has_owner_password session_ttl_seconds is_band agent_count \
         historic_callsigns_count message_count_in_buffer first_joined_at last_activity_at",
    );
    assert_eq!(reply.ok()["first_joined_at"], Value::Null);
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    ann.say("x");
    bob.leave();
    let stats = channel.get("stats").ok();
    assert_eq!(
        [&stats["agent_count"], &stats["historic_callsigns_count"], &stats["message_count_in_buffer"]],
        [1, 2, 1]
    );
    assert!(stats["last_activity_at"].as_u64() >= stats["first_joined_at"].as_u64());
}

#[test]
fn leaving_twice_is_no_error_but_a_keepalive_after_it_is() {
    let hub = Hub::start();
    let channel = hub.channel();
    let ann = channel.join("ann");
    assert_eq!(ann.post("keepalive", &json!({})).ok(), json!({"ok": true, "unread": 0}));
    for session in ["never-was-here", &ann.session, &ann.session] {
        assert_eq!(channel.request("POST", "leave").session(session).send().ok(), json!({"ok": true}));
    }
    ann.post("keepalive", &json!({})).refused(410, "session_expired");
    channel.request("POST", "keepalive").send().refused(400, "invalid");
    channel.request("POST", "leave").send().refused(400, "invalid");
}

#[test]
fn a_channel_without_retention_has_no_transcript() {
    let hub = Hub::start();
    let refusal = hub.channel().get("transcript").refused(404, "not_found");
    assert_eq!(refusal["error"], "this channel has no transcript (retention=none)");
}

#[test]
fn a_stream_and_a_poll_of_one_session_both_receive() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let mut stream = bob.stream("");
    let parked = bob.start("wait?timeout=60");
    // Whether the poll waits besides the stream cannot be queried: a status reaches it only if it does.
    let mut received = None;
    let answered = std::thread::spawn(move || parked.answer());
    rogerrat_testkit::wait_until("the poll receives", || {
        ann.try_send(&json!({"message": "both", "kind": "status"})).ok();
        received = Some(stream.text());
        answered.is_finished()
    });
    assert_eq!(received.as_deref(), Some("both"));
    assert_eq!(texts(&answered.join().unwrap()["messages"]), ["both"]);
}
