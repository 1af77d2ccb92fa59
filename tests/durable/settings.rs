//! A3: which channels are durable, and how replies show it.

use rogerrat_testkit::Hub;
use serde_json::{Value, json};

use super::kit::on_disk;

#[test]
fn a03_a_channel_is_durable_on_request_or_when_it_keeps_text() {
    let hub = Hub::unlimited();
    let table = [
        (json!({}), "memory"),
        (json!({"durability": "memory"}), "memory"),
        (json!({"durability": "disk"}), "disk"),
        (json!({"retention": "metadata"}), "memory"),
        (json!({"retention": "metadata", "durability": "disk"}), "disk"),
        (json!({"retention": "prompts"}), "disk"),
        (json!({"retention": "full"}), "disk"),
        (json!({"retention": "full", "durability": "disk"}), "disk"),
    ];
    for (settings, durability) in table {
        let created = hub.post("/api/channels").json(&settings).send().ok();
        assert_eq!(created["durability"], durability, "{settings}");
    }
}

#[test]
fn a03_a_memory_channel_keeps_no_transcript_with_text() {
    let hub = Hub::unlimited();
    for retention in ["prompts", "full"] {
        let settings = json!({"retention": retention, "durability": "memory"});
        let refused = hub.post("/api/channels").json(&settings).send().refused(400, "invalid");
        assert!(refused["error"].as_str().unwrap().contains("durability"), "{refused}");
    }
    for wrong in [json!("tape"), json!(true), Value::Null] {
        let refused = hub.post("/api/channels").json(&json!({"durability": wrong})).send().refused(400, "invalid");
        assert!(refused["error"].as_str().unwrap().contains("durability"), "{refused}");
    }
}

#[test]
fn a03_the_reply_to_a_send_says_durable() {
    let hub = Hub::unlimited();
    let channel = on_disk(&hub);
    let (ann, _bob) = (channel.join("ann"), channel.join("bob"));
    let keyed = json!({"message": "once", "client_msg_id": "k"});
    for body in [json!({"message": "to all"}), json!({"to": "bob", "message": "to one"}), keyed.clone()] {
        assert_eq!(ann.try_send(&body).ok()["durable"], true, "{body}");
    }
    let again = ann.try_send(&keyed).ok();
    assert_eq!((&again["duplicate"], &again["durable"]), (&json!(true), &json!(true)));
    assert_eq!(
        ann.try_send(&json!({"kind": "status", "message": "a status is not stored"})).ok()["durable"],
        Value::Null
    );
    let ann = hub.channel().join("ann");
    assert_eq!(ann.try_send(&json!({"message": "in memory"})).ok()["durable"], Value::Null);
}
