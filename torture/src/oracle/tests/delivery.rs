//! Order, duplicates and leases: when a message may be delivered again.

use super::*;

#[test]
fn messages_are_delivered_in_order_of_their_ids() {
    for mode in [ReadMode::Automatic, ReadMode::Resuming, ReadMode::Manual] {
        let mut history = History::on_disk(mode);
        history.broadcast(1, 10).broadcast(2, 20).read(&[(2, 20, 1), (1, 10, 1)]);
        assert_eq!(history.final_violations(), [Violation::Reordered], "in one body, {mode:?}");
        let mut history = History::on_disk(mode);
        history.broadcast(1, 10).broadcast(2, 20).read(&[(2, 20, 1)]).read(&[(1, 10, 1)]);
        assert_eq!(history.final_violations(), [Violation::Reordered], "over two bodies, {mode:?}");
        let mut history = History::on_disk(mode);
        history.broadcast(1, 10).broadcast(2, 20).read(&[(2, 20, 1)]).crash().read(&[(1, 10, 1)]);
        assert_eq!(history.final_violations(), [Violation::Reordered], "over a crash, {mode:?}");
    }
}

#[test]
fn a_message_leased_to_a_lost_read_may_be_late_with_a_higher_attempt() {
    let mut history = History::on_disk(ReadMode::Manual);
    history.broadcast(1, 10).crash_during_read().broadcast(2, 20).read(&[(2, 20, 1)]).read(&[(1, 10, 2)]);
    assert_eq!(history.final_violations(), NONE);
    let mut history = History::on_disk(ReadMode::Automatic);
    history.broadcast(1, 10).crash_during_read().broadcast(2, 20).read(&[(2, 20, 1)]).read(&[(1, 10, 2)]);
    assert_eq!(history.final_violations(), [Violation::Reordered], "an automatic reader has no leases");
}

#[test]
fn a_message_of_an_abandoned_read_may_be_overtaken() {
    let mut history = History::on_disk(ReadMode::Manual);
    history
        .broadcast(1, 10)
        .begin_read()
        .end_read(ReadEnd::Abandoned)
        .broadcast(2, 20)
        .read(&[(2, 20, 1)])
        .read(&[(1, 10, 1)]);
    assert_eq!(history.final_violations(), NONE);
    assert_eq!(history.oracle.disk.left, 1);
    let mut history = History::on_disk(ReadMode::Manual);
    history
        .begin_read()
        .end_read(ReadEnd::Abandoned)
        .broadcast(1, 10)
        .broadcast(2, 20)
        .read(&[(2, 20, 1)])
        .read(&[(1, 10, 1)]);
    assert_eq!(history.final_violations(), [Violation::Reordered], "both were sent after the read was abandoned");
}

#[test]
fn a_message_is_delivered_again_only_after_a_crash_with_a_higher_attempt() {
    for mode in [ReadMode::Automatic, ReadMode::Resuming] {
        let mut history = History::on_disk(mode);
        history.broadcast(1, 10).read(&[(1, 10, 1)]).read(&[(1, 10, 1)]);
        assert_eq!(history.final_violations(), [Violation::Duplicated], "{mode:?}");
        let mut history = History::on_disk(mode);
        history.broadcast(1, 10).read(&[(1, 10, 1)]).read(&[(1, 10, 2)]);
        assert_eq!(history.final_violations(), [Violation::Duplicated], "without a crash, {mode:?}");
        let mut history = History::on_disk(mode);
        history.broadcast(1, 10).read(&[(1, 10, 1)]).crash().read(&[(1, 10, 1)]);
        assert_eq!(history.final_violations(), [Violation::Duplicated], "{mode:?}");
        let mut history = History::on_disk(mode);
        history.broadcast(1, 10).read(&[(1, 10, 1)]).crash().read(&[(1, 10, 2)]);
        assert_eq!(history.final_violations(), NONE, "{mode:?}");
        assert_eq!(history.oracle.disk.redelivered, 1);
    }
}

#[test]
fn a01_a_message_is_delivered_again_after_its_lease_with_a_higher_attempt() {
    let mut history = History::on_disk(ReadMode::Manual);
    history.broadcast(1, 10).read(&[(1, 10, 1)]).wait(LEASE_MS).read(&[(1, 10, 2)]);
    assert_eq!(history.final_violations(), NONE);
    let mut history = History::on_disk(ReadMode::Manual);
    history.broadcast(1, 10).read(&[(1, 10, 1)]).wait(LEASE_MS).read(&[(1, 10, 1)]);
    assert_eq!(history.final_violations(), [Violation::Duplicated]);
    let mut history = History::on_disk(ReadMode::Manual);
    history.broadcast(1, 10).read(&[(1, 10, 1)]).wait(LEASE_MS / 2).read(&[(1, 10, 2)]);
    assert_eq!(history.final_violations(), [Violation::LeaseBroken]);
    // From the start of the first read to the delivery of the second.
    const EVENTS_MS: u64 = 4;
    for (early_ms, expected) in [(1, vec![]), (2, vec![Violation::LeaseBroken])] {
        let mut history = History::on_disk(ReadMode::Manual);
        history.broadcast(1, 10).read(&[(1, 10, 1)]).wait(LEASE_MS - EVENTS_MS - early_ms).read(&[(1, 10, 2)]);
        assert_eq!(
            history.final_violations(),
            expected,
            "two clocks of whole milliseconds, {early_ms} ms before the end"
        );
    }
    let mut history = History::on_disk(ReadMode::Manual);
    history.broadcast(1, 10).read(&[(1, 10, 1)]).crash().read(&[(1, 10, 2)]);
    assert_eq!(history.final_violations(), NONE, "without a wait after a crash");
}

#[test]
fn a_message_of_a_body_that_was_cut_off_has_a_higher_attempt_when_it_is_delivered_again() {
    for (attempt, expected) in [(1, vec![Violation::Duplicated]), (2, vec![])] {
        for mode in [ReadMode::Automatic, ReadMode::Manual] {
            let mut history = History::on_disk(mode);
            history.broadcast(1, 10).begin_read().crash().end_read(ReadEnd::Cut { partial_ids: vec![10] });
            assert_eq!(history.read(&[(1, 10, attempt)]).final_violations(), expected, "{mode:?}");
        }
    }
}

#[test]
fn a_body_that_arrives_despite_the_kill_belongs_to_the_boot_before() {
    let mut history = History::on_disk(ReadMode::Automatic);
    let delivery = history.broadcast(1, 10).delivery(1, 10, 1);
    let consumer = history.default_consumer;
    history.begin_read().crash();
    history.record(Event::Delivered { consumer, messages: vec![delivery], gap: None }).end_read(ReadEnd::Whole);
    assert_eq!(history.read(&[(1, 10, 2)]).final_violations(), NONE, "there was a crash between both");
}

#[test]
fn a_delivered_message_is_as_sent_and_for_this_reader() {
    let mut history = History::on_disk(ReadMode::Manual);
    history.read(&[(7, 70, 1)]);
    assert_eq!(history.final_violations(), [Violation::Phantom], "it was never sent");

    let mut history = History::on_disk(ReadMode::Manual);
    let message = history.message(1);
    history.begin(1, None).record(Event::SendRefused { message }).read(&[(1, 10, 1)]);
    assert_eq!(history.final_violations(), [Violation::Phantom], "its send was refused");

    let mut history = History::on_disk(ReadMode::Manual);
    let delivery = Delivery { intact: false, ..history.broadcast(1, 10).delivery(1, 10, 1) };
    let consumer = history.default_consumer;
    history.begin_read().record(Event::Delivered { consumer, messages: vec![delivery], gap: None });
    assert_eq!(history.end_read(ReadEnd::Whole).final_violations(), [Violation::Damaged]);

    let mut history = History::on_disk(ReadMode::Manual);
    let ann = history.ann;
    history.begin(1, Some(ann)).ack_send(1, 10, false).read(&[(1, 10, 1)]);
    assert_eq!(history.final_violations(), [Violation::Misdirected]);
}
