//! The harness of the operation tests: one channel, its clock, its members and their clients.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use crate::op::{Draft, Join, JoinReply, OpenStream, Operation, Query, Read, ReadInput, ReadOutcome, Send, SendReply};
use crate::{
    AnswerReason, BacklogLimits, Callsign, Channel, ChannelId, Effect, Effects, Entry, Gap, GapReason, HubKey, Now,
    Progress, ReadResponse, Refusal, Rules, SessionId, Settings, TaskResponse, TokenHash, WaiterId,
};

/// The wall clock at the start of a test.
pub(crate) const START_MS: u64 = 1_800_000_000_000;

pub(crate) use super::summary::{draft, parse_draft, received};

pub(crate) struct TestChannel {
    pub(crate) channel: Channel,
    pub(crate) now: Now,
    /// The entries logged so far, in the order in which they were applied.
    pub(crate) log: Vec<Entry>,
    pub(crate) unloaded: bool,
    pub(crate) sessions: BTreeMap<String, SessionId>,
    answers: BTreeMap<WaiterId, ReadResponse>,
    pub(crate) looks: BTreeMap<WaiterId, Option<Box<TaskResponse>>>,
    streams: BTreeMap<WaiterId, Feed>,
    callsign_seed: u64,
    pub(crate) next_waiter: u64,
}

/// A stream as its client sees it.
struct Feed {
    progress: Arc<Progress>,
    queue: VecDeque<Bytes>,
    last: Option<Bytes>,
}

/// A response as its reader received it.
#[derive(Debug, PartialEq)]
pub(crate) struct Received {
    pub(crate) texts: Vec<String>,
    pub(crate) ids: Vec<u64>,
    pub(crate) attempts: Vec<u32>,
    pub(crate) gap: Option<Gap>,
    pub(crate) reason: AnswerReason,
}

/// The rules of a hub without limits.
pub(crate) fn rules() -> Rules {
    let backlog = BacklogLimits { messages: 1000, bytes: 64 << 20 };
    Rules { key: HubKey::new([7; 32]), sends_per_minute: None, backlog, idle_ms: None, idle_lossless_ms: None }
}

impl TestChannel {
    pub(crate) fn new() -> Self {
        Self::with(Settings::plain(TokenHash::of("t"), START_MS))
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
        let now = Now { at_ms: START_MS, uptime_ms: 0 };
        let id = ChannelId::parse("quiet-otter-3a8f").unwrap();
        Self {
            channel: Channel::open(id, Arc::new(settings), rules.into(), above, lost, now),
            now,
            log: Vec::new(),
            unloaded: false,
            sessions: BTreeMap::new(),
            answers: BTreeMap::new(),
            looks: BTreeMap::new(),
            streams: BTreeMap::new(),
            callsign_seed: 1,
            next_waiter: 0,
        }
    }

    /// The same channel after a restart: members come back, messages do not.
    pub(crate) fn restarted(self, lost: GapReason) -> Self {
        let above = self.channel.last_id() + 60_000;
        let mut next = Self::opened(self.channel.settings().clone(), self.channel.rules.clone(), above, Some(lost));
        next.sessions = self.sessions;
        for entry in self.log.iter().filter(|e| e.is_logged(false)) {
            next.channel.apply(entry, next.now, &mut Effects::default());
        }
        next
    }

    /// Advances the clock to an uptime.
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
    pub(crate) fn query<Q: Query>(&mut self, query: &Q) -> Result<Q::Reply, Refusal> {
        let mut effects = Effects::default();
        let reply = self.channel.query(query, self.now, &mut effects);
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
                Effect::Answer(id, response) => {
                    assert!(self.answers.insert(id, response).is_none(), "a poll is answered once");
                }
                Effect::Feed(id, frame) => self.streams.get_mut(&id).unwrap().queue.push_back(frame),
                Effect::End(id, frame) => {
                    let feed = self.streams.get_mut(&id).unwrap();
                    assert!(feed.last.is_none(), "a stream ends once");
                    feed.queue.clear();
                    feed.last = Some(frame);
                }
                Effect::Task(id, response) => {
                    assert!(self.looks.insert(id, response).is_none(), "a wait for a task is answered once");
                }
                Effect::Unload => self.unloaded = true,
                Effect::Fetch(_) => panic!("no message is in the backlog here"),
                Effect::Notify | Effect::Settings(_) => {}
            }
        }
    }

    // Members.

    pub(crate) fn join_request(&mut self, callsign: Option<&str>, session: Option<&str>) -> Join {
        self.callsign_seed += 1;
        Join {
            callsign: callsign.map(|c| Callsign::parse(c).unwrap()),
            original_spelling: None,
            identity: None,
            is_reserved: false,
            presented_session: SessionId::present(session).unwrap(),
            human_authorized: false,
            shown_bytes: None,
            never_take_over: false,
            about: None,
            generation: self.callsign_seed,
            callsign_seed: self.callsign_seed,
        }
    }

    pub(crate) fn join(&mut self, callsign: &str) -> JoinReply {
        self.join_as(Some(callsign), None).unwrap()
    }

    pub(crate) fn join_as(&mut self, callsign: Option<&str>, session: Option<&str>) -> Result<JoinReply, Refusal> {
        let join_request = self.join_request(callsign, session);
        self.joins(join_request)
    }

    pub(crate) fn joins(&mut self, join_request: Join) -> Result<JoinReply, Refusal> {
        let reply = self.ask(join_request)?;
        let session = SessionId::present(Some(&reply.session_id)).unwrap().unwrap();
        self.sessions.insert(reply.callsign.to_string(), session);
        Ok(reply)
    }

    pub(crate) fn session(&self, callsign: &str) -> SessionId {
        self.sessions[callsign].clone()
    }

    // Sending.

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

    // Reading.

    /// Reads and confirms what is due; none if nothing is due.
    pub(crate) fn listen(&mut self, who: &str) -> Option<Received> {
        self.listen_with(who, ReadInput::default())
    }

    pub(crate) fn listen_with(&mut self, who: &str, input: ReadInput) -> Option<Received> {
        match self.poll(who, input) {
            Ok(response) => Some(self.take(response)),
            Err(id) => {
                self.cancel_wait(id);
                None
            }
        }
    }

    /// Reads: a response that is not confirmed yet, or the id of the parked poll.
    pub(crate) fn poll(&mut self, who: &str, input: ReadInput) -> Result<ReadResponse, WaiterId> {
        self.try_poll(who, input).unwrap()
    }

    pub(crate) fn try_poll(&mut self, who: &str, input: ReadInput) -> Result<Result<ReadResponse, WaiterId>, Refusal> {
        self.next_waiter += 1;
        let id = WaiterId(self.next_waiter);
        let session = self.session(who);
        let outcome = self.ask(Read { session, input, timeout_ms: 30_000, wants_roster: false, waiter: id })?;
        Ok(match outcome {
            ReadOutcome::Answered(response) => Ok(response),
            ReadOutcome::Parked => Err(id),
        })
    }

    /// Parks a poll that must park.
    pub(crate) fn park(&mut self, who: &str, input: ReadInput) -> WaiterId {
        self.poll(who, input).expect_err("there is nothing to read")
    }

    /// The response of a parked poll, not confirmed.
    pub(crate) fn answer(&mut self, id: WaiterId) -> Option<ReadResponse> {
        self.answers.remove(&id)
    }

    /// The response of a parked poll, confirmed.
    pub(crate) fn answered(&mut self, id: WaiterId) -> Received {
        let response = self.answer(id).expect("the poll was answered");
        self.take(response)
    }

    pub(crate) fn take(&mut self, response: ReadResponse) -> Received {
        let seen = received(&response);
        response.guard.into_iter().for_each(crate::DeliveryToken::complete);
        self.tick();
        seen
    }

    /// Drops a response, as a broken connection does.
    pub(crate) fn drop_response(&mut self, response: ReadResponse) {
        drop(response);
        self.tick();
    }

    pub(crate) fn cancel_wait(&mut self, id: WaiterId) {
        let mut effects = Effects::default();
        self.channel.cancel_wait(id, self.now, &mut effects);
        self.carry(effects);
    }

    pub(crate) fn open(&mut self, who: &str, input: ReadInput) -> WaiterId {
        self.next_waiter += 1;
        let id = WaiterId(self.next_waiter);
        let progress = Arc::new(Progress::default());
        let feed = Feed { progress: progress.clone(), queue: VecDeque::new(), last: None };
        self.streams.insert(id, feed);
        let session = self.session(who);
        self.ask(OpenStream { session, input, waiter: id, progress }).unwrap();
        id
    }

    /// Takes events from a stream and summarises them: `hello 2`, `x`, `gap 1..5 ring`, …
    pub(crate) fn take_events(&mut self, id: WaiterId, count: usize) -> Vec<String> {
        let feed = self.streams.get_mut(&id).unwrap();
        let mut taken = Vec::new();
        while taken.len() < count && !feed.queue.is_empty() && feed.progress.take() {
            taken.extend(feed.queue.pop_front().map(|frame| super::summary::event(&frame)));
        }
        self.tick();
        taken
    }

    /// Takes all events from a stream, as they are.
    pub(crate) fn frames(&mut self, id: WaiterId) -> Vec<String> {
        let feed = self.streams.get_mut(&id).unwrap();
        let mut taken = Vec::new();
        while !feed.queue.is_empty() && feed.progress.take() {
            taken.extend(feed.queue.pop_front().map(|frame| String::from_utf8_lossy(&frame).into_owned()));
        }
        self.tick();
        taken
    }

    pub(crate) fn events(&mut self, id: WaiterId) -> Vec<String> {
        self.take_events(id, usize::MAX)
    }

    pub(crate) fn queued(&self, id: WaiterId) -> (usize, usize) {
        let queue = &self.streams[&id].queue;
        (queue.len(), queue.iter().map(Bytes::len).sum())
    }

    /// The last event of a stream that was ended.
    pub(crate) fn ended(&self, id: WaiterId) -> Option<String> {
        self.streams[&id].last.as_ref().map(super::summary::event)
    }

    /// Cuts a stream, as a broken connection does.
    pub(crate) fn cut(&mut self, id: WaiterId) {
        self.streams[&id].progress.cut();
        self.cancel_wait(id);
    }
}
