//! A2, A4, A5, A6: idempotent sends, receipts, threads and unread counts.

use rogerrat_testkit::{Agent, Hub, texts};
use serde_json::{Value, json};

#[test]
fn a02_the_same_key_and_body_is_sent_once() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let keyed = |key: &str, text: &str| {
        ann.call(ann.request("POST", "send").header("Idempotency-Key", key).json(&json!({"message": text})))
    };
    let first = keyed("k-1", "once").ok();
    assert!(first.get("duplicate").is_none());
    let again = keyed("k-1", "once").ok();
    assert_eq!((&again["id"], &again["at"], &again["duplicate"]), (&first["id"], &first["at"], &json!(true)));
    let field = ann.try_send(&json!({"message": "once", "client_msg_id": "k-1"})).ok();
    assert_eq!((&field["id"], &field["duplicate"]), (&first["id"], &json!(true)), "header and field are equivalent");
    keyed("k-1", "another body").refused(409, "idempotency_conflict");
    assert_ne!(keyed("k-2", "once").ok()["id"], first["id"], "another key is another message");
    let bobs = bob.call(bob.request("POST", "send").header("Idempotency-Key", "k-1").json(&json!({"message": "mine"})));
    assert!(bobs.ok().get("duplicate").is_none(), "keys are separate per member");
    assert_eq!(channel.history(), ["once", "once", "mine"]);
    for bad in ["", &"k".repeat(129), "a b", "schlüssel"] {
        keyed(bad, "x").refused(400, "invalid");
    }
}

#[test]
fn a02_a_repeated_send_is_not_counted_and_works_after_a_rejoin() {
    let hub = Hub::with(&["--rate-limit", "2"], &[]);
    let channel = hub.channel();
    let ann = channel.join("ann");
    let body = json!({"message": "x", "client_msg_id": "k"});
    let first = ann.try_send(&body).ok();
    for _ in 0..5 {
        assert_eq!(ann.try_send(&body).ok()["id"], first["id"]);
    }
    ann.leave();
    assert_eq!(ann.rejoin().try_send(&body).ok()["duplicate"], true);
}

#[test]
fn a02_a_repeated_send_to_an_index_reaches_the_original_recipient() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let body = json!({"to": "#2", "message": "x", "client_msg_id": "k"});
    let first = ann.try_send(&body).ok();
    let again = ann.try_send(&body).ok();
    assert_eq!((&again["to"], &again["id"]), (&json!("bob"), &first["id"]));
    assert_eq!(bob.listen(), ["x"]);
}

fn states(agent: &Agent, id: u64) -> Vec<(String, String)> {
    let receipts = agent.get(&format!("messages/{id}/receipts")).ok()["receipts"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    receipts.iter().map(|receipt| (text(&receipt["to"]), text(&receipt["state"]))).collect()
}

fn one(to: &str, state: &str) -> (String, String) {
    (to.to_owned(), state.to_owned())
}

#[test]
fn a04_the_receipts_of_several_messages_come_in_one_request() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob, carl) = (channel.join("ann"), channel.join("bob"), channel.join("carl"));
    let sent: Vec<_> = ["bob", "all", "carl"].into_iter().map(|to| ann.send(to, "hi")).collect();
    let theirs = bob.say("mine");
    bob.listen();
    carl.get("listen?timeout=1&ack=manual").ok();
    carl.post("ack", &json!({"upto": sent[2]})).ok();
    let query = |ids: &[u64]| {
        let ids: Vec<_> = ids.iter().map(u64::to_string).collect();
        format!("receipts?ids={}", ids.join(","))
    };
    let reply = ann.get(&query(&[sent[2], theirs, sent[0], 1, sent[1], sent[0]])).ok();
    let messages = reply["messages"].as_array().unwrap();
    assert_eq!(messages.iter().map(|message| message["id"].as_u64().unwrap()).collect::<Vec<_>>(), sent);
    for message in messages {
        let alone = ann.get(&format!("messages/{}/receipts", message["id"])).ok();
        assert_eq!(message["receipts"], alone["receipts"]);
    }
    assert_eq!(messages[1]["counts"], json!({"queued": 0, "delivered": 1, "acked": 1, "expired": 0}));
    assert_eq!(ann.get("receipts?ids=%201%20,%202%2C3").ok(), json!({"messages": []}));
    assert_eq!(ann.get(&format!("receipts?ids={}", u64::MAX)).ok(), json!({"messages": []}));
    assert_eq!(bob.get(&query(&sent)).ok(), json!({"messages": []}), "only the sender's own");
    ann.get(&query(&[7; 50])).ok();
    ann.get(&query(&[7; 51])).refused(400, "invalid");
    for bad in
        ["receipts", "receipts?ids=", "receipts?ids=a", "receipts?ids=1,,2", "receipts?ids=-1", "receipts?ids=1.5"]
    {
        ann.get(bad).refused(400, "invalid");
    }
    ann.get("receipts?ids=99999999999999999999999").refused(400, "invalid");
    let token_only = channel.request("GET", &query(&sent)).send();
    token_only.refused(400, "invalid");
    ann.leave();
    ann.get(&query(&sent)).refused(410, "session_expired");
}

#[test]
fn a04_receipts_of_a_dm_follow_its_delivery() {
    let hub = Hub::start();
    let channel = hub.channel_with(&json!({"member_ttl_seconds": 0.2}));
    let (ann, bob, carl) = (channel.join("ann"), channel.join("bob"), channel.join("carl"));
    let id = ann.send("bob", "hi");
    assert_eq!(states(&ann, id), [one("bob", "queued")]);
    bob.get("listen?timeout=1&ack=manual").ok();
    assert_eq!(states(&ann, id), [one("bob", "delivered")]);
    bob.post("ack", &json!({"upto": id})).ok();
    let receipt = ann.get(&format!("messages/{id}/receipts")).ok()["receipts"][0].clone();
    assert_eq!((&receipt["state"], &receipt["attempts"]), (&json!("acked"), &json!(1)));
    let time = |name: &str| receipt[name].as_u64().unwrap();
    assert!(time("queued_at") <= time("delivered_at") && time("delivered_at") <= time("acked_at"), "{receipt}");
    let lost = ann.send("carl", "never read");
    carl.leave();
    rogerrat_testkit::wait_until("carl is removed", || states(&ann, lost) == [one("carl", "expired")]);
}

#[test]
fn a04_receipts_of_a_broadcast_follow_the_cursors() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob, _, dora) = (channel.join("ann"), channel.join("bob"), channel.join("carl"), channel.join("dora"));
    let id = ann.say("hi");
    bob.listen();
    dora.get("listen?timeout=1&ack=manual").ok();
    dora.post("ack", &json!({"upto": id})).ok();
    let mut receipts = states(&ann, id);
    receipts.sort_unstable();
    assert_eq!(receipts, [one("bob", "delivered"), one("carl", "queued"), one("dora", "acked")]);
}

#[test]
fn a04_receipts_are_for_the_sender_only() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let id = ann.send("bob", "hi");
    bob.get(&format!("messages/{id}/receipts")).refused(403, "forbidden");
    channel.get(&format!("messages/{id}/receipts")).refused(400, "invalid");
    ann.get(&format!("messages/{}/receipts", id + 1)).refused(404, "not_found");
    ann.get("messages/x/receipts").refused(400, "invalid");
}

#[test]
fn a05_thread_and_reply_to_are_returned_with_messages() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let asked = ann.try_send(&json!({"message": "q", "thread": "build"})).ok();
    assert_eq!(asked["thread"], "build");
    let answered = bob.try_send(&json!({"message": "a", "thread": "build", "reply_to": asked["id"]})).ok();
    assert_eq!(answered["reply_to"], asked["id"]);
    ann.say("aside");
    let received = &ann.wait()["messages"][0];
    assert_eq!((&received["reply_to"], &received["thread"]), (&asked["id"], &json!("build")));
    let thread = |name: &str| texts(&channel.get(&format!("history?thread={name}")).ok()["history"]);
    assert_eq!((thread("build"), thread("other")), (vec!["q".to_owned(), "a".to_owned()], Vec::new()));
    for bad in [json!(""), json!(" "), json!("x".repeat(65))] {
        ann.try_send(&json!({"message": "x", "thread": bad})).refused(400, "invalid");
    }
    ann.try_send(&json!({"message": "x", "thread": "ä".repeat(64)})).ok();
    for bad in [json!(-1), json!(1.5), json!("x")] {
        ann.try_send(&json!({"message": "x", "reply_to": bad})).refused(400, "invalid");
    }
}

#[test]
fn a06_every_reply_of_a_member_has_its_unread_count() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let unread = |agent: &Agent| {
        let sent = agent.try_send(&json!({"to": &agent.callsign, "message": "to myself"})).ok()["unread"].clone();
        let keepalive = agent.post("keepalive", &json!({})).ok()["unread"].clone();
        let roster = agent.get("roster").ok()["unread"].clone();
        assert!(sent == keepalive && keepalive == roster, "{sent} {keepalive} {roster}");
        sent
    };
    assert_eq!(unread(&ann), 0);
    bob.say("an answer");
    bob.send("ann", "and another");
    assert_eq!(unread(&ann), 2);
    assert_eq!(ann.rejoin().joined["unread"], 2);
    assert_eq!(ann.listen().len(), 2);
    assert_eq!(unread(&ann), 0);
    assert!(channel.get("roster").ok().get("unread").is_none(), "no session, no count");
}
