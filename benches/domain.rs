//! What the channel machine costs, without threads, sockets or clocks: a send, a wake, a full ring, a message written.
//!
//! `cargo bench --bench domain`; one hop is a send, a wake and the next poll that parks.

use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use rogerrat_domain::op::{Draft, Join, Read, ReadInput, ReadOutcome, Send, SendInput};
use rogerrat_domain::{
    BacklogLimits, Callsign, Channel, ChannelId, DeliveryToken, Effect, Effects, HubKey, Message, Now, Rules,
    SessionId, Settings, TokenHash, WaiterId,
};

const DAWN_MS: u64 = 1_800_000_000_000;
const RING: usize = 100;

/// A channel with members, and its clock.
struct Bench {
    channel: Channel,
    now: Now,
    sessions: Vec<SessionId>,
    waiters: u64,
}

impl Bench {
    fn new(members: usize) -> Self {
        let now = Now { at_ms: DAWN_MS, uptime_ms: 0 };
        let backlog = BacklogLimits { messages: 1000, bytes: 64 << 20 };
        let key = HubKey::new([7; 32]);
        let rules = Rules { key, sends_per_minute: None, backlog, idle_ms: None, idle_lossless_ms: None };
        let settings = Arc::new(Settings::plain(TokenHash::of("t"), DAWN_MS));
        let id = ChannelId::parse("quiet-otter-3a8f").expect("it is an id");
        let channel = Channel::open(id, settings, rules.into(), 0, None, now);
        let mut bench = Self { channel, now, sessions: Vec::new(), waiters: 0 };
        (0..members).for_each(|member| bench.join(member));
        bench
    }

    fn join(&mut self, member: usize) {
        let wish = Join {
            callsign: Some(Callsign::parse(&format!("m{member}")).expect("it is a callsign")),
            original_spelling: None,
            identity: None,
            is_reserved: false,
            presented_session: None,
            human_authorized: false,
            shown_bytes: None,
            generation: member as u64 + 1,
            callsign_seed: member as u64,
            never_take_over: false,
            about: None,
        };
        let reply = self.channel.run(wish, self.now, &mut Effects::default()).expect("it may join");
        let session = SessionId::present(Some(&reply.session_id)).expect("it is a session");
        self.sessions.extend(session);
    }

    fn send(&mut self, to: &str, effects: &mut Effects) {
        self.now = Now { at_ms: self.now.at_ms + 1, uptime_ms: self.now.uptime_ms + 1 };
        let draft = Draft::check(input(to), None).expect("it may be sent");
        let send = Send { session: self.sessions[0].clone(), draft };
        black_box(self.channel.run(send, self.now, effects).expect("it is sent"));
    }

    fn read(&mut self, member: usize, effects: &mut Effects) -> ReadOutcome {
        self.waiters += 1;
        let (session, waiter) = (self.sessions[member].clone(), WaiterId(self.waiters));
        let read = Read { session, input: ReadInput::default(), timeout_ms: 30_000, wants_roster: false, waiter };
        self.channel.run(read, self.now, effects).expect("it may read")
    }

    /// A send that wakes all others, who take what they get and park again.
    fn hop(&mut self, to: &str, effects: &mut Effects) {
        self.send(to, effects);
        for effect in effects.drain() {
            if let Effect::Answer(_, delivery) = effect {
                delivery.guard.into_iter().for_each(DeliveryToken::complete);
            }
        }
        for member in 1..self.sessions.len() {
            black_box(self.read(member, effects));
        }
        effects.clear();
    }
}

fn input(to: &str) -> SendInput {
    SendInput { to: Some(to.into()), message: Some("x".repeat(200)), ..SendInput::default() }
}

fn sends(c: &mut Criterion) {
    let mut group = c.benchmark_group("domain");
    group.bench_function("check a send's input", |b| {
        b.iter_batched(|| input("all"), |input| black_box(Draft::check(input, None)), BatchSize::SmallInput);
    });
    group.bench_function("send, nobody listens, the ring is full", |b| {
        let (mut bench, mut effects) = (Bench::new(2), Effects::default());
        (0..RING).for_each(|_| bench.send("all", &mut effects));
        b.iter(|| bench.send("all", &mut effects));
    });
    for listeners in [1, 10, 100] {
        group.bench_function(format!("send, wake {listeners}, park again"), |b| {
            let (mut bench, mut effects) = (Bench::new(listeners + 1), Effects::default());
            (1..=listeners).for_each(|member| drop(bench.read(member, &mut effects)));
            b.iter(|| bench.hop("all", &mut effects));
        });
    }
    group.bench_function("read a full ring", |b| {
        let (mut bench, mut effects) = (Bench::new(2), Effects::default());
        (0..RING).for_each(|_| bench.send("all", &mut effects));
        // Nobody takes what was read, so it can be read again.
        b.iter(|| black_box(bench.read(1, &mut effects)));
    });
    group.finish();
}

fn serialising(c: &mut Criterion) {
    let mut group = c.benchmark_group("message");
    let json = format!(r#"{{"id":7,"from":"ann","to":"all","text":"{}","at":7}}"#, "x".repeat(200));
    let message = Message::from_json(7, 1, None, json.as_bytes()).expect("it is a message");
    group.bench_function("from its stored form", |b| {
        b.iter(|| black_box(Message::from_json(7, 1, None, black_box(json.as_bytes()))));
    });
    group
        .bench_function("frame, shared by all streams", |b| b.iter(|| -> Bytes { black_box(message.frame(1, false)) }));
    group.bench_function("frame of a second attempt", |b| b.iter(|| -> Bytes { black_box(message.frame(2, false)) }));
    group.finish();
}

criterion_group!(benches, sends, serialising);
criterion_main!(benches);
