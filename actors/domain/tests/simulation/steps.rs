//! The random steps of a script.

use rogerrat_domain::op::{
    Ack, History, Info, Keepalive, OpenStream, Read, ReadOutcome, Receipts, RemoveConsumer, Stats,
};
use rogerrat_domain::{ByteBound, Code, ConsumerName, Message, SideEventSet};

use super::*;

#[path = "membership.rs"]
mod membership;
#[path = "sending.rs"]
mod sending;

const NAMES: [&str; 4] = ["ann", "bob", "cat", "dan"];

/// A weight that the oracle knows without the message.
fn weigh(message: &Message) -> usize {
    deliveries::weight(message.id)
}

impl Simulation {
    /// Runs a script to its end, and then replays its log.
    pub(crate) fn play(&mut self) {
        let steps = self.rng.random_range(20..80);
        for _ in 0..3 {
            self.join();
        }
        for _ in 0..steps {
            self.step();
            self.totals.steps += 1;
            self.check();
        }
        self.note("everything ends");
        while self.fetching.is_some() {
            self.deliver_fetched();
        }
        while !self.in_flight.is_empty() {
            self.complete_or_drop();
        }
        while !self.unproven.is_empty() {
            self.decide_unproven();
        }
        for waiter in self.feeds.keys().copied().collect::<Vec<_>>() {
            self.cut(waiter);
        }
        self.check();
        self.replay();
    }

    fn step(&mut self) {
        match self.rng.random_range(0..100) {
            0..5 => self.join(),
            5 => self.leave(),
            6 => self.leave_or_revoke(),
            7..30 => self.send(),
            30..34 => self.flood(),
            34..50 => self.read(),
            50..55 => self.open_stream(),
            55..64 => self.complete_or_drop(),
            64..67 => self.decide_unproven(),
            67..76 => self.take_events(),
            76..78 => self.disconnect(),
            78..83 => self.ack(),
            83..84 => self.remove_consumer(),
            84 => self.take_snapshot(),
            85..88 => self.deliver_fetched(),
            88..92 => self.run_query(),
            _ => self.pass_time(),
        }
    }

    fn pick(&mut self) -> Option<(SessionId, u32)> {
        let live: Vec<_> =
            self.sessions.iter().filter(|(_, no)| self.oracle.members.contains_key(no)).cloned().collect();
        (!live.is_empty()).then(|| live[self.rng.random_range(0..live.len())].clone())
    }

    fn consumer(&mut self) -> Option<ConsumerName> {
        let names = [None, None, None, Some("x"), Some("y")];
        names[self.rng.random_range(0..names.len())].map(|name| ConsumerName::parse(name).unwrap())
    }

    fn some_id(&mut self) -> u64 {
        match (self.rng.random_range(0..6), self.oracle.log.len()) {
            (0, _) => 0,
            (1, _) | (_, 0) => self.oracle.last_id + self.rng.random_range(0..1_000),
            (_, n) => {
                let nth = self.rng.random_range(n.saturating_sub(40)..n);
                *self.oracle.log.keys().nth(nth).unwrap() - self.rng.random_range(0..2)
            }
        }
    }

    fn input(&mut self) -> ReadInput {
        let lease_ms = [1_000, 10_000, 60_000][self.rng.random_range(0..3)];
        let consumer = self.consumer();
        ReadInput {
            own: consumer.is_some() && self.rng.random_bool(0.5),
            consumer,
            since: self.rng.random_bool(0.15).then(|| self.some_id()),
            ack_mode: if self.rng.random_bool(0.4) { AckMode::Leased { lease_ms } } else { AckMode::Read },
            max: if self.rng.random_bool(0.3) { self.rng.random_range(0..5) } else { limits::READ_MESSAGES },
            bound: self.rng.random_bool(0.3).then(|| ByteBound { max_bytes: self.rng.random_range(0..30), weigh }),
            ack_upto: None,
            side_events: SideEventSet::default(),
            ends_stream: false,
        }
    }

    fn read(&mut self) {
        let Some((session, no)) = self.pick() else { return };
        let input = self.input();
        self.note(&format!("read #{no} {input:?}"));
        let (waiter, timeout_ms) = (WaiterId(self.number()), self.rng.random_range(1_000..120_000));
        let who = (no, input.consumer.as_ref().map(|c| c.as_str().to_owned()));
        let op = Read { session, input: input.clone(), timeout_ms, wants_roster: self.rng.random(), waiter };
        self.tick();
        if op.decide(&self.channel, self.now).is_err() {
            return;
        }
        self.oracle.reader_for(&who, input.own);
        self.active(no);
        let deadline_ms = self.now.uptime_ms + timeout_ms;
        let older = self.parked.iter().find(|(_, p)| p.who == who).map(|(waiter, _)| *waiter);
        let _settled = self.settle_unproven(&who, input.since);
        let (outcome, _) = self.run(op).unwrap();
        match outcome {
            ReadOutcome::Answered(response) => self.responded(who, &input, response),
            ReadOutcome::Parked => {
                let expected = self.oracle.gap(&who, input.since, self.now.uptime_ms);
                let moves = input.ack_mode == AckMode::Read && input.since.is_none();
                let nothing = matches!(expected, Expected::Unsure | Expected::Exactly(None));
                assert!(!moves || nothing, "a gap that must be reported does not wait: {expected:?} {who:?}");
                assert!(older.is_none_or(|older| !self.parked.contains_key(&older)), "the older poll gave way");
                self.parked.insert(waiter, Parked { who, input, deadline_ms });
            }
        }
    }

    fn open_stream(&mut self) {
        let Some((session, no)) = self.pick() else { return };
        let input = self.input();
        self.note(&format!("stream #{no} {input:?}"));
        let (waiter, progress) = (WaiterId(self.number()), Arc::new(Progress::default()));
        let who = (no, input.consumer.as_ref().map(|c| c.as_str().to_owned()));
        let op = OpenStream { session, input: input.clone(), waiter, progress: progress.clone() };
        self.tick();
        if op.decide(&self.channel, self.now).is_err() {
            return;
        }
        self.oracle.reader_for(&who, input.own);
        self.active(no);
        let ack_mode = if input.ack_mode == AckMode::Read { AckMode::Read } else { AckMode::Streamed };
        let (since, max, queue) = (input.since, input.max, VecDeque::new());
        let older = self.oracle.reader(&who).stream.replace(waiter);
        let _settled = self.settle_unproven(&who, input.since);
        self.feeds.insert(waiter, Feed { who: who.clone(), since, ack_mode, max, progress, queue, reported_upto: 0 });
        self.run(op).unwrap();
        assert!(older.is_none_or(|older| !self.feeds.contains_key(&older)), "the older stream gave way");
        if self.feeds.contains_key(&waiter) {
            self.oracle.reader(&who).stream = Some(waiter);
        }
    }

    fn complete_or_drop(&mut self) {
        if self.in_flight.is_empty() {
            return;
        }
        let nth = self.rng.random_range(0..self.in_flight.len());
        let InFlight { who, number, ack_mode, mut response } = self.in_flight.remove(nth);
        let state = State::InFlight(number);
        let is_taken = self.rng.random_bool(0.7);
        self.note(&format!("answer {number} of {who:?} is {}", if is_taken { "taken" } else { "dropped" }));
        let token = response.guard.take().unwrap();
        let upto = response.messages.last().map(|g| g.message.id).max(response.gap.map(|gap| gap.to)).unwrap_or(0);
        if is_taken && ack_mode == AckMode::Read && self.rng.random_bool(0.4) {
            let unproven = Unproven { who: who.clone(), number, upto, delivery: token.written() };
            self.oracle.written(&who, number, upto);
            if self.parked.values().any(|p| p.who == who) {
                // A newer read waits already.
                self.oracle.returned(&who, State::Unproven(number), true);
            } else if self.oracle.readers.contains_key(&who) {
                self.unproven.push(unproven);
            }
        } else if is_taken {
            let ids: Vec<u64> = response.messages.iter().map(|g| g.message.id).collect();
            token.complete();
            let gap = response.gap.map(|gap| gap.to);
            self.oracle.taken(&who, &ids, gap, ack_mode, self.now.uptime_ms);
            if let Some(reader) = self.oracle.readers.get_mut(&who) {
                reader.claims.retain(|_, c| c.state != state);
            }
        } else {
            self.totals.returned += 1;
            drop(token);
            self.oracle.returned(&who, state, false);
        }
        if let Some(reader) = self.oracle.readers.get_mut(&who) {
            reader.reporting.remove(&number);
        }
        self.tick();
    }

    fn some_stream(&mut self) -> Option<WaiterId> {
        let ids: Vec<_> = self.feeds.keys().copied().collect();
        (!ids.is_empty()).then(|| ids[self.rng.random_range(0..ids.len())])
    }

    fn take_events(&mut self) {
        let Some(waiter) = self.some_stream() else { return };
        let most = if self.rng.random_bool(0.5) { 1_000 } else { self.rng.random_range(1..5) };
        let feed = self.feeds.get_mut(&waiter).unwrap();
        let mut events = Vec::new();
        while events.len() < most && !feed.queue.is_empty() && feed.progress.take() {
            events.extend(feed.queue.pop_front());
        }
        let (who, ack_mode, is_plain) = (feed.who.clone(), feed.ack_mode, feed.since.is_none());
        self.note(&format!("{} events of {waiter:?} are taken", events.len()));
        for event in events {
            let ids: Vec<u64> = event.id.into_iter().collect();
            self.oracle.taken(&who, &ids, event.gap.map(|(to, _)| to), ack_mode, self.now.uptime_ms);
            let (Some((_, number)), Some(reader)) = (event.gap, self.oracle.readers.get_mut(&who)) else { continue };
            reader.claims.retain(|_, c| c.state != State::InFlight(number));
            // A manual cursor has not moved: the stream still reports the gap.
            if ack_mode == AckMode::Read || !is_plain {
                reader.reporting.remove(&number);
            }
        }
        self.tick();
    }

    /// Disconnects a poll or a stream.
    fn disconnect(&mut self) {
        let polls: Vec<_> = self.parked.keys().copied().collect();
        if polls.is_empty() || self.rng.random_bool(0.5) {
            let Some(waiter) = self.some_stream() else { return };
            return self.cut(waiter);
        }
        let waiter = polls[self.rng.random_range(0..polls.len())];
        self.note(&format!("{waiter:?} hangs up"));
        let parked = self.parked.remove(&waiter).unwrap();
        self.active(parked.who.0);
        let mut effects = Effects::default();
        self.channel.cancel_wait(waiter, self.now, &mut effects);
        self.run_effects(effects);
    }

    fn cut(&mut self, waiter: WaiterId) {
        self.note(&format!("{waiter:?} is cut"));
        self.feeds[&waiter].progress.cut();
        self.stream_closed(waiter);
        let mut effects = Effects::default();
        if self.rng.random() {
            self.channel.cancel_wait(waiter, self.now, &mut effects);
        } else {
            self.channel.tick(self.now, &mut effects);
        }
        self.run_effects(effects);
    }

    fn ack(&mut self) {
        let Some((session, no)) = self.pick() else { return };
        let consumer = self.consumer();
        let who = (no, consumer.as_ref().map(|c| c.as_str().to_owned()));
        let Some(reader) = self.oracle.readers.get(&who) else { return };
        let (shown, cursor) = (reader.seen_upto, reader.cursor);
        let upto = if self.rng.random_bool(0.6) { shown } else { self.some_id() };
        self.note(&format!("ack {who:?} {upto}"));
        self.tick();
        let op = Ack { session, consumer, upto };
        match op.decide(&self.channel, self.now) {
            Ok(_) => assert!(upto <= shown),
            Err(refusal) if refusal.code == Code::Invalid => return assert!(upto > shown),
            Err(_) => return,
        }
        self.active(no);
        // A claim of a DM that another consumer acknowledged may be dropped.
        let now_ms = self.now.uptime_ms;
        let gone_dms = self.oracle.readers[&who].claims.values().any(|c| !c.is_busy(now_ms));
        let acked = self.oracle.acked(&who, upto);
        let stand = self.oracle.readers[&who].cursor;
        let (reply, _) = self.run(op).unwrap();
        assert!(stand >= cursor && reply.cursor == stand, "the cursor is where the ack put it");
        assert!(gone_dms || reply.acked == acked, "{} of {acked} were acknowledged", reply.acked);
    }

    fn remove_consumer(&mut self) {
        let (Some((session, no)), Some(name)) = (self.pick(), self.consumer()) else { return };
        let who = (no, Some(name.as_str().to_owned()));
        self.note(&format!("remove {who:?}"));
        self.tick();
        let op = RemoveConsumer { session, name };
        if op.decide(&self.channel, self.now).is_err() {
            return;
        }
        self.active(no);
        self.oracle.readers.remove(&who);
        self.run(op).unwrap();
        self.in_flight.retain(|c| c.who != who);
        self.unproven.retain(|c| c.who != who);
        assert!(self.parked.values().all(|p| p.who != who) && self.feeds.values().all(|f| f.who != who));
    }

    /// Delivers the result of a fetch.
    fn deliver_fetched(&mut self) {
        let Some(asked) = self.fetching.take() else { return };
        self.note(&format!("{} messages are fetched", asked.len()));
        self.totals.fetched += 1;
        self.fetched = asked.iter().copied().collect();
        let came = asked.iter().map(|id| self.oracle.log[id].clone()).collect();
        let mut effects = Effects::default();
        self.channel.fetched(&asked, came, self.now, &mut effects);
        self.run_effects(effects);
        self.fetched.clear();
    }

    fn take_snapshot(&mut self) {
        self.note("the channel is written down");
        let written = serde_json::to_string(&self.channel.snapshot(None, self.now)).unwrap();
        self.written = Some((written, self.log.len()));
    }

    fn run_query(&mut self) {
        let Some((session, no)) = self.pick() else { return };
        let which = self.rng.random_range(0..6);
        self.note(&format!("look {which} #{no}"));
        self.tick();
        let asker = Some(session.clone());
        let lives = Keepalive { session: session.clone() }.decide(&self.channel, self.now).is_ok();
        match which {
            0 => drop(self.run(Keepalive { session }).map(|_| ())),
            1 => self.check_roster(asker),
            2 => {
                let reply = self.query(&History { session: asker, n: 100, thread: None, before: None }).unwrap();
                let ring = self.oracle.ring.len() - self.oracle.backlog_len;
                assert_eq!(reply.history.len(), ring, "history is the ring");
            }
            3 => drop(self.query(&Stats { session: asker }).unwrap()),
            4 => return drop(self.query(&Info).unwrap()),
            _ => {
                let id = self.some_id();
                if self.query(&Receipts { session, id }).is_err() {
                    return;
                }
            }
        }
        if lives {
            self.active(no);
        }
    }

    fn pass_time(&mut self) {
        let now_ms = self.now.uptime_ms;
        let next = self.channel.next_deadline_ms().unwrap_or(now_ms).max(now_ms);
        let target = match self.rng.random_range(0..12) {
            0..4 => now_ms + self.rng.random_range(0..2_000),
            4 => next.saturating_sub(1).max(now_ms),
            5 | 6 => next,
            7 => next + 1,
            8 => now_ms + self.rng.random_range(0..100_000),
            9 => now_ms + SESSION_TTL_MS,
            10 => {
                self.now.at_ms -= self.rng.random_range(0..self.now.at_ms / 2);
                now_ms
            }
            _ if self.rng.random_bool(0.2) => now_ms + MEMBER_TTL_MS + SESSION_TTL_MS,
            _ => {
                self.now.at_ms += self.rng.random_range(0..10_000);
                now_ms
            }
        };
        self.note(&format!("time passes to {target}, the wall says {}", self.now.at_ms));
        self.pass_to(target);
    }
}
