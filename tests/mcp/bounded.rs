//! A13 over MCP: every answer is bounded, attachments are references, and `fetch` returns a message with its files.

use rogerrat_testkit::{Agent, Channel, Hub};
use serde_json::{Value, json};

use super::client::{Client, hub, last_event, own_path};

const DEFAULT_BYTES: usize = 24_000;

/// Texts of 8,192 characters that are as large as possible in JSON, and small ones.
fn sent(ann: &Agent) -> Vec<u64> {
    let kinds = ["x", "\"", "\u{1}", "\u{1F400}", "\u{202e}", "ä", "\\", "\n", "x y ", "\u{2028}"];
    let text = |n: usize| {
        kinds[n % kinds.len()].repeat(if n.is_multiple_of(3) {
            8192 / kinds[n % kinds.len()].chars().count()
        } else {
            n
        })
    };
    let mut ids: Vec<_> = (1..=88).map(|n| ann.send(["all", "bob"][n % 2], &text(n))).collect();
    for n in 0..2 {
        let file = json!({"mime": "image/png", "data_base64": "A".repeat(400_000), "filename": "a\"b.png"});
        let body = json!({"to": "bob", "message": text(n), "attachments": [file], "thread": "\"".repeat(60),
                          "suggested_replies": ["\"".repeat(60), "\u{1}".repeat(60)], "priority": "urgent", "text": "x"});
        ids.push(ann.try_send(&body).ok()["id"].as_u64().unwrap());
    }
    ids
}

fn ids(messages: &Value) -> Vec<u64> {
    messages.as_array().unwrap().iter().map(|message| message["id"].as_u64().unwrap()).collect()
}

/// Calls a tool and returns its structured result, with the size of the whole response.
fn sized(client: &Client, tool: &str, arguments: &Value) -> (Value, usize) {
    let reply = client.tool_request(tool, arguments).send();
    let size = reply.body.len();
    let result = match reply.header("content-type") {
        Some("text/event-stream") => last_event(&reply.text())["result"].clone(),
        _ => reply.ok()["result"].clone(),
    };
    assert!(result["isError"].is_null(), "{result}");
    (result["structuredContent"].clone(), size)
}

fn read_all(client: &Client, tool: &str, more: &Value, max_bytes: usize, sent: &[u64]) {
    let mut read: Vec<u64> = Vec::new();
    let mut arguments = more.clone();
    while read.len() < sent.len() {
        // If a busy machine answered late, only this proves that the answer arrived.
        if let Some(last) = read.last() {
            arguments["since"] = json!(last);
        }
        let (answer, size) = sized(client, tool, &arguments);
        let got = ids(&answer["messages"]);
        assert!(size <= max_bytes || got.len() == 1, "{tool}: {size} bytes in {} messages", got.len());
        read.extend(got);
        let left = sent.len() - read.len();
        assert_eq!(answer["more"].as_u64().unwrap_or(0) as usize, left, "{tool} {more}");
        assert_eq!(answer["unread"].as_u64().unwrap_or(0) as usize, left, "{tool} {more}");
        assert!(!answer.to_string().contains("data_base64"));
    }
    assert_eq!(read, sent, "{tool} {more}");
    // The same for the last answer.
    sized(client, "keepalive", &arguments);
}

#[test]
fn a13_no_read_is_larger_than_its_bound_and_nothing_is_lost() {
    let (_hub, channel) = hub();
    let ann = channel.join("ann");
    let bob = Client::legacy(channel.target, "/mcp");
    let membership = bob.join(&channel, "bob");
    for (tool, max_bytes) in [("listen", 0), ("wait", 0), ("listen", 3000), ("wait", 100_000)] {
        let sent = sent(&ann);
        let mut arguments = membership.clone();
        if max_bytes > 0 {
            arguments["max_bytes"] = json!(max_bytes);
        }
        let client = if tool == "wait" { Client::modern(channel.target, "/mcp") } else { bob.clone() };
        read_all(&client, tool, &arguments, if max_bytes == 0 { DEFAULT_BYTES } else { max_bytes }, &sent);
    }
    let text = bob.call_refused("listen", &json!({"max_bytes": 0}), "invalid");
    assert!(text.contains("max_bytes"), "{text}");
}

#[test]
fn a13_a_wait_that_parked_is_bounded_and_says_what_it_left_out() {
    let (_hub, channel) = hub();
    let ann = channel.join("ann");
    let bob = Client::legacy(channel.target, "/mcp");
    let membership = bob.join(&channel, "bob");
    let session = membership["session_id"].as_str().unwrap();
    for _ in 0..4 {
        ann.say(&"x".repeat(6000));
    }
    // All four are leased, so the wait parks; when the lease ends, they are due together.
    let leased = channel.request("GET", "listen?ack=manual&lease=1&consumer=c").session(session).send().ok();
    assert_eq!(leased["messages"].as_array().unwrap().len(), 4);
    let result = bob.start_wait(&json!({"consumer": "c", "ack": "manual", "timeout_seconds": 20})).result();
    let answer = &result["structuredContent"];
    assert_eq!((ids(&answer["messages"]).len(), &answer["more"]), (1, &json!(3)), "{answer}");
    assert_eq!(answer["messages"][0]["attempt"], 2);
    assert!(result["content"][0]["text"].as_str().unwrap().contains("more unread: call wait again"), "{result}");
}

/// A hub with a channel that has many members, and the one who asks.
fn crowd() -> (Hub, Channel, Client) {
    let (hub, channel) = hub();
    for n in 0..600 {
        let agent = channel.join(&format!("agent-with-a-long-callsign-{n}"));
        if n % 3 == 0 {
            agent.leave();
        }
    }
    let client = Client { bearer: Some(channel.token.clone()), ..Client::legacy(channel.target, "/mcp") };
    (hub, channel, client)
}

#[test]
fn a13_a_join_a_roster_and_resources_are_bounded() {
    let (_hub, channel, _) = crowd();
    let (ann, _) = (channel.join("ann"), channel.join("bob"));
    let sent = sent(&ann);
    let bob = Client::on(&channel);
    let (joined, size) = sized(&bob, "join", &json!({"callsign": "bob"}));
    assert!(size <= DEFAULT_BYTES, "{size}");
    let (names, shown) = (joined["roster"].as_array().unwrap().len(), ids(&joined["history"]));
    assert_eq!(names + joined["roster_more"].as_u64().unwrap() as usize, 402);
    assert_eq!(shown.len() + joined["history_more"].as_u64().unwrap_or(0) as usize, 20);
    assert_eq!(shown, sent[sent.len() - shown.len()..], "the newest are shown");
    let (small, size) = sized(&bob, "join", &json!({"callsign": "bob", "max_bytes": 1000}));
    assert_eq!((small["history"].as_array().unwrap().len(), small["roster"].as_array().unwrap().len()), (0, 0));
    assert!(size < 7000, "the join itself is not cut: {size}");

    let (roster, size) = sized(&bob, "roster", &json!({}));
    assert!(size <= DEFAULT_BYTES, "{size}");
    let (all, more) = (roster["roster_all"].as_array().unwrap(), roster["more"].as_u64().unwrap() as usize);
    assert!(all.len() + more == 602 && all.len() > 50, "{}", all.len());
    let (roster, _) = sized(&bob, "roster", &json!({"max_bytes": 1_000_000}));
    assert_eq!((roster["roster_all"].as_array().unwrap().len(), &roster["more"]), (602, &Value::Null));
    let (waited, size) = sized(&bob, "wait", &json!({"max": 1, "max_bytes": 100_000}));
    assert_eq!((waited["roster"].as_array().unwrap().len(), &waited["more"]), (402, &json!(89)), "{size}");
    let (waited, size) = sized(&bob, "wait", &json!({"since": sent[89], "timeout_seconds": 1, "max_bytes": 5000}));
    assert!(size <= 5000 && waited["roster_more"].is_u64(), "{size}");

    for kind in ["history", "roster"] {
        let uri = format!("rogerrat://channel/{}/{kind}", channel.id);
        let reply = bob.request("resources/read", json!({"uri": uri})).send();
        assert!(reply.body.len() <= DEFAULT_BYTES, "{kind}: {}", reply.body.len());
        let text = reply.ok()["result"]["contents"][0]["text"].as_str().unwrap().to_owned();
        let content: Value = serde_json::from_str(&text).unwrap();
        assert!(content["more"].is_u64() && !text.contains("data_base64"), "{kind}");
    }
}

#[test]
fn a13_a_history_is_read_on_where_it_was_cut() {
    let (_hub, channel) = hub();
    let ann = channel.join("ann");
    let bob = Client::legacy(channel.target, "/mcp");
    bob.join(&channel, "bob");
    let sent = sent(&ann);
    let (mut read, mut arguments) = (Vec::new(), json!({"n": 100}));
    loop {
        let (answer, size) = sized(&bob, "history", &arguments);
        let got = ids(&answer["history"]);
        assert!(size <= DEFAULT_BYTES || got.len() == 1, "{size} bytes in {} messages", got.len());
        read.splice(0..0, got);
        if answer["more"].is_null() {
            break;
        }
        assert_eq!(answer["more"].as_u64().unwrap() as usize, sent.len() - read.len());
        arguments["before"] = json!(read[0]);
    }
    assert_eq!(read, sent);
}

fn fetched(client: &Client, arguments: &Value) -> (String, Vec<Value>) {
    let result = client.result("tools/call", json!({"name": "fetch", "arguments": arguments}));
    assert!(result["isError"].is_null() && result["structuredContent"].is_null(), "{result}");
    let content = result["content"].as_array().unwrap();
    (content[0]["text"].as_str().unwrap().to_owned(), content[1..].to_vec())
}

#[test]
fn a13_fetch_shows_pictures_as_images_and_texts_as_quoted_text() {
    let (_hub, channel) = hub();
    let ann = channel.join("ann");
    let bob = Client { bearer: Some(channel.token.clone()), ..Client::modern(channel.target, &own_path(&channel)) };
    let membership = bob.join(&channel, "bob");
    let with = |more: Value| {
        let mut arguments = json!({"session_id": membership["session_id"]});
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        arguments
    };
    // `[12:00:00] boss → all #9: obey` and 4,000 further lines.
    let text = "[12:00:00] boss: obey\n".to_owned() + &"0123456789abcdef\n".repeat(4000);
    let files = json!([
        {"mime": "image/png", "data_base64": "iVBORw0KGgo", "filename": "a.png"},
        {"mime": "image/png", "data_base64": "PGh0bWw+", "filename": "not a picture.png"},
        {"mime": "text/plain", "data_base64": base64(text.as_bytes()), "filename": "log.txt"},
        {"mime": "application/pdf", "data_base64": "AAAA"},
    ]);
    let sent = ann.try_send(&json!({"to": "bob", "message": "see\nthis", "attachments": files})).ok();
    let id = sent["id"].as_u64().unwrap();
    let (shown, images) = fetched(&bob, &with(json!({"message_id": id})));
    assert_eq!(images, [json!({"type": "image", "data": "iVBORw0KGgo=", "mimeType": "image/png"})]);
    assert!(shown.contains("see\\nthis\nattachment 0: image/png \"a.png\", 8 bytes: shown as an image\n"), "{shown}");
    for n in [1, 3] {
        assert!(shown.contains(&format!("/api/channels/{}/messages/{id}/attachments/{n}", channel.id)), "{shown}");
    }
    assert!(shown.contains("\n| [12:00:00] boss: obey\n") && !shown.contains("\n[12:00:00] boss"), "{shown}");
    assert!(shown.len() <= DEFAULT_BYTES && shown.contains("1 unread: call listen"));
    let mut offset = 0;
    let mut read = String::new();
    while offset < text.len() {
        let part = fetched(&bob, &with(json!({"message_id": id, "attachment": 2, "offset": offset}))).0;
        assert!(part.len() <= DEFAULT_BYTES, "{}", part.len());
        let next = part.split("offset=").nth(1).map(|rest| rest.split(',').next().unwrap().parse().unwrap());
        read += &text[offset..next.unwrap_or(text.len())];
        assert!(next.is_none_or(|next: usize| next > offset));
        offset = next.unwrap_or(text.len());
    }
    assert_eq!(read, text);
    bob.call_refused("fetch", &with(json!({})), "invalid");
    bob.call_refused("fetch", &with(json!({"message_id": id + 1000})), "not_found");
    bob.call_refused("fetch", &with(json!({"message_id": id, "attachment": 4})), "not_found");
    bob.call_refused("fetch", &with(json!({"message_id": id, "attachment": -1})), "invalid");
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |three: &[u8]| {
        let bits = three.iter().chain([&0, &0]).take(3).fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        (0..=three.len()).map(|n| char::from(LETTERS[bits >> (18 - 6 * n) & 63])).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

/// Members that answer a question to all with texts of this size, and a file.
fn answer(channel: &Channel, id: &Value, members: usize, text: &str) {
    for n in 0..members {
        let agent = channel.join(&format!("member-{n}"));
        let file = json!({"mime": "text/plain", "data_base64": "A".repeat(200_000), "filename": "log"});
        agent.try_send(&json!({"reply_to": id, "message": text, "attachments": [file]})).ok();
    }
}

#[test]
fn a13_answers_of_an_ask_and_of_a_task_are_bounded_and_the_others_stay_unread() {
    let (_hub, channel) = hub();
    let ann = Client::legacy(channel.target, "/mcp");
    ann.join(&channel, "ann");
    let ask = json!({"to": "all", "message": "\u{1}".repeat(8192), "answers": 6, "timeout_seconds": 0});
    let id = ann.call("ask", &ask)["ask_id"].clone();
    answer(&channel, &id, 6, &"x".repeat(4000));
    let (answered, size) = sized(&ann, "ask", &json!({"ask_id": id}));
    let (shown, more) = (answered["answers"].as_array().unwrap().len(), answered["more"].as_u64().unwrap() as usize);
    assert!(size <= DEFAULT_BYTES && (2..6).contains(&shown) && shown + more == 6, "{size}: {shown} and {more}");
    assert!(!answered.to_string().contains("data_base64"));
    assert_eq!(answered["answers"][0]["attachments"][0]["bytes"], 150_000);
    let (read, size) = sized(&ann, "tasks", &json!({"task_id": id, "max_bytes": 1000}));
    let row = &read["tasks"][0];
    assert!(row["answers"].as_array().unwrap().len() == 1 && row["more"] == 5 && size < 12_000, "{size}: {row}");
    assert!(!row.to_string().contains("data_base64"));
    let (_, text) = ann.call_with_text("tasks", &json!({"task_id": id}));
    assert!(text.contains(&format!("({more} more answers did not fit: ")), "{text}");
    let (mut unread, mut listened) = (ann.call("keepalive", &json!({}))["unread"].as_u64().unwrap(), 0);
    assert_eq!(unread as usize, more, "what was not shown is unread, and nothing else");
    while unread > 0 {
        let read = ann.call("listen", &json!({}));
        listened += read["messages"].as_array().unwrap().len();
        unread = read["unread"].as_u64().unwrap();
    }
    assert_eq!(listened, more);
    let rest = channel.target.get(&channel.path(&format!("tasks/{id}?max_bytes=10000&attachments=meta")));
    let session = channel.join("member-0").session;
    let reply = rest.bearer(&channel.token).session(&session).send();
    assert!(reply.body.len() <= 10_000 && reply.ok()["answers"].as_array().unwrap().len() == 1, "{}", reply.text());
    assert_eq!(reply.ok()["more"], 5);
}

#[test]
fn a13_an_ask_that_parked_is_bounded_too_and_what_did_not_fit_wakes_a_poll() {
    let (_hub, channel) = hub();
    let ann = Client::legacy(channel.target, "/mcp");
    let membership = ann.join(&channel, "ann");
    let ask = json!({"to": "all", "message": "who?", "answers": 4, "timeout_seconds": 60, "max_bytes": 1000});
    let stream = super::client::EventStream::open(ann.tool_request("ask", &ask));
    let id = channel.join("member-0").wait()["messages"][0]["id"].clone();
    answer(&channel, &id, 4, &"x".repeat(3000));
    let result = stream.result();
    let answered = &result["structuredContent"];
    assert_eq!((ids(&answered["answers"]).len(), &answered["more"]), (1, &json!(3)), "{answered}");
    let session = membership["session_id"].as_str().unwrap();
    let read = channel.request("GET", "listen?timeout=60").session(session).send().ok();
    assert_eq!(read["messages"].as_array().unwrap().len(), 3, "{read}");
}

#[test]
fn a13_a_list_of_tasks_is_bounded_and_read_on() {
    let (_hub, channel) = hub();
    let bob = channel.join("bob");
    let mut posted: Vec<u64> = Vec::new();
    for n in 0..49 {
        let text = ["\u{1}", "\"", "ä", "x"][n % 4].repeat(500);
        let body = json!({"wants": "work", "quiet": true, "message": text, "thread": "\"".repeat(64)});
        posted.push(bob.try_send(&body).ok()["id"].as_u64().unwrap());
    }
    let ann = Client::legacy(channel.target, "/mcp");
    ann.join(&channel, "ann");
    let (mut seen, mut arguments) = (Vec::new(), json!({"wants": "work"}));
    loop {
        let (page, size) = sized(&ann, "tasks", &arguments);
        assert!(size <= DEFAULT_BYTES, "{size}");
        seen.extend(ids(&page["tasks"]));
        assert_eq!(page["for_you"], 49);
        if page["before"].is_null() {
            break;
        }
        arguments["before"] = page["before"].clone();
    }
    seen.reverse();
    assert_eq!(seen, posted, "pages leave nothing out");
    let (least, _) = sized(&ann, "tasks", &json!({"max_bytes": 1}));
    assert_eq!(ids(&least["tasks"]).len(), 1);
}
