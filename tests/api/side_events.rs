//! D38: events about members and receipts on streams that ask for them.

use rogerrat_testkit::{Hub, Stream, wait_until};
use serde_json::{Value, json};

/// The data of the next event of one kind.
fn next(stream: &mut Stream, name: &str) -> Value {
    loop {
        let event = stream.next().unwrap_or_else(|| panic!("the stream goes on until {name}"));
        if event.name() == name {
            assert_eq!(event.field("id"), None, "a side event is nothing to resume from");
            return event.data();
        }
    }
}

/// The row of a member in roster events, from the first event that has it.
fn row(stream: &mut Stream, callsign: &str) -> Value {
    loop {
        let event = next(stream, "roster");
        if let Some(row) = event["roster_all"].as_array().unwrap().iter().find(|row| row["callsign"] == callsign) {
            return row.clone();
        }
    }
}

#[test]
fn d38_a_stream_reports_who_changes() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let mut stream = ann.stream("?tell=roster");
    assert_eq!(row(&mut stream, "bob")["reach"], "away");
    let poll = bob.park("wait?timeout=60");
    assert_eq!(row(&mut stream, "bob")["reach"], "poll");
    ann.say("wake up");
    poll.answer();
    assert_eq!(row(&mut stream, "bob")["reach"], "away");
    ann.send("bob", "later");
    let behind = row(&mut stream, "bob");
    assert_eq!((&behind["unread"], behind["oldest_unread_at"].is_u64()), (&json!(1), true), "{behind}");
    channel.join("carl");
    assert_eq!(row(&mut stream, "carl")["online"], true);
    bob.leave();
    assert_eq!(row(&mut stream, "bob")["online"], false);
}

#[test]
fn d38_a_stream_reports_what_happens_to_own_messages() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let mut stream = Stream::open(ann.request("POST", "stream").body(r#"{"tell":["receipts"],"consumer":"phone"}"#));
    let id = ann.send("bob", "ping");
    let other = bob.send("ann", "not of ann");
    assert_eq!(bob.get("listen?timeout=1&ack=manual").ok()["messages"][0]["id"], id);
    let delivered = next(&mut stream, "receipt");
    assert_eq!(
        (&delivered["receipts"][0]["id"], &delivered["receipts"][0]["to"], &delivered["receipts"][0]["state"]),
        (&json!(id), &json!("bob"), &json!("delivered"))
    );
    bob.post("ack", &json!({"upto": id})).ok();
    let acked = next(&mut stream, "receipt");
    assert_eq!((&acked["receipts"][0]["id"], &acked["receipts"][0]["state"]), (&json!(id), &json!("acked")));
    assert_eq!(
        acked["receipts"],
        ann.get(&format!("messages/{id}/receipts")).ok()["receipts"].as_array().map_or(Value::Null, |rows| {
            let mut row = rows[0].clone();
            row["id"] = json!(id);
            json!([row])
        })
    );
    assert!(other > id);
}

#[test]
fn d38_a_stream_reports_what_happens_to_tasks() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let work = json!({"wants": "work", "message": "fix it", "to": "all"});
    let id = ann.try_send(&work).ok()["id"].as_u64().unwrap();
    let mut stream = ann.stream("?tell=tasks&consumer=phone");
    assert_eq!(next(&mut stream, "task")["tasks"], ann.get("tasks").ok()["tasks"], "as on the board");
    let fence = bob.post(&format!("tasks/{id}/take"), &json!({})).ok()["fence"].clone();
    let taken = next(&mut stream, "task");
    assert_eq!((&taken["tasks"][0]["state"], &taken["tasks"][0]["holder"]), (&json!("held"), &json!("bob")));
    bob.try_send(&json!({"reply_to": id, "state": "done", "fence": fence, "message": "done"})).ok();
    let done = next(&mut stream, "task");
    assert_eq!((&done["tasks"][0]["state"], &done["tasks"][0]["answered"]), (&json!("done"), &json!(1)));
}

#[test]
fn d38_tell_is_checked_and_without_it_a_stream_has_messages_only() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    for bad in ["stream?tell=everything", "stream?tell=roster%20receipts"] {
        ann.get(bad).refused(400, "invalid");
    }
    for body in [r#"{"tell":7}"#, r#"{"tell":[7]}"#, r#"{"tell":{}}"#, r#"{"tell":"all"}"#] {
        ann.request("POST", "stream").body(body).send().refused(400, "invalid");
    }
    let (mut plain, mut watching) =
        (ann.stream("?consumer=plain"), ann.stream("?consumer=watching&tell=roster,receipts"));
    row(&mut watching, "bob");
    let id = ann.send("bob", "one");
    bob.listen();
    next(&mut watching, "receipt");
    bob.send("ann", "last");
    assert_eq!((plain.text(), id > 0), ("last".into(), true), "nothing else came before");
    plain.disconnect();
    watching.disconnect();
    ann.until_waiting(false);
    wait_until("ann reads nothing", || channel.get("roster").ok()["roster_all"][0]["reach"] == "away");
}
