//! Restarts of a durable channel: cursors, leases, receipts, idempotency keys and streams continue.

use rogerrat_testkit::{Agent, Hub, Stream, texts, wait_until};
use serde_json::{Value, json};

use super::kit::{End, attempts, on_disk};

fn receipt(sender: &Agent, id: u64) -> Value {
    sender.get(&format!("messages/{id}/receipts")).ok()["receipts"][0].clone()
}

fn readers_continue_after(end: End) {
    let mut hub = Hub::unlimited();
    let channel = on_disk(&hub);
    let (ann, bob, carol) = (channel.join("ann"), channel.join("bob"), channel.join("carol"));
    carol.leave();
    let ids = ann.say_numbers(0..4);
    let dms = ["for bob", "for carol"].map(|text| ann.send(text.strip_prefix("for ").unwrap(), text));
    assert_eq!(bob.listen(), ["0", "1", "2", "3", "for bob"]);
    let leased = bob.get("listen?timeout=1&ack=manual&consumer=desk&lease=3600&max=3").ok();
    assert_eq!(texts(&leased["messages"]), ["0", "1", "2"]);
    let acked = bob.post("ack", &json!({"upto": ids[1], "consumer": "desk"})).ok();
    assert_eq!(acked, json!({"acked": 2, "cursor": ids[1]}));
    // A delivery is stored no later than the next send.
    ann.say("later");
    let timeless = |mut rows: Vec<Value>| {
        rows.iter_mut().for_each(|row| drop(row.as_object_mut().unwrap().remove("read_seconds_ago")));
        rows
    };
    let (consumers, receipts) = (timeless(bob.consumers()), dms.map(|id| receipt(&ann, id)));
    assert_eq!((&consumers[1]["cursor"], &consumers[1]["in_flight"]), (&json!(ids[1]), &json!(1)));
    assert!(receipts[0]["delivered_at"].is_u64() && receipts[1]["state"] == "queued", "{receipts:?}");
    end.of(&mut hub);
    assert_eq!(timeless(bob.consumers()), consumers);
    assert_eq!(dms.map(|id| receipt(&ann, id)), receipts);
    assert_eq!(attempts(&bob.get("listen?timeout=1").ok()), [("later".into(), end.attempt())]);
    let read = bob.get("listen?timeout=1&ack=manual&consumer=desk").ok();
    let due = ["3", "for bob", "later"].map(|text| (text.to_owned(), end.attempt()));
    assert_eq!(attempts(&read), due, "a leased message stays leased");
    let back = carol.rejoin();
    assert_eq!(back.listen(), ["0", "1", "2", "3", "for carol", "later"]);
    wait_until("the receipt says delivered", || receipt(&ann, dms[1])["state"] == "delivered");
}

#[test]
fn a01_d06_cursors_leases_consumers_and_held_dms_survive_a_kill() {
    readers_continue_after(End::Kill);
}

#[test]
fn a01_d06_cursors_leases_consumers_and_held_dms_survive_a_stop() {
    readers_continue_after(End::Stop);
}

fn a_lease_ends_after(end: End) {
    let mut hub = Hub::unlimited();
    let channel = on_disk(&hub);
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let task = ann.send("bob", "task");
    assert_eq!(texts(&bob.get("listen?ack=manual&lease=3").ok()["messages"]), ["task"]);
    ann.send("bob", "acknowledged with it");
    end.of(&mut hub);
    let mut received = Vec::new();
    while !received.iter().any(|(text, _)| text == "task") {
        received.extend(attempts(&bob.get("listen?timeout=30&ack=manual&lease=3600").ok()));
    }
    assert!(received.contains(&("task".into(), json!(2))), "{received:?}");
    assert!(received.contains(&("acknowledged with it".into(), end.attempt())), "{received:?}");
    assert_eq!(received.len(), 2, "{received:?}");
    assert_eq!(receipt(&ann, task)["attempts"], 2);
}

#[test]
fn a01_a_lease_ends_after_a_kill_and_its_message_is_delivered_again() {
    a_lease_ends_after(End::Kill);
}

#[test]
fn a01_a_lease_ends_after_a_stop_and_its_message_is_delivered_again() {
    a_lease_ends_after(End::Stop);
}

#[test]
fn a04_the_sender_sees_an_acknowledgement_after_a_kill() {
    let mut hub = Hub::unlimited();
    let channel = on_disk(&hub);
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let task = ann.send("bob", "task");
    bob.get("listen?ack=manual").ok();
    bob.post("ack", &json!({"upto": task})).ok();
    let before = receipt(&ann, task);
    assert!(before["state"] == "acked" && before["acked_at"].is_u64(), "{before}");
    End::Kill.of(&mut hub);
    assert_eq!(receipt(&ann, task), before);
    assert_eq!(bob.listen(), [""; 0], "an acknowledged message is never delivered again");
}

fn keys_are_known_after(end: End) {
    let mut hub = Hub::unlimited();
    let channel = on_disk(&hub);
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let body = json!({"to": "bob", "message": "built", "client_msg_id": "build-41"});
    let first = ann.try_send(&body).ok();
    assert_eq!(bob.listen(), ["built"]);
    ann.say("and that was read");
    end.of(&mut hub);
    let again = ann.try_send(&body).ok();
    assert_eq!((&again["id"], &again["at"]), (&first["id"], &first["at"]));
    assert_eq!((&again["duplicate"], &again["durable"]), (&json!(true), &json!(true)));
    let other = json!({"to": "bob", "message": "broken", "client_msg_id": "build-41"});
    ann.try_send(&other).refused(409, "idempotency_conflict");
    assert_eq!(bob.listen(), ["and that was read"]);
    assert_eq!(channel.history(), ["built", "and that was read"]);
}

#[test]
fn a02_an_idempotency_key_survives_a_kill() {
    keys_are_known_after(End::Kill);
}

#[test]
fn a02_an_idempotency_key_survives_a_stop() {
    keys_are_known_after(End::Stop);
}

#[test]
fn a02_a_send_whose_reply_was_lost_in_a_kill_is_repeated_and_done_once() {
    let mut hub = Hub::unlimited();
    let channel = on_disk(&hub);
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let body = json!({"message": "once", "client_msg_id": "k"});
    let unanswered: Vec<_> = (0..8).map(|_| ann.request("POST", "send").json(&body).start()).collect();
    End::Kill.of(&mut hub);
    drop(unanswered);
    ann.try_send(&body).ok();
    assert_eq!(bob.listen(), ["once"]);
}

/// Opens a stream as a client that has received everything up to an id.
fn resumed(agent: &Agent, seen: u64) -> Stream {
    Stream::open(agent.request("GET", "stream").header("Last-Event-ID", &seen.to_string()))
}

fn a_stream_resumes_after(end: End) {
    let mut hub = Hub::unlimited();
    let channel = on_disk(&hub);
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let mut stream = bob.stream("");
    ann.say_numbers(0..20);
    let mut seen: Vec<_> = (0..5).map(|_| stream.next().unwrap()).collect();
    end.of(&mut hub);
    seen.extend(stream.all());
    if end == End::Stop {
        let bye = seen.pop().unwrap();
        assert_eq!((bye.name(), bye.data()), ("bye", json!({"reason": "draining"})));
    }
    ann.say_numbers(20..150);
    let mut stream = resumed(&bob, seen.last().unwrap().field("id").unwrap().parse().unwrap());
    while seen.len() < 150 {
        seen.push(stream.next().unwrap());
    }
    let texts: Vec<_> = seen.iter().map(|event| event.data()["text"].as_str().unwrap().to_owned()).collect();
    assert_eq!(texts, (0..150).map(|n| n.to_string()).collect::<Vec<_>>(), "nothing lost, nothing twice");
}

#[test]
fn d03_a_stream_resumes_after_a_kill_without_loss() {
    a_stream_resumes_after(End::Kill);
}

#[test]
fn d03_a_stream_resumes_after_a_stop_without_loss() {
    a_stream_resumes_after(End::Stop);
}

#[test]
fn a_client_that_was_polling_continues_after_a_kill() {
    let mut hub = Hub::unlimited();
    let channel = on_disk(&hub);
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let parked = bob.park("wait?timeout=60");
    End::Kill.of(&mut hub);
    assert!(parked.conn().reply().is_none(), "a killed hub sends no reply");
    let parked = bob.park("wait?timeout=60");
    ann.say("welcome back");
    assert_eq!(texts(&parked.answer()["messages"]), ["welcome back"]);
}

#[test]
fn d30_limits_hold_after_a_restart() {
    let mut hub = Hub::unlimited();
    let channel = on_disk(&hub);
    let (ann, bob, carol) = (channel.join("ann"), channel.join("bob"), channel.join("carol"));
    carol.leave();
    for n in 0..100 {
        ann.send("carol", &n.to_string());
    }
    let read_as = |name: &str| bob.get(&format!("listen?timeout=1&max=1&consumer={name}"));
    ann.say("for all of them");
    (0..7).for_each(|n| drop(read_as(&format!("c{n}")).ok()));
    End::Kill.of(&mut hub);
    ann.try_send(&json!({"to": "carol", "message": "one too many"})).refused(409, "mailbox_full");
    read_as("one-too-many").refused(409, "limit_reached");
    assert_eq!(carol.rejoin().listen().len(), 100);
}
