//! Webhooks on paused time: order, retries, isolation, restarts, and when deliveries are stored.

use std::sync::Arc;

use rogerrat_domain::op::CreateInput;
use rogerrat_domain::webhook::{AttemptOutcome, DeliveryState, Failure, Hook, HookOwner, ReplayInput, SubscribeInput};
use rogerrat_domain::{Code, DmVisibility, Durability, limits};

use super::harness::TestHub;
use super::log::{Held, TestLog};
use crate::{HubError, Log as _, MemoryLog, Subscribed};

fn input(url: &str) -> SubscribeInput {
    SubscribeInput { url: url.into(), ..SubscribeInput::default() }
}

impl TestHub {
    fn owner(&self) -> HookOwner {
        HookOwner::Channel(self.at.id().clone())
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
        self.world
            .take()
            .iter()
            .map(|request| format!("{} {}", request.url, text(&request.body.render().unwrap())))
            .collect()
    }

    async fn states(&self, hook: &Subscribed) -> Vec<(DeliveryState, u32)> {
        self.settle().await;
        let deliveries = self.hub.deliveries(&self.owner(), hook.hook.id.as_str()).await.unwrap();
        deliveries.iter().rev().map(|delivery| (delivery.state, delivery.attempts)).collect()
    }
}

#[actix_rt::test]
async fn every_message_goes_to_every_hook_in_order_and_nothing_before_the_subscription() {
    let test_hub = TestHub::new().await;
    let (ann, _bob) = (test_hub.join("ann").await, test_hub.join("bob").await);
    ann.send("all", "before").await.unwrap();
    test_hub.subscribe("http://one").await;
    test_hub.subscribe("http://two").await;
    for n in 1..=3 {
        ann.send(if n == 2 { "bob" } else { "all" }, &format!("m{n}")).await.unwrap();
    }
    let mut posted = test_hub.posted().await;
    posted.sort();
    let expected = ["one m1", "one m2", "one m3", "two m1", "two m2", "two m3"].map(|line| format!("http://{line}"));
    assert_eq!(posted, expected);
}

#[actix_rt::test]
async fn retries_come_after_1_and_3_seconds_with_the_same_bytes() {
    let test_hub = TestHub::new().await;
    let ann = test_hub.join("ann").await;
    let hook = test_hub.subscribe("http://one").await;
    test_hub.world.answers([AttemptOutcome::Answered(500), AttemptOutcome::TimedOut, AttemptOutcome::Answered(503)]);
    ann.send("all", "first").await.unwrap();
    ann.send("all", "second").await.unwrap();
    test_hub.settle().await;
    assert_eq!(test_hub.world.count(), 1);
    test_hub.pass(990).await;
    assert_eq!(test_hub.world.count(), 1);
    test_hub.pass(20).await;
    assert_eq!(test_hub.world.count(), 2);
    test_hub.pass(2950).await;
    assert_eq!(test_hub.world.count(), 2);
    test_hub.pass(100).await;
    let requests = test_hub.world.take();
    assert_eq!(requests.len(), 4, "the second follows when the first is given up");
    let (first, third) = (&requests[0], &requests[2]);
    assert_eq!((first.body.render(), &first.id, &first.plain), (third.body.render(), &third.id, &third.plain));
    assert!(first.at_s < third.at_s && requests[3].id != first.id);
    assert_eq!(test_hub.states(&hook).await, [(DeliveryState::Failed, 3), (DeliveryState::Delivered, 1)]);
}

#[actix_rt::test]
async fn a_hanging_receiver_delays_no_other_hook() {
    let test_hub = TestHub::new().await;
    let ann = test_hub.join("ann").await;
    test_hub.subscribe("http://hangs").await;
    test_hub.subscribe("http://well").await;
    test_hub.world.hangs.lock().unwrap().push("http://hangs".into());
    for n in 0..5 {
        ann.send("all", &format!("m{n}")).await.unwrap();
    }
    let posted = test_hub.posted().await;
    assert_eq!(posted.iter().filter(|line| line.starts_with("http://well")).count(), 5);
    assert_eq!(posted.iter().filter(|line| line.starts_with("http://hangs")).count(), 1);
}

#[actix_rt::test]
async fn d21_where_dms_are_private_only_broadcasts_are_sent_to_hooks() {
    let private = CreateInput { dm_visibility: Some(DmVisibility::Private), ..CreateInput::default() };
    let test_hub = TestHub::with(Arc::new(MemoryLog::default()), private).await;
    let (ann, _bob) = (test_hub.join("ann").await, test_hub.join("bob").await);
    test_hub.subscribe("http://one").await;
    ann.send("bob", "secret").await.unwrap();
    ann.send("all", "open").await.unwrap();
    assert_eq!(test_hub.posted().await, ["http://one open"]);
}

#[actix_rt::test]
async fn ten_hooks_are_the_limit_and_a_forbidden_address_is_refused() {
    let test_hub = TestHub::new().await;
    let code = |result: Result<Subscribed, HubError>| result.unwrap_err().into_refusal().code;
    assert_eq!(code(test_hub.hub.subscribe(test_hub.owner(), input("http://refused")).await), Code::Invalid);
    for n in 0..limits::HOOKS {
        test_hub.subscribe(&format!("http://{n}")).await;
    }
    let refused = test_hub.hub.subscribe(test_hub.owner(), input("http://one")).await.unwrap_err().into_refusal();
    assert_eq!((refused.code, &*refused.text), (Code::LimitReached, "limit reached: webhooks of a channel (10)"));
    let first = test_hub.hub.webhooks_of(&test_hub.owner())[0].hook.id.clone();
    test_hub.hub.unsubscribe(test_hub.owner(), first.as_str()).await.unwrap();
    test_hub.subscribe("http://one").await;
    let band = HookOwner::Channel(rogerrat_domain::ChannelId::parse("general").unwrap());
    assert_eq!(code(test_hub.hub.subscribe(band, input("http://one")).await), Code::Forbidden);
}

#[actix_rt::test]
async fn due_deliveries_of_a_durable_channel_continue_after_a_restart_with_the_same_body() {
    continues_after_a_restart(Durability::Disk).await;
}

#[actix_rt::test]
async fn due_deliveries_of_a_memory_channel_continue_after_a_restart_with_the_same_body() {
    continues_after_a_restart(Durability::Memory).await;
}

async fn continues_after_a_restart(durability: Durability) {
    let log = Arc::new(TestLog::default());
    let create = CreateInput { durability: Some(durability), ..CreateInput::default() };
    let test_hub = TestHub::with(Held::new(log.clone()), create).await;
    let ann = test_hub.join("ann").await;
    let hook = test_hub.subscribe("http://one").await;
    test_hub.world.answers([AttemptOutcome::Answered(500)]);
    ann.send("all", "first").await.unwrap();
    ann.send("all", "second").await.unwrap();
    test_hub.settle().await;
    let before = test_hub.world.take();
    assert_eq!(before.len(), 1);
    let test_hub = test_hub.restarted(Held::new(log)).await;
    // The test_hub's clock went back an hour: nobody waits longer than the longest pause for that.
    test_hub.pass(7_300_000).await;
    let after = test_hub.world.take();
    assert_eq!(after.len(), 2);
    assert_eq!(
        (after[0].body.render(), &after[0].id, &after[0].plain),
        (before[0].body.render(), &before[0].id, &before[0].plain)
    );
    assert_eq!(test_hub.states(&hook).await, [(DeliveryState::Delivered, 2), (DeliveryState::Delivered, 1)]);
}

#[actix_rt::test]
async fn a_send_whose_deliveries_cannot_be_stored_is_refused_and_not_posted() {
    let log = Arc::new(TestLog::default());
    let test_hub = TestHub::with(Held::new(log.clone()), CreateInput::default()).await;
    let ann = test_hub.join("ann").await;
    ann.send("all", "no hook, no disk").await.unwrap();
    test_hub.subscribe("http://one").await;
    log.full.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(ann.send("all", "lost").await.unwrap_err().into_refusal().code, Code::StorageFailed);
    assert!(test_hub.posted().await.is_empty());
}

#[actix_rt::test]
async fn a_message_is_posted_only_after_it_is_stored() {
    let log = Arc::new(TestLog::default());
    let create = CreateInput { durability: Some(Durability::Disk), ..CreateInput::default() };
    let test_hub = TestHub::with(Held::new(log.clone()), create).await;
    let ann = test_hub.join("ann").await;
    test_hub.subscribe("http://one").await;
    log.delay_ms.store(500, std::sync::atomic::Ordering::Relaxed);
    let mut send = Box::pin(ann.send("all", "slow"));
    super::harness::started(&mut send).await;
    test_hub.settle().await;
    assert_eq!(test_hub.world.count(), 0);
    test_hub.pass(600).await;
    send.await.unwrap();
    assert_eq!(test_hub.posted().await, ["http://one slow"]);
}

#[actix_rt::test]
async fn fifty_failures_disable_a_hook_and_a_successful_test_enables_it() {
    let test_hub = TestHub::new().await;
    let ann = test_hub.join("ann").await;
    let hook = test_hub.subscribe("http://one").await;
    let account_policy = || test_hub.hub.webhooks_of(&test_hub.owner())[0].hook.clone();
    test_hub.world.answers((0..50).map(|_| AttemptOutcome::Answered(404)));
    for n in 0..50 {
        assert!(account_policy().off_ms.is_none(), "{n}");
        ann.send("all", "x").await.unwrap();
        test_hub.settle().await;
    }
    assert!(account_policy().off_ms.is_some() && account_policy().failures == 50);
    test_hub.world.take();
    ann.send("all", "not sent to a disabled hook").await.unwrap();
    assert!(test_hub.posted().await.is_empty());
    test_hub.hub.test_webhook(&test_hub.owner(), hook.hook.id.as_str()).await.unwrap();
    test_hub.settle().await;
    let requests = test_hub.world.take();
    assert_eq!(requests[0].event, "webhook.test");
    assert!(account_policy().off_ms.is_none() && account_policy().failures == 0);
    ann.send("all", "again").await.unwrap();
    assert_eq!(test_hub.posted().await, ["http://one again"]);
}

#[actix_rt::test]
async fn failed_deliveries_can_be_replayed_with_the_same_id_and_body() {
    let test_hub = TestHub::new().await;
    let ann = test_hub.join("ann").await;
    let hook = test_hub.subscribe("http://one").await;
    test_hub.world.answers([
        AttemptOutcome::Answered(404),
        AttemptOutcome::Answered(200),
        AttemptOutcome::Answered(422),
    ]);
    for text in ["a", "b", "c"] {
        ann.send("all", text).await.unwrap();
    }
    test_hub.settle().await;
    let first = test_hub.world.take();
    let id = hook.hook.id.as_str();
    let replayed = test_hub.hub.replay(&test_hub.owner(), id, ReplayInput::default()).await.unwrap();
    assert_eq!((replayed.replayed.len(), replayed.gone.len()), (2, 0));
    test_hub.settle().await;
    let again = test_hub.world.take();
    let contents = |requests: &[crate::WebhookRequest]| {
        requests.iter().map(|l| (l.id.clone(), l.body.render().unwrap())).collect::<Vec<_>>()
    };
    let (first, again) = (contents(&first), contents(&again));
    assert_eq!(again, [first[0].clone(), first[2].clone()]);
    assert!(test_hub.states(&hook).await.iter().all(|(state, _)| *state == DeliveryState::Delivered));
    assert_eq!(test_hub.states(&hook).await.len(), 3, "a replay is the same delivery");
    let one = ReplayInput { delivery_id: Some(first[1].0.clone()) };
    assert_eq!(test_hub.hub.replay(&test_hub.owner(), id, one).await.unwrap().replayed.len(), 1);
    let none = ReplayInput { delivery_id: Some("whd_none".into()) };
    assert_eq!(test_hub.hub.replay(&test_hub.owner(), id, none).await.unwrap_err().into_refusal().code, Code::NotFound);
}

#[actix_rt::test]
async fn a_full_queue_drops_the_newest_and_logs_it() {
    let test_hub = TestHub::new().await;
    let ann = test_hub.join("ann").await;
    let hook = test_hub.subscribe("http://hangs").await;
    test_hub.world.hangs.lock().unwrap().push("http://hangs".into());
    for n in 0..limits::HOOK_QUEUE + 5 {
        ann.send("all", &format!("m{n}")).await.unwrap();
    }
    test_hub.settle().await;
    let deliveries = test_hub.hub.deliveries(&test_hub.owner(), hook.hook.id.as_str()).await.unwrap();
    assert_eq!(deliveries.len(), limits::HOOK_LOG);
    let dropped =
        deliveries.iter().filter(|d| d.state == DeliveryState::Dropped && d.failure == Some(Failure::QueueFull));
    assert_eq!(dropped.count(), 5);
    assert_eq!(test_hub.hub.webhooks_of(&test_hub.owner())[0].due, limits::HOOK_QUEUE);
    assert_eq!(test_hub.hub.totals().webhooks.dropped_total, 5);
}

#[actix_rt::test]
async fn a_rotated_secret_signs_for_a_day_together_with_the_new_one() {
    let test_hub = TestHub::new().await;
    let ann = test_hub.join("ann").await;
    let hook = test_hub.subscribe("http://one").await;
    test_hub.world.answers([AttemptOutcome::Answered(500)]);
    ann.send("all", "began before").await.unwrap();
    test_hub.settle().await;
    test_hub.pass(10).await;
    let rotated = test_hub.hub.rotate_webhook(test_hub.owner(), hook.hook.id.as_str()).await.unwrap();
    assert_ne!(hook.secret, rotated.secret);
    test_hub.pass(2000).await;
    ann.send("all", "began after").await.unwrap();
    test_hub.settle().await;
    let requests = test_hub.world.take();
    assert_eq!((requests[0].standard.len(), &requests[0].plain), (1, &hook.secret));
    assert_eq!(requests[1].standard, [rotated.secret.clone(), hook.secret.clone()]);
    assert_eq!(requests[1].plain, hook.secret, "the plain signature is the same on every attempt");
    assert_eq!(requests[2].plain, rotated.secret);
    test_hub.pass(limits::HOOK_GRACE_MS).await;
    ann.send("all", "a day later").await.unwrap_err();
    let ann = test_hub.join("ann").await;
    ann.send("all", "a day later").await.unwrap();
    test_hub.settle().await;
    assert_eq!(test_hub.world.take()[0].standard, [rotated.secret]);
}

#[actix_rt::test]
async fn deleting_a_channel_deletes_its_hooks_and_due_deliveries() {
    let log = Arc::new(MemoryLog::default());
    let test_hub = TestHub::with_log(log.clone()).await;
    let ann = test_hub.join("ann").await;
    let hook = test_hub.subscribe("http://hangs").await;
    test_hub.world.hangs.lock().unwrap().push("http://hangs".into());
    for _ in 0..3 {
        ann.send("all", "x").await.unwrap();
    }
    test_hub.settle().await;
    assert_eq!(test_hub.world.take().len(), 1);
    test_hub.hub.delete(&test_hub.at).await.unwrap();
    test_hub.pass(60_000).await;
    assert!(test_hub.world.take().is_empty() && test_hub.hub.webhooks_of(&test_hub.owner()).is_empty());
    assert!(crate::Log::webhooks(&*log).hooks().await.unwrap().is_empty());
    assert!(crate::Log::webhooks(&*log).deliveries(&hook.hook.id, 10).await.unwrap().is_empty());
    let refused = test_hub.hub.subscribe(test_hub.owner(), input("http://one")).await;
    assert!(refused.is_err() || test_hub.hub.webhooks_of(&test_hub.owner()).len() == 1);
}

#[actix_rt::test]
async fn a_format_that_cannot_be_decrypted_is_not_replaced_by_the_default() {
    let log = Arc::new(MemoryLog::default());
    let test_hub = TestHub::with_log(log.clone()).await;
    let ann = test_hub.join("ann").await;
    let json = r#"{"url":"http://one","headers":{"x-key":"v"},"body":{"t":"{{text}}"}}"#;
    let hook = test_hub.hub.subscribe(test_hub.owner(), serde_json::from_str(json).unwrap()).await.unwrap();
    ann.send("all", "first").await.unwrap();
    test_hub.settle().await;
    let posted = test_hub.world.take();
    assert_eq!(posted[0].headers.iter().collect::<Vec<_>>(), [("x-key", "v")]);
    assert_eq!(posted[0].body.render().unwrap(), br#"{"t":"first"}"#);
    let damaged = Hook { format: Some("rubbish".into()), ..hook.hook.clone() };
    log.webhooks().put_hook(&damaged, None).await.unwrap();
    let test_hub = test_hub.restarted(log).await;
    test_hub.join("ann").await.send("all", "second").await.unwrap();
    assert_eq!(test_hub.states(&hook).await[1], (DeliveryState::Failed, 1));
    assert_eq!(test_hub.world.count(), 0, "nothing is posted");
}
