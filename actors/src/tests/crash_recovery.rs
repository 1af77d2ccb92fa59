//! A channel whose actor panics is recovered from its log.

use std::pin::pin;

use actix::prelude::*;
use rogerrat_domain::GapReason;

use super::harness::{TestHub, frame, started};
use crate::channel::actor::ChannelActor;
use crate::error::HubError;

/// Makes a channel's actor panic in the middle of a handler.
#[derive(Message)]
#[rtype(result = "()")]
struct Crash;

impl Handler<Crash> for ChannelActor {
    type Result = ();

    fn handle(&mut self, _: Crash, _: &mut Self::Context) {
        panic!("a test made this channel panic");
    }
}

pub(super) async fn crash(test_hub: &TestHub) {
    let addr = test_hub.handle().addr().unwrap();
    assert!(addr.send(Crash).await.is_err());
}

#[actix_rt::test]
async fn a_channel_that_panicked_is_recovered_with_its_members() {
    let test_hub = TestHub::new().await;
    let (ann, bob) = (test_hub.join("ann").await, test_hub.join("bob").await);
    let before = ann.send("all", "lost with the crash").await.unwrap();
    crash(&test_hub).await;
    assert_eq!(test_hub.roster().await.roster, ["ann", "bob"]);
    let after = ann.send("bob", "hi").await.unwrap();
    assert!(after.id > before.id);
    let totals = test_hub.hub.totals();
    assert_eq!((totals.revivals_total, totals.now.channels_live, totals.now.members), (1, 1, 2));
    let mut response = bob.read(1000).await.unwrap();
    let gap = response.gap.expect("the gap is reported");
    assert_eq!((gap.to, gap.reason), (before.id, GapReason::Restart));
    response.guard.complete();
    ann.send("bob", "again").await.unwrap();
    assert!(bob.read(1000).await.unwrap().gap.is_none(), "it is reported once");
}

#[actix_rt::test]
async fn a_poll_parked_in_a_crash_keeps_waiting() {
    let test_hub = TestHub::new().await;
    let (ann, bob) = (test_hub.join("ann").await, test_hub.join("bob").await);
    let mut response = bob.read(1).await;
    test_hub.pass(10).await;
    assert!(response.as_mut().is_ok_and(|p| p.messages.is_empty()));
    let mut poll = pin!(bob.texts(60_000));
    started(&mut poll).await;
    test_hub.settle().await;
    crash(&test_hub).await;
    started(&mut poll).await;
    test_hub.settle().await;
    // The new channel tells the loss first, then it is as before.
    let texts = poll.await;
    assert!(texts.is_empty());
    ann.send("bob", "hi").await.unwrap();
    assert_eq!(bob.texts(1000).await, ["hi"]);
}

#[actix_rt::test]
async fn a_stream_ends_with_bye_in_a_crash() {
    let test_hub = TestHub::new().await;
    let bob = test_hub.join("bob").await;
    let mut stream = bob.stream().await;
    assert!(frame(&mut stream).await.unwrap().contains("hello"));
    crash(&test_hub).await;
    assert!(frame(&mut stream).await.unwrap().starts_with("event: bye"));
    assert_eq!(frame(&mut stream).await, None);
}

#[actix_rt::test]
async fn an_operation_that_was_taken_and_lost_is_not_repeated() {
    let test_hub = TestHub::new().await;
    let ann = test_hub.join("ann").await;
    let addr = test_hub.handle().addr().unwrap();
    addr.try_send(Crash).unwrap();
    // It lies behind the crash in the mailbox, was not taken up, and is brought to the new channel.
    ann.send("all", "hi").await.unwrap();
    assert_eq!(test_hub.history().await, 1);
    assert!(matches!(HubError::OutcomeUnknown.into_refusal().code, rogerrat_domain::Code::Overloaded));
}
