//! Waits: at once when there is something, as a stream when there is not, ended early, and never at the price of a message.

use rogerrat_testkit::{Agent, Channel, Hub, texts, timed, wait_until};
use serde_json::{Value, json};

use super::client::{Client, Events, LEGACY, hub, message};

/// An agent that waits over MCP, as the agent of plain HTTP it also is.
fn pair(hub: &Hub, channel: &Channel, callsign: &str) -> (Client, Agent) {
    let client = Client::legacy(**hub, "/mcp");
    let joined = client.does("join", &json!({"channel_id": channel.id, "token": channel.token, "callsign": callsign}));
    (client, Agent::from_join(channel, &joined))
}

fn heard(result: &Value) -> Vec<String> {
    texts(&result["structuredContent"]["messages"])
}

#[test]
fn what_is_there_comes_at_once_and_as_plain_json() {
    let (hub, channel) = hub();
    let (bob, _) = pair(&hub, &channel, "bob");
    let ann = channel.join("ann");
    for tool in ["listen", "wait"] {
        ann.say(tool);
        let reply = bob.call(tool, &json!({"timeout_seconds": 60})).send();
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert_eq!(heard(&reply.ok()["result"]), [tool]);
    }
}

#[test]
fn what_is_not_there_comes_as_a_stream_that_begins_at_once() {
    let (hub, channel) = hub();
    for client in [pair(&hub, &channel, "bob").0, Client::modern(*hub, "/mcp")] {
        let seat = client.joins(&channel, "bob");
        let events = client.waits(&seat);
        channel.join("ann").say("now");
        let result = events.result();
        assert_eq!(heard(&result), ["now"]);
        assert_eq!(result["structuredContent"]["timed_out"], false);
        assert_eq!(client.does("keepalive", &seat)["unread"], 0, "it was delivered");
    }
}

#[test]
fn a_timeout_is_a_normal_result() {
    let (hub, channel) = hub();
    let (bob, _) = pair(&hub, &channel, "bob");
    let (time, result) = timed(|| Events::open(bob.call("listen", &json!({"timeout_seconds": 0}))).result());
    assert!(time.as_secs_f64() >= 0.9, "it waits a second at least: {time:?}");
    assert_eq!(result["structuredContent"], json!({"messages": [], "timed_out": true, "unread": 0}));
    assert_eq!(result["content"][0]["text"], "(no messages within 1 s: call listen again)");
    assert!(result["isError"].is_null());
}

#[test]
fn who_reads_no_streams_gets_plain_json() {
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
        assert_eq!(heard(&reply.ok()["result"]), [accept]);
    }
}

#[test]
fn progress_is_told_to_who_asked_for_it() {
    let (hub, channel) = hub();
    let (bob, _) = pair(&hub, &channel, "bob");
    let params = json!({"name": "wait", "arguments": {"timeout_seconds": 300}, "_meta": {"progressToken": "p"}});
    let mut events = Events::open(bob.ask("tools/call", params));
    let (time, told) = timed(|| events.next().unwrap());
    assert!((4.0..8.0).contains(&time.as_secs_f64()), "{time:?}");
    assert_eq!((&told["method"], told["id"].is_null()), (&json!("notifications/progress"), true));
    assert_eq!(told["params"]["progressToken"], "p");
    assert_eq!((&told["params"]["progress"], &told["params"]["total"]), (&json!(5), &json!(300)));
    channel.join("ann").say("now");
    assert_eq!(heard(&events.result()), ["now"]);
}

#[test]
fn a_session_cancels_its_own_wait_and_nobody_elses() {
    let (hub, channel) = hub();
    let (bob, parked) = pair(&hub, &channel, "bob");
    let mut events = bob.waits(&json!({}));
    let cancel = |client: &Client, id: Value| {
        let note = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}});
        let taken = client.bare().header("MCP-Protocol-Version", LEGACY).json(&note).send();
        assert_eq!((taken.status, taken.body.len()), (202, 0));
    };
    cancel(&bob.initialized(), json!(7));
    cancel(&Client { session: None, ..bob.clone() }, json!(7));
    cancel(&bob, json!("7"));
    cancel(&bob, json!({"not": "an id"}));
    assert!(parked.is_waiting());
    cancel(&bob, json!(7));
    assert!(events.next().is_none(), "a cancelled call is not answered");
    parked.until_waiting(false);
    channel.join("ann").say("after");
    assert_eq!(parked.listen(), ["after"]);
}

#[test]
fn d01_a_wait_whose_client_has_gone_takes_no_message() {
    let (hub, channel) = hub();
    let (bob, parked) = pair(&hub, &channel, "bob");
    let ann = channel.join("ann");
    for n in 0..20 {
        bob.waits(&json!({})).disconnect();
        parked.until_waiting(false);
        ann.say(&n.to_string());
        assert_eq!(parked.listen(), [n.to_string()]);
    }
}

#[test]
fn d02_a_message_that_comes_while_the_client_goes_is_not_lost() {
    let (hub, channel) = hub();
    let (bob, parked) = pair(&hub, &channel, "bob");
    let ann = channel.join("ann");
    let mut all = Vec::new();
    for n in 0..60 {
        let wait = || bob.call("wait", &json!({})).header("Connection", "close").start();
        let mut conn = wait();
        let head = conn.head().unwrap();
        if head.header("content-type") == Some("application/json") {
            // What the one before did not take.
            let answer: Value = serde_json::from_slice(&conn.read_to_end()).unwrap();
            all.extend(heard(&answer["result"]));
            conn = wait();
            conn.head().unwrap();
        }
        let events = Events::after(conn);
        let mut send = ann.request("POST", "send").json(&json!({"message": n.to_string()})).start();
        if n % 2 == 0 {
            // It may have been written already, to a socket nobody read any more: then it is gone with it.
            events.disconnect();
        } else {
            all.extend(heard(&events.result()));
        }
        send.reply().unwrap().ok();
        parked.until_waiting(false);
    }
    all.extend(parked.listen());
    let mut numbers: Vec<usize> = all.iter().map(|text| text.parse().unwrap()).collect();
    numbers.dedup();
    assert_eq!(numbers.len(), all.len(), "nothing comes twice");
    assert!((1..60).step_by(2).all(|n| numbers.contains(&n)), "{numbers:?}");
    assert!(
        numbers.iter().filter(|n| *n % 2 == 0).count() > 0,
        "who goes before it is written loses nothing: {numbers:?}"
    );
}

#[test]
fn d04_a_younger_wait_takes_the_place_of_the_older() {
    let (hub, channel) = hub();
    let (bob, _) = pair(&hub, &channel, "bob");
    let older = bob.waits(&json!({}));
    let younger = bob.waits(&json!({}));
    let result = older.result();
    assert_eq!(
        (&result["structuredContent"]["timed_out"], &result["structuredContent"]["superseded"]),
        (&json!(true), &json!(true))
    );
    assert!(result["content"][0]["text"].as_str().unwrap().contains("newer"));
    channel.join("ann").say("hi");
    assert_eq!(heard(&younger.result()), ["hi"]);
}

#[test]
fn d05_a_gap_is_told_in_both_ways() {
    let (hub, channel) = hub();
    let (bob, parked) = pair(&hub, &channel, "bob");
    let ann = channel.join("ann");
    ann.say("first");
    parked.listen();
    ann.say_numbers(0..120);
    let (heard, text) = bob.says("listen", &json!({}));
    assert_eq!(heard["gap"]["reason"], "ring");
    assert!(
        text.starts_with("(messages after #") && text.lines().next().unwrap().ends_with("were lost: ring)"),
        "{text}"
    );
    assert_eq!(text.lines().count(), 101);
}

#[test]
fn d32_a_stop_ends_waits_well() {
    let mut hub = Hub::start();
    let channel = hub.channel();
    let waits: Vec<_> =
        (0..4).map(|n| pair(&hub, &channel, &format!("a{n}")).0.waits(&json!({"timeout_seconds": 300}))).collect();
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
fn a_wait_that_is_refused_is_told_by_the_tool() {
    let (hub, channel) = hub();
    let (bob, parked) = pair(&hub, &channel, "bob");
    parked.leave();
    bob.cannot("wait", &json!({}), "session_expired");
    wait_until("it does not wait", || channel.roster().is_empty());
}
