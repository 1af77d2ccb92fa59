//! Pushes for unread messages, from hubs on one log: there is one, whichever of them owns the channel or drives the
//! subscription.

use std::sync::Arc;

use rogerrat_domain::limits::PUSH_UNREAD_MS;
use rogerrat_domain::push::{PushInput, SubscribedMember};
use rogerrat_domain::webhook::HookOwner;

use super::harness::{Agent, TestHub};
use super::log_writes::durable;
use super::push::input;
use super::push_service::PushService;
use super::shared_webhooks::DirectPeers;
use crate::{Instances as _, LANES, Lane, Log as _, MemoryInstance, Ports, SharedMemoryLog};

const UNREAD: &str = "Has not read your message yet.";

/// Two hubs, of which the first owns the channel. Both push to the same service.
struct Two {
    log: SharedMemoryLog,
    service: Arc<PushService>,
    of_a: Arc<MemoryInstance>,
    a: TestHub,
    ann: Agent,
    bob: Agent,
    member: SubscribedMember,
}

impl Two {
    async fn first() -> Self {
        let (log, service) = (SharedMemoryLog::new(), Arc::new(PushService::default()));
        let of_a = Arc::new(log.start_instance("http://a"));
        let a = TestHub::on(Ports::with_log(of_a.clone()).pushing(service.clone()), durable()).await;
        let (ann, bob) = (a.join("ann").await, a.join("bob").await);
        let member = a.hub.push_subscriber(&a.at, bob.session()).await.unwrap();
        let two = Self { log, service, of_a, a, ann, bob, member };
        two.pass(1_500).await;
        two
    }

    async fn second(&self) -> (TestHub, Arc<MemoryInstance>) {
        let of_b = Arc::new(self.log.start_instance("http://b"));
        let b = self.a.beside(Ports::with_log(of_b.clone()).pushing(self.service.clone())).await;
        let hubs = [(self.of_a.this(), self.a.hub.clone()), (of_b.this(), b.hub.clone())];
        let peers = Arc::new(DirectPeers(hubs.into_iter().collect()));
        self.a.hub.set_peers(peers.clone());
        b.hub.set_peers(peers);
        self.pass(3_000).await;
        (b, of_b)
    }

    async fn pass(&self, ms: u64) {
        for _ in 0..ms.div_ceil(500) {
            self.a.pass(500).await;
        }
    }

    /// The same, while the channel stays in the memory of its owner.
    async fn pass_in_use(&self, ms: u64) {
        for _ in 0..ms.div_ceil(60_000) {
            self.pass(60_000).await;
            self.bob.keepalive().await.unwrap();
        }
    }

    /// Bob subscribes, in a lane that is as wanted.
    async fn subscribe(&self, is_wanted: impl AsyncFn(Lane) -> bool) -> Lane {
        let owner = HookOwner::Channel(self.a.at.id().clone());
        for n in 0..200 {
            let input = PushInput { consumer: None, ..input(&format!("https://push/{n}")) };
            let hook = self.a.hub.subscribe_push(owner.clone(), Some(self.member), input, "https://hub.example");
            let (id, lane) = hook.await.map(|hook| (hook.id.clone(), Lane::of(&hook.id))).unwrap();
            if is_wanted(lane).await {
                self.pass(1_000).await;
                return lane;
            }
            self.a.hub.unsubscribe_push(owner.clone(), Some(self.member), id.as_str()).await.unwrap();
        }
        panic!("no subscription in such a lane")
    }

    async fn subscribe_driven_by(&self, instance: &MemoryInstance) {
        let holds = async |lane| holder(instance, lane).await == Some(instance.this());
        self.subscribe(holds).await;
    }
}

async fn holder(instance: &MemoryInstance, lane: Lane) -> Option<crate::InstanceId> {
    instance.lane_holder(lane).await.unwrap().map(|holder| holder.id)
}

#[actix_rt::test]
async fn a28_an_own_unread_message_is_pushed_once_although_the_lane_moves() {
    let two = Two::first().await;
    // A hub gives up its first lanes.
    let lane = two.subscribe(async |lane: Lane| lane.number() < LANES / 2).await;
    two.bob.send("ann", "are you there?").await.unwrap();
    two.pass(1_000).await;
    let (_b, of_b) = two.second().await;
    assert_eq!(holder(&of_b, lane).await, Some(of_b.this()), "the lane has moved");
    two.pass_in_use(PUSH_UNREAD_MS + 10_000).await;
    assert_eq!(two.service.bodies(), [UNREAD]);
}

#[actix_rt::test]
async fn a28_an_own_unread_message_is_pushed_by_the_hub_that_drives_the_subscription() {
    let two = Two::first().await;
    let (_b, of_b) = two.second().await;
    two.subscribe_driven_by(&of_b).await;
    two.bob.send("ann", "read").await.unwrap();
    two.pass(1_000).await;
    assert_eq!(two.ann.texts(1000).await, ["read"]);
    two.pass_in_use(PUSH_UNREAD_MS + 10_000).await;
    assert!(two.service.bodies().is_empty());
    two.bob.send("ann", "unread").await.unwrap();
    two.pass(PUSH_UNREAD_MS + 10_000).await;
    assert_eq!(two.service.bodies(), [UNREAD], "after a look, the next message is looked at as well");
}

#[actix_rt::test]
async fn a28_an_own_unread_message_is_pushed_although_the_owner_of_the_channel_dies() {
    let two = Two::first().await;
    let (_b, of_b) = two.second().await;
    two.subscribe_driven_by(&of_b).await;
    two.bob.send("ann", "are you there?").await.unwrap();
    two.pass(2_000).await;
    two.of_a.disconnect();
    two.pass(PUSH_UNREAD_MS + 70_000).await;
    assert_eq!(two.service.bodies(), [UNREAD]);
    assert_eq!((two.of_a.declared_ended(), of_b.declared_ended()), (0, 1));
}

#[actix_rt::test]
async fn c09_a_death_counts_once_although_two_instances_find_it() {
    let log = SharedMemoryLog::new();
    let [a, b, dead] = ["http://a", "http://b", "http://c"].map(|url| log.start_instance(url));
    dead.take_lanes(4).await.unwrap();
    dead.disconnect();
    a.take_lanes(16).await.unwrap();
    for instance in [&a, &b] {
        assert!(instance.instances().unwrap().end_if_dead(dead.this()).await.unwrap());
    }
    assert_eq!((a.declared_ended(), b.declared_ended()), (1, 0));
}
