//! Clients that give up on a waiting call without a word: they keep the connection open and discard what comes (D36).

use std::time::Duration;

use rogerrat_testkit::{Agent, Channel, Conn, Hub, texts, wait_until};
use serde_json::{Value, json};

use super::client::{Client, EventStream, LEGACY, hub, message};

/// Longer than a call that is answered at once takes.
const LATE: Duration = Duration::from_millis(20);

struct Pair {
    hub: Hub,
    channel: Channel,
    ann: Agent,
    bob: Client,
    /// The same member over plain HTTP.
    plain_bob: Agent,
}

impl Pair {
    fn new(settings: &Value) -> Self {
        let hub = Hub::unlimited();
        let channel = hub.channel_with(settings);
        let ann = channel.join("ann");
        let bob = Client::legacy(*hub, "/mcp");
        let joined = bob.call("join", &json!({"channel_id": channel.id, "token": channel.token, "callsign": "bob"}));
        let plain_bob = Agent::from_join(&channel, &joined);
        Self { hub, channel, ann, bob, plain_bob }
    }

    /// Bob gives up on a call of `tool`, and then a message comes. The connection, which stays open, and the message.
    fn given_up(&self, tool: &str) -> (EventStream, u64) {
        let mut events = EventStream::open(self.bob.tool_request(tool, &json!({"timeout_seconds": 60})));
        let id = self.ann.send("bob", "late");
        assert_eq!(data(&events.next().unwrap()["result"]), (vec!["late".to_owned()], vec![1]));
        (events, id)
    }

    fn listen(&self, arguments: &Value) -> (Vec<String>, Vec<u64>) {
        let mut arguments = arguments.clone();
        arguments["timeout_seconds"] = json!(1);
        data(&self.bob.result("tools/call", json!({"name": "listen", "arguments": arguments})))
    }

    fn receipt(&self, id: u64) -> Value {
        self.ann.get(&format!("messages/{id}/receipts")).ok()["receipts"][0]["state"].clone()
    }
}

/// The texts of a result's messages, and their attempts.
fn data(result: &Value) -> (Vec<String>, Vec<u64>) {
    let messages = &result["structuredContent"]["messages"];
    let attempts = messages.as_array().unwrap().iter().map(|message| message["attempt"].as_u64().unwrap_or(1));
    (texts(messages), attempts.collect())
}

fn once_more() -> (Vec<String>, Vec<u64>) {
    (vec!["late".to_owned()], vec![2])
}

fn nothing() -> (Vec<String>, Vec<u64>) {
    (Vec::new(), Vec::new())
}

#[test]
fn d36_what_a_call_that_was_given_up_got_comes_again_with_attempt_2() {
    let pair = Pair::new(&json!({}));
    for tool in ["wait", "listen"] {
        let (open, id) = pair.given_up(tool);
        assert_eq!(pair.receipt(id), "delivered");
        assert_eq!(pair.listen(&json!({})), once_more(), "{tool}");
        assert_eq!(pair.listen(&json!({})), nothing(), "an answer at once is delivered when it was written");
        drop(open);
    }
}

#[test]
fn d36_what_was_taken_comes_once() {
    let pair = Pair::new(&json!({}));
    for tool in ["wait", "listen"] {
        for next in [None, Some("keepalive"), Some("roster"), Some("history")] {
            let events = EventStream::open(pair.bob.tool_request(tool, &json!({"timeout_seconds": 60})));
            pair.ann.send("bob", "on time");
            assert_eq!(data(&events.result()).0, ["on time"]);
            if let Some(next) = next {
                assert_eq!(pair.bob.call(next, &json!({}))["unread"], 0);
            }
            assert_eq!(pair.listen(&json!({})), nothing(), "{tool}, then {next:?}");
        }
    }
}

#[test]
fn d36_a_connection_that_is_used_again_shows_that_its_client_read_the_answer() {
    let pair = Pair::new(&json!({}));
    let request = |tool: &str| pair.bob.tool_request(tool, &json!({"timeout_seconds": 1}));
    let mut conn = pair.hub.connect();
    for _ in 0..3 {
        let long = pair.bob.tool_request("wait", &json!({"timeout_seconds": 60}));
        conn.write(&long.bytes());
        conn.head().unwrap();
        let mut events = EventStream::after(conn);
        pair.ann.send("bob", "on time");
        assert_eq!(data(&events.next().unwrap()["result"]).0, ["on time"]);
        conn = events.into_conn();
        conn.write(&request("listen").bytes());
        conn.head().unwrap();
        let mut events = EventStream::after(conn);
        assert_eq!(data(&events.next().unwrap()["result"]), nothing());
        conn = events.into_conn();
    }
}

#[test]
fn d36_a_request_on_another_connection_proves_nothing_while_the_answer_is_unread() {
    let pair = Pair::new(&json!({}));
    let (open, _) = pair.given_up("wait");
    pair.bob.call("send", &json!({"to": "ann", "message": "anybody there?"}));
    assert_eq!(pair.listen(&json!({})), once_more());
    drop(open);
}

#[test]
fn d36_a_read_after_the_last_id_proves_that_the_answer_was_taken() {
    let pair = Pair::new(&json!({}));
    for argument in ["since", "ack_upto"] {
        let (open, id) = pair.given_up("wait");
        assert_eq!(pair.listen(&json!({argument: id})), nothing(), "{argument}");
        assert_eq!(pair.listen(&json!({})), nothing(), "{argument}");
        drop(open);
    }
    let (open, id) = pair.given_up("wait");
    assert_eq!(pair.bob.call("ack", &json!({"upto": id}))["acked"], 1);
    assert_eq!(pair.receipt(id), "acked");
    assert_eq!(pair.listen(&json!({})), nothing());
    drop(open);
}

#[test]
fn d36_the_text_of_an_unproven_answer_names_the_read_that_proves_it() {
    let pair = Pair::new(&json!({}));
    let events = pair.bob.start_wait(&json!({}));
    let id = pair.ann.send("bob", "late");
    let text = events.result()["content"][0]["text"].as_str().unwrap().to_owned();
    assert_eq!(text.lines().nth(1), Some(&*format!("(next: wait with since={id}, so that nothing comes twice)")));
}

#[test]
fn d36_a_cancellation_after_the_answer_takes_it_back() {
    let pair = Pair::new(&json!({}));
    let (open, _) = pair.given_up("wait");
    let cancelled = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}});
    let request = || pair.bob.bare_request().header("MCP-Protocol-Version", LEGACY).json(&cancelled);
    assert_eq!(request().send().status, 202);
    wait_until("it is unread", || pair.plain_bob.unread() == 1);
    assert_eq!(pair.listen(&json!({})), once_more());
    drop(open);
    // A client that cancels is believed to have taken what it does not cancel.
    let (open, _) = pair.given_up("wait");
    assert_eq!(pair.listen(&json!({})), nothing());
    drop(open);
}

#[test]
fn d36_what_a_client_closed_unread_comes_again() {
    let pair = Pair::new(&json!({}));
    let events = pair.bob.start_wait(&json!({}));
    let id = pair.ann.send("bob", "late");
    wait_until("it is written", || pair.receipt(id) == "delivered");
    events.disconnect();
    assert_eq!(pair.bob.call("keepalive", &json!({}))["unread"], 1);
    assert_eq!(pair.listen(&json!({})), once_more());
}

#[test]
fn d36_a_session_that_gave_up_once_is_not_believed_again() {
    let pair = Pair::new(&json!({}));
    let open = pair.bob.start_wait(&json!({}));
    assert_eq!(pair.listen(&json!({})), nothing(), "the older call was given up");
    let events = pair.bob.start_wait(&json!({}));
    pair.ann.send("bob", "late");
    assert_eq!(data(&events.result()).0, ["late"]);
    assert_eq!(pair.listen(&json!({})), once_more());
    drop(open);
}

#[test]
fn d36_a_read_over_plain_http_takes_back_what_is_unproven() {
    let pair = Pair::new(&json!({}));
    let (open, _) = pair.given_up("wait");
    let read = pair.plain_bob.get("listen?timeout=1").ok();
    assert_eq!((texts(&read["messages"]), &read["messages"][0]["attempt"]), (vec!["late".to_owned()], &json!(2)));
    drop(open);
}

#[test]
fn d36_plain_json_that_came_late_is_unproven_until_its_connection_is_used_again_or_closed() {
    let pair = Pair::new(&json!({}));
    let call = message("tools/call", &json!({"name": "wait", "arguments": {}}));
    let start = || -> Conn {
        let request = pair.hub.post("/mcp").header("Accept", "application/json");
        request.header("Mcp-Session-Id", pair.bob.session.as_deref().unwrap()).json(&call).start()
    };
    for takes_it in [false, true] {
        let mut conn = start();
        pair.plain_bob.until_waiting(true);
        assert!(!conn.has_data_within(LATE));
        pair.ann.send("bob", "late");
        assert_eq!(data(&conn.reply().unwrap().ok()["result"]).0, ["late"]);
        if takes_it {
            drop(conn);
            assert_eq!(pair.listen(&json!({})), nothing());
        } else {
            assert_eq!(pair.listen(&json!({})), once_more());
        }
    }
}

#[test]
fn d36_a_modern_client_closes_the_stream_to_cancel() {
    let (hub, channel) = hub();
    let (ann, bob) = (channel.join("ann"), Client::modern(*hub, "/mcp"));
    let membership = bob.join(&channel, "bob");
    let mut open = bob.start_wait(&membership);
    ann.send("bob", "taken");
    assert_eq!(data(&open.next().unwrap()["result"]).0, ["taken"]);
    let mut arguments = membership.clone();
    arguments["timeout_seconds"] = json!(1);
    assert_eq!(bob.call("listen", &arguments)["timed_out"], true, "an open stream was not cancelled");
}

#[test]
fn d36_what_is_unproven_survives_a_restart_and_what_is_proven_stays_done() {
    let mut pair = Pair::new(&json!({"durability": "disk"}));
    for (is_proven, is_killed) in [(false, true), (false, false), (true, false)] {
        let (open, _) = pair.given_up("wait");
        drop(open);
        if is_proven {
            assert_eq!(pair.bob.call("keepalive", &json!({}))["unread"], 0);
        }
        if is_killed {
            pair.hub.kill();
        } else {
            pair.hub.stop();
        }
        pair.hub.start_again(&[], &[]);
        let expected = if is_proven { nothing() } else { once_more() };
        assert_eq!(pair.listen(&json!({})), expected, "proven {is_proven}, killed {is_killed}");
    }
    assert_eq!(pair.channel.roster(), ["ann", "bob"]);
}
