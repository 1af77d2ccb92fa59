//! D1 and D2 over HTTP/2, where a handler outlives its client.

use rogerrat_testkit::{Agent, Hub, wait_until};

use super::http2::{Http2, WINDOW};

fn two() -> (Hub, Agent, Agent) {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    (hub, ann, bob)
}

/// Reads until both have come, each once. Their order is open: the first may be with the read that was given up, and
/// on its way back, when the next read takes the second.
fn assert_both_come(ann: &Agent, mut both: [&str; 2]) {
    let mut heard = Vec::new();
    wait_until("both have come", || {
        heard.extend(ann.listen());
        heard.len() >= 2
    });
    heard.sort();
    both.sort_unstable();
    assert_eq!(heard, both);
}

#[test]
fn d01_a_poll_whose_connection_closed_gives_its_place_back() {
    let (hub, ann, bob) = two();
    for what in ["wait?timeout=300", "listen?timeout=60", "stream", "stream?ack=manual"] {
        let mut http2 = Http2::open(*hub, WINDOW);
        http2.get(&ann, what);
        ann.until_waiting(true);
        drop(http2);
        ann.until_waiting(false);
        bob.say(what);
        assert_eq!(ann.listen(), [what]);
    }
}

#[test]
fn d01_a_poll_that_was_given_up_takes_nothing() {
    let (hub, ann, bob) = two();
    let mut http2 = Http2::open(*hub, WINDOW);
    for what in ["wait?timeout=300", "listen?timeout=60"] {
        let poll = http2.get(&ann, what);
        ann.until_waiting(true);
        http2.give_up(poll);
        bob.say(what);
        bob.send("ann", "for you");
        assert_both_come(&ann, [what, "for you"]);
    }
}

#[test]
fn d01_a_stream_that_was_given_up_takes_nothing() {
    let (hub, ann, bob) = two();
    let mut http2 = Http2::open(*hub, WINDOW);
    let stream = http2.get(&ann, "stream");
    bob.say("m-one");
    assert!(http2.body_until(stream, "m-one").contains("m-one"));
    http2.give_up(stream);
    bob.say("m-two");
    bob.say("m-three");
    assert_both_come(&ann, ["m-two", "m-three"]);
}

#[test]
fn d02_what_a_shut_window_held_back_is_still_unread() {
    let (hub, ann, bob) = two();
    for what in ["stream", "wait?timeout=60"] {
        let mut http2 = Http2::open(*hub, 0);
        let stream = http2.get(&ann, what);
        ann.until_waiting(true);
        bob.say("held back");
        if what != "stream" {
            http2.until_head(stream);
        }
        drop(http2);
        let mut heard = Vec::new();
        wait_until("it has come", || {
            heard.extend(ann.listen());
            !heard.is_empty()
        });
        assert_eq!(heard, ["held back"], "{what}");
    }
}

#[test]
fn d02_what_was_read_does_not_come_again() {
    let (hub, ann, bob) = two();
    let mut http2 = Http2::open(*hub, WINDOW);
    bob.say("m-one");
    let poll = http2.get(&ann, "listen?timeout=60");
    assert!(http2.body_until(poll, "timed_out").contains("m-one"));
    let stream = http2.get(&ann, "stream");
    bob.say("m-two");
    assert!(!http2.body_until(stream, "m-two").contains("m-one"));
    drop(http2);
    ann.until_waiting(false);
    bob.say("m-three");
    assert_eq!(ann.listen(), ["m-three"]);
}

#[test]
fn d01_a_wait_over_mcp_is_given_up_like_a_poll() {
    let (hub, ann, bob) = two();
    let mut http2 = Http2::open(*hub, WINDOW);
    http2.call(&ann, "wait");
    ann.until_waiting(true);
    drop(http2);
    ann.until_waiting(false);
    bob.say("m-one");
    assert_eq!(ann.listen(), ["m-one"]);
    let mut http2 = Http2::open(*hub, WINDOW);
    let wait = http2.call(&ann, "wait");
    assert!(http2.body_until(wait, ": waiting").starts_with(": waiting"));
    http2.give_up(wait);
    bob.say("m-two");
    bob.say("m-three");
    assert_both_come(&ann, ["m-two", "m-three"]);
}

#[test]
fn d02_what_a_wait_over_mcp_brought_does_not_come_again_and_what_a_shut_window_held_back_does() {
    let (hub, ann, bob) = two();
    let mut http2 = Http2::open(*hub, WINDOW);
    let wait = http2.call(&ann, "wait");
    ann.until_waiting(true);
    bob.say("m-one");
    assert!(http2.body_until(wait, "\n\ndata-never").contains("m-one"));
    let mut shut = Http2::open(*hub, 0);
    let wait = shut.call(&ann, "wait");
    ann.until_waiting(true);
    bob.say("m-two");
    shut.until_head(wait);
    drop(shut);
    let mut heard = Vec::new();
    wait_until("it has come", || {
        heard.extend(ann.listen());
        !heard.is_empty()
    });
    assert_eq!(heard, ["m-two"]);
}
