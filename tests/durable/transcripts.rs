//! Transcripts: the events that a channel with a retention stores, before and after a restart.

use rogerrat_testkit::{Agent, Channel, Hub};
use serde_json::{Value, json};

use super::kit::{ENDS, End};

fn with(hub: &Hub, retention: &str) -> Channel {
    hub.channel_with(&json!({"retention": retention}))
}

/// The events of a transcript without their times, which must not decrease.
fn events(channel: &Channel, query: &str) -> Vec<Value> {
    untimed(&channel.get(&format!("transcript{query}")).ok())
}

fn seen_by(agent: &Agent) -> Vec<Value> {
    untimed(&agent.get("transcript").ok())
}

fn untimed(transcript: &Value) -> Vec<Value> {
    let mut events = transcript["events"].as_array().unwrap().clone();
    let times: Vec<_> = events.iter_mut().map(|event| event.as_object_mut().unwrap().remove("ts").unwrap()).collect();
    let times: Vec<_> = times.iter().map(|ts| ts.as_u64().unwrap()).collect();
    assert!(times.is_sorted() && times.iter().all(|ts| *ts > 1_600_000_000_000), "{times:?}");
    events
}

fn created(retention: &str) -> Value {
    json!({"type": "channel_created", "retention": retention})
}

fn join(callsign: &str) -> Value {
    json!({"type": "join", "callsign": callsign})
}

fn meta(from: &str, to: &str, bytes: usize) -> Value {
    json!({"type": "message_meta", "from": from, "to": to, "bytes": bytes})
}

fn message(from: &str, to: &str, text: &str) -> Value {
    json!({"type": "message", "from": from, "to": to, "text": text})
}

/// Does once everything that could be in a transcript.
fn talk(channel: &Channel) -> [Agent; 2] {
    let ann = Agent::from_join(channel, &channel.try_join(&json!({"callsign": "Ann"})).ok());
    let bob = Agent::from_join(channel, &channel.try_join(&json!({"callsign": "BOB"})).ok());
    channel.try_join(&json!({"callsign": "bob"})).ok();
    ann.say("naïve 𝄞");
    ann.try_send(&json!({"to": "bob", "message": "to you", "priority": "urgent", "suggested_replies": ["yes"]})).ok();
    ann.try_send(&json!({"kind": "status", "message": "on it"})).ok();
    let file = json!({"mime": "image/png", "data_base64": "iVBORw0KGgo="});
    bob.try_send(&json!({"message": "", "attachments": [file]})).ok();
    let keyed = json!({"message": "once", "client_msg_id": "k"});
    bob.try_send(&keyed).ok();
    assert_eq!(bob.try_send(&keyed).ok()["duplicate"], true);
    ann.try_send(&json!({"to": "nobody", "message": "refused"})).refused(400, "unknown_recipient");
    let carol = channel.join("carol");
    carol.leave();
    carol.leave();
    [ann, bob]
}

fn is_stored(retention: &str, expected: &[Value], next: &[Value]) {
    for end in ENDS {
        let mut hub = Hub::unlimited();
        let channel = with(&hub, retention);
        let [ann, _] = talk(&channel);
        let transcript = channel.get("transcript").ok();
        assert_eq!((&transcript["channel_id"], &transcript["retention"]), (&json!(channel.id), &json!(retention)));
        assert_eq!(untimed(&transcript), expected);
        end.of(&mut hub);
        assert_eq!(channel.get("transcript").ok(), transcript, "after {end:?}");
        ann.say("after");
        channel.join("dave").say("the first of dave");
        assert_eq!(events(&channel, ""), [expected, next].concat(), "after {end:?}");
    }
}

#[test]
fn a03_a_transcript_of_metadata_has_messages_without_text() {
    let expected = [
        created("metadata"),
        join("Ann"),
        join("BOB"),
        meta("ann", "all", 8),
        meta("ann", "bob", 6),
        meta("bob", "all", 0),
        meta("bob", "all", 4),
        join("carol"),
        json!({"type": "leave", "callsign": "carol"}),
    ];
    is_stored("metadata", &expected, &[meta("ann", "all", 5), join("dave"), meta("dave", "all", 17)]);
}

#[test]
fn a03_a_transcript_of_prompts_has_the_first_message_of_each() {
    let expected = [
        created("prompts"),
        join("Ann"),
        join("BOB"),
        message("ann", "all", "naïve 𝄞"),
        message("bob", "all", ""),
        join("carol"),
        json!({"type": "leave", "callsign": "carol"}),
    ];
    is_stored("prompts", &expected, &[join("dave"), message("dave", "all", "the first of dave")]);
}

#[test]
fn a03_a_full_transcript_has_every_message() {
    let expected = [
        created("full"),
        join("Ann"),
        join("BOB"),
        message("ann", "all", "naïve 𝄞"),
        message("ann", "bob", "to you"),
        message("bob", "all", ""),
        message("bob", "all", "once"),
        join("carol"),
        json!({"type": "leave", "callsign": "carol"}),
    ];
    is_stored(
        "full",
        &expected,
        &[message("ann", "all", "after"), join("dave"), message("dave", "all", "the first of dave")],
    );
}

#[test]
fn a_channel_without_retention_has_no_transcript() {
    let hub = Hub::unlimited();
    for channel in [hub.channel_with(&json!({"durability": "disk"})), hub.channel(), hub.band("help")] {
        let refused = channel.get("transcript").refused(404, "not_found");
        assert_eq!(refused["error"], "this channel has no transcript (retention=none)");
    }
}

#[test]
fn a_transcript_requires_the_token_of_its_channel_and_no_session() {
    let hub = Hub::unlimited();
    let channel = with(&hub, "full");
    hub.get(&channel.path("transcript")).send().refused(401, "unauthorized");
    let by_a_stranger = channel.request("GET", "transcript").session("an-unknown-session").send();
    assert_eq!(by_a_stranger.ok(), channel.get("transcript").ok());
}

#[test]
fn the_limit_of_a_transcript_is_parsed_as_in_the_original() {
    let hub = Hub::unlimited();
    let channel = with(&hub, "metadata");
    let ann = channel.join("ann");
    for n in 0..1005 {
        ann.say(&"x".repeat(1 + n % 7));
    }
    let all = events(&channel, "?limit=all");
    assert_eq!(all.len(), 1007);
    let table = [
        ("", 1000),
        ("?limit=", 1),
        ("?limit=0", 1),
        ("?limit=-3", 1),
        ("?limit=2.9", 2),
        ("?limit=7", 7),
        ("?limit=99999", 1007),
    ];
    for (query, count) in table {
        assert_eq!(events(&channel, query), all[all.len() - count..], "{query:?}");
    }
}

#[test]
fn d21_a_private_dm_is_in_the_transcript_of_its_two_ends_only() {
    for retention in ["full", "metadata"] {
        let mut hub = Hub::unlimited();
        let channel = hub.channel_with(&json!({"retention": retention, "dm_visibility": "private"}));
        let (ann, bob, carol) = (channel.join("ann"), channel.join("bob"), channel.join("carol"));
        let dm = match retention {
            "full" => message("ann", "bob", "psst"),
            _ => meta("ann", "bob", 4),
        };
        ann.send("bob", "psst");
        ann.say("hello");
        for round in ["before", "after"] {
            for agent in [&ann, &bob] {
                assert_eq!(seen_by(agent)[4], dm, "{round}: {}", agent.callsign);
            }
            for others in [seen_by(&carol), events(&channel, "")] {
                assert!(others.len() == 5 && !others.contains(&dm), "{round}: {others:?}");
            }
            End::Kill.of(&mut hub);
        }
    }
}

#[test]
fn an_expired_session_is_not_a_leave() {
    let hub = Hub::unlimited();
    let channel = hub.channel_with(&json!({"retention": "full", "session_ttl_seconds": 0.05}));
    channel.join("ann");
    rogerrat_testkit::wait_until("the session expires", || channel.roster().is_empty());
    assert_eq!(events(&channel, ""), [created("full"), join("ann")]);
    channel.join("ann");
    assert_eq!(events(&channel, "").last(), Some(&join("ann")), "a member that returns joins again");
}

/// One damaged line must not hide the others; the reader learns that lines are missing.
#[test]
fn a_damaged_line_is_left_out_and_counted() {
    let hub = Hub::unlimited();
    let channel = with(&hub, "full");
    let ann = channel.join("ann");
    for n in 0..10 {
        ann.say(&n.to_string());
    }
    let store = rusqlite::Connection::open(hub.data().join("hub.db")).unwrap();
    // The lines of the texts 1, 2 and 3.
    for (n, damage) in [(4, "x''"), (5, "x'7b2274'"), (6, "x'ff00ff'")] {
        assert_eq!(store.execute(&format!("UPDATE transcript SET json = {damage} WHERE n = {n}"), []).unwrap(), 1);
    }
    let transcript = channel.get("transcript").ok();
    let texts: Vec<_> =
        untimed(&transcript).iter().filter_map(|event| event["text"].as_str()).map(str::to_owned).collect();
    assert_eq!(texts, ["0", "4", "5", "6", "7", "8", "9"]);
    assert_eq!(transcript["damaged"], 3);
    assert!(hub.log().contains("left out damaged lines of a transcript"), "{}", hub.log());
    assert_eq!(channel.get("transcript?limit=3").ok().get("damaged"), None);
}

#[test]
fn a_long_transcript_arrives_in_pages() {
    let hub = Hub::unlimited();
    let channel = with(&hub, "full");
    let ann = channel.join("ann");
    let long = "x".repeat(8_000);
    for n in 0..100 {
        ann.say(&format!("{n} {long}"));
    }
    let reply = channel.get("transcript");
    assert_eq!(reply.header("transfer-encoding"), Some("chunked"));
    let events = untimed(&reply.ok());
    assert_eq!(events.len(), 102);
    assert!(events[101]["text"].as_str().unwrap().starts_with("99 "));
    assert_eq!(channel.get("transcript?limit=2").header("transfer-encoding"), None);
}
