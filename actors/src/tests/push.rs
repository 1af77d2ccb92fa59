//! Web push on paused time: what is pushed and what not, retries, limits, and the end of subscriptions.

use std::sync::Arc;

use rogerrat_domain::limits::{
    PUSH_PER_ACCOUNT, PUSH_PER_CHANNEL, PUSH_PER_MEMBER, PUSH_TTL_MS, PUSH_UNUSED_MS, PUSH_WARN_MS, PUSH_WINDOW,
};
use rogerrat_domain::op::{CreateInput, SendInput};
use rogerrat_domain::push::{PushInput, PushKeysInput, PushWants, SubscribedMember};
use rogerrat_domain::webhook::{AttemptOutcome, Failure, HookOwner};
use rogerrat_domain::{Code, Durability, Priority};

use super::harness::{Agent, HOUR_MS, TestHub};
use super::push_service::{PushService, notification};
use crate::{HubError, MemoryLog, Ports};

pub(super) struct PushTestHub {
    pub(super) hub: TestHub,
    pub(super) service: Arc<PushService>,
    pub(super) ann: Agent,
    pub(super) bob: Agent,
    member: SubscribedMember,
}

pub(super) fn input(endpoint: &str) -> PushInput {
    let keys = PushKeysInput { p256dh: "A".repeat(87), auth: "A".repeat(22) };
    PushInput { endpoint: endpoint.into(), keys, consumer: Some("web-1".into()), ..PushInput::default() }
}

impl PushTestHub {
    pub(super) async fn new() -> Self {
        Self::on(Arc::new(MemoryLog::default()), CreateInput::default()).await
    }

    pub(super) async fn on(log: Arc<MemoryLog>, create: CreateInput) -> Self {
        let service = Arc::new(PushService::default());
        let hub = TestHub::on(Ports::with_log(log).pushing(service.clone()), create).await;
        let (ann, bob) = (hub.join("ann").await, hub.join("bob").await);
        let member = hub.hub.push_subscriber(&hub.at, bob.session()).await.unwrap();
        Self { hub, service, ann, bob, member }
    }

    /// A hub with a subscription of bob.
    pub(super) async fn subscribed(wants: PushWants) -> Self {
        let test = Self::new().await;
        test.subscribe(PushInput { wants: Some(wants), ..input("https://push/1") }).await.unwrap();
        test
    }

    fn owner(&self) -> HookOwner {
        HookOwner::Channel(self.hub.at.id().clone())
    }

    pub(super) async fn subscribe(&self, input: PushInput) -> Result<String, HubError> {
        let hook = self.hub.hub.subscribe_push(self.owner(), Some(self.member), input, "https://hub.example").await?;
        Ok(hook.id.to_string())
    }

    async fn count(&self) -> usize {
        self.hub.hub.pushes_of(&self.owner(), Some(self.member)).await.unwrap().len()
    }

    /// What is pushed within a time.
    pub(super) async fn pushed_within(&self, ms: u64) -> Vec<String> {
        self.hub.settle().await;
        self.hub.pass(ms).await;
        self.hub.settle().await;
        self.service.bodies()
    }

    async fn last_failure(&self) -> Option<Failure> {
        self.hub.settle().await;
        let pushes = self.hub.hub.pushes_of(&self.owner(), Some(self.member)).await.unwrap();
        pushes[0].last.clone().unwrap().failure
    }
}

#[actix_rt::test]
async fn a28_a_direct_message_is_pushed_once_after_5_seconds() {
    let test = PushTestHub::subscribed(PushWants::High).await;
    let id = test.ann.send("bob", "are you there?").await.unwrap().id;
    assert!(test.pushed_within(4900).await.is_empty());
    test.hub.pass(200).await;
    let request = test.service.pushed.lock().unwrap()[0].clone();
    let shown = notification(&request);
    assert_eq!((shown["title"].as_str(), shown["body"].as_str()), (Some("ann"), Some("are you there?")));
    assert_eq!(shown["data"]["message"], id);
    assert_eq!(shown["tag"].as_str(), Some(request.topic.as_str()));
    assert_eq!((request.ttl_s, request.is_urgent), (PUSH_TTL_MS / 1000, false));
    assert_eq!(test.service.bodies().len(), 1);
    assert!(test.pushed_within(HOUR_MS).await.is_empty());
}

#[actix_rt::test]
async fn a28_what_is_read_or_answered_within_5_seconds_is_not_pushed() {
    let test = PushTestHub::subscribed(PushWants::All).await;
    let id = test.ann.send("all", "read").await.unwrap().id;
    test.bob.lease(Some("laptop")).await.unwrap();
    assert_eq!(test.pushed_within(6000).await, ["read"], "it was delivered, not acknowledged");
    test.bob.ack(id, Some("laptop")).await;
    let id = test.ann.send("all", "acknowledged").await.unwrap().id;
    test.bob.lease(Some("laptop")).await.unwrap();
    test.bob.ack(id, Some("laptop")).await;
    assert!(test.pushed_within(6000).await.is_empty());
    let id = test.ann.send("bob", "answered").await.unwrap().id;
    let answer = SendInput { message: Some("yes".into()), reply_to: Some(id), ..SendInput::default() };
    test.bob.send_input(answer).await.unwrap();
    assert!(test.pushed_within(6000).await.is_empty());
}

#[actix_rt::test]
async fn a28_broadcasts_are_pushed_as_the_device_wants() {
    for (wants, expected) in [
        (PushWants::All, vec!["plain", "reply", "urgent", "approve"]),
        (PushWants::Mine, vec!["reply", "urgent", "approve"]),
        (PushWants::High, vec!["urgent", "approve"]),
    ] {
        let test = PushTestHub::subscribed(wants).await;
        let own = test.bob.send("all", "own").await.unwrap().id;
        let text = |text: &str| SendInput { message: Some(text.into()), ..SendInput::default() };
        for input in [
            text("plain"),
            SendInput { reply_to: Some(own), ..text("reply") },
            SendInput { priority: Some(Priority::High), ..text("urgent") },
            SendInput { suggested_replies: Some(vec!["yes".into()]), ..text("approve") },
            SendInput { kind: Some(rogerrat_domain::Kind::Status), ..text("status") },
        ] {
            test.ann.send_input(input).await.unwrap();
        }
        test.ann.send("ann", "to another").await.unwrap();
        assert_eq!(test.pushed_within(6000).await, expected, "{wants:?}");
        tokio::time::resume();
    }
}

#[actix_rt::test]
async fn a28_a_device_that_reads_is_left_alone_until_it_stops() {
    let test = PushTestHub::subscribed(PushWants::All).await;
    let stream = test.bob.stream_as("web-1").await;
    test.ann.send("all", "seen later").await.unwrap();
    assert!(test.pushed_within(40_000).await.is_empty());
    drop(stream);
    test.hub.settle().await;
    assert_eq!(test.pushed_within(16_000).await, ["seen later"]);
    let _frozen = test.bob.stream_as("web-1").await;
    test.ann.send("all", "the page is frozen").await.unwrap();
    assert!(test.pushed_within(80_000).await.is_empty());
    assert_eq!(test.pushed_within(30_000).await, ["the page is frozen"]);
}

#[actix_rt::test]
async fn a_push_is_retried_four_times_and_as_the_service_asks() {
    let test = PushTestHub::subscribed(PushWants::All).await;
    test.service.answers([AttemptOutcome::Answered(500); 5]);
    test.ann.send("all", "first").await.unwrap();
    for (pause_ms, count) in [(5100, 1), (1000, 2), (3000, 3), (9000, 4), (27_000, 5), (HOUR_MS, 5)] {
        test.hub.pass(pause_ms + 50).await;
        assert_eq!(test.service.count(), count, "{pause_ms}");
    }
    assert_eq!(test.last_failure().await, Some(Failure::Status));
    test.service.bodies();
    test.service.answers([AttemptOutcome::Postponed(429, 60)]);
    test.hub.join("ann").await.send("all", "second").await.unwrap();
    assert_eq!(test.pushed_within(5100).await, ["second"]);
    assert!(test.pushed_within(59_000).await.is_empty());
    assert_eq!(test.pushed_within(2000).await, ["second"]);
    assert_eq!(test.last_failure().await, None);
}

#[actix_rt::test]
async fn a_push_that_waited_too_long_is_not_sent() {
    let test = PushTestHub::subscribed(PushWants::All).await;
    test.service.answers([AttemptOutcome::Postponed(503, 2 * 3600)]);
    test.ann.send("all", "stale").await.unwrap();
    assert_eq!(test.pushed_within(6000).await.len(), 1);
    assert!(test.pushed_within(2 * HOUR_MS).await.is_empty());
}

#[actix_rt::test]
async fn a_payload_that_is_too_large_is_sent_again_without_the_text() {
    let test = PushTestHub::subscribed(PushWants::All).await;
    test.service.answers([AttemptOutcome::Answered(413)]);
    test.ann.send("all", "a long text").await.unwrap();
    assert_eq!(test.pushed_within(6000).await, ["a long text", "sent a message"]);
    test.subscribe(PushInput { show_text: Some(false), ..input("https://push/1") }).await.unwrap();
    test.ann.send("bob", "a secret").await.unwrap();
    assert_eq!(test.pushed_within(6000).await, ["sent a message"]);
}

#[actix_rt::test]
async fn a28_a_dead_subscription_is_removed_and_a_refused_key_is_not() {
    for status in [404, 410] {
        let test = PushTestHub::subscribed(PushWants::All).await;
        test.service.answers([AttemptOutcome::Answered(status)]);
        test.ann.send("all", "hi").await.unwrap();
        test.pushed_within(6000).await;
        assert_eq!(test.count().await, 0, "{status}");
        tokio::time::resume();
    }
    let test = PushTestHub::subscribed(PushWants::All).await;
    test.service.answers([AttemptOutcome::Answered(403)]);
    test.ann.send("all", "hi").await.unwrap();
    assert_eq!(test.pushed_within(6000).await.len(), 1);
    assert!(test.pushed_within(HOUR_MS).await.is_empty(), "it is not retried");
    assert_eq!((test.count().await, test.last_failure().await), (1, Some(Failure::Status)));
}

#[actix_rt::test]
async fn a28_after_20_pushes_in_an_hour_one_says_that_there_are_more() {
    let test = PushTestHub::subscribed(PushWants::All).await;
    for n in 0..30 {
        test.ann.send("all", &format!("m{n}")).await.unwrap();
    }
    let pushed = test.pushed_within(6000).await;
    assert_eq!(pushed.len() as u64, PUSH_WINDOW + 1);
    assert!(pushed[20].contains("more messages"), "{}", pushed[20]);
    test.hub.pass(HOUR_MS).await;
    test.hub.join("ann").await.send("all", "later").await.unwrap();
    assert_eq!(test.pushed_within(6000).await, ["later (+10)"]);
}

#[actix_rt::test]
async fn a28_a_due_push_survives_a_restart() {
    for durability in [Durability::Memory, Durability::Disk] {
        let log = Arc::new(MemoryLog::default());
        let test =
            PushTestHub::on(log.clone(), CreateInput { durability: Some(durability), ..CreateInput::default() }).await;
        let id = test.subscribe(input("https://push/1")).await.unwrap();
        test.ann.send("bob", "before the crash").await.unwrap();
        assert_eq!(test.service.count(), 0);
        let service = Arc::new(PushService::default());
        let PushTestHub { hub, ann, bob, .. } = test;
        drop((ann, bob));
        let hub = hub.restarted_on(Ports::with_log(log.clone()).pushing(service.clone())).await;
        hub.settle().await;
        // The wall clock went back by an hour, so the pause is as long as it can be.
        for _ in 0..5 {
            hub.pass(HOUR_MS / 4).await;
        }
        let id = rogerrat_domain::webhook::HookId::parse(&id).unwrap();
        let rows = crate::Log::webhooks(&*log).deliveries(&id, 5).await;
        assert_eq!(service.bodies(), ["before the crash"], "{durability:?} {rows:?}");
        tokio::time::resume();
    }
}

#[actix_rt::test]
async fn a_subscription_ends_with_its_member() {
    let test = PushTestHub::subscribed(PushWants::All).await;
    test.ann.send("bob", "one more thing").await.unwrap();
    test.bob.leave().await;
    assert!(test.pushed_within(6000).await.is_empty());
    assert_eq!(test.count().await, 0);
}

/// Whoever has the callsign then may be somebody else, or the device may be lost.
#[actix_rt::test]
async fn a28_a_subscription_does_not_pass_to_the_next_session_of_its_callsign() {
    let test = PushTestHub::subscribed(PushWants::All).await;
    test.bob.leave().await;
    let bob = test.hub.join("bob").await;
    let again = test.hub.hub.push_subscriber(&test.hub.at, bob.session()).await.unwrap();
    assert_eq!((again.no, again == test.member), (test.member.no, false));
    assert_eq!(test.count().await, 1);
    test.ann.send("bob", "for bob alone").await.unwrap();
    assert!(test.pushed_within(6000).await.is_empty());
    assert_eq!(test.count().await, 0, "it is dropped with the next message");
}

#[actix_rt::test]
async fn a28_an_outage_of_the_service_ends_no_subscription() {
    let test = PushTestHub::subscribed(PushWants::All).await;
    test.service.answers(vec![AttemptOutcome::Unreachable; 5 * 51]);
    for n in 0..51 {
        test.ann.send("bob", &n.to_string()).await.unwrap();
        test.pushed_within(HOUR_MS / 10).await;
    }
    assert_eq!(test.count().await, 1);
    test.service.answers.lock().unwrap().clear();
    test.hub.pass(HOUR_MS).await;
    test.hub.join("ann").await.send("bob", "it is back").await.unwrap();
    assert!(test.pushed_within(6000).await.iter().any(|body| body.starts_with("it is back")));
}

#[actix_rt::test]
async fn a28_a_push_that_did_not_begin_takes_no_turn_of_the_hour() {
    let test = PushTestHub::subscribed(PushWants::All).await;
    test.service.answers(vec![AttemptOutcome::NotBegun; 2 * PUSH_WINDOW as usize]);
    test.ann.send("bob", "patience").await.unwrap();
    while test.pushed_within(1000).await.is_empty() {}
    while !test.service.answers.lock().unwrap().is_empty() {
        test.hub.pass(1000).await;
        test.hub.settle().await;
    }
    test.pushed_within(60_000).await;
    test.ann.send("bob", "and one more").await.unwrap();
    assert_eq!(test.pushed_within(6000).await, ["and one more"]);
}

#[actix_rt::test]
async fn a28_a_payload_that_is_too_long_is_pushed_again_without_its_text() {
    let test = PushTestHub::subscribed(PushWants::All).await;
    test.service.answers([AttemptOutcome::Postponed(413, 60)]);
    test.ann.send("bob", "long").await.unwrap();
    assert_eq!(test.pushed_within(6000).await, ["long", "sent a message"]);
}

#[actix_rt::test]
async fn d30_the_subscriptions_of_a_channel_and_of_an_account_are_limited() {
    let test = PushTestHub::new().await;
    let hub = &test.hub.hub;
    for (owner, bound) in [
        (test.owner(), PUSH_PER_CHANNEL),
        (HookOwner::Account(hub.open_account(None).await.unwrap().account_id), PUSH_PER_ACCOUNT),
    ] {
        let member = |n: usize| match &owner {
            HookOwner::Channel(_) => Some(SubscribedMember { no: n as u32, generation: 0 }),
            HookOwner::Account(_) => None,
        };
        let subscribe = |n: usize| {
            hub.subscribe_push(owner.clone(), member(n), input(&format!("https://push/{n}")), "https://hub.example")
        };
        for n in 0..bound {
            subscribe(n).await.unwrap();
        }
        assert_eq!(subscribe(bound).await.unwrap_err().into_refusal().code, Code::LimitReached);
    }
}

#[actix_rt::test]
async fn a_test_is_pushed_at_once_and_finds_a_dead_subscription() {
    let test = PushTestHub::new().await;
    let id = test.subscribe(input("https://push/1")).await.unwrap();
    let push = |id: String| {
        let (hub, owner, no) = (test.hub.hub.clone(), test.owner(), test.member);
        async move { hub.test_push(&owner, Some(no), &id).await }
    };
    let tested = push(id.clone()).await.unwrap();
    assert_eq!((tested.outcome, tested.is_removed), (AttemptOutcome::Answered(201), false));
    test.service.answers([AttemptOutcome::Answered(410)]);
    assert!(push(id.clone()).await.unwrap().is_removed);
    assert_eq!(push(id).await.unwrap_err().into_refusal().code, Code::NotFound);
    assert_eq!(test.count().await, 0);
}

#[actix_rt::test]
async fn a_member_has_four_subscriptions_and_an_endpoint_only_one() {
    let test = PushTestHub::new().await;
    for n in 0..PUSH_PER_MEMBER {
        test.subscribe(input(&format!("https://push/{n}"))).await.unwrap();
    }
    let refused = test.subscribe(input("https://push/more")).await.unwrap_err().into_refusal();
    assert_eq!(refused.code, Code::LimitReached);
    let again = test.subscribe(PushInput { show_text: Some(false), ..input("https://push/0") }).await.unwrap();
    let pushes = test.hub.hub.pushes_of(&test.owner(), Some(test.member)).await.unwrap();
    assert_eq!((pushes.len(), pushes[0].hook.id.to_string()), (PUSH_PER_MEMBER, again));
    assert!(!pushes[0].hook.push.as_ref().unwrap().show_text);
    assert!(test.hub.hub.webhooks_of(&test.owner()).is_empty(), "they are no webhooks");
    let id = pushes[0].hook.id.as_str();
    assert!(test.hub.hub.unsubscribe(test.owner(), id).await.is_err(), "and not removed as one");
    assert!(
        test.hub
            .hub
            .push_of(&test.owner(), Some(SubscribedMember { no: test.member.no + 1, ..test.member }), id)
            .await
            .is_err(),
        "another member has none"
    );
    assert_eq!(test.subscribe(input("https://refused")).await.unwrap_err().into_refusal().code, Code::Invalid);
}

#[actix_rt::test]
async fn an_unused_subscription_is_announced_and_then_dropped() {
    let test = PushTestHub::new().await;
    let hub = &test.hub.hub;
    // An anonymous channel would be deleted before.
    let owner = HookOwner::Account(hub.open_account(None).await.unwrap().account_id);
    hub.subscribe_push(owner.clone(), None, input("https://push/1"), "https://hub.example").await.unwrap();
    test.hub.pass(PUSH_WARN_MS + 2 * HOUR_MS).await;
    let announced = test.pushed_within(HOUR_MS).await;
    assert!(announced.len() == 1 && announced[0].contains("5 days"), "{announced:?}");
    assert!(test.pushed_within(24 * HOUR_MS).await.is_empty());
    assert_eq!(hub.pushes_of(&owner, None).await.unwrap().len(), 1);
    test.hub.pass(PUSH_UNUSED_MS - PUSH_WARN_MS).await;
    test.hub.settle().await;
    assert_eq!(hub.pushes_of(&owner, None).await.unwrap().len(), 0);
}
