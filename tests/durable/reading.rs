//! Unread messages of a channel on disk: there, in order, however many, over the hub's end.

use rogerrat_testkit::{Hub, texts};
use serde_json::{Value, json};

use super::kit::{End, all, on_disk};

/// More than a ring holds.
const MANY: usize = 250;

fn unread_is_read_after(end: End) {
    let mut hub = Hub::unlimited();
    let channel = on_disk(&hub);
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let ids = ann.say_numbers(0..MANY);
    end.of(&mut hub);
    assert_eq!(bob.unread(), 100, "it is counted as far as one read gives");
    assert_eq!(channel.history(), (MANY - 100..MANY).map(|n| n.to_string()).collect::<Vec<_>>());
    let after = ann.say("after");
    let messages = all(&bob);
    let came: Vec<_> = messages.iter().map(|message| message["id"].as_u64().unwrap()).collect();
    assert_eq!(came, [&ids[..], &[after]].concat());
    assert!(messages[..MANY].iter().all(|message| message["attempt"] == end.attempt()), "{:?}", messages[0]);
    assert_eq!(messages[MANY]["attempt"], Value::Null, "what came after is new");
    end.of(&mut hub);
    assert!(all(&bob).iter().all(|message| message["attempt"] == 2), "twice only where it is said");
}

#[test]
fn a03_unread_beyond_the_ring_outlives_a_kill() {
    unread_is_read_after(End::Kill);
}

#[test]
fn a03_unread_beyond_the_ring_outlives_a_stop() {
    unread_is_read_after(End::Stop);
}

#[test]
fn a03_what_was_read_before_a_stop_never_comes_again() {
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
fn a03_messages_come_back_whole() {
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
fn a03_a_gap_comes_only_beyond_the_shelf_and_d06_never_takes_a_held_dm() {
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
fn a03_a_consumer_made_after_a_restart_begins_at_the_oldest_message() {
    let mut hub = Hub::unlimited();
    let channel = on_disk(&hub);
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    ann.say_numbers(0..120);
    assert_eq!(all(&bob).len(), 120);
    End::Stop.of(&mut hub);
    let read = bob.get("listen?timeout=1&consumer=new").ok();
    assert_eq!((texts(&read["messages"])[0].as_str(), &read["gap"]), ("0", &Value::Null));
}
