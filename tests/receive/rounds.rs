//! Rounds of every fault between a hub and an inbox, counted: no line is lost or duplicated.
//!
//! `ROGERRAT_RECEIVE_ROUNDS=100 cargo test --test integration receive::rounds -- --nocapture` runs 100 rounds and prints the
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
    std::env::var("ROGERRAT_RECEIVE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(FAULTS.len())
}

/// A listener, its inbox, and the link between it and the hub.
struct InboxUnderTest {
    channel: Channel,
    link: FaultyLink,
    inbox: PathBuf,
    listener: ClientCommand,
    sent: usize,
}

impl InboxUnderTest {
    fn new(hub: &Hub, name: &str) -> Self {
        let channel = hub.channel_with(&json!({"durability": "disk", "session_ttl_seconds": 1}));
        let link = FaultyLink::to(hub.0);
        let inbox = hub.folder().join(format!("{name}.jsonl"));
        let listener = listen(&channel, &link, &inbox);
        let under_test = Self { channel, link, inbox, listener, sent: 0 };
        wait_until("it is there", || under_test.channel.roster() == ["bob"]);
        under_test
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
        &["listen-here", "--callsign", "bob", "--verbose", "--inbox", inbox.to_str().unwrap()],
        &variables,
    )
}

#[test]
fn rounds_of_every_fault_neither_lose_nor_duplicate_a_line() {
    let mut hub = Hub::unlimited();
    let (rounds, mut ran) = (rounds(), [0; FAULTS.len()]);
    // A silent link takes most of a minute to detect: these run in parallel with the others.
    let mut silent: Vec<_> =
        (0..rounds / FAULTS.len()).map(|no| InboxUnderTest::new(&hub, &format!("silent {no}"))).collect();
    ran[5] = silent.len();
    for under_test in &mut silent {
        under_test.say(2);
        under_test.until_all("what came before the silence");
        let bob = under_test.channel.join("bob");
        wait_until("it is acknowledged", || bob.consumers()[0]["in_flight"] == 0);
        under_test.link.fall_silent();
        under_test.say(3);
    }
    let mut under_test = InboxUnderTest::new(&hub, "lane");
    for round in 0..rounds - silent.len() {
        let fault = round % 5;
        ran[fault] += 1;
        under_test.say(2);
        match fault {
            0 => {
                hub.kill();
                hub.start_again(&["--rate-limit", "off"], &[]);
            }
            1 => {
                under_test.listener.signal("KILL");
                wait_until("it is dead, and its lock with it", || under_test.listener.has_exited());
                under_test.listener = listen(&under_test.channel, &under_test.link, &under_test.inbox);
            }
            2 => under_test.link.break_after(20 + round * 37 % 400),
            3 => {
                under_test.link.shut();
                wait_until("the session has expired", || !under_test.channel.roster().contains(&"bob".to_owned()));
            }
            _ => fill_the_disk(&mut under_test),
        }
        under_test.say(3);
        under_test.link.open();
        under_test.until_all(FAULTS[fault]);
    }
    for under_test in &silent {
        under_test.until_all(FAULTS[5]);
    }
    let silent: Vec<_> = silent.into_iter().map(InboxUnderTest::counted).collect();
    // It is detected while listening or by a pending ack.
    let is_detected = |err: &str| err.contains("silent for 40 s") || err.contains("timed out");
    for counted in &silent {
        assert!(is_detected(&counted.err), "{}", counted.err);
    }
    let all: Vec<_> = silent.into_iter().chain([under_test.counted()]).collect();
    let sum = |figure: fn(&Counted) -> usize| all.iter().map(figure).sum::<usize>();
    let (sent, lost, doubled) = (sum(|c| c.sent), sum(|c| c.lost), sum(|c| c.doubled));
    let kinds: Vec<_> = FAULTS.iter().zip(ran).map(|(fault, ran)| format!("{ran} {fault}")).collect();
    println!("{rounds} rounds ({}): {sent} sent, {lost} lost, {doubled} doubled", kinds.join(", "));
    assert_eq!((lost, doubled), (0, 0));
}

/// Limits the size of the inbox until a write has failed.
fn fill_the_disk(under_test: &mut InboxUnderTest) {
    under_test.until_all("what came before");
    let aside = under_test.inbox.with_extension("aside");
    fs::rename(&under_test.inbox, &aside).unwrap();
    symlink("/dev/full", &under_test.inbox).unwrap();
    let ann = under_test.channel.join("ann");
    ann.say_numbers(under_test.sent..under_test.sent + 1);
    under_test.sent += 1;
    wait_until("it has given up for now", || {
        let stats = under_test.channel.join("bob");
        !stats.is_waiting()
    });
    fs::rename(&aside, &under_test.inbox).unwrap();
}
