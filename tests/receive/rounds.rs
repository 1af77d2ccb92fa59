//! Rounds of every fault between a hub and an inbox, counted: no line is lost or duplicated.
//!
//! `ROGERRAT_AWAKE_ROUNDS=100 cargo test --test integration receive::rounds -- --nocapture` runs 100 rounds and prints the
//! figures.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rogerrat_testkit::{Channel, ClientCommand, Hub, wait_until, wait_until_within};
use serde_json::{Value, json};

use super::faulty_link::FaultyLink;

const FAULTS: [&str; 6] =
    ["kill of the hub", "kill of the listener", "cut in mid-message", "expired session", "full disk", "silent link"];
/// Longer than it takes to detect a dead connection.
const SILENCE: std::time::Duration = std::time::Duration::from_secs(75);

fn rounds() -> usize {
    std::env::var("ROGERRAT_AWAKE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(FAULTS.len())
}

/// A listener, its inbox, and the link between it and the hub.
struct Lane {
    channel: Channel,
    link: FaultyLink,
    inbox: PathBuf,
    listener: ClientCommand,
    sent: usize,
}

impl Lane {
    fn new(hub: &Hub, name: &str) -> Self {
        let channel = hub.channel_with(&json!({"durability": "disk", "session_ttl_seconds": 1}));
        let link = FaultyLink::to(hub.0);
        let inbox = hub.folder().join(format!("{name}.jsonl"));
        let listener = listen(&channel, &link, &inbox);
        let lane = Self { channel, link, inbox, listener, sent: 0 };
        wait_until("it is there", || lane.channel.roster() == ["bob"]);
        lane
    }

    fn say(&mut self, count: usize) {
        // The session may have expired.
        let ann = self.channel.join("ann");
        ann.say_numbers(self.sent..self.sent + count);
        self.sent += count;
    }

    fn has(&self, count: usize) -> bool {
        texts(&self.inbox).into_iter().collect::<BTreeSet<_>>().len() >= count
    }

    fn until_all(&self, what: &str) {
        wait_until_within(SILENCE, what, || self.has(self.sent));
    }

    /// Stops the listener and counts lines.
    fn counted(self) -> Counted {
        self.listener.signal("TERM");
        let err = self.listener.wait_for_exit().err;
        let texts = texts(&self.inbox);
        let mut times = BTreeMap::new();
        texts.iter().for_each(|text| *times.entry(*text).or_insert(0) += 1);
        let lost = (0..self.sent).filter(|text| !times.contains_key(text)).count();
        assert!(texts.is_sorted(), "{texts:?}");
        Counted { sent: self.sent, lost, doubled: texts.len() - times.len(), err }
    }
}

struct Counted {
    sent: usize,
    lost: usize,
    doubled: usize,
    /// Standard error of the listener.
    err: String,
}

/// The texts of the complete lines of an inbox.
fn texts(inbox: &Path) -> Vec<usize> {
    let text = fs::read_to_string(inbox).unwrap_or_default();
    let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let text = |line: &str| serde_json::from_str::<Value>(line).unwrap()["text"].as_str().unwrap().parse().unwrap();
    whole.map(text).collect()
}

fn listen(channel: &Channel, link: &FaultyLink, inbox: &Path) -> ClientCommand {
    let origin = link.origin();
    let variables =
        [("ROGERRAT_ORIGIN", &*origin), ("ROGERRAT_CHANNEL", &channel.id), ("ROGERRAT_TOKEN", &channel.token)];
    ClientCommand::start(
        &["listen-here", "--callsign", "bob", "--quiet", "--inbox", inbox.to_str().unwrap()],
        &variables,
    )
}

#[test]
fn rounds_of_every_fault_neither_lose_nor_duplicate_a_line() {
    let mut hub = Hub::unlimited();
    let (rounds, mut ran) = (rounds(), [0; FAULTS.len()]);
    // A silent link takes most of a minute to detect: these run in parallel with the others.
    let mut silent: Vec<_> = (0..rounds / FAULTS.len()).map(|no| Lane::new(&hub, &format!("silent {no}"))).collect();
    ran[5] = silent.len();
    for lane in &mut silent {
        lane.say(2);
        lane.until_all("what came before the silence");
        let bob = lane.channel.join("bob");
        wait_until("it is acknowledged", || bob.consumers()[0]["in_flight"] == 0);
        lane.link.fall_silent();
        lane.say(3);
    }
    let mut lane = Lane::new(&hub, "lane");
    for round in 0..rounds - silent.len() {
        let fault = round % 5;
        ran[fault] += 1;
        lane.say(2);
        match fault {
            0 => {
                hub.kill();
                hub.start_again(&["--rate-limit", "off"], &[]);
            }
            1 => {
                lane.listener.signal("KILL");
                wait_until("it is dead, and its lock with it", || lane.listener.has_exited());
                lane.listener = listen(&lane.channel, &lane.link, &lane.inbox);
            }
            2 => lane.link.break_after(20 + round * 37 % 400),
            3 => {
                lane.link.shut();
                wait_until("the session has expired", || !lane.channel.roster().contains(&"bob".to_owned()));
            }
            _ => fill_the_disk(&mut lane),
        }
        lane.say(3);
        lane.link.open();
        lane.until_all(FAULTS[fault]);
    }
    for lane in &silent {
        lane.until_all(FAULTS[5]);
    }
    let silent: Vec<_> = silent.into_iter().map(Lane::counted).collect();
    // It is detected while listening or by a pending ack.
    let is_detected = |err: &str| err.contains("silent for 40 s") || err.contains("timed out");
    for counted in &silent {
        assert!(is_detected(&counted.err), "{}", counted.err);
    }
    let all: Vec<_> = silent.into_iter().chain([lane.counted()]).collect();
    let sum = |figure: fn(&Counted) -> usize| all.iter().map(figure).sum::<usize>();
    let (sent, lost, doubled) = (sum(|c| c.sent), sum(|c| c.lost), sum(|c| c.doubled));
    let kinds: Vec<_> = FAULTS.iter().zip(ran).map(|(fault, ran)| format!("{ran} {fault}")).collect();
    println!("{rounds} rounds ({}): {sent} sent, {lost} lost, {doubled} doubled", kinds.join(", "));
    assert_eq!((lost, doubled), (0, 0));
}

/// Limits the size of the inbox until a write has failed.
fn fill_the_disk(lane: &mut Lane) {
    lane.until_all("what came before");
    let aside = lane.inbox.with_extension("aside");
    fs::rename(&lane.inbox, &aside).unwrap();
    symlink("/dev/full", &lane.inbox).unwrap();
    let ann = lane.channel.join("ann");
    ann.say_numbers(lane.sent..lane.sent + 1);
    lane.sent += 1;
    wait_until("it has given up for now", || {
        let stats = lane.channel.join("bob");
        !stats.is_waiting()
    });
    fs::rename(&aside, &lane.inbox).unwrap();
}
