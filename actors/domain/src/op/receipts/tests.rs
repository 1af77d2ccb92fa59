//! Tests of receipts.

use crate::op::harness::{START_MS, TestChannel, draft};
use crate::op::{Ack, Draft, Leave, ReadInput, ReceiptCounts, Receipts, ReceiptsOfMany, ReceiptsReply};
use crate::{AckMode, Code, Kind, Settings, TokenHash, limits};

fn trio() -> TestChannel {
    let mut test = TestChannel::new();
    for name in ["ann", "bob", "cat"] {
        test.join(name);
    }
    test
}

fn ask(test: &mut TestChannel, who: &str, id: u64) -> Result<ReceiptsReply, Code> {
    let session = test.session(who);
    test.query(&Receipts { session, id }).map_err(|r| r.code)
}

/// The receipts of ann's message as text: `bob queued, cat delivered`.
fn states(test: &mut TestChannel, id: u64) -> String {
    let reply = ask(test, "ann", id).unwrap();
    let words = |r: &crate::op::Receipt| format!("{} {:?}", r.to, r.state).to_lowercase();
    reply.receipts.iter().map(words).collect::<Vec<_>>().join(", ")
}

fn manual() -> ReadInput {
    ReadInput { ack_mode: AckMode::Leased { lease_ms: 10_000 }, ..ReadInput::default() }
}

#[test]
fn a04_a_dm_has_times_and_attempts() {
    let mut test = trio();
    let id = test.send("ann", "bob", "hi").id;
    assert_eq!(states(&mut test, id), "bob queued");
    test.at(1_000);
    test.listen_with("bob", manual());
    test.at(11_000);
    test.listen_with("bob", manual());
    test.at(12_000);
    let session = test.session("bob");
    test.ask(Ack { session, consumer: None, upto: id }).unwrap();
    let receipt = ask(&mut test, "ann", id).unwrap().receipts.remove(0);
    assert_eq!(format!("{:?}", receipt.state), "Acked");
    assert_eq!((receipt.queued_at, receipt.delivered_at), (Some(START_MS), Some(START_MS + 1_000)));
    assert_eq!((receipt.acked_at, receipt.attempts), (Some(START_MS + 12_000), Some(2)));
}

#[test]
fn a04_a_dm_counts_as_delivered_when_the_response_is_completed() {
    let mut test = trio();
    let id = test.send("ann", "bob", "hi").id;
    let response = test.poll("bob", ReadInput::default()).unwrap();
    assert_eq!(states(&mut test, id), "bob queued");
    test.take(response);
    assert_eq!(states(&mut test, id), "bob delivered");
}

#[test]
fn a04_the_state_of_a_broadcast_follows_from_the_cursors() {
    let mut test = trio();
    let id = test.send("ann", "all", "hi").id;
    test.listen("bob");
    assert_eq!(states(&mut test, id), "bob delivered, cat queued");
    test.listen_with("cat", manual());
    assert_eq!(states(&mut test, id), "bob delivered, cat delivered");
    let session = test.session("cat");
    test.ask(Ack { session, consumer: None, upto: id }).unwrap();
    assert_eq!(states(&mut test, id), "bob delivered, cat acked");
}

#[test]
fn a04_the_most_advanced_consumer_determines_the_receipt() {
    let mut test = trio();
    let tape = || Some(crate::ConsumerName::parse("tape").unwrap());
    let id = test.send("ann", "all", "hi").id;
    test.listen_with("bob", ReadInput { consumer: tape(), ..manual() });
    let session = test.session("bob");
    test.ask(Ack { session, consumer: tape(), upto: id }).unwrap();
    assert_eq!(states(&mut test, id), "bob acked, cat queued");
    test.listen("bob");
    assert_eq!(states(&mut test, id), "bob acked, cat queued", "a receipt never goes back");
}

#[test]
fn a04_an_evicted_unread_broadcast_is_expired_and_new_members_have_no_receipt() {
    let mut test = trio();
    let id = test.send("ann", "all", "hi").id;
    test.listen("bob");
    test.send_many("bob", "all", 100);
    test.join("new");
    assert_eq!(states(&mut test, id), "bob delivered, cat expired");
}

#[test]
fn a04_a_dm_to_a_removed_member_is_expired() {
    let settings = Settings { member_ttl_ms: 60_000, ..Settings::plain(TokenHash::of("t"), START_MS) };
    let mut test = TestChannel::with(settings);
    test.join("ann");
    test.join("bob");
    let id = test.send("ann", "bob", "hi").id;
    let session = test.session("bob");
    test.ask(Leave { session }).unwrap();
    assert_eq!(states(&mut test, id), "bob queued");
    test.at(test.now.uptime_ms + 60_000);
    assert_eq!(states(&mut test, id), "bob expired");
}

#[test]
fn a04_receipts_are_for_the_sender() {
    let mut test = trio();
    let id = test.send("ann", "bob", "hi").id;
    assert_eq!(ask(&mut test, "bob", id).unwrap_err(), Code::Forbidden);
    assert_eq!(ask(&mut test, "ann", id + 1).unwrap_err(), Code::NotFound);
    test.send_many("cat", "all", limits::RECEIPTS);
    assert_eq!(ask(&mut test, "ann", id).unwrap_err(), Code::NotFound);
}

#[test]
fn a04_the_receipts_of_several_messages_are_those_of_each() {
    let mut test = trio();
    let ids: Vec<_> = ["bob", "all", "cat"].into_iter().map(|to| test.send("ann", to, "hi").id).collect();
    let theirs = test.send("bob", "all", "mine").id;
    let busy = Draft { kind: Kind::Status, ..*draft("all", "busy") };
    let status = test.try_send("ann", Box::new(busy)).unwrap().id;
    test.listen("bob");
    let asked = [ids[2], ids[0], 7, theirs, ids[1], status, ids[0], u64::MAX].to_vec();
    let session = test.session("ann");
    let reply = test.query(&ReceiptsOfMany { session, ids: asked }).unwrap();
    assert_eq!(reply.messages.iter().map(|message| message.id).collect::<Vec<_>>(), ids, "in order, and once");
    for message in &reply.messages {
        let alone = ask(&mut test, "ann", message.id).unwrap();
        assert_eq!(serde_json::to_value(&message.receipts).unwrap(), serde_json::to_value(&alone.receipts).unwrap());
    }
    let counts = reply.messages.iter().map(|message| message.counts).collect::<Vec<_>>();
    assert_eq!(counts[0], ReceiptCounts { delivered: 1, ..ReceiptCounts::default() });
    assert_eq!(counts[1], ReceiptCounts { delivered: 1, queued: 1, ..ReceiptCounts::default() });
    let session = test.session("cat");
    assert!(test.query(&ReceiptsOfMany { session, ids }).unwrap().messages.is_empty(), "only the sender's own");
}

#[test]
fn a04_the_receipts_of_several_messages_are_bounded() {
    let mut test = TestChannel::new();
    test.join("ann");
    for n in 0..limits::RECEIPTS_SHOWN + 20 {
        test.join(&format!("m{n}"));
    }
    let ids: Vec<_> = (0..limits::RECEIPT_IDS + 10).map(|n| test.send("ann", "all", &n.to_string()).id).collect();
    let session = test.session("ann");
    let reply = test.query(&ReceiptsOfMany { session, ids }).unwrap();
    assert_eq!(reply.messages.len(), limits::RECEIPT_IDS);
    for message in reply.messages {
        assert_eq!(message.receipts.len(), limits::RECEIPTS_SHOWN);
        assert_eq!(message.counts.queued, limits::RECEIPTS_SHOWN + 20);
    }
}
