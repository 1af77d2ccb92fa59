//! Three hundred malformed requests: each is refused clearly, none changes anything, and the hub keeps working.

use std::time::Duration;

use rogerrat_testkit::{HttpTarget, Hub};
use serde_json::json;

use super::malformed_requests::{MalformedRequest, malformed_requests};

/// After this time without a response the hub is assumed to wait for more input.
const RESPONSE_TIME: Duration = Duration::from_millis(250);

/// The statuses of the hub's responses until it closes the connection. If it waits for more input, the sending side is
/// closed.
fn statuses(target: HttpTarget, malformed: &MalformedRequest) -> Vec<u16> {
    let mut conn = target.connect();
    conn.write(&malformed.bytes);
    let method = if malformed.bytes.starts_with(b"HEAD") { "HEAD" } else { "GET" };
    let answers = !malformed.is_truncated && conn.has_data_within(RESPONSE_TIME);
    let first = if answers { conn.reply_to(method) } else { None };
    conn.close_write();
    first.into_iter().chain(std::iter::from_fn(|| conn.reply())).map(|reply| reply.status).collect()
}

#[test]
fn malformed_requests_are_refused_and_change_nothing() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    bob.say("before");
    let (state, totals) = (channel.visible_state(), hub.get("/api/stats").send().ok());
    let all = malformed_requests(&ann);
    assert!(all.len() >= 300, "{} requests are fewer than three hundred", all.len());
    let (mut wrong, mut answered) = (Vec::new(), 0);
    for malformed in &all {
        let statuses = statuses(*hub, malformed);
        answered += statuses.len().min(1);
        if statuses.iter().any(|status| !(400..500).contains(status)) {
            wrong.push(format!("{}: {statuses:?}", malformed.name.escape_debug()));
        }
        assert_eq!(hub.get("/livez").send().status, 200, "the hub stopped after {:?}", malformed.name);
        let now = (channel.visible_state(), hub.get("/api/stats").send().ok());
        if now != (state.clone(), totals.clone()) {
            panic!("{:?} changed something: {} {}", malformed.name, now.0, now.1);
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    assert!(answered > 200, "only {answered} of {} got an error response", all.len());
    bob.say("after");
    assert_eq!(ann.listen(), ["before", "after"]);
}

#[test]
fn a_malformed_request_does_not_affect_the_one_before() {
    let hub = Hub::start();
    let channel = hub.channel();
    let ann = channel.join("ann");
    let mut sent = 0;
    for tail in ["\0\0\0\0", "GARBAGE\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "{\"message\":\"smuggled\"}"] {
        let good = ann.request("POST", "send").json(&json!({"message": "good"})).bytes();
        let mut conn = hub.connect();
        conn.write(&good);
        assert_eq!(conn.reply().expect("the good one is answered").status, 200, "{tail:?}");
        conn.write(tail.as_bytes());
        conn.has_data_within(RESPONSE_TIME);
        conn.close_write();
        while let Some(reply) = conn.reply() {
            assert!((400..500).contains(&reply.status), "{tail:?}");
        }
        // If both arrive together, the parser may close the connection before the valid one is handled.
        let mut conn = hub.connect();
        conn.write(&[&good, tail.as_bytes()].concat());
        conn.has_data_within(RESPONSE_TIME);
        let answered = conn.reply().filter(|reply| reply.status == 200);
        sent += 1 + usize::from(answered.is_some());
        assert!(channel.history().len() >= sent, "answered sends were performed");
    }
    assert!(channel.history().iter().all(|text| text == "good"));
}

#[test]
fn a_body_cannot_smuggle_a_request() {
    let hub = Hub::start();
    let channel = hub.channel();
    let ann = channel.join("ann");
    let hidden = ann.request("POST", "send").json(&json!({"message": "smuggled"})).bytes();
    let keepalive = ann.request("POST", "keepalive").body("");
    let paths = ["/nowhere", "/livez", "/api/channels", "/api/bands"].map(|path| hub.post(path).body(""));
    for request in
        paths.into_iter().chain([keepalive, hub.get("/livez").body(""), ann.request("GET", "roster").body("")])
    {
        let mut bytes = request.clone().body(hidden.clone()).bytes();
        bytes.extend(hub.get("/livez").header("Connection", "close").bytes());
        let mut conn = hub.connect();
        conn.write(&bytes);
        let replies: Vec<_> = std::iter::from_fn(|| conn.reply()).collect();
        assert!((1..=2).contains(&replies.len()), "{request:?}: {replies:?}");
        assert!(replies.get(1).is_none_or(|reply| reply.text() == "ok"), "{request:?}: {replies:?}");
    }
    assert_eq!(channel.history(), [""; 0]);
}

#[test]
fn an_endless_request_head_times_out() {
    let hub = Hub::start();
    let mut conn = hub.connect();
    conn.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n");
    let (duration, reply) = rogerrat_testkit::timed(|| conn.reply());
    assert!(reply.is_none_or(|reply| reply.status == 408), "a head may take ten seconds");
    assert!(duration.as_secs() >= 2, "the timeout is not immediate: {duration:?}");
}
