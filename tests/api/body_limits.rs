//! D12: bodies are limited while they are read, and errors repeat almost none of the input.

use rogerrat_testkit::{Agent, Conn, Hub, Reply, Request};
use serde_json::json;

const KIB_64: usize = 64 * 1024;
const MIB: usize = 1024 * 1024;

/// A body of exactly this length that is equivalent to `json`.
fn padded(json: &str, bytes: usize) -> Vec<u8> {
    let mut body = json.as_bytes().to_vec();
    body.resize(bytes, b' ');
    body
}

/// Sends a Content-Length but no body.
fn announced(request: Request, bytes: usize) -> Option<Reply> {
    request.header("Content-Length", &bytes.to_string()).start().reply_to("POST")
}

/// Sends a chunked body without its end: the response must not wait for it.
fn chunked_without_end(request: Request, bytes: usize) -> Option<Reply> {
    let mut conn: Conn = request.header("Transfer-Encoding", "chunked").start();
    for _ in 0..bytes.div_ceil(4096) {
        conn.write(format!("1000\r\n{}\r\n", " ".repeat(4096)).as_bytes());
    }
    conn.reply_to("POST")
}

fn requests(hub: &Hub, ann: &Agent) -> Vec<(Request, usize)> {
    let small = ["join", "ack"].map(|what| (ann.request("POST", what), KIB_64));
    let mut all = vec![(hub.post("/api/channels"), KIB_64), (ann.request("POST", "send"), MIB)];
    all.extend(small);
    all
}

#[test]
fn d12_a_too_large_content_length_is_refused_at_once() {
    let hub = Hub::start();
    let channel = hub.channel();
    let ann = channel.join("ann");
    for (request, limit) in requests(&hub, &ann) {
        for bytes in [limit + 1, limit * 100, usize::MAX / 2] {
            announced(request.clone(), bytes).expect("an answer before any body").refused(413, "too_large");
        }
    }
}

#[test]
fn d12_a_chunked_body_is_refused_at_the_limit() {
    let hub = Hub::start();
    let channel = hub.channel();
    let ann = channel.join("ann");
    for (request, limit) in requests(&hub, &ann) {
        let reply = chunked_without_end(request, limit + 8192).expect("an answer before the end");
        reply.refused(413, "too_large");
    }
}

#[test]
fn d12_a_body_at_the_limit_is_accepted() {
    let hub = Hub::start();
    let channel = hub.channel();
    let ann = channel.join("ann");
    hub.post("/api/channels").body(padded("{}", KIB_64)).send().ok();
    hub.post("/api/channels").body(padded("{}", KIB_64 + 1)).send().refused(413, "too_large");
    ann.call(ann.request("POST", "send").body(padded(r#"{"message":"x"}"#, MIB))).ok();
    let reply = ann.request("POST", "send").body(padded(r#"{"message":"y"}"#, MIB + 1)).send();
    reply.refused(413, "too_large");
    assert_eq!(channel.history(), ["x"]);
}

#[test]
fn d12_routes_without_a_body_refuse_a_large_one() {
    let hub = Hub::start();
    let channel = hub.channel();
    let ann = channel.join("ann");
    for what in ["keepalive", "leave"] {
        announced(ann.request("POST", what), KIB_64 + 1).expect("an answer").refused(413, "too_large");
    }
    assert_eq!(channel.roster(), ["ann"], "a refused leave has no effect");
}

#[test]
fn d12_attachments_over_their_total_are_too_large() {
    let hub = Hub::start();
    let channel = hub.channel();
    let ann = channel.join("ann");
    let file = |chars: usize| json!({"mime": "image/png", "data_base64": "A".repeat(chars)});
    let send = |files: &[usize]| {
        let files: Vec<_> = files.iter().map(|chars| file(*chars)).collect();
        ann.try_send(&json!({"attachments": files}))
    };
    send(&[524_288]).ok();
    send(&[262_144, 262_144]).ok();
    send(&[524_289]).refused(413, "too_large");
    send(&[262_144, 262_145]).refused(413, "too_large");
    assert_eq!(channel.history().len(), 2);
}

#[test]
fn d12_no_error_repeats_more_than_64_characters() {
    let hub = Hub::start();
    let channel = hub.channel();
    let ann = channel.join("ann");
    let long = "z".repeat(3000);
    let replies = [
        ann.try_send(&json!({"to": long, "message": "x"})),
        ann.try_send(&json!({"message": "x", "priority": long})),
        ann.try_send(&json!({"message": "x", "kind": long})),
        ann.try_send(&json!({"message": "x", "thread": long})),
        ann.try_send(&json!({"message": "x", "reply_to": long})),
        ann.try_send(&json!({"message": "x", "client_msg_id": long})),
        ann.try_send(&json!({"message": "x", "attachments": [{"mime": long, "data_base64": "AA=="}]})),
        ann.try_send(
            &json!({"message": "x", "attachments": [{"mime": "image/png", "data_base64": format!("{long}-")}]}),
        ),
        ann.try_send(&json!({"message": "x", "suggested_replies": [long]})),
        ann.try_send(&json!({"message": long.repeat(3)})),
        ann.call(ann.request("POST", "send").body(format!("{{\"{long}\":{long}"))),
        ann.call(ann.request("POST", "send").header("Idempotency-Key", &long).body(r#"{"message":"x"}"#)),
        ann.get(&format!("listen?timeout={long}")),
        ann.get(&format!("listen?since={long}")),
        ann.get(&format!("listen?consumer={long}")),
        ann.get(&format!("listen?ack={long}")),
        ann.get(&format!("messages/{long}/receipts")),
        ann.call(ann.request("DELETE", &format!("consumers/{long}"))),
        channel.try_join(&json!({"callsign": long})),
        channel.try_join_as("bob", &long),
        hub.post("/api/channels").json(&json!({"retention": long})).send(),
        hub.post("/api/channels").json(&json!({"dm_visibility": long})).send(),
        hub.get(&format!("/{long}")).send(),
        hub.get(&format!("/api/channels/{long}")).send(),
        hub.request(&"Z".repeat(300), "/api/bands").send(),
        hub.get("/api/bands").header("Host", &long).send(),
        hub.get("/api/bands").header("Origin", &long).send(),
        channel.target.get(&channel.path("roster")).bearer(&long).send(),
    ];
    for reply in &replies {
        assert!((400..500).contains(&reply.status), "{} {}", reply.status, reply.text());
        let text = reply.text().to_lowercase();
        assert!(!text.contains(&"z".repeat(65)), "{text}");
    }
}
