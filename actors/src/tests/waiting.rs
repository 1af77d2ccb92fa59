//! Parked polls and open streams.

use std::pin::pin;

use rogerrat_domain::AnswerReason;

use super::harness::{HOUR_MS, TestHub, frame, started, texts};

#[actix_rt::test]
async fn a_send_wakes_a_parked_poll() {
    let test_hub = TestHub::new().await;
    let (ann, bob) = (test_hub.join("ann").await, test_hub.join("bob").await);
    let mut poll = pin!(bob.texts(60_000));
    started(&mut poll).await;
    ann.send("bob", "hi").await.unwrap();
    assert_eq!(poll.await, ["hi"]);
}

#[actix_rt::test]
async fn a_poll_ends_at_its_deadline_and_not_before() {
    let test_hub = TestHub::new().await;
    let bob = test_hub.join("bob").await;
    let mut poll = pin!(bob.read(300_000));
    started(&mut poll).await;
    test_hub.pass(299_990).await;
    started(&mut poll).await;
    test_hub.pass(20).await;
    assert_eq!(poll.await.unwrap().reason, AnswerReason::TimedOut);
}

#[actix_rt::test]
async fn d01_a_poll_whose_client_disconnected_takes_no_message() {
    let test_hub = TestHub::new().await;
    let (ann, bob) = (test_hub.join("ann").await, test_hub.join("bob").await);
    {
        let mut poll = Box::pin(bob.read(60_000));
        started(&mut poll).await;
        test_hub.settle().await;
    }
    ann.send("bob", "hi").await.unwrap();
    assert_eq!(bob.texts(1000).await, ["hi"]);
}

#[actix_rt::test]
async fn d01_a_client_that_disconnects_while_it_is_answered_takes_no_message() {
    let test_hub = TestHub::new().await;
    let (ann, bob) = (test_hub.join("ann").await, test_hub.join("bob").await);
    let mut poll = Box::pin(bob.read(60_000));
    started(&mut poll).await;
    test_hub.settle().await;
    ann.send("bob", "hi").await.unwrap();
    drop(poll);
    assert_eq!(bob.texts(1000).await, ["hi"]);
}

#[actix_rt::test]
async fn d02_a_response_dropped_unread_goes_to_the_poll_that_waits_now() {
    let test_hub = TestHub::new().await;
    let (ann, bob) = (test_hub.join("ann").await, test_hub.join("bob").await);
    ann.send("bob", "hi").await.unwrap();
    let unread = bob.read(1000).await.unwrap();
    assert_eq!(texts(&unread), ["hi"]);
    let mut next = pin!(bob.texts(60_000));
    started(&mut next).await;
    test_hub.settle().await;
    drop(unread);
    assert_eq!(next.await, ["hi"]);
}

#[actix_rt::test]
async fn d04_a_second_poll_releases_the_first() {
    let test_hub = TestHub::new().await;
    let bob = test_hub.join("bob").await;
    let mut first = pin!(bob.read(60_000));
    started(&mut first).await;
    test_hub.settle().await;
    let mut second = pin!(bob.read(60_000));
    started(&mut second).await;
    assert_eq!(first.await.unwrap().reason, AnswerReason::Superseded);
}

#[actix_rt::test]
async fn a_stream_delivers_stored_and_new_messages() {
    let test_hub = TestHub::new().await;
    let (ann, bob) = (test_hub.join("ann").await, test_hub.join("bob").await);
    ann.send("all", "before").await.unwrap();
    let mut stream = bob.stream().await;
    assert!(frame(&mut stream).await.unwrap().contains("\"backlog_count\":1"));
    assert!(frame(&mut stream).await.unwrap().contains("before"));
    ann.send("bob", "after").await.unwrap();
    assert!(frame(&mut stream).await.unwrap().contains("after"));
    bob.leave().await;
    assert_eq!(frame(&mut stream).await.unwrap(), "event: bye\ndata: {\"reason\":\"left\"}\n\n");
    assert_eq!(frame(&mut stream).await, None);
}

#[actix_rt::test]
async fn d01_events_that_a_dropped_stream_did_not_take_stay_unread() {
    let test_hub = TestHub::new().await;
    let (ann, bob) = (test_hub.join("ann").await, test_hub.join("bob").await);
    let mut stream = bob.stream().await;
    for text in ["one", "two", "three"] {
        ann.send("bob", text).await.unwrap();
    }
    assert!(frame(&mut stream).await.unwrap().contains("hello"));
    assert!(frame(&mut stream).await.unwrap().contains("one"));
    drop(stream);
    assert_eq!(bob.texts(1000).await, ["two", "three"]);
}

#[actix_rt::test]
async fn a_stream_keeps_its_session_alive() {
    let test_hub = TestHub::new().await;
    let (ann, bob) = (test_hub.join("ann").await, test_hub.join("bob").await);
    let stream = bob.stream().await;
    test_hub.pass(HOUR_MS).await;
    assert_eq!(bob.keepalive().await, Ok(0));
    assert_eq!(ann.keepalive().await, Err(rogerrat_domain::Code::SessionExpired));
    drop(stream);
    test_hub.settle().await;
    test_hub.pass(HOUR_MS).await;
    assert_eq!(bob.keepalive().await, Err(rogerrat_domain::Code::SessionExpired));
}
