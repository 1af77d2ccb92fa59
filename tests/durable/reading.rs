//! Unread messages of a durable channel survive a restart, in order and in any number.

use rogerrat_testkit::{Hub, texts};
use serde_json::{Value, json};

use super::kit::{End, all, on_disk};

/// More messages than a ring holds.
const MANY: usize = 250;

fn unread_messages_are_read_after(end: End) {
    let mut hub = Hub::unlimited();
    let channel = on_disk(&hub);
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let ids = ann.say_numbers(0..MANY);
    end.of(&mut hub);
    assert_eq!(bob.unread(), 100, "unread counts at most what one read returns");
    assert_eq!(channel.history(), (MANY - 100..MANY).map(|n| n.to_string()).collect::<Vec<_>>());
    let after = ann.say("after");
    let messages = all(&bob);
    let received: Vec<_> = messages.iter().map(|message| message["id"].as_u64().unwrap()).collect();
    assert_eq!(received, [&ids[..], &[after]].concat());
    assert!(messages[..MANY].iter().all(|message| message["attempt"] == end.attempt()), "{:?}", messages[0]);
    assert_eq!(messages[MANY]["attempt"], Value::Null, "a message sent after the restart is new");
    end.of(&mut hub);
    assert!(all(&bob).iter().all(|message| message["attempt"] == 2), "a message that is delivered twice says so");
}

#[test]
fn a03_unread_messages_beyond_the_ring_survive_a_kill() {
    unread_messages_are_read_after(End::Kill);
}

#[test]
fn a03_unread_messages_beyond_the_ring_survive_a_stop() {
    unread_messages_are_read_after(End::Stop);
}

#[test]
fn a03_messages_read_before_a_stop_are_not_delivered_again() {
    let mut hub = Hub::unlimited();
    let channel = on_disk(&hub);
    let (ann, bob, carol) = (channel.join("ann"), channel.join("bob"), channel.join("carol"));
    let ids = ann.say_numbers(0..150);
    assert_eq!(all(&bob).len(), 150);
    let read = carol.get("listen?timeout=1&ack=manual&lease=3600&max=30").ok();
    assert_eq!(read["messages"].as_array().unwrap().len(), 30);
    carol.post("ack", &json!({"upto": ids[29]})).ok();
    End::Stop.of(&mut hub);
    assert_eq!((bob.unread(), carol.unread()), (0, 100));
    assert!(all(&bob).is_empty());
    let rest = all(&carol);
    assert_eq!(rest[0]["text"], "30");
    assert!(rest.len() == 120 && rest.iter().all(|message| message["attempt"] == Value::Null), "{rest:?}");
}

#[test]
fn a03_messages_are_restored_completely() {
    let mut hub = Hub::unlimited();
    let channel = on_disk(&hub);
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let full = json!({"to": "bob", "message": "\u{0}\u{2028} \"quoted\" 𝄞 \r\n", "priority": "urgent", "reply_to": 7,
        "suggested_replies": ["yes", "no"], "thread": "parser",
        "attachments": [{"mime": "image/png", "data_base64": "iVBORw0KGgo=", "filename": "a\"b.png"}]});
    ann.try_send(&full).ok();
    let before = channel.get("history").ok();
    End::Kill.of(&mut hub);
    assert_eq!(channel.get("history").ok(), before);
    assert_eq!(channel.get("history?thread=parser").ok(), before);
    let mut message = bob.get("listen?timeout=1").ok()["messages"][0].clone();
    assert_eq!(message.as_object_mut().unwrap().remove("attempt"), Some(json!(2)));
    assert_eq!(message, before["history"][0]);
}

#[test]
fn a03_d06_a_gap_begins_beyond_the_backlog_and_never_includes_a_held_dm() {
    let env = [("ROGERRAT_STORAGE__BACKLOG_MESSAGES", "150"), ("ROGERRAT_LIMITS__SEND_PER_SESSION", "0")];
    let mut hub = Hub::with(&[], &env);
    let channel = on_disk(&hub);
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    ann.send("bob", "held");
    let ids = ann.say_numbers(0..200);
    hub.kill();
    hub.start_again(&[], &env);
    let first = bob.get("listen?timeout=1").ok();
    assert_eq!(first["gap"]["reason"], "ring", "{first}");
    let (lost, texts) = (first["gap"]["to"].as_u64().unwrap(), texts(&first["messages"]));
    assert_eq!(texts[0], "held");
    let left = ids.iter().filter(|id| **id > lost).count();
    assert!((100..=150).contains(&left), "{left} of 200 are left");
    assert_eq!(texts.len() + all(&bob).len(), left + 1);
}

#[test]
fn a03_a_new_consumer_begins_at_the_oldest_message_after_a_restart() {
    let mut hub = Hub::unlimited();
    let channel = on_disk(&hub);
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    ann.say_numbers(0..120);
    assert_eq!(all(&bob).len(), 120);
    End::Stop.of(&mut hub);
    let read = bob.get("listen?timeout=1&consumer=new").ok();
    assert_eq!((texts(&read["messages"])[0].as_str(), &read["gap"]), ("0", &Value::Null));
}

#[test]
fn a13_messages_of_the_backlog_are_read_within_a_bound_and_fetched_with_their_files() {
    let mut hub = Hub::unlimited();
    let channel = hub.channel_with(&json!({"durability": "disk", "dm_visibility": "private", "claim_callsigns": true}));
    let [ann, bob, eve] = ["ann", "bob", "eve"].map(|name| channel.join(name));
    let file = json!({"mime": "text/x-diff", "data_base64": "LSBhCisgYgo=", "filename": "a.diff"});
    let with_file = json!({"to": "bob", "message": "see", "attachments": [file]});
    let first = ann.try_send(&with_file).ok()["id"].as_u64().unwrap();
    let mut sent = vec![first];
    sent.extend((0..150).map(|n| ann.say(&"x".repeat(n * 20 + 1))));
    End::Kill.of(&mut hub);
    for agent in [&ann, &bob] {
        assert_eq!(agent.get(&format!("messages/{first}")).ok()["attachments"][0], file);
        let content = agent.get(&format!("messages/{first}/attachments/0"));
        assert_eq!((content.status, content.body.as_slice()), (200, b"- a\n+ b\n".as_slice()));
    }
    eve.get(&format!("messages/{first}")).refused(404, "not_found");
    assert_eq!(eve.get(&format!("messages/{}", sent[1])).ok()["text"], "x");
    let mut read = Vec::new();
    while read.len() < sent.len() {
        let reply = bob.get("listen?timeout=5&max_bytes=8000&attachments=meta");
        assert!(reply.body.len() <= 8000, "{}", reply.body.len());
        let answer = reply.ok();
        read.extend(answer["messages"].as_array().unwrap().iter().map(|message| message["id"].as_u64().unwrap()));
        assert_eq!(answer["more"].as_u64().unwrap_or(0) as usize, sent.len() - read.len());
    }
    assert_eq!(read, sent);
}
