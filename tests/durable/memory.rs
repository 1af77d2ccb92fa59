//! Memory channels: a restart is reported once as a gap, and no text is written to disk.

use rogerrat_testkit::{Agent, Hub, texts};
use serde_json::{Value, json};

use super::kit::{ENDS, End, files_with, on_disk};

#[test]
fn d05_each_earlier_member_gets_one_gap_after_a_restart() {
    for end in ENDS {
        let mut hub = Hub::unlimited();
        let channel = hub.channel();
        let (ann, bob, carol) = (channel.join("ann"), channel.join("bob"), channel.join("carol"));
        let last = *ann.say_numbers(0..3).last().unwrap();
        assert_eq!(bob.listen().len(), 3);
        carol.leave();
        end.of(&mut hub);
        let dave = channel.join("dave");
        for (agent, read_upto) in [(&ann, 0), (&bob, last), (&carol.rejoin(), 0)] {
            let read = agent.get("listen?timeout=30").ok();
            let gap = &read["gap"];
            assert_eq!(gap["reason"], "restart", "{}: {read}", agent.callsign);
            // The cursors of a memory channel are not stored, so the gap may be larger than the loss.
            assert!(gap["from"].as_u64().unwrap() <= read_upto && gap["to"].as_u64().unwrap() >= last, "{read}");
            assert_eq!(read["messages"], json!([]));
            let next = agent.get("listen?timeout=1").ok();
            assert_eq!(next, json!({"messages": [], "timed_out": true}), "{end:?} {}", agent.callsign);
        }
        assert_eq!(
            dave.get("listen?timeout=1").ok(),
            json!({"messages": [], "timed_out": true}),
            "a new member has lost nothing"
        );
        ann.say("after");
        assert_eq!((bob.listen(), dave.listen()), (vec!["after".into()], vec!["after".into()]));
    }
}

#[test]
fn d05_a_stream_reports_a_gap_after_a_restart() {
    let mut hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    ann.say_numbers(0..3);
    End::Kill.of(&mut hub);
    let mut stream = bob.stream("");
    let gap = stream.next().unwrap();
    assert_eq!((gap.name(), &gap.data()["reason"]), ("gap", &json!("restart")));
    ann.say("after");
    assert_eq!(stream.text(), "after");
}

/// A text that occurs only where a test puts it, and one in base64.
const NEEDLE: &str = "xylophone-4711-quagmire";
const NEEDLE_BASE64: &str = "eHlsb3Bob25lLTQ3MTEtcXVhZ21pcmUh";

/// Sends the needle in every field that takes a text.
fn send_needle(ann: &Agent, to: &str) {
    let body = json!({"to": to, "message": NEEDLE, "thread": NEEDLE, "suggested_replies": [NEEDLE],
        "attachments": [{"mime": "image/png", "data_base64": NEEDLE_BASE64, "filename": NEEDLE}]});
    ann.try_send(&body).ok();
    ann.try_send(&json!({"to": to, "message": NEEDLE, "client_msg_id": format!("{NEEDLE}-{to}")})).ok();
    ann.try_send(&json!({"to": to, "kind": "status", "message": NEEDLE})).ok();
}

fn is_nowhere(hub: &Hub, needle: &str) {
    assert_eq!(files_with(hub, needle), [""; 0], "{needle}");
    assert!(!hub.log().contains(needle), "{needle} is in the log");
}

#[test]
fn a03_the_text_of_a_memory_channel_is_in_no_file() {
    let mut hub = Hub::with(&["--rate-limit", "off"], &[("ROGERRAT_LOG__LEVEL", "info,access=debug")]);
    let channels = ["none", "metadata"].map(|retention| {
        let channel = hub.channel_with(&json!({"retention": retention, "owner_password": "a-secret-of-the-owner"}));
        let (ann, bob, carol) = (channel.join("ann"), channel.join("bob"), channel.join("carol"));
        carol.leave();
        ["all", "bob", "carol"].into_iter().for_each(|to| send_needle(&ann, to));
        assert_eq!(bob.get("listen?ack=manual").ok()["messages"].as_array().unwrap().len(), 4);
        (channel, ann, bob)
    });
    // A join is stored, and pending writes with it.
    channels.iter().for_each(|(channel, ..)| drop(channel.join("dave")));
    let nothing_is_stored = |hub: &Hub| {
        for needle in [NEEDLE, NEEDLE_BASE64, "xylophone", "a-secret-of-the-owner", "eHlsb3Bob25l"] {
            is_nowhere(hub, needle);
        }
        for (channel, ann, bob) in &channels {
            for secret in [&channel.token, &ann.session, &bob.session] {
                is_nowhere(hub, secret);
            }
        }
    };
    nothing_is_stored(&hub);
    hub.stop();
    nothing_is_stored(&hub);
    hub.start_again(&["--rate-limit", "off"], &[]);
    channels.iter().for_each(|(_, ann, _)| send_needle(ann, "all"));
    End::Kill.of(&mut hub);
    nothing_is_stored(&hub);
    channels.iter().for_each(|(channel, ..)| assert_eq!(channel.history(), [""; 0]));
}

#[test]
fn a03_the_text_of_a_disk_channel_is_in_the_database_and_in_no_log() {
    let mut hub = Hub::with(&["--rate-limit", "off"], &[("ROGERRAT_LOG__LEVEL", "info,access=debug")]);
    let channel = on_disk(&hub);
    let ann = channel.join("ann");
    channel.join("bob");
    ["all", "bob"].into_iter().for_each(|to| send_needle(&ann, to));
    assert_ne!(files_with(&hub, NEEDLE), [""; 0], "the search must find the text");
    hub.stop();
    assert_eq!(files_with(&hub, NEEDLE), ["hub.db"]);
    for secret in [&channel.token, &ann.session] {
        is_nowhere(&hub, secret);
    }
    assert!(!hub.log().contains(NEEDLE));
}

#[test]
fn a_memory_channel_keeps_its_consumers_without_their_messages() {
    for end in ENDS {
        let mut hub = Hub::unlimited();
        let channel = hub.channel();
        let (ann, bob) = (channel.join("ann"), channel.join("bob"));
        let id = ann.say("gone");
        bob.get("listen?timeout=1&ack=manual&consumer=desk").ok();
        end.of(&mut hub);
        let names: Vec<_> = bob.consumers().iter().map(|row| row["name"].clone()).collect();
        assert_eq!(names, [Value::Null, json!("desk")], "{end:?}");
        assert_eq!(bob.consumers()[1]["in_flight"], 0);
        ann.get(&format!("messages/{id}/receipts")).refused(404, "not_found");
        ann.say("new");
        let read = bob.get("listen?timeout=1&ack=manual&consumer=desk").ok();
        assert_eq!((&read["gap"]["reason"], texts(&read["messages"])), (&json!("restart"), vec!["new".into()]));
    }
}
