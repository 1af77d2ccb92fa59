//! Channels that move from one hub to the other, and owners that do not say so.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};

use super::client::{Stream, wait_until};
use super::cluster::{AllAt, Shared, texts};

#[actix_web::test]
async fn c13_a_channel_that_is_given_up_is_served_by_the_other_hub() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let channel = a.channel().await;
    let (ann, bob) = (channel.join(&b, "ann").await, channel.join(&b, "bob").await);
    let mut stream = Stream::open(b.address, ann.call("GET", "/stream")).await;
    stream.until("event: hello").await;
    let polling = actix_web::rt::spawn(bob.call("GET", "/wait?timeout=290").at(b.address));
    wait_until("the poll should be parked at the owner", || a.polls() == 1).await;
    a.stop().await;
    let ended = polling.await.unwrap().ok();
    assert_eq!((&ended["timed_out"], &ended["draining"]), (&true.into(), &true.into()), "{ended}");
    let last = stream.rest().await;
    assert!(last.as_ref().is_ok_and(|text| text.contains("event: bye")), "{last:?}");
    ann.send(&b, "hi").await;
    assert_eq!(texts(&bob.read(&b).await), [("hi".to_owned(), 1)]);
    assert!(b.hub.totals().now.channels_live > 0);
}

#[actix_web::test]
async fn c13_the_channels_of_a_hub_that_was_killed_are_taken_at_the_next_request() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let channel = a.channel().await;
    let (ann, bob) = (channel.join(&b, "ann").await, channel.join(&b, "bob").await);
    ann.send(&b, "before").await;
    let polling = actix_web::rt::spawn(bob.call("GET", "/wait?timeout=290&after=all").at(b.address));
    let _ = polling.await.unwrap().ok();
    let mut stream = Stream::open(b.address, ann.call("GET", "/stream")).await;
    stream.until("event: hello").await;
    a.kill().await;
    // The stream breaks off; it must not look complete.
    assert!(stream.rest().await.is_err());
    ann.send(&b, "after").await;
    let read = texts(&bob.read(&b).await);
    assert!(read.iter().any(|(text, _)| text == "after"), "{read:?}");
}

#[actix_web::test]
async fn c13_two_hubs_that_name_each_other_end_in_an_error() {
    let shared = Shared::new();
    let (owner_by_a, owner_by_b) = (Arc::new(OnceLock::new()), Arc::new(OnceLock::new()));
    let mut of_a = None;
    let a = shared
        .hub_located_by(&[], |hub| {
            let locator = Arc::new(AllAt::new(hub, &owner_by_a));
            of_a = Some(locator.looks.clone());
            locator
        })
        .await;
    let b = shared.hub_located_by(&[], |hub| Arc::new(AllAt::new(hub, &owner_by_b))).await;
    let channel = a.channel().await;
    let ann = channel.join(&a, "ann").await;
    owner_by_a.set(b.instance()).unwrap();
    owner_by_b.set(a.instance()).unwrap();
    let looks = of_a.unwrap();
    for call in [ann.call("GET", "/history"), ann.sending("hi")] {
        looks.store(0, Relaxed);
        let reply = call.at(a.address).await;
        assert_eq!((reply.status, reply.json()["code"].as_str()), (503, Some("overloaded")), "{reply:?}");
        assert!(reply.header("retry-after").is_some() && reply.json()["hint"].is_string(), "{reply:?}");
        assert!(reply.body.contains("nothing was done"), "{}", reply.body);
        assert_eq!(looks.load(Relaxed), 4, "the first time, and three times again");
    }
}

#[actix_web::test]
async fn c13_a_hub_that_stops_ends_what_it_has_forwarded() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let channel = a.channel().await;
    let (ann, bob) = (channel.join(&a, "ann").await, channel.join(&a, "bob").await);
    let mut stream = Stream::open(b.address, ann.call("GET", "/stream")).await;
    stream.until("event: hello").await;
    let polling = actix_web::rt::spawn(bob.call("GET", "/wait?timeout=290").at(b.address));
    wait_until("the poll should be parked at the owner", || a.polls() == 1).await;
    b.stop().await;
    let ended = polling.await.unwrap();
    assert_eq!((ended.status, ended.json()["code"].as_str()), (503, Some("overloaded")), "{ended:?}");
    assert!(stream.rest().await.is_err());
    wait_until("nothing should wait at the owner", || a.polls() == 0 && a.streams() == 0).await;
    ann.send(&a, "hi").await;
    assert_eq!(texts(&bob.read(&a).await), [("hi".to_owned(), 1)]);
}

#[actix_web::test]
async fn c13_a_request_whose_channel_comes_here_meanwhile_is_answered_here() {
    let shared = Shared::new();
    let a = shared.hub().await;
    let channel = a.channel().await;
    let ann = channel.join(&a, "ann").await;
    let b = shared.hub().await;
    // It learns where the channel is, and the channel is given up.
    ann.at(&b, "GET", "/history").await.ok();
    a.stop().await;
    let sent = ann.send(&b, "a body that is sent twice").await;
    assert!(sent["id"].is_u64());
    let history = ann.at(&b, "GET", "/history").await.ok();
    assert_eq!(history["history"][0]["text"], "a body that is sent twice", "{history}");
}
