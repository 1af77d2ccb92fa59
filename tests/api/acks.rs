//! A1: acknowledged delivery, with polls and streams.

use rogerrat_testkit::{Agent, Hub, texts, wait_until};
use serde_json::{Value, json};

fn pair(hub: &Hub) -> (Agent, Agent) {
    let channel = hub.channel();
    (channel.join("ann"), channel.join("bob"))
}

fn manual(agent: &Agent, more: &str) -> Value {
    agent.get(&format!("listen?timeout=1&ack=manual{more}")).ok()
}

fn ack(agent: &Agent, upto: u64) -> Value {
    agent.post("ack", &json!({"upto": upto})).ok()
}

#[test]
fn a01_only_an_ack_moves_the_cursor() {
    let hub = Hub::start();
    let (ann, bob) = pair(&hub);
    let ids = ["one", "two", "three"].map(|text| ann.say(text));
    assert_eq!(texts(&manual(&bob, "")["messages"]), ["one", "two", "three"]);
    let row = &bob.consumers()[0];
    assert_eq!((row["in_flight"].as_u64(), row["lag"].as_u64()), (Some(3), Some(0)));
    assert!(row["cursor"].as_u64().unwrap() < ids[0]);
    assert_eq!(ack(&bob, ids[1]), json!({"acked": 2, "cursor": ids[1]}));
    assert_eq!(bob.consumers()[0]["in_flight"], 1);
    assert_eq!(ack(&bob, ids[0]), json!({"acked": 0, "cursor": ids[1]}), "an ack below the cursor does nothing");
    bob.post("ack", &json!({"upto": ids[2] + 1})).refused(400, "invalid");
    assert_eq!(ack(&bob, ids[2]), json!({"acked": 1, "cursor": ids[2]}));
    bob.post("ack", &json!({})).refused(400, "invalid");
}

#[test]
fn a01_leased_messages_are_skipped_until_the_lease_expires() {
    let hub = Hub::start();
    let (ann, bob) = pair(&hub);
    ann.say("one");
    let first = manual(&bob, "&lease=1");
    assert!(first["messages"][0].get("attempt").is_none());
    ann.say("two");
    assert_eq!(texts(&manual(&bob, "")["messages"]), ["two"], "a leased message is skipped");
    let woken = bob.start("wait?timeout=30&ack=manual").answer();
    assert_eq!((&woken["messages"][0]["text"], &woken["messages"][0]["attempt"]), (&json!("one"), &json!(2)));
    let id = woken["messages"][0]["id"].as_u64().unwrap();
    assert_eq!(ack(&bob, id)["acked"], 1);
}

#[test]
fn a01_a_read_can_acknowledge_the_previous_one() {
    let hub = Hub::start();
    let (ann, bob) = pair(&hub);
    let ids = ["one", "two"].map(|text| ann.say(text));
    assert_eq!(texts(&manual(&bob, "&max=1")["messages"]), ["one"]);
    assert_eq!(texts(&manual(&bob, &format!("&max=1&ack_upto={}", ids[0]))["messages"]), ["two"]);
    assert_eq!(bob.consumers()[0]["cursor"], ids[0]);
    bob.get(&format!("listen?timeout=1&ack_upto={}", ids[1] + 9)).refused(400, "invalid");
}

#[test]
fn a01_max_limits_a_read() {
    let hub = Hub::unlimited();
    let (ann, bob) = pair(&hub);
    ann.say_numbers(0..12);
    assert_eq!(texts(&bob.get("listen?timeout=1&max=5").ok()["messages"]), ["0", "1", "2", "3", "4"]);
    assert_eq!(manual(&bob, "&max=2")["messages"].as_array().unwrap().len(), 2);
    for bad in ["0", "-1", "x", "1.5"] {
        bob.get(&format!("listen?timeout=1&max={bad}")).refused(400, "invalid");
    }
}

#[test]
fn a01_an_automatic_read_acknowledges_its_messages() {
    let hub = Hub::start();
    let (ann, bob) = pair(&hub);
    let id = ann.say("one");
    assert_eq!(bob.listen(), ["one"]);
    assert_eq!((&bob.consumers()[0]["cursor"], &bob.consumers()[0]["in_flight"]), (&json!(id), &json!(0)));
}

#[test]
fn a01_consumers_read_independently() {
    let hub = Hub::start();
    let (ann, bob) = pair(&hub);
    let ids = ["one", "two"].map(|text| ann.say(text));
    assert_eq!(bob.listen().len(), 2);
    assert_eq!(
        texts(&manual(&bob, "&consumer=laptop")["messages"]),
        ["one", "two"],
        "a new consumer starts at the oldest message"
    );
    bob.post("ack", &json!({"upto": ids[0], "consumer": "laptop"})).ok();
    let rows = bob.consumers();
    assert_eq!((&rows[0]["name"], &rows[1]["name"]), (&Value::Null, &json!("laptop")));
    assert_eq!((&rows[0]["cursor"], &rows[1]["cursor"]), (&json!(ids[1]), &json!(ids[0])));
    assert_eq!(bob.call(bob.request("DELETE", "consumers/laptop")).ok(), json!({"ok": true}));
    assert_eq!(bob.consumers().len(), 1);
    bob.call(bob.request("DELETE", "consumers/laptop")).refused(404, "not_found");
    bob.post("ack", &json!({"upto": ids[0], "consumer": "laptop"})).refused(404, "not_found");
    for bad in ["UP", "a%20b", "", &"x".repeat(33)] {
        bob.get(&format!("listen?timeout=1&consumer={bad}")).refused(400, "invalid");
    }
}

#[test]
fn a01_a_stream_has_at_most_max_in_flight_and_sends_no_message_twice() {
    let hub = Hub::start();
    let (ann, bob) = pair(&hub);
    let ids: Vec<_> = (0..5).map(|n| ann.say(&n.to_string())).collect();
    let mut stream = bob.stream("?ack=manual&max=2");
    assert_eq!([stream.text(), stream.text()], ["0", "1"]);
    wait_until("two are in flight", || bob.consumers()[0]["in_flight"] == 2);
    ack(&bob, ids[0]);
    assert_eq!(stream.text(), "2");
    ack(&bob, ids[2]);
    assert_eq!([stream.text(), stream.text()], ["3", "4"]);
    stream.disconnect();
    bob.until_waiting(false);
    let again = manual(&bob, "");
    assert_eq!(texts(&again["messages"]), ["3", "4"], "all unacknowledged messages are due again");
    assert!(again["messages"].as_array().unwrap().iter().all(|message| message["attempt"] == 2), "{again}");
}

#[test]
fn a01_a_status_is_never_leased_and_moves_no_manual_cursor() {
    let hub = Hub::start();
    let (ann, bob) = pair(&hub);
    let before = bob.consumers()[0]["cursor"].clone();
    let parked = bob.park("wait?timeout=60&ack=manual");
    ann.try_send(&json!({"message": "thinking", "kind": "status"})).ok();
    let answer = parked.answer();
    assert_eq!(
        (&answer["messages"][0]["kind"], &answer["messages"][0]["text"]),
        (&json!("status"), &json!("thinking"))
    );
    let row = &bob.consumers()[0];
    assert_eq!((&row["in_flight"], &row["cursor"]), (&json!(0), &before));
}

#[test]
fn a01_a_leased_dm_is_kept_until_it_is_acknowledged() {
    let hub = Hub::unlimited();
    let (ann, bob) = pair(&hub);
    let id = ann.send("bob", "keep me");
    assert_eq!(texts(&manual(&bob, "&lease=1")["messages"]), ["keep me"]);
    ann.say_numbers(0..100);
    let mut seen = Vec::new();
    while !seen.contains(&"keep me".to_owned()) {
        seen.extend(texts(&bob.start("listen?timeout=30&ack=manual&lease=3600").answer()["messages"]));
    }
    ack(&bob, id);
    assert_eq!(bob.consumers()[0]["lag"], 0);
}

#[test]
fn a01_invalid_ack_parameters_are_refused() {
    let hub = Hub::start();
    let (_, bob) = pair(&hub);
    for bad in ["ack=maybe", "ack=manual&lease=x", "ack=manual&lease=NaN", "ack_upto=x", "ack_upto=-1"] {
        bob.get(&format!("listen?timeout=1&{bad}")).refused(400, "invalid");
        assert_eq!(bob.get(&format!("stream?{bad}")).status, 400, "{bad}");
    }
}
