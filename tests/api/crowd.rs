//! Many at once: nothing lost, nothing twice, one order for all.

use std::collections::HashSet;
use std::thread;

use rogerrat_testkit::{Agent, Conn, Hub};
use serde_json::{Value, json};

const AGENTS: usize = 20;
const EACH: usize = 4;

/// What an agent heard until it has heard everybody else: ids, senders and texts.
fn hear(agent: &Agent, how: usize) -> Vec<(u64, String)> {
    let mut heard = Vec::new();
    let mut take = |message: &Value| {
        let text = format!("{} {}", message["from"].as_str().unwrap(), message["text"].as_str().unwrap());
        heard.push((message["id"].as_u64().unwrap(), text));
        heard.len() == (AGENTS - 1) * EACH
    };
    if how == 0 {
        let mut stream = agent.stream("");
        while !take(&stream.next().expect("the stream goes on").data()) {}
        return heard;
    }
    let what = if how == 1 { "wait?timeout=60" } else { "listen?timeout=60&ack=manual" };
    let mut acked = String::new();
    loop {
        let answer = agent.get(&format!("{what}{acked}")).ok();
        assert!(answer.get("gap").is_none(), "{answer}");
        let messages = answer["messages"].as_array().unwrap();
        assert!(!messages.is_empty(), "a minute of silence: {answer}");
        let done = messages.iter().map(&mut take).filter(|done| *done).count() > 0;
        if how == 2 {
            acked = format!("&ack_upto={}", messages.last().unwrap()["id"]);
        }
        if done {
            return heard;
        }
    }
}

#[test]
fn twenty_agents_hear_each_other_once_and_in_one_order() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let agents: Vec<_> = (0..AGENTS).map(|n| channel.join(&format!("a{n}"))).collect();
    let threads: Vec<_> = agents
        .into_iter()
        .enumerate()
        .map(|(n, agent)| {
            let speaker = agent.channel.join_as(&agent.callsign, &agent.session);
            let speaking = thread::spawn(move || (0..EACH).map(|n| speaker.say(&n.to_string())).collect::<Vec<_>>());
            let hearing = thread::spawn(move || hear(&agent, n % 3));
            (speaking, hearing)
        })
        .collect();
    let (mut sent, mut heard) = (HashSet::new(), Vec::new());
    for (speaking, hearing) in threads {
        let ids = speaking.join().unwrap();
        assert!(ids.is_sorted(), "one's own sends are in order");
        sent.extend(ids);
        heard.push(hearing.join().unwrap());
    }
    assert_eq!(sent.len(), AGENTS * EACH, "every id is unique");
    for (n, heard) in heard.iter().enumerate() {
        assert!(heard.is_sorted_by(|a, b| a.0 < b.0), "in order and none twice");
        let texts: HashSet<_> = heard.iter().map(|(_, text)| text.clone()).collect();
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
                let mut heard = Vec::new();
                loop {
                    let answer = bob.get("listen?timeout=60").ok();
                    heard.extend(rogerrat_testkit::texts(&answer["messages"]));
                    if heard.last().is_some_and(|text| text == "end") || answer.get("draining").is_some() {
                        return heard;
                    }
                }
            })
        })
        .collect();
    let said: Vec<_> = (0..60).map(|n| n.to_string()).collect();
    ann.say_all(&said);
    // Each reader ends with an "end" of its own.
    ann.say_all(&vec!["end".to_owned(); readers.len()]);
    let mut taken = 0;
    rogerrat_testkit::wait_until("every reader has ended", || {
        taken = readers.iter().filter(|reader| reader.is_finished()).count();
        if taken < readers.len() && bob.is_waiting() {
            ann.say("end");
        }
        taken == readers.len()
    });
    let mut heard: Vec<_> = readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect();
    heard.retain(|text| text != "end");
    heard.sort_by_key(|text| text.parse::<u32>().unwrap());
    assert_eq!(heard, said);
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
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
fn a_pipelined_poll_is_answered_before_what_follows_it() {
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
