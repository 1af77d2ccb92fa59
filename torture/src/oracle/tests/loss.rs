//! Loss: an acknowledged message is delivered, or in a reported gap, or one of the few that a crash may lose.

use super::*;

fn restart_gap(from: u64, to: u64) -> Option<Gap> {
    Some(Gap { from, to, reason: GapReason::Restart })
}

#[test]
fn an_acknowledged_message_that_is_never_delivered_is_lost() {
    for mode in [ReadMode::Automatic, ReadMode::Resuming, ReadMode::Manual] {
        for durable in [true, false] {
            let mut history = History::new(mode, durable);
            assert_eq!(history.broadcast(1, 10).read(&[]).final_violations(), [Violation::Lost], "{mode:?} {durable}");
            let mut history = History::new(mode, durable);
            assert_eq!(history.direct(1, 10).read(&[]).final_violations(), [Violation::Lost], "{mode:?} {durable}");
        }
    }
}

#[test]
fn a_crash_between_reads_loses_nothing_on_disk() {
    for mode in [ReadMode::Automatic, ReadMode::Resuming, ReadMode::Manual] {
        let mut history = History::on_disk(mode);
        history.broadcast(1, 10).crash().read(&[]);
        assert_eq!(history.final_violations(), [Violation::Lost], "{mode:?}");
        let mut history = History::on_disk(mode);
        history.broadcast(1, 10).crash().read(&[(1, 10, 1)]);
        assert_eq!(history.final_violations(), NONE, "{mode:?}");
    }
}

#[test]
fn d02_an_automatic_read_that_was_cut_off_may_have_had_the_message() {
    let mut history = History::on_disk(ReadMode::Automatic);
    history.broadcast(1, 10).crash_during_read().broadcast(2, 20).read(&[(2, 20, 1)]);
    assert_eq!(history.final_violations(), NONE);
    assert_eq!(history.oracle.disk.unconfirmed, 1);
}

#[test]
fn a01_messages_of_a_manual_read_that_was_cut_off_are_not_lost() {
    let mut history = History::on_disk(ReadMode::Manual);
    history.broadcast(1, 10).crash_during_read().broadcast(2, 20).read(&[(2, 20, 1)]);
    assert_eq!(history.final_violations(), [Violation::Lost]);
}

#[test]
fn d03_a_resumed_stream_gets_its_broadcasts_again() {
    let mut history = History::on_disk(ReadMode::Resuming);
    history.broadcast(1, 10).crash_during_read().read(&[]);
    assert_eq!(history.final_violations(), [Violation::Lost]);
    let mut history = History::on_disk(ReadMode::Resuming);
    history.direct(1, 10).crash_during_read().read(&[]);
    assert_eq!(history.final_violations(), NONE, "the hub may count a direct message as delivered");
    assert_eq!(history.oracle.disk.unconfirmed, 1);
}

#[test]
fn a_cut_read_excuses_only_messages_that_it_can_have_contained() {
    let mut history = History::on_disk(ReadMode::Automatic);
    history.broadcast(1, 10).broadcast(2, 20).read(&[(2, 20, 1)]).crash_during_read();
    assert_eq!(history.final_violations(), [Violation::Lost], "10 was skipped long before the kill");
    let mut history = History::on_disk(ReadMode::Automatic);
    history.crash_during_read().broadcast(1, 10).read(&[]);
    assert_eq!(history.final_violations(), [Violation::Lost], "10 was sent after the kill");
    let mut history = History::on_disk(ReadMode::Automatic);
    history.broadcast(1, 10).begin_read().end_read(ReadEnd::Cut { partial_ids: vec![10] });
    assert_eq!(history.final_violations(), [Violation::Lost, Violation::Unanswered], "the hub was not killed");
    let mut history = History::on_disk(ReadMode::Automatic);
    history.broadcast(1, 10).record(Event::Killed).begin_read().end_read(ReadEnd::Cut { partial_ids: vec![] });
    assert_eq!(history.final_violations(), [Violation::Lost], "a hub that is down sends nothing");
}

#[test]
fn a_refused_or_abandoned_send_need_not_arrive_but_an_unanswered_one_is_a_violation() {
    let mut history = History::on_disk(ReadMode::Manual);
    let message = history.message(1);
    history.begin(1, None).record(Event::SendRefused { message });
    let message = history.message(2);
    history.begin(2, None).record(Event::SendAbandoned { message });
    assert_eq!(history.final_violations(), NONE);
    assert_eq!(history.begin(3, None).final_violations(), [Violation::Unfinished]);
}

#[test]
fn d05_a_message_in_a_reported_gap_is_not_lost() {
    let mut history = History::in_memory(ReadMode::Automatic);
    history.broadcast(1, 10).broadcast(2, 20).crash().read_with(&[], restart_gap(10, 20));
    assert_eq!(history.final_violations(), [Violation::Lost], "10 is outside");
    let mut history = History::in_memory(ReadMode::Automatic);
    history.broadcast(1, 10).broadcast(2, 20).crash().read_with(&[], restart_gap(0, 20));
    assert_eq!(history.final_violations(), NONE);
    assert_eq!(history.oracle.memory.in_gap, 2);
}

#[test]
fn d05_a_gap_is_about_broadcasts_only() {
    let mut history = History::in_memory(ReadMode::Automatic);
    history.direct(1, 10).read_with(&[], Some(Gap { from: 0, to: 10, reason: GapReason::Ring }));
    assert_eq!(history.final_violations(), [Violation::Lost, Violation::GapUnexpected]);
    let mut history = History::in_memory(ReadMode::Automatic);
    history.direct(1, 10).crash().read(&[]);
    assert_eq!(history.final_violations(), NONE, "direct messages of a memory channel may be lost");
    assert_eq!(history.oracle.memory.forgotten, 1);
}

#[test]
fn d05_a_restart_of_a_memory_channel_is_reported_once() {
    let mut history = History::in_memory(ReadMode::Manual);
    history.broadcast(1, 10).crash().read(&[]);
    assert_eq!(history.violations(), [Violation::GapMissing]);
    let mut history = History::in_memory(ReadMode::Automatic);
    history.broadcast(1, 10).crash().read_with(&[], restart_gap(0, 10)).read_with(&[], restart_gap(0, 10));
    assert_eq!(history.violations(), [Violation::GapRepeated]);
    let mut history = History::in_memory(ReadMode::Manual);
    history.broadcast(1, 10).crash().read_with(&[], restart_gap(0, 10)).read_with(&[], restart_gap(0, 10));
    assert_eq!(history.final_violations(), NONE, "repeated until a message above is acknowledged");
    let mut history = History::in_memory(ReadMode::Manual);
    history.broadcast(1, 10).crash().read_with(&[], restart_gap(0, 10)).crash().read_with(&[], restart_gap(10, 10));
    assert_eq!(history.final_violations(), NONE, "once for each restart");
}

#[test]
fn a_gap_where_no_message_can_be_missing_is_a_violation() {
    let mut history = History::on_disk(ReadMode::Manual);
    history.broadcast(1, 10).crash().read_with(&[], restart_gap(0, 10));
    assert_eq!(history.final_violations(), [Violation::GapUnexpected], "a disk channel loses nothing in a restart");
    let ring = |to| Some(Gap { from: 0, to, reason: GapReason::Ring });
    let mut history = History::on_disk(ReadMode::Manual);
    history.broadcast(1, 10).read_with(&[], ring(10));
    assert_eq!(history.violations(), [Violation::GapUnexpected]);
    let mut history = History::in_memory(ReadMode::Manual);
    for seq in 1..=110 {
        history.broadcast(seq, seq * 10);
    }
    let rest = (11..=110).map(|seq| (seq, seq * 10, 1)).collect::<Vec<_>>();
    history.read_with(&rest, ring(100));
    assert_eq!(history.final_violations(), NONE, "100 are stored, ten were evicted");
}

#[test]
fn d06_a_direct_message_needs_one_consumer_and_a_broadcast_each() {
    let with_two = || {
        let mut history = History::on_disk(ReadMode::Automatic);
        let second_consumer = history.oracle.consumer(history.bob, "second", ReadMode::Manual);
        (history, second_consumer)
    };
    let (mut history, _) = with_two();
    assert_eq!(history.direct(1, 10).read(&[(1, 10, 1)]).final_violations(), NONE);
    let (mut history, second_consumer) = with_two();
    history.broadcast(1, 10).read(&[(1, 10, 1)]);
    history.default_consumer = second_consumer;
    assert_eq!(history.final_violations(), [Violation::Lost]);
}
