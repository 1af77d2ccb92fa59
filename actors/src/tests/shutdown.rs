//! Full mailboxes, idle and unused channels, and the shutdown of a hub.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use rogerrat_domain::op::{CreateInput, Roster};
use rogerrat_domain::{AnswerReason, Code, Durability, GapReason};

use super::harness::{HOUR_MS, TestHub, frame, started};
use super::log::{Held, TestLog};
use crate::channel::handle::Undelivered;
use crate::channel::messages::CheckNow;
use crate::error::HubError;

#[actix_rt::test]
async fn a_full_mailbox_is_refused_at_once() {
    let test_hub = TestHub::new().await;
    let ann = test_hub.join("ann").await;
    let mut queued = 0;
    while test_hub.handle().try_send(CheckNow).is_ok() {
        queued += 1;
        assert!(queued < 100_000, "a mailbox is bounded");
    }
    assert!(matches!(test_hub.handle().try_send(CheckNow), Err(Undelivered::Full)));
    let refused = ann.send("all", "hi").await.unwrap_err();
    assert!(matches!(refused, HubError::Busy));
    let refusal = refused.into_refusal();
    assert_eq!((refusal.code, refusal.retry_after_ms), (Code::Overloaded, Some(1000)));
    test_hub.settle().await;
    ann.send("all", "hi").await.unwrap();
    assert_eq!(test_hub.history().await, 1);
}

#[actix_rt::test]
async fn d30_an_idle_memory_channel_leaves_memory_and_reports_the_gap() {
    let test_hub = TestHub::new().await;
    let (ann, bob) = (test_hub.join("ann").await, test_hub.join("bob").await);
    let last = ann.send("all", "hi").await.unwrap();
    ann.leave().await;
    bob.leave().await;
    test_hub.pass(HOUR_MS + 1000).await;
    assert!(!test_hub.handle().addr().unwrap().connected(), "its actor has gone");
    let bob = test_hub.join("bob").await;
    let mut response = bob.read(1000).await.unwrap();
    let gap = response.gap.expect("the gap is reported");
    assert_eq!((gap.to, gap.reason), (last.id, GapReason::Idle));
    response.guard.complete();
    assert_eq!(test_hub.hub.totals().revivals_total, 0);
}

#[actix_rt::test]
async fn d30_a_memory_channel_without_messages_leaves_memory_with_its_members_and_without_a_gap() {
    let test_hub = TestHub::new().await;
    let (ann, bob) = (test_hub.join("ann").await, test_hub.join("bob").await);
    test_hub.pass(6 * 60_000).await;
    assert!(!test_hub.handle().addr().unwrap().connected(), "its actor has gone");
    ann.send("all", "hi").await.unwrap();
    let mut response = bob.read(1000).await.unwrap();
    assert_eq!((response.messages.len(), response.gap), (1, None));
    response.guard.complete();
    test_hub.pass(6 * 60_000).await;
    assert!(test_hub.handle().addr().unwrap().connected(), "now something would be lost");
}

#[actix_rt::test]
async fn d30_a_channel_that_holds_a_dm_stays() {
    let test_hub = TestHub::new().await;
    let (ann, bob) = (test_hub.join("ann").await, test_hub.join("bob").await);
    bob.leave().await;
    ann.send("bob", "for later").await.unwrap();
    ann.leave().await;
    test_hub.pass(3 * HOUR_MS).await;
    assert!(test_hub.handle().addr().unwrap().connected());
    assert_eq!(test_hub.join("bob").await.texts(1000).await, ["for later"]);
}

#[actix_rt::test]
async fn channels_that_leave_memory_are_recorded_a_few_at_a_time() {
    let log = TestLog::slow();
    let test_hub = TestHub::with_log(Held::new(log.clone())).await;
    let mut channels = Vec::new();
    for _ in 0..2000 {
        channels.push(test_hub.hub.create(CreateInput::default(), None).await.unwrap().channel.id().clone());
    }
    for _ in 0..100 {
        test_hub.pass(1000).await;
    }
    assert_eq!(log.noted.load(Relaxed), 0, "that they are new is known");
    test_hub.pass(HOUR_MS).await;
    // The sweep of the hour notes who is in use.
    test_hub.pass(2000).await;
    log.noted.store(0, Relaxed);
    for channel in channels {
        test_hub.hub.find(channel.as_str()).await.unwrap();
    }
    for _ in 0..100 {
        test_hub.pass(1000).await;
    }
    assert_eq!((log.noted.load(Relaxed), log.noting_most.load(Relaxed)), (2000, 1));
}

#[actix_rt::test]
async fn d30_a_channel_unused_for_30_days_is_deleted() {
    let test_hub = TestHub::new().await;
    test_hub.join("ann").await.leave().await;
    for _ in 0..29 * 24 {
        test_hub.pass(HOUR_MS).await;
    }
    assert!(test_hub.hub.find(test_hub.at.id().as_str()).await.is_ok());
    for _ in 0..31 * 24 {
        test_hub.pass(HOUR_MS).await;
    }
    assert!(test_hub.hub.find(test_hub.at.id().as_str()).await.is_err());
    assert!(test_hub.hub.find("general").await.is_ok(), "a band stays");
}

/// The log refuses what is written after the deletion; that is no failure.
#[actix_rt::test]
async fn a_request_that_meets_the_deletion_of_its_channel_gets_not_found() {
    let durable = CreateInput { durability: Some(Durability::Disk), ..CreateInput::default() };
    let test_hub = TestHub::with(Held::new(Arc::new(TestLog::default())), durable).await;
    let ann = test_hub.join("ann").await;
    let roster = test_hub.hub.query(&test_hub.at, Roster { session: None, limit: None });
    let (deleted, sent, listed, refused) =
        tokio::join!(test_hub.hub.delete(&test_hub.at), ann.send("all", "hi"), roster, ann.send("bob", "hi"));
    deleted.unwrap();
    assert_eq!(sent.unwrap_err().into_refusal().code, Code::NotFound);
    assert_eq!(listed.unwrap_err().into_refusal().code, Code::NotFound);
    assert_eq!(refused.unwrap_err().into_refusal().code, Code::NotFound, "an unknown recipient");
}

#[actix_rt::test]
async fn d32_a_drain_answers_every_waiting_request() {
    let test_hub = TestHub::new().await;
    let (ann, bob) = (test_hub.join("ann").await, test_hub.join("bob").await);
    let mut stream = ann.stream().await;
    assert!(frame(&mut stream).await.unwrap().contains("hello"));
    let mut poll = pin!(bob.read(60_000));
    started(&mut poll).await;
    test_hub.settle().await;
    test_hub.hub.ready().await.unwrap();
    test_hub.hub.drain().await;
    assert!(matches!(test_hub.hub.ready().await, Err(HubError::Gone)));
    assert_eq!(poll.await.unwrap().reason, AnswerReason::Draining);
    let bye = frame(&mut stream).await.unwrap();
    assert!(bye.starts_with("retry: ") && bye.contains("\"draining\""), "{bye}");
    assert_eq!(bob.read(60_000).await.unwrap().reason, AnswerReason::Draining, "nothing waits any more");
}
