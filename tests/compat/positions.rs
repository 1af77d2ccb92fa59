//! Positions in the list of messages, beyond the stored ones and across restarts.

use rogerrat_testkit::{Channel, Hub, wait_until};
use serde_json::json;

use super::room::{Room, texts};

fn numbers(from: u64, to: u64) -> Vec<String> {
    (from..to).map(|n| n.to_string()).collect()
}

#[test]
fn positions_continue_beyond_the_hundred_stored_messages() {
    let hub = Hub::unlimited();
    let room = Room::of(&hub.channel());
    for n in 0..130 {
        room.say("ann", &n.to_string());
    }
    assert_eq!(room.poll(0), (numbers(30, 130), 130), "a position before all stored messages returns all of them");
    assert_eq!((room.poll(128), room.poll(130)), ((numbers(128, 130), 130), (vec![], 130)));
    assert_eq!(texts(&room.request("GET", "/messages").send().ok()), numbers(30, 130));
    assert_eq!(room.poll(131).0.len(), 100, "a future position belongs to an earlier incarnation of the room");
    assert_eq!(room.poll(u64::MAX).1, 130);
}

#[test]
fn positions_survive_a_crash_on_disk() {
    let mut hub = Hub::unlimited();
    let channel = hub.channel_with(&json!({"durability": "disk"}));
    let (room, ann) = (Room::of(&channel), channel.join("ann"));
    for n in 0..60 {
        room.say("Zoë", &n.to_string());
        ann.send("ann", "a DM has no position");
    }
    for round in 1..=3 {
        hub.kill();
        hub.start_again(&["--rate-limit", "off"], &[]);
        let next = 60 * round;
        assert_eq!(room.poll(next), (vec![], next));
        for n in next..next + 60 {
            room.say("Zoë", &n.to_string());
        }
        assert_eq!(room.poll(next), (numbers(next, next + 60), next + 60));
    }
    // The same name is the same member after the restart.
    assert_eq!(channel.roster(), ["ann", &*channel.roster()[1]]);
}

#[test]
fn an_old_position_after_a_restart_in_memory_returns_everything() {
    let mut hub = Hub::start();
    let room = Room::of(&hub.channel());
    for text in ["a", "b", "c"] {
        room.say("ann", text);
    }
    assert_eq!(room.poll(3), (vec![], 3));
    hub.restart();
    assert_eq!(room.poll(3), (vec![], 0));
    room.say("ann", "new");
    assert_eq!(room.poll(3), (vec!["new".to_owned()], 1), "it returns the new messages");
}

#[test]
fn a_waiting_poll_returns_with_the_next_message_or_at_its_timeout() {
    let mut hub = Hub::start();
    let channel = hub.channel();
    let room = Room::of(&channel);
    let ann = channel.join("ann");
    let mut waits = room.request("GET", "/messages/poll?after=0&wait=60").start();
    ann.send("ann", "a DM does not wake a poll");
    ann.say("there");
    let polled = waits.reply().unwrap().ok();
    assert_eq!((texts(&polled), &polled["next"]), (vec!["there".to_owned()], &json!(1)));
    let nothing = room.request("GET", "/messages/poll?after=1&wait=0.2").send().ok();
    assert_eq!(nothing, json!({"messages": [], "next": 1}));
    let mut waits = room.request("GET", "/messages/poll?after=1&wait=60").start();
    // A stopping hub answers the poll whether or not it already waits.
    wait_until("the hub responds", || hub.get("/livez").send().status == 200);
    hub.stop();
    assert_eq!(waits.reply().unwrap().ok()["messages"], json!([]));
}

#[test]
fn d22_a_reader_with_a_revoked_token_is_disconnected() {
    let hub = Hub::start();
    let account = hub.post("/api/account").send().ok();
    let owner = account["session_token"].as_str().unwrap();
    let made = hub.post("/api/channels").bearer(owner).json(&json!({})).send().ok();
    let old = Channel::new(*hub, made["channel_id"].as_str().unwrap(), made["join_token"].as_str().unwrap());
    let room = Room::of(&old);
    let mut stream = room.stream(None);
    let mut polled = room.request("GET", "/messages/poll?after=0&wait=60").start();
    room.say("ann", "with the old one");
    assert!(stream.next().unwrap().contains("with the old one"));
    assert_eq!(polled.reply().unwrap().status, 200);
    polled = room.request("GET", "/messages/poll?after=1&wait=60").start();
    let rotated = hub.post(&format!("/api/account/channels/{}/rotate-token", old.id)).bearer(owner).send().ok();
    let new = Room { password: rotated["join_token"].as_str().unwrap().into(), ..room };
    new.say("ann", "with the new one");
    assert_eq!(stream.next(), None, "the stream has ended");
    assert_eq!(polled.reply().unwrap().status, 401);
}
