//! Plays random steps on a channel and on the model, and compares them.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rogerrat_domain::op::{
    Board, BoardFilter, Draft, Join, Leave, Operation, Read, ReadInput, ReadOutcome, Send, SendInput, Take, TakeOutcome,
};
use rogerrat_domain::{
    BacklogLimits, Callsign, Channel, ChannelId, Code, DeliveryToken, Durability, Effects, Entry, HubKey, Now, Refusal,
    Rules, SessionId, Settings, TaskRow, TokenHash, WaiterId,
};
use serde_json::{Value, json};

use crate::model::{Model, Task};

pub(crate) const NAMES: [&str; 4] = ["ann", "bob", "eve", "dan"];
pub(crate) const STATES: [&str; 7] = ["working", "input", "done", "failed", "rejected", "open", "cancelled"];
const DAY_MS: u64 = 24 * 3_600_000;

/// How often each case happened.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    closed: BTreeMap<String, u64>,
    refused: BTreeMap<String, u64>,
    given_back: u64,
    pub(crate) restored: u64,
}

impl Totals {
    pub(crate) fn add(&mut self, other: &Self) {
        other.closed.iter().for_each(|(state, n)| *self.closed.entry(state.clone()).or_default() += n);
        other.refused.iter().for_each(|(code, n)| *self.refused.entry(code.clone()).or_default() += n);
        self.given_back += other.given_back;
        self.restored += other.restored;
    }

    pub(crate) fn covers_everything(&self) -> bool {
        let has = |of: &BTreeMap<String, u64>, names: &[&str]| names.iter().all(|name| of.contains_key(*name));
        let codes = ["invalid", "forbidden", "not_found", "task_taken", "task_closed", "fence_stale"];
        has(&self.closed, &["done", "failed", "rejected", "cancelled", "expired"])
            && has(&self.refused, &codes)
            && self.given_back > 0
            && self.restored > 0
    }
}

pub(crate) struct Player {
    pub(crate) script: Vec<String>,
    pub(crate) totals: Totals,
    pub(crate) rng: StdRng,
    pub(crate) channel: Channel,
    pub(crate) settings: Arc<Settings>,
    pub(crate) rules: Arc<Rules>,
    pub(crate) model: Model,
    pub(crate) now: Now,
    pub(crate) log: Vec<Entry>,
    pub(crate) sessions: Vec<SessionId>,
    pub(crate) written: Option<(String, usize)>,
    pub(crate) waiter: u64,
}

impl Player {
    pub(crate) fn new(seed: u64) -> Self {
        let now = Now { at_ms: 1_000_000, uptime_ms: 0 };
        let mut settings = Settings::plain(TokenHash::of("t"), now.at_ms);
        settings.durability = Durability::Disk;
        settings.session_ttl_ms = 400 * DAY_MS;
        let backlog = BacklogLimits { messages: 1000, bytes: 1 << 30 };
        let key = HubKey::new([1; 32]);
        let rules = Arc::new(Rules { key, sends_per_minute: None, backlog, idle_ms: None, idle_lossless_ms: None });
        let settings = Arc::new(settings);
        let id = ChannelId::parse("quiet-otter-3a8f").unwrap();
        let channel = Channel::open(id, settings.clone(), rules.clone(), 0, None, now);
        let mut player = Self {
            script: Vec::new(),
            totals: Totals::default(),
            rng: StdRng::seed_from_u64(seed),
            channel,
            settings,
            rules,
            model: Model::default(),
            now,
            log: Vec::new(),
            sessions: Vec::new(),
            written: None,
            waiter: 0,
        };
        for no in 0..NAMES.len() {
            let session = player.join(no);
            player.sessions.push(session);
        }
        player
    }

    pub(crate) fn play(&mut self) {
        for _ in 0..120 {
            match self.rng.random_range(0..100) {
                0..20 => self.open(),
                20..60 => self.reply(),
                60..80 => self.take(),
                80..84 => self.leave(),
                84..90 => self.read(),
                90..98 => self.pass(),
                _ => self.restart(),
            }
            self.compare();
        }
        for task in self.model.tasks.values().filter(|task| task.is_closed()) {
            *self.totals.closed.entry(task.state.to_owned()).or_default() += 1;
        }
    }

    pub(crate) fn note(&mut self, line: &str) {
        self.script.push(format!("{:>9} {line}", self.now.uptime_ms));
    }

    fn run<O: Operation>(&mut self, op: O) -> Result<O::Reply, Refusal> {
        self.tick();
        let entries = op.decide(&self.channel, self.now)?;
        let mut effects = Effects::default();
        for entry in &entries {
            self.log.push(entry.clone());
            self.channel.apply(entry, self.now, &mut effects);
            self.log.extend(effects.drain_entries());
        }
        let reply = op.answer(&mut self.channel, &entries, self.now, &mut effects);
        self.log.extend(effects.drain_entries());
        Ok(reply)
    }

    pub(crate) fn tick(&mut self) {
        let mut effects = Effects::default();
        self.channel.tick(self.now, &mut effects);
        self.log.extend(effects.drain_entries());
    }

    fn join(&mut self, no: usize) -> SessionId {
        let join = Join {
            callsign: Some(Callsign::parse(NAMES[no]).unwrap()),
            original_spelling: None,
            identity: None,
            is_reserved: false,
            presented_session: None,
            human_authorized: false,
            shown_bytes: None,
            never_take_over: false,
            about: None,
            generation: self.log.len() as u64,
            callsign_seed: 1,
        };
        let reply = self.run(join).unwrap();
        assert_eq!(reply.callsign.as_str(), NAMES[no]);
        SessionId::present(Some(&reply.session_id)).unwrap().unwrap()
    }

    fn send(&mut self, who: usize, body: &Value) -> Result<u64, Code> {
        let input: SendInput = serde_json::from_value(body.clone()).unwrap();
        let draft = Draft::check(input, None).map_err(|refusal| refusal.code)?;
        let session = self.sessions[who].clone();
        self.run(Send { session, draft }).map(|reply| reply.id).map_err(|refusal| refusal.code)
    }

    fn some_task(&mut self) -> Option<u64> {
        let ids: Vec<_> = self.model.tasks.keys().copied().collect();
        ids.choose(&mut self.rng).copied()
    }

    fn open(&mut self) {
        let who = self.rng.random_range(0..NAMES.len());
        let to = Some(self.rng.random_range(0..NAMES.len())).filter(|to| *to != who && self.rng.random_bool(0.5));
        let is_work = self.rng.random_bool(0.6);
        let quiet = is_work && to.is_none() && self.rng.random_bool(0.3);
        let wanted = if !is_work && to.is_none() { self.rng.random_range(1..4) } else { 1 };
        let seconds = *[60, 3600, 7200, 100_000].choose(&mut self.rng).unwrap();
        let mut body = json!({"message": "x", "wants": if is_work { "work" } else { "answer" }});
        body["deadline_seconds"] = seconds.into();
        body["to"] = to.map_or("all", |to| NAMES[to]).into();
        if quiet {
            body["quiet"] = true.into();
        }
        if wanted > 1 {
            body["answers"] = wanted.into();
        }
        self.open_as(who, &body);
    }

    pub(crate) fn open_as(&mut self, who: usize, body: &Value) -> u64 {
        self.note(&format!("{} opens {body}", NAMES[who]));
        let id = self.send(who, body).unwrap();
        let to = NAMES.iter().position(|name| body["to"] == *name);
        let seconds = body["deadline_seconds"].as_u64().unwrap();
        let task = Task {
            from: no(who),
            to: to.map(no),
            public: to.is_none(),
            is_work: body["wants"] == "work",
            wanted: body["answers"].as_u64().map_or(1, |wanted| usize::try_from(wanted).unwrap()),
            state: "open",
            holder: None,
            fence: 0,
            lease_ms: 0,
            lease_until: 0,
            deadline: self.now.at_ms + seconds * 1000,
            lost: 0,
            answers: Vec::new(),
        };
        self.model.tasks.insert(id, task);
        id
    }

    fn fence(&mut self, id: u64) -> Option<u32> {
        let current = self.model.tasks[&id].fence;
        match self.rng.random_range(0..10) {
            0..6 => Some(current).filter(|fence| *fence > 0),
            6..8 => None,
            _ => Some(current.saturating_sub(1)),
        }
    }

    fn reply(&mut self) {
        let Some(id) = self.some_task() else { return };
        // Most replies come from somebody who has to do with the task.
        let task = &self.model.tasks[&id];
        let ends = [task.holder, task.to, Some(task.from)].into_iter().flatten().collect::<Vec<_>>();
        let end = ends.choose(&mut self.rng).map_or(0, |no| *no as usize - 1);
        let who = if self.rng.random_bool(0.7) { end } else { self.rng.random_range(0..NAMES.len()) };
        let state = STATES.choose(&mut self.rng).copied().filter(|_| self.rng.random_bool(0.8));
        let fence = self.fence(id).filter(|_| state.is_some());
        let to = Some(self.rng.random_range(0..NAMES.len())).filter(|_| self.rng.random_bool(0.1));
        self.reply_as(id, who, state, fence, to);
    }

    /// Returns whether it was done.
    pub(crate) fn reply_as(
        &mut self,
        id: u64,
        who: usize,
        state: Option<&'static str>,
        fence: Option<u32>,
        to: Option<usize>,
    ) -> bool {
        let mut body = json!({"reply_to": id, "message": "y", "state": state, "fence": fence});
        body.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        if let Some(to) = to {
            body["to"] = NAMES[to].into();
        }
        self.note(&format!("{} replies {body}", NAMES[who]));
        let expected = self.model.reply(id, no(who), state, fence, to.map(no), self.now.at_ms);
        let done = self.send(who, &body).map(drop);
        assert_eq!(done, expected);
        self.count(expected.err());
        expected.is_ok()
    }

    fn count(&mut self, refused: Option<Code>) {
        if let Some(code) = refused {
            *self.totals.refused.entry(code.as_str().to_owned()).or_default() += 1;
        }
    }

    fn take(&mut self) {
        let who = self.rng.random_range(0..NAMES.len());
        let id = self.some_task().filter(|_| self.rng.random_bool(0.7));
        let fence = id.and_then(|id| self.fence(id)).filter(|_| self.rng.random_bool(0.3));
        let lease_ms = self.rng.random_range(10..100) * 1000;
        let is_received = self.rng.random_bool(0.8);
        self.take_as(id, who, fence, lease_ms, is_received);
    }

    /// Returns whether it was done.
    pub(crate) fn take_as(
        &mut self,
        id: Option<u64>,
        who: usize,
        fence: Option<u32>,
        lease_ms: u64,
        is_received: bool,
    ) -> bool {
        self.note(&format!("{} takes {id:?} with {fence:?} for {lease_ms}", NAMES[who]));
        self.waiter += 1;
        let (session, waiter) = (self.sessions[who].clone(), WaiterId(self.waiter));
        let before = id.map(|id| self.model.tasks[&id].fence);
        let next = id.or_else(|| self.model.next(no(who)));
        let expected = next.map(|id| self.model.take(id, no(who), fence, lease_ms, self.now.at_ms)).transpose();
        let taken = self.run(Take { session, id, fence, lease_ms, thread: None, timeout_ms: 0, waiter });
        let done = taken.map(|outcome| match outcome {
            TakeOutcome::Taken(taken) => {
                let guard = taken.guard.filter(|_| is_received);
                guard.into_iter().for_each(DeliveryToken::complete);
                Some(taken.fence)
            }
            _ => None,
        });
        assert_eq!(done.map_err(|refusal| refusal.code), expected);
        self.count(expected.err());
        let is_new =
            next.filter(|_| expected.is_ok_and(|got| got.is_some() && before.is_none_or(|old| got != Some(old))));
        if let Some(id) = is_new.filter(|id| !is_received && self.model.tasks[id].state == "held") {
            self.model.given_back(id);
            self.totals.given_back += 1;
        }
        self.tick();
        expected.is_ok()
    }

    fn leave(&mut self) {
        let who = self.rng.random_range(0..NAMES.len());
        self.note(&format!("{} leaves and comes back", NAMES[who]));
        let session = self.sessions[who].clone();
        self.run(Leave { session }).unwrap();
        self.model.left(no(who));
        self.sessions[who] = self.join(who);
    }

    /// A read, so that mailboxes do not fill. What it reads is not compared here.
    fn read(&mut self) {
        for session in self.sessions.clone() {
            self.waiter += 1;
            let waiter = WaiterId(self.waiter);
            let read = Read { session, input: ReadInput::default(), timeout_ms: 1, wants_roster: false, waiter };
            if let ReadOutcome::Answered(response) = self.run(read).unwrap() {
                response.guard.into_iter().for_each(DeliveryToken::complete);
            }
        }
        self.now = Now { at_ms: self.now.at_ms + 2, uptime_ms: self.now.uptime_ms + 2 };
        self.tick();
        self.model.pass(self.now.at_ms);
    }

    fn pass(&mut self) {
        let ms = *[1000, 20_000, 90_000, 4_000_000].choose(&mut self.rng).unwrap();
        self.pass_ms(ms);
    }

    pub(crate) fn pass_ms(&mut self, ms: u64) {
        self.note(&format!("{ms} ms pass"));
        let end_ms = self.now.uptime_ms + ms;
        loop {
            let next = self.channel.next_deadline_ms().filter(|at| *at <= end_ms);
            let step = next.unwrap_or(end_ms).max(self.now.uptime_ms);
            self.now = Now { at_ms: self.now.at_ms + (step - self.now.uptime_ms), uptime_ms: step };
            self.tick();
            self.model.pass(self.now.at_ms);
            if next.is_none() {
                return;
            }
        }
    }

    /// The state of the channel and the length of its log.
    pub(crate) fn stored(&self) -> (Value, usize) {
        let snapshot = serde_json::to_value(self.channel.snapshot(None, self.now)).unwrap();
        (snapshot["tasks"].clone(), self.log.len())
    }

    pub(crate) fn compare(&mut self) {
        for (who, callsign) in NAMES.iter().enumerate() {
            let filter = BoardFilter { limit: Some(200), ..BoardFilter::default() };
            let board = Board { session: self.sessions[who].clone(), filter };
            let mut effects = Effects::default();
            let reply = self.channel.query(&board, self.now, &mut effects).unwrap();
            self.log.extend(effects.drain_entries());
            let seen: BTreeMap<u64, TaskRow> = reply.tasks.into_iter().map(|row| (row.id, row)).collect();
            for (id, task) in self.model.tasks.iter().filter(|(_, task)| task.sees(no(who))) {
                let row = seen.get(id).unwrap_or_else(|| panic!("{id} is missing: {task:?}"));
                let name = |no: u32| NAMES[no as usize - 1].to_owned();
                assert_eq!(
                    (row.state.as_str(), row.holder.clone(), row.fence.unwrap_or(0), row.attempts, row.answered),
                    (task.state, task.holder.map(name), task.fence, task.lost, task.answers.len()),
                    "{id} for {callsign}",
                );
                if task.state == "held" {
                    assert_eq!(row.lease_until, Some(task.lease_until));
                }
            }
            let visible = self.model.tasks.values().filter(|task| task.sees(no(who))).count();
            assert_eq!(seen.len(), visible, "no other task is shown to {callsign}");
        }
    }
}

fn no(index: usize) -> u32 {
    u32::try_from(index + 1).unwrap()
}
