//! Webhooks of two hubs on one log: which of them posts, in which order, and what happens when one ends.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use rogerrat_domain::op::CreateInput;
use rogerrat_domain::webhook::{AttemptOutcome, HookOwner, SubscribeInput};
use rogerrat_domain::{ChannelId, Code};

use super::harness::{Agent, TestHub};
use super::log_writes::durable;
use crate::{
    Fact, HubError, Instance, InstanceId, Instances as _, LANES, Lane, Lanes, Log as _, MemoryInstance, PeerCalls,
    Ports, SharedMemoryLog, Subscribed,
};

/// The hubs, as they reach each other.
#[derive(Default)]
pub(super) struct DirectPeers(pub(super) BTreeMap<InstanceId, crate::Hub>);

impl PeerCalls for DirectPeers {
    fn wake_lanes(&self, holder: Instance, lanes: Lanes) -> LocalBoxFuture<'static, bool> {
        let hub = self.0.get(&holder.id).cloned();
        Box::pin(async move {
            match hub {
                Some(hub) => hub.wake_lanes(lanes).await,
                None => false,
            }
        })
    }

    fn ask(
        &self,
        owner: Instance,
        channel: ChannelId,
        question: String,
    ) -> LocalBoxFuture<'static, Result<String, HubError>> {
        let hub = self.0.get(&owner.id).cloned();
        Box::pin(async move { hub.ok_or(HubError::OutcomeUnknown)?.answer_peer(&channel, &question).await })
    }
}

/// Two hubs on one log. The first owns the channel, and each drives half of the lanes.
struct Two {
    a: TestHub,
    b: TestHub,
    of_a: Arc<MemoryInstance>,
    of_b: Arc<MemoryInstance>,
}

impl Two {
    async fn new(create: CreateInput) -> Self {
        let log = SharedMemoryLog::new();
        let (of_a, of_b) = (Arc::new(log.start_instance("http://a")), Arc::new(log.start_instance("http://b")));
        let a = TestHub::on(Ports::with_log(of_a.clone()), create).await;
        let b = a.beside(Ports::with_log(of_b.clone())).await;
        let two = Self { a, b, of_a, of_b };
        // Both have looked for lanes.
        two.pass(2_500).await;
        two
    }

    /// The same, where the hubs can wake each other.
    async fn waking(create: CreateInput) -> Self {
        let two = Self::new(create).await;
        let hubs = [(two.of_a.this(), two.a.hub.clone()), (two.of_b.this(), two.b.hub.clone())];
        let peers = Arc::new(DirectPeers(hubs.into_iter().collect()));
        two.a.hub.set_peers(peers.clone());
        two.b.hub.set_peers(peers);
        two
    }

    async fn pass(&self, ms: u64) {
        for _ in 0..ms.div_ceil(250) {
            self.a.pass(250).await;
        }
    }

    async fn lanes_of(&self, instance: &MemoryInstance) -> usize {
        let mut held = 0;
        for lane in Lanes::ALL.iter() {
            let holder = instance.lane_holder(lane).await.unwrap();
            held += usize::from(holder.is_some_and(|holder| holder.id == instance.this()));
        }
        held
    }

    /// Hooks of the channel: one that `holder` drives.
    async fn hook_driven_by(&self, holder: &MemoryInstance) -> Subscribed {
        for n in 0..64 {
            let input = SubscribeInput { url: format!("http://hook-{n}"), ..SubscribeInput::default() };
            let owner = HookOwner::Channel(self.a.at.id().clone());
            let subscribed = self.a.hub.subscribe(owner.clone(), input).await.unwrap();
            let lane = Lane::of(&subscribed.hook.id);
            if holder.lane_holder(lane).await.unwrap().is_some_and(|at| at.id == holder.this()) {
                self.a.settle().await;
                return subscribed;
            }
            self.a.hub.unsubscribe(owner, subscribed.hook.id.as_str()).await.unwrap();
        }
        panic!("no hook in a lane of this instance")
    }

    fn posted(&self) -> Vec<String> {
        let text = |body: &[u8]| {
            let body = String::from_utf8(body.to_vec()).unwrap();
            body.split("\"text\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
        };
        self.a.world.take().iter().map(|request| text(&request.body.render().unwrap())).collect()
    }

    async fn send(&self, by: &Agent, texts: &[&str]) {
        for text in texts {
            by.send("all", text).await.unwrap();
        }
        self.a.settle().await;
    }
}

#[actix_rt::test]
async fn c07_each_webhook_is_driven_by_one_instance_which_the_others_wake() {
    let two = Two::waking(durable()).await;
    let half = usize::from(LANES) / 2;
    assert_eq!((two.lanes_of(&two.of_a).await, two.lanes_of(&two.of_b).await), (half, half));
    let ann = two.a.join("ann").await;
    let hook = two.hook_driven_by(&two.of_b).await;
    two.send(&ann, &["one"]).await;
    two.a.pass(1).await;
    assert_eq!(two.posted(), ["one"], "it is woken at once");
    two.send(&ann, &["two", "three"]).await;
    two.pass(250).await;
    assert_eq!(two.posted(), ["two", "three"]);
    two.pass(10_000).await;
    assert!(two.posted().is_empty(), "nothing is posted twice");
    let deliveries = two.a.hub.deliveries(&hook.hook.owner, hook.hook.id.as_str()).await.unwrap();
    assert!(deliveries.len() == 3 && deliveries.iter().all(|delivery| delivery.attempts == 1), "{deliveries:?}");
}

#[actix_rt::test]
async fn c07_a_delivery_whose_wake_up_is_lost_is_found() {
    // The hubs do not reach each other.
    let two = Two::new(durable()).await;
    let ann = two.a.join("ann").await;
    two.hook_driven_by(&two.of_b).await;
    two.send(&ann, &["one", "two"]).await;
    assert!(two.posted().is_empty());
    two.pass(6_000).await;
    assert_eq!(two.posted(), ["one", "two"]);
}

#[actix_rt::test]
async fn c07_the_webhooks_of_an_instance_that_ended_are_driven_by_others_with_the_same_ids() {
    let two = Two::waking(durable()).await;
    let ann = two.a.join("ann").await;
    two.hook_driven_by(&two.of_b).await;
    two.a.world.answers.lock().unwrap().push_back((AttemptOutcome::Answered(204), 60_000));
    two.send(&ann, &["one", "two"]).await;
    two.a.pass(1).await;
    let first: Vec<_> = two.a.world.take();
    assert_eq!(first.len(), 1, "its attempt is under way");
    two.of_b.disconnect();
    two.pass(3_000).await;
    let again = two.a.world.take();
    assert_eq!(again.iter().map(|request| &request.id).collect::<Vec<_>>()[0], &first[0].id);
    assert_eq!(again.len(), 2, "in order");
    assert_eq!(two.lanes_of(&two.of_a).await, usize::from(LANES));
    two.pass(70_000).await;
    assert!(two.posted().is_empty(), "what the old one learns later changes nothing");
}

#[actix_rt::test]
async fn c07_an_instance_that_stops_completes_its_attempts_and_the_next_one_repeats_none() {
    let two = Two::waking(durable()).await;
    let ann = two.a.join("ann").await;
    two.hook_driven_by(&two.of_b).await;
    two.a.world.answers.lock().unwrap().push_back((AttemptOutcome::Answered(204), 2_000));
    two.send(&ann, &["one", "two"]).await;
    two.a.pass(1).await;
    two.b.hub.drain().await;
    let stopped = actix_rt::spawn({
        let hub = two.b.hub.clone();
        async move { hub.close().await }
    });
    two.pass(5_000).await;
    stopped.await.unwrap();
    assert_eq!(two.posted(), ["one", "two"]);
    two.pass(10_000).await;
    assert!(two.posted().is_empty());
}

#[actix_rt::test]
async fn c07_a_new_instance_gets_its_share_and_no_attempt_is_made_twice() {
    let log = SharedMemoryLog::new();
    let of_a = Arc::new(log.start_instance("http://a"));
    let a = TestHub::on(Ports::with_log(of_a.clone()), durable()).await;
    a.pass(1_500).await;
    let ann = a.join("ann").await;
    for n in 0..10 {
        let input = SubscribeInput { url: format!("http://hook-{n}"), ..SubscribeInput::default() };
        a.hub.subscribe(HookOwner::Channel(a.at.id().clone()), input).await.unwrap();
    }
    // Each attempt takes a while, so that some are running when the other instance comes.
    a.world.answers.lock().unwrap().extend((0..50).map(|_| (AttemptOutcome::Answered(204), 700)));
    for n in 0..3 {
        ann.send("all", &format!("m{n}")).await.unwrap();
    }
    a.settle().await;
    let of_b = Arc::new(log.start_instance("http://b"));
    let b = a.beside(Ports::with_log(of_b.clone())).await;
    let two = Two { a, b, of_a, of_b };
    two.pass(12_000).await;
    let half = usize::from(LANES) / 2;
    assert_eq!((two.lanes_of(&two.of_a).await, two.lanes_of(&two.of_b).await), (half, half));
    let requests = two.a.world.take();
    let mut by_url = BTreeMap::<String, Vec<String>>::new();
    for request in &requests {
        let body = String::from_utf8(request.body.render().unwrap().to_vec()).unwrap();
        let text = body.split("\"text\":\"").nth(1).unwrap()[..2].to_owned();
        by_url.entry(request.url.to_string()).or_default().push(text);
    }
    assert!(by_url.len() == 10 && by_url.values().all(|texts| texts == &["m0", "m1", "m2"]), "{by_url:?}");
}

#[actix_rt::test]
async fn c08_webhooks_that_one_hub_changes_are_known_to_the_other() {
    let two = Two::waking(durable()).await;
    let hook = two.hook_driven_by(&two.of_a).await.hook;
    let known =
        |at: &TestHub| at.hub.webhooks_of(&hook.owner).into_iter().map(|status| status.hook).collect::<Vec<_>>();
    assert_eq!(known(&two.b).len(), 1, "it was added");
    let rotated = two.b.hub.rotate_webhook(hook.owner.clone(), hook.id.as_str()).await.unwrap();
    two.a.pass(1).await;
    assert_eq!(known(&two.a)[0].secret, rotated.hook.secret);
    two.a.hub.unsubscribe(hook.owner.clone(), hook.id.as_str()).await.unwrap();
    two.a.pass(1).await;
    assert!(known(&two.b).is_empty());
    let gone = two.b.hub.rotate_webhook(hook.owner.clone(), hook.id.as_str()).await.unwrap_err();
    assert_eq!(gone.into_refusal().code, Code::NotFound);
    assert!(two.of_a.webhooks().hooks().await.unwrap().is_empty());
}

#[actix_rt::test]
async fn c08_a_fact_of_a_later_version_makes_a_hub_read_everything_again() {
    let two = Two::new(durable()).await;
    let hook = two.hook_driven_by(&two.of_a).await.hook;
    // As if the facts about it had been of a kind that this version does not know.
    let quiet = two.of_a.webhooks();
    quiet.drop_hook(&hook.id).await.unwrap();
    two.of_a.write_fact(Fact::Unknown).await.unwrap();
    two.pass(1_000).await;
    for at in [&two.a, &two.b] {
        assert!(at.hub.webhooks_of(&hook.owner).is_empty());
    }
}
