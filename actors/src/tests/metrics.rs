//! The counters and gauges of a hub follow its channels, and are taken back when a channel ends in any way.

use std::pin::pin;

use super::harness::{HOUR_MS, TestHub, started};
use crate::channel::messages::{CheckNow, Delete};

#[actix_rt::test]
async fn waiting_requests_are_counted() {
    let test_hub = TestHub::new().await;
    let (ann, bob) = (test_hub.join("ann").await, test_hub.join("bob").await);
    let stream = ann.stream().await;
    let mut poll = pin!(bob.texts(60_000));
    started(&mut poll).await;
    test_hub.settle().await;
    let now = test_hub.hub.totals().now;
    assert_eq!((now.channels, now.channels_live, now.members, now.members_live), (4, 1, 2, 2));
    assert_eq!((now.polls, now.streams), (1, 1));
    drop(stream);
    ann.send("bob", "hi").await.unwrap();
    assert_eq!(poll.await, ["hi"]);
    test_hub.roster().await;
    let totals = test_hub.hub.totals();
    assert_eq!((totals.now.polls, totals.now.streams, totals.now.held), (0, 0, 0));
    assert_eq!((totals.messages_total, totals.taken_total, totals.returned_total), (1, 1, 0));
}

#[actix_rt::test]
async fn a_response_that_is_dropped_is_counted_as_returned() {
    let test_hub = TestHub::new().await;
    let (ann, bob) = (test_hub.join("ann").await, test_hub.join("bob").await);
    ann.send("bob", "hi").await.unwrap();
    drop(bob.read(1000).await.unwrap());
    test_hub.settle().await;
    let totals = test_hub.hub.totals();
    assert_eq!((totals.taken_total, totals.returned_total, totals.now.held), (0, 1, 1));
    assert!(totals.now.held_bytes > 0);
}

#[actix_rt::test]
async fn a_channel_that_ends_leaves_the_gauges() {
    let test_hub = TestHub::new().await;
    let (ann, bob) = (test_hub.join("ann").await, test_hub.join("bob").await);
    bob.leave().await;
    ann.send("bob", "never read").await.unwrap();
    assert!(test_hub.handle().try_send(Delete).is_ok());
    test_hub.settle().await;
    let totals = test_hub.hub.totals();
    assert_eq!((totals.now.channels_live, totals.now.members, totals.now.held, totals.now.held_bytes), (0, 0, 0, 0));
    assert_eq!((totals.held_lost_with_channel_total, totals.held_lost_with_member_total), (1, 0));
}

#[actix_rt::test]
async fn held_dms_lost_with_their_member_are_counted() {
    let test_hub = TestHub::new().await;
    let (ann, bob) = (test_hub.join("ann").await, test_hub.join("bob").await);
    bob.leave().await;
    ann.send("bob", "never read").await.unwrap();
    test_hub.pass(8 * 24 * HOUR_MS).await;
    let totals = test_hub.hub.totals();
    assert_eq!((totals.held_lost_with_member_total, totals.held_lost_with_channel_total), (1, 0));
    assert_eq!(totals.now.held, 0);
}

#[actix_rt::test]
async fn a_full_mailbox_and_a_gap_are_counted() {
    let test_hub = TestHub::new().await;
    let (ann, bob) = (test_hub.join("ann").await, test_hub.join("bob").await);
    for n in 0..120 {
        ann.send("all", &n.to_string()).await.unwrap();
    }
    assert_eq!(bob.texts(1000).await.len(), 100);
    while test_hub.handle().try_send(CheckNow).is_ok() {}
    ann.send("all", "no handle").await.unwrap_err();
    test_hub.settle().await;
    let totals = test_hub.hub.totals();
    assert_eq!((totals.mailbox_refusals_total, totals.gaps_total.ring, totals.gaps_total.idle), (1, 1, 0));
    assert_eq!(totals.taken_total, 100);
}
