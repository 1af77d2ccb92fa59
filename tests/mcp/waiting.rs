//! Waits: immediate when messages are pending, streams when not, ended early, and without losing a message.

use std::collections::BTreeSet;

use rogerrat_testkit::{Agent, Channel, Hub, texts, timed, wait_until};
use serde_json::{Value, json};

use super::client::{Client, EventStream, LEGACY, hub, message};

/// An agent, as a client of MCP and as a client of plain HTTP with the same session.
fn pair(hub: &Hub, channel: &Channel, callsign: &str) -> (Client, Agent) {
    let client = Client::legacy(**hub, "/mcp");
    let joined = client.call("join", &json!({"channel_id": channel.id, "token": channel.token, "callsign": callsign}));
    (client, Agent::from_join(channel, &joined))
}

fn read_texts(result: &Value) -> Vec<String> {
    texts(&result["structuredContent"]["messages"])
}

#[test]
fn pending_messages_are_returned_immediately_as_plain_json() {
    let (hub, channel) = hub();
    let (bob, _) = pair(&hub, &channel, "bob");
    let ann = channel.join("ann");
    for tool in ["listen", "wait"] {
        ann.say(tool);
        let reply = bob.tool_request(tool, &json!({"timeout_seconds": 60})).send();
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert_eq!(read_texts(&reply.ok()["result"]), [tool]);
    }
}

#[test]
fn a_wait_without_messages_is_a_stream_that_starts_immediately() {
    let (hub, channel) = hub();
    for client in [pair(&hub, &channel, "bob").0, Client::modern(*hub, "/mcp")] {
        let membership = client.join(&channel, "bob");
        let events = client.start_wait(&membership);
        channel.join("ann").say("now");
        let result = events.result();
        assert_eq!(read_texts(&result), ["now"]);
        assert_eq!(result["structuredContent"]["timed_out"], false);
        assert_eq!(client.call("keepalive", &membership)["unread"], 0, "it was delivered");
    }
}

#[test]
fn a_timeout_is_a_normal_result() {
    let (hub, channel) = hub();
    let (bob, _) = pair(&hub, &channel, "bob");
    let (time, result) =
        timed(|| EventStream::open(bob.tool_request("listen", &json!({"timeout_seconds": 0}))).result());
    assert!(time.as_secs_f64() >= 0.9, "the minimum is a second: {time:?}");
    assert_eq!(result["structuredContent"], json!({"messages": [], "timed_out": true, "unread": 0}));
    assert_eq!(result["content"][0]["text"], "(no messages within 1 s: call listen again)");
    assert!(result["isError"].is_null());
}

#[test]
fn a_client_that_accepts_no_streams_gets_plain_json() {
    let (hub, channel) = hub();
    let (bob, parked) = pair(&hub, &channel, "bob");
    let call = message("tools/call", &json!({"name": "wait", "arguments": {}}));
    for accept in ["application/json", "*/*"] {
        let request =
            hub.post("/mcp").header("Accept", accept).header("Mcp-Session-Id", bob.session.as_deref().unwrap());
        let mut conn = request.json(&call).start();
        parked.until_waiting(true);
        channel.join("ann").say(accept);
        let reply = conn.reply().unwrap();
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert_eq!(read_texts(&reply.ok()["result"]), [accept]);
    }
}

#[test]
fn progress_is_sent_to_a_client_with_a_progress_token() {
    let (hub, channel) = hub();
    let (bob, _) = pair(&hub, &channel, "bob");
    let params = json!({"name": "wait", "arguments": {"timeout_seconds": 300}, "_meta": {"progressToken": "p"}});
    let mut events = EventStream::open(bob.request("tools/call", params));
    let (time, event) = timed(|| events.next().unwrap());
    assert!((4.0..8.0).contains(&time.as_secs_f64()), "{time:?}");
    assert_eq!((&event["method"], event["id"].is_null()), (&json!("notifications/progress"), true));
    assert_eq!(event["params"]["progressToken"], "p");
    assert_eq!((&event["params"]["progress"], &event["params"]["total"]), (&json!(5), &json!(290)));
    channel.join("ann").say("now");
    assert_eq!(read_texts(&events.result()), ["now"]);
}

#[test]
fn a_session_cancels_only_its_own_wait() {
    let (hub, channel) = hub();
    let (bob, parked) = pair(&hub, &channel, "bob");
    let mut events = bob.start_wait(&json!({}));
    let cancel = |client: &Client, id: Value| {
        let notification = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}});
        let taken = client.bare_request().header("MCP-Protocol-Version", LEGACY).json(&notification).send();
        assert_eq!((taken.status, taken.body.len()), (202, 0));
    };
    cancel(&bob.initialized(), json!(7));
    cancel(&Client { session: None, ..bob.clone() }, json!(7));
    cancel(&bob, json!("7"));
    cancel(&bob, json!({"not": "an id"}));
    assert!(parked.is_waiting());
    cancel(&bob, json!(7));
    assert!(events.next().is_none(), "a cancelled call has no response");
    parked.until_waiting(false);
    channel.join("ann").say("after");
    assert_eq!(parked.listen(), ["after"]);
}

#[test]
fn d01_a_wait_of_a_disconnected_client_takes_no_message() {
    let (hub, channel) = hub();
    let (bob, parked) = pair(&hub, &channel, "bob");
    let ann = channel.join("ann");
    for n in 0..20 {
        bob.start_wait(&json!({})).disconnect();
        parked.until_waiting(false);
        ann.say(&n.to_string());
        assert_eq!(parked.listen(), [n.to_string()]);
    }
}

#[test]
fn d02_a_message_that_arrives_while_the_client_disconnects_is_not_lost() {
    let (hub, channel) = hub();
    let (bob, parked) = pair(&hub, &channel, "bob");
    let ann = channel.join("ann");
    let mut all = Vec::new();
    for n in 0..60 {
        let wait = || bob.tool_request("wait", &json!({})).header("Connection", "close").start();
        let mut conn = wait();
        let head = conn.head().unwrap();
        if head.header("content-type") == Some("application/json") {
            // Messages that the wait before did not take.
            let answer: Value = serde_json::from_slice(&conn.read_to_end()).unwrap();
            all.extend(read_texts(&answer["result"]));
            conn = wait();
            conn.head().unwrap();
        }
        let events = EventStream::after(conn);
        let mut send = ann.request("POST", "send").json(&json!({"message": n.to_string()})).start();
        if n % 2 == 0 {
            // The message may have been written already to a connection that the hub closed then, because the request asked it to.
            events.disconnect();
        } else {
            all.extend(read_texts(&events.result()));
            // On a busy machine an earlier message may have come back first.
            while !all.contains(&n.to_string()) {
                all.extend(texts(&bob.call("listen", &json!({}))["messages"]));
            }
        }
        send.reply().unwrap().ok();
        parked.until_waiting(false);
    }
    all.extend(texts(&bob.call("listen", &json!({"timeout_seconds": 1}))["messages"]));
    let numbers: BTreeSet<usize> = all.iter().map(|text| text.parse().unwrap()).collect();
    assert!((1..60).step_by(2).all(|n| numbers.contains(&n)), "{numbers:?}");
    assert!(
        numbers.iter().filter(|n| *n % 2 == 0).count() > 0,
        "a client that disconnects before the write loses nothing: {numbers:?}"
    );
}

#[test]
fn d04_a_newer_wait_supersedes_the_older() {
    let (hub, channel) = hub();
    let (bob, _) = pair(&hub, &channel, "bob");
    let older = bob.start_wait(&json!({}));
    let newer = bob.start_wait(&json!({}));
    let result = older.result();
    assert_eq!(
        (&result["structuredContent"]["timed_out"], &result["structuredContent"]["superseded"]),
        (&json!(true), &json!(true))
    );
    assert!(result["content"][0]["text"].as_str().unwrap().contains("newer"));
    channel.join("ann").say("hi");
    assert_eq!(read_texts(&newer.result()), ["hi"]);
}

#[test]
fn d05_a_gap_is_reported_as_data_and_as_text() {
    let (hub, channel) = hub();
    let (bob, parked) = pair(&hub, &channel, "bob");
    let ann = channel.join("ann");
    ann.say("first");
    parked.listen();
    ann.say_numbers(0..120);
    let (read, text) = bob.call_with_text("listen", &json!({}));
    assert_eq!(read["gap"]["reason"], "ring");
    assert!(
        text.starts_with("(messages after #") && text.lines().next().unwrap().ends_with("were lost: ring)"),
        "{text}"
    );
    assert_eq!(text.lines().count(), 101);
}

#[test]
fn d32_a_shutdown_ends_waits_with_a_result() {
    let mut hub = Hub::start();
    let channel = hub.channel();
    let waits: Vec<_> =
        (0..4).map(|n| pair(&hub, &channel, &format!("a{n}")).0.start_wait(&json!({"timeout_seconds": 300}))).collect();
    hub.signal("TERM");
    for events in waits {
        let result = events.result();
        assert_eq!(
            (&result["structuredContent"]["timed_out"], &result["structuredContent"]["draining"]),
            (&json!(true), &json!(true))
        );
    }
    assert_eq!(hub.wait_for_exit().code(), Some(0));
}

#[test]
fn a_refused_wait_is_an_error_result() {
    let (hub, channel) = hub();
    let (bob, parked) = pair(&hub, &channel, "bob");
    parked.leave();
    bob.call_refused("wait", &json!({}), "session_expired");
    wait_until("it has left", || channel.roster().is_empty());
}
