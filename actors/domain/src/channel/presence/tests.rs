//! Tests of unread counts: what is looked at for them.

use std::cell::Cell;

use crate::op::ReadInput;
use crate::op::harness::{START_MS, TestChannel, rules};
use crate::{AckMode, BacklogLimits, ConsumerName, Durability, Rules, Settings, TokenHash};

use super::*;

/// A durable channel, of which nothing is evicted.
fn durable() -> TestChannel {
    let settings = Settings { durability: Durability::Disk, ..Settings::plain(TokenHash::of("t"), START_MS) };
    let backlog = BacklogLimits { messages: 20_000, bytes: 64 << 20 };
    joined(TestChannel::opened(settings, Rules { backlog, ..rules() }, 0, None))
}

fn joined(mut test: TestChannel) -> TestChannel {
    ["ann", "bob"].into_iter().for_each(|name| drop(test.join(name)));
    test
}

fn named(name: &str) -> ReadInput {
    ReadInput { consumer: Some(ConsumerName::parse(name).unwrap()), ..ReadInput::default() }
}

/// The unread messages of `bob`, and how many messages were looked at to count them.
fn unread(test: &TestChannel) -> (Unread, usize) {
    let (channel, looked_at) = (&test.channel, Cell::new(0));
    let after = |cursor| {
        let slots = channel.ring.after(cursor).inspect(|_| looked_at.set(looked_at.get() + 1));
        slots.map(|slot| slot.to.is_none().then_some((slot.id, slot.from)))
    };
    (channel.unread_by_all(channel.member_named("bob").unwrap(), None, after, test.now), looked_at.get())
}

/// The lag of every consumer of `bob` is counted in full.
fn least_of_all(test: &TestChannel) -> (usize, Option<MessageId>) {
    let (channel, bob) = (&test.channel, test.channel.member_named("bob").unwrap());
    let lag = |consumer: &Consumer| {
        let after = channel.ring.broadcasts_after(consumer.cursor);
        channel.broadcast_lag(bob.no, consumer, after, usize::MAX, test.now)
    };
    bob.consumers.iter().map(lag).min_by_key(|(count, _)| *count).unwrap()
}

#[test]
fn a12_unread_messages_are_those_of_the_consumer_that_lacks_fewest() {
    let mut test = joined(TestChannel::new());
    let mut seed = 7_u64;
    for step in 0..600 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let consumer = ["default", "one", "two"][(seed >> 33) as usize % 3];
        let input = if consumer == "default" { ReadInput::default() } else { named(consumer) };
        match (seed >> 40) % 12 {
            0 => drop(test.listen_with("bob", ReadInput { max: 3, ..input })),
            1 => {
                let ack_mode = AckMode::Leased { lease_ms: 3_000 };
                drop(test.listen_with("bob", ReadInput { max: 2, ack_mode, ..input }));
            }
            2 => test.at(test.now.uptime_ms + 700),
            3 => drop(test.send("bob", "all", "own")),
            4 => drop(test.send("ann", "ann", "a DM")),
            _ if step % 100 < 30 => drop(test.send("ann", "all", "x")),
            _ => {}
        }
        let (unread, _) = unread(&test);
        let (count, oldest) = least_of_all(&test);
        let bob = test.channel.member_named("bob").unwrap();
        assert_eq!(unread.count, count.min(READ_MESSAGES), "step {step}");
        assert_eq!(unread.oldest_at_ms, oldest.map(|id| test.channel.sent_at_ms(bob, id)), "step {step}");
    }
}

#[test]
fn a12_a_stale_consumer_costs_nothing_where_another_has_read_all() {
    let mut test = durable();
    test.listen_with("bob", named("stale"));
    test.send_many("ann", "ann", 50);
    test.send("ann", "all", "x");
    test.listen("bob");
    assert_eq!(unread(&test), (Unread::default(), 0));
    test.send("ann", "all", "y");
    let (unread, looked_at) = unread(&test);
    assert_eq!((unread.count, looked_at), (1, 52), "one broadcast decides that the stale one lacks no fewer");
}

#[test]
fn a12_a_bounded_number_of_messages_is_looked_at() {
    let mut test = durable();
    test.listen_with("bob", named("stale"));
    test.send("ann", "all", "x");
    test.send_many("ann", "ann", LOOKED_AT + 500);
    let (unread, looked_at) = unread(&test);
    assert_eq!(unread.count, 1);
    assert!(looked_at <= LOOKED_AT + 1, "{looked_at}");
}
