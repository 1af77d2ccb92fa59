//! Order, duplicates and leases: who gets what again, and when that is a violation.

use super::*;

#[test]
fn messages_come_by_id() {
    for reading in [Reading::Automatic, Reading::Resuming, Reading::Manual] {
        let mut history = History::on_disk(reading);
        history.say(1, 10).say(2, 20).read(&[(2, 20, 1), (1, 10, 1)]);
        assert_eq!(history.verdict(), [Violation::Reordered], "in one body, {reading:?}");
        let mut history = History::on_disk(reading);
        history.say(1, 10).say(2, 20).read(&[(2, 20, 1)]).read(&[(1, 10, 1)]);
        assert_eq!(history.verdict(), [Violation::Reordered], "over two bodies, {reading:?}");
        let mut history = History::on_disk(reading);
        history.say(1, 10).say(2, 20).read(&[(2, 20, 1)]).crash().read(&[(1, 10, 1)]);
        assert_eq!(history.verdict(), [Violation::Reordered], "over a crash, {reading:?}");
    }
}

#[test]
fn what_was_leased_to_a_lost_read_may_come_late_and_says_so() {
    let mut history = History::on_disk(Reading::Manual);
    history.say(1, 10).crash_during_read().say(2, 20).read(&[(2, 20, 1)]).read(&[(1, 10, 2)]);
    assert_eq!(history.verdict(), NOTHING);
    let mut history = History::on_disk(Reading::Automatic);
    history.say(1, 10).crash_during_read().say(2, 20).read(&[(2, 20, 1)]).read(&[(1, 10, 2)]);
    assert_eq!(history.verdict(), [Violation::Reordered], "an automatic reader has no leases");
}

#[test]
fn what_a_client_left_may_be_overtaken() {
    let mut history = History::on_disk(Reading::Manual);
    history.say(1, 10).begin_read().end_read(End::Left).say(2, 20).read(&[(2, 20, 1)]).read(&[(1, 10, 1)]);
    assert_eq!(history.verdict(), NOTHING);
    assert_eq!(history.oracle.disk.left, 1);
    let mut history = History::on_disk(Reading::Manual);
    history.begin_read().end_read(End::Left).say(1, 10).say(2, 20).read(&[(2, 20, 1)]).read(&[(1, 10, 1)]);
    assert_eq!(history.verdict(), [Violation::Reordered], "both were sent after it left");
}

#[test]
fn a_delivered_message_comes_again_only_after_a_crash_and_says_so() {
    for reading in [Reading::Automatic, Reading::Resuming] {
        let mut history = History::on_disk(reading);
        history.say(1, 10).read(&[(1, 10, 1)]).read(&[(1, 10, 1)]);
        assert_eq!(history.verdict(), [Violation::Duplicated], "{reading:?}");
        let mut history = History::on_disk(reading);
        history.say(1, 10).read(&[(1, 10, 1)]).read(&[(1, 10, 2)]);
        assert_eq!(history.verdict(), [Violation::Duplicated], "nothing happened to the hub, {reading:?}");
        let mut history = History::on_disk(reading);
        history.say(1, 10).read(&[(1, 10, 1)]).crash().read(&[(1, 10, 1)]);
        assert_eq!(history.verdict(), [Violation::Duplicated], "{reading:?}");
        let mut history = History::on_disk(reading);
        history.say(1, 10).read(&[(1, 10, 1)]).crash().read(&[(1, 10, 2)]);
        assert_eq!(history.verdict(), NOTHING, "{reading:?}");
        assert_eq!(history.oracle.disk.again, 1);
    }
}

#[test]
fn a01_a_lease_that_ended_brings_it_again_with_a_higher_attempt() {
    let mut history = History::on_disk(Reading::Manual);
    history.say(1, 10).read(&[(1, 10, 1)]).pass(LEASE_MS).read(&[(1, 10, 2)]);
    assert_eq!(history.verdict(), NOTHING);
    let mut history = History::on_disk(Reading::Manual);
    history.say(1, 10).read(&[(1, 10, 1)]).pass(LEASE_MS).read(&[(1, 10, 1)]);
    assert_eq!(history.verdict(), [Violation::Duplicated]);
    let mut history = History::on_disk(Reading::Manual);
    history.say(1, 10).read(&[(1, 10, 1)]).pass(LEASE_MS / 2).read(&[(1, 10, 2)]);
    assert_eq!(history.verdict(), [Violation::LeaseBroken]);
    // From the beginning of the first read to what the second brings.
    const EVENTS_MS: u64 = 4;
    for (early_ms, expected) in [(1, vec![]), (2, vec![Violation::LeaseBroken])] {
        let mut history = History::on_disk(Reading::Manual);
        history.say(1, 10).read(&[(1, 10, 1)]).pass(LEASE_MS - EVENTS_MS - early_ms).read(&[(1, 10, 2)]);
        assert_eq!(history.verdict(), expected, "two watches of whole milliseconds, {early_ms} ms before the end");
    }
    let mut history = History::on_disk(Reading::Manual);
    history.say(1, 10).read(&[(1, 10, 1)]).crash().read(&[(1, 10, 2)]);
    assert_eq!(history.verdict(), NOTHING, "after a crash it may come at once");
}

#[test]
fn what_was_seen_in_a_body_that_a_kill_cut_off_says_so_when_it_comes_again() {
    for (attempt, expected) in [(1, vec![Violation::Duplicated]), (2, vec![])] {
        for reading in [Reading::Automatic, Reading::Manual] {
            let mut history = History::on_disk(reading);
            history.say(1, 10).begin_read().crash().end_read(End::Cut { glimpsed: vec![10] });
            assert_eq!(history.read(&[(1, 10, attempt)]).verdict(), expected, "{reading:?}");
        }
    }
}

#[test]
fn a_body_that_the_kill_could_not_stop_belongs_to_the_life_before() {
    let mut history = History::on_disk(Reading::Automatic);
    let delivery = history.say(1, 10).delivery(1, 10, 1);
    let consumer = history.default_consumer;
    history.begin_read().crash();
    history.hear(Event::Delivered { consumer, messages: vec![delivery], gap: None }).end_read(End::Whole);
    assert_eq!(history.read(&[(1, 10, 2)]).verdict(), NOTHING, "a crash lies between the two");
}

#[test]
fn a_message_is_what_was_sent_and_for_whom() {
    let mut history = History::on_disk(Reading::Manual);
    history.read(&[(7, 70, 1)]);
    assert_eq!(history.verdict(), [Violation::Phantom], "nobody wrote it");

    let mut history = History::on_disk(Reading::Manual);
    let message_key = history.message_key(1);
    history.begin(1, None).hear(Event::SendRefused { message_key }).read(&[(1, 10, 1)]);
    assert_eq!(history.verdict(), [Violation::Phantom], "its send was refused");

    let mut history = History::on_disk(Reading::Manual);
    let delivery = Delivery { intact: false, ..history.say(1, 10).delivery(1, 10, 1) };
    let consumer = history.default_consumer;
    history.begin_read().hear(Event::Delivered { consumer, messages: vec![delivery], gap: None });
    assert_eq!(history.end_read(End::Whole).verdict(), [Violation::Damaged]);

    let mut history = History::on_disk(Reading::Manual);
    let ann = history.ann;
    history.begin(1, Some(ann)).ack_send(1, 10, false).read(&[(1, 10, 1)]);
    assert_eq!(history.verdict(), [Violation::Misdirected]);
}
