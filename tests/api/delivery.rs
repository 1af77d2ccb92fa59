//! D1, D2, D9, D10: messages are delivered once and in order, and never to disconnected clients.

use rogerrat_testkit::{Hub, timed, wait_until};
use serde_json::json;

#[test]
fn d01_a_poll_of_a_disconnected_client_takes_no_message() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    for n in 0..10 {
        for what in ["listen?timeout=30", "wait?timeout=120"] {
            let parked = bob.park(what);
            parked.disconnect();
            bob.until_waiting(false);
            ann.say(&format!("{n} {what}"));
            assert_eq!(bob.listen(), [format!("{n} {what}")]);
        }
    }
}

#[test]
fn d01_a_half_closed_connection_counts_as_disconnected() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let conn = bob.park("wait?timeout=120").conn();
    conn.close_write();
    bob.until_waiting(false);
    ann.send("bob", "still here?");
    assert_eq!(bob.listen(), ["still here?"]);
    assert!(conn.read_to_end().is_empty());
}

#[test]
fn d01_a_stream_of_a_disconnected_client_takes_no_message() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    for n in 0..10 {
        bob.stream("").disconnect();
        bob.until_waiting(false);
        ann.say(&n.to_string());
        assert_eq!(bob.listen(), [n.to_string()]);
    }
}

#[test]
fn d01_many_simultaneous_disconnects_take_no_message() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let ann = channel.join("ann");
    let others: Vec<_> = (0..30).map(|n| channel.join(&format!("agent{n}"))).collect();
    let parked: Vec<_> = others.iter().map(|agent| agent.park("wait?timeout=120")).collect();
    parked.into_iter().for_each(rogerrat_testkit::PendingPoll::disconnect);
    others.iter().for_each(|agent| agent.until_waiting(false));
    ann.say("to all");
    for agent in &others {
        assert_eq!(agent.listen(), ["to all"]);
    }
}

#[test]
fn d02_messages_of_an_unread_response_are_due_again() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    // More than socket buffers hold, so that the response is half written when its reader disconnects.
    let messages: Vec<_> = (0..26).map(|n| n.to_string()).collect();
    for text in &messages {
        ann.send_large("all", text);
    }
    let mut conn = bob.start("listen?timeout=1").conn();
    assert_eq!(conn.head().expect("the answer begins").status, 200);
    assert_eq!(bob.unread(), 0, "messages in flight are not offered twice");
    drop(conn);
    wait_until("the messages are due again", || bob.unread() == 26);
    assert_eq!(bob.listen(), messages);
    assert_eq!(bob.unread(), 0);
}

#[test]
fn d02_an_undelivered_dm_is_kept() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    ann.send("bob", "first");
    let listened = bob.get("listen?timeout=1").ok();
    assert_eq!(listened["messages"][0]["text"], "first");
    assert_eq!(bob.unread(), 0, "a fully read response is delivered");
}

#[test]
fn d02_a_lagging_stream_is_ended_and_loses_nothing() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let mut stream = bob.stream("");
    let sent: Vec<_> = (0..28).map(|n| ann.send_large("all", &n.to_string())).collect();
    wait_until("the stream has ended", || !bob.is_waiting());
    let mut events = stream.all();
    let lagged = events.pop().unwrap();
    assert_eq!(lagged.name(), "lagged", "{:?}", lagged.fields());
    let delivered: Vec<_> = events.iter().map(|event| event.data()["id"].as_u64().unwrap()).collect();
    assert_eq!(delivered, sent[..delivered.len()], "without a gap up to where it lagged");
    let resume_from = lagged.data()["resume_from"].as_u64().unwrap();
    assert_eq!(delivered.last().copied().unwrap_or(0), resume_from, "it names the last message that was read");
    let rest = bob.get("listen?timeout=1").ok();
    assert!(rest.get("gap").is_none(), "{}", rest["gap"]);
    let rest: Vec<_> = rest["messages"].as_array().unwrap().iter().map(|m| m["id"].as_u64().unwrap()).collect();
    assert_eq!([delivered, rest].concat(), sent);
}

#[test]
fn d02_a_fast_reader_never_lags() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let mut stream = bob.stream("");
    for n in 0..400 {
        ann.say(&n.to_string());
        assert_eq!(stream.text(), n.to_string());
    }
}

#[test]
fn d09_a_woken_poll_returns_all_pending_messages() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    for text in ["one", "two", "three"] {
        ann.say(text);
    }
    let leased = bob.get("listen?timeout=1&ack=manual&lease=1").ok();
    assert_eq!(rogerrat_testkit::texts(&leased["messages"]), ["one", "two", "three"]);
    // Nothing is due now; all three become due at once when the lease expires.
    let woken = bob.start("listen?timeout=30&ack=manual").answer();
    assert_eq!(rogerrat_testkit::texts(&woken["messages"]), ["one", "two", "three"]);
}

#[test]
fn d09_a_woken_poll_respects_since() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let id = ann.say("before");
    assert_eq!(bob.listen(), ["before"]);
    let parked = bob.park(&format!("wait?timeout=120&since={}", id + 3_600_000));
    ann.say("not above since");
    assert!(bob.is_waiting(), "the poll was woken by an older message");
    assert_eq!(bob.unread(), 1);
    bob.leave();
    assert_eq!(parked.answer()["messages"], json!([]));
    assert_eq!(bob.rejoin().listen(), ["not above since"], "a later read without since returns it");
}

#[test]
fn d09_a_poll_with_since_is_woken_by_newer_messages() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let id = ann.say("before");
    let parked = bob.park(&format!("wait?timeout=120&since={id}"));
    ann.say("after");
    assert_eq!(rogerrat_testkit::texts(&parked.answer()["messages"]), ["after"]);
}

#[test]
fn d10_ids_are_increasing_timestamps_in_milliseconds() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let ann = channel.join("ann");
    let mut last = 0;
    for n in 0..300 {
        let body = if n % 7 == 0 { json!({"message": "x", "kind": "status"}) } else { json!({"message": "x"}) };
        let sent = ann.try_send(&body).ok();
        let (id, at) = (sent["id"].as_u64().unwrap(), sent["at"].as_u64().unwrap());
        assert!(id > last && id >= at, "{id} after {last}, at {at}");
        assert!(id < at + 60_000, "an id is a timestamp in milliseconds: {id}, at {at}");
        last = id;
    }
    assert!(last > 1_600_000_000_000);
}

#[test]
fn a_waiting_agent_gets_a_message_at_once() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    for what in ["listen?timeout=60", "wait?timeout=300"] {
        let parked = bob.park(what);
        ann.say("quick");
        let (duration, answer) = timed(|| parked.answer());
        assert_eq!((&answer["timed_out"], answer["messages"].as_array().unwrap().len()), (&json!(false), 1));
        assert!(duration.as_secs() < 10, "{duration:?}");
    }
}
