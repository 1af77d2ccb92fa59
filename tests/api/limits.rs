//! D30: limits that can be reached quickly. Limits of hours and days are tested elsewhere with paused time.

use rogerrat_testkit::{Hub, wait_until};
use serde_json::json;

#[test]
fn d30_a_member_has_eight_consumers() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    ann.say("hi");
    for n in 1..8 {
        bob.get(&format!("listen?timeout=1&consumer=c{n}")).ok();
    }
    let refusal = bob.get("listen?timeout=1&consumer=c8").refused(409, "limit_reached");
    assert!(refusal["error"].as_str().unwrap().contains("consumers"), "it names the limit: {refusal}");
    assert_eq!(bob.get("stream?consumer=c9").status, 409);
    assert_eq!(bob.consumers().len(), 8);
    bob.call(bob.request("DELETE", "consumers/c1")).ok();
    bob.get("listen?timeout=1&consumer=c8").ok();
}

#[test]
fn d30_a_ring_holds_a_hundred_messages() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let ann = channel.join("ann");
    ann.say_numbers(0..250);
    assert_eq!(channel.history(), (150..250).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(channel.get("stats").ok()["message_count_in_buffer"], 100);
}

#[test]
fn d30_a_ring_holds_sixteen_mebibytes() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let ids: Vec<_> = (0..40).map(|n| ann.send_large("all", &n.to_string())).collect();
    let count = channel.get("stats").ok()["message_count_in_buffer"].as_u64().unwrap();
    assert_eq!(count, 31, "31 messages are below 16 MiB, 32 are above");
    let read = bob.get("listen?timeout=1").ok();
    assert_eq!(read["messages"].as_array().unwrap().len(), 31);
    assert_eq!((&read["gap"]["to"], &read["gap"]["reason"]), (&json!(ids[8]), &json!("ring")));
}

#[test]
fn d30_a_thousand_idempotency_keys_are_stored() {
    let hub = Hub::unlimited();
    let ann = hub.channel().join("ann");
    let send = |n: usize| ann.try_send(&json!({"message": "x", "client_msg_id": n.to_string()})).ok();
    let first: Vec<_> = (0..1001).map(|n| send(n)["id"].clone()).collect();
    assert_eq!(send(1000)["id"], first[1000]);
    assert_eq!(send(1)["id"], first[1], "the last thousand keys are stored");
    assert_ne!(send(0)["id"], first[0], "the oldest key was dropped");
}

#[test]
fn d30_a_member_without_a_session_is_removed() {
    let hub = Hub::start();
    let channel = hub.channel_with(&json!({"member_ttl_seconds": 0.2}));
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    ann.send("bob", "never read");
    bob.leave();
    wait_until("bob is removed", || channel.get("stats").ok()["historic_callsigns_count"] == 1);
    ann.try_send(&json!({"to": "bob", "message": "x"})).refused(400, "unknown_recipient");
    let again = bob.rejoin();
    assert_eq!((&again.joined["idx"], again.unread()), (&json!(3), 0), "with its number and its mailbox");
}

#[test]
fn d30_an_inactive_session_expires() {
    let hub = Hub::start();
    let channel = hub.channel_with(&json!({"session_ttl_seconds": 0.2}));
    let bob = channel.join("bob");
    wait_until("bob expires", || channel.roster().is_empty());
    bob.post("keepalive", &json!({})).refused(410, "session_expired");
    assert_eq!(channel.roster_all(), json!([{"callsign": "bob", "online": false, "idx": 1}]));
}

#[test]
fn d30_idle_connections_do_not_block_others() {
    let hub = Hub::start();
    let idle: Vec<_> = (0..300).map(|_| hub.connect()).collect();
    let mut halves: Vec<_> = (0..100).map(|_| hub.connect()).collect();
    halves.iter_mut().for_each(|conn| conn.write(b"POST /api/channels HTTP/1.1\r\nHost: localhost\r\n"));
    hub.channel().join("ann").say("still quick");
    drop((idle, halves));
}
