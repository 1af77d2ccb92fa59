//! Writes to the log: one append at a time, in order, and no reply or delivery before the commit.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use futures_util::future::{join, join_all};
use rogerrat_domain::limits::SESSION_TTL_MS;
use rogerrat_domain::op::CreateInput;
use rogerrat_domain::{Code, Durability, Retention};

use super::harness::{TestHub, started};
use super::log::{Held, TestLog};

pub(crate) fn durable() -> CreateInput {
    CreateInput { durability: Some(Durability::Disk), ..CreateInput::default() }
}

async fn durable_on(log: &Arc<TestLog>) -> TestHub {
    TestHub::with(Held::new(log.clone()), durable()).await
}

#[actix_rt::test]
async fn operations_that_arrive_during_a_write_wait_their_turn() {
    let test_hub = TestHub::with_log(Held::new(TestLog::slow())).await;
    let (ann, bob) = (test_hub.join("ann"), test_hub.join("bob"));
    join(ann, bob).await;
    assert_eq!(test_hub.roster().await.roster, ["ann", "bob"]);
}

#[actix_rt::test]
async fn a03_a_durable_message_is_not_delivered_before_it_is_stored() {
    let log = TestLog::slow();
    let test_hub = durable_on(&log).await;
    let (ann, bob) = (test_hub.join("ann").await, test_hub.join("bob").await);
    let mut poll = pin!(bob.texts(60_000));
    started(&mut poll).await;
    test_hub.settle().await;
    let mut send = pin!(ann.send("bob", "hi"));
    started(&mut send).await;
    test_hub.pass(900).await;
    started(&mut send).await;
    started(&mut poll).await;
    test_hub.pass(200).await;
    assert_eq!(poll.await, ["hi"]);
    send.await.unwrap();
}

#[actix_rt::test]
async fn operations_that_arrive_together_are_one_record() {
    let log = Arc::new(TestLog::default());
    let test_hub = durable_on(&log).await;
    let ann = test_hub.join("ann").await;
    let before = log.appends.load(Relaxed);
    let sent = join_all((0..50).map(|i| {
        let ann = ann.clone();
        async move { ann.send("all", &format!("{i}")).await.unwrap().id }
    }))
    .await;
    assert!(sent.is_sorted_by(|a, b| a < b), "each has its own id");
    assert!(log.appends.load(Relaxed) - before <= 2, "{} records", log.appends.load(Relaxed) - before);
    assert_eq!(test_hub.history().await, 50);
}

#[actix_rt::test]
async fn a_send_that_the_log_refuses_has_no_effect() {
    let log = Arc::new(TestLog::default());
    let test_hub = durable_on(&log).await;
    let (ann, bob) = (test_hub.join("ann").await, test_hub.join("bob").await);
    ann.send("all", "first").await.unwrap();
    assert_eq!(bob.texts(1000).await, ["first"]);
    let mut poll = pin!(bob.texts(60_000));
    started(&mut poll).await;
    log.full.store(true, Relaxed);
    for _ in 0..3 {
        let refused = ann.send("all", "lost").await.unwrap_err();
        assert_eq!(refused.into_refusal().code, Code::StorageFailed);
        test_hub.pass(10).await;
        started(&mut poll).await;
    }
    log.full.store(false, Relaxed);
    test_hub.pass(5000).await;
    ann.send("all", "second").await.unwrap();
    assert_eq!(poll.await, ["second"], "a poll that was parked waits on");
    assert_eq!(test_hub.history().await, 2);
}

#[actix_rt::test]
async fn what_waits_on_a_durable_channel_fails_when_the_write_before_it_is_refused() {
    let log = TestLog::slow();
    let test_hub = durable_on(&log).await;
    let (ann, bob) = (test_hub.join("ann").await, test_hub.join("bob").await);
    ann.send("all", "hi").await.unwrap();
    assert_eq!(bob.texts(1000).await, ["hi"]);
    test_hub.pass(100).await;
    // The delivery is being written, and nothing waits for it.
    log.full.store(true, Relaxed);
    assert_eq!(test_hub.try_join("carol").await.unwrap_err().into_refusal().code, Code::StorageFailed);
    log.full.store(false, Relaxed);
    test_hub.pass(5000).await;
    test_hub.try_join("carol").await.unwrap();
}

#[actix_rt::test]
async fn what_waits_on_a_memory_channel_is_done_when_the_write_before_it_is_refused() {
    let log = TestLog::slow();
    let test_hub = TestHub::with_log(Held::new(log.clone())).await;
    test_hub.join("ann").await;
    for _ in 0..2 {
        // The second time, the end of its session is being written, and nothing waits for that.
        test_hub.pass(SESSION_TTL_MS / 2 + 50).await;
    }
    log.full.store(true, Relaxed);
    test_hub.try_join("bob").await.unwrap();
    log.full.store(false, Relaxed);
    test_hub.pass(5000).await;
    assert_eq!(test_hub.roster().await.roster, ["bob"]);
}

#[actix_rt::test]
async fn a_busy_log_is_not_a_failed_log() {
    let log = Arc::new(TestLog::default());
    let test_hub = durable_on(&log).await;
    let ann = test_hub.join("ann").await;
    log.busy.store(true, Relaxed);
    let refused = ann.send("all", "later").await.unwrap_err().into_refusal();
    assert_eq!((refused.code, refused.retry_after_ms), (Code::Overloaded, Some(1000)));
    let refused = test_hub.hub.create(CreateInput::default(), None).await.unwrap_err().into_refusal();
    assert_eq!((refused.code, refused.retry_after_ms), (Code::Overloaded, Some(1000)));
    log.busy.store(false, Relaxed);
    ann.send("all", "now").await.unwrap();
    assert_eq!(test_hub.history().await, 1);
}

#[actix_rt::test]
async fn a_memory_channel_continues_while_the_log_refuses_and_is_stored_later() {
    let log = Arc::new(TestLog::default());
    let test_hub = TestHub::with_log(Held::new(log.clone())).await;
    let ann = test_hub.join("ann").await;
    log.full.store(true, Relaxed);
    let bob = test_hub.join("bob").await;
    ann.send("bob", "hi").await.unwrap();
    assert_eq!(bob.texts(1000).await, ["hi"]);
    log.full.store(false, Relaxed);
    test_hub.pass(5000).await;
    let test_hub = test_hub.restarted(Held::new(log)).await;
    assert_eq!(test_hub.roster().await.roster, ["ann", "bob"], "who came meanwhile is kept");
}

#[actix_rt::test]
async fn a03_a_send_whose_transcript_cannot_be_written_fails_before_delivery() {
    let log = Arc::new(TestLog::default());
    let metadata = CreateInput { retention: Some(Retention::Metadata), ..CreateInput::default() };
    let test_hub = TestHub::with(Held::new(log.clone()), metadata).await;
    let (ann, bob) = (test_hub.join("ann").await, test_hub.join("bob").await);
    let mut poll = pin!(bob.texts(60_000));
    started(&mut poll).await;
    log.full.store(true, Relaxed);
    assert_eq!(ann.send("bob", "lost").await.unwrap_err().into_refusal().code, Code::StorageFailed);
    test_hub.pass(100).await;
    started(&mut poll).await;
    log.full.store(false, Relaxed);
    test_hub.pass(3000).await;
    ann.send("bob", "heard").await.unwrap();
    assert_eq!(poll.await, ["heard"]);
    let lines = test_hub.hub.transcript(&test_hub.at, None, 10).await.unwrap().next_page().await.unwrap();
    let kinds: Vec<_> = lines.iter().map(|line| line.json.get().split('"').nth(3).unwrap().to_owned()).collect();
    assert_eq!(kinds, ["channel_created", "join", "join", "message_meta"]);
}

#[actix_rt::test]
async fn a02_a_send_of_unknown_outcome_is_reported_and_safe_to_repeat() {
    let log = Arc::new(TestLog::default());
    let test_hub = durable_on(&log).await;
    let (ann, bob) = (test_hub.join("ann").await, test_hub.join("bob").await);
    log.silent.store(true, Relaxed);
    let unknown = ann.send_keyed("all", "once", "key-1").await.unwrap_err();
    assert_eq!(unknown.into_refusal().code, Code::Overloaded);
    log.silent.store(false, Relaxed);
    let reply = ann.send_keyed("all", "once", "key-1").await.unwrap();
    assert!(reply.duplicate, "it was kept after all");
    assert_eq!(bob.texts(1000).await, ["once"]);
    assert_eq!(test_hub.history().await, 1);
}
