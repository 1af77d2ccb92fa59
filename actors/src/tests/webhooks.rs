//! Webhooks on paused time: order, retries, isolation, restarts, and what is kept when.

use std::sync::Arc;

use rogerrat_domain::op::CreateInput;
use rogerrat_domain::webhook::{AttemptOutcome, DeliveryState, Failure, Owner, ReplayInput, SubscribeInput};
use rogerrat_domain::{Code, DmVisibility, Durability, limits};

use super::log::{Held, TestLog};
use super::rig::Rig;
use crate::{HubError, MemoryLog, Subscribed};

fn input(url: &str) -> SubscribeInput {
    SubscribeInput { url: url.into(), events: None, retry: None }
}

impl Rig {
    fn owner(&self) -> Owner {
        Owner::Channel(self.at.id().clone())
    }

    async fn subscribe(&self, url: &str) -> Subscribed {
        self.hub.subscribe(self.owner(), input(url)).await.unwrap()
    }

    /// Texts and addresses of what was posted since.
    async fn posted(&self) -> Vec<String> {
        self.settle().await;
        let text = |body: &[u8]| {
            let body = String::from_utf8(body.to_vec()).unwrap();
            body.split("\"text\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
        };
        self.world.take().iter().map(|letter| format!("{} {}", letter.url, text(&letter.body))).collect()
    }

    async fn states(&self, hook: &Subscribed) -> Vec<(DeliveryState, u32)> {
        self.settle().await;
        let told = self.hub.deliveries(&self.owner(), hook.hook.id.as_str()).await.unwrap();
        told.iter().rev().map(|delivery| (delivery.state, delivery.attempts)).collect()
    }
}

#[actix_rt::test]
async fn every_message_goes_to_every_hook_in_order_and_nothing_before_the_subscription() {
    let rig = Rig::new().await;
    let (ann, _bob) = (rig.join("ann").await, rig.join("bob").await);
    ann.send("all", "before").await.unwrap();
    rig.subscribe("http://one").await;
    rig.subscribe("http://two").await;
    for n in 1..=3 {
        ann.send(if n == 2 { "bob" } else { "all" }, &format!("m{n}")).await.unwrap();
    }
    let mut posted = rig.posted().await;
    posted.sort();
    let expected = ["one m1", "one m2", "one m3", "two m1", "two m2", "two m3"].map(|line| format!("http://{line}"));
    assert_eq!(posted, expected);
}

#[actix_rt::test]
async fn retries_come_after_1_and_3_seconds_with_the_same_bytes() {
    let rig = Rig::new().await;
    let ann = rig.join("ann").await;
    let hook = rig.subscribe("http://one").await;
    rig.world.answers([AttemptOutcome::Answered(500), AttemptOutcome::TimedOut, AttemptOutcome::Answered(503)]);
    ann.send("all", "first").await.unwrap();
    ann.send("all", "second").await.unwrap();
    rig.settle().await;
    assert_eq!(rig.world.count(), 1);
    rig.pass(990).await;
    assert_eq!(rig.world.count(), 1);
    rig.pass(20).await;
    assert_eq!(rig.world.count(), 2);
    rig.pass(2950).await;
    assert_eq!(rig.world.count(), 2);
    rig.pass(100).await;
    let letters = rig.world.take();
    assert_eq!(letters.len(), 4, "the second follows when the first is given up");
    let (first, third) = (&letters[0], &letters[2]);
    assert_eq!((&first.body, &first.id, &first.plain), (&third.body, &third.id, &third.plain));
    assert!(first.at_s < third.at_s && letters[3].id != first.id);
    assert_eq!(rig.states(&hook).await, [(DeliveryState::Failed, 3), (DeliveryState::Delivered, 1)]);
}

#[actix_rt::test]
async fn a_receiver_that_hangs_delays_nobody_else() {
    let rig = Rig::new().await;
    let ann = rig.join("ann").await;
    rig.subscribe("http://hangs").await;
    rig.subscribe("http://well").await;
    rig.world.hangs.lock().unwrap().push("http://hangs".into());
    for n in 0..5 {
        ann.send("all", &format!("m{n}")).await.unwrap();
    }
    let posted = rig.posted().await;
    assert_eq!(posted.iter().filter(|line| line.starts_with("http://well")).count(), 5);
    assert_eq!(posted.iter().filter(|line| line.starts_with("http://hangs")).count(), 1);
}

#[actix_rt::test]
async fn d21_where_dms_are_private_only_broadcasts_are_told() {
    let private = CreateInput { dm_visibility: Some(DmVisibility::Private), ..CreateInput::default() };
    let rig = Rig::with(Arc::new(MemoryLog::default()), private).await;
    let (ann, _bob) = (rig.join("ann").await, rig.join("bob").await);
    rig.subscribe("http://one").await;
    ann.send("bob", "secret").await.unwrap();
    ann.send("all", "open").await.unwrap();
    assert_eq!(rig.posted().await, ["http://one open"]);
}

#[actix_rt::test]
async fn ten_hooks_are_the_bound_and_an_address_that_may_not_be_reached_is_refused() {
    let rig = Rig::new().await;
    let code = |result: Result<Subscribed, HubError>| result.unwrap_err().into_refusal().code;
    assert_eq!(code(rig.hub.subscribe(rig.owner(), input("http://refused")).await), Code::Invalid);
    for n in 0..limits::HOOKS {
        rig.subscribe(&format!("http://{n}")).await;
    }
    let refused = rig.hub.subscribe(rig.owner(), input("http://one")).await.unwrap_err().into_refusal();
    assert_eq!((refused.code, &*refused.text), (Code::LimitReached, "limit reached: webhooks of a channel (10)"));
    let first = rig.hub.webhooks_of(&rig.owner())[0].hook.id.clone();
    rig.hub.unsubscribe(rig.owner(), first.as_str()).await.unwrap();
    rig.subscribe("http://one").await;
    let band = Owner::Channel(rogerrat_domain::ChannelId::parse("general").unwrap());
    assert_eq!(code(rig.hub.subscribe(band, input("http://one")).await), Code::Forbidden);
}

#[actix_rt::test]
async fn what_is_due_of_a_durable_channel_goes_on_after_a_restart_with_the_same_body() {
    goes_on_after_a_restart(Durability::Disk).await;
}

#[actix_rt::test]
async fn what_is_due_of_a_channel_in_memory_goes_on_after_a_restart_with_the_same_body() {
    goes_on_after_a_restart(Durability::Memory).await;
}

async fn goes_on_after_a_restart(durability: Durability) {
    let log = Arc::new(TestLog::default());
    let create = CreateInput { durability: Some(durability), ..CreateInput::default() };
    let rig = Rig::with(Held::new(log.clone()), create).await;
    let ann = rig.join("ann").await;
    let hook = rig.subscribe("http://one").await;
    rig.world.answers([AttemptOutcome::Answered(500)]);
    ann.send("all", "first").await.unwrap();
    ann.send("all", "second").await.unwrap();
    rig.settle().await;
    let before = rig.world.take();
    assert_eq!(before.len(), 1);
    let rig = rig.restarted(Held::new(log)).await;
    // The rig's clock went back an hour: nobody waits longer than the longest pause for that.
    rig.pass(7_300_000).await;
    let after = rig.world.take();
    assert_eq!(after.len(), 2);
    assert_eq!((&after[0].body, &after[0].id, &after[0].plain), (&before[0].body, &before[0].id, &before[0].plain));
    assert_eq!(rig.states(&hook).await, [(DeliveryState::Delivered, 2), (DeliveryState::Delivered, 1)]);
}

#[actix_rt::test]
async fn a_send_that_cannot_be_kept_for_its_hooks_is_refused_and_posted_nowhere() {
    let log = Arc::new(TestLog::default());
    let rig = Rig::with(Held::new(log.clone()), CreateInput::default()).await;
    let ann = rig.join("ann").await;
    ann.send("all", "no hook, no disk").await.unwrap();
    rig.subscribe("http://one").await;
    log.full.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(ann.send("all", "lost").await.unwrap_err().into_refusal().code, Code::StorageFailed);
    assert!(rig.posted().await.is_empty());
}

#[actix_rt::test]
async fn a_message_is_posted_only_when_it_is_kept() {
    let log = Arc::new(TestLog::default());
    let create = CreateInput { durability: Some(Durability::Disk), ..CreateInput::default() };
    let rig = Rig::with(Held::new(log.clone()), create).await;
    let ann = rig.join("ann").await;
    rig.subscribe("http://one").await;
    log.delay_ms.store(500, std::sync::atomic::Ordering::Relaxed);
    let mut send = Box::pin(ann.send("all", "slow"));
    super::rig::started(&mut send).await;
    rig.settle().await;
    assert_eq!(rig.world.count(), 0);
    rig.pass(600).await;
    send.await.unwrap();
    assert_eq!(rig.posted().await, ["http://one slow"]);
}

#[actix_rt::test]
async fn fifty_failures_switch_a_hook_off_and_a_test_that_works_switches_it_on() {
    let rig = Rig::new().await;
    let ann = rig.join("ann").await;
    let hook = rig.subscribe("http://one").await;
    let account_policy = || rig.hub.webhooks_of(&rig.owner())[0].hook.clone();
    rig.world.answers((0..50).map(|_| AttemptOutcome::Answered(404)));
    for n in 0..50 {
        assert!(account_policy().off_ms.is_none(), "{n}");
        ann.send("all", "x").await.unwrap();
        rig.settle().await;
    }
    assert!(account_policy().off_ms.is_some() && account_policy().failures == 50);
    rig.world.take();
    ann.send("all", "nobody is told").await.unwrap();
    assert!(rig.posted().await.is_empty());
    rig.hub.test_webhook(&rig.owner(), hook.hook.id.as_str()).await.unwrap();
    rig.settle().await;
    let letters = rig.world.take();
    assert_eq!(letters[0].event, "webhook.test");
    assert!(account_policy().off_ms.is_none() && account_policy().failures == 0);
    ann.send("all", "again").await.unwrap();
    assert_eq!(rig.posted().await, ["http://one again"]);
}

#[actix_rt::test]
async fn what_failed_can_be_replayed_with_the_same_id_and_body() {
    let rig = Rig::new().await;
    let ann = rig.join("ann").await;
    let hook = rig.subscribe("http://one").await;
    rig.world.answers([AttemptOutcome::Answered(404), AttemptOutcome::Answered(200), AttemptOutcome::Answered(410)]);
    for text in ["a", "b", "c"] {
        ann.send("all", text).await.unwrap();
    }
    rig.settle().await;
    let first = rig.world.take();
    let id = hook.hook.id.as_str();
    let replayed = rig.hub.replay(&rig.owner(), id, ReplayInput::default()).await.unwrap();
    assert_eq!((replayed.replayed.len(), replayed.gone.len()), (2, 0));
    rig.settle().await;
    let again = rig.world.take();
    let said =
        |letters: &[crate::WebhookRequest]| letters.iter().map(|l| (l.id.clone(), l.body.clone())).collect::<Vec<_>>();
    let (first, again) = (said(&first), said(&again));
    assert_eq!(again, [first[0].clone(), first[2].clone()]);
    assert!(rig.states(&hook).await.iter().all(|(state, _)| *state == DeliveryState::Delivered));
    assert_eq!(rig.states(&hook).await.len(), 3, "a replay is the same delivery");
    let one = ReplayInput { delivery_id: Some(first[1].0.clone()) };
    assert_eq!(rig.hub.replay(&rig.owner(), id, one).await.unwrap().replayed.len(), 1);
    let none = ReplayInput { delivery_id: Some("whd_none".into()) };
    assert_eq!(rig.hub.replay(&rig.owner(), id, none).await.unwrap_err().into_refusal().code, Code::NotFound);
}

#[actix_rt::test]
async fn a_full_queue_drops_the_newest_and_says_so() {
    let rig = Rig::new().await;
    let ann = rig.join("ann").await;
    let hook = rig.subscribe("http://hangs").await;
    rig.world.hangs.lock().unwrap().push("http://hangs".into());
    for n in 0..limits::HOOK_QUEUE + 5 {
        ann.send("all", &format!("m{n}")).await.unwrap();
    }
    rig.settle().await;
    let told = rig.hub.deliveries(&rig.owner(), hook.hook.id.as_str()).await.unwrap();
    assert_eq!(told.len(), limits::HOOK_LOG);
    let dropped = told.iter().filter(|d| d.state == DeliveryState::Dropped && d.failure == Some(Failure::QueueFull));
    assert_eq!(dropped.count(), 5);
    assert_eq!(rig.hub.webhooks_of(&rig.owner())[0].due, limits::HOOK_QUEUE);
    assert_eq!(rig.hub.totals().webhooks.dropped_total, 5);
}

#[actix_rt::test]
async fn a_rotated_secret_signs_for_a_day_beside_the_new_one() {
    let rig = Rig::new().await;
    let ann = rig.join("ann").await;
    let hook = rig.subscribe("http://one").await;
    rig.world.answers([AttemptOutcome::Answered(500)]);
    ann.send("all", "began before").await.unwrap();
    rig.settle().await;
    rig.pass(10).await;
    let rotated = rig.hub.rotate_webhook(rig.owner(), hook.hook.id.as_str()).await.unwrap();
    assert_ne!(hook.secret, rotated.secret);
    rig.pass(2000).await;
    ann.send("all", "began after").await.unwrap();
    rig.settle().await;
    let letters = rig.world.take();
    assert_eq!((letters[0].standard.len(), &letters[0].plain), (1, &hook.secret));
    assert_eq!(letters[1].standard, [rotated.secret.clone(), hook.secret.clone()]);
    assert_eq!(letters[1].plain, hook.secret, "the plain signature is the same on every attempt");
    assert_eq!(letters[2].plain, rotated.secret);
    rig.pass(limits::HOOK_GRACE_MS).await;
    ann.send("all", "a day later").await.unwrap_err();
    let ann = rig.join("ann").await;
    ann.send("all", "a day later").await.unwrap();
    rig.settle().await;
    assert_eq!(rig.world.take()[0].standard, [rotated.secret]);
}

#[actix_rt::test]
async fn with_the_channel_go_its_hooks_and_all_that_is_due() {
    let log = Arc::new(MemoryLog::default());
    let rig = Rig::with_log(log.clone()).await;
    let ann = rig.join("ann").await;
    let hook = rig.subscribe("http://hangs").await;
    rig.world.hangs.lock().unwrap().push("http://hangs".into());
    for _ in 0..3 {
        ann.send("all", "x").await.unwrap();
    }
    rig.settle().await;
    assert_eq!(rig.world.take().len(), 1);
    rig.hub.delete(&rig.at).await.unwrap();
    rig.pass(60_000).await;
    assert!(rig.world.take().is_empty() && rig.hub.webhooks_of(&rig.owner()).is_empty());
    assert!(crate::Log::webhooks(&*log).hooks().await.unwrap().is_empty());
    assert!(crate::Log::webhooks(&*log).deliveries(&hook.hook.id, 10).await.unwrap().is_empty());
    let refused = rig.hub.subscribe(rig.owner(), input("http://one")).await;
    assert!(refused.is_err() || rig.hub.webhooks_of(&rig.owner()).len() == 1);
}
