//! A store without room: what must be kept is refused, what need not be goes on, and room makes all good again.

use rogerrat_testkit::{Agent, Channel, Hub, wait_until};
use serde_json::{Value, json};

use super::kit::{all, on_disk};

/// The least a database may have.
const SMALL: [(&str, &str); 1] = [("ROGERRAT_STORAGE__MAX_MIB", "1")];
const FLAGS: [&str; 2] = ["--rate-limit", "off"];

struct Trouble {
    hub: Hub,
    disk: Channel,
    ann: Agent,
    bob: Agent,
    /// Ids that were acknowledged.
    kept: Vec<u64>,
}

impl Trouble {
    /// A hub whose channel on disk has taken all the room there is.
    fn brew() -> Self {
        let hub = Hub::with(&FLAGS, &SMALL);
        let disk = on_disk(&hub);
        let (ann, bob) = (disk.join("ann"), disk.join("bob"));
        let mut kept = Vec::new();
        loop {
            let reply = ann.try_send(&json!({"message": "x".repeat(8000)}));
            if reply.status != 200 {
                reply.refused(507, "storage_failed");
                return Self { hub, disk, ann, bob, kept };
            }
            kept.push(reply.ok()["id"].as_u64().unwrap());
        }
    }

    /// The same hub with room.
    fn relieve(&mut self) {
        self.hub.start_again(&FLAGS, &[]);
        wait_until("it is ready", || self.hub.get("/readyz").send().status == 200);
    }
}

#[test]
fn a03_without_room_a_send_is_refused_and_delivered_to_nobody() {
    let Trouble { hub, disk, ann, bob, kept } = Trouble::brew();
    let refused = hub.get("/readyz").send().refused(503, "overloaded");
    assert!(refused["error"].as_str().unwrap().contains("store"), "{refused}");
    let mut stream = bob.stream("");
    for _ in &kept {
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
    assert_eq!(ids, kept[kept.len().saturating_sub(100)..], "only what was acknowledged is there");
    ann.try_send(&json!({"kind": "status", "message": "a status needs no room"})).ok();
    assert_eq!(stream.text(), "a status needs no room", "and nothing came before it");
}

#[test]
fn a03_without_room_memory_channels_go_on() {
    let hub = Hub::with(&FLAGS, &SMALL);
    let memory = hub.channel();
    let dave = memory.join("dave");
    let told = hub.channel_with(&json!({"retention": "metadata"}));
    let (grace, heidi) = (told.join("grace"), told.join("heidi"));
    let disk = on_disk(&hub).join("ann");
    wait_until("it is full", || disk.try_send(&json!({"message": "x".repeat(8000)})).status == 507);
    let eve = memory.join("eve");
    dave.say("hello");
    eve.send("dave", "hello to you");
    assert_eq!((eve.listen(), dave.listen()), (vec!["hello".into()], vec!["hello to you".into()]));
    eve.leave();
    assert_eq!(memory.roster(), ["dave"]);
    grace.try_send(&json!({"message": "its transcript has no room"})).refused(507, "storage_failed");
    assert_eq!((heidi.listen(), told.history()), (Vec::<String>::new(), Vec::new()));
    let frank = hub.band("random").join("frank");
    frank.say("bands, too");
    drop(disk);
}

#[test]
fn a02_what_was_refused_for_want_of_room_is_sent_once_when_there_is_some() {
    for name in ["KILL", "TERM"] {
        let mut trouble = Trouble::brew();
        let body = json!({"message": "at last", "client_msg_id": "k"});
        for _ in 0..3 {
            // A small one may just fit; then the next is the same one.
            let reply = trouble.ann.try_send(&body);
            assert!(reply.status == 507 || reply.status == 200, "{}", reply.text());
        }
        trouble.hub.signal(name);
        let status = trouble.hub.wait_for_exit();
        assert_eq!(status.code(), (name == "TERM").then_some(0), "{}", trouble.hub.log());
        trouble.relieve();
        for _ in 0..2 {
            assert_eq!(trouble.ann.try_send(&body).ok()["durable"], true);
        }
        let messages = all(&trouble.bob);
        let ids: Vec<_> = messages.iter().map(|message| message["id"].as_u64().unwrap()).collect();
        assert_eq!(ids[..ids.len() - 1], trouble.kept, "{name}: what was acknowledged, and nothing that was not");
        assert_eq!(messages.last().unwrap()["text"], "at last");
    }
}

#[test]
fn a03_a_hub_that_was_stopped_without_room_goes_on_where_there_is_some() {
    let mut trouble = Trouble::brew();
    let text = trouble.hub.log();
    assert!(text.contains("the store cannot write"), "{text}");
    trouble.hub.stop();
    trouble.relieve();
    let carol = trouble.disk.join("carol");
    carol.say("room");
    assert_eq!(carol.joined["idx"], 3);
    let last = all(&trouble.bob).pop().unwrap();
    assert_eq!((&last["text"], &last["attempt"]), (&json!("room"), &Value::Null));
}
