//! Rounds of everything that can go wrong between a hub and an inbox, counted: no line is lost, none is there twice.
//!
//! `ROGERRAT_AWAKE_ROUNDS=100 cargo test --test awake rounds -- --nocapture` runs a hundred and prints the figures.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::kit::Client;
use crate::rig::{Channel, Hub, until, until_within};
use crate::road::Road;

const FAULTS: [&str; 6] =
    ["kill of the hub", "kill of the listener", "cut in mid-message", "expired session", "full disk", "silent link"];
/// Longer than it takes to notice a dead link.
const SILENCE: std::time::Duration = std::time::Duration::from_secs(75);

fn rounds() -> usize {
    std::env::var("ROGERRAT_AWAKE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(FAULTS.len())
}

/// A listener, its inbox, and the road between it and the hub.
struct Lane {
    channel: Channel,
    road: Road,
    inbox: PathBuf,
    listener: Client,
    sent: usize,
}

impl Lane {
    fn new(hub: &Hub, name: &str) -> Self {
        let channel = hub.channel_with(&json!({"durability": "disk", "session_ttl_seconds": 1}));
        let road = Road::to(hub.0);
        let inbox = hub.folder().join(format!("{name}.jsonl"));
        let listener = listen(&channel, &road, &inbox);
        let lane = Self { channel, road, inbox, listener, sent: 0 };
        until("it is there", || lane.channel.roster() == ["bob"]);
        lane
    }

    fn say(&mut self, count: usize) {
        // Sessions are short here.
        let ann = self.channel.join("ann");
        ann.count(self.sent..self.sent + count);
        self.sent += count;
    }

    /// Whole lines.
    fn texts(&self) -> Vec<usize> {
        let text = fs::read_to_string(&self.inbox).unwrap_or_default();
        let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let text = |line: &str| serde_json::from_str::<Value>(line).unwrap()["text"].as_str().unwrap().parse().unwrap();
        whole.map(text).collect()
    }

    fn has(&self, count: usize) -> bool {
        self.texts().iter().collect::<std::collections::BTreeSet<_>>().len() >= count
    }

    fn until_all(&self, what: &str) {
        until_within(SILENCE, what, || self.has(self.sent));
    }

    /// How many are not there, how many are there again, and whether the rest is in order.
    fn count(&self) -> (usize, usize, bool) {
        let texts = self.texts();
        let mut times = BTreeMap::new();
        texts.iter().for_each(|text| *times.entry(*text).or_insert(0) += 1);
        let lost = (0..self.sent).filter(|text| !times.contains_key(text)).count();
        (lost, texts.len() - times.len(), texts.is_sorted())
    }
}

fn listen(channel: &Channel, road: &Road, inbox: &Path) -> Client {
    let origin = road.origin();
    let variables =
        [("ROGERRAT_ORIGIN", &*origin), ("ROGERRAT_CHANNEL", &channel.id), ("ROGERRAT_TOKEN", &channel.token)];
    Client::start(&["listen-here", "--callsign", "bob", "--quiet", "--inbox", inbox.to_str().unwrap()], &variables)
}

#[test]
fn rounds_of_everything_that_can_go_wrong_lose_no_line_and_double_none() {
    let mut hub = Hub::unlimited();
    let (rounds, mut ran) = (rounds(), [0; FAULTS.len()]);
    // A silent link takes the better part of a minute to be noticed: those go wrong all at once, beside the others.
    let mut silent: Vec<_> = (0..rounds / FAULTS.len()).map(|no| Lane::new(&hub, &format!("silent {no}"))).collect();
    ran[5] = silent.len();
    for lane in &mut silent {
        lane.say(2);
        lane.until_all("what came before the silence");
        lane.road.fall_silent();
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
                hub.again(&["--rate-limit", "off"], &[]);
            }
            1 => {
                lane.listener.signal("KILL");
                until("it is dead, and its lock with it", || lane.listener.has_ended());
                lane.listener = listen(&lane.channel, &lane.road, &lane.inbox);
            }
            2 => lane.road.break_after(20 + round * 37 % 400),
            3 => {
                lane.road.shut();
                until("the session has expired", || !lane.channel.roster().contains(&"bob".to_owned()));
            }
            _ => fill_the_disk(&mut lane),
        }
        lane.say(3);
        lane.road.open();
        lane.until_all(FAULTS[fault]);
    }
    for lane in &silent {
        lane.until_all(FAULTS[5]);
    }
    let (mut lost, mut doubled, mut sent) = (0, 0, 0);
    for lane in silent.iter().chain([&lane]) {
        let (lane_lost, lane_doubled, is_sorted) = lane.count();
        (lost, doubled, sent) = (lost + lane_lost, doubled + lane_doubled, sent + lane.sent);
        assert!(is_sorted, "{:?}", lane.texts());
    }
    let kinds: Vec<_> = FAULTS.iter().zip(ran).map(|(fault, ran)| format!("{ran} {fault}")).collect();
    println!("{rounds} rounds ({}): {sent} sent, {lost} lost, {doubled} doubled", kinds.join(", "));
    assert_eq!((lost, doubled), (0, 0));
}

/// No more can be written to the inbox until something was refused.
fn fill_the_disk(lane: &mut Lane) {
    lane.until_all("what came before");
    let aside = lane.inbox.with_extension("aside");
    fs::rename(&lane.inbox, &aside).unwrap();
    symlink("/dev/full", &lane.inbox).unwrap();
    let ann = lane.channel.join("ann");
    ann.count(lane.sent..lane.sent + 1);
    lane.sent += 1;
    until("it has given up for now", || {
        let stats = lane.channel.join("bob");
        !stats.is_waiting()
    });
    fs::rename(&aside, &lane.inbox).unwrap();
}
