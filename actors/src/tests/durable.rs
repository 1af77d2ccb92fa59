//! Durable channels across restarts, gentle ones and crashes, and their shelf.

use std::sync::Arc;

use rogerrat_domain::GapReason;
use rogerrat_domain::op::{CreateInput, ReceiptState};

use super::keeping::durable;
use super::log::{Held, TestLog};
use super::rig::{HOUR_MS, Rig, frame, started, texts};
use crate::LogError;

struct Stage {
    log: Arc<TestLog>,
    rig: Rig,
}

impl Stage {
    async fn new(create: CreateInput) -> Self {
        let log = Arc::new(TestLog::default());
        let rig = Rig::with(Held::new(log.clone()), create).await;
        Self { log, rig }
    }

    /// The process ends without a goodbye, `ms` after the last thing that happened.
    async fn crash_after(self, ms: u64) -> Self {
        self.rig.pass(ms).await;
        let log = self.log;
        Self { rig: self.rig.restarted(Held::new(log.clone())).await, log }
    }

    async fn crash(self) -> Self {
        self.crash_after(0).await
    }

    /// The process is told to end.
    async fn stop(self) -> Self {
        self.rig.hub.drain().await;
        self.rig.hub.close().await;
        self.crash().await
    }
}

#[actix_rt::test]
async fn a03_a_durable_channel_comes_back_with_everything_that_was_acknowledged() {
    let stage = Stage::new(durable()).await;
    let (ann, bob) = (stage.rig.join("ann").await, stage.rig.join("bob").await);
    let first = ann.send("all", "one").await.unwrap();
    assert_eq!(bob.texts(1000).await, ["one"]);
    let dm = ann.send("bob", "two").await.unwrap();
    let stage = stage.crash_after(1000).await;
    let (ann, bob) = (ann.at(&stage.rig), bob.at(&stage.rig));
    assert_eq!(stage.rig.roster().await.roster, ["ann", "bob"]);
    assert_eq!(stage.rig.history().await, 2);
    let mut parcel = bob.read(1000).await.unwrap();
    assert_eq!((texts(&parcel), parcel.gap), (vec!["two".to_owned()], None));
    assert_eq!(parcel.messages[0].attempt, 2, "it may have been given before the crash");
    parcel.guard.complete();
    let next = ann.send("all", "three").await.unwrap();
    assert!(next.id > dm.id && dm.id > first.id, "d10: ids go on, though the clock went back");
    assert_eq!(bob.texts(1000).await, ["three"]);
    assert_eq!(ann.receipt(dm.id).await, (ReceiptState::Delivered, Some(1)));
    assert_eq!(ann.receipt(first.id).await.0, ReceiptState::Delivered);
}

#[actix_rt::test]
async fn a03_after_a_goodbye_nothing_is_in_doubt() {
    let stage = Stage::new(durable()).await;
    let (ann, bob) = (stage.rig.join("ann").await, stage.rig.join("bob").await);
    ann.send("bob", "one").await.unwrap();
    let stage = stage.stop().await;
    let (ann, bob) = (ann.at(&stage.rig), bob.at(&stage.rig));
    let mut parcel = bob.read(1000).await.unwrap();
    assert_eq!((texts(&parcel), parcel.messages[0].attempt), (vec!["one".to_owned()], 1));
    parcel.guard.complete();
    ann.send("bob", "two").await.unwrap();
    // The hand-over is not in the log yet: after this crash it may come again, and says so.
    let stage = stage.crash().await;
    let again = bob.at(&stage.rig).read(1000).await.unwrap();
    assert!(again.messages.iter().all(|given| given.attempt == 2), "{:?}", texts(&again));
    assert!(texts(&again).contains(&"two".to_owned()));
}

#[actix_rt::test]
async fn a01_leases_cursors_and_consumers_survive_a_crash() {
    let stage = Stage::new(durable()).await;
    let (ann, bob) = (stage.rig.join("ann").await, stage.rig.join("bob").await);
    let one = ann.send("all", "one").await.unwrap();
    let two = ann.send("all", "two").await.unwrap();
    assert_eq!(texts(&bob.lease(Some("work")).await.unwrap()), ["one", "two"]);
    bob.ack(one.id, Some("work")).await;
    let stage = stage.crash_after(1000).await;
    let bob = bob.at(&stage.rig);
    assert!(bob.lease(Some("work")).await.unwrap().messages.is_empty(), "what is leased is skipped");
    stage.rig.pass(61_000).await;
    let again = bob.lease(Some("work")).await.unwrap();
    assert_eq!((texts(&again), again.messages[0].attempt), (vec!["two".to_owned()], 2));
    assert_eq!(bob.ack(two.id, Some("work")).await.cursor, two.id);
    let stage = stage.crash_after(1000).await;
    assert!(bob.at(&stage.rig).lease(Some("work")).await.unwrap().messages.is_empty(), "acknowledged is done");
}

#[actix_rt::test]
async fn a02_an_idempotency_key_survives_a_crash() {
    let stage = Stage::new(durable()).await;
    let ann = stage.rig.join("ann").await;
    let first = ann.send_keyed("all", "once", "key-1").await.unwrap();
    let stage = stage.crash().await;
    let again = ann.at(&stage.rig).send_keyed("all", "once", "key-1").await.unwrap();
    assert_eq!((again.id, again.at, again.duplicate), (first.id, first.at, true));
    assert!(ann.at(&stage.rig).send_keyed("all", "other", "key-1").await.is_err());
}

#[actix_rt::test]
async fn d05_a_memory_channel_tells_a_restart_once_to_each_older_member() {
    let stage = Stage::new(CreateInput::default()).await;
    let (ann, bob) = (stage.rig.join("ann").await, stage.rig.join("bob").await);
    let lost = ann.send("all", "lost").await.unwrap();
    let stage = stage.crash_after(100).await;
    let (ann, bob) = (ann.at(&stage.rig), bob.at(&stage.rig));
    let carl = stage.rig.join("carl").await;
    for agent in [&ann, &bob] {
        let mut parcel = agent.read(1000).await.unwrap();
        let gap = parcel.gap.expect("the loss is told");
        assert!(gap.to >= lost.id && gap.reason == GapReason::Restart);
        parcel.guard.complete();
    }
    let after = ann.send("all", "after").await.unwrap();
    assert!(after.id > lost.id);
    for agent in [&bob, &carl] {
        let parcel = agent.read(1000).await.unwrap();
        assert_eq!((texts(&parcel), parcel.gap), (vec!["after".to_owned()], None));
    }
}

#[actix_rt::test]
async fn a03_what_is_unread_comes_from_the_shelf_in_order() {
    let stage = Stage::new(durable()).await;
    let (ann, bob) = (stage.rig.join("ann").await, stage.rig.join("bob").await);
    let mut sent = Vec::new();
    for i in 0..250 {
        ann.send("all", &format!("m{i}")).await.unwrap();
        sent.push(format!("m{i}"));
    }
    let (mut read, mut reads) = (Vec::new(), 0);
    while read.len() < 250 {
        let mut parcel = bob.read(1000).await.unwrap();
        assert_eq!(parcel.gap, None);
        read.extend(texts(&parcel));
        parcel.guard.complete();
        reads += 1;
        assert!(reads < 20, "each read brings some");
    }
    assert_eq!(read, sent);
    assert!(bob.texts(1000).await.is_empty());
}

#[actix_rt::test]
async fn a03_a_stream_catches_up_from_the_shelf_and_goes_on() {
    let stage = Stage::new(durable()).await;
    let (ann, bob) = (stage.rig.join("ann").await, stage.rig.join("bob").await);
    for i in 0..250 {
        ann.send("all", &format!("m{i};")).await.unwrap();
    }
    let stage = stage.crash_after(100).await;
    let (ann, bob) = (ann.at(&stage.rig), bob.at(&stage.rig));
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
async fn d05_a_gap_comes_only_beyond_the_shelf() {
    let stage = Stage::new(durable()).await;
    let (ann, bob) = (stage.rig.join("ann").await, stage.rig.join("bob").await);
    let mut ids = Vec::new();
    for i in 0..1310 {
        ids.push(ann.send("all", &format!("m{i}")).await.unwrap().id);
    }
    let stage = stage.crash_after(100).await;
    let bob = bob.at(&stage.rig);
    let mut parcel = bob.read(1000).await.unwrap();
    let gap = parcel.gap.expect("ten left the shelf");
    assert_eq!((gap.to, gap.reason), (ids[9], GapReason::Ring));
    parcel.guard.complete();
    let mut next = bob.read(1000).await.unwrap();
    let first = if parcel.messages.is_empty() { texts(&next) } else { texts(&parcel) };
    next.guard.complete();
    assert_eq!(first[0], "m10");
    assert_eq!(stage.rig.join("carl").await.texts(1000).await.first().map(String::as_str), Some("m1210"));
}

#[actix_rt::test]
async fn d06_held_dms_survive_beyond_the_shelf() {
    let stage = Stage::new(durable()).await;
    let (ann, bob) = (stage.rig.join("ann").await, stage.rig.join("bob").await);
    bob.leave().await;
    ann.send("bob", "for bob").await.unwrap();
    for i in 0..2500 {
        ann.send("all", &format!("m{i}")).await.unwrap();
    }
    let stage = stage.crash_after(100).await;
    let bob = stage.rig.join("bob").await;
    let mut parcel = bob.read(1000).await.unwrap();
    assert_eq!(texts(&parcel), ["for bob"]);
    assert!(parcel.gap.is_some());
    parcel.guard.complete();
}

#[actix_rt::test]
async fn d30_an_idle_durable_channel_leaves_memory_and_loses_nothing() {
    let stage = Stage::new(durable()).await;
    let (ann, bob) = (stage.rig.join("ann").await, stage.rig.join("bob").await);
    ann.send("all", "kept").await.unwrap();
    ann.send("bob", "held").await.unwrap();
    stage.rig.pass(HOUR_MS / 12 + 2000).await;
    assert_eq!(stage.rig.hub.totals().now.channels_live, 0);
    let parcel = bob.read(1000).await.unwrap();
    assert_eq!((texts(&parcel), parcel.messages[0].attempt), (vec!["kept".to_owned(), "held".to_owned()], 1));
    assert_eq!(stage.rig.hub.totals().held_lost_with_channel_total, 0);
    drop(parcel);
    assert_eq!(stage.rig.roster().await.roster, ["ann", "bob"], "their sessions live on");
    stage.rig.pass(HOUR_MS / 12 + 2000).await;
    stage.rig.pass(HOUR_MS / 2).await;
    assert!(stage.rig.roster().await.roster.is_empty(), "time went on while the channel rested");
}

#[actix_rt::test]
async fn d17_a_session_that_expired_comes_back_after_a_restart() {
    let stage = Stage::new(durable()).await;
    let ann = stage.rig.join("ann").await;
    stage.rig.pass(HOUR_MS / 2 + 1000).await;
    assert!(ann.keepalive().await.is_err());
    let stage = stage.crash_after(100).await;
    assert_eq!(ann.at(&stage.rig).keepalive().await.unwrap_err(), rogerrat_domain::Code::SessionExpired);
    stage.rig.join("ann").await;
    ann.at(&stage.rig).keepalive().await.unwrap();
}

#[actix_rt::test]
async fn a_fetch_that_fails_is_tried_again_and_what_is_damaged_is_told_as_lost() {
    let stage = Stage::new(durable()).await;
    let (ann, bob) = (stage.rig.join("ann").await, stage.rig.join("bob").await);
    let mut ids = Vec::new();
    for i in 0..150 {
        ids.push(ann.send("all", &format!("m{i}")).await.unwrap().id);
    }
    *stage.log.unreadable.lock().unwrap() = Some(LogError::Busy);
    let mut poll = std::pin::pin!(bob.read(60_000));
    started(&mut poll).await;
    stage.rig.pass(3000).await;
    started(&mut poll).await;
    *stage.log.unreadable.lock().unwrap() = None;
    stage.rig.pass(1500).await;
    let parcel = poll.await.unwrap();
    assert_eq!(texts(&parcel)[0], "m0");
    drop(parcel);
    *stage.log.unreadable.lock().unwrap() = Some(LogError::Damaged("a page".into()));
    let mut parcel = bob.read(60_000).await.unwrap();
    let gap = parcel.gap.expect("the loss is told");
    assert!(gap.to >= ids[0] && gap.to < ids[149], "{gap:?}");
    parcel.guard.complete();
}

#[actix_rt::test]
async fn d30_a_log_is_folded_however_often_the_hub_crashes() {
    let mut stage = Stage::new(durable()).await;
    let mut ann = stage.rig.join("ann").await;
    for life in 0..5 {
        for i in 0..600 {
            ann.send("all", &format!("{life} {i}")).await.unwrap();
        }
        stage = stage.crash_after(100).await;
        ann = ann.at(&stage.rig);
    }
    ann.send("all", "one more").await.unwrap();
    stage.rig.pass(100).await;
    let records = stage.log.records(stage.rig.at.id()).await;
    assert!(records < 1500, "{records} records");
    assert_eq!(stage.rig.history().await, 100);
}

#[actix_rt::test]
async fn a01_a_consumer_that_acknowledged_nothing_is_given_again_what_it_was_given() {
    let stage = Stage::new(durable()).await;
    let (ann, bob) = (stage.rig.join("ann").await, stage.rig.join("bob").await);
    let mut ids = Vec::new();
    for i in 0..1200 {
        ids.push(ann.send("all", &format!("m{i}")).await.unwrap().id);
    }
    for _ in 0..20 {
        bob.lease(None).await.unwrap();
    }
    assert!(bob.lease(None).await.unwrap().messages.is_empty(), "a thousand are with it, and it gets nothing new");
    stage.rig.pass(61_000).await;
    let again = bob.lease(None).await.unwrap();
    assert_eq!((texts(&again)[0].as_str(), again.messages[0].attempt), ("m0", 2));
    bob.ack(ids[99], None).await;
    let mut given = Vec::new();
    for _ in 0..20 {
        let parcel = bob.lease(None).await.unwrap();
        given.extend(texts(&parcel));
        bob.ack(parcel.messages.last().map_or(0, |last| last.message.id), None).await;
    }
    assert_eq!(given.last().map(String::as_str), Some("m1199"));
}
