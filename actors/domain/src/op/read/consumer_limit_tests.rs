//! Tests of the limit on consumers: at the limit a new one replaces one that was not read for a week.

use super::ReadInput;
use crate::op::harness::{START_MS, TestChannel, rules};
use crate::op::{Ack, Consumers};
use crate::{Code, ConsumerName, Durability, Entry, Now, Settings, Snapshot, TokenHash, limits};

const DAY_MS: u64 = 24 * 3_600_000;
const WEEK_MS: u64 = limits::CONSUMER_UNREAD_MS;

fn named(name: &str) -> ReadInput {
    ReadInput { consumer: Some(ConsumerName::parse(name).unwrap()), ..ReadInput::default() }
}

fn settings(durability: Durability) -> Settings {
    Settings { durability, session_ttl_ms: 400 * DAY_MS, ..Settings::plain(TokenHash::of("t"), START_MS) }
}

/// A channel on which bob has read with `c1` to `c7` in this order, an hour after one another.
fn full(durability: Durability) -> TestChannel {
    let mut test = TestChannel::opened(settings(durability), rules(), 0, None);
    test.join("ann");
    test.join("bob");
    for n in 1..limits::CONSUMERS {
        test.at(test.now.uptime_ms + 3_600_000);
        assert!(test.listen_with("bob", named(&format!("c{n}"))).is_none());
    }
    test
}

fn names(test: &mut TestChannel) -> String {
    let session = test.session("bob");
    let consumers = test.query(&Consumers { session }).unwrap().consumers;
    consumers.iter().filter_map(|row| row.name.clone()).collect::<Vec<_>>().join(" ")
}

fn try_read(test: &mut TestChannel, name: &str) -> Result<(), Code> {
    match test.try_poll("bob", named(name)) {
        Ok(Ok(response)) => drop(test.take(response)),
        Ok(Err(waiter)) => test.cancel_wait(waiter),
        Err(refusal) => return Err(refusal.code),
    }
    Ok(())
}

#[test]
fn d30_at_the_limit_the_consumer_not_read_for_longest_makes_room_after_a_week() {
    let mut test = full(Durability::Memory);
    let first_read_ms = 3_600_000;
    test.at(first_read_ms + WEEK_MS - 1);
    assert_eq!(try_read(&mut test, "new"), Err(Code::LimitReached), "not before a week has passed");
    assert_eq!(names(&mut test), "c1 c2 c3 c4 c5 c6 c7");
    test.at(first_read_ms + WEEK_MS);
    assert_eq!(try_read(&mut test, "new"), Ok(()));
    assert_eq!(names(&mut test), "c2 c3 c4 c5 c6 c7 new");
    assert_eq!(try_read(&mut test, "newer"), Err(Code::LimitReached), "c2 was read an hour later");
    test.at(first_read_ms + 3 * WEEK_MS);
    assert_eq!(names(&mut test), "c2 c3 c4 c5 c6 c7 new", "none is removed without need");
    assert_eq!(try_read(&mut test, "c2"), Ok(()));
    for (name, rest) in [("a", "c2 c4 c5 c6 c7 new a"), ("b", "c2 c5 c6 c7 new a b"), ("c3", "c2 c6 c7 new a b c3")] {
        assert_eq!(try_read(&mut test, name), Ok(()));
        assert_eq!(names(&mut test), rest);
    }
}

#[test]
fn d30_a_consumer_that_waits_or_acknowledges_is_in_use() {
    let mut test = full(Durability::Memory);
    // Every read is new for c1 … c7 now, each in its own way.
    let stream = test.open("bob", named("c1"));
    test.at(20 * DAY_MS);
    let poll = test.park("bob", named("c2"));
    test.send("ann", "bob", "hi");
    let session = test.session("bob");
    let upto = test.channel.last_id();
    test.answered(poll);
    let manual = ReadInput { ack_mode: crate::AckMode::Leased { lease_ms: 1000 }, ..named("c3") };
    test.listen_with("bob", manual);
    test.at(25 * DAY_MS);
    let consumer = Some(ConsumerName::parse("c3").unwrap());
    test.ask(Ack { session, consumer, upto }).unwrap();
    test.at(31 * DAY_MS);
    for name in ["a", "b", "c", "d", "e"] {
        assert_eq!(try_read(&mut test, name), Ok(()));
    }
    assert_eq!(names(&mut test), "c1 c3 a b c d e", "c2 was read eleven days ago, c3 acknowledged six days ago");
    test.events(stream);
    test.cut(stream);
    test.cancel_wait(stream);
    assert_eq!(try_read(&mut test, "f"), Err(Code::LimitReached), "the stream of c1 has just ended");
    test.at(33 * DAY_MS);
    assert_eq!(try_read(&mut test, "f"), Ok(()), "c3");
    assert_eq!(names(&mut test), "c1 a b c d e f");
}

#[test]
fn d30_a_replay_drops_the_same_consumer() {
    for durability in [Durability::Memory, Durability::Disk] {
        let mut test = full(durability);
        test.at(WEEK_MS + 2 * DAY_MS);
        assert_eq!(try_read(&mut test, "c1"), Ok(()));
        assert_eq!(try_read(&mut test, "new"), Ok(()));
        assert_eq!(names(&mut test), "c1 c3 c4 c5 c6 c7 new");
        let log = serde_json::to_string(&test.log).unwrap();
        let log: Vec<Entry> = serde_json::from_str(&log).unwrap();
        let mut again = TestChannel::opened(settings(durability), rules(), 0, None);
        let now = Now { uptime_ms: 5, ..test.now };
        again.channel.replay(log.iter().filter(|entry| entry.is_logged(durability == Durability::Disk)), now);
        let replayed: Vec<_> = again.channel.members[&2].consumers.iter().filter_map(|c| c.name.clone()).collect();
        assert_eq!(replayed.iter().map(ConsumerName::as_str).collect::<Vec<_>>().join(" "), names(&mut test));
    }
}

#[test]
fn d30_the_time_without_a_read_goes_on_over_a_clean_restart_and_not_over_a_crash() {
    let mut test = full(Durability::Disk);
    test.at(6 * DAY_MS);
    let stored = serde_json::to_string(&test.channel.snapshot(Some(1), test.now)).unwrap();
    let restored = |uptime_ms: u64, boot: u64| {
        let snapshot: Snapshot = serde_json::from_str(&stored).unwrap();
        let mut again = TestChannel::opened(settings(Durability::Disk), rules(), 0, None);
        let now = Now { at_ms: test.now.at_ms + 99 * DAY_MS, uptime_ms };
        again.channel.restore(snapshot, &[], boot, now).unwrap();
        (again.channel, now)
    };
    let to_drop = |(channel, now): &(crate::Channel, Now), later_ms: u64| {
        let now = Now { uptime_ms: now.uptime_ms + later_ms, ..*now };
        channel.members[&2].consumer_to_drop(now).map(|name| name.as_str().to_owned())
    };
    // In another boot: a week has not passed, because the time between the boots does not count.
    let mut next_boot = restored(0, 2);
    assert_eq!((to_drop(&next_boot, 0), to_drop(&next_boot, 2 * DAY_MS)), (None, Some("c1".to_owned())));
    // In the same boot the time on disk counts.
    let same_boot = restored(9 * DAY_MS, 1);
    assert_eq!(to_drop(&same_boot, 0), Some("c1".to_owned()));
    // After a crash the log may lack reads.
    let (channel, now) = &mut next_boot;
    channel.mark_maybe_delivered(*now);
    assert_eq!((to_drop(&next_boot, 6 * DAY_MS), to_drop(&next_boot, 7 * DAY_MS)), (None, Some("c1".to_owned())));
}

#[test]
fn d30_a_snapshot_of_an_older_version_counts_its_consumers_as_read() {
    let mut test = full(Durability::Disk);
    test.at(30 * DAY_MS);
    let mut stored = serde_json::to_value(test.channel.snapshot(Some(1), test.now)).unwrap();
    for consumer in stored["members"][1]["consumers"].as_array_mut().unwrap() {
        consumer.as_object_mut().unwrap().remove("quiet_ms");
    }
    let mut again = TestChannel::opened(settings(Durability::Disk), rules(), 0, None).channel;
    again.restore(serde_json::from_value(stored).unwrap(), &[], 2, Now { uptime_ms: 0, ..test.now }).unwrap();
    let at = |uptime_ms| again.members[&2].consumer_to_drop(Now { uptime_ms, ..test.now }).is_some();
    assert_eq!((at(WEEK_MS - 1), at(WEEK_MS)), (false, true));
}
