//! D5, D6, D20: lost messages are reported, and a DM is never lost.

use rogerrat_testkit::{Agent, Channel, Hub, PendingPoll, Stream, texts};
use serde_json::{Value, json};

/// Ann has sent `n` messages since bob's last read.
fn behind(hub: &Hub, n: usize) -> (Channel, Agent, Agent, u64, Vec<u64>) {
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let cursor = ann.say("start");
    assert_eq!(bob.listen(), ["start"]);
    let ids = (0..n).map(|n| ann.say(&n.to_string())).collect();
    (channel, ann, bob, cursor, ids)
}

#[test]
fn d05_a_loss_is_reported_once_with_its_range() {
    let hub = Hub::unlimited();
    let (_, ann, bob, cursor, ids) = behind(&hub, 130);
    let read = bob.get("listen?timeout=1").ok();
    assert_eq!(read["gap"], json!({"from": cursor, "to": ids[29], "reason": "ring"}));
    assert_eq!(texts(&read["messages"]), (30..130).map(|n| n.to_string()).collect::<Vec<_>>());
    ann.say("more");
    assert!(bob.get("listen?timeout=1").ok().get("gap").is_none(), "it is reported once");
}

#[test]
fn d05_a_full_ring_without_a_loss_is_no_gap() {
    let hub = Hub::unlimited();
    let (_, _, bob, _, _) = behind(&hub, 100);
    let read = bob.get("listen?timeout=1").ok();
    assert!(read.get("gap").is_none(), "{}", read["gap"]);
    assert_eq!(read["messages"].as_array().unwrap().len(), 100);
}

#[test]
fn d05_own_broadcasts_are_no_loss() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    bob.say_numbers(0..120);
    ann.say("the first of another");
    let read = bob.get("listen?timeout=1").ok();
    assert!(read.get("gap").is_none(), "{}", read["gap"]);
    assert_eq!(texts(&read["messages"]), ["the first of another"]);
}

#[test]
fn d05_a_new_member_gets_no_gap() {
    let hub = Hub::unlimited();
    let (channel, ..) = behind(&hub, 130);
    let carl = channel.join("carl");
    let read = carl.get("listen?timeout=1").ok();
    assert!(read.get("gap").is_none(), "{}", read["gap"]);
    assert_eq!(texts(&read["messages"])[0], "30");
}

#[test]
fn d05_since_below_the_ring_is_a_gap_too() {
    let hub = Hub::unlimited();
    let (_, _, bob, cursor, ids) = behind(&hub, 130);
    let read = bob.get(&format!("listen?timeout=1&since={}", cursor - 1)).ok();
    assert_eq!(read["gap"], json!({"from": cursor - 1, "to": ids[29], "reason": "ring"}));
    let read = bob.get(&format!("listen?timeout=1&since={}", ids[29])).ok();
    assert!(read.get("gap").is_none(), "{}", read["gap"]);
}

#[test]
fn d05_a_stream_reports_a_loss_as_an_event() {
    let hub = Hub::unlimited();
    let (_, _, bob, cursor, ids) = behind(&hub, 130);
    let mut stream = bob.stream("");
    let gap = stream.next().unwrap();
    assert_eq!((gap.name(), gap.field("id")), ("gap", None));
    assert_eq!(gap.data(), json!({"from": cursor, "to": ids[29], "reason": "ring"}));
    assert_eq!(stream.text(), "30");
    stream.disconnect();
    bob.until_waiting(false);
    let again = bob.stream("");
    assert_eq!(again.hello.data()["backlog_count"], 0);
}

#[test]
fn d05_dms_displaced_from_the_ring_are_no_gap() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob, carl) = (channel.join("ann"), channel.join("bob"), channel.join("carl"));
    for n in 0..110 {
        ann.send("carl", &n.to_string());
        assert_eq!(carl.listen(), [n.to_string()]);
    }
    ann.say("to all");
    let read = bob.get("listen?timeout=1").ok();
    assert!(read.get("gap").is_none(), "{}", read["gap"]);
    assert_eq!(texts(&read["messages"]), ["to all"]);
}

#[test]
fn d06_broadcasts_cannot_displace_a_dm() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    bob.leave();
    let sent = ann.try_send(&json!({"to": "bob", "message": "held"})).ok();
    assert_eq!(sent["queued"], true);
    ann.say_numbers(0..150);
    let bob = bob.rejoin();
    let first = bob.listen();
    assert_eq!((first.len(), first[0].as_str(), first[1].as_str()), (100, "held", "50"), "merged by id, 100 at once");
    assert_eq!(bob.listen(), ["149"]);
    assert_eq!(bob.unread(), 0);
}

#[test]
fn d06_a_hundred_dms_are_kept_and_the_next_is_refused() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob, carl) = (channel.join("ann"), channel.join("bob"), channel.join("carl"));
    for n in 0..100 {
        ann.send("bob", &n.to_string());
    }
    let before = channel.visible_state();
    let refusal = carl.try_send(&json!({"to": "bob", "message": "one too many"})).refused(409, "mailbox_full");
    assert!(refusal["hint"].is_string());
    assert_eq!(channel.visible_state(), before, "a refused send changes nothing");
    ann.send("carl", "others still have space");
    ann.say("and so has everybody");
    assert_eq!(bob.listen().len(), 100);
    carl.send("bob", "now there is space");
    assert_eq!(bob.listen(), ["and so has everybody", "now there is space"]);
}

#[test]
fn d06_four_mebibytes_are_kept_per_member_and_sixteen_per_channel() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let ann = channel.join("ann");
    let others = ["b1", "b2", "b3", "b4", "b5"].map(|name| channel.join(name));
    let fill = |to: &str| {
        let file = json!({"mime": "image/png", "data_base64": "A".repeat(524_288)});
        let body = json!({"to": to, "message": "brick", "attachments": [file]});
        let refused = (0..10).map(|_| ann.try_send(&body)).enumerate().find(|(_, reply)| reply.status != 200);
        let (n, reply) = refused.expect("there is a bound");
        reply.refused(409, "mailbox_full");
        n
    };
    assert_eq!(["b1", "b2", "b3", "b4"].map(fill), [7; 4], "4 MiB for each");
    assert_eq!(fill("b5"), 3, "16 MiB for all");
    let first = others[0].get("listen?timeout=1").ok();
    assert_eq!(first["messages"].as_array().unwrap().len(), 7, "none was dropped");
    assert_eq!(fill("b5"), 4, "reading frees space");
}

#[test]
fn d06_since_can_skip_a_pending_dm_but_never_drops_it() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let dm = ann.send("bob", "the skipped one");
    ann.say("the newer one");
    let read = bob.get(&format!("listen?timeout=1&since={dm}")).ok();
    assert_eq!(texts(&read["messages"]), ["the newer one"]);
    assert_eq!(bob.unread(), 1);
    assert_eq!(bob.listen(), ["the skipped one"], "even below the cursor");
    assert_eq!(bob.unread(), 0);
}

#[test]
fn d06_a_dm_is_kept_until_the_first_consumer_reads_it() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    bob.get("listen?timeout=1&consumer=other&since=0");
    ann.send("bob", "for bob");
    assert_eq!(bob.listen(), ["for bob"]);
    let other = bob.get("listen?timeout=1&consumer=other").ok();
    assert_eq!(texts(&other["messages"]), ["for bob"], "other consumers get it while it is in the ring");
    ann.say_numbers(0..100);
    let third = bob.get("listen?timeout=1&consumer=third").ok();
    assert!(!texts(&third["messages"]).contains(&"for bob".to_owned()), "and not after");
}

#[test]
fn d06_a_dm_to_oneself_is_in_the_history_but_not_delivered() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let ann = channel.join("ann");
    for n in 0..101 {
        let sent = ann.try_send(&json!({"to": "ann", "message": n.to_string()})).ok();
        assert_eq!(sent["queued"], false);
    }
    assert_eq!(ann.unread(), 0);
    assert_eq!(channel.history().len(), 100);
}

#[test]
fn d06_a_dm_reaches_its_recipient_only() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob, carl) = (channel.join("ann"), channel.join("bob"), channel.join("carl"));
    let (to_bob, to_carl) = (bob.park("wait?timeout=60"), carl.park("wait?timeout=60"));
    ann.send("bob", "psst");
    assert_eq!(texts(&to_bob.answer()["messages"]), ["psst"]);
    assert!(carl.is_waiting());
    PendingPoll::disconnect(to_carl);
    assert_eq!((carl.unread(), ann.unread()), (0, 0));
}

#[test]
fn d20_the_number_of_a_member_never_changes() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob, carl) = (channel.join("ann"), channel.join("bob"), channel.join("carl"));
    ann.leave();
    let roster = channel.get("roster").ok();
    let numbers: Vec<_> = roster["roster_with_index"].as_array().unwrap().iter().map(|s| &s["idx"]).collect();
    assert_eq!(numbers, [&json!(2), &json!(3)], "leaving changes no number");
    let to = |to: Value| carl.try_send(&json!({"to": to, "message": "x"})).ok()["to"].clone();
    assert_eq!([to(json!("#2")), to(json!("2")), to(json!(2)), to(json!("#1"))], ["bob", "bob", "bob", "ann"]);
    let dora = channel.join("dora");
    assert_eq!(dora.joined["idx"], 4, "a number is not reused");
    assert_eq!(ann.rejoin().joined["idx"], 1, "and stays with its member");
    carl.try_send(&json!({"to": "#9", "message": "x"})).refused(400, "unknown_recipient");
    assert_eq!(bob.unread(), 3);
}

#[test]
fn d20_a_bare_number_is_a_callsign_first() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, _, two) = (channel.join("ann"), channel.join("bob"), channel.join("2"));
    let to = |to: Value| ann.try_send(&json!({"to": to, "message": "x"})).ok()["to"].clone();
    assert_eq!([to(json!("2")), to(json!("#2")), to(json!("3"))], ["2", "bob", "2"]);
    assert_eq!(two.unread(), 2);
}

#[test]
fn d06_a_stream_starts_with_pending_dms() {
    let hub = Hub::start();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    bob.leave();
    ann.send("bob", "held");
    ann.say("said");
    let bob = bob.rejoin();
    let mut stream: Stream = bob.stream("");
    assert_eq!(stream.hello.data()["backlog_count"], 2);
    assert_eq!([stream.text(), stream.text()], ["held", "said"]);
}
