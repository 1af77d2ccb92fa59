//! D1 and D2 when a client disconnects or resets its request.

use rogerrat_testkit::{Agent, Hub, Request, TIMEOUT, wait_until};

use super::http2::{Http2, WINDOW};

fn two_agents() -> (Hub, Agent, Agent) {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    (hub, ann, bob)
}

/// Reads until both messages have arrived, each once. Their order is not fixed: the first may still be with the
/// cancelled read, on its way back, when the next read takes the second.
fn assert_both_arrive(ann: &Agent, mut both: [&str; 2]) {
    let mut received = Vec::new();
    wait_until("both have arrived", || {
        received.extend(ann.listen());
        received.len() >= 2
    });
    received.sort();
    both.sort_unstable();
    assert_eq!(received, both);
}

#[test]
fn d01_a_poll_ends_when_its_connection_closes() {
    let (hub, ann, bob) = two_agents();
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
fn d01_a_cancelled_poll_takes_no_message() {
    let (hub, ann, bob) = two_agents();
    let mut http2 = Http2::open(*hub, WINDOW);
    for what in ["wait?timeout=300", "listen?timeout=60"] {
        let poll = http2.get(&ann, what);
        ann.until_waiting(true);
        http2.cancel(poll);
        bob.say(what);
        bob.send("ann", "for you");
        assert_both_arrive(&ann, [what, "for you"]);
    }
}

#[test]
fn d01_a_cancelled_stream_takes_no_message() {
    let (hub, ann, bob) = two_agents();
    let mut http2 = Http2::open(*hub, WINDOW);
    let stream = http2.get(&ann, "stream");
    bob.say("m-one");
    assert!(http2.body_until(stream, "m-one").contains("m-one"));
    http2.cancel(stream);
    bob.say("m-two");
    bob.say("m-three");
    assert_both_arrive(&ann, ["m-two", "m-three"]);
}

#[test]
fn d02_a_message_held_back_by_a_closed_window_is_still_unread() {
    let (hub, ann, bob) = two_agents();
    for what in ["stream", "wait?timeout=60"] {
        let mut http2 = Http2::open(*hub, 0);
        let stream = http2.get(&ann, what);
        ann.until_waiting(true);
        bob.say("held back");
        if what != "stream" {
            http2.until_head(stream);
        }
        drop(http2);
        let mut received = Vec::new();
        wait_until("it has arrived", || {
            received.extend(ann.listen());
            !received.is_empty()
        });
        assert_eq!(received, ["held back"], "{what}");
    }
}

#[test]
fn d02_a_message_that_was_read_is_not_redelivered() {
    let (hub, ann, bob) = two_agents();
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
fn d02_an_answer_that_its_client_has_not_read_comes_again_once() {
    let (_hub, ann, bob) = two_agents();
    let listen = |timeout: u64| {
        let reply = ann.request("GET", &format!("listen?timeout={timeout}")).send().ok();
        let messages = reply["messages"].as_array().unwrap().clone();
        messages.iter().map(|m| (m["text"].as_str().unwrap().to_owned(), m["attempt"].as_u64())).collect::<Vec<_>>()
    };
    let answered = |request: Request, text: &str| {
        let mut conn = request.start();
        ann.until_waiting(true);
        bob.say(text);
        assert!(conn.has_data_within(TIMEOUT));
        conn
    };
    let poll = || ann.request("GET", "listen?timeout=60");
    drop(answered(poll(), "unread"));
    assert_eq!(listen(20), [("unread".to_owned(), Some(2))]);
    let mut conn = answered(poll(), "read");
    conn.reply().unwrap().ok();
    drop(conn);
    assert!(listen(1).is_empty());
    // A proxy may reset a connection whose answer it has forwarded.
    drop(answered(poll().header("X-Forwarded-For", "192.0.2.7"), "forwarded"));
    assert!(listen(1).is_empty());
}

#[test]
fn d01_a_wait_over_mcp_is_cancelled_like_a_poll() {
    let (hub, ann, bob) = two_agents();
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
    http2.cancel(wait);
    bob.say("m-two");
    bob.say("m-three");
    assert_both_arrive(&ann, ["m-two", "m-three"]);
}

#[test]
fn d02_a_wait_over_mcp_redelivers_only_what_a_closed_window_held_back() {
    let (hub, ann, bob) = two_agents();
    let mut http2 = Http2::open(*hub, WINDOW);
    let wait = http2.call(&ann, "wait");
    ann.until_waiting(true);
    bob.say("m-one");
    assert!(http2.body_until(wait, "\n\ndata-never").contains("m-one"));
    let mut closed = Http2::open(*hub, 0);
    let wait = closed.call(&ann, "wait");
    ann.until_waiting(true);
    bob.say("m-two");
    closed.until_head(wait);
    drop(closed);
    let mut received = Vec::new();
    wait_until("it has arrived", || {
        received.extend(ann.listen());
        !received.is_empty()
    });
    assert_eq!(received, ["m-two"]);
}
