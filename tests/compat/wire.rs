//! The exact wire format: keys, spaces, texts, statuses, frames.

use rogerrat_testkit::{Hub, Reply, keys};
use serde_json::{Value, json};

use super::room::Room;

/// The text of a response, which must have a Content-Length and no CORS headers.
#[track_caller]
fn text_of(reply: &Reply, status: u16) -> String {
    assert_eq!(reply.status, status, "{}", reply.text());
    assert_eq!(reply.header("content-length"), Some(&*reply.text().len().to_string()));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert!(reply.header("x-request-id").is_some() && reply.header("access-control-allow-origin").is_none());
    reply.text()
}

#[test]
fn responses_match_the_original() {
    let hub = Hub::start();
    let room = Room::of(&hub.channel());
    assert_eq!(text_of(&room.request("GET", "/messages").send(), 200), r#"{"messages": []}"#);
    assert_eq!(text_of(&room.request("GET", "/messages/poll").send(), 200), r#"{"messages": [], "next": 0}"#);
    let posted = text_of(&room.post(&json!({"agent": "Zoë", "text": "hi\n🐀", "more": 1})), 200);
    let message = posted.strip_prefix(r#"{"ok": true, "message": "#).unwrap().strip_suffix('}').unwrap();
    assert!(message.starts_with(r#"{"agent": "Zo\u00eb", "text": "hi\n\ud83d\udc00", "timestamp": ""#), "{message}");
    assert_eq!(keys(message), ["agent", "text", "timestamp"]);
    let value: Value = serde_json::from_str(message).unwrap();
    let stamp = value["timestamp"].as_str().unwrap();
    assert!(stamp.len() == 32 && stamp.ends_with("000+00:00") && stamp.as_bytes()[10] == b'T', "{stamp}");
    assert_eq!(text_of(&room.request("GET", "/messages").send(), 200), format!(r#"{{"messages": [{message}]}}"#));
    let polled = text_of(&room.request("GET", "/messages/poll?after=0").send(), 200);
    assert_eq!(polled, format!(r#"{{"messages": [{message}], "next": 1}}"#));
    assert_eq!(text_of(&room.request("GET", "/messages/poll?after=1").send(), 200), r#"{"messages": [], "next": 1}"#);
    assert_eq!(text_of(&room.bare("GET", "/health").send(), 200), r#"{"status": "ok"}"#);
}

#[test]
fn errors_match_the_original() {
    let hub = Hub::start();
    let room = Room::of(&hub.channel());
    let wrong = r#"{"error": "Invalid password"}"#;
    for path in ["/messages", "/messages/poll?after=0", "/messages/stream", "/messages?password=wrong"] {
        assert_eq!(text_of(&room.bare("GET", path).send(), 401), wrong, "{path}");
    }
    let right = format!("/messages?password={}", room.password);
    text_of(&room.bare("GET", &right).send(), 200);
    text_of(&room.bare("GET", &right).header("X-Room-Password", "").send(), 200);
    assert_eq!(text_of(&room.bare("GET", &right).header("X-Room-Password", "wrong").send(), 401), wrong);
    assert_eq!(text_of(&room.bare("GET", "/messages").header("X-Room-Password", "gr\u{fc}n").send(), 401), wrong);
    for body in ["", "nonsense", "[1]", "7", "{"] {
        let reply = room.request("POST", "/messages").body(body).send();
        assert_eq!(text_of(&reply, 400), r#"{"error": "Invalid JSON"}"#, "{body}");
    }
    for body in [json!({}), json!({"agent": "a"}), json!({"text": ""}), json!({"text": null})] {
        assert_eq!(text_of(&room.post(&body), 400), r#"{"error": "Message text required"}"#, "{body}");
    }
    for after in ["x", "-1", "1.5", "1e3", "%20"] {
        let reply = room.request("GET", &format!("/messages/poll?after={after}")).send();
        assert_eq!(text_of(&reply, 400), r#"{"error": "after must be a whole number, 0 or more"}"#, "{after}");
    }
    for wait in ["x", "-1", "inf", "NaN"] {
        text_of(&room.request("GET", &format!("/messages/poll?wait={wait}")).send(), 400);
    }
    for path in ["/nothing", "/messages/", "/messages/poll/x"] {
        assert_eq!(text_of(&room.request("GET", path).send(), 404), r#"{"error": "Not found"}"#, "{path}");
    }
    let nowhere = Room { base: "/compat/agent-chatroom/quiet-otter-1".into(), ..room.clone() };
    assert_eq!(text_of(&nowhere.request("GET", "/messages").send(), 404), r#"{"error": "Not found"}"#);
    for method in ["OPTIONS", "PUT", "DELETE", "HEAD"] {
        let reply = room.request(method, "/messages").send();
        assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, POST")), "{method}");
    }
}

#[test]
fn a_stream_starts_at_once_without_history_and_resumes() {
    let mut hub = Hub::start();
    let room = Room::of(&hub.channel());
    room.say("ann", "before");
    let mut stream = room.stream(None);
    room.say("ann", "now\nhere");
    let frame = stream.next().unwrap();
    let (id, data) = frame.split_once('\n').unwrap();
    assert_eq!(id, "id: 1");
    assert!(data.starts_with(r#"data: {"agent": "ann", "text": "now\nhere", "timestamp": ""#), "{data}");
    room.say("bob", "later");
    assert!(stream.next().unwrap().starts_with("id: 2\n"));
    let mut resumed = room.stream(Some(0));
    assert!(resumed.next().unwrap().contains("now\\nhere") && resumed.next().unwrap().contains("later"));
    hub.stop();
    assert_eq!((stream.next(), resumed.next()), (None, None), "a stopping hub ends its streams");
}

#[test]
fn d24_a_web_page_cannot_control_a_room() {
    let hub = Hub::with(&["--chatroom", "secret"], &[]);
    for room in [Room::of(&hub.channel()), Room::root(hub.channel().target, "secret")] {
        let from_elsewhere = room.request("GET", "/messages").header("Origin", "https://evil.example").send();
        assert_eq!(from_elsewhere.status, 403);
        let rebound = room.request("GET", "/messages").header("Host", "evil.example").send();
        assert_eq!(rebound.status, 421);
    }
}
