//! The harness of the simulation: a channel, its clients, and its clock.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rogerrat_domain::op::{Operation, Query, ReadInput};
use rogerrat_domain::{
    AckMode, AnswerReason, BacklogEntry, BacklogLimits, Channel, ChannelId, Durability, Effect, Effects, Entry,
    GapReason, HubKey, Kind, Now, Progress, ReadResponse, Rules, SessionId, Settings, Snapshot, TokenHash,
    UnprovenDelivery, WaiterId, limits,
};

use crate::oracle::{Expected, Oracle, State, Who};

#[path = "deliveries.rs"]
mod deliveries;
#[path = "invariants.rs"]
mod invariants;
#[path = "presence.rs"]
mod presence;
#[path = "steps.rs"]
mod steps;

pub(crate) const SESSION_TTL_MS: u64 = 200_000;
pub(crate) const MEMBER_TTL_MS: u64 = 2_000_000;

/// How often each interesting case happened.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) steps: u64,
    pub(crate) delivered: u64,
    pub(crate) redelivered: u64,
    pub(crate) gaps: u64,
    pub(crate) lagged: u64,
    pub(crate) returned: u64,
    pub(crate) full: u64,
    pub(crate) expired: u64,
    pub(crate) forgotten: u64,
    pub(crate) fetched: u64,
    pub(crate) restored: u64,
    pub(crate) proven: u64,
    pub(crate) taken_back: u64,
    pub(crate) own: u64,
}

impl Totals {
    pub(crate) fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.delivered += other.delivered;
        self.redelivered += other.redelivered;
        self.gaps += other.gaps;
        self.lagged += other.lagged;
        self.returned += other.returned;
        self.full += other.full;
        self.expired += other.expired;
        self.forgotten += other.forgotten;
        self.fetched += other.fetched;
        self.restored += other.restored;
        self.proven += other.proven;
        self.taken_back += other.taken_back;
        self.own += other.own;
    }

    pub(crate) fn covers_everything(&self) -> bool {
        let read = [self.delivered, self.redelivered, self.gaps, self.lagged, self.returned, self.full];
        let rest = [self.expired, self.forgotten, self.fetched, self.restored, self.proven, self.taken_back, self.own];
        read.iter().chain(&rest).all(|n| *n > 0)
    }
}

/// A parked poll.
pub(crate) struct Parked {
    pub(crate) who: Who,
    pub(crate) input: ReadInput,
    pub(crate) deadline_ms: u64,
}

/// A response in flight.
pub(crate) struct InFlight {
    pub(crate) who: Who,
    pub(crate) number: u64,
    pub(crate) ack_mode: AckMode,
    pub(crate) response: ReadResponse,
}

/// A response that was written, and neither proven nor taken back.
pub(crate) struct Unproven {
    pub(crate) who: Who,
    pub(crate) number: u64,
    pub(crate) upto: u64,
    pub(crate) delivery: UnprovenDelivery,
}

/// An open stream and its client's queue.
pub(crate) struct Feed {
    pub(crate) who: Who,
    pub(crate) since: Option<u64>,
    pub(crate) ack_mode: AckMode,
    pub(crate) max: usize,
    pub(crate) progress: Arc<Progress>,
    pub(crate) queue: VecDeque<Event>,
    pub(crate) reported_upto: u64,
}

/// An event in a queue.
pub(crate) struct Event {
    pub(crate) id: Option<u64>,
    /// The gap it reports, and the number of the report.
    pub(crate) gap: Option<(u64, u64)>,
    pub(crate) bytes: usize,
}

pub(crate) struct Simulation {
    pub(crate) rng: StdRng,
    pub(crate) script: Vec<String>,
    pub(crate) totals: Totals,
    channel: Channel,
    open: (Arc<Settings>, Arc<Rules>, u64, Option<GapReason>),
    oracle: Oracle,
    now: Now,
    log: Vec<Entry>,
    /// Sessions with their members. Old ones are kept and tried again.
    sessions: Vec<(SessionId, u32)>,
    parked: BTreeMap<WaiterId, Parked>,
    in_flight: Vec<InFlight>,
    unproven: Vec<Unproven>,
    feeds: BTreeMap<WaiterId, Feed>,
    sends: Vec<(SessionId, u64)>,
    keys: BTreeMap<(u32, String), u64>,
    numbers: u64,
    /// The fetch in progress.
    fetching: Option<Vec<u64>>,
    /// The result of a fetch, while it is handed out.
    fetched: BTreeSet<u64>,
    /// A snapshot, and the number of entries before it.
    written: Option<(String, usize)>,
    /// Whether the entry being applied is a message, of which watchers are notified.
    notifies: bool,
}

impl Simulation {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let now = Now { at_ms: 1_000_000, uptime_ms: rng.random_range(0..100_000) };
        let mut settings = Settings {
            claim_callsigns: rng.random_bool(0.3),
            session_ttl_ms: SESSION_TTL_MS,
            member_ttl_ms: MEMBER_TTL_MS,
            ..Settings::plain(TokenHash::of("t"), now.at_ms)
        };
        let sends_per_minute = rng.random_bool(0.1).then_some(20);
        let backlog = BacklogLimits { messages: rng.random_range(100..200), bytes: 1 << 30 };
        let durable = rng.random_bool(0.5);
        settings.durability = if durable { Durability::Disk } else { Durability::Memory };
        let key = HubKey::new([1; 32]);
        let rules = Rules { key, sends_per_minute, backlog, idle_ms: None, idle_lossless_ms: None };
        let lost =
            [None, None, Some(GapReason::Restart), Some(GapReason::Idle)][rng.random_range(0..4)].filter(|_| !durable);
        let above = now.at_ms - 5_000 + rng.random_range(0..10_000);
        let open = (Arc::new(settings), Arc::new(rules), above, lost);
        Self {
            rng,
            script: Vec::new(),
            totals: Totals::default(),
            channel: fresh(&open, now),
            oracle: Oracle::new(above, lost, durable.then_some(backlog.messages)),
            open,
            now,
            log: Vec::new(),
            sessions: Vec::new(),
            parked: BTreeMap::new(),
            in_flight: Vec::new(),
            unproven: Vec::new(),
            feeds: BTreeMap::new(),
            sends: Vec::new(),
            keys: BTreeMap::new(),
            numbers: 0,
            fetching: None,
            fetched: BTreeSet::new(),
            written: None,
            notifies: false,
        }
    }

    fn note(&mut self, line: &str) {
        self.script.push(format!("{:>9} {line}", self.now.uptime_ms));
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Runs an operation as an actor does, and records each entry.
    fn run<O: Operation>(&mut self, op: O) -> Result<(O::Reply, Vec<Entry>), rogerrat_domain::Refusal> {
        self.tick();
        let entries = op.decide(&self.channel, self.now)?;
        for entry in &entries {
            self.record(entry);
            self.log.push(entry.clone());
            let mut effects = Effects::default();
            self.channel.apply(entry, self.now, &mut effects);
            self.notifies = matches!(entry, Entry::Sent { message, .. } if message.kind == Kind::Message);
            self.run_effects(effects);
            self.notifies = false;
        }
        let mut effects = Effects::default();
        let reply = op.answer(&mut self.channel, &entries, self.now, &mut effects);
        self.run_effects(effects);
        Ok((reply, entries))
    }

    /// Runs a query as an actor does.
    fn query<Q: Query>(&mut self, query: &Q) -> Result<Q::Reply, rogerrat_domain::Refusal> {
        let mut effects = Effects::default();
        let reply = self.channel.query(query, self.now, &mut effects);
        self.run_effects(effects);
        reply
    }

    fn tick(&mut self) {
        let mut effects = Effects::default();
        self.channel.tick(self.now, &mut effects);
        self.run_effects(effects);
    }

    /// Advances the clock, and ticks at every deadline.
    fn pass_to(&mut self, uptime_ms: u64) {
        for _ in 0..10_000 {
            let next = self.channel.next_deadline_ms().filter(|at| *at <= uptime_ms);
            let step = next.unwrap_or(uptime_ms).max(self.now.uptime_ms);
            self.now = Now { at_ms: self.now.at_ms + (step - self.now.uptime_ms), uptime_ms: step };
            self.tick();
            if next.is_none() {
                return;
            }
        }
        panic!("the deadline does not advance: {:?}", self.channel.next_deadline_ms());
    }

    fn run_effects(&mut self, mut effects: Effects) {
        effects.drain_entries().for_each(|entry| self.log_entry(entry));
        for effect in effects.drain() {
            match effect {
                Effect::Answer(id, response) => self.answered(id, response),
                Effect::Feed(id, frame) => self.stream_fed(id, &frame),
                Effect::End(id, frame) => self.stream_ended(id, &frame),
                Effect::Notify => assert!(self.notifies, "watchers are notified of messages only"),
                Effect::Fetch(ids) => {
                    assert!(ids.is_sorted() && !ids.is_empty() && ids.len() <= limits::FETCH_MESSAGES);
                    assert!(self.fetching.replace(ids).is_none(), "one fetch at a time");
                }
                Effect::Task(..) => panic!("there are no tasks here"),
                Effect::Settings(_) => panic!("the settings do not change here"),
                Effect::Unload => panic!("this channel is never unloaded"),
            }
        }
    }

    fn log_entry(&mut self, entry: Entry) {
        match &entry {
            Entry::Expired { no } => {
                self.totals.expired += 1;
                let member = &self.oracle.members[no];
                let waits = self.parked.values().any(|p| p.who.0 == *no) || self.feeds.values().any(|f| f.who.0 == *no);
                assert!(member.live && !waits, "only an inactive session expires");
                assert!(self.now.uptime_ms >= member.seen_ms + SESSION_TTL_MS, "no session expires early");
            }
            Entry::Forgotten { no } => {
                self.totals.forgotten += 1;
                let member = &self.oracle.members[no];
                assert!(!member.live && self.now.uptime_ms >= member.away_ms + MEMBER_TTL_MS, "forgotten early");
            }
            Entry::Delivered { .. } | Entry::Acked { is_implied: true, .. } => {}
            other => panic!("the machine does not log this entry: {other:?}"),
        }
        self.record(&entry);
        self.log.push(entry);
    }

    fn record(&mut self, entry: &Entry) {
        self.oracle.record(entry, self.now.uptime_ms);
        if let Entry::Left { no, .. }
        | Entry::RenamedAway { no }
        | Entry::Expired { no }
        | Entry::Revoked { no }
        | Entry::Forgotten { no } = entry
        {
            self.unproven.retain(|u| u.who.0 != *no);
        }
    }

    fn active(&mut self, no: u32) {
        if let Some(member) = self.oracle.members.get_mut(&no).filter(|p| p.live) {
            member.seen_ms = self.now.uptime_ms;
        }
    }
}

fn fresh((settings, rules, above, lost): &(Arc<Settings>, Arc<Rules>, u64, Option<GapReason>), now: Now) -> Channel {
    let id = ChannelId::parse("quiet-otter-3a8f").unwrap();
    Channel::open(id, settings.clone(), rules.clone(), *above, *lost, now)
}
