//! Receipts: what a sender is told.

use crate::op::harness::{DAWN_MS, Rig};
use crate::op::{Ack, Leave, ReadInput, Receipts, ReceiptsReply};
use crate::{AckMode, Code, Settings, TokenHash, limits};

fn trio() -> Rig {
    let mut rig = Rig::new();
    for name in ["ann", "bob", "cat"] {
        rig.join(name);
    }
    rig
}

fn ask(rig: &mut Rig, who: &str, id: u64) -> Result<ReceiptsReply, Code> {
    let session = rig.session(who);
    rig.query(Receipts { session, id }).map_err(|r| r.code)
}

/// The receipts of ann's message in words: `bob queued, cat delivered`.
fn states(rig: &mut Rig, id: u64) -> String {
    let reply = ask(rig, "ann", id).unwrap();
    let words = |r: &crate::op::Receipt| format!("{} {:?}", r.to, r.state).to_lowercase();
    reply.receipts.iter().map(words).collect::<Vec<_>>().join(", ")
}

fn manual() -> ReadInput {
    ReadInput { terms: AckMode::Leased { lease_ms: 10_000 }, ..ReadInput::default() }
}

#[test]
fn a04_a_dm_has_times_and_attempts() {
    let mut rig = trio();
    let id = rig.send("ann", "bob", "hi").id;
    assert_eq!(states(&mut rig, id), "bob queued");
    rig.at(1_000);
    rig.listen_with("bob", manual());
    rig.at(11_000);
    rig.listen_with("bob", manual());
    rig.at(12_000);
    let session = rig.session("bob");
    rig.ask(Ack { session, consumer: None, upto: id }).unwrap();
    let receipt = ask(&mut rig, "ann", id).unwrap().receipts.remove(0);
    assert_eq!(format!("{:?}", receipt.state), "Acked");
    assert_eq!((receipt.queued_at, receipt.delivered_at), (Some(DAWN_MS), Some(DAWN_MS + 1_000)));
    assert_eq!((receipt.acked_at, receipt.attempts), (Some(DAWN_MS + 12_000), Some(2)));
}

#[test]
fn a04_a_dm_is_delivered_when_it_was_taken() {
    let mut rig = trio();
    let id = rig.send("ann", "bob", "hi").id;
    let delivery = rig.poll("bob", ReadInput::default()).unwrap();
    assert_eq!(states(&mut rig, id), "bob queued");
    rig.take(delivery);
    assert_eq!(states(&mut rig, id), "bob delivered");
}

#[test]
fn a04_the_state_of_a_broadcast_follows_from_the_cursors() {
    let mut rig = trio();
    let id = rig.send("ann", "all", "hi").id;
    rig.listen("bob");
    assert_eq!(states(&mut rig, id), "bob delivered, cat queued");
    rig.listen_with("cat", manual());
    assert_eq!(states(&mut rig, id), "bob delivered, cat delivered");
    let session = rig.session("cat");
    rig.ask(Ack { session, consumer: None, upto: id }).unwrap();
    assert_eq!(states(&mut rig, id), "bob delivered, cat acked");
}

#[test]
fn a04_the_furthest_of_the_consumers_tells_whichever_came_first() {
    let mut rig = trio();
    let tape = || Some(crate::ConsumerName::parse("tape").unwrap());
    let id = rig.send("ann", "all", "hi").id;
    rig.listen_with("bob", ReadInput { consumer: tape(), ..manual() });
    let session = rig.session("bob");
    rig.ask(Ack { session, consumer: tape(), upto: id }).unwrap();
    assert_eq!(states(&mut rig, id), "bob acked, cat queued");
    rig.listen("bob");
    assert_eq!(states(&mut rig, id), "bob acked, cat queued", "it never goes back");
}

#[test]
fn a04_a_broadcast_that_left_unread_expired_and_a_newcomer_has_no_part_in_it() {
    let mut rig = trio();
    let id = rig.send("ann", "all", "hi").id;
    rig.listen("bob");
    rig.send_many("bob", "all", 100);
    rig.join("new");
    assert_eq!(states(&mut rig, id), "bob delivered, cat expired");
}

#[test]
fn a04_a_dm_whose_recipient_was_forgotten_expired() {
    let settings = Settings { member_ttl_ms: 60_000, ..Settings::plain(TokenHash::of("t"), DAWN_MS) };
    let mut rig = Rig::with(settings);
    rig.join("ann");
    rig.join("bob");
    let id = rig.send("ann", "bob", "hi").id;
    let session = rig.session("bob");
    rig.ask(Leave { session }).unwrap();
    assert_eq!(states(&mut rig, id), "bob queued");
    rig.at(rig.now.uptime_ms + 60_000);
    assert_eq!(states(&mut rig, id), "bob expired");
}

#[test]
fn a04_receipts_are_for_the_sender() {
    let mut rig = trio();
    let id = rig.send("ann", "bob", "hi").id;
    assert_eq!(ask(&mut rig, "bob", id).unwrap_err(), Code::Forbidden);
    assert_eq!(ask(&mut rig, "ann", id + 1).unwrap_err(), Code::NotFound);
    rig.send_many("cat", "all", limits::RECEIPTS);
    assert_eq!(ask(&mut rig, "ann", id).unwrap_err(), Code::NotFound);
}
