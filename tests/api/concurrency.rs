//! Concurrency: no message is lost or duplicated, and all readers see one order.

use std::collections::HashSet;
use std::thread;

use rogerrat_testkit::{Agent, Conn, Hub};
use serde_json::{Value, json};

const AGENTS: usize = 20;
const EACH: usize = 4;

/// Receives until every other agent's messages have arrived: ids, senders and texts.
fn receive(agent: &Agent, how: usize) -> Vec<(u64, String)> {
    let mut received = Vec::new();
    let mut take = |message: &Value| {
        let text = format!("{} {}", message["from"].as_str().unwrap(), message["text"].as_str().unwrap());
        received.push((message["id"].as_u64().unwrap(), text));
        received.len() == (AGENTS - 1) * EACH
    };
    if how == 0 {
        let mut stream = agent.stream("");
        while !take(&stream.next().expect("the stream continues").data()) {}
        return received;
    }
    let what = if how == 1 { "wait?timeout=60" } else { "listen?timeout=60&ack=manual" };
    let mut acked = String::new();
    loop {
        let answer = agent.get(&format!("{what}{acked}")).ok();
        assert!(answer.get("gap").is_none(), "{answer}");
        let messages = answer["messages"].as_array().unwrap();
        assert!(!messages.is_empty(), "no message for a minute: {answer}");
        let done = messages.iter().map(&mut take).filter(|done| *done).count() > 0;
        if how == 2 {
            acked = format!("&ack_upto={}", messages.last().unwrap()["id"]);
        }
        if done {
            return received;
        }
    }
}

#[test]
fn twenty_agents_receive_all_messages_once_and_in_order() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let agents: Vec<_> = (0..AGENTS).map(|n| channel.join(&format!("a{n}"))).collect();
    let threads: Vec<_> = agents
        .into_iter()
        .enumerate()
        .map(|(n, agent)| {
            let speaker = agent.channel.join_as(&agent.callsign, &agent.session);
            let speaking = thread::spawn(move || (0..EACH).map(|n| speaker.say(&n.to_string())).collect::<Vec<_>>());
            let receiving = thread::spawn(move || receive(&agent, n % 3));
            (speaking, receiving)
        })
        .collect();
    let (mut sent, mut received) = (HashSet::new(), Vec::new());
    for (speaking, receiving) in threads {
        let ids = speaking.join().unwrap();
        assert!(ids.is_sorted(), "the sends of one agent are in order");
        sent.extend(ids);
        received.push(receiving.join().unwrap());
    }
    assert_eq!(sent.len(), AGENTS * EACH, "every id is unique");
    for (n, received) in received.iter().enumerate() {
        assert!(received.is_sorted_by(|a, b| a.0 < b.0), "in order without duplicates");
        let texts: HashSet<_> = received.iter().map(|(_, text)| text.clone()).collect();
        let others = (0..AGENTS).filter(|other| *other != n);
        let all: HashSet<_> = others.flat_map(|other| (0..EACH).map(move |m| format!("a{other} {m}"))).collect();
        assert_eq!(texts, all);
    }
    assert_eq!(channel.get("stats").ok()["message_count_in_buffer"], json!(AGENTS * EACH));
}

#[test]
fn competing_polls_of_one_session_lose_nothing() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let bob = channel.join_as("bob", &bob.session);
            thread::spawn(move || {
                let mut received = Vec::new();
                loop {
                    let answer = bob.get("listen?timeout=60").ok();
                    received.extend(rogerrat_testkit::texts(&answer["messages"]));
                    if received.last().is_some_and(|text| text == "end") || answer.get("draining").is_some() {
                        return received;
                    }
                }
            })
        })
        .collect();
    let sent: Vec<_> = (0..60).map(|n| n.to_string()).collect();
    ann.say_all(&sent);
    // Each reader stops at its own "end".
    ann.say_all(&vec!["end".to_owned(); readers.len()]);
    let mut taken = 0;
    rogerrat_testkit::wait_until("all readers have stopped", || {
        taken = readers.iter().filter(|reader| reader.is_finished()).count();
        if taken < readers.len() && bob.is_waiting() {
            ann.say("end");
        }
        taken == readers.len()
    });
    let mut received: Vec<_> = readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect();
    received.retain(|text| text != "end");
    received.sort_by_key(|text| text.parse::<u32>().unwrap());
    assert_eq!(received, sent);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let send = |n: usize| ann.request("POST", "send").json(&json!({"to": "bob", "message": n.to_string()})).bytes();
    let mut conn: Conn = hub.connect();
    let all: Vec<_> = (0..12).map(send).collect();
    conn.write(&all.concat());
    let ids: Vec<_> = (0..12).map(|_| conn.reply().unwrap().ok()["id"].as_u64().unwrap()).collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    assert_eq!(bob.listen(), (0..12).map(|n| n.to_string()).collect::<Vec<_>>());
    let paths = ["/livez", "/nowhere", "/api/stats", "/livez", "/api/bands"];
    let mut conn = hub.connect();
    conn.write(&paths.map(|path| hub.get(path).bytes()).concat());
    assert_eq!(paths.map(|_| conn.reply().unwrap().status), [200, 404, 200, 200, 200]);
}

#[test]
fn a_pipelined_poll_is_answered_before_later_requests() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let mut conn = hub.connect();
    conn.write(&[bob.request("GET", "wait?timeout=60").bytes(), hub.get("/livez").bytes()].concat());
    bob.until_waiting(true);
    ann.say("now");
    assert_eq!(rogerrat_testkit::texts(&conn.reply().unwrap().ok()["messages"]), ["now"]);
    assert_eq!(conn.reply().unwrap().text(), "ok");
}
