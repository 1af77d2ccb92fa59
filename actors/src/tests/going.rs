//! Leaving is a case: full mailboxes, idle channels, channels nobody uses, and the hub going down.

use std::pin::pin;
use std::sync::atomic::Ordering::Relaxed;

use rogerrat_domain::op::CreateInput;
use rogerrat_domain::{AnswerReason, Code, GapReason};

use super::log::{Held, TestLog};
use super::rig::{HOUR_MS, Rig, frame, started};
use crate::channel::handle::Undelivered;
use crate::channel::messages::CheckNow;
use crate::error::HubError;

#[actix_rt::test]
async fn a_full_mailbox_is_told_at_once() {
    let rig = Rig::new().await;
    let ann = rig.join("ann").await;
    let mut queued = 0;
    while rig.handle().try_send(CheckNow).is_ok() {
        queued += 1;
        assert!(queued < 100_000, "a mailbox is bounded");
    }
    assert!(matches!(rig.handle().try_send(CheckNow), Err(Undelivered::Full)));
    let refused = ann.send("all", "hi").await.unwrap_err();
    assert!(matches!(refused, HubError::Busy));
    let refusal = refused.into_refusal();
    assert_eq!((refusal.code, refusal.retry_after_ms), (Code::Overloaded, Some(1000)));
    rig.settle().await;
    ann.send("all", "hi").await.unwrap();
    assert_eq!(rig.history().await, 1);
}

#[actix_rt::test]
async fn d30_an_idle_memory_channel_leaves_memory_and_tells_the_gap() {
    let rig = Rig::new().await;
    let (ann, bob) = (rig.join("ann").await, rig.join("bob").await);
    let last = ann.send("all", "hi").await.unwrap();
    ann.leave().await;
    bob.leave().await;
    rig.pass(HOUR_MS + 1000).await;
    assert!(!rig.handle().addr().unwrap().connected(), "its actor has gone");
    let bob = rig.join("bob").await;
    let mut parcel = bob.read(1000).await.unwrap();
    let gap = parcel.gap.expect("the loss is told");
    assert_eq!((gap.to, gap.reason), (last.id, GapReason::Idle));
    parcel.guard.complete();
    assert_eq!(rig.hub.totals().revivals_total, 0);
}

#[actix_rt::test]
async fn d30_a_memory_channel_on_which_nothing_was_said_leaves_memory_with_its_members_and_tells_no_gap() {
    let rig = Rig::new().await;
    let (ann, bob) = (rig.join("ann").await, rig.join("bob").await);
    rig.pass(6 * 60_000).await;
    assert!(!rig.handle().addr().unwrap().connected(), "its actor has gone");
    ann.send("all", "hi").await.unwrap();
    let mut parcel = bob.read(1000).await.unwrap();
    assert_eq!((parcel.messages.len(), parcel.gap), (1, None));
    parcel.guard.complete();
    rig.pass(6 * 60_000).await;
    assert!(rig.handle().addr().unwrap().connected(), "now something would be lost");
}

#[actix_rt::test]
async fn d30_a_channel_that_holds_a_dm_stays() {
    let rig = Rig::new().await;
    let (ann, bob) = (rig.join("ann").await, rig.join("bob").await);
    bob.leave().await;
    ann.send("bob", "for later").await.unwrap();
    ann.leave().await;
    rig.pass(3 * HOUR_MS).await;
    assert!(rig.handle().addr().unwrap().connected());
    assert_eq!(rig.join("bob").await.texts(1000).await, ["for later"]);
}

#[actix_rt::test]
async fn however_many_leave_the_log_is_told_little_at_a_time() {
    let log = TestLog::slow();
    let rig = Rig::with_log(Held::new(log.clone())).await;
    let mut channels = Vec::new();
    for _ in 0..2000 {
        channels.push(rig.hub.create(CreateInput::default(), None).await.unwrap().channel.id().clone());
    }
    for _ in 0..100 {
        rig.pass(1000).await;
    }
    assert_eq!(log.noted.load(Relaxed), 0, "that they are new is known");
    rig.pass(HOUR_MS).await;
    // The sweep of the hour notes who is in use.
    rig.pass(2000).await;
    log.noted.store(0, Relaxed);
    for channel in channels {
        rig.hub.find(channel.as_str()).await.unwrap();
    }
    for _ in 0..100 {
        rig.pass(1000).await;
    }
    assert_eq!((log.noted.load(Relaxed), log.noting_most.load(Relaxed)), (2000, 1));
}

#[actix_rt::test]
async fn d30_a_channel_nobody_used_for_30_days_is_deleted() {
    let rig = Rig::new().await;
    rig.join("ann").await.leave().await;
    for _ in 0..29 * 24 {
        rig.pass(HOUR_MS).await;
    }
    assert!(rig.hub.find(rig.at.id().as_str()).await.is_ok());
    for _ in 0..31 * 24 {
        rig.pass(HOUR_MS).await;
    }
    assert!(rig.hub.find(rig.at.id().as_str()).await.is_err());
    assert!(rig.hub.find("general").await.is_ok(), "a band stays");
}

#[actix_rt::test]
async fn d32_a_drain_answers_everything_that_waits() {
    let rig = Rig::new().await;
    let (ann, bob) = (rig.join("ann").await, rig.join("bob").await);
    let mut stream = ann.stream().await;
    assert!(frame(&mut stream).await.unwrap().contains("hello"));
    let mut poll = pin!(bob.read(60_000));
    started(&mut poll).await;
    rig.settle().await;
    rig.hub.ready().await.unwrap();
    rig.hub.drain().await;
    assert!(matches!(rig.hub.ready().await, Err(HubError::Gone)));
    assert_eq!(poll.await.unwrap().reason, AnswerReason::Draining);
    let bye = frame(&mut stream).await.unwrap();
    assert!(bye.starts_with("retry: ") && bye.contains("\"draining\""), "{bye}");
    assert_eq!(bob.read(60_000).await.unwrap().reason, AnswerReason::Draining, "nothing waits any more");
}
