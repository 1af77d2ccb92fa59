//! D1, D2, D9, D10: a message reaches whoever waits, once, in order, and nobody who has gone.

use rogerrat_testkit::{Hub, timed, wait_until};
use serde_json::json;

#[test]
fn d01_a_poll_whose_client_has_gone_takes_no_message() {
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
fn d01_a_client_that_only_closes_its_half_has_gone_too() {
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
fn d01_a_stream_whose_client_has_gone_takes_no_message() {
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
fn d01_many_that_go_at_once_take_nothing() {
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
fn d02_an_answer_that_is_not_taken_gives_its_messages_back() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    // More than any socket takes in, so that the answer stands half written when its reader goes.
    let said: Vec<_> = (0..26).map(|n| n.to_string()).collect();
    for text in &said {
        ann.send_large("all", text);
    }
    let mut conn = bob.start("listen?timeout=1").conn();
    assert_eq!(conn.head().expect("the answer begins").status, 200);
    assert_eq!(bob.unread(), 0, "what is on its way is not offered twice");
    drop(conn);
    wait_until("the messages are due again", || bob.unread() == 26);
    assert_eq!(bob.listen(), said);
    assert_eq!(bob.unread(), 0);
}

#[test]
fn d02_a_dm_that_is_not_taken_is_held_on() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    ann.send("bob", "first");
    let listened = bob.get("listen?timeout=1").ok();
    assert_eq!(listened["messages"][0]["text"], "first");
    assert_eq!(bob.unread(), 0, "a taken answer is delivered");
}

#[test]
fn d02_a_stream_that_falls_behind_is_told_and_loses_nothing() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let mut stream = bob.stream("");
    let sent: Vec<_> = (0..28).map(|n| ann.send_large("all", &n.to_string())).collect();
    wait_until("the stream has been given up", || !bob.is_waiting());
    let mut events = stream.all();
    let lagged = events.pop().unwrap();
    assert_eq!(lagged.name(), "lagged", "{:?}", lagged.fields());
    let given: Vec<_> = events.iter().map(|event| event.data()["id"].as_u64().unwrap()).collect();
    assert_eq!(given, sent[..given.len()], "without a hole up to where it lagged");
    let resume_from = lagged.data()["resume_from"].as_u64().unwrap();
    assert_eq!(given.last().copied().unwrap_or(0), resume_from, "it names the last one taken");
    let rest = bob.get("listen?timeout=1").ok();
    assert!(rest.get("gap").is_none(), "{}", rest["gap"]);
    let rest: Vec<_> = rest["messages"].as_array().unwrap().iter().map(|m| m["id"].as_u64().unwrap()).collect();
    assert_eq!([given, rest].concat(), sent);
}

#[test]
fn d02_a_reader_that_keeps_up_is_never_lagged() {
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
fn d09_a_wake_brings_all_that_is_waiting() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    for text in ["one", "two", "three"] {
        ann.say(text);
    }
    let leased = bob.get("listen?timeout=1&ack=manual&lease=1").ok();
    assert_eq!(rogerrat_testkit::texts(&leased["messages"]), ["one", "two", "three"]);
    // Nothing is due now; when the lease ends, all three are, at one instant.
    let woken = bob.start("listen?timeout=30&ack=manual").answer();
    assert_eq!(rogerrat_testkit::texts(&woken["messages"]), ["one", "two", "three"]);
}

#[test]
fn d09_a_wake_respects_since() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let id = ann.say("before");
    assert_eq!(bob.listen(), ["before"]);
    let parked = bob.park(&format!("wait?timeout=120&since={}", id + 3_600_000));
    ann.say("not above since");
    assert!(bob.is_waiting(), "the poll was woken by what it did not ask for");
    assert_eq!(bob.unread(), 1);
    bob.leave();
    assert_eq!(parked.answer()["messages"], json!([]));
    assert_eq!(bob.rejoin().listen(), ["not above since"], "a later read without since brings it");
}

#[test]
fn d09_a_poll_with_since_is_woken_by_what_is_above_it() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let id = ann.say("before");
    let parked = bob.park(&format!("wait?timeout=120&since={id}"));
    ann.say("after");
    assert_eq!(rogerrat_testkit::texts(&parked.answer()["messages"]), ["after"]);
}

#[test]
fn d10_ids_are_milliseconds_and_only_rise() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let ann = channel.join("ann");
    let mut last = 0;
    for n in 0..300 {
        let body = if n % 7 == 0 { json!({"message": "x", "kind": "status"}) } else { json!({"message": "x"}) };
        let sent = ann.try_send(&body).ok();
        let (id, at) = (sent["id"].as_u64().unwrap(), sent["at"].as_u64().unwrap());
        assert!(id > last && id >= at, "{id} after {last}, at {at}");
        assert!(id < at + 60_000, "an id is a time in milliseconds: {id}, at {at}");
        last = id;
    }
    assert!(last > 1_600_000_000_000);
}

#[test]
fn a_waiting_agent_is_answered_at_once() {
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
