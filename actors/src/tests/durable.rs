//! Durable channels and their backlog, across clean restarts and crashes.

use std::pin::pin;
use std::sync::Arc;

use rogerrat_domain::op::{CreateInput, History, ReceiptState};
use rogerrat_domain::{Code, GapReason};

use super::harness::{HOUR_MS, TestHub, frame, started, texts};
use super::log::{Held, TestLog};
use super::log_writes::durable;
use crate::LogError;

struct Fixture {
    log: Arc<TestLog>,
    test_hub: TestHub,
}

impl Fixture {
    async fn new(create: CreateInput) -> Self {
        let log = Arc::new(TestLog::default());
        let test_hub = TestHub::with(Held::new(log.clone()), create).await;
        Self { log, test_hub }
    }

    /// The process ends without a goodbye, `ms` after the last thing that happened.
    async fn crash_after(self, ms: u64) -> Self {
        self.test_hub.pass(ms).await;
        let log = self.log;
        Self { test_hub: self.test_hub.restarted(Held::new(log.clone())).await, log }
    }

    async fn crash(self) -> Self {
        self.crash_after(0).await
    }

    /// The process is texts to end.
    async fn stop(self) -> Self {
        self.test_hub.hub.drain().await;
        self.test_hub.hub.close().await;
        self.crash().await
    }
}

#[actix_rt::test]
async fn a03_a_durable_channel_recovers_everything_that_was_acknowledged() {
    let fixture = Fixture::new(durable()).await;
    let (ann, bob) = (fixture.test_hub.join("ann").await, fixture.test_hub.join("bob").await);
    let first = ann.send("all", "one").await.unwrap();
    assert_eq!(bob.texts(1000).await, ["one"]);
    let dm = ann.send("bob", "two").await.unwrap();
    let fixture = fixture.crash_after(1000).await;
    let (ann, bob) = (ann.at(&fixture.test_hub), bob.at(&fixture.test_hub));
    assert_eq!(fixture.test_hub.roster().await.roster, ["ann", "bob"]);
    assert_eq!(fixture.test_hub.history().await, 2);
    let mut response = bob.read(1000).await.unwrap();
    assert_eq!((texts(&response), response.gap), (vec!["two".to_owned()], None));
    assert_eq!(response.messages[0].attempt, 2, "it may have been given before the crash");
    response.guard.complete();
    let next = ann.send("all", "three").await.unwrap();
    assert!(next.id > dm.id && dm.id > first.id, "d10: ids go on, though the clock went back");
    assert_eq!(bob.texts(1000).await, ["three"]);
    assert_eq!(ann.receipt(dm.id).await, (ReceiptState::Delivered, Some(1)));
    assert_eq!(ann.receipt(first.id).await.0, ReceiptState::Delivered);
}

#[actix_rt::test]
async fn a03_after_a_clean_shutdown_no_delivery_is_in_doubt() {
    let fixture = Fixture::new(durable()).await;
    let (ann, bob) = (fixture.test_hub.join("ann").await, fixture.test_hub.join("bob").await);
    ann.send("bob", "one").await.unwrap();
    let fixture = fixture.stop().await;
    let (ann, bob) = (ann.at(&fixture.test_hub), bob.at(&fixture.test_hub));
    let mut response = bob.read(1000).await.unwrap();
    assert_eq!((texts(&response), response.messages[0].attempt), (vec!["one".to_owned()], 1));
    response.guard.complete();
    ann.send("bob", "two").await.unwrap();
    // The hand-over is not in the log yet: after this crash it may come again, and says so.
    let fixture = fixture.crash().await;
    let again = bob.at(&fixture.test_hub).read(1000).await.unwrap();
    assert!(again.messages.iter().all(|given| given.attempt == 2), "{:?}", texts(&again));
    assert!(texts(&again).contains(&"two".to_owned()));
}

#[actix_rt::test]
async fn a01_leases_cursors_and_consumers_survive_a_crash() {
    let fixture = Fixture::new(durable()).await;
    let (ann, bob) = (fixture.test_hub.join("ann").await, fixture.test_hub.join("bob").await);
    let one = ann.send("all", "one").await.unwrap();
    let two = ann.send("all", "two").await.unwrap();
    assert_eq!(texts(&bob.lease(Some("work")).await.unwrap()), ["one", "two"]);
    bob.ack(one.id, Some("work")).await;
    let fixture = fixture.crash_after(1000).await;
    let bob = bob.at(&fixture.test_hub);
    assert!(bob.lease(Some("work")).await.unwrap().messages.is_empty(), "what is leased is skipped");
    fixture.test_hub.pass(61_000).await;
    let again = bob.lease(Some("work")).await.unwrap();
    assert_eq!((texts(&again), again.messages[0].attempt), (vec!["two".to_owned()], 2));
    assert_eq!(bob.ack(two.id, Some("work")).await.cursor, two.id);
    let fixture = fixture.crash_after(1000).await;
    assert!(bob.at(&fixture.test_hub).lease(Some("work")).await.unwrap().messages.is_empty(), "acknowledged is done");
}

#[actix_rt::test]
async fn a02_an_idempotency_key_survives_a_crash() {
    let fixture = Fixture::new(durable()).await;
    let ann = fixture.test_hub.join("ann").await;
    let first = ann.send_keyed("all", "once", "key-1").await.unwrap();
    let fixture = fixture.crash().await;
    let again = ann.at(&fixture.test_hub).send_keyed("all", "once", "key-1").await.unwrap();
    assert_eq!((again.id, again.at, again.duplicate), (first.id, first.at, true));
    assert!(ann.at(&fixture.test_hub).send_keyed("all", "other", "key-1").await.is_err());
}

#[actix_rt::test]
async fn d05_a_memory_channel_reports_a_restart_gap_once_to_each_older_member() {
    let fixture = Fixture::new(CreateInput::default()).await;
    let (ann, bob) = (fixture.test_hub.join("ann").await, fixture.test_hub.join("bob").await);
    let lost = ann.send("all", "lost").await.unwrap();
    let fixture = fixture.crash_after(100).await;
    let (ann, bob) = (ann.at(&fixture.test_hub), bob.at(&fixture.test_hub));
    let carl = fixture.test_hub.join("carl").await;
    for agent in [&ann, &bob] {
        let mut response = agent.read(1000).await.unwrap();
        let gap = response.gap.expect("the gap is reported");
        assert!(gap.to >= lost.id && gap.reason == GapReason::Restart);
        response.guard.complete();
    }
    let after = ann.send("all", "after").await.unwrap();
    assert!(after.id > lost.id);
    for agent in [&bob, &carl] {
        let response = agent.read(1000).await.unwrap();
        assert_eq!((texts(&response), response.gap), (vec!["after".to_owned()], None));
    }
}

#[actix_rt::test]
async fn a03_unread_messages_come_from_the_backlog_in_order() {
    let fixture = Fixture::new(durable()).await;
    let (ann, bob) = (fixture.test_hub.join("ann").await, fixture.test_hub.join("bob").await);
    let mut sent = Vec::new();
    for i in 0..250 {
        ann.send("all", &format!("m{i}")).await.unwrap();
        sent.push(format!("m{i}"));
    }
    let (mut read, mut reads) = (Vec::new(), 0);
    while read.len() < 250 {
        let mut response = bob.read(1000).await.unwrap();
        assert_eq!(response.gap, None);
        read.extend(texts(&response));
        response.guard.complete();
        reads += 1;
        assert!(reads < 20, "each read brings some");
    }
    assert_eq!(read, sent);
    assert!(bob.texts(1000).await.is_empty());
}

#[actix_rt::test]
async fn a03_a_stream_catches_up_from_the_backlog_and_continues() {
    let fixture = Fixture::new(durable()).await;
    let (ann, bob) = (fixture.test_hub.join("ann").await, fixture.test_hub.join("bob").await);
    for i in 0..250 {
        ann.send("all", &format!("m{i};")).await.unwrap();
    }
    let fixture = fixture.crash_after(100).await;
    let (ann, bob) = (ann.at(&fixture.test_hub), bob.at(&fixture.test_hub));
    let mut stream = bob.stream().await;
    assert!(frame(&mut stream).await.unwrap().contains("hello"));
    for i in 0..250 {
        let next = frame(&mut stream).await.unwrap();
        assert!(next.contains(&format!("m{i};")) && next.contains("\"attempt\":2"), "{i}: {next}");
        if i == 200 {
            ann.send("all", "live;").await.unwrap();
        }
    }
    assert!(frame(&mut stream).await.unwrap().contains("live;"));
}

#[actix_rt::test]
async fn d05_a_gap_is_reported_only_beyond_the_backlog() {
    let fixture = Fixture::new(durable()).await;
    let (ann, bob) = (fixture.test_hub.join("ann").await, fixture.test_hub.join("bob").await);
    let mut ids = Vec::new();
    for i in 0..1310 {
        ids.push(ann.send("all", &format!("m{i}")).await.unwrap().id);
    }
    let fixture = fixture.crash_after(100).await;
    let bob = bob.at(&fixture.test_hub);
    let mut response = bob.read(1000).await.unwrap();
    let gap = response.gap.expect("ten left the backlog");
    assert_eq!((gap.to, gap.reason), (ids[9], GapReason::Ring));
    response.guard.complete();
    let mut next = bob.read(1000).await.unwrap();
    let first = if response.messages.is_empty() { texts(&next) } else { texts(&response) };
    next.guard.complete();
    assert_eq!(first[0], "m10");
    assert_eq!(fixture.test_hub.join("carl").await.texts(1000).await.first().map(String::as_str), Some("m1210"));
}

#[actix_rt::test]
async fn d06_held_dms_survive_beyond_the_backlog() {
    let fixture = Fixture::new(durable()).await;
    let (ann, bob) = (fixture.test_hub.join("ann").await, fixture.test_hub.join("bob").await);
    bob.leave().await;
    ann.send("bob", "for bob").await.unwrap();
    for i in 0..2500 {
        ann.send("all", &format!("m{i}")).await.unwrap();
    }
    let fixture = fixture.crash_after(100).await;
    let bob = fixture.test_hub.join("bob").await;
    let mut response = bob.read(1000).await.unwrap();
    assert_eq!(texts(&response), ["for bob"]);
    assert!(response.gap.is_some());
    response.guard.complete();
}

#[actix_rt::test]
async fn d30_an_idle_durable_channel_leaves_memory_and_loses_nothing() {
    let fixture = Fixture::new(durable()).await;
    let (ann, bob) = (fixture.test_hub.join("ann").await, fixture.test_hub.join("bob").await);
    ann.send("all", "kept").await.unwrap();
    ann.send("bob", "held").await.unwrap();
    fixture.test_hub.pass(HOUR_MS / 12 + 2000).await;
    assert_eq!(fixture.test_hub.hub.totals().now.channels_live, 0);
    let response = bob.read(1000).await.unwrap();
    assert_eq!((texts(&response), response.messages[0].attempt), (vec!["kept".to_owned(), "held".to_owned()], 1));
    assert_eq!(fixture.test_hub.hub.totals().held_lost_with_channel_total, 0);
    drop(response);
    assert_eq!(fixture.test_hub.roster().await.roster, ["ann", "bob"], "their sessions live on");
    fixture.test_hub.pass(HOUR_MS / 12 + 2000).await;
    fixture.test_hub.pass(HOUR_MS / 2).await;
    assert!(fixture.test_hub.roster().await.roster.is_empty(), "time went on while the channel rested");
}

#[actix_rt::test]
async fn d17_an_expired_session_is_restored_after_a_restart() {
    let fixture = Fixture::new(durable()).await;
    let ann = fixture.test_hub.join("ann").await;
    fixture.test_hub.pass(HOUR_MS / 2 + 1000).await;
    assert!(ann.keepalive().await.is_err());
    let fixture = fixture.crash_after(100).await;
    assert_eq!(ann.at(&fixture.test_hub).keepalive().await.unwrap_err(), rogerrat_domain::Code::SessionExpired);
    fixture.test_hub.join("ann").await;
    ann.at(&fixture.test_hub).keepalive().await.unwrap();
}

#[actix_rt::test]
async fn a_failed_fetch_is_retried_and_corrupt_messages_become_a_gap() {
    let fixture = Fixture::new(durable()).await;
    let (ann, bob) = (fixture.test_hub.join("ann").await, fixture.test_hub.join("bob").await);
    let mut ids = Vec::new();
    for i in 0..150 {
        ids.push(ann.send("all", &format!("m{i}")).await.unwrap().id);
    }
    *fixture.log.unreadable.lock().unwrap() = Some(LogError::Busy);
    let mut poll = std::pin::pin!(bob.read(60_000));
    started(&mut poll).await;
    fixture.test_hub.pass(3000).await;
    started(&mut poll).await;
    *fixture.log.unreadable.lock().unwrap() = None;
    fixture.test_hub.pass(1500).await;
    let response = poll.await.unwrap();
    assert_eq!(texts(&response)[0], "m0");
    drop(response);
    *fixture.log.unreadable.lock().unwrap() = Some(LogError::Damaged("a page".into()));
    let mut response = bob.read(60_000).await.unwrap();
    let gap = response.gap.expect("the gap is reported");
    assert!(gap.to >= ids[0] && gap.to < ids[149], "{gap:?}");
    response.guard.complete();
}

#[actix_rt::test]
async fn a24_a_page_of_the_history_that_cannot_be_read_is_refused_and_the_ring_is_not() {
    let fixture = Fixture::new(durable()).await;
    let ann = fixture.test_hub.join("ann").await;
    let mut ids = Vec::new();
    for i in 0..150 {
        ids.push(ann.send("all", &format!("m{i}")).await.unwrap().id);
    }
    let page = |before| {
        let history = History { session: None, n: 60, thread: None, before };
        fixture.test_hub.hub.history(&fixture.test_hub.at, history)
    };
    *fixture.log.unreadable.lock().unwrap() = Some(LogError::Busy);
    let newest = page(None).await.unwrap();
    assert_eq!((newest.history.len(), newest.before), (60, Some(ids[90])));
    assert_eq!(page(newest.before).await.unwrap_err().into_refusal().code, Code::Overloaded);
    *fixture.log.unreadable.lock().unwrap() = None;
    let page = page(newest.before).await.unwrap();
    assert_eq!(page.history.iter().map(|message| message.id).collect::<Vec<_>>(), ids[30..90]);
    assert_eq!(page.before, Some(ids[30]));
}

#[actix_rt::test]
async fn d30_a_log_is_compacted_however_often_the_hub_crashes() {
    let mut fixture = Fixture::new(durable()).await;
    let mut ann = fixture.test_hub.join("ann").await;
    for life in 0..5 {
        for i in 0..600 {
            ann.send("all", &format!("{life} {i}")).await.unwrap();
        }
        fixture = fixture.crash_after(100).await;
        ann = ann.at(&fixture.test_hub);
    }
    ann.send("all", "one more").await.unwrap();
    fixture.test_hub.pass(100).await;
    let records = fixture.log.records(fixture.test_hub.at.id()).await;
    assert!(records < 1500, "{records} records");
    assert_eq!(fixture.test_hub.history().await, 100);
}

#[actix_rt::test]
async fn a01_a_consumer_without_acks_gets_the_same_messages_again() {
    let fixture = Fixture::new(durable()).await;
    let (ann, bob) = (fixture.test_hub.join("ann").await, fixture.test_hub.join("bob").await);
    let mut ids = Vec::new();
    for i in 0..1200 {
        ids.push(ann.send("all", &format!("m{i}")).await.unwrap().id);
    }
    for _ in 0..20 {
        bob.lease(None).await.unwrap();
    }
    assert!(bob.lease(None).await.unwrap().messages.is_empty(), "a thousand are with it, and it gets nothing new");
    fixture.test_hub.pass(61_000).await;
    let again = bob.lease(None).await.unwrap();
    assert_eq!((texts(&again)[0].as_str(), again.messages[0].attempt), ("m0", 2));
    bob.ack(ids[99], None).await;
    let mut given = Vec::new();
    for _ in 0..20 {
        let response = bob.lease(None).await.unwrap();
        given.extend(texts(&response));
        bob.ack(response.messages.last().map_or(0, |last| last.message.id), None).await;
    }
    assert_eq!(given.last().map(String::as_str), Some("m1199"));
}

#[actix_rt::test]
async fn a_read_at_the_moment_when_the_channel_is_unloaded_is_stored() {
    let log = Arc::new(TestLog::default());
    let test_hub = TestHub::with(Held::new(log), durable()).await;
    let (ann, bob) = (test_hub.join("ann").await, test_hub.join("bob").await);
    ann.send("all", "once").await.unwrap();
    let mut read = pin!(bob.texts(0));
    started(&mut read).await;
    // The actor finds the request and that it is to be unloaded, both at once.
    test_hub.pass(HOUR_MS / 12 + 1000).await;
    assert_eq!(read.await, ["once"]);
    test_hub.pass(HOUR_MS / 12 + 1000).await;
    assert!(bob.texts(0).await.is_empty(), "it is not delivered again");
}
