//! D3, D4, D27: streams resume, are superseded, and always report why they end.

use rogerrat_testkit::{Hub, Request, Stream, texts};
use serde_json::json;

#[test]
fn d03_last_event_id_resumes_a_stream_like_since() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let ids: Vec<_> = ["one", "two", "three"].map(|text| ann.say(text)).into();
    assert_eq!(bob.listen().len(), 3);
    let resume = |query: &str, last: Option<u64>| {
        let request = bob.request("GET", &format!("stream{query}"));
        let mut stream = Stream::open(match last {
            Some(id) => request.header("Last-Event-ID", &id.to_string()),
            None => request,
        });
        let count = stream.hello.data()["backlog_count"].as_u64().unwrap();
        (0..count).map(|_| stream.text()).collect::<Vec<_>>()
    };
    assert_eq!(resume("", Some(ids[0])), ["two", "three"]);
    assert_eq!(resume(&format!("?since={}", ids[0]), None), ["two", "three"]);
    assert_eq!(resume(&format!("?since={}", ids[1]), Some(ids[0])), ["three"], "since wins");
    assert_eq!(resume("", None), [""; 0], "everything was read before");
    for blank in ["", " "] {
        let blank = bob.request("GET", "stream").header("Last-Event-ID", blank);
        assert_eq!(Stream::open(blank).hello.data()["backlog_count"], 0, "a blank id is none");
    }
}

#[test]
fn d03_every_stream_starts_with_retry() {
    let hub = Hub::start();
    let bob = hub.channel().join("bob");
    let stream = bob.stream("");
    assert_eq!(stream.hello.fields(), ["retry", "event", "data"]);
    assert!(stream.hello.field("retry").unwrap().parse::<u64>().unwrap() > 0);
}

#[test]
fn d03_an_event_carries_the_id_to_resume_from() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let mut stream = bob.stream("");
    let id = ann.say("hi");
    let event = stream.next().unwrap();
    assert_eq!(event.fields(), ["event", "data", "id"]);
    assert_eq!((event.field("id").unwrap(), &event.data()["id"]), (id.to_string().as_str(), &json!(id)));
}

#[test]
fn d04_a_second_poll_supersedes_the_first() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let first = bob.park("listen?timeout=60");
    let second = bob.start("wait?timeout=120");
    assert_eq!(first.answer(), json!({"messages": [], "timed_out": true, "superseded": true}));
    ann.say("for the second");
    assert_eq!(texts(&second.answer()["messages"]), ["for the second"]);
}

#[test]
fn d04_polls_of_different_consumers_wait_independently() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let first = bob.park("listen?timeout=60");
    let second = bob.start("listen?timeout=60&consumer=laptop");
    rogerrat_testkit::wait_until("both wait", || {
        bob.consumers().iter().filter(|row| row["waiting"] == true).count() == 2
    });
    ann.say("to both");
    assert_eq!(texts(&first.answer()["messages"]), ["to both"]);
    assert_eq!(texts(&second.answer()["messages"]), ["to both"]);
}

#[test]
fn d04_a_second_stream_supersedes_the_first() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let mut first = bob.stream("");
    let mut second = bob.stream("");
    assert_eq!(first.last().name(), "superseded");
    ann.say("for the second");
    assert_eq!(second.text(), "for the second");
}

#[test]
fn d04_leaving_ends_polls_and_streams() {
    let hub = Hub::start();
    let channel = hub.channel();
    let bob = channel.join("bob");
    let mut stream = bob.stream("");
    let parked = bob.start("listen?timeout=60&consumer=side");
    rogerrat_testkit::wait_until("both wait", || {
        bob.consumers().iter().filter(|row| row["waiting"] == true).count() == 2
    });
    bob.leave();
    let bye = stream.last();
    assert_eq!((bye.name(), bye.data()), ("bye", json!({"reason": "left"})));
    assert_eq!(parked.answer(), json!({"messages": [], "timed_out": true}));
}

#[test]
fn d04_renaming_a_session_ends_its_stream() {
    let hub = Hub::start();
    let channel = hub.channel();
    let bob = channel.join_as("bob", "bobs-own-session");
    let mut stream = bob.stream("");
    channel.join_as("robert", "bobs-own-session");
    assert_eq!(stream.last().name(), "bye");
    assert_eq!(channel.roster(), ["robert"]);
}

#[test]
fn d04_removing_a_consumer_ends_its_poll_and_stream() {
    let hub = Hub::start();
    let channel = hub.channel();
    let bob = channel.join("bob");
    let mut stream = bob.stream("?consumer=side");
    assert_eq!(bob.call(bob.request("DELETE", "consumers/side")).ok(), json!({"ok": true}));
    assert_eq!(stream.last().name(), "bye");
}

#[test]
fn d04_a_waiting_session_does_not_expire() {
    let hub = Hub::start();
    let channel = hub.channel_with(&json!({"session_ttl_seconds": 2}));
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let (mut stream, parked) = (ann.stream(""), bob.start("wait?timeout=60"));
    let carl = channel.join("carl");
    rogerrat_testkit::wait_until("carl, who is inactive, expires", || channel.roster() == ["ann", "bob"]);
    assert_eq!(carl.get("listen?timeout=1").status, 410);
    let dora = channel.join("dora");
    dora.say("you are both still here");
    assert_eq!(stream.text(), "you are both still here");
    assert_eq!(texts(&parked.answer()["messages"]), ["you are both still here"]);
}

#[test]
fn d27_a_text_cannot_forge_an_event_of_a_stream() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let mut stream = bob.stream("");
    let forged = "hi\n\nevent: message\ndata: {\"from\":\"boss\",\"text\":\"obey\"}\r\n\r\u{2028}id: 9\u{85}\n\n";
    ann.try_send(&json!({"message": forged, "thread": "a\nevent: bye\n", "suggested_replies": ["x\n\ndata: y"]})).ok();
    ann.say("next");
    let event = stream.next().unwrap();
    assert_eq!(event.fields(), ["event", "data", "id"]);
    assert_eq!((&event.data()["from"], &event.data()["text"]), (&json!("ann"), &json!(forged)));
    assert_eq!(stream.text(), "next");
}

#[test]
fn d27_the_sender_comes_from_the_session() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    ann.try_send(&json!({"message": "hi", "from": "boss", "id": 1, "at": 1, "verified": "identity"})).ok();
    let message = &bob.wait()["messages"][0];
    assert_eq!(message["from"], "ann");
    assert!(message.get("verified").is_none() && message["id"] != json!(1) && message["at"] != json!(1), "{message}");
}

#[test]
fn d27_a_path_cannot_forge_a_log_line() {
    let hub = Hub::start();
    hub.get("/x%0a2026-01-01T00:00:00Z%20INFO%20forged").send().refused(404, "not_found");
    hub.send_raw(b"GET /x\x0b\x1b[2J HTTP/1.1\r\nHost: localhost\r\n\r\n");
    for line in hub.log().lines() {
        assert!(line.starts_with("20") && !line.chars().any(char::is_control), "{line:?}");
        assert!(!line.contains("INFO forged"), "{line}");
    }
}

#[test]
fn a22_a_stream_by_post_is_that_by_get_with_parameters_in_the_query_or_the_body() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let ids: Vec<_> = ["one", "two", "three"].map(|text| ann.say(text)).into();
    let post = |query: &str, body: &str| bob.request("POST", &format!("stream{query}")).body(body);
    let backlog = |request: Request| Stream::open(request).hello.data()["backlog_count"].as_u64().unwrap();
    assert_eq!(backlog(post("?ack=manual", "")), 3);
    assert_eq!(backlog(post("", r#"{"ack":"manual","consumer":"laptop","max":null}"#)), 3);
    let since = format!(r#"{{"since":{}}}"#, ids[1]);
    assert_eq!(backlog(post(&format!("?ack=manual&since={}", ids[2]), &since)), 1, "the body takes precedence");
    assert_eq!(backlog(post("?ack=manual", "").header("Last-Event-ID", &ids[0].to_string())), 2);
    let mut stream = Stream::open(post("", r#"{"ack":"manual","max":1}"#));
    assert_eq!(stream.head.header("content-type"), Some("text/event-stream"));
    assert_eq!(stream.text(), "one");
    bob.post("ack", &json!({"upto": ids[0]})).ok();
    assert_eq!(stream.text(), "two");
    let other = bob.stream("?ack=manual");
    assert_eq!(stream.last().name(), "superseded", "both ways are one stream of the consumer");
    other.disconnect();
    bob.until_waiting(false);
    Stream::open(post("", "{}")).disconnect();
    bob.until_waiting(false);
}

#[test]
fn a22_a_stream_by_post_is_checked_like_every_request() {
    let hub = Hub::start();
    let channel = hub.channel();
    let bob = channel.join("bob");
    let post = |body: &str| bob.request("POST", "stream").body(body);
    post("{").send().refused(400, "invalid_json");
    post("[]").send().refused(400, "invalid");
    post(r#"{"max":0}"#).send().refused(400, "invalid");
    post(r#"{"since":"soon"}"#).send().refused(400, "invalid");
    post(&format!(r#"{{"x":"{}"}}"#, "x".repeat(65_536))).send().refused(413, "too_large");
    post("").header("Origin", "https://evil.example").send().refused(403, "forbidden");
    channel.request("POST", "stream").session("never-was-here").body("").send().refused(400, "not_joined");
    let reply = bob.request("DELETE", "stream").send();
    assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, POST")));
}

#[test]
fn a_poll_can_end_the_stream_of_its_consumer() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let mut stream = bob.stream("?ack=manual");
    ann.say("held back");
    assert_eq!(stream.text(), "held back");
    assert_eq!(bob.listen(), [""; 0], "the stream has it");
    let messages = bob.get("listen?timeout=1&ack=manual&end_stream=true").ok()["messages"].clone();
    assert_eq!((&messages[0]["text"], &messages[0]["attempt"]), (&json!("held back"), &json!(2)));
    assert_eq!(stream.last().name(), "superseded");
    bob.get("listen?end_stream=soon").refused(400, "invalid");
}
