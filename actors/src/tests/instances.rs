//! Two hubs on one log: who serves a channel, and what a hub can still do that was declared to have ended.

use std::pin::pin;
use std::sync::Arc;

use rogerrat_domain::op::CreateInput;
use rogerrat_domain::{Code, GapReason};

use super::harness::{Agent, TestHub, started, texts};
use super::log_writes::durable;
use crate::{ChannelLocation, HubError, MemoryInstance, Ports, SharedMemoryLog};

/// Two hubs, and the first as an instance of the log. It owns the channel.
struct Two {
    a: TestHub,
    b: TestHub,
    of_a: Arc<MemoryInstance>,
}

impl Two {
    async fn new(create: CreateInput) -> Self {
        let log = SharedMemoryLog::new();
        let of_a = Arc::new(log.start_instance("http://a"));
        let a = TestHub::on(Ports::with_log(of_a.clone()), create).await;
        let b = a.beside(Ports::with_log(Arc::new(log.start_instance("http://b")))).await;
        Self { a, b, of_a }
    }

    /// Declares the first hub ended while it goes on.
    async fn lose_a(&self) {
        self.of_a.disconnect();
        assert!(self.b.hub.report_unreachable(self.a.hub.instance().unwrap()).await.unwrap());
    }
}

fn is_moved<T>(result: &Result<T, HubError>) -> bool {
    matches!(result, Err(HubError::Moved))
}

#[actix_rt::test]
async fn c01_a_channel_has_one_owner_and_the_others_find_it() {
    let two = Two::new(durable()).await;
    let ann = two.a.join("ann").await;
    let channel = two.a.at.id().clone();
    assert_eq!(two.a.hub.locate(&channel).await.unwrap(), ChannelLocation::Here);
    let ChannelLocation::Elsewhere(owner) = two.b.hub.locate(&channel).await.unwrap() else { panic!("a owns it") };
    assert_eq!((Some(owner.id), &*owner.url), (two.a.hub.instance(), "http://a"));
    assert!(is_moved(&two.b.try_join("bob").await) && is_moved(&ann.at(&two.b).send("all", "hi").await));
    let refused = HubError::Moved.into_refusal();
    assert_eq!((refused.code, refused.retry_after_ms), (Code::Overloaded, Some(1000)));
    assert!(!two.b.hub.report_unreachable(owner.id).await.unwrap(), "it is alive");
    ann.send("all", "hi").await.unwrap();
}

#[actix_rt::test]
async fn c02_a_channel_that_is_given_up_moves_without_doubt() {
    let two = Two::new(durable()).await;
    let (ann, bob) = (two.a.join("ann").await, two.a.join("bob").await);
    let sent = ann.send("all", "hi").await.unwrap();
    assert!(matches!(two.b.hub.locate(two.a.at.id()).await.unwrap(), ChannelLocation::Elsewhere(_)));
    two.a.hub.drain().await;
    two.a.hub.close().await;
    two.b.hub.forget_location(two.a.at.id());
    assert_eq!(two.b.hub.locate(two.a.at.id()).await.unwrap(), ChannelLocation::Free);
    let mut response = bob.at(&two.b).read(1000).await.unwrap();
    assert_eq!((texts(&response), response.messages[0].attempt, response.gap), (vec!["hi".into()], 1, None));
    response.guard.complete();
    assert!(ann.at(&two.b).send("all", "again").await.unwrap().id > sent.id);
}

/// Sends, and loses the first hub. Returns the two agents, at the hub that was lost.
async fn lost_after_a_send(two: &Two) -> (Agent, Agent, u64) {
    let (ann, bob) = (two.a.join("ann").await, two.a.join("bob").await);
    let id = ann.send("all", "first").await.unwrap().id;
    two.lose_a().await;
    (ann, bob, id)
}

#[actix_rt::test]
async fn c03_a_hub_that_was_declared_ended_cannot_write_and_its_durable_messages_are_kept() {
    let two = Two::new(durable()).await;
    let (ann, bob, first) = lost_after_a_send(&two).await;
    let response = bob.at(&two.b).read(1000).await.unwrap();
    assert_eq!((texts(&response), response.messages[0].attempt), (vec!["first".into()], 2), "it may be a repetition");
    assert!(is_moved(&ann.send("all", "too late").await));
    assert!(two.a.try_join("carol").await.is_err());
    let second = ann.at(&two.b).send("all", "second").await.unwrap();
    assert!(second.id > first);
    assert_eq!(two.b.history().await, 2);
}

#[actix_rt::test]
async fn c04_what_a_hub_acknowledged_in_memory_lies_in_a_reported_gap_even_after_it_was_declared_ended() {
    let two = Two::new(CreateInput::default()).await;
    let (ann, bob, _) = lost_after_a_send(&two).await;
    two.b.join("carol").await;
    let late = ann.send("all", "after it was declared ended").await.unwrap().id;
    let response = bob.at(&two.b).read(1000).await.unwrap();
    let gap = response.gap.expect("the loss is reported");
    assert!(response.messages.is_empty() && gap.reason == GapReason::Restart && gap.to >= late, "{gap:?} {late}");
    let after = ann.at(&two.b).send("all", "hi").await.unwrap().id;
    assert!(after > gap.to, "no id is assigned twice");
    // Time passes for everybody, but it gets no more ids.
    let refused = loop {
        two.a.pass(20_000).await;
        match ann.send("all", "?").await {
            Ok(sent) => assert!(sent.id <= gap.to, "{} {gap:?}", sent.id),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, HubError::Gone), "{refused}");
}

#[actix_rt::test]
async fn c05_a_hub_that_learns_that_it_was_declared_ended_serves_nothing_any_more() {
    let two = Two::new(CreateInput::default()).await;
    let (ann, bob, _) = lost_after_a_send(&two).await;
    assert_eq!(bob.texts(1000).await, ["first"]);
    let mut poll = pin!(bob.texts(60_000));
    started(&mut poll).await;
    two.a.settle().await;
    two.a.pass(1500).await;
    assert!(poll.await.is_empty(), "polls end");
    two.a.hub.ended().await;
    assert!(two.a.hub.has_ended() && matches!(ann.send("all", "hi").await, Err(HubError::Gone)));
    assert!(matches!(two.a.hub.locate(two.a.at.id()).await, Err(HubError::Gone)));
    assert!(two.a.hub.ready().await.is_err());
}

#[actix_rt::test]
async fn c13_of_two_hubs_that_look_for_a_channel_at_once_one_takes_it_and_the_other_finds_it() {
    let two = Two::new(durable()).await;
    let channel = two.a.at.id().clone();
    two.a.join("ann").await;
    // It has no owner any more.
    two.a.pass(super::harness::HOUR_MS).await;
    two.a.settle().await;
    two.b.hub.forget_location(&channel);
    let at_once =
        futures_util::future::join(two.a.hub.locate_or_take(&channel), two.b.hub.locate_or_take(&channel)).await;
    let (of_a, of_b) = (at_once.0.unwrap(), at_once.1.unwrap());
    let here = [&of_a, &of_b].iter().filter(|location| ***location == ChannelLocation::Here).count();
    assert_eq!(here, 1, "{of_a:?} {of_b:?}");
    assert_eq!(two.b.hub.locate(&channel).await.unwrap(), of_b);
}
