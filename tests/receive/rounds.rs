//! Rounds of everything that can go wrong between a hub and an inbox, counted: no line is lost, none is there twice.
//!
//! `ROGERRAT_AWAKE_ROUNDS=100 cargo test --test integration receive::rounds -- --nocapture` runs 100 rounds and prints the
//! figures.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rogerrat_testkit::{Channel, ClientCommand, Hub, wait_until, wait_until_within};
use serde_json::{Value, json};

use super::road::Road;

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
    listener: ClientCommand,
    sent: usize,
}

impl Lane {
    fn new(hub: &Hub, name: &str) -> Self {
        let channel = hub.channel_with(&json!({"durability": "disk", "session_ttl_seconds": 1}));
        let road = Road::to(hub.0);
        let inbox = hub.folder().join(format!("{name}.jsonl"));
        let listener = listen(&channel, &road, &inbox);
        let lane = Self { channel, road, inbox, listener, sent: 0 };
        wait_until("it is there", || lane.channel.roster() == ["bob"]);
        lane
    }

    fn say(&mut self, count: usize) {
        // Sessions are short here.
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

    /// Stops the listener and counts.
    fn counted(self) -> Counted {
        self.listener.signal("TERM");
        let said = self.listener.wait_for_exit().err;
        let texts = texts(&self.inbox);
        let mut times = BTreeMap::new();
        texts.iter().for_each(|text| *times.entry(*text).or_insert(0) += 1);
        let lost = (0..self.sent).filter(|text| !times.contains_key(text)).count();
        assert!(texts.is_sorted(), "{texts:?}");
        Counted { sent: self.sent, lost, doubled: texts.len() - times.len(), said }
    }
}

struct Counted {
    sent: usize,
    lost: usize,
    doubled: usize,
    /// What the listener said on standard error.
    said: String,
}

/// What the whole lines of an inbox say.
fn texts(inbox: &Path) -> Vec<usize> {
    let text = fs::read_to_string(inbox).unwrap_or_default();
    let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let text = |line: &str| serde_json::from_str::<Value>(line).unwrap()["text"].as_str().unwrap().parse().unwrap();
    whole.map(text).collect()
}

fn listen(channel: &Channel, road: &Road, inbox: &Path) -> ClientCommand {
    let origin = road.origin();
    let variables =
        [("ROGERRAT_ORIGIN", &*origin), ("ROGERRAT_CHANNEL", &channel.id), ("ROGERRAT_TOKEN", &channel.token)];
    ClientCommand::start(
        &["listen-here", "--callsign", "bob", "--quiet", "--inbox", inbox.to_str().unwrap()],
        &variables,
    )
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
        let bob = lane.channel.join("bob");
        wait_until("it is acknowledged", || bob.consumers()[0]["in_flight"] == 0);
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
                hub.start_again(&["--rate-limit", "off"], &[]);
            }
            1 => {
                lane.listener.signal("KILL");
                wait_until("it is dead, and its lock with it", || lane.listener.has_exited());
                lane.listener = listen(&lane.channel, &lane.road, &lane.inbox);
            }
            2 => lane.road.break_after(20 + round * 37 % 400),
            3 => {
                lane.road.shut();
                wait_until("the session has expired", || !lane.channel.roster().contains(&"bob".to_owned()));
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
    let silent: Vec<_> = silent.into_iter().map(Lane::counted).collect();
    // It is noticed while it listens, or by an ack that was on its way.
    let is_noticed = |said: &str| said.contains("silent for 40 s") || said.contains("timed out");
    for counted in &silent {
        assert!(is_noticed(&counted.said), "{}", counted.said);
    }
    let all: Vec<_> = silent.into_iter().chain([lane.counted()]).collect();
    let sum = |figure: fn(&Counted) -> usize| all.iter().map(figure).sum::<usize>();
    let (sent, lost, doubled) = (sum(|c| c.sent), sum(|c| c.lost), sum(|c| c.doubled));
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
    ann.say_numbers(lane.sent..lane.sent + 1);
    lane.sent += 1;
    wait_until("it has given up for now", || {
        let stats = lane.channel.join("bob");
        !stats.is_waiting()
    });
    fs::rename(&aside, &lane.inbox).unwrap();
}
