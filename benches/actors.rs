//! What a hop costs through the actors, without HTTP: a send through the mailbox that wakes a parked read, with both
//! agents on one thread, and with one on each of two.
//!
//! `cargo bench --bench actors`

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_rt::{Arbiter, System};
use criterion::{Criterion, criterion_group, criterion_main};
use rogerrat_actors::{Admitted, Clock, Hub, HubRules, MemoryLog, Ports};
use rogerrat_domain::limits::MEMBER_TTL_MS;
use rogerrat_domain::op::{CreateInput, Draft, JoinInput, ReadInput, Send, SendInput};
use rogerrat_domain::{AccountLimits, BacklogLimits, HubKey, SessionId};
use tokio::sync::mpsc;

const LONG_MS: u64 = 60_000;

#[derive(Clone)]
struct Agent {
    hub: Hub,
    at: Admitted,
    session: SessionId,
    partner: &'static str,
}

impl Agent {
    async fn say(&self) {
        let message = Some("x".repeat(200));
        let input = SendInput { to: Some(self.partner.into()), message, ..SendInput::default() };
        let draft = Draft::check(input, None).expect("it may be sent");
        self.hub.ask(&self.at, Send { session: self.session.clone(), draft }).await.expect("it is sent");
    }

    async fn hear(&self) {
        let read = self.hub.read(&self.at, self.session.clone(), ReadInput::default(), LONG_MS, false);
        let mut response = read.await.expect("it may read");
        assert_eq!(response.messages.len(), 1, "one message for each hop");
        response.guard.complete();
    }

    /// Listens before it answers, so that each message finds a parked read.
    async fn answer(&self, hops: u64) {
        for _ in 0..hops {
            self.hear().await;
            self.say().await;
        }
    }
}

async fn pair() -> [Agent; 2] {
    let unlimited = AccountLimits { channels: None, identities: None, webhooks: None, sends_per_minute: None };
    let rules = HubRules {
        sends_per_minute: None,
        sends_per_minute_band: None,
        idle_ms: None,
        idle_lossless_ms: None,
        backlog: BacklogLimits { messages: 1000, bytes: 64 << 20 },
        unused_ms: None,
        member_ttl_ms: MEMBER_TTL_MS,
        per_account: unlimited,
        mails_per_hour: 0,
    };
    let ports = Ports::with_log(Arc::new(MemoryLog::default()));
    let hub = Hub::start(rules, ports, HubKey::new([7; 32]), Clock::start()).await.expect("the hub starts");
    let created = hub.create(CreateInput::default(), None).await.expect("a channel");
    let at = hub.admit(created.channel.id().as_str(), Some(&created.token)).await.expect("it is admitted");
    let mut agents = Vec::new();
    for (callsign, partner) in [("ann", "bob"), ("bob", "ann")] {
        let input = JoinInput { callsign: Some(callsign.into()), ..JoinInput::default() };
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let joined = hub.join(&at, input, None, here).await.expect("it may join");
        let session = SessionId::present(Some(&joined.session_id)).expect("it is a session").expect("there is one");
        agents.push(Agent { hub: hub.clone(), at: at.clone(), session, partner });
    }
    agents.try_into().unwrap_or_else(|_| unreachable!("there are two"))
}

#[expect(clippy::disallowed_methods, reason = "a bench has its own watch")]
fn now() -> Instant {
    Instant::now()
}

/// Two hops for each round, so half the time.
async fn rounds(ann: &Agent, rounds: u64) -> Duration {
    let began = now();
    for _ in 0..rounds {
        ann.say().await;
        ann.hear().await;
    }
    began.elapsed() / 2
}

fn hops(c: &mut Criterion) {
    let system = System::new();
    let mut group = c.benchmark_group("actors");
    let [ann, bob] = system.block_on(pair());
    group.bench_function("hop, both agents on one thread", |b| {
        b.iter_custom(|n| {
            system.block_on(async {
                let echo = actix_rt::spawn({
                    let bob = bob.clone();
                    async move { bob.answer(n).await }
                });
                let taken = rounds(&ann, n).await;
                echo.await.expect("bob answers to the end");
                taken
            })
        });
    });
    group.bench_function("hop, an agent on each of two threads", |b| {
        b.iter_custom(|n| {
            system.block_on(async {
                let (arbiter, (done, mut is_done)) = (Arbiter::new(), mpsc::channel(1));
                let bob = bob.clone();
                arbiter.spawn(async move {
                    bob.answer(n).await;
                    let _ = done.send(()).await;
                });
                let taken = rounds(&ann, n).await;
                is_done.recv().await.expect("bob answers to the end");
                arbiter.stop();
                taken
            })
        });
    });
    group.finish();
}

criterion_group!(benches, hops);
criterion_main!(benches);
