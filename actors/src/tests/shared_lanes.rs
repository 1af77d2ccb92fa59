//! Lanes of hubs on one log: what is read for a wake-up, and changes while a lane moves.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use rogerrat_domain::webhook::{HookOwner, SubscribeInput};

use super::gated_log::GatedLog;
use super::harness::TestHub;
use super::log_writes::durable;
use crate::{Instances as _, LANES, Lane, Lanes, Log as _, MemoryInstance, Ports, SharedMemoryLog};

/// Hubs whose second reads hooks through a gate.
struct Two {
    log: SharedMemoryLog,
    of_a: Arc<MemoryInstance>,
    a: TestHub,
}

impl Two {
    async fn first() -> Self {
        let log = SharedMemoryLog::new();
        let of_a = Arc::new(log.start_instance("http://a"));
        let a = TestHub::on(Ports::with_log(of_a.clone()), durable()).await;
        Self { log, of_a, a }
    }

    async fn pass(&self, ms: u64) {
        for _ in 0..ms.div_ceil(250) {
            self.a.pass(250).await;
        }
    }

    async fn hook(&self, n: usize) -> rogerrat_domain::webhook::Hook {
        let input = SubscribeInput { url: format!("http://hook-{n}"), ..SubscribeInput::default() };
        let owner = HookOwner::Channel(self.a.at.id().clone());
        self.a.hub.subscribe(owner, input).await.unwrap().hook
    }
}

#[actix_rt::test]
async fn c07_a_wake_up_reads_only_the_queues_with_due_deliveries() {
    let two = Two::first().await;
    let hooks = [two.hook(0).await, two.hook(1).await, two.hook(2).await];
    let of_b = Arc::new(two.log.start_instance("http://b"));
    let gated = GatedLog::of(of_b);
    let b = two.a.beside(Ports::with_log(gated.clone())).await;
    two.of_a.disconnect();
    two.pass(4_000).await;
    gated.due_reads.store(0, Relaxed);
    let all = hooks.iter().fold(Lanes::NONE, |lanes, hook| lanes.with(Lane::of(&hook.id)));
    for _ in 0..20 {
        assert!(b.hub.wake_lanes(all).await);
    }
    b.settle().await;
    assert_eq!(gated.due_reads.load(Relaxed), 0, "nothing is due");
}

#[actix_rt::test]
async fn c08_a_webhook_that_is_removed_while_its_lane_moves_does_not_come_back() {
    let two = Two::first().await;
    let of_b = Arc::new(two.log.start_instance("http://b"));
    let gated = GatedLog::of(of_b.clone());
    let b = two.a.beside(Ports::with_log(gated.clone())).await;
    two.pass(2_500).await;
    let hook = loop {
        let hook = two.hook(0).await;
        let holder = of_b.lane_holder(Lane::of(&hook.id)).await.unwrap();
        if holder.is_some_and(|holder| holder.id == two.of_a.this()) {
            break hook;
        }
        two.a.hub.unsubscribe(hook.owner, hook.id.as_str()).await.unwrap();
    };
    two.pass(1_000).await;
    assert_eq!(b.hub.webhooks_of(&hook.owner).len(), 1);
    // The other hub takes all lanes, and reads the hooks of the new ones.
    gated.is_open.send_replace(false);
    two.of_a.disconnect();
    two.pass(2_500).await;
    of_b.webhooks().drop_hook(&hook.id).await.unwrap();
    two.pass(1_000).await;
    gated.is_open.send_replace(true);
    two.pass(2_000).await;
    assert_eq!(of_b.take_lanes(usize::from(LANES)).await.unwrap(), Lanes::ALL);
    assert!(b.hub.webhooks_of(&hook.owner).is_empty(), "it was removed");
}
