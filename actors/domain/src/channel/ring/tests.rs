//! Tests of the ring.

use super::*;
use crate::message::{Kind, MessageJson, Priority};

fn message(id: u64, from: MemberNo, to: Option<MemberNo>, text: &str) -> Arc<Message> {
    let json = MessageJson {
        id,
        from: "x",
        to: "y",
        display: None,
        text,
        at: id,
        kind: Kind::Message,
        priority: Priority::Default,
        suggested_replies: &[],
        attachments: &[],
        reply_to: None,
        thread: None,
        verified: None,
        wants: None,
        deadline: None,
        answers: None,
        state: None,
        until: None,
        data: None,
    };
    Arc::new(Message::new(&json, from, to))
}

#[test]
fn d30_the_ring_has_at_most_100_messages_and_16_mib() {
    let mut ring = Ring::new(None, None);
    for id in 1..=250 {
        ring.push(&message(id, 1, None, "x"));
    }
    assert_eq!((ring.len(), ring.newest_evicted(), ring.start_of_ring()), (100, 150, 150));
    let big = "x".repeat(500_000);
    for id in 300..360 {
        ring.push(&message(id, 1, None, &big));
    }
    assert!(ring.ring_bytes <= RING_BYTES && ring.len() < 40);
}

#[test]
fn a03_a_durable_channel_has_a_backlog() {
    let mut ring = Ring::new(None, Some(BacklogLimits { messages: 300, bytes: RING_BYTES }));
    for id in 1..=250 {
        ring.push(&message(id, 1, None, "x"));
    }
    assert_eq!((ring.len(), ring.newest_evicted(), ring.start_of_ring()), (100, 0, 150));
    assert!(ring.get(150).unwrap().message.is_none() && ring.get(151).unwrap().message.is_some());
    for id in 251..=350 {
        ring.push(&message(id, 1, None, "x"));
    }
    assert_eq!((ring.len(), ring.newest_evicted(), ring.start_of_ring()), (100, 50, 250));
    let big = "x".repeat(500_000);
    for id in 400..440 {
        ring.push(&message(id, 1, None, &big));
    }
    assert!(ring.ring_bytes + ring.backlog_bytes <= RING_BYTES && ring.newest_evicted() > 350);
    ring.evict_backlog_upto(ring.start_of_ring());
    assert_eq!((ring.backlog_len, ring.backlog_bytes), (0, 0));
}

#[test]
fn d05_an_evicted_broadcast_is_lost_for_all_members_except_its_sender() {
    let mut ring = Ring::new(None, None);
    ring.push(&message(1, 7, None, "a"));
    ring.push(&message(2, 8, None, "b"));
    ring.push(&message(3, 7, None, "c"));
    ring.push(&message(4, 9, Some(7), "a DM does not count"));
    for id in 5..=104 {
        ring.push(&message(id, 1, Some(2), "x"));
    }
    assert_eq!((ring.newest_evicted_for(7), ring.newest_evicted_for(8), ring.newest_evicted_for(5)), (2, 3, 3));
}
