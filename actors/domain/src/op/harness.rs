//! A small rig for the tests of the operations: one channel, its clock, and everybody's hands.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use crate::op::{Draft, Join, JoinReply, OpenStream, Operation, Query, Read, ReadInput, ReadOutcome, Send, SendReply};
use crate::{
    AnswerReason, BacklogLimits, Callsign, Channel, ChannelId, Effect, Effects, Entry, Gap, GapReason, HubKey, Now,
    Progress, ReadResponse, Refusal, Rules, SessionId, Settings, TokenHash, WaiterId,
};

/// The wall clock when the rig begins.
pub(crate) const DAWN_MS: u64 = 1_800_000_000_000;

pub(crate) use super::summary::{draft, said, see};

pub(crate) struct Rig {
    pub(crate) channel: Channel,
    pub(crate) now: Now,
    /// What was logged so far: the entries of operations and those of time, in the order they were applied.
    pub(crate) log: Vec<Entry>,
    pub(crate) retired: bool,
    sessions: BTreeMap<String, SessionId>,
    answers: BTreeMap<WaiterId, ReadResponse>,
    streams: BTreeMap<WaiterId, Feed>,
    dice: u64,
    places: u64,
}

/// The hands of a stream's carrier.
struct Feed {
    progress: Arc<Progress>,
    queue: VecDeque<Bytes>,
    last: Option<Bytes>,
}

/// What a reader has read.
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) texts: Vec<String>,
    pub(crate) ids: Vec<u64>,
    pub(crate) attempts: Vec<u32>,
    pub(crate) gap: Option<Gap>,
    pub(crate) reason: AnswerReason,
}

/// The rules of a hub that limits nothing.
pub(crate) fn rules() -> Rules {
    let shelf = BacklogLimits { messages: 1000, bytes: 64 << 20 };
    Rules { key: HubKey::new([7; 32]), sends_per_minute: None, shelf, idle_ms: None, idle_lossless_ms: None }
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with(Settings::plain(TokenHash::of("t"), DAWN_MS))
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let rules = rules();
        Self::opened(settings, rules, 0, None)
    }

    pub(crate) fn opened(
        settings: Settings,
        rules: impl Into<Arc<Rules>>,
        above: u64,
        lost: Option<GapReason>,
    ) -> Self {
        let now = Now { at_ms: DAWN_MS, uptime_ms: 0 };
        let id = ChannelId::parse("quiet-otter-3a8f").unwrap();
        Self {
            channel: Channel::open(id, Arc::new(settings), rules.into(), above, lost, now),
            now,
            log: Vec::new(),
            retired: false,
            sessions: BTreeMap::new(),
            answers: BTreeMap::new(),
            streams: BTreeMap::new(),
            dice: 1,
            places: 0,
        }
    }

    /// The same channel after a restart: members come back, messages do not.
    pub(crate) fn restarted(self, lost: GapReason) -> Self {
        let above = self.channel.last_id() + 60_000;
        let mut next = Self::opened(self.channel.settings().clone(), self.channel.rules.clone(), above, Some(lost));
        next.sessions = self.sessions;
        for entry in self.log.iter().filter(|e| e.is_kept(false)) {
            next.channel.apply(entry, next.now, &mut Effects::default());
        }
        next
    }

    /// Lets time pass until an uptime.
    pub(crate) fn at(&mut self, uptime_ms: u64) {
        self.now = Now { at_ms: self.now.at_ms + (uptime_ms - self.now.uptime_ms), uptime_ms };
        self.tick();
    }

    pub(crate) fn tick(&mut self) {
        let mut effects = Effects::default();
        self.channel.tick(self.now, &mut effects);
        self.carry(effects);
    }

    /// Runs a query as an actor would.
    pub(crate) fn query<Q: Query>(&mut self, query: Q) -> Result<Q::Reply, Refusal> {
        let mut effects = Effects::default();
        let reply = self.channel.query(&query, self.now, &mut effects);
        self.carry(effects);
        reply
    }

    /// Runs an operation as an actor would.
    pub(crate) fn ask<O: Operation>(&mut self, op: O) -> Result<O::Reply, Refusal> {
        self.tick();
        let entries = op.decide(&self.channel, self.now)?;
        for entry in &entries {
            let mut effects = Effects::default();
            self.channel.apply(entry, self.now, &mut effects);
            self.log.push(entry.clone());
            self.carry(effects);
        }
        let mut effects = Effects::default();
        let reply = op.answer(&mut self.channel, &entries, self.now, &mut effects);
        self.carry(effects);
        Ok(reply)
    }

    pub(crate) fn carry(&mut self, mut effects: Effects) {
        self.log.extend(effects.drain_entries());
        for effect in effects.drain() {
            match effect {
                Effect::Answer(place, delivery) => {
                    assert!(self.answers.insert(place, delivery).is_none(), "a poll is answered once");
                }
                Effect::Feed(place, frame) => self.streams.get_mut(&place).unwrap().queue.push_back(frame),
                Effect::End(place, frame) => {
                    let feed = self.streams.get_mut(&place).unwrap();
                    assert!(feed.last.is_none(), "a stream ends once");
                    feed.queue.clear();
                    feed.last = Some(frame);
                }
                Effect::Retire => self.retired = true,
                Effect::Fetch(_) => panic!("nothing lies on a shelf here"),
                Effect::Notify | Effect::Settings(_) => {}
            }
        }
    }

    // Who is there.

    pub(crate) fn wish(&mut self, callsign: Option<&str>, session: Option<&str>) -> Join {
        self.dice += 1;
        Join {
            callsign: callsign.map(|c| Callsign::parse(c).unwrap()),
            spelled: None,
            identity: None,
            is_reserved: false,
            presented: SessionId::present(session).unwrap(),
            human_authorized: false,
            yields: false,
            generation: self.dice,
            dice: self.dice,
        }
    }

    pub(crate) fn join(&mut self, callsign: &str) -> JoinReply {
        self.join_as(Some(callsign), None).unwrap()
    }

    pub(crate) fn join_as(&mut self, callsign: Option<&str>, session: Option<&str>) -> Result<JoinReply, Refusal> {
        let wish = self.wish(callsign, session);
        self.joins(wish)
    }

    pub(crate) fn joins(&mut self, wish: Join) -> Result<JoinReply, Refusal> {
        let reply = self.ask(wish)?;
        let session = SessionId::present(Some(&reply.session_id)).unwrap().unwrap();
        self.sessions.insert(reply.callsign.to_string(), session);
        Ok(reply)
    }

    pub(crate) fn session(&self, callsign: &str) -> SessionId {
        self.sessions[callsign].clone()
    }

    // Who says what.

    pub(crate) fn send(&mut self, from: &str, to: &str, text: &str) -> SendReply {
        self.try_send(from, draft(to, text)).unwrap()
    }

    pub(crate) fn try_send(&mut self, from: &str, draft: Box<Draft>) -> Result<SendReply, Refusal> {
        let session = self.session(from);
        self.ask(Send { session, draft })
    }

    /// Sends numbered messages: `x1`, `x2`, …
    pub(crate) fn send_many(&mut self, from: &str, to: &str, count: usize) {
        for n in 1..=count {
            self.send(from, to, &format!("x{n}"));
        }
    }

    // Who reads what.

    /// Reads and takes what is there; none when there is nothing and it would wait.
    pub(crate) fn listen(&mut self, who: &str) -> Option<Seen> {
        self.listen_with(who, ReadInput::default())
    }

    pub(crate) fn listen_with(&mut self, who: &str, input: ReadInput) -> Option<Seen> {
        match self.poll(who, input) {
            Ok(delivery) => Some(self.take(delivery)),
            Err(place) => {
                self.withdraw(place);
                None
            }
        }
    }

    /// Reads: an answer nobody has taken yet, or the place where it waits.
    pub(crate) fn poll(&mut self, who: &str, input: ReadInput) -> Result<ReadResponse, WaiterId> {
        self.try_poll(who, input).unwrap()
    }

    pub(crate) fn try_poll(&mut self, who: &str, input: ReadInput) -> Result<Result<ReadResponse, WaiterId>, Refusal> {
        self.places += 1;
        let place = WaiterId(self.places);
        let session = self.session(who);
        let outcome = self.ask(Read { session, input, timeout_ms: 30_000, wants_roster: false, place })?;
        Ok(match outcome {
            ReadOutcome::Now(delivery) => Ok(delivery),
            ReadOutcome::Parked => Err(place),
        })
    }

    /// Parks a poll that must park.
    pub(crate) fn park(&mut self, who: &str, input: ReadInput) -> WaiterId {
        self.poll(who, input).expect_err("there is nothing to read")
    }

    /// The answer of a parked poll, not taken.
    pub(crate) fn answer(&mut self, place: WaiterId) -> Option<ReadResponse> {
        self.answers.remove(&place)
    }

    /// The answer of a parked poll, taken.
    pub(crate) fn answered(&mut self, place: WaiterId) -> Seen {
        let delivery = self.answer(place).expect("the poll was answered");
        self.take(delivery)
    }

    pub(crate) fn take(&mut self, delivery: ReadResponse) -> Seen {
        let seen = see(&delivery);
        delivery.guard.into_iter().for_each(crate::DeliveryToken::complete);
        self.tick();
        seen
    }

    /// Drops an answer, as a broken connection does.
    pub(crate) fn lose(&mut self, delivery: ReadResponse) {
        drop(delivery);
        self.tick();
    }

    pub(crate) fn withdraw(&mut self, place: WaiterId) {
        let mut effects = Effects::default();
        self.channel.withdraw(place, self.now, &mut effects);
        self.carry(effects);
    }

    pub(crate) fn open(&mut self, who: &str, input: ReadInput) -> WaiterId {
        self.places += 1;
        let place = WaiterId(self.places);
        let progress = Arc::new(Progress::default());
        let feed = Feed { progress: progress.clone(), queue: VecDeque::new(), last: None };
        self.streams.insert(place, feed);
        let session = self.session(who);
        self.ask(OpenStream { session, input, place, progress }).unwrap();
        place
    }

    /// Takes events from a stream and names them: `hello`, `message x`, `gap 1..5 ring`, …
    pub(crate) fn take_events(&mut self, place: WaiterId, count: usize) -> Vec<String> {
        let feed = self.streams.get_mut(&place).unwrap();
        let mut taken = Vec::new();
        while taken.len() < count && !feed.queue.is_empty() && feed.progress.take() {
            taken.extend(feed.queue.pop_front().map(|frame| super::summary::event(&frame)));
        }
        self.tick();
        taken
    }

    pub(crate) fn events(&mut self, place: WaiterId) -> Vec<String> {
        self.take_events(place, usize::MAX)
    }

    pub(crate) fn queued(&self, place: WaiterId) -> (usize, usize) {
        let queue = &self.streams[&place].queue;
        (queue.len(), queue.iter().map(Bytes::len).sum())
    }

    /// The last event of a stream that was ended.
    pub(crate) fn ended(&self, place: WaiterId) -> Option<String> {
        self.streams[&place].last.as_ref().map(super::summary::event)
    }

    /// Cuts a stream, as a broken connection does.
    pub(crate) fn cut(&mut self, place: WaiterId) {
        self.streams[&place].progress.cut();
        self.withdraw(place);
    }
}
