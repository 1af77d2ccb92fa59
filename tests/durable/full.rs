//! A full store: requests that must be stored are refused, others continue, and free space makes the hub healthy again.

use rogerrat_testkit::{Agent, Channel, Hub, wait_until};
use serde_json::{Value, json};

use super::kit::{all, on_disk};

/// The smallest limit of a database.
const SMALL: [(&str, &str); 1] = [("ROGERRAT_STORAGE__MAX_MIB", "1")];
const FLAGS: [&str; 2] = ["--rate-limit", "off"];

struct FullStore {
    hub: Hub,
    disk: Channel,
    ann: Agent,
    bob: Agent,
    /// Ids that were acknowledged.
    stored: Vec<u64>,
}

impl FullStore {
    /// A hub whose durable channel has filled the store.
    fn start() -> Self {
        let hub = Hub::with(&FLAGS, &SMALL);
        let disk = on_disk(&hub);
        let (ann, bob) = (disk.join("ann"), disk.join("bob"));
        let mut stored = Vec::new();
        loop {
            let reply = ann.try_send(&json!({"message": "x".repeat(8000)}));
            if reply.status != 200 {
                reply.refused(507, "storage_failed");
                return Self { hub, disk, ann, bob, stored };
            }
            stored.push(reply.ok()["id"].as_u64().unwrap());
        }
    }

    /// Starts the hub again with a larger limit.
    fn start_with_space(&mut self) {
        self.hub.start_again(&FLAGS, &[]);
        wait_until("the hub is ready", || self.hub.get("/readyz").send().status == 200);
    }
}

#[test]
fn a03_in_a_full_store_a_send_is_refused_and_not_delivered() {
    let FullStore { hub, disk, ann, bob, stored } = FullStore::start();
    let refused = hub.get("/readyz").send().refused(503, "overloaded");
    assert!(refused["error"].as_str().unwrap().contains("storage"), "{refused}");
    let mut stream = bob.stream("");
    for _ in &stored {
        stream.text();
    }
    for to in ["all", "bob", "#2"] {
        ann.try_send(&json!({"to": to, "message": "y".repeat(8000)})).refused(507, "storage_failed");
    }
    disk.try_join(&json!({"callsign": "carol"})).refused(507, "storage_failed");
    assert_eq!(disk.roster(), ["ann", "bob"]);
    let ids: Vec<_> = disk.get("history?n=100").ok()["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["id"].as_u64().unwrap())
        .collect();
    assert_eq!(ids, stored[stored.len().saturating_sub(100)..], "only acknowledged messages are stored");
    ann.try_send(&json!({"kind": "status", "message": "a status is not stored"})).ok();
    assert_eq!(stream.text(), "a status is not stored", "and no message arrived before it");
}

#[test]
fn a03_in_a_full_store_memory_channels_continue() {
    let hub = Hub::with(&FLAGS, &SMALL);
    let memory = hub.channel();
    let dave = memory.join("dave");
    let with_transcript = hub.channel_with(&json!({"retention": "metadata"}));
    let (grace, heidi) = (with_transcript.join("grace"), with_transcript.join("heidi"));
    let disk = on_disk(&hub).join("ann");
    wait_until("the store is full", || disk.try_send(&json!({"message": "x".repeat(8000)})).status == 507);
    let eve = memory.join("eve");
    dave.say("hello");
    eve.send("dave", "hello to you");
    assert_eq!((eve.listen(), dave.listen()), (vec!["hello".into()], vec!["hello to you".into()]));
    eve.leave();
    assert_eq!(memory.roster(), ["dave"]);
    grace.try_send(&json!({"message": "its transcript cannot be stored"})).refused(507, "storage_failed");
    assert_eq!((heidi.listen(), with_transcript.history()), (Vec::<String>::new(), Vec::new()));
    let frank = hub.band("random").join("frank");
    frank.say("bands, too");
    drop(disk);
}

#[test]
fn a02_a_send_refused_by_a_full_store_is_done_once_when_there_is_space() {
    for name in ["KILL", "TERM"] {
        let mut full = FullStore::start();
        let body = json!({"message": "at last", "client_msg_id": "k"});
        for _ in 0..3 {
            // A small message may still fit; then the next send is a duplicate of it.
            let reply = full.ann.try_send(&body);
            assert!(reply.status == 507 || reply.status == 200, "{}", reply.text());
        }
        full.hub.signal(name);
        let status = full.hub.wait_for_exit();
        assert_eq!(status.code(), (name == "TERM").then_some(0), "{}", full.hub.log());
        full.start_with_space();
        for _ in 0..2 {
            assert_eq!(full.ann.try_send(&body).ok()["durable"], true);
        }
        let messages = all(&full.bob);
        let ids: Vec<_> = messages.iter().map(|message| message["id"].as_u64().unwrap()).collect();
        assert_eq!(ids[..ids.len() - 1], full.stored, "{name}: all acknowledged messages, and no other");
        assert_eq!(messages.last().unwrap()["text"], "at last");
    }
}

#[test]
fn a03_a_hub_that_was_stopped_with_a_full_store_continues_when_there_is_space() {
    let mut full = FullStore::start();
    let text = full.hub.log();
    assert!(text.contains("the store cannot write"), "{text}");
    full.hub.stop();
    full.start_with_space();
    let carol = full.disk.join("carol");
    carol.say("space");
    assert_eq!(carol.joined["idx"], 3);
    let last = all(&full.bob).pop().unwrap();
    assert_eq!((&last["text"], &last["attempt"]), (&json!("space"), &Value::Null));
}
