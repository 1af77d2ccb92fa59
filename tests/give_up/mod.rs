//! Rounds of clients that give up on a read at a random moment, over every way to read: no message is lost, except over
//! HTTP/2 what was written before the reset had reached the hub (D2), and one that comes twice has an `attempt` above 1.
//!
//! `ROGERRAT_GIVE_UP_ROUNDS=100 cargo test --test integration give_up -- --nocapture` runs 100 rounds of each way and
//! prints the figures.

mod reader;

use std::collections::BTreeMap;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rogerrat_testkit::{Agent, Hub};
use serde_json::{Value, json};

use reader::{Reader, Way};

fn rounds() -> usize {
    std::env::var("ROGERRAT_GIVE_UP_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(8)
}

/// What a client received: for each text, the attempts.
#[derive(Default)]
struct Received(BTreeMap<String, Vec<u64>>);

impl Received {
    fn add(&mut self, messages: &[Value]) -> usize {
        for message in messages {
            let attempt = message["attempt"].as_u64().unwrap_or(1);
            self.0.entry(message["text"].as_str().unwrap().to_owned()).or_default().push(attempt);
        }
        messages.len()
    }

    #[expect(clippy::print_stdout, reason = "the figures are for whoever runs many rounds")]
    fn check(&self, way: Way, sent: usize, discarded: &[String]) {
        let is_lost = |text: &String| !self.0.contains_key(text) && !discarded.contains(text);
        let lost: Vec<_> = (0..sent).map(|n| n.to_string()).filter(is_lost).collect();
        let doubled = self.0.values().filter(|attempts| attempts.len() > 1).count();
        let unread = discarded.len();
        println!("{way:?}: {sent} messages, {} lost, {unread} reset too late, {doubled} came twice", lost.len());
        assert!(lost.is_empty(), "{way:?}: {lost:?} of {sent} were lost");
        for (text, attempts) in &self.0 {
            assert!(attempts[1..].iter().all(|attempt| *attempt > 1), "{way:?}: {text} came with {attempts:?}");
        }
    }
}

fn give_up(way: Way) {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let ann = channel.join("ann");
    let mut rng = StdRng::seed_from_u64(7);
    let mut reader = Reader::new(way, &hub, &channel);
    let (mut received, mut sent) = (Received::default(), 0);
    for _ in 0..rounds() {
        // The message comes before, at or after the moment at which the client gives up.
        let patience_ms = way.least_patience_ms() + rng.random_range(0..100);
        let delay_ms = patience_ms + rng.random_range(0..60) - 40;
        let sender = say_after(&ann, delay_ms.max(0), sent);
        sent += 1;
        received.add(&reader.read_for(Duration::from_millis(patience_ms.unsigned_abs())));
        sender.join().unwrap();
        // Sometimes it reads again at once, and sometimes only after the next message.
        if rng.random_bool(0.5) {
            received.add(&reader.read());
        }
    }
    while received.add(&reader.read()) > 0 {}
    received.check(way, sent, &reader.discarded());
}

/// Sends a message after a delay, on a thread.
fn say_after(ann: &Agent, delay_ms: i64, n: usize) -> std::thread::JoinHandle<()> {
    let request = ann.request("POST", "send").json(&json!({"to": "bob", "message": n.to_string()}));
    let (never, delay) = sync_channel::<()>(1);
    std::thread::spawn(move || {
        let _ = delay.recv_timeout(Duration::from_millis(delay_ms.unsigned_abs()));
        drop(never);
        request.send().ok();
    })
}

#[test]
fn d36_a_poll() {
    give_up(Way::Poll);
}

#[test]
fn d36_a_stream() {
    give_up(Way::Stream);
}

#[test]
fn d36_http2() {
    give_up(Way::Http2);
}

#[test]
fn d36_mcp_with_plain_json() {
    give_up(Way::McpJson);
}

#[test]
fn d36_mcp_with_streams() {
    give_up(Way::McpStream);
}

#[test]
fn d36_mcp_on_standard_input_and_output() {
    give_up(Way::Stdio);
}
