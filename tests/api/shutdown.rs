//! D32: graceful shutdown, and immediate shutdown at the second signal.

use rogerrat_testkit::{Conn, Hub, PendingPoll, timed, wait_until};
use serde_json::json;

#[test]
fn d32_a_stop_answers_waiting_requests_and_exits_cleanly() {
    let mut hub = Hub::start();
    let channel = hub.channel();
    let agents: Vec<_> = (0..12).map(|n| channel.join(&format!("a{n}"))).collect();
    let listening: Vec<_> = agents[..4].iter().map(|agent| agent.park("listen?timeout=60")).collect();
    let waiting: Vec<_> = agents[4..8].iter().map(|agent| agent.park("wait?timeout=300")).collect();
    let mut streams: Vec<_> = agents[8..].iter().map(|agent| agent.stream("")).collect();
    drop(agents);
    hub.signal("TERM");
    for answer in listening.into_iter().map(PendingPoll::answer) {
        assert_eq!(answer, json!({"messages": [], "timed_out": true, "draining": true}));
    }
    for answer in waiting.into_iter().map(PendingPoll::answer) {
        assert_eq!((&answer["timed_out"], &answer["draining"]), (&json!(true), &json!(true)));
        assert!(answer["roster"].is_array() && answer["meta_hint"].is_string(), "{answer}");
    }
    let mut retries: Vec<_> = streams
        .iter_mut()
        .map(|stream| {
            let bye = stream.last();
            assert_eq!((bye.name(), bye.data()), ("bye", json!({"reason": "draining"})));
            bye.field("retry").unwrap().parse::<u64>().unwrap()
        })
        .collect();
    assert!(retries.iter().all(|ms| (500..=10_000).contains(ms)), "{retries:?}");
    retries.dedup();
    assert!(retries.len() > 1, "the retry times differ: {retries:?}");
    drop(streams);
    assert_eq!(hub.wait_for_exit().code(), Some(0));
}

#[test]
fn d32_an_interrupt_drains_too() {
    let mut hub = Hub::start();
    hub.signal("INT");
    assert_eq!(hub.wait_for_exit().code(), Some(0));
}

#[test]
fn d32_an_idle_hub_stops_quickly() {
    let mut hub = Hub::with(&[], &[("ROGERRAT_SERVER__DRAIN_MS", "600000")]);
    let channel = hub.channel();
    let parked = channel.join("ann").park("wait?timeout=300");
    hub.signal("TERM");
    assert_eq!(parked.answer()["draining"], true);
    let (duration, status) = timed(|| hub.wait_for_exit());
    assert_eq!(status.code(), Some(0));
    assert!(duration.as_secs() < 20, "{duration:?}");
}

/// A hub that is asked to stop while a request is half sent, so that the shutdown takes some time.
fn stopping() -> (Hub, Conn) {
    let hub = Hub::with(&[], &[("ROGERRAT_SERVER__DRAIN_MS", "600000")]);
    let mut half = hub.connect();
    half.write(b"POST /api/channels HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{");
    // Another connection of the same worker is served only after the half was read.
    for _ in 0..8 {
        assert_eq!(hub.get("/readyz").send().status, 200);
    }
    (hub, half)
}

#[test]
fn d32_readiness_is_503_while_draining() {
    let (hub, half) = stopping();
    hub.signal("TERM");
    wait_until("the hub drains", || hub.log().contains("draining"));
    hub.get("/readyz").send().refused(503, "overloaded");
    drop(half);
}

#[test]
fn d32_a_second_signal_stops_at_once() {
    let (mut hub, half) = stopping();
    hub.signal("TERM");
    wait_until("the hub drains", || hub.log().contains("draining"));
    assert!(!hub.has_exited(), "a half-sent request delays the shutdown");
    hub.signal("TERM");
    let (duration, _) = timed(|| hub.wait_for_exit());
    assert!(duration.as_secs() < 20, "{duration:?}");
    assert!(half.read_to_end().is_empty());
}
