//! A13: answers bounded in bytes, attachments by reference, one message and one attachment by number.

use rogerrat_testkit::{Agent, Channel, Hub, Reply};
use serde_json::{Value, json};

fn ids(messages: &Value) -> Vec<u64> {
    messages.as_array().unwrap().iter().map(|message| message["id"].as_u64().unwrap()).collect()
}

/// A hub on which `bob` has 40 unread messages of all sizes, one of them with a picture of half a mebibyte.
fn busy(hub: &Hub) -> (Agent, Agent, Vec<u64>) {
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let mut ids: Vec<_> = (0..40).map(|n| ann.send(["all", "bob"][n % 2], &"\u{1F400}x\n".repeat(n * n + 1))).collect();
    ids.push(ann.send_large("bob", "the picture"));
    ids.extend((0..5).map(|n| ann.say(&n.to_string())));
    (ann, bob, ids)
}

#[test]
fn a13_bounded_reads_return_everything_once_and_in_order() {
    let hub = Hub::unlimited();
    for (call, query) in [("listen", ""), ("wait", ""), ("listen", "&attachments=meta"), ("wait", "&attachments=meta")]
    {
        let (_, bob, sent) = busy(&hub);
        let mut read = Vec::new();
        while read.len() < sent.len() {
            let reply = bob.get(&format!("{call}?timeout=1&max_bytes=5000{query}"));
            let size = reply.body.len();
            let answer = reply.ok();
            let got = ids(&answer["messages"]);
            assert!(size <= 5000 || got.len() == 1, "{call}{query}: {size} bytes in {} messages", got.len());
            read.extend(got);
            assert_eq!(answer["more"].as_u64().unwrap_or(0) as usize, sent.len() - read.len());
        }
        assert_eq!((read, bob.unread()), (sent, 0), "{call}{query}");
    }
}

#[test]
fn a13_a_parked_poll_is_bounded_and_what_is_left_out_is_read_by_others() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let poll = bob.park("listen?timeout=20&max_bytes=1000");
    ann.say("first");
    assert_eq!(poll.answer()["messages"].as_array().unwrap().len(), 1);
    ann.say_all(&["x".repeat(900), "y".repeat(900), "z".repeat(900)]);
    let leased = bob.get("listen?timeout=1&max_bytes=1000&ack=manual").ok();
    assert_eq!((leased["messages"].as_array().unwrap().len(), &leased["more"]), (1, &json!(2)));
    let rest = bob.get("listen?timeout=1&max_bytes=1000000&ack=manual").ok();
    assert_eq!((rest["messages"].as_array().unwrap().len(), &rest["more"]), (2, &Value::Null));
    for bad in ["max_bytes=0", "max_bytes=1.5", "max_bytes=many", "attachments=none"] {
        bob.get(&format!("listen?{bad}")).refused(400, "invalid");
        bob.get(&format!("history?{bad}")).refused(400, "invalid");
    }
}

#[test]
fn a13_a_bounded_history_names_what_is_missing_and_is_read_on() {
    let hub = Hub::unlimited();
    let (_, bob, sent) = busy(&hub);
    let (mut read, mut before) = (Vec::new(), String::new());
    loop {
        let reply = bob.get(&format!("history?n=100&max_bytes=6000&attachments=meta{before}"));
        let size = reply.body.len();
        let answer = reply.ok();
        let got = ids(&answer["history"]);
        assert!(size <= 6000 || got.len() == 1, "{size} bytes in {} messages", got.len());
        read.splice(0..0, got);
        assert_eq!(answer["more"].as_u64().unwrap_or(0) as usize, sent.len() - read.len());
        if answer["more"].is_null() {
            break;
        }
        before = format!("&before={}", read[0]);
    }
    assert_eq!(read, sent);
}

#[test]
fn a13_the_roster_of_a_bounded_wait_is_cut_and_counted() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let bob = channel.join("bob");
    for n in 0..150 {
        channel.join(&format!("agent-with-a-long-callsign-{n}"));
    }
    let reply = bob.get("wait?timeout=1&max_bytes=2000");
    assert!(reply.body.len() <= 2000, "{}", reply.body.len());
    let answer = reply.ok();
    let shown = answer["roster"].as_array().unwrap().len();
    assert_eq!((shown > 20, answer["roster_more"].as_u64()), (true, Some(151 - shown as u64)));
    assert_eq!(bob.wait()["roster"].as_array().unwrap().len(), 151);
}

fn files() -> Value {
    json!([
        {"mime": "image/png", "data_base64": "iVBORw0KGgo=", "filename": "../pic.exe"},
        {"mime": "application/json", "data_base64": "eyJhIjoxfQ"},
    ])
}

fn attachment(agent: &Agent, id: u64, n: usize) -> Reply {
    agent.get(&format!("messages/{id}/attachments/{n}"))
}

#[test]
fn a13_attachments_are_references_where_asked_and_downloads() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let sent = ann.try_send(&json!({"to": "bob", "message": "see", "attachments": files()})).ok();
    let id = sent["id"].as_u64().unwrap();
    let references = json!([
        {"mime": "image/png", "filename": "../pic.exe", "bytes": 8, "n": 0},
        {"mime": "application/json", "bytes": 7, "n": 1},
    ]);
    let mut stream = bob.stream("?attachments=meta&consumer=tape");
    let event = std::iter::from_fn(|| stream.next()).find(|event| event.name() == "message").unwrap();
    assert_eq!(event.data()["attachments"], references);
    for (what, list) in [("history", "history"), ("listen", "messages")] {
        let answer = bob.get(&format!("{what}?attachments=meta&timeout=1")).ok();
        assert_eq!(answer[list][0]["attachments"], references, "{what}");
    }
    assert_eq!(bob.get(&format!("messages/{id}?attachments=meta")).ok()["attachments"], references);
    assert_eq!(bob.get(&format!("messages/{id}")).ok()["attachments"], files());

    let file = attachment(&bob, id, 0);
    assert_eq!((file.status, file.body.as_slice()), (200, b"\x89PNG\r\n\x1a\n".as_slice()));
    for (name, value) in [
        ("content-type", "image/png"),
        ("content-disposition", "attachment; filename=\"_pic.exe.png\""),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "private, max-age=31536000, immutable"),
        ("content-security-policy", "default-src 'none'; sandbox"),
    ] {
        assert_eq!(file.header(name), Some(value));
    }
    let tag = file.header("etag").unwrap().to_owned();
    let again = |tag: &str| {
        let request = bob.request("GET", &format!("messages/{id}/attachments/0")).header("If-None-Match", tag);
        bob.call(request).status
    };
    assert_eq!((again(&tag), again("*"), again("\"other\"")), (304, 304, 200));
    assert_eq!(attachment(&bob, id, 1).body, b"{\"a\":1}");
    attachment(&bob, id, 2).refused(404, "not_found");
    bob.get(&format!("messages/{id}/attachments/x")).refused(400, "invalid");
    bob.get(&format!("messages/{}", id + 1000)).refused(404, "not_found");
    bob.get("messages/x").refused(400, "invalid");
}

#[test]
fn a13_private_messages_are_fetched_by_their_two_ends_only() {
    let hub = Hub::start();
    let channel = private(&hub);
    let [ann, bob, eve] = ["ann", "bob", "eve"].map(|name| channel.join(name));
    let sent = ann.try_send(&json!({"to": "bob", "message": "psst", "attachments": files()})).ok();
    let id = sent["id"].as_u64().unwrap();
    let open = ann.say("open");
    for agent in [&ann, &bob] {
        assert_eq!(agent.get(&format!("messages/{id}")).ok()["text"], "psst");
        assert_eq!(attachment(agent, id, 0).status, 200);
    }
    for what in [format!("messages/{id}"), format!("messages/{id}/attachments/0")] {
        eve.get(&what).refused(404, "not_found");
        channel.get(&what).refused(404, "not_found");
        channel.target.get(&channel.path(&what)).send().refused(401, "unauthorized");
    }
    assert_eq!(channel.get(&format!("messages/{open}")).ok()["text"], "open");
    assert_eq!(bob.listen(), ["psst", "open"], "a fetch marks nothing as read");
    eve.leave();
    eve.get(&format!("messages/{open}")).refused(410, "session_expired");
}

fn private(hub: &Hub) -> Channel {
    hub.channel_with(&json!({"dm_visibility": "private", "claim_callsigns": true}))
}
